"""How nodes merge inside one image: maps merge, lists append, scalars and what is one value are replaced.

Compose's tags say otherwise: https://docs.docker.com/reference/compose-file/merge/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from stackgen.read import shape, source
from stackgen.read.shape import Schema
from stackgen.read.source import Node, Scalar, Sequence

# Gives a node without expressions: what a list's entries are told apart by must be known before they merge.
Evaluate = Callable[[Node], Node | None]


def is_reset(node: Node) -> bool:
    """Whether a node takes away what stands below it."""
    return node.tag == "!reset"


def merge(below: Node, above: Node, schema: Schema, evaluate: Evaluate) -> Node:
    """Give two nodes as one, the one above winning; a reset stays as a mark until `settle`."""
    if is_reset(above) or is_reset(below) or above.tag == "!override":
        return above
    if isinstance(below, source.Mapping) and isinstance(above, source.Mapping):
        return _merge_maps(below, above, schema, evaluate)
    if _is_edit(above) and not isinstance(below, source.Mapping):
        assert isinstance(above, source.Mapping)
        return _edit(below, above, evaluate)
    policy = next((part["x-merge"] for part in shape.branches(schema) if "x-merge" in part), "append")
    if "array" not in shape.types(schema) or policy == "replace":
        return above
    if not (_may_be_list(below) and _may_be_list(above)):
        return above
    first, second = _items(below, evaluate), _items(above, evaluate)
    if first is None or second is None:
        return above
    if policy.startswith("by:"):
        key = policy.removeprefix("by:")
        return _merge_by(key, first, second, shape.element(schema), evaluate, above)
    return Sequence((*first, *second), above.span if isinstance(below, Scalar) else below.span)


def _merge_maps(below: source.Mapping, above: source.Mapping, schema: Schema, evaluate: Evaluate) -> source.Mapping:
    values, keys = dict(below.values), dict(below.keys)
    for key, span, value in above.items():
        values[key] = merge(values[key], value, shape.inside(schema, key), evaluate) if key in values else value
        keys[key] = span
    return source.Mapping(values, keys, above.span)


def _may_be_list(node: Node) -> bool:
    return isinstance(node, Sequence) or shape.has_expression(node)


def _items(node: Node, evaluate: Evaluate) -> tuple[Node, ...] | None:
    """Give a list's items; a list that an expression gives is asked for."""
    known = node if isinstance(node, Sequence) else evaluate(node)
    return known.items if isinstance(known, Sequence) else None


def _is_edit(node: Node) -> bool:
    return isinstance(node, source.Mapping) and set(node.values) <= {"add", "remove"} and bool(node.values)


def _edit(below: Node, above: source.Mapping, evaluate: Evaluate) -> Node:
    """Apply `{add: […], remove: […]}` to a list."""
    items = _items(below, evaluate) or ()
    removed = {
        item.text
        for item in _items(above.values.get("remove", Sequence((), above.span)), evaluate) or ()
        if isinstance(item, Scalar)
    }
    kept = [left for item in items if (left := _without(item, removed)) is not None]
    added = _items(above.values.get("add", Sequence((), above.span)), evaluate) or ()
    return Sequence((*kept, *added), below.span)


def _without(item: Node, removed: set[str]) -> Node | None:
    """Give an entry of a list of packages without the names that are taken back; groups too."""
    if isinstance(item, Scalar):
        return None if item.text in removed else item
    if isinstance(item, source.Mapping) and isinstance(install := item.get("install"), Sequence):
        kept = tuple(i for i in install.items if not (isinstance(i, Scalar) and i.text in removed))
        return replace(item, values={**item.values, "install": replace(install, items=kept)}) if kept else None
    return item


def _merge_by(
    key: str,
    first: tuple[Node, ...],
    second: tuple[Node, ...],
    schema: Schema,
    evaluate: Evaluate,
    above: Node,
) -> Node:
    """Merge entries of the same `dest` or `name`: a later source replaces the source, the rest merges."""

    def name_of(item: Node) -> str | None:
        value = item.get(key) if isinstance(item, source.Mapping) else None
        known = evaluate(value) if value is not None else None
        return known.text if isinstance(known, Scalar) else None

    merged = list(first)
    places = {name: index for index, item in enumerate(first) if (name := name_of(item)) is not None}
    for item in second:
        index = places.get(name_of(item) or "")
        if index is None:
            merged.append(item)
            continue
        old = merged[index]
        assert isinstance(old, source.Mapping)
        assert isinstance(item, source.Mapping)
        if _SOURCES & set(item.values):
            old = old.without(*_SOURCES)
        merged[index] = _merge_maps(old, item, schema, evaluate)
    return Sequence(tuple(merged), above.span)


# Where an entry of `files` can come from, and what belongs to its source.
_SOURCES = {"src", "content", "url", "checksum", "unpack", "strip", "directory", "link", "stage", "exclude"}


def settle(node: Node) -> Node | None:
    """Give a merged node without its tags: what is reset is gone."""
    if is_reset(node):
        return None
    if isinstance(node, Scalar):
        return node
    if isinstance(node, Sequence):
        items = tuple(left for item in node.items if (left := settle(item)) is not None)
        if node.tag is None and len(items) == len(node.items) and all(map(_is, items, node.items)):
            return node
        return replace(node, items=items, tag=None)
    values: Mapping[str, Node] = {
        key: left for key, value in node.values.items() if (left := settle(value)) is not None
    }
    if (
        node.tag is None
        and len(values) == len(node.values)
        and all(values[key] is value for key, value in node.values.items())
    ):
        return node
    return replace(node, values=dict(values), tag=None)


def _is(one: Node, other: Node) -> bool:
    return one is other
