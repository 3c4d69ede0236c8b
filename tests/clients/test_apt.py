"""apt reads the sources of every distribution of its kind and every mirror that carries it, on two architectures."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from .conftest import TABLE, known, need, pairs, rootfs, run

pytestmark = pytest.mark.engine


def clean_root(folder: Path, files: Path, architecture: str) -> list[str]:
    """Make a root without any setting of this machine; give apt's options for it."""
    etc = folder / "etc/apt"
    for path in (etc / "apt.conf.d", folder / "lists/partial", folder / "cache", folder / "dpkg"):
        path.mkdir(parents=True, exist_ok=True)
    (folder / "dpkg/status").touch()
    sources = sorted(files.glob("etc/apt/sources.list*"))
    assert sources
    settings = {
        "Dir::Etc::sourcelist": str(files / "etc/apt/sources.list"),
        "Dir::Etc::sourceparts": str(files / "etc/apt/sources.list.d"),
        "Dir::Etc::main": str(etc / "apt.conf"),
        "Dir::Etc::parts": str(etc / "apt.conf.d"),
        "Dir::Etc::preferences": str(etc / "preferences"),
        "Dir::Etc::preferencesparts": str(etc / "apt.conf.d"),
        "Dir::State::lists": str(folder / "lists"),
        "Dir::Cache": str(folder / "cache"),
        "Dir::State::status": str(folder / "dpkg/status"),
        "Acquire::Languages": "none",
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
    }
    return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]


@pytest.mark.parametrize(("distro", "mirror"), pairs("apt"))
@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_apt_takes_packages_from_the_addresses_of_the_table(
    distro: str, mirror: str, architecture: str, tmp_path: Path
) -> None:
    """Each suite's packages come from the address that the table has, on other architectures from that of the ports."""
    apt = need("apt-get")
    (data,) = [each for each in known().distributions if each.name == distro]
    said = TABLE[distro]
    files = rootfs(tmp_path / "app", distro, mirror)
    options = clean_root(tmp_path / "root", files, architecture)
    # What `update` would get; `indextargets` lists only what was got already.
    uris = run(apt, *options, "update", "--print-uris")
    packages = re.findall(rf"^'(\S+/)dists/(\S+?)/(\w+)/binary-{architecture}/Packages\.", uris, re.MULTILINE)
    host = said["apt"][mirror]
    where = said.get("ports") if architecture != "amd64" else None
    expected = {(suite, f"{host}/{where or path}/") for suite, path in said["suites"]} if host else set()
    for suite, amd64, arm64 in said["official"] if not host else ():
        expected.add((suite, amd64 if architecture == "amd64" else arm64))
    assert {(suite, uri) for uri, suite, _ in packages} == expected
    components = {each["id"]: set(each["components"]) for each in data.repositories().values()}
    assert {component for *_, component in packages} == set[str]().union(*components.values())


@pytest.mark.parametrize(("distro", "mirror"), pairs("apt"))
def test_apt_policy_reads_the_sources(distro: str, mirror: str, tmp_path: Path) -> None:
    """apt-cache finds no fault in a file of sources, and no source twice."""
    need("apt-cache")
    files = rootfs(tmp_path / "app", distro, mirror)
    done = subprocess.run(
        ["apt-cache", *clean_root(tmp_path / "root", files, "amd64"), "policy"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^Package files:", done.stdout, re.MULTILINE)
