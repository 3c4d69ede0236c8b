"""The sandboxed, strict Jinja environment of values and of .j2 files.

A name that nobody defined is a fault at the expression that uses it; it never becomes blank. Variables are lazy:
one is evaluated where it is first used, in the scope of the image that uses it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import jinja2
from jinja2 import meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from stackgen.diagnostics import Findings, Related, Source, Span, did_you_mean, suggestion
from stackgen.read import shape, source
from stackgen.read.source import Node, Scalar, Sequence

_DOTTED = re.compile(r"\{\{\s*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*\}\}")
_WHOLE = re.compile(r"(\s*)\{\{-?((?:(?!\}\}|\{\{).)*?)-?\}\}(\s*)", re.DOTALL)
_ELSE = "add what it is otherwise: `else ''`, or `else none` for a value that is not written"
_UNDEFINED_NAME = re.compile(r"'(\w+)' is undefined")
_UNDEFINED_MEMBER = re.compile(r"has no attribute '(\w+)'|has no element '?(\w+)'?")


class Fault(Exception):
    """An expression cannot be evaluated: what a finding says of it, and the line in a .j2 file."""

    def __init__(
        self,
        code: str,
        message: str,
        help: str | None = None,
        line: int | None = None,
        related: tuple[Related, ...] = (),
        topic: tuple[str, ...] | None = None,
    ) -> None:
        self.code = code
        self.message = message
        self.help = help
        self.line = line
        self.related = related
        self.topic = topic
        self.node: Scalar | None = None
        """The scalar whose expression it is, where that is another than the one that was asked for."""
        super().__init__(message)


class _NoText(Fault):
    """A value that has no text stands where a text is made."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.kind = "null" if value is None else "a map" if isinstance(value, Mapping) else "a list"
        super().__init__("expression-fails", f"the expression gives {self.kind}, which has no text", self.cure("it"))

    def cure(self, name: str) -> str:
        """Say what to write instead."""
        if self.value is None:
            return "write what it is then: or ''"
        return f"take a member: {{{{ {name}.key }}}}" if self.kind == "a map" else f"{{{{ {name} | join(' ') }}}}"


class Facts(dict[str, Any]):
    """A name with members, such as `distro`; `about` says whose they are when one is missing.

    `key` is the key of a stack that sets them.
    """

    def __init__(self, about: str, members: Mapping[str, Any], key: str | None = None) -> None:
        super().__init__(members)
        self.about = about
        self.key = key


# No stack needs a longer text or list, or a larger power; a slip must not eat the machine.
MOST_TIMES = 100_000
MOST_POWER = 1_000


class _Environment(ImmutableSandboxedEnvironment):
    """Members of a map come before its methods, so that a fact may be called `items`."""

    intercepted_binops = frozenset(("*", "**"))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        numbers = [abs(each) for each in (left, right) if isinstance(each, int)]
        if operator == "**" and numbers and max(numbers) > MOST_POWER:
            raise Fault("expression-fails", f"the expression fails: no power above {MOST_POWER}")
        if operator == "*" and len(numbers) == 1 and numbers[0] > MOST_TIMES and not isinstance(left, float):
            raise Fault("expression-fails", f"the expression fails: nothing is repeated {MOST_TIMES} times")
        return super().call_binop(context, operator, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, Facts):
            raise _missing_member(obj, attribute)
        return super().getattr(obj, attribute)


def _missing_member(facts: Facts, name: str) -> Fault:
    close = did_you_mean(name, facts)
    known = ", ".join(sorted(facts)) or "nothing"
    return Fault(
        "undefined-name",
        f'"{name}" is not among {facts.about}',
        f'did you mean "{close}"?' if close else f"known there: {known}",
        topic=("no-member", facts.key, name) if facts.key else None,
    )


def _shown(value: Any) -> Any:
    """Give a value as it stands inside a text: YAML's true and false; null, lists and maps have no text."""
    if value is None or isinstance(value, list | tuple | Mapping):
        raise _NoText(value)
    return ("true" if value else "false") if isinstance(value, bool) else value


def _environment(**options: Any) -> _Environment:
    return _Environment(
        undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False, finalize=_shown, **options
    )


# `${#list[@]}` is shell, so nothing that a shell line may hold begins a comment in a value.
_VALUES = _environment(comment_start_string="\0{#", comment_end_string="#}\0")
_FILES = _environment(trim_blocks=True, lstrip_blocks=True)

