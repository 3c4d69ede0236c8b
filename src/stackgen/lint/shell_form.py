"""A shell in front of the program gets the stop signal, and does not hand it on.

https://docs.docker.com/reference/build-checks/json-args-recommended/
"""

from __future__ import annotations

import json
import re
import shlex

from stackgen.docker.instructions import Cmd, Entrypoint, ShellForm
from stackgen.lint.rule import ImageRule, Say, Subject

_EXEC = re.compile(r"(?:^|&&|;|\n)\s*exec\s")
_NEEDS_A_SHELL = re.compile(r"[$`&|;<>*?()\n~]|(?<!\S)[A-Za-z_]\w*=")


def _cure(key: str, text: str) -> str:
    """Say what to type: the list that means the same, or, of what needs a shell, an exec before its last command."""
    try:
        words = shlex.split(text)
    except ValueError:
        words = []
    if not words or _NEEDS_A_SHELL.search(text):
        return "write exec before the last of its commands, so that the shell becomes it"
    shown = (word if re.fullmatch(r"[\w./=-]+", word) else json.dumps(word, ensure_ascii=False) for word in words)
    return f"write a list: {key}: [{', '.join(shown)}]"


def _check(subject: Subject, say: Say) -> None:
    """Who says a SHELL wants one."""
    if subject.compiled.config.shell is not None:
        return
    for placed in subject.placed():
        instruction = placed.instruction
        if isinstance(instruction, Entrypoint | Cmd) and isinstance(instruction.command, ShellForm):
            text = instruction.command.text
            if text and not _EXEC.search(text):
                key = "entrypoint" if isinstance(instruction, Entrypoint) else "cmd"
                say(
                    f"`{key}` as a text runs under a shell, which keeps the stop signal to itself",
                    placed.span,
                    _cure(key, text),
                )


RULE = ImageRule(code="shell-form", severity="warning", check=_check)
