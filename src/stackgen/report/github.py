"""Findings as GitHub's workflow commands, which put them beside the lines of a pull request.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from stackgen.diagnostics import Diagnostic
from stackgen.report.text import shown_path

_LEVELS = {"error": "error", "warning": "warning", "info": "notice"}


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def command(diagnostic: Diagnostic) -> str:
    """Give one finding as a workflow command."""
    message = diagnostic.message + (f"\nhelp: {diagnostic.help}" if diagnostic.help else "")
    properties = [f"title={_property(diagnostic.code)}"]
    span = diagnostic.span
    if span is not None:
        properties = [
            f"file={_property(shown_path(span.source))}",
            f"line={span.line}",
            f"endLine={span.end_line}",
            f"col={span.column}",
            f"endColumn={span.end_column}",
            *properties,
        ]
    return f"::{_LEVELS[diagnostic.severity]} {','.join(properties)}::{_data(message)}"
