"""What is known about the world: every file of data is valid, complete, and safe to build from."""

from __future__ import annotations

import hashlib
import re
import shutil
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from stackgen import api
from stackgen.stack.project import Options
from tests.helpers import ROOT, rendered, run, tree

TEMPLATES = ROOT / "templates"


def load(kind: str) -> dict[str, Any]:
    pattern = "*/family.yml" if kind == "families" else "*.yml"
    found = sorted((TEMPLATES / kind).glob(pattern))
    return {(p.parent.name if kind == "families" else p.stem): yaml.safe_load(p.read_text("utf-8")) for p in found}


DISTROS, FAMILIES, MIRRORS, IMAGES = load("distros"), load("families"), load("mirrors"), load("images")
PAIRS = [(distro, mirror) for distro in DISTROS for mirror in MIRRORS]


def image_of(distro: str) -> str:
    """Give a public image that the data know, by a pattern without a star."""
    return next(str(name) for image in DISTROS[distro]["images"] for name in image["match"] if "*" not in name)


def repositories(distro: str) -> dict[str, Any]:
    return {each["id"]: each for file in DISTROS[distro]["repository_files"] for each in file["repositories"]}


def addresses(place: Any) -> list[str]:
    """Give every address of a repository, in whichever of its forms it is said."""
    said = place if isinstance(place, dict) else {"url": place}
    url = said.get("url", [])
    return [*([url] if isinstance(url, str) else url), *said.get("architectures", {}).values()]


def test_the_data_keep_to_their_schemas(tmp_path: Path) -> None:
    """Our own files pass the check that a project's own files go through."""
    for folder in ("distros", "families", "mirrors", "images"):
        shutil.copytree(TEMPLATES / folder, tmp_path / "data" / folder)
    images = {name: image_of(name) for name in DISTROS} | {name: f"{name}:1-bookworm" for name in IMAGES}
    stacks = {f"{name}.yml": f"from: {image}\nimage: x/{name}\npackages: [a]\n" for name, image in images.items()}
    root = tree(tmp_path, {"stackgen.yml": "data: data\n", **stacks})
    for mirror in MIRRORS:
        found = api.render(sorted(stacks), Options(mirror=mirror), cwd=root).diagnostics
        assert {each.code for each in found} <= {"end-of-life", "mirror-lacks"}, mirror


@pytest.mark.parametrize("distro", DISTROS)
def test_a_distribution_is_whole(distro: str) -> None:
    """A distribution has a family that is there, is a kind of itself, and the successor of a dead one lives."""
    data = DISTROS[distro]
    assert data["family"] in FAMILIES
    assert data["kinds"][-1] == distro
    assert data["family"] in data["kinds"]
    assert {image.get("family", data["family"]) for image in data["images"]} <= set(FAMILIES)
    end = data["end_of_life"]
    # BaseLoader aside, YAML makes a date of it.
    assert str(end["date"]) < str(data["seen"]) if end["dead"] else str(end["date"]) > str(data["seen"])
    assert not end["dead"] or not DISTROS[end["successor"]]["end_of_life"]["dead"]


def test_distributions_know_the_same_things() -> None:
    """A path, user or name that one distribution has is in each, or a stack could not move; what is not known of one
    for sure is missing there as a whole, and WordPress is no package everywhere.
    """
    for kind, optional in (("paths", set()), ("users", set()), ("names", {"wordpress", "wordpress_version"})):
        known = {distro: set(data.get(kind, {})) - optional for distro, data in DISTROS.items()}
        every = set[str]().union(*known.values())
        sure = {
            distro for distro, data in DISTROS.items() if not {kind, "images.brings"} & set(data.get("unconfirmed", ()))
        }
        assert {distro: every - known[distro] for distro in sure} == {distro: set() for distro in sure}


@pytest.mark.parametrize("mirror", MIRRORS)
def test_a_mirror_names_what_is_there(mirror: str) -> None:
    """A mirror carries distributions that are known, and repositories that these have."""
    for distro, carried in MIRRORS[mirror]["carries"].items():
        assert distro in DISTROS
        assert set(carried) <= set(repositories(distro)), distro
        for url in [url for place in carried.values() for url in addresses(place)]:
            assert re.fullmatch(r"https?://[a-z0-9.-]+/[A-Za-z0-9._/$-]*", url), url
    for unconfirmed in MIRRORS[mirror].get("unconfirmed", ()):
        distro, repository = next((d, unconfirmed[len(d) + 1 :]) for d in DISTROS if unconfirmed.startswith(f"{d}."))
        assert repository in MIRRORS[mirror]["carries"][distro]
    for index in ("pip", "npm"):
        assert MIRRORS[mirror].get(index, "https://").startswith("https://")


