"""Stack files and fragments, each read and checked once, and what their structural keys point at."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from stackgen.diagnostics import Findings, Related, Span, did_you_mean, suggestion
from stackgen.read import schema, source
from stackgen.read.inputs import InputError
from stackgen.read.source import Scalar, Sequence
from stackgen.read.traps import find_traps
from stackgen.stack.project import PROJECT_FILE, Project

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


@dataclass(slots=True)
class Links:
    """What one file's structural keys point at; None is a link that leads nowhere and was reported."""

    extends: str | None = None
    extends_broken: bool = False
    depends_on: dict[str, str] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)
    fragments_broken: bool = False


class Loader:
    """Reads every file that stacks lead to, each once."""

    def __init__(self, project: Project, findings: Findings) -> None:
        self.project = project
        self.inputs = project.inputs
        self.findings = findings
        self.documents: dict[str, Document | None] = {}
        self.links: dict[str, Links] = {}

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
            self.links[path] = links = Links()
            document = self.document(path, "stack")
            if document is None:
                continue
            self.find_links(document, links)
            waiting.extend(links.depends_on.values())
            if links.extends:
                waiting.append(links.extends)

    def find_links(self, document: Document, links: Links) -> None:
        """Find what a stack's structural keys point at."""
        node = document.node
        parents = [key for key in ("extends", "from") if key in node.values]
        if not parents and not document.dim & {"extends", "from"}:
            self.findings.error(
                "no-parent",
                "a stack needs a parent: `extends` another stack, or `from` an image",
                first_key(node),
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
        help = self._known_by_path(document.folder, text) if by_path else self.known(document.folder, text)
        self.findings.error(code, f'no {what} "{text}" {_in(document.folder)}', name.span, help=help)
        return None

    def known(self, folder: str, text: str) -> str | None:
        """Say which stack of a folder was likely meant, or which there are."""
        stacks = [name for name in self.inputs.listing(folder) if name.endswith(ENDINGS) and name != PROJECT_FILE]
        stems = [name.rpartition(".")[0] for name in stacks]
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
    """Give the map that a path leads out of, a list in it included; None for the whole file, at which nobody points."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
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


def first_key(node: source.Mapping) -> Span:
    """Give the place of a map's first key: where a finding stands that no key is the place of."""
    return next(iter(node.keys.values()), node.span)


def _includes(node: source.Mapping) -> list[Scalar]:
    include = node.get("include")
    items = include.items if isinstance(include, Sequence) else ()
    names = [item.get("file") if isinstance(item, source.Mapping) else item for item in items]
    return [name for name in names if isinstance(name, Scalar)]


def included_at(documents: Iterable[Document], path: str) -> list[Related]:
    """Give where documents include the fragment at a path, and where that is included, up to the stack."""
    known = tuple(documents)
    seen, found = {path}, list[Related]()
    while True:
        holders = ((document, name) for document in known for name in _includes(document.node))
        at = ((document, name) for document, name in holders if path in _candidates(document, name.text))
        holder, name = next((each for each in at if each[0].path not in seen), (None, None))
        if holder is None or name is None:
            return found
        found.append(Related("the fragment is included here", name.span))
        path = holder.path
        seen.add(path)


def _candidates(document: Document, text: str) -> list[str]:
    path = posixpath.normpath(posixpath.join(document.folder, text))
    return [path, *(path + ending for ending in ENDINGS)]


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
