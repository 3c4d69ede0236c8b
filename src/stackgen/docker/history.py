"""What ``docker history`` shows of an instruction, word for word as BuildKit writes it down.

The texts are those of ``commitToHistory`` in BuildKit's ``dockerfile2llb/convert.go``, as its version in Docker 28
has them. They are told before anything is built: `entry` takes what a stage is like before and after an instruction.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from stackgen.docker import durations
from stackgen.docker.config import Health
from stackgen.docker.inherit import DEFAULT_SHELL, State, apply
from stackgen.docker.instructions import (
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Exec,
    Expose,
    From,
    Healthcheck,
    Heredoc,
    Instruction,
    Label,
    Maintainer,
    Onbuild,
    Pair,
    Run,
    Shell,
    Stopsignal,
    User,
    Volume,
    Workdir,
)
from stackgen.docker.ports import exposed
from stackgen.docker.shell import expand_words
from stackgen.docker.syntax.lines import is_heredoc


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of an image's history."""

    created_by: str
    makes_layer: bool
    """Whether it has a layer of its own, be it one that changes no file."""


def entry(before: State, instruction: Instruction, after: State) -> Entry | None:
    """The line that `instruction` leaves; None for ONBUILD and FROM, which leave none."""
    match instruction:
        case Run():
            return Entry(created_by=f"RUN {_run(before, instruction)} # buildkit", makes_layer=True)
        case Copy():
            return Entry(created_by=f"COPY {_copy(before, instruction)} # buildkit", makes_layer=True)
        case Add():
            return Entry(created_by=f"ADD {_copy(before, instruction)} # buildkit", makes_layer=True)
        case Workdir():
            path = after.config.working_dir
            return Entry(created_by=f"WORKDIR {path}", makes_layer=path != "/")
        case Onbuild() | From():
            return None
    return Entry(created_by=_setting(before, instruction, after), makes_layer=False)


def _setting(
    before: State,
    instruction: Env
    | Label
    | Arg
    | Expose
    | Volume
    | User
    | Stopsignal
    | Shell
    | Entrypoint
    | Cmd
    | Healthcheck
    | Maintainer,
    after: State,
) -> str:
    """The text of what sets something and changes no file."""
    config = after.config
    match instruction:
        case Env(pairs=pairs):
            return f"ENV {_pairs(before, pairs)}"
        case Label(pairs=pairs):
            return f"LABEL {_pairs(before, pairs)}"
        case Arg(pairs=arguments):
            return f"ARG {_arguments(before, arguments)}"
        case Expose(ports=ports):
            # Sorted as they are written, then expanded.
            words = [word for port in sorted(ports) for word in expand_words(port, before.scope, escape=before.escape)]
            return f"EXPOSE {_list(port for word in words for port in exposed(word))}"
        case Volume(paths=paths):
            return f"VOLUME {_list(map(before.expand, paths))}"
        case User():
            return f"USER {config.user}"
        case Stopsignal():
            return f"STOPSIGNAL {config.stop_signal}"
        case Shell(argv=argv):
            return f"SHELL {_list(argv)}"
        case Entrypoint():
            return f"ENTRYPOINT {_quoted_list(config.entrypoint or ())}"
        case Cmd():
            return f"CMD {_quoted_list(config.cmd or ())}"
        case Healthcheck():
            return f"HEALTHCHECK {_health(config.healthcheck or Health(test=()))}"
        case Maintainer(name=name):
            return f"MAINTAINER {name}"


def _run(state: State, run: Run) -> str:
    """The ARGs so far, with what ``$`` sees for them, then the words that are run.

    https://docs.docker.com/reference/dockerfile/#impact-on-build-caching
    """
    if isinstance(run.command, Exec):
        argv = run.command.argv
    else:
        argv = (*(state.config.shell or DEFAULT_SHELL), _script(run.command.text, run.heredocs))
    seen = [f"{name}={state.scope.get(name, value or '')}" for name, value in state.args.items()]
    return " ".join(([f"|{len(seen)}", *seen] if seen else []) + list(argv))


def _script(text: str, heredocs: tuple[Heredoc, ...]) -> str:
    """What the shell is given: a document that stands alone is its text, or the path of a file if it names a program.

    https://docs.docker.com/reference/dockerfile/#here-documents
    """
    if heredocs and is_heredoc(text):
        first = heredocs[0]
        if first.content.startswith("#!"):
            return f"/dev/pipes/{first.name}"
        return _without_tabs(first.content) if first.chomp else first.content
    return text + "".join(f"\n{document.content}{document.name}" for document in heredocs)


def _without_tabs(content: str) -> str:
    return re.sub(r"^\t+", "", content, flags=re.MULTILINE)


def _copy(state: State, copy: Copy | Add) -> str:
    flags = {name: value for name, _, value in (flag.partition("=") for flag in copy.flags)}
    words = ["--parents"] if flags.get("--parents", "false").lower() != "false" else []
    for name in ("--chown", "--chmod"):
        value = state.expand(flags.get(name, ""))
        words += [f"{name}={value}"] if value else []
    words += [state.expand(source) for source in copy.sources if not is_heredoc(source)]
    words += [f"<<{document.name}" for document in copy.heredocs]
    return " ".join([*words, state.expand(copy.dest)])


def _pairs(state: State, pairs: Iterable[Pair]) -> str:
    return " ".join(f"{state.expand(name)}={state.expand(value)}" for name, value in pairs)


def _arguments(state: State, arguments: Iterable[tuple[str, str | None]]) -> str:
    words: list[str] = []
    for argument in arguments:
        name = argument[0]
        state = apply(state, Arg(pairs=(argument,)))
        value = state.args[name]
        words.append(name if value is None else f"{name}={value}")
    return " ".join(words)


def _list(words: Iterable[str]) -> str:
    """Go's ``%v`` of a list."""
    return f"[{' '.join(words)}]"


def _quoted_list(words: Iterable[str]) -> str:
    """Go's ``%q`` of a list."""
    return _list(map(_quoted, words))


def _health(health: Health) -> str:
    """Go's ``%q`` of a whole health check, whose number of retries becomes a character by that."""
    periods = (health.interval, health.timeout, health.start_period, health.start_interval)
    fields = [_quoted_list(health.test), *(_quoted(durations.to_text(period)) for period in periods)]
    return f"&{{{' '.join(fields)} {_quoted_character(health.retries)}}}"


_ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v", "\\": "\\\\"}


def _quoted(text: str) -> str:
    """Go's ``strconv.Quote``."""
    return '"' + "".join('\\"' if character == '"' else _escaped(character) for character in text) + '"'


def _quoted_character(code: int) -> str:
    """Go's ``strconv.QuoteRune``."""
    is_character = code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF
    character = chr(code) if is_character else "\ufffd"
    return f"'{_escaped(character)}'" if character != "'" else "'\\''"


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    # Python's and Go's idea of what can be printed is the same: no control, no space but the one of ASCII.
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