@pytest.mark.parametrize("distro", DISTROS)
def test_https_where_the_image_can_verify_it(distro: str) -> None:
    """An image without certificate authorities, or with those of 2015, cannot use https, and others should."""
    plain = DISTROS[distro]["family"] in ("apt", "yum")
    urls = [url for name, mirror in MIRRORS.items() if name != "official"
            for place in mirror["carries"].get(distro, {}).values() for url in addresses(place)]  # fmt: skip
    assert {url.partition(":")[0] for url in urls} == {"http" if plain else "https"}


def test_official_carries_all() -> None:
    """What a mirror lacks comes from `official`, so it has to carry every repository."""
    for distro in DISTROS:
        assert set(MIRRORS["official"]["carries"][distro]) == set(repositories(distro)), distro


@pytest.mark.parametrize(("distro", "mirror"), PAIRS)
def test_repository_files(distro: str, mirror: str, tmp_path: Path) -> None:
    """Every rendered file of repositories has real addresses and checks signatures."""
    extra = [id for id, each in repositories(distro).items() if not each.get("enabled", True)]
    root = tree(tmp_path, {"app.yml": f"from: {image_of(distro)}\nrepositories: {extra}\npackages: [a]\n"})
    made = rendered(root, options=Options(mirror=mirror))
    prefixes = tuple(f"app/rootfs{file['path']}" for file in DISTROS[distro]["repository_files"])
    files = {path: content.decode() for path, content in made.items() if path.startswith(prefixes)}
    from_official = mirror == "official" or distro not in MIRRORS[mirror]["carries"]
    as_it_comes = from_official and not DISTROS[distro]["end_of_life"]["dead"]
    assert files or (as_it_comes and not extra)
    for path, text in files.items():
        # $basearch is yum's own; $releasever is 7, and the vault's folders are called 7.9.2009.
        assert not re.search(r"\{\{|\}\}|None|\$(?!basearch\b)", text), path
        if path.endswith(".repo"):
            parser = ConfigParser(interpolation=None)
            parser.read_string(text)
            for section in parser.sections():
                assert parser[section]["gpgcheck"] == "1", (path, section)
                assert parser[section]["gpgkey"].startswith("file:///"), (path, section)
                assert parser[section]["enabled"] == "1", (path, section)
                assert parser[section]["name"], (path, section)
        if path.endswith(".sources"):
            for stanza in text.split("\n\n")[1:]:
                assert re.search(r"^Signed-By: /\S+$", stanza, re.MULTILINE), path
                assert "Trusted" not in stanza


def test_keys_are_what_they_are_said_to_be() -> None:
    """A key that we bring is the one whose checksum its data state, and it goes where the repository looks for it."""
    checked = []
    for distro in DISTROS:
        said = re.findall(r"SHA-256 is\s+([0-9a-f]{64})", (TEMPLATES / f"distros/{distro}.yml").read_text("utf-8"))
        keys = [each for each in repositories(distro).values() if "key_file" in each]
        assert len(said) == len(keys)
        for digest, each in zip(said, keys, strict=True):
            path = TEMPLATES / "families" / "keys" / each["key_file"]
            assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
            checked.append(path)
    assert sorted(set(checked)) == sorted(TEMPLATES.glob("families/keys/*"))


def test_a_project_extends_the_data(tmp_path: Path) -> None:
    """A mirror and a distribution of a project's own need no Python, and stand beside ours."""
    distro = DISTROS["debian-12"] | {
        "description": "Debian 14",
        "version": "14",
        "codename": "forky",
        "kinds": ["deb", "apt", "debian", "debian-14"],
        "images": [{"match": ["debian:14"], "brings": {"cmd": ["bash"]}}],
        "seen": "2026-11-24",
        "end_of_life": {"date": "2030-06-30", "dead": False},
    }
    mirror = {
        "description": "the company's own",
        "carries": {"debian-14": {"debian": "http://deb.corp/debian", "debian-security": "http://deb.corp/security"}},
        "source": "https://deb.corp/",
        "seen": "2026-11-24",
    }
    root = tree(
        tmp_path,
        {
            "stackgen.yml": "data: data\nmirror: corp\n",
            "data/distros/debian-14.yml": yaml.safe_dump(distro),
            "data/mirrors/corp.yml": yaml.safe_dump(mirror),
            "app.yml": "from: debian:14\npackages: [curl]\nwhen: {debian-14: {env: {A: '{{ distro.codename }}'}}}\n",
        },
    )
    ran = run(["render", "app.yml"], root)
    assert (ran.code, ran.stderr) == (0, "")
    assert 'ENV A="forky"' in (root / "build/app/Dockerfile").read_text("utf-8")
    sources = (root / "build/app/rootfs/etc/apt/sources.list.d/debian.sources").read_text("utf-8")
    assert "URIs: http://deb.corp/debian\n" in sources
