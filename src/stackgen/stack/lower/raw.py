"""`raw`: Dockerfile instructions as text, written as they stand and read for their effect as the engine reads them."""

from __future__ import annotations

import re
from itertools import takewhile

from stackgen.diagnostics import Span
from stackgen.docker.instructions import From, Shell, User
from stackgen.docker.syntax import Parsed, ended, parse_all
from stackgen.read.source import Word
from stackgen.stack.lower.emitter import Emitter

# A raw text stands below others, where `# escape=` and its like are comments and no directives any more.
_ABOVE = "FROM scratch\n"
_OTHER_ESCAPE = re.compile(r"\s*#\s*escape\s*=\s*`", re.IGNORECASE)


def lower_raw(emitter: Emitter, text: Word) -> None:
    """Take the instructions of one text; whom and under which SHELL it leaves is what the image then declares.

    Findings, each at its line within the text: refused, raw-from, raw-escape, unsayable.
    """
    emitter.cause = text.span
    emitter.as_declared()
    emitter.own_shell()
    lines = ended(text.text.rstrip("\n")).split("\n")
    instructions = _instructions(emitter, text, lines)
    printed = 0
    for index, each in enumerate(instructions):
        # Comments go with the instruction below them, and the last ones with the last.
        end = len(lines) if index == len(instructions) - 1 else each.end_line - 1
        emitter.add(each.instruction, _line_of(text, each.line - 1), "\n".join(lines[printed:end]))
        printed = end
        if isinstance(each.instruction, User):
            emitter.declare_user()
        elif isinstance(each.instruction, Shell):
            emitter.declared_shell = each.instruction.argv


def _instructions(emitter: Emitter, text: Word, lines: list[str]) -> tuple[Parsed, ...]:
    """Give the instructions, or none and every reason why not. Their lines count from 2."""
    for number, comment in enumerate(takewhile(_is_comment, lines), 1):
        if _OTHER_ESCAPE.match(comment):
            emitter.findings.warning(
                "raw-escape",
                "here this is a comment: a Dockerfile has one escape character, named at its top",
                _line_of(text, number),
                help="write \\ in place of ` in this text, and leave the line out",
            )
    parsed, faults = parse_all(_ABOVE + "\n".join(lines) + "\n")
    for fault in faults:
        emitter.findings.error("refused", f"Docker refuses this: {fault.message}", _line_of(text, fault.line - 1))
    stages = [each for each in parsed[1:] if isinstance(each.instruction, From)]
    for stage in stages:
        emitter.findings.error(
            "raw-from",
            "FROM begins another stage, and a step stands inside one image",
            _line_of(text, stage.line - 1),
            help="the parent is `from` or `extends` at the top of the stack",
        )
    return () if faults or stages else parsed[1:]


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _line_of(text: Word, number: int) -> Span:
    """Give the place of a line of a block scalar; of another scalar, its whole place."""
    span = text.span
    first = span.source.line(span.line)[span.column - 1 : span.column]
    if first not in ("|", ">"):
        return span
    line = min(span.line + number, span.end_line)
    content = span.source.line(line)
    start = len(content) - len(content.lstrip()) + 1
    return Span(span.source, line, start, line, max(start + 1, len(content.rstrip()) + 1))
