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
from jinja2.exceptions import TemplateError, TemplateNotFound, TemplateSyntaxError

from stackgen.diagnostics import Findings, Related, Source, Span
from stackgen.read.inputs import InputError, Inputs
from stackgen.resources import TEMPLATES

# A user's template of the same name extends ours under this prefix.
OURS = "stackgen/"

_SHIPPED = Inputs(TEMPLATES)


class TemplateFault(Exception):
    """A user's template cannot be rendered: its name, the line, and why.

    `places` are the lines of the user's own templates that lead there, the innermost first.
    """

    def __init__(self, name: str, line: int, reason: str, places: tuple[Span, ...] = ()) -> None:
        self.name = name
        self.line = line
        self.reason = reason
        self.places = places
        super().__init__(f"{name}:{line}: {reason}")

    def tell(self, findings: Findings, asked: Span | None) -> None:
        """Keep the finding: at the line of the template, with the place in the stack that asks for it."""
        if not self.places:
            message = f"template {self.name}, line {self.line}: {self.reason}"
            findings.error("template-fails", message, asked)
            return
        where, *outer = self.places
        related = [Related("included here", span) for span in outer]
        related += [Related("asked for here", asked)] if asked else []
        findings.error("template-fails", f"the template fails: {self.reason}", where, related=related)


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
    environment.filters["shellvalue"] = _shell_value
    return environment


def _shell_value(text: str) -> str:
    """Give a word of a shell's command in which a `$` keeps its meaning, as in any value of a RUN."""
    if "$" not in text and "'" not in text:
        return shlex.quote(text)
    inside = re.sub(r'["`]|\\(?!\$)', lambda found: f"\\{found[0]}", text)
    return f'"{inside}"'


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
            way = [*self._way(error, name), (error.name or name, error.lineno)]
            raise self._fault(way, error.message or "syntax") from None
        except _FAILING as error:
            raise self._fault(self._way(error, name) or [(name, 1)], _reason(error)) from None

    def _fault(self, way: list[tuple[str, int]], reason: str) -> TemplateFault:
        # Of each template its innermost line: that one extends another says nothing of the fault.
        lines = dict(way)
        spans = (self._line(name, lines[name]) for name in dict.fromkeys(name for name, _ in reversed(way)))
        return TemplateFault(*way[-1], reason, tuple(span for span in spans if span is not None))

    def _way(self, error: Exception, name: str) -> list[tuple[str, int]]:
        """Give the templates and lines that lead to an error: Jinja rewrites the traceback to say so."""
        way: list[tuple[str, int]] = []
        trace = error.__traceback__
        while trace is not None:
            file = trace.tb_frame.f_code.co_filename
            if file == name or (not file.endswith(".py") and self.has(file.removeprefix(OURS))):
                way.append((file, trace.tb_lineno))
            trace = trace.tb_next
        return way

    def _line(self, name: str, line: int) -> Span | None:
        """Give a line of a user's own template; None where it is ours."""
        place = next((place for place in self.own if place.is_file(name)), None)
        if place is None or name.startswith(OURS):
            return None
        text = place.read(name).decode("utf-8", "replace")
        source = Source(name, text, place.root)
        line = min(max(line, 1), text.count("\n") + 1)
        content = source.line(line)
        first = len(content) - len(content.lstrip())
        return Span(source, line, first + 1, line, max(first + 2, len(content.rstrip()) + 1))


_FAILING = (
    TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError, MemoryError,
)  # fmt: skip


def _reason(error: Exception) -> str:
    if isinstance(error, TemplateNotFound):
        return f'no template is called "{error}"'
    if isinstance(error, RecursionError):
        return "templates include each other without end"
    undefined = re.fullmatch(r"'(\w+)' is undefined", str(error))
    return f'"{undefined[1]}" is not defined' if undefined else str(error) or type(error).__name__


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
