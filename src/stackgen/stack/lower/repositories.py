"""The files that say where packages come from, a mirror's and extra repositories', and authorities of one's own."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from stackgen.diagnostics import Span, suggestion
from stackgen.know.catalog import Data, Distribution, Family, Location, Mirror
from stackgen.read.source import Word
from stackgen.stack.lower.emitter import Emitter
from stackgen.stack.lower.files import lower_files
from stackgen.stack.lower.packages import needs_distribution, used_repositories
from stackgen.stack.lower.steps import RepositoryFile
from stackgen.stack.model import FileEntry, OwnRepository, PackageGroup

EMPTIED = b"# Emptied by stackgen: packages come from elsewhere.\n"


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
    if distribution.name not in mirror.carries and mirror.only:
        emitter.findings.error(
            "mirror-lacks",
            f"the mirror {name} does not carry {distribution.name}, and nothing may come from elsewhere",
            wanted.span if wanted else None,
            help=f"add it to `carries` in mirrors/{name}.yml, or take another mirror",
        )
        return None
    if distribution.name not in mirror.carries and name != "official":
        emitter.findings.warning(
            "mirror-lacks",
            f"the mirror {name} does not carry {distribution.name}; its packages come from official",
            wanted.span if wanted else None,
            help=_carriers(emitter, distribution.name),
        )
        official = emitter.tools.catalog.mirror("official")
        return ("official", official) if official else None
    return name, mirror


def _carriers(emitter: Emitter, distribution: str, repository: str | None = None) -> str | None:
    """Name the mirrors that carry a distribution, or one repository of it."""
    catalog = emitter.tools.catalog
    carrying = [
        name
        for name in catalog.names("mirror")
        if name != "official"
        and (mirror := catalog.mirror(name)) is not None
        and (repository is None or repository in mirror.carries.get(distribution, {}))
        and distribution in mirror.carries
    ]
    return f"carried by: {', '.join(carrying)}" if carrying else "mirror: official, if that is meant"


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
            # What the image's own file has switched off is switched on by a file in its place.
            switched = any(each["id"] in enabled and not each.get("enabled", True) for each in entries)
            needed = switched or (changed and not (as_it_comes and not distribution.dead))
        if needed and (changed or any(above.get(id) != on for id, on in wanted.items())):
            paths.extend(_repository_file(emitter, file, name, mirror, wanted, asked))
            present |= wanted
    if mirror.only and changed:
        paths.extend(_emptied(emitter, [path for path in distribution.other_repository_files if path not in paths]))
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
    """Put one repository file, what it replaces and the keys that the image lacks into the context; give their paths
    in the image.
    """
    distribution, family = emitter.image.distribution, emitter.family
    assert distribution is not None
    assert family is not None
    entries: list[Any] = []
    paths = [file["path"].lstrip("/")]
    for entry in file["repositories"]:
        location = _location(emitter, entry, name, mirror, asked)
        if location is None:
            continue
        keyring = entry.get("keyring")
        if location.key is not None:
            keyring = family.key_place(posixpath.splitext(location.key)[0], location.key)
            content = emitter.tools.catalog.bytes_of(f"mirrors/keys/{location.key}")
        elif "key_file" in entry and entry["id"] not in emitter.above.repositories:
            content = emitter.tools.catalog.bytes_of(f"families/keys/{entry['key_file']}")
        else:
            content = None
        if content is not None and keyring is not None:
            emitter.file(f"rootfs/{keyring.lstrip('/')}", content, 0o644, None)
            paths.append(keyring.lstrip("/"))
        entries.append({**entry, **_addresses(location, family), "keyring": keyring, "enabled": on[entry["id"]]})
    if not entries:
        return _emptied(emitter, [file["path"]])
    recipe = RepositoryFile(distribution, family, name, tuple(entries))
    emitter.file(f"rootfs/{paths[0]}", recipe, 0o644, None)
    return paths + _emptied(emitter, file.get("replaces", ()))


def _location(emitter: Emitter, entry: Data, name: str, mirror: Mirror, asked: Mapping[str, Span]) -> Location | None:
    """Give where a repository is taken from: the mirror or, where that lacks it, `official`; None where nowhere.

    Where a distribution of the project's own lies officially, its own file may say.
    """
    distribution = emitter.image.distribution
    assert distribution is not None
    id = entry["id"]
    own = Location(urls=(entry["url"],), architectures={}, key=None) if "url" in entry else None
    location = mirror.location(distribution, id) or (own if name == "official" else None)
    if location is not None:
        return location
    at = emitter.image.mirror.span if emitter.image.mirror else asked.get(id)
    if mirror.only:
        help = f"add it to `carries` in mirrors/{name}.yml"
        lacks = f'the mirror {name} does not carry "{id}" of {distribution.name}'
        if id in asked:
            emitter.findings.error(
                "mirror-lacks", f"{lacks}, and nothing may come from elsewhere", asked[id], help=help
            )
        elif entry.get("enabled", True):
            emitter.findings.warning("mirror-lacks", f"{lacks}; it is left out", at, help=help)
        return None
    official = emitter.tools.catalog.mirror("official")
    told = name == emitter.above.mirror and id in emitter.above.repositories
    location = (official.location(distribution, id) if official else None) or own
    if not told:
        emitter.findings.warning(
            "mirror-lacks",
            f'the mirror {name} does not carry "{id}" of {distribution.name}; '
            + ("it comes from official" if location else "it is left out"),
            at,
            help=_carriers(emitter, distribution.name, id),
        )
    return location


def _addresses(location: Location, family: Family) -> dict[str, Any]:
    """Give the addresses as a template reads them: `urls`, and `places` with the architectures that each is not for."""
    named = location.architectures
    places = [{"url": url, "not_for": ()} for url in location.urls]
    for url in dict.fromkeys(named.values()):
        mine = [name for name, address in named.items() if address == url]
        known = named if "other" in mine else family.architectures
        places.append({"url": url, "not_for": tuple(each for each in known if each not in mine)})
    return {"url": location.every_url()[0], "urls": location.every_url(), "places": places}


def _emptied(emitter: Emitter, paths: Iterable[str]) -> list[str]:
    """Put nothing in the place of files of the base image; give their paths."""
    made = [path.lstrip("/") for path in paths]
    for path in made:
        emitter.file(f"rootfs/{path}", EMPTIED, 0o644, None)
    return made


def lower_own(emitter: Emitter, distribution: Distribution) -> Mapping[str, bool]:
    """Copy the files and keys of the stack's own repositories; give their names, which are on."""
    family = emitter.family
    assert family is not None
    paths: list[str] = []
    keys: list[FileEntry] = []
    known = distribution.repositories()
    for own in emitter.image.own_repositories:
        if own.name in known:
            emitter.findings.error(
                "doubled-name",
                f'{distribution.name} has a repository "{own.name}" itself',
                own.span,
                help="call it otherwise",
            )
            continue
        _check_suites(emitter, own, family)
        keys.append(_key(own, family))
        entry = {
            "id": own.name,
            "title": own.name,
            "url": own.url,
            "urls": (own.url,),
            "places": ({"url": own.url, "not_for": ()},),
            "suites": [word.text for word in own.suites],
            "components": [word.text for word in own.components],
            "keyring": keys[-1].dest.text,
            "enabled": True,
        }
        path = family.own_repositories["file"].replace("*", own.name).lstrip("/")
        recipe = RepositoryFile(distribution, family, None, (entry,))
        emitter.file(f"rootfs/{path}", recipe, 0o644, own.span)
        paths.append(path)
    lower_files(emitter, keys)
    emitter.copy(paths, emitter.image.own_repositories[0].span if paths else None)
    return {own.name: True for own in emitter.image.own_repositories}


