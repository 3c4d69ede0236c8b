"""Which stack extends, includes and depends on which: lookup, cycles, closure and build order.

What is ordered is a unit: one image to build. Nothing here recurses, so a chain may be as long as it likes.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from stackgen.diagnostics import Findings, Related, Span, did_you_mean, suggestion
from stackgen.read import schema, source
from stackgen.read.inputs import InputError
from stackgen.read.source import Scalar, Sequence
from stackgen.read.traps import find_traps
from stackgen.stack.project import Options, Project

ENDINGS = (".yml", ".yaml")
# Keys that other keys, and other images, are made of.
STOOD_ON = frozenset({"vars", "supervisor", "extends", "from", "distro", "inherits", "include", "when", "params"})


@dataclass(frozen=True, slots=True)
class _Blurred:
    """A map that lacks what its file says of it, since that was no value of its field.

    Its key, its own place, and that of the entry of a list that it stands in.
    """

    key: Span | None
    whole: Span
    entry: Span

    def follows(self, code: str, span: Span) -> bool:
        """Whether a finding may only follow: one about the map as a whole, or about what it lacks."""
        if span.key() in (self.whole.key(), self.key.key() if self.key else None):
            return True
        return code == "missing-key" and self.entry.holds(span)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A stack file or a fragment: its path, and its nodes without what the schema does not take.

    `sound` is whether nothing was taken out; `suspect` whether what was could be missed elsewhere: a variable, a
    supervisor, a distribution. `removed` are the paths of what was taken out, and `dim` the keys that lost something by
    it, or that it was meant for.
    """

    path: str
    node: source.Mapping
    sound: bool = True
    suspect: bool = False
    removed: frozenset[schema.Path] = frozenset()
    dim: frozenset[str] = frozenset()
    _blurred: tuple[_Blurred, ...] = ()

    @property
    def stem(self) -> str:
        """The file's name without its ending: what `extends` and `depends_on` call it."""
        return posixpath.splitext(posixpath.basename(self.path))[0]

    @property
    def folder(self) -> str:
        """The folder that the file's own paths start at."""
        return posixpath.dirname(self.path)

    def lacks(self, code: str, span: Span) -> bool:
        """Whether a finding may only follow from what was taken out here.

        A key that is missing in an entry of another file may be what this one would have brought.
        """
        if any(blurred.follows(code, span) for blurred in self._blurred):
            return True
        if code != "missing-key" or not self.dim or span.path == self.path:
            return False
        return bool(self.dim & {"files", "programs", "eventlisteners", "packages"})


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

    @property
    def documents(self) -> tuple[Document, ...]:
        """The stack, and the fragments that it mixes in."""
        return (self.document, *self.fragments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """Every unit that the named stacks need, parents first."""

    units: tuple[Unit, ...]
    named: tuple[str, ...]


@dataclass(slots=True)
class _Links:
    """What one file's structural keys point at; None is a link that leads nowhere and was reported."""

    extends: str | None = None
    extends_broken: bool = False
    depends_on: dict[str, str] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)
    fragments_broken: bool = False


