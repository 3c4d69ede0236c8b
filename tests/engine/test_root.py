"""What must run as root in the child of an image whose USER is not, and whose a `run` is: built, then asked by `id`."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .commands import bake, engine_config, entries, execute, run, stackgen, told_configs
from .serving import Key, served

pytestmark = pytest.mark.engine

BASE = "stackgen-test/debian:12"


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A signed Debian repository of our own on this machine."""

    url: str
    key: Path


def package(folder: Path, name: str, files: Mapping[str, str], **fields: str) -> None:
    """Makes NAME.deb."""
    root = folder / "root" / name
    control = {
        "Package": name,
        "Version": "1",
        "Architecture": "all",
        "Maintainer": "test <test@example.org>",
        "Description": "test",
        **{field.replace("_", "-"): value for field, value in fields.items()},
    }
    (root / "DEBIAN").mkdir(parents=True)
    text = "".join(f"{field}: {value}\n" for field, value in control.items())
    (root / "DEBIAN" / "control").write_text(text, encoding="utf-8")
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
        target.chmod(0o755)
    for place in (root, *root.rglob("*")):
        if place.is_dir():
            place.chmod(0o755)
    run("dpkg-deb", "--root-owner-group", "--build", root, folder / "public" / f"{name}.deb")


def sign(folder: Path) -> Path:
    """Writes the repository's index, signed with a key made for it; gives the public key."""
    public = folder / "public"
    stanzas = []
    for deb in sorted(public.glob("*.deb")):
        data = deb.read_bytes()
        control = run("dpkg-deb", "--field", deb)
        digest = hashlib.sha256(data).hexdigest()
        stanzas.append(f"{control}Filename: ./{deb.name}\nSize: {len(data)}\nSHA256: {digest}\n")
    index = "\n".join(stanzas).encode()
    indexes = {"Packages": index, "Packages.gz": gzip.compress(index, mtime=0)}
    lines = ["Date: Thu, 01 Jan 2026 00:00:00 UTC", "SHA256:"]
    for name, data in indexes.items():
        (public / name).write_bytes(data)
        lines.append(f" {hashlib.sha256(data).hexdigest()} {len(data)} {name}")
    release = public / "Release"
    release.write_text("\n".join([*lines, ""]), encoding="utf-8")
    signer = Key(folder / "gnupg", "test repository")
    try:
        signer.gpg("--clearsign", "--output", public / "InRelease", release)
        key = folder / "probe.asc"
        key.write_text(signer.public(), encoding="utf-8")
    finally:
        signer.close()
    return key


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    """Three packages, one of which brings another, served on this machine: installing takes no time."""
    folder = tmp_path_factory.mktemp("repository")
    (folder / "public").mkdir()
    package(folder, "probe", {"usr/bin/probe": "#!/bin/sh\necho probe as $(id -u)\n"})
    package(folder, "probe-library", {"usr/lib/probe/library": "library\n"})
    tool = {"usr/bin/probe-compiler": "#!/bin/sh\ncat /usr/lib/probe/library\n"}
    package(folder, "probe-compiler", tool, Depends="probe-library")
    key = sign(folder)
    with served(folder / "public") as url:
        yield Repository(url=url, key=key)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Debian 12 without the repositories of its own, which are of no use here and slow."""
    context = tmp_path_factory.mktemp("debian")
    lines = ["FROM debian:12-slim", "RUN rm /etc/apt/sources.list.d/*", ""]
    (context / "Dockerfile").write_text("\n".join(lines), encoding="utf-8")
    run("docker", "build", "--quiet", "--network=host", "--tag", BASE, context)
    return BASE


@dataclass(frozen=True, kw_only=True)
class Images:
    """A folder of stacks, built."""

    folder: Path
    references: Mapping[str, str]

    def config(self, name: str) -> dict[str, Any]:
        """What the engine says of an image; what stackgen says of it is the same."""
        config = engine_config(self.references[name])
        (told,) = told_configs(f"{name}.yml", cwd=self.folder).values()
        assert {key: told[key] or None for key in told} == {key: config.get(key) or None for key in told}
        return config

    def ask(self, name: str, *command: str) -> str:
        """What a command prints in a container of an image, as whom and where the image says."""
        entrypoint, *arguments = command
        image = self.references[name]
        return run("docker", "run", "--rm", "--network=none", f"--entrypoint={entrypoint}", image, *arguments).strip()


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Where stacks are written, rendered and built."""

    folder: Path
    repository: Repository

    def write(self, **stacks: str) -> None:
        """Writes NAME.yml each, and the key of the repository beside them."""
        for name, text in stacks.items():
            (self.folder / f"{name}.yml").write_text(textwrap.dedent(text), encoding="utf-8")
        (self.folder / "probe.asc").write_bytes(self.repository.key.read_bytes())
        (self.folder / "stackgen.yml").write_text("stacks: [.]\n", encoding="utf-8")

    def build(self, **stacks: str) -> Images:
        """All of them as images."""
        self.write(**stacks)
        stackgen("render", *(f"{name}.yml" for name in stacks), cwd=self.folder)
        return Images(folder=self.folder, references=bake(self.folder / "build", timeout=180))

    def fails(self, **stacks: str) -> str:
        """What the build says, which fails."""
        with pytest.raises(AssertionError) as failure:
            self.build(**stacks)
        return str(failure.value)

    @property
    def source(self) -> str:
        """Our repository, as a stack says it."""
        return f"{{name: probe, url: {self.repository.url}, suites: [./], key: probe.asc}}"


