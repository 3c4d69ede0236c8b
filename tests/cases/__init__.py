"""Cases that are found by themselves: a folder of input in `good` or `bad`, and what is expected of it.

`case.yml` says what the case protects (`says`), how `stackgen render` is called (`call`, else with `app.yml`) and, of a
good case, which files of the output are compared (`shows`, patterns; else each Dockerfile) and whether the effective
configuration is (`inspect`).

A good case's `expected/` holds these files, `findings.txt` where there are warnings, and `inspect.json`.
A bad case's `expected.txt` holds what is printed. `python -m tests.golden` writes both anew.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

from tests.helpers import Ran, files_of, run

HERE = Path(__file__).parent
# What of a case is no input.
NO_INPUT = {"case.yml", "expected", "expected.txt"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A folder of input and how stackgen is called on it."""

    folder: Path
    says: str
    call: tuple[str, ...]
    shows: tuple[str, ...]
    inspect: bool

    def copy_to(self, place: Path) -> Path:
        """Put the input where no file of stackgen's own stands above it."""
        shutil.copytree(self.folder, place, symlinks=True, ignore=lambda _, names: set(names) & NO_INPUT)
        return place

    def printed(self, place: Path) -> Ran:
        """Give what `stackgen render` does with the input."""
        return run(["render", *self.call], self.copy_to(place))

    def rendered(self, place: Path) -> dict[str, bytes]:
        """Give what is compared of a good case, by its path in `expected`."""
        ran = self.printed(place)
        assert ran.code == 0, ran.stderr
        made = {
            path: content
            for path, content in files_of(place / "build").items()
            if any(fnmatchcase(path, pattern) for pattern in self.shows)
        }
        if ran.stderr:
            made["findings.txt"] = ran.stderr.encode()
        if self.inspect:
            told = run(["inspect", *self.call, "--format", "json"], place)
            made["inspect.json"] = (json.dumps(json.loads(told.stdout), indent=2, ensure_ascii=False) + "\n").encode()
        return made


def cases(kind: str) -> list[Case]:
    """Give the cases of a kind, `good` or `bad`, by name."""
    return [_read(path.parent) for path in sorted((HERE / kind).glob("*/case.yml"))]


def _read(folder: Path) -> Case:
    said = yaml.safe_load((folder / "case.yml").read_text("utf-8"))
    unknown = set(said) - {"says", "call", "shows", "inspect"}
    assert not unknown, f"{folder.name}/case.yml: {unknown}"
    return Case(
        folder=folder,
        says=said["says"],
        call=tuple(said.get("call", ("app.yml",))),
        shows=tuple(said.get("shows", ("*/Dockerfile",))),
        inspect=said.get("inspect", False),
    )
