"""Distributions, families and mirrors, each a file of data; a project's own files stand over ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Literal

from stackgen.diagnostics import Findings
from stackgen.read import schema, shape
from stackgen.read import source as text
from stackgen.read.inputs import Inputs
from stackgen.read.source import parse_mapping
from stackgen.resources import TEMPLATES

Kind = Literal["distro", "family", "mirror"]
Data = Mapping[str, Any]

_OURS = Inputs(TEMPLATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """A distribution's release: which family it is of, what lies where, who runs what."""

    name: str
    version: str
    family: str
    kinds: tuple[str, ...]
    codename: str | None
    end_of_life: str
    dead: bool
    successor: str | None
    images: tuple[Data, ...]
    repository_files: tuple[Data, ...]
    supervisor: Data
    users: Mapping[str, str]
    paths: Mapping[str, str]

    def repositories(self) -> dict[str, Data]:
        """Give every repository by its id."""
        return {entry["id"]: entry for file in self.repository_files for entry in file["repositories"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A package manager: where it is configured and how pip comes in."""

    name: str
    configuration: tuple[str, ...]
    repository_template: str
    pipefail: tuple[str, ...]
    own_repositories: Data
    certificates: Data
    users_template: str
    nologin: str
    pip: Data

    def configures(self, dest: str) -> bool:
        """Whether a file at `dest` configures the package manager, so that it comes before the first install."""
        return any(dest == place or (place.endswith("/") and dest.startswith(place)) for place in self.configuration)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """Where the repositories of the distributions that a mirror carries lie."""

    name: str
    carries: Mapping[str, Mapping[str, str]]
    pip: str | None


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
            data = self._data("distro", f"distros/{name}.yml")
            self._distributions[name] = _distribution(name, data) if data else None
        return self._distributions[name]

    def family(self, name: str) -> Family | None:
        """Give a family by name, or None."""
        if name not in self._families:
            data = self._data("family", f"families/{name}/family.yml")
            self._families[name] = _family(name, data) if data else None
        return self._families[name]

    def mirror(self, name: str) -> Mirror | None:
        """Give a mirror by name, or None."""
        if name not in self._mirrors:
            data = self._data("mirror", f"mirrors/{name}.yml")
            self._mirrors[name] = Mirror(name=name, carries=data["carries"], pip=data.get("pip")) if data else None
        return self._mirrors[name]

    def names(self, kind: Kind) -> tuple[str, ...]:
        """Give the names of all that is known of a kind."""
        folder = {"distro": "distros", "family": "families", "mirror": "mirrors"}[kind]
        found: set[str] = set()
        for place in (_OURS, self.own):
            if place is not None and place.is_folder(folder):
                found.update(Path(name).stem for name in place.listing(folder))
        return tuple(sorted(found))

    def recognise(self, reference: str) -> KnownImage | None:
        """Give what is known of a public image, by its reference without a digest; None where nothing is."""
        plain = reference.partition("@")[0].removeprefix("docker.io/").removeprefix("library/")
        plain = plain if ":" in plain.rsplit("/", 1)[-1] else f"{plain}:latest"
        for name in self.names("distro"):
            distribution = self.distribution(name)
            for image in distribution.images if distribution else ():
                if any(fnmatchcase(plain, pattern) for pattern in image["match"]):
                    assert distribution is not None
                    return KnownImage(distribution, image["brings"])
        return None

    def bytes_of(self, path: str) -> bytes:
        """Give a file that belongs to the data, such as a key. Raises InputError."""
        own = self.own is not None and self.own.is_file(path)
        return (self.own if own and self.own else _OURS).read(path)

    def _data(self, kind: Kind, path: str) -> Any:
        if self.own is not None and self.own.is_file(path):
            source = text.read(self.own, path, self.findings)
            node = parse_mapping(source, f"a {kind}", self.findings) if source else None
            checked = schema.check(node, kind, f"a {kind}", self.findings) if node else None
            return shape.typed(node, shape.load(kind)) if node and checked and not checked.removed else None
        return _shipped(kind, path)


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
        version=data["version"],
        codename=data.get("codename"),
        family=data["family"],
        kinds=tuple(data["kinds"]),
        end_of_life=data["end_of_life"]["date"],
        dead=data["end_of_life"]["dead"],
        successor=data["end_of_life"].get("successor"),
        images=tuple(data.get("images", ())),
        repository_files=tuple(data.get("repository_files", ())),
        supervisor=data.get("supervisor", {}),
        users=data.get("users", {}),
        paths=data.get("paths", {}),
    )


def _family(name: str, data: Any) -> Family:
    return Family(
        name=name,
        configuration=tuple(data["configuration"]),
        repository_template=data["repositories"]["template"],
        pipefail=tuple(data["pipefail"]),
        own_repositories=data["own_repositories"],
        certificates=data["certificates"],
        users_template=data["users"]["template"],
        nologin=data["users"]["nologin"],
        pip=data["pip"],
    )
