"""YAML's own traps: what YAML made of a line is a value that the field takes, and is not what was typed.

What is no value of the field is found by the schema check; here is what would pass in silence.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from stackgen.diagnostics import Findings, Fix, Span
from stackgen.read.source import Mapping, Node, Scalar, Sequence

# Keys whose values are shell commands, or lists of them.
_COMMANDS = ("run", "sh", "command", "entrypoint", "cmd", "test")


def find_traps(node: Node, findings: Findings) -> None:
    """Report commands that YAML cut short or took for a list. Findings: cut-by-comment, read-as-list."""
    for key, value in _commands(node):
        if isinstance(value, Sequence):
            for item in value.items:
                if key == "run" and isinstance(item, Sequence):
                    _brackets(item, findings)
                for inner in item.items if isinstance(item, Sequence) else (item,):
                    _comment(inner, findings)
            if key in ("entrypoint", "cmd"):
                _first_word(key, value, findings)
        else:
            _comment(value, findings)


def _commands(node: Node) -> Iterator[tuple[str, Node]]:
    """Give every value that holds commands, with its key."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if isinstance(here, Mapping):
            for key, value in here.values.items():
                if key in _COMMANDS:
                    yield key, value
                waiting.append(value)
        elif isinstance(here, Sequence):
            waiting.extend(here.items)


def _written(span: Span) -> str | None:
    """Give what stands at a span, if it is one line."""
    return span.source.line(span.line)[span.column - 1 : span.end_column - 1] if span.line == span.end_line else None


def _brackets(item: Sequence, findings: Findings) -> None:
    text = _written(item.span)
    first = item.items[0] if item.items else None
    if (
        text
        and text.startswith("[")
        and isinstance(first, Scalar)
        and first.plain
        and first.text.startswith(("-", "!"))
    ):
        quoted = json.dumps(text, ensure_ascii=False)
        findings.warning(
            "read-as-list",
            "YAML reads the brackets of this test as a list",
            item.span,
            help=f"write {quoted}",
            fix=Fix(item.span, quoted),
        )


def _first_word(key: str, value: Sequence, findings: Findings) -> None:
    first = value.items[0] if value.items else None
    if isinstance(first, Scalar) and first.plain and " " in first.text and "{" not in first.text:
        rest = [item.text for item in value.items[1:] if isinstance(item, Scalar)]
        words = ", ".join([*first.text.split(), *(json.dumps(word) if " " in word else word for word in rest)])
        findings.warning(
            "read-as-list",
            f'`{key}` starts a program called "{first.text}": in a list, each word is an item',
            first.span,
            help=f"write [{words}]",
        )


def _comment(node: Node, findings: Findings) -> None:
    """A comment behind a command is set off by more than one blank; one blank, or an open quote, is a command cut."""
    if not isinstance(node, Scalar) or not node.plain or not node.text:
        return
    span = node.span
    rest = span.source.line(span.end_line)[span.end_column - 1 :]
    if not rest.lstrip().startswith("#"):
        return
    open_quote = node.text.count('"') % 2 == 1 or node.text.count("'") % 2 == 1
    if open_quote or (rest.startswith(" #") and not rest.startswith("  ")):
        whole = json.dumps(f"{node.text}{rest.rstrip()}", ensure_ascii=False)
        findings.warning(
            "cut-by-comment",
            f'YAML ends this command before the "#": {node.text}',
            Span(span.source, span.end_line, span.end_column + 1, span.end_line, span.end_column + len(rest.rstrip())),
            help=f"write {whole}, or set a comment off by two blanks",
        )
