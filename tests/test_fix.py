"""`validate --fix`: what it mends, and that it changes nothing else."""

from __future__ import annotations

import difflib
import shutil
from pathlib import Path

import pytest

from stackgen import api
from stackgen.api import Options
from stackgen.diagnostics import Diagnostic
from stackgen.render.plan import Plan
from tests.helpers import ROOT, rendered, run, tree
from tests.mutations import mutations

HEAD = "from: debian:12-slim\n"


def fixed(root: Path, text: str, *call: str) -> str:
    """Let a stack be mended; give its text afterwards."""
    (root / "app.yml").write_bytes(text.encode())
    ran = run(["validate", *(call or ("app.yml",)), "--fix"], root)
    assert ran.code in (0, 1), ran
    return (root / "app.yml").read_bytes().decode()


def found(root: Path, *paths: str) -> tuple[Diagnostic, ...]:
    return api.render(list(paths or ("app.yml",)), cwd=root).diagnostics


MENDED = {
    "a misspelt key": ("packges: [curl]  # tools\n", "packages: [curl]  # tools\n"),
    "a key inside of an entry": (
        "files:\n- {dest: /a, contnet: x}\n",
        "files:\n- {dest: /a, content: x}\n",
    ),
    "two in one line": (
        "healthcheck: {tets: x, intervall: 5s}  # both\n",
        "healthcheck: {test: x, interval: 5s}  # both\n",
    ),
    "a doubled package": ("packages: [curl, git, curl]\n", "packages: [curl, git]\n"),
    "two doubled packages": ("packages: [a, b, a, c, b]\n", "packages: [a, b, c]\n"),
    "a doubled package on its own line": (
        "packages:\n  # what we need\n  - curl\n  - git  # it\n  - curl\ntag: a\n",
        "packages:\n  # what we need\n  - curl\n  - git  # it\ntag: a\n",
    ),
    "an expression without quotes": ("workdir: {{ dir }}  # here\n", 'workdir: "{{ dir }}"  # here\n'),
    "a text with a colon": ("run:\n- echo Package: x\n", 'run:\n- "echo Package: x"\n'),
    "a shell's test": ("run:\n- [ -s /etc/hosts ]\n", 'run:\n- "[ -s /etc/hosts ]"\n'),
    "a shell's not": ("run:\n- ! grep -q x /etc/hosts\n", 'run:\n- "! grep -q x /etc/hosts"\n'),
}


@pytest.mark.parametrize("name", MENDED)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["", "bom"])
def test_what_is_mended(name: str, end: str, mark: str, tmp_path: Path) -> None:
    """What can be mended is; comments, layout, line ends and a mark at the start stay; then it is valid."""
    before, after = MENDED[name]
    around = "vars: {dir: /srv}   # é 名前\n\n\n# the end\n"
    whole = [mark + (HEAD + text + around).replace("\n", end) for text in (before, after)]
    assert fixed(tmp_path, whole[0]) == whole[1]
    assert [each.code for each in found(tmp_path) if each.severity == "error" or each.fix] == []


def test_diff_shows_and_writes_nothing(tmp_path: Path) -> None:
    """`--fix --diff` prints what `--fix` would do, exits with 3, and touches nothing."""
    before, after = HEAD + "packges: [curl]\n# x\n", HEAD + "packages: [curl]\n# x\n"
    tree(tmp_path, {"app.yml": before})
    stamp = (tmp_path / "app.yml").stat()
    ran = run(["validate", "app.yml", "--fix", "--diff"], tmp_path)
    assert (ran.code, ran.stderr) == (3, "")
    expected = difflib.unified_diff(before.splitlines(True), after.splitlines(True), "a/app.yml", "b/app.yml")
    assert ran.stdout == "".join(expected)
    assert (tmp_path / "app.yml").read_text() == before
    assert (tmp_path / "app.yml").stat().st_mtime_ns == stamp.st_mtime_ns
    fixed(tmp_path, before)
    ran = run(["validate", "app.yml", "--fix", "--diff"], tmp_path)
    assert (ran.code, ran.stdout) == (0, "")


