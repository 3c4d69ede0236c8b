"""A closure to a plan: paths, contents and modes. Pure: it writes nothing, and reads no clock and no environment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stackgen.diagnostics import Findings
from stackgen.know.templates import TemplateFault, Templates
from stackgen.render.bake import bake_json
from stackgen.render.compose import compose_yaml, service_of
from stackgen.render.dockerfile import print_dockerfile
from stackgen.render.repositories import pip_conf, repository_file
from stackgen.render.supervisord import Unsayable, program_conf, supervisord_conf
from stackgen.stack.compile import Compiled
from stackgen.stack.lower.steps import ContextFile, PipFile, ProgramFile, RepositoryFile, SupervisorFile
from stackgen.stack.project import Options, Project

PLAIN = 0o644


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file to write: its path below the output folder, its content, its mode."""

    path: str
    content: bytes
    mode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedImage:
    """One image's folder, and its part of the files that describe the whole output folder."""

    name: str
    stack: str
    options: Mapping[str, Any]
    """What of the options shaped it."""
    variables: tuple[str, ...]
    """The variables that it knows, and that `--set` could have changed."""
    files: tuple[PlannedFile, ...]
    part: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that a render writes into `folder`; `options` shaped it, `covers` are what was asked for."""

    images: tuple[PlannedImage, ...]
    options: Mapping[str, Any]
    covers: tuple[str, ...]
    folder: Path
    project: Project
    templates: Templates

    def shared(self, parts: Mapping[str, Mapping[str, Any]]) -> tuple[PlannedFile, ...]:
        """Give compose.yaml and docker-bake.json for every image that the folder holds then."""
        if not parts:
            return ()
        compose = compose_yaml(parts, self.project, self.templates)
        return (
            PlannedFile("compose.yaml", compose.encode(), PLAIN),
            PlannedFile("docker-bake.json", bake_json(parts).encode(), PLAIN),
        )


def make_plan(
    compiled: Iterable[Compiled],
    project: Project,
    options: Options,
    templates: Templates,
    covers: tuple[str, ...],
    folder: Path,
    findings: Findings,
) -> Plan:
    """Give the plan of compiled images for an output folder.

    Findings: template-fails, unsayable.
    """
    compiled = tuple(compiled)
    names = {each.unit.key: each.unit.name for each in compiled}
    images: list[PlannedImage] = []
    for each in compiled:
        own_options = options.only(each.variables)
        typed = own_options if each.unit.on_base else replace(own_options, base=None)
        files = _image_files(each, project, typed, templates, findings)
        stack_folder = project.inputs.root / each.unit.document.folder
        part = {
            "references": list(each.image.references),
            "platforms": list(each.image.platforms),
            "parent": names.get(each.unit.parent or ""),
            "parent_reference": each.image.parent,
            "secrets": [{"id": each.id, "env": each.env, "file": each.file} for each in each.lowered.secrets],
            "service": service_of(each, names, Path(os.path.relpath(stack_folder, folder)).as_posix()),
        }
        images.append(
            PlannedImage(
                name=each.unit.name,
                stack=each.unit.document.path,
                # A root stands where it stands, whatever --base says.
                options=(own_options if each.unit.parent else typed).shaping(),
                variables=tuple(sorted(each.variables)),
                files=files,
                part=part,
            )
        )
    return Plan(
        images=tuple(images),
        options=options.shaping(),
        covers=covers,
        folder=folder,
        project=project,
        templates=templates,
    )


def _image_files(
    compiled: Compiled, project: Project, options: Options, templates: Templates, findings: Findings
) -> tuple[PlannedFile, ...]:
    lowered = compiled.lowered
    files: list[PlannedFile] = []
    try:
        dockerfile = print_dockerfile(lowered, templates, options, project)
        files.append(PlannedFile("Dockerfile", dockerfile.encode(), PLAIN))
    except TemplateFault as fault:
        fault.tell(findings, next(iter(compiled.image.spans.values()), None))
    files.append(PlannedFile(".dockerignore", dockerignore(lowered.allowed).encode(), PLAIN))
    for file in lowered.files:
        content = _content(file, templates, findings)
        if content is not None:
            files.append(PlannedFile(file.path, content, file.mode))
    return tuple(files)


def dockerignore(allowed: Iterable[str]) -> str:
    """Ignore all, then allow what is copied (https://docs.docker.com/build/concepts/context/#dockerignore-files)."""
    return "".join(f"{line}\n" for line in ["*", *(f"!{name}" for name in allowed)])


def _content(file: ContextFile, templates: Templates, findings: Findings) -> bytes | None:
    recipe = file.content
    try:
        match recipe:
            case bytes():
                return recipe
            case ProgramFile():
                return program_conf(recipe, templates).encode()
            case SupervisorFile():
                return supervisord_conf(recipe, templates).encode()
            case RepositoryFile():
                return repository_file(recipe, templates).encode()
            case PipFile():
                return pip_conf(recipe, templates).encode()
    except Unsayable as error:
        findings.error("unsayable", f"supervisord cannot be told this: {error}", file.span)
    except TemplateFault as fault:
        fault.tell(findings, file.span)
    return None
