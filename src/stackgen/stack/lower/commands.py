"""`run`: shell commands and scripts as RUN instructions that fail when any part of them fails."""

from __future__ import annotations

import json
import re
import shlex

from stackgen.diagnostics import Span
from stackgen.docker.instructions import Exec, Run
from stackgen.stack.lower.emitter import PLAIN_SHELL, POSIX_SHELLS, ROOT_USERS, Emitter
from stackgen.stack.lower.packages import mirror_secrets, needs_distribution
from stackgen.stack.model import Command

# What would take in what stands beside it, were it joined with && as it is.
_JOINS = re.compile(r"[;&|#]")


def has_pipe(text: str) -> bool:
    """Whether a shell command has a pipe outside of quotes, or in a $(…) within them: `|` or `|&`, not `||`.

    A case's alternatives count, which does no harm.
    """
    quote = ""
    around: list[str] = []
    index = 0
    while index < len(text):
        character = text[index]
        if character == "\\" and quote != "'":
            index += 1
        elif quote != "'" and text.startswith("$(", index):
            around.append(quote)
            quote = ""
            index += 1
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "(":
            around.append("")
        elif character == ")" and around:
            quote = around.pop()
        elif text.startswith("||", index):
            index += 1
        elif character == "|" and text[index - 1 : index] != ">":
            return True
        index += 1
    return False


def lower_run(emitter: Emitter, command: Command) -> None:
    """Take one entry of `run`."""
    emitter.cause = command.span
    emitter.own_shell()
    if command.user is not None:
        emitter.as_user(emitter.word(command.user, command.span))
    else:
        emitter.as_declared()
    if command.build_packages:
        _with_build_packages(emitter, command)
    elif command.is_script or any(_ends_in_backslash(line) for line in command.lines):
        _script(emitter, command)
    else:
        _one_line(emitter, command)


def _ends_in_backslash(line: str) -> bool:
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


def _flags(command: Command) -> list[str]:
    flags = [f"--mount={mount}" for mount in command.mounts]
    return flags + ([f"--network={command.network}"] if command.network else [])


def _prefix(command: Command) -> str:
    return f"# {' '.join(command.name.split())}\n" if command.name else ""


def _joined(command: Command) -> str:
    return " \\\n && ".join(line.strip() for line in command.lines)


def _shell_with_pipefail(emitter: Emitter, span: Span) -> tuple[str, ...] | None:
    """Give a shell that fails a pipe with any of its parts; None where the image's own does, or none is known."""
    own = emitter.state.config.shell or PLAIN_SHELL
    name = own[0].rpartition("/")[2]
    if name not in POSIX_SHELLS or any("pipefail" in word for word in own):
        return None
    if name == "bash":
        return (*own[:-1], "-o", "pipefail", own[-1])
    known = needs_distribution(emitter, "pipes, which need a shell that fails with any of their parts,", span)
    return (known[1].pipefail[0], *own[1:-1], "-o", "pipefail", own[-1]) if known else None


def _one_line(emitter: Emitter, command: Command) -> None:
    flags = "".join(f"{flag} " for flag in _flags(command))
    if any(has_pipe(line) for line in command.lines):
        shell = _shell_with_pipefail(emitter, command.span)
        if shell is not None:
            # The exec form names its shell itself and leaves the image's SHELL as it is.
            argv = (*shell, " && ".join(line.strip() for line in command.lines))
            instruction = Run(command=Exec(argv), flags=tuple(_flags(command)))
            # hadolint looks at SHELL alone.
            ignore = "# hadolint ignore=DL4006\n"
            text = f"{_prefix(command)}{ignore}RUN {flags}{json.dumps(list(argv), ensure_ascii=False)}"
            emitter.add(instruction, command.span, text)
            return
    emitter.add_text(f"{_prefix(command)}RUN {flags}{_joined(command)}", command.span)


def _has_here_documents(emitter: Emitter, span: Span) -> bool:
    """Whether the builder knows them (https://docs.docker.com/reference/dockerfile/#here-documents); else a finding."""
    known: bool = emitter.tools.builder == "buildkit"
    if not known:
        emitter.findings.error(
            "builder-lacks",
            f"the builder {emitter.tools.builder} has no here-documents, which a script of several lines needs",
            span,
            help="write a list of commands, which are joined with &&: - [cd /src, make]",
        )
    return known


def _end_of(body: str) -> str:
    """Give the line that ends a script: none of its own."""
    end = "SCRIPT"
    while end in body.split("\n"):
        end += "_"
    return end


def _script(emitter: Emitter, command: Command) -> None:
    """Write a here-document that stops at a failure."""
    if not _has_here_documents(emitter, command.span):
        return
    body = "\n".join(command.lines)
    end = _end_of(body)
    family = emitter.family
    head = f"#!{family.pipefail[0]}\nset -e -o pipefail\n" if family else "set -e\n"
    if family is None and has_pipe(body):
        _shell_with_pipefail(emitter, command.span)
    flags = "".join(f"{flag} " for flag in _flags(command))
    # hadolint does not see that the script names its shell.
    rules = "DL4006,SC3040" if has_pipe(body) else "SC3040"
    ignore = f"# hadolint ignore={rules}\n" if family else ""
    emitter.add_text(f"{_prefix(command)}{ignore}RUN {flags}<<'{end}'\n{head}{body}\n{end}", command.span)


def _with_build_packages(emitter: Emitter, command: Command) -> None:
    """Install, run and remove in one RUN, so that the packages are in no layer."""
    known = needs_distribution(emitter, "`build_packages`", command.span)
    if known is None:
        return
    if emitter.above.known and emitter.user not in ROOT_USERS:
        emitter.findings.error(
            "missing-key" if command.user is None else "wrong-value",
            f'`build_packages` need root, and this command would run as "{emitter.user}"',
            command.span,
            help="say that it is root's: {sh: …, user: root, build_packages: […]}; what is made may be given away with "
            "chown",
        )
        return
    emitter.as_root(command.span)
    emitter.plain_shell()
    parted = _parted(emitter, command, known[1].pipefail)
    if parted is None:
        return
    line, body = parted
    text = emitter.render(
        f"families/{known[1].name}/build.j2",
        command.span,
        packages=sorted(set(command.build_packages)),
        command=line,
        flags=_flags(command) + mirror_secrets(emitter, command.span),
        distribution=known[0],
        cache=known[0].cache or known[1].cache,
        cache_mounts=emitter.tools.builder != "classic",
    )
    if text is not None:
        emitter.add_text(_prefix(command) + text.strip("\n") + body, command.span)


def _parted(emitter: Emitter, command: Command, pipefail: tuple[str, ...]) -> tuple[str, str] | None:
    """Give a command as one among those that are joined with &&, whatever is in it, and what stands below the RUN."""
    if command.is_script or any(_ends_in_backslash(line) for line in command.lines):
        if not _has_here_documents(emitter, command.span):
            return None
        body = "\n".join(command.lines)
        end = _end_of(body)
        # Not by standard input, which the script's own commands may read.
        return f"{pipefail[0]} -e -o pipefail /dev/fd/3 3<<'{end}'", f"\n{body}\n{end}"
    lines = [line.strip() for line in command.lines]
    if any(has_pipe(line) for line in lines):
        shell = _shell_with_pipefail(emitter, command.span)
        if shell is not None:
            return f"{shlex.join(shell)} {shlex.quote(' && '.join(lines))}", ""
    if any(_JOINS.search(line) for line in lines):
        return f"( {' && '.join(lines)} )", ""
    return " \\\n && ".join(lines), ""
