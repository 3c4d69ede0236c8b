"""The local engine: docker, or else podman. The only caller of either."""

from __future__ import annotations

import json
import shutil
import subprocess

from stackgen.docker.config import Config
from stackgen.docker.errors import NoAnswerError

ENGINES = ("docker", "podman")
# An engine that is there answers in less than a second; one that hangs never does.
TIMEOUT = 30


def ask(reference: str) -> Config:
    """Give the configuration of an image that the local engine has. Raises NoAnswerError.

    Nothing is pulled: it is what a build without a registry would stand on.
    """
    for engine in ENGINES:
        if shutil.which(engine) is None or _call(engine, "version") is None:
            continue
        found = _call(engine, "image", "inspect", "--", reference)
        if found is None:
            raise NoAnswerError(f"{engine} has no image {reference}", f"{engine} pull {reference}")
        image = json.loads(found)[0]
        # Podman has the health check beside the configuration.
        return Config.from_json({"Healthcheck": image.get("Healthcheck"), **image["Config"]})
    raise NoAnswerError(
        f"no engine answers that could say what {reference} brings: {' and '.join(ENGINES)} were tried",
        'start one; or say it in the stack: inherits: {user: "1000", entrypoint: [start], env: {HOME: /srv}}',
    )


def _call(*command: str) -> str | None:
    """Give what a command prints, or None where it fails or does not end."""
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
