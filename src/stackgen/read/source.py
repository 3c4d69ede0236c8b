"""YAML text to nodes with their key and value spans; the only import of yaml.

Scalars keep their text as written (YAML 1.2: https://yaml.org/spec/1.2.2/): what type one has is decided by the
field that it is given to, never by the text alone.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import yaml

from stackgen.diagnostics import Findings, Fix, Related, Source, Span, suggestion
from stackgen.read.inputs import Inputs

try:
    from yaml.cyaml import CParser as _Parser  # type: ignore[attr-defined]
except ImportError:  # PyYAML without libyaml: the same events, eight times slower

    class _Parser(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):  # type: ignore[no-redef]
        def __init__(self, text: str) -> None:
            yaml.reader.Reader.__init__(self, text)
            yaml.scanner.Scanner.__init__(self)
            yaml.parser.Parser.__init__(self)


Tag = Literal["!reset", "!override", "!unsafe"]

# Aliases can make a small file huge; no stack comes near these.
MOST_NODES = 200_000
DEEPEST = 100


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar as written; `plain` is whether it stands without quotes."""

    text: str
    span: Span
    plain: bool = False
    tag: Tag | None = None


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of nodes."""

    items: tuple[Node, ...]
    span: Span
    tag: Tag | None = None


@dataclass(frozen=True, slots=True)
class Mapping:
    """A map from texts to nodes, in the order written; `keys` has the span of each key."""

    values: dict[str, Node]
    keys: dict[str, Span]
    span: Span
    tag: Tag | None = None

    def get(self, key: str) -> Node | None:
        """Give the value of a key, or None."""
        return self.values.get(key)

    def items(self) -> Iterator[tuple[str, Span, Node]]:
        """Give each key, its span and its value."""
        for key, value in self.values.items():
            yield key, self.keys[key], value

    def entry(self, key: str) -> Span:
        """Give the place of a key with its value; of the key alone where an alias puts the value elsewhere."""
        start, value = self.keys[key], self.values[key].span
        after = (value.end_line, value.end_column) >= (start.end_line, start.end_column)
        return replace(start, end_line=value.end_line, end_column=value.end_column) if after else start

    def without(self, *names: str) -> Mapping:
        """Give this map without some keys."""
        kept = {key: value for key, value in self.values.items() if key not in names}
        return replace(self, values=kept)


Node: TypeAlias = Scalar | Sequence | Mapping


@dataclass(frozen=True, slots=True)
class Word:
    """A text and where it is written."""

    text: str
    span: Span


def word(node: Node) -> Word:
    """Give a scalar as a word."""
    assert isinstance(node, Scalar)
    return Word(node.text, node.span)


def words(node: Node | None) -> tuple[Word, ...]:
    """Give a list of scalars as words; nothing is an empty list."""
    return tuple(word(item) for item in node.items) if isinstance(node, Sequence) else ()


def is_empty(node: Node) -> bool:
    """Whether a node is YAML's null: nothing, `~` or `null`, without quotes."""
    return isinstance(node, Scalar) and node.plain and node.text in ("", "~", "null", "Null", "NULL")


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


class _Broken(Exception):
    """Reading cannot go on; the finding is already kept."""


# What libyaml, of YAML 1.1, takes for line ends too; YAML 1.2 and editors do not.
_OTHER_BREAKS = re.compile("\r(?!\n)|[\x85\u2028\u2029]")


def _places(text: str) -> Callable[[Any], tuple[int, int]]:
    """Give what tells the line and column of one of the parser's marks, as an editor counts them."""
    if not _OTHER_BREAKS.search(text):
        return lambda mark: (mark.line + 1, mark.column + 1)
    starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def at(mark: Any) -> tuple[int, int]:
        line = bisect_right(starts, mark.index)
        return line, mark.index - starts[line - 1] + 1

    return at


