"""A fault as a finding: at its expression, with the variables that it comes from."""

from __future__ import annotations

import re
from collections.abc import Callable

from stackgen.diagnostics import Related, Span
from stackgen.read.source import Scalar
from stackgen.stack.expressions.faults import EXPRESSION, Fault, NoText
from stackgen.stack.expressions.scope import Scope, calculate, guarded


def report(fault: Fault, node: Scalar, scope: Scope) -> None:
    """Report a fault where its expression stands: a variable's own place, for one that is in a variable."""
    scope.failed = True
    at = fault.node or node
    used = () if at is node else (Related("the variable is used here", expression_span(node, None)),)
    tell(fault, at.text, scope, lambda word: expression_span(at, word, scope), used)


def tell(
    fault: Fault, text: str, scope: Scope, place: Callable[[str | None], Span], related: tuple[Related, ...]
) -> None:
    """Keep the finding of a fault in a text, with the variables that it comes from."""
    message, help, topic = fault.message, fault.help, fault.topic
    sources = fault.related
    if fault.topic is None and fault.code in ("expression-fails", "undefined-name"):
        names = scope.names_in(text)
        if fault.code == "expression-fails" and len(names) == 1:
            topic = ("fails-with", names[0])
        if isinstance(fault, NoText):
            blamed = [name for name in names if scope.was(name, fault.value)][:1]
            if blamed:
                message, help = f'"{blamed[0]}" is {fault.kind}, which has no text', fault.cure(blamed[0])
                topic = ("value-of", blamed[0])
            names = blamed or [name for name in scope.used if scope.had(name, fault.value)] or names
        sources = (*sources, *scope.set_here(*names[:2]))
    named = re.match(r'"(\w+)"', message)
    span = place(named[1] if named else None)
    scope.findings.error(fault.code, message, span, help=help, related=(*sources, *related), topic=topic)


def expression_span(node: Scalar, word: str | None, scope: Scope | None = None) -> Span:
    """Point at the first expression that holds a word, or else that fails; at the whole scalar where none does."""
    span = node.span
    lines = [span.source.line(number) for number in range(span.line, span.end_line + 1)]
    lines[-1] = lines[-1][: span.end_column - 1]
    text = " " * (span.column - 1) + lines[0][span.column - 1 :] + "".join(f"\n{line}" for line in lines[1:])
    found = list(EXPRESSION.finditer(text))
    named = [each for each in found if word is None or re.search(rf"\b{re.escape(word)}\b", each[0])]
    if word is None and scope is not None and len(found) > 1:
        named = [each for each in found if _fails(each[0], scope)] or named
    if not named:
        return span
    first, last = _at(text, named[0].start()), _at(text, named[0].end())
    return Span(span.source, span.line + first[0], first[1] + 1, span.line + last[0], last[1] + 1)


def _at(text: str, index: int) -> tuple[int, int]:
    """Give the line and column of an index, counted from 0."""
    return text.count("\n", 0, index), index - (text.rfind("\n", 0, index) + 1)


def _fails(expression: str, scope: Scope) -> bool:
    """Whether an expression alone fails."""
    try:
        guarded(lambda: calculate(f"{expression} ", scope), scope)
    except Fault as fault:
        return fault.code != "expression-syntax"
    return False
