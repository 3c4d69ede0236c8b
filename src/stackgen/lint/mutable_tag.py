"""An outside image without a tag, or with one that is made to move, is another image tomorrow."""

from __future__ import annotations

from stackgen.lint.rule import ImageRule, Say, Subject

MOVING = frozenset({"latest", "stable", "testing", "edge", "rolling", "nightly", "main", "master", "dev"})


def _check(subject: Subject, say: Say) -> None:
    image = subject.compiled.image
    said = subject.compiled.unit.document.node.get("from")
    if not image.is_root or said is None or image.parent == "scratch" or "@" in image.parent:
        return
    tag = image.parent.rsplit("/", 1)[-1].partition(":")[2]
    span = said.span
    if not tag:
        say(
            f"{image.parent} has no tag, which means latest: another image tomorrow",
            span,
            "name a release: debian:12-slim",
        )
    elif tag in MOVING:
        say(
            f"the tag {tag} moves: {image.parent} is another image tomorrow",
            span,
            "name a release, or a digest: NAME@sha256:…",
        )


RULE = ImageRule(code="mutable-tag", severity="warning", check=_check)
