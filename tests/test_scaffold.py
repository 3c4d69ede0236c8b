"""New projects: whole, valid and rendered at once, whoever makes them and wherever."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.helpers import ROOT, files_of, run, tree

TEMPLATE = ROOT / "templates" / "project"
MADE = [
    ".gitignore",
    ".schemas/project.json",
    ".schemas/stack.json",
    "README.md",
    "stackgen.yml",
    "stacks/base.yml",
    "stacks/web.yml",
    "stacks/web/nginx.conf.j2",
    "stacks/web/site/index.html",
]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home directory whose cookiecutter settings must not count, and which stays as it was."""
    home = tree(tmp_path / "home", {".cookiecutterrc": "default_context: {name: hijacked}\n"})
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("COOKIECUTTER_CONFIG", str(home / ".cookiecutterrc"))
    yield home
    assert sorted(files_of(home)) == [".cookiecutterrc"]


def plain_cookiecutter(name: str, place: Path) -> None:
    command = [sys.executable, "-m", "cookiecutter", "--no-input", str(TEMPLATE), "-o", str(place), f"name={name}"]
    # Its own settings: a home for what it leaves behind.
    home = tree(
        place / "its-home", {"config.yml": f"cookiecutters_dir: {place}/its-home\nreplay_dir: {place}/its-home\n"}
    )
    environment = {**os.environ, "COOKIECUTTER_CONFIG": str(home / "config.yml")}
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr


def rendered(project: Path) -> dict[str, bytes]:
    """What the project renders to, without a PATH and without a single finding."""
    ran = run(["render"], project)
    assert (ran.code, ran.stderr) == (0, "")
    return files_of(project / "build")


def test_a_new_project_renders_at_once(tmp_path: Path) -> None:
    """Its stacks are valid without a finding, and rendering them again changes nothing."""
    ran = run(["new", "project", "shop"], tmp_path)
    assert (ran.code, ran.stderr) == (0, "")
    assert sorted(files_of(tmp_path / "shop")) == MADE
    made = rendered(tmp_path / "shop")
    assert {"base/Dockerfile", "web/Dockerfile", "compose.yaml", "docker-bake.json"} <= set(made)
    assert b"\nFROM shop/base:12\n" in made["web/Dockerfile"]
    assert run(["render", "--check"], tmp_path / "shop").code == 0


def test_it_says_what_it_made_and_what_comes_next(tmp_path: Path) -> None:
    """The command that is printed last is the one to type, quoted where the shell needs it."""
    ran = run(["new", "project", "shop", "-o", "my work"], tmp_path)
    head, *paths, blank, following = ran.stdout.splitlines()
    assert (head, blank, following) == ("my work/shop/", "", "next: cd 'my work/shop' && stackgen render")
    assert sorted(path.strip() for path in paths) == MADE


def test_a_folder_with_blanks_is_as_good(tmp_path: Path) -> None:
    """Where a project lies changes nothing of what it renders to."""
    run(["new", "project", "shop"], tmp_path)
    run(["new", "project", "shop", "-o", "a b/c d"], tmp_path)
    assert rendered(tmp_path / "a b" / "c d" / "shop") == rendered(tmp_path / "shop")


@pytest.mark.parametrize(("typed", "name"), [("shop", "shop"), ("My Shop", "my-shop")])
def test_plain_cookiecutter_makes_the_same(tmp_path: Path, typed: str, name: str) -> None:
    """The template is a cookiecutter template; all that is missing then are the schemas for editors."""
    plain_cookiecutter(typed, tmp_path / "plain")
    run(["new", "project", name], tmp_path)
    ours = files_of(tmp_path / name)
    assert files_of(tmp_path / "plain" / name) == {path: ours[path] for path in MADE if ".schemas" not in path}
    assert rendered(tmp_path / "plain" / name) == rendered(tmp_path / name)


@pytest.mark.parametrize("there", ["shop/mine.txt", "shop"])
def test_nothing_is_overwritten(tmp_path: Path, there: str) -> None:
    """Whatever is called so already stays as it is: a folder, or a file."""
    tree(tmp_path, {there: "mine"})
    before = files_of(tmp_path)
    ran = run(["new", "project", "shop"], tmp_path)
    assert ran.code == 1
    assert ran.stderr == (
        "shop is there already; nothing was written\n  help: choose another name, or another folder with -o DIR\n"
    )
    assert files_of(tmp_path) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """A failure names the place and leaves nothing behind."""
    place = tmp_path / "theirs"
    place.mkdir(mode=0o500)
    ran = run(["new", "project", "shop", "-o", "theirs"], tmp_path)
    assert ran.code == 1
    assert "cannot be written: permission denied" in ran.stderr


