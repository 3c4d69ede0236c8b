"""A Dockerfile's text to instructions, read as BuildKit reads it (``instructions/parse.go``)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from stackgen.docker import durations
from stackgen.docker.errors import DockerfileError
from stackgen.docker.instructions import (
    Add,
    Arg,
    Cmd,
    Command,
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
    ShellForm,
    Stopsignal,
    User,
    Volume,
    Workdir,
)
from stackgen.docker.shell import GO_SPACE
from stackgen.docker.syntax.lines import Lines, is_heredoc
from stackgen.docker.syntax.words import BLANKS, json_array, split_blanks, split_flags, split_words

_STAGE_NAME = re.compile(r"[a-z][a-z0-9-_.]*\Z")
_ONBUILD = re.compile(r"\A[\t\n\f\r ]*ONBUILD[\t\n\f\r ]*", re.IGNORECASE)
_RETRIES = re.compile(r"[+-]?[0-9]+\Z")
_PERIODS = ("interval", "timeout", "start-period", "start-interval")

_ONCE, _OFTEN, _SWITCH = "once", "often", "switch"
_FLAGS: dict[str, dict[str, str]] = {
    "FROM": {"platform": _ONCE},
    "RUN": {"mount": _OFTEN, "network": _ONCE, "security": _ONCE, "device": _OFTEN},
    "COPY": {
        "from": _ONCE,
        "chown": _ONCE,
        "chmod": _ONCE,
        "link": _SWITCH,
        "parents": _SWITCH,
        "exclude": _OFTEN,
    },
    "ADD": {
        "chown": _ONCE,
        "chmod": _ONCE,
        "link": _SWITCH,
        "keep-git-dir": _SWITCH,
        "checksum": _ONCE,
        "unpack": _SWITCH,
        "exclude": _OFTEN,
    },
    "HEALTHCHECK": dict.fromkeys((*_PERIODS, "retries"), _ONCE),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """An instruction and where it stands: its lines, counted from 1, and their text as it is in the file."""

    instruction: Instruction
    line: int
    end_line: int
    text: str
    escape: str = "\\"
    """The escape character of the file, in which the instruction's words are written."""


def parse(text: str) -> tuple[Parsed, ...]:
    """The instructions of a Dockerfile, or of a part of one; stages are not looked at."""
    parsed, faults = parse_all(text)
    if faults:
        raise faults[0]
    return parsed


def parse_all(text: str) -> tuple[tuple[Parsed, ...], tuple[DockerfileError, ...]]:
    """The instructions of a Dockerfile that parse, and each fault of those that do not, in order."""
    lines = Lines.of(text)
    parsed: list[Parsed] = []
    faults: list[DockerfileError] = []
    try:
        for start, line in lines.logical():
            try:
                instruction = _read(line, start, lines)
            except DockerfileError as fault:
                faults.append(fault)
                continue
            source = "\n".join(lines.lines[start - 1 : lines.number])
            parsed.append(
                Parsed(instruction=instruction, line=start, end_line=lines.number, text=source, escape=lines.escape)
            )
    except DockerfileError as fault:
        # The lines themselves cannot be read on.
        faults.append(fault)
    if not parsed and not faults:
        faults.append(DockerfileError("no instruction in here", max(1, lines.number)))
    return tuple(parsed), tuple(faults)


def parse_instruction(text: str) -> Instruction:
    """The one instruction that `text` is."""
    first, *more = parse(text)
    if more:
        raise DockerfileError("another instruction follows the first", more[0].line)
    return first.instruction


@dataclass(slots=True)
class _Source:
    keyword: str
    flags: tuple[str, ...]
    text: str
    """What follows the keyword and the flags."""
    line: str
    escape: str
    heredocs: tuple[Heredoc, ...] = ()


def _read(line: str, start: int, lines: Lines) -> Instruction:
    source = _split(line, lines.escape)
    try:
        if _may_have_heredocs(source):
            source.heredocs = lines.heredocs(line, start)
        reader = _READERS.get(source.keyword)
        if reader is None:
            raise DockerfileError(f"unknown instruction {source.keyword}")
        return reader(source)
    except DockerfileError as error:
        column = len(lines.lines[start - 1]) - len(lines.lines[start - 1].lstrip(GO_SPACE)) + 1
        raise DockerfileError(error.message, start, column) from None


