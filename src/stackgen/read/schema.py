"""Nodes against the JSON Schemas, scalars by field type; the only import of jsonschema.

A schema says more than JSON Schema knows: `x-takes` (a field's values in a user's words), `x-words` (words of other
worlds and the answer to each), `x-later` (what is part of the language but not there yet) and `x-merge` (how a list
merges). `$ref` is resolved when a schema is loaded, so whoever walks one meets plain maps.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, TypeAlias

from stackgen.diagnostics import Findings, Span, suggestion
from stackgen.read.source import Mapping, Node, Scalar, Sequence, is_empty
from stackgen.resources import SCHEMAS

Schema: TypeAlias = dict[str, Any]
PathPart: TypeAlias = str | int


class _Unknown:
    """Stands for a value that an expression will give; every keyword accepts it."""

    def __repr__(self) -> str:
        return "an expression"


UNKNOWN = _Unknown()

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
# One object, since what a schema offers is remembered by its identity.
_ANYTHING: Schema = {}
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


def element(schema: Schema) -> Schema:
    """Give the schema of a list's items; the empty schema where it says nothing."""
    for branch in branches(schema):
        if isinstance(branch.get("items"), dict):
            return branch["items"]  # type: ignore[no-any-return]
    return _ANYTHING


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


def _scalar(node: Scalar, schema: Schema) -> Any:
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
    return node.text


def has_expression(node: Node) -> bool:
    """Whether a scalar holds a Jinja expression: only `{{` and `{%` begin one, and `!unsafe` says that none does."""
    return isinstance(node, Scalar) and node.tag != "!unsafe" and ("{{" in node.text or "{%" in node.text)


def typed(node: Node, schema: Schema) -> Any:
    """Give a node as plain data, each scalar by its field's type, expressions and resets as `UNKNOWN`."""
    if node.tag == "!reset" or has_expression(node):
        return UNKNOWN
    if isinstance(node, Scalar):
        return _scalar(node, schema)
    if isinstance(node, Sequence):
        inner = element(schema)
        return [typed(item, inner) for item in node.items]
    return {key: typed(value, member(schema, key) or _ANYTHING) for key, value in node.values.items()}