class _Builder:
    """Builds the nodes of one document from the parser's events."""

    def __init__(self, source: Source, findings: Findings) -> None:
        self.source = source
        self.findings = findings
        self.parser: Any = _Parser(source.text)
        self.at = _places(source.text)
        self.anchors: dict[str, tuple[Node, int]] = {}
        self.open_anchors: set[str] = set()
        self.told: set[int] = set()
        """Lines with a fault that the parser may stumble over once more."""
        self.count = 0

    def span(self, start: Any, end: Any) -> Span:
        return Span(self.source, *self.at(start), *self.at(end))

    def fail(self, code: str, message: str, span: Span, help: str | None = None) -> _Broken:
        self.findings.error(code, message, span, help=help)
        return _Broken()

    def document(self) -> Node | None:
        events = self.parser
        events.get_event()  # the stream's start
        if isinstance(events.peek_event(), yaml.StreamEndEvent):
            return None
        events.get_event()  # the document's start
        root = self.node(0)
        events.get_event()  # the document's end
        after = events.peek_event()
        if not isinstance(after, yaml.StreamEndEvent):
            raise self.fail(
                "several-documents",
                "a second YAML document begins here; a file holds one",
                self.span(after.start_mark, after.end_mark),
                "give the second its own file, or remove the line ---",
            )
        return root

    def node(self, depth: int) -> Node:
        event = self.parser.get_event()
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event)
        if depth > DEEPEST:
            raise self.fail(
                "too-deep",
                f"lists and maps stand more than {DEEPEST} deep",
                self.span(event.start_mark, event.end_mark),
            )
        before = self.count
        self.count += 1
        anchor = event.anchor
        if anchor:
            self.open_anchors.add(anchor)
        tag = self.tag(event)
        built: Node
        if isinstance(event, yaml.ScalarEvent):
            unquoted = event.style in (None, "")
            unknown = event.tag not in (None, "!", "tag:yaml.org,2002:str", "!unsafe")
            plain = (unquoted and event.tag is None) or unknown
            built = Scalar(event.value, self.span(event.start_mark, event.end_mark), plain, tag)
        elif isinstance(event, yaml.SequenceStartEvent):
            built = self.sequence(event, tag, depth)
        else:
            built = self.mapping(event, tag, depth)
        if anchor:
            self.open_anchors.discard(anchor)
            self.anchors[anchor] = (built, self.count - before)
        return built

    def alias(self, event: Any) -> Node:
        span = self.span(event.start_mark, event.end_mark)
        if event.anchor in self.open_anchors:
            raise self.fail(
                "alias-cycle", f"*{event.anchor} stands inside what it names", span, "write out what is meant"
            )
        if event.anchor not in self.anchors:
            known = ", ".join(sorted(self.anchors)) or "none"
            raise self.fail(
                "unknown-anchor",
                f"no anchor &{event.anchor} stands above",
                span,
                f"anchors above this line: {known}; a text that begins with * needs quotes",
            )
        node, size = self.anchors[event.anchor]
        self.count += size
        if self.count > MOST_NODES:
            raise self.fail(
                "too-many-nodes",
                f"with its aliases spelt out, this file has more than {MOST_NODES} nodes",
                span,
            )
        return node

    def tag(self, event: Any) -> Tag | None:
        tag = event.tag
        if tag == "!" and isinstance(event, yaml.ScalarEvent) and event.style in (None, ""):
            self.exclamation_mark(event)
        if tag in (None, "!", "tag:yaml.org,2002:str"):
            return None
        if tag in ("!reset", "!override", "!unsafe"):
            return tag  # type: ignore[no-any-return]
        span = self.span(event.start_mark, event.start_mark)
        span = replace(span, end_column=span.column + len(tag))
        shown = tag.replace("tag:yaml.org,2002:", "!!")
        known = "the tags are !reset, !override and !unsafe; a text that begins with ! needs quotes"
        self.findings.error(
            "unknown-tag",
            f"{shown} is not a tag of the stack language",
            span,
            help=suggestion(tag, ("!reset", "!override", "!unsafe"), known),
        )
        # A tag before nothing can only be !reset, mistyped.
        return "!reset" if isinstance(event, yaml.ScalarEvent) and not event.value else None

    def exclamation_mark(self, event: Any) -> None:
        """A shell's `! command` is a tag and a text to YAML, which drops the mark."""
        span = self.span(event.start_mark, event.end_mark)
        quoted = json.dumps(f"! {event.value}", ensure_ascii=False)
        self.findings.warning(
            "read-as-tag",
            "YAML reads the ! in front of this text as a tag, and drops it",
            span,
            help=f"write {quoted}",
            fix=Fix(span, quoted) if span.line == span.end_line else None,
        )

    def sequence(self, event: Any, tag: Tag | None, depth: int) -> Sequence:
        items: list[Node] = []
        while not isinstance(self.parser.peek_event(), yaml.SequenceEndEvent):
            items.append(self.node(depth + 1))
        end = self.parser.get_event()
        return Sequence(tuple(items), self.collection_span(event, end, items[-1] if items else None), tag)

    def mapping(self, event: Any, tag: Tag | None, depth: int) -> Node:
        values: dict[str, Node] = {}
        keys: dict[str, Span] = {}
        merged: list[tuple[Span, Node]] = []
        last: Node | None = None
        broken = False
        while not isinstance(self.parser.peek_event(), yaml.MappingEndEvent):
            key = self.node(depth + 1)
            if not isinstance(key, Scalar):
                self.complex_key(key, event)
                last = self.node(depth + 1)
                broken = True
                continue
            last = value = self.node(depth + 1)
            if key.plain and key.text == "<<":
                merged.append((key.span, value))
            elif key.text in values:
                self.doubled(key, keys[key.text])
            else:
                values[key.text] = value
                keys[key.text] = key.span
        end = self.parser.get_event()
        for span, node in merged:
            self.merge(span, node, values, keys)
        whole = self.collection_span(event, end, last)
        # What was meant is not known: as if it were not written, so that nobody finds fault with it again.
        return Scalar("", whole, plain=True, tag="!reset") if broken else Mapping(values, keys, whole, tag)

    def doubled(self, key: Scalar, first: Span) -> None:
        self.findings.error(
            "doubled-key",
            f'"{key.text}" is given twice in the same map',
            key.span,
            help="keep one of the two, or join them",
            related=[Related("first given here", first)],
        )

    def complex_key(self, key: Node, event: Any) -> None:
        span = key.span
        line = self.source.line(span.line)
        if event.flow_style and line[span.column - 2 : span.column] == "{{":
            in_flow = re.search(r"[\[{]", line[: span.column - 2])
            whole = re.match(_IN_FLOW if in_flow else _IN_BLOCK, line[span.column - 2 :])
            text = whole[0] if whole else line[span.column - 2 :].rstrip()
            quoted = json.dumps(text, ensure_ascii=False)
            place = replace(span, column=span.column - 1, end_line=span.line, end_column=span.column - 1 + len(text))
            self.told.add(span.line)
            self.findings.error(
                "unquoted-expression",
                "YAML reads {{ … }} without quotes as a map in a map",
                place,
                help=f"write {quoted}",
                fix=Fix(place, quoted),
            )
        else:
            self.findings.error(
                "key-not-text",
                "a key of a map is a text here, not a list or a map",
                span,
                help="quote the key",
            )

    def merge(self, span: Span, node: Node, values: dict[str, Node], keys: dict[str, Span]) -> None:
        """Take in what `<<` names: keys that stand in the map itself win, then the first named."""
        for part in node.items if isinstance(node, Sequence) else (node,):
            if not isinstance(part, Mapping):
                self.findings.error(
                    "merge-not-map",
                    "<< takes a map, or a list of maps",
                    span,
                    help="name the anchor of a map: <<: *anchor",
                    related=[Related("this is no map", part.span)],
                )
                continue
            for key, key_span, value in part.items():
                if key not in values:
                    values[key] = value
                    keys[key] = key_span

    def collection_span(self, start: Any, end: Any, last: Node | None) -> Span:
        """A block collection ends where its last node does: the parser's own mark is the next token's."""
        if start.flow_style or last is None:
            return self.span(start.start_mark, end.end_mark)
        first = self.span(start.start_mark, start.start_mark)
        closing = last.span
        if closing.line < first.line:  # an alias to what stands above
            return first
        return replace(first, end_line=closing.end_line, end_column=closing.end_column)


