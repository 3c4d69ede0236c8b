"""The loop, parents first: resolve, check, model, lower, fold; a failed parent is unknown, not a second fault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from stackgen.diagnostics import Findings, Related, Source, Span
from stackgen.docker.config import Config
from stackgen.docker.errors import DockerfileError, RefusedError
from stackgen.docker.references import split_host
from stackgen.know.catalog import Distribution
from stackgen.know.templates import TemplateFault
from stackgen.read import schema, shape, source
from stackgen.read.source import Node, Scalar, Word, word, words
from stackgen.stack import reading
from stackgen.stack.causes import Causes
from stackgen.stack.documents import Document
from stackgen.stack.expressions import Facts
from stackgen.stack.ground import Ground, Outside, ground
from stackgen.stack.load import Closure, Unit
from stackgen.stack.lower.emitter import Above, Tools
from stackgen.stack.lower.image import lower_image
from stackgen.stack.lower.steps import Lowered, Placed
from stackgen.stack.model import Image, Program
from stackgen.stack.programs import SECTIONS, Key, check_programs, left_behind, read_programs
from stackgen.stack.reread import Reread, reread
from stackgen.stack.resolve import Inherited, Resolved, resolve, supervisor_of
from stackgen.stack.workshop import Workshop


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """One image as it will be built: its steps and files, and its effective configuration."""

    unit: Unit
    lowered: Lowered
    config: Config
    known: bool
    """Whether anybody knows what the outside image at the root brings."""
    outside: Outside | None
    """The image outside the project, of one that stands on it."""
    printed: tuple[Placed, ...] | None
    """What stands after FROM where a user's own template printed it."""
    supervised: Mapping[Key, Program]
    """What supervisord runs in it, inherited and its own: programs, event listeners and groups."""
    base: Config
    """The configuration of what it stands on."""
    used_variables: frozenset[str]
    variables: frozenset[str]
    """The names that the project and the stacks of its chain define."""
    left_behind: Mapping[Key, frozenset[str]]
    """Inherited programs that would be written otherwise here and are not named, each with what it is made of."""

    @property
    def programs(self) -> dict[str, Program]:
        """The programs that run in it, by name."""
        return {name: program for (block, name), program in self.supervised.items() if block == "programs"}

    @property
    def placed(self) -> Iterator[Placed]:
        """What its Dockerfile does after FROM, in order."""
        if self.printed is not None:
            yield from self.printed
        else:
            yield from (placed for step in self.lowered.steps for placed in step.placed)

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
    places: Mapping[str, Span]
    raw_programs: Mapping[Key, Node]
    supervised: Mapping[Key, Program]
    above: Above
    known: bool
    suspect: bool
    """Whether what it says of itself is not known."""
    failed: bool
    """Whether it, or an image above, could not be compiled."""
    unit: Unit
    parent: _Down | None
    causes: Causes

    def chain(self) -> Iterator[Unit]:
        """Give the image and what it stands on, up to the root."""
        here: _Down | None = self
        while here is not None:
            yield here.unit
            here = here.parent


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


