"""ONBUILD triggers: what they copy must be in the context of the child that they fire in."""

from __future__ import annotations

from collections.abc import Iterator

from stackgen.diagnostics import Related
from stackgen.docker.errors import DockerfileError
from stackgen.docker.instructions import Add, Copy, Onbuild
from stackgen.docker.syntax import parse_instruction
from stackgen.lint.rule import ImageRule, Say, Subject


def _sources(instruction: object) -> Iterator[str]:
    if isinstance(instruction, Copy | Add) and not any(flag.startswith("--from=") for flag in instruction.flags):
        for source in instruction.sources:
            if "://" not in source and "$" not in source and not source.startswith("git@"):
                yield source


def _check_all(subject: Subject, say: Say) -> None:
    for placed in subject.placed():
        if isinstance(placed.instruction, Onbuild):
            for source in _sources(placed.instruction.trigger):
                if source.strip("./") == "":
                    say(
                        "this trigger copies the whole build context, the child's own rootfs/ with it",
                        placed.span,
                        "copy a folder: COPY app/ /app/, which a child fills with `context: [{src: …, dest: app}]`",
                    )


def _check_context(subject: Subject, say: Say) -> None:
    parent = subject.ancestors[0] if subject.ancestors else None
    if parent is None:
        return
    paths = [file.path for file in subject.compiled.lowered.files]
    for text in parent.config.on_build:
        try:
            instruction = parse_instruction(text)
        except DockerfileError:
            continue
        for source in _sources(instruction):
            plain = source.removeprefix("./").strip("/")
            if not plain or any(mark in plain for mark in "*?["):
                continue
            if not any(path == plain or path.startswith(f"{plain}/") for path in paths):
                span = parent.image.spans.get("onbuild")
                say(
                    f'the trigger "{text}" of {parent.unit.name} fires here, and the build context has no "{plain}"',
                    subject.span("extends") or next(iter(subject.compiled.unit.document.node.keys.values())),
                    f"context: [{{src: …, dest: {plain}}}]",
                    [Related("the trigger", span)] if span else (),
                )


ALL = ImageRule(code="onbuild-copies-all", severity="warning", check=_check_all)
CONTEXT = ImageRule(code="onbuild-without-context", severity="error", check=_check_context)
