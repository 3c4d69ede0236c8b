"""`raw`: Dockerfile instructions as text, written as they stand and read for their effect as the engine reads them."""

from __future__ import annotations

from stackgen.diagnostics import Span
from stackgen.docker.errors import DockerfileError
from stackgen.docker.instructions import From, Shell, User
from stackgen.docker.syntax import ended, parse
from stackgen.read.source import Word
from stackgen.stack.lower.emitter import Emitter

# A raw text stands below others, where `# escape=` and its like are comments and no directives any more.
_ABOVE = "FROM scratch\n"


def lower_raw(emitter: Emitter, text: Word) -> None:
    """Take the instructions of one text; whom and under which SHELL it leaves is what the image then declares.

    Findings, at the line within the text: refused, raw-from, unsayable.
    """
    emitter.cause = text.span
    emitter.as_declared()
    emitter.own_shell()
    lines = ended(text.text.rstrip("\n")).split("\n")
    try:
        parsed = parse(_ABOVE + "\n".join(lines) + "\n")[1:]
    except DockerfileError as error:
        emitter.findings.error("refused", f"Docker refuses this: {error.message}", _line_of(text, error.line - 1))
        return
    printed = 0
    for index, each in enumerate(parsed):
        span = _line_of(text, each.line - 1)
        if isinstance(each.instruction, From):
            emitter.findings.error(
                "raw-from",
                "FROM begins another stage, and a step stands inside one image",
                span,
                help="the parent is `from` or `extends` at the top of the stack",
            )
            return
        # Comments go with the instruction below them, and the last ones with the last.
        end = len(lines) if index == len(parsed) - 1 else each.end_line - 1
        emitter.add(each.instruction, span, "\n".join(lines[printed:end]))
        printed = end
        if isinstance(each.instruction, User):
            emitter.declare_user()
        elif isinstance(each.instruction, Shell):
            emitter.declared_shell = each.instruction.argv


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
