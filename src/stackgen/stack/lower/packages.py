"""System packages and pip, and the supervisor that is installed by them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from stackgen.diagnostics import Fix, Related, Span
from stackgen.know.catalog import Distribution, Family
from stackgen.read.source import Word
from stackgen.stack.lower.emitter import Emitter
from stackgen.stack.model import Image, PackageGroup, Section, Supervisor

# A package, or what one provides, by its name alone: no version, pattern, group or path.
_PLAIN = re.compile(r"(?!.*-\d)[A-Za-z0-9][\w.+-]*")


def needs_distribution(emitter: Emitter, what: str, span: Span | None) -> tuple[Distribution, Family] | None:
    """Give the distribution and its family, or None with a finding that asks for `distro`."""
    distribution, family = emitter.image.distribution, emitter.family
    if distribution is None or family is None:
        emitter.findings.error(
            "needs-distro",
            f"{what} need to know the distribution of the root's image",
            span,
            help="say it in the root's stack, one that `stackgen distros` lists: distro: debian-12",
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
                    modules=tuple(Word(each, span) for each in entry.get("modules", ())),
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
        groups.extend(groups_of(_pip(image.distribution, family)["packages"], span, "pip"))
    return groups


def used_repositories(groups: Iterable[PackageGroup]) -> dict[str, Span]:
    """Give every repository that groups ask for, and where."""
    return {word.text: word.span for group in groups for word in group.repositories}


def lower_packages(emitter: Emitter, groups: list[PackageGroup], span: Span) -> None:
    """Install groups in one RUN, by the family's template."""
    known = needs_distribution(emitter, "packages", span)
    if known is None:
        return
    distribution, family = known
    _check_packages(emitter, groups)
    installs = emitter.run(
        f"families/{family.name}/install.j2",
        span,
        distribution=distribution,
        cache=distribution.cache or family.cache,
        flags=mirror_secrets(emitter, span),
        groups=[
            {
                "name": group.name,
                "packages": sorted({word.text for word in group.packages}),
                "repositories": [word.text for word in group.repositories],
                "modules": [word.text for word in group.modules],
                "release": _release(group, distribution),
                "plain": [name for name in sorted({word.text for word in group.packages}) if _PLAIN.fullmatch(name)],
                "tag": _tag(emitter, group, distribution),
            }
            for group in groups
        ],
        streams=_streams(emitter, family, groups),
        first=not emitter.packages,
        cache_mounts=emitter.tools.builder != "classic",
    )
    if installs:
        installed = {word.text: emitter.image.name for group in groups for word in group.packages}
        emitter.packages = {**installed, **emitter.packages}


def _pip(distribution: Distribution | None, family: Family) -> Mapping[str, Any]:
    return distribution.pip if distribution and distribution.pip else family.pip


def _tag(emitter: Emitter, group: PackageGroup, distribution: Distribution) -> str:
    """Give the repository that is on for a group and not for all, whose name apk wants behind each package."""
    known, image = distribution.repositories(), emitter.image
    on = {*(own.name for own in image.own_repositories), *(word.text for word in image.repositories)}
    on |= {name for name, enabled in emitter.above.repositories.items() if enabled}
    asked = [word.text for word in group.repositories if word.text not in on]
    return next((name for name in asked if not known.get(name, {}).get("enabled", True)), "")


def _release(group: PackageGroup, distribution: Distribution) -> str:
    """Give the release that a group's packages are taken from, where one of its repositories is another release."""
    known = distribution.repositories()
    releases = [known.get(word.text, {}).get("release") for word in group.repositories]
    return next(filter(None, releases), "")


def _streams(emitter: Emitter, family: Family, groups: list[PackageGroup]) -> dict[str, list[str]]:
    """Give the module streams that the image has not yet, by what is to be done: `enable`, or `switch-to` where another
    stream is enabled: dnf refuses to enable a second one, and what was installed from the first has to change with it
    (https://dnf.readthedocs.io/en/latest/command_ref.html#module-command).
    """
    streams: dict[str, list[str]] = {}
    for name, word in _modules(emitter, groups).items():
        there = emitter.modules.get(name)
        emitter.modules[name] = word
        todo = "switch-to" if there else "enable"
        if there and there.text == word.text:
            continue
        if todo in family.modules:
            streams.setdefault(todo, []).append(word.text)
        elif there and family.modules:
            emitter.findings.error(
                "family-lacks",
                f"{family.name} cannot switch the stream of a module, and {there.text} is enabled already",
                word.span,
                help="name the stream that is meant where it is enabled first",
                related=[Related("enabled here", there.span)],
            )
        else:
            emitter.findings.error(
                "family-lacks",
                f"{family.name} has no module streams",
                word.span,
                help="put it under `when: {dnf: {packages: […]}}`; other versions come from other `repositories` here",
            )
    return streams


