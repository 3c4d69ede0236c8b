"""The names of packages that our stacks ask for are names that their distribution has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stackgen import api
from stackgen.stack.project import Options
from tests.helpers import ROOT

from .conftest import REQUIRED, need, run

SOURCES = Path("/etc/apt/sources.list.d/debian.sources")
PACKAGE = re.compile(r"^ {6}([a-z0-9][A-Za-z0-9.+_-]*)(?: \\)?$", re.MULTILINE)


def asked(base: str) -> set[str]:
    """Give every package that the stacks' images install on a root."""
    plan = api.render(["stacks/wordpress.yml"], Options(base=base), cwd=ROOT).unwrap()
    made = [file.content.decode() for image in plan.images for file in image.files if file.path == "Dockerfile"]
    found = {name for text in made for name in PACKAGE.findall(text)}
    assert len(found) > 30
    return found


@pytest.mark.engine
@pytest.mark.parametrize(("base", "suite"), [("debian12", "bookworm"), ("debian13", "trixie")])
def test_debian_has_each(base: str, suite: str, tmp_path: Path) -> None:
    """Debian's real index has a candidate for every package of the four images."""
    need("apt-get")
    if not SOURCES.is_file():
        if REQUIRED:
            pytest.fail(f"no {SOURCES}, from which the way to Debian's packages is read", pytrace=False)
        pytest.skip("not on Debian")
    for name in ("parts", "lists/partial", "cache/archives/partial"):
        (tmp_path / name).mkdir(parents=True)
    stanza = SOURCES.read_text("utf-8").split("\n\n")[0]
    (tmp_path / "parts/suite.sources").write_text(re.sub(r"(?m)^Suites:.*", f"Suites: {suite}", stanza), "utf-8")
    settings = {
        "Dir::Etc::sourceparts": str(tmp_path / "parts"),
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::State::lists": str(tmp_path / "lists"),
        "Dir::State::status": "/dev/null",
        "Dir::Cache": str(tmp_path / "cache"),
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    run("apt-get", *options, "update")
    names = sorted(asked(base))
    policy = run("apt-cache", *options, "policy", *names)
    assert set(re.findall(r"^(\S+):\n  Installed: .*\n  Candidate: [0-9]", policy, re.MULTILINE)) == set(names)


@pytest.mark.parametrize(
    ("base", "distro"), [("rocky9", "rocky-9"), ("ubuntu2404", "ubuntu-24.04"), ("alpine", "alpine-3.24")]
)
def test_the_others_are_listed(base: str, distro: str) -> None:
    """Where no index can be reached, each name is in a list that says where it was seen."""
    text = (ROOT / f"tests/data/{distro}/packages.txt").read_text("utf-8")
    lines = [line for line in text.splitlines() if line and line[0] not in "#["]
    assert asked(base) <= {name for line in lines for name in line.split()}