def _split(line: str, escape: str) -> _Source:
    keyword, *rest = BLANKS.split(line.strip(GO_SPACE), maxsplit=1)
    flags, text = split_flags(rest[0]) if rest else ((), "")
    return _Source(keyword.upper(), flags, text, line, escape)


def _may_have_heredocs(source: _Source) -> bool:
    if source.keyword == "ONBUILD":
        source = _split(source.text, source.escape)
    return source.keyword in ("RUN", "COPY", "ADD") and json_array(source.text) is None


def _flags(source: _Source) -> dict[str, str]:
    """The flags by name, checked as BuildKit checks them; one that may come often keeps its last value."""
    known = _FLAGS.get(source.keyword, {})
    values: dict[str, str] = {}
    for flag in source.flags:
        name, equals, value = flag.removeprefix("--").partition("=")
        kind = known.get(name)
        if kind is None:
            raise DockerfileError(f"{source.keyword} has no flag --{name}")
        if name in values and kind != _OFTEN:
            raise DockerfileError(f"the flag --{name} is given twice")
        if kind == _SWITCH and value.lower() not in ("true", "false", *([] if equals else [""])):
            raise DockerfileError(f"the flag --{name} is true or false, not {value!r}")
        if kind != _SWITCH and not equals:
            raise DockerfileError(f"the flag --{name} needs a value: --{name}=…")
        values[name] = value
    return values


def _from(source: _Source) -> Instruction:
    words = split_blanks(source.text)
    if not (len(words) == 1 or (len(words) == 3 and words[1].lower() == "as")):
        raise DockerfileError("FROM is written FROM image or FROM image AS name")
    name = words[2].lower() if len(words) == 3 else None
    if name is not None and not _STAGE_NAME.match(name):
        raise DockerfileError(f"{words[2]!r} is no name for a stage: a letter, then letters, digits and - _ .")
    return From(image=words[0], platform=_flags(source).get("platform") or None, name=name)


def _arg(source: _Source) -> Instruction:
    pairs: list[tuple[str, str | None]] = []
    for word in _needed(source, split_words(source.text, source.escape)):
        name, equals, value = word.partition("=")
        if not name:
            raise DockerfileError("a name in ARG is empty")
        pairs.append((name, value if equals else None))
    return Arg(pairs=tuple(pairs))


def _pairs(source: _Source) -> tuple[Pair, ...]:
    pairs = _split_pairs(source)
    _flags(source)
    if any(not name for name, _ in pairs):
        raise DockerfileError(f"a name in {source.keyword} is empty")
    return pairs


def _split_pairs(source: _Source) -> tuple[Pair, ...]:
    words = _needed(source, split_words(source.text, source.escape))
    if "=" not in words[0]:
        # ENV name value: one pair, the value being the rest of the line.
        name, *rest = BLANKS.split(source.text, maxsplit=1)
        if not rest:
            raise DockerfileError(f"{source.keyword} {name} has no value: {source.keyword} {name}=…")
        return ((name, rest[0]),)
    pairs: list[Pair] = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise DockerfileError(f"{word!r} in {source.keyword} has no =")
        pairs.append((name, value))
    return tuple(pairs)


def _expose(source: _Source) -> Instruction:
    _flags(source)
    return Expose(ports=tuple(_needed(source, split_blanks(source.text))))


def _volume(source: _Source) -> Instruction:
    _flags(source)
    paths = tuple(path.strip(GO_SPACE) for path in _needed(source, _words_or_json(source.text)))
    if not all(paths):
        raise DockerfileError("a path in VOLUME is empty")
    return Volume(paths=paths)


def _rest(source: _Source) -> str:
    if not source.text:
        raise DockerfileError(f"{source.keyword} has no argument")
    # STOPSIGNAL and ARG alone take any flag for nothing.
    if source.keyword != "STOPSIGNAL":
        _flags(source)
    return source.text


def _shell(source: _Source) -> Instruction:
    argv = json_array(source.text)
    _flags(source)
    if not argv:
        raise DockerfileError('SHELL is written as a JSON array: SHELL ["/bin/bash", "-c"]')
    return Shell(argv=argv)


def _command(source: _Source) -> Command:
    command = _command_of(source.text)
    _flags(source)
    return command


def _command_of(text: str) -> Command:
    argv = json_array(text)
    return ShellForm(text) if argv is None else Exec(argv)


