"""What the parser's complaints mean to whoever wrote the text, and how to mend it."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from stackgen.diagnostics import Findings, Source, Span
from stackgen.read.source.places import places


class Meaning(NamedTuple):
    """What a finding says of a problem."""

    message: str
    help: str | None
    code: str


_PROBLEMS = {
    "found character that cannot start any token": (
        "a text cannot begin with this character",
        "put the text in quotes",
    ),
    "mapping values are not allowed in this context": (
        "a second `: ` on this line, or a line indented more than the one above",
        'put the value in quotes where it holds ": ", or indent it like its neighbours',
    ),
    "found unexpected ':'": (
        "a `:` that ends no key and stands in no quotes",
        "put a blank behind a key's colon, `{key: value, other: }`, and quotes round a text that holds one",
    ),
    "did not find expected whitespace or line break": (
        "a tag without a blank behind it",
        "put a blank there: {cron: !reset }",
    ),
    "could not find expected ':'": (
        "a key without its colon",
        'write "key: value"; a text of several lines needs | or quotes',
    ),
    "found unexpected end of stream": ("a quote that is never closed", "close the quote"),
    "did not find expected key": (
        "this line does not fit the map it stands in",
        "indent it like its neighbours, and quote a value that begins with a quote, { or [",
    ),
    "did not find expected node content": (
        "a value is missing here",
        'write it, or remove the comma: [a, b]; an empty text is ""',
    ),
    "did not find expected '-' indicator": (
        "this line does not fit the list it stands in",
        "begin it with `- `, indented like its neighbours",
    ),
    "did not find expected ',' or ']'": ("a [list] that is never closed", "close it with ]"),
    "did not find expected ',' or '}'": ("a {map} that is never closed", "close it with }"),
}

_ENTRY = re.compile(r"(?P<before>\s*(?:- )*(?:[\w.-]+:\s+)?(?:- )?)(?P<value>[^\s\"'\[{|>&*].*: .*)")


# https://yaml.org/spec/1.2.2/#51-character-set
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\ufeff")


def tell(source: Source, error: Any, findings: Findings) -> None:
    """Report why a text is no YAML; `error` is what the parser raised."""
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    mark = _mark(error, problem)
    forbidden = None if mark else _FORBIDDEN.search(source.text)
    if forbidden:
        before = source.text[: forbidden.start()]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        meaning = _character(ord(forbidden[0]))
    else:
        line, column = places(source.text)(mark) if mark else (1, 1)
        line = min(line, source.text.count("\n") + 1)
        meaning = _meaning(problem, source.line(line), column)
    findings.error(meaning.code, meaning.message, Span(source, line, column, line, column + 1), help=meaning.help)


def _mark(error: Any, problem: str) -> Any:
    """Give where the parser gave up; what is not closed is told where it begins."""
    mark, begun = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    unclosed = ("did not find expected ','", "could not find expected", "found unexpected end")
    if begun is not None and mark is not None and begun.line < mark.line and problem.startswith(unclosed):
        return begun
    return mark


def _character(code: int) -> Meaning:
    escape = f": \\x{code:02x}" if code < 256 else ""
    return Meaning(
        f"a character that YAML does not allow: U+{code:04X}",
        f"remove it, or write it in double quotes as an escape{escape}",
        code="yaml-syntax",
    )


def _meaning(problem: str, text: str, column: int) -> Meaning:
    """Give what a problem means on a line of this text."""
    message, help = _PROBLEMS.get(problem, (f"not valid YAML: {problem}", None))
    entry = _ENTRY.fullmatch(text.rstrip())
    if problem.startswith("mapping values") and entry:
        value = json.dumps(entry["value"], ensure_ascii=False)
        help = " ".join(filter(None, ("write", entry["before"].strip(), value)))
    elif "tab character" in problem or (problem.startswith("found character") and text[column - 1 : column] == "\t"):
        return Meaning("a tab cannot indent YAML", "indent with blanks", code="tab")
    elif problem.startswith("did not find expected ','") and text[column - 1 : column] == ":":
        message, help = "a second `: ` in one entry", 'put the value in quotes: {sh: "curl -H Accept: json"}'
    elif "{{" in text and "[" in text.partition("{{")[0]:
        return Meaning(
            "an expression without quotes inside a [list]",
            'put each item that holds {{ … }} in quotes: [mv, "a-{{ v }}", b]',
            code="unquoted-expression",
        )
    return Meaning(message, help, code="yaml-syntax")
