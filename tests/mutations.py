"""Ways to spoil a YAML text at one node, each with the place that was spoilt: what a slip of the hand does to a stack.

The nodes are PyYAML's own, not ours: whoever judges must not share the eyes of what is judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import yaml

Kind: TypeAlias = Literal["delete", "double", "rename", "misspell", "retype"]
Place: TypeAlias = tuple[int, int, int, int]
"""First line, first column, last line, last column behind the end; counted from 1."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A text with one node spoilt: how, which (`files.0.dest`), and the place of it, or of what it stood in."""

    kind: Kind
    node: str
    text: str
    place: Place

    @property
    def name(self) -> str:
        """What a person reads: `retype files.0.dest to a list`."""
        return f"{self.kind} {self.node}"


def _place(text: str, start: int, end: int) -> Place:
    def at(index: int) -> tuple[int, int]:
        return text.count("\n", 0, index) + 1, index - (text.rfind("\n", 0, index) + 1) + 1

    return (*at(start), *at(max(start, end)))


def _end(node: yaml.Node) -> int:
    """Give where a node ends: a block collection where its last part does, not at the next token."""
    flow = getattr(node, "flow_style", True)
    if isinstance(node, yaml.MappingNode) and node.value and not flow:
        return _end(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and node.value and not flow:
        return _end(node.value[-1])
    return int(node.end_mark.index)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A part of a collection: where it begins (with its key or dash), where it ends, and what holds it."""

    name: str
    start: int
    end: int
    column: int
    key: yaml.Node | None
    value: yaml.Node
    flow: bool
    parent_start: int
    parent_end: int


def _entries(text: str) -> Iterator[_Entry]:
    root = yaml.compose(text, Loader=yaml.BaseLoader)
    waiting: list[tuple[str, int, yaml.Node]] = [("", 0, root)]
    while waiting:
        name, start, node = waiting.pop()
        parts: list[tuple[str, yaml.Node | None, yaml.Node]] = []
        if isinstance(node, yaml.MappingNode):
            parts = [(key.value, key, value) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            parts = [(str(index), None, value) for index, value in enumerate(node.value)]
        for part, key, value in parts:
            first = value.start_mark.index if key is None else key.start_mark.index
            if key is None and not node.flow_style:
                first = text.rindex("-", 0, first)
            end = max(_end(value), first)
            while end > first and text[end - 1] in "\n ":
                end -= 1
            column = first - (text.rfind("\n", 0, first) + 1)
            path = f"{name}.{part}" if name else part
            yield _Entry(path, first, end, column, key, value, bool(node.flow_style), start, _end(node))
            waiting.append((path, first, value))


def _misspelt(word: str) -> str:
    """Swap two letters in the middle of a word, as fast fingers do; else leave one out."""
    middle = len(word) // 2
    for index in sorted(range(len(word) - 1), key=lambda index: abs(index - middle)):
        if word[index] != word[index + 1] and word[index : index + 2].isalpha():
            return word[:index] + word[index + 1] + word[index] + word[index + 2 :]
    return word[:middle] + "x" + word[middle:]


def _delete(text: str, entry: _Entry) -> Mutation:
    start, end = entry.start, entry.end
    if entry.flow:
        after = len(text[end:]) - len(text[end:].lstrip(" \n"))
        if text[end + after] == ",":
            end += after + 1
            end += len(text[end:]) - len(text[end:].lstrip(" "))
        else:
            before = text[:start].rstrip(" \n")
            start = len(before) - 1 if before.endswith(",") else start
    made = text[:start] + text[end:]
    return Mutation("delete", entry.name, made, _place(made, entry.parent_start, entry.parent_end - (end - start)))


def _double(text: str, entry: _Entry) -> Mutation:
    copy = text[entry.start : entry.end]
    if entry.flow:
        at, more = entry.end, f", {copy}"
    else:
        line_end = text.find("\n", entry.end)
        at, more = (len(text) if line_end < 0 else line_end), "\n" + " " * entry.column + copy
    made = text[:at] + more + text[at:]
    return Mutation("double", entry.name, made, _place(made, entry.start, at + len(more)))


def _replace(kind: Kind, text: str, entry: _Entry, start: int, end: int, new: str, how: str = "") -> Mutation:
    made = text[:start] + new + text[end:]
    return Mutation(kind, entry.name + how, made, _place(made, entry.start, start + len(new)))


def _retyped(value: yaml.Node, shown: str) -> dict[str, str]:
    if isinstance(value, yaml.ScalarNode):
        one_line = shown if "\n" not in shown else "text"
        return {"a list": f"[{one_line}]", "a map": f"{{a: {one_line}}}", "nothing": ""}
    if isinstance(value, yaml.SequenceNode):
        return {"a text": "text", "a map": "{a: text}", "nothing": ""}
    return {"a text": "text", "a list": "[text]", "nothing": ""}


def mutations(text: str) -> Iterator[Mutation]:
    """Spoil each node of a text in each way."""
    for entry in _entries(text):
        yield _delete(text, entry)
        yield _double(text, entry)
        key, value = entry.key, entry.value
        if key is not None:
            start, end = key.start_mark.index, key.end_mark.index
            yield _replace("rename", text, entry, start, end, _misspelt(text[start:end]))
        start, end = value.start_mark.index, max(value.start_mark.index, entry.end)
        if start == end:
            continue
        shown = text[start:end]
        if isinstance(value, yaml.ScalarNode) and any(character.isalpha() for character in shown):
            yield _replace("misspell", text, entry, start, end, _misspelt(shown))
        for how, new in _retyped(value, shown).items():
            yield _replace("retype", text, entry, start, end, new, f" to {how}")
