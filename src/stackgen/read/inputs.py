"""The only reader of a project's files: bytes, listings, "is not there"; nothing outside the project is read."""

from __future__ import annotations

import hashlib
import os
import posixpath
from pathlib import Path, PurePath


class InputError(Exception):
    """A file cannot be read; `reason` says why in a user's words, and `code` is the finding's."""

    code = "cannot-read"

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path} {reason}")


class OutsideError(InputError):
    """A path leads out of the project."""

    code = "outside-project"


class Inputs:
    """A project's files, by POSIX paths relative to its root, each read once and its digest recorded."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._real_root = os.path.realpath(root)
        self._bytes: dict[str, bytes] = {}
        self.digests: dict[str, str] = {}

    def inside(self, folder: str, path: str) -> str | None:
        """Give the project path of `path`, seen from `folder`; None where it leaves the project."""
        if posixpath.isabs(path):
            return None
        joined = posixpath.normpath(posixpath.join(folder, path))
        return None if joined == ".." or joined.startswith("../") else joined

    def _locate(self, path: str) -> str:
        real = os.path.realpath(os.path.join(self._real_root, path))  # noqa: PTH118 - hot path
        if real != self._real_root and not real.startswith(self._real_root + os.sep):
            raise OutsideError(path, "is a link that leaves the project")
        return real

    def read(self, path: str) -> bytes:
        """Give a file's bytes. Raises InputError."""
        if path not in self._bytes:
            try:
                data = Path(self._locate(path)).read_bytes()
            except FileNotFoundError:
                raise InputError(path, "is not there") from None
            except IsADirectoryError:
                raise InputError(path, "is a folder") from None
            except OSError as error:
                raise InputError(path, f"cannot be read: {(error.strerror or 'it fails').lower()}") from None
            self._bytes[path] = data
            self.digests[path] = hashlib.sha256(data).hexdigest()
        return self._bytes[path]

    def is_file(self, path: str) -> bool:
        """Whether `path` is a file."""
        return os.path.isfile(os.path.join(self._real_root, path))  # noqa: PTH113, PTH118 - hot path

    def is_folder(self, path: str) -> bool:
        """Whether `path` is a folder."""
        return os.path.isdir(os.path.join(self._real_root, path))  # noqa: PTH112, PTH118 - hot path

    def is_executable(self, path: str) -> bool:
        """Whether the owner may execute the file: what git keeps of a mode."""
        return bool(Path(self._locate(path)).stat().st_mode & 0o100)

    def listing(self, folder: str) -> tuple[str, ...]:
        """Give the names in a folder, sorted, whatever order the file system has. Raises InputError."""
        try:
            return tuple(sorted(os.listdir(self._locate(folder))))  # noqa: PTH208 - names are what is wanted
        except OSError as error:
            raise InputError(folder, f"cannot be listed: {(error.strerror or 'it fails').lower()}") from None

    def walk(self, folder: str) -> tuple[str, ...]:
        """Give every file below a folder, as sorted paths relative to it. Raises InputError."""
        found: list[str] = []
        waiting = [""]
        while waiting:
            below = waiting.pop()
            for name in self.listing(posixpath.join(folder, below)):
                path = posixpath.join(below, name)
                full = posixpath.join(folder, path)
                self._locate(full)
                if self.is_folder(full):
                    waiting.append(path)
                else:
                    found.append(path)
        return tuple(sorted(found))


def to_posix(path: PurePath) -> str:
    """Give a path with forward slashes, as paths inside a project are written."""
    return path.as_posix()
