"""Where each value of an image comes from, and what its history will be: one walk over what its build does.

Each instruction is compared with what was there before it: what it changed is its own. What a trigger of the parent's
changes belongs to the parent's `onbuild`; what the outside image brought, to the root's `inherits` or `from`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from stackgen.diagnostics import Span
from stackgen.docker import history, inherit
from stackgen.docker.config import Config, Health, Place
from stackgen.docker.errors import RefusedError
from stackgen.docker.inherit import State
from stackgen.docker.instructions import Env, Expose, Instruction, Label, Volume
from stackgen.stack.compile import Compiled
from stackgen.stack.lower.steps import Placed, beginning

BUILDKIT = "BuildKit"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something comes from: an image, by its name or an outside one by its reference, and a place in a file.

    What no line says (a title that is the file's own name) has a span of line 0.
    """

    image: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of an image's history; `image` is the name of the one whose build does it."""

    entry: history.Entry
    image: str
    origin: Origin
    """Of what an ONBUILD does it is the parent's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """An image with the origin of each value of its configuration and programs, and its own part of its history."""

    compiled: Compiled
    parent: Traced | None
    origins: Mapping[Place, Origin]
    history: tuple[Line, ...]

    def lineage(self) -> tuple[Traced, ...]:
        """Its ancestors in the project, the root first, and itself."""
        line = [self]
        while (parent := line[-1].parent) is not None:
            line.append(parent)
        return tuple(reversed(line))


def trace(images: Iterable[Compiled]) -> dict[str, Traced]:
    """Give each image by its unit's key, traced; `images` stand parents first."""
    traced: dict[str, Traced] = {}
    for image in images:
        traced[image.unit.key] = _trace(image, traced.get(image.unit.parent or ""))
    return traced


@dataclass(frozen=True, slots=True)
class _Done:
    """An instruction that the build does, and its origin."""

    placed: Placed
    origin: Origin


def _trace(image: Compiled, parent: Traced | None) -> Traced:
    state = beginning(image.image, replace(image.base, on_build=()))
    values = state.config.values()
    above = parent.origins if parent else _of_outside(image)
    origins = {place: above.get(place) or _of_buildkit(image) for place in values}
    lines: list[Line] = []
    # Whose each value was at any time before, for what is put back.
    whose = {(place, repr(value)): origins[place] for place, value in values.items()}
    for done in _done(image, above):
        after = inherit.apply(state, done.placed.instruction)
        entry = history.entry(state, done.placed.instruction, after)
        if entry is not None:
            lines.append(Line(entry=entry, image=image.unit.name, origin=done.origin))
        if after.config is not state.config:
            values = after.config.values()
            for place, origin in _changes(done, state, after).items():
                made = (place, repr(values[place]))
                origins[place] = whose.get(made, origin) if done.placed.passing else origin
                whose[made] = origins[place]
        state = after
    own = {place: origins[place] for place in state.config.values()}
    programs = _of_programs(image, parent)
    return Traced(compiled=image, parent=parent, origins=own | programs, history=tuple(lines))


def _done(image: Compiled, above: Mapping[Place, Origin]) -> Iterator[_Done]:
    """What the build of an image does, in order: the parent's triggers, then what the Dockerfile says."""
    for number, instruction in enumerate(inherit.triggers(image.base)):
        origin = above["OnBuild", str(number)]
        yield _Done(Placed(instruction, "", origin.span), origin)
    file = Span.whole(image.unit.document.node.span.source)
    for placed in image.placed:
        yield _Done(placed, Origin(image.unit.name, placed.span or file))


def _changes(done: _Done, before: State, after: State) -> dict[Place, Origin]:
    """Give what an instruction changes, each value with the place of the part that does it."""
    changed = _changed(before.config, after.config)
    found = dict.fromkeys(changed, done.origin)
    for part, span in _parts(done.placed):
        # Each part sees what was there before the whole instruction, so that it can be done alone.
        for place in _changed(before.config, inherit.apply(before, part).config) & changed:
            found[place] = Origin(done.origin.image, span)
    return found


def _changed(before: Config, after: Config) -> set[Place]:
    old, new = before.values(), after.values()
    return {place for place, value in new.items() if place not in old or old[place] != value}


def _parts(placed: Placed) -> Iterator[tuple[Instruction, Span]]:
    """Give an instruction's parts that have places of their own."""
    alone: list[Instruction] = []
    match placed.instruction:
        case Env(pairs=pairs):
            alone = [Env(pairs=(pair,)) for pair in pairs]
        case Label(pairs=pairs):
            alone = [Label(pairs=(pair,)) for pair in pairs]
        case Expose(ports=ports):
            alone = [Expose(ports=(port,)) for port in ports]
        case Volume(paths=paths):
            alone = [Volume(paths=(path,)) for path in paths]
    for part, span in zip(alone, placed.parts, strict=False):
        if span is not None:
            yield part, span


def _of_outside(root: Compiled) -> dict[Place, Origin]:
    """Give the origins of what the outside image brings."""
    outside = root.outside
    assert outside is not None
    return {
        place: Origin(outside.reference, outside.spans.get(place) or outside.spans.get(place[:1]) or outside.span)
        for place in root.base.values()
    }


def _of_buildkit(root: Compiled) -> Origin:
    """Give the origin of the PATH that an outside image gets which has none."""
    assert root.outside is not None
    return Origin(BUILDKIT, root.outside.span)


def _of_programs(image: Compiled, parent: Traced | None) -> dict[Place, Origin]:
    """Give the origin of each option of what supervisord runs; what stands where the parent had it is the parent's."""
    above = parent.origins if parent else {}
    origins: dict[Place, Origin] = {}
    for (block, name), program in image.supervised.items():
        for option in program.options:
            place = (block, name, option)
            span = program.spans.get(option, program.span)
            inherited = above.get(place)
            same = inherited is not None and (inherited.span.source is span.source and inherited.span == span)
            origins[place] = inherited if inherited and same else Origin(image.unit.name, span)
    return origins


def unsure(traced: Traced) -> frozenset[Place]:
    """Give what would be otherwise if the outside image brought something else; nothing where it is known.

    Everything that the instructions could see of it is assumed to be there once, and once not.
    """
    images = [each.compiled for each in traced.lineage()]
    if images[0].known:
        return frozenset()
    names = {"PATH"}.union(*(re.findall(r"\w+", placed.text) for image in images for placed in image.placed))
    bare, full = _folded(Config(), images).values(), _folded(_full(names), images).values()
    return frozenset(place for place, value in bare.items() if full.get(place) != value)


def _full(names: Iterable[str]) -> Config:
    # A user, a port, a signal and a file's name alike.
    value = "31"
    return Config(
        user=value,
        env=tuple((name, value) for name in sorted(names)),
        cmd=(value,),
        healthcheck=Health(test=("CMD", value)),
        working_dir=f"/{value}",
        entrypoint=(value,),
        stop_signal=value,
        shell=(value,),
    )


def _folded(config: Config, images: Iterable[Compiled]) -> Config:
    for image in images:
        state = beginning(image.image, config)
        for placed in image.placed:
            # What is refused where a guess is too bold says nothing.
            with suppress(RefusedError):
                state = inherit.apply(state, placed.instruction)
        config = state.config
    return config
