"""What a root stands on: the image outside the project that its `from` names, and what that image brings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from stackgen.diagnostics import Findings, Span, suggestion
from stackgen.docker.config import SCRATCH, Config, Health, Place
from stackgen.docker.durations import nanoseconds
from stackgen.docker.errors import NoAnswerError, RefusedError
from stackgen.docker.inherit import DEFAULT_SHELL
from stackgen.docker.ports import exposed
from stackgen.docker.references import DOCKER_HUB, split_host
from stackgen.know.catalog import Distribution
from stackgen.read import shape, source
from stackgen.read.source import Node, Scalar
from stackgen.stack.expressions import evaluate
from stackgen.stack.load import Unit
from stackgen.stack.lower.emitter import Above
from stackgen.stack.lower.steps import Indexes
from stackgen.stack.resolve import root_scope
from stackgen.stack.workshop import Workshop

Teller: TypeAlias = Literal["docker", "data", "inherits", "engine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The image outside the project that a root stands on, and who says what it brings; None where nobody does."""

    reference: str
    span: Span
    told_by: Teller | None
    """`docker` says what everybody knows: that `scratch` is empty."""
    spans: Mapping[Place, Span]
    """Where `inherits` says each value that it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What an image stands on; `suspect` is whether that is not known for a fault."""

    above: Above
    distribution: Distribution | None
    reference: str
    known: bool
    outside: Outside | None = None
    suspect: bool = False
    used_variables: frozenset[str] = frozenset()


def ground(unit: Unit, shop: Workshop) -> Ground:
    """Give what a root stands on.

    Findings: unknown-distro, end-of-life, refused, unknown-image, and those of expressions.
    """
    node = unit.document.node.get("from")
    scope = root_scope(unit, shop.project, shop.options, shop.findings)
    evaluated = evaluate(node, scope) if node is not None else None
    if scope.failed or not isinstance(evaluated, Scalar):
        return Ground(above=_bottom(SCRATCH, known=True), distribution=None, reference="", known=True, suspect=True)
    plain = evaluated.text
    known = shop.catalog.recognise(plain)
    named = unit.document.node.get("distro")
    distribution = known.distribution if known else None
    if named is not None:
        distribution = _named_distribution(evaluate(named, scope), shop)
    if distribution is not None and not (shop.options.base and shop.findings.errors):
        # Where a chain is broken, --base may not have reached its root.
        _check_alive(distribution, evaluated.span, shop.findings)
    reference = _through_proxy(plain, shop.project.proxies)
    said = _said(unit, plain, shop)
    told_by: Teller | None = None
    if said is not None:
        told_by = "inherits"
    elif known is not None:
        told_by = "data"
    elif plain == "scratch":
        told_by = "docker"
    config = SCRATCH
    if told_by != "docker":
        config = _from_words({**(known.brings if known else {}), **_words(said)}, said, shop.findings)
    asked = _asked(reference, evaluated.span, shop) if told_by is None else None
    return Ground(
        above=_bottom(asked or config, known=bool(told_by or asked)),
        distribution=distribution,
        reference=reference,
        known=bool(told_by or asked),
        outside=Outside(
            reference=reference,
            span=evaluated.span,
            told_by="engine" if asked else told_by,
            spans=_spans(said) if said is not None else {},
        ),
        suspect=named is not None and distribution is None,
        used_variables=frozenset(scope.used),
    )


def _asked(reference: str, span: Span, shop: Workshop) -> Config | None:
    if shop.ask is None:
        return None
    try:
        return shop.ask(reference)
    except NoAnswerError as error:
        shop.findings.error("unknown-image", str(error), span, help=error.help)
        return None


def _bottom(config: Config, *, known: bool) -> Above:
    """Give what an image stands on that has no ancestor in the project."""
    return Above(
        config=config,
        known=known,
        packages={},
        repositories={},
        mirror="official",
        indexes=Indexes(),
        pip=False,
        users={},
        modules={},
        supervisor=None,
    )


def _named_distribution(name: Node | None, shop: Workshop) -> Distribution | None:
    if not isinstance(name, Scalar):
        return None
    distribution = shop.catalog.distribution(name.text)
    if distribution is None:
        names = shop.catalog.names("distro")
        if name.text in names:
            # Its own file has faults, and they are told.
            return None
        shop.findings.error(
            "unknown-distro",
            f'no distribution is called "{name.text}"',
            name.span,
            help=suggestion(name.text, names, f"known: {', '.join(names)}"),
        )
    return distribution