def _key(own: OwnRepository, family: Family) -> FileEntry:
    """Give a repository's key as a file that is copied or downloaded to where the package manager looks for it."""
    if isinstance(own.key, Word):
        place = family.key_place(own.name, posixpath.basename(own.key.text))
        return FileEntry(dest=Word(place, own.key.span), src=own.key, mode="0644")
    file = posixpath.basename(unquote(re.split("[?#]", own.key.urls[""])[0]))
    return FileEntry(dest=Word(family.key_place(own.name, file), own.key.address), download=own.key)


def _check_suites(emitter: Emitter, own: OwnRepository, family: Family) -> None:
    """Find a repository whose suites the package manager needs, or knows nothing of."""
    if family.own_repositories.get("suites", False):
        if not own.suites:
            emitter.findings.error(
                "missing-key",
                f"{family.name} needs the `suites` of a repository",
                own.span,
                help="suites: [bookworm], and the `components` of it: [main]",
            )
        return
    for key, said in (("suites", own.suites), ("components", own.components)):
        if said:
            emitter.findings.error(
                "family-lacks",
                f"a repository of {family.name} has no {key}",
                said[0].span,
                help=f"remove `{key}`: the `url` says it all",
            )


def _is_certificate(emitter: Emitter, word: Word, content: bytes) -> bool:
    """Whether a file is what `certificates` takes; a private key must not get into an image."""
    if b"PRIVATE KEY-----" in content:
        emitter.findings.error(
            "wrong-value",
            f"{word.text} holds a private key, which would lie in the image",
            word.span,
            help="give a file with the certificate alone",
        )
        return False
    if b"-----BEGIN CERTIFICATE-----" not in content and b"-----BEGIN TRUSTED CERTIFICATE-----" not in content:
        emitter.findings.error(
            "wrong-value",
            f"{word.text} holds no certificate in the form of PEM",
            word.span,
            help=f"of a binary one: openssl x509 -inform DER -in {word.text} -out ca.pem",
        )
        return False
    return True


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
            if _is_certificate(emitter, word, content) and emitter.file(f"rootfs/{path}", content, 0o644, word.span):
                paths.append(path)
    emitter.copy(paths, span)
    if paths:
        emitter.run("families/certificates.j2", span, files=[f"/{path}" for path in paths], **place)
