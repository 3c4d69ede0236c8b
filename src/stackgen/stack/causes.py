"""What the findings of one image come from: one fault that shows in several places is told once, at its first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from stackgen.diagnostics import Diagnostic, Related, Span
from stackgen.stack.expressions import Scope
from stackgen.stack.load import Document

# What may only follow from a fault in what an image is made of.
FOLLOWING = frozenset(
    {"undefined-name", "needs-distro", "no-supervisor", "unknown-user", "unknown-variable", "refused", "template-fails",
     "dest-not-absolute", "end-of-life", "missing-key"}
)  # fmt: skip
# Faults that take away what all else in an image may be made of.
STOOD_ON = frozenset({"unknown-condition"})
# A longer text is a script, and what it names is not what is wrong with it.
MOST_LINES = 20


class Causes:
    """A lens for the findings of one image: keeps back what follows from another, and says what the others come from.

    `documents` gives the stacks that the image is made of and stands on, its own first, the root's last.
    """

    def __init__(self, documents: Callable[[], Iterable[Document]], *, suspect: bool) -> None:
        self.documents = documents
        self.suspect = suspect
        """Whether something is broken that all else in the image is made of."""
        self.scope: Scope | None = None
        """The image's names, as soon as they are known."""

    def __call__(self, found: Diagnostic) -> Diagnostic | None:
        """Give a finding with its causes, or None for one that only follows."""
        if self.suspect and found.code in FOLLOWING:
            return None
        if found.code in STOOD_ON:
            self.suspect = True
        documents = tuple(self.documents())
        root = documents[-1]
        span, topic, related = found.span, found.topic, list(found.related)
        if span and any(each.follows(found.code, span) for document in documents for each in document.blurred):
            return None
        if found.code in ("needs-distro", "no-supervisor"):
            topic = (found.code,)
        if found.code == "needs-distro" and (reference := root.node.get("from")) is not None:
            related.append(Related("nobody knows the distribution of this image", reference.span))
        if topic and topic[0] == "no-member":
            key = topic[1]
            if any(key in document.dim for document in documents):
                return None
            related += [
                Related(f"`{key}` is set here", node.span) for each in documents if (node := each.node.get(key))
            ]
        if span and self.scope and not related:
            names = self.scope.names_in(_written(span))
            related += self.scope.set_here(*names[:2])
            if found.code == "wrong-value" and len(names) == 1:
                topic = ("value-of", names[0])
        return replace(found, related=tuple(related), topic=(*topic, root.path) if topic else None)


def _written(span: Span) -> str:
    """Give what stands at a span, if that is short."""
    if span.end_line - span.line > MOST_LINES:
        return ""
    lines = [span.source.line(number) for number in range(span.line, span.end_line + 1)]
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "\n".join(lines)