_PROBLEMS = {
    "found character that cannot start any token": (
        "yaml-syntax",
        "a text cannot begin with this character",
        "put the text in quotes",
    ),
    "mapping values are not allowed in this context": (
        "yaml-syntax",
        "a second `: ` on this line, or a line indented more than the one above",
        'put the value in quotes where it holds ": ", or indent it like its neighbours',
    ),
    "found unexpected ':'": (
        "yaml-syntax",
        "a `:` that ends no key and stands in no quotes",
        "put a blank behind a key's colon, `{key: value, other: }`, and quotes round a text that holds one",
    ),
    "did not find expected whitespace or line break": (
        "yaml-syntax",
        "a tag without a blank behind it",
        "put a blank there: {cron: !reset }",
    ),
    "could not find expected ':'": (
        "yaml-syntax",
        "a key without its colon",
        'write "key: value"; a text of several lines needs | or quotes',
    ),
    "found unexpected end of stream": ("yaml-syntax", "a quote that is never closed", "close the quote"),
    "did not find expected key": (
        "yaml-syntax",
        "this line does not fit the map it stands in",
        "indent it like its neighbours, and quote a value that begins with a quote, { or [",
    ),
    "did not find expected node content": (
        "yaml-syntax",
        "a value is missing here",
        'write it, or remove the comma: [a, b]; an empty text is ""',
    ),
    "did not find expected '-' indicator": (
        "yaml-syntax",
        "this line does not fit the list it stands in",
        "begin it with `- `, indented like its neighbours",
    ),
    "did not find expected ',' or ']'": ("yaml-syntax", "a [list] that is never closed", "close it with ]"),
    "did not find expected ',' or '}'": ("yaml-syntax", "a {map} that is never closed", "close it with }"),
}