def _check_alive(distribution: Distribution, span: Span, findings: Findings) -> None:
    if distribution.dead:
        to = f"move to {distribution.successor}" if distribution.successor else "move to a living distribution"
        findings.warning(
            "end-of-life",
            f"{distribution.name} reached its end of life on {distribution.end_of_life}: nobody mends it any more",
            span,
            help=f"{to}; until then its packages come from a vault",
        )


def _said(unit: Unit, reference: str, shop: Workshop) -> source.Mapping | None:
    """Give what the root's stack, or the project, says that the outside image brings."""
    own = unit.document.node.get("inherits")
    if isinstance(own, source.Mapping):
        return own
    plain = reference.partition("@")[0]
    return shop.project.inherits.get(plain) or shop.project.inherits.get(plain.rpartition(":")[0])


def _words(said: source.Mapping | None) -> Mapping[str, Any]:
    if said is None:
        return {}
    words: Mapping[str, Any] = shape.typed(said, shape.inside(shape.load("stack"), "inherits"))
    return words


def _from_words(words: Mapping[str, Any], said: source.Mapping | None, findings: Findings) -> Config:
    """Give the configuration that the words of a stack describe."""
    ports: set[str] = set()
    for word in words.get("expose", ()):
        try:
            ports.update(exposed(word))
        except RefusedError as error:
            findings.error("refused", f"Docker refuses this: {error}", said.keys.get("expose") if said else None)
    shell = tuple(words.get("shell") or ())
    return Config(
        user=words.get("user", ""),
        exposed_ports=tuple(sorted(ports)),
        env=tuple(words.get("env", {}).items()),
        cmd=_argv(words.get("cmd"), shell),
        healthcheck=_health(words.get("healthcheck")),
        volumes=tuple(sorted(words.get("volumes", ()))),
        working_dir=words.get("workdir", ""),
        entrypoint=_argv(words.get("entrypoint"), shell),
        on_build=tuple(words.get("onbuild", ())),
        labels=tuple(sorted(words.get("labels", {}).items())),
        stop_signal=words.get("stopsignal", ""),
        shell=shell or None,
    )


def _argv(command: Any, shell: tuple[str, ...]) -> tuple[str, ...] | None:
    return (*(shell or DEFAULT_SHELL), command) if isinstance(command, str) else tuple(command or ()) or None


def _health(said: Any) -> Health | None:
    if said is None:
        return None
    if not isinstance(said, Mapping):
        return Health(test=("NONE",))
    test = said.get("test", ())
    periods = {
        each: nanoseconds(said[each])
        for each in ("interval", "timeout", "start_period", "start_interval")
        if each in said
    }
    return Health(
        test=("CMD-SHELL", test) if isinstance(test, str) else tuple(test),
        retries=int(said.get("retries", 0)),
        **periods,
    )


_KEYS = {
    "user": "User",
    "env": "Env",
    "cmd": "Cmd",
    "entrypoint": "Entrypoint",
    "workdir": "WorkingDir",
    "labels": "Labels",
    "expose": "ExposedPorts",
    "volumes": "Volumes",
    "stopsignal": "StopSignal",
    "shell": "Shell",
    "onbuild": "OnBuild",
    "healthcheck": "Healthcheck",
}


def _spans(said: source.Mapping) -> dict[Place, Span]:
    """Give where each value stands: a variable and a label in a line of its own, all else by its key."""
    spans: dict[Place, Span] = {}
    for word, span, value in said.items():
        key = _KEYS[word]
        spans[key,] = span
        if key in ("Env", "Labels") and isinstance(value, source.Mapping):
            spans |= {(key, name): inner for name, inner, _ in value.items()}
    return spans


def _through_proxy(reference: str, proxies: Mapping[str, str]) -> str:
    """Put a proxy in front of a reference.

    One without a host is Docker Hub's, whose official images lie in `library`, which any other registry wants named.
    """
    if reference == "scratch":
        return reference
    host, rest = split_host(reference)
    if host is None or host in DOCKER_HUB:
        host, rest = DOCKER_HUB[0], rest if "/" in rest else f"library/{rest}"
    return f"{proxies[host]}/{rest}" if host in proxies else reference
