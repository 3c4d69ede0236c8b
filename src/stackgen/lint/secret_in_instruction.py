"""A secret in ENV, ARG or LABEL lies in the image for all who can pull it.

Names as BuildKit's SecretsUsedInArgOrEnv: https://docs.docker.com/reference/build-checks/secrets-used-in-arg-or-env/
"""

from __future__ import annotations

import re

from stackgen.lint.rule import ImageRule, Say, Subject

_SECRET = re.compile(
    r"(?:^|[_.-])(?:apikey|auth|credentials?|key|passwd|password|pword|secret|token)(?:$|[_.-])", re.IGNORECASE
)
_PUBLIC = re.compile(r"(?:^|[_.-])public(?:$|[_.-])", re.IGNORECASE)


def _check(subject: Subject, say: Say) -> None:
    for section in subject.compiled.image.sections:
        if section.key not in ("env", "args", "labels"):
            continue
        for pair in section.value:
            if pair.value and _SECRET.search(pair.name) and not _PUBLIC.search(pair.name):
                say(
                    f"`{pair.name}` in `{section.key}` looks like a secret, and whoever has the image can read it",
                    pair.span,
                    "give it when the container starts (service: environment), or to one RUN: "
                    'run: [{sh: …, mounts: ["type=secret,id=NAME"]}]',
                )


RULE = ImageRule(code="secret-in-instruction", severity="warning", check=_check)
