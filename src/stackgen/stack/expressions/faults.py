"""Why an expression cannot be evaluated, and the names whose members are facts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from stackgen.diagnostics import Related, did_you_mean
from stackgen.read.source import Scalar

# An expression or a statement, with its brackets.
EXPRESSION = re.compile(r"\{[{%].*?[}%]\}", re.DOTALL)


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


class NoText(Fault):
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

    `key` is the key of a stack that sets them; `cure` is what to do where one is not known.
    """

    def __init__(
        self, about: str, members: Mapping[str, Any], *, key: str | None = None, cure: str | None = None
    ) -> None:
        super().__init__(members)
        self.about = about
        self.key = key
        self.cure = cure


def missing_member(facts: Facts, name: str) -> Fault:
    """Give the fault for a member that these facts have not."""
    close = did_you_mean(name, facts)
    known = f"known there: {', '.join(sorted(facts)) or 'nothing'}"
    return Fault(
        "undefined-name",
        f'"{name}" is not among {facts.about}',
        f'did you mean "{close}"?' if close else "; ".join(filter(None, (known, facts.cure))),
        topic=("no-member", facts.key, name) if facts.key else None,
    )
