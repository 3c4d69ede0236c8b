"""What is downloaded while building: ADD with a checksum, from a build stage of its own where there is more to do."""

from __future__ import annotations

from dataclasses import replace

from stackgen.diagnostics import Span
from stackgen.docker.instructions import Add, Copy, From
from stackgen.docker.syntax import escape_dollar
from stackgen.stack.lower.emitter import Emitter
from stackgen.stack.lower.steps import Step, placed
from stackgen.stack.model import Download, FileEntry


def lower_download(emitter: Emitter, entry: FileEntry, download: Download, dest: str, flags: tuple[str, ...]) -> None:
    """Take a file from its address to `dest`; `flags` are those of its COPY or ADD.

    ADD does not unpack what it downloads (https://docs.docker.com/reference/dockerfile/#add), and an archive that is
    copied in first stays in its layer: a build stage has it, and so has the address for each architecture.
    """
    span = entry.dest.span
    if emitter.tools.builder != "buildkit":
        emitter.findings.error(
            "builder-lacks",
            f"the builder {emitter.tools.builder} has no ADD --checksum",
            span,
            help="download the file into the project, and take it from there",
        )
        return
    target = emitter.word(escape_dollar(dest), span)
    if "" in download.urls and not download.unpack:
        emitter.add(_add(emitter, download, "", target, span, flags), span)
        return
    name = _stage(emitter, download, span)
    if not download.unpack:
        emitter.add(Copy(sources=("/download",), dest=target, flags=(f"--from={name}", *flags)), span)
        return
    emitter.run("dockerfile/unpack.j2", span, stage=name, dest=dest, strip=download.strip, owner=entry.owner)


def _add(emitter: Emitter, download: Download, arch: str, dest: str, span: Span, flags: tuple[str, ...] = ()) -> Add:
    """Give the ADD of an address, which is expanded as a path is, and no pattern as a file's name is."""
    checksum = download.checksums.get(arch, download.checksums.get("", ""))
    url = emitter.word(escape_dollar(download.urls[arch]), span)
    return Add(sources=(url,), dest=dest, flags=(f"--checksum={checksum}", *flags))


def _stage(emitter: Emitter, download: Download, span: Span) -> str:
    """Begin a build stage that has the file as /download, where needed by architecture; give its name."""
    one = "" in download.urls
    name = f"download-{sum(1 for stage in emitter.stages if stage.key == 'stage') + 1}"
    for arch in sorted(download.urls):
        stage = From(image="scratch", name=name if one else f"{name}-{arch.replace('/', '')}")
        add = _add(emitter, download, arch, "/download", span)
        emitter.stages.append(Step("stage" if one else "architecture", (placed(stage, span), placed(add, span))))
    if not one:
        # hadolint takes the stage of an architecture for an image without a tag.
        variant = "$TARGETVARIANT" if any("/" in arch for arch in download.urls) else ""
        chosen = placed(From(image=f"{name}-$TARGETARCH{variant}", name=name), span)
        chosen = replace(chosen, text=f"# hadolint ignore=DL3006\n{chosen.text}")
        emitter.stages.append(Step("stage", (chosen,)))
    return name
