"""The local engine: docker, or else podman. The only caller of either."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import tempfile
from typing import IO, Any

from stackgen.docker.config import Config
from stackgen.docker.errors import NoAnswerError

ENGINES = ("docker", "podman")
# An engine that is there answers in less than a second; one that hangs never does.
TIMEOUT = 30
# A large image is read from one disk and written to another.
SAVING = 600


def ask(reference: str) -> Config:
    """Give the configuration of an image that the local engine has. Raises NoAnswerError.

    Nothing is pulled: it is what a build without a registry would stand on.
    """
    for engine in ENGINES:
        if shutil.which(engine) is None or _printed(engine, "version") is None:
            continue
        found = _printed(engine, "image", "inspect", "--", reference)
        if found is None:
            raise NoAnswerError(f"{engine} has no image {reference}", f"{engine} pull {reference}")
        # Podman's inspect leaves out SHELL, HEALTHCHECK and ONBUILD; the image that it saves has them.
        config = _saved(engine, reference) if engine == "podman" else json.loads(found)[0]["Config"]
        if config is None:
            raise NoAnswerError(f"{engine} cannot save {reference}", f"see why: {engine} image save {reference}")
        return Config.from_json(config)
    raise NoAnswerError(
        f"no engine answers that could say what {reference} brings: {' and '.join(ENGINES)} were tried",
        'start one; or say it in the stack: inherits: {user: "1000", entrypoint: [start], env: {HOME: /srv}}',
    )


def _printed(*command: str) -> bytes | None:
    """Give what a command prints, or None where it fails or does not end."""
    with tempfile.TemporaryFile() as output:
        return output.read() if _ran(command, output, TIMEOUT) else None


def _saved(engine: str, reference: str) -> dict[str, Any] | None:
    """Give the configuration in an image's own JSON, or None where the engine cannot save the image."""
    command = (engine, "image", "save", "--format", "docker-archive", "--", reference)
    with tempfile.TemporaryFile() as output:
        if not _ran(command, output, SAVING):
            return None
        with tarfile.TarFile(fileobj=output) as archive:
            (manifest,) = _member(archive, "manifest.json")
            config: dict[str, Any] = _member(archive, manifest["Config"])["config"]
            return config


def _member(archive: tarfile.TarFile, name: str) -> Any:
    member = archive.extractfile(name)
    assert member is not None
    return json.load(member)


def _ran(command: tuple[str, ...], output: IO[bytes], timeout: float) -> bool:
    """Run a command into a file and go to its start; say whether the command ended well."""
    try:
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.DEVNULL,
            timeout=timeout,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    output.seek(0)
    return True
