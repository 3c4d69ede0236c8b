"""The engine, and what is rendered and built once for all tests of this folder."""

from __future__ import annotations

import functools
import json
import os
import secrets
import shutil
from pathlib import Path
from typing import Any, NoReturn

import pytest

from .commands import Rendered, bake, engine_config, execute, run, stackgen

REQUIRED = os.environ.get("STACKGEN_REQUIRE_ENGINE") == "1"
FIXED_SEED = 20250101
# What a random seed has found is found again with it.
RANDOM_SEED = int(os.environ.get("STACKGEN_SEED", secrets.randbelow(10**9)))
each_seed = pytest.mark.parametrize("seed", [FIXED_SEED, RANDOM_SEED], ids=["fixed", "random"])


def absent(what: str) -> NoReturn:
    """Skips the test, or fails it where an engine was promised."""
    if REQUIRED:
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


@functools.cache
def lacking() -> str | None:
    """The first command that shows that there is no engine to test with."""
    for command in ("docker version", "docker buildx version", "docker compose version"):
        if shutil.which("docker") is None or execute(*command.split()).returncode != 0:
            return command
    return None


SUMMARY: list[str] = []


@pytest.fixture(scope="session")
def summary() -> list[str]:
    """Lines that are shown at the end of the run, whatever comes of the tests."""
    return SUMMARY


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if SUMMARY:
        terminalreporter.section("held against the engine")
        for line in SUMMARY:
            terminalreporter.write_line(line)


def pytest_runtest_setup() -> None:
    """Skips each test here where no engine answers; pytest folds skips from one place into one line."""
    if command := lacking():
        absent(f"no Docker engine ({command} fails); tests/engine/engine.sh starts one")


def render(folder: Path, *options: str) -> Rendered:
    # What is written under a strict umask must be as readable in the image as anything else.
    stackgen("render", "stacks/wordpress.yml", *options, "-o", folder, umask=0o077)
    targets = json.loads((folder / "docker-bake.json").read_text(encoding="utf-8"))["target"]
    return Rendered(folder=folder, images={name: target["tags"][0] for name, target in targets.items()})


@pytest.fixture(scope="session")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """The four images on Debian 12, rendered."""
    return render(tmp_path_factory.mktemp("debian12") / "build", "--base", "debian12")


@pytest.fixture(scope="session")
def centos(tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """The four images on CentOS 7, rendered."""
    return render(tmp_path_factory.mktemp("centos7") / "build")


@pytest.fixture(scope="session")
def chain(debian: Rendered) -> Rendered:
    """The four images on Debian 12, built by bake."""
    bake(debian.folder)
    return debian


@pytest.fixture(scope="session")
def configs(chain: Rendered) -> dict[str, dict[str, Any]]:
    """The configuration of each built image, by the name of its folder."""
    return {name: engine_config(reference) for name, reference in chain.images.items()}


@pytest.fixture(scope="session")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with the accounts that images of random chains use: enough as long as nothing runs."""
    root = tmp_path_factory.mktemp("accounts")
    (root / "etc").mkdir()
    (root / "etc" / "passwd").write_text("root:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\n", encoding="utf-8")
    (root / "etc" / "group").write_text("root:x:0:\napp:x:1000:\n", encoding="utf-8")
    archive = root.with_suffix(".tar")
    run("tar", "--directory", root, "--create", "--file", archive, "etc")
    return archive


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image of one file: enough to build on as long as nothing runs."""
    context = tmp_path_factory.mktemp("tiny")
    (context / "passwd").write_text("root:x:0:0::/:/bin/sh\n", encoding="utf-8")
    (context / "Dockerfile").write_text("FROM scratch\nCOPY passwd /etc/\n", encoding="utf-8")
    reference = "stackgen-test/tiny:1"
    run("docker", "build", "--quiet", "--tag", reference, context)
    return reference
