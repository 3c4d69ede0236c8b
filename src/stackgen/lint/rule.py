"""What a rule is, and what it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from stackgen.diagnostics import Diagnostic, Findings, Related, Severity, Span
from stackgen.docker.inherit import Config
from stackgen.read.inputs import Inputs
from stackgen.stack.compile import Compiled
from stackgen.stack.lower.steps import ContextFile, Placed


class Say(Protocol):
    """Keeps a finding under the rule's own code and severity."""

    def __call__(
        self, message: str, span: Span | None, help: str | None = None, related: Iterable[Related] = ()
    ) -> None:
        """Keep a finding: a sentence, its place, what to type, and other places that it speaks of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An image, what it was before its own instructions, and the image of the project that it stands on."""

    compiled: Compiled
    before: Config
    parent: Subject | None

    @property
    def sound(self) -> bool:
        """Whether nothing had to be left out of the image, or of one above."""
        units = [compiled.unit for compiled in (self.compiled, *self.ancestors())]
        whole = not any(unit.blind or unit.partial for unit in units)
        return whole and all(document.sound for unit in units for document in unit.documents)

    def ancestors(self) -> Iterator[Compiled]:
        """Give its ancestors in the project, the parent first."""
        above = self.parent
        while above is not None:
            yield above.compiled
            above = above.parent

    def placed(self) -> Iterable[Placed]:
        """Give the image's own instructions in order."""
        for step in self.compiled.lowered.steps:
            yield from step.placed

    def span(self, *keys: str) -> Span | None:
        """Give the place of the first of some keys that the image's stack has."""
        return next((span for key in keys if (span := self.compiled.image.spans.get(key))), None)

    def first_span(self) -> Span:
        """Give the place of the stack's first key: where a finding stands that no key is the place of."""
        node = self.compiled.unit.document.node
        return next(iter(node.keys.values()), node.span)

    def file_at(self, path: str) -> ContextFile | None:
        """Give the file that this image, or the nearest above it, puts at a path of the image."""
        wanted = f"rootfs/{path.lstrip('/')}"
        for compiled in (self.compiled, *self.ancestors()):
            for file in compiled.lowered.files:
                if file.path == wanted:
                    return file
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """Every image of a run by its unit's key; `complete` are the folders of which every stack is among them."""

    subjects: Mapping[str, Subject]
    complete: frozenset[str]
    inputs: Inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRule:
    """A rule that looks at one image at a time."""

    code: str
    severity: Severity
    check: Callable[[Subject, Say], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeRule:
    """A rule that looks at all images of a run together."""

    code: str
    severity: Severity
    check: Callable[[Whole, Say], None]


def say_for(code: str, severity: Severity, findings: Findings) -> Say:
    """Give a rule its voice."""

    def say(message: str, span: Span | None, help: str | None = None, related: Iterable[Related] = ()) -> None:
        findings.add(
            Diagnostic(code=code, severity=severity, message=message, span=span, help=help, related=tuple(related))
        )

    return say
