"""The same input gives the same bytes and modes, on every machine, in every order of files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cases import HERE
from tests.helpers import ROOT, files_of, modes_of, tree

# Gives directory listings in another order than the file system's, to whatever is imported after it.
REVERSED = """
    import os

    listdir, scandir = os.listdir, os.scandir
    os.listdir = lambda *a: sorted(listdir(*a), reverse=True)


    class Reversed:
        def __init__(self, found):
            with found:
                self.entries = sorted(found, key=lambda entry: entry.name, reverse=True)

        def __iter__(self):
            return iter(self.entries)

        def __next__(self):
            return self.entries.pop(0)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def close(self):
            return None


    os.scandir = lambda *a: Reversed(scandir(*a))
"""

WAYS: dict[str, tuple[dict[str, str], int]] = {
    "as it is": ({}, 0o022),
    "another hash seed": ({"PYTHONHASHSEED": "1"}, 0o022),
    "a third hash seed": ({"PYTHONHASHSEED": "4242"}, 0o022),
    "the C locale": ({"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, 0o022),
    "another time zone": ({"TZ": "Pacific/Kiritimati"}, 0o022),
    "a closed umask": ({}, 0o077),
    "an open umask": ({}, 0o000),
    "reversed listings": ({"REVERSED": "1"}, 0o022),
}


def render(root: Path, output: Path, args: tuple[str, ...], env: dict[str, str], mask: int) -> None:
    """Render in a process of its own, as a user would, and let it fail loudly."""
    patch = tree(output.parent / "patch", {"sitecustomize.py": REVERSED}) if "REVERSED" in env else None
    path = os.pathsep.join(filter(None, [str(patch) if patch else "", str(ROOT / "src")]))
    done = subprocess.run(
        [sys.executable, "-m", "stackgen", "render", *args, "-o", output],
        cwd=root,
        env={**os.environ, **env, "PYTHONPATH": path},
        umask=mask,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr


def all_of(output: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    manifest = (output / ".stackgen.json").read_bytes()
    return {**files_of(output), ".stackgen.json": manifest}, modes_of(output)


INPUTS = ((ROOT, "stacks"), (HERE / "good/files-folders", "app.yml"))


def made(place: Path, way: str) -> list[tuple[dict[str, bytes], dict[str, str]]]:
    found = []
    for root, path in INPUTS:
        output = place / path / "build"
        output.parent.mkdir()
        render(root, output, (path,), *WAYS[way])
        found.append(all_of(output))
    return found


@pytest.fixture(scope="module")
def as_it_is(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[dict[str, bytes], dict[str, str]]]:
    """What the environment of the tests makes. Where a folder lies is no input either."""
    return made(tmp_path_factory.mktemp("plain"), "as it is")


@pytest.mark.parametrize("way", list(WAYS)[1:])
def test_same_bytes_and_modes(
    way: str, tmp_path: Path, as_it_is: list[tuple[dict[str, bytes], dict[str, str]]]
) -> None:
    """The four images, and folders and globs of files, come out the same in every environment."""
    assert made(tmp_path, way) == as_it_is


def test_the_listings_are_reversed(tmp_path: Path) -> None:
    """The patch of the test above does what it says, also for what pathlib lists."""
    patch = tree(tmp_path / "patch", {"sitecustomize.py": REVERSED})
    tree(tmp_path / "folder", {"a": "", "b": "", "c": ""})
    code = "import os, pathlib; print(os.listdir(), [p.name for p in pathlib.Path().glob('*')])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path / "folder",
        env={**os.environ, "PYTHONPATH": str(patch)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "['c', 'b', 'a'] ['c', 'b', 'a']"


def test_nothing_of_the_machine(tmp_path: Path) -> None:
    """No path of the machine, no name of its user and no date stands in what is rendered."""
    output = tmp_path / "somewhere" / "build"
    output.parent.mkdir()
    render(ROOT, output, ("stacks",), {"USER": "somebody-special", "HOSTNAME": "some-machine"}, 0o022)
    for path, content in all_of(output)[0].items():
        for word in (str(tmp_path), str(ROOT), "somebody-special", "some-machine", "somewhere"):
            assert word.encode() not in content, (path, word)
