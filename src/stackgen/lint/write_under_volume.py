"""What a build writes under a path that is a VOLUME already.

The classic builder loses it; BuildKit keeps it (https://docs.docker.com/reference/dockerfile/#notes-about-specifying-volumes),
but a container with an older volume of that name does not see it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stackgen.diagnostics import Span
from stackgen.docker.errors import ExpansionError
from stackgen.docker.instructions import Add, Copy, Run, Volume
from stackgen.docker.shell import expand_word
from stackgen.lint.commands import Simple, simple_commands, text_of
from stackgen.lint.rule import ImageRule, Say, Subject

# Programs that only look, and those that write to the last of their words.
_LOOKING = frozenset(
    "[ test ls cat grep egrep fgrep find du df stat file head tail wc echo printf cd export id env readlink realpath "
    "basename dirname diff cmp sha256sum md5sum tar".split()
)
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
        yield from (after for word, after in zip(words, words[1:], strict=False) if word in ("-C", "--directory"))
    elif command.program not in _LOOKING:
        yield from words


def _places(subject: Subject, instruction: object, volumes: Iterable[str]) -> Iterator[str]:
    """Give the volumes that an instruction writes under, but for files of `rootfs/`, which have places of their own."""
    if isinstance(instruction, Copy | Add):
        if any(source.strip('"').startswith("rootfs/") for source in instruction.sources):
            return
        try:
            dest = expand_word(instruction.dest, dict(subject.compiled.config.env))
        except ExpansionError:
            return
        yield from (volume for volume in volumes if _below(dest, volume))
    elif isinstance(instruction, Run):
        text = text_of(instruction)
        perhaps = [volume for volume in volumes if volume in text]
        if perhaps:
            written = [path for command in simple_commands(text) for path in _written(command)]
            yield from (volume for volume in perhaps if any(_below(path, volume) for path in written))


def _check(subject: Subject, say: Say) -> None:
    inherited = [path for path in subject.before.volumes if path != "/"]
    own: list[str] = []

    def found(volume: str, span: Span | None) -> None:
        say(
            f"{volume} is a VOLUME {'of an image above' if volume in inherited else 'by now'}: what the build writes "
            "there is lost with the classic builder; BuildKit keeps it, for containers whose volume is still empty",
            span,
            "write it when the container starts, or put it elsewhere",
        )

    for file in subject.compiled.lowered.files if inherited else ():
        if file.path.startswith("rootfs/") and file.span is not None:
            for volume in inherited:
                if _below(file.path.removeprefix("rootfs"), volume):
                    found(volume, file.span)
    for placed in subject.placed():
        if inherited or own:
            for volume in _places(subject, placed.instruction, (*inherited, *own)):
                found(volume, placed.span)
        if isinstance(placed.instruction, Volume):
            own += [path for path in subject.compiled.config.volumes if path in " ".join(placed.instruction.paths)]


RULE = ImageRule(code="write-under-volume", severity="warning", check=_check)
