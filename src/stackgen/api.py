"""The verbs of the pipeline: load, check, render, inspect, write. What the command line does, without printing.

plan = stackgen.api.render(["stacks/wordpress.yml"]).unwrap()
stackgen.api.write(plan).unwrap()
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stackgen.diagnostics import Diagnostic, Findings, Result, StackError, did_you_mean, suggestion
from stackgen.docker.config import Config
from stackgen.docker.errors import NoAnswerError
from stackgen.know.catalog import Catalog, Distribution, Mirror
from stackgen.know.templates import Templates
from stackgen.lint.ignore import Seen, without_ignored
from stackgen.lint.run import WHOLE_RULES, lint
from stackgen.read.inputs import Inputs
from stackgen.read.source import Mapping as MappingNode
from stackgen.render.dockerfile import print_dockerfile
from stackgen.render.plan import Plan, make_plan
from stackgen.stack.compile import Compiled, compile_closure
from stackgen.stack.documents import ENDINGS
from stackgen.stack.inspection import Difference, Inspection, differences
from stackgen.stack.load import Closure
from stackgen.stack.load import load as load_closure
from stackgen.stack.project import PROJECT_FILE, Options, Project, find_root, load_project
from stackgen.stack.provenance import trace
from stackgen.stack.workshop import Ask, Workshop
from stackgen.write.emit import Changes, apply, compare

__all__ = [
    "Ask",
    "CallError",
    "Checked",
    "Config",
    "Difference",
    "Distribution",
    "Inspection",
    "Known",
    "Loaded",
    "Mirror",
    "NoAnswerError",
    "Options",
    "Plan",
    "Result",
    "StackError",
    "changes",
    "check",
    "differences",
    "find_stack",
    "inspect",
    "known",
    "load",
    "render",
    "write",
]  # fmt: skip


DEFAULTS = Options()


class CallError(Exception):
    """The call itself is wrong: a path that is not there, no path at all."""

    def __init__(self, message: str, help: str | None = None) -> None:
        self.help = help
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A project's stacks in build order, and what the rest of the pipeline works with."""

    closure: Closure
    covers: tuple[str, ...]
    project: Project
    options: Options
    findings: Findings
    catalog: Catalog
    templates: Templates

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.project.inputs.root


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Every image of a closure, compiled, in build order."""

    loaded: Loaded
    images: tuple[Compiled, ...]


def _locate(paths: Sequence[str | Path], cwd: Path) -> tuple[Path, list[Path]]:
    """Give the project's root and the paths as absolute ones. Raises CallError."""
    absolute = [Path(os.path.normpath(cwd / path)) for path in paths]
    for given, path in zip(paths, absolute, strict=True):
        if not path.exists():
            siblings = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
            close = did_you_mean(path.name, siblings)
            meant = Path(given).with_name(close) if close else None
            raise CallError(f"{given} is not there", f"did you mean {meant}?" if meant else None)
    if not absolute:
        root = find_root(cwd)
        if root is None:
            raise CallError(
                "which stacks?",
                f"name a stack file or a folder; without a PATH, {PROJECT_FILE} says `stacks:`",
            )
        return root, []
    first = absolute[0] if absolute[0].is_dir() else absolute[0].parent
    root = find_root(first) or (cwd if first.is_relative_to(cwd) else first)
    for path in absolute:
        if not path.is_relative_to(root):
            raise CallError(
                f"{path.name} lies outside of the project {root.name}",
                f"an empty {PROJECT_FILE} in a folder above makes one project of all below it",
            )
    return root, absolute


def _matches(root: Path, pattern: str) -> list[Path]:
    """Give what a pattern of `stacks` names; nothing outside of the project is anything of it."""
    plain = os.path.normpath(pattern)
    if plain == os.curdir:
        return [root]
    return [] if plain.startswith((os.sep, os.pardir)) else list(root.glob(plain))


def _stacks(root: Path, paths: list[Path], project: Project) -> tuple[list[str], tuple[str, ...]]:
    """Give the stack files that paths name, as project paths, and what the paths cover."""
    if not paths:
        if not project.stacks:
            raise CallError("which stacks?", f"name a stack file or a folder, or say `stacks:` in {PROJECT_FILE}")
        paths = sorted(path for pattern in project.stacks for path in _matches(root, pattern))
        if not paths:
            raise CallError(f"`stacks` of {PROJECT_FILE} names nothing that is there")
    stacks: list[str] = []
    covers: list[str] = []
    for path in paths:
        relative = path.relative_to(root).as_posix()
        covers.append(relative)
        if path.is_dir():
            inside = [
                name for name in project.inputs.listing(relative) if name.endswith(ENDINGS) and name != PROJECT_FILE
            ]
            if not inside:
                raise CallError(f"no stack lies in {relative}", "a stack is a file NAME.yml directly in the folder")
            stacks += [name if relative == "." else f"{relative}/{name}" for name in inside]
        else:
            stacks.append(relative)
    return stacks, tuple(covers)


