"""Findings as text: the place, the line with a caret under what is wrong, and what to type."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

from stackgen.diagnostics import Diagnostic, Source, Span

Paint = Callable[[str, str], str]

# More places than these are counted, not shown; the other formats have all.
MOST_RELATED = 4

_COLOURS = {"error": "31;1", "warning": "33;1", "info": "36;1", "help": "32", "note": "36", "dim": "2"}


def paint(kind: str, text: str) -> str:
    """Give text in a colour of the terminal."""
    return f"\033[{_COLOURS[kind]}m{text}\033[0m"


def plain(kind: str, text: str) -> str:
    """Give text as it is."""
    del kind
    return text


def shown_path(source: Source) -> str:
    """Give a source's path as seen from where the user stands; what is no file stays as it is."""
    if source.folder is None or source.folder == Path.cwd():
        return source.path
    return Path(os.path.relpath(source.folder / source.path)).as_posix()


def width(text: str) -> int:
    """Give how many columns of a terminal a text takes: wide characters two, combining marks none, pictures two."""
    columns, last, joined = 0, 0, False
    for character in text:
        if joined or (last == 2 and "\U0001f3fb" <= character <= "\U0001f3ff"):  # more of one picture; a skin's colour
            joined = False
        elif character == "\u200d" and last == 2:  # a zero-width joiner
            joined = True
        elif character == "\ufe0f" and last == 1:  # makes a picture of a sign
            columns, last = columns + 1, 2
        elif not _is_mark(character):
            last = 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
            columns += last
    return columns


def _is_mark(character: str) -> bool:
    """Whether a character takes no column of its own."""
    if character == "\u00ad":  # a soft hyphen, which terminals show
        return False
    jamo = "\u1160" <= character <= "\u11ff" or "\ud7b0" <= character <= "\ud7ff"  # the later parts of a syllable
    return jamo or unicodedata.category(character) in ("Mn", "Me", "Mc", "Cf", "Zl", "Zp")


# What would move a terminal's cursor or change its colours; a tab is for the excerpt to keep.
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


def _clean(text: str) -> str:
    """Give a user's text so that it stays on its line and does nothing to a terminal."""
    return _CONTROL.sub("\ufffd", text)


def _excerpt(span: Span, colour: Paint, kind: str, mark: str = "^") -> list[str]:
    line = _clean(span.source.line(span.line).rstrip("\r"))
    start = span.column - 1
    end = span.end_column - 1 if span.end_line == span.line else len(line.rstrip())
    # A tab stays a tab, so that the caret stands under its character whatever a terminal makes of tabs.
    before = "\t".join(" " * width(part) for part in line[:start].split("\t"))
    carets = mark * max(1, width(line[start:end]))
    number = str(span.line)
    gutter = " " * len(number)
    return [
        f"  {colour('dim', number + ' |')} {line}",
        f"  {colour('dim', gutter + ' |')} {before}{colour(kind, carets)}",
    ]


def finding(diagnostic: Diagnostic, colour: Paint = plain) -> str:
    """Give one finding as text."""
    kind = diagnostic.severity
    head = f"{colour(kind, f'{kind}[{diagnostic.code}]')}: {_clean(diagnostic.message)}"
    span = diagnostic.span
    if span is None:
        lines = [head]
    else:
        lines = [f"{shown_path(span.source)}:{span.line}:{span.column}: {head}", *_excerpt(span, colour, kind)]
    for related in diagnostic.related[:MOST_RELATED]:
        where = f"{shown_path(related.span.source)}:{related.span.line}:{related.span.column}"
        lines.append(f"  {colour('note', 'note')}: {_clean(related.message)}: {where}")
        lines += ["  " + line for line in _excerpt(related.span, colour, "note", "-")]
    more = len(diagnostic.related) - MOST_RELATED
    if more > 0:
        lines.append(f"  {colour('note', 'note')}: and in {more} more {'place' if more == 1 else 'places'}")
    if diagnostic.help:
        lines.append(f"  {colour('help', 'help')}: {_clean(diagnostic.help)}")
    return "\n".join(lines)


def summary(diagnostics: Iterable[Diagnostic]) -> str:
    """Give how many findings of each severity there are, in words."""
    counts: dict[str, int] = {}
    for each in diagnostics:
        counts[each.severity] = counts.get(each.severity, 0) + 1
    words = [
        f"{counts[kind]} {kind}{'s' if counts[kind] > 1 and kind != 'info' else ''}"
        for kind in ("error", "warning", "info")
        if kind in counts
    ]
    return " and ".join(words)
