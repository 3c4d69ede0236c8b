"""A variable that an image changes, and an inherited program that is made of it: its file stays as it was."""

from __future__ import annotations

from collections.abc import Iterator

from stackgen.diagnostics import Related, Span
from stackgen.lint.rule import ImageRule, Say, Subject
from stackgen.read.source import Mapping


def _own_variables(subject: Subject) -> Iterator[tuple[str, Span]]:
    """Give each variable that the image's own files say, in overlays too, with its place."""
    unit = subject.compiled.unit
    for document in (unit.document, *unit.fragments):
        when = document.node.get("when")
        for node in (document.node, *(when.values.values() if isinstance(when, Mapping) else ())):
            found = node.get("vars") if isinstance(node, Mapping) else None
            if isinstance(found, Mapping):
                yield from found.keys.items()


def _check(subject: Subject, say: Say) -> None:
    for (block, name), made_of in subject.compiled.left_behind.items():
        changed = next(((variable, span) for variable, span in _own_variables(subject) if variable in made_of), None)
        what = f'"{changed[0]}", which is changed here,' if changed else "what is changed here"
        program = subject.parent.compiled.supervised.get((block, name)) if subject.parent else None
        say(
            f'the inherited "{name}" of `{block}` is made of {what} and its file stays as it was',
            changed[1] if changed else subject.first_span(),
            f"name it, and it is written anew: {block}: {{{name}: {{}}}}",
            [Related("inherited from here", program.span)] if program else (),
        )


RULE = ImageRule(code="program-left-behind", severity="warning", check=_check)
