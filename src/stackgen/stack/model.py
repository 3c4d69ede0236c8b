"""An image as the stack describes it, in frozen values."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from stackgen.diagnostics import Span
from stackgen.know.catalog import Distribution
from stackgen.read.source import Node, Word


@dataclass(frozen=True, slots=True)
class Pair:
    """A name and its value; None is a name alone."""

    name: str
    value: str | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageGroup:
    """Packages that are installed together: what they are for, the repositories that are on for them, and the module
    streams that they come from.
    """

    name: str | None
    packages: tuple[Word, ...]
    repositories: tuple[Word, ...] = ()
    modules: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRepository:
    """A repository that the data do not know: where it is, and its key, a file of the project or a download."""

    name: str
    url: str
    suites: tuple[Word, ...]
    components: tuple[Word, ...]
    key: Word | Download
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedUser:
    """A user that the image adds; its group is named as it is unless said."""

    name: str
    span: Span
    group: str
    uid: str | None = None
    gid: str | None = None
    groups: tuple[str, ...] = ()
    home: str | None = None
    create_home: bool = False
    shell: str | None = None
    system: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file from elsewhere: its address and checksum, by architecture where there are several ("" is all)."""

    urls: Mapping[str, str]
    checksums: Mapping[str, str]
    unpack: bool
    strip: int
    span: Span
    """Where its checksum stands, else its address."""
    address: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One entry of `files`: exactly one source, and where it goes."""

    dest: Word
    src: Word | None = None
    content: Word | None = None
    download: Download | None = None
    directory: bool = False
    link: str | None = None
    exclude: tuple[str, ...] = ()
    mode: str | None = None
    owner: str | None = None

    @property
    def target(self) -> str:
        """Where a single file goes: into a folder under its own name."""
        dest = self.dest.text
        if self.src is None or not dest.endswith("/"):
            return dest
        return dest + posixpath.basename(self.src.text).removesuffix(".j2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One entry of `run`: commands joined with && in one RUN, or a script of several lines."""

    lines: tuple[str, ...]
    span: Span
    user: str | None = None
    name: str | None = None
    mounts: tuple[str, ...] = ()
    network: str | None = None
    build_packages: tuple[str, ...] = ()

    @property
    def is_script(self) -> bool:
        """Whether it is a text of several lines."""
        return any("\n" in line for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A HEALTHCHECK: `test` as Compose writes it, and its times as written."""

    test: tuple[str, ...]
    span: Span
    """Where the test stands, else where the whole."""
    times: Mapping[str, str]
    retries: int | None


@dataclass(frozen=True, slots=True)
class CommandForm:
    """ENTRYPOINT or CMD: the exec form's words, or the shell form's text."""

    argv: tuple[str, ...] | None
    shell: str | None


Payload: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Section:
    """One key of a stack that makes instructions, read; `own_order` is whether it stands in `steps`."""

    key: str
    value: Payload
    span: Span
    own_order: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervisor:
    """A supervisor that the image brings: how it is installed and where its files lie."""

    install: Literal["package", "pip"]
    logs: Literal["stdout", "files"]
    config: str
    include: str
    command: str
    options: Mapping[str, Any]
    span: Span

    def file_of(self, section: str, name: str) -> str:
        """Give the path of a section's own file: the include pattern with its name; a group may be called as a
        program is.
        """
        return self.include.replace("*", f"group-{name}" if section == "group" else name, 1)


@dataclass(frozen=True, slots=True)
class Program:
    """A program, an event listener or a group: its supervisord section and options."""

    kind: Literal["program", "eventlistener", "group"]
    name: str
    options: Mapping[str, Any]
    span: Span
    spans: Mapping[str, Span]
    """The place of each option that the stacks say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image, as its stack says it."""

    name: str
    path: str
    description: str | None
    reference: str
    references: tuple[str, ...]
    parent: str
    distribution: Distribution | None
    is_root: bool
    mirror: Word | None
    repositories: tuple[Word, ...]
    own_repositories: tuple[OwnRepository, ...]
    certificates: tuple[Word, ...]
    sections: tuple[Section, ...]
    context: tuple[FileEntry, ...]
    platforms: tuple[str, ...]
    supervisor: Supervisor | None
    programs: tuple[Program, ...]
    turned_off: Mapping[tuple[str, str], Span]
    """Sections of supervisord that are inherited and not wanted: kind and name."""
    service: Any
    service_node: Node | None
    spans: Mapping[str, Span]

    def section(self, key: str) -> Section | None:
        """Give the section of a key where it stands in the usual order, or None."""
        return next((each for each in self.sections if each.key == key and not each.own_order), None)


def folder_of(span: Span) -> str:
    """Give the folder that a path written at a span starts at: that of its file."""
    return posixpath.dirname(span.path)