@pytest.fixture
def bench(tmp_path: Path, repository: Repository, base: str) -> Bench:
    """An empty folder for stacks."""
    del base
    return Bench(folder=tmp_path, repository=repository)


ROOT_STACK = f"""\
    from: {BASE}
    distro: debian-12
    inherits: {{env: {{PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}}, cmd: [bash]}}
    image: stackgen-test/root-parent
    users: [{{name: app, uid: 1234, gid: 1234, group: staff2}}]
    files: [{{directory: true, dest: /locked, mode: 0555}}]
    user: app
"""
# All that needs root at once.
CHILD = """\
    extends: parent
    image: stackgen-test/root-child
    repositories: [{source}]
    packages: [probe]
    users: [{{name: other, uid: 4321}}]
    files:
      - {{content: mine, dest: /etc/probe/mine, owner: other, mode: 0640}}
      - {{content: plain, dest: /usr/local/share/plain}}
      - {{directory: true, dest: /var/lib/probe, owner: "app:staff2", mode: 0750}}
      - {{link: /etc/probe/mine, dest: /srv/link/mine}}
"""
# What a parent may leave behind, and the container's arguments that then show who runs.
AWKWARD = {
    "usual": "",
    "shell-that-is-not-there": 'shell: ["/nonexistent"]',
    "shell-of-another-language": 'shell: ["/usr/bin/python3", "-c"]',
    "bash-with-pipefail": 'shell: ["/bin/bash", "-o", "pipefail", "-c"]',
    "workdir-not-writable": "workdir: /locked",
    "entrypoint-that-fails": 'entrypoint: ["/bin/false"]',
    "user-by-number": 'user: "1234:1234"',
    "user-from-env": 'env: {WHO: app}\nuser: "$WHO"',
}


@pytest.fixture(scope="module")
def awkward(tmp_path_factory: pytest.TempPathFactory, repository: Repository, base: str) -> Images:
    """Each parent and its child, all built at once."""
    del base
    bench = Bench(folder=tmp_path_factory.mktemp("awkward"), repository=repository)
    stacks = {}
    for name, line in AWKWARD.items():
        parent = textwrap.dedent(ROOT_STACK)
        if "user:" in line:
            parent = parent.replace("user: app\n", "")
        stacks[f"parent-{name}"] = f"{parent}{line}\ntag: {name}\n"
        child = textwrap.dedent(CHILD.format(source=bench.source)).replace("extends: parent", f"extends: parent-{name}")
        stacks[f"child-{name}"] = f"{child}tag: {name}\n"
    return bench.build(**stacks)