def test_a_file_in_the_way_is_said(tmp_path: Path) -> None:
    """A DIR below a file cannot be made, and the message says which."""
    tree(tmp_path, {"notes": "mine"})
    ran = run(["new", "project", "shop", "-o", "notes/deep"], tmp_path)
    assert ran.code == 1
    assert ran.stderr == "notes/deep cannot be written: not a directory; nothing was written\n"


@pytest.mark.parametrize(
    ("name", "cure"),
    [
        ("My Shop", "stackgen new project my-shop"),
        ("work/shop", "stackgen new project shop -o work"),
        ("my work/Shop_2", "stackgen new project shop-2 -o 'my work'"),
        ("..", "lower-case letters, digits, and - between them: stackgen new project shop"),
        ("", "lower-case letters, digits, and - between them: stackgen new project shop"),
        ("商店", "lower-case letters, digits, and - between them: stackgen new project shop"),
    ],
)
def test_a_name_that_cannot_be_one_is_answered(home: Path, tmp_path: Path, name: str, cure: str) -> None:
    """A name becomes a folder, a Compose project and part of each image's reference; the answer is what to type."""
    ran = run(["new", "project", name], tmp_path)
    assert ran.code == 2
    assert ran.stderr.endswith(f'Error: "{name}" is no name for a project\n  help: {cure}\n')
    assert list(tmp_path.iterdir()) == [home]


def test_what_comes_later_says_so(tmp_path: Path) -> None:
    """`new image` is part of the language of commands and answers, whatever is given to it."""
    ran = run(["new", "image", "redis", "--from", "debian:12"], tmp_path)
    assert ran.code == 2
    assert "is not there yet; until then: a file NAME.yml" in ran.stderr


def test_help_shows_an_example(tmp_path: Path) -> None:
    """Whoever asks how gets a line to type, and importing cookiecutter is not what they wait for."""
    assert "stackgen new project shop\n" in run(["new", "--help"], tmp_path).stdout
    assert "stackgen new project shop -o ~/work\n" in run(["new", "project", "--help"], tmp_path).stdout
    asked = "import sys; from stackgen.cli import cli; cli(['new', 'project', '--help'], standalone_mode=False)"
    imported = f"{asked}; print([name for name in sys.modules if name.startswith('cookiecutter')])"
    command = [sys.executable, "-c", imported]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    assert finished.stdout.endswith("[]\n")


def test_only_one_file_imports_cookiecutter() -> None:
    """What is slow to import, and not ours, has one place."""
    users = [
        path
        for path in (ROOT / "src").rglob("*.py")
        if re.search(r"import cookiecutter|from cookiecutter", path.read_text("utf-8"))
    ]
    assert [path.name for path in users] == ["scaffold.py"]


def test_the_stacks_name_a_schema_that_takes_them(tmp_path: Path) -> None:
    """An editor that follows the first line of a file finds a schema there, and nothing to complain of."""
    run(["new", "project", "shop"], tmp_path)
    files = [tmp_path / "shop" / path for path in MADE if path.endswith(".yml")]
    assert len(files) == 3
    for path in files:
        text = path.read_text("utf-8")
        named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
        assert named, path
        schema = json.loads((path.parent / named[1]).read_text("utf-8"))
        Draft202012Validator.check_schema(schema)
        assert [error.message for error in Draft202012Validator(schema).iter_errors(yaml.safe_load(text))] == []


def test_its_readme_is_true(tmp_path: Path) -> None:
    """The second service that it shows renders with the rest, and Compose starts it first."""
    run(["new", "project", "shop"], tmp_path)
    project = tmp_path / "shop"
    readme = (project / "README.md").read_text("utf-8")
    shown = re.search(r"```yaml\n# (\S+)\n(.*?)```", readme, re.DOTALL)
    assert shown
    tree(project, {shown[1]: shown[2]})
    with (project / "stacks" / "web.yml").open("a") as stack:
        stack.write("  depends_on: [cache]\n")
    compose = yaml.safe_load(rendered(project)["compose.yaml"])
    assert compose["services"]["web"]["depends_on"] == ["cache"]
    for line in re.findall(r"^ {4}(stackgen [^#>\n]*)", readme, re.MULTILINE):
        assert run(line.split()[1:], project).code == 0, line


def test_a_project_needs_nothing_of_the_checkout(tmp_path: Path) -> None:
    """A project that was moved is still whole."""
    run(["new", "project", "shop"], tmp_path)
    before = rendered(tmp_path / "shop")
    shutil.move(tmp_path / "shop", tmp_path / "elsewhere")
    assert rendered(tmp_path / "elsewhere") == before
