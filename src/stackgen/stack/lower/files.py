"""What is copied in: files, globs, folders, directories and links, and what only lies in the context."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from stackgen.diagnostics import Related, Span, did_you_mean
from stackgen.read import source
from stackgen.read.inputs import InputError
from stackgen.stack.expressions import Facts, Scope, render_file
from stackgen.stack.lower.downloads import lower_download
from stackgen.stack.lower.emitter import Emitter
from stackgen.stack.model import FileEntry, Image, folder_of

RENDERED = ".j2"
LINKED = "put the file itself into the project: another machine has not what the link leads to"
_GLOB = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class _Found:
    """One file that an entry names: its path in the project, and below the entry's `dest`."""

    path: str
    below: str


def lower_files(emitter: Emitter, entries: Iterable[FileEntry]) -> None:
    """Make directories and links in one RUN, then copy: one COPY for each directory and, there, for each owner and mode
    that is not the usual one.
    """
    entries = tuple(entry for entry in entries if _has_one_source(emitter, entry))
    if not entries:
        return
    _make(emitter, [entry for entry in entries if entry.directory or entry.link is not None])
    plain: dict[tuple[str, ...], list[str]] = {}
    for entry in entries:
        if entry.download is not None:
            dest = _dest(emitter, entry)
            if dest is not None:
                lower_download(emitter, entry, entry.download, dest, _flags(emitter, entry))
        elif entry.src is not None or entry.content is not None:
            for path in _stage(emitter, entry):
                plain.setdefault(_flags(emitter, entry), []).append(path)
    for flags, paths in sorted(plain.items()):
        span = emitter.files[f"rootfs/{paths[0]}"].span
        emitter.copy(paths, span or entries[0].dest.span, flags)


def _has_one_source(emitter: Emitter, entry: FileEntry) -> bool:
    """Whether an entry, after all that merged into it, has one source; else with a finding."""
    download = entry.download
    said = {
        "src": entry.src is not None,
        "content": entry.content is not None,
        "url": download is not None,
        "directory": entry.directory,
        "link": entry.link is not None,
    }
    given = [name for name, is_given in said.items() if is_given]
    if len(given) != 1:
        emitter.findings.error(
            "missing-key" if not given else "wrong-value",
            f'what goes to "{entry.dest.text}" is not said'
            if not given
            else f'"{entry.dest.text}" has {" and ".join(f"`{name}`" for name in given)}; a file has one source',
            entry.dest.span,
            help="one of `src`, `content`, `url`, `directory: true` and `link`" if not given else "keep one of them",
        )
        return False
    missing = [arch for arch in download.urls if not {arch, ""} & download.checksums.keys()] if download else []
    if download and missing:
        of = f", here of {' and '.join(missing)}" if any(missing) else ""
        emitter.findings.error(
            "missing-key",
            f"a download needs its checksum{of}: what comes may not be what was meant",
            download.span,
            help="checksum: sha256:…, which `curl -L URL | sha256sum` prints",
            related=[Related("the address", download.address)] if download.checksums else (),
        )
    return not missing


def lower_context(emitter: Emitter, entries: Iterable[FileEntry]) -> tuple[str, ...]:
    """Put files into the build context without a COPY; give the names at its top that they lie under."""
    tops: dict[str, None] = {}
    for entry in entries:
        if entry.src is None:
            continue
        dest = posixpath.normpath(entry.dest.text)
        if dest.startswith("..") or dest.split("/")[0] in ("rootfs", "Dockerfile", ".dockerignore"):
            emitter.findings.error(
                "context-dest",
                f'"{entry.dest.text}" is no place for files of the build context',
                entry.dest.span,
                help="take a folder of its own: dest: app",
            )
            continue
        several = _takes_many(emitter, entry) or entry.dest.text.endswith("/")
        for found in _expand(emitter, entry):
            content = _content(emitter, found, entry.src.span, rendered=False)
            if content is not None:
                mode = 0o755 if emitter.tools.inputs.is_executable(found.path) else 0o644
                path = posixpath.join(dest, found.below) if several else dest
                emitter.file(path, content, mode, entry.dest.span)
                tops.setdefault(dest.split("/")[0])
    return tuple(tops)


def _takes_many(emitter: Emitter, entry: FileEntry) -> bool:
    """Whether `src` is a folder or a glob, which bring files into `dest`."""
    path = _project_path(emitter, entry) or ""
    inputs = emitter.tools.inputs
    return inputs.is_folder(path) or (
        entry.src is not None and bool(_GLOB & set(entry.src.text)) and not inputs.is_file(path)
    )


