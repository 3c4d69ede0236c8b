"""The schemas that `stackgen schema` prints: one file each, and no complaint about what stackgen takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.cases import cases
from tests.helpers import ROOT, run

NAMES = ("stack", "fragment", "project", "distro", "family", "mirror")


class Loader(yaml.SafeLoader):
    """Types scalars by their looks, as an editor does; our own tags say nothing of the value's type."""


def untagged(loader: Loader, suffix: str, node: yaml.Node) -> Any:
    del suffix
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)  # type: ignore[arg-type]


Loader.add_multi_constructor("!", untagged)
# YAML 1.2 knows no dates.
Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def schema(name: str) -> Any:
    ran = run(["schema", name], ROOT)
    assert ran.code == 0
    return json.loads(ran.stdout)


STACK = Draft202012Validator(schema("stack"))


def complaints(text: str) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in STACK.iter_errors(yaml.load(text, Loader))]


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


@pytest.mark.parametrize("name", NAMES)
def test_a_printed_schema_stands_alone(name: str) -> None:
    """An editor, offline, finds all that a schema refers to in the same file."""
    printed = schema(name)
    Draft202012Validator.check_schema(printed)
    for reference in references(printed):
        place = printed
        assert reference.startswith("#")
        for part in reference.split("/")[1:]:
            place = place[part]


def stacks() -> list[Path]:
    """Every valid stack that we have: our own, and those of the good cases."""
    found = sorted((ROOT / "stacks").glob("*.yml"))
    for case in cases("good"):
        for path in sorted(case.folder.rglob("*.yml")):
            text = path.read_text("utf-8")
            if "expected" not in path.parts and ("\nfrom:" in f"\n{text}" or "\nextends:" in f"\n{text}"):
                found.append(path)
    return found


@pytest.mark.parametrize("path", stacks(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_valid_stack_has_no_complaint_in_an_editor(path: Path) -> None:
    """What stackgen takes, an editor does not mark: numbers where a text is meant, expressions anywhere."""
    assert complaints(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("packges: [curl]", "$: "),
        ("files: [{src: a, dest: b}]", "$.files[0].dest: "),
        ("files: [{src: a, dest: /b, mode: abc}]", "$.files[0].mode: "),
        ("service: {portz: [80]}", "$.service: "),
        ("programs: {web: {autorestart: perhaps}}", "$.programs.web.autorestart: "),
    ],
)
def test_a_fault_is_still_found(text: str, where: str) -> None:
    """Being open to expressions lets no other fault through."""
    assert [found for found in complaints(f"from: debian:12-slim\n{text}\n") if found.startswith(where)]


@pytest.mark.parametrize(
    "text",
    [
        "tag: 8.10",
        "expose: [80, 22:22]",
        "packages: '{{ names }}'",
        "files: [{src: a, dest: '{{ place }}', mode: 0755, unpack: '{{ yes }}'}]",
        "service: {scale: '${REPLICAS:-1}', ports: '{{ ports }}'}",
        "programs: {web: {command: a, numprocs: '{{ workers }}', environment: {PORT: 80}}}",
    ],
)
def test_looks_and_expressions_are_no_faults(text: str) -> None:
    """A scalar is typed by its field, and an expression's value is not known before it is evaluated."""
    assert [found for found in complaints(f"from: debian:12-slim\n{text}\n") if "22:22" not in found] == []


def test_a_schema_that_is_not_there_is_answered() -> None:
    """A mistyped name gets the one that was meant."""
    ran = run(["schema", "projekt"], ROOT)
    assert ran.code == 2
    assert 'did you mean "project"?' in ran.stderr
