"""Distributions, families and mirrors, each a file of data; a project's own files stand over ours."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, Literal

from stackgen.diagnostics import Findings
from stackgen.know.own import check_own
from stackgen.read import schema, shape
from stackgen.read import source as text
from stackgen.read.inputs import Inputs
from stackgen.read.source import parse_mapping
from stackgen.resources import TEMPLATES

Kind = Literal["distro", "family", "mirror", "image"]
Data = Mapping[str, Any]


def _path(kind: Kind, name: str) -> str:
    """Give where something of a kind lies in a folder of data."""
    return {
        "distro": f"distros/{name}.yml",
        "family": f"families/{name}/family.yml",
        "mirror": f"mirrors/{name}.yml",
        "image": f"images/{name}.yml",
    }[kind]


_OURS = Inputs(TEMPLATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """A distribution's release: which family it is of, what lies where, who runs what."""

    name: str
    description: str
    version: str
    family: str
    kinds: tuple[str, ...]
    codename: str | None
    end_of_life: str
    dead: bool
    successor: str | None
    images: tuple[Data, ...]
    tags: tuple[str, ...]
    repository_files: tuple[Data, ...]
    other_repository_files: tuple[str, ...]
    cache: str | None
    pip: Data | None
    """How Python packages are installed, if otherwise than the family says."""
    npm: bool
    """Whether the image that stands for it has npm."""
    user_packages: tuple[str, ...]
    """The packages that bring the commands of `users`, if other ones than the family says."""
    supervisor: Data
    users: Mapping[str, str]
    paths: Mapping[str, str]
    names: Mapping[str, str | list[str]]
    unconfirmed: tuple[str, ...]
    source: str
    seen: str

    def repositories(self) -> dict[str, Data]:
        """Give every repository by its id."""
        return {entry["id"]: entry for file in self.repository_files for entry in file["repositories"]}

    def under(self, family: str) -> Distribution:
        """Give the distribution as one of its images has it that comes with another package manager."""
        if family == self.family:
            return self
        place = self.kinds.index(self.family) + 1 if self.family in self.kinds else 0
        return replace(self, family=family, cache=None, kinds=(*self.kinds[:place], family, *self.kinds[place:]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A package manager: where it is configured and how pip comes in."""

    name: str
    configuration: tuple[str, ...]
    repository_template: str
    cache: str | None
    architectures: tuple[str, ...]
    npm: tuple[str, ...]
    pipefail: tuple[str, ...]
    own_repositories: Data
    modules: tuple[str, ...]
    """What can be done with the streams of modules: dnf's `enable` and `switch-to`."""
    certificates: Data
    users_template: str
    user_packages: tuple[str, ...]
    """The packages that bring the commands of `users`, where an image may lack them."""
    nologin: str
    pip: Data

    def configures(self, dest: str) -> bool:
        """Whether a file at `dest` configures the package manager, so that it comes before the first install."""
        return any(dest == place or (place.endswith("/") and dest.startswith(place)) for place in self.configuration)

    def key_place(self, name: str, file: str) -> str:
        """Give the path of a repository's key in the image: named after the repository, with the ending of `file`; or
        named as `file`, where the family's place is a folder.
        """
        place: str = self.own_repositories["key"]
        return place + file if place.endswith("/") else place.replace("*", name) + posixpath.splitext(file)[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where a repository lies: addresses in the order in which they are tried, or one for each architecture."""

    urls: tuple[str, ...]
    architectures: Mapping[str, str]
    """Addresses by what the package manager calls an architecture; `other` is that of all the rest."""
    key: str | None
    """The file of the key that its packages are signed with there, if that is not the distribution's."""

    def every_url(self) -> tuple[str, ...]:
        """Give all its addresses."""
        return (*self.urls, *self.architectures.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret of the build: where a RUN finds it, and the variable or file of the build that it comes from."""

    id: str
    target: str
    env: str | None
    file: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """Where the repositories of the distributions that a mirror carries lie."""

    name: str
    description: str
    carries: Mapping[str, Mapping[str, Location]]
    pip: str | None
    npm: str | None
    only: bool
    secrets: tuple[Secret, ...]
    unconfirmed: tuple[str, ...]
    source: str
    seen: str

    def location(self, distribution: Distribution, repository: str) -> Location | None:
        """Give where a repository lies, or None where the mirror does not carry it."""
        return self.carries.get(distribution.name, {}).get(repository)


@dataclass(frozen=True, slots=True)
class KnownImage:
    """A public image: its distribution and what it brings, in the words of a stack."""

    distribution: Distribution
    brings: Data


class Catalog:
    """Looks names up; `own` is the project's folder of data, of the same layout as ours."""

    def __init__(self, own: Inputs | None, findings: Findings) -> None:
        self.own = own
        self.findings = findings
        self._distributions: dict[str, Distribution | None] = {}
        self._families: dict[str, Family | None] = {}
        self._mirrors: dict[str, Mirror | None] = {}

    def distribution(self, name: str) -> Distribution | None:
        """Give a distribution by name, or None."""
        if name not in self._distributions:
            data = self._data("distro", name)
            self._distributions[name] = _distribution(name, data) if data else None
        return self._distributions[name]

    def family(self, name: str) -> Family | None:
        """Give a family by name, or None."""
        if name not in self._families:
            data = self._data("family", name)
            self._families[name] = _family(name, data) if data else None
        return self._families[name]

    def mirror(self, name: str) -> Mirror | None:
        """Give a mirror by name, or None."""
        if name not in self._mirrors:
            data = self._data("mirror", name)
            self._mirrors[name] = _mirror(name, data) if data else None
        return self._mirrors[name]

    def names(self, kind: Kind) -> tuple[str, ...]:
        """Give the names of all that is known of a kind."""
        return tuple(sorted({*_names_in(_OURS, kind), *self.own_names(kind)}))

    def own_names(self, kind: Kind) -> frozenset[str]:
        """Give the names of what the project's own data say of a kind."""
        return _names_in(self.own, kind) if self.own is not None else frozenset()

    def recognise(self, reference: str) -> KnownImage | None:
        """Give what is known of a public image, by its reference without a digest; None where nothing is."""
        plain = reference.partition("@")[0].removeprefix("docker.io/").removeprefix("library/")
        plain = plain if ":" in plain.rsplit("/", 1)[-1] else f"{plain}:latest"
        repository, _, tag = plain.rpartition(":")
        return self._own_image(plain, repository) or self._image_on_top(repository, tag)

    def _own_image(self, plain: str, repository: str) -> KnownImage | None:
        """Give one of the images that a distribution itself publishes."""
        for name in self._naming(f"{repository}:"):
            distribution = self.distribution(name)
            for image in distribution.images if distribution else ():
                if any(fnmatchcase(plain, pattern) for pattern in image["match"]):
                    assert distribution is not None
                    return KnownImage(distribution.under(image.get("family", distribution.family)), image["brings"])
        return None

    def _image_on_top(self, repository: str, tag: str) -> KnownImage | None:
        """Give an image whose tag names the release that it stands on."""
        data = self._data("image", repository)
        variants = data["variants"] if data else ()
        variant = next((v for v in variants if any(fnmatchcase(tag, pattern) for pattern in v["tags"])), None)
        if variant is None:
            return None
        words = tag.split("-")
        for name in {name: None for word in words for name in self._naming(word)}:
            distribution = self.distribution(name)
            if distribution and set(words) & set(distribution.tags):
                below = distribution.images[0]["brings"] if distribution.images else {}
                env = {**below.get("env", {}), **variant["brings"].get("env", {})}
                brings = {**below, **variant["brings"], "env": env}
                if "entrypoint" in variant["brings"] and "cmd" not in variant["brings"]:
                    # ENTRYPOINT resets the CMD that stands below it.
                    brings.pop("cmd", None)
                has = replace(distribution, pip=data.get("pip", distribution.pip), npm=data.get("npm", False))
                return KnownImage(has, brings)
        return None

    def has_kind(self, kind: str) -> bool:
        """Whether any distribution is of a kind that `when` may be keyed by."""
        found = (d for name in self._naming(kind) if (d := self.distribution(name)))
        return any(kind in d.kinds or any(image.get("family") == kind for image in d.images) for d in found)

    def _naming(self, text: str) -> tuple[str, ...]:
        """Give the distributions whose files hold a text: of all the others there is no need to read the data."""
        wanted = text.encode()
        return tuple(name for name in self.names("distro") if wanted in self.bytes_of(_path("distro", name)))

    def bytes_of(self, path: str) -> bytes:
        """Give a file that belongs to the data, such as a key. Raises InputError."""
        own = self.own is not None and self.own.is_file(path)
        return (self.own if own and self.own else _OURS).read(path)

    def _has(self, path: str) -> bool:
        return any(place.is_file(path) for place in (self.own, _OURS) if place)

    def _data(self, kind: Kind, name: str) -> Any:
        path = _path(kind, name)
        if self.own is not None and self.own.is_file(path):
            source = text.read(self.own, path, self.findings)
            node = parse_mapping(source, f"a {kind}", self.findings) if source else None
            checked = schema.check(node, kind, f"a {kind}", self.findings) if node else None
            if node is None or checked is None or checked.removed:
                return None
            names = {"distros": self.names("distro"), "families": self.names("family")}
            sound = check_own(node, **names, has=self._has, findings=self.findings)
            return shape.typed(node, shape.load(kind)) if sound else None
        return _shipped(kind, path)


def _names_in(place: Inputs, kind: Kind) -> frozenset[str]:
    folder = _path(kind, "").partition("/")[0]
    names = (name.removesuffix(".yml") for name in place.listing(folder)) if place.is_folder(folder) else ()
    return frozenset(name for name in names if place.is_file(_path(kind, name)))


@cache
def _shipped(kind: Kind, path: str) -> Any:
    """Give one of our data files, or None; a test holds them against their schemas."""
    if not _OURS.is_file(path):
        return None
    findings = Findings()
    source = text.read(_OURS, path, findings)
    node = parse_mapping(source, f"a {kind}", findings) if source else None
    assert node is not None, findings.sorted()
    return shape.typed(node, shape.load(kind))


def _distribution(name: str, data: Any) -> Distribution:
    return Distribution(
        name=name,
        description=data["description"],
        version=data["version"],
        codename=data.get("codename"),
        family=data["family"],
        kinds=tuple(data["kinds"]),
        end_of_life=data["end_of_life"]["date"],
        dead=data["end_of_life"]["dead"],
        successor=data["end_of_life"].get("successor"),
        images=tuple(data.get("images", ())),
        tags=tuple(data.get("tags", ())),
        repository_files=tuple(data.get("repository_files", ())),
        other_repository_files=tuple(data.get("other_repository_files", ())),
        cache=data.get("cache"),
        pip=data.get("pip"),
        npm=False,
        user_packages=tuple(data.get("user_packages", ())),
        supervisor=data.get("supervisor", {}),
        users=data.get("users", {}),
        paths=data.get("paths", {}),
        names=data.get("names", {}),
        unconfirmed=tuple(data.get("unconfirmed", ())),
        source=data["source"],
        seen=data["seen"],
    )


def _family(name: str, data: Any) -> Family:
    return Family(
        name=name,
        configuration=tuple(data["configuration"]),
        repository_template=data["repositories"]["template"],
        cache=data.get("cache"),
        architectures=tuple(data.get("architectures", ())),
        npm=tuple(data.get("npm", ())),
        pipefail=tuple(data["pipefail"]),
        own_repositories=data["own_repositories"],
        modules=tuple(data.get("modules", ())),
        certificates=data["certificates"],
        users_template=data["users"]["template"],
        user_packages=tuple(data["users"].get("packages", ())),
        nologin=data["users"]["nologin"],
        pip=data["pip"],
    )


def _mirror(name: str, data: Any) -> Mirror:
    key = data.get("key")
    return Mirror(
        name=name,
        description=data["description"],
        carries={
            distribution: {id: _location(place, key) for id, place in places.items()}
            for distribution, places in data["carries"].items()
        },
        pip=data.get("pip"),
        npm=data.get("npm"),
        only=data.get("only", False),
        secrets=tuple(_secret(each) for each in data.get("secrets", ())),
        unconfirmed=tuple(data.get("unconfirmed", ())),
        source=data["source"],
        seen=data["seen"],
    )


def _secret(said: Any) -> Secret:
    file = said.get("file")
    named = re.sub(r"[^A-Z0-9]", "_", said["id"].upper())
    return Secret(id=said["id"], target=said["target"], env=None if file else said.get("env", named), file=file)


def _location(place: Any, key: str | None) -> Location:
    said = place if isinstance(place, dict) else {"url": place}
    url = said.get("url", ())
    return Location(
        urls=(url,) if isinstance(url, str) else tuple(url),
        architectures=said.get("architectures", {}),
        key=said.get("key", key),
    )
