"""A secret in ENV, ARG or LABEL lies in the image, or in its history, for all who can pull it.

Names as BuildKit's SecretsUsedInArgOrEnv (https://docs.docker.com/reference/build-checks/secrets-used-in-arg-or-env/),
less those that say where a secret is, or what of it, and `key` and `auth` at the end only (KEY_BINDINGS, AUTH_BACKEND):
what is common must not cry wolf.
"""

from __future__ import annotations

import re

from stackgen.lint.rule import ImageRule, Say, Subject
from stackgen.stack.model import Pair

_SECRET = re.compile(
    r"(?:^|[_.-])(?:(?:apikey|credentials?|passwd|password|pword|secret|token)(?:$|[_.-])|(?:auth|key(?:[_.-]id)?)$)",
    re.IGNORECASE,
)
# What of a secret may be known: where it lies, how long it is, a public half, the fingerprint of a signer.
_NO_SECRET = re.compile(
    r"(?:^|[_.-])(?:public|pub|gpg|pgp)(?:$|[_.-])"
    r"|[_.-](?:files?|path|dir|url|uri|host|port|type|methods?|mode|names?|users?|ttl|timeout|length|size|algorithm"
    r"|provider|header|prefix|realm|servers?|domain|sock|enabled|required|expiry|lifetime)$",
    re.IGNORECASE,
)
_NO_SECRET_VALUE = re.compile(
    r"/.*|\.{1,2}/.*|https?://[^@]*|true|false|yes|no|on|off|none|null|\d{1,5}", re.IGNORECASE
)
# What is a secret whatever it is called: a private key, a password in an address, tokens that say what they are.
_SECRET_VALUE = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\b[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s:@$]+@"
    r"|\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22,}|glpat-[\w-]{20}|xox[abprs]-[\w-]{10,})"
)


def _why(key: str, pair: Pair) -> str | None:
    """Say what of a pair looks like a secret: its value, or its name."""
    value = (pair.value or "").strip()
    if _SECRET_VALUE.search(value):
        return f"the value of `{pair.name}` looks like a secret"
    # A label's name says in its last part what it is, and in those before it whose.
    name = pair.name.rpartition(".")[2] if key == "labels" else pair.name
    if not _SECRET.search(name) or _NO_SECRET.search(name) or _NO_SECRET_VALUE.fullmatch(value):
        return None
    # What is given with --build-arg is in the history too; an empty ENV or LABEL holds nothing.
    return f"`{pair.name}` looks like a secret" if value or (key == "args" and pair.value is None) else None


def _cure(key: str, name: str) -> str:
    """Say where a secret goes: to the container when it starts, or to the one command of the build that needs it."""
    if key == "args":
        return f'give it to the command that needs it: run: [{{sh: …, mounts: ["type=secret,id={name},env={name}"]}}]'
    return f'give it when the container starts: service: {{environment: {{{name}: "${{{name}:?}}"}}}}'


def _check(subject: Subject, say: Say) -> None:
    for section in subject.compiled.image.sections:
        if section.key in ("env", "args", "labels"):
            for pair in section.value:
                why = _why(section.key, pair)
                if why is not None:
                    say(
                        f"{why}, and whoever has the image can read `{section.key}`",
                        pair.span,
                        _cure(section.key, re.sub(r"\W", "_", pair.name)),
                    )


RULE = ImageRule(code="secret-in-instruction", severity="warning", check=_check)