def _compile(
    unit: Unit, parent: _Down | None, shop: Workshop, references: dict[str, tuple[str, Span]]
) -> tuple[Compiled | None, _Down]:
    """Compile one image as far as it goes, and give what its children stand on.

    Where something that it stands on is broken, what may only follow from that is kept back.
    """
    blind = unit.blind or (unit.parent is not None and parent is None)
    suspect = blind or unit.partial or shop.project.suspect or any(document.suspect for document in unit.documents)
    suspect = suspect or (parent is not None and parent.suspect)
    failed = parent is not None and parent.failed
    causes = Causes(
        lambda: (*unit.documents, *_documents_above(parent)),
        suspect=suspect,
        failed=failed,
        above=parent.causes if parent else None,
    )
    shop = replace(shop, findings=shop.findings.through(causes))
    stand = _stand_on(unit, None if blind else parent, shop)
    if stand.suspect:
        causes.doubt()
    inherited = Inherited(
        variables=parent.variables if parent else {},
        places=parent.places if parent else {},
        documents=lambda: _documents_above(parent),
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
        places=resolved.places,
        raw_programs={k: v for k, v in resolved.programs.items() if k not in resolved.turned_off},
        supervised=parent.supervised if parent else {},
        above=stand.above,
        known=stand.known,
        suspect=suspect or stand.suspect,
        failed=True,
        unit=unit,
        parent=parent,
        causes=causes,
    )
    causes.scope = resolved.scope
    checked = schema.Checked(resolved.node)
    if resolved.changed:
        checked = schema.check(resolved.node, "stack", "a stack", shop.findings)
    if resolved.scope.failed or checked.removed or not isinstance(checked.node, source.Mapping):
        return None, down
    own = read_programs(resolved.node)
    image = _image(unit, resolved, own, stand, shop)
    if not any(document.dim & {"image", "tag", "tags", "name"} for document in unit.documents):
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
    printed = _as_printed(lowered.lowered, stand.above.config, shop)
    config = printed.config if printed else lowered.config
    supervised = {**(parent.supervised if parent else {}), **own}
    supervised = {key: program for key, program in supervised.items() if key not in resolved.turned_off}
    check_programs(supervised, resolved.turned_off, shop.findings)
    compiled = Compiled(
        unit=unit,
        lowered=lowered.lowered,
        config=config,
        known=stand.known,
        outside=stand.outside,
        printed=printed.placed if printed else None,
        supervised=supervised,
        base=stand.above.config,
        left_behind=_left_behind(parent, resolved, frozenset((*own, *resolved.turned_off))),
        used_variables=frozenset(resolved.scope.used | stand.used_variables),
        variables=frozenset(resolved.places),
    )
    return compiled, replace(
        down,
        reference=image.reference,
        supervised=supervised,
        above=replace(lowered.above, config=config),
        failed=failed,
    )


def _documents_above(parent: _Down | None) -> Iterator[Document]:
    """Give the stacks that an image stands on, each with its fragments, the parent first."""
    for unit in parent.chain() if parent else ():
        yield from unit.documents


def _stand_on(unit: Unit, parent: _Down | None, shop: Workshop) -> Ground:
    if parent is None:
        return ground(unit, shop)
    return Ground(above=parent.above, distribution=parent.distribution, reference=parent.reference, known=parent.known)


def _left_behind(parent: _Down | None, resolved: Resolved, named: frozenset[Key]) -> Mapping[Key, frozenset[str]]:
    if parent is None or parent.variables == resolved.variables:
        return {}
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
        "env": Facts("the ENV that the parent brings", dict(config.env), key="env"),
        "user": config.user,
        "workdir": config.working_dir,
    }


def _as_printed(lowered: Lowered, parent: Config, shop: Workshop) -> Reread | None:
    """Read a user's own Dockerfile template back, so that what it adds is in the configuration."""
    if shop.printer is None:
        return None
    span = next(iter(lowered.image.spans.values()), None)
    try:
        return reread(shop.printer(lowered), lowered, parent, shop.templates)
    except TemplateFault as fault:
        fault.tell(shop.findings, span)
    except DockerfileError as error:
        shop.findings.error(
            "template-fails",
            f"the Dockerfile of {lowered.image.name} that your template prints is none: "
            f"line {error.line}: {error.message}",
            span,
        )
    except RefusedError as error:
        shop.findings.error("template-fails", f"Docker refuses what your template prints: {error}", span)
    return None


# -- the image


def _image(unit: Unit, resolved: Resolved, own: Mapping[Key, Program], stand: Ground, shop: Workshop) -> Image:
    node = resolved.node
    is_root = unit.parent is None
    repository = _text(node, "image") or unit.name
    if shop.project.registry and split_host(repository)[0] is None:
        repository = f"{shop.project.registry}/{repository}"
    tags = [_text(node, "tag") or "latest", *(word.text for word in words(node.get("tags")))]
    where = _supervisor_place(node, stand.distribution, shop.findings)
    service = node.get("service")
    repositories, own_repositories = reading.repositories(node.get("repositories"))
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
        sections=tuple(reading.sections(node)),
        context=tuple(reading.file_entry(item) for item in _items(node, "context")),
        platforms=tuple(each.text for each in words(node.get("platforms"))),
        supervisor=reading.supervisor(node, where),
        programs=tuple(own.values()),
        turned_off={(SECTIONS[block], name): span for (block, name), span in resolved.turned_off.items()},
        service=shape.typed(service, shape.load("service")) if service is not None else None,
        service_node=service,
        spans={**node.keys, **{key: span for key, span in unit.document.node.keys.items() if key not in node.keys}},
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
