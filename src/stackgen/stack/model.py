"""An image as the stack describes it: frozen values made from the one node that `resolve` gives.

The node has passed the schema, so what is read here has the right form.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from stackgen.diagnostics import Span
from stackgen.know.catalog import Distribution
from stackgen.read import shape, source
from stackgen.read.source import Node, Scalar, Sequence, Word, word, words


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


# The usual order of what changes rarely before what changes often; `steps` stand after `run`.
ORDER = (
    "args", "env", "shell", "users", "packages", "pip", "files", "workdir", "run", "steps", "labels",
    "volumes", "expose", "stopsignal", "healthcheck", "user", "entrypoint", "cmd", "onbuild",
)  # fmt: skip


def _pairs(node: Node) -> tuple[Pair, ...]:
    assert isinstance(node, source.Mapping)
    return tuple(
        Pair(name, None if source.is_empty(value) else word(value).text, span) for name, span, value in node.items()
    )


def package_groups(node: Node) -> tuple[PackageGroup, ...]:
    """Give `packages` as groups: the names that stand alone first, as one."""
    if isinstance(node, source.Mapping):
        node = node.get("add") or Sequence((), node.span)
    assert isinstance(node, Sequence)
    loose = tuple(word(item) for item in node.items if isinstance(item, Scalar))
    groups = [PackageGroup(name=None, packages=loose)] if loose else []
    for item in node.items:
        if isinstance(item, source.Mapping):
            groups.append(
                PackageGroup(
                    name=word(item.values["name"]).text,
                    packages=words(item.values["install"]),
                    repositories=words(item.get("repositories")),
                    modules=words(item.get("modules")),
                )
            )
    return tuple(groups)


def _by_architecture(node: Node | None) -> dict[str, str]:
    if isinstance(node, source.Mapping):
        return {name: word(value).text for name, value in node.values.items()}
    return {"": word(node).text} if node is not None else {}


def _flag(node: Node | None) -> bool:
    return isinstance(node, Scalar) and node.text.lower() == "true"


def _text(node: Node | None) -> str | None:
    return node.text if isinstance(node, Scalar) else None


def _download(node: source.Mapping) -> Download:
    return Download(
        urls=_by_architecture(node.get("url")),
        checksums=_by_architecture(node.get("checksum")),
        unpack=_flag(node.get("unpack")),
        strip=int(_text(node.get("strip")) or 0),
        address=node.values["url"].span,
        span=node.values["checksum" if "checksum" in node.values else "url"].span,
    )


def file_entry(node: Node) -> FileEntry:
    """Read one entry of `files` or `context`."""
    assert isinstance(node, source.Mapping)
    get = node.get
    src, content = get("src"), get("content")
    return FileEntry(
        dest=word(node.values["dest"]),
        src=word(src) if src is not None else None,
        content=word(content) if content is not None else None,
        download=_download(node) if "url" in node.values else None,
        directory=_flag(get("directory")),
        link=_text(get("link")),
        exclude=tuple(each.text for each in words(get("exclude"))),
        mode=_text(get("mode")),
        owner=_text(get("owner")),
    )


def _files(node: Node) -> tuple[FileEntry, ...]:
    assert isinstance(node, Sequence)
    return tuple(file_entry(item) for item in node.items)


def _users(node: Node) -> tuple[AddedUser, ...]:
    users: list[AddedUser] = []
    for item in node.items if isinstance(node, Sequence) else ():
        assert isinstance(item, source.Mapping)
        get = item.get
        name = word(item.values["name"])
        users.append(
            AddedUser(
                name=name.text,
                span=name.span,
                group=_text(get("group")) or name.text,
                uid=_text(get("uid")),
                gid=_text(get("gid")),
                groups=tuple(each.text for each in words(get("groups"))),
                home=_text(get("home")),
                create_home=_flag(get("create_home")),
                shell=_text(get("shell")),
                system=_flag(get("system")),
            )
        )
    return tuple(users)


def _lines(node: Node) -> tuple[str, ...]:
    return (node.text.strip("\n"),) if isinstance(node, Scalar) else tuple(each.text for each in words(node))


def _command(node: Node) -> Command:
    if not isinstance(node, source.Mapping):
        return Command(lines=_lines(node), span=node.span)
    get = node.get
    return Command(
        lines=_lines(node.values["sh"]),
        span=node.values["sh"].span,
        user=_text(get("user")),
        name=_text(get("name")),
        mounts=tuple(each.text for each in words(get("mounts"))),
        network=_text(get("network")),
        build_packages=tuple(each.text for each in words(get("build_packages"))),
    )


def _commands(node: Node) -> tuple[Command, ...]:
    assert isinstance(node, Sequence)
    return tuple(_command(item) for item in node.items)


def _form(node: Node) -> CommandForm:
    if isinstance(node, Scalar):
        return CommandForm(None, node.text)
    return CommandForm(tuple(each.text for each in words(node)), None)


def _health(node: Node) -> Health | None:
    """Give a health check; None turns the inherited one off."""
    if not isinstance(node, source.Mapping):
        return None
    test = node.get("test")
    retries = _text(node.get("retries"))
    if isinstance(test, Scalar):
        argv: tuple[str, ...] = ("CMD-SHELL", test.text)
    else:
        argv = tuple(each.text for each in words(test))
    if argv == ("NONE",):
        return None
    times = {
        key: text
        for key in ("interval", "timeout", "start_period", "start_interval")
        if (text := _text(node.get(key))) is not None
    }
    span = test.span if test is not None else node.span
    return Health(test=argv, span=span, times=times, retries=int(retries) if retries else None)


def _argv(node: Node) -> tuple[str, ...]:
    return tuple(each.text for each in words(node))


_READERS: Mapping[str, Callable[[Node], Payload]] = {
    "args": _pairs,
    "env": _pairs,
    "labels": _pairs,
    "shell": _argv,
    "packages": package_groups,
    "pip": words,
    "users": _users,
    "files": _files,
    "workdir": word,
    "run": _commands,
    "volumes": words,
    "expose": words,
    "stopsignal": word,
    "healthcheck": _health,
    "user": word,
    "entrypoint": _form,
    "cmd": _form,
    "onbuild": words,
    "raw": word,
}


def sections(node: source.Mapping) -> Iterator[Section]:
    """Give what makes instructions, in the usual order, with `steps` in the order that they say."""
    for key in ORDER:
        value = node.get(key)
        if value is None:
            continue
        if key == "steps":
            assert isinstance(value, Sequence)
            for step in value.items:
                assert isinstance(step, source.Mapping)
                for name, span, inner in step.items():
                    # A key without a reader has no place in `steps`, which is a finding later on.
                    read = _READERS.get(name)
                    yield Section(name, read(inner) if read else None, span, own_order=True)
        else:
            yield Section(key, _READERS[key](value), node.keys[key])


def read_repositories(node: Node | None) -> tuple[tuple[Word, ...], tuple[OwnRepository, ...]]:
    """Give the names of repositories that the data know, and the repositories of the stack's own."""
    named: list[Word] = []
    own: list[OwnRepository] = []
    for item in node.items if isinstance(node, Sequence) else ():
        if isinstance(item, source.Mapping):
            key = item.values["key"]
            own.append(
                OwnRepository(
                    name=word(item.values["name"]).text,
                    url=word(item.values["url"]).text,
                    suites=words(item.get("suites")),
                    components=words(item.get("components")),
                    key=_download(key) if isinstance(key, source.Mapping) else word(key),
                    span=item.span,
                )
            )
        else:
            named.append(word(item))
    return tuple(named), tuple(own)


def read_supervisor(node: source.Mapping, where: Mapping[str, str] | None) -> Supervisor | None:
    """Give the supervisor that an image brings; `where` says where its files lie."""
    block = node.get("supervisor")
    if not isinstance(block, source.Mapping) or where is None:
        return None
    data = shape.typed(block, shape.inside(shape.load("stack"), "supervisor"))
    return Supervisor(
        install=data.get("install", "package"),
        logs=data.get("logs", "stdout"),
        config=where["config"],
        include=where["include"],
        command=where["command"],
        options=data.get("options", {}),
        span=node.keys["supervisor"],
    )


def folder_of(span: Span) -> str:
    """Give the folder that a path written at a span starts at: that of its file."""
    return posixpath.dirname(span.path)
