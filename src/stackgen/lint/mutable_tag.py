"""An outside image without a tag, or with one that is made to move, is another image tomorrow."""

from __future__ import annotations

import re

from stackgen.lint.rule import ImageRule, Say, Subject
from stackgen.read.source import Scalar

# fmt: off
MOVING = frozenset({
    "latest", "stable", "testing", "unstable", "edge", "rolling", "nightly", "main", "master", "dev", "devel",
    "develop", "mainline", "current", "lts", "next", "snapshot", "canary",
})
# Kinds of an image, which name no release by themselves.
VARIANTS = frozenset({
    "alpine", "slim", "fpm", "apache", "cli", "zts", "jre", "jdk", "perl", "debug", "nonroot",
})
# fmt: on


def _moves(tag: str) -> bool:
    """Whether a tag names no release: made of words that move and of an image's kinds alone."""
    words = re.split(r"[-_.]", tag.lower())
    return all(word in MOVING or word in VARIANTS for word in words)


def _check(subject: Subject, say: Say) -> None:
    image = subject.compiled.image
    node = subject.compiled.unit.document.node.get("from")
    if not image.is_root or image.parent == "scratch" or "@" in image.parent or node is None:
        return
    # As it is written, without the proxy in front.
    reference = node.text if isinstance(node, Scalar) and "{" not in node.text else image.parent
    tag = reference.rpartition("/")[2].partition(":")[2]
    name = reference.removesuffix(f":{tag}")
    span = node.span
    if not tag:
        say(
            f"{name} has no tag, which means latest: another image tomorrow",
            span,
            f"name a release, {name}:TAG, or a digest, {name}@sha256:…",
        )
    elif _moves(tag):
        say(
            f"the tag {tag} moves: {name}:{tag} is another image tomorrow",
            span,
            f"name a release, or a digest: {name}@sha256:…",
        )


RULE = ImageRule(code="mutable-tag", severity="warning", check=_check)
