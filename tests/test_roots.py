"""The three application stacks on each root: they render, and nothing of another distribution is left in them."""

from __future__ import annotations

import posixpath
import re
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from stackgen import api
from stackgen.render.plan import Plan
from stackgen.stack.project import Options
from tests.helpers import ROOT, files_of, run, tree

# The roots of stacks/, and what they stand on.
ROOTS = {
    "centos7": "centos-7",
    "rocky9": "rocky-9",
    "debian12": "debian-12",
    "debian13": "debian-13",
    "ubuntu2404": "ubuntu-24.04",
    "alpine": "alpine-3.24",
}
# What a package manager is called by, which no data say; behind the name, as there are files of that name, too.
COMMANDS = {
    "yum": r"\byum\s",
    "dnf": r"\bdnf\s",
    "apt": r"\b(?:apt-get|dpkg|apt\s)",
    "apk": r"\bapk\s",
    "rpm": r"\b(?:rpm|epel|usermod)\b",
}


@cache
def plan(root: str, stack: str = "wordpress") -> Plan:
    result = api.render([f"stacks/{stack}.yml"], Options(base=None if root == "centos7" else root), cwd=ROOT)
    # That CentOS 7 is dead is all that is said of any of them.
    assert {each.code for each in result.diagnostics} <= ({"end-of-life"} if root == "centos7" else set())
    return result.unwrap()


def lines_of(root: str) -> str:
    """Give all that is written, and where in an image it goes; nothing is written of which image it lies in."""
    files = [file for image in plan(root).images for file in image.files]
    return "\n".join(file.path.partition("rootfs")[2] + "\n" + file.content.decode() for file in files)


@cache
def data_of(root: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / f"templates/distros/{ROOTS[root]}.yml").read_text("utf-8"))
    return loaded


def places(data: Mapping[str, Any]) -> set[str]:
    """Give every path that a distribution's data name; of a pattern, its folder."""
    supervisors = data["supervisor"].values()
    named = {
        *data["paths"].values(),
        *(way["config"] for way in supervisors),
        *(posixpath.dirname(way["include"]) for way in supervisors),
        *(posixpath.dirname(file["path"]) for file in data["repository_files"]),
    }
    return {path for path in named if path.startswith("/")}


def packages(data: Mapping[str, Any]) -> set[str]:
    names = data["names"]
    return {names["php"], names["php_mysql"], *names["mysql_server"], *names.get("wordpress", ())}


def foreign(root: str, other: str) -> dict[str, str]:
    """Give what another root has and this one has not, as patterns by what they mean."""
    own, theirs = data_of(root), data_of(other)
    paths = {path for path in places(theirs) - places(own) if not any(path in mine for mine in places(own))}
    words = {path: re.escape(path) + r"(?![\w.-])" for path in paths}
    for name in {*theirs["kinds"], theirs["family"]} - {*own["kinds"], own["family"]}:
        if name in COMMANDS:
            words[name] = COMMANDS[name]
    for role, name in theirs["users"].items():
        if name != own["users"].get(role):
            # `nginx` is a program as well: as a user it stands behind one of these words, or is its own group.
            words[f"the user {name}"] = rf"(?:user|group|owner|own|grp|-[og])\s*[ =:]\s*{name}\b|\b{name}:{name}\b"
    for name in packages(theirs) - packages(own) - {"wordpress", "php"}:
        words[f"the package {name}"] = rf"(?m)^ +{re.escape(name)}(?: \\)?$"
    return words


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize("stack", ["mysql", "php-fpm", "wordpress"])
def test_each_stack_renders_on_each_root(stack: str, root: str) -> None:
    """No application stack has a finding on any root, and each stands on it."""
    images = {image.name: image for image in plan(root, stack).images}
    assert stack in images
    name = stack
    while (parent := images[name].part["parent"]) is not None:
        name = parent
    assert name == root


@pytest.mark.parametrize("root", ROOTS)
def test_nothing_of_another_root_is_left(root: str) -> None:
    """No path, user, package or package manager of another distribution stands in what is rendered."""
    text = lines_of(root)
    found = {
        (other, meaning)
        for other in ROOTS.keys() - {root}
        for meaning, pattern in foreign(root, other).items()
        if re.search(pattern, text)
    }
    assert not found


@pytest.mark.parametrize("root", ROOTS)
def test_what_is_left_would_be_found(root: str) -> None:
    """The search for leftovers finds what it looks for, where that is: in the other root's own output."""
    for other in ROOTS.keys() - {root}:
        words, text = foreign(root, other), lines_of(other)
        hits = {meaning for meaning, pattern in words.items() if re.search(pattern, text)}
        assert len(words) > 2, other
        assert len(hits) > len(words) / 2, (other, words.keys() - hits)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project with the stacks of this one, of which everything stands on CentOS 7, rendered."""
    shutil.copytree(ROOT / "stacks", tmp_path / "stacks")
    assert run(["render", "stacks"], tmp_path).code == 0
    return tmp_path


def test_a_diff_shows_what_a_move_means(shop: Path) -> None:
    """The patch has what changes, names only the images that move, and makes of one folder the other."""
    before = files_of(shop / "build")
    ran = run(["render", "stacks", "--base", "rocky9", "--diff"], shop)
    assert ran.code == 3
    assert files_of(shop / "build") == before
    touched = {path.partition("/")[0] for path in re.findall(r"(?m)^diff --git a/(\S+) ", ran.stdout)}
    assert touched == {"mysql", "php-fpm", "wordpress", "compose.yaml", "docker-bake.json"}
    moved = "php-fpm/rootfs/etc/supervisor.conf.d/nginx.conf\nrename to php-fpm/rootfs/etc/supervisord.d/nginx.ini\n"
    assert f"similarity index 100%\nrename from {moved}" in ran.stdout
    root = "FROM csphere/centos:7.1 becomes csphere/rocky:9"
    assert ran.stderr.splitlines()[-3:] == [
        f"mysql: image csphere/mysql:5.5 becomes csphere/mysql:10.5, {root}",
        f"php-fpm: image csphere/php-fpm:5.4 becomes csphere/php-fpm:8.0, {root}",
        "wordpress: image csphere/wordpress:5.1 becomes csphere/wordpress:7.1.3, "
        "FROM csphere/php-fpm:5.4 becomes csphere/php-fpm:8.0",
    ]
    (shop / "move.patch").write_text(ran.stdout, "utf-8")
    shutil.copytree(shop / "build", shop / "patched")
    subprocess.run(["git", "apply", "../move.patch"], cwd=shop / "patched", check=True)
    assert run(["render", "stacks", "--base", "rocky9"], shop).code == 0
    assert files_of(shop / "build") == files_of(shop / "patched")


def lasting(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Give files without the first line of a Dockerfile, which says how it was called for."""
    return {
        path: content.partition(b"\n")[2] if path.endswith("Dockerfile") else content for path, content in files.items()
    }


