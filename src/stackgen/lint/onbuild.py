"""ONBUILD triggers: what they copy must be in the context of the child that they fire in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stackgen.diagnostics import Related, Span
from stackgen.docker.errors import DockerfileError
from stackgen.docker.instructions import Add, Copy, Onbuild
from stackgen.docker.syntax import parse_instruction
from stackgen.lint.rule import ImageRule, Say, Subject


def _sources(instruction: object) -> Iterator[str]:
    """Give what an instruction takes from the build context, as far as that can be known."""
    if isinstance(instruction, Copy | Add) and not any(flag.startswith("--from=") for flag in instruction.flags):
        for source in instruction.sources:
            if not any(mark in source for mark in ("://", "$", "<<")) and not source.startswith("git@"):
                yield source.strip("\"'")


def _check_all(subject: Subject, say: Say) -> None:
    for placed in subject.placed():
        if isinstance(placed.instruction, Onbuild):
            for source in _sources(placed.instruction.trigger):
                if source.strip("./") in ("", "*"):
                    say(
                        "this trigger copies the whole build context, the child's own rootfs/ with it",
                        placed.span,
                        "copy a folder: COPY app/ /app/, which a child fills with `context: [{src: …, dest: app}]`",
                    )


def _matches(pattern: str, path: str) -> bool:
    """Whether a path, or a folder that it lies in, is what a source names: `*` and `?` do not match a slash."""
    one = {"*": "[^/]*", "?": "[^/]"}
    regex = "".join(one.get(character) or re.escape(character) for character in pattern)
    return bool(re.match(rf"{regex}(?:/|\Z)", path))


def _trigger(subject: Subject, text: str) -> tuple[str, Span | None]:
    """Give the name of the image that a trigger comes from, and the trigger's place."""
    for ancestor in subject.ancestors():
        for step in ancestor.lowered.steps:
            for placed in step.placed:
                if isinstance(placed.instruction, Onbuild) and placed.instruction.text == text:
                    return ancestor.unit.name, placed.span
    return subject.compiled.image.parent, None


def _check_context(subject: Subject, say: Say) -> None:
    if any("context" in document.dim for document in subject.compiled.unit.documents):
        return
    paths = [file.path for file in subject.compiled.lowered.files]
    there = [file for file in subject.compiled.lowered.files if file.span and not file.path.startswith("rootfs/")]
    for text in subject.compiled.base.on_build:
        try:
            instruction = parse_instruction(text)
        except DockerfileError:
            continue
        for source in _sources(instruction):
            plain = source.removeprefix("./").strip("/")
            if not plain or plain == "*" or "[" in plain or any(_matches(plain, path) for path in paths):
                continue
            name, span = _trigger(subject, text)
            optional = "*" in plain or "?" in plain
            folder = plain.partition("/")[0] if optional else plain
            say(
                f'the trigger "{text}" of {name} fires here, and the build context has no "{plain}"',
                subject.span("extends", "from") or subject.first_span(),
                f"context: [{{src: …, dest: {folder if '*' not in folder else '…'}}}]",
                [
                    *([Related("the trigger", span)] if span else ()),
                    *(Related(f"the context has {file.path}", file.span) for file in there[:2] if file.span),
                ],
            )


ALL = ImageRule(code="onbuild-copies-all", severity="warning", check=_check_all)
CONTEXT = ImageRule(code="onbuild-without-context", severity="error", check=_check_context)
