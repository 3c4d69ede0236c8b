"""A command that needs root, run as another user."""

from __future__ import annotations

import re

from stackgen.docker.errors import ExpansionError
from stackgen.docker.instructions import Run, User
from stackgen.docker.shell import expand_word
from stackgen.lint.commands import Simple, simple_commands, text_of
from stackgen.lint.rule import ImageRule, Say, Subject
from stackgen.stack.lower.emitter import ROOT_USERS

_APT = "install reinstall remove purge update upgrade dist-upgrade full-upgrade autoremove build-dep clean"
_YUM = "install reinstall remove erase update upgrade downgrade autoremove groupinstall localinstall clean module swap"
# What changes the system, by program; None is a program that does nothing else.
_NEEDS_ROOT: dict[str, frozenset[str] | None] = {
    **dict.fromkeys(("apt-get", "apt"), frozenset(_APT.split())),
    **dict.fromkeys(("yum", "dnf", "microdnf"), frozenset(_YUM.split())),
    "apk": frozenset({"add", "del", "update", "upgrade", "fix"}),
    "zypper": frozenset({"install", "in", "remove", "rm", "refresh", "ref", "update", "up"}),
    "rpm": frozenset({"--import", "--install", "--upgrade", "--erase", "-i", "-ivh", "-U", "-Uvh", "-e"}),
    "dpkg": frozenset({"--install", "-i", "--remove", "-r", "--purge", "-P", "--configure", "--add-architecture"}),
    **dict.fromkeys(
        ("useradd", "usermod", "userdel", "groupadd", "groupmod", "groupdel", "adduser", "addgroup", "deluser",
         "chpasswd", "chown", "setcap", "update-ca-certificates", "update-ca-trust", "update-alternatives", "systemctl")
    ),
}  # fmt: skip
# A look at the text, so that only what may matter is taken apart.
_PERHAPS = re.compile(rf"(?<![\w.-])(?:{'|'.join(map(re.escape, _NEEDS_ROOT))})(?![\w.-])")


def _what(command: Simple) -> str | None:
    """Give what of a command needs root, as one says it."""
    if command.program not in _NEEDS_ROOT:
        return None
    changing = _NEEDS_ROOT[command.program]
    if changing is None:
        return command.program
    first = next((word for word in command.words[1:] if word in changing), None)
    return f"{command.program} {first}" if first else None


def _expanded(subject: Subject, word: str) -> str:
    try:
        return expand_word(word, dict(subject.compiled.config.env))
    except ExpansionError:
        return word


def _check(subject: Subject, say: Say) -> None:
    user = subject.before.user
    for placed in subject.placed():
        instruction = placed.instruction
        if isinstance(instruction, User):
            user = _expanded(subject, instruction.user)
        elif isinstance(instruction, Run) and user not in ROOT_USERS and placed.span is not None:
            text = text_of(instruction)
            what = next(filter(None, map(_what, simple_commands(text))), None) if _PERHAPS.search(text) else None
            if what is not None:
                say(
                    f"`{what}` needs root, and this runs as {user}",
                    placed.span,
                    "run: [{sh: …, user: root}]; or the keys that know it: `packages`, `users`, `owner` of `files`",
                )


RULE = ImageRule(code="run-needs-root", severity="warning", check=_check)
