"""What nobody uses: a variable, a file beside a stack, a branch of `when`; known only where all stacks are read."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from stackgen.lint.rule import Say, Subject, Whole, WholeRule
from stackgen.read import source
from stackgen.read.inputs import InputError
from stackgen.read.source import Mapping, Node, Scalar
from stackgen.stack.documents import ENDINGS, Document
from stackgen.stack.expressions import EXPRESSION

_ANCHOR = re.compile(r"['\"]?\s*:\s*&")
_WORD = re.compile(r"\w+")


def _documents(whole: Whole) -> Iterator[tuple[Subject, Document]]:
    """Give the files of which all users are among the images, each once."""
    seen: set[str] = set()
    for subject in whole.subjects.values():
        unit = subject.compiled.unit
        for document in (*unit.fragments, unit.document):
            if document.path not in seen and document.folder in whole.complete:
                seen.add(document.path)
                yield subject, document


def _check_variables(whole: Whole, say: Say) -> None:
    """A name that any expression mentions is used: in a branch of `when` that does not hold in this run, too."""
    used = {name for subject in whole.subjects.values() for name in subject.compiled.used_variables}
    mentioned: set[str] | None = None
    for _, document in _documents(whole):
        found = document.node.get("vars")
        for name, span, _ in found.items() if isinstance(found, Mapping) else ():
            # What only holds an anchor is used by YAML itself.
            if name in used or _ANCHOR.match(span.source.line(span.line), span.end_column - 1):
                continue
            if mentioned is None:
                mentioned = _mentioned(whole)
            if name not in mentioned:
                say(f'nothing uses the variable "{name}"', span, "remove it, or use it: {{ " + name + " }}")


def _texts(node: Node) -> Iterator[str]:
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if isinstance(here, Scalar):
            yield here.text
        else:
            waiting.extend(here.values.values() if isinstance(here, Mapping) else here.items)


def _mentioned(whole: Whole) -> set[str]:
    """Give every word in an expression, of a stack or of a .j2 file that one names, and the names that `when` asks."""
    words: set[str] = set()
    for subject in whole.subjects.values():
        unit = subject.compiled.unit
        for document in (*unit.fragments, unit.document):
            when = document.node.get("when")
            words.update(key.partition("=")[0] for key in (when.values if isinstance(when, Mapping) else ()))
            for text in _texts(document.node):
                for expression in EXPRESSION.findall(text):
                    words.update(_WORD.findall(expression))
    for path in _named(whole)[0]:
        if path.endswith(".j2") and whole.inputs.is_file(path):
            try:
                words.update(_WORD.findall(whole.inputs.read(path).decode("utf-8", "replace")))
            except InputError:
                continue
    return words


def _named(whole: Whole) -> tuple[set[str], list[str]]:
    """Give every path that any text of any stack may name, as plain paths and as patterns.

    A branch of `when` that does not hold now, a bind mount, a file of the environment: they all use a file.
    """
    plain: set[str] = set()
    patterns: list[str] = []
    for subject in whole.subjects.values():
        unit = subject.compiled.unit
        for document in (*unit.fragments, unit.document):
            for text in _texts(document.node):
                path = EXPRESSION.sub("*", text)
                for part in {path, path.partition(":")[0]}:
                    if "\n" in part or len(part) > 500:
                        continue
                    joined = posixpath.normpath(posixpath.join(document.folder, part))
                    if any(mark in joined for mark in "*?["):
                        patterns.append(joined)
                    else:
                        plain.add(joined)
    return plain, patterns


def _is_named(path: str, plain: set[str], patterns: list[str]) -> bool:
    while path:
        if path in plain or any(fnmatchcase(path, pattern) for pattern in patterns):
            return True
        path = path.rpartition("/")[0]
    return False


def _check_files(whole: Whole, say: Say) -> None:
    """A stack's own folder is the one of its name beside it. What explains it to a reader is no file of the image."""
    plain: set[str] = set()
    patterns: list[str] = []
    for _, document in _documents(whole):
        folder = posixpath.join(document.folder, document.stem)
        if not whole.inputs.is_folder(folder) or folder in whole.complete:
            continue
        if not plain:
            plain, patterns = _named(whole)
        try:
            names = whole.inputs.walk(folder)
        except InputError:
            continue
        for name in names:
            path = posixpath.join(folder, name)
            last = posixpath.basename(path)
            if last.startswith((".", "README", "LICENSE")) or last.endswith(ENDINGS):
                continue
            if path not in whole.inputs.digests and not _is_named(path, plain, patterns):
                say(
                    f"nothing uses {path}",
                    document.node.keys.get("files") or next(iter(document.node.keys.values()), document.node.span),
                    f"remove it, or name it in `files`: {{src: {document.stem}/{name}, dest: …}}",
                )


def _check_branches(whole: Whole, say: Say) -> None:
    roots = {
        distribution.name: distribution
        for subject in whole.subjects.values()
        if (distribution := subject.compiled.image.distribution) is not None
    }
    reached = {kind for distribution in roots.values() for kind in distribution.kinds}
    for _, document in _documents(whole):
        when = document.node.get("when")
        for condition, span, _ in when.items() if isinstance(when, source.Mapping) else ():
            if "=" not in condition and condition not in reached:
                say(
                    f"no root of the project is {condition}, so this branch never holds",
                    span,
                    f"remove it, or add a root stack of that kind; there are: {', '.join(sorted(roots)) or 'none'}",
                )


VARIABLES = WholeRule(code="unused-variable", severity="warning", check=_check_variables)
FILES = WholeRule(code="unused-file", severity="info", check=_check_files)
BRANCHES = WholeRule(code="unreachable-branch", severity="info", check=_check_branches)
