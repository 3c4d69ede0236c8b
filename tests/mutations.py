"""Ways to spoil a YAML text at one node, each with the place that was spoilt: what a slip of the hand does to a stack.

The nodes come of PyYAML's own events, not of our reader: a judge must not share the eyes of what is judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import yaml

Kind: TypeAlias = Literal["delete", "double", "rename", "misspell", "retype"]
Place: TypeAlias = tuple[int, int, int, int]
"""First line, first column, last line, last column behind the end; counted from 1."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A text with one node spoilt: how, which (`files.0.dest`), its place or that of what it stood in, what is gone."""

    kind: Kind
    node: str
    text: str
    place: Place
    gone: str

    @property
    def name(self) -> str:
        """What a person reads: `retype files.0.dest to a list`."""
        return f"{self.kind} {self.node}"

    def names(self, message: str) -> bool:
        """Whether a message speaks of something that is gone."""
        words = re.findall(r"[\w.-]+", self.gone)
        return any(re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w.-])", message) for word in words)


@dataclass(slots=True)
class _Node:
    kind: Literal["scalar", "sequence", "mapping", "alias"]
    start: int
    end: int
    flow: bool = True
    text: str = ""
    parts: list[_Node] = field(default_factory=list)


def _tree(text: str) -> _Node:
    """Give the nodes of a text; a block collection ends where its last part does, not at the next token."""
    open_nodes: list[_Node] = []
    roots: list[_Node] = []

    def put(node: _Node) -> None:
        (open_nodes[-1].parts if open_nodes else roots).append(node)

    events: Iterator[Any] = yaml.parse(text, Loader=yaml.SafeLoader)
    for event in events:
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, yaml.AliasEvent):
            put(_Node("alias", start, end))
        elif isinstance(event, yaml.ScalarEvent):
            while end > start and event.style in ("|", ">") and text[end - 1] in " \n":
                end -= 1
            put(_Node("scalar", start, end, text=event.value))
        elif isinstance(event, yaml.CollectionStartEvent):
            kind: Literal["sequence", "mapping"] = (
                "sequence" if isinstance(event, yaml.SequenceStartEvent) else "mapping"
            )
            node = _Node(kind, start, end, bool(event.flow_style))
            put(node)
            open_nodes.append(node)
        elif isinstance(event, yaml.CollectionEndEvent):
            node = open_nodes.pop()
            node.end = end if node.flow or not node.parts else node.parts[-1].end
    return roots[0]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A part of a collection: where it begins (with its key or dash) and ends, and what holds it."""

    name: str
    start: int
    end: int
    key: _Node | None
    value: _Node
    parent: _Node
    parent_start: int


def _entries(text: str) -> Iterator[_Entry]:
    waiting = [("", 0, _tree(text))]
    while waiting:
        path, start, node = waiting.pop()
        pairs: list[tuple[str, _Node | None, _Node]] = []
        if node.kind == "mapping":
            keys, values = node.parts[::2], node.parts[1::2]
            pairs = [(key.text, key, value) for key, value in zip(keys, values, strict=True)]
        elif node.kind == "sequence":
            pairs = [(str(index), None, value) for index, value in enumerate(node.parts)]
        for part, key, value in pairs:
            first = value.start if key is None else key.start
            if key is None and not node.flow:
                first = text.rindex("-", 0, first)
            end = max(value.end, first if key is None else key.end)
            if key is not None and value.end <= key.end:
                end = text.index(":", key.end) + 1
            name = f"{path}.{part}" if path else part
            yield _Entry(name, first, end, key, value, node, start)
            waiting.append((name, first, value))


def _place(text: str, start: int, end: int) -> Place:
    def at(index: int) -> tuple[int, int]:
        return text.count("\n", 0, index) + 1, index - (text.rfind("\n", 0, index) + 1) + 1

    return (*at(start), *at(max(start, end)))


def _misspelt(word: str) -> str:
    """Let two letters in the middle of a word change places, as fast fingers do; else put one more in."""
    middle = len(word) // 2
    for index in sorted(range(len(word) - 1), key=lambda index: abs(index - middle)):
        if word[index] != word[index + 1] and word[index : index + 2].isalpha():
            return word[:index] + word[index + 1] + word[index] + word[index + 2 :]
    return word[:middle] + "x" + word[middle:]


def _delete(text: str, entry: _Entry) -> Mutation:
    start, end = entry.start, entry.end
    if entry.parent.flow:
        after = len(text[end:]) - len(text[end:].lstrip(" \n"))
        if text[end + after] == ",":
            end += after + 1
            end += len(text[end:]) - len(text[end:].lstrip(" "))
        else:
            before = text[:start].rstrip(" \n")
            start = len(before) - 1 if before.endswith(",") else start
    made = text[:start] + text[end:]
    place = _place(made, entry.parent_start, entry.parent.end - (end - start))
    return Mutation("delete", entry.name, made, place, text[start:end])


def _double(text: str, entry: _Entry) -> Mutation:
    copy = text[entry.start : entry.end]
    if entry.parent.flow:
        at, more = entry.end, f", {copy}"
    else:
        line_end = text.find("\n", entry.end)
        column = entry.start - (text.rfind("\n", 0, entry.start) + 1)
        at, more = (len(text) if line_end < 0 else line_end), "\n" + " " * column + copy
    made = text[:at] + more + text[at:]
    return Mutation("double", entry.name, made, _place(made, entry.start, at + len(more)), "")


def _replace(kind: Kind, text: str, entry: _Entry, old: _Node, new: str, how: str = "") -> Mutation:
    made = text[: old.start] + new + text[old.end :]
    place = _place(made, entry.start, old.start + len(new))
    return Mutation(kind, entry.name + how, made, place, text[old.start : old.end])


def _retyped(value: _Node, shown: str) -> dict[str, str]:
    if value.kind == "alias":
        return {}
    if value.kind == "scalar":
        line = shown if "\n" not in shown else "text"
        return {" to a list": f"[{line}]", " to a map": f"{{a: {line}}}", " to nothing": ""}
    if value.kind == "sequence":
        return {" to a text": "text", " to a map": "{a: text}", " to nothing": ""}
    return {" to a text": "text", " to a list": "[text]", " to nothing": ""}


def mutations(text: str) -> Iterator[Mutation]:
    """Spoil each node of a text in each way."""
    for entry in _entries(text):
        yield _delete(text, entry)
        yield _double(text, entry)
        key, value = entry.key, entry.value
        if key is not None:
            yield _replace("rename", text, entry, key, _misspelt(text[key.start : key.end]))
        shown = text[value.start : value.end]
        if value.kind == "scalar" and any(character.isalpha() for character in shown):
            yield _replace("misspell", text, entry, value, _misspelt(shown))
        if shown:
            for how, new in _retyped(value, shown).items():
                yield _replace("retype", text, entry, value, new, how)
