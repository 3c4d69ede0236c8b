"""Nodes against the JSON Schemas, and what is wrong in the words of the field; the only import of jsonschema."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeAlias

from stackgen.diagnostics import Findings, Fix, Span, did_you_mean, suggestion
from stackgen.read import shape
from stackgen.read.shape import Schema
from stackgen.read.source import Mapping, Node, Scalar, Sequence, is_empty

PathPart: TypeAlias = str | int
Path: TypeAlias = tuple[PathPart, ...]
MANY = 16


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator, validators

    def lenient(keyword: Callable[..., Any]) -> Callable[..., Any]:
        def check(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
            if instance is not shape.UNKNOWN and not isinstance(instance, shape.Interpolated):
                yield from keyword(validator, value, instance, schema) or ()

        return check

    known = {name: lenient(keyword) for name, keyword in Draft202012Validator.VALIDATORS.items()}
    # Python's `$` also matches before a last newline, JSON Schema's does not.
    matches = known["pattern"]
    known["pattern"] = lambda v, pattern, i, s: matches(v, re.sub(r"(?<!\\)\$$", r"\\Z", pattern), i, s)
    return validators.extend(Draft202012Validator, known)  # type: ignore[no-untyped-call]


@cache
def _validator_for(name: str) -> Any:
    return _validator()(shape.load(name))


@dataclass(frozen=True, slots=True)
class Checked:
    """A node without what its schema does not take, and the paths that were taken out.

    `meant` are the paths of known keys that unknown ones stand for, as far as it can be told; `puzzling` is whether
    there are others.
    """

    node: Node | None
    removed: tuple[Path, ...] = ()
    meant: frozenset[Path] = frozenset()
    puzzling: bool = False


def check(node: Node, name: str, called: str, findings: Findings) -> Checked:
    """Check a node against one of our schemas.

    Takes the schema's stem and what the whole is called in messages ("a stack"). Findings: unknown-key, missing-key,
    not-yet, wrong-value, wrong-name.
    """
    schema = shape.load(name)
    reporter = _Reporter(node, called, findings)
    reporter.later(node, schema, ())
    removed = list(reporter.faults)
    meant: set[Path] = set()
    puzzling = False
    left = _without(node, removed)
    while left is not None:
        reporter = _Reporter(left, called, findings)
        reporter.all(_validator_for(name).iter_errors(shape.typed(left, schema)), schema)
        if not reporter.faults:
            break
        faults = [_to_one_value(path, schema) for path in reporter.faults]
        removed += faults
        meant |= {(*path, key) for path, key in reporter.answered}
        puzzling = puzzling or reporter.puzzling
        left = _without(left, faults)
        # What is taken out may leave its map without a key that it needs: that is no fault of the user's.
        findings = Findings()
    return Checked(left, tuple(removed), frozenset(meant), puzzling)


def _to_one_value(path: Path, schema: Schema) -> Path:
    """Give the path of the list that is one value where a path leads into such a list: a command lives by its order."""
    for index, part in enumerate(path):
        if isinstance(part, int):
            if any(branch.get("x-merge") == "replace" for branch in shape.branches(schema)):
                return path[:index]
            schema = shape.element(schema)
        else:
            schema = shape.inside(schema, part)
    return path


def _without(node: Node, paths: Iterable[Path]) -> Node | None:
    """Give a node without the places at some paths; None where nothing is left of it."""
    below: dict[PathPart, list[Path]] = {}
    for path in paths:
        if not path:
            return None
        below.setdefault(path[0], []).append(path[1:])
    if not below:
        return node
    if isinstance(node, Mapping):
        values = {key: _without(value, below.get(key, ())) for key, value in node.values.items()}
        left = {key: value for key, value in values.items() if value is not None}
        return replace(node, values=left) if left else None
    if isinstance(node, Sequence):
        items = [_without(item, below.get(index, ())) for index, item in enumerate(node.items)]
        kept = tuple(item for item in items if item is not None)
        return replace(node, items=kept) if kept else None
    return None


class _Reporter:
    """Turns what jsonschema says into findings in the words of the field that is wrong, and keeps their paths."""

    def __init__(self, node: Node, called: str, findings: Findings) -> None:
        self.node = node
        self.called = called
        self.findings = findings
        self.faults: list[Path] = []
        self.answered: set[tuple[Path, str]] = set()
        """Keys that unknown ones stand for, by the path of their map."""
        self.misnamed: set[Path] = set()
        """Where keys stand that are no names of their map's kind."""
        self.puzzling = False
        """Whether an unknown key stands for none that can be told."""

    def all(self, errors: Iterable[Any], start: Schema) -> None:
        """Report errors, unknown keys first: one that stands for a missing key answers for both."""
        found = list(errors)
        for error in sorted(found, key=_rank):
            if tuple(error.path) not in self.misnamed:
                self.report(error, start, ())

    def place(self, path: Path) -> tuple[Node, Span, str]:
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

    def report(self, error: Any, start: Schema, before: Path) -> None:
        """Report one error of a schema that begins at `start`, for the value at `before`."""
        path = (*before, *error.path)
        chain = _chain(start, error.schema_path)
        if error.validator == "additionalProperties":
            self.unknown_keys(error, path)
        elif error.validator == "required":
            self.missing_keys(error, path)
        elif error.validator == "anyOf":
            self.alternatives(error, path, chain)
        elif "propertyNames" in error.relative_schema_path:
            self.wrong_name(error, path, chain)
        else:
            self.wrong_value(path, chain)

    def alternatives(self, error: Any, path: Path, chain: list[Schema]) -> None:
        """Follow the one alternative whose type the value has; where none has it, say what the field takes.

        A text that fits no text alternative is better told by the field than by the first of them.
        """
        structured = isinstance(error.instance, dict | list)
        for index, branch in enumerate(error.schema["anyOf"]):
            inner = [found for found in error.context if found.schema_path[0] == index]
            other_type = any(found.validator == "type" and not found.path for found in inner)
            if inner and structured and not other_type:
                for found in sorted(inner, key=_rank):
                    found.schema_path.popleft()
                    self.report(found, branch, path)
                return
        self.wrong_value(path, chain)

    def unknown_keys(self, error: Any, path: Path) -> None:
        """Report the keys of a map that its schema does not have."""
        node, _, name = self.place(path)
        if not isinstance(node, Mapping):
            return
        known = shape.keys(error.schema)
        patterns = error.schema.get("patternProperties", {})
        where = f"`{name}`" if name else self.called
        for key in error.instance:
            if key in known or any(re.search(pattern, key) for pattern in patterns):
                continue
            if self.sentence(node, key, path):
                continue
            answer = _answer(key, error.schema.get("x-words", {}))
            close = None if answer else did_you_mean(key, known)
            taken = {*node.values, *(did_you_mean(other, known) for other in node.values if other != key)}
            help = answer or (f'did you mean "{close}"?' if close else None)
            self.answered.update((path, other) for other in known if help and re.search(rf"[`\"]{other}\b", help))
            self.puzzling = self.puzzling or help is None
            missing = [other for other in error.schema.get("required", ()) if other not in node.values]
            if help is None and missing:
                # It was meant for one of them, most likely.
                self.answered.update((path, other) for other in missing)
                help = f"{_keys(known)}; it needs {_and(missing)}"
            self.findings.error(
                "unknown-key",
                f'"{key}" is not a key of {where}',
                node.keys[key],
                help=help or _keys(known),
                fix=Fix(node.keys[key], close) if close and close not in taken else None,
            )
            self.faults.append((*path, key))

    def sentence(self, node: Mapping, key: str, path: Path) -> bool:
        """Report a text that is a map for a `: ` in it; whether it was one."""
        span = node.span
        if " " not in key.strip() or span.line != span.end_line:
            return False
        quoted = json.dumps(span.source.line(span.line)[span.column - 1 : span.end_column - 1], ensure_ascii=False)
        self.findings.error(
            "read-as-map",
            "YAML reads this text as a map, for the `: ` in it",
            span,
            help=f"write {quoted}",
            fix=Fix(span, quoted),
        )
        self.faults.append(path)
        self.answered.update((path, other) for other in ("sh", "name", "src", "dest", "install", "file", "stack"))
        return True

    def missing_keys(self, error: Any, path: Path) -> None:
        """Report the keys that a map needs and has not."""
        _, span, name = self.place(path)
        where = f"`{name}`" if name else self.called
        self.faults.append(path)
        missing = [key for key in error.validator_value if key not in error.instance]
        missing = [key for key in missing if (path, key) not in self.answered]
        self.answered.update((path, key) for key in missing)
        described = {key: error.schema.get("properties", {}).get(key, {}).get("description") for key in missing}
        help = " ".join(f"`{key}`: {text}" for key, text in described.items() if text)
        if missing:
            self.findings.error("missing-key", f"{where} needs {_and(missing)}", span, help=help or None)

    def wrong_name(self, error: Any, path: Path, chain: list[Schema]) -> None:
        """Report a key that is no name of its map's kind."""
        node, span, name = self.place(path)
        bad = str(error.instance)
        takes = _takes(chain) or "another form of name"
        if isinstance(node, Mapping) and bad in node.keys:
            span = node.keys[bad]
            self.faults.append((*path, bad))
            self.misnamed.add((*path, bad))
        else:
            self.faults.append(path)
        self.findings.error("wrong-name", f'a name in `{name}` is {takes}, not "{bad}"', span)

    def wrong_value(self, path: Path, chain: list[Schema]) -> None:
        """Report a value that its field does not take."""
        node, span, name = self.place(path)
        where = f"`{name}`" if name else self.called
        takes = _takes(chain) or _expected(chain[-1])
        help = None
        if isinstance(node, Scalar):
            shown = "nothing" if is_empty(node) else f'"{_short(node.text)}"'
            help = _cure(node, chain)
        else:
            if isinstance(node, Mapping) and self.sentence(node, next(iter(node.values), ""), path):
                return
            shown = _kind(node)
        self.faults.append(path)
        self.findings.error("wrong-value", f"{where} takes {takes}, not {shown}", span, help=help)

    def later(self, node: Node, schema: Schema, path: Path) -> None:
        """Report what is part of the language but not there yet."""
        if isinstance(node, Mapping):
            for key, span, value in node.items():
                inner = shape.member(schema, key)
                # An entry of a list without one of its keys would be another entry.
                whole = path if path and isinstance(path[-1], int) else (*path, key)
                if inner is not None and not self._later(f"`{key}`", inner, value, span, whole):
                    self.later(value, inner, (*path, key))
        elif isinstance(node, Sequence):
            inner = shape.element(schema)
            for index, item in enumerate(node.items):
                if not self._later("this form", inner, item, item.span, (*path, index)):
                    self.later(item, inner, (*path, index))

    def _later(self, what: str, schema: Schema, value: Node, span: Span, path: Path) -> bool:
        kind = {Mapping: "object", Sequence: "array", Scalar: "string"}[type(value)]
        for branch in shape.branches(schema):
            why = branch.get("x-later")
            if why and (branch is schema or branch.get("type", kind) == kind):
                self.findings.error("not-yet", f"{what} is not there yet: {why}", span)
                self.faults.append(path)
                return True
        return False


