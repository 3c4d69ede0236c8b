"""Small repositories of packages that hold nothing, signed with a throw-away key."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.engine.serving import Key

from .conftest import need, run

SPEC = """\
Name: {name}
Version: {version}
Release: 1
Summary: Nothing
License: none
BuildArch: noarch
%description
Nothing.
%files
"""
STREAM = """\
---
document: modulemd
version: 2
data:
  name: {name}
  stream: "{stream}"
  version: 1
  context: c0ffee
  arch: noarch
  summary: Nothing
  description: Nothing
  license: {{module: [none]}}
  artifacts: {{rpms: ["{name}-0:{stream}-1.noarch"]}}
...
"""
CONTROL = """\
Package: {name}
Version: 1
Architecture: all
Maintainer: nobody <nobody@example.org>
Description: nothing
"""


def rpm_repository(folder: Path, names: list[str], signer: Key | None) -> Path:
    """Make a repository with a package of each name; without a signer they are not signed."""
    folder.mkdir(parents=True)
    for name in names:
        _rpm(folder, name, "1", signer)
    run(need("createrepo_c"), "--quiet", folder)
    return folder


def modular_repository(folder: Path, name: str, streams: list[str], signer: Key) -> Path:
    """Make a repository with a module whose streams each have its package, of the version that the stream is called."""
    folder.mkdir(parents=True)
    for stream in streams:
        _rpm(folder, name, stream, signer)
    run(need("createrepo_c"), "--quiet", folder)
    modules = folder / "modules.yaml"
    modules.write_text("".join(STREAM.format(name=name, stream=stream) for stream in streams), "utf-8")
    run(need("modifyrepo_c"), "--mdtype=modules", modules, folder / "repodata")
    return folder


def _rpm(folder: Path, name: str, version: str, signer: Key | None) -> None:
    spec = folder / f"{name}.spec"
    spec.write_text(SPEC.format(name=name, version=version), "utf-8")
    run(need("rpmbuild"), "-bb", "--define", f"_topdir {folder}", "--define", f"_rpmdir {folder}", spec)
    (package,) = folder.rglob(f"{name}-{version}-1.noarch.rpm")
    if signer:
        macros = {"_gpg_name": signer.name, "_gpg_path": str(signer.home), "__gpg": need("gpg")}
        defines = [f"--define={name} {value}" for name, value in macros.items()]
        run(need("rpmsign"), *defines, "--addsign", package)
    spec.unlink()


def apt_repository(folder: Path, suites: list[str], names: list[str], signer: Key) -> Path:
    """Make a repository with a package of each name in each suite, for amd64 and for all."""
    pool = folder / "pool"
    pool.mkdir(parents=True)
    entries = []
    for name in names:
        root = folder / "build" / name
        (root / "DEBIAN").mkdir(parents=True)
        (root / "DEBIAN/control").write_text(CONTROL.format(name=name), "utf-8")
        run("dpkg-deb", "--build", root, pool / f"{name}.deb")
        content = (pool / f"{name}.deb").read_bytes()
        where = f"Filename: pool/{name}.deb\nSize: {len(content)}\nSHA256: {hashlib.sha256(content).hexdigest()}\n"
        entries.append(CONTROL.format(name=name) + where)
    packages = "\n".join(entries).encode()
    for suite in suites:
        index = folder / "dists" / suite / "main/binary-amd64/Packages"
        index.parent.mkdir(parents=True)
        index.write_bytes(packages)
        line = f" {hashlib.sha256(packages).hexdigest()} {len(packages)} main/binary-amd64/Packages"
        release = index.parents[2] / "Release"
        release.write_text(
            f"Origin: corp\nSuite: {suite}\nCodename: {suite}\nArchitectures: amd64\nComponents: main\n"
            f"Date: Tue, 24 Nov 2026 00:00:00 UTC\nSHA256:\n{line}\n",
            "utf-8",
        )
        signer.gpg("--output", release.with_name("InRelease"), "--clearsign", release)
    return folder
