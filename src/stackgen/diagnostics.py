"""Findings as values: where they stand, what they say, and how a result carries them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
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

    @property
    def path(self) -> str:
        """The path of the source inside the project."""
        return self.source.path

    def key(self) -> tuple[str, int, int]:
        """What spans are ordered by: path, line and column."""
        return (self.path, self.line, self.column)


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

    def key(self) -> tuple[tuple[str, int, int], str, str]:
        """What findings are ordered by: place, then code, then message."""
        return (self.span.key() if self.span else ("", 0, 0), self.code, self.message)


class StackError(Exception):
    """The stacks hold errors; `diagnostics` has every finding."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        self.diagnostics = diagnostics
        errors = [d.message for d in diagnostics if d.severity == "error"]
        super().__init__("; ".join(errors))


class Findings:
    """Where a run collects its findings; the same fault at the same place is kept once."""

    def __init__(self) -> None:
        self._seen: dict[tuple[object, ...], Diagnostic] = {}
        self._muted: frozenset[str] = frozenset()

    def muting(self, codes: frozenset[str]) -> Findings:
        """Give a way into these findings that keeps some codes back: what may only follow from another fault."""
        view = Findings()
        view._seen = self._seen
        view._muted = self._muted | codes
        return view

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep a finding."""
        if diagnostic.code not in self._muted:
            place = diagnostic.span.key() if diagnostic.span else None
            self._seen.setdefault((place, diagnostic.code, diagnostic.message), diagnostic)

    def _found(
        self,
        severity: Severity,
        code: str,
        message: str,
        span: Span | None,
        help: str | None,
        related: Iterable[Related],
        fix: Fix | None,
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
    ) -> None:
        """Keep a finding that makes the input invalid."""
        self._found("error", code, message, span, help, related, fix)

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
    close = get_close_matches(word.lower().replace("_", "-"), list(lowered), n=1, cutoff=0.7)
    return lowered[close[0]] if close else None


def suggestion(word: str, known: Iterable[str], otherwise: str | None = None) -> str | None:
    """Give the help line for a word that nobody knows: the one that it resembles, or `otherwise`."""
    close = did_you_mean(word, known)
    return f'did you mean "{close}"?' if close else otherwise
