"""The wheel brings all that it needs, and nothing that only a checkout has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from stackgen import __version__
from tests.helpers import ROOT, files_of, tree


def call(*args: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program where no file of the checkout is in reach."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(args, cwd=cwd, env=env, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    place = tmp_path_factory.mktemp("wheel")
    call(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", place, ROOT, cwd=place)
    (found,) = place.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def stackgen(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, installed from the wheel into an environment that held nothing."""
    place = tmp_path_factory.mktemp("empty")
    call(sys.executable, "-m", "venv", "--without-pip", place / "venv", cwd=place)
    python = place / "venv/bin/python"
    call(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", wheel, cwd=place)
    return place / "venv/bin/stackgen"


def test_commands_of_an_installed_stackgen(stackgen: Path, tmp_path: Path) -> None:
    """An installed stackgen renders from a folder that holds only a stack, as this checkout does."""
    files = {
        "base.yml": "from: centos:7\nmirror: tuna\nsupervisor: {install: pip}\n",
        "app.yml": "extends: base\nprograms: {web: {command: web}}\nservice: {ports: ['80:80']}\n",
    }
    here, there = tree(tmp_path / "here", files), tree(tmp_path / "there", files)
    call(stackgen, "render", "app.yml", cwd=there)
    call(sys.executable, "-m", "stackgen", "render", "app.yml", cwd=here)
    assert files_of(there / "build") == files_of(here / "build")
    assert call(stackgen, "--version", cwd=tmp_path).stdout == f"stackgen {__version__}\n"
    schema = json.loads(call(stackgen, "schema", cwd=tmp_path).stdout)
    assert schema["title"] == "A stack"
    assert "examples" in call(stackgen, "render", "--help", cwd=tmp_path).stdout.lower()
    assert json.loads(call(stackgen, "inspect", "app.yml", "--format", "json", cwd=there).stdout)[0]["Programs"]


def test_a_new_project_of_an_installed_stackgen(stackgen: Path, tmp_path: Path) -> None:
    """The template of a project is in the wheel, and what it makes renders at once."""
    call(stackgen, "new", "project", "shop", cwd=tmp_path)
    call(stackgen, "render", cwd=tmp_path / "shop")
    assert files_of(tmp_path / "shop/build")


def test_what_is_in_the_wheel(wheel: Path) -> None:
    """The wheel holds every template and schema, `py.typed` and the licence, and no test and no stack of ours."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for folder in ("templates", "schemas"):
        ours = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*") if path.is_file()}
        assert {f"stackgen/_shipped/{path}" for path in ours} <= names
    assert "stackgen/py.typed" in names
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    tops = {name.split("/")[0] for name in names}
    assert tops == {"stackgen", f"stackgen-{__version__}.dist-info"}
