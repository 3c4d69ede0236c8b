"""Builders of images by one face: today's BuildKit, the two of Docker 20.10, and buildah; and how each one differs."""

from __future__ import annotations

import functools
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from stackgen.docker import inherit
from stackgen.docker.arguments import platform_args
from stackgen.docker.config import SCRATCH, Config, Health
from stackgen.docker.inherit import State
from stackgen.docker.instructions import Arg, Cmd, Entrypoint, Env, Expose, Healthcheck, Instruction, Volume
from stackgen.docker.shell import GO_SPACE, expand_words
from stackgen.docker.syntax import parse

from .commands import execute, run
from .differences import BUILDERS, MADE_OTHERWISE, NOT_GIVEN, Difference

Answer = subprocess.CompletedProcess[str]


class Builder(Protocol):
    """Something that builds Dockerfiles and says what their images' configuration is."""

    @property
    def name(self) -> str:
        """What it is called in the documentation."""

    def version(self) -> str:
        """Its version, as it says itself."""

    def load(self, reference: str, archive: Path, changes: Sequence[str]) -> None:
        """Makes an image of an archive of files; `changes` are Dockerfile instructions."""

    def build(self, context: Path, tag: str, dockerfile: Path | None = None) -> Answer:
        """Builds, whatever comes of it."""

    def configs(self, *references: str) -> list[dict[str, Any]]:
        """The configuration of each image."""

    def remove(self, *references: str) -> None:
        """Removes images, as far as they are there."""

    def apart(self, folder: Path) -> Builder:
        """The same, which builds on the same images and may keep its own in a folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Docker:
    """A Docker engine; `env` says where it is and which of its builders builds."""

    name: str
    env: Mapping[str, str] = field(default_factory=dict)

    def version(self) -> str:
        return run("docker", "version", "--format", "{{.Server.Version}}", env=self.env).strip()

    def load(self, reference: str, archive: Path, changes: Sequence[str]) -> None:
        run("docker", "import", *(f"--change={change}" for change in changes), archive, reference, env=self.env)

    def build(self, context: Path, tag: str, dockerfile: Path | None = None) -> Answer:
        file = dockerfile or context / "Dockerfile"
        return execute("docker", "build", "--quiet", "--file", file, "--tag", tag, context, env=self.env, timeout=300)

    def configs(self, *references: str) -> list[dict[str, Any]]:
        images = json.loads(run("docker", "image", "inspect", *references, env=self.env))
        return [image["Config"] for image in images]

    def remove(self, *references: str) -> None:
        if references:
            execute("docker", "image", "rm", "--force", *references, env=self.env)

    def apart(self, folder: Path) -> Builder:
        del folder
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Buildah:
    """buildah, told to write images as Docker has them; what it would write else has no health check."""

    name: str
    env: Mapping[str, str]
    stores: tuple[str, ...] = ()

    def call(self, *command: str | Path) -> Answer:
        return execute("buildah", *self.stores, *command, env=self.env, timeout=300)

    def version(self) -> str:
        return run("buildah", "version", env=self.env).splitlines()[0].split()[-1]

    def load(self, reference: str, archive: Path, changes: Sequence[str]) -> None:
        dockerfile = archive.with_suffix(".Dockerfile")
        dockerfile.write_text("\n".join(["FROM scratch", f"ADD {archive.name} /", *changes, ""]), encoding="utf-8")
        self.remove(reference)
        answer = self.build(archive.parent, reference, dockerfile)
        assert answer.returncode == 0, answer.stderr

    def build(self, context: Path, tag: str, dockerfile: Path | None = None) -> Answer:
        file = dockerfile or context / "Dockerfile"
        return self.call("bud", "--format", "docker", "--quiet", "--file", file, "--tag", tag, context)

    def configs(self, *references: str) -> list[dict[str, Any]]:
        inspected = [self.call("inspect", "--type", "image", reference).stdout for reference in references]
        return [json.loads(text)["Docker"]["config"] for text in inspected]

    def remove(self, *references: str) -> None:
        if references:
            self.call("rmi", "--force", *references)

    def apart(self, folder: Path) -> Builder:
        # Whoever builds holds the store, and waits for the next full second: chains in one store wait for each other.
        own = ("--root", f"{folder}/images", "--runroot", f"{folder}/run")
        return replace(self, stores=(*own, "--storage-opt", f"vfs.imagestore={self.env['HOME']}/images"))


BUILDKIT = Docker(name="BuildKit")


@functools.cache
def old_environment() -> dict[str, str]:
    """Where the old engine and buildah are, as engine.sh says it."""
    names = ("PATH", "DOCKER_HOST", "DOCKER_CONFIG", "HOME", "CONTAINERS_STORAGE_CONF", "CONTAINERS_REGISTRIES_CONF")
    script = 'eval "$(tests/engine/engine.sh env old)" && env -0'
    variables = dict(line.split("=", 1) for line in run("bash", "-c", script).split("\0") if line)
    return {name: variables[name] for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """What a builder makes of Dockerfiles: what today's BuildKit makes, but for differences of differences.py."""

    differs: frozenset[str] = frozenset()
    not_given: frozenset[str] = frozenset()
    version: str = ""
    own_keys: frozenset[str] = frozenset()
    """What it writes into a configuration beside what Docker 28 knows."""

    @property
    def scratch(self) -> Config:
        """What an image from scratch starts with."""
        return Config() if "WORKDIR of scratch" in self.differs else SCRATCH

    def expected(self, text: str, parent: Config) -> Config:
        """What it makes of a Dockerfile of one stage."""
        _, *parsed = parse(text)
        known = {} if "ARGs of the platform" in self.differs else platform_args()
        state = inherit.begin(replace(parent, on_build=()), global_args=known)
        own = [] if "PATH" in dict(parent.env) else ["PATH"]
        for instruction in (*inherit.triggers(parent), *(each.instruction for each in parsed)):
            if isinstance(instruction, Env):
                own += [state.expand(name) for name, _ in instruction.pairs]
            state = self.apply(state, instruction)
        env = dict(state.config.env)
        if "place of a variable" in self.differs:
            # What a Dockerfile sets stands behind what it inherits, in the order in which it is set first.
            env = {name: env[name] for name in [*(name for name in env if name not in own), *own]}
        labels = dict(state.config.labels)
        if "a label of its own" in self.differs:
            labels["io.buildah.version"] = self.version
        return inherit.finish(state.set(env=tuple(env.items()), labels=tuple(sorted(labels.items()))))

    def apply(self, state: State, instruction: Instruction) -> State:
        before, after = state.config, inherit.apply(state, instruction)
        match instruction:
            case Arg(pairs=pairs):
                scope = after.scope
                if "ARGs in one instruction" in self.differs:
                    alone = {pair[0]: inherit.apply(state, Arg(pairs=(pair,))).scope.get(pair[0]) for pair in pairs}
                    scope = {**scope, **{name: value for name, value in alone.items() if value is not None}}
                if "an ARG below an ENV" in self.differs:
                    scope = {**scope, **dict(before.env)}
                return replace(after, scope=scope)
            case Healthcheck() if "times of an inherited health check" in self.differs:
                return after.set(healthcheck=_with_times(after.config.healthcheck, before.healthcheck))
            case Expose() if "ranges of ports" in self.differs:
                words = [word for port in instruction.ports for word in expand_words(port, state.scope)]
                ports = {word if "/" in word else f"{word}/tcp" for word in words}
                return state.set(exposed_ports=tuple(sorted({*before.exposed_ports, *ports})))
            case Volume() if "blanks round a volume" in self.differs:
                return after.set(volumes=tuple(sorted({volume.strip(GO_SPACE) for volume in after.config.volumes})))
            case Entrypoint() | Cmd():
                if "SHELL and shell forms" in self.differs:
                    after = inherit.apply(state.set(shell=None), instruction).set(shell=before.shell)
                return after.set(args_escaped=before.args_escaped) if "ArgsEscaped" in self.differs else after
        return after

    def differences(self, expected: Config, found: dict[str, Any]) -> str:
        """What an image has that it should not, or has not that it should."""
        ours, theirs = expected.to_json(), Config.from_json(found).to_json()
        more = {key for key, value in found.items() if value and key not in theirs} - self.own_keys
        keys = [key for key in {**ours, **theirs} if json.dumps(ours.get(key)) != json.dumps(theirs.get(key))]
        lines = [f"{key}: we say {ours.get(key)!r}, it {theirs.get(key)!r}" for key in keys]
        return "\n".join([*lines, *(f"{key}: only it has {found[key]!r}" for key in sorted(more))])


def _with_times(health: Health | None, parent: Health | None) -> Health | None:
    if health is None or parent is None:
        return health
    return replace(
        health,
        interval=health.interval or parent.interval,
        timeout=health.timeout or parent.timeout,
        start_period=health.start_period or parent.start_period,
        retries=health.retries or parent.retries,
    )


def dialect_of(name: str, version: str) -> Dialect:
    """What is known of a builder, from the table of differences."""
    today, own = BUILDERS[0], {"classic builder": {"Image"}, "buildah": {"Hostname"}}

    def differing(table: Mapping[str, Difference]) -> frozenset[str]:
        return frozenset(each for each, row in table.items() if row.by_builder[name] != row.by_builder[today])

    return Dialect(
        differs=differing(MADE_OTHERWISE),
        not_given=differing(NOT_GIVEN),
        version=version,
        own_keys=frozenset(own.get(name, ())),
    )
