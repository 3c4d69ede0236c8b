"""Templates that a user can change, and a configuration that cannot lie about what they print."""

from __future__ import annotations

from pathlib import Path

import pytest

from stackgen import api
from stackgen.docker import inherit
from stackgen.docker.instructions import From
from stackgen.docker.syntax import parse
from stackgen.stack.project import Options
from tests.cases import Case, cases
from tests.helpers import ROOT, config, dockerfile, rendered, run, tree

STACKS: dict[str, str | bytes] = {
    "base.yml": "from: debian:12-slim\nenv: {BASE: '1'}\npackages: [curl]\nsupervisor: {}\n",
    "app.yml": "extends: base\nenv: {APP: $BUILT/app}\nprograms: {web: {command: web}}\nexpose: [80]\n",
}
EXTENDS = '{% extends "stackgen/dockerfile/Dockerfile.j2" %}\n'
ADDS_ENV = {
    "tpl/dockerfile/Dockerfile.j2": EXTENDS
    + '{% block env %}{{ super() }}{% if image.name == "base" %}\nENV BUILT="by us"\n{% endif %}{% endblock %}\n'
}
OURS = Options(templates=Path("tpl"))


def test_a_whole_file(tmp_path: Path) -> None:
    """A file of the same name stands in for ours, wherever it is used."""
    files = {
        "tpl/families/apt/install.j2": (
            "RUN my-apt{% for group in groups %} {{ group.packages | join(' ') }}{% endfor %}\n"
        ),
        "tpl/supervisord/program.conf.j2": "; mine\n[{{ kind }}:{{ name }}]\ncommand = {{ options.command }}\n",
    }
    root = tree(tmp_path, STACKS | files)
    made = rendered(root, options=OURS)
    assert "\nRUN my-apt curl supervisor\n" in made["base/Dockerfile"].decode()
    assert made["app/rootfs/etc/supervisor/conf.d/web.conf"] == b"; mine\n[program:web]\ncommand = web\n"
    assert "apt-get" in dockerfile(root, "base.yml")


def test_a_block(tmp_path: Path) -> None:
    """A template that extends ours replaces one block of it, and all else stays as it was."""
    root = tree(tmp_path, STACKS | ADDS_ENV)
    ours, theirs = dockerfile(root, "base.yml"), dockerfile(root, "base.yml", OURS)
    assert '\nENV BASE="1"\nENV BUILT="by us"\n' in theirs
    assert theirs.replace('ENV BUILT="by us"\n', "") == ours
    assert dockerfile(root, "app.yml", OURS) == dockerfile(root, "app.yml")


def test_inspect_tells_the_truth(tmp_path: Path) -> None:
    """An ENV that a user's block adds is in the configuration of the image and of its children, who can use it."""
    root = tree(tmp_path, STACKS | ADDS_ENV)
    base, app = config(root, "base.yml", OURS), config(root, "app.yml", OURS)
    path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    assert base["Env"] == [path, "BASE=1", "BUILT=by us"]
    assert app["Env"] == [path, "BASE=1", "BUILT=by us", "APP=by us/app"]
    assert config(root, "app.yml")["Env"] == [path, "BASE=1", "APP=/app"]


def test_a_block_that_leaves_something_out(tmp_path: Path) -> None:
    """What a user's template does not print is not in the configuration."""
    files = {
        "tpl/dockerfile/Dockerfile.j2": EXTENDS + "{% block labels %}{% endblock %}{% block expose %}{% endblock %}"
    }
    root = tree(tmp_path, STACKS | files)
    told = config(root, "app.yml", OURS)
    assert told["Labels"] is None
    assert "ExposedPorts" not in told
    assert "ExposedPorts" in config(root, "app.yml")


def test_stages_of_a_template(tmp_path: Path) -> None:
    """Only what follows the last FROM makes the image, also where a user's template writes stages of its own."""
    files = {
        "tpl/dockerfile/Dockerfile.j2": EXTENDS + "{% block stages %}FROM golang AS build\nENV GO=1\n\n{% endblock %}"
    }
    root = tree(tmp_path, STACKS | files)
    assert "GO=1" not in str(config(root, "app.yml", OURS))


