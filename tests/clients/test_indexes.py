"""pip and npm follow the mirror and the certificates: what they themselves say of what is rendered for them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stackgen import api
from stackgen.stack.project import Options
from tests.helpers import config, dockerfile, rendered, tree

from .conftest import known, rootfs

PEM = "-----BEGIN CERTIFICATE-----\n"
MIRRORS = [each.name for each in known().mirrors]


def pip_says(content: bytes, home: Path) -> list[str]:
    """What a real pip reads in its configuration: in that of a user, since it reads /etc/pip.conf as it reads that."""
    path = home / ".config/pip/pip.conf"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "XDG_"))} | {"HOME": str(home)}
    command = [sys.executable, "-m", "pip", "config", "--user", "list"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.parametrize("mirror", MIRRORS)
def test_pip_reads_the_index(mirror: str, tmp_path: Path) -> None:
    """Pip takes the mirror's index from the file that the image gets; with `official` the image has none."""
    (data,) = [each for each in known().mirrors if each.name == mirror]
    path = rootfs(tmp_path, "debian-12", mirror) / "etc/pip.conf"
    assert pip_says(path.read_bytes(), tmp_path) == [f"global.index-url='{data.pip}'"]


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


BUNDLES = {
    "debian:12-slim": "/etc/ssl/certs/ca-certificates.crt",
    "alpine:3.24": "/etc/ssl/certs/ca-certificates.crt",
    "rockylinux/rockylinux:9": "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "fedora:44": "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
}


@pytest.mark.parametrize("image", BUNDLES)
def test_pip_trusts_what_the_image_trusts(image: str, tmp_path: Path) -> None:
    """Whichever of an image and its parent says the mirror and the certificates, pip's one file says both."""
    stacks = {
        "ca.yml": f"from: {image}\ncertificates: [ca.pem]\n",
        "ca-then-mirror.yml": "extends: ca\nmirror: tuna\n",
        "mirror.yml": f"from: {image}\nmirror: tuna\n",
        "mirror-then-ca.yml": "extends: mirror\ncertificates: [ca.pem]\n",
        "mirror-then-ca-then-mirror.yml": "extends: mirror-then-ca\nmirror: aliyun\n",
        "ca-twice.yml": "extends: ca-then-mirror\ncertificates: [more.pem]\n",
    }
    root = tree(tmp_path, {**stacks, "ca.pem": PEM, "more.pem": f"{PEM}two\n"})
    made = rendered(root, *stacks)
    said: dict[str, list[str] | None] = {}
    for name in (stack.removesuffix(".yml") for stack in stacks):
        content = made.get(f"{name}/rootfs/etc/pip.conf")
        said[name] = None if content is None else pip_says(content, tmp_path)
    cert = f"global.cert='{BUNDLES[image]}'"
    aliyun, tuna = (f"global.index-url='{each.pip}'" for each in known().mirrors if each.name in ("aliyun", "tuna"))
    assert said == {
        "ca": [cert],
        "ca-then-mirror": [cert, tuna],
        "mirror": [tuna],
        "mirror-then-ca": [cert, tuna],
        "mirror-then-ca-then-mirror": [cert, aliyun],
        # The bundle has the second one, and pip knows the bundle.
        "ca-twice": None,
    }


@pytest.mark.parametrize("dest", ["/etc/pip.conf", "/etc/"])
def test_a_pip_conf_of_ones_own_stays(dest: str, tmp_path: Path) -> None:
    """A stack that brings /etc/pip.conf says all that is in it, and it lies there before pip runs."""
    own = f"files: [{{src: pip.conf, dest: {dest}}}]\npip: [a]\n"
    root = tree(tmp_path, {"app.yml": f"from: python:3.13-slim-bookworm\nmirror: tuna\ncertificates: [ca.pem]\n{own}"})
    tree(tmp_path, {"ca.pem": PEM, "pip.conf": "[global]\nno-cache-dir = true\n"})
    assert rendered(root)["app/rootfs/etc/pip.conf"] == b"[global]\nno-cache-dir = true\n"
    made = dockerfile(root)
    assert made.index("COPY rootfs/etc/pip.conf /etc/\n") < made.index("pip install")


def test_node_trusts_what_the_image_trusts(tmp_path: Path) -> None:
    """An image with npm and certificates tells node so, once, and in the first image that has both."""
    stacks = {
        "node.yml": "from: node:22-bookworm-slim\n",
        "trusting.yml": "extends: node\ncertificates: [ca.pem]\n",
        "more.yml": "extends: trusting\nmirror: aliyun\ncertificates: [ca.pem]\n",
        "plain.yml": "from: debian:12-slim\ncertificates: [ca.pem]\n",
        "npm.yml": "extends: plain\npackages: [npm]\n",
        "own.yml": "extends: node\nenv: {NODE_EXTRA_CA_CERTS: /own.pem}\ncertificates: [ca.pem]\n",
    }
    root = tree(tmp_path, {**stacks, "ca.pem": PEM})
    made = {
        name: re.findall("ENV (.*)", text.decode()) for name, text in rendered(root, *stacks).items() if "/D" in name
    }
    trusts = 'NODE_EXTRA_CA_CERTS="/etc/ssl/certs/ca-certificates.crt"'
    assert made == {
        "node/Dockerfile": [],
        "trusting/Dockerfile": [trusts],
        "more/Dockerfile": ['npm_config_registry="https://registry.npmmirror.com"'],
        "plain/Dockerfile": [],
        "npm/Dockerfile": [trusts],
        "own/Dockerfile": ['NODE_EXTRA_CA_CERTS="/own.pem"'],
    }