# An expression without quotes, and the text behind it that belongs to it.
_IN_FLOW = r"\{\{.*?\}\}[^,\[\]{}#]*(?<!\s)"
_IN_BLOCK = r"\{\{.*?\}\}.*?(?=\s+#|\s*$)"
_ENTRY = re.compile(r"(?P<before>\s*(?:- )*(?:[\w.-]+:\s+)?(?:- )?)(?P<value>[^\s\"'\[{|>&*].*: .*)")


# https://yaml.org/spec/1.2.2/#51-character-set
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\ufeff")


def _broken_yaml(source: Source, error: Any, findings: Findings) -> None:
    mark = getattr(error, "problem_mark", None)
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    code, message, help = _PROBLEMS.get(problem, ("yaml-syntax", f"not valid YAML: {problem}", None))
    begun = getattr(error, "context_mark", None)
    unclosed = begun is not None and mark is not None and begun.line < mark.line
    if unclosed and problem.startswith(
        ("did not find expected ','", "could not find expected", "found unexpected end")
    ):
        # What is not closed is told where it begins, not where the parser gave up.
        mark = begun
    line, column = _places(source.text)(mark) if mark else (1, 1)
    forbidden = None if mark else _FORBIDDEN.search(source.text)
    if forbidden:
        before = source.text[: forbidden.start()]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        code, message = "yaml-syntax", f"a character that YAML does not allow: U+{ord(forbidden[0]):04X}"
        help = "remove it, or write it in double quotes as an escape" + (
            f": \\x{ord(forbidden[0]):02x}" if ord(forbidden[0]) < 256 else ""
        )
    line = min(line, source.text.count("\n") + 1)
    text = source.line(line)
    entry = _ENTRY.fullmatch(text.rstrip())
    if problem.startswith("mapping values") and entry:
        help = f"write {entry['before'].strip()} {json.dumps(entry['value'], ensure_ascii=False)}".replace(
            "write  ", "write "
        )
    elif "tab character" in problem or (problem.startswith("found character") and text[column - 1 : column] == "\t"):
        code, message, help = "tab", "a tab cannot indent YAML", "indent with blanks"
    elif problem.startswith("did not find expected ','") and text[column - 1 : column] == ":":
        message, help = "a second `: ` in one entry", 'put the value in quotes: {sh: "curl -H Accept: json"}'
    elif "{{" in text and "[" in text.partition("{{")[0]:
        code, message = "unquoted-expression", "an expression without quotes inside a [list]"
        help = 'put each item that holds {{ … }} in quotes: [mv, "a-{{ v }}", b]'
    findings.error(code, message, Span(source, line, column, line, column + 1), help=help)


def parse(source: Source, findings: Findings) -> Node | None:
    """Give the one document of a source as nodes, or None: with findings, or where it is empty."""
    builder = _Builder(source, findings)
    try:
        return builder.document()
    except _Broken:
        return None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        if mark is None or mark.line + 1 not in builder.told:
            _broken_yaml(source, error, findings)
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
