"""The examples of docs/inheritance.md, built by the engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers import tree
from tests.test_inheritance_docs import Example, each_example

from .builders import BUILDKIT
from .commands import entries

pytestmark = pytest.mark.engine

BASE = "stackgen-test/nothing:1"


@pytest.fixture(scope="module", autouse=True)
def _base(accounts: Path) -> None:
    BUILDKIT.load(BASE, accounts, ())


@each_example
def test_the_engine_agrees_with_an_example(example: Example, tmp_path: Path) -> None:
    """What the page says of an image is what the engine makes, so that it is no mere opinion of ours."""
    parent, tags = example.base or BASE, list[str]()
    tree(tmp_path, {"a": "copied\n"})
    try:
        for name, lines in example.generations.items():
            tree(tmp_path, {"Dockerfile": "\n".join([f"FROM {parent}", *lines, ""]).encode()})
            parent = f"stackgen-test/example-{name}"
            answer = BUILDKIT.build(tmp_path, parent)
            assert answer.returncode == 0, answer.stderr
            tags.append(parent)
        (config,) = BUILDKIT.configs(parent)
        assert example.of(config) == example.values
        for path, owner in example.results.items():
            if path.startswith("/"):
                assert (owner, entries(parent)[path[1:]].uid) == ("root", 0)
    finally:
        BUILDKIT.remove(*reversed(tags))
