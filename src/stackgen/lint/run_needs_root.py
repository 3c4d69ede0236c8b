"""A command that needs root, run as another user."""

from __future__ import annotations

import re

from stackgen.docker.instructions import Run, ShellForm, User
from stackgen.lint.rule import ImageRule, Say, Subject
from stackgen.stack.lower.emitter import ROOT_USERS

_NEEDS_ROOT = re.compile(
    r"(?:^|&&|;|\|\||\n)\s*(apt-get|apt|yum|dnf|microdnf|apk|rpm|dpkg|useradd|usermod|groupadd|adduser|addgroup"
    r"|chown|update-ca-certificates|update-ca-trust|ldconfig|systemctl)\b"
)


def _check(subject: Subject, say: Say) -> None:
    user = subject.before.user
    for placed in subject.placed():
        instruction = placed.instruction
        if isinstance(instruction, User):
            user = instruction.user
        elif isinstance(instruction, Run) and user not in ROOT_USERS and placed.span is not None:
            text = (
                instruction.command.text if isinstance(instruction.command, ShellForm) else instruction.command.argv[-1]
            )
            found = _NEEDS_ROOT.search(text)
            if found:
                say(
                    f"{found[1]} needs root, and this runs as {user}",
                    placed.span,
                    "run: [{sh: …, user: root}]; or use `packages`, which knows",
                )


RULE = ImageRule(code="run-needs-root", severity="warning", check=_check)