def test_a_move_can_be_committed(shop: Path) -> None:
    """`bases` in the project file is the same move as --base, for everything that stands on that root."""
    assert run(["render", "stacks", "--base", "rocky9", "-o", "moved"], shop).code == 0
    (shop / "stackgen.yml").write_text("stacks: [stacks]\nbases: {centos7: rocky9}\n", "utf-8")
    assert run(["render"], shop).code == 0
    assert lasting(files_of(shop / "build")) == lasting(files_of(shop / "moved"))


TWO_ROOTS = {
    "stacks/old.yml": "from: debian:12-slim\nimage: demo/old\n",
    "stacks/new.yml": "from: debian:13-slim\nimage: demo/new\n",
    "stacks/lts.yml": "from: ubuntu:22.04\nimage: demo/lts\n",
    "stacks/next.yml": "from: ubuntu:24.04\nimage: demo/next\n",
    "stacks/app.yml": "extends: old\nimage: demo/app\nservice: {depends_on: [db]}\n",
    "stacks/db.yml": "extends: lts\nimage: demo/db\nservice: {}\n",
}


def parents(project: Path, *call: str) -> dict[str, str]:
    """Give what each image stands on after a render."""
    assert run(["render", *call, "--force"], project).code == 0
    made = {path: content.decode() for path, content in files_of(project / "build").items()}
    return {
        path.partition("/")[0]: re.findall(r"(?m)^FROM (.*)", text)[0].removesuffix(":latest")
        for path, text in made.items()
        if path.endswith("/Dockerfile")
    }


def test_base_moves_only_the_root_of_what_is_named(tmp_path: Path) -> None:
    """In a closure with two roots, --base moves that of the named stacks; the other one stays where it is."""
    project = tree(tmp_path, TWO_ROOTS)
    found = parents(project, "stacks/app.yml", "--base", "new")
    assert (found["app"], found["db"]) == ("demo/new", "demo/lts")
    told = (project / "build/db/Dockerfile").read_text("utf-8").partition("\n")[0]
    assert told.endswith("then: stackgen render stacks/db.yml")


def test_base_leaves_committed_moves_of_other_roots(tmp_path: Path) -> None:
    """--base stands over `bases` where both speak of a root, and beside it where they do not."""
    project = tree(tmp_path, TWO_ROOTS | {"stackgen.yml": "stacks: [stacks]\nbases: {lts: next, old: next}\n"})
    found = parents(project, "stacks/app.yml")
    assert (found["app"], found["db"]) == ("demo/next", "demo/next")
    found = parents(project, "stacks/app.yml", "--base", "new")
    assert (found["app"], found["db"]) == ("demo/new", "demo/next")
    found = parents(project, "stacks/app.yml", "--base", "old")
    assert (found["app"], found["db"]) == ("demo/old", "demo/next")


def test_a_root_stays_whatever_the_base(tmp_path: Path) -> None:
    """A root beside moved images may be rendered anew without --base, and they beside it with it."""
    project = tree(tmp_path, TWO_ROOTS)
    assert run(["render", "stacks", "--base", "new"], project).code == 0
    before = files_of(project / "build")
    assert run(["render", "stacks/old.yml"], project).code == 0
    assert run(["render", "stacks/app.yml", "stacks/db.yml", "--base", "new"], project).code == 0
    assert files_of(project / "build") == before
    assert "error[other-options]" in run(["render", "stacks/db.yml"], project).stderr


def test_what_a_root_lacks_is_told_by_name(shop: Path) -> None:
    """Where none of our packages are known, each name and path that is missing is told at its place."""
    root = "from: openeuler/openeuler:24.03-lts-sp3\nimage: csphere/openeuler\n"
    (shop / "stacks/openeuler.yml").write_text(root, "utf-8")
    ran = run(["render", "stacks/mysql.yml", "--base", "openeuler", "-o", "other"], shop)
    assert ran.code == 1
    assert not (shop / "other").exists()
    missing = re.findall(r'error\[undefined-name\]: "(\w+)" is not among', ran.stderr)
    assert missing == ["mysql_version", "mysql_server", "mysql_conf_d", "mysql_conf_d"]
    assert '"mysql_server" is not among the names that are known of openeuler-24.03\n' in ran.stderr
    assert '"mysql_conf_d" is not among the paths that are known of openeuler-24.03\n' in ran.stderr
