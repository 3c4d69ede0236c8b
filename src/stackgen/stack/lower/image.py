"""One image to its steps, in the usual order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stackgen.diagnostics import Span, suggestion
from stackgen.docker import inherit
from stackgen.docker.instructions import (
    Cmd,
    Entrypoint,
    Exec,
    Label,
    Run,
)
from stackgen.docker.syntax import escape_dollar
from stackgen.know.catalog import Secret
from stackgen.read.source import Word
from stackgen.stack.lower.emitter import Above, Emitter, Tools
from stackgen.stack.lower.files import lower_context, lower_files
from stackgen.stack.lower.indexes import lower_indexes
from stackgen.stack.lower.instructions import LOWERERS, form, quoted_pairs
from stackgen.stack.lower.packages import (
    lower_packages,
    lower_pip,
    wanted_groups,
)
from stackgen.stack.lower.repositories import lower_certificates, lower_repositories
from stackgen.stack.lower.steps import Indexes, Lowered, ProgramFile, SupervisorFile
from stackgen.stack.model import FileEntry, Image, Pair, Section

LOG_FOLDER = "/var/log/supervisor"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoweredImage:
    """An image's steps and files, its configuration, and what its children stand on."""

    lowered: Lowered
    config: inherit.Config
    above: Above


def lower_image(image: Image, above: Above, tools: Tools, project_labels: Mapping[str, Word]) -> LoweredImage:
    """Give an image's steps in order, folding each instruction as it comes.

    Findings: unsayable, refused, needs-distro, unknown-user, no-supervisor, those of packages, files and commands.
    """
    emitter = Emitter(image, above, tools)
    early, late = _split_files(image, emitter)
    groups = wanted_groups(image, emitter)
    section = image.section
    for key in ("args", "env", "shell"):
        _simple(emitter, section(key))
    emitter.begin("certificates")
    lower_certificates(emitter, image.certificates)
    emitter.begin("repositories")
    indexes = lower_indexes(emitter, groups)
    repositories = lower_repositories(emitter, groups)
    if early:
        lower_files(emitter, early)
    _simple(emitter, section("users"))
    if groups:
        emitter.begin("packages")
        lower_packages(emitter, groups, _first_span(image, "packages"))
    _pip(emitter, section("pip"))
    emitter.begin("files")
    if late:
        lower_files(emitter, late)
    _supervised(emitter)
    for key in ("workdir", "run"):
        _simple(emitter, section(key))
    for each in image.sections:
        if each.own_order:
            _in_own_order(emitter, each)
    _labels(emitter, section("labels"), project_labels)
    for key in ("volumes", "expose", "stopsignal", "healthcheck"):
        _simple(emitter, section(key))
    emitter.begin("user")
    own_user = section("user")
    if own_user:
        LOWERERS["user"](emitter, own_user.value, own_user.span)
    emitter.as_declared()
    emitter.own_shell()
    _entrypoint(emitter, section("entrypoint"), section("cmd"))
    _simple(emitter, section("onbuild"))
    tops = lower_context(emitter, image.context)
    emitter.close()
    return _result(emitter, indexes, repositories, tops)


def _result(
    emitter: Emitter, indexes: Indexes, repositories: Mapping[str, bool], tops: tuple[str, ...]
) -> LoweredImage:
    image, above = emitter.image, emitter.above
    used_pip = image.section("pip") is not None or (image.supervisor is not None and image.supervisor.install == "pip")
    config = inherit.finish(emitter.state)
    has_rootfs = any(path.startswith("rootfs/") for path in emitter.files)
    return LoweredImage(
        lowered=Lowered(
            image=image,
            stages=tuple(emitter.stages),
            steps=tuple(emitter.steps),
            files=tuple(emitter.files[path] for path in sorted(emitter.files)),
            allowed=(*(["rootfs"] if has_rootfs else []), *tops),
            secrets=_secrets(emitter),
        ),
        config=config,
        above=Above(
            config=config,
            known=above.known or image.section("user") is not None,
            packages=emitter.packages,
            repositories=repositories,
            mirror=emitter.mirror_name,
            indexes=indexes,
            pip=above.pip or used_pip,
            users=emitter.users,
            modules=emitter.modules,
            supervisor=image.supervisor or above.supervisor,
        ),
    )


def _secrets(emitter: Emitter) -> tuple[Secret, ...]:
    """Give those secrets of the mirror that a RUN mounts, one of ours or of the stack's own."""
    runs = [each.instruction for step in emitter.steps for each in step.placed if isinstance(each.instruction, Run)]
    mounts = [flag.removeprefix("--mount=").split(",") for run in runs for flag in run.flags]
    mounted = {word for words in mounts if "type=secret" in words for word in words}
    return tuple(each for each in (emitter.mirror.secrets if emitter.mirror else ()) if f"id={each.id}" in mounted)


def _first_span(image: Image, key: str) -> Span:
    return image.spans.get(key) or image.spans.get("supervisor") or next(iter(image.spans.values()))


def _split_files(image: Image, emitter: Emitter) -> tuple[list[FileEntry], list[FileEntry]]:
    """Part the files that configure the package manager, which come before the first install, from the others."""
    family = emitter.family
    section = image.section("files")
    entries: list[FileEntry] = list(section.value) if section else []
    early = [entry for entry in entries if family and family.configures(entry.target)]
    return early, [entry for entry in entries if entry not in early]


