"""docs/inheritance.md: each example comes to what stands below it, and the tables of builders are what is tested.

An example is a ```text block. A line is who says something (parent, child, grandchild) and what, as a Dockerfile has
it; the lines behind that are keys of the last image's configuration and their values. `FROM scratch` is what the first
stands on, else an image that brings nothing. A line that begins with / is who owns a file: the engine's test looks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.engine.differences import DIFFERENCES
from tests.helpers import ROOT, run, tree
from tests.test_docs import blocks

PAGE = ROOT / "docs" / "inheritance.md"
GENERATIONS = ("parent", "child", "grandchild")


@dataclass(frozen=True, slots=True)
class Example:
    """What each generation says, by its name, on what the first stands, and what the last one is then."""

    line: int
    base: str
    generations: Mapping[str, tuple[str, ...]]
    results: Mapping[str, str]

    @property
    def values(self) -> dict[str, Any]:
        """The keys of the configuration that it shows, and their values."""
        return {key: json.loads(value) for key, value in self.results.items() if not key.startswith("/")}

    def of(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The same keys of a configuration; what every image has is left out where the example does so."""
        found = {key: config.get(key) for key in self.values}
        if isinstance(env := found.get("Env"), list) and "PATH=" not in self.results["Env"]:
            found["Env"] = [variable for variable in env if not variable.startswith("PATH=")]
        if isinstance(labels := found.get("Labels"), dict):
            found["Labels"] = {name: value for name, value in labels.items() if not name.startswith("org.")}
        return found


def example(lines: tuple[str, ...], number: int) -> Example:
    generations: dict[str, tuple[str, ...]] = {}
    results: dict[str, str] = {}
    base = ""
    for line in lines:
        who, said = re.split(" +", line, maxsplit=1)
        if who == "FROM":
            base = said
        elif who in GENERATIONS:
            assert not results, f"line {number}: what an image is stands last"
            generations[who] = (*generations.get(who, ()), said)
        else:
            results[who] = said
    return Example(number, base, generations, results)


EXAMPLES = [example(block.lines, block.number) for block in blocks(PAGE.read_text("utf-8")) if block.language == "text"]
each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"line-{example.line}")


@each_example
def test_an_example_is_true(example: Example, tmp_path: Path) -> None:
    """What an example of the page shows is what inspect tells, so that a reader can rely on it."""
    parent = f"from: {example.base}" if example.base else "from: example/base:1\ninherits: {}"
    for name, lines in example.generations.items():
        text = "".join(f"      {line}\n" for line in lines)
        tree(tmp_path, {f"{name}.yml": f"{parent}\nsteps:\n  - raw: |\n{text}".encode()})
        parent = f"extends: {name}"
    last = list(example.generations)[-1]
    result = run(["inspect", f"{last}.yml", "--format", "json"], tmp_path)
    assert result.code == 0, result.stderr
    (image,) = json.loads(result.stdout)
    assert example.values
    assert example.of(image["Config"]) == example.values


def test_an_example_is_short() -> None:
    """An example is read at a glance: a few lines, the generations in their order, and a result."""
    for each in EXAMPLES:
        said = sum(len(lines) for lines in each.generations.values())
        assert said + len(each.results) <= 5, each
        assert list(each.generations) == [name for name in GENERATIONS if name in each.generations]
        assert each.results


def test_the_tables_of_builders_are_what_is_tested() -> None:
    """Each difference between builders that the page names is one that a test shows, and none is left out."""
    rows = re.findall(r"^\| \w.*|^\| --.*", PAGE.read_text("utf-8"), re.MULTILINE)
    assert [row for row in rows if "|---" not in row] == [each.row(name) for name, each in DIFFERENCES.items()]
