"""The loop, parents first: resolve, check, model, lower, fold; a failed parent is unknown, not a second fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from stackgen.diagnostics import Findings, Related, Source, Span, suggestion
from stackgen.docker import inherit
from stackgen.docker.errors import DockerfileError, RefusedError
from stackgen.docker.syntax import parse
from stackgen.know.catalog import Catalog, Distribution
from stackgen.know.templates import TemplateFault, Templates
from stackgen.read import schema, shape, source
from stackgen.read.source import Node, Scalar, Word, word, words
from stackgen.stack import model
from stackgen.stack.expressions import evaluate
from stackgen.stack.load import Closure, Unit
from stackgen.stack.lower.emitter import Above, Tools
from stackgen.stack.lower.image import lower_image
from stackgen.stack.lower.steps import Lowered
from stackgen.stack.model import Image, Program
from stackgen.stack.programs import SECTIONS, Key, check_programs, left_behind, read_programs
from stackgen.stack.project import Options, Project
from stackgen.stack.resolve import Inherited, Resolved, resolve, root_scope, supervisor_of

# Prints one image's Dockerfile; given only where a user's templates replace ours.
Printer = Callable[[Lowered], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """One image as it will be built: its steps and files, and its effective configuration."""

    unit: Unit
    lowered: Lowered
    config: inherit.Config
    known: bool
    supervised: Mapping[Key, Program]
    """What supervisord runs in it, inherited and its own: programs, event listeners and groups."""
    base: inherit.Config
    """The configuration of what it stands on."""
    used_variables: frozenset[str]
    left_behind: tuple[str, ...]
    """Inherited programs that would be written otherwise here, and are not named."""

    @property
    def programs(self) -> dict[str, Program]:
        """The programs that run in it, by name."""
        return {name: program for (block, name), program in self.supervised.items() if block == "programs"}

    @property
    def image(self) -> Image:
        """The image as its stack says it."""
        return self.lowered.image


@dataclass(frozen=True, slots=True, kw_only=True)
class _Down:
    """What a compiled image hands to its children."""

    reference: str
    distribution: Distribution | None
    variables: Mapping[str, Node]
    raw_programs: Mapping[Key, Node]
    supervised: Mapping[Key, Program]
    above: Above
    suspect: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What compiling works with, the same for every image of a run."""

    project: Project
    options: Options
    catalog: Catalog
    templates: Templates
    findings: Findings
    printer: Printer | None = None


def compile_closure(closure: Closure, shop: Workshop) -> tuple[Compiled, ...]:
    """Give every image that could be compiled, in build order; why one could not is among the findings."""
    compiled: list[Compiled] = []
    down: dict[str, _Down] = {}
    references: dict[str, tuple[str, Span]] = {}
    for unit in closure.units:
        before = shop.findings.errors
        result, down[unit.key] = _compile(unit, down.get(unit.parent or ""), shop, references)
        if result is not None and shop.findings.errors == before:
            compiled.append(result)
    return tuple(compiled)


# What may only follow from a fault in a stack that an image stands on.
FOLLOWING = frozenset(
    {"undefined-name", "needs-distro", "no-supervisor", "unknown-user", "unknown-variable", "refused", "template-fails",
     "dest-not-absolute", "end-of-life", "missing-key"}
)  # fmt: skip


