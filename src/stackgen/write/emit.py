"""A plan against an output folder: what would change, and the change itself, all of it or none."""

from __future__ import annotations

import hashlib
import os
import posixpath
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stackgen.diagnostics import Findings
from stackgen.render.plan import Plan, PlannedFile
from stackgen.write.manifest import NAME, BrokenManifest, ImageRecord, Manifest, read_manifest

State = Literal["created", "updated", "unchanged", "removed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a render does to one file of the output folder."""

    path: str
    state: State
    before: bytes | None
    after: bytes | None
    mode: int
    """What it will be, or was where it is removed."""
    mode_before: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a render does to an output folder: every file, in order, and the manifest that it has afterwards."""

    folder: Path
    files: tuple[Change, ...]
    manifest: Manifest
    old: Manifest

    @property
    def up_to_date(self) -> bool:
        """Whether nothing would be written."""
        return all(change.state == "unchanged" for change in self.files) and self.manifest == self.old


def digest(content: bytes, mode: int) -> str:
    """Give what a file is recognised by: SHA-256 of its content, and whether it is executable."""
    return hashlib.sha256(content).hexdigest() + ("x" if mode & 0o100 else "")


def compare(
    plan: Plan, stack_exists: Callable[[str], bool], findings: Findings, *, force: bool = False
) -> Changes | None:
    """Say what a plan does to its folder, or None with findings where nothing can be said of it.

    Where files were edited by hand, or are somebody else's, that is among the findings, and what would become of them
    among the changes. `stack_exists` says whether a stack file of the project is still there. Findings:
    broken-manifest, other-options, edited-by-hand, not-ours.
    """
    folder = plan.folder
    try:
        old = read_manifest(folder)
    except BrokenManifest as error:
        if not force:
            findings.error("broken-manifest", f"{error}", help="render into another folder with -o DIR, or use --force")
            return None
        old = Manifest()
    kept = _kept(plan, old, stack_exists)
    _check_options(plan, kept, findings)
    new = _new_manifest(plan, kept)
    planned = {f"{image.name}/{file.path}": file for image in plan.images for file in image.files}
    shared = plan.shared({name: record.part for name, record in new.images.items()})
    planned |= {file.path: file for file in shared}
    new = Manifest(images=new.images, files={file.path: digest(file.content, file.mode) for file in shared})
    untouched = {f"{name}/{path}" for name, record in kept.items() for path in record.files}
    _check_links(folder, planned, findings)
    if findings.errors:
        return None
    changes = tuple(_changes(folder, planned, set(old.digests()) - untouched))
    if not force:
        _check_edits(changes, old, findings)
    return Changes(folder=folder, files=changes, manifest=new, old=old)


def _kept(plan: Plan, old: Manifest, stack_exists: Callable[[str], bool]) -> dict[str, ImageRecord]:
    """Give the images of the folder that this render does not cover: they stay as they are."""
    names = {image.name for image in plan.images}
    stacks = {image.stack for image in plan.images}
    return {
        name: record
        for name, record in old.images.items()
        if name not in names
        and record.stack not in stacks
        and (stack_exists(record.stack) or not _covered(record.stack, plan.covers))
    }


def _covered(stack: str, covers: Iterable[str]) -> bool:
    return any(
        stack == place
        or posixpath.dirname(stack) == place.rstrip("/")
        or place == "." == (posixpath.dirname(stack) or ".")
        for place in covers
    )


def _check_options(plan: Plan, kept: Mapping[str, ImageRecord], findings: Findings) -> None:
    """An image that stays must be what these options would make of it, less what does not concern it."""
    differing = sorted(name for name, record in kept.items() if record.options != _options_for(record, plan))
    if differing:
        findings.error(
            "other-options",
            f"the folder holds {', '.join(differing)}, rendered with other options "
            f"({_shown(kept[differing[0]].options)}; now: {_shown(plan.options)})",
            help="render into another folder with -o DIR, or render all of them with the same options",
        )


def _options_for(record: ImageRecord, plan: Plan) -> dict[str, object]:
    """Give the options less variables that an image does not know, and less --base where only roots are concerned."""
    sets = plan.options["set"]
    known = {name: value for name, value in sets.items() if name in record.variables}
    is_root = record.part["parent"] is None
    only_roots = all(image.part["parent"] is None for image in plan.images)
    base = record.options["base"] if is_root or only_roots else plan.options["base"]
    return {**plan.options, "base": base, "set": known}


def _shown(options: Mapping[str, object]) -> str:
    sets = options.get("set") or {}
    words = [f"--{name} {options[name]}" for name in ("base", "mirror") if options.get(name)]
    words += [f"--set {name}={value}" for name, value in sets.items()] if isinstance(sets, Mapping) else []
    return " ".join(words) or "none"


def _new_manifest(plan: Plan, kept: Mapping[str, ImageRecord]) -> Manifest:
    images = dict(kept)
    for image in plan.images:
        images[image.name] = ImageRecord(
            stack=image.stack,
            options=dict(image.options),
            variables=list(image.variables),
            part=image.part,
            files={file.path: digest(file.content, file.mode) for file in image.files},
        )
    return Manifest(images=images)


def _changes(folder: Path, planned: Mapping[str, PlannedFile], ours: set[str]) -> Iterable[Change]:
    for path in sorted({*planned, *ours}):
        before, before_mode = _read(folder / path)
        file = planned.get(path)
        if file is None:
            if before is not None:
                yield Change(
                    path=path, state="removed", before=before, after=None, mode=before_mode, mode_before=before_mode
                )
            continue
        same = before == file.content and before_mode == file.mode
        state: State = "unchanged" if same else "created" if before is None else "updated"
        yield Change(path=path, state=state, before=before, after=file.content, mode=file.mode, mode_before=before_mode)


def _check_links(folder: Path, planned: Iterable[str], findings: Findings) -> None:
    """Find folders that are links: what is written there would land somewhere else."""
    folders: set[str] = set()
    for path in planned:
        while (path := posixpath.dirname(path)) and path not in folders:
            folders.add(path)
    for name in sorted(folders):
        if (folder / name).is_symlink():
            findings.error(
                "not-ours",
                f"{name} is a link, and what is written there would land somewhere else",
                help="remove the link, or render into another folder with -o DIR",
            )


def _read(path: Path) -> tuple[bytes | None, int]:
    try:
        return path.read_bytes(), path.stat().st_mode & 0o777
    except (FileNotFoundError, NotADirectoryError):
        return None, 0
    except IsADirectoryError:
        return b"", 0


def _check_edits(changes: Iterable[Change], old: Manifest, findings: Findings) -> None:
    """Find files that somebody else wrote or edited, and that this render would overwrite or remove."""
    digests, pending = old.digests(), old.pending
    for change in changes:
        if change.before is None or change.state == "unchanged" or change.before == change.after:
            continue
        now = digest(change.before, 0)
        known = {each.rstrip("x") for each in (digests.get(change.path), pending.get(change.path)) if each}
        if now in known:
            continue
        if known:
            findings.error(
                "edited-by-hand",
                f"{change.path} was edited by hand since it was rendered",
                help="put the edit into the stack or a template; --force overwrites it, --diff shows it",
            )
        else:
            findings.error(
                "not-ours",
                f"{change.path} is there and was not rendered by stackgen",
                help="move it away, render into another folder with -o DIR, or use --force",
            )


def apply(changes: Changes) -> None:
    """Write what changes: new image folders whole under another name first, single files by a rename.

    The manifest that is meant is written before the files, so that a run that is killed leaves no file that looks
    edited by hand. Raises OSError.
    """
    if changes.up_to_date:
        return
    folder = changes.folder
    _make_folder(folder)
    todo = [change for change in changes.files if change.state != "unchanged"]
    if todo:
        pending = {c.path: digest(c.after, c.mode) for c in todo if c.after is not None}
        meant = Manifest(images=changes.old.images, files=changes.old.files, pending=pending)
        _write(folder / NAME, meant.to_text().encode(), 0o644)
    new_folders = {
        path for path in {c.path.partition("/")[0] for c in todo if "/" in c.path} if not (folder / path).exists()
    }
    for name in sorted(new_folders):
        _write_new_folder(folder, name, [c for c in todo if c.path.startswith(f"{name}/")])
    for change in todo:
        if change.path.partition("/")[0] in new_folders and "/" in change.path:
            continue
        if change.after is None:
            _remove(folder, change.path)
        else:
            _make_folder((folder / change.path).parent, below=folder)
            _write(folder / change.path, change.after, change.mode)
    _write(folder / NAME, changes.manifest.to_text().encode(), 0o644)


def _write_new_folder(folder: Path, name: str, changes: list[Change]) -> None:
    """Write a folder that is not there yet under a temporary name, and rename it once."""
    temporary = folder / f".{name}.new"
    if temporary.exists():
        shutil.rmtree(temporary)
    _make_folder(temporary)
    for change in changes:
        path = temporary / change.path.partition("/")[2]
        _make_folder(path.parent, below=temporary)
        path.write_bytes(change.after or b"")
        path.chmod(change.mode)
    temporary.rename(folder / name)


def _make_folder(path: Path, below: Path | None = None) -> None:
    """Make a folder and those above it, open to all whatever the umask: the modes are part of the output."""
    missing: list[Path] = []
    while not path.is_dir() and path != below:
        missing.append(path)
        path = path.parent
    for each in reversed(missing):
        each.mkdir()
        each.chmod(0o755)


def _write(path: Path, content: bytes, mode: int) -> None:
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_bytes(content)
    temporary.chmod(mode)
    os.replace(temporary, path)  # noqa: PTH105 - the atomic one


def _remove(folder: Path, path: str) -> None:
    """Remove a file of ours, and the folders that it leaves empty."""
    (folder / path).unlink(missing_ok=True)
    for parent in (folder / path).parents:
        if parent == folder:
            return
        try:
            parent.rmdir()
        except OSError:
            return