@pytest.mark.parametrize("parent", AWKWARD)
def test_what_needs_root_has_it_and_user_stays(awkward: Images, parent: str) -> None:
    """Packages, repositories, users, files, directories and links work on any parent, which is as it was afterwards."""
    name = f"child-{parent}"
    before, after = awkward.config(f"parent-{parent}"), awkward.config(name)
    for field in ("User", "Shell", "WorkingDir", "Entrypoint", "Cmd"):
        assert after.get(field) == before.get(field), field
    assert awkward.ask(name, "/bin/sh", "-c", "id -un; probe").splitlines() == ["app", "probe as 1234"]
    found = entries(awkward.references[name])
    seen = {
        path: (f"{found[path].mode:04o}", found[path].uid, found[path].gid)
        for path in ("etc/probe/mine", "usr/local/share/plain", "var/lib/probe", "usr/bin/probe", "locked")
    }
    assert seen == {
        "etc/probe/mine": ("0640", 4321, 1235),
        "usr/local/share/plain": ("0644", 0, 0),
        "var/lib/probe": ("0750", 1234, 1234),
        "usr/bin/probe": ("0755", 0, 0),
        "locked": ("0555", 0, 0),
    }
    assert found["srv/link/mine"].linkname == "/etc/probe/mine"


def test_a_package_that_lies_beside_the_stack(bench: Bench) -> None:
    """A package that is copied in is installed by its path, with what it depends on."""
    (bench.folder / "public").mkdir()
    package(bench.folder, "own", {"usr/bin/own": "#!/bin/sh\nprobe\n"}, Depends="probe")
    shutil.move(bench.folder / "public/own.deb", bench.folder / "own.deb")
    child = f"""\
        extends: parent
        image: stackgen-test/root-child
        repositories: [{bench.source}]
        steps:
          - files: [{{src: own.deb, dest: /tmp/own.deb}}]
          - packages: [/tmp/own.deb]
        """
    images = bench.build(parent=ROOT_STACK, child=child)
    assert images.ask("child", "own") == "probe as 1234"


def test_run_is_the_inherited_users(bench: Bench) -> None:
    """A `run` runs as the USER that the image has, one that asks for root as root, and the next as before."""
    child = """\
        extends: parent
        image: stackgen-test/root-child
        packages: []
        run:
          - echo $(id -un) > /tmp/first
          - {sh: "echo $(id -un) > /second", user: root}
          - echo $(id -un) > /tmp/third
          - |
            cd /tmp
            id -un > fourth
        """
    images = bench.build(parent=ROOT_STACK, child=child)
    found = entries(images.references["child"])
    owners = {path: found[path].uid for path in ("tmp/first", "second", "tmp/third", "tmp/fourth")}
    assert owners == {"tmp/first": 1234, "second": 0, "tmp/third": 1234, "tmp/fourth": 1234}
    written = images.ask("child", "/bin/cat", "/tmp/first", "/second", "/tmp/third", "/tmp/fourth")
    assert written.split() == ["app", "root", "app", "app"]
    assert images.config("child")["User"] == "app"


PIPES = {
    "plain": "",
    "dash": 'shell: ["/bin/sh", "-ec"]',
    "bash-without-pipefail": 'shell: ["/bin/bash", "-c"]',
    "bash-with-pipefail": 'shell: ["/bin/bash", "-o", "pipefail", "-c"]',
}


