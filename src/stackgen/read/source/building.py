"""The parser's events to nodes: tags, anchors, aliases, merge keys and doubled keys; the only import of yaml."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import yaml

from stackgen.diagnostics import Findings, Fix, Related, Source, Span, suggestion
from stackgen.read.source.nodes import Mapping, Node, Scalar, Sequence, Tag
from stackgen.read.source.places import places
from stackgen.read.source.problems import tell

try:
    from yaml.cyaml import CParser as _Parser  # type: ignore[attr-defined]
except ImportError:  # PyYAML without libyaml: the same events, eight times slower

    class _Parser(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):  # type: ignore[no-redef]
        def __init__(self, text: str) -> None:
            yaml.reader.Reader.__init__(self, text)
            yaml.scanner.Scanner.__init__(self)
            yaml.parser.Parser.__init__(self)


# Aliases can make a small file huge; no stack comes near these.
MOST_NODES = 200_000
DEEPEST = 100


# An expression without quotes, and the text behind it that belongs to it.
_IN_FLOW = r"\{\{.*?\}\}[^,\[\]{}#]*(?<!\s)"
_IN_BLOCK = r"\{\{.*?\}\}.*?(?=\s+#|\s*$)"


class _Broken(Exception):
    """Reading cannot go on; the finding is already kept."""


class _Builder:
    """Builds the nodes of one document from the parser's events."""

    def __init__(self, source: Source, findings: Findings) -> None:
        self.source = source
        self.findings = findings
        self.parser: Any = _Parser(source.text)
        self.at = places(source.text)
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
            tell(source, error, findings)
        return None
