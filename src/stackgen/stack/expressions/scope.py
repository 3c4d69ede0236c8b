"""The names that an expression sees, and its value among them: each makes use of the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import jinja2

from stackgen.diagnostics import Findings, Related, Span, did_you_mean, suggestion
from stackgen.read import shape, source
from stackgen.read.source import Node, Scalar, Sequence
from stackgen.stack.expressions.environment import compile_value, shown
from stackgen.stack.expressions.faults import EXPRESSION, Facts, Fault, missing_member

_DOTTED = re.compile(r"\{\{\s*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*\}\}")
_WHOLE = re.compile(r"(\s*)\{\{-?((?:(?!\}\}|\{\{).)*?)-?\}\}(\s*)", re.DOTALL)
_UNDEFINED_NAME = re.compile(r"'(\w+)' is undefined")
_UNDEFINED_MEMBER = re.compile(r"has no attribute '(\w+)'|has no element '?(\w+)'?")


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
        inside = " ".join(EXPRESSION.findall(text))
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


def calculate(text: str, scope: Scope) -> Any:
    """Give the value of a text with expressions in it: a whole expression keeps its type."""
    dotted = _DOTTED.fullmatch(text)
    if dotted:
        first, *rest = dotted[1].split(".")
        value = scope.lookup(first)
        for part in rest:
            if not isinstance(value, Mapping) or part not in value:
                if isinstance(value, Facts):
                    raise missing_member(value, part)
                known = value if isinstance(value, Mapping) else ()
                raise Fault("undefined-name", f'"{first}" has no member "{part}"', suggestion(part, known))
            first, value = f"{first}.{part}", value[part]
        return value
    whole = _WHOLE.fullmatch(text)
    made, used = compile_value(whole[2] if whole else text, whole is not None)
    value = made(**scope.names_for(used))
    if isinstance(value, jinja2.Undefined):
        if value._undefined_name is None:
            raise _no_else()
        raise scope.undefined(value._undefined_name)
    if whole and (whole[1] or whole[3]) and isinstance(value, str | int | float):
        # The last newline of a text is the text's.
        return f"{whole[1]}{shown(value)}{whole[3]}"
    return value


def _no_else() -> Fault:
    return Fault(
        "undefined-name",
        "an `if` without `else` gives nothing here",
        "add what it is otherwise: `else ''`, or `else none` for a value that is not written",
    )


def guarded(calculate: Callable[[], Any], scope: Scope) -> Any:
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
            raise _no_else() from error
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
            return to_node(guarded(lambda: calculate(node.text, scope), scope), node.span)
        except Fault as fault:
            fault.node = fault.node or node
            raise
    if isinstance(node, Sequence):
        return replace(node, items=tuple(evaluate_strictly(item, scope) for item in node.items))
    return replace(node, values={key: evaluate_strictly(value, scope) for key, value in node.values.items()})
