"""An instruction's text to its parts, as in BuildKit's ``split_command.go`` and ``line_parsers.go``."""

from __future__ import annotations

import json
import re

from stackgen.docker.errors import DockerfileError
from stackgen.docker.shell import GO_SPACE

BLANKS = re.compile(r"[\t\v\f\r ]+")


def split_flags(text: str) -> tuple[tuple[str, ...], str]:
    """The flags at the front of `text`, their quotes off, and what follows them.

    BuildKit looks at this part byte by byte, so a flag that is not ASCII comes out garbled; so it does
    here, for what the engine does with it is what counts.
    """
    if not text.lstrip(GO_SPACE).startswith("--"):
        return (), text.strip(GO_SPACE)
    line = text.encode(errors="replace").decode("latin-1")
    flags: list[str] = []
    at = 0
    while True:
        while at < len(line) and line[at] in GO_SPACE:
            at += 1
        if not line.startswith("--", at):
            break
        word, quoted, at = _flag(line, at)
        if word == "--":
            break
        if quoted or word:
            flags.append(word)
    return tuple(flags), line[at:].encode("latin-1").decode(errors="replace").strip(GO_SPACE)


def _flag(line: str, at: int) -> tuple[str, bool, int]:
    """One flag from `at` on: its text, whether any of it was quoted, and where it ends."""
    word: list[str] = []
    quote = ""
    quoted = False
    while at < len(line) and (quote or line[at] not in GO_SPACE):
        character = line[at]
        at += 1
        if character == quote:
            quote = ""
        elif character in "\"'" and not quote:
            quote, quoted = character, True
        elif character == "\\":
            word.append(line[at : at + 1])
            at += 1
        else:
            word.append(character)
    return "".join(word), quoted, at


def split_words(text: str, escape: str) -> list[str]:
    """Words at blanks outside quotes, the quotes and escapes left in."""
    words: list[str] = []
    word: list[str] = []
    quote = ""
    at = 0
    while at < len(text):
        character = text[at]
        at += 1
        if not quote and character in GO_SPACE:
            if word:
                words.append("".join(word))
                word = []
            continue
        if character == quote:
            quote = ""
        elif not quote and character in "\"'":
            quote = character
        elif character == escape and quote != "'":
            if at == len(text):
                break
            word.append(character)
            character = text[at]
            at += 1
        word.append(character)
    return [*words, "".join(word)] if word else words


def split_blanks(text: str) -> list[str]:
    """Words at blanks, quoted or not."""
    return BLANKS.split(text) if text else []


def json_array(text: str) -> tuple[str, ...] | None:
    """The strings of a JSON array; None where `text` is none, and so is a shell's or a list of words."""
    if not text.startswith("["):
        return None
    try:
        values = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(value, str) for value in values):
        raise DockerfileError("an array in JSON form must hold strings only")
    return tuple(_without_surrogates(value) for value in values)


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is Python's, not JSON's")


def _without_surrogates(text: str) -> str:
    # Go reads half of a surrogate pair as the replacement character.
    return re.sub("[\ud800-\udfff]", "\ufffd", text)
