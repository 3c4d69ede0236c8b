"""References that a registry would refuse (https://github.com/opencontainers/distribution-spec/blob/main/spec.md)."""

from __future__ import annotations

import re

from stackgen.lint.rule import ImageRule, Say, Subject

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]+)?/)?"
_REFERENCE = re.compile(rf"{_HOST}{_PART}(?:/{_PART})*:[A-Za-z0-9_][A-Za-z0-9._-]{{0,127}}")
LONGEST_NAME = 255


def _check(subject: Subject, say: Say) -> None:
    image = subject.compiled.image
    for reference in image.references:
        if not _REFERENCE.fullmatch(reference) or len(reference.rpartition(":")[0]) > LONGEST_NAME:
            say(
                f"a registry refuses {reference}",
                subject.span("image") or next(iter(image.spans.values())),
                "small letters, digits, and single . _ - between them; a tag of at most 128 characters",
            )


RULE = ImageRule(code="reference-refused", severity="error", check=_check)
