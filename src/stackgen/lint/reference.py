"""References that a registry would refuse (https://github.com/opencontainers/distribution-spec/blob/main/spec.md)."""

from __future__ import annotations

import re

from stackgen.lint.rule import ImageRule, Say, Subject

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]+)?/)?"
_REFERENCE = re.compile(rf"{_HOST}{_PART}(?:/{_PART})*:[A-Za-z0-9_][A-Za-z0-9._-]{{0,127}}")
LONGEST_NAME = 255


def _check(subject: Subject, say: Say) -> None:
    """`image` and `tag` are held against their form when they are read; a file's stem becomes a name unread."""
    for reference in subject.compiled.image.references:
        name = reference.rpartition(":")[0]
        if len(name) > LONGEST_NAME:
            say(
                f"a registry refuses a name of {len(name)} characters",
                subject.span("image") or subject.first_span(),
                f"the longest has {LONGEST_NAME}, with the host",
            )
        elif not _REFERENCE.fullmatch(reference):
            plain = re.sub(r"[^a-z0-9/]+", "-", name.lower()).strip("-/") or "app"
            say(
                f"a registry refuses {reference}: a name has small letters, digits, and single . _ - between them",
                subject.span("image") or subject.first_span(),
                f"write image: {plain}",
            )
            return


RULE = ImageRule(code="reference-refused", severity="error", check=_check)
