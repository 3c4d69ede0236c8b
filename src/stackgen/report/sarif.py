"""Findings as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from stackgen import __version__
from stackgen.codes import CODES
from stackgen.diagnostics import Diagnostic, Span
from stackgen.report.text import shown_path

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def _location(span: Span, message: str | None = None) -> dict[str, Any]:
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(shown_path(span.source))},
            "region": {
                "startLine": span.line,
                "startColumn": span.column,
                "endLine": span.end_line,
                "endColumn": span.end_column,
            },
        }
    }
    if message is not None:
        location["message"] = {"text": message}
    return location


def _result(diagnostic: Diagnostic, index: dict[str, int]) -> dict[str, Any]:
    text = diagnostic.message + (f"\nhelp: {diagnostic.help}" if diagnostic.help else "")
    result: dict[str, Any] = {
        "ruleId": diagnostic.code,
        "ruleIndex": index[diagnostic.code],
        "level": _LEVELS[diagnostic.severity],
        "message": {"text": text},
        "locations": [_location(diagnostic.span)] if diagnostic.span else [],
    }
    if diagnostic.related:
        result["relatedLocations"] = [
            {"id": number, **_location(other.span, other.message)} for number, other in enumerate(diagnostic.related, 1)
        ]
    return result


def findings(diagnostics: Iterable[Diagnostic]) -> str:
    """Give findings as one SARIF log; columns count code points, and the log says so."""
    found = tuple(diagnostics)
    codes = sorted({each.code for each in found})
    index = {code: number for number, code in enumerate(codes)}
    levels = {each.code: _LEVELS[each.severity] for each in found}
    driver = {
        "name": "stackgen",
        "version": __version__,
        "rules": [
            {
                "id": code,
                "shortDescription": {"text": CODES[code]},
                "help": {"text": f"docs/rules/{code}.md has why, and a good and a bad example."},
                "defaultConfiguration": {"level": levels[code]},
            }
            for code in codes
        ],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, index) for each in found],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)
