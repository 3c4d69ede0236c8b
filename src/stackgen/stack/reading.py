"""The one node that `resolve` gives of an image, to the model's values.

The node has passed the schema, so what is read here has the right form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from stackgen.read import shape, source
from stackgen.read.source import Node, Scalar, Sequence, Word, word, words
from stackgen.stack.model import (
    AddedUser,
    Command,
    CommandForm,
    Download,
    FileEntry,
    Health,
    OwnRepository,
    PackageGroup,
    Pair,
    Payload,
    Section,
    Supervisor,
)

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


def _package_groups(node: Node) -> tuple[PackageGroup, ...]:
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
    "packages": _package_groups,
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


def repositories(node: Node | None) -> tuple[tuple[Word, ...], tuple[OwnRepository, ...]]:
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


def supervisor(node: source.Mapping, where: Mapping[str, str] | None) -> Supervisor | None:
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