def _compile(
    unit: Unit, parent: _Down | None, shop: Workshop, references: dict[str, tuple[str, Span]]
) -> tuple[Compiled | None, _Down]:
    """Compile one image as far as it goes, and give what its children stand on.

    Where something that it stands on is broken, what may only follow from that is kept back.
    """
    blind = unit.blind or (unit.parent is not None and parent is None)
    documents = (*unit.fragments, unit.document)
    suspect = blind or any(document.suspect for document in documents) or (parent is not None and parent.suspect)
    if suspect:
        shop = replace(shop, findings=shop.findings.muting(FOLLOWING))
    stand = _stand_on(unit, None if blind else parent, shop)
    inherited = Inherited(
        variables=parent.variables if parent else {},
        distribution=stand.distribution,
        programs=parent.raw_programs if parent else {},
        parent=_parent_facts(stand.reference, stand.above),
        supervisor=_where(stand.above),
    )
    resolved = resolve(unit, inherited, shop.project, shop.options, shop.catalog, shop.findings)
    down = _Down(
        reference=stand.reference,
        distribution=stand.distribution,
        variables=resolved.variables,
        raw_programs={k: v for k, v in resolved.programs.items() if k not in resolved.turned_off},
        supervised=parent.supervised if parent else {},
        above=stand.above,
        suspect=True,
    )
    checked = schema.Checked(resolved.node)
    if resolved.changed:
        checked = schema.check(resolved.node, "stack", "a stack", shop.findings)
    if resolved.scope.failed or checked.removed or not isinstance(checked.node, source.Mapping):
        return None, down
    own = read_programs(resolved.node)
    image = _image(unit, resolved, own, stand, shop)
    _check_reference(image, references, shop.findings)
    tools = Tools(
        inputs=shop.project.inputs,
        catalog=shop.catalog,
        templates=shop.templates,
        scope=resolved.scope,
        findings=shop.findings,
        builder=shop.project.builder,
    )
    lowered = lower_image(image, stand.above, tools, shop.project.labels)
    config = _config_as_printed(lowered.lowered, lowered.config, stand.above, shop)
    supervised = {**(parent.supervised if parent else {}), **own}
    supervised = {key: program for key, program in supervised.items() if key not in resolved.turned_off}
    check_programs(supervised, resolved.turned_off, shop.findings)
    compiled = Compiled(
        unit=unit,
        lowered=lowered.lowered,
        config=config,
        known=stand.above.known,
        supervised=supervised,
        base=stand.above.config,
        left_behind=_left_behind(parent, resolved, frozenset((*own, *resolved.turned_off))),
        used_variables=frozenset(resolved.scope.used | stand.used_variables),
    )
    return compiled, replace(
        down,
        reference=image.reference,
        supervised=supervised,
        above=replace(lowered.above, config=config),
        suspect=suspect or stand.suspect,
    )


def _left_behind(parent: _Down | None, resolved: Resolved, named: frozenset[Key]) -> tuple[str, ...]:
    if parent is None or parent.variables == resolved.variables:
        return ()
    return left_behind(parent.raw_programs, parent.supervised, named, resolved.scope)


def _where(above: Above) -> dict[str, str] | None:
    supervisor = above.supervisor
    if supervisor is None:
        return None
    return {"config": supervisor.config, "include": supervisor.include, "command": supervisor.command}


def _parent_facts(reference: str, above: Above) -> dict[str, Any]:
    config = above.config
    return {
        "ref": reference,
        "env": dict(config.env),
        "user": config.user,
        "workdir": config.working_dir,
    }


def _config_as_printed(lowered: Lowered, config: inherit.Config, above: Above, shop: Workshop) -> inherit.Config:
    """Read a user's own Dockerfile template back, so that what it adds is in the configuration."""
    if shop.printer is None:
        return config
    span = next(iter(lowered.image.spans.values()), None)
    try:
        parsed = parse(shop.printer(lowered))
        froms = [index for index, each in enumerate(parsed) if type(each.instruction).__name__ == "From"]
        last = froms[-1] + 1 if froms else 0
        return inherit.fold(above.config, [each.instruction for each in parsed[last:]])
    except TemplateFault as fault:
        shop.findings.error("template-fails", f"template {fault.name}, line {fault.line}: {fault.reason}", span)
    except DockerfileError as error:
        shop.findings.error(
            "template-fails",
            f"the Dockerfile of {lowered.image.name} that your template prints is none: "
            f"line {error.line}: {error.message}",
            span,
        )
    except RefusedError as error:
        shop.findings.error("template-fails", f"Docker refuses what your template prints: {error}", span)
    return config


