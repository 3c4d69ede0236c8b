"""A variable that an image changes, and an inherited program that is made of it: its file stays as it was."""

from __future__ import annotations

from stackgen.lint.rule import ImageRule, Say, Subject


def _check(subject: Subject, say: Say) -> None:
    for name in subject.compiled.left_behind:
        say(
            f'the inherited program "{name}" is made of a variable that is changed here, and its file stays as it was',
            subject.span("vars") or subject.first_span(),
            f"name it, and it is written anew: programs: {{{name}: {{}}}}",
        )


RULE = ImageRule(code="program-left-behind", severity="warning", check=_check)
