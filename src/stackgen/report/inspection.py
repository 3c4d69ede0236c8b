"""What an image will be, as tables for people and as JSON: its values and their origins, its history, differences."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stackgen.docker import durations
from stackgen.docker.config import Place
from stackgen.report.text import Paint, plain, shown_path, width
from stackgen.stack.inspection import Difference, Inspection, Value
from stackgen.stack.provenance import Line, Origin

WIDTH = 100

# BuildKit sets it wherever it sets a CMD, and nobody reads it any more.
_UNSHOWN = ("ArgsEscaped",)
_KINDS = {"programs": "", "eventlisteners": "eventlistener ", "groups": "group "}
_BLOCKS = {"programs": "Programs", "eventlisteners": "EventListeners", "groups": "Groups"}
_PERIODS = ("Interval", "Timeout", "StartPeriod", "StartInterval")


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a table: what it is of, the value's lines, and where it comes from."""

    key: str
    lines: tuple[str, ...]
    origin: Origin
    mark: str = " "


# -- text


def table(inspection: Inspection, colour: Paint = plain, columns: int = WIDTH) -> str:
    """Give an image's values, each with the image and the line that it comes from."""
    values = [value for value in inspection.values() if value.place[0] not in _UNSHOWN]
    config = [_row(value) for value in values if value.place[0] not in _KINDS]
    programs = [_row(value) for value in values if value.place[0] in _KINDS]
    layout = _Layout.of([*config, *programs], columns)
    lines = [*_head(inspection, colour), *_unknown(inspection, colour, columns), "", *layout.lines(config, colour)]
    if programs:
        lines += ["", "  Programs", *layout.lines(programs, colour)]
    return "\n".join(lines)


def difference_table(
    before: Inspection,
    after: Inspection,
    found: Sequence[Difference],
    call: str = "",
    colour: Paint = plain,
    columns: int = WIDTH,
) -> str:
    """Give what differs between two images, as a diff; `call` is what the second was asked for with."""
    rows: list[_Row] = []
    for each in found:
        if each.place[0] not in _UNSHOWN:
            rows += [_row(value, mark) for value, mark in ((each.before, "-"), (each.after, "+")) if value]
    heads = [f"--- {_title(before)}", f"+++ {_title(after)}{call}"]
    unknown = [line for each in (before, after) for line in _unknown(each, colour, columns)]
    return "\n".join([*heads, *dict.fromkeys(unknown), "", *_Layout.of(rows, columns).lines(rows, colour)])


def history_table(inspection: Inspection, colour: Paint = plain, columns: int = WIDTH) -> str:
    """Give an image's history, the newest line first; layers are counted from the outside image upward."""
    lines = inspection.history()
    rows = [("LAYER", "IMAGE", "FROM", "CREATED BY")]
    layer = sum(line.entry.makes_layer for line in lines)
    for line in lines:
        number = str(layer) if line.entry.makes_layer else ""
        layer -= line.entry.makes_layer
        rows.append((number, line.image, _place(line.origin), visible(" ".join(line.entry.created_by.split("\n")))))
    widths = [max(width(row[column]) for row in rows) for column in range(3)]
    shown = [*_head(inspection, colour), *_unknown(inspection, colour, columns), ""]
    for row in rows:
        number, image, place = (_padded(cell, size) for cell, size in zip(row, widths, strict=False))
        room = columns - sum(widths) - 8
        shown.append(f"  {number}  {image}  {colour('dim', place)}  {_cut(row[3], max(room, 20))}".rstrip())
    outside = inspection.outside.reference
    if outside != "scratch":
        shown.append(f"  {' ' * widths[0]}  {outside}, whose own history is as it was built")
    return "\n".join(shown)


