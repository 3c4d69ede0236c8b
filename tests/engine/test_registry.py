"""The chain through a real registry: pushed from one engine, and built on in another that has nothing."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import textwrap
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .commands import ROOT, Rendered, bake, execute, run, stackgen, told_configs
from .conftest import absent

pytestmark = pytest.mark.engine

CHAIN = ("debian12", "php-fpm", "wordpress")
# A child as a user writes it: the parent's ONBUILD copies its application, and a program is its own.
CHILD = """\
    extends: php-fpm
    image: site
    tag: "1"
    env: {GREETING: "from $APP_DIR"}
    context: [{src: site, dest: app}]
    files: [{content: "worker", dest: /etc/worker.conf}]
    programs: {worker: {command: sleep infinity}}
    run: ["cat /app/index.php /etc/worker.conf > /both"]
    labels: {org.example.made: in another engine}
"""


@contextmanager
def registry(folder: Path) -> Iterator[str]:
    """The address of Debian's docker-registry, run as a process of ours."""
    if shutil.which("docker-registry") is None:
        absent("no docker-registry; tests/engine/tools.sh installs it")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    config = folder / "registry.yml"
    settings = {"version": 0.1, "storage": {"filesystem": {"rootdirectory": str(folder / "images")}}}
    config.write_text(json.dumps({**settings, "http": {"addr": address}}), encoding="utf-8")
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen(("docker-registry", "serve", config), stdout=log, stderr=subprocess.STDOUT)
    try:
        end = time.monotonic() + 20
        while True:
            try:
                with urllib.request.urlopen(f"http://{address}/v2/", timeout=5):
                    break
            except OSError:
                assert time.monotonic() < end, (folder / "registry.log").read_text(encoding="utf-8")
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(20)


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Another engine, by what a shell needs to talk to it."""

    env: dict[str, str]

    def run(self, *command: str | Path, timeout: float = 300) -> str:
        """What a command says that talks to this engine."""
        return run(*command, env=self.env, timeout=timeout)

    def config(self, reference: str) -> dict[str, Any]:
        """What it says of an image."""
        config: dict[str, Any] = json.loads(self.run("docker", "image", "inspect", reference))[0]["Config"]
        return config


@contextmanager
def clean_engine() -> Iterator[Engine]:
    """A second engine of the first one's programs, with nothing in it."""
    dockerd = shutil.which("dockerd")
    if dockerd is None or os.geteuid() != 0:
        absent("no dockerd on PATH to start a second engine with, or not root; tests/engine/engine.sh brings one")
    # Not in pytest's folder: the path of a socket may have a hundred characters or so.
    folder = Path(tempfile.mkdtemp(prefix="stackgen-", dir="/var/tmp"))
    (folder / "tools").symlink_to(Path(dockerd).parent.parent)
    if "DOCKER_CONFIG" in os.environ:
        (folder / "config").symlink_to(os.environ["DOCKER_CONFIG"])
    env = {"STACKGEN_ENGINE_DIR": str(folder), "STACKGEN_ENGINE_OPTIONS": "--bridge=none"}
    script = ROOT / "tests/engine/engine.sh"
    try:
        run(script, "up", env=env)
        yield Engine(env={"DOCKER_HOST": f"unix://{folder}/docker.sock"})
    finally:
        stopped = execute(script, "down", env=env)
        # With something of it still mounted, nothing may be removed.
        if stopped.returncode == 0:
            shutil.rmtree(folder, ignore_errors=True)


def differing(told: dict[str, Any], config: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The fields of which stackgen and an engine say different things; absent and empty are the same."""
    return {key: (told[key], config.get(key)) for key in told if (told[key] or None) != (config.get(key) or None)}


@pytest.mark.usefixtures("chain")  # whose layers are those of the images that are pushed
def test_a_child_stands_on_what_a_registry_gives(debian: Rendered, tmp_path: Path) -> None:
    """Pushed, pulled into an engine that has nothing, and built on there: each image is what `inspect` says."""
    del debian
    shutil.copytree(ROOT / "stacks", tmp_path / "stacks")
    (tmp_path / "stacks/site").mkdir()
    (tmp_path / "stacks/site/index.php").write_text("<?php\n", encoding="utf-8")
    (tmp_path / "stacks/site.yml").write_text(textwrap.dedent(CHILD), encoding="utf-8")
    with registry(tmp_path) as address, clean_engine() as engine:
        (tmp_path / "stackgen.yml").write_text(f"stacks: [stacks]\nregistry: {address}/shop\n", encoding="utf-8")
        options = ("--base", "debian12")
        stackgen("render", "stacks/wordpress.yml", *options, cwd=tmp_path)
        references = bake(tmp_path / "build")
        told = {name: told_configs(f"stacks/{name}.yml", *options, cwd=tmp_path)[references[name]] for name in CHAIN}
        for name in CHAIN:
            assert references[name].startswith(f"{address}/shop/")
            run("docker", "push", "--quiet", references[name], timeout=600)
            run("docker", "image", "rm", references[name])

        assert engine.run("docker", "image", "ls", "--quiet") == ""
        # The child first: its parent is pulled by the build itself, for its FROM.
        stackgen("render", "stacks/site.yml", *options, "-o", "child", cwd=tmp_path)
        site = f"{address}/shop/site:1"
        dockerfile = (tmp_path / "child/site/Dockerfile").read_text(encoding="utf-8")
        assert f"FROM {references['php-fpm']}\n" in dockerfile
        engine.run("docker", "build", "--quiet", "--network=host", "--tag", site, tmp_path / "child/site")
        (told_site,) = told_configs("stacks/site.yml", *options, cwd=tmp_path).values()
        assert differing(told_site, engine.config(site)) == {}
        assert "GREETING=from /app" in engine.config(site)["Env"]

        for name in CHAIN:
            engine.run("docker", "pull", "--quiet", references[name], timeout=600)
            assert differing(told[name], engine.config(references[name])) == {}
