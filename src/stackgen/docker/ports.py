"""What EXPOSE understands: ``80``, ``53/udp``, ``9000-9002``; of ``127.0.0.1:8080:80`` the last part."""

from __future__ import annotations

import ipaddress
import re

from stackgen.docker.errors import RefusedError

_RANGE = re.compile(r"\+?([0-9]+)(?:-\+?([0-9]+))?\Z")


def exposed(word: str) -> list[str]:
    """The ports that `word` stands for, each with its protocol."""
    ip, host, container = (["", "", *word.rsplit(":", 2)])[-3:]
    port, _, protocol = container.partition("/")
    protocol = protocol.lower() or "tcp"
    if protocol not in ("tcp", "udp", "sctp"):
        raise RefusedError(f"{protocol!r} in the port {word!r} is no protocol: tcp, udp or sctp")
    if ip:
        _check_address(ip, word)
    first, last = _range(port, word)
    if host:
        host_first, host_last = _range(host, word)
        if last != first and host_last - host_first != last - first:
            raise RefusedError(f"the ranges in the port {word!r} differ in length")
    return [f"{number}/{protocol}" for number in range(first, last + 1)]


def _check_address(ip: str, word: str) -> None:
    try:
        ipaddress.ip_address(ip[1:-1] if ip.startswith("[") and ip.endswith("]") else ip)
    except ValueError:
        raise RefusedError(f"{ip!r} in the port {word!r} is no IP address") from None


def _range(text: str, word: str) -> tuple[int, int]:
    match = _RANGE.match(text)
    if not match:
        raise RefusedError(f"{word!r} is no port, nor a range of ports")
    first, last = int(match[1]), int(match[2] or match[1])
    if not first <= last <= 65535:
        raise RefusedError(f"{word!r} is no port: one is a number up to 65535")
    return first, last
