"""Findings that are not wanted: `# stackgen: ignore[code]` on the line, `ignore:` in the project file.

An error cannot be ignored, since there is no image to go on with; an ignore that ignores nothing is itself found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from stackgen.codes import CODES
from stackgen.diagnostics import Diagnostic, Findings, Source, Span, suggestion
from stackgen.read.source import Word

_COMMENT = re.compile(r"(?:^|\s)#\s*stackgen:\s*ignore\[([^\]]*)\]")
_CODE = re.compile(r"[^\s,]+")
CODE = "unused-ignore"


@dataclass(frozen=True, slots=True)
class _Ignore:
    code: str
    span: Span


def _in_source(source: Source) -> Iterable[_Ignore]:
    if "stackgen:" not in source.text:
        return
    for number, line in enumerate(source.text.split("\n"), 1):
        for comment in _COMMENT.finditer(line):
            for found in _CODE.finditer(comment[1]):
                start = comment.start(1) + found.start() + 1
                yield _Ignore(found[0], Span(source, number, start, number, start + len(found[0])))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a run can know of ignores: one that ignores nothing here may be needed elsewhere.

    `plain` is whether the stacks are as they stand (`--base` and `--set` make others of them), `whole` whether all
    stacks of the project are read, and `by_whole` are the codes that are found only then.
    """

    plain: bool
    whole: bool
    by_whole: frozenset[str]


def without_ignored(
    diagnostics: Iterable[Diagnostic], sources: Iterable[Source], project: Iterable[Word], seen: Seen
) -> tuple[Diagnostic, ...]:
    """Give findings less those that are ignored, and one for each ignore that ignores nothing.

    Where there are errors, not every rule has looked at every image: then no ignore is called unused.
    """
    by_line: dict[tuple[str, int], list[_Ignore]] = {}
    for ignore in (each for source in sources for each in _in_source(source)):
        by_line.setdefault((ignore.span.path, ignore.span.line), []).append(ignore)
    everywhere = [_Ignore(word.text, word.span) for word in project]
    used: set[int] = set()
    kept = Findings()
    for diagnostic in diagnostics:
        here = by_line.get((diagnostic.span.path, diagnostic.span.line), []) if diagnostic.span else []
        ignoring = [each for each in (*here, *everywhere) if each.code == diagnostic.code]
        if ignoring and diagnostic.severity != "error":
            used.update(map(id, ignoring))
        else:
            kept.add(diagnostic)
    if seen.plain and not kept.errors:
        known = [each for line in by_line.values() for each in line if seen.whole or each.code not in seen.by_whole]
        for ignore in (*known, *(everywhere if seen.whole else ())):
            if id(ignore) not in used:
                _report(ignore, kept)
    return kept.sorted()


def _report(ignore: _Ignore, findings: Findings) -> None:
    known = ignore.code in CODES
    findings.warning(
        CODE,
        f'nothing is ignored by "{ignore.code}"' if known else f'no finding has the code "{ignore.code}"',
        ignore.span,
        help="remove it" if known else suggestion(ignore.code, CODES, "remove it"),
    )
