"""dnf reads the repository files of every distribution of rpm, for every mirror that carries it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import TABLE, known, need, pairs, rootfs, run

pytestmark = pytest.mark.engine
ARCHITECTURES = ("x86_64", "aarch64")
# dnf's own reader of .repo files; it is a module of the system's Python. Nothing is asked of any host.
READER = """
import json, sys, dnf
base = dnf.Base()
base.conf.reposdir, base.conf.cachedir = [sys.argv[1]], sys.argv[2]
base.conf.substitutions.update(basearch=sys.argv[3], releasever=sys.argv[4])
base.read_all_repos()
print(json.dumps({
    repo.id: [list(repo.baseurl), bool(repo.gpgcheck), list(repo.gpgkey), bool(repo.enabled)]
    for repo in base.repos.all()
}))
"""


def table(distro: str, mirror: str, architecture: str) -> dict[str, list[str]]:
    """Give the addresses of each repository as the table has them."""
    said = TABLE[distro]
    found = {id: [root + path for root in said["roots"][mirror]] for id, path in said["layout"].items()}
    found |= {id: [by_mirror[mirror]] for id, by_mirror in said.get("more", {}).items() if mirror in by_mirror}
    return {id: [url.replace("$basearch", architecture) for url in urls] for id, urls in found.items()}


@pytest.mark.parametrize(("distro", "mirror"), pairs("roots"))
def test_dnf_reads_the_addresses_of_the_table(distro: str, mirror: str, tmp_path: Path) -> None:
    """A repository's expanded addresses are those that its sources state, and its signatures are checked."""
    need("dnf")
    folder = rootfs(tmp_path / "app", distro, mirror) / "etc/yum.repos.d"
    (data,) = [each for each in known().distributions if each.name == distro]
    enabled = {id: each.get("enabled", True) for id, each in data.repositories().items()}
    for architecture in ARCHITECTURES:
        printed = run("/usr/bin/python3", "-c", READER, folder, tmp_path / "cache", architecture, data.version)
        read = json.loads(printed)
        assert {id: urls for id, (urls, *_) in read.items()} == table(distro, mirror, architecture)
        for id, (_, checked, keys, is_on) in read.items():
            assert checked, id
            assert len(keys) == 1, id
            assert keys[0].startswith("file:///etc/pki/rpm-gpg/"), id
            assert is_on == enabled[id], id


@pytest.mark.parametrize(("distro", "mirror"), pairs("roots"))
def test_dnf_lists_every_repository(distro: str, mirror: str, tmp_path: Path) -> None:
    """`dnf repolist` knows every repository by the id that stacks enable it by, and reads each file without a word."""
    dnf = need("dnf")
    folder = rootfs(tmp_path / "app", distro, mirror) / "etc/yum.repos.d"
    (data,) = [each for each in known().distributions if each.name == distro]
    options = [f"--setopt=reposdir={folder}", f"--setopt=cachedir={tmp_path}", f"--releasever={data.version}", "-C"]
    listed = run(dnf, *options, "repolist", "--all").splitlines()[1:]
    assert {line.split()[0] for line in listed} == set(table(distro, mirror, "x86_64"))
    assert "Invalid" not in run(dnf, *options, "-d", "10", "-e", "10", "repolist", "--all")


def test_a_key_of_ours_is_one_that_rpm_takes(tmp_path: Path) -> None:
    """A key that we bring for EPEL can be imported, so that gpgcheck can use it."""
    rpmkeys = need("rpmkeys")
    for key in sorted((Path(__file__).parents[2] / "templates/families/keys").iterdir()):
        run(rpmkeys, "--dbpath", tmp_path / key.name, "--import", key)
        assert "gpg-pubkey" in run(need("rpm"), "--dbpath", tmp_path / key.name, "-qa", "gpg-pubkey*")