@pytest.mark.parametrize("mode", [0o644, 0o600, 0o664, 0o755])
def test_modes_stay(mode: int, tmp_path: Path) -> None:
    """A mended file keeps its mode, and no other file is left behind."""
    (tmp_path / "app.yml").write_text(HEAD + "packges: [curl]\n")
    (tmp_path / "app.yml").chmod(mode)
    run(["validate", "app.yml", "--fix"], tmp_path)
    assert (tmp_path / "app.yml").stat().st_mode & 0o7777 == mode
    assert [path.name for path in tmp_path.iterdir()] == ["app.yml"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """A stack that is a link inside the project is mended where it leads to."""
    tree(tmp_path, {"stackgen.yml": "", "real/app.yml": HEAD + "packges: [curl]\n"})
    (tmp_path / "app.yml").symlink_to("real/app.yml")
    assert run(["validate", "app.yml", "--fix"], tmp_path).code == 0
    assert (tmp_path / "app.yml").is_symlink()
    assert (tmp_path / "real/app.yml").read_text() == HEAD + "packages: [curl]\n"


def test_what_cannot_be_written(tmp_path: Path) -> None:
    """A file that cannot be written is a finding, and stays as it was."""
    tree(tmp_path, {"app.yml": HEAD + "packges: [curl]\n", ".app.yml.new/x": ""})
    ran = run(["validate", "app.yml", "--fix"], tmp_path)
    assert ran.code == 1
    assert "error[cannot-write]: app.yml cannot be written" in ran.stderr
    assert (tmp_path / "app.yml").read_text() == HEAD + "packges: [curl]\n"


def test_one_node_by_several_aliases(tmp_path: Path) -> None:
    """What is reached in several ways is mended once, where it stands."""
    text = HEAD + "files:\n- &a {dest: /a, contnet: x}\n- *a\nwhen: {apt: {files: [*a]}}\n"
    assert fixed(tmp_path, text) == text.replace("contnet", "content")


def test_fragments_and_parents(tmp_path: Path) -> None:
    """Each file of the closure is mended: fragments, parents and what it depends on; no other is touched."""
    tree(
        tmp_path,
        {
            "stackgen.yml": "",
            "app.yml": "extends: base\ninclude: [parts/a.yml]\nservice: {depends_on: [db]}\n",
            "base.yml": HEAD + "expsoe: [80]\n",
            "db.yml": HEAD + "exopse: [81]\n",
            "parts/a.yml": "enV: {A: b}\n",
            "other.yml": HEAD + "packges: [x]\n",
        },
    )
    assert run(["validate", "app.yml", "--fix"], tmp_path).code == 0
    texts = {path.relative_to(tmp_path).as_posix(): path.read_text() for path in tmp_path.rglob("*.yml")}
    assert texts["base.yml"] == HEAD + "expose: [80]\n"
    assert texts["db.yml"] == HEAD + "expose: [81]\n"
    assert texts["parts/a.yml"] == "env: {A: b}\n"
    assert texts["other.yml"] == HEAD + "packges: [x]\n"


def test_nothing_outside_the_project(tmp_path: Path) -> None:
    """What a project only points at is not its own to change, and not read either."""
    tree(
        tmp_path,
        {
            "shop/stackgen.yml": "data: ../shared\n",
            "shop/app.yml": HEAD + "mirror: near\npackages: [a]\n",
            "shared/mirrors/near.yml": "descripton: near\ncarries: {}\n",
        },
    )
    ran = run(["validate", "app.yml", "--fix"], tmp_path / "shop")
    assert ran.code == 1
    assert "error[outside-project]: `data` leads out of the project" in ran.stderr
    assert (tmp_path / "shared/mirrors/near.yml").read_text() == "descripton: near\ncarries: {}\n"


def test_two_keys_for_one(tmp_path: Path) -> None:
    """Where two keys may have meant the same, nobody knows which: neither is changed."""
    text = HEAD + "packges: [a]\npackags: [b]\n"
    assert fixed(tmp_path, text) == text
    text = HEAD + "packages: [a]\npackags: [b]\n"
    assert fixed(tmp_path, text) == text


def test_what_has_no_sure_cure_stays(tmp_path: Path) -> None:
    """A mode without its 0, a word for a switch, a name that nobody knows: told, and left to whoever meant it."""
    text = HEAD + "files:\n- {dest: /a, content: x, mode: 755}\nenv: {A: '{{ nmae }}'}\nvars: {name: x}\nport: 80\n"
    assert fixed(tmp_path, text) == text


def plan_of(root: Path, options: Options) -> Plan | None:
    return api.render(["stacks/wordpress.yml"], options, cwd=root).value


@pytest.mark.parametrize("file", ["centos7", "mysql", "php-fpm", "wordpress"])
def test_a_misspelt_key_is_what_it_was(file: str, tmp_path: Path) -> None:
    """Each key of the real stacks, misspelt and mended, is the key that it was: the text is the same to the byte."""
    shutil.copytree(ROOT / "stacks", tmp_path / "stacks")
    path = tmp_path / f"stacks/{file}.yml"
    sound = path.read_text()
    renames = [mutation for mutation in mutations(sound) if mutation.kind == "rename"]
    mended = 0
    for number, mutation in enumerate(renames):
        path.write_text(mutation.text)
        result = api.render(["stacks/wordpress.yml"], cwd=tmp_path)
        if number % 3 or not any(each.fix for each in result.diagnostics):
            continue
        assert run(["validate", "stacks/wordpress.yml", "--fix"], tmp_path).code == 0, mutation.name
        assert path.read_text() == sound
        mended += 1
    path.write_text(sound)
    assert mended >= 2


WARNED = {
    "a doubled package": "packages: [curl, git, curl]\n",
    "in a group": "packages: [{name: a, install: [curl, git]}, {name: b, install: [vim, git]}]\n",
    "in an overlay": "packages: [curl]\nwhen: {apt: {packages: [git, curl]}}\n",
    "on its own line": "packages:\n- curl\n- git\n- curl\n",
    "quoted": "packages: [curl, 'git', \"curl\"]\n",
}


@pytest.mark.parametrize("name", WARNED)
def test_a_fix_changes_no_meaning(name: str, tmp_path: Path) -> None:
    """Where a stack was valid, what it renders to is the same after it was mended, but for what the warning said."""
    text = HEAD + WARNED[name]
    tree(tmp_path, {"app.yml": text})
    assert any(each.fix for each in found(tmp_path)), found(tmp_path)
    before = rendered(tmp_path)
    assert fixed(tmp_path, text) != text
    after = rendered(tmp_path)
    if name == "in a group":
        assert before.pop("app/Dockerfile").decode() == after.pop("app/Dockerfile").decode().replace(
            "      vim\n", "      git \\\n      vim\n"
        )
    assert after == before
    assert not any(each.fix for each in found(tmp_path))


def test_a_shells_not_is_said_again(tmp_path: Path) -> None:
    """Where YAML had dropped something, the fix brings back just that, as the warning said."""
    text = HEAD + "run:\n- ! grep -q x /etc/hosts\n"
    tree(tmp_path, {"app.yml": text})
    before = rendered(tmp_path)["app/Dockerfile"].decode()
    fixed(tmp_path, text)
    assert rendered(tmp_path)["app/Dockerfile"].decode() == before.replace("RUN grep", "RUN ! grep")
