"""A Dockerfile's text to its instructions' lines, as BuildKit's ``parser.Parse`` joins and skips them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from stackgen.docker.errors import DockerfileError, ExpansionError
from stackgen.docker.instructions import Heredoc
from stackgen.docker.shell import GO_SPACE, raw_words, unquoted_words

MAX_LINE = 65535
"""The bytes that BuildKit's line scanner takes at once, the newline not counted."""

_DIRECTIVE = re.compile(rf"#[{GO_SPACE}]*([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*(.+?)[\t\n\f\r ]*\Z")
_HEREDOC = re.compile(r"\d*<<(-?)([^<]+)\Z")
_CONTINUED = {
    # A doubled escape character at the end continues nothing; neither does a trebled one.
    escape: re.compile(rf"(?:(?<=[^{re.escape(escape)}])|^){re.escape(escape)}[ \t]*\Z")
    for escape in ("\\", "`")
}


@dataclass(slots=True)
class Lines:
    """A Dockerfile, read line by line; `escape` is what its directives made the escape character."""

    lines: list[str]
    escape: str = "\\"
    number: int = 0
    """How many lines have been taken, and so the number of the last one."""
    _directives: set[str] | None = field(default_factory=set)

    @classmethod
    def of(cls, text: str) -> Lines:
        """The lines of `text`, nothing read yet."""
        lines = text.removeprefix("\ufeff").split("\n")
        if not lines[-1]:
            lines.pop()
        return cls(lines)

    def take(self) -> str | None:
        """The next line without its newline, or None at the end."""
        if self.number == len(self.lines):
            return None
        line = self.lines[self.number]
        self.number += 1
        if len(line) > MAX_LINE // 4 and len(line.encode(errors="replace")) > MAX_LINE:
            raise DockerfileError(f"a line has more than {MAX_LINE} bytes", self.number)
        return line

    def logical(self) -> Iterator[tuple[int, str]]:
        """The number of each instruction's first line, and its text: one line, without comments."""
        while (line := self.take()) is not None:
            text = line.rstrip("\r").lstrip(GO_SPACE)
            self.directive(text)
            if not text or text.startswith("#"):
                continue
            start = self.number
            joined, continued = self.split_continuation(text)
            while continued and (line := self.take()) is not None:
                text = line.rstrip("\r")
                self.directive(text)
                stripped = text.lstrip(GO_SPACE)
                if stripped and not stripped.startswith("#"):
                    piece, continued = self.split_continuation(text)
                    joined += piece
            yield start, joined

    def split_continuation(self, text: str) -> tuple[str, bool]:
        """`text` without the escape character that continues it, and whether there was one."""
        match = _CONTINUED[self.escape].search(text)
        return (text[: match.start()], True) if match else (text, False)

    def directive(self, text: str) -> None:
        """``# escape=…``, ``# syntax=…``, ``# check=…``: at the top, each once, before anything else."""
        if self._directives is None:
            return
        match = _DIRECTIVE.match(text)
        name = match[1].lower() if match else ""
        if not match or name not in ("escape", "syntax", "check"):
            self._directives = None
            return
        if name in self._directives:
            raise DockerfileError(f"the directive {name} is given twice", self.number)
        self._directives.add(name)
        if name == "escape":
            if match[2] not in _CONTINUED:
                raise DockerfileError(f"the escape character must be \\ or `, not {match[2]}", self.number)
            self.escape = match[2]

    def heredocs(self, line: str, start: int) -> tuple[Heredoc, ...]:
        """The documents that `line` announces, taken from the lines below it."""
        return tuple(self.document(heredoc, start) for heredoc in _announced(line, start))

    def document(self, heredoc: Heredoc, start: int) -> Heredoc:
        """`heredoc` with its content, taken from the lines that follow."""
        content: list[str] = []
        while (line := self.take()) is not None:
            end = line.rstrip("\r")
            if (end.lstrip("\t") if heredoc.chomp else end) == heredoc.name:
                return Heredoc(name=heredoc.name, content="".join(content), expand=heredoc.expand, chomp=heredoc.chomp)
            content.append(line + "\n")
        raise DockerfileError(f"the heredoc {heredoc.name} has no end: a line {heredoc.name}", start)


def ended(text: str) -> str:
    """`text` without an escape character at its end, which would draw in whatever is printed below it."""
    lines = text.split("\n")
    for index in reversed(range(len(lines))):
        line = lines[index].strip(GO_SPACE)
        if not line or line.startswith("#"):
            continue
        match = _CONTINUED["\\"].search(lines[index].rstrip("\r"))
        if match:
            lines[index] = lines[index][: match.start()]
        # A line that was the escape character alone leaves the one above it as the last.
        if lines[index].strip(GO_SPACE):
            break
    return "\n".join(lines)


def is_heredoc(word: str) -> bool:
    """Whether `word` announces a heredoc, ``<<NAME``."""
    try:
        return _heredoc(word) is not None
    except ExpansionError:
        return False


def _announced(line: str, start: int) -> list[Heredoc]:
    if "<<" not in line:
        return []
    try:
        words = raw_words(line)
    except ExpansionError:
        # BuildKit, too, leaves a line whose quotes are open to the shell that will run it.
        return []
    try:
        return [heredoc for word in words if (heredoc := _heredoc(word))]
    except ExpansionError as error:
        raise DockerfileError(str(error), start) from None


def _heredoc(word: str) -> Heredoc | None:
    match = _HEREDOC.match(word)
    if not match:
        return None
    names = unquoted_words(match[2], raw_quotes=False)
    if len(names) != 1:
        return None
    quoted = unquoted_words(match[2], raw_quotes=True)
    # Quotes that were taken off are quotes that said: expand nothing.
    expand = _quotes(names[0]) == _quotes(quoted[0])
    return Heredoc(name=names[0], content="", expand=expand, chomp=match[1] == "-")


def _quotes(text: str) -> int:
    return text.count("'") + text.count('"')