def _modules(emitter: Emitter, groups: list[PackageGroup]) -> dict[str, Word]:
    """Give the stream of each module that groups name; a second one is a finding."""
    asked: dict[str, Word] = {}
    for word in (each for group in groups for each in group.modules):
        name = word.text.partition(":")[0]
        other = asked.setdefault(name, word)
        if other.text != word.text:
            emitter.findings.error(
                "two-streams",
                f'the module {name} has one stream at a time, and here are "{other.text}" and "{word.text}"',
                word.span,
                help="keep one of the two",
                related=[Related("the other one", other.span)],
            )
    return asked


def mirror_secrets(emitter: Emitter, span: Span | None) -> list[str]:
    """Give the mounts of secrets that installing from the image's mirror needs, as flags of a RUN."""
    mirror, distribution = emitter.mirror, emitter.image.distribution
    if mirror is None or distribution is None or (distribution.name not in mirror.carries and mirror.pip is None):
        return []
    if mirror.secrets and emitter.tools.builder == "classic":
        emitter.findings.error(
            "builder-lacks",
            f"the classic builder has no secrets, which the mirror {mirror.name} needs",
            span,
            help="builder: buildkit-2021 in the project file",
        )
        return []
    return [f"--mount=type=secret,id={each.id},target={each.target},required=true" for each in mirror.secrets]


def _check_packages(emitter: Emitter, groups: list[PackageGroup]) -> None:
    """Find what is named twice, or is there already. What `supervisor` and `pip` bring is named by nobody.

    A fragment stands for itself: what it names may be named by the stack, and by what that stands on.
    """
    image = emitter.image
    brought = {each.span: key for key in ("supervisor", "pip") if (each := _bringing(image, key)) is not None}
    first: dict[str, Word] = {}
    for group in groups:
        for word in group.packages:
            other = first.setdefault(word.text, word)
            if other is not word and other.span.path == word.span.path and other.span not in brought:
                key = brought.get(word.span)
                emitter.findings.warning(
                    "doubled-package",
                    f'"{word.text}" is brought by `{key}` anyway' if key else f'"{word.text}" is named twice',
                    other.span if key else word.span,
                    help="remove it" if key else "remove one of the two",
                    related=[Related("brought by this", word.span) if key else Related("first named here", other.span)],
                    fix=_removal(other if key else word),
                )
            own = other is word and word.span.path == image.path and word.span not in brought
            if own and word.text in emitter.above.packages:
                emitter.findings.info(
                    "package-inherited",
                    f'"{word.text}" is already installed by {emitter.above.packages[word.text]}',
                    word.span,
                    help="remove it here",
                )


def _bringing(image: Image, key: str) -> Supervisor | Section | None:
    return image.supervisor if key == "supervisor" else image.section(key)


def _removal(word: Word) -> Fix | None:
    """Take a name out of a [list] on one line, or a line of its own; None where it stands otherwise."""
    span = word.span
    line = span.source.line(span.line)
    before, after = line[: span.column - 1], line[span.end_column - 1 :]
    if line[span.column - 1 : span.end_column - 1].strip("\"'") != word.text:
        return None
    if comma := re.search(r",\s*$", before):
        return Fix(replace(span, column=comma.start() + 1), "")
    if comma := re.match(r"\s*,\s*", after):
        return Fix(replace(span, end_column=span.end_column + comma.end()), "")
    if before.strip() == "-" and not after.strip():
        return Fix(replace(span, column=1, end_column=len(line) + 1), "")
    return None


def lower_pip(emitter: Emitter, requirements: list[Word], span: Span) -> None:
    """Install Python packages in one RUN, sorted."""
    known = needs_distribution(emitter, "Python packages", span)
    if known is None:
        return
    distribution, family = known
    emitter.run(
        "families/pip.j2",
        span,
        command=_pip(distribution, family)["command"],
        flags=mirror_secrets(emitter, span),
        requirements=sorted({word.text for word in requirements}),
    )
