"""A file at a place where an image above has already put one."""

from __future__ import annotations

from stackgen.diagnostics import Related
from stackgen.lint.rule import ImageRule, Say, Subject
from stackgen.stack.lower.steps import ProgramFile


def _check(subject: Subject, say: Say) -> None:
    for file in subject.compiled.lowered.files:
        if not file.path.startswith("rootfs/") or file.span is None or isinstance(file.content, ProgramFile):
            continue
        for ancestor in subject.ancestors:
            other = next((each for each in ancestor.lowered.files if each.path == file.path), None)
            if other is not None:
                related = [Related("put there by this", other.span)] if other.span else []
                say(
                    f"/{file.path.removeprefix('rootfs/')} stands over the file that {ancestor.unit.name} put there",
                    file.span,
                    related=related,
                )
                break


RULE = ImageRule(code="overwritten-file", severity="info", check=_check)