# -- roots: what an image outside the project brings


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What an image stands on; `suspect` is whether that is not known for a fault."""

    above: Above
    distribution: Distribution | None
    reference: str
    suspect: bool = False
    used_variables: frozenset[str] = frozenset()


def _stand_on(unit: Unit, parent: _Down | None, shop: Workshop) -> _Ground:
    if parent is not None:
        return _Ground(above=parent.above, distribution=parent.distribution, reference=parent.reference)
    node = unit.document.node.get("from")
    scope = root_scope(unit, shop.project, shop.options, shop.findings)
    evaluated = evaluate(node, scope) if node is not None else None
    if scope.failed or not isinstance(evaluated, Scalar):
        return _Ground(above=_bottom(inherit.SCRATCH, known=True), distribution=None, reference="", suspect=True)
    reference = evaluated.text
    known = shop.catalog.recognise(reference)
    named = unit.document.node.get("distro")
    distribution = known.distribution if known else None
    if named is not None:
        distribution = _named_distribution(evaluate(named, scope), shop)
    if distribution is not None:
        _check_alive(distribution, evaluated.span, shop.findings)
    brought = _brought(unit, reference, shop)
    config = _base_config(known.brings if known else {}, brought)
    is_known = brought is not None or known is not None or reference == "scratch"
    return _Ground(
        above=_bottom(config, known=is_known),
        distribution=distribution,
        reference=_through_proxy(reference, shop.project.proxies),
        suspect=named is not None and distribution is None,
        used_variables=frozenset(scope.used),
    )


def _bottom(config: inherit.Config, *, known: bool) -> Above:
    """Give what an image stands on that has no ancestor in the project."""
    return Above(
        config=config,
        known=known,
        packages={},
        repositories={},
        mirror="official",
        pip=False,
        users={},
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


def _brought(unit: Unit, reference: str, shop: Workshop) -> source.Mapping | None:
    """Give what the root's stack, or the project, says that the outside image brings."""
    own = unit.document.node.get("inherits")
    if isinstance(own, source.Mapping):
        return own
    plain = reference.partition("@")[0]
    return shop.project.inherits.get(plain) or shop.project.inherits.get(plain.rpartition(":")[0])


def _base_config(known: Mapping[str, Any], brought: source.Mapping | None) -> inherit.Config:
    """Give the configuration that an outside image has, from words of a stack."""
    data: dict[str, Any] = dict(known)
    if brought is not None:
        data.update(shape.typed(brought, shape.inside(shape.load("stack"), "inherits")))
    health = data.get("healthcheck")
    return inherit.Config.from_json(
        {
            "User": data.get("user", ""),
            "Env": [f"{name}={value}" for name, value in data.get("env", {}).items()],
            "Cmd": _argv(data.get("cmd")),
            "Entrypoint": _argv(data.get("entrypoint")),
            "WorkingDir": data.get("workdir", ""),
            "Labels": data.get("labels"),
            "ExposedPorts": {_port(port): {} for port in data.get("expose", ())} or None,
            "Volumes": {path: {} for path in data.get("volumes", ())} or None,
            "StopSignal": data.get("stopsignal", ""),
            "Shell": data.get("shell"),
            "OnBuild": data.get("onbuild"),
            "Healthcheck": {"Test": health["test"]} if isinstance(health, dict) else None,
        }
    )


def _argv(command: Any) -> list[str] | None:
    return ["/bin/sh", "-c", command] if isinstance(command, str) else command


def _port(port: str) -> str:
    return port if "/" in port else f"{port}/tcp"


def _through_proxy(reference: str, proxies: Mapping[str, str]) -> str:
    """Put a proxy in front of a reference: one without a host is Docker Hub's."""
    first = reference.partition("/")[0]
    has_host = "/" in reference and ("." in first or ":" in first or first == "localhost")
    host = first if has_host else "docker.io"
    proxy = proxies.get(host)
    if proxy is None or reference == "scratch":
        return reference
    rest = reference.partition("/")[2] if has_host else reference
    if host == "docker.io" and "/" not in rest:
        rest = f"library/{rest}"
    return f"{proxy}/{rest}"


