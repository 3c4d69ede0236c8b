"""YAML text to nodes with their key and value spans.

Scalars keep their text as written (YAML 1.2: https://yaml.org/spec/1.2.2/): what type one has is decided by the
field that it is given to, never by the text alone.
"""

from __future__ import annotations

from stackgen.diagnostics import Findings, Source, Span
from stackgen.read.inputs import Inputs
from stackgen.read.source.building import parse
from stackgen.read.source.nodes import Mapping, Node, Scalar, Sequence, Tag, Word, is_empty, word, words

__all__ = [
    "Mapping",
    "Node",
    "Scalar",
    "Sequence",
    "Tag",
    "Word",
    "is_empty",
    "parse",
    "parse_mapping",
    "read",
    "word",
    "words",
]


def read(inputs: Inputs, path: str, findings: Findings) -> Source | None:
    """Give a file's text, or None with a finding where it is not UTF-8. Raises InputError."""
    data = inputs.read(path)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        place = Span(Source(path, data.decode("utf-16", "replace"), inputs.root), 1, 1, 1, 2)
        findings.error("not-utf8", f"{path} is written in UTF-16", place, help="save it as UTF-8")
        return None
    try:
        return Source(path, data.decode("utf-8-sig"), inputs.root)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        line = before.count("\n") + 1
        column = len(before) - before.rfind("\n")
        text = Source(path, data.decode("utf-8", "replace"), inputs.root)
        place = Span(text, line, column, line, column + 1)
        findings.error("not-utf8", f"{path} is not UTF-8", place, help="save it as UTF-8")
        return None


def parse_mapping(source: Source, what: str, findings: Findings) -> Mapping | None:
    """Give the map that a file holds, or None with a finding; `what` names the file's kind ("a stack")."""
    before = findings.errors
    node = parse(source, findings)
    if isinstance(node, Mapping) and node.values:
        return node
    if findings.errors == before:
        if node is None or is_empty(node) or isinstance(node, Mapping):
            message = f"{what} file is empty"
            help = "the smallest stack: from: debian:12-slim" if what == "a stack" else None
        else:
            kind = "list" if isinstance(node, Sequence) else "text"
            message, help = f"{what} is a map of keys, this file is a {kind}", "begin with a key: NAME: VALUE"
        first = Span(source, 1, 1, 1, max(2, len(source.line(1)) + 1))
        findings.error("not-a-map", message, first, help=help)
    return None