@pytest.mark.parametrize("shell", PIPES)
def test_a_pipe_fails_with_any_of_its_parts(bench: Bench, shell: str) -> None:
    """What fails on the left of a pipe fails the build, one that works is built, and SHELL stays what it was."""
    stack = textwrap.dedent(ROOT_STACK).replace("root-parent", "root-pipe") + PIPES[shell] + "\n"
    images = bench.build(pipe=stack + "run: ['echo through | cat > /tmp/pipe', 'true | true || false']\n")
    assert images.ask("pipe", "/bin/cat", "/tmp/pipe") == "through"
    declared = PIPES[shell].partition("shell: ")[2]
    assert images.config("pipe").get("Shell") == (declared.strip('[]"').split('", "') if declared else None)
    for command in ("echo a; exit 3 | cat | cat", 'x="$(false | true)" && echo "a | b"'):
        assert "did not complete successfully" in bench.fails(pipe=stack + f"run: ['{command}']\n")


def test_a_script_stops_at_its_first_failure(bench: Bench) -> None:
    """A `run` of several lines is one script: its lines share what they set, and the first that fails ends it."""
    works = """
        run:
          - |
            name=script
            if [ "$name" = script ]; then
              cd /tmp
            fi
            cat <<END > "$name"
            $PWD $0
            END
        """
    stack = textwrap.dedent(ROOT_STACK).replace("root-parent", "root-script")
    images = bench.build(script=stack + textwrap.dedent(works))
    assert images.ask("script", "/bin/cat", "/tmp/script").split()[0] == "/tmp"
    for failing in ("false | true", "cd /nonexistent"):
        said = bench.fails(script=stack + f"run:\n  - |\n    echo first\n    {failing}\n    echo reached the end\n")
        assert "did not complete successfully" in said
        # The commands themselves are shown as well, so look for a line that is the output alone.
        outputs = [line.split(" ", 2)[-1] for line in said.splitlines() if line.startswith("#")]
        assert "first" in outputs
        assert "reached the end" not in outputs


BUILD_PACKAGES = {
    "command": "{sh: probe-compiler > /made, user: root, build_packages: [probe-compiler]}",
    "pipe": "{sh: probe-compiler | cat > /made, user: root, build_packages: [probe-compiler]}",
    "list": "{sh: [cd /, probe-compiler > made], user: root, build_packages: [probe-compiler]}",
    "script": (
        '{sh: "cd /\\nif true; then\\n  probe-compiler > made\\nfi\\n", user: root, build_packages: [probe-compiler]}'
    ),
}


@pytest.mark.parametrize("form", BUILD_PACKAGES)
def test_build_packages_leave_nothing_behind(bench: Bench, form: str) -> None:
    """Packages for one RUN are there for it and gone after it, what they brought along too; no cache stays."""
    parent = textwrap.dedent(ROOT_STACK) + f"repositories: [{bench.source}]\npackages: [probe]\n"
    child = f"extends: parent\nimage: stackgen-test/root-child\nrun: [{BUILD_PACKAGES[form]}]\n"
    images = bench.build(parent=parent, child=child)
    assert images.ask("child", "/bin/cat", "/made") == "library"
    listed = [images.ask(name, "/usr/bin/dpkg", "-l") for name in ("parent", "child")]
    assert listed[0] == listed[1]
    marked = [images.ask(name, "/usr/bin/apt-mark", "showmanual") for name in ("parent", "child")]
    assert marked[0] == marked[1]
    before, after = (entries(images.references[name]) for name in ("parent", "child"))
    # apt's and dpkg's own books, which are kept by every install.
    books = {"var/lib/apt/extended_states", "var/lib/dpkg/status-old", "var/log/apt/eipp.log.xz"}
    assert {path for path in after.keys() - before.keys() if path not in books} == {"made"}
    assert images.config("child")["User"] == "app"


