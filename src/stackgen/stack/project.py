"""The project: the nearest `stackgen.yml` upward from a stack, and what a caller asks for on top of it."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from stackgen.diagnostics import Findings, Span
from stackgen.read import schema, shape, source
from stackgen.read.inputs import Inputs
from stackgen.read.source import Node, Scalar, Word, word, words

PROJECT_FILE = "stackgen.yml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a call asks for: another root stack, another mirror, variables that win over all, templates over ours."""

    base: str | None = None
    mirror: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    templates: Path | None = None

    def only(self, names: Container[str]) -> Options:
        """Give these options with those variables alone that an image knows."""
        known = {name: value for name, value in self.variables.items() if name in names}
        return replace(self, variables=known)

    def shaping(self) -> dict[str, object]:
        """Give the options that shape what is rendered, for the manifest."""
        return {"base": self.base, "mirror": self.mirror, "set": dict(sorted(self.variables.items()))}

    def as_typed(self) -> str:
        """Give the shaping options as one types them, with a blank before each."""
        words: list[str] = []
        if self.base:
            words += ["--base", self.base]
        if self.mirror:
            words += ["--mirror", self.mirror]
        for name, value in sorted(self.variables.items()):
            words += ["--set", f"{name}={value}"]
        return "".join(f" {_quoted(word)}" for word in words)


def _quoted(word: str) -> str:
    if re.fullmatch(r"[\w@%+=:,./-]+", word):
        return word
    # A comment is one line, whatever a value holds.
    return "'" + word.replace("'", "'\\''").replace("\n", "\\n").replace("\r", "\\r") + "'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project's settings, with the span of each key where one is needed."""

    inputs: Inputs
    name: str | None = None
    stacks: tuple[str, ...] = ()
    registry: str | None = None
    proxies: Mapping[str, str] = field(default_factory=dict)
    mirror: str | None = None
    bases: Mapping[str, str] = field(default_factory=dict)
    builder: str = "buildkit"
    output: str = "build"
    templates: str | None = None
    data: str | None = None
    syntax: str | None = None
    inherits: Mapping[str, source.Mapping] = field(default_factory=dict)
    labels: Mapping[str, Word] = field(default_factory=dict)
    variables: Mapping[str, Node] = field(default_factory=dict)
    places: Mapping[str, Span] = field(default_factory=dict)
    """Where each variable is set."""
    compose: Mapping[str, object] = field(default_factory=dict)
    certificates: tuple[Word, ...] = ()
    ignore: tuple[Word, ...] = ()
    suspect: bool = False
    """Whether something had to be left out that could be missed elsewhere."""
    spans: Mapping[str, Span] = field(default_factory=dict)


def find_root(start: Path) -> Path | None:
    """Give the folder of the nearest `stackgen.yml` from a folder upward, or None."""
    for folder in (start, *start.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder
    return None


def load_project(inputs: Inputs, findings: Findings) -> Project:
    """Read the project file at the root of `inputs`; without one, a project of defaults."""
    if not inputs.is_file(PROJECT_FILE):
        return Project(inputs=inputs)
    text = source.read(inputs, PROJECT_FILE, findings)
    node = source.parse(text, findings) if text else None
    if node is None or source.is_empty(node):
        return Project(inputs=inputs, suspect=bool(findings.errors))
    checked = schema.check(node, "project", "a project", findings)
    lost = {path[0] for path in (*checked.removed, *checked.meant) if path}
    node = checked.node
    if not isinstance(node, source.Mapping):
        return Project(inputs=inputs, suspect=True)
    for key in ("templates", "data"):
        folder = node.get(key)
        if isinstance(folder, Scalar) and inputs.inside("", folder.text) is None:
            findings.error(
                "outside-project",
                f"`{key}` leads out of the project",
                folder.span,
                help="put the folder into the project; --templates takes one from elsewhere"
                if key == "templates"
                else "put the folder into the project",
            )
            node = node.without(key)
        elif isinstance(folder, Scalar) and not inputs.is_folder(folder.text):
            findings.error(
                "cannot-read", f'there is no folder "{folder.text}"', folder.span, help=f"make it, or remove `{key}`"
            )
    compose = node.get("compose")
    return Project(
        inputs=inputs,
        name=_text(node, "name"),
        stacks=_texts(node, "stacks"),
        registry=_text(node, "registry"),
        proxies=_text_map(node, "proxies"),
        mirror=_text(node, "mirror"),
        bases=_text_map(node, "bases"),
        builder=_text(node, "builder") or "buildkit",
        output=_text(node, "output") or "build",
        templates=_text(node, "templates"),
        data=_text(node, "data"),
        syntax=_text(node, "syntax"),
        inherits={key: value for key, value in _map(node, "inherits").items() if isinstance(value, source.Mapping)},
        labels={name: word(value) for name, value in _map(node, "labels").items() if isinstance(value, Scalar)},
        variables=_map(node, "vars"),
        places=_places(node),
        compose=shape.typed(compose, shape.load("compose")) if compose is not None else {},
        certificates=words(node.get("certificates")),
        ignore=words(node.get("ignore")),
        suspect=checked.puzzling or not lost.isdisjoint(("vars", "inherits", "data")),
        spans={key: value.span for key, value in node.values.items()},
    )


def _text(node: source.Mapping, key: str) -> str | None:
    value = node.get(key)
    return value.text if isinstance(value, Scalar) else None


def _texts(node: source.Mapping, key: str) -> tuple[str, ...]:
    return tuple(word.text for word in words(node.get(key)))


def _map(node: source.Mapping, key: str) -> dict[str, Node]:
    value = node.get(key)
    return value.values if isinstance(value, source.Mapping) else {}


def _places(node: source.Mapping) -> dict[str, Span]:
    found = node.get("vars")
    return {name: found.entry(name) for name in found.values} if isinstance(found, source.Mapping) else {}


def _text_map(node: source.Mapping, key: str) -> dict[str, str]:
    return {name: value.text for name, value in _map(node, key).items() if isinstance(value, Scalar)}
