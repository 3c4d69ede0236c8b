"""The files that say where packages come from: a mirror's, extra repositories', pip's."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from stackgen.diagnostics import Span, suggestion
from stackgen.know.catalog import Distribution, Mirror
from stackgen.read.source import Word
from stackgen.stack.lower.emitter import Emitter
from stackgen.stack.lower.packages import needs_distribution, used_repositories
from stackgen.stack.lower.steps import PipFile, RepositoryFile
from stackgen.stack.model import PackageGroup

PIP_CONFIG = "etc/pip.conf"


def choose_mirror(emitter: Emitter) -> tuple[str, Mirror] | None:
    """Give the mirror whose files this image writes; None where the image's own files, or an ancestor's, stay.

    A dead distribution's packages are in a vault that the image's own files do not name: there `official` writes files.
    """
    image, distribution = emitter.image, emitter.image.distribution
    wanted = image.mirror
    if distribution is None:
        if wanted is not None and image.is_root:
            needs_distribution(emitter, "mirrors", wanted.span)
        return None
    name = wanted.text if wanted else emitter.above.mirror
    if not image.is_root and name == emitter.above.mirror:
        mirror = emitter.tools.catalog.mirror(name)
        return (name, mirror) if mirror else None
    mirror = emitter.tools.catalog.mirror(name)
    if mirror is None:
        names = emitter.tools.catalog.names("mirror")
        if name in names:
            # Its own file has faults, and they are told.
            return None
        emitter.findings.error(
            "unknown-mirror",
            f'no mirror is called "{name}"',
            wanted.span if wanted else None,
            help=suggestion(name, names, f"known: {', '.join(names)}"),
        )
        return None
    if distribution.name not in mirror.carries and name != "official":
        emitter.findings.warning(
            "mirror-lacks",
            f"the mirror {name} does not carry {distribution.name}; its packages come from official",
            wanted.span if wanted else None,
        )
        official = emitter.tools.catalog.mirror("official")
        return ("official", official) if official else None
    return name, mirror


def lower_repositories(emitter: Emitter, groups: list[PackageGroup]) -> Mapping[str, bool]:
    """Copy the repository files that this image needs and no ancestor has; give the ids of all that lie there then, and
    whether each is on.

    The base repositories' files come with the mirror, in the root or where a child changes it; an extra repository's
    file comes with the first image that asks for it, and again where a child turns it on.
    """
    image, distribution = emitter.image, emitter.image.distribution
    above = emitter.above.repositories
    enabled = {word.text: word.span for word in image.repositories}
    asked = {**used_repositories(groups), **enabled}
    chosen = choose_mirror(emitter)
    if distribution is None or emitter.family is None:
        for span in asked.values():
            needs_distribution(emitter, "repositories", span)
        return emitter.above.repositories
    own = lower_own(emitter, distribution)
    _check_known(emitter, distribution, {k: v for k, v in asked.items() if k not in {**above, **own}})
    if chosen is None:
        return {**above, **own}
    name, mirror = chosen
    changed = image.is_root or name != emitter.above.mirror
    as_it_comes = name == "official" and image.is_root
    present = dict(above)
    paths: list[str] = []
    for file in distribution.repository_files:
        entries = file["repositories"]
        wanted = {
            each["id"]: each.get("enabled", True) or each["id"] in enabled or above.get(each["id"], False)
            for each in entries
        }
        if file.get("optional", False):
            needed = bool(wanted.keys() & (asked.keys() | above.keys()))
        else:
            needed = changed and not (as_it_comes and not distribution.dead)
        if needed and (changed or any(above.get(id) != on for id, on in wanted.items())):
            paths.extend(_repository_file(emitter, file, name, mirror, wanted, asked))
            present |= wanted
    if mirror.pip and changed and not as_it_comes:
        emitter.file(f"rootfs/{PIP_CONFIG}", PipFile(mirror.pip), 0o644, None)
        paths.append(PIP_CONFIG)
    emitter.copy(paths, image.mirror.span if image.mirror else None)
    return {**present, **own}


def _check_known(emitter: Emitter, distribution: Distribution, asked: dict[str, Span]) -> None:
    known = distribution.repositories()
    for name, span in asked.items():
        if name not in known:
            emitter.findings.error(
                "unknown-repository",
                f'{distribution.name} has no repository "{name}"',
                span,
                help=suggestion(name, known, f"known: {', '.join(known)}"),
            )


def _repository_file(
    emitter: Emitter, file: Any, name: str, mirror: Mirror, on: Mapping[str, bool], asked: Mapping[str, Span]
) -> list[str]:
    """Put one repository file, and the keys that the image lacks, into the context; give their paths in the image."""
    distribution, family = emitter.image.distribution, emitter.family
    assert distribution is not None
    assert family is not None
    official = emitter.tools.catalog.mirror("official")
    entries: list[Any] = []
    paths = [file["path"].lstrip("/")]
    for entry in file["repositories"]:
        carried = mirror.carries.get(distribution.name, {})
        url = carried.get(entry["id"])
        if url is None and official is not None:
            url = official.carries.get(distribution.name, {}).get(entry["id"])
            told = name == emitter.above.mirror and entry["id"] in emitter.above.repositories
            if not told:
                emitter.findings.warning(
                    "mirror-lacks",
                    f'the mirror {name} does not carry "{entry["id"]}" of {distribution.name}; it comes from official',
                    emitter.image.mirror.span if emitter.image.mirror else asked.get(entry["id"]),
                )
        entries.append({**entry, "url": url, "enabled": on[entry["id"]]})
        if "key_file" in entry and entry["id"] not in emitter.above.repositories:
            key = entry["keyring"].lstrip("/")
            content = emitter.tools.catalog.bytes_of(f"families/{family.name}/keys/{entry['key_file']}")
            emitter.file(f"rootfs/{key}", content, 0o644, None)
            paths.append(key)
    recipe = RepositoryFile(distribution, family, name, tuple(entries))
    emitter.file(f"rootfs/{paths[0]}", recipe, 0o644, None)
    return paths


def lower_own(emitter: Emitter, distribution: Distribution) -> Mapping[str, bool]:
    """Copy the files and keys of the stack's own repositories; give their names, which are on."""
    family = emitter.family
    assert family is not None
    paths: list[str] = []
    for own in emitter.image.own_repositories:
        key = family.own_repositories["key"].replace("*", own.name).lstrip("/") + posixpath.splitext(own.key.text)[1]
        content = emitter.project_file(own.key)
        if content is None:
            continue
        entry = {
            "id": own.name,
            "title": own.name,
            "url": own.url,
            "suites": own.suites,
            "components": own.components,
            "keyring": f"/{key}",
            "enabled": True,
        }
        path = family.own_repositories["file"].replace("*", own.name).lstrip("/")
        emitter.file(f"rootfs/{key}", content, 0o644, own.key.span)
        recipe = RepositoryFile(distribution, family, None, (entry,))
        emitter.file(f"rootfs/{path}", recipe, 0o644, own.span)
        paths += [key, path]
    emitter.copy(paths, emitter.image.own_repositories[0].span if paths else None)
    return {own.name: True for own in emitter.image.own_repositories}


def lower_certificates(emitter: Emitter, certificates: tuple[Word, ...]) -> None:
    """Copy certificate authorities in and trust them, before the first download."""
    if not certificates:
        return
    span = certificates[0].span
    known = needs_distribution(emitter, "certificates", span)
    if known is None:
        return
    place = known[1].certificates
    paths: list[str] = []
    for word in certificates:
        content = emitter.project_file(word)
        if content is not None:
            # update-ca-certificates looks at names that end in .crt alone.
            path = place["folder"].lstrip("/") + posixpath.splitext(posixpath.basename(word.text))[0] + ".crt"
            emitter.file(f"rootfs/{path}", content, 0o644, word.span)
            paths.append(path)
    emitter.copy(paths, span)
    files = [f"/{path}" for path in paths]
    text = emitter.render("families/certificates.j2", span, files=files, **place)
    if paths and text is not None:
        emitter.as_root(span)
        emitter.plain_shell()
        emitter.add_text(text.strip("\n"), span)
