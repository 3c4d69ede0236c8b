"""Ports that do not fit together: published and not exposed, published twice, listened on by two programs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stackgen.diagnostics import Related, Span
from stackgen.lint.rule import ImageRule, Say, Subject, Whole, WholeRule
from stackgen.read.source import Mapping, Scalar, Sequence


def _published(subject: Subject) -> Iterator[tuple[str | None, str, str, Span]]:
    """Give each published port as host port (with its address), container port, protocol, and place."""
    service = subject.compiled.image.service_node
    ports = service.get("ports") if isinstance(service, Mapping) else None
    for entry in ports.items if isinstance(ports, Sequence) else ():
        if isinstance(entry, Scalar):
            published, _, protocol = entry.text.partition("/")
            host, _, container = published.rpartition(":")
            yield host or None, container, protocol or "tcp", entry.span
        elif isinstance(entry, Mapping):
            fields = {key: value.text for key, value in entry.values.items() if isinstance(value, Scalar)}
            yield fields.get("published"), fields.get("target", ""), fields.get("protocol", "tcp"), entry.span


def _check_exposed(subject: Subject, say: Say) -> None:
    exposed = subject.compiled.config.exposed_ports
    for _, container, protocol, span in _published(subject):
        if container.isdigit() and f"{container}/{protocol}" not in exposed:
            say(
                f"port {container}/{protocol} is published, and the image exposes no such port",
                span,
                f"expose: [{container}]" if protocol == "tcp" else f"expose: [{container}/{protocol}]",
            )


def _check_host(whole: Whole, say: Say) -> None:
    first: dict[tuple[str, str], tuple[str, Span]] = {}
    for key in sorted(whole.subjects):
        subject = whole.subjects[key]
        for host, _, protocol, span in _published(subject):
            if host is None or "$" in host:
                continue
            name = subject.compiled.unit.name
            other = first.setdefault((host, protocol), (name, span))
            if other[1] is not span:
                say(
                    f"the host's port {host}/{protocol} is published twice: by {other[0]} and by {name}",
                    span,
                    "give one of them another port of the host",
                    [Related("first published here", other[1])],
                )


_LISTENS = re.compile(r"(?:--port[= ]|--listen[= ]\S*:|--bind[= ]\S*:|-b \S*:|-p )(\d{2,5})\b")


def _check_programs(subject: Subject, say: Say) -> None:
    first: dict[str, str] = {}
    own = {program.name: program.span for program in subject.compiled.image.programs}
    for name, program in subject.compiled.programs.items():
        for port in set(_LISTENS.findall(str(program.options.get("command", "")))):
            other = first.setdefault(port, name)
            span = own.get(name) or own.get(other)
            if other != name and span is not None:
                say(f"{other} and {name} both listen on port {port}", span, "give one of them another port")


EXPOSED = ImageRule(code="published-not-exposed", severity="warning", check=_check_exposed)
HOST = WholeRule(code="host-port-twice", severity="warning", check=_check_host)
PROGRAMS = ImageRule(code="program-port-twice", severity="warning", check=_check_programs)
