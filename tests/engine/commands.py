"""The programs under test, called as a user calls them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def execute(
    *command: str | Path,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    timeout: float = 120,
    umask: int = -1,
) -> subprocess.CompletedProcess[str]:
    """The finished program, whatever it made of it; its output is text."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        umask=umask,
        check=False,
    )


def run(
    *command: str | Path,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    timeout: float = 120,
    umask: int = -1,
) -> str:
    """What the program wrote to stdout; a failure shows all that it said."""
    finished = execute(*command, cwd=cwd, env=env, timeout=timeout, umask=umask)
    assert finished.returncode == 0, (
        f"{' '.join(map(str, command))}: exit {finished.returncode}\n{finished.stdout}{finished.stderr}"
    )
    return finished.stdout


def stackgen(*arguments: str | Path, cwd: Path = ROOT, umask: int = -1) -> str:
    """The command line of this very environment."""
    return run(sys.executable, "-m", "stackgen", *arguments, cwd=cwd, umask=umask)


def engine_config(reference: str) -> dict[str, Any]:
    """What the engine itself says of an image."""
    config: dict[str, Any] = json.loads(run("docker", "image", "inspect", reference))[0]["Config"]
    return config


def told_apart(ours: dict[str, object], theirs: dict[str, object]) -> str:
    """The keys that differ, in value or in order."""
    if json.dumps(ours) == json.dumps(theirs):
        return ""
    keys = [key for key in {**ours, **theirs} if json.dumps(ours.get(key)) != json.dumps(theirs.get(key))]
    lines = [f"{key}: we say {ours.get(key)!r}, the engine {theirs.get(key)!r}" for key in keys]
    return "\n".join(lines or [f"the keys' order: we say {list(ours)}, the engine {list(theirs)}"])


def entries(reference: str) -> dict[str, tarfile.TarInfo]:
    """What lies in an image, by path without the slash in front."""
    container = run("docker", "create", reference, "unused").strip()
    try:
        with (
            subprocess.Popen(("docker", "export", container), stdout=subprocess.PIPE) as export,
            tarfile.open(fileobj=export.stdout, mode="r|") as archive,
        ):
            return {entry.name: entry for entry in archive}
    finally:
        run("docker", "rm", "--volumes", container)


def told_configs(stack: str, *options: str, cwd: Path = ROOT) -> dict[str, dict[str, Any]]:
    """What stackgen says of the images of a stack, by reference."""
    images = json.loads(stackgen("inspect", stack, *options, "--format", "json", cwd=cwd))
    return {image["Name"]: image["Config"] for image in images}


def bake(folder: Path, *, timeout: float = 900, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """Builds all of an output folder; gives the first reference of each image by the name of its folder."""
    targets = json.loads((folder / "docker-bake.json").read_text(encoding="utf-8"))["target"]
    # The host's network, since this engine leads no container out. In a file of its own, since
    # --set '*.network=host' is taken by buildx 0.29 and sets nothing.
    network = folder.with_name(f"{folder.name}.network.json")
    network.write_text(json.dumps({"target": {name: {"network": "host"} for name in targets}}), encoding="utf-8")
    run(
        *("docker", "buildx", "bake", "--progress", "plain", "--allow", "network.host"),
        *("-f", "docker-bake.json", "-f", network),
        cwd=folder,
        env=env,
        timeout=timeout,
    )
    return {name: target["tags"][0] for name, target in targets.items()}


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """An output folder, and the reference of each of its images by the name of the image's folder."""

    folder: Path
    images: Mapping[str, str]

    def parent(self, name: str) -> str:
        """The reference in the Dockerfile's FROM, of several stages the last one's."""
        lines = (self.folder / name / "Dockerfile").read_text(encoding="utf-8").splitlines()
        return [line.split()[1] for line in lines if line.startswith("FROM ")][-1]
