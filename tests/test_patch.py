"""`render --diff` is a patch: git makes of the old output what a render makes of it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.helpers import files_of, modes_of, run, tree

STACK = "from: scratch\nfiles: [{src: a, dest: /a}, {src: sub, dest: /sub}]\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"one\ntwo\n", b"one\n2\n"),
        (b"one", b"two"),
        (b"one\f\ntwo\rthree\n", b"one\f\n2\rthree\n"),
        ("a\u2028b\n".encode(), "a\u2028c\n".encode()),
        (b"", b"x\n"),
        (b"x\n", b""),
    ],
    ids=["lines", "no newline", "breaks that are none", "unicode", "was empty", "becomes empty"],
)
@pytest.mark.parametrize("mode", [0o644, 0o755])
def test_git_applies_it(before: bytes, after: bytes, mode: int, tmp_path: Path) -> None:
    """Applied to the old output, a diff gives the new one: contents, modes, files that come, go and move."""
    root = tree(tmp_path, {"app.yml": STACK, "a": before, "sub/b": b"b\n", "sub/moves": b"the same\n"})
    assert run(["render", "app.yml"], root).code == 0
    (root / "a").write_bytes(after)
    (root / "a").chmod(mode)
    (root / "sub/b").rename(root / "sub/c")
    (root / "sub/c").write_bytes(b"c\n")
    (root / "sub/moves").rename(root / "sub/moved")
    shown = run(["render", "app.yml", "--diff"], root)
    assert shown.code == 3
    (root / "render.patch").write_bytes(shown.stdout.encode())
    shutil.copytree(root / "build", root / "patched")
    subprocess.run(["git", "apply", "../render.patch"], cwd=root / "patched", check=True)
    assert run(["render", "app.yml"], root).code == 0
    assert files_of(root / "patched") == files_of(root / "build")
    assert modes_of(root / "patched") == modes_of(root / "build")


def test_a_binary_file_is_named(tmp_path: Path) -> None:
    """What is no text is not shown as one; that it changes is said."""
    root = tree(tmp_path, {"app.yml": STACK, "a": b"\x89PNG\r\n\x1a\n\0one", "sub/b": b"b\n"})
    assert run(["render", "app.yml"], root).code == 0
    (root / "a").write_bytes(b"\x89PNG\r\n\x1a\n\0two")
    shown = run(["render", "app.yml", "--diff"], root)
    assert shown.stdout == (
        "diff --git a/app/rootfs/a b/app/rootfs/a\nBinary files a/app/rootfs/a and b/app/rootfs/a differ\n"
    )
