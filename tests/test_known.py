"""What is known of the world, as a user meets it: the lists, recognised images, a distribution of one's own."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from stackgen.diagnostics import Findings
from stackgen.know.catalog import Catalog
from tests.helpers import ROOT, config, dockerfile, rendered, run, tree

DOCUMENT = (ROOT / "docs/distributions.md").read_text("utf-8")
OWN_MIRROR = """\
description: the company's own
carries: {debian-12: {debian: "https://mirror.corp/debian"}, oraclelinux-9: {ol9_appstream: "https://mirror.corp/ol9"}}
source: https://mirror.corp/
seen: 2026-11-24
"""


def own_distribution() -> str:
    """Give the file that docs/distributions.md adds."""
    (text,) = re.findall(r"```yaml\n# shop/data/distros/oraclelinux-9.yml\n(.*?)```", DOCUMENT, re.DOTALL)
    return str(text)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project with a distribution and a mirror of its own."""
    data = {"data/distros/oraclelinux-9.yml": own_distribution(), "data/mirrors/corp.yml": OWN_MIRROR}
    return tree(tmp_path, {"stackgen.yml": "data: data\n", **data})


def test_distros_lists_ours_and_the_project_s(shop: Path) -> None:
    """Each distribution is listed with its state, its end and who carries it, a dead one with what to move to."""
    lines = run(["distros"], shop).stdout.splitlines()
    rows = {line.split()[0]: " ".join(line.split()) for line in lines[1:]}
    assert rows["oraclelinux-9"] == "oraclelinux-9 * dnf alive 2032-06-30 corp"
    assert rows["centos-7"].startswith("centos-7 yum dead, move to rocky-9 2024-06-30 aliyun ")
    assert rows["debian-12"] == "debian-12 apt alive 2028-06-30 aliyun corp huaweicloud official tencent tuna ustc"
    assert len(rows) == 1 + len(list((ROOT / "templates/distros").iterdir()))


def test_distros_as_json(shop: Path) -> None:
    """A program reads the same, and all else that is known of a distribution."""
    document = json.loads(run(["distros", "--format", "json"], shop).stdout)
    assert document["version"] == 1
    found = {each["name"]: each for each in document["distros"]}
    assert found["oraclelinux-9"]["own"] is True
    assert found["debian-12"]["own"] is False
    assert found["centos-7"] | {"state": "dead", "endOfLife": "2024-06-30", "successor": "rocky-9"} == found["centos-7"]
    assert found["alpine-3.24"]["unconfirmed"] == ["end_of_life.date", "names.mysql_version"]
    keys = {frozenset(each) for each in document["distros"]}
    assert keys == {frozenset(re.findall(r"`(\w+)`", _table("key of a distribution")))}


def test_mirrors_lists_ours_and_the_project_s(shop: Path) -> None:
    """Each mirror is listed with what it carries."""
    rows = {line.split()[0]: line for line in run(["mirrors"], shop).stdout.splitlines()[1:]}
    assert re.fullmatch(r"corp \*\s+the company's own\s+debian-12 oraclelinux-9", rows["corp"])
    assert {"aliyun", "huaweicloud", "official", "tencent", "tuna", "ustc"} < set(rows)


def test_mirrors_as_json(shop: Path) -> None:
    """A program reads every address of every repository."""
    document = json.loads(run(["mirrors", "--format", "json"], shop).stdout)
    found = {each["name"]: each for each in document["mirrors"]}
    assert found["corp"]["carries"]["debian-12"] == {"debian": ["https://mirror.corp/debian"]}
    assert len(found["ustc"]["carries"]["centos-7"]["base"]) == 2
    assert len(found["official"]["carries"]["ubuntu-24.04"]["ubuntu"]) == 3
    assert {frozenset(each) for each in document["mirrors"]} == {
        frozenset(re.findall(r"`([a-z]+)`", _table("key of a mirror"))) - {"as"}
    }


def _table(heading: str) -> str:
    """Give the first column of a table of docs/formats.md."""
    text = (ROOT / "docs/formats.md").read_text("utf-8").partition(f"| {heading} |")[2].partition("\n\n")[0]
    return "\n".join(line.split("|")[1] for line in text.splitlines()[2:])


def test_faults_of_own_data_are_told(shop: Path) -> None:
    """A project's file with a fault is told where the lists are asked for, and what is sound is listed."""
    tree(shop, {"data/mirrors/bad.yml": OWN_MIRROR + "ony: true\n"})
    ran = run(["mirrors"], shop)
    assert ran.code == 1
    assert 'data/mirrors/bad.yml:5:1: error[unknown-key]: "ony"' in ran.stderr or "mirrors/bad.yml:5:1" in ran.stderr
    assert 'did you mean "only"?' in ran.stderr
    assert "corp *" in ran.stdout


