"""A schema as editors need it: one file, open to what a scalar's field type and expressions allow.

Our own files say what a field takes when its scalar is typed by the field and its expressions are evaluated. An editor
types scalars by their looks and evaluates nothing: it would mark `expose: [80]` and `packages: "{{ names }}"` as wrong.
"""

from __future__ import annotations

import json
from typing import Any

from stackgen.read import shape

_EXPRESSION = r"\{\{|\{%"
# Compose puts variables in where our own expressions are long gone: ${REPLICAS:-1}.
_INTERPOLATED = rf"{_EXPRESSION}|\$"
# What `!reset` stands before: nothing, or Compose's `!reset null`.
_NOTHING = "^(null)?$"
# A text without quotes may look like one of these.
_LOOKS = ("string", "number", "boolean")


def schema(name: str) -> str:
    """Give one of our schemas as a file that stands alone, for editors."""
    return json.dumps(_Bundle(f"{name}.json").document(), indent=1, ensure_ascii=False) + "\n"


class _Bundle:
    """One schema file with all that it refers to, in its own file or another, under its `$defs`."""

    def __init__(self, main: str) -> None:
        self.main = main
        self.files: dict[str, dict[str, Any]] = {}
        self.waiting: list[tuple[str, str]] = []
        self.definitions: dict[str, dict[str, Any]] = {}

    def document(self) -> dict[str, Any]:
        own = self.rewritten(self.file(self.main), self.main)
        while self.waiting:
            file, pointer = self.waiting.pop()
            key = self.key(file, pointer)
            if key not in self.definitions:
                self.definitions[key] = {}
                self.definitions[key] = self.rewritten(self.at(file, pointer), file)
        definitions = dict(sorted(self.definitions.items()))
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", **own, "$defs": definitions}

    def file(self, name: str) -> dict[str, Any]:
        if name not in self.files:
            self.files[name] = json.loads(shape.text(name.removesuffix(".json")))
        return self.files[name]

    def at(self, file: str, pointer: str) -> dict[str, Any]:
        raw = self.file(file)
        for part in pointer.split("/")[1:]:
            raw = raw[part]
        return raw

    def key(self, file: str, pointer: str) -> str:
        """Give the name under `$defs` of what a pointer names; one of our own files keeps its plain names."""
        path = pointer.removeprefix("/$defs/").strip("/").replace("/", ".")
        if file == self.main:
            return path
        return f"{file.removesuffix('.json')}.{path}" if path else file

    def rewritten(self, raw: dict[str, Any], file: str) -> dict[str, Any]:
        """Give a subschema without our own keywords, its references turned inward, and open to expressions."""
        made: dict[str, Any] = {}
        for key, value in raw.items():
            if key == "$ref":
                made[key] = self.reference(value, file)
            elif key in ("properties", "patternProperties"):
                made[key] = {name: self.rewritten(each, file) for name, each in value.items()}
            elif key == "anyOf":
                made[key] = [self.rewritten(each, file) for each in value]
            elif key in ("items", "additionalProperties", "propertyNames") and isinstance(value, dict):
                made[key] = self.rewritten(value, file)
            elif key not in ("$schema", "$id", "$defs") and not key.startswith("x-"):
                made[key] = value
        if "x-later" in raw:
            made["description"] = f"{raw.get('description', '')} Not there yet: {raw['x-later']}.".lstrip()
        if "`" in made.get("description", ""):
            # Editors that know it show code as code; the others show the description as it is.
            made["markdownDescription"] = made["description"]
        interpolated = "x-interpolates" in self.file(file)
        return _opened(made, raw.get("x-takes"), _INTERPOLATED if interpolated else _EXPRESSION)

    def reference(self, target: str, file: str) -> str:
        other, _, pointer = target.partition("#")
        place = (other or file, pointer)
        if place == (self.main, ""):
            return "#"
        self.waiting.append(place)
        return f"#/$defs/{self.key(*place)}"


def _opened(made: dict[str, Any], takes: str | None, expression: str) -> dict[str, Any]:
    """Let a subschema also take an expression, and a text also without quotes."""
    if "enum" in made:
        about = [key for key in ("title", "description", "markdownDescription", "default", "examples") if key in made]
        outside: dict[str, Any] = {key: made.pop(key) for key in about}
        return outside | {"anyOf": [made, {"type": "string", "pattern": expression}]}
    types = made.get("type", ())
    types = [types] if isinstance(types, str) else list(types)
    if "string" in types:
        made["type"] = [*_LOOKS, *(each for each in types if each not in _LOOKS)]
        if "pattern" in made:
            made["pattern"] = f"{made['pattern']}|{expression}"
    elif types:
        made["type"] = [*types, "string"]
        made["pattern"] = f"{_NOTHING}|{expression}"
    if "pattern" in made and takes:
        # Editors show it in place of the pattern itself.
        made["patternErrorMessage"] = f"Takes {takes}."
    return made
