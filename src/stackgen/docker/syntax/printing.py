"""Instructions to Dockerfile text, as one writes it by hand.

What is printed reads back as what was meant. Words that are plain to see so are printed at once; for
anything else there are one or more ways to write it, and the first that `parse_instruction` reads back as
the same is taken. A value for which none does is `Unsayable`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from stackgen.docker.errors import DockerfileError, Unsayable
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
    Run,
    Shell,
    ShellForm,
    Stopsignal,
    User,
    Volume,
    Workdir,
)
from stackgen.docker.syntax.lines import MAX_LINE
from stackgen.docker.syntax.parsing import parse_instruction
from stackgen.docker.syntax.quoting import check
from stackgen.docker.syntax.words import BLANKS

_WORD = r"[A-Za-z0-9_./:@%+,~^=$*?{}][A-Za-z0-9_./:@%+,~^=$*?{}-]*"
_PLAIN = re.compile(rf"{_WORD}\Z")
_PLAIN_VALUE = re.compile(rf'(?:{_WORD}|"(?:[^"\\\n]|\\[^\n])*")?\Z')
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\Z")
# A space that is not ASCII may be cut off at the end, so it is not plain either.
_PLAIN_COMMAND = re.compile(r"(?![\s\[]|--)[^\n\r]*[!-\[\]-~]\Z")


def to_text(instruction: Instruction) -> str:
    """The Dockerfile text of `instruction`, without the last newline; `Unsayable` where there is none."""
    reason = "BuildKit would read it as something else"
    for text in _ways(instruction):
        try:
            _check(text)
            if _is_plain(instruction) or parse_instruction(text) == instruction:
                return text
        except (DockerfileError, Unsayable) as error:
            reason = str(error)
    raise Unsayable(f"no Dockerfile can say {_keyword(instruction)} so: {reason}")


def as_trigger(instruction: Instruction) -> Onbuild:
    """The ONBUILD of `instruction`; its text is one line, as it will stand in the image's configuration."""
    text = to_text(instruction)
    if isinstance(instruction, (Arg, Env, Label)):
        # Only these are printed over several lines, and none of their words can hold a newline.
        text = re.sub(r" \\\n +", " ", text)
    return Onbuild(trigger=instruction, text=text)


def _check(text: str) -> None:
    check(text, newline_too=False)
    if len(text) > MAX_LINE // 4 and any(len(line.encode()) > MAX_LINE for line in text.split("\n")):
        raise Unsayable(f"a line of a Dockerfile has at most {MAX_LINE} bytes")


def _keyword(instruction: Instruction) -> str:
    return type(instruction).__name__.upper()


def _ways(instruction: Instruction) -> Iterator[str]:
    keyword = _keyword(instruction)
    match instruction:
        case Env(pairs=pairs) | Label(pairs=pairs):
            yield _aligned(keyword, [f"{name}={value}" for name, value in pairs])
            if len(pairs) == 1:
                # A value with blanks outside quotes: only the old form without a = takes it.
                yield f"{keyword} {pairs[0][0]} {pairs[0][1]}"
        case Arg(pairs=pairs):
            yield _aligned(keyword, [name if value is None else f"{name}={value}" for name, value in pairs])
        case From(image=image, platform=platform, name=name):
            flags = () if platform is None else (f"--platform={platform}",)
            yield _line(keyword, flags, image if name is None else f"{image} AS {name}")
        case Expose(ports=ports):
            yield _line(keyword, (), " ".join(ports))
        case Volume(paths=paths):
            yield from _listed(keyword, (), paths)
        case Workdir(path=rest) | User(user=rest) | Stopsignal(signal=rest) | Maintainer(name=rest):
            yield _line(keyword, (), rest)
        case Shell(argv=argv):
            yield f"{keyword} {_json(argv)}"
        case Entrypoint(command=command) | Cmd(command=command):
            yield _line(keyword, (), _command(command))
        case Healthcheck():
            yield _healthcheck(instruction)
        case Run(command=command, flags=flags, heredocs=heredocs):
            yield _line(keyword, flags, _command(command)) + _documents(heredocs)
        case Copy() | Add():
            for text in _listed(keyword, instruction.flags, (*instruction.sources, instruction.dest)):
                yield text + _documents(instruction.heredocs)
        case Onbuild(text=text):
            yield f"{keyword} {text}"


def _is_plain(instruction: Instruction) -> bool:
    """Whether `instruction` is so simple that its text cannot be read as anything else."""
    match instruction:
        case Env(pairs=pairs) | Label(pairs=pairs):
            return bool(pairs) and all(_PLAIN_NAME.match(name) and _PLAIN_VALUE.match(value) for name, value in pairs)
        case Copy(sources=sources, dest=dest, flags=(), heredocs=()):
            return bool(sources) and all(map(_PLAIN.match, (*sources, dest)))
        case Run(command=ShellForm(text=text), flags=(), heredocs=()):
            return "<<" not in text and bool(_PLAIN_COMMAND.match(text))
        case Entrypoint(command=ShellForm(text=text)) | Cmd(command=ShellForm(text=text)):
            return bool(_PLAIN_COMMAND.match(text))
        case Entrypoint() | Cmd():
            return True
        case Workdir(path=rest) | User(user=rest):
            return bool(_PLAIN.match(rest))
        case _:
            return False


def _line(keyword: str, flags: tuple[str, ...], rest: str) -> str:
    # A lone -- ends the flags, for what looks like another one.
    guard = ("--",) if rest.startswith("--") else ()
    return " ".join(filter(None, (keyword, *map(_flag, flags), *guard, rest)))


def _flag(flag: str) -> str:
    if not flag.isascii():
        raise Unsayable("BuildKit reads a flag byte by byte, so that it must be ASCII")
    return re.sub(r"[\s\"'\\]", r"\\\g<0>", flag)


def _aligned(keyword: str, items: list[str]) -> str:
    return f"{keyword} " + f" \\\n{' ' * (len(keyword) + 1)}".join(items)


def _listed(keyword: str, flags: tuple[str, ...], words: tuple[str, ...]) -> Iterator[str]:
    """Words with blanks between them; as a JSON array where a word is empty or has a blank itself."""
    if all(words) and not any(BLANKS.search(word) or "\n" in word for word in words):
        yield _line(keyword, flags, " ".join(words))
    yield _line(keyword, flags, _json(words))


def _command(command: Command) -> str:
    return _json(command.argv) if isinstance(command, Exec) else check(command.text)


def _json(words: tuple[str, ...]) -> str:
    return json.dumps([check(word, newline_too=False) for word in words], ensure_ascii=False)


def _healthcheck(check: Healthcheck) -> str:
    if check.test is None:
        return "HEALTHCHECK NONE"
    values = {
        "interval": check.interval,
        "timeout": check.timeout,
        "start-period": check.start_period,
        "start-interval": check.start_interval,
        "retries": check.retries,
    }
    flags = tuple(f"--{name}={value}" for name, value in values.items() if value is not None)
    return _line("HEALTHCHECK", flags, f"CMD {_command(check.test)}".rstrip())


def _documents(heredocs: tuple[Heredoc, ...]) -> str:
    return "".join(f"\n{heredoc.content}{heredoc.name}" for heredoc in heredocs)
