"""Findings as JSON: documented in docs/formats.md and versioned."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from stackgen.diagnostics import Diagnostic, Span
from stackgen.report.text import shown_path

VERSION = 1


def _place(span: Span | None) -> dict[str, Any] | None:
    if span is None:
        return None
    return {
        "path": shown_path(span.source),
        "line": span.line,
        "column": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def findings(diagnostics: Iterable[Diagnostic]) -> str:
    """Give findings as one JSON document; columns count code points from 1, ends are exclusive."""
    found = [
        {
            "code": each.code,
            "severity": each.severity,
            "message": each.message,
            "place": _place(each.span),
            "help": each.help,
            "related": [{"message": other.message, "place": _place(other.span)} for other in each.related],
        }
        for each in diagnostics
    ]
    return json.dumps({"version": VERSION, "findings": found}, indent=2, ensure_ascii=False)
