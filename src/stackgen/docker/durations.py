"""Go's durations, ``1h30m`` or ``1.5s``, as HEALTHCHECK takes them."""

from __future__ import annotations

import re

_UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_PART = re.compile(r"(?P<whole>[0-9]*)(?:\.(?P<fraction>[0-9]*))?(?P<unit>[^0-9.]*)")
_MAXIMUM = 2**63 - 1


def nanoseconds(text: str) -> int:
    """What Go's ``time.ParseDuration`` makes of `text`; ValueError says what is wrong with it."""
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0
    total = 0
    for part in _parts(rest, text):
        unit = _UNITS.get(part["unit"])
        if unit is None:
            raise ValueError(f"{part['unit'] or 'nothing'} is no unit of time in the duration {text!r}")
        # As Go computes it, so that the last digit is the same.
        fraction = part["fraction"] or "0"
        total += int(part["whole"] or 0) * unit + int(int(fraction) * (unit / 10.0 ** len(fraction)))
    # Go allows the one value more that a negative number has.
    if total > _MAXIMUM + text.startswith("-"):
        raise ValueError(f"the duration {text!r} is longer than 292 years")
    return -total if text.startswith("-") else total


def _parts(rest: str, text: str) -> list[re.Match[str]]:
    parts: list[re.Match[str]] = []
    at = 0
    while not parts or at < len(rest):
        match = _PART.match(rest, at)
        if not match or not (match["whole"] or match["fraction"]):
            raise ValueError(f"{text!r} is no duration: one is written 30s, 1m30s, 1.5h")
        parts.append(match)
        at = match.end()
    return parts
