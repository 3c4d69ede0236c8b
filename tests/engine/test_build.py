"""The four images on Debian 12 as the engine builds them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .commands import Rendered, entries, run, told_configs

pytestmark = pytest.mark.engine

Configs = dict[str, dict[str, Any]]

STACKS = ("debian12", "mysql", "php-fpm", "wordpress")
# What image inspect says of an image that instructions can change.
FIELDS = (
    *("Env", "Cmd", "Entrypoint", "ExposedPorts", "Volumes", "Labels", "WorkingDir", "User", "OnBuild"),
    *("Healthcheck", "StopSignal", "Shell"),
)


def directories(reference: str) -> dict[str, tuple[int, int, int]]:
    """Mode, owner and group of each directory of an image, by path."""
    return {name: (entry.mode, entry.uid, entry.gid) for name, entry in entries(reference).items() if entry.isdir()}


def comparable(config: dict[str, Any]) -> dict[str, Any]:
    """The fields that instructions can change; absent and empty are the same to the engine."""
    return {field: config.get(field) or None for field in FIELDS}


@pytest.fixture(scope="module")
def base_directories(chain: Rendered) -> dict[str, tuple[int, int, int]]:
    """The directories of the image that the root stands on."""
    return directories(chain.parent("debian12"))


def test_bake_builds_the_whole_chain_without_a_registry(chain: Rendered) -> None:
    """One bake builds the four images, each under the reference that its stack gives it."""
    assert set(chain.images) == set(STACKS)
    names = {name: reference.partition(":")[0] for name, reference in chain.images.items()}
    assert names == {
        "debian12": "csphere/debian",
        "mysql": "csphere/mysql",
        "php-fpm": "csphere/php-fpm",
        "wordpress": "csphere/wordpress",
    }


@pytest.mark.parametrize("name", STACKS)
def test_directories_of_the_base_keep_mode_and_owner(
    chain: Rendered, base_directories: dict[str, tuple[int, int, int]], name: str
) -> None:
    """No image changes a directory that was there before, although all was rendered under a umask of 077."""
    found = directories(chain.images[name])
    assert base_directories
    assert {path: found.get(path) for path in base_directories} == base_directories


@pytest.mark.parametrize("name", STACKS)
def test_inspect_tells_what_the_engine_tells(chain: Rendered, configs: Configs, name: str) -> None:
    """The effective configuration that stackgen works out is the one that the built image has."""
    told = told_configs(f"stacks/{name}.yml", "--base", "debian12")[chain.images[name]]
    assert set(told) <= set(FIELDS)
    assert comparable(told) == comparable(configs[name])


@pytest.mark.usefixtures("configs")  # read before Compose builds the images again with labels of its own
def test_compose_builds_the_chain_without_a_registry(chain: Rendered, tmp_path: Path) -> None:
    """Compose takes the file as it is, and builds each service on its sibling instead of pulling one."""
    compose = ("docker", "compose", "-f", "compose.yaml")
    given = {"DB_PASSWORD": "given"}
    config = json.loads(run(*compose, "config", "--format", "json", cwd=chain.folder, env=given))
    assert {service["image"] for service in config["services"].values()} == set(chain.images.values())
    network = tmp_path / "network.json"
    services = {name: {"build": {"network": "host"}} for name in config["services"]}
    network.write_text(json.dumps({"services": services}), encoding="utf-8")
    run(*compose, "-f", network, "--progress", "plain", "build", cwd=chain.folder, env=given, timeout=900)
