"""`.stackgen.json`: which files of an output folder are ours, with their digests, and each image's part of the rest."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NAME = ".stackgen.json"
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecord:
    """What is known of an image that lies in the folder; `files` are digests by path inside its own folder."""

    stack: str
    options: Mapping[str, Any]
    variables: Sequence[str]
    part: Mapping[str, Any]
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an output folder holds. `pending` are digests of files that an unfinished run was about to write."""

    images: Mapping[str, ImageRecord] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    pending: Mapping[str, str] = field(default_factory=dict)

    def digests(self) -> dict[str, str]:
        """Give the digest of every file of ours, by its path below the output folder."""
        every = dict(self.files)
        for name, record in self.images.items():
            every |= {f"{name}/{path}": digest for path, digest in record.files.items()}
        return every

    def to_text(self) -> str:
        """Give the manifest as it is written: sorted, so that the same folder has the same bytes."""
        document: dict[str, Any] = {
            "version": VERSION,
            "images": {
                name: {
                    "stack": record.stack,
                    "options": record.options,
                    "variables": list(record.variables),
                    "part": record.part,
                    "files": dict(sorted(record.files.items())),
                }
                for name, record in sorted(self.images.items())
            },
            "files": dict(sorted(self.files.items())),
        }
        if self.pending:
            document["pending"] = dict(sorted(self.pending.items()))
        return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


class BrokenManifest(Exception):
    """The manifest is there and cannot be read."""


def read_manifest(folder: Path) -> Manifest:
    """Read a folder's manifest; a folder without one holds nothing of ours. Raises BrokenManifest."""
    try:
        document = json.loads((folder / NAME).read_text("utf-8"))
        if document["version"] != VERSION:
            raise BrokenManifest(f"{NAME} is of version {document['version']}, this stackgen knows {VERSION}")
        images = {
            name: ImageRecord(
                stack=record["stack"],
                options=record["options"],
                variables=record["variables"],
                part=record["part"],
                files=record["files"],
            )
            for name, record in document["images"].items()
        }
        return Manifest(images=images, files=document["files"], pending=document.get("pending", {}))
    except (FileNotFoundError, NotADirectoryError):
        return Manifest()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise BrokenManifest(f"{NAME} cannot be read") from None
