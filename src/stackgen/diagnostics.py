"""Findings as values: where they stand, what they say, and how a result carries them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Generic, Literal, TypeVar

Severity = Literal["error", "warning", "info"]
T = TypeVar("T")


class Source:
    """One text that findings can point into: its path, the folder that the path starts at, and its lines.

    What is no file (`--set`) has no folder.
    """

    def __init__(self, path: str, text: str, folder: Path | None = None) -> None:
        self.path = path
        self.text = text
        self.folder = folder

    @cached_property
    def _lines(self) -> list[str]:
        # YAML and editors agree on these two line ends; str.splitlines knows eight more.
        return self.text.replace("\r\n", "\n").split("\n")

    def line(self, number: int) -> str:
        """Give the text of a line, counted from 1; a line that is not there is empty."""
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a source, lines and columns counted from 1, columns in code points, the end exclusive."""

    source: Source = field(compare=False, repr=False)
    line: int
    column: int
    end_line: int
    end_column: int

    @classmethod
    def whole(cls, source: Source) -> Span:
        """Give a source as a whole, where no line of it can be named: its line is 0."""
        return cls(source, 0, 0, 0, 0)

    @property
    def path(self) -> str:
        """The path of the source inside the project."""
        return self.source.path

    def key(self) -> tuple[str, int, int]:
        """What spans are ordered by: path, line and column."""
        return (self.path, self.line, self.column)

    def holds(self, other: Span) -> bool:
        """Whether another span begins inside this one."""
        return self.key() <= other.key() < (self.path, self.end_line, self.end_column)


@dataclass(frozen=True, slots=True)
class Related:
    """A second place that a finding speaks of, and what is there."""

    message: str
    span: Span


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that cannot alter what is meant: the text to stand at a place of one line."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding: a readable code, a severity, a sentence, its place, and what to type instead."""

    code: str
    severity: Severity
    message: str
    span: Span | None = None
    help: str | None = None
    related: tuple[Related, ...] = ()
    fix: Fix | None = None
    topic: tuple[str, ...] | None = field(default=None, compare=False, repr=False)
    """What it is about, where several places can show one fault: the first is told, the others are related to it."""

    def and_also(self, other: Diagnostic) -> Diagnostic:
        """Give this finding with the places of another about the same."""
        places = [other.span, *(each.span for each in other.related if each.message == ALSO)]
        known = {self.span, *(each.span for each in self.related)}
        new = (Related(ALSO, span) for span in places if span is not None and span not in known)
        return replace(self, related=(*self.related, *new))

    def key(self) -> tuple[tuple[str, int, int], str, str]:
        """What findings are ordered by: place, then code, then message."""
        return (self.span.key() if self.span else ("", 0, 0), self.code, self.message)


