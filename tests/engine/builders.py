"""Builders of images by one face: today's BuildKit, those of Docker 20.10, and buildah."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from .commands import execute, run

Answer = subprocess.CompletedProcess[str]


class Builder(Protocol):
    """Something that builds a Dockerfile and knows its image's configuration."""

    @property
    def name(self) -> str:
        """What it is called in reports."""

    def version(self) -> str:
        """Its version, as it says itself."""

    def load(self, reference: str, archive: Path, changes: Sequence[str]) -> None:
        """Makes an image of an archive of files; `changes` are Dockerfile instructions."""

    def build(self, context: Path, tag: str, dockerfile: Path | None = None) -> Answer:
        """Builds, whatever comes of it."""

    def configs(self, *references: str) -> list[dict[str, Any]]:
        """The configuration of each image."""

    def remove(self, *references: str) -> None:
        """Removes images, as far as they are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Docker:
    """A Docker engine; `env` says where it is and which of its builders builds."""

    name: str
    env: Mapping[str, str]

    def version(self) -> str:
        return run("docker", "version", "--format", "{{.Server.Version}}", env=self.env).strip()

    def load(self, reference: str, archive: Path, changes: Sequence[str]) -> None:
        run("docker", "import", *(f"--change={change}" for change in changes), archive, reference, env=self.env)

    def build(self, context: Path, tag: str, dockerfile: Path | None = None) -> Answer:
        file = dockerfile or context / "Dockerfile"
        return execute("docker", "build", "--quiet", "--file", file, "--tag", tag, context, env=self.env, timeout=300)

    def configs(self, *references: str) -> list[dict[str, Any]]:
        images = json.loads(run("docker", "image", "inspect", *references, env=self.env))
        return [image["Config"] for image in images]

    def remove(self, *references: str) -> None:
        if references:
            execute("docker", "image", "rm", "--force", *references, env=self.env)


BUILDKIT = Docker(name="BuildKit", env={})
