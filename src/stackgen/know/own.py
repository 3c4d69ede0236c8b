"""What no schema can say of the data that a project brings: names and files that must be there, and no expressions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from stackgen.diagnostics import Findings, suggestion
from stackgen.read import shape
from stackgen.read.source import Mapping, Node, Scalar, Sequence


def check_own(
    node: Mapping,
    *,
    distros: Collection[str],
    families: Collection[str],
    has: Callable[[str], bool],
    findings: Findings,
) -> bool:
    """Whether a file of a project's data is sound; it has passed its schema.

    `distros` and `families` are the names of all that are known, `has` says whether a file of the data is there.
    Findings: wrong-value, unknown-distro, file-missing.
    """
    before = findings.errors
    for scalar in _expressions(node):
        findings.error("wrong-value", "data hold no expressions", scalar.span, help="write out what it gives")
    carries = node.get("carries")
    for key in _keys(node, carries):
        path = f"mirrors/keys/{key.text}"
        if not has(path):
            cure = "put the key into that folder of the data"
            findings.error("file-missing", f"{path} is not there", key.span, help=cure)
    for name, span, _ in carries.items() if isinstance(carries, Mapping) else ():
        if name not in distros:
            meant = suggestion(name, distros, f"known: {', '.join(distros)}")
            findings.error("unknown-distro", f'no distribution is called "{name}"', span, help=meant)
    for family in _families(node):
        if family.text not in families:
            meant = suggestion(family.text, families, f"known: {', '.join(families)}")
            findings.error("wrong-value", f'no family is called "{family.text}"', family.span, help=meant)
    return findings.errors == before


def _expressions(node: Node) -> Iterator[Scalar]:
    if isinstance(node, Scalar):
        if shape.has_expression(node):
            yield node
        return
    for each in node.items if isinstance(node, Sequence) else node.values.values():
        yield from _expressions(each)


def _keys(node: Mapping, carries: Node | None) -> Iterator[Scalar]:
    """Give the keys that a mirror names, for itself or for one repository."""
    locations = [location for place in _maps_in(carries) for location in _maps_in(place)]
    for each in (node, *locations):
        key = each.get("key")
        if isinstance(key, Scalar):
            yield key


def _families(node: Mapping) -> Iterator[Scalar]:
    """Give the families that a distribution names, for itself or for one of its images."""
    images = node.get("images")
    for each in (node, *(images.items if isinstance(images, Sequence) else ())):
        family = each.get("family") if isinstance(each, Mapping) else None
        if isinstance(family, Scalar):
            yield family


def _maps_in(node: Node | None) -> list[Mapping]:
    inner = node.values.values() if isinstance(node, Mapping) else ()
    return [each for each in inner if isinstance(each, Mapping)]
