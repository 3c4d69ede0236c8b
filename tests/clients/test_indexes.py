"""pip and npm follow the mirror: what they themselves say of what is rendered for them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stackgen import api
from stackgen.stack.project import Options
from tests.helpers import config, tree

from .conftest import known, rootfs

MIRRORS = [each.name for each in known().mirrors]


@pytest.mark.parametrize("mirror", MIRRORS)
def test_pip_reads_the_index(mirror: str, tmp_path: Path) -> None:
    """Pip takes the mirror's index from the file that the image gets; with `official` the image has none."""
    (data,) = [each for each in known().mirrors if each.name == mirror]
    path = rootfs(tmp_path, "debian-12", mirror) / "etc/pip.conf"
    environment = {**{k: v for k, v in os.environ.items() if not k.startswith("PIP_")}, "PIP_CONFIG_FILE": str(path)}
    command = [sys.executable, "-m", "pip", "config", "list"]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert f"global.index-url='{data.pip}'" in printed.splitlines()


@pytest.mark.parametrize("mirror", [each.name for each in known().mirrors if each.npm and each.name != "official"])
def test_npm_follows_where_it_is(mirror: str, tmp_path: Path) -> None:
    """An image with npm asks the mirror's registry; one without has no variable that it does not need."""
    (data,) = [each for each in known().mirrors if each.name == mirror]
    stacks = {
        "node.yml": "from: node:22-bookworm-slim\n",
        "apt.yml": "from: debian:12-slim\npackages: [npm]\n",
        "plain.yml": "from: debian:12-slim\nimage: x/plain\npackages: [curl]\n",
    }
    root = tree(tmp_path, stacks)
    environment = {}
    for stack in stacks:
        env = config(root, stack, Options(mirror=mirror))["Env"]
        assert isinstance(env, list)
        environment[stack] = [each for each in env if each.startswith("npm_config_registry=")]
    said = [f"npm_config_registry={data.npm}"]
    assert environment == {"node.yml": said, "apt.yml": said, "plain.yml": []}


def test_a_child_goes_back_from_a_mirror_with_npm_too(tmp_path: Path) -> None:
    """A child that takes its packages from `official` again does not leave npm with the mirror of its parent."""
    root = tree(
        tmp_path,
        {"base.yml": "from: node:22-bookworm\nmirror: aliyun\n", "app.yml": "extends: base\nmirror: official\n"},
    )
    env = config(root)["Env"]
    assert isinstance(env, list)
    assert "npm_config_registry=https://registry.npmjs.org" in env
    assert api.render(["app.yml"], cwd=root).ok
