"""References to images: which registry one names (https://github.com/distribution/reference/blob/main/normalize.go)."""

from __future__ import annotations

DOCKER_HUB = ("docker.io", "index.docker.io")


def split_host(reference: str) -> tuple[str | None, str]:
    """Give the host that a reference names, None where it names none, and what stands behind it."""
    first, slash, rest = reference.partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost")
    return (first, rest) if named else (None, reference)
