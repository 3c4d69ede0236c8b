"""Values with expressions, and .j2 files, evaluated for an image.

A name that nobody defined is a fault at the expression that uses it; it never becomes blank. Variables are lazy:
one is evaluated where it is first used, in the scope of the image that uses it.
"""

from __future__ import annotations

import re
from dataclasses import replace

from stackgen.diagnostics import Related, Source, Span
from stackgen.read import shape
from stackgen.read.source import Node, Scalar, Sequence
from stackgen.stack.expressions.environment import compile_file
from stackgen.stack.expressions.faults import EXPRESSION, Facts, Fault
from stackgen.stack.expressions.scope import Scope, calculate, evaluate_strictly, guarded, to_node
from stackgen.stack.expressions.telling import report, tell

__all__ = ["EXPRESSION", "Facts", "Fault", "Scope", "evaluate", "evaluate_strictly", "render_file"]


def evaluate(node: Node, scope: Scope) -> Node | None:
    """Give a node with every expression evaluated; what gives null is left out, what cannot be evaluated stays.

    Findings: undefined-name, variable-cycle, expression-syntax, expression-fails, wrong-value, needs-distro.
    """
    if isinstance(node, Scalar):
        if not shape.has_expression(node):
            return node
        try:
            value = guarded(lambda: calculate(node.text, scope), scope)
            return None if value is None else to_node(value, node.span)
        except Fault as fault:
            report(fault, node, scope)
            return node
    if isinstance(node, Sequence):
        items = [evaluated for item in node.items if (evaluated := evaluate(item, scope)) is not None]
        return node if _same(items, node.items) else replace(node, items=tuple(items))
    values = {key: evaluated for key, value in node.values.items() if (evaluated := evaluate(value, scope)) is not None}
    unchanged = len(values) == len(node.values) and _same(list(values.values()), tuple(node.values.values()))
    return node if unchanged else replace(node, values=values)


def _same(new: list[Node], old: tuple[Node, ...]) -> bool:
    return len(new) == len(old) and all(a is b for a, b in zip(new, old, strict=True))


def render_file(text: Source, scope: Scope, asked: Span) -> str | None:
    """Give a .j2 file's text, or None with a finding at its line; `asked` is where the stack names the file."""

    def render() -> str:
        template, used = compile_file(text.text)
        return str(template.render(scope.names_for(used)))

    try:
        return guarded(render, scope)  # type: ignore[no-any-return]
    except Fault as fault:
        if fault.node is not None:
            report(fault, Scalar("", asked), scope)
            return None
        if "no loader" in fault.message:
            fault.message = "a .j2 file stands alone: it includes, imports and extends no other"
            fault.help = "write it in one file, or give the parts that differ as variables"
        if fault.code == "expression-syntax":
            fault.message = fault.message.replace("a Jinja expression", "a Jinja template")
            fault.help = "what is no expression stands between {% raw %} and {% endraw %}, or in a file without .j2"
        scope.failed = True
        line = fault.line or _line_of_fault(fault, text.text)
        asking = (Related("the file is copied here", asked),)
        tell(fault, text.line(line), scope, lambda word: _place_in_file(text, line, word), asking)
        return None


def _place_in_file(text: Source, line: int, word: str | None) -> Span:
    """Point at the expression of a line that holds a word, else at the line."""
    content = text.line(line)
    for match in EXPRESSION.finditer(content):
        if word is None or re.search(rf"\b{re.escape(word)}\b", match[0]):
            return Span(text, line, match.start() + 1, line, match.end() + 1)
    first = len(content) - len(content.lstrip())
    return Span(text, line, first + 1, line, max(first + 2, len(content.rstrip()) + 1))


def _line_of_fault(fault: Fault, text: str) -> int:
    """Give the line of a .j2 file where a fault arose: Jinja's traceback says it; else the first use of the name."""
    trace = (fault.__cause__ or fault).__traceback__
    line = None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    if line is not None:
        return line
    name = re.match(r'"(\w+)"', fault.message)
    if name:
        for number, content in enumerate(text.split("\n"), 1):
            if "{" in content and re.search(rf"\b{re.escape(name[1])}\b", content):
                return number
    return 1