def _keys(known: tuple[str, ...]) -> str:
    """Name the keys of a map, where they are few enough to read."""
    return f"its keys: {', '.join(known)}" if len(known) <= MANY else "`stackgen schema` explains every key"


def _kind(node: Mapping | Sequence) -> str:
    if isinstance(node, Sequence):
        return "a list" if node.items else "an empty list"
    return "an empty map" if not node.values else "a map" if len(node.values) == 1 else f"a map of {len(node.values)}"


def _rank(error: Any) -> int:
    """Put what may answer for another fault first: keys that nobody knows, then names of no kind."""
    if error.validator == "additionalProperties":
        return 0
    return 1 if "propertyNames" in error.relative_schema_path else 2


def _and(keys: Iterable[str]) -> str:
    *first, last = (f"`{key}`" for key in keys)
    return f"{', '.join(first)} and {last}" if first else last


def _answer(word: str, words: dict[str, str]) -> str | None:
    """Give the answer to a word of another world, however it is spelt."""
    plain = {key.replace("-", "_"): answer for key, answer in words.items()}
    return plain.get(word.lower().replace("-", "_"))


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
    return " or ".join(words[kind] for kind in sorted(shape.types(schema))) or "another value"


_SWITCHES = {
    **dict.fromkeys(("yes", "y", "on", "true"), "true"),
    **dict.fromkeys(("no", "n", "off", "false"), "false"),
}


