"""What ENTRYPOINT does to a CMD: it resets one that is inherited, and its shell form never looks at one.

https://docs.docker.com/reference/dockerfile/#understand-how-cmd-and-entrypoint-interact
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TypeAlias

from stackgen.diagnostics import Related, Span
from stackgen.docker.instructions import Cmd, Entrypoint
from stackgen.lint.rule import ImageRule, Say, Subject
from stackgen.stack.compile import Compiled

_Kind: TypeAlias = type[Cmd] | type[Entrypoint]
# A script that becomes what it is given: with an empty CMD, nothing.
_HANDS_ON = re.compile(r'^\s*exec "?\$@"?\s*$', re.MULTILINE)
_LOOKS_AT_CMD = re.compile(r"\$\{?[@*0-9]")


def _last(compiled: Compiled, kind: _Kind) -> tuple[bool, Span | None]:
    """Say whether an image has such an instruction of its own, and where the last stands."""
    spans = [
        placed.span for step in compiled.lowered.steps for placed in step.placed if isinstance(placed.instruction, kind)
    ]
    return bool(spans), spans[-1] if spans else None


def _typed(argv: Sequence[str]) -> str:
    """Give words as a list of a stack."""
    words = (word if re.fullmatch(r"[\w./=-]+", word) else json.dumps(word, ensure_ascii=False) for word in argv)
    return f"[{', '.join(words)}]"


def _resets(subject: Subject, say: Say) -> None:
    """A CMD that an image of the project says is missed. An outside image's, which may be a shell that is meant to go,
    is missed where the entrypoint stays the same, or is a script that becomes what it is given.
    """
    own, span = _last(subject.compiled, Entrypoint)
    before, config = subject.before, subject.compiled.config
    if not own or not before.cmd or config.cmd or _last(subject.compiled, Cmd)[0]:
        return
    for ancestor in subject.ancestors():
        said, place = _last(ancestor, Cmd)
        if said and ancestor.config.cmd:
            say(
                f"this entrypoint resets the CMD that {ancestor.unit.name} gives",
                span,
                f"say it again beside it: `cmd: {_typed(before.cmd)}`, or `cmd: []` where none is meant",
                [Related("inherited from here", place)] if place else (),
            )
            return
    entrypoint = config.entrypoint or ()
    script = subject.file_at(entrypoint[0]) if len(entrypoint) == 1 else None
    hands_on = script is not None and isinstance(script.content, bytes)
    hands_on = hands_on and bool(_HANDS_ON.search(script.content.decode("utf-8", "replace")))  # type: ignore[union-attr]
    if hands_on or entrypoint == before.entrypoint:
        what = f"{entrypoint[0]} becomes the CMD" if hands_on else "this entrypoint is the inherited one"
        say(
            f"{what}, and an entrypoint resets the CMD that the outside image gives",
            span,
            f"say it again beside it: `cmd: {_typed(before.cmd)}`, or `cmd: []` where none is meant",
        )


def _ignores(subject: Subject, say: Say) -> None:
    config = subject.compiled.config
    own_entrypoint, entrypoint_span = _last(subject.compiled, Entrypoint)
    own_cmd, cmd_span = _last(subject.compiled, Cmd)
    if not config.cmd or not (own_entrypoint or own_cmd):
        return
    # The shell form, whoever gives it, is stored as a shell with its -c and one text.
    argv = config.entrypoint or ()
    if len(argv) != 3 or not argv[0].endswith("sh") or argv[1] != "-c" or _LOOKS_AT_CMD.search(argv[2]):
        return
    say(
        "an entrypoint in the shell form never sees the CMD"
        if own_entrypoint
        else "the inherited entrypoint has the shell form, which never sees the CMD",
        entrypoint_span if own_entrypoint else cmd_span,
        "write the entrypoint as a list, or leave the `cmd` out",
    )


RESETS = ImageRule(code="entrypoint-resets-cmd", severity="warning", check=_resets)
IGNORES = ImageRule(code="entrypoint-ignores-cmd", severity="warning", check=_ignores)
