"""System packages, pip, the files that say where they come from, and the supervisor that is installed by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from stackgen.diagnostics import Related, Span, suggestion
from stackgen.docker.instructions import Copy
from stackgen.docker.syntax import escape_dollar
from stackgen.know.catalog import Distribution, Family, Mirror
from stackgen.read.source import Word
from stackgen.stack.lower.emitter import Emitter
from stackgen.stack.lower.steps import PipFile, RepositoryFile
from stackgen.stack.model import Image, PackageGroup

PIP_CONFIG = "etc/pip.conf"


def needs_distribution(emitter: Emitter, what: str, span: Span | None) -> tuple[Distribution, Family] | None:
    """Give the distribution and its family, or None with a finding that asks for `distro`."""
    distribution, family = emitter.image.distribution, emitter.family
    if distribution is None or family is None:
        emitter.findings.error(
            "needs-distro",
            f"{what} need to know the distribution of the root's image",
            span,
            help="say it in the root's stack: distro: debian-12",
        )
        return None
    return distribution, family


def groups_of(entries: Iterable[Any], span: Span, name: str) -> tuple[PackageGroup, ...]:
    """Give packages that the data name as groups: plain names as one, called `name`."""
    loose = tuple(Word(entry, span) for entry in entries if isinstance(entry, str))
    groups = [PackageGroup(name=name, packages=loose)] if loose else []
    for entry in entries:
        if not isinstance(entry, str):
            groups.append(
                PackageGroup(
                    name=entry["name"],
                    packages=tuple(Word(each, span) for each in entry["install"]),
                    repositories=tuple(Word(each, span) for each in entry.get("repositories", ())),
                )
            )
    return tuple(groups)


def wanted_groups(image: Image, emitter: Emitter) -> list[PackageGroup]:
    """Give every group that the image installs in its usual place: its own, the supervisor's and pip's."""
    section = image.section("packages")
    groups: list[PackageGroup] = list(section.value) if section else []
    supervisor, distribution, family = image.supervisor, image.distribution, emitter.family
    if supervisor and distribution:
        known = distribution.supervisor.get(supervisor.install, {})
        groups.extend(groups_of(known.get("packages", ()), supervisor.span, "supervisor"))
    requirements = image.section("pip")
    by_pip = supervisor is not None and supervisor.install == "pip"
    if family and (requirements or by_pip) and not emitter.above.pip:
        span = requirements.span if requirements else supervisor.span if supervisor else None
        assert span is not None
        groups.extend(groups_of(family.pip["packages"], span, "pip"))
    return groups


def used_repositories(groups: Iterable[PackageGroup]) -> dict[str, Span]:
    """Give every repository that groups ask for, and where."""
    return {word.text: word.span for group in groups for word in group.repositories}


def lower_packages(emitter: Emitter, groups: list[PackageGroup], span: Span) -> None:
    """Install groups in one RUN, by the family's template."""
    known = needs_distribution(emitter, "packages", span)
    if known is None:
        return
    _, family = known
    _check_packages(emitter, groups)
    text = emitter.render(
        f"families/{family.name}/install.j2",
        span,
        groups=[
            {
                "name": group.name,
                "packages": sorted({word.text for word in group.packages}),
                "repositories": [word.text for word in group.repositories],
            }
            for group in groups
        ],
        first=not emitter.above.packages,
        cache_mounts=emitter.tools.builder != "classic",
    )
    if text is not None:
        emitter.as_root(span)
        emitter.plain_shell()
        emitter.add_text(text.strip("\n"), span)


def _check_packages(emitter: Emitter, groups: list[PackageGroup]) -> None:
    first: dict[str, Word] = {}
    for group in groups:
        for word in group.packages:
            other = first.setdefault(word.text, word)
            if other is not word:
                emitter.findings.warning(
                    "doubled-package",
                    f'"{word.text}" is installed twice',
                    word.span,
                    help="remove one of the two",
                    related=[Related("first named here", other.span)],
                )
            elif word.text in emitter.above.packages:
                emitter.findings.warning(
                    "package-inherited",
                    f'"{word.text}" is already installed by {emitter.above.packages[word.text]}',
                    word.span,
                    help="remove it here",
                )


def lower_pip(emitter: Emitter, requirements: list[Word], span: Span) -> None:
    """Install Python packages in one RUN, sorted."""
    known = needs_distribution(emitter, "Python packages", span)
    if known is None:
        return
    _, family = known
    text = emitter.render(
        "families/pip.j2",
        span,
        command=family.pip["command"],
        requirements=sorted({word.text for word in requirements}),
    )
    if text is not None:
        emitter.as_root(span)
        emitter.plain_shell()
        emitter.add_text(text.strip("\n"), span)


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
    enabled = {word.text: word.span for word in image.repositories}
    asked = {**used_repositories(groups), **enabled}
    chosen = choose_mirror(emitter)
    if distribution is None or emitter.family is None:
        for span in asked.values():
            needs_distribution(emitter, "repositories", span)
        return emitter.above.repositories
    _check_known(emitter, distribution, asked)
    if chosen is None:
        return emitter.above.repositories
    name, mirror = chosen
    above = emitter.above.repositories
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
    copy_together(emitter, paths, image.mirror.span if image.mirror else None)
    return present


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


def copy_together(emitter: Emitter, paths: Iterable[str], span: Span | None, flags: tuple[str, ...] = ()) -> None:
    """Copy files of `rootfs/` to the same paths in the image: one COPY for each directory, so that none that is
    there gets the context's modes.
    """
    by_folder: dict[str, list[str]] = {}
    for path in sorted(set(paths)):
        by_folder.setdefault(path.rpartition("/")[0], []).append(path)
    for folder, members in sorted(by_folder.items()):
        sources = tuple(emitter.source(f"rootfs/{path}", emitter.files[f"rootfs/{path}"].span) for path in members)
        dest = emitter.word(escape_dollar(f"/{folder}/" if folder else "/"), span)
        emitter.add(Copy(sources=sources, dest=dest, flags=flags), span)