def test_build_packages_fail_with_their_command(bench: Bench) -> None:
    """What fails between installing and removing fails the build, in a pipe and in the midst of a script, too."""
    for command in ("'false'", "'false | true'", '"false\\ntrue\\n"'):
        stack = textwrap.dedent(ROOT_STACK) + f"repositories: [{bench.source}]\n"
        stack += f"run: [{{sh: {command}, user: root, build_packages: [probe]}}]\n"
        assert "did not complete successfully" in bench.fails(parent=stack)


def test_build_packages_need_root_and_say_so(bench: Bench) -> None:
    """A command that would run as root although the image's USER is another is refused, with the cure."""
    for user in ("", "user: app, "):
        run_key = f"run: [{{sh: probe, {user}build_packages: [probe]}}]"
        bench.write(parent=ROOT_STACK, child=f"extends: parent\n{run_key}\n")
        finished = execute("python", "-m", "stackgen", "validate", "child.yml", cwd=bench.folder)
        assert finished.returncode == 1
        assert "child.yml:2:" in finished.stdout + finished.stderr
        assert "user: root" in finished.stdout + finished.stderr


def test_users_have_the_ids_that_were_asked_for(bench: Bench) -> None:
    """`users` gives name, ids, groups, home and shell as they were said, and a system user what the family gives."""
    stack = textwrap.dedent(ROOT_STACK).replace("root-parent", "root-users").replace("user: app\n", "")
    users = (
        "{name: app, uid: 1234, gid: 1235, group: people, groups: [audio, video], home: /srv/app, "
        "create_home: true, shell: /bin/bash}",
        "{name: plain}",
        "{name: daemon2, system: true, home: /nonexistent}",
        # The base has this group, with this number.
        "{name: writer, group: audio, gid: 29}",
    )
    stack = stack.replace("users: [{name: app, uid: 1234, gid: 1234, group: staff2}]", f"users: [{', '.join(users)}]")
    images = bench.build(users=stack)
    assert images.ask("users", "/usr/bin/getent", "passwd", "app") == "app:x:1234:1235::/srv/app:/bin/bash"
    assert images.ask("users", "/usr/bin/id", "-Gn", "app").split() == ["people", "audio", "video"]
    home = entries(images.references["users"])["srv/app"]
    assert (home.uid, home.gid, home.isdir()) == (1234, 1235, True)
    plain = images.ask("users", "/usr/bin/getent", "passwd", "plain").split(":")
    assert plain[-1] == "/usr/sbin/nologin"
    system = images.ask("users", "/usr/bin/getent", "passwd", "daemon2").split(":")
    assert int(system[2]) < 1000
    assert system[-2:] == ["/nonexistent", "/usr/sbin/nologin"]
    assert "home/plain" not in entries(images.references["users"])
    assert images.ask("users", "/usr/bin/id", "-g", "writer") == "29"


def test_accounts_that_are_there_are_not_taken_for_others(bench: Bench) -> None:
    """A user, a number or a group with another number that the base has already fails the build, and says so."""
    for user, said in {
        "{name: games}": "user 'games' already exists",
        "{name: app, uid: 5}": "UID 5 is not unique",
        "{name: app, group: audio, gid: 2000}": "group 'audio' already exists",
        "{name: app, gid: 29}": "GID '29' already exists",
    }.items():
        stack = textwrap.dedent(ROOT_STACK).replace("root-parent", "root-taken").replace("user: app\n", "")
        stack = stack.replace("{name: app, uid: 1234, gid: 1234, group: staff2}", user)
        assert said in bench.fails(taken=stack)


def test_the_same_user_twice_is_a_finding(bench: Bench) -> None:
    """A user that an ancestor has added is not added again: the second place is told, and the first."""
    bench.write(parent=ROOT_STACK, child="extends: parent\nusers: [{name: app}]\n")
    finished = execute("python", "-m", "stackgen", "validate", "child.yml", cwd=bench.folder)
    assert finished.returncode == 1
    said = finished.stdout + finished.stderr
    assert "child.yml:2:" in said
    assert "error[doubled-user]" in said
    assert "parent.yml:5:" in said