def plain(node: Node) -> Any:
    """Give a node as plain data where no field says a type (`vars`, arguments)."""
    return typed(node, _ANYTHING)


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator, validators

    def lenient(keyword: Callable[..., Any]) -> Callable[..., Any]:
        def check(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
            if instance is not UNKNOWN:
                yield from keyword(validator, value, instance, schema) or ()

        return check

    known = {name: lenient(keyword) for name, keyword in Draft202012Validator.VALIDATORS.items()}
    return validators.extend(Draft202012Validator, known)  # type: ignore[no-untyped-call]


@cache
def _validator_for(name: str) -> Any:
    return _validator()(load(name))


def check(node: Node, name: str, called: str, findings: Findings) -> Any:
    """Check a node against one of our schemas.

    Takes the schema's stem and what the whole is called in messages ("a stack"); gives the typed data. Findings:
    unknown-key, missing-key, not-yet, wrong-value.
    """
    data = typed(node, load(name))
    reporter = _Reporter(node, load(name), called, findings)
    for error in _validator_for(name).iter_errors(data):
        reporter.report(error, load(name), ())
    reporter.later(node, load(name))
    return data


class _Reporter:
    """Turns what jsonschema says into findings in the words of the field that is wrong."""

    def __init__(self, node: Node, schema: Schema, called: str, findings: Findings) -> None:
        self.node = node
        self.schema = schema
        self.called = called
        self.findings = findings

    def place(self, path: Iterable[PathPart]) -> tuple[Node, Span, str]:
        """Give the node at a path, the span to point at, and the name of the nearest key."""
        node, span, name = self.node, self.node.span, ""
        for part in path:
            if isinstance(node, Mapping):
                key_span = node.keys[str(part)]
                node, name = node.values[str(part)], str(part)
                span = key_span if is_empty(node) else node.span
            elif isinstance(node, Sequence):
                node = node.items[int(part)]
                span = node.span
        return node, span, name

    def report(self, error: Any, start: Schema, before: tuple[PathPart, ...]) -> None:
        path = (*before, *error.path)
        chain = _chain(start, error.schema_path)
        if error.validator in ("additionalProperties", "unevaluatedProperties"):
            self.unknown_keys(error, path)
        elif error.validator == "required":
            self.missing_keys(error, path)
        elif error.validator == "anyOf":
            self.alternatives(error, path, chain)
        elif error.validator == "propertyNames" or "propertyNames" in error.schema_path:
            self.wrong_name(error, path, chain)
        else:
            self.wrong_value(path, chain)

    def alternatives(self, error: Any, path: tuple[PathPart, ...], chain: list[Schema]) -> None:
        """Follow the one alternative whose type the value has; where none has it, say what the field takes.

        A text that fits no text alternative is better told by the field than by the first of them.
        """
        structured = isinstance(error.instance, dict | list)
        for index, branch in enumerate(error.schema["anyOf"]):
            inner = [found for found in error.context if found.schema_path[0] == index]
            other_type = any(found.validator == "type" and not found.path for found in inner)
            if inner and structured and not other_type:
                for found in inner:
                    found.schema_path.popleft()
                    self.report(found, branch, path)
                return
        self.wrong_value(path, chain)

    def unknown_keys(self, error: Any, path: tuple[PathPart, ...]) -> None:
        node, _, name = self.place(path)
        if not isinstance(node, Mapping):
            return
        known = keys(error.schema)
        patterns = error.schema.get("patternProperties", {})
        for key in error.instance:
            if key in known or any(re.search(pattern, key) for pattern in patterns):
                continue
            words: dict[str, str] = error.schema.get("x-words", {})
            where = f"`{name}`" if name else self.called
            help = words.get(key) or words.get(key.lower()) or suggestion(key, known)
            self.findings.error(
                "unknown-key",
                f'"{key}" is not a key of {where}',
                node.keys[key],
                help=help or f"its keys: {', '.join(known)}",
            )

    def missing_keys(self, error: Any, path: tuple[PathPart, ...]) -> None:
        _, span, name = self.place(path)
        where = f"`{name}`" if name else self.called
        for key in error.validator_value:
            if key not in error.instance:
                described = error.schema.get("properties", {}).get(key, {}).get("description", "")
                self.findings.error(
                    "missing-key",
                    f"{where} needs `{key}`",
                    span,
                    help=f"`{key}`: {described}" if described else None,
                )

    def wrong_name(self, error: Any, path: tuple[PathPart, ...], chain: list[Schema]) -> None:
        node, span, name = self.place(path)
        bad = error.instance
        if isinstance(node, Mapping) and isinstance(bad, str) and bad in node.keys:
            span = node.keys[bad]
        takes = _takes([*chain, error.schema]) or "another form of name"
        self.findings.error("wrong-name", f'a name in `{name}` is {takes}, not "{bad}"', span)

    def wrong_value(self, path: tuple[PathPart, ...], chain: list[Schema]) -> None:
        node, span, name = self.place(path)
        where = f"`{name}`" if name else self.called
        takes = _takes(chain) or _expected(chain[-1])
        help = None
        if isinstance(node, Scalar):
            shown = "nothing" if is_empty(node) else f'"{_short(node.text)}"'
            help = _cure(node, chain)
        else:
            shown = "a list" if isinstance(node, Sequence) else "a map"
        self.findings.error("wrong-value", f"{where} takes {takes}, not {shown}", span, help=help)

    def later(self, node: Node, schema: Schema) -> None:
        """Find what is part of the language but not there yet."""
        if isinstance(node, Mapping):
            for key, span, value in node.items():
                inner = member(schema, key)
                if inner is not None and not self._later(f"`{key}`", inner, value, span):
                    self.later(value, inner)
        elif isinstance(node, Sequence):
            inner = element(schema)
            for item in node.items:
                if not self._later("this form", inner, item, item.span):
                    self.later(item, inner)

    def _later(self, what: str, schema: Schema, value: Node, span: Span) -> bool:
        kind = {Mapping: "object", Sequence: "array", Scalar: "string"}[type(value)]
        for branch in branches(schema):
            why = branch.get("x-later")
            if why and (branch is schema or branch.get("type", kind) == kind):
                self.findings.error("not-yet", f"{what} is not there yet: {why}", span)
                return True
        return False


def _chain(start: Schema, schema_path: Iterable[PathPart]) -> list[Schema]:
    """Give the schemas from the whole down to the one whose keyword failed."""
    chain: list[Schema] = [start]
    here: Any = start
    for part in schema_path:
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(here, dict):
            chain.append(here)
    return chain


def _takes(chain: list[Schema]) -> str | None:
    for schema in reversed(chain):
        if isinstance(schema.get("x-takes"), str):
            return str(schema["x-takes"])
    return None


def _expected(schema: Schema) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(str(value) for value in schema["enum"])
    words = {"object": "a map", "array": "a list", "string": "a text", "integer": "a whole number"}
    words |= {"boolean": "true or false", "number": "a number", "null": "nothing"}
    return " or ".join(words[kind] for kind in sorted(types(schema))) or "another value"


def _cure(node: Scalar, chain: list[Schema]) -> str | None:
    """Say what to type where that is certain."""
    schema = chain[-1]
    if is_empty(node):
        return 'write "" for an empty text, or remove the key' if "string" in types(schema) else "remove the key"
    if "boolean" in types(schema) and node.text.lower() in ("yes", "on", "no", "off"):
        return f"write {'true' if node.text.lower() in ('yes', 'on') else 'false'}"
    if re.fullmatch(r"[0-7]{3}", node.text) and "0644" in (_takes(chain) or ""):
        return f"write 0{node.text}"
    options = [value for part in branches(schema) for value in part.get("enum", ()) if isinstance(value, str)]
    return suggestion(node.text, options) if options else None


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
