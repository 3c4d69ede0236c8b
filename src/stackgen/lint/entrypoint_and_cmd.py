"""What ENTRYPOINT does to a CMD: it resets one that is inherited, and its shell form never looks at one.

https://docs.docker.com/reference/dockerfile/#understand-how-cmd-and-entrypoint-interact
"""

from __future__ import annotations

from stackgen.diagnostics import Related
from stackgen.docker.instructions import Cmd, Entrypoint, ShellForm
from stackgen.lint.rule import ImageRule, Say, Subject


def _setting(subject: Subject) -> tuple[Entrypoint | None, bool]:
    entrypoint, cmd = None, False
    for placed in subject.placed():
        if isinstance(placed.instruction, Entrypoint):
            entrypoint = placed.instruction
        cmd = cmd or isinstance(placed.instruction, Cmd)
    return entrypoint, cmd


def _resets(subject: Subject, say: Say) -> None:
    """Only a CMD that an image of the project says is missed: a base image's shell is meant to go."""
    entrypoint, cmd = _setting(subject)
    if entrypoint is None or cmd or not subject.before.cmd or subject.compiled.config.cmd:
        return
    for ancestor in subject.ancestors:
        span = ancestor.image.spans.get("cmd")
        if span is not None and ancestor.config.cmd:
            say(
                f"this entrypoint resets the CMD that {ancestor.unit.name} gives: {' '.join(subject.before.cmd)}",
                subject.span("entrypoint") or subject.span("supervisor"),
                "say the `cmd` again beside it, or `cmd: []` where none is meant",
                [Related("inherited from here", span)],
            )
            return


def _ignores(subject: Subject, say: Say) -> None:
    entrypoint, cmd = _setting(subject)
    if entrypoint is None or not isinstance(entrypoint.command, ShellForm) or not subject.compiled.config.cmd:
        return
    say(
        "an entrypoint in the shell form never sees the CMD" + ("" if cmd else " that is inherited"),
        subject.span("entrypoint"),
        "write the entrypoint as a list",
    )


RESETS = ImageRule(code="entrypoint-resets-cmd", severity="warning", check=_resets)
IGNORES = ImageRule(code="entrypoint-ignores-cmd", severity="warning", check=_ignores)
