"""Ports that do not fit together: published and not exposed, published twice, listened on by two programs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from stackgen.diagnostics import Related, Span
from stackgen.lint.rule import ImageRule, Say, Subject, Whole, WholeRule
from stackgen.read import source
from stackgen.read.source import Mapping, Scalar
from stackgen.stack.model import Program

_RANGE = re.compile(r"(\d+)(?:-(\d+))?")
MANY = 5
_ANY_ADDRESS = ("", "0.0.0.0", "::", "[::]")


@dataclass(frozen=True, slots=True)
class _Port:
    """A port, or a range of them, that a service publishes: of the host (none: any that is free) and its own."""

    address: str
    host: range
    container: range
    protocol: str
    span: Span


def _range(text: str) -> range:
    """Give the ports that a text names; none where Compose puts them in."""
    match = _RANGE.fullmatch(text)
    return range(int(match[1]), int(match[2] or match[1]) + 1) if match else range(0)


def _published(subject: Subject) -> Iterator[_Port]:
    service = subject.compiled.image.service_node
    ports = service.get("ports") if isinstance(service, Mapping) else None
    for entry in ports.items if isinstance(ports, source.Sequence) else ():
        if isinstance(entry, Scalar) and "$" not in entry.text:
            text, _, protocol = entry.text.partition("/")
            rest, _, container = text.rpartition(":")
            address, _, host = rest.rpartition(":")
            yield _Port(address, _range(host), _range(container), protocol or "tcp", entry.span)
        elif isinstance(entry, Mapping):
            said = {key: value.text for key, value in entry.values.items() if isinstance(value, Scalar)}
            span = entry.values["published"].span if "published" in entry.values else entry.span
            host, container = said.get("published", ""), said.get("target", "")
            yield _Port(said.get("host_ip", ""), _range(host), _range(container), said.get("protocol", "tcp"), span)


def _exposed_at_run_time(subject: Subject) -> set[str]:
    service = subject.compiled.image.service
    said = service.get("expose", ()) if isinstance(service, dict) else ()
    return {f"{port}/tcp" if "/" not in str(port) else str(port) for port in said}


def _exposure_is_known(subject: Subject) -> bool:
    """Whether what the outside image exposes is known: `inherits` may say only what was asked for, such as a user."""
    root = subject
    while root.parent is not None:
        root = root.parent
    said = root.compiled.unit.document.node.get("inherits")
    return subject.compiled.known and not (isinstance(said, Mapping) and said.values and "expose" not in said.values)


def _check_exposed(subject: Subject, say: Say) -> None:
    if not _exposure_is_known(subject):
        return
    exposed = {*subject.compiled.config.exposed_ports, *_exposed_at_run_time(subject)}
    for port in _published(subject):
        missing = [number for number in port.container if f"{number}/{port.protocol}" not in exposed]
        if missing:
            same = [each for each in exposed if each.partition("/")[0] == str(missing[0])]
            typed = str(missing[0]) if port.protocol == "tcp" else f"{missing[0]}/{port.protocol}"
            others = sorted(each.removesuffix("/tcp") for each in subject.compiled.config.exposed_ports)
            say(
                f"port {missing[0]}/{port.protocol} is published, and the image exposes "
                + (", ".join(same) if same else "no such port"),
                port.span,
                f"publish what it exposes ({', '.join(others)}), or say it: expose: [{typed}]"
                if 0 < len(others) <= MANY
                else f"expose: [{typed}]",
            )


def _profiles(subject: Subject) -> frozenset[str]:
    service: Any = subject.compiled.image.service
    return frozenset(service.get("profiles", ())) if isinstance(service, dict) else frozenset()


def _together(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two services can be up at once: those with profiles are, when these are asked for."""
    return not one or not other or bool(one & other)


def _collide(one: _Port, other: _Port) -> bool:
    same_address = one.address == other.address or {one.address, other.address} & set(_ANY_ADDRESS)
    overlap = one.host.start < other.host.stop and other.host.start < one.host.stop
    # A range of the host for one port of the container is a choice: Docker takes one that is free.
    choice = any(len(port.host) > len(port.container) for port in (one, other))
    return bool(same_address) and overlap and one.protocol == other.protocol and not choice


def _check_host(whole: Whole, say: Say) -> None:
    """All services of a folder of output stand in one compose.yaml."""
    seen: dict[int, list[tuple[_Port, Subject]]] = {}
    for key in sorted(whole.subjects):
        subject = whole.subjects[key]
        profiles = _profiles(subject)
        for port in _published(subject):
            others = (each for number in port.host for each in seen.get(number, ()))
            for other, its in others:
                if _collide(port, other) and _together(profiles, _profiles(its)):
                    name, first = subject.compiled.unit.name, its.compiled.unit.name
                    who = f"by {first} and by {name}" if its is not subject else f"by {name}, both times"
                    say(
                        f"the host's port {max(port.host.start, other.host.start)}/{port.protocol} is published twice: "
                        f"{who}",
                        port.span,
                        "give one of them another port of the host",
                        [Related("first published here", other.span)],
                    )
                    break
            for number in port.host:
                seen.setdefault(number, []).append((port, subject))


# Only where an option says that a program listens: a client has a --port too, and says --host of another machine.
_LISTENS = re.compile(
    r"(?:--(?:port|http-port|listen-port)[= ]|(?:--(?:listen|bind|bind-address|http)|-b|-S)[= ](?:[\w.\[\]:*]*:))"
    r"(\d{2,5})(?![\w.])"
)
_CLIENT = re.compile(r"--(?:host|server|url|connect)[= ](?!0\.0\.0\.0|127\.|localhost|::|\*)")


def _ports_of(program: Program) -> set[str]:
    command = str(program.options.get("command", ""))
    return set() if _CLIENT.search(command) else set(_LISTENS.findall(command))


def _check_programs(subject: Subject, say: Say) -> None:
    """Told where one of the two is the image's own: of two inherited ones it is told above."""
    own = {program.name for program in subject.compiled.image.programs}
    first: dict[str, Program] = {}
    programs: Sequence[Program] = tuple(subject.compiled.programs.values()) if own else ()
    # Inherited ones first, so that the finding stands at the image's own.
    for program in sorted(programs, key=lambda each: each.name in own):
        for port in sorted(_ports_of(program)):
            other = first.setdefault(port, program)
            if other is not program and program.name in own:
                say(
                    f"{other.name} and {program.name} both listen on port {port}",
                    program.span,
                    "give one of them another port",
                    [Related(f"{other.name} is here", other.span)],
                )


EXPOSED = ImageRule(code="published-not-exposed", severity="warning", check=_check_exposed)
HOST = WholeRule(code="host-port-twice", severity="warning", check=_check_host)
PROGRAMS = ImageRule(code="program-port-twice", severity="warning", check=_check_programs)
