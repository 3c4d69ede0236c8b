"""What an image will be, before it is built; and what differs between two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stackgen.docker.config import Config, Place
from stackgen.stack import provenance
from stackgen.stack.compile import Compiled
from stackgen.stack.ground import Outside
from stackgen.stack.provenance import Line, Origin, Traced


@dataclass(frozen=True, slots=True)
class Value:
    """One value of an image: where it stands in it, what it is, and where it comes from.

    The place is one of the configuration, or that of an option of what supervisord runs: `(programs, nginx, command)`.
    """

    place: Place
    value: object
    origin: Origin


@dataclass(frozen=True, slots=True)
class Difference:
    """A place at which two images differ; None is what one of them does not have."""

    place: Place
    before: Value | None
    after: Value | None


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What an image will be, before it is built."""

    traced: Traced

    @property
    def compiled(self) -> Compiled:
        """The image as it was compiled."""
        return self.traced.compiled

    @property
    def outside(self) -> Outside:
        """The image outside the project that the root stands on."""
        outside = self.traced.lineage()[0].compiled.outside
        assert outside is not None
        return outside

    @cached_property
    def unsure(self) -> frozenset[Place]:
        """What depends on an outside image that nobody knows; nothing where it is known."""
        return provenance.unsure(self.traced)

    @property
    def config(self) -> Config:
        """The effective configuration, without what is not sure."""
        config = self.compiled.config
        if not self.unsure:
            return config
        return Config.from_values(
            {place: value for place, value in config.values().items() if place not in self.unsure}
        )

    def values(self) -> tuple[Value, ...]:
        """Every value with its origin: the configuration in the engine's order, then what supervisord runs."""
        found = self.config.values()
        for (block, name), program in sorted(self.compiled.supervised.items()):
            found |= {(block, name, option): value for option, value in program.options.items()}
        return tuple(Value(place, value, self.traced.origins[place]) for place, value in found.items())

    def history(self) -> tuple[Line, ...]:
        """What `docker history` will show above the outside image, the newest line first as it does."""
        return tuple(line for each in reversed(self.traced.lineage()) for line in reversed(each.history))

    def to_json(self) -> dict[str, Any]:
        """Give the image as `docker image inspect` does, with the programs that run in it, and event listeners and
        groups where there are any.

        Where nobody knows what the outside image brings, `UnknownImage` names it, and `Config` holds only what does
        not depend on it.
        """
        programs = {name: dict(program.options) for name, program in sorted(self.compiled.programs.items())}
        config = self.config.to_json()
        if not self.compiled.known:
            # That nobody says a thing of an image does not mean that there is nothing.
            config = {key: value for key, value in config.items() if value}
        found: dict[str, Any] = {"Name": self.compiled.image.reference, "Config": config, "Programs": programs}
        for key, wanted in (("EventListeners", "eventlisteners"), ("Groups", "groups")):
            supervised = sorted(self.compiled.supervised.items())
            entries = {name: dict(entry.options) for (block, name), entry in supervised if block == wanted}
            if entries:
                found[key] = entries
        if not self.compiled.known:
            found["UnknownImage"] = self.outside.reference
        return found


def differences(before: Inspection, after: Inspection) -> tuple[Difference, ...]:
    """Give what differs between two images, in the order of the second, what only the first has last."""
    old, new = _by_place(before.values()), _by_place(after.values())
    return tuple(
        Difference(place, old.get(place), new.get(place))
        for place in {**new, **old}
        if place not in old or place not in new or old[place].value != new[place].value
    )


def _by_place(values: Iterable[Value]) -> Mapping[Place, Value]:
    return {value.place: value for value in values}
