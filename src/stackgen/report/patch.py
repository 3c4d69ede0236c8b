"""What a render would change, as a patch, and as a line for each image that becomes another one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator

from stackgen.write.emit import Change
from stackgen.write.manifest import Manifest

# A line ends at a newline and nowhere else.
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def patch(changes: Iterable[Change]) -> Iterator[str]:
    """Give a patch in git's form, which knows files that only go to another place.

    https://git-scm.com/docs/diff-format#generate_patch_text_with_p
    """
    changing = [change for change in changes if change.state != "unchanged"]
    renames = _renames(changing)
    sources = set(renames.values())
    for change in changing:
        if change.path in renames:
            yield _rename(renames[change.path], change.path)
        elif change.path not in sources:
            yield from _diff(change)


def moved_images(old: Manifest, new: Manifest) -> Iterator[str]:
    """Say of each image that has another reference, or stands on another image, what it was and what it becomes."""
    for name in sorted(old.images.keys() & new.images.keys()):
        before, after = old.images[name].part, new.images[name].part
        said = [
            f"{key} {was} becomes {now}"
            for key, was, now in (
                ("image", before["references"][0], after["references"][0]),
                ("FROM", before["parent_reference"], after["parent_reference"]),
            )
            if was != now
        ]
        if said:
            yield f"{name}: {', '.join(said)}"


def _renames(changes: list[Change]) -> dict[str, str]:
    """Give the old place of each new file that is as one of its image was which is gone."""
    gone: dict[tuple[str, bytes | None, int], list[str]] = {}
    renames: dict[str, str] = {}
    for change in changes:
        if change.state == "removed":
            gone.setdefault((_image(change), change.before, change.mode), []).append(change.path)
    for change in changes:
        same = gone.get((_image(change), change.after, change.mode))
        if change.state == "created" and same:
            renames[change.path] = same.pop(0)
    return renames


def _image(change: Change) -> str:
    return change.path.partition("/")[0]


def _rename(before: str, after: str) -> str:
    return f"diff --git a/{before} b/{after}\nsimilarity index 100%\nrename from {before}\nrename to {after}\n"


def _diff(change: Change) -> Iterator[str]:
    yield f"diff --git a/{change.path} b/{change.path}\n"
    if change.state != "updated":
        yield f"{'new' if change.before is None else 'deleted'} file mode 100{change.mode:o}\n"
    elif change.mode != change.mode_before:
        yield f"old mode 100{change.mode_before:o}\nnew mode 100{change.mode:o}\n"
    before, after = _text(change.before), _text(change.after)
    if before is None or after is None:
        yield f"Binary files a/{change.path} and b/{change.path} differ\n"
        return
    for line in difflib.unified_diff(
        _LINE.findall(before),
        _LINE.findall(after),
        fromfile=f"a/{change.path}" if change.before is not None else "/dev/null",
        tofile=f"b/{change.path}" if change.after is not None else "/dev/null",
    ):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _text(content: bytes | None) -> str | None:
    """Give a file's text, nothing of one that is not there; None where it is binary."""
    try:
        text = (content or b"").decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
