"""A file at a place where an image above has already put one."""

from __future__ import annotations

from stackgen.diagnostics import Related
from stackgen.lint.rule import Say, Subject, Whole, WholeRule
from stackgen.stack.lower.steps import ContextFile, ProgramFile


def _above(subject: Subject, writers: dict[str, ContextFile]) -> tuple[Subject, ContextFile] | None:
    """Give the nearest image above that is among the writers of a path, and its file."""
    above = subject.parent
    while above is not None:
        other = writers.get(above.compiled.unit.key)
        if other is not None:
            return above, other
        above = above.parent
    return None


def _check(whole: Whole, say: Say) -> None:
    by_path: dict[str, dict[str, ContextFile]] = {}
    for key, subject in whole.subjects.items():
        for file in subject.compiled.lowered.files:
            # A child that names an inherited program writes its file anew: that is what it is for.
            if file.path.startswith("rootfs/") and file.span is not None and not isinstance(file.content, ProgramFile):
                by_path.setdefault(file.path, {})[key] = file
    for path, writers in by_path.items():
        for key, file in writers.items() if len(writers) > 1 else ():
            found = _above(whole.subjects[key], writers)
            if found is not None:
                other, its_file = found
                same = file.content == its_file.content and file.mode == its_file.mode
                does = "is the file that" if same else "stands over the file that"
                say(
                    f"/{path.removeprefix('rootfs/')} {does} {other.compiled.unit.name} put there"
                    + (" already" if same else ""),
                    file.span,
                    "remove it here" if same else "give it a `dest` of its own, unless it is meant to stand over it",
                    [Related("put there by this", its_file.span)] if its_file.span else (),
                )


RULE = WholeRule(code="overwritten-file", severity="info", check=_check)
