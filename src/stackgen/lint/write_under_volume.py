"""What a build writes under a path that is a VOLUME already.

The classic builder loses it; BuildKit keeps it (https://docs.docker.com/reference/dockerfile/#notes-about-specifying-volumes),
but a container with an older volume of that name does not see it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from stackgen.diagnostics import Span
from stackgen.docker.errors import ExpansionError
from stackgen.docker.instructions import Add, Copy, Run, Volume
from stackgen.docker.shell import expand_word
from stackgen.lint.commands import Simple, simple_commands, text_of
from stackgen.lint.rule import ImageRule, Say, Subject
from stackgen.stack.lower.steps import Placed

# Programs that only look, and those that write to the last of their words.
# fmt: off
_LOOKING = frozenset({
    "[", "test", "ls", "cat", "grep", "egrep", "fgrep", "find", "du", "df", "stat", "file", "head", "tail", "wc",
    "diff", "cmp", "sha256sum", "md5sum", "echo", "printf", "cd", "export", "id", "env", "readlink", "realpath",
    "basename", "dirname",
})
# fmt: on
_TO_THE_LAST = frozenset(("cp", "install", "ln", "rsync", "scp"))


def _below(path: str, volume: str) -> bool:
    return f"{path.rstrip('/')}/".startswith(f"{volume.rstrip('/')}/")


def _written(command: Simple) -> Iterator[str]:
    """Give the paths that a command may write to."""
    yield from command.written
    words = command.words[1:]
    if command.program in _TO_THE_LAST:
        yield from words[-1:]
    elif command.program == "tar":
        yield from (after for word, after in pairwise(words) if word in ("-C", "--directory"))
    elif command.program not in _LOOKING:
        yield from words


def _places(subject: Subject, placed: Placed) -> Iterator[tuple[str, Span | None]]:
    """Give the paths that an instruction may write to, each with the place in the stack that says so."""
    instruction = placed.instruction
    if isinstance(instruction, Run):
        for command in simple_commands(text_of(instruction)):
            yield from ((path, placed.span) for path in _written(command))
    elif isinstance(instruction, Copy | Add):
        spans = {file.path: file.span for file in subject.compiled.lowered.files}
        for source in instruction.sources:
            path = source.strip('"')
            if path.startswith("rootfs/"):
                yield path.removeprefix("rootfs"), spans.get(path) or placed.span
        try:
            yield expand_word(instruction.dest, dict(subject.compiled.config.env)), placed.span
        except ExpansionError:
            return


def _check(subject: Subject, say: Say) -> None:
    inherited = tuple(path for path in subject.before.volumes if path != "/")
    own: tuple[str, ...] = ()
    for placed in subject.placed():
        told: set[str] = set()
        for path, span in _places(subject, placed) if inherited or own else ():
            for volume in (*inherited, *own):
                if volume not in told and _below(path, volume):
                    told.add(volume)
                    by = "of an image above" if volume in inherited else "by now"
                    say(
                        f"{volume} is a VOLUME {by}: what is written there is lost with the classic builder, and with "
                        "BuildKit hidden by a volume that holds something already",
                        span,
                        "write it when the container starts, or put it elsewhere",
                    )
        if isinstance(placed.instruction, Volume):
            words = {word.strip('"') for word in placed.instruction.paths}
            own += tuple(path for path in subject.compiled.config.volumes if path in words)


RULE = ImageRule(code="write-under-volume", severity="warning", check=_check)
