"""A company's own mirror as it is met: https with a certificate that nobody knows, a key and a password of its own,
and nothing from elsewhere. Built with Debian's apt and an upstream pip, which has a list of authorities of its own.
"""

from __future__ import annotations

import shutil
import textwrap
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pip
import pytest

from tests.engine.commands import bake, stackgen
from tests.engine.serving import Authority, Key, served
from tests.helpers import tree

from .conftest import need, run
from .signed import apt_repository

pytestmark = pytest.mark.engine

BASE = "stackgen-test/python:1"
# The python of the distribution, and a pip that looks at its own authorities.
STAND_IN = """\
FROM debian:12-slim
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends python3
COPY pip /opt/pip/pip
ENV PYTHONPATH=/opt/pip
"""
MIRROR = """\
description: the company's own
only: true
key: corp.asc
carries: {{debian-12: {{debian: "{address}locked", debian-security: "{address}locked"}}}}
pip: {address}simple
secrets: [{{id: corp-auth, target: /etc/apt/auth.conf.d/corp.conf}}]
source: {address}
seen: 2026-11-24
"""
ROOT_STACK = f"""\
from: {BASE}
distro: debian-12
inherits: {{env: {{PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", PYTHONPATH: /opt/pip}}}}
image: stackgen-test/nexus
"""
DOWNLOAD = "python3 -m pip download --disable-pip-version-check --retries 0 --dest /wheels probe"
PASSWORD = "build:nobody-knows-it"


@dataclass(frozen=True, kw_only=True)
class Company:
    """What the mirror holds, and who vouches for it."""

    folder: Path
    authority: Authority
    key: str


@dataclass(frozen=True, kw_only=True)
class Nexus:
    """The company's mirror, the certificate of its authority and the key of its packages."""

    address: str
    certificate: bytes
    key: str

    def project(self, folder: Path, **stacks: str) -> Path:
        """Write a project that uses it."""
        return tree(
            folder,
            {
                "stackgen.yml": "stacks: [stacks]\ndata: data\nmirror: corp\ncertificates: [corp-ca.pem]\n",
                "corp-ca.pem": self.certificate,
                "data/mirrors/corp.yml": MIRROR.format(address=self.address),
                "data/mirrors/keys/corp.asc": self.key,
                **{f"stacks/{name}.yml": textwrap.dedent(text) for name, text in stacks.items()},
            },
        )

    def build(self, root: Path) -> dict[str, str]:
        """Build a project as who knows the password does."""
        stackgen("render", cwd=root)
        login, _, password = PASSWORD.partition(":")
        host = self.address.removeprefix("https://").rstrip("/")
        return bake(root / "build", env={"CORP_AUTH": f"machine {host} login {login} password {password}"})


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """A repository for apt, under a password, and one for pip; and the image that they are tried on."""
    need("docker")
    need("openssl")
    folder = tmp_path_factory.mktemp("nexus")
    key = Key(folder / "gnupg", "corp")
    suites = ["bookworm", "bookworm-updates", "bookworm-security"]
    apt_repository(folder / "public/locked", suites, ["hello"], key)
    _wheel(folder / "public/simple/probe")
    context = folder / "context"
    shutil.copytree(Path(pip.__file__).parent, context / "pip", ignore=shutil.ignore_patterns("__pycache__"))
    (context / "Dockerfile").write_text(STAND_IN, "utf-8")
    run("docker", "build", "--quiet", "--network=host", "--tag", BASE, context)
    yield Company(folder=folder / "public", authority=Authority(folder / "authority"), key=key.public())
    key.close()
    run("docker", "image", "rm", "--force", BASE)


@pytest.fixture
def nexus(company: Company) -> Iterator[Nexus]:
    """The company's mirror, each time at another address, so that what apt keeps of one is of no use to the next."""
    with served(company.folder, authority=company.authority, locked="/locked", password=PASSWORD) as address:
        yield Nexus(address=address, certificate=company.authority.certificate.read_bytes(), key=company.key)


def _wheel(folder: Path) -> None:
    """Make a Python package that holds nothing."""
    folder.mkdir(parents=True)
    metadata = {"METADATA": "Metadata-Version: 2.1\nName: probe\nVersion: 1\n", "RECORD": ""}
    metadata["WHEEL"] = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(folder / "probe-1-py3-none-any.whl", "w") as wheel:
        for name, text in metadata.items():
            wheel.writestr(f"probe-1.dist-info/{name}", text)


def test_all_comes_from_the_company(nexus: Nexus, tmp_path: Path) -> None:
    """Packages and wheels come by https that only the company vouches for, with a password that is in no layer."""
    child = f"extends: base\nimage: stackgen-test/nexus-app\npackages: [hello]\nrun: [{DOWNLOAD}]\n"
    images = nexus.build(nexus.project(tmp_path, base=ROOT_STACK, app=child))
    try:
        history = run("docker", "history", "--no-trunc", images["app"])
        archive = tmp_path / "image.tar"
        run("docker", "save", "--output", archive, images["app"])
        _, _, password = PASSWORD.partition(":")
        assert password not in history
        layers = archive.read_bytes()
        # What is in a layer would be found.
        assert b"probe-1-py3-none-any.whl" in layers
        assert password.encode() not in layers
    finally:
        run("docker", "image", "rm", "--force", *images.values())


def test_nothing_comes_without_the_certificate(nexus: Nexus, tmp_path: Path) -> None:
    """Without `certificates` apt and pip refuse the company's mirror, and so does pip where the file says no `cert`."""
    root = nexus.project(tmp_path, base=f"{ROOT_STACK}packages: [hello]\n")
    project = root / "stackgen.yml"
    trusting = project.read_text("utf-8")
    project.write_text(trusting.replace("certificates: [corp-ca.pem]\n", ""), "utf-8")
    assert "certificate" in _failure(nexus, root)
    (root / "stacks/base.yml").write_text(f"{ROOT_STACK}run: [{DOWNLOAD}]\n", "utf-8")
    assert "CERTIFICATE_VERIFY_FAILED" in _failure(nexus, root)
    project.write_text(trusting, "utf-8")
    own = f'files: [{{content: "[global]\\nindex-url = {nexus.address}simple\\n", dest: /etc/pip.conf}}]\n'
    (root / "stacks/base.yml").write_text(f"{ROOT_STACK}{own}run: [{DOWNLOAD}]\n", "utf-8")
    assert "CERTIFICATE_VERIFY_FAILED" in _failure(nexus, root)


def test_nothing_comes_without_the_password(nexus: Nexus, tmp_path: Path) -> None:
    """The mirror's password is what opens it: with an empty secret apt is turned away."""
    root = nexus.project(tmp_path, base=f"{ROOT_STACK}packages: [hello]\n")
    stackgen("render", cwd=root)
    with pytest.raises(AssertionError, match="401"):
        bake(root / "build", env={"CORP_AUTH": ""})


def test_compose_hands_the_secret_on(nexus: Nexus, tmp_path: Path) -> None:
    """`docker compose` takes what compose.yaml says of the secret, and finds its variable."""
    root = nexus.project(tmp_path, base=f"{ROOT_STACK}packages: [hello]\nservice: {{}}\n")
    stackgen("render", cwd=root)
    said = run("docker", "compose", "--project-directory", root / "build", "config", "--format", "json")
    assert '"environment": "CORP_AUTH"' in said
    assert '"source": "corp-auth"' in said


def _failure(nexus: Nexus, root: Path) -> str:
    with pytest.raises(AssertionError) as failure:
        nexus.build(root)
    return str(failure.value)
