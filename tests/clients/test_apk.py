"""/etc/apk/repositories, read by a parser of its documented format: no apk can be had here.

https://git.alpinelinux.org/apk-tools/tree/doc/apk-repositories.5.scd: a repository a line, an optional @tag before its
address, `#` begins a comment.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .conftest import TABLE, pairs, rootfs

LINE = re.compile(r"(?:@(?P<tag>[^\s]+)\s+)?(?P<url>(?:https?|ftp|file)://\S+|/\S*)")


def read(text: str) -> list[tuple[str | None, str]]:
    """Give the repositories of a file, each with its tag and its address."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    found = [LINE.fullmatch(line) for line in lines]
    assert all(found), lines
    return [(each["tag"], each["url"]) for each in found if each]


@pytest.mark.parametrize(("distro", "mirror"), pairs("apk"))
def test_apk_would_read_the_addresses_of_the_table(distro: str, mirror: str, tmp_path: Path) -> None:
    """Apk takes every branch from the mirror, over https, and none that is only taken where it is named."""
    text = (rootfs(tmp_path, distro, mirror) / "etc/apk/repositories").read_text("utf-8")
    assert read(text) == [(None, TABLE[distro]["apk"][mirror] + branch) for branch in TABLE[distro]["branches"]]
