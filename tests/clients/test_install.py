"""The RUN lines of the dnf family, executed: Debian's dnf and rpm under the name of Rocky 9, with repositories of ours.

What this does not prove: that Rocky's packages are there, and what they do.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stackgen import api
from tests.engine.serving import Key, served
from tests.helpers import tree

from .conftest import run
from .signed import rpm_repository

pytestmark = pytest.mark.engine

STACK = """\
from: {image}
distro: rocky-9
inherits: {{}}
packages:
  - hello
  - {{name: extra, install: [extra], repositories: [crb]}}
run:
  - sh: [rpm -q gccx makex, rpm -q hello > /made]
    build_packages: [gccx, makex]
  - rpm -q hello extra && test -s /made
  # Neither the packages nor what was noted of them stay.
  - "! rpm -q gccx && ! rpm -q makex && ! ls /tmp/before /tmp/after /tmp/added"
  # What was there before stays, also where it is named among them.
  - {{sh: [rpm -q makex], build_packages: [hello, makex]}}
  - rpm -q hello && ! rpm -q makex
"""
MIRROR = """\
description: the company's own
only: true
key: corp.asc
carries: {{rocky-9: {{baseos: "{address}base", crb: "{address}crb"}}}}
source: {address}
seen: 2026-11-24
"""


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The address of signed repositories, and their key."""
    folder = tmp_path_factory.mktemp("dnf")
    key = Key(folder / "gnupg", "corp")
    rpm_repository(folder / "public/base", ["hello", "gccx", "makex"], key)
    rpm_repository(folder / "public/crb", ["extra"], key)
    with served(folder / "public") as address:
        yield address, key.public()
    key.close()


@pytest.mark.parametrize("builder", ["buildkit", "classic"])
def test_what_is_installed_for_one_run_is_gone_after_it(
    builder: str, dnf_image: str, mirror: tuple[str, str], tmp_path: Path
) -> None:
    """Packages, a repository that is off for all others, and build packages, by the very lines that are rendered."""
    address, key = mirror
    root = tree(
        tmp_path,
        {
            "stackgen.yml": f"data: data\nmirror: corp\nbuilder: {builder}\n",
            "data/mirrors/corp.yml": MIRROR.format(address=address),
            "data/mirrors/keys/corp.asc": key,
            "app.yml": STACK.format(image=dnf_image),
        },
    )
    api.write(api.render(["app.yml"], cwd=root).unwrap()).unwrap()
    run("docker", "build", "--quiet", "--network=host", "--no-cache", root / "build/app")
