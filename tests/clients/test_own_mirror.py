"""An internal mirror, from a project's own data: its key, nothing from elsewhere, secrets that are in no layer."""

from __future__ import annotations

import json
import re
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from stackgen import api
from stackgen.stack.project import Options
from tests.engine.serving import Key, served
from tests.helpers import dockerfile, rendered, run, tree

from .conftest import need, write_rootfs
from .signed import apt_repository, rpm_repository
from .test_apt import clean_root

PROJECT = "data: data\nmirror: corp\n"
MIRROR = """\
description: the company's own
only: true
key: corp.asc
carries:
  rocky-9:
    baseos: {address}/rpm/$basearch
    appstream: {address}/more
  fedora-44: {{fedora: "{address}/rpm/$basearch"}}
  debian-12: {{debian: "{address}/apt"}}
  alpine-3.24: {{main: "{address}/alpine/main"}}
source: https://mirror.corp/
seen: 2026-11-24
"""


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Key]:
    """The company's key."""
    need("rpmsign")
    made = Key(tmp_path_factory.mktemp("keys") / "gnupg", "corp")
    yield made
    made.close()


@pytest.fixture(scope="module")
def address(signer: Key, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The company's mirror."""
    folder = tmp_path_factory.mktemp("mirror")
    rpm_repository(folder / "rpm/x86_64", ["hello"], signer)
    rpm_repository(folder / "more", ["unsigned"], None)
    apt_repository(folder / "apt", ["bookworm", "bookworm-updates"], ["hello"], signer)
    with served(folder) as found:
        yield found.rstrip("/")


def project(folder: Path, address: str, key: bytes, **stacks: str) -> Path:
    files: dict[str, str | bytes] = {f"{name}.yml": text for name, text in stacks.items()}
    files |= {"data/mirrors/corp.yml": MIRROR.format(address=address), "data/mirrors/keys/corp.asc": key}
    return tree(folder, {"stackgen.yml": PROJECT, **files})


def dnf_install(rootfs: Path, root: Path, *packages: str) -> subprocess.CompletedProcess[str]:
    """Install into an empty root with the rendered files; the key's path there is that of the image."""
    repositories = root.parent / "repos"
    repositories.mkdir()
    for path in (rootfs / "etc/yum.repos.d").iterdir():
        text = path.read_text("utf-8").replace("file:///etc/", f"file://{rootfs}/etc/")
        (repositories / path.name).write_text(text, "utf-8")
    return subprocess.run(
        [
            *(need("dnf"), "--assumeyes", f"--installroot={root}", "--releasever=9", "--forcearch=x86_64"),
            *(
                f"--setopt=reposdir={repositories}",
                f"--setopt=cachedir={root.parent}/cache",
                "--noplugins",
            ),
            *(f"--setopt=logdir={root.parent}", "install", *packages),
        ],
        capture_output=True,
        text=True,
    )


@pytest.mark.engine
def test_dnf_installs_what_the_company_signed(signer: Key, address: str, tmp_path: Path) -> None:
    """A signed package of the company's mirror is installed, checked with the key that the data bring along."""
    root = project(tmp_path / "p", address, signer.public().encode(), app="from: rockylinux:9\npackages: [hello]\n")
    rootfs = write_rootfs(root, "app.yml")
    done = dnf_install(rootfs, tmp_path / "root", "hello")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Importing GPG key" in done.stdout + done.stderr


@pytest.mark.engine
def test_dnf_refuses_what_nobody_signed(signer: Key, address: str, tmp_path: Path) -> None:
    """Gpgcheck is on for a mirror of one's own, too."""
    root = project(tmp_path / "p", address, signer.public().encode(), app="from: rockylinux:9\npackages: [hello]\n")
    done = dnf_install(write_rootfs(root, "app.yml"), tmp_path / "root", "unsigned")
    assert done.returncode != 0
    assert re.search(r"is not signed|GPG check FAILED", done.stdout + done.stderr)


@pytest.mark.engine
def test_apt_takes_what_the_company_signed(signer: Key, address: str, tmp_path: Path) -> None:
    """Apt reads the company's index, and would install from there and nowhere else."""
    root = project(tmp_path / "p", address, signer.public().encode(), app="from: debian:12-slim\npackages: [hello]\n")
    rootfs = write_rootfs(root, "app.yml")
    for path in rootfs.glob("etc/apt/sources.list.d/*"):
        path.write_text(path.read_text("utf-8").replace("/etc/apt/keyrings", f"{rootfs}/etc/apt/keyrings"), "utf-8")
    options = [*clean_root(tmp_path / "root", rootfs, "amd64"), "-o", "APT::Sandbox::User=root"]
    update = subprocess.run(["apt-get", *options, "update"], capture_output=True, text=True)
    assert (update.returncode, update.stderr) == (0, "")
    policy = subprocess.run(["apt-cache", *options, "policy", "hello"], capture_output=True, text=True).stdout
    assert "Candidate: 1\n" in policy
    assert set(re.findall(r"http://\S+", policy)) == {f"{address}/apt"}


def test_nothing_comes_from_elsewhere(tmp_path: Path) -> None:
    """Of a mirror that is the only one, no file names another host: what it lacks is left out, the rest is emptied."""
    stacks = {
        "rocky": "from: rockylinux:9\npackages: [hello]\n",
        "fedora": "from: fedora:44\nimage: x/fedora\npackages: [hello]\n",
        "debian": "from: debian:12-slim\nimage: x/debian\npackages: [hello]\n",
        "alpine": "from: alpine:3.24\nimage: x/alpine\npackages: [hello]\n",
    }
    root = project(tmp_path / "p", "https://mirror.corp", b"a key", **stacks)
    plan = api.render([f"{name}.yml" for name in stacks], cwd=root).unwrap()
    files = {f"{i.name}/{f.path}": f.content.decode() for i in plan.images for f in i.files if "rootfs/etc" in f.path}
    addresses = {url for text in files.values() for url in re.findall(r"https?://[^/\s]+", text)}
    assert addresses == {"https://mirror.corp"}
    emptied = {path for path, text in files.items() if text == "# Emptied by stackgen: packages come from elsewhere.\n"}
    assert emptied == {
        "rocky/rootfs/etc/yum.repos.d/rocky-extras.repo",
        "fedora/rootfs/etc/yum.repos.d/fedora-updates.repo",
        "fedora/rootfs/etc/yum.repos.d/fedora-cisco-openh264.repo",
    }
    keys = {path for path in files if path.endswith("corp.asc")}
    assert keys == {
        "rocky/rootfs/etc/pki/rpm-gpg/corp.asc",
        "fedora/rootfs/etc/pki/rpm-gpg/corp.asc",
        "debian/rootfs/etc/apt/keyrings/corp.asc",
        "alpine/rootfs/etc/apk/keys/corp.asc",
    }
    assert all(file.mode == 0o644 for image in plan.images for file in image.files if "/etc/" in file.path)


def test_what_the_only_mirror_lacks_is_an_error(tmp_path: Path) -> None:
    """A repository that a stack asks for, and the only mirror has not, is told at its place."""
    app = "from: rockylinux:9\npackages: [{name: a, install: [b], repositories: [epel]}]\n"
    root = project(tmp_path / "p", "https://mirror.corp", b"a key", app=app)
    ran = run(["render", "app.yml"], root)
    assert ran.code == 1
    assert 'app.yml:2:51: error[mirror-lacks]: the mirror corp does not carry "epel" of rocky-9' in ran.stderr
    assert "help: add it to `carries` in mirrors/corp.yml" in ran.stderr


def test_secrets_are_mounted_where_packages_are_installed(tmp_path: Path) -> None:
    """The password of a mirror comes with each RUN that installs something, and is in no file and no layer."""
    app = "from: debian:12-slim\npackages: [a]\npip: [b]\nrun: [{sh: make, build_packages: [make]}, echo done]\n"
    root = project(tmp_path / "p", "https://mirror.corp", b"a key", app=app)
    data = root / "data/mirrors/corp.yml"
    secret = "secrets: [{id: corp, target: /etc/apt/auth.conf.d/corp.conf}]\n"
    data.write_text(data.read_text("utf-8") + secret, "utf-8")
    mount = "--mount=type=secret,id=corp,target=/etc/apt/auth.conf.d/corp.conf,required=true"
    runs = re.split(r"^RUN ", dockerfile(root), flags=re.MULTILINE)[1:]
    assert [mount in each for each in runs] == [True, True, True, False]
    (root / "stackgen.yml").write_text(PROJECT + "builder: classic\n", "utf-8")
    assert "error[builder-lacks]: the classic builder has no secrets" in run(["render", "app.yml"], root).stderr


def test_secrets_are_handed_on_to_who_needs_them(tmp_path: Path) -> None:
    """docker-bake.json and compose.yaml say where a secret is from, for those images alone whose RUNs mount it."""
    root = project(
        tmp_path / "p",
        "https://mirror.corp",
        b"a key",
        base="from: debian:12-slim\nmirror: corp\n",
        app="extends: base\npackages: [a]\nservice: {}\n",
        wheel="extends: base\npip: [b]\n",
        own="extends: base\nrun: [{sh: npm ci, mounts: ['type=secret,id=named,target=/root/.npmrc']}]\n",
    )
    data = root / "data/mirrors/corp.yml"
    secrets = """\
        secrets:
          - {id: corp.auth, target: /a}
          - {id: named, target: /b, env: CI_TOKEN}
          - {id: home, target: /root/.netrc, file: ~/.netrc}
          - {id: file, target: /c, file: /run/secret}
        """
    data.write_text(data.read_text("utf-8") + textwrap.dedent(secrets), "utf-8")
    made = rendered(root, "app.yml", "wheel.yml", "own.yml")
    bake = json.loads(made["docker-bake.json"])
    handed = [
        "id=corp.auth,type=env,env=CORP_AUTH",
        "id=named,type=env,env=CI_TOKEN",
        "id=home,type=file,src=${HOME}/.netrc",
        "id=file,type=file,src=/run/secret",
    ]
    assert {name: target.get("secret") for name, target in bake["target"].items()} == {
        "base": None,
        "app": handed,
        "wheel": handed,
        "own": ["id=named,type=env,env=CI_TOKEN"],
    }
    # The environment's own: a variable of bake without a default.
    assert bake["variable"] == {"HOME": {}}
    compose = yaml.safe_load(made["compose.yaml"])
    ids = ["corp.auth", "named", "home", "file"]
    built = {name: service["build"].get("secrets") for name, service in compose["services"].items()}
    assert built == {"base": None, "app": ids, "wheel": ids, "own": ["named"]}
    assert compose["secrets"] == {
        "corp.auth": {"environment": "CORP_AUTH"},
        "file": {"file": "/run/secret"},
        "home": {"file": "${HOME}/.netrc"},
        "named": {"environment": "CI_TOKEN"},
    }
    assert str(tmp_path) not in made["docker-bake.json"].decode() + made["compose.yaml"].decode()


def test_a_secret_has_one_origin(tmp_path: Path) -> None:
    """A secret from a variable and from a file, or from a place that is one machine's alone, is told at its place."""
    root = project(tmp_path / "p", "https://mirror.corp", b"a key", app="from: debian:12-slim\npackages: [a]\n")
    data = root / "data/mirrors/corp.yml"
    sound = data.read_text("utf-8")
    data.write_text(f"{sound}secrets: [{{id: a, target: /a, env: A, file: ~/a}}]\n", "utf-8")
    assert (
        "takes a map with `id`, `target` and at most one of `env` and `file`" in run(["render", "app.yml"], root).stderr
    )
    data.write_text(f"{sound}secrets: [{{id: a, target: /a, file: here/a}}]\n", "utf-8")
    assert "takes a path that starts with `~/` or `/`" in run(["render", "app.yml"], root).stderr


HUB, PROXY = "docker.io", "nexus.corp:8443/hub"


@pytest.mark.parametrize(
    ("reference", "host", "through"),
    [
        ("debian:12-slim", HUB, "library/debian:12-slim"),
        ("library/debian:12-slim", HUB, "library/debian:12-slim"),
        ("docker.io/debian:12-slim", HUB, "library/debian:12-slim"),
        ("docker.io/library/debian:12-slim", HUB, "library/debian:12-slim"),
        ("index.docker.io/library/debian:12-slim", HUB, "library/debian:12-slim"),
        ("rockylinux/rockylinux:9", HUB, "rockylinux/rockylinux:9"),
        ("debian@sha256:" + "0" * 64, HUB, "library/debian@sha256:" + "0" * 64),
        ("quay.io/a/b:1", "quay.io", "a/b:1"),
        ("registry.corp:5000/b:1", "registry.corp:5000", "b:1"),
        ("localhost/b:1", "localhost", "b:1"),
        ("quay.io/a/b:1", HUB, None),
        ("localhost/b:1", HUB, None),
        ("scratch", HUB, None),
    ],
)
def test_a_proxy_stands_before_each_image_of_its_registry(
    reference: str, host: str, through: str | None, tmp_path: Path
) -> None:
    """What is Docker Hub's is known by any of its names, and its official images by `library`; others stay."""
    tree(
        tmp_path,
        {"stackgen.yml": f"proxies: {{{host}: '{PROXY}'}}\n", "app.yml": f"from: {reference}\ninherits: {{}}\n"},
    )
    (found,) = re.findall(r"^FROM (.*)", dockerfile(tmp_path), re.MULTILINE)
    assert found == (f"{PROXY}/{through}" if through else reference)


@pytest.mark.parametrize(
    ("image", "reference"),
    [
        ("site", "registry.corp/shop/site:latest"),
        ("team/site", "registry.corp/shop/team/site:latest"),
        ("ghcr.io/site", "ghcr.io/site:latest"),
        ("registry:5000/site", "registry:5000/site:latest"),
        ("localhost/site", "localhost/site:latest"),
    ],
)
def test_the_registry_is_where_no_host_is_named(image: str, reference: str, tmp_path: Path) -> None:
    """The project's registry stands in FROM, bake and Compose alike, before an image that names no host."""
    stacks = {"base.yml": f"from: scratch\nimage: {image}\n", "app.yml": "extends: base\nservice: {}\n"}
    root = tree(tmp_path, {"stackgen.yml": "registry: registry.corp/shop\n", **stacks})
    assert f"FROM {reference}\n" in dockerfile(root)
    made = rendered(root)
    bake = json.loads(made["docker-bake.json"])["target"]
    assert bake["base"]["tags"] == [reference]
    assert bake["app"]["contexts"] == {reference.removesuffix(":latest"): "target:base"}
    compose = yaml.safe_load(made["compose.yaml"])["services"]
    assert compose["base"]["image"] == reference
    assert compose["app"]["build"]["additional_contexts"] == {reference.removesuffix(":latest"): "service:base"}


def test_a_registry_proxy_and_one_option_move_a_whole_closure(tmp_path: Path) -> None:
    """`proxies` rewrites FROM in roots, and `--mirror` is over what each root says."""
    root = project(
        tmp_path / "p",
        "https://mirror.corp",
        b"a key",
        base="from: debian:12-slim\nmirror: tuna\n",
        app="extends: base\npackages: [a]\nservice: {depends_on: [db]}\n",
        db="from: quay.io/rockylinux/rockylinux:9\npackages: [a]\nservice: {}\n",
    )
    proxies = "proxies: {docker.io: nexus.corp:8443, quay.io: quay.corp}\n"
    (root / "stackgen.yml").write_text(f"{PROJECT}{proxies}", "utf-8")
    plan = api.render(["app.yml"], Options(mirror="corp"), cwd=root).unwrap()
    froms = {i.name: re.findall(r"^FROM (.*)", f.content.decode(), re.MULTILINE) for i in plan.images
             for f in i.files if f.path == "Dockerfile"}  # fmt: skip
    assert froms["base"] == ["nexus.corp:8443/library/debian:12-slim"]
    assert froms["db"] == ["quay.corp/rockylinux/rockylinux:9"]
    sources = [f.content.decode() for i in plan.images for f in i.files if f.path.endswith((".sources", ".repo"))]
    assert len(sources) == 3
    assert not [text for text in sources if "tuna" in text]