@pytest.mark.parametrize(
    ("reference", "distro", "family", "cmd"),
    [
        ("centos:centos7.1.1503", "centos-7", "yum", ["/bin/bash"]),
        ("debian:trixie-slim", "debian-13", "apt", ["bash"]),
        ("docker.io/library/ubuntu:noble-20261001", "ubuntu-24.04", "apt", ["/bin/bash"]),
        ("rockylinux/rockylinux:9.6", "rocky-9", "dnf", ["/bin/bash"]),
        ("rockylinux/rockylinux:9-minimal", "rocky-9", "microdnf", ["/bin/bash"]),
        ("almalinux:9-minimal", "almalinux-9", "microdnf", ["/bin/bash"]),
        ("fedora:44", "fedora-44", "dnf", ["/bin/bash"]),
        ("alpine:3.24.1", "alpine-3.24", "apk", ["/bin/sh"]),
        ("python:3.13-slim-bookworm", "debian-12", "apt", ["python3"]),
        ("python:3.13-alpine3.24@sha256:" + "0" * 64, "alpine-3.24", "apk", ["python3"]),
        ("node:22-bookworm-slim", "debian-12", "apt", ["node"]),
        ("php:8.3-fpm-bookworm", "debian-12", "apt", ["php-fpm"]),
        ("php:8.3-apache-trixie", "debian-13", "apt", ["apache2-foreground"]),
        ("php:8.3-zts-alpine3.23", "alpine-3.23", "apk", ["php", "-a"]),
        # Nothing of golang's own: the CMD of what it stands on.
        ("golang:1.25-trixie", "debian-13", "apt", ["bash"]),
        ("golang:1.25-alpine3.24", "alpine-3.24", "apk", ["/bin/sh"]),
        ("nginx:1.29-alpine3.24-slim", "alpine-3.24", "apk", ["nginx", "-g", "daemon off;"]),
    ],
)
def test_a_public_image_is_recognised(reference: str, distro: str, family: str, cmd: list[str]) -> None:
    """An image whose reference names its release needs no `distro` and no `inherits`."""
    known = Catalog(None, Findings()).recognise(reference)
    assert known is not None
    assert (known.distribution.name, known.distribution.family, known.brings["cmd"]) == (distro, family, cmd)
    assert known.distribution.kinds[-1] == distro
    assert family in known.distribution.kinds


@pytest.mark.parametrize(
    "reference", ["python:3.13", "alpine", "debian:sid", "corp/app:1-bookworm", "bookworm:1", "scratch"]
)
def test_what_a_reference_does_not_say_is_not_guessed(reference: str) -> None:
    """A tag that may stand on another release tomorrow, or an image that nobody described, is not recognised."""
    assert Catalog(None, Findings()).recognise(reference) is None


def test_what_a_language_image_brings(tmp_path: Path) -> None:
    """PATH, ENTRYPOINT, WORKDIR and the rest of a language's image are in the configuration of what stands on it."""
    root = tree(tmp_path, {"go.yml": "from: golang:1.25-bookworm\n", "php.yml": "from: php:8.3-fpm-trixie\nimage: x\n"})
    go = config(root, "go.yml")
    assert "PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" in str(
        go["Env"]
    )
    assert go["WorkingDir"] == "/go"
    php = config(root, "php.yml")
    assert php["Entrypoint"] == ["docker-php-entrypoint"]
    assert (php["WorkingDir"], php["StopSignal"], php["ExposedPorts"]) == ("/var/www/html", "SIGQUIT", {"9000/tcp": {}})


def test_a_language_image_has_its_own_pip(tmp_path: Path) -> None:
    """`pip` in an image of Python uses that Python, and installs no second one."""
    root = tree(tmp_path, {"app.yml": "from: python:3.13-slim-bookworm\npip: [requests]\n"})
    made = dockerfile(root)
    assert "RUN pip install --no-cache-dir requests\n" in made
    assert "apt-get" not in made


def test_an_older_pip_gets_no_option_that_it_does_not_know(tmp_path: Path) -> None:
    """Ubuntu 22.04's pip has no --break-system-packages; what Debian 12's needs is not said to it."""
    root = tree(tmp_path, {"app.yml": "from: ubuntu:22.04\npip: [requests]\n"})
    assert "RUN pip install --no-cache-dir requests\n" in dockerfile(root)


def test_when_knows_minimal_images(tmp_path: Path) -> None:
    """A branch for dnf holds in a minimal image too, and one for microdnf there alone."""
    overlays = "when:\n  dnf: {env: {A: dnf}}\n  microdnf: {env: {B: micro}}\n  el9: {env: {C: el}}\n"
    root = tree(
        tmp_path,
        {
            "minimal.yml": f"from: rockylinux/rockylinux:9-minimal\n{overlays}",
            "full.yml": f"from: rockylinux/rockylinux:9\nimage: x/full\n{overlays}",
        },
    )
    assert {"A=dnf", "B=micro", "C=el"} < set(config(root, "minimal.yml")["Env"])  # type: ignore[call-overload]
    assert "B=micro" not in config(root, "full.yml")["Env"]  # type: ignore[operator]


