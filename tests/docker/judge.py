"""BuildKit's own parser (the PyPI package `dockerfile`), and our instructions in its terms.

It splits a Dockerfile into instructions and words; what an instruction then refuses is beyond it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import dockerfile  # type: ignore[import-not-found,unused-ignore]

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
from stackgen.docker.shell import GO_SPACE
from stackgen.docker.syntax import Parsed


@dataclass(frozen=True, slots=True)
class Seen:
    """An instruction as BuildKit's parser sees it. Flags that our fields hold in another form are left out."""

    keyword: str
    words: tuple[str, ...]
    heredocs: tuple[tuple[str, str], ...]
    lines: tuple[int, int]


def seen_by_buildkit(text: str) -> list[Seen] | None:
    """None where it refuses the text."""
    try:
        commands = dockerfile.parse_string(text)
    except (dockerfile.GoParseError, UnicodeDecodeError):
        # It cuts the first word of a HEALTHCHECK at bytes that look like blanks, and so can end within a character.
        return None
    return [
        Seen(
            keyword=(command.cmd or "").upper(),
            words=_trigger(command) if command.sub_cmd else _words(command),
            heredocs=tuple((heredoc.name, heredoc.content) for heredoc in command.heredocs),
            lines=(command.start_line, command.end_line),
        )
        for command in commands
    ]


def misjudges(text: str) -> bool:
    """Whether `text` has what this package reads in another way than today's BuildKit.

    Its BuildKit is of 2023. It ignores what is behind a JSON array, where today's takes such a line for no array; it
    knows no ${NAME#…}, ${NAME%…} and ${NAME/…}, and so misses a heredoc in such a line. The chains of tests/engine
    draw both. And it hands words over as C has them, to the first NUL.
    """
    if "\\u0000" in text or ("<<" in text and re.search(r"\$\{.*?[#%/]", text)):
        return True
    return any(_is_array_with_more(text, at) for at, character in enumerate(text) if character == "[")


def _is_array_with_more(text: str, at: int) -> bool:
    try:
        _, end = json.JSONDecoder().raw_decode(text, at)
    except ValueError:
        return False
    return bool(text[end:].partition("\n")[0].strip(GO_SPACE))


def _words(command: dockerfile.Command) -> tuple[str, ...]:
    words: tuple[str, ...] = command.value
    match (command.cmd or "").upper():
        case "RUN" | "COPY" | "ADD":
            return (*command.flags, *words)
        case "FROM" if len(words) == 3:
            return (words[0], "AS", words[2].lower())
        case "HEALTHCHECK" if words:
            return (words[0].upper(), *words[1:])
        case "VOLUME":
            return tuple(word.strip(GO_SPACE) for word in words)
        case "CMD" | "ENTRYPOINT" if not command.json:
            return (" ".join(words),)
    return words


def _trigger(command: dockerfile.Command) -> tuple[str, ...]:
    # It does not give a trigger's flags; its line, flags and all, is what matters.
    return ("ONBUILD", command.sub_cmd.upper())


def seen_by_us(parsed: Parsed) -> Seen:
    instruction = parsed.instruction
    heredocs = instruction.heredocs if isinstance(instruction, (Run, Copy, Add)) else ()
    return Seen(
        keyword=type(instruction).__name__.upper(),
        words=_our_words(instruction),
        heredocs=tuple((heredoc.name, heredoc.content) for heredoc in heredocs),
        lines=(parsed.line, parsed.end_line),
    )


def _our_words(instruction: Instruction) -> tuple[str, ...]:
    match instruction:
        case From(image=image, name=name):
            return (image,) if name is None else (image, "AS", name)
        case Arg(pairs=arguments):
            return tuple(name if value is None else f"{name}={value}" for name, value in arguments)
        case Env(pairs=pairs) | Label(pairs=pairs):
            return tuple(word for pair in pairs for word in pair)
        case Expose(ports=words) | Volume(paths=words) | Shell(argv=words):
            return words
        case Workdir(path=word) | User(user=word) | Stopsignal(signal=word) | Maintainer(name=word):
            return (word,)
        case Entrypoint(command=command) | Cmd(command=command):
            return _argv(command)
        case Run(command=command, flags=flags):
            return (*flags, *(() if command == ShellForm("") else _argv(command)))
        case Copy(sources=sources, dest=dest, flags=flags) | Add(sources=sources, dest=dest, flags=flags):
            return (*flags, *sources, dest)
        case Healthcheck(test=test):
            return ("NONE",) if test is None else ("CMD", *_argv(test))
        case Onbuild(trigger=trigger):
            return ("ONBUILD", type(trigger).__name__.upper())


def _argv(command: Command) -> tuple[str, ...]:
    return command.argv if isinstance(command, Exec) else (command.text,)
