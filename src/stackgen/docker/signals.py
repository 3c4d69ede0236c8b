"""The signals that STOPSIGNAL takes, by name or number."""

from __future__ import annotations

import re

# Those of github.com/moby/sys/signal on Linux.
_NAMES = (
    frozenset(
        (
            *(
                "ABRT",
                "ALRM",
                "BUS",
                "CHLD",
                "CLD",
                "CONT",
                "FPE",
                "HUP",
                "ILL",
                "INT",
                "IO",
                "IOT",
                "KILL",
                "PIPE",
            ),
            *(
                "POLL",
                "PROF",
                "PWR",
                "QUIT",
                "SEGV",
                "STKFLT",
                "STOP",
                "SYS",
                "TERM",
                "TRAP",
                "TSTP",
                "TTIN",
                "TTOU",
            ),
            *("URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ", "RTMIN", "RTMAX"),
        )
    )
    | {f"RTMIN+{offset}" for offset in range(1, 16)}
    | {f"RTMAX-{offset}" for offset in range(1, 15)}
)
_NUMBER = re.compile(r"[+-]?[0-9]+\Z")


def is_signal(text: str) -> bool:
    """Whether the engine takes `text`: any number but 0, or a name in any case, with or without SIG."""
    if _NUMBER.match(text):
        return int(text) != 0 and -(2**63) <= int(text) < 2**63
    return text.upper().removeprefix("SIG") in _NAMES