def test_names_are_known_or_told(tmp_path: Path) -> None:
    """A stack that needs a name which is not known of its distribution is told which, and what is known there."""
    good = "from: alpine:3.24\npackages: '{{ distro.names.mysql_server }}'\n"
    bad = "from: alpine:3.24\nimage: x/bad\npackages: '{{ distro.names.wordpress }}'\n"
    root = tree(tmp_path, {"app.yml": good, "bad.yml": bad})
    assert "apk add --no-cache \\\n      mariadb \\\n      mariadb-client\n" in dockerfile(root)
    ran = run(["render", "bad.yml"], root)
    assert (
        'bad.yml:3:12: error[undefined-name]: "wordpress" is not among the names that are known of alpine-3.24'
        in ran.stderr
    )


def test_a_dead_distribution_is_told_with_its_date_and_what_lives(tmp_path: Path) -> None:
    """Who stands on a dead distribution learns since when, and where to move."""
    root = tree(tmp_path, {"app.yml": "from: openeuler/openeuler:22.03-lts-sp4\npackages: [vim]\n"})
    ran = run(["render", "app.yml"], root)
    assert ran.code == 0
    assert "warning[end-of-life]: openeuler-22.03 reached its end of life on 2026-06-30" in ran.stderr
    assert "openeuler-24.03" in ran.stderr
    made = (root / "build/app/rootfs/etc/yum.repos.d/openEuler.repo").read_text("utf-8")
    assert "baseurl=http://repo.openeuler.org/openEuler-22.03-LTS-SP4/OS/$basearch/" in made


def test_a_distribution_is_added_in_one_file(shop: Path) -> None:
    """One file of data, without Python, makes a distribution that packages, mirrors, `when` and expressions know."""
    tree(
        shop,
        {
            "app.yml": """\
                from: oraclelinux:9
                packages:
                  - nginx
                  - {name: builder, install: [libpng-devel], repositories: [ol9_codeready_builder]}
                when: {el9: {env: {WEB: "{{ distro.users.web }}"}}, oraclelinux: {packages: [curl]}}
                """,
            "slim.yml": "from: oraclelinux:9-slim\nimage: x/slim\npackages: [nginx]\n",
            "on.yml": "from: oraclelinux:9\nimage: x/on\nrepositories: [ol9_codeready_builder]\npackages: [a]\n",
            "own.yml": "from: oraclelinux:9\nimage: x/own\nmirror: corp\npackages: [a]\n",
        },
    )
    assert 'ENV WEB="nginx"' in dockerfile(shop)
    assert "--enablerepo=ol9_codeready_builder" in dockerfile(shop)
    assert "microdnf install -y" in dockerfile(shop, "slim.yml")
    where = "rootfs/etc/yum.repos.d/oracle-linux-ol9.repo"
    # The image's own file stays until one of its repositories is switched on.
    assert f"app/{where}" not in rendered(shop)
    made = rendered(shop, "on.yml")[f"on/{where}"].decode()
    assert (
        "baseurl=https://yum.oracle.com/repo/OracleLinux/OL9/codeready/builder/$basearch/\nenabled=1\ngpgcheck=1\n"
        in made
    )
    made = rendered(shop, "own.yml")[f"own/{where}"].decode()
    assert "baseurl=https://mirror.corp/ol9\n" in made
    assert "baseurl=https://yum.oracle.com/repo/OracleLinux/OL9/baseos/latest/$basearch/\n" in made


def test_a_family_of_ones_own(tmp_path: Path) -> None:
    """A package manager that nobody knew is a folder of data and templates."""
    family = yaml.safe_load((ROOT / "templates/families/apk/family.yml").read_text("utf-8"))
    family |= {"description": "pkg", "seen": "2026-11-24", "repositories": {"template": "repos.j2"}}
    distro = yaml.safe_load((ROOT / "templates/distros/alpine-3.24.yml").read_text("utf-8"))
    distro |= {
        "description": "Own 1",
        "version": "1",
        "family": "pkg",
        "kinds": ["pkg", "own", "own-1"],
        "tags": ["own1"],
    }
    distro |= {"seen": "2026-11-24", "end_of_life": {"date": "2030-01-01", "dead": False}}
    distro |= {"images": [{"match": ["own:1"], "brings": {}}]}
    mirror = (
        "description: corp\ncarries: {own-1: {main: 'https://own.corp/main', community: 'https://own.corp/more'}}\n"
    )
    root = tree(
        tmp_path,
        {
            "stackgen.yml": "data: data\nmirror: corp\n",
            "data/families/pkg/family.yml": yaml.safe_dump(family),
            "data/families/pkg/install.j2": "RUN pkg get{% for p in groups[0].packages %} {{ p }}{% endfor %}\n",
            "data/families/pkg/build.j2": "RUN {{ command }}\n",
            "data/families/pkg/repos.j2": "{% for r in repositories %}{{ r.id }} {{ r.url }}\n{% endfor %}",
            "data/distros/own-1.yml": yaml.safe_dump(distro),
            "data/mirrors/corp.yml": mirror + "source: https://own.corp/\nseen: 2026-11-24\n",
            "app.yml": "from: own:1\npackages: [vi, ed]\n",
        },
    )
    assert "RUN pkg get ed vi\n" in dockerfile(root)
    assert (
        rendered(root)["app/rootfs/etc/apk/repositories"]
        == b"main https://own.corp/main\ncommunity https://own.corp/more\n"
    )
