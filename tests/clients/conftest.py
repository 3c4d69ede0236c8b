"""What is rendered for a distribution and a mirror, and what the table of addresses says of them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from stackgen import api
from tests.helpers import ROOT, tree

REQUIRED = os.environ.get("STACKGEN_REQUIRE_ENGINE") == "1"
# Debian's dnf and rpm, for a root of Rocky 9: no image of its own can be had here.
STAND_IN = """\
FROM debian:12-slim
RUN apt-get update \\
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends dnf rpm \\
 && mkdir -p /etc/dnf/vars /etc/yum.repos.d /etc/pki/rpm-gpg \\
 && echo 9 > /etc/dnf/vars/releasever
"""
TABLE: Mapping[str, Any] = yaml.safe_load((ROOT / "tests/data/addresses.yml").read_text("utf-8"))


def need(program: str) -> str:
    """Give a program's path; the test is skipped without it, or fails where CI promised it."""
    found = shutil.which(program)
    if found is None and REQUIRED:
        pytest.fail(f"no {program}: .ci/run installs it", pytrace=False)
    return found or pytest.skip(f"no {program}")


def run(*command: str | Path) -> str:
    """Give what a program prints; a failure shows all that it said."""
    words = [str(word) for word in command]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def dnf_image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image with a dnf that knows no repository."""
    need("docker")
    name = "stackgen-test/dnf:1"
    folder = tmp_path_factory.mktemp("dnf")
    (folder / "Dockerfile").write_text(STAND_IN, "utf-8")
    run("docker", "build", "--quiet", "--network=host", "--tag", name, folder)
    yield name
    run("docker", "image", "rm", "--force", name)


@cache
def known() -> api.Known:
    """Give the data, as the program reads them."""
    return api.known(cwd=ROOT).unwrap()


def image_of(distro: str) -> str:
    """Give a public image of a distribution, by a pattern without a star."""
    (found,) = [each for each in known().distributions if each.name == distro]
    return next(str(name) for image in found.images for name in image["match"] if not set("*?") & set(name))


def rootfs(folder: Path, distro: str, mirror: str) -> Path:
    """Write what a root of a distribution copies into its image, with every extra repository on; give the folder.

    A living distribution on its own hosts keeps the files of its image. It gets ours where a child goes back from a
    mirror, so there it is such a child.
    """
    (data,) = [each for each in known().distributions if each.name == distro]
    extra = sorted(each for each in _optional(data) if _carries(distro, mirror, each))
    rest = f"packages: [{{name: all, install: [a], repositories: {extra}}}]\n"
    stacks = {"app.yml": f"from: {image_of(distro)}\nmirror: {mirror}\n{rest}"}
    if mirror == "official" and not data.dead:
        stacks["app.yml"] = f"extends: base\nmirror: official\n{rest}"
        stacks["base.yml"] = f"from: {image_of(distro)}\nmirror: aliyun\n"
    return write_rootfs(tree(folder, stacks), "app.yml")


def write_rootfs(root: Path, stack: str) -> Path:
    """Write what a stack's image copies beside the stack; give the folder."""
    plan = api.render([stack], cwd=root).unwrap()
    for file in plan.images[-1].files:
        path = root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
    return root / "rootfs"


def _optional(data: api.Distribution) -> list[str]:
    return [each["id"] for file in data.repository_files if file.get("optional") for each in file["repositories"]]


def _carries(distro: str, mirror: str, repository: str) -> bool:
    (found,) = [each for each in known().mirrors if each.name == mirror]
    return repository in found.carries.get(distro, {})


def pairs(kind: str) -> list[Any]:
    """Give every distribution of a kind of table with every mirror that the table has for it."""
    return [
        pytest.param(distro, mirror, id=f"{distro}-{mirror}")
        for distro, said in TABLE.items()
        if kind in said
        for mirror in said[kind]
    ]