def load(
    paths: Sequence[str | Path],
    options: Options = DEFAULTS,
    *,
    cwd: Path | None = None,
) -> Result[Loaded]:
    """Give the closure of stacks in build order.

    Takes paths of stack files or folders, relative to `cwd`. Raises CallError where a path is not there.
    """
    here = (cwd or Path.cwd()).absolute()
    root, absolute = _locate(paths, here)
    findings = Findings()
    inputs = Inputs(root)
    project = load_project(inputs, findings)
    # A project file that is broken may have said which stacks: then its faults are the answer.
    unsaid = not absolute and not project.stacks and bool(findings.errors)
    stacks, covers = ([], ()) if unsaid else _stacks(root, absolute, project)
    closure = load_closure(stacks, project, options, findings)
    _check_variables(closure, project, options, findings)
    own_data = Inputs(root / project.data) if project.data else None
    own_templates = [Inputs(here / options.templates)] if options.templates else []
    if project.templates:
        own_templates.append(Inputs(root / project.templates))
    if own_data:
        own_templates.append(own_data)
    loaded = Loaded(
        closure=closure,
        covers=covers,
        project=project,
        options=options,
        findings=findings,
        catalog=Catalog(own_data, findings),
        templates=Templates(own_templates),
    )
    return Result(loaded, findings.sorted())


def _check_variables(closure: Closure, project: Project, options: Options, findings: Findings) -> None:
    """A `--set` whose name no stack defines is a mistyped one."""
    if any(unit.blind or unit.partial or any(each.suspect for each in unit.documents) for unit in closure.units):
        return
    known = set(project.variables)
    for unit in closure.units:
        for document in (unit.document, *unit.fragments):
            whens = document.node.get("when")
            branches = whens.values.values() if isinstance(whens, MappingNode) else ()
            for node in (document.node, *branches):
                found = node.get("vars") if isinstance(node, MappingNode) else None
                known |= set(found.values) if isinstance(found, MappingNode) else set()
    for name in options.variables:
        if name not in known:
            findings.error(
                "unknown-variable",
                f"--set {name}: no stack defines a variable of this name",
                help=suggestion(name, known, f"defined: {', '.join(sorted(known))}" if known else None),
            )


def check(loaded: Loaded, *, ask: Ask | None = None) -> Result[Checked]:
    """Compile every image and give all findings; the value has those images that could be compiled.

    `ask` gives the configuration of an outside image that nobody knows, by its reference, or raises NoAnswerError.
    """
    printer = None
    if loaded.templates.overrides("dockerfile"):

        def printer(lowered: Any) -> str:
            return print_dockerfile(lowered, loaded.templates, loaded.options, loaded.project)

    shop = Workshop(
        project=loaded.project,
        options=loaded.options,
        catalog=loaded.catalog,
        templates=loaded.templates,
        findings=loaded.findings,
        printer=printer,
        ask=ask,
    )
    images = compile_closure(loaded.closure, shop)
    lint(images, _complete(loaded), loaded.project.inputs, loaded.findings)
    return Result(Checked(loaded=loaded, images=images), loaded.findings.sorted())


def _complete(loaded: Loaded) -> frozenset[str]:
    """Give the folders that the caller named, of which every stack, and whoever stands on it, is part of the run.

    None where the project has stacks in other places too: they may use what these do not.
    """
    covered = set(loaded.covers)
    for pattern in loaded.project.stacks:
        if any(path.relative_to(loaded.root).as_posix() not in covered for path in _matches(loaded.root, pattern)):
            return frozenset()
    folders = (place for place in loaded.covers if loaded.project.inputs.is_folder(place))
    return frozenset("" if place == "." else place for place in folders)


def _reported(loaded: Loaded) -> tuple[Diagnostic, ...]:
    """Give every finding, less those that the project or a line ignores."""
    documents = [document for unit in loaded.closure.units for document in (unit.document, *unit.fragments)]
    sources = {document.path: document.node.span.source for document in documents}
    seen = Seen(
        plain=not any(loaded.options.shaping().values()),
        whole=bool(_complete(loaded)),
        by_whole=frozenset(rule.code for rule in WHOLE_RULES),
    )
    return without_ignored(loaded.findings.sorted(), sources.values(), loaded.project.ignore, seen)


def _checked(paths: Sequence[str | Path], options: Options, cwd: Path | None, ask: Ask | None = None) -> Checked:
    loaded = load(paths, options, cwd=cwd)
    assert loaded.value is not None
    checked = check(loaded.value, ask=ask)
    assert checked.value is not None
    return checked.value


