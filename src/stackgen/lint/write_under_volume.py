"""What a build writes under a path that is a VOLUME already.

The classic builder loses it; BuildKit keeps it (https://docs.docker.com/reference/dockerfile/#notes-about-specifying-volumes),
but a container with an older volume of that name does not see it.
"""

from __future__ import annotations

from stackgen.docker.instructions import Add, Copy, Run, ShellForm
from stackgen.lint.rule import ImageRule, Say, Subject


def _check(subject: Subject, say: Say) -> None:
    volumes = [path for path in subject.before.volumes if path != "/"]
    for placed in subject.placed():
        instruction = placed.instruction
        if isinstance(instruction, Copy | Add):
            written = [
                path for path in volumes if f"{instruction.dest.rstrip('/')}/".startswith(f"{path.rstrip('/')}/")
            ]
        elif isinstance(instruction, Run):
            command = instruction.command
            text = command.text if isinstance(command, ShellForm) else " ".join(command.argv)
            written = [path for path in volumes if path in text]
        else:
            continue
        for path in written:
            say(
                f"{path} is a VOLUME of an image above: what is written there now is lost under the classic builder, "
                "and under BuildKit hidden by a volume that exists already",
                placed.span,
                "write it when the container starts, or put it elsewhere",
            )


RULE = ImageRule(code="write-under-volume", severity="warning", check=_check)
