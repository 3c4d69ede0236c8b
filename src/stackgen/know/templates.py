"""Our templates, with a user's over them: an environment that knows no stack and reads only these folders."""

from __future__ import annotations

import json
import posixpath
import re
import shlex
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from jinja2.exceptions import TemplateError, TemplateSyntaxError, UndefinedError

from stackgen.diagnostics import Source
from stackgen.read.inputs import InputError, Inputs
from stackgen.resources import TEMPLATES

# A user's template of the same name extends ours under this prefix.
OURS = "stackgen/"

_SHIPPED = Inputs(TEMPLATES)


class TemplateFault(Exception):
    """A user's template cannot be rendered: its name, the line, and why."""

    def __init__(self, name: str, line: int, reason: str) -> None:
        self.name = name
        self.line = line
        self.reason = reason
        super().__init__(f"{name}:{line}: {reason}")


def _environment(load: Callable[[str], tuple[str, str, None] | None]) -> Environment:
    environment = Environment(
        loader=FunctionLoader(load),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["json"] = _json
    environment.filters["dirname"] = posixpath.dirname
    environment.filters["yamlword"] = yaml_word
    environment.filters["shellword"] = shlex.quote
    return environment


def _load_from(places: Sequence[Inputs], name: str) -> tuple[str, str, None] | None:
    """Give a template's text and name from the first place that has it."""
    path = name.removeprefix(OURS)
    for place in (*(() if name.startswith(OURS) else places), _SHIPPED):
        if place.is_file(path):
            try:
                return place.read(path).decode("utf-8"), name, None
            except InputError:
                return None
    return None


@cache
def _shipped_environment() -> Environment:
    """Give the environment of our own templates, which compiles each of them once in a process."""
    return _environment(lambda name: _load_from((), name))


class Templates:
    """Renders templates by name, from the first folder that has one; ours come last."""

    def __init__(self, own: Sequence[Inputs] = ()) -> None:
        self.own = tuple(own)
        self._environment = _environment(self._load) if self.own else _shipped_environment()

    def _load(self, name: str) -> tuple[str, str, None] | None:
        return _load_from(self.own, name)

    def overrides(self, folder: str) -> bool:
        """Whether a user's templates replace any of ours in a folder."""
        return any(place.is_folder(folder) for place in self.own)

    def own_sources(self, folder: str) -> tuple[Source, ...]:
        """Give a user's templates that replace any of ours in a folder."""
        found: list[Source] = []
        for place in self.own:
            for name in place.listing(folder) if place.is_folder(folder) else ():
                path = f"{folder}/{name}"
                if place.is_file(path):
                    found.append(Source(path, place.read(path).decode("utf-8", "replace"), place.root))
        return tuple(found)

    def has(self, name: str) -> bool:
        """Whether a template is there."""
        return any(place.is_file(name) for place in (*self.own, _SHIPPED))

    def render(self, name: str, /, **names: Any) -> str:
        """Give a template's text. Raises TemplateFault."""
        try:
            return self._environment.get_template(name).render(names)
        except TemplateSyntaxError as error:
            raise TemplateFault(error.name or name, error.lineno, error.message or "syntax") from None
        except (UndefinedError, TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise TemplateFault(*_innermost(error, name), _reason(error)) from None


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _innermost(error: Exception, name: str) -> tuple[str, int]:
    """Give the template and line where an error arose: Jinja rewrites the traceback to say so."""
    place = (name, 1)
    trace = error.__traceback__
    while trace is not None:
        filename = trace.tb_frame.f_code.co_filename
        if (
            "{%" not in filename
            and trace.tb_frame.f_code.co_name
            in (
                "top-level template code",
                "template",
            )
        ) or trace.tb_frame.f_code.co_name.startswith("block "):
            place = (filename, trace.tb_lineno)
        trace = trace.tb_next
    return place


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


# What no YAML, of 1.1 or 1.2, takes for anything but a text.
_PLAIN = re.compile(r"[A-Za-z_./][A-Za-z0-9_./-]*(?::[0-9A-Za-z_./-]*[0-9A-Za-z_./-])*")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", ".", "..", "---", "..."})
# JSON leaves these as they are, and YAML does not print them.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")


def yaml_word(value: Any) -> str:
    """Give a scalar as YAML: a text without quotes where it can only be a text, else in JSON's quotes."""
    if isinstance(value, str):
        plain = (
            _PLAIN.fullmatch(value) and value.lower() not in _WORDS and not value.lower().startswith((".inf", ".nan"))
        )
        quoted = json.dumps(value, ensure_ascii=False)
        return value if plain else _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
    return json.dumps(value)