# -- the image


def _image(unit: Unit, resolved: Resolved, own: Mapping[Key, Program], stand: _Ground, shop: Workshop) -> Image:
    node = resolved.node
    is_root = unit.parent is None
    repository = _text(node, "image") or unit.name
    first = repository.partition("/")[0]
    if shop.project.registry and not ("/" in repository and ("." in first or ":" in first)):
        repository = f"{shop.project.registry}/{repository}"
    tags = [_text(node, "tag") or "latest", *(word.text for word in words(node.get("tags")))]
    where = _supervisor_place(node, stand.distribution, shop.findings)
    service = node.get("service")
    repositories, own_repositories = model.read_repositories(node.get("repositories"))
    return Image(
        name=unit.name,
        path=unit.document.path,
        description=_text(node, "description"),
        reference=f"{repository}:{tags[0]}",
        references=tuple(dict.fromkeys(f"{repository}:{tag}" for tag in tags)),
        parent=stand.reference,
        distribution=stand.distribution,
        is_root=is_root,
        mirror=_mirror(node, is_root, stand.distribution, shop),
        repositories=repositories,
        own_repositories=own_repositories,
        certificates=(*(shop.project.certificates if is_root else ()), *words(node.get("certificates"))),
        sections=tuple(model.sections(node)),
        context=tuple(model.file_entry(item) for item in _items(node, "context")),
        platforms=tuple(each.text for each in words(node.get("platforms"))),
        supervisor=model.read_supervisor(node, where),
        programs=tuple(own.values()),
        turned_off={(SECTIONS[block], name): span for (block, name), span in resolved.turned_off.items()},
        service=shape.typed(service, shape.load("service")) if service is not None else None,
        service_node=service,
        spans=node.keys or unit.document.node.keys,
    )


def _items(node: source.Mapping, key: str) -> tuple[Node, ...]:
    value = node.get(key)
    return value.items if isinstance(value, source.Sequence) else ()


def _text(node: source.Mapping, key: str) -> str | None:
    value = node.get(key)
    return value.text if isinstance(value, Scalar) else None


def _mirror(node: source.Mapping, is_root: bool, distribution: Distribution | None, shop: Workshop) -> Word | None:
    """Give the mirror that this image asks for: the caller's, its own, or the project's.

    What is said for all images says nothing of one whose distribution nobody knows: it installs nothing.
    """
    own = node.get("mirror")
    if distribution is None and not isinstance(own, Scalar):
        return None
    if shop.options.mirror is not None:
        at = Source("--mirror", shop.options.mirror)
        return Word(shop.options.mirror, Span(at, 1, 1, 1, len(shop.options.mirror) + 1)) if is_root else None
    if isinstance(own, Scalar):
        return word(own)
    if is_root and shop.project.mirror:
        return Word(shop.project.mirror, shop.project.spans["mirror"])
    return None


def _supervisor_place(
    node: source.Mapping, distribution: Distribution | None, findings: Findings
) -> dict[str, str] | None:
    block = node.get("supervisor")
    if not isinstance(block, source.Mapping):
        return None
    where = supervisor_of(block, distribution)
    if where is None:
        findings.error(
            "needs-distro",
            "where a supervisor's files lie is known of a distribution, and the root's is not known",
            node.keys["supervisor"],
            help="say it in the root's stack: distro: debian-12; or say `config` and `include` here",
        )
    return where


def _check_reference(image: Image, references: dict[str, tuple[str, Span]], findings: Findings) -> None:
    span = image.spans.get("image") or next(iter(image.spans.values()))
    for reference in image.references:
        other = references.setdefault(reference, (image.name, span))
        if other[0] != image.name:
            findings.error(
                "doubled-reference",
                f"two images are called {reference}: {other[0]} and {image.name}",
                span,
                help="give one of them another `image` or `tag`",
                related=[Related("the other one", other[1])],
            )