def _flags(emitter: Emitter, entry: FileEntry) -> tuple[str, ...]:
    """Give the flags of an entry's COPY or ADD. What is downloaded comes with the mode 0600."""
    flags: list[str] = []
    if entry.owner is not None:
        flags.append(f"--chown={emitter.word(entry.owner, entry.dest.span)}")
    mode = entry.mode or "0644"
    if entry.download is not None or int(mode, 8) not in (0o644, 0o755):
        flags.append(f"--chmod={mode}")
        if emitter.tools.builder == "classic":
            emitter.findings.error(
                "builder-lacks",
                "the classic builder has no COPY --chmod",
                entry.dest.span,
                help="take the mode 0644 or 0755, or set it with `run`",
            )
    return tuple(flags)


def _dest(emitter: Emitter, entry: FileEntry) -> str | None:
    """Give an entry's destination with the image's ENV put in; it must be absolute by then."""
    dest = emitter.expand(entry.dest.text, entry.dest.span)
    if dest is None:
        return None
    if not dest.startswith("/") or ".." in dest.split("/"):
        emitter.findings.error(
            "dest-not-absolute",
            f'"{entry.dest.text}" comes to "{dest}", which is no absolute path in the image',
            entry.dest.span,
            help="begin it with /, or with a variable of the image's ENV that does",
        )
        return None
    return dest


def _stage(emitter: Emitter, entry: FileEntry) -> list[str]:
    """Put an entry's files into `rootfs/`; give their paths in the image, without the leading slash."""
    dest = _dest(emitter, entry)
    if dest is None:
        return []
    if entry.content is not None:
        if dest.endswith("/"):
            emitter.findings.error(
                "dest-is-folder", "`content` needs the name of a file", entry.dest.span, help=f"{dest}NAME"
            )
            return []
        path = posixpath.normpath(dest).lstrip("/")
        mode = _mode(entry, executable=False)
        return [path] if emitter.file(f"rootfs/{path}", entry.content.text.encode(), mode, entry.dest.span) else []
    assert entry.src is not None
    paths: list[str] = []
    several = _takes_many(emitter, entry)
    for found in _expand(emitter, entry):
        below = found.below.removesuffix(RENDERED) if not _is_folder(emitter, entry) else found.below
        joined = posixpath.join(dest, below) if several or dest.endswith("/") else dest
        path = posixpath.normpath(joined).lstrip("/")
        rendered = found.path.endswith(RENDERED) and not _is_folder(emitter, entry)
        content = _content(emitter, found, entry.src.span, rendered=rendered)
        if content is not None:
            mode = _mode(entry, executable=emitter.tools.inputs.is_executable(found.path))
            if emitter.file(f"rootfs/{path}", content, mode, entry.dest.span):
                paths.append(path)
    return paths


def _is_folder(emitter: Emitter, entry: FileEntry) -> bool:
    path = _project_path(emitter, entry)
    return path is not None and emitter.tools.inputs.is_folder(path)


def _mode(entry: FileEntry, *, executable: bool) -> int:
    """Give the mode in the context: what COPY keeps, or what --chmod changes anyway."""
    if entry.mode is not None and int(entry.mode, 8) in (0o644, 0o755):
        return int(entry.mode, 8)
    return 0o755 if executable else 0o644


def _project_path(emitter: Emitter, entry: FileEntry) -> str | None:
    assert entry.src is not None
    path = emitter.tools.inputs.inside(folder_of(entry.src.span), entry.src.text)
    if path is None:
        emitter.findings.error(
            "outside-project",
            f'"{entry.src.text}" leaves the project',
            entry.src.span,
            help="copy it beside the stack; a folder with a stackgen.yml makes a project of all below it",
        )
    return path


