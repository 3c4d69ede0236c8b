"""What lowering gives: steps with their instructions, and the files that lie beside the Dockerfile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from stackgen.diagnostics import Span
from stackgen.docker.arguments import platform_args
from stackgen.docker.config import Config
from stackgen.docker.inherit import State, begin
from stackgen.docker.instructions import Instruction
from stackgen.docker.syntax import to_text
from stackgen.know.catalog import Distribution, Family, Secret
from stackgen.stack.model import Image, Program, Supervisor

# What `$TARGETARCH` and its like are told of where an image says no platform.
PLATFORM = "linux/amd64"


@dataclass(frozen=True, slots=True)
class Placed:
    """An instruction, the text that prints it, and the place in a stack that it comes from."""

    instruction: Instruction
    text: str
    span: Span | None
    parts: tuple[Span | None, ...] = ()
    """The place of each variable, label, port or volume, where they have places of their own."""
    passing: bool = False
    """Whether stackgen put it round others, to set a USER or SHELL for them and to put back what was there."""


@dataclass(frozen=True, slots=True)
class Step:
    """The instructions that one key of a stack makes; `own_order` is whether it stands in the stack's `steps`."""

    key: str
    placed: tuple[Placed, ...]
    own_order: bool = False

    @property
    def text(self) -> str:
        """The step as it is printed, without a last newline.

        An empty line follows a here-document: hadolint reads nothing behind one without it.
        """
        lines: list[str] = []
        for each in self.placed:
            lines.append(each.text)
            if getattr(each.instruction, "heredocs", ()) and each is not self.placed[-1]:
                lines.append("")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class ProgramFile:
    """The file of one supervised program; None is a program that is turned off."""

    program: Program | None
    name: str
    logs: str


@dataclass(frozen=True, slots=True)
class SupervisorFile:
    """The supervisor's main configuration."""

    supervisor: Supervisor


@dataclass(frozen=True, slots=True)
class RepositoryFile:
    """A file that says where packages come from: repositories with their addresses."""

    distribution: Distribution
    family: Family
    mirror: str | None
    """None is a repository of the stack's own."""
    repositories: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class PipFile:
    """pip's configuration: the index that it asks, and the bundle of authorities that it trusts."""

    index: str | None
    bundle: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexes:
    """What pip and npm have been told in an image, by its ancestors or itself; `npm` is whether it has npm."""

    index: str | None = None
    registry: str | None = None
    bundle: str | None = None
    npm: bool = False


Recipe: TypeAlias = ProgramFile | SupervisorFile | RepositoryFile | PipFile


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextFile:
    """A file of the build context: its path there, its content or what it is made from, and its mode."""

    path: str
    content: bytes | Recipe
    mode: int
    span: Span | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowered:
    """An image as instructions and files: build stages for downloads, steps in order, files by path."""

    image: Image
    stages: tuple[Step, ...]
    steps: tuple[Step, ...]
    files: tuple[ContextFile, ...]
    allowed: tuple[str, ...]
    secrets: tuple[Secret, ...] = ()
    """What its build has to be handed."""


def placed(
    instruction: Instruction, span: Span | None, parts: tuple[Span | None, ...] = (), *, passing: bool = False
) -> Placed:
    """Give an instruction as our own printer writes it."""
    return Placed(instruction, to_text(instruction), span, parts, passing)


def beginning(image: Image, parent: Config) -> State:
    """Give what an image is like before its own first instruction, built for its first platform.

    Raises DockerfileError and RefusedError where a trigger of its parent's cannot be done.
    """
    platform = image.platforms[0] if image.platforms else PLATFORM
    return begin(parent, global_args=platform_args(platform))
