"""What nobody uses: a variable, a file beside a stack, a branch of `when`; known only where a whole folder is read."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from stackgen.lint.rule import Say, Subject, Whole, WholeRule
from stackgen.read.inputs import InputError
from stackgen.read.source import Mapping
from stackgen.stack.load import Document


def _documents(whole: Whole) -> Iterator[tuple[Subject, Document]]:
    seen: set[str] = set()
    for subject in whole.subjects.values():
        unit = subject.compiled.unit
        for document in (*unit.fragments, unit.document):
            if document.path not in seen and document.folder in whole.complete:
                seen.add(document.path)
                yield subject, document


def _check_variables(whole: Whole, say: Say) -> None:
    used = {name for subject in whole.subjects.values() for name in subject.compiled.used_variables}
    for _, document in _documents(whole):
        found = document.node.get("vars")
        for name, span, _ in found.items() if isinstance(found, Mapping) else ():
            if name not in used:
                say(f'nothing uses the variable "{name}"', span, "remove it")


def _check_files(whole: Whole, say: Say) -> None:
    """A stack's own folder is the one of its name beside it."""
    for _, document in _documents(whole):
        folder = posixpath.join(document.folder, document.stem)
        if not whole.inputs.is_folder(folder):
            continue
        try:
            names = whole.inputs.walk(folder)
        except InputError:
            continue
        for name in names:
            path = posixpath.join(folder, name)
            if path not in whole.inputs.digests and not posixpath.basename(path).startswith("."):
                first = next(iter(document.node.keys.values()), document.node.span)
                say(f"nothing uses {path}", first, "remove it, or name it in `files`")


def _check_branches(whole: Whole, say: Say) -> None:
    reached = {
        kind
        for subject in whole.subjects.values()
        if (distribution := subject.compiled.image.distribution) is not None
        for kind in distribution.kinds
    }
    for _, document in _documents(whole):
        when = document.node.get("when")
        for condition, span, _ in when.items() if isinstance(when, Mapping) else ():
            if "=" not in condition and condition not in reached:
                say(
                    f"no root of the project is {condition}, so this branch never holds",
                    span,
                    "remove it, or add a root stack of that distribution",
                )


VARIABLES = WholeRule(code="unused-variable", severity="warning", check=_check_variables)
FILES = WholeRule(code="unused-file", severity="info", check=_check_files)
BRANCHES = WholeRule(code="unreachable-branch", severity="info", check=_check_branches)