_compiled: dict[tuple[str, bool], tuple[Any, frozenset[str]]] = {}


def _compile(text: str, whole: bool) -> tuple[Any, frozenset[str]]:
    """Compile a value's text once: to an expression, or to a template; with the names that it uses."""
    key = (text, whole)
    if key not in _compiled:
        wrapped = "{{ " + text + " }}" if whole else text
        used = frozenset(meta.find_undeclared_variables(_VALUES.parse(wrapped)))
        made = _VALUES.compile_expression(text, undefined_to_none=False) if whole else _VALUES.from_string(text).render
        _compiled[key] = (made, used)
    return _compiled[key]


@cache
def _compile_file(text: str) -> tuple[jinja2.Template, frozenset[str]]:
    """Compile a .j2 file once, however many images copy it; with the names that it uses."""
    return _FILES.from_string(text), frozenset(meta.find_undeclared_variables(_FILES.parse(text)))


class Scope:
    """The names that an image's expressions see: facts, and variables evaluated on first use."""

    def __init__(
        self,
        variables: Mapping[str, Node],
        facts: Mapping[str, Callable[[], Any]],
        findings: Findings,
        used: set[str] | None = None,
        places: Mapping[str, Span] | None = None,
        hidden: Callable[[str], tuple[Related, ...]] | None = None,
    ) -> None:
        self.variables = variables
        self.facts = facts
        self.findings = findings
        self.used = used if used is not None else set()
        self.places = places or {}
        """Where each variable is set."""
        self.hidden = hidden
        """Where a variable is set that is none here: the branches of `when` that do not hold."""
        self.failed = False
        """Whether an expression could not be evaluated: what is made of it is not known."""
        self._values: dict[str, Any] = {}
        self._open: list[str] = []

    def with_facts(self, **facts: Callable[[], Any]) -> Scope:
        """Give this scope with more facts; variables are evaluated anew, since they may use them."""
        return Scope(self.variables, {**self.facts, **facts}, self.findings, self.used, self.places, self.hidden)

    def names(self) -> tuple[str, ...]:
        """Give every name that an expression may use."""
        return (*self.facts, *self.variables)

    def __contains__(self, name: str) -> bool:
        return name in self.facts or name in self.variables

    def lookup(self, name: str) -> Any:
        """Give a name's value. Raises Fault where it is not defined, or is made of itself."""
        if name in self.variables:
            return self._variable(name)
        if name in self.facts:
            if name not in self._values:
                self._values[name] = self.facts[name]()
            return self._values[name]
        raise self.undefined(name)

    def undefined(self, name: str) -> Fault:
        """Give the fault for a name that nobody defines."""
        if name == "image":
            return Fault("undefined-name", '"image" is known in .j2 files only', "write what is meant, or a variable")
        hidden = self.hidden(name) if self.hidden else ()
        close = did_you_mean(name, self.names())
        if close:
            help = f'did you mean "{close}"?'
        elif hidden:
            help = "set it under vars: for all others"
        else:
            help = f"define it under vars:, or give it with --set {name}=…"
        related = (*self.set_here(close or ""), *hidden)
        return Fault("undefined-name", f'"{name}" is not defined', help, None, related, ("undefined-name", name))

    def set_here(self, *names: str) -> tuple[Related, ...]:
        """Give the places where variables are set."""
        return tuple(Related(f'"{name}" is set here', self.places[name]) for name in names if name in self.places)

    def names_in(self, text: str) -> list[str]:
        """Give the variables that the expressions of a text name, in its order."""
        inside = " ".join(re.findall(r"\{[{%].*?[}%]\}", text, re.DOTALL))
        words = re.findall(r"(?<![\w.'\"])[A-Za-z_]\w*", inside)
        return [name for name in dict.fromkeys(words) if name in self.variables]

    def was(self, name: str, value: Any) -> bool:
        """Whether a variable was evaluated, and to this value."""
        return name in self._values and bool(self._values[name] == value)

    def had(self, name: str, value: Any) -> bool:
        """Whether a variable was evaluated, and to a list or a map that holds this value."""
        whole = self._values.get(name)
        parts = whole.values() if isinstance(whole, Mapping) else whole if isinstance(whole, list) else ()
        return any(part == value for part in parts)

    def _variable(self, name: str) -> Any:
        self.used.add(name)
        if name not in self._values:
            if name in self._open:
                path = " -> ".join([*self._open[self._open.index(name) :], name])
                raise Fault("variable-cycle", f"the variable is made of itself: {path}")
            self._open.append(name)
            try:
                self._values[name] = shape.plain(evaluate_strictly(self.variables[name], self))
            finally:
                self._open.pop()
        return self._values[name]

    def names_for(self, used: frozenset[str]) -> dict[str, Any]:
        """Give the values of those names that are defined; a use of the others is for Jinja to find."""
        return {name: self.lookup(name) for name in used if name in self}


