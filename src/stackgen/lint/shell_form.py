"""A shell in front of the program gets the stop signal, and does not hand it on."""

from __future__ import annotations

from stackgen.docker.instructions import Cmd, Entrypoint, ShellForm
from stackgen.lint.rule import ImageRule, Say, Subject


def _check(subject: Subject, say: Say) -> None:
    for placed in subject.placed():
        instruction = placed.instruction
        if isinstance(instruction, Entrypoint | Cmd) and isinstance(instruction.command, ShellForm):
            text = instruction.command.text
            if text and not text.startswith("exec "):
                key = "entrypoint" if isinstance(instruction, Entrypoint) else "cmd"
                say(
                    f"`{key}` as a text runs under a shell, which keeps the stop signal to itself",
                    placed.span,
                    f"write a list: [{', '.join(text.split()[:2])}, …]; or begin the text with exec",
                )


RULE = ImageRule(code="shell-form", severity="warning", check=_check)
