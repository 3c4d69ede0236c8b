"""`python -m tests.reference`: writes what docs/ tell of schemas, data and code, from these themselves.

docs/reference.md is made of the schemas' descriptions and of the data, the list of rooms in docs/architecture.md of the
files' own docstrings.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.helpers import ROOT
from tests.test_architecture import ROOMS

PAGE = ROOT / "docs" / "reference.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- rooms, by python -m tests.reference -->", "<!-- end of rooms -->"
Schema = dict[str, Any]

HEAD = """\
# Reference

Every key of every file, and the distributions and mirrors that are known: made from the [schemas](../schemas) and
[data](../templates) by `python -m tests.reference`. How the keys work together is in [the language](language.md). Each
line of an example is one by itself.

A value may be a Jinja expression wherever it is a text, or stands for a whole: `packages: "{{ names }}"`.
"""

# Each heading, its schema, where in it the keys are, and whether they are told at length.
FILES = (
    ("A stack", "stack", "", True),
    ("A fragment", "fragment", "", True),
    ("A program", "supervisord", "program", False),
    ("A group of programs", "supervisord", "group", False),
    ("An event listener", "supervisord", "eventlistener", False),
    ("The supervisor's own options", "supervisord", "supervisord", False),
    ("A service", "service", "", False),
    ("A project", "project", "", True),
    ("What stands at the top of compose.yaml", "compose", "", False),
    ("A distribution", "distro", "", True),
    ("A family of package managers", "family", "", True),
    ("A mirror", "mirror", "", True),
    ("A public image", "image", "", True),
)
# Keys whose maps have a heading of their own.
ELSEWHERE = {
    "programs": "A program",
    "groups": "A group of programs",
    "eventlisteners": "An event listener",
    "service": "A service",
    "services": "A service",
    "compose": "What stands at the top of compose.yaml",
}
INTRODUCTIONS = {
    "A program": "`programs: {NAME: {…}}`; options and defaults are supervisord's.",
    "A group of programs": "`groups: {NAME: {…}}`",
    "An event listener": "`eventlisteners: {NAME: {…}}`; beside these, all options of a program.",
    "The supervisor's own options": "`supervisor: {options: {…}}`: the section `[supervisord]`, over stackgen's own.",
    "A service": "`service: {…}`; more in the "
    "[Compose specification](https://github.com/compose-spec/compose-spec/blob/main/05-services.md).",
}


class Reader:
    """Reads schema files, a `$ref` with what it names; what stands beside the `$ref` wins."""

    def __init__(self) -> None:
        self.files: dict[str, Schema] = {}

    def file(self, name: str) -> Schema:
        if name not in self.files:
            self.files[name] = json.loads((ROOT / "schemas" / f"{name}.json").read_text("utf-8"))
        return self.files[name]

    def whole(self, schema: Schema, name: str) -> tuple[Schema, str]:
        """Give a subschema with what it refers to, and the file that its own references start from."""
        while "$ref" in schema:
            other, _, pointer = schema["$ref"].partition("#")
            name = other.removesuffix(".json") or name
            target = self.file(name)
            for part in pointer.split("/")[1:]:
                target = target[part]
            schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
        return schema, name

    def maps(self, schema: Schema, name: str) -> Iterator[tuple[Schema, str]]:
        """Give every map with keys of its own that a value may be, or be made of."""
        schema, name = self.whole(schema, name)
        if "properties" in schema:
            yield schema, name
            return
        for branch in (*schema.get("anyOf", ()), schema.get("items"), schema.get("additionalProperties")):
            if isinstance(branch, dict):
                yield from self.maps(branch, name)


def page() -> str:
    """Give the whole page."""
    reader = Reader()
    titles = [*(title for title, *_ in FILES), *KNOWN]
    parts = [HEAD, "\n".join(f"- [{title}](#{_slug(title)})" for title in titles) + "\n"]
    for title, name, definition, long in FILES:
        schema = reader.file(name)["$defs"][definition] if definition else reader.file(name)
        parts.append(f"## {title}\n")
        introduction = INTRODUCTIONS.get(title) or reader.file(name).get("description", "")
        parts.append(f"{introduction}\n")
        if not long:
            parts.append(_table(schema, name, reader))
            continue
        stack = reader.file("stack")["properties"]
        shared = [key for key in schema["properties"] if name == "fragment" and key != "description" and key in stack]
        own = {key: value for key, value in schema["properties"].items() if key not in shared}
        parts += [_section(key, value, name, reader) for key, value in own.items()]
        if shared:
            parts.append(f"All other keys are those of a stack: {', '.join(f'`{key}`' for key in shared)}.\n")
    for title, known in KNOWN.items():
        parts += [f"## {title}\n", "\n".join(known()) + "\n"]
    return "\n".join(parts)


def _data(folder: str) -> dict[str, Any]:
    """Give the data files of a folder by name, every scalar as it is written."""
    files = sorted((ROOT / "templates" / folder).glob("*.yml"))
    return {path.stem: yaml.load(path.read_text("utf-8"), yaml.BaseLoader) for path in files}


def _distributions() -> Iterator[str]:
    yield "| `distro` | what it is | family | end of life | images that need not say it | `when` |"
    yield "|---|---|---|---|---|---|"
    for name, data in _data("distros").items():
        end = data["end_of_life"]
        over = f"{end['date']}, over" if end["dead"] == "true" else end["date"]
        images = ", ".join(f"`{pattern}`" for image in data.get("images", ()) for pattern in image["match"])
        kinds = ", ".join(f"`{kind}`" for kind in data["kinds"])
        yield f"| `{name}` | {data['description']} | {data['family']} | {over} | {images} | {kinds} |"


def _mirrors() -> Iterator[str]:
    yield "| `mirror` | whose it is | what it carries | pip |"
    yield "|---|---|---|---|"
    for name, data in _data("mirrors").items():
        carried = "; ".join(f"{distro}: {', '.join(repositories)}" for distro, repositories in data["carries"].items())
        yield f"| `{name}` | {data['description']} | {carried} | {data.get('pip', '')} |"


KNOWN = {"Known distributions": _distributions, "Known mirrors": _mirrors}


def _slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _section(key: str, raw: Schema, name: str, reader: Reader) -> str:
    """Give one key at length, with a table of the keys of its maps that no stack has at its top."""
    schema, home = reader.whole(raw, name)
    about = [_described(schema)]
    if "x-takes" in schema:
        about.append(f"Takes {_prose(schema['x-takes'])}.")
    if "default" in schema:
        about.append(f"Default: `{flow(schema['default'])}`.")
    paragraphs = [f"### `{key}`", "\n".join(about)]
    examples = [f"{key}: {flow(example)}" for example in schema.get("examples", ())]
    if examples:
        paragraphs.append("\n".join(["```yaml", *examples, "```"]))
    if key in ELSEWHERE:
        paragraphs.append(f"Its keys: [{ELSEWHERE[key]}](#{_slug(ELSEWHERE[key])}).")
        return "\n\n".join(paragraphs) + "\n"
    above = [json.dumps(value) for value in reader.file("stack")["properties"].values()]
    for inner, inner_home in reader.maps(schema, home):
        own = {each: value for each, value in inner["properties"].items() if json.dumps(value) not in above}
        if own:
            if inner is not schema and "title" in inner:
                paragraphs.append(f"{inner['title']}: {_described(inner)}".strip())
            table = _table({"properties": own, "required": inner.get("required", ())}, inner_home, reader)
            paragraphs.append(table.rstrip())
    return "\n\n".join(paragraphs) + "\n"


def _described(schema: Schema) -> str:
    later = f" **Not there yet**: {schema['x-later']}." if "x-later" in schema else ""
    return f"{schema.get('description', '')}{later}".strip()


def _prose(text: str) -> str:
    """Keep Markdown from reading what a text holds: a `*` or `<` of an example is itself."""
    return re.sub(r"(?<!`)([*_<|])(?!`)", r"\\\1", text) if "`" not in text else text


def _table(schema: Schema, name: str, reader: Reader) -> str:
    rows = ["| key | what it is | takes |", "|---|---|---|"]
    for key, raw in schema["properties"].items():
        inner, _ = reader.whole(raw, name)
        about = _described(inner)
        if key in schema.get("required", ()):
            about = f"Needed. {about}"
        if "default" in inner:
            about += f" Default: `{flow(inner['default'])}`."
        cells = (f"`{key}`", about, _prose(inner.get("x-takes", "")))
        rows.append("| " + " | ".join(re.sub(r"(?<!\\)\|", r"\\|", cell.replace("\n", " ")) for cell in cells) + " |")
    return "\n".join(rows) + "\n"


# What a scalar may be without quotes inside [ ] and { }; which type it has is the field's to say.
_PLAIN = re.compile(r"[A-Za-z0-9_/.$\\\u00b5-][^\n{}\[\],#&*!|>'\"%`]*")
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "~"})


def flow(value: Any) -> str:
    """Give an example as one line of YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    plain = (
        _PLAIN.fullmatch(value) and not re.search(r":(\s|$)|^-(\s|$)|^\s|\s$", value) and value.lower() not in _WORDS
    )
    return value if plain else json.dumps(value, ensure_ascii=False)


def rooms() -> str:
    """Give the list of rooms, and of the files in each, in the order in which they may import."""
    package = ROOT / "src" / "stackgen"
    lines: list[str] = []
    for room, files in ROOMS.items():
        home = package / room
        if not home.is_dir():
            lines += ["", f"**{room}.py**: {_docstring(home.with_suffix('.py'))}"]
            continue
        lines += ["", f"**{room}/**: {_docstring(home / '__init__.py')}"] if room else []
        lines.append("")
        for path in ((home / file.replace(".", "/")).with_suffix(".py") for file in files.split()):
            if path != home / "__init__.py":
                lines.append(f"- `{path.relative_to(home)}` {_docstring(path)}")
    return "\n".join([BEGIN, *lines, "", END])


def _docstring(path: Path) -> str:
    """Give the first paragraph of a file's docstring, on one line."""
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split()).replace("``", "`")


def with_rooms(text: str) -> str:
    """Give the page on the architecture with the list of rooms as they are."""
    before, _, rest = text.partition(BEGIN)
    return before + rooms() + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    ARCHITECTURE.write_text(with_rooms(ARCHITECTURE.read_text("utf-8")), "utf-8")
