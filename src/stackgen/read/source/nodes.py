"""What a YAML text holds: scalars, lists and maps, each with its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from stackgen.diagnostics import Span

Tag = Literal["!reset", "!override", "!unsafe"]


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar as written; `plain` is whether it stands without quotes."""

    text: str
    span: Span
    plain: bool = False
    tag: Tag | None = None


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of nodes."""

    items: tuple[Node, ...]
    span: Span
    tag: Tag | None = None


@dataclass(frozen=True, slots=True)
class Mapping:
    """A map from texts to nodes, in the order written; `keys` has the span of each key."""

    values: dict[str, Node]
    keys: dict[str, Span]
    span: Span
    tag: Tag | None = None

    def get(self, key: str) -> Node | None:
        """Give the value of a key, or None."""
        return self.values.get(key)

    def items(self) -> Iterator[tuple[str, Span, Node]]:
        """Give each key, its span and its value."""
        for key, value in self.values.items():
            yield key, self.keys[key], value

    def entry(self, key: str) -> Span:
        """Give the place of a key with its value; of the key alone where an alias puts the value elsewhere."""
        start, value = self.keys[key], self.values[key].span
        after = (value.end_line, value.end_column) >= (start.end_line, start.end_column)
        return replace(start, end_line=value.end_line, end_column=value.end_column) if after else start

    def without(self, *names: str) -> Mapping:
        """Give this map without some keys."""
        kept = {key: value for key, value in self.values.items() if key not in names}
        return replace(self, values=kept)


Node: TypeAlias = Scalar | Sequence | Mapping


@dataclass(frozen=True, slots=True)
class Word:
    """A text and where it is written."""

    text: str
    span: Span


def word(node: Node) -> Word:
    """Give a scalar as a word."""
    assert isinstance(node, Scalar)
    return Word(node.text, node.span)


def words(node: Node | None) -> tuple[Word, ...]:
    """Give a list of scalars as words; nothing is an empty list."""
    return tuple(word(item) for item in node.items) if isinstance(node, Sequence) else ()


def is_empty(node: Node) -> bool:
    """Whether a node is YAML's null: nothing, `~` or `null`, without quotes."""
    return isinstance(node, Scalar) and node.plain and node.text in ("", "~", "null", "Null", "NULL")