def visible(text: str) -> str:
    """Give text with all that a terminal would obey or hide written out: an escape is ``\\x1b``."""
    return "".join(character if character.isprintable() else _escape(character) for character in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _title(inspection: Inspection) -> str:
    return f"{inspection.compiled.image.reference} ({_stack(inspection)})"


def _stack(inspection: Inspection) -> str:
    return shown_path(inspection.compiled.unit.document.node.span.source)


def _head(inspection: Inspection, colour: Paint) -> list[str]:
    names = [each.compiled.unit.name for each in inspection.traced.lineage()]
    names = [inspection.outside.reference, *names]
    if len(names) > 8:
        names = [*names[:3], "…", *names[-3:]]
    lineage = f"{_stack(inspection)}: {' -> '.join(names)}"
    return [inspection.compiled.image.reference, f"  {colour('dim', lineage)}"]


def _unknown(inspection: Inspection, colour: Paint, columns: int) -> list[str]:
    """Say that nobody knows the outside image, and what depends on it."""
    if inspection.compiled.known:
        return []
    outside = inspection.outside
    said = f"nobody knows what {outside.reference} brings, so that it is missing here"
    unsure = sorted(place for place in inspection.unsure if place[0] not in _UNSHOWN)
    if unsure:
        said += f", and with it what depends on it: {', '.join(' '.join(place) for place in unsure)}"
    stack = shown_path(outside.span.source)
    cure = f'say it in {stack}: inherits: {{user: "1000", …}}; or ask the local engine: --engine'
    return [f"  {line}" for line in _wrapped(said, columns - 2)] + [f"  {colour('help', 'help')}: {cure}"]


def _row(value: Value, mark: str = " ") -> _Row:
    if value.place[0] in _KINDS:
        block, name, option = value.place
        text = visible(_option(value.value))
        return _Row(
            f"{_KINDS[block]}{name}", (text if option == "command" else f"{option}={text}",), value.origin, mark
        )
    return _Row(value.place[0], tuple(visible(line) for line in _lines(value)), value.origin, mark)


def _option(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return ",".join(f"{name}={each}" for name, each in value.items())
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _lines(value: Value) -> list[str]:
    """Give a value of the configuration as people write it."""
    key, *names = value.place
    if key in ("Env", "Labels"):
        return [f"{names[0]}={value.value}"]
    if key in ("ExposedPorts", "Volumes"):
        return names
    if key == "Healthcheck" and isinstance(value.value, Mapping):
        return list(_health(value.value))
    if isinstance(value.value, list):
        return [json.dumps(value.value, ensure_ascii=False)]
    return str(value.value).split("\n")


def _health(health: Mapping[str, Any]) -> Iterator[str]:
    yield json.dumps(health["Test"], ensure_ascii=False)
    for name in _PERIODS:
        if name in health:
            yield f"{name} {durations.short(health[name])}"
    if "Retries" in health:
        yield f"Retries {health['Retries']}"


def _place(origin: Origin) -> str:
    path = shown_path(origin.span.source)
    return f"{path}:{origin.span.line}" if origin.span.line else path


@dataclass(frozen=True, slots=True)
class _Layout:
    """The widths of a table's columns: key, value, image and place."""

    columns: int
    key: int
    value: int
    image: int

    @classmethod
    def of(cls, rows: Sequence[_Row], columns: int) -> _Layout:
        key = max((width(row.key) for row in rows), default=0)
        image = max((width(row.origin.image) for row in rows), default=0)
        place = max((width(_place(row.origin)) for row in rows), default=0)
        room = max(columns - key - image - place - 8, 24)
        fitting = [width(line) for row in rows for line in row.lines if width(line) <= room]
        return cls(columns, key, max(fitting, default=room), image)

    def lines(self, rows: Iterable[_Row], colour: Paint) -> Iterator[str]:
        """Give the rows; an origin stands beside the first line that leaves room for it, or below all."""
        last = ""
        for row in rows:
            key = row.key if row.key != last or row.mark != " " else ""
            last = row.key
            parts = [part for line in row.lines for part in _wrapped(line, self.columns - self.key - 4)]
            beside = next((number for number, part in enumerate(parts) if width(part) <= self.value), len(parts))
            for number, part in enumerate([*parts, ""] if beside == len(parts) else parts):
                start = f"{row.mark} {_padded(key if number == 0 else '', self.key)}  "
                if number == beside:
                    origin = f"{_padded(row.origin.image, self.image)}  {_place(row.origin)}"
                    yield f"{start}{_padded(part, self.value)}  {colour('dim', origin)}"
                else:
                    yield f"{start}{part}".rstrip()


def _padded(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))


def _cut(text: str, columns: int) -> str:
    if width(text) <= columns:
        return text
    while width(text) > columns - 1:
        text = text[: min(len(text) - 1, columns)]
    return text + "…"


def _wrapped(text: str, columns: int) -> list[str]:
    """Give a text in lines of a width, broken at blanks only."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if line and width(longer) > columns:
            lines.append(line)
            longer = word
        line = longer
    return [*lines, line]


# -- JSON


def history_json(inspection: Inspection) -> dict[str, Any]:
    """Give an image's history; what BuildKit writes is `CreatedBy` and `EmptyLayer`."""
    return {
        "Name": inspection.compiled.image.reference,
        "History": [_line(line) for line in inspection.history()],
        **({} if inspection.compiled.known else {"UnknownImage": inspection.outside.reference}),
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "CreatedBy": line.entry.created_by,
        "EmptyLayer": not line.entry.makes_layer,
        "Image": line.image,
        "Origin": _origin(line.origin),
    }


def difference_json(before: Inspection, after: Inspection, found: Iterable[Difference]) -> dict[str, Any]:
    """Give what differs between two images: the place in their JSON, and both values with their origins."""
    return {
        "Before": before.compiled.image.reference,
        "After": after.compiled.image.reference,
        "Differences": [
            {"Place": _json_place(each.place), "Before": _value(each.before), "After": _value(each.after)}
            for each in found
        ],
    }


def _json_place(place: Place) -> list[str]:
    return [_BLOCKS.get(place[0], place[0]), *place[1:]]


def _value(value: Value | None) -> dict[str, Any] | None:
    return None if value is None else {"Value": value.value, "Origin": _origin(value.origin)}


def _origin(origin: Origin) -> dict[str, Any]:
    return {"Image": origin.image, "File": origin.span.path, "Line": origin.span.line or None}
