"""The nodes of one image to one node: include, when, !reset and !override, vars, expressions.

The one place where precedence is decided, and it reads as a list: an image's fragments, each with its own `when`;
the stack; its `when`. Variables: the project's, the parent's, the image's own in that same order, the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from stackgen.diagnostics import Findings, Related, Source, Span, suggestion
from stackgen.know.catalog import Catalog, Distribution
from stackgen.read import shape, source
from stackgen.read.source import Node, Scalar
from stackgen.stack.documents import Document
from stackgen.stack.expressions import Facts, Fault, Scope, evaluate
from stackgen.stack.load import Unit
from stackgen.stack.merge import is_reset, merge, settle
from stackgen.stack.programs import BLOCKS, Key, merge_programs, with_programs
from stackgen.stack.project import Options, Project

STRUCTURE = ("extends", "from", "include", "distro", "matrix", "name", "when", "vars", "params", "inherits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inherited:
    """What the images above bring into the resolution of a child."""

    variables: Mapping[str, Node]
    places: Mapping[str, Span]
    """Where each variable is set."""
    documents: Callable[[], Iterable[Document]]
    """The stacks and fragments of the images above, the parent's first."""
    distribution: Distribution | None
    programs: Mapping[Key, Node]
    parent: Mapping[str, Any]
    supervisor: Mapping[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """One image as one node without tags or expressions, and what its children go on from."""

    node: source.Mapping
    scope: Scope
    variables: Mapping[str, Node]
    places: Mapping[str, Span]
    programs: Mapping[Key, Node]
    turned_off: Mapping[Key, Span]
    changed: bool
    """Whether the node holds more than the stack's own file did when that was checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Overlay:
    """A branch of `when` that holds."""

    node: source.Mapping
    rank: tuple[int, int]


def set_variables(options: Options) -> dict[str, Node]:
    """Give the caller's variables as nodes: each points into its own `--set NAME=VALUE`."""
    nodes: dict[str, Node] = {}
    for name, value in options.variables.items():
        text = Source("--set", f"{name}={value}")
        span = Span(text, 1, len(name) + 2, 1, len(name) + 2 + max(1, len(value)))
        nodes[name] = Scalar(value, span, plain=True)
    return nodes


def root_scope(unit: Unit, project: Project, options: Options, findings: Findings) -> Scope:
    """Give the names that a root's `from` and `distro` may use: its own and the project's variables."""
    own = unit.document.node
    variables = {**project.variables, **_variables(own), **set_variables(options)}
    return Scope(variables, {}, findings, places={**project.places, **_places(own)})


def _variables(node: source.Mapping) -> Mapping[str, Node]:
    found = node.get("vars")
    return found.values if isinstance(found, source.Mapping) else {}


def _places(node: source.Mapping) -> Mapping[str, Span]:
    found = node.get("vars")
    return {name: found.entry(name) for name in found.values} if isinstance(found, source.Mapping) else {}


def _hidden(documents: Iterable[Document], name: str) -> tuple[Related, ...]:
    """Give where branches of `when` set a variable; asked for one that none that holds sets."""
    found: list[Related] = []
    for document in documents:
        when = document.node.get("when")
        for condition, _, branch in when.items() if isinstance(when, source.Mapping) else ():
            place = _places(branch).get(name) if isinstance(branch, source.Mapping) else None
            if place is not None:
                found.append(Related(f"only `when: {condition}` sets it, which does not hold here", place))
    return tuple(found)


def resolve(
    unit: Unit,
    inherited: Inherited,
    project: Project,
    options: Options,
    catalog: Catalog,
    findings: Findings,
) -> Resolved:
    """Give one image's nodes as one, evaluated.

    Findings: needs-distro, unknown-condition, and those of expressions.
    """
    documents = (*unit.fragments, unit.document)
    own = [_variables(document.node) for document in documents]
    facts = _facts(inherited, unit)
    before = Scope(_join(project.variables, inherited.variables, *own, set_variables(options)), facts, findings)
    layers: list[source.Mapping] = []
    for document in documents:
        # A fragment's description is for its own readers.
        layers.append(document.node if document is unit.document else document.node.without("description"))
        layers.extend(_overlays(document, inherited.distribution, before, catalog, findings))
    variables = _join(project.variables, inherited.variables, *map(_variables, layers), set_variables(options))
    places = {**project.places, **inherited.places}
    for layer in layers:
        places.update(_places(layer))
    scope = Scope(
        variables,
        facts,
        findings,
        before.used,
        places,
        lambda name: _hidden((*documents, *inherited.documents()), name),
    )
    merged = _merge(layers, scope)
    programs, turned_off = merge_programs(merged, inherited.programs, scope)
    mixed = merged.without(*BLOCKS)
    settled = settle(mixed)
    assert isinstance(settled, source.Mapping)
    scope = _with_own_supervisor(settled, scope, inherited)
    evaluated = evaluate(settled, scope)
    assert isinstance(evaluated, source.Mapping)
    node = with_programs(evaluated, programs, scope, merged)
    return Resolved(
        node=node,
        scope=scope,
        variables=variables,
        places=places,
        programs={**inherited.programs, **programs},
        turned_off=turned_off,
        changed=len(layers) > 1 or settled is not mixed or evaluated is not settled or bool(programs),
    )


def _join(*maps: Mapping[str, Node]) -> dict[str, Node]:
    joined: dict[str, Node] = {}
    for each in maps:
        joined.update(each)
    return {name: node for name, node in joined.items() if not is_reset(node)}


def _merge(layers: Iterable[source.Mapping], scope: Scope) -> source.Mapping:
    schema = shape.load("stack")
    first, *rest = (layer.without(*STRUCTURE) for layer in layers)
    merged: Node = first
    for layer in rest:
        merged = merge(merged, layer, schema, lambda node: evaluate(node, scope))
    assert isinstance(merged, source.Mapping)
    return merged


def _facts(inherited: Inherited, unit: Unit) -> dict[str, Callable[[], Any]]:
    return {
        "distro": lambda: _distro_facts(inherited.distribution, unit),
        "supervisor": lambda: _supervisor_facts(inherited.supervisor),
        "parent": lambda: Facts("what is known of the parent", inherited.parent),
    }


def _distro_facts(distribution: Distribution | None, unit: Unit) -> Facts:
    if distribution is None:
        raise Fault(
            "needs-distro",
            f"the distribution of {unit.name} is not known",
            "say it in the root's stack, one that `stackgen distros` lists: distro: debian-12",
        )
    about = f"what is known of {distribution.name}"
    cure = f"write it out in the stack, under `when: {{{distribution.name}: …}}`"
    members = {
        "name": distribution.name,
        "version": distribution.version,
        "codename": distribution.codename or "",
        "family": distribution.family,
        "users": Facts(f"the users that are known of {distribution.name}", distribution.users, cure=cure),
        "paths": Facts(f"the paths that are known of {distribution.name}", distribution.paths, cure=cure),
        "names": Facts(f"the names that are known of {distribution.name}", distribution.names, cure=cure),
    }
    return Facts(about, members)


def _supervisor_facts(supervisor: Mapping[str, str] | None) -> Facts:
    if supervisor is None:
        raise Fault(
            "no-supervisor",
            "no image above brings a supervisor",
            "give a root one: supervisor: {install: package}",
        )
    return Facts("what is known of the supervisor", supervisor)


def _with_own_supervisor(node: source.Mapping, scope: Scope, inherited: Inherited) -> Scope:
    """An image that brings a supervisor sees its own."""
    own = node.get("supervisor")
    if not isinstance(own, source.Mapping):
        return scope
    evaluated = evaluate(own, scope)
    members = supervisor_of(evaluated, inherited.distribution) if isinstance(evaluated, source.Mapping) else None
    return scope.with_facts(supervisor=lambda: _supervisor_facts(members))


def supervisor_of(node: source.Mapping, distribution: Distribution | None) -> dict[str, str] | None:
    """Give where a supervisor's files lie, from the stack or else from the distribution's data; None if unknown."""

    def said(key: str) -> str | None:
        value = node.get(key)
        return value.text if isinstance(value, Scalar) else None

    way = said("install") or "package"
    known = distribution.supervisor.get(way, {}) if distribution else {}
    config, include = said("config") or known.get("config"), said("include") or known.get("include")
    if config is None or include is None:
        return None
    return {"config": config, "include": include, "command": known.get("command", "supervisord")}


def _overlays(
    document: Document,
    distribution: Distribution | None,
    scope: Scope,
    catalog: Catalog,
    findings: Findings,
) -> list[source.Mapping]:
    """Give the branches of a document's `when` that hold: from general to special, variables last."""
    when = document.node.get("when")
    holding: list[_Overlay] = []
    for index, (condition, span, node) in enumerate(when.items() if isinstance(when, source.Mapping) else ()):
        rank = _rank(condition, span, distribution, scope, catalog, findings)
        if rank is not None and isinstance(node, source.Mapping):
            holding.append(_Overlay(node=node, rank=(rank, index)))
    return [overlay.node for overlay in sorted(holding, key=lambda overlay: overlay.rank)]


def _rank(
    condition: str,
    span: Span,
    distribution: Distribution | None,
    scope: Scope,
    catalog: Catalog,
    findings: Findings,
) -> int | None:
    """Give how special a condition is where it holds, else None."""
    name, equals, wanted = condition.partition("=")
    if equals:
        last = len(distribution.kinds) if distribution else 0
        return last if _variable_is(name, wanted, span, scope) else None
    if distribution and condition in distribution.kinds:
        return distribution.kinds.index(condition)
    if not catalog.has_kind(condition):
        every = [d for known in catalog.names("distro") if (d := catalog.distribution(known))]
        kinds = sorted({kind for each in every for kind in each.kinds})
        findings.error(
            "unknown-condition",
            f'"{condition}" is no distribution, no family and no variable=value',
            span,
            help=suggestion(condition, kinds, f"known: {', '.join(kinds)}; or a variable: stage=dev"),
        )
    elif distribution is None:
        findings.error(
            "needs-distro",
            f"`when: {condition}` needs to know the root's distribution",
            span,
            help="say it in the root's stack, one that `stackgen distros` lists: distro: debian-12",
        )
    return None


def _variable_is(name: str, wanted: str, span: Span, scope: Scope) -> bool:
    if name not in scope.variables:
        fault = scope.undefined(name)
        scope.findings.error(fault.code, fault.message, span, help=fault.help, related=fault.related, topic=fault.topic)
        return False
    try:
        value = scope.lookup(name)
    except Fault as fault:
        scope.findings.error(fault.code, fault.message, span, help=fault.help)
        return False
    return (str(value).lower() if isinstance(value, bool) else str(value)) == wanted
