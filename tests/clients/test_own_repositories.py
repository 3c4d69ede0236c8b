"""A stack's own repositories, built for real: keys that are downloaded, module streams, pins before the first install.

dnf is Debian's under the name of Rocky 9. What this does not prove: microdnf, and a module that needs other modules.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from stackgen import api
from tests.engine.commands import execute
from tests.engine.serving import Key, served
from tests.helpers import tree

from .conftest import need, run
from .signed import apt_repository, modular_repository, rpm_repository

pytestmark = pytest.mark.engine

ROCKY = """\
from: {image}
image: stackgen-test/own-dnf
distro: rocky-9
inherits: {{}}
repositories:
  - {{name: corp, url: "{address}rpm", key: {{url: "{address}corp.asc?v=1", checksum: "{checksum}"}}}}
  - {{name: modular, url: "{address}modular", key: corp.asc}}
"""
DEBIAN = """\
from: debian:12-slim
repositories:
  - name: corp
    url: "{address}apt"
    suites: [stable]
    components: [main]
    key: {{url: "{address}corp.asc?v=1", checksum: "{checksum}"}}
packages: [hello]
files:
  - {{content: "Package: *\\nPin: release o=corp\\nPin-Priority: 1001\\n", dest: /etc/apt/preferences.d/corp}}
run:
  - test "$(dpkg-query --show --showformat='${{Version}}' hello)" = 1
  - test "$(stat --format=%a /etc/apt/keyrings/corp.asc)" = 644
"""


@dataclass(frozen=True, slots=True)
class Company:
    """The address of a company's signed repositories, its key, and the checksum of the file that it is served as."""

    address: str
    key: str

    @property
    def checksum(self) -> str:
        return f"sha256:{hashlib.sha256(self.key.encode()).hexdigest()}"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """Repositories for dnf and apt, and a module of two streams, all signed by one key that is served beside them."""
    need("modifyrepo_c")
    folder = tmp_path_factory.mktemp("company")
    signer = Key(folder / "gnupg", "corp")
    public = folder / "public"
    rpm_repository(public / "rpm", ["plain"], signer)
    modular_repository(public / "modular", "tool", ["1", "2"], signer)
    # Debian has a newer hello than this one.
    apt_repository(public / "apt", ["stable"], ["hello"], signer)
    (public / "corp.asc").write_text(signer.public(), "utf-8")
    with served(public) as address:
        yield Company(address, signer.public())
    signer.close()


def project(folder: Path, company: Company, **stacks: str) -> Path:
    """Write and render stacks, each with its name; give the output folder."""
    root = tree(folder, {"corp.asc": company.key, **{f"{name}.yml": text for name, text in stacks.items()}})
    api.write(api.render([f"{name}.yml" for name in stacks], cwd=root).unwrap()).unwrap()
    return root / "build"


def build(folder: Path, *options: str) -> None:
    run("docker", "build", "--quiet", "--network=host", "--no-cache", *options, folder)


def rocky(image: str, company: Company, rest: str) -> str:
    return ROCKY.format(image=image, address=company.address, checksum=company.checksum) + rest


@pytest.fixture
def base(dnf_image: str, company: Company, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A stack that has the module's first stream, built; its text, and its output folder."""
    rest = "packages: [plain, {name: tool, modules: [tool:1], install: [tool]}]\nrun: [rpm -q plain tool-1]\n"
    text = rocky(dnf_image, company, rest)
    folder = project(tmp_path / "base", company, base=text)
    build(folder / "base", "--tag", "stackgen-test/own-dnf:latest")
    yield text, folder
    run("docker", "image", "rm", "--force", "stackgen-test/own-dnf:latest")


def test_dnf_takes_the_stream_that_is_asked_for_and_a_child_switches_it(
    base: tuple[str, Path], company: Company, tmp_path: Path
) -> None:
    """Of two streams the older is installed where it is asked for; in a child with the newer, what is there follows."""
    child = "extends: base\npackages: [{name: tool, modules: [tool:2], install: [tool]}]\nrun: [rpm -q tool-2]\n"
    build(project(tmp_path / "child", company, base=base[0], child=child) / "child")


def test_a_stream_that_is_not_there_fails_the_build(dnf_image: str, company: Company, tmp_path: Path) -> None:
    """No other stream is taken in its place."""
    app = rocky(dnf_image, company, "packages: [{name: tool, modules: [tool:3], install: [tool]}]\n")
    folder = project(tmp_path, company, app=app) / "app"
    done = execute("docker", "build", "--progress=plain", "--network=host", "--no-cache", folder)
    assert done.returncode != 0
    assert "missing groups or modules: tool:3" in done.stdout + done.stderr


def test_apt_takes_the_key_that_is_downloaded_and_the_preferences_before_it_installs(
    company: Company, tmp_path: Path
) -> None:
    """Debian's own package is newer, and the company's is installed: its key and its pin were there in time."""
    need("docker")
    app = DEBIAN.format(address=company.address, checksum=company.checksum)
    build(project(tmp_path, company, app=app) / "app")


def test_another_key_than_was_meant_fails_the_build(company: Company, tmp_path: Path) -> None:
    """What is served at the address is not what the checksum says: nothing is installed."""
    need("docker")
    app = DEBIAN.format(address=company.address, checksum=f"sha256:{'0' * 64}")
    folder = project(tmp_path, company, app=app) / "app"
    done = execute("docker", "build", "--progress=plain", "--network=host", "--no-cache", folder)
    assert done.returncode != 0
    assert "digest mismatch" in done.stdout + done.stderr
