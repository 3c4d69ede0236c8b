"""The sandboxed, strict Jinja environments of values and of .j2 files, and what is compiled in them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import jinja2
from jinja2 import meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from stackgen.stack.expressions.faults import Facts, Fault, NoText, missing_member

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
            raise missing_member(obj, attribute)
        return super().getattr(obj, attribute)


def shown(value: Any) -> Any:
    """Give a value as it stands inside a text: YAML's true and false; null, lists and maps have no text."""
    if value is None or isinstance(value, list | tuple | Mapping):
        raise NoText(value)
    return ("true" if value else "false") if isinstance(value, bool) else value


def _environment(**options: Any) -> _Environment:
    return _Environment(
        undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False, finalize=shown, **options
    )


# `${#list[@]}` is shell, so nothing that a shell line may hold begins a comment in a value.
_VALUES = _environment(comment_start_string="\0{#", comment_end_string="#}\0")
_FILES = _environment(trim_blocks=True, lstrip_blocks=True)


@cache
def compile_value(text: str, whole: bool) -> tuple[Any, frozenset[str]]:
    """Compile a value's text once: to an expression, or to a template; with the names that it uses."""
    used = frozenset(meta.find_undeclared_variables(_VALUES.parse("{{ " + text + " }}" if whole else text)))
    made = _VALUES.compile_expression(text, undefined_to_none=False) if whole else _VALUES.from_string(text).render
    return made, used


@cache
def compile_file(text: str) -> tuple[jinja2.Template, frozenset[str]]:
    """Compile a .j2 file once, however many images copy it; with the names that it uses."""
    return _FILES.from_string(text), frozenset(meta.find_undeclared_variables(_FILES.parse(text)))
