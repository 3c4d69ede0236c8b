"""What a RUN runs, as far as it can be seen: its shell text as simple commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from stackgen.docker.instructions import Run, ShellForm

_KEYWORDS = frozenset({"if", "then", "elif", "else", "while", "until", "do", "!", "{", "(", "time", "exec", "command"})
_SEPARATORS = frozenset({"&&", "||", ";", ";;", "|", "|&", "&", "\n", "(", ")"})
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


@dataclass(frozen=True, slots=True)
class Simple:
    """One command with its words; `written` are the files that its output goes to."""

    words: tuple[str, ...]
    written: tuple[str, ...]

    @property
    def program(self) -> str:
        """The name of what is run, without its folder."""
        return self.words[0].rpartition("/")[2] if self.words else ""


def text_of(run: Run) -> str:
    """Give what a RUN hands to a shell: its line and its here-documents, or what stands behind a shell's -c."""
    command = run.command
    if isinstance(command, ShellForm):
        return "\n".join([command.text, *(heredoc.content for heredoc in run.heredocs)])
    shells = bool(command.argv) and command.argv[0].endswith("sh") and "-c" in command.argv
    return command.argv[-1] if shells else shlex.join(command.argv)


def simple_commands(text: str) -> Iterator[Simple]:
    """Give the commands of a shell text, without the names of what a shell does between them.

    What a shell's quoting makes unreadable here is left out: a rule must not guess.
    """
    lexer = shlex.shlex(text.replace("\\\n", " "), posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    written: list[str] = []
    target = ""
    try:
        for token in lexer:
            if token in _SEPARATORS or token.strip("\n") == "":
                yield from _simple(words, written)
                words, written, target = [], [], ""
            elif set(token) <= set("<>&|"):
                target = token
            elif target:
                if ">" in target and not target.endswith("&"):
                    written.append(token)
                target = ""
            else:
                words.append(token)
    except ValueError:
        return
    yield from _simple(words, written)


def _simple(words: list[str], written: list[str]) -> Iterator[Simple]:
    start = 0
    while start < len(words) and (words[start] in _KEYWORDS or _ASSIGNMENT.match(words[start])):
        start += 1
    if words[start:] or written:
        yield Simple(tuple(words[start:]), tuple(written))