def _expand(emitter: Emitter, entry: FileEntry) -> Iterator[_Found]:
    """Give every file that `src` names: the file, a glob's matches, or a folder's contents; less `exclude`."""
    assert entry.src is not None
    path = _project_path(emitter, entry)
    if path is None:
        return
    inputs, span = emitter.tools.inputs, entry.src.span
    found: list[_Found]
    try:
        if inputs.is_folder(path):
            found = [_Found(posixpath.join(path, below), below) for below in inputs.walk(path)]
        elif inputs.is_file(path):
            found = [_Found(path, posixpath.basename(path))]
        elif _GLOB & set(entry.src.text):
            found = list(_glob(emitter, path))
        else:
            emitter.findings.error(
                "file-missing",
                f'"{entry.src.text}" is not there',
                span,
                help=_near(emitter, path, folder_of(span)),
            )
            return
    except InputError as error:
        emitter.findings.error(error.code, str(error), span, help=LINKED if error.code == "outside-project" else None)
        return
    kept = [each for each in found if not _excluded(each.below, entry.exclude)]
    if not kept:
        emitter.findings.error(
            "no-files",
            f'"{entry.src.text}" names no file',
            span,
            help="put a file there, or remove the entry",
        )
    yield from kept


def _glob(emitter: Emitter, pattern: str) -> Iterator[_Found]:
    folder, _, last = pattern.rpartition("/")
    if _GLOB & set(folder):
        for path in emitter.tools.inputs.walk(folder.split("*")[0].rpartition("/")[0]):
            full = posixpath.join(folder.split("*")[0].rpartition("/")[0], path)
            if fnmatchcase(full, pattern) and full.count("/") == pattern.count("/"):
                yield _Found(full, posixpath.basename(full))
        return
    for name in emitter.tools.inputs.listing(folder or "."):
        path = posixpath.join(folder, name)
        if fnmatchcase(name, last) and (not name.startswith(".") or last.startswith(".")):
            if emitter.tools.inputs.is_folder(path):
                for below in emitter.tools.inputs.walk(path):
                    yield _Found(posixpath.join(path, below), posixpath.join(name, below))
            else:
                yield _Found(path, name)


def _excluded(below: str, patterns: tuple[str, ...]) -> bool:
    """Whether a path, or a folder that it lies in, matches a pattern: with a slash from the top, else by name."""
    parts = below.split("/")
    for pattern in patterns:
        pattern = pattern.strip("/")
        tops = ["/".join(parts[: index + 1]) for index in range(len(parts))]
        if any(fnmatchcase(top, pattern) for top in tops):
            return True
        if "/" not in pattern and any(fnmatchcase(part, pattern) for part in parts):
            return True
    return False


def _near(emitter: Emitter, path: str, beside: str) -> str | None:
    """Say which file was likely meant."""
    inputs = emitter.tools.inputs
    folder, _, name = path.rpartition("/")
    if not inputs.is_folder(folder or "."):
        return f"there is no folder {folder}"
    close = did_you_mean(name, inputs.listing(folder or "."))
    if close is None:
        return f"paths start at the folder of this file{', ' + beside if beside else ''}"
    meant = posixpath.relpath(posixpath.join(folder, close), beside or ".")
    return f'did you mean "{meant}"?'


def _content(emitter: Emitter, found: _Found, span: Span, *, rendered: bool) -> bytes | None:
    """Give a file's bytes, rendered if it is a template."""
    inputs = emitter.tools.inputs
    try:
        if not rendered:
            return inputs.read(found.path)
        text = source.read(inputs, found.path, emitter.findings)
    except InputError as error:
        emitter.findings.error(error.code, str(error), span, help=LINKED if error.code == "outside-project" else None)
        return None
    made = render_file(text, _file_scope(emitter), span) if text is not None else None
    return None if made is None else made.encode()


def _file_scope(emitter: Emitter) -> Scope:
    image = emitter.image
    return emitter.tools.scope.with_facts(image=lambda: image_facts(image, emitter))


def image_facts(image: Image, emitter: Emitter) -> Facts:
    """Give what a .j2 file may ask of its image."""
    return Facts(
        "what is known of the image",
        {
            "name": image.name,
            "reference": image.reference,
            "description": image.description or "",
            "env": Facts("the image's ENV", emitter.env, key="env"),
            "user": emitter.user,
            "workdir": emitter.state.config.working_dir,
        },
    )


def _make(emitter: Emitter, entries: list[FileEntry]) -> None:
    """Make directories and links in one RUN."""
    made: list[dict[str, str | None]] = []
    for entry in entries:
        dest = _dest(emitter, entry)
        if dest is not None:
            user, _, group = (entry.owner or "").partition(":")
            place = posixpath.normpath(dest)
            made.append({"dest": place, "link": entry.link, "mode": entry.mode, "user": user, "group": group})
    if made:
        emitter.run("dockerfile/make.j2", entries[0].dest.span, entries=made)
