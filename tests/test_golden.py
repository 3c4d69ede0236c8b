"""The four images on both roots: what is written, byte for byte, and nothing of the one root in the other's output."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from stackgen import api
from stackgen.stack.project import Options
from tests import golden
from tests.helpers import ROOT, files_of

DISTROS = {"centos7": "centos-7", "debian12": "debian-12"}
# What a package manager is called by, which no data say.
COMMANDS = {"yum": r"\b(?:yum|rpm|epel)\b", "apt": r"\b(?:apt-get|apt|dpkg)\b"}


def data_of(root: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / f"templates/distros/{DISTROS[root]}.yml").read_text("utf-8"))
    return loaded


def places(data: dict[str, Any]) -> set[str]:
    """Give every path that a distribution's data name; of a pattern, its folder."""
    supervisors = data["supervisor"].values()
    named = {
        *data["paths"].values(),
        *(way["config"] for way in supervisors),
        *(posixpath.dirname(way["include"]) for way in supervisors),
        *(posixpath.dirname(file["path"]) for file in data["repository_files"]),
    }
    return {path for path in named if path.startswith("/")}


def foreign_to(root: str) -> dict[str, str]:
    """Give what must not stand in a root's output, as patterns by what they mean."""
    (other,) = golden.ROOTS.keys() - {root}
    own, theirs = data_of(root), data_of(other)
    paths = {path for path in places(theirs) - places(own) if not any(path in mine for mine in places(own))}
    words = {path: re.escape(path) + r"(?![\w.-])" for path in paths}
    words[theirs["family"]] = COMMANDS[theirs["family"]]
    for role, name in theirs["users"].items():
        if name != own["users"].get(role):
            # `nginx` is a program as well: as a user it stands behind one of these words, or is its own group.
            words[f"the user {name}"] = rf"(?:user|group|owner|own|grp)\s*[ =:]\s*{name}\b|\b{name}:{name}\b"
    return words


@pytest.mark.parametrize("root", golden.ROOTS)
def test_golden(root: str, tmp_path: Path) -> None:
    """The four images are rendered as they were read and found good, on either root; `make golden` after a change."""
    made = golden.render(root, tmp_path / "out")
    expected = files_of(golden.HERE / root)
    assert sorted(made) == sorted(expected)
    for path, content in made.items():
        assert content.decode() == expected[path].decode(), path


@pytest.mark.parametrize("root", golden.ROOTS)
def test_nothing_of_the_other_root(root: str) -> None:
    """No path, user or package manager of the one distribution is left in what is rendered on the other."""
    foreign = foreign_to(root)
    found = {
        (path, meaning)
        for path, content in files_of(golden.HERE / root).items()
        for meaning, pattern in foreign.items()
        # A file's own path says where it goes in the image.
        if re.search(pattern, path.partition("rootfs")[2] + "\n" + content.decode(errors="replace"))
    }
    assert len(foreign) > 5
    assert not found


@pytest.mark.parametrize("root", golden.ROOTS)
def test_the_other_root_would_be_found(root: str) -> None:
    """The search for leftovers would find them: most of its patterns are hits in the other root's own output."""
    (other,) = golden.ROOTS.keys() - {root}
    text = "\n".join(
        path.partition("rootfs")[2] + "\n" + content.decode(errors="replace")
        for path, content in files_of(golden.HERE / other).items()
    )
    hits = [meaning for meaning, pattern in foreign_to(root).items() if re.search(pattern, text)]
    assert len(hits) >= 6, hits


def test_findings() -> None:
    """The stacks of this project have no findings but that CentOS 7 is dead."""
    found = {
        (each.code, each.span.path if each.span else "")
        for base in (None, "debian12")
        for each in api.render(["stacks/wordpress.yml"], Options(base=base), cwd=ROOT).diagnostics
    }
    assert found == {("end-of-life", "stacks/centos7.yml")}
