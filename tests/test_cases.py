"""The language, case by case: folders of input with what is expected of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases import HERE, Case, cases
from tests.helpers import files_of


def name_of(case: Case) -> str:
    return case.folder.name


@pytest.mark.parametrize("case", cases("good"), ids=name_of)
def test_good(case: Case, tmp_path: Path) -> None:
    """A valid stack renders to the files that the best engineer would write by hand, byte for byte."""
    assert case.rendered(tmp_path / "case") == files_of(case.folder / "expected"), case.says


@pytest.mark.parametrize("case", cases("bad"), ids=name_of)
def test_bad(case: Case, tmp_path: Path) -> None:
    """An invalid stack is answered with its fault, its place and a cure, and nothing is written."""
    ran = case.printed(tmp_path / "case")
    expected = (case.folder / "expected.txt").read_text("utf-8")
    assert ran.stderr == expected, case.says
    assert ran.code == (2 if expected.startswith("Usage:") else 1)
    assert ran.stdout == ""
    assert not (tmp_path / "case" / "build").exists()


def test_every_folder_is_a_case() -> None:
    """A folder without its case.yml, or with a name used twice, would be skipped in silence."""
    folders = {path for kind in ("good", "bad") for path in (HERE / kind).iterdir() if path.is_dir()}
    assert folders == {case.folder for kind in ("good", "bad") for case in cases(kind)}