def test_templates_of_the_project_file(tmp_path: Path) -> None:
    """The project file names a folder of templates for all; what the call names stands over it."""
    files = {
        "stackgen.yml": "templates: mine\n",
        "mine/dockerfile/Dockerfile.j2": EXTENDS + "{% block header %}# mine\n{% endblock %}",
        "other/dockerfile/Dockerfile.j2": EXTENDS + "{% block header %}# other\n{% endblock %}",
    }
    root = tree(tmp_path, STACKS | files)
    assert dockerfile(root).startswith("# mine\nFROM")
    assert dockerfile(root, options=Options(templates=Path("other"))).startswith("# other\nFROM")
    # The folder is seen from where the call is made.
    assert run(["render", "../app.yml", "--templates", "dockerfile/.."], root / "other").code == 0
    assert (root / "build/app/Dockerfile").read_text("utf-8").startswith("# other\nFROM")


def test_our_templates_are_the_public_ones(tmp_path: Path) -> None:
    """A copy of our own templates, put over them, changes nothing: there is no other source of form."""
    files = {f"tpl/{path.relative_to(ROOT / 'templates').as_posix()}": path.read_bytes()
             for folder in ("dockerfile", "supervisord", "compose", "families")
             for path in (ROOT / "templates" / folder).rglob("*.j2")}  # fmt: skip
    root = tree(tmp_path, STACKS | files)
    assert rendered(root, options=OURS) == rendered(root)


def folded(checked: api.Checked, plan: api.Plan) -> dict[str, dict[str, object]]:
    """Give each image's configuration as its printed Dockerfile, read back, makes it on its parent's."""
    texts = {
        image.name: next(file.content for file in image.files if file.path == "Dockerfile").decode()
        for image in plan.images
    }
    configs: dict[str, inherit.Config] = {}
    for image in checked.images:
        instructions = [each.instruction for each in parse(texts[image.unit.name])]
        last = max(index for index, each in enumerate(instructions) if isinstance(each, From))
        below = configs[image.unit.parent] if image.unit.parent else image.base
        configs[image.unit.key] = inherit.fold(below, instructions[last + 1 :])
    return {image.unit.name: configs[image.unit.key].to_json() for image in checked.images}


def lowered(checked: api.Checked) -> dict[str, dict[str, object]]:
    return {image.unit.name: image.config.to_json() for image in checked.images}


def both_ways(paths: list[str], options: Options, cwd: Path) -> None:
    checked = api.check(api.load(paths, options, cwd=cwd).unwrap()).unwrap()
    plan = api.render(paths, options, cwd=cwd).unwrap()
    assert checked.images
    assert folded(checked, plan) == lowered(checked)


@pytest.mark.parametrize("base", [None, "debian12"])
def test_both_ways_agree_for_the_four_images(base: str | None) -> None:
    """What lowering folds is what the printed Dockerfiles say, read back by our own parser."""
    both_ways(["stacks"], Options(base=base), ROOT)


def options_of(case: Case) -> tuple[list[str], Options]:
    """Read a case's call as the command line does."""
    paths: list[str] = []
    said: dict[str, str] = {}
    variables: dict[str, str] = {}
    words = iter(case.call)
    for word in words:
        if word == "--set":
            name, _, value = next(words).partition("=")
            variables[name] = value
        elif word.startswith("--"):
            said[word.removeprefix("--")] = next(words)
        else:
            paths.append(word)
    return paths, Options(base=said.get("base"), mirror=said.get("mirror"), variables=variables)


@pytest.mark.parametrize("case", cases("good"), ids=lambda case: case.folder.name)
def test_both_ways_agree(case: Case, tmp_path: Path) -> None:
    """The configuration is the fold of what is printed, for every case of the language."""
    paths, options = options_of(case)
    both_ways(paths, options, case.copy_to(tmp_path / "case"))
