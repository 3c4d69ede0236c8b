"""`users`: what is rendered for each family is what its commands document, also where a group is there already."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helpers import ROOT, dockerfile, tree

DOCUMENTED: dict[str, Any] = yaml.safe_load((ROOT / "tests/data/account-options.yml").read_text("utf-8"))
IMAGES = {
    "debian:12-slim": "useradd",
    "centos:7": "useradd",
    "rockylinux/rockylinux:9": "useradd",
    "fedora:44": "useradd",
    "alpine:3.24": "adduser",
}
EVERY_KEY = """\
users:
  - {name: app, uid: 1000, group: people, gid: 1001, groups: [audio, video],
     home: "/srv/a b/app", create_home: true, shell: /bin/sh}
  - {name: daemon2, system: true}
"""


def added(root: Path, image: str, users: str) -> str:
    """Give the RUN that adds users, as a shell sees it."""
    made = dockerfile(tree(root, {"app.yml": f"from: {image}\n{users}"}))
    (found,) = re.findall(r"^RUN ((?:case|\{ getent).*?)\n\n", made, re.MULTILINE | re.DOTALL)
    return str(found).replace("\\\n", "")


@pytest.mark.parametrize("image", IMAGES)
def test_options_are_documented(image: str, tmp_path: Path) -> None:
    """Every option that is rendered is one of its command's own, and every key of a user becomes one."""
    text = added(tmp_path, image, EVERY_KEY)
    words = shlex.split(text.replace(";", " ").replace(")", " "))
    assert IMAGES[image] in words
    command, options = "", dict[str, set[str]]()
    for word in words:
        if word in DOCUMENTED:
            command = word
        elif word in ("&&", "}", "esac", "mkdir"):
            command = ""
        elif word.startswith("-") and command:
            options.setdefault(command, set()).add(word)
    for command, used in options.items():
        assert used <= set(DOCUMENTED[command]["options"]), command
    for value in ("1000", "people", "1001", "/srv/a b/app", "/bin/sh", "app", "daemon2"):
        assert value in words, value
    assert "audio,video" in words or {"audio", "video"} <= set(words)


@pytest.mark.parametrize("image", ["debian:12-slim", "alpine:3.24"])
@pytest.mark.parametrize(
    ("there", "asked", "adds"),
    [
        ("", "group: people", True),
        ("people:x:7:", "group: people", False),
        ("", "{group: people, gid: 8}", True),
        ("people:x:8:", "{group: people, gid: 8}", False),
        # What then fails, and says why: the number or the name is taken.
        ("people:x:7:", "{group: people, gid: 8}", True),
        ("others:x:8:", "{group: people, gid: 8}", True),
    ],
)
def test_a_group_that_is_there_is_taken(image: str, there: str, asked: str, adds: bool, tmp_path: Path) -> None:
    """A group is added unless it is there with the number that was asked for: none gets another number in silence."""
    text = added(tmp_path, image, f"users: [{{name: app, {asked.strip('{}')}}}]\n")
    getent = 'getent() { case ":$THERE" in *":$2:"*) echo "$THERE" ;; *) return 2 ;; esac; }\n'
    adders = "\n".join(f"{name}() {{ echo {name}; }}" for name in DOCUMENTED)
    script = f"{getent}{adders}\n{text}"
    done = subprocess.run(["sh", "-c", script], env={"THERE": there}, capture_output=True, text=True, check=True)
    assert bool(re.search("^(groupadd|addgroup)$", done.stdout, re.MULTILINE)) == adds
    assert re.search("^(useradd|adduser)$", done.stdout, re.MULTILINE)


def test_what_a_minimal_image_lacks_is_installed_once(tmp_path: Path) -> None:
    """Where an image may have no useradd, the first that adds users brings it, before; the next one need not."""
    root = tree(
        tmp_path,
        {
            "minimal.yml": "from: rockylinux/rockylinux:9-minimal\nusers: [{name: app}]\n",
            "child.yml": "extends: minimal\nusers: [{name: more}]\n",
            "euler.yml": "from: openeuler/openeuler:24.03-lts-sp3\nimage: x/euler\nusers: [{name: app}]\n",
            "none.yml": "from: rockylinux/rockylinux:9-minimal\nimage: x/none\npackages: [a]\n",
        },
    )
    first = dockerfile(root, "minimal.yml")
    assert first.index("microdnf install") < first.index("shadow-utils") < first.index("useradd")
    assert "microdnf install" not in dockerfile(root, "child.yml")
    assert re.search(r"dnf install .* \\\n      shadow\n", dockerfile(root, "euler.yml"))
    assert "shadow" not in dockerfile(root, "none.yml")