def to_node(value: Any, span: Span) -> Node:
    """Give an expression's value as a node at the place of the expression. Raises Fault for what no YAML says."""
    if value is None:
        return Scalar("", span, plain=True)
    if isinstance(value, bool):
        return Scalar("true" if value else "false", span, plain=True)
    if isinstance(value, int | float):
        return Scalar(repr(value), span, plain=True)
    if isinstance(value, str):
        return Scalar(str(value), span, tag="!unsafe")
    if isinstance(value, list | tuple):
        return Sequence(tuple(to_node(item, span) for item in value), span)
    if isinstance(value, Mapping):
        values = {str(key): to_node(item, span) for key, item in value.items()}
        return source.Mapping(values, dict.fromkeys(values, span), span)
    raise Fault("wrong-value", f"the expression gives {type(value).__name__}, not a text, a number, a list or a map")


def _calculate(text: str, scope: Scope) -> Any:
    """Give the value of a text with expressions in it: a whole expression keeps its type."""
    dotted = _DOTTED.fullmatch(text)
    if dotted:
        first, *rest = dotted[1].split(".")
        value = scope.lookup(first)
        for part in rest:
            if not isinstance(value, Mapping) or part not in value:
                if isinstance(value, Facts):
                    raise _missing_member(value, part)
                known = value if isinstance(value, Mapping) else ()
                raise Fault("undefined-name", f'"{first}" has no member "{part}"', suggestion(part, known))
            first, value = f"{first}.{part}", value[part]
        return value
    whole = _WHOLE.fullmatch(text)
    made, used = _compile(whole[2] if whole else text, whole is not None)
    value = made(**scope.names_for(used))
    if isinstance(value, jinja2.Undefined):
        if value._undefined_name is None:
            raise Fault("undefined-name", "an `if` without `else` gives nothing here", _ELSE)
        raise scope.undefined(value._undefined_name)
    if whole and (whole[1] or whole[3]) and isinstance(value, str | int | float):
        # The last newline of a text is the text's.
        return f"{whole[1]}{_shown(value)}{whole[3]}"
    return value


def _guarded(calculate: Callable[[], Any], scope: Scope) -> Any:
    """Run Jinja; whatever it raises becomes a Fault."""
    try:
        return calculate()
    except Fault:
        raise
    except jinja2.UndefinedError as error:
        message = error.message or ""
        name = _UNDEFINED_NAME.search(message)
        if name:
            raise scope.undefined(name[1]) from error
        if "no else section" in message:
            raise Fault("undefined-name", "an `if` without `else` gives nothing here", _ELSE) from error
        member = _UNDEFINED_MEMBER.search(message)
        raise Fault(
            "undefined-name", f'"{member[1] or member[2]}" is no member of what stands before it' if member else message
        ) from error
    except jinja2.TemplateSyntaxError as error:
        raise Fault(
            "expression-syntax",
            f"not a Jinja expression: {error.message}",
            "a text that is no expression is written with !unsafe before it",
            error.lineno,
        ) from error
    except jinja2.TemplateError as error:
        raise Fault("expression-fails", f"the expression fails: {error}") from error
    except (
        ArithmeticError,
        TypeError,
        ValueError,
        LookupError,
        AttributeError,
        RecursionError,
        MemoryError,
    ) as error:
        mixed = isinstance(error, TypeError) and "str" in str(error)
        help = "a text becomes a number by `| int`, a number a text by `| string`" if mixed else None
        raise Fault("expression-fails", f"the expression fails: {error or type(error).__name__}", help) from error


def evaluate_strictly(node: Node, scope: Scope) -> Node:
    """Give a node with every expression evaluated. Raises Fault at the first that cannot be."""
    if isinstance(node, Scalar):
        if not shape.has_expression(node):
            return node
        try:
            return to_node(_guarded(lambda: _calculate(node.text, scope), scope), node.span)
        except Fault as fault:
            fault.node = fault.node or node
            raise
    if isinstance(node, Sequence):
        return replace(node, items=tuple(evaluate_strictly(item, scope) for item in node.items))
    return replace(node, values={key: evaluate_strictly(value, scope) for key, value in node.values.items()})


