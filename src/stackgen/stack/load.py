"""Which stack extends, includes and depends on which: lookup, cycles, closure and build order.

What is ordered is a unit: one image to build. Nothing here recurses, so a chain may be as long as it likes.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from stackgen.diagnostics import Findings, Related, Span
from stackgen.read.source import Scalar
from stackgen.stack.documents import ENDINGS, Document, Loader, first_key
from stackgen.stack.project import Options, Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One image to build: its stack, its fragments in order, its parent and what it depends on at run time."""

    key: str
    name: str
    document: Document
    fragments: tuple[Document, ...]
    parent: str | None
    depends_on: Mapping[str, str]
    named: bool
    blind: bool = False
    """Whether its parent could not be found or read."""
    partial: bool = False
    """Whether a fragment could not be found or read."""
    on_base: bool = False
    """Whether it stands on the root that --base names."""

    @property
    def documents(self) -> tuple[Document, ...]:
        """The stack, and the fragments that it mixes in."""
        return (self.document, *self.fragments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """Every unit that the named stacks need, parents first."""

    units: tuple[Unit, ...]
    named: tuple[str, ...]


def load(paths: Iterable[str], project: Project, options: Options, findings: Findings) -> Closure:
    """Give the closure of the stacks at `paths` (project paths), in build order.

    Findings: cannot-read, no-parent, two-parents, two-stacks, stack-missing, fragment-missing, cycle, include-cycle,
    doubled-name, unknown-base, and all that reading a file and its schema find.
    """
    named = tuple(dict.fromkeys(paths))
    loader = Loader(project, findings)
    base = _find_base(loader, named, options, findings)
    loader.discover([*named, *([base] if base else [])])
    if base and not _is_root(loader, base, f"--base {options.base}: ", None, findings):
        base = None
    moves = _moves(loader, named, base, findings)
    reached = _reach(loader, named, moves)
    order = _build_order(loader, reached, moves, findings)
    units = [_unit(loader, path, moves, path in named) for path in order if loader.documents.get(path)]
    units = _mark_on_base(units, base)
    _check_names(units, findings)
    return Closure(units=tuple(units), named=named)


def _find_base(loader: Loader, named: tuple[str, ...], options: Options, findings: Findings) -> str | None:
    if not options.base or not named:
        return None
    folder = posixpath.dirname(named[0])
    for candidate in (
        *(posixpath.join(folder, options.base + ending) for ending in ENDINGS),
        posixpath.normpath(options.base),
    ):
        if loader.inputs.is_file(candidate):
            return candidate
    help = loader.known(folder, options.base)
    findings.error("unknown-base", f'--base {options.base}: no stack "{options.base}" in {folder or "."}', help=help)
    return None


def _is_root(loader: Loader, path: str, said: str, span: Span | None, findings: Findings) -> bool:
    """Whether a stack can be stood on in place of a root; `said` begins the message where it has no place."""
    links = loader.links.get(path)
    if links is None or links.extends is None:
        return True
    message = f"{said}{path} is no root: it extends {links.extends}"
    findings.error("unknown-base", message, span, help="name a stack that has `from`")
    return False


def _root_of(loader: Loader, path: str) -> str:
    """Give the last ancestor by `extends`; a cycle ends at the stack that closes it."""
    seen = {path}
    while (parent := loader.links[path].extends) and parent not in seen:
        seen.add(parent)
        path = parent
    return path


def _moves(loader: Loader, named: tuple[str, ...], base: str | None, findings: Findings) -> dict[str, str]:
    """Give which root stack is replaced by which: what `bases` says and, over it, --base for the roots of the named."""
    moves = _committed_moves(loader, findings)
    if base is None:
        return moves
    for path in named:
        root = _root_of(loader, path)
        whole = loader.documents.get(root) is not None and not loader.links[root].extends_broken
        if root == base:
            moves.pop(root, None)
        elif whole and root != path:
            moves[root] = base
    return moves


def _committed_moves(loader: Loader, findings: Findings) -> dict[str, str]:
    moves: dict[str, str] = {}
    for old, new in loader.project.bases.items():
        for path in [path for path in loader.links if posixpath.splitext(posixpath.basename(path))[0] == old]:
            folder = posixpath.dirname(path)
            found = next((c for e in ENDINGS if loader.inputs.is_file(c := posixpath.join(folder, new + e))), None)
            span = loader.project.spans.get("bases")
            if found is None:
                findings.error("unknown-base", f'no stack "{new}" beside {path}', span, help=loader.known(folder, new))
                continue
            loader.discover([found])
            if _is_root(loader, found, "", span, findings):
                moves[path] = found
    return moves


def _parent(loader: Loader, path: str, moves: dict[str, str]) -> str | None:
    parent = loader.links[path].extends
    return moves.get(parent, parent) if parent else None


def _reach(loader: Loader, named: tuple[str, ...], moves: dict[str, str]) -> set[str]:
    reached: set[str] = set()
    waiting = list(named)
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached.add(path)
            parent = _parent(loader, path, moves)
            waiting.extend(loader.links[path].depends_on.values())
            waiting.extend([parent] if parent else [])
    return reached


def _build_order(loader: Loader, reached: set[str], moves: dict[str, str], findings: Findings) -> list[str]:
    """Put parents before children, else by path; a cycle is reported as the path it takes and left out."""
    order: dict[str, None] = {}
    for start in sorted(reached):
        chain: list[str] = []
        path: str | None = start
        while path is not None and path not in order:
            if path in chain:
                _report_cycle(loader, chain[chain.index(path) :], findings)
                chain = chain[: chain.index(path)]
                break
            chain.append(path)
            path = _parent(loader, path, moves)
        order.update(dict.fromkeys(reversed(chain)))
    return list(order)


def _report_cycle(loader: Loader, cycle: list[str], findings: Findings) -> None:
    start = min(range(len(cycle)), key=lambda index: cycle[index])
    cycle = [*cycle[start:], *cycle[:start]]
    documents = [document for path in cycle if (document := loader.documents[path])]
    stems = [document.stem for document in documents]
    spans = [document.node.values["extends"].span for document in documents]
    findings.error(
        "cycle",
        f"stacks extend each other: {' -> '.join([*stems, stems[0]])}",
        spans[0],
        help="one of them needs `from` an image outside",
        related=[
            Related(f"{stem} extends {after} here", span)
            for stem, after, span in zip(stems[1:], [*stems[2:], stems[0]][: len(stems) - 1], spans[1:], strict=True)
        ],
    )


def _unit(loader: Loader, path: str, moves: dict[str, str], named: bool) -> Unit:
    document = loader.documents[path]
    assert document is not None
    links = loader.links[path]
    name = document.node.get("name")
    fragments = [loader.documents[fragment] for fragment in links.fragments]
    parent = _parent(loader, path, moves)
    return Unit(
        key=path,
        name=name.text if isinstance(name, Scalar) else document.stem,
        document=document,
        fragments=tuple(fragment for fragment in fragments if fragment),
        parent=parent,
        depends_on=links.depends_on,
        named=named,
        partial=links.fragments_broken,
        blind=links.extends_broken or (parent is not None and loader.documents.get(parent) is None),
    )


def _mark_on_base(units: list[Unit], base: str | None) -> list[Unit]:
    """Mark what stands on the root that --base names; parents come first."""
    if base is None:
        return units
    on_base = {base}
    for unit in units:
        if unit.parent in on_base:
            on_base.add(unit.key)
    return [replace(unit, on_base=unit.parent in on_base) for unit in units]


def _check_names(units: list[Unit], findings: Findings) -> None:
    first: dict[str, Unit] = {}
    for unit in units:
        other = first.setdefault(unit.name, unit)
        if other is not unit and not {"name"} & (unit.document.dim | other.document.dim):
            findings.error(
                "doubled-name",
                f'two stacks are called "{unit.name}", and would be rendered into one folder',
                unit.document.node.keys.get("name") or first_key(unit.document.node),
                help=f"give one of them another name: name: {unit.name}-2",
                related=[Related("the other one", first_key(other.document.node))],
            )