def render(
    paths: Sequence[str | Path],
    options: Options = DEFAULTS,
    *,
    output: str | Path | None = None,
    cwd: Path | None = None,
) -> Result[Plan]:
    """Give the plan of what is to be written, without writing. Raises CallError.

    Takes the output folder relative to `cwd`; paths in compose.yaml are written as seen from there.
    """
    checked = _checked(paths, options, cwd)
    loaded = checked.loaded
    here = (cwd or Path.cwd()).absolute()
    folder = here / output if output is not None else loaded.root / loaded.project.output
    plan = make_plan(checked.images, loaded.project, options, loaded.templates, loaded.covers, folder, loaded.findings)
    return Result(None if loaded.findings.errors else plan, _reported(loaded))


def inspect(
    paths: Sequence[str | Path],
    options: Options = DEFAULTS,
    *,
    ask: Ask | None = None,
    cwd: Path | None = None,
) -> Result[tuple[Inspection, ...]]:
    """Give what the named stacks' images will be, in build order. Raises CallError.

    `ask` gives the configuration of an outside image that nobody knows, by its reference, or raises NoAnswerError.
    """
    checked = _checked(paths, options, cwd, ask)
    if checked.loaded.findings.errors:
        return Result(None, _reported(checked.loaded))
    traced = trace(checked.images)
    chosen = tuple(Inspection(traced=traced[each.unit.key]) for each in checked.images if each.unit.named)
    return Result(chosen, _reported(checked.loaded))


def find_stack(path: str | Path, other: str | Path, *, cwd: Path | None = None) -> Path:
    """Give the file of a stack that is named by its path, or by its name beside `other` or in the project's `stacks`.

    Raises CallError.
    """
    here = (cwd or Path.cwd()).absolute()
    given = Path(path)
    if (here / given).exists() or len(given.parts) != 1 or given.suffix in ENDINGS:
        return given
    beside = here / other
    places = [beside if beside.is_dir() else beside.parent] if beside.exists() else []
    root = find_root(here)
    if root is not None:
        project = load_project(Inputs(root), Findings())
        places += [each for pattern in project.stacks for each in _matches(root, pattern)]
    files = [file for place in places for file in (sorted(place.iterdir()) if place.is_dir() else [place])]
    stacks = {file.stem: file for file in reversed(files) if file.suffix in ENDINGS and file.name != PROJECT_FILE}
    if given.name not in stacks:
        known = f"stacks there: {', '.join(sorted(stacks))}" if stacks else "name its file: stacks/NAME.yml"
        raise CallError(f'no stack "{given}" is to be found', suggestion(given.name, stacks, known))
    return Path(os.path.relpath(stacks[given.name], here))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of the world, by name, and which of it is the project's own."""

    distributions: tuple[Distribution, ...]
    mirrors: tuple[Mirror, ...]
    own_distributions: frozenset[str]
    own_mirrors: frozenset[str]


def known(*, cwd: Path | None = None) -> Result[Known]:
    """Give the distributions and mirrors that are known, those of the project that `cwd` lies in included."""
    findings = Findings()
    root = find_root((cwd or Path.cwd()).absolute())
    project = load_project(Inputs(root), findings) if root else None
    folder = root / project.data if root and project and project.data else None
    catalog = Catalog(Inputs(folder) if folder and folder.is_dir() else None, findings)
    found = Known(
        distributions=tuple(filter(None, map(catalog.distribution, catalog.names("distro")))),
        mirrors=tuple(filter(None, map(catalog.mirror, catalog.names("mirror")))),
        own_distributions=catalog.own_names("distro"),
        own_mirrors=catalog.own_names("mirror"),
    )
    return Result(found, findings.sorted())


def changes(plan: Plan, *, force: bool = False) -> Result[Changes]:
    """Say what a plan would do to its output folder, without writing; `force` is over hand edits."""
    findings = Findings()
    found = compare(plan, plan.project.inputs.is_file, findings, force=force)
    return Result(found, findings.sorted())


def write(plan: Plan, *, force: bool = False) -> Result[Changes]:
    """Write a plan, or give findings and write nothing; the value says what was done."""
    found = changes(plan, force=force)
    if found.value is not None and found.ok:
        try:
            apply(found.value)
        except OSError as error:
            findings = Findings()
            where = Path(error.filename).name if error.filename else "a file"
            findings.error(
                "cannot-write",
                f"{where} cannot be written: {(error.strerror or 'failed').lower()}",
                help="make room for it, or render into another folder with -o DIR",
            )
            return Result(None, findings.sorted())
    return found
