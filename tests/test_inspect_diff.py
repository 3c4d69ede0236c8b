"""Two images compared before they are built, or one with itself under other options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.helpers import run, tree

from .test_inspect import CHAIN, shown


def test_two_images_compared(tmp_path: Path) -> None:
    """What the first image alone has is there with a -, what the second alone has with a +, each with its origin."""
    files = {
        "base.yml": "from: debian:12-slim\nenv: {A: one, B: two}\nprograms: {web: {command: web}}\nsupervisor: {}\n",
        "app.yml": "extends: base\nenv: {B: three}\nexpose: [80]\nprograms: {web: {command: web -x}}\n",
    }
    lines = shown(tree(tmp_path, files), "--diff", "base.yml", "app.yml").splitlines()
    assert lines[:3] == ["--- base:latest (base.yml)", "+++ app:latest (app.yml)", ""]
    assert [" ".join(line.split()) for line in lines[3:] if "Labels" not in line] == [
        "- Env B=two base base.yml:2",
        "+ Env B=three app app.yml:2",
        "+ ExposedPorts 80/tcp app app.yml:3",
        "- web web base base.yml:3",
        "+ web web -x app app.yml:4",
    ]


def test_an_image_is_compared_with_itself_on_another_base(tmp_path: Path) -> None:
    """With one PATH, what `--base`, `--mirror` and `--set` change is shown."""
    files = {
        "debian12.yml": "from: debian:12-slim\n",
        "other.yml": "from: debian:12-slim\nenv: {A: b}\n",
        "app.yml": "extends: debian12\nvars: {v: one}\nenv: {V: '{{ v }}'}\n",
    }
    root = tree(tmp_path, files)
    found = shown(root, "--diff", "app.yml", "--base", "other").splitlines()
    assert found[:2] == ["--- app:latest (app.yml)", "+++ app:latest (app.yml) --base other"]
    assert [" ".join(line.split()) for line in found[3:] if "base.name" not in line] == [
        "+ Env A=b other other.yml:2",
    ]
    assert "+ Env  V=two  app  app.yml:3" in shown(root, "--diff", "app.yml", "--set", "v=two")


@pytest.mark.parametrize(
    "paths", [("stacks/base.yml", "app"), ("base", "stacks/app.yml"), ("base", "app")], ids=["second", "first", "both"]
)
def test_a_stack_is_found_by_its_name(tmp_path: Path, paths: tuple[str, str]) -> None:
    """A name stands for the stack beside the other one, or in the project's own folders."""
    root = tree(
        tmp_path, {f"stacks/{name}": text for name, text in CHAIN.items()} | {"stackgen.yml": "stacks: [stacks]\n"}
    )
    assert shown(root, "--diff", *paths).startswith("--- base:latest")


def test_a_difference_as_json(tmp_path: Path) -> None:
    """Each difference has its place in the image's JSON, and both values with their origins."""
    files = {
        "base.yml": "from: scratch\nenv: {A: one}\nlabels: {org.opencontainers.image.title: x}\n",
        "other.yml": "from: scratch\nenv: {A: two}\nlabels: {org.opencontainers.image.title: x}\nuser: app\n",
    }
    root = tree(tmp_path, files)
    assert json.loads(shown(root, "--diff", "base.yml", "other.yml", "--format", "json")) == {
        "Before": "base:latest",
        "After": "other:latest",
        "Differences": [
            {
                "Place": ["Env", "A"],
                "Before": {"Value": "one", "Origin": {"Image": "base", "File": "base.yml", "Line": 2}},
                "After": {"Value": "two", "Origin": {"Image": "other", "File": "other.yml", "Line": 2}},
            },
            {
                "Place": ["User"],
                "Before": None,
                "After": {"Value": "app", "Origin": {"Image": "other", "File": "other.yml", "Line": 4}},
            },
        ],
    }


def test_no_difference(tmp_path: Path) -> None:
    """Two images that are alike have nothing on stdout, and it is said that nothing differs."""
    ran = run(["inspect", "--diff", "app.yml", "app.yml"], tree(tmp_path, CHAIN))
    assert (ran.code, ran.stdout, ran.stderr) == (0, "", "no difference\n")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--diff"], "two PATHs"),
        (["--diff", "app.yml"], "--base NAME"),
        (["--diff", "app.yml", "base.yml", "app.yml"], "two PATHs"),
        (["--diff", "app.yml", "."], ". is 2: base, app"),
        (["--diff", "app.yml", "bse"], 'did you mean "base"?'),
        (["--diff", "app.yml", "none"], "stacks there: app, base"),
        (["--diff", "app.yml", "none.yml"], "none.yml is not there"),
        (["--diff", "--history", "app.yml", "base.yml"], "--history and --diff"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_call(tmp_path: Path, args: list[str], message: str) -> None:
    """A comparison that is none is a wrong call, and is told what to type."""
    ran = run(["inspect", *args], tree(tmp_path, CHAIN))
    assert ran.code == 2
    assert message in ran.stderr


def test_a_finding_is_told_once(tmp_path: Path) -> None:
    """What both images of a comparison stand on is checked twice, and said once."""
    files = {"centos7.yml": "from: centos:centos7.1.1503\n", "app.yml": "extends: centos7\nenv: {A: b}\n"}
    ran = run(["inspect", "--diff", "centos7.yml", "app.yml"], tree(tmp_path, files))
    assert ran.stderr.count("warning[end-of-life]") == 1
