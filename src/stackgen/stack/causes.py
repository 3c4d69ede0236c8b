"""What the findings of one image come from: one fault that shows in several places is told once, at its first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from stackgen.diagnostics import Diagnostic, Related, Span
from stackgen.read import source
from stackgen.stack.documents import Document, included_at
from stackgen.stack.expressions import Scope

# What may only follow from a fault in what an image is made of.
FOLLOWING = frozenset(
    {"undefined-name", "needs-distro", "no-supervisor", "unknown-user", "unknown-variable", "refused", "template-fails",
     "dest-not-absolute", "end-of-life", "missing-key"}
)  # fmt: skip
# What of it speaks of an outside image that nobody knows.
OF_THE_ROOT = {
    "needs-distro": "nobody knows the distribution of this image",
    "unknown-user": "nobody knows what this image brings",
}
# A longer text is a script, and what it names is not what is wrong with it.
MOST_LINES = 20


class Causes:
    """A lens for the findings of one image: keeps back what follows from another, and says what the others come from.

    `documents` gives the stacks that the image is made of and stands on, its own first, the root's last; `suspect` is
    whether something is broken that all else in the image is made of, `failed` whether an image above could not be
    compiled, so that only its variables are known; `above` looks at the parent.
    """

    def __init__(
        self,
        documents: Callable[[], Iterable[Document]],
        *,
        suspect: bool,
        failed: bool,
        above: Causes | None = None,
    ) -> None:
        self.documents = documents
        self.scope: Scope | None = None
        """The image's names, as soon as they are known."""
        self._following: frozenset[str] = above._following if above else frozenset()
        self._branches: frozenset[tuple[str, int, int]] = above._branches if above else frozenset()
        """Where branches of `when` stand whose condition nobody knows."""
        if suspect:
            self.doubt()
        self._failed = failed
        if failed:
            self._following |= FOLLOWING - {"undefined-name"}

    def doubt(self) -> None:
        """From here on keep back what may only follow from something broken that all else is made of."""
        self._following |= FOLLOWING

    def __call__(self, found: Diagnostic) -> Diagnostic | None:
        """Give a finding with its causes, or None for one that only follows."""
        if found.code in self._following:
            return None
        if found.severity != "error":
            return found
        documents = tuple(self.documents())
        if self._follows(found, documents):
            return None
        if found.code == "needs-distro":
            # Where a supervisor's files lie is known of a distribution.
            self._following |= {"no-supervisor"}
        if found.code == "unknown-condition" and found.span:
            self._branches |= {found.span.key()}
        topic, related = found.topic, [*found.related, *_of_documents(found, documents)]
        if found.code in ("no-supervisor", *OF_THE_ROOT):
            topic = (found.code,)
        if found.span and self.scope and not found.related:
            names = self.scope.names_in(_written(found.span))
            related += self.scope.set_here(*names[:2])
            if found.code == "wrong-value" and len(names) == 1:
                topic = ("value-of", names[0])
        return replace(found, related=tuple(related), topic=(*topic, _root(documents).path) if topic else None)

    def _follows(self, found: Diagnostic, documents: tuple[Document, ...]) -> bool:
        """Whether a finding only follows from what had to be left out of a document, or was not reached."""
        if found.span and any(document.lacks(found.code, found.span) for document in documents):
            return True
        if found.code == "unknown-repository" and any("repositories" in document.dim for document in documents):
            return True
        kind, *names = found.topic or ("",)
        if kind == "no-member":
            return self._failed or any(names[0] in document.dim for document in documents)
        if kind == "no-program":
            return any(lost in document.removed for document in documents for lost in _program(*names))
        if kind == "undefined-name":
            return any(name == names[0] for document in documents for name in self._in_lost_branches(document))
        return False

    def _in_lost_branches(self, document: Document) -> Iterable[str]:
        when = document.node.get("when")
        for _, span, branch in when.items() if isinstance(when, source.Mapping) and self._branches else ():
            found = branch.get("vars") if isinstance(branch, source.Mapping) else None
            if span.key() in self._branches and isinstance(found, source.Mapping):
                yield from found.values


def _root(documents: tuple[Document, ...]) -> Document:
    return next((document for document in reversed(documents) if "from" in document.node.values), documents[-1])


def _program(name: str) -> Iterable[tuple[str, ...]]:
    return ("programs",), ("programs", name), ("programs", name, "command")


def _of_documents(found: Diagnostic, documents: tuple[Document, ...]) -> Iterable[Related]:
    """Give the places in other documents that a finding comes from."""
    reference = _root(documents).node.get("from")
    if found.code in OF_THE_ROOT and reference is not None:
        yield Related(OF_THE_ROOT[found.code], reference.span)
    if found.span is not None:
        yield from included_at(documents, found.span.path)
    kind, *names = found.topic or ("",)
    if kind == "no-member":
        for document in documents:
            setter = document.node.get(names[0])
            if setter is not None:
                yield Related(f"`{names[0]}` is set here", setter.span)


def _written(span: Span) -> str:
    """Give what stands at a span, if that is short."""
    if span.end_line - span.line > MOST_LINES:
        return ""
    lines = [span.source.line(number) for number in range(span.line, span.end_line + 1)]
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "\n".join(lines)
