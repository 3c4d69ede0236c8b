"""The command line as a user meets it: help, formats, where things are printed, and what a mistyped word gets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stackgen import __version__
from tests.helpers import run, tree

BAD = {"stacks/app.yml": "from: debian:12-slim\npackges: [curl]\nexpose: [80]\n"}
COMMANDS = ("render", "validate", "inspect", "new", "schema")


def test_help(tmp_path: Path) -> None:
    """The help names every command with a sentence, and shows how one begins."""
    ran = run(["--help"], tmp_path)
    assert ran.code == 0
    assert "stackgen render stacks/wordpress.yml" in ran.stdout
    for command in COMMANDS:
        assert f"\n  {command}  " in ran.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(command: str, tmp_path: Path) -> None:
    """Each command's help has an example that can be typed."""
    ran = run([command, "--help"], tmp_path)
    assert ran.code == 0
    assert f"stackgen {command} " in ran.stdout.partition("Example")[2]


def test_version(tmp_path: Path) -> None:
    """The version is printed alone on its line, for scripts."""
    assert run(["--version"], tmp_path).stdout == f"stackgen {__version__}\n"


@pytest.mark.parametrize(
    ("typed", "answer"),
    [("rendr", 'did you mean "render"?'), ("validat", 'did you mean "validate"?'), ("zzz", "No such command")],
)
def test_a_mistyped_command(typed: str, answer: str, tmp_path: Path) -> None:
    """A mistyped command is a wrong call that is answered with the one that was meant."""
    ran = run([typed, "x.yml"], tmp_path)
    assert ran.code == 2
    assert answer in ran.stderr
    assert ran.stdout == ""


def test_validate(tmp_path: Path) -> None:
    """Findings go to stderr with their count, and a folder without one says how much is valid."""
    root = tree(tmp_path, BAD)
    ran = run(["validate", "stacks"], root)
    assert (ran.code, ran.stdout) == (1, "")
    assert ran.stderr.startswith('stacks/app.yml:2:1: error[unknown-key]: "packges" is not a key of a stack\n')
    assert ran.stderr.endswith("1 error\n")
    assert not (root / "build").exists()
    (root / "stacks/app.yml").write_text("from: debian:12-slim\n", "utf-8")
    assert run(["validate", "stacks"], root).code == 0


def test_places_are_seen_from_where_the_user_stands(tmp_path: Path) -> None:
    """A path in a finding can be clicked or typed, wherever the command is called."""
    root = tree(tmp_path, BAD | {"stackgen.yml": "name: x\n", "elsewhere/x": ""})
    assert run(["validate", "../stacks/app.yml"], root / "elsewhere").stderr.startswith("../stacks/app.yml:2:1: ")
    assert run(["validate", "app.yml"], root / "stacks").stderr.startswith("app.yml:2:1: ")


def test_validate_as_json(tmp_path: Path) -> None:
    """JSON is one versioned document on stdout, with each finding's place and cure."""
    ran = run(["validate", "stacks", "--format", "json"], tree(tmp_path, BAD))
    assert ran.code == 1
    document = json.loads(ran.stdout)
    assert document["version"] == 1
    (finding,) = document["findings"]
    assert finding["code"] == "unknown-key"
    assert finding["severity"] == "error"
    assert finding["help"] == 'did you mean "packages"?'
    place = finding["place"]
    assert (place["path"], place["line"], place["column"], place["endColumn"]) == ("stacks/app.yml", 2, 1, 8)


def test_validate_for_github(tmp_path: Path) -> None:
    """GitHub's workflow commands put a finding beside its line; what would break the format is escaped."""
    ran = run(["validate", "stacks", "--format", "github"], tree(tmp_path, BAD))
    assert ran.code == 1
    assert ran.stdout.startswith("::error file=stacks/app.yml,line=2,endLine=2,col=1,endColumn=8,title=unknown-key::")
    assert "%0Ahelp: did you mean" in ran.stdout


def test_inspect(tmp_path: Path) -> None:
    """The table shows what an image will be; JSON is a list as `docker image inspect` gives it."""
    root = tree(tmp_path, {"app.yml": "from: debian:12-slim\nimage: x/app\nenv: {A: b}\ncmd: [a, b c]\n"})
    table = run(["inspect", "app.yml"], root).stdout
    assert table.startswith("x/app:latest")
    assert '["a", "b c"]' in table
    assert "A=b" in table
    (image,) = json.loads(run(["inspect", "app.yml", "--format", "json"], root).stdout)
    assert image["Name"] == "x/app:latest"
    assert image["Config"]["Cmd"] == ["a", "b c"]
    assert image["Programs"] == {}


def test_schema(tmp_path: Path) -> None:
    """Each schema is printed as JSON that an editor can use; a mistyped name is answered."""
    for name in ("stack", "project", "fragment", "service", "distro", "family", "mirror"):
        assert json.loads(run(["schema", name], tmp_path).stdout)["description"]
    ran = run(["schema", "stak"], tmp_path)
    assert ran.code == 2
    assert 'did you mean "stack"?' in ran.stderr


def call(*args: str, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stackgen", *args]
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=False
    )


def test_no_colours_without_a_terminal(tmp_path: Path) -> None:
    """What goes into a file or a pipe has no colours in it."""
    done = call("validate", "stacks", cwd=tree(tmp_path, BAD), env={"FORCE_COLOR": "", "TERM": "xterm-256color"})
    assert done.returncode == 1
    assert "\033" not in done.stderr + done.stdout


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    """`stackgen schema | head -1` ends quietly."""
    script = f"set -o pipefail; {sys.executable} -m stackgen schema service | head -c 10 > /dev/null"
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "Broken" not in done.stderr


def test_an_output_that_is_not_utf8(tmp_path: Path) -> None:
    """A finding with a character that the terminal does not know is printed all the same."""
    root = tree(tmp_path, {"app.yml": "from: debian:12-slim\nwört: x\n"})
    done = call("validate", "app.yml", cwd=root, env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0"})
    assert done.returncode == 1
    assert "unknown-key" in done.stderr
    assert "Traceback" not in done.stderr