def evaluate(node: Node, scope: Scope) -> Node | None:
    """Give a node with every expression evaluated; what gives null is left out, what cannot be evaluated stays.

    Findings: undefined-name, variable-cycle, expression-syntax, expression-fails, wrong-value, needs-distro.
    """
    if isinstance(node, Scalar):
        if not shape.has_expression(node):
            return node
        try:
            value = _guarded(lambda: _calculate(node.text, scope), scope)
            return None if value is None else to_node(value, node.span)
        except Fault as fault:
            _report(fault, node, scope)
            return node
    if isinstance(node, Sequence):
        items = [evaluated for item in node.items if (evaluated := evaluate(item, scope)) is not None]
        return node if _same(items, node.items) else replace(node, items=tuple(items))
    values = {key: evaluated for key, value in node.values.items() if (evaluated := evaluate(value, scope)) is not None}
    unchanged = len(values) == len(node.values) and _same(list(values.values()), tuple(node.values.values()))
    return node if unchanged else replace(node, values=values)


def _same(new: list[Node], old: tuple[Node, ...]) -> bool:
    return len(new) == len(old) and all(a is b for a, b in zip(new, old, strict=True))


def _report(fault: Fault, node: Scalar, scope: Scope) -> None:
    """Report a fault where its expression stands: a variable's own place, for one that is in a variable."""
    scope.failed = True
    at = fault.node or node
    used = () if at is node else (Related("the variable is used here", _expression_span(node, None)),)
    _tell(fault, at.text, scope, lambda word: _expression_span(at, word, scope), used)


def _tell(
    fault: Fault, text: str, scope: Scope, place: Callable[[str | None], Span], related: tuple[Related, ...]
) -> None:
    """Keep the finding of a fault in a text, with the variables that it comes from."""
    message, help, topic = fault.message, fault.help, fault.topic
    sources = fault.related
    if fault.topic is None and fault.code in ("expression-fails", "undefined-name"):
        names = scope.names_in(text)
        if fault.code == "expression-fails" and len(names) == 1:
            topic = ("fails-with", names[0])
        if isinstance(fault, _NoText):
            blamed = [name for name in names if scope.was(name, fault.value)][:1]
            if blamed:
                message, help = f'"{blamed[0]}" is {fault.kind}, which has no text', fault.cure(blamed[0])
                topic = ("value-of", blamed[0])
            names = blamed or [name for name in scope.used if scope.had(name, fault.value)] or names
        sources = (*sources, *scope.set_here(*names[:2]))
    named = re.match(r'"(\w+)"', message)
    span = place(named[1] if named else None)
    scope.findings.error(fault.code, message, span, help=help, related=(*sources, *related), topic=topic)


_EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


def _expression_span(node: Scalar, word: str | None, scope: Scope | None = None) -> Span:
    """Point at the first expression that holds a word, or else that fails; at the whole scalar where none does."""
    span = node.span
    lines = [span.source.line(number) for number in range(span.line, span.end_line + 1)]
    lines[-1] = lines[-1][: span.end_column - 1]
    text = " " * (span.column - 1) + lines[0][span.column - 1 :] + "".join(f"\n{line}" for line in lines[1:])
    found = list(_EXPRESSION.finditer(text))
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
        _guarded(lambda: _calculate(f"{expression} ", scope), scope)
    except Fault as fault:
        return fault.code != "expression-syntax"
    return False


def render_file(text: Source, scope: Scope, asked: Span) -> str | None:
    """Give a .j2 file's text, or None with a finding at its line; `asked` is where the stack names the file."""

    def calculate() -> str:
        template, used = _compile_file(text.text)
        return str(template.render(scope.names_for(used)))

    try:
        return _guarded(calculate, scope)  # type: ignore[no-any-return]
    except Fault as fault:
        if fault.node is not None:
            _report(fault, Scalar("", asked), scope)
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
        _tell(fault, text.line(line), scope, lambda word: _place_in_file(text, line, word), asking)
        return None


def _place_in_file(text: Source, line: int, word: str | None) -> Span:
    """Point at the expression of a line that holds a word, else at the line."""
    content = text.line(line)
    for match in re.finditer(r"\{[{%].*?[}%]\}", content):
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
