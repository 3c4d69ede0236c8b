"""A relative WORKDIR where none stands above: it starts at /, or wherever the outside image left it."""

from __future__ import annotations

from stackgen.docker.instructions import Workdir
from stackgen.lint.rule import ImageRule, Say, Subject


def _check(subject: Subject, say: Say) -> None:
    if subject.before.working_dir:
        return
    for placed in subject.placed():
        if isinstance(placed.instruction, Workdir):
            path = placed.instruction.path.strip('"')
            if not path.startswith(("/", "$")):
                known = "no WORKDIR stands" if subject.compiled.known else "no WORKDIR that anybody knows stands"
                say(f'{known} above the relative "{path}"', placed.span, f"write it from the root: /{path}")
            return


RULE = ImageRule(code="relative-workdir", severity="warning", check=_check)