def _pip(emitter: Emitter, section: Section | None) -> None:
    image = emitter.image
    requirements: list[Word] = list(section.value) if section else []
    span = section.span if section else None
    if image.supervisor and image.supervisor.install == "pip" and image.distribution:
        known = image.distribution.supervisor.get("pip", {})
        requirements += [Word(each, image.supervisor.span) for each in known.get("requirements", ())]
        span = span or image.supervisor.span
    if requirements and span:
        emitter.begin("pip")
        lower_pip(emitter, requirements, span)


def _supervised(emitter: Emitter) -> None:
    """Copy supervisord's configuration, and the file of each program that this image says something of."""
    image = emitter.image
    supervisor = image.supervisor or emitter.above.supervisor
    files: dict[str, Span] = {}
    if image.supervisor is not None:
        path = image.supervisor.config.lstrip("/")
        emitter.file(f"rootfs/{path}", SupervisorFile(image.supervisor), 0o644, image.supervisor.span)
        files[path] = image.supervisor.span
        if image.supervisor.logs == "files":
            emitter.as_root(image.supervisor.span)
            emitter.plain_shell()
            emitter.add_text(f"RUN mkdir -p {LOG_FOLDER}", image.supervisor.span)
    for program in image.programs:
        if supervisor is None:
            emitter.findings.error(
                "no-supervisor",
                f'"{program.name}" needs a supervisor, and no image above brings one',
                program.span,
                help="give a root one: supervisor: {install: package}",
            )
            continue
        path = supervisor.file_of(program.kind, program.name).lstrip("/")
        emitter.file(f"rootfs/{path}", ProgramFile(program, program.name, supervisor.logs), 0o644, program.span)
        files[path] = program.span
    for (kind, name), span in image.turned_off.items():
        if supervisor is not None:
            path = supervisor.file_of(kind, name).lstrip("/")
            emitter.file(f"rootfs/{path}", ProgramFile(None, name, supervisor.logs), 0o644, span)
            files[path] = span
    emitter.copy(files, next(iter(files.values()), None))


def _entrypoint(emitter: Emitter, entrypoint: Section | None, cmd: Section | None) -> None:
    supervisor = emitter.image.supervisor
    emitter.begin("entrypoint")
    if entrypoint is not None:
        emitter.add(Entrypoint(command=form(entrypoint.value)), entrypoint.span)
    elif supervisor is not None:
        argv = (supervisor.command, "-n", "-c", supervisor.config)
        emitter.add(Entrypoint(command=Exec(argv)), supervisor.span)
    if cmd is not None:
        emitter.begin("cmd")
        emitter.add(Cmd(command=form(cmd.value)), cmd.span)


def _labels(emitter: Emitter, section: Section | None, project_labels: Mapping[str, Word]) -> None:
    """Label each image with what would be wrong if it were its parent's, and the root with what holds for all.

    Keys: https://github.com/opencontainers/image-spec/blob/main/annotations.md
    """
    image = emitter.image
    prefix = "org.opencontainers.image."
    spans = image.spans
    file = Span.whole(_any_span(image).source)
    found = [Pair(f"{prefix}title", escape_dollar(image.name), spans.get("name", file))]
    if image.description:
        description = escape_dollar(" ".join(image.description.split()))
        found.append(Pair(f"{prefix}description", description, spans.get("description", file)))
    if image.parent != "scratch":
        base = spans.get("extends") or spans.get("from") or file
        found.append(Pair(f"{prefix}base.name", escape_dollar(image.parent), base))
    if image.is_root:
        found += [Pair(name, escape_dollar(word.text), word.span) for name, word in project_labels.items()]
    labels = {pair.name: pair for pair in (*found, *(section.value if section else ()))}
    emitter.begin("labels")
    pairs = quoted_pairs(emitter, list(labels.values()))
    parts = [pair.span for pair in labels.values()]
    emitter.add(Label(pairs=pairs), section.span if section else file, parts=parts)


def _any_span(image: Image) -> Span:
    return next(iter(image.spans.values()))


def _simple(emitter: Emitter, section: Section | None) -> None:
    if section is not None:
        emitter.begin(section.key)
        LOWERERS[section.key](emitter, section.value, section.span)


def _in_own_order(emitter: Emitter, section: Section) -> None:
    """Take one entry of `steps`."""
    emitter.begin(section.key, own_order=True)
    if section.key == "packages":
        lower_packages(emitter, list(section.value), section.span)
    elif section.key == "pip":
        lower_pip(emitter, list(section.value), section.span)
    elif section.key == "files":
        lower_files(emitter, section.value)
    elif section.key == "labels":
        pairs = quoted_pairs(emitter, list(section.value))
        if pairs:
            emitter.add(Label(pairs=pairs), section.span, parts=[pair.span for pair in section.value])
    elif section.key in ("entrypoint", "cmd"):
        command = form(section.value)
        emitter.add(Entrypoint(command=command) if section.key == "entrypoint" else Cmd(command=command), section.span)
    elif section.key in LOWERERS:
        LOWERERS[section.key](emitter, section.value, section.span)
    else:
        emitter.findings.error(
            "not-yet",
            f"`{section.key}` has no place of its own in `steps` yet",
            section.span,
            help=suggestion(section.key, LOWERERS) or "write it at the top of the stack",
        )