class _Loader:
    def __init__(self, project: Project, findings: Findings) -> None:
        self.project = project
        self.inputs = project.inputs
        self.findings = findings
        self.documents: dict[str, Document | None] = {}
        self.links: dict[str, _Links] = {}

    def document(self, path: str, kind: str) -> Document | None:
        """Read, parse and check a file once."""
        if path not in self.documents:
            self.documents[path] = None
            before = self.findings.errors
            try:
                text = source.read(self.inputs, path, self.findings)
            except InputError as error:
                self.findings.error(error.code, str(error))
                return None
            called = "a stack" if kind == "stack" else "a fragment"
            node = source.parse_mapping(text, called, self.findings) if text else None
            if node is not None:
                self.documents[path] = self.checked(path, node, kind, called, before)
        return self.documents[path]

    def checked(self, path: str, node: source.Mapping, kind: str, called: str, before: int) -> Document:
        """Give a document without what its schema does not take; `before` is the count of errors before the file."""
        find_traps(node, self.findings)
        found = schema.check(node, kind, called, self.findings)
        dim = {str(place[0]) for place in (*found.removed, *found.meant) if place}
        broken = self.findings.errors > before and not found.removed
        return Document(
            path=path,
            node=found.node if isinstance(found.node, source.Mapping) else replace(node, values={}),
            sound=self.findings.errors == before,
            suspect=broken or found.puzzling or () in found.removed or bool(dim & STOOD_ON),
            removed=frozenset((*found.removed, *found.meant)),
            dim=frozenset(dim),
            _blurred=tuple(blurred for removed in found.removed if (blurred := _around(node, removed))),
        )

    def discover(self, start: Iterable[str]) -> None:
        """Read every file that the first ones lead to."""
        waiting = list(start)
        while waiting:
            path = waiting.pop()
            if path in self.links:
                continue
            self.links[path] = links = _Links()
            document = self.document(path, "stack")
            if document is None:
                continue
            self.find_links(document, links)
            waiting.extend(links.depends_on.values())
            if links.extends:
                waiting.append(links.extends)

    def find_links(self, document: Document, links: _Links) -> None:
        node = document.node
        parents = [key for key in ("extends", "from") if key in node.values]
        if not parents and not document.dim & {"extends", "from"}:
            self.findings.error(
                "no-parent",
                "a stack needs a parent: `extends` another stack, or `from` an image",
                _first_key(node),
                help="from: debian:12-slim",
            )
        if not parents:
            links.extends_broken = True
        elif len(parents) == 2:
            self.findings.error(
                "two-parents",
                "a stack has one parent: `extends` or `from`",
                node.keys["from"],
                help="remove one of the two",
                related=[Related("`extends` is given here", node.keys["extends"])],
            )
        extends = node.get("extends")
        if isinstance(extends, Scalar):
            links.extends = self.lookup(document, extends, "stack")
            links.extends_broken = links.extends is None
        before = self.findings.errors
        links.fragments = self.fragments_of(document)
        links.fragments_broken = self.findings.errors > before
        for name, span in _depends_on(node):
            if not _names_own_service(node, name):
                found = self.lookup(document, Scalar(name, span), "stack")
                if found:
                    links.depends_on[name] = found

    def fragments_of(self, document: Document) -> list[str]:
        """Give the fragments that a stack mixes in, those of a fragment before it, each once."""
        order: list[str] = []
        waiting: list[tuple[Document, tuple[str, ...], bool]] = [(document, (document.path,), False)]
        places: dict[str, Span] = {}
        while waiting:
            holder, path, done = waiting.pop()
            if done:
                if holder.path not in order:
                    order.append(holder.path)
                continue
            if holder is not document:
                waiting.append((holder, path, True))
            for name in reversed(_includes(holder.node)):
                found = self.lookup(holder, name, "fragment")
                if found in path:
                    ring = path[path.index(found) :]
                    self.findings.error(
                        "include-cycle",
                        "fragments include each other: " + " -> ".join([*ring, found]),
                        name.span,
                        help="remove one of these from its `include`",
                        related=[Related(f"{each} is included here", places[each]) for each in ring[1:]],
                    )
                    continue
                if found:
                    places[found] = name.span
                if found and (fragment := self.document(found, "fragment")):
                    waiting.append((fragment, (*path, found), False))
        return order

    def lookup(self, document: Document, name: Scalar, kind: str) -> str | None:
        """Give the path of a stack or fragment by its name beside a file, or by its path from there."""
        text = name.text
        if "/" not in text and not text.endswith(ENDINGS):
            beside = [posixpath.join(document.folder, text + ending) for ending in ENDINGS]
            found = [path for path in beside if self.inputs.is_file(path)]
            if len(found) == 2:
                self.findings.error(
                    "two-stacks",
                    f'"{text}" is {found[0]} and {found[1]}',
                    name.span,
                    help="write the path of the one that is meant",
                )
            if found:
                return found[0]
        else:
            path = self.inputs.inside(document.folder, text)
            if path is None:
                self.findings.error(
                    "outside-project",
                    f'"{text}" leaves the project',
                    name.span,
                    help="an empty stackgen.yml in a folder above makes one project of all below it",
                )
                return None
            if self.inputs.is_file(path):
                return path
        code, what = ("stack-missing", "stack") if kind == "stack" else ("fragment-missing", "fragment")
        by_path = "/" in text or text.endswith(ENDINGS)
        help = self._known_by_path(document.folder, text) if by_path else self._known(document.folder, text)
        self.findings.error(code, f'no {what} "{text}" {_in(document.folder)}', name.span, help=help)
        return None

    def _known(self, folder: str, text: str) -> str | None:
        stems = [name.rpartition(".")[0] for name in self.inputs.listing(folder) if name.endswith(ENDINGS)]
        return suggestion(text, stems, f"stacks there: {', '.join(stems)}" if stems else None)

    def _known_by_path(self, folder: str, text: str) -> str | None:
        above, _, last = text.rpartition("/")
        place = self.inputs.inside(folder, above)
        if place is None or not self.inputs.is_folder(place or "."):
            return f"there is no folder {above}"
        names = [name for name in self.inputs.listing(place or ".") if name.endswith(ENDINGS)]
        exact = [name for name in names if name.rpartition(".")[0] == last]
        close = did_you_mean(last, names)
        meant = exact[0] if exact else close
        there = [posixpath.join(above, name) for name in names]
        return (
            f'did you mean "{posixpath.join(above, meant)}"?'
            if meant
            else f"there: {', '.join(there)}"
            if there
            else None
        )


def _in(folder: str) -> str:
    return f"in {folder}" if folder else "beside this file"


def _around(node: source.Node, path: schema.Path) -> _Blurred | None:
    """Give the map that a path leads out of; None for the whole file, which nobody points at, and for lists."""
    key: Span | None = None
    entry: Span | None = None
    for part in path[:-1]:
        if isinstance(node, source.Mapping) and str(part) in node.values:
            key, node = node.keys[str(part)], node.values[str(part)]
        elif isinstance(node, Sequence) and int(part) < len(node.items):
            key, node = None, node.items[int(part)]
            entry = node.span
        else:
            return None
    if len(path) < 2 or not isinstance(node, source.Mapping):
        return None
    return _Blurred(key, node.span, entry or node.span)


