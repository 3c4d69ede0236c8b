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
from stackgen.docker.config import Config, Health
from stackgen.docker.instructions import Arg, Cmd, Entrypoint, Env, Exec, Expose, Healthcheck, Instruction, ShellForm
from stackgen.docker.shell import expand_words
from stackgen.docker.syntax import parse

from .commands import execute, run

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Buildah:
    """buildah, told to write images as Docker has them; what it would write else has no health check."""

    name: str
    env: Mapping[str, str]

    def version(self) -> str:
        return run("buildah", "version", env=self.env).splitlines()[0].split()[-1]

    def load(self, reference: str, archive: Path, changes: Sequence[str]) -> None:
        dockerfile = archive.with_suffix(".Dockerfile")
        dockerfile.write_text("\n".join(["FROM scratch", f"ADD {archive.name} /", *changes, ""]), encoding="utf-8")
        answer = self.build(archive.parent, reference, dockerfile)
        assert answer.returncode == 0, answer.stderr

    def build(self, context: Path, tag: str, dockerfile: Path | None = None) -> Answer:
        file = dockerfile or context / "Dockerfile"
        command = ("buildah", "bud", "--format", "docker", "--quiet", "--file", file, "--tag", tag, context)
        return execute(*command, env=self.env, timeout=300)

    def configs(self, *references: str) -> list[dict[str, Any]]:
        inspected = (run("buildah", "inspect", "--type", "image", reference, env=self.env) for reference in references)
        return [json.loads(text)["Docker"]["config"] for text in inspected]

    def remove(self, *references: str) -> None:
        if references:
            execute("buildah", "rmi", "--force", *references, env=self.env)


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
    """How a builder differs from today's BuildKit in what it makes of a Dockerfile that both take.

    Each field is a row of the table in docs/inheritance.md, and a test of test_builders.py shows it.
    """

    args_escaped: bool = True
    """CMD sets ArgsEscaped."""
    times_are_inherited: bool = False
    """A time that HEALTHCHECK does not give is the parent's, with NONE too."""
    env_wins: bool = False
    """An ENV hides an ARG of the same name, wherever the two stand."""
    args_in_turn: bool = True
    """A default of an ARG sees the ARGs before it in the same instruction."""
    empty_is_none: bool = False
    """A shell form without any text clears what was inherited."""
    own_env_last: bool = False
    """What a Dockerfile sets stands behind all that it inherits, in the order in which it is set first."""
    knows_platforms: bool = True
    """`ARG TARGETARCH` and its like have a value."""
    scratch: str = "/"
    """The WORKDIR of an image from scratch."""
    own_shell: bool = True
    """Shell forms of ENTRYPOINT and CMD are run by the image's SHELL."""
    ranges: bool = True
    """EXPOSE makes ports of a range, and drops what is said of the host."""
    labels: tuple[tuple[str, str], ...] = ()
    """What it writes into every image."""
    own_keys: frozenset[str] = frozenset()
    """What it writes into the configuration beside what Docker 28 knows."""

    def expected(self, text: str, parent: Config) -> Config:
        """What it makes of a Dockerfile of one stage."""
        _, *parsed = parse(text)
        state = inherit.begin(replace(parent, on_build=()), global_args=platform_args() if self.knows_platforms else {})
        own = {} if "PATH" in dict(parent.env) else {"PATH": None}
        for instruction in (*inherit.triggers(parent), *(each.instruction for each in parsed)):
            if isinstance(instruction, Env):
                own |= dict.fromkeys(state.expand(name) for name, _ in instruction.pairs)
            state = self.apply(state, instruction)
        env = dict(state.config.env)
        if self.own_env_last:
            env = {name: value for name, value in env.items() if name not in own} | {name: env[name] for name in own}
        labels = {**dict(state.config.labels), **dict(self.labels)}
        return inherit.finish(state.set(env=tuple(env.items()), labels=tuple(sorted(labels.items()))))

    def apply(self, state: inherit.State, instruction: Instruction) -> inherit.State:
        before, after = state.config, inherit.apply(state, instruction)
        match instruction:
            case Arg(pairs=pairs):
                scope = after.scope
                if not self.args_in_turn:
                    alone = [inherit.apply(state, Arg(pairs=(pair,))) for pair in pairs]
                    values = [(name, each.args[name]) for (name, _), each in zip(pairs, alone, strict=True)]
                    scope = {**state.scope, **{name: value for name, value in values if value is not None}}
                return replace(after, scope={**scope, **dict(before.env)} if self.env_wins else scope)
            case Healthcheck() if self.times_are_inherited and before.healthcheck and after.config.healthcheck:
                return after.set(healthcheck=_with_times(after.config.healthcheck, before.healthcheck))
            case Expose() if not self.ranges:
                words = [word for port in instruction.ports for word in expand_words(port, state.scope)]
                ports = {word if "/" in word else f"{word}/tcp" for word in words}
                return state.set(exposed_ports=tuple(sorted({*before.exposed_ports, *ports})))
            case Entrypoint() | Cmd():
                if self.empty_is_none and instruction.command == ShellForm(""):
                    after = inherit.apply(state, type(instruction)(command=Exec(())))
                elif not self.own_shell:
                    after = inherit.apply(state.set(shell=None), instruction).set(shell=before.shell)
                return after if self.args_escaped else after.set(args_escaped=before.args_escaped)
        return after

    def differences(self, expected: Config, found: dict[str, Any]) -> str:
        """What an image has that it should not, or has not that it should."""
        ours, theirs = expected.to_json(), Config.from_json(found).to_json()
        more = {key for key, value in found.items() if value and key not in theirs} - self.own_keys
        keys = [key for key in {**ours, **theirs} if ours.get(key) != theirs.get(key)]
        lines = [f"{key}: we say {ours.get(key)!r}, it {theirs.get(key)!r}" for key in keys]
        return "\n".join([*lines, *(f"{key}: only it has {found[key]!r}" for key in sorted(more))])


def _with_times(health: Health, parent: Health) -> Health:
    return replace(
        health,
        interval=health.interval or parent.interval,
        timeout=health.timeout or parent.timeout,
        start_period=health.start_period or parent.start_period,
        retries=health.retries or parent.retries,
    )


DIALECTS = {
    "BuildKit": Dialect(),
    "BuildKit of 20.10": Dialect(args_in_turn=False),
    "classic builder": Dialect(
        args_escaped=False,
        times_are_inherited=True,
        env_wins=True,
        knows_platforms=False,
        scratch="",
        own_keys=frozenset({"Image"}),
    ),
    "buildah": Dialect(
        args_escaped=False,
        env_wins=True,
        scratch="",
        own_shell=False,
        ranges=False,
        empty_is_none=True,
        own_env_last=True,
        labels=(("io.buildah.version", "1.28.2"),),
        own_keys=frozenset({"Hostname"}),
    ),
}
