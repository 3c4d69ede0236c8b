"""Safe fixes put into the stack files: texts at places, so that comments and layout stay."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from stackgen.diagnostics import Diagnostic, Fix, Source


def fixed_texts(diagnostics: Iterable[Diagnostic]) -> dict[Path, tuple[Source, str]]:
    """Give each file that has fixes with its text before and after; of two fixes at one place the first is taken."""
    by_file: dict[Path, tuple[Source, list[Fix]]] = {}
    for diagnostic in diagnostics:
        fix = diagnostic.fix
        if fix is not None and fix.span.source.folder is not None:
            path = fix.span.source.folder / fix.span.path
            by_file.setdefault(path, (fix.span.source, []))[1].append(fix)
    return {path: (source, _apply(source.text, fixes)) for path, (source, fixes) in sorted(by_file.items())}


def _apply(text: str, fixes: Iterable[Fix]) -> str:
    lines = text.split("\n")
    emptied: set[int] = set()
    taken: dict[int, int] = {}
    for fix in sorted(fixes, key=lambda fix: fix.span.key(), reverse=True):
        span = fix.span
        if span.end_column > taken.get(span.line, span.end_column):
            continue
        line = lines[span.line - 1]
        lines[span.line - 1] = line[: span.column - 1] + fix.text + line[span.end_column - 1 :]
        taken[span.line] = span.column
        if line.strip() and not lines[span.line - 1].strip():
            emptied.add(span.line - 1)
    return "\n".join(line for number, line in enumerate(lines) if number not in emptied)


def write_fixes(texts: dict[Path, tuple[Source, str]]) -> None:
    """Write the texts, each by a rename, with the file's own mode; a link stays one. Raises OSError."""
    for given, (_, after) in texts.items():
        path = Path(os.path.realpath(given))
        temporary = path.with_name(f".{path.name}.new")
        mark = "\ufeff" if path.read_bytes().startswith(b"\xef\xbb\xbf") else ""
        temporary.write_bytes((mark + after).encode())
        temporary.chmod(path.stat().st_mode & 0o777)
        os.replace(temporary, path)  # noqa: PTH105 - the atomic one
