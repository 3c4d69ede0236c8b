"""A frozen value for each Dockerfile instruction.

Fields hold *words as they stand in a Dockerfile*, quoted and unexpanded, the way BuildKit's parser keeps
them: ``ENV HOME="/app/$NAME"`` is ``Env(pairs=(("HOME", '"/app/$NAME"'),))``. What a word comes to depends
on what stands above it, and is `inherit`'s business; how a value becomes a word, and an instruction text,
is `syntax`'s.
"""

from __future__ import annotations

from dataclasses import dataclass

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heredoc:
    """A document that follows an instruction's line: ``<<NAME``, its lines, and ``NAME`` alone on a line."""

    name: str
    content: str
    """The lines as they stand, each with its newline; leading tabs too, where `chomp` drops them later."""
    expand: bool = True
    """False where the name was quoted: ``<<"NAME"``."""
    chomp: bool = False
    """True for ``<<-NAME``."""


@dataclass(frozen=True, slots=True)
class Exec:
    """The JSON form of a command: run as it is, without a shell."""

    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShellForm:
    """Text that the image's SHELL runs."""

    text: str


Command = Exec | ShellForm


@dataclass(frozen=True, slots=True, kw_only=True)
class From:
    """``FROM --platform=… image AS name``."""

    image: str
    platform: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arg:
    """``ARG NAME=default …``; None where there is no default."""

    pairs: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Env:
    """``ENV NAME=value …``."""

    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """``LABEL name=value …``."""

    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expose:
    """``EXPOSE 80 53/udp``."""

    ports: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """``VOLUME /data …``."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workdir:
    """``WORKDIR /app``."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """``USER name:group``."""

    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopsignal:
    """``STOPSIGNAL SIGQUIT``."""

    signal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """``SHELL ["/bin/bash", "-c"]``."""

    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrypoint:
    """``ENTRYPOINT``, in either form."""

    command: Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Cmd:
    """``CMD``, in either form."""

    command: Command


@dataclass(frozen=True, slots=True, kw_only=True)
class Healthcheck:
    """``HEALTHCHECK --interval=30s CMD …``."""

    test: Command | None
    """None is ``HEALTHCHECK NONE``."""
    interval: str | None = None
    timeout: str | None = None
    start_period: str | None = None
    start_interval: str | None = None
    retries: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """``RUN``, in either form."""

    command: Command
    flags: tuple[str, ...] = ()
    """Whole flags, ``--mount=type=cache,target=/x``, as in COPY and ADD."""
    heredocs: tuple[Heredoc, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """``COPY source … dest``; a heredoc's ``<<NAME`` is among the sources."""

    sources: tuple[str, ...]
    dest: str
    flags: tuple[str, ...] = ()
    heredocs: tuple[Heredoc, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """``ADD source … dest``, as COPY."""

    sources: tuple[str, ...]
    dest: str
    flags: tuple[str, ...] = ()
    heredocs: tuple[Heredoc, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintainer:
    """``MAINTAINER name``, which LABEL has replaced."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Onbuild:
    """``ONBUILD instruction``."""

    trigger: Instruction
    text: str
    """The trigger exactly as it lands in ``Config.OnBuild``, and as the child's build will parse it."""


Instruction = (
    From
    | Arg
    | Env
    | Label
    | Expose
    | Volume
    | Workdir
    | User
    | Stopsignal
    | Shell
    | Entrypoint
    | Cmd
    | Healthcheck
    | Run
    | Copy
    | Add
    | Onbuild
    | Maintainer
)
