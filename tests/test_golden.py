"""The four images on a root of each package manager: what is written, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import golden
from tests.helpers import files_of


@pytest.mark.parametrize("root", golden.ROOTS)
def test_golden(root: str, tmp_path: Path) -> None:
    """The four images are rendered as they were read and found good; `make golden` after a change."""
    made = golden.render(root, tmp_path / "out")
    expected = files_of(golden.HERE / root)
    assert sorted(made) == sorted(expected)
    for path, content in made.items():
        assert content.decode() == expected[path].decode(), path
