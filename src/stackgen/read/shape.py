"""The JSON Schemas as shapes that a node is walked along: what a place takes, and a scalar by its field's type.

A schema says more than JSON Schema knows: `x-takes` (a field's values in a user's words), `x-words` (words of other
worlds and the answer to each), `x-later` (what is part of the language but not there yet) and `x-merge` (how a list
merges). `$ref` is resolved when a schema is loaded, so whoever walks one meets plain maps.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, TypeAlias

from stackgen.read.source import Node, Scalar, Sequence, is_empty
from stackgen.resources import SCHEMAS

Schema: TypeAlias = dict[str, Any]


class Interpolated(str):
    """A text in place of a number or a switch, from which Compose makes one: `${REPLICAS:-1}`."""

    __slots__ = ()


class _Unknown:
    """Stands for a value that an expression will give; every keyword accepts it."""

    def __repr__(self) -> str:
        return "an expression"


UNKNOWN = _Unknown()

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
# One object, since what a schema offers is remembered by its identity.
ANYTHING: Schema = {}
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


class _Loader:
    """Loads the schema files of a folder and resolves every `$ref`, also a circular one, to the map it names."""

    def __init__(self) -> None:
        self.files: dict[str, Any] = {}
        self.done: dict[tuple[str, str], Schema] = {}

    def file(self, name: str) -> Any:
        if name not in self.files:
            self.files[name] = json.loads((SCHEMAS / name).read_text("utf-8"))
        return self.files[name]

    def at(self, name: str, pointer: str) -> Schema:
        if (name, pointer) not in self.done:
            raw = self.file(name)
            for part in pointer.split("/")[1:]:
                raw = raw[part.replace("~1", "/").replace("~0", "~")]
            self.done[name, pointer] = target = {}
            target.update(self.resolve(raw, name))
        return self.done[name, pointer]

    def resolve(self, raw: Any, name: str) -> Any:
        if isinstance(raw, list):
            return [self.resolve(item, name) for item in raw]
        if not isinstance(raw, dict):
            return raw
        beside = {
            key: value if key in ("examples", "default", "enum", "const") else self.resolve(value, name)
            for key, value in raw.items()
            if key not in ("$ref", "$id", "$schema", "$defs")
        }
        if "$ref" not in raw or not isinstance(raw["$ref"], str):
            return beside
        file, _, pointer = raw["$ref"].partition("#")
        target = self.at(file or name, pointer)
        return {**target, **beside} if beside and target else target if not beside else {"allOf": [target], **beside}


_loader = _Loader()


@cache
def load(name: str) -> Schema:
    """Give a schema of ours by the stem of its file name, with every reference resolved."""
    return _loader.at(f"{name}.json", "")


def text(name: str) -> str:
    """Give a schema's file as it stands, by its stem. Raises FileNotFoundError."""
    return (SCHEMAS / f"{name}.json").read_text("utf-8")


def names() -> tuple[str, ...]:
    """Give the stems of the schema files."""
    return tuple(sorted(path.stem for path in SCHEMAS.glob("*.json")))


_branches: dict[int, tuple[Schema, ...]] = {}


def branches(schema: Schema) -> tuple[Schema, ...]:
    """Give a schema and all that it offers through anyOf and allOf, flat."""
    if id(schema) not in _branches:
        flat: list[Schema] = [schema]
        for keyword in ("anyOf", "allOf"):
            for part in schema.get(keyword, ()):
                flat.extend(branches(part))
        _branches[id(schema)] = tuple(flat)
    return _branches[id(schema)]


def member(schema: Schema, key: str) -> Schema | None:
    """Give the schema of a map's key, or None where the map has no such key."""
    for branch in branches(schema):
        if key in branch.get("properties", ()):
            return branch["properties"][key]  # type: ignore[no-any-return]
    for branch in branches(schema):
        for pattern, found in branch.get("patternProperties", {}).items():
            if re.search(pattern, key):
                return found  # type: ignore[no-any-return]
    for branch in branches(schema):
        extra = branch.get("additionalProperties")
        if isinstance(extra, dict):
            return extra
    return None


def inside(schema: Schema, *names: str) -> Schema:
    """Give the schema of a place by the keys that lead to it; the empty schema where it has no such place."""
    for name in names:
        schema = member(schema, name) or ANYTHING
    return schema


def element(schema: Schema) -> Schema:
    """Give the schema of a list's items; the empty schema where it says nothing."""
    for branch in branches(schema):
        if isinstance(branch.get("items"), dict):
            return branch["items"]  # type: ignore[no-any-return]
    return ANYTHING


def keys(schema: Schema) -> tuple[str, ...]:
    """Give the fixed keys of a map."""
    return tuple(key for branch in branches(schema) for key in branch.get("properties", ()))


@cache
def _types_of(schema_id: int) -> frozenset[str]:
    found: set[str] = set()
    for branch in _branches[schema_id]:
        declared = branch.get("type", ())
        found.update([declared] if isinstance(declared, str) else declared)
        if any(isinstance(value, str) for value in [*branch.get("enum", ()), branch.get("const")]):
            found.add("string")
    return frozenset(found)


def types(schema: Schema) -> frozenset[str]:
    """Give the JSON types that a place takes; none where it takes any."""
    branches(schema)
    return _types_of(id(schema))


def canonical(node: Scalar) -> Any:
    """Type a scalar whose field has no type: a number or a boolean only if its canonical form is its text."""
    if not node.plain:
        return node.text
    if is_empty(node):
        return None
    if node.text in ("true", "false"):
        return node.text == "true"
    if _INTEGER.fullmatch(node.text) and node.text != "-0":
        return int(node.text)
    if _NUMBER.fullmatch(node.text) and repr(float(node.text)) == node.text:
        return float(node.text)
    return node.text


def _scalar(node: Scalar, schema: Schema, interpolates: bool) -> Any:
    wanted = types(schema)
    if not wanted:
        return canonical(node)
    if is_empty(node):
        return None
    if "string" in wanted or not node.plain:
        return node.text
    if "boolean" in wanted and node.text in _BOOLEANS:
        return _BOOLEANS[node.text]
    if wanted & {"integer", "number"} and _INTEGER.fullmatch(node.text):
        return int(node.text)
    if "number" in wanted and _NUMBER.fullmatch(node.text):
        return float(node.text)
    return Interpolated(node.text) if interpolates and "$" in node.text else node.text


def has_expression(node: Node) -> bool:
    """Whether a scalar holds a Jinja expression: only `{{` and `{%` begin one, and `!unsafe` says that none does."""
    return isinstance(node, Scalar) and node.tag != "!unsafe" and ("{{" in node.text or "{%" in node.text)


def typed(node: Node, schema: Schema, interpolates: bool = False) -> Any:
    """Give a node as plain data, each scalar by its field's type, expressions and resets as `UNKNOWN`.

    `interpolates` is whether Compose puts variables in; a schema says so of all below it.
    """
    if node.tag == "!reset" or has_expression(node):
        return UNKNOWN
    interpolates = interpolates or schema.get("x-interpolates", False)
    if isinstance(node, Scalar):
        return _scalar(node, schema, interpolates)
    if isinstance(node, Sequence):
        inner = element(schema)
        return [typed(item, inner, interpolates) for item in node.items]
    return {key: typed(value, inside(schema, key), interpolates) for key, value in node.values.items()}


def plain(node: Node) -> Any:
    """Give a node as plain data where no field says a type (`vars`, arguments)."""
    return typed(node, ANYTHING)
