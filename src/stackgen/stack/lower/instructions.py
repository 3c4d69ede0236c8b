"""The keys that are an instruction of the same name: one small function for each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from stackgen.diagnostics import Span, suggestion
from stackgen.docker.errors import DockerfileError, Unsayable
from stackgen.docker.instructions import (
    Arg,
    Command,
    Env,
    Exec,
    Expose,
    From,
    Healthcheck,
    Maintainer,
    Onbuild,
    ShellForm,
    Stopsignal,
    User,
    Volume,
    Workdir,
)
from stackgen.docker.syntax import ended, parse_instruction, quote, quote_key
from stackgen.read.source import Word
from stackgen.stack.lower.commands import lower_run
from stackgen.stack.lower.emitter import Emitter
from stackgen.stack.lower.raw import lower_raw
from stackgen.stack.lower.users import lower_users
from stackgen.stack.model import (
    Command as RunCommand,
)
from stackgen.stack.model import CommandForm, Health, Pair


def form(said: CommandForm) -> Command:
    """Give ENTRYPOINT or CMD in the form that the stack writes it in."""
    return Exec(said.argv) if said.argv is not None else ShellForm(said.shell or "")


def quoted_pairs(emitter: Emitter, pairs: list[Pair]) -> tuple[tuple[str, str], ...]:
    """Give names and values as Dockerfile words; one that cannot be said is a finding at its place."""
    quoted: list[tuple[str, str]] = []
    for pair in pairs:
        try:
            quoted.append((quote_key(pair.name), quote(pair.value or "")))
        except Unsayable as error:
            emitter.findings.error(
                "unsayable",
                f"a Dockerfile cannot say `{pair.name}`: {error.reason}",
                pair.span,
                help="put it into a file: files: [{content: …, dest: …}]" if "\n" in (pair.value or "") else None,
            )
    return tuple(quoted)


_REFERENCE = re.compile(r"(?<!\\)\$\{?(\w+)")


def _env(emitter: Emitter, pairs: tuple[Pair, ...], span: Span) -> None:
    """Write one ENV, and another where a value uses a name that stands above it.

    All values of one ENV see the environment from before it (https://docs.docker.com/reference/dockerfile/#env).
    """
    together: list[Pair] = []
    for pair in pairs:
        names = {each.name for each in together}
        if names & set(_REFERENCE.findall(pair.value or "")):
            _env_of(emitter, together, together[0].span)
            together = []
        together.append(pair)
    _env_of(emitter, together, span)


def _env_of(emitter: Emitter, pairs: list[Pair], span: Span) -> None:
    quoted = quoted_pairs(emitter, pairs)
    if quoted:
        emitter.add(Env(pairs=quoted), span, parts=[pair.span for pair in pairs])


def _args(emitter: Emitter, pairs: tuple[Pair, ...], span: Span) -> None:
    del span
    for pair in pairs:
        quoted = quoted_pairs(emitter, [pair])
        if quoted:
            name, value = quoted[0]
            emitter.add(Arg(pairs=((name, None if pair.value is None else value),)), pair.span)


def _expose(emitter: Emitter, ports: tuple[Word, ...], span: Span) -> None:
    words = tuple(emitter.word(port.text, port.span) for port in ports)
    if words:
        emitter.add(Expose(ports=words), span, parts=[port.span for port in ports])


def _volumes(emitter: Emitter, paths: tuple[Word, ...], span: Span) -> None:
    words = tuple(emitter.word(path.text, path.span) for path in paths)
    if words:
        emitter.add(Volume(paths=words), span, parts=[path.span for path in paths])


def _workdir(emitter: Emitter, path: Word, span: Span) -> None:
    emitter.cause = span
    emitter.as_declared()
    emitter.add(Workdir(path=emitter.word(path.text, path.span)), span)


def _user(emitter: Emitter, user: Word, span: Span) -> None:
    emitter.add(User(user=emitter.word(user.text, user.span)), span)
    emitter.declare_user()


def _stopsignal(emitter: Emitter, signal: Word, span: Span) -> None:
    emitter.add(Stopsignal(signal=emitter.word(signal.text, signal.span)), span)


def _shell(emitter: Emitter, argv: tuple[str, ...], span: Span) -> None:
    emitter.declare_shell(argv, span)


def _healthcheck(emitter: Emitter, health: object, span: Span) -> None:
    if not isinstance(health, Health):
        emitter.add(Healthcheck(test=None), span)
        return
    kind, *rest = health.test or ("CMD",)
    if kind not in ("CMD", "CMD-SHELL") or not rest:
        emitter.findings.error(
            "wrong-value",
            f"`test` as a list begins with CMD or CMD-SHELL, and the command follows; this one begins with {kind}",
            health.span,
            help=f"test: [CMD, {', '.join(health.test) if kind not in ('CMD', 'CMD-SHELL') else '…'}]",
        )
        return
    test: Command = ShellForm(" ".join(rest)) if kind == "CMD-SHELL" else Exec(tuple(rest))
    emitter.add(
        Healthcheck(
            test=test,
            interval=health.times.get("interval"),
            timeout=health.times.get("timeout"),
            start_period=health.times.get("start_period"),
            start_interval=health.times.get("start_interval"),
            retries=None if health.retries is None else str(health.retries),
        ),
        span,
    )


_TRIGGERS = (
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "RUN", "SHELL", "STOPSIGNAL",
    "USER", "VOLUME", "WORKDIR",
)  # fmt: skip
_INSTEAD_OF_TRIGGER = {
    "From": "a child names its parent itself, with `extends` or `from`",
    "Maintainer": "write LABEL org.opencontainers.image.authors=…",
    "Onbuild": "a trigger reaches children, not grandchildren: say it as `onbuild` of the child",
}


def _onbuild(emitter: Emitter, triggers: tuple[Word, ...], span: Span) -> None:
    del span
    for trigger in triggers:
        text = ended(trigger.text).rstrip("\n")
        try:
            instruction = parse_instruction(text)
        except DockerfileError as error:
            emitter.findings.error(
                "onbuild-syntax",
                f"no Dockerfile instruction: {error.message}",
                trigger.span,
                help=suggestion(trigger.text.partition(" ")[0].upper(), _TRIGGERS)
                if "unknown" in error.message
                else None,
            )
            continue
        if isinstance(instruction, From | Maintainer | Onbuild):
            kind = type(instruction).__name__
            emitter.findings.error(
                "onbuild-forbidden",
                f"ONBUILD takes no {kind.upper()}",
                trigger.span,
                help=_INSTEAD_OF_TRIGGER[kind],
            )
            continue
        # As it is written, over several lines perhaps; the engine keeps it as one.
        emitter.add(parse_instruction(f"ONBUILD {text}"), trigger.span, f"ONBUILD {text}")


def _run(emitter: Emitter, commands: tuple[RunCommand, ...], span: Span) -> None:
    del span
    for command in commands:
        lower_run(emitter, command)


def _raw(emitter: Emitter, text: Word, span: Span) -> None:
    del span
    lower_raw(emitter, text)


LOWERERS: Mapping[str, Callable[..., None]] = {
    "args": _args,
    "env": _env,
    "shell": _shell,
    "users": lower_users,
    "workdir": _workdir,
    "run": _run,
    "volumes": _volumes,
    "expose": _expose,
    "stopsignal": _stopsignal,
    "healthcheck": _healthcheck,
    "user": _user,
    "onbuild": _onbuild,
    "raw": _raw,
}
