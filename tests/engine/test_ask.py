"""What `inspect --engine` asks of the engines that are there: of docker, or else of podman."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from stackgen.outside import engine
from tests.helpers import run as run_here
from tests.helpers import tree

from .builders import old_environment
from .commands import engine_config, execute, run, stackgen
from .conftest import absent

pytestmark = pytest.mark.engine

OUTSIDE = "stackgen-test/ask-outside:1"
NOBODY = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
PROJECT = {
    "outside/Dockerfile": """\
        FROM scratch
        COPY Dockerfile /etc/
        ENV JAVA_HOME=/java EMPTY=
        USER 1000:1000
        WORKDIR /srv
        EXPOSE 8080
        VOLUME /data
        SHELL ["/bin/bash", "-c"]
        HEALTHCHECK --interval=9s CMD up
        ENTRYPOINT run it
        STOPSIGNAL 9
        LABEL a=b
        ONBUILD ENV FIRED=$JAVA_HOME
        """,
    "app.yml": f"""\
        from: {OUTSIDE}
        image: stackgen-test/ask-inside
        env: {{PATH: "$JAVA_HOME/bin:$PATH"}}
        workdir: sub
        cmd: serve
        """,
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tree(tmp_path / "project", PROJECT)


@pytest.fixture
def podman(tmp_path: Path, project: Path) -> dict[str, str]:
    """Where podman is that has the outside image, in a store of its own, beside a docker that nobody answers."""
    store = tmp_path / "store"
    store.mkdir()
    settings = store / "storage.conf"
    settings.write_text(f'[storage]\ndriver = "vfs"\ngraphroot = "{store}/images"\nrunroot = "{store}/run"\n', "utf-8")
    env = {**old_environment(), **NOBODY, "CONTAINERS_STORAGE_CONF": str(settings)}
    try:
        run("podman", "version", env=env)
    except (AssertionError, OSError):
        absent("no podman; tests/engine/engine.sh up old brings one")
    run("buildah", "bud", "--format", "docker", "--quiet", "--tag", OUTSIDE, project / "outside", env=env)
    return env


@pytest.fixture
def docker(project: Path) -> None:
    """The outside image, in the engine."""
    run("docker", "build", "--quiet", "--tag", OUTSIDE, project / "outside")


def alone(program: str, folder: Path) -> str:
    """A PATH on which one program is, and nothing else."""
    folder.mkdir()
    found = shutil.which(program)
    assert found
    (folder / program).symlink_to(Path(found).resolve())
    return str(folder)


def ask(project: Path, env: Mapping[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    return execute(sys.executable, "-m", "stackgen", "inspect", "app.yml", "--engine", *options, cwd=project, env=env)


@pytest.mark.usefixtures("docker")
def test_docker_is_asked(project: Path) -> None:
    """What docker says of an image that nobody else knows gives what a build on it comes to."""
    stackgen("render", "app.yml", cwd=project)
    run("docker", "build", "--quiet", "--tag", "stackgen-test/ask-inside", project / "build" / "app")
    (image,) = json.loads(stackgen("inspect", "app.yml", "--engine", "--format", "json", cwd=project))
    assert list(image) == ["Name", "Config", "Programs"]
    assert image["Config"] == engine_config("stackgen-test/ask-inside")
    assert "JAVA_HOME=/java" in image["Config"]["Env"]
    table = stackgen("inspect", "app.yml", "--engine", cwd=project)
    assert ["User", "1000:1000", OUTSIDE, "app.yml:1"] in [line.split() for line in table.splitlines()]


def test_podman_is_asked_where_docker_does_not_answer(project: Path, podman: dict[str, str]) -> None:
    """Podman tells all that docker would, also what its inspect leaves out: SHELL, HEALTHCHECK and ONBUILD."""
    (image,) = json.loads(ask(project, podman, "--format", "json").stdout)
    config = image["Config"]
    assert "FIRED=/java" in config["Env"]
    assert config["Shell"] == ["/bin/bash", "-c"]
    assert config["Cmd"] == ["/bin/bash", "-c", "serve"]
    assert config["Healthcheck"] == {"Interval": 9000000000, "Test": ["CMD-SHELL", "up"]}
    assert (config["User"], config["WorkingDir"]) == ("1000:1000", "/srv/sub")


def told(answer: subprocess.CompletedProcess[str], message: str, help: str) -> None:
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.startswith("app.yml:1:7: error[unknown-image]: ")
    assert message in answer.stderr
    assert help in answer.stderr


def test_the_one_that_builds_is_asked(project: Path, podman: dict[str, str]) -> None:
    """What docker lacks is a finding, though podman has it: docker would build. Nothing is pulled for a look."""
    execute("docker", "image", "rm", "--force", OUTSIDE)
    there = {name: value for name, value in podman.items() if name not in ("DOCKER_HOST", "DOCKER_CONFIG")}
    told(ask(project, there), f"docker has no image {OUTSIDE}", f"docker pull {OUTSIDE}")


def test_podman_lacks_the_image(project: Path, podman: dict[str, str]) -> None:
    """An image that podman does not have is a finding with podman's own command."""
    run("podman", "image", "rm", OUTSIDE, env=podman)
    told(ask(project, podman), f"podman has no image {OUTSIDE}", f"podman pull {OUTSIDE}")


def test_a_broken_store(project: Path, podman: dict[str, str], tmp_path: Path) -> None:
    """An image that podman knows and cannot give is a finding with the command that shows why."""
    shutil.rmtree(tmp_path / "store/images/vfs/dir")
    told(ask(project, podman), f"podman cannot save {OUTSIDE}", f"podman image save {OUTSIDE}")


def test_no_engine_answers(project: Path, tmp_path: Path) -> None:
    """A docker without an engine behind it, and no podman, is as good as none."""
    told(ask(project, {**NOBODY, "PATH": alone("docker", tmp_path / "bin")}), "no engine answers", "start one")


def test_an_engine_that_hangs(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that takes the call and never answers is given up, as one that is not there."""
    monkeypatch.setattr(engine, "TIMEOUT", 1)
    monkeypatch.setenv("PATH", alone("docker", tmp_path / "bin"))
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "silent.sock"))
        silent.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/silent.sock")
        ran = run_here(["inspect", "app.yml", "--engine"], project)
    assert ran.code == 1
    assert "no engine answers" in ran.stderr
