"""Small repositories of packages that hold nothing, signed with a throw-away key, and served on this machine."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from .conftest import need, run_with

SPEC = """\
Name: {name}
Version: 1
Release: 1
Summary: Nothing
License: none
BuildArch: noarch
%description
Nothing.
%files
"""
CONTROL = """\
Package: {name}
Version: 1
Architecture: all
Maintainer: nobody <nobody@example.org>
Description: nothing
"""


class Signer:
    """A key of its own, in a keyring of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True)
        self.environment = {**os.environ, "GNUPGHOME": str(folder)}
        quick = ("--quick-generate-key", "corp <corp@example.org>", "rsa2048", "sign", "never")
        run_with(self.environment, need("gpg"), "--batch", "--passphrase", "", *quick)
        self.public = folder / "corp.asc"
        run_with(self.environment, "gpg", "--batch", "--armor", "--output", self.public, "--export")

    def close(self) -> None:
        """End the agent that gpg started."""
        run_with(self.environment, "gpgconf", "--kill", "all")

    def sign_rpm(self, path: Path) -> None:
        """Sign a package."""
        how = ("--define", "_gpg_name corp@example.org", "--define", f"__gpg {need('gpg')}")
        run_with(self.environment, "rpmsign", *how, "--addsign", path)

    def sign_text(self, path: Path, output: Path) -> None:
        """Write a signed copy of a text."""
        run_with(self.environment, "gpg", "--batch", "--yes", "--output", output, "--clearsign", path)


def rpm_repository(folder: Path, names: list[str], signer: Signer | None) -> Path:
    """Make a repository with a package of each name; without a signer they are not signed."""
    folder.mkdir(parents=True)
    for name in names:
        spec = folder / f"{name}.spec"
        spec.write_text(SPEC.format(name=name), "utf-8")
        need("rpmbuild")
        run_with(None, "rpmbuild", "-bb", "--define", f"_topdir {folder}", "--define", f"_rpmdir {folder}", spec)
        (package,) = folder.rglob(f"{name}-1-1.noarch.rpm")
        if signer:
            signer.sign_rpm(package)
        spec.unlink()
    need("createrepo_c")
    run_with(None, "createrepo_c", "--quiet", folder)
    return folder


def apt_repository(folder: Path, suites: list[str], names: list[str], signer: Signer) -> Path:
    """Make a repository with a package of each name in each suite, for amd64 and for all."""
    pool = folder / "pool"
    pool.mkdir(parents=True)
    entries = []
    for name in names:
        root = folder / "build" / name
        (root / "DEBIAN").mkdir(parents=True)
        (root / "DEBIAN/control").write_text(CONTROL.format(name=name), "utf-8")
        run_with(None, "dpkg-deb", "--build", root, pool / f"{name}.deb")
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
        signer.sign_text(release, release.with_name("InRelease"))
    return folder


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine; gives its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