def _number(text: str) -> int | None:
    """Give the whole number that a text is in some way of writing one, other than ours."""
    try:
        return int(text, 0) if text[:2].lower() in ("0x", "0o", "0b") else int(text)
    except ValueError:
        return None


def _cure(node: Scalar, chain: list[Schema]) -> str | None:
    """Say what to type where that is certain."""
    schema = chain[-1]
    if is_empty(node):
        may_be_empty = not any(
            part.get("minLength") or not re.search(part.get("pattern", ""), "") for part in shape.branches(schema)
        )
        texts = "string" in shape.types(schema) and may_be_empty
        return 'write "" for an empty text, or remove the key' if texts else "give it a value, or remove the key"
    if "boolean" in shape.types(schema) and node.text.lower() in _SWITCHES:
        return f"write {_SWITCHES[node.text.lower()]}{'' if node.plain else ', without quotes'}"
    if shape.types(schema) & {"integer", "number"} and (number := _number(node.text)) is not None:
        return f"write {number}{'' if node.plain or str(number) != node.text else ', without quotes'}"
    if re.fullmatch(r"[0-9]+", node.text) and "1m30s" in (_takes(chain) or ""):
        return f"write {node.text}s"
    if re.fullmatch(r"0o[0-7]{3,4}", node.text) and "0644" in (_takes(chain) or ""):
        return f"write 0{node.text[2:]}"
    if re.fullmatch(r"[0-7]{3}", node.text) and "0644" in (_takes(chain) or ""):
        return f"write 0{node.text}"
    if re.fullmatch(r"\d+:\d+(/\w+)?", node.text) and "53/udp" in (_takes(chain) or ""):
        return f'write {node.text.partition(":")[2]}; a port of the host is `service: {{ports: ["{node.text}"]}}`'
    options = [value for part in shape.branches(schema) for value in part.get("enum", ()) if isinstance(value, str)]
    return suggestion(node.text, options) if options else None


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