class StackError(Exception):
    """The stacks hold errors; `diagnostics` has every finding."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        self.diagnostics = diagnostics
        errors = [d.message for d in diagnostics if d.severity == "error"]
        super().__init__("; ".join(errors))


# What is said of a second place that shows the same fault.
ALSO = "also here"

# Gives a finding as it is kept, with what only its sender knows of it, or None where it is kept back.
Lens = Callable[[Diagnostic], Diagnostic | None]


class Findings:
    """Where a run collects its findings; the same fault at the same place is kept once, and one fault is told once."""

    def __init__(self) -> None:
        self._seen: dict[tuple[object, ...], Diagnostic] = {}
        self._topics: dict[tuple[str, ...], tuple[object, ...]] = {}
        self._lenses: tuple[Lens, ...] = ()

    def through(self, lens: Lens) -> Findings:
        """Give a way into these findings that looks at each through a lens."""
        view = Findings()
        view._seen = self._seen
        view._topics = self._topics
        view._lenses = (lens, *self._lenses)
        return view

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep a finding."""
        for lens in self._lenses:
            seen = lens(diagnostic)
            if seen is None:
                return
            diagnostic = seen
        place = diagnostic.span.key() if diagnostic.span else None
        key = (place, diagnostic.code, diagnostic.message)
        if key in self._seen:
            return
        topic = diagnostic.topic
        first = self._topics.setdefault(topic, key) if topic else key
        if topic is None or first == key:
            self._seen[key] = diagnostic
            return
        told = self._seen.pop(first)
        if place and told.span and place < told.span.key() and place[0] == told.span.path:
            # A file is read from its top.
            told, diagnostic = diagnostic, told
            self._topics[topic] = first = key
        self._seen[first] = told.and_also(diagnostic)

    def _found(
        self,
        severity: Severity,
        code: str,
        message: str,
        span: Span | None,
        help: str | None,
        related: Iterable[Related],
        fix: Fix | None,
        topic: tuple[str, ...] | None = None,
    ) -> None:
        self.add(
            Diagnostic(
                code=code,
                severity=severity,
                message=message,
                span=span,
                help=help,
                related=tuple(related),
                fix=fix,
                topic=topic,
            )
        )

    def error(
        self,
        code: str,
        message: str,
        span: Span | None = None,
        *,
        help: str | None = None,
        related: Iterable[Related] = (),
        fix: Fix | None = None,
        topic: tuple[str, ...] | None = None,
    ) -> None:
        """Keep a finding that makes the input invalid; `topic` is what several places of one fault have in common."""
        self._found("error", code, message, span, help, related, fix, topic)

    def warning(
        self,
        code: str,
        message: str,
        span: Span | None = None,
        *,
        help: str | None = None,
        related: Iterable[Related] = (),
        fix: Fix | None = None,
    ) -> None:
        """Keep a finding that lets the input pass."""
        self._found("warning", code, message, span, help, related, fix)

    def info(
        self,
        code: str,
        message: str,
        span: Span | None = None,
        *,
        help: str | None = None,
        related: Iterable[Related] = (),
        fix: Fix | None = None,
    ) -> None:
        """Keep a finding that is worth a look."""
        self._found("info", code, message, span, help, related, fix)

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(1 for found in self._seen.values() if found.severity == "error")

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self._seen.values())

    def sorted(self) -> tuple[Diagnostic, ...]:
        """Give every finding, by file and line."""
        return tuple(sorted(self._seen.values(), key=Diagnostic.key))


@dataclass(frozen=True, slots=True)
class Result(Generic[T]):
    """What a verb gives: its value, or None where errors forbid one, and every finding."""

    value: T | None
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no finding is an error."""
        return not any(d.severity == "error" for d in self.diagnostics)

    def unwrap(self) -> T:
        """Give the value, or raise StackError with the findings."""
        if self.value is None or not self.ok:
            raise StackError(self.diagnostics)
        return self.value


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Give the known word that `word` most likely stands for, or None."""
    # difflib costs an import that only a finding needs to pay.
    from difflib import get_close_matches

    candidates = sorted(set(known))
    lowered: Mapping[str, str] = {name.lower().replace("_", "-"): name for name in candidates}
    plain = word.lower().replace("_", "-")
    close = get_close_matches(plain, list(lowered), n=1, cutoff=0.7)
    # Two letters that changed places are half of a short word, and the commonest slip.
    swapped = [name for name in lowered if _swapped(plain, name)]
    return lowered[(close or swapped)[0]] if close or swapped else None


def _swapped(one: str, other: str) -> bool:
    """Whether two words differ by two neighbouring letters that changed places."""
    if len(one) != len(other):
        return False
    at = [index for index, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    return len(at) == 2 and at[1] == at[0] + 1 and one[at[0]] == other[at[1]] and one[at[1]] == other[at[0]]


def suggestion(word: str, known: Iterable[str], otherwise: str | None = None) -> str | None:
    """Give the help line for a word that nobody knows: the one that it resembles, or `otherwise`."""
    close = did_you_mean(word, known)
    return f'did you mean "{close}"?' if close else otherwise
