"""Two entries of `files` for one place, of which only the last is seen: a link, a download or a file over another.

Two files of the build context at one place are found where they are put there.
"""

from __future__ import annotations

import posixpath

from stackgen.diagnostics import Related
from stackgen.lint.rule import ImageRule, Say, Subject
from stackgen.stack.model import FileEntry


def _is_one_file(entry: FileEntry) -> bool:
    """Whether an entry puts a file at its `dest` itself, not into it."""
    if entry.directory or entry.dest.text.endswith("/"):
        return False
    return entry.download is None or not entry.download.unpack


def _check(subject: Subject, say: Say) -> None:
    files = {file.path for file in subject.compiled.lowered.files}
    first: dict[str, FileEntry] = {}
    for section in subject.compiled.image.sections:
        for entry in section.value if section.key == "files" else ():
            dest = posixpath.normpath(entry.dest.text)
            # A folder, or a glob, has its own names below.
            if not _is_one_file(entry) or (entry.src is not None and f"rootfs{dest}" not in files):
                continue
            other = first.setdefault(dest, entry)
            if other is not entry and not (_is_plain(other) and _is_plain(entry)):
                say(
                    f"two entries of `files` make {dest}, and the later wins",
                    entry.dest.span,
                    "keep one of the two",
                    [Related("the first is here", other.dest.span)],
                )


def _is_plain(entry: FileEntry) -> bool:
    return entry.src is not None or entry.content is not None


RULE = ImageRule(code="doubled-dest", severity="error", check=_check)