def _healthcheck(source: _Source) -> Instruction:
    kind, *rest = re.split(r"[\t\n\v\f\r ]+", source.text, maxsplit=1)
    command = _command_of(rest[0] if rest else "")
    if not kind:
        raise DockerfileError("HEALTHCHECK is written HEALTHCHECK CMD command or HEALTHCHECK NONE")
    if kind.upper() == "NONE":
        if rest:
            raise DockerfileError("HEALTHCHECK NONE takes no argument")
        return Healthcheck(test=None)
    flags = _flags(source)
    if kind.upper() != "CMD":
        raise DockerfileError(f"HEALTHCHECK knows CMD and NONE, not {kind}")
    if command in (Exec(()), ShellForm("")):
        raise DockerfileError("HEALTHCHECK CMD has no command")
    periods = {name.replace("-", "_"): _period(name, flags.get(name)) for name in _PERIODS}
    return Healthcheck(test=command, retries=_retries(flags.get("retries")), **periods)


def _period(name: str, value: str | None) -> str | None:
    if not value:
        return None
    try:
        duration = durations.nanoseconds(value)
    except ValueError as error:
        raise DockerfileError(f"--{name}: {error}") from None
    if duration != 0 and duration < 10**6:
        raise DockerfileError(f"--{name} cannot be less than 1ms")
    return value


def _retries(value: str | None) -> str | None:
    if not value:
        return None
    if not _RETRIES.match(value) or not 0 <= int(value) < 2**31:
        raise DockerfileError(f"--retries must be a number, 0 or more, not {value!r}")
    return value


def _sources(source: _Source) -> tuple[tuple[str, ...], str]:
    words = _words_or_json(source.text)
    if len(words) < 2:
        raise DockerfileError(f"{source.keyword} needs a source and a destination")
    _flags(source)
    *sources, dest = words
    if is_heredoc(dest):
        raise DockerfileError(f"{source.keyword} cannot copy to a heredoc")
    return tuple(sources), dest


def _copy(source: _Source) -> Instruction:
    sources, dest = _sources(source)
    return Copy(sources=sources, dest=dest, flags=source.flags, heredocs=source.heredocs)


def _add(source: _Source) -> Instruction:
    sources, dest = _sources(source)
    return Add(sources=sources, dest=dest, flags=source.flags, heredocs=source.heredocs)


def _run(source: _Source) -> Instruction:
    return Run(command=_command(source), flags=source.flags, heredocs=source.heredocs)


def _onbuild(source: _Source) -> Instruction:
    """BuildKit keeps the trigger's text and reads it in the child, where the escape character is a
    backslash again.

    It finds a fault in the trigger only there, too; here it is found at once.
    """
    if not source.text:
        raise DockerfileError("ONBUILD has no instruction")
    _flags(source)
    trigger = _split(source.text, source.escape)
    if trigger.keyword in ("ONBUILD", "FROM", "MAINTAINER"):
        raise DockerfileError(f"{trigger.keyword} cannot be a trigger of ONBUILD")
    if trigger.keyword in ("ENV", "LABEL"):
        # It must make sense with this file's escape character as well.
        _split_pairs(trigger)
    documents = "".join(f"\n{heredoc.content}{heredoc.name}" for heredoc in source.heredocs)
    text = _ONBUILD.sub("", source.line, count=1) + documents
    return Onbuild(trigger=parse_instruction(text), text=text)


def _needed(source: _Source, words: list[str]) -> list[str]:
    if not words:
        raise DockerfileError(f"{source.keyword} has no argument")
    return words


def _words_or_json(text: str) -> list[str]:
    array = json_array(text)
    return split_blanks(text) if array is None else list(array)


_READERS: dict[str, Callable[[_Source], Instruction]] = {
    "FROM": _from,
    "ARG": _arg,
    "ENV": lambda source: Env(pairs=_pairs(source)),
    "LABEL": lambda source: Label(pairs=_pairs(source)),
    "EXPOSE": _expose,
    "VOLUME": _volume,
    "WORKDIR": lambda source: Workdir(path=_rest(source)),
    "USER": lambda source: User(user=_rest(source)),
    "STOPSIGNAL": lambda source: Stopsignal(signal=_rest(source)),
    "SHELL": _shell,
    "ENTRYPOINT": lambda source: Entrypoint(command=_command(source)),
    "CMD": lambda source: Cmd(command=_command(source)),
    "HEALTHCHECK": _healthcheck,
    "RUN": _run,
    "COPY": _copy,
    "ADD": _add,
    "ONBUILD": _onbuild,
    "MAINTAINER": lambda source: Maintainer(name=_rest(source)),
}
