"""A Dockerfile that a user's own template printed, read back: what it adds or leaves out counts like all else."""

from __future__ import annotations

from dataclasses import dataclass

from stackgen.diagnostics import Span
from stackgen.docker.config import Config
from stackgen.docker.inherit import apply, finish
from stackgen.docker.instructions import From, Instruction
from stackgen.docker.syntax import Parsed, parse
from stackgen.know.templates import Templates
from stackgen.stack.lower.steps import Lowered, Placed, beginning

FOLDER = "dockerfile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reread:
    """What stands after the last FROM, what it begins with, and what it makes of the parent."""

    placed: tuple[Placed, ...]
    config: Config


def reread(text: str, lowered: Lowered, parent: Config, templates: Templates) -> Reread:
    """Give what a printed Dockerfile makes of its parent.

    Raises DockerfileError and RefusedError.
    """
    parsed = parse(text)
    last = max((index for index, each in enumerate(parsed) if isinstance(each.instruction, From)), default=-1)
    places = _Places(lowered, templates)
    placed = tuple(places.place(each) for each in parsed[last + 1 :])
    state = beginning(lowered.image, parent)
    for each in placed:
        state = apply(state, each.instruction)
    return Reread(placed=placed, config=finish(state))


class _Places:
    """Knows of each instruction which key of the stack made it, or else which template."""

    def __init__(self, lowered: Lowered, templates: Templates) -> None:
        self.made: dict[Instruction, list[Placed]] = {}
        for step in lowered.steps:
            for each in step.placed:
                self.made.setdefault(each.instruction, []).append(each)
        self.sources = templates.own_sources(FOLDER)

    def place(self, parsed: Parsed) -> Placed:
        """Give an instruction with its place; the same one printed twice has the places in order."""
        known = self.made.get(parsed.instruction)
        if known:
            return known.pop(0) if len(known) > 1 else known[0]
        return Placed(parsed.instruction, parsed.text, self.in_template(parsed.text))

    def in_template(self, text: str) -> Span | None:
        """Give the line of a template that is the instruction's first; of one with expressions, the whole template."""
        first = text.strip().split("\n")[0].strip()
        for source in self.sources:
            for number, line in enumerate(source.text.split("\n"), 1):
                if line.strip() == first:
                    return Span(source, number, 1, number, len(line) + 1)
        return Span.whole(self.sources[0]) if self.sources else None