def _first_key(node: source.Mapping) -> Span:
    return next(iter(node.keys.values()), node.span)


def _includes(node: source.Mapping) -> list[Scalar]:
    include = node.get("include")
    items = include.items if isinstance(include, Sequence) else ()
    names = [item.get("file") if isinstance(item, source.Mapping) else item for item in items]
    return [name for name in names if isinstance(name, Scalar)]


def _depends_on(node: source.Mapping) -> list[tuple[str, Span]]:
    service = node.get("service")
    depends = service.get("depends_on") if isinstance(service, source.Mapping) else None
    if isinstance(depends, Sequence):
        return [(item.text, item.span) for item in depends.items if isinstance(item, Scalar)]
    if isinstance(depends, source.Mapping):
        return list(depends.keys.items())
    return []


def _names_own_service(node: source.Mapping, name: str) -> bool:
    services = node.get("services")
    return isinstance(services, source.Mapping) and name in services.values


def load(paths: Iterable[str], project: Project, options: Options, findings: Findings) -> Closure:
    """Give the closure of the stacks at `paths` (project paths), in build order.

    Findings: cannot-read, no-parent, two-parents, two-stacks, stack-missing, fragment-missing, cycle, include-cycle,
    doubled-name, unknown-base, and all that reading a file and its schema find.
    """
    named = tuple(dict.fromkeys(paths))
    loader = _Loader(project, findings)
    base = _find_base(loader, named, options, findings)
    loader.discover([*named, *([base] if base else [])])
    moves = _moves(loader, named, base, findings)
    reached = _reach(loader, named, moves)
    order = _build_order(loader, reached, moves, findings)
    units = [_unit(loader, path, moves, path in named) for path in order if loader.documents.get(path)]
    _check_names(units, findings)
    return Closure(units=tuple(units), named=named)


def _find_base(loader: _Loader, named: tuple[str, ...], options: Options, findings: Findings) -> str | None:
    if not options.base or not named:
        return None
    folder = posixpath.dirname(named[0])
    for candidate in (
        *(posixpath.join(folder, options.base + ending) for ending in ENDINGS),
        posixpath.normpath(options.base),
    ):
        if loader.inputs.is_file(candidate):
            return candidate
    help = loader._known(folder, options.base)
    findings.error("unknown-base", f'--base {options.base}: no stack "{options.base}" in {folder or "."}', help=help)
    return None


def _root_of(loader: _Loader, path: str) -> str:
    """Give the last ancestor by `extends`; a cycle ends at the stack that closes it."""
    seen = {path}
    while (parent := loader.links[path].extends) and parent not in seen:
        seen.add(parent)
        path = parent
    return path


def _moves(loader: _Loader, named: tuple[str, ...], base: str | None, findings: Findings) -> dict[str, str]:
    """Give which root stack is replaced by which: by --base the roots of the named stacks, by `bases` all of a name."""
    moves: dict[str, str] = {}
    if base:
        for path in named:
            root = _root_of(loader, path)
            whole = loader.documents.get(root) is not None and not loader.links[root].extends_broken
            if whole and root not in (path, base):
                moves[root] = base
        return moves
    for old, new in loader.project.bases.items():
        for path in [path for path in loader.links if posixpath.splitext(posixpath.basename(path))[0] == old]:
            folder = posixpath.dirname(path)
            found = next((c for e in ENDINGS if loader.inputs.is_file(c := posixpath.join(folder, new + e))), None)
            if found is None:
                span = loader.project.spans.get("bases")
                findings.error("unknown-base", f'no stack "{new}" beside {path}', span)
            else:
                moves[path] = found
                loader.discover([found])
    return moves


def _parent(loader: _Loader, path: str, moves: dict[str, str]) -> str | None:
    parent = loader.links[path].extends
    return moves.get(parent, parent) if parent else None


def _reach(loader: _Loader, named: tuple[str, ...], moves: dict[str, str]) -> set[str]:
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


def _build_order(loader: _Loader, reached: set[str], moves: dict[str, str], findings: Findings) -> list[str]:
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


def _report_cycle(loader: _Loader, cycle: list[str], findings: Findings) -> None:
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


def _unit(loader: _Loader, path: str, moves: dict[str, str], named: bool) -> Unit:
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


def _check_names(units: list[Unit], findings: Findings) -> None:
    first: dict[str, Unit] = {}
    for unit in units:
        other = first.setdefault(unit.name, unit)
        if other is not unit and not {"name"} & (unit.document.dim | other.document.dim):
            findings.error(
                "doubled-name",
                f'two stacks are called "{unit.name}", and would be rendered into one folder',
                unit.document.node.keys.get("name") or _first_key(unit.document.node),
                help=f"give one of them another name: name: {unit.name}-2",
                related=[Related("the other one", _first_key(other.document.node))],
            )
