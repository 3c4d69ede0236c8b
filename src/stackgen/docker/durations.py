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
        total += int(part["whole"] or 0) * unit + _fraction(part["fraction"] or "", unit)
    # Go allows the one value more that a negative number has.
    if total > _MAXIMUM + text.startswith("-"):
        raise ValueError(f"the duration {text!r} is longer than 292 years")
    return -total if text.startswith("-") else total


def to_text(nanoseconds: int) -> str:
    """A duration as Go writes it: ``1h30m0s``, ``1.5s``, ``90ms``."""
    if nanoseconds < 0:
        return "-" + to_text(-nanoseconds)
    for unit in ("ns", "µs", "ms"):
        if 0 < nanoseconds < 1000 * _UNITS[unit]:
            return _decimal(nanoseconds, unit)
    seconds = _decimal(nanoseconds % _UNITS["m"], "s")
    minutes = nanoseconds // _UNITS["m"]
    if not minutes:
        return seconds
    return f"{minutes // 60}h{minutes % 60}m{seconds}" if minutes >= 60 else f"{minutes}m{seconds}"


def short(nanoseconds: int) -> str:
    """A duration as one types it: ``1h``, ``1m30s``, ``1.5s``."""
    text = to_text(nanoseconds)
    for zero in ("m0s", "h0m"):
        text = text.removesuffix(zero) + zero[0] if text.endswith(zero) else text
    return text


def _decimal(nanoseconds: int, unit: str) -> str:
    whole, rest = divmod(nanoseconds, _UNITS[unit])
    fraction = f"{rest:0{len(str(_UNITS[unit])) - 1}d}".rstrip("0") if rest else ""
    return f"{whole}.{fraction}{unit}" if fraction else f"{whole}{unit}"


def _fraction(digits: str, unit: int) -> int:
    """The part behind the point, in Go's own arithmetic, so that the last digit is the same."""
    value, scale = 0, 1.0
    for digit in digits:
        if value > _MAXIMUM // 10:
            break
        value, scale = value * 10 + int(digit), scale * 10
    return int(value * (unit / scale))


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
