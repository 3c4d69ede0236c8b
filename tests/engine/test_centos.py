"""The CentOS 7 images as a real rpm client sees them, since CentOS 7 itself cannot be had.

The base is Debian with dnf and rpm under the name `centos:centos7.1.1503`, where `yum` is a dnf that passes over names
which it does not find, as yum 3.4 does beside one that it finds; the repositories are ours, on this machine:
for each name of `tests/data/centos7/packages.txt`, where their origin is told, an rpm without content, signed. It is
built from the very files that stackgen renders, with the mirror given by a project's own data.

What this proves: each RUN of the four Dockerfiles runs, in their order, by the shell; every package name is one that
CentOS 7 or EPEL 7 has, in the repository from which it is asked for; repository files, keys, gpgcheck and
`--enablerepo` do their work; pip reads its configuration and installs supervisord.

What it does not prove: that a CentOS package does what it should; that its yum (3.4, Python 2.7) and pip (8.1.2) take
what today's dnf and pip take; that dependencies can be resolved, of which ours have almost none; that the vault
answers. What packages bring is ours, told in `CONTENT` and `ACCOUNTS`: a `pip`, which is Debian's, and the accounts
that the real packages make. The files of the real wordpress are not there, so that the links to them, which the stack
makes, lead nowhere; that they are made is all that is seen.
"""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from stackgen.docker.instructions import Run, ShellForm
from stackgen.docker.syntax import parse

from .commands import ROOT, bake, engine_config, entries, execute, run, stackgen, told_configs
from .conftest import absent
from .serving import Key, served

pytestmark = pytest.mark.engine

LIST = ROOT / "tests/data/centos7/packages.txt"
STACKS = ("centos7", "mysql", "php-fpm", "wordpress")
BASE = "centos:centos7.1.1503"

# In the list, but not signed, or signed by a key that nobody trusts.
UNSIGNED = {"base": "zsh", "epel": "ccache"}
STRANGE = {"updates": "php-snmp", "epel": "mock"}

# Accounts that the real packages make in their %pre, each as its spec file has it.
ACCOUNTS = {
    "nginx-filesystem": "nginx",
    "mariadb-server": "mysql",
    "php-fpm": "apache",
}
# python2-pip's `pip`, which in this image is Debian's under a name of its own.
CONTENT = {"python2-pip": "/usr/bin/pip"}
REQUIRES = {"nginx": ["nginx-filesystem"], "wordpress": ["php-fpm"]}

STAND_IN = """\
FROM debian:12-slim
RUN apt-get update \\
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends dnf rpm python3-pip \\
 && printf '#!/bin/sh\\nexec dnf --setopt=strict=0 "$@"\\n' > /usr/bin/yum \\
 && chmod 0755 /usr/bin/yum \\
 && mkdir -p /etc/dnf/vars /etc/yum.repos.d /etc/pki/rpm-gpg \\
 && echo 7 > /etc/dnf/vars/releasever \\
 && rm -rf /usr/bin/pip* /usr/lib/python3*/EXTERNALLY-MANAGED /var/lib/apt/lists/*
COPY RPM-GPG-KEY-CentOS-7 /etc/pki/rpm-gpg/
CMD ["/bin/bash"]
"""


def listed() -> dict[str, dict[str, list[str]]]:
    """The names of each repository, each with what it provides besides itself."""
    found: dict[str, dict[str, list[str]]] = {"base": {}, "updates": {}, "extras": {}, "epel": {}}
    section = None
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"\[(\w+) [\w.-]+\]", line):
            section = found[match[1]]
        elif not line.startswith("#"):
            for word in line.split():
                assert section is not None
                name, *provided = word.split("=")
                section[name] = provided
    return found


def spec(packages: Mapping[str, list[str]]) -> str:
    """A spec file whose only fruits are packages without content."""
    lines = ["Name: stand-in", "Version: 7", "Release: 1", "Summary: none", "License: none", "BuildArch: noarch"]
    lines += ["%description", "none", "%install"]
    if CONTENT.keys() & packages.keys():
        lines += ["mkdir -p %{buildroot}/usr/bin"]
        lines += ["printf '#!/bin/sh\\nexec python3 -m pip \"$@\"\\n' > %{buildroot}/usr/bin/pip"]
        lines += ["chmod 755 %{buildroot}/usr/bin/pip"]
    for name, provided in packages.items():
        lines += [f"%package -n {name}", "Summary: none"]
        lines += [f"Provides: {each}" for each in provided]
        lines += [f"Requires: {each}" for each in REQUIRES.get(name, ())]
        lines += [f"%description -n {name}", "none"]
        if account := ACCOUNTS.get(name):
            lines += [f"%pre -n {name}", f"getent passwd {account} || useradd --system --user-group {account}"]
        lines += [f"%files -n {name}", *([CONTENT[name]] if name in CONTENT else [])]
    return "\n".join([*lines, ""])


def build(folder: Path, public: Path) -> tuple[str, str]:
    """Makes the repositories below `public`; gives the public keys of CentOS and of EPEL."""
    keys = {name: Key(folder / f"gnupg-{name}", name) for name in ("centos", "epel", "strange")}
    try:
        for repository, packages in listed().items():
            place = public / repository
            place.mkdir(parents=True)
            if packages:
                source = folder / f"{repository}.spec"
                source.write_text(spec(packages), encoding="utf-8")
                defines = {"_topdir": folder / f"rpm-{repository}", "_rpmdir": place, "_build_name_fmt": "%%{NAME}.rpm"}
                options = [f"--define={name} {value}" for name, value in defines.items()]
                run("rpmbuild", "-bb", "--quiet", *options, source)
            own = keys["epel" if repository == "epel" else "centos"]
            unsigned, strange = UNSIGNED.get(repository), STRANGE.get(repository)
            signed = [each for each in sorted(place.glob("*.rpm")) if each.stem not in (unsigned, strange)]
            assert len(signed) == len(packages) - (unsigned is not None) - (strange is not None)
            for key, files in ((own, signed), (keys["strange"], [place / f"{strange}.rpm"] if strange else [])):
                if files:
                    macros = {"_gpg_name": key.name, "_gpg_path": key.home, "__gpg": shutil.which("gpg")}
                    options = [f"--define={name} {value}" for name, value in macros.items()]
                    run("rpmsign", *options, "--addsign", *files, timeout=300)
            run("createrepo_c", "--quiet", place)
        return keys["centos"].public(), keys["epel"].public()
    finally:
        for key in keys.values():
            key.close()


@dataclass(frozen=True, kw_only=True)
class CentOS:
    """The four images, built on the stand-in."""

    folder: Path
    references: Mapping[str, str]
    mirror: tuple[str, ...] = field(default=("--mirror", "stand-in"))

    def runs(self, name: str) -> list[str]:
        """The shell command of each RUN of an image."""
        text = (self.folder / "build" / name / "Dockerfile").read_text(encoding="utf-8")
        commands = [each.instruction.command for each in parse(text) if isinstance(each.instruction, Run)]
        assert all(isinstance(command, ShellForm) for command in commands)
        return [command.text for command in commands if isinstance(command, ShellForm)]

    def calls(self, name: str, program: str, verb: str) -> list[list[str]]:
        """The words of each call of a program in the RUNs of an image."""
        found = []
        for command in self.runs(name):
            words = shlex.split(command)
            while words:
                end = words.index("&&") if "&&" in words else len(words)
                if words[:2] == [program, verb]:
                    found.append(words[:end])
                words = words[end + 1 :]
        return found

    def packages(self, name: str) -> list[str]:
        """The packages that an image installs, as its stack names them."""
        return [word for call in self.calls(name, "yum", "install") for word in call[2:] if not word.startswith("-")]

    def shell(self, name: str, script: str) -> tuple[int, str]:
        """Exit code and output of a script in a container of an image."""
        command = ("docker", "run", "--rm", "--network=host", "--entrypoint=/bin/sh", self.references[name], "-c")
        finished = execute(*command, script, timeout=300)
        return finished.returncode, finished.stdout + finished.stderr


def project(folder: Path, url: str, epel_key: str) -> None:
    """Our own stacks, in a project whose data know the mirror and EPEL's key."""
    shutil.copytree(ROOT / "stacks", folder / "stacks")
    (folder / "data/mirrors").mkdir(parents=True)
    (folder / "data/families/keys").mkdir(parents=True)
    (folder / "data/families/keys/RPM-GPG-KEY-EPEL-7").write_text(epel_key, encoding="utf-8")
    (folder / "stackgen.yml").write_text("stacks: [stacks]\ndata: data\n", encoding="utf-8")
    lines = ["description: a stand-in on this machine", "carries:", "  centos-7:"]
    lines += [f"    {name}: {url}{name}/" for name in listed()]
    lines += [f"pip: {url}simple/", f"source: {url}", "seen: 2026-11-24", ""]
    (folder / "data/mirrors/stand-in.yml").write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture(scope="module")
def centos7(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CentOS]:
    """The four images of our stacks, built on the stand-in by bake."""
    for program in ("rpmbuild", "rpmsign", "createrepo_c", "gpg"):
        if shutil.which(program) is None:
            absent(f"no {program}; tests/engine/tools.sh installs it")
    folder = tmp_path_factory.mktemp("centos")
    public = folder / "public"
    centos_key, epel_key = build(folder, public)
    # What the stack pins, as the index that the mirror names has it.
    index = public / "simple/supervisor"
    index.mkdir(parents=True)
    run(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", index, "supervisor==4.2.5")
    context = folder / "stand-in"
    context.mkdir()
    (context / "Dockerfile").write_text(STAND_IN, encoding="utf-8")
    (context / "RPM-GPG-KEY-CentOS-7").write_text(centos_key, encoding="utf-8")
    run("docker", "build", "--quiet", "--network=host", "--tag", BASE, context, timeout=600)
    with served(public) as url:
        (folder / "project").mkdir()
        project(folder / "project", url, epel_key)
        stackgen("render", "stacks/wordpress.yml", "--mirror", "stand-in", cwd=folder / "project")
        yield CentOS(folder=folder / "project", references=bake(folder / "project/build"))
    # Whoever builds on CentOS by that name afterwards must not get this by chance.
    run("docker", "image", "rm", "--force", BASE)


def test_the_list_has_more_than_our_stacks_ask_for(centos7: CentOS) -> None:
    """What can be installed is far more than what is: a name that is merely near to another is not found by chance."""
    names = {name for packages in listed().values() for name in packages}
    asked = {package for stack in STACKS for package in centos7.packages(stack)}
    assert len(names) > 10 * len(asked) > 400
    provided = {each for packages in listed().values() for names in packages.values() for each in names}
    assert asked <= names | provided


@pytest.mark.parametrize("name", STACKS)
def test_every_run_line_has_run(centos7: CentOS, name: str) -> None:
    """The image is there, each RUN executed, and each package that its stack names is installed, by rpm's own word."""
    code, said = centos7.shell(name, f"rpm -q --whatprovides {shlex.join(centos7.packages(name))}")
    assert code == 0, said
    assert len(said.split()) == len(centos7.packages(name))
    found = entries(centos7.references[name])
    # Beside empty folders, dnf keeps a note of some bytes.
    cached = {
        path: entry.size for path, entry in found.items() if path.startswith(("var/cache/yum/", "var/cache/dnf/"))
    }
    assert sum(cached.values()) < 100, cached
    config = engine_config(centos7.references[name])
    (told,) = told_configs(f"stacks/{name}.yml", *centos7.mirror, cwd=centos7.folder).values()
    assert {key: told[key] or None for key in told} == {key: config.get(key) or None for key in told}


def test_what_the_packages_and_our_runs_leave(centos7: CentOS) -> None:
    """Accounts, directories and links are as the RUN lines after the packages make them."""
    code, said = centos7.shell("wordpress", "supervisord --version && id -Gn nginx")
    assert (code, said.split()) == (0, ["4.2.5", "nginx", "apache"])
    found = entries(centos7.references["wordpress"])
    ids = dict(line.split() for line in centos7.shell("wordpress", "echo nginx $(id -u nginx)")[1].splitlines())
    sessions, uploads = found["var/lib/php-sessions"], found["app/wp-content/uploads"]
    assert (f"{sessions.mode:04o}", sessions.uid) == ("0700", int(ids["nginx"]))
    assert uploads.uid == int(ids["nginx"])
    assert found["app/wp-content/mu-plugins/site.php"].uid == int(ids["nginx"])
    assert found["usr/share/wordpress/wp-config.php"].linkname == "/etc/wordpress/wp-config.php"
    assert found["app/wp-admin"].linkname == "/usr/share/wordpress/wp-admin"
    assert found["etc/nginx/app.d"].isdir()


@pytest.mark.parametrize("name", STACKS)
def test_each_name_misspelt_fails(centos7: CentOS, name: str) -> None:
    """Each package name of the stack, misspelt once, makes the line fail that installs it; as it stands, none does."""
    names = {each for packages in listed().values() for each in packages}
    lines = []
    (asks,) = centos7.calls(name, "rpm", "--query") or [["true"]]
    for call in centos7.calls(name, "yum", "install"):
        lines.append(f"{shlex.join(call)} > /dev/null 2>&1; echo right $?")
        for position, word in enumerate(call):
            if position > 1 and not word.startswith("-"):
                misspelt = word[:-1]
                assert misspelt not in names
                wrong = [*call[:position], misspelt, *call[position + 1 :]]
                asked = [misspelt if each == word else each for each in asks]
                tried = f"{{ {shlex.join(wrong)} && {shlex.join(asked)}; }} > /tmp/said 2>&1"
                lines.append(f"{tried}; echo {word} $? $(grep -c '{misspelt}$' /tmp/said)")
    code, said = centos7.shell(name, "\n".join(lines))
    assert code == 0, said
    codes = [line.split() for line in said.splitlines()]
    assert len(codes) == len(lines)
    assert {tuple(words[1:]) for words in codes if words[0] == "right"} == {("0",)}
    failed = {words[0]: words[1:] for words in codes if words[0] != "right"}
    assert failed.keys() == set(centos7.packages(name))
    # 1, and the name is told.
    assert {package: words for package, words in failed.items() if words[0] != "1" or words[1] == "0"} == {}


def test_a_misspelt_name_fails_the_build(centos7: CentOS, tmp_path: Path) -> None:
    """A stack with a misspelt package gives an image that cannot be built, and rpm says which name it is."""
    shutil.copytree(centos7.folder, tmp_path / "project", ignore=shutil.ignore_patterns("build", "*.json"))
    stack = tmp_path / "project/stacks/php-fpm.yml"
    text = stack.read_text(encoding="utf-8")
    assert "php-xmlrpc]" in text
    stack.write_text(text.replace("php-xmlrpc]", "php-xmlrcp]"), encoding="utf-8")
    stackgen("render", "stacks/php-fpm.yml", *centos7.mirror, cwd=tmp_path / "project")
    with pytest.raises(AssertionError, match=r"no package provides php-xmlrcp"):
        bake(tmp_path / "project/build")


@pytest.mark.parametrize(
    ("package", "option"),
    [
        (UNSIGNED["base"], ""),
        (UNSIGNED["epel"], "--enablerepo=epel"),
        (STRANGE["updates"], ""),
        (STRANGE["epel"], "--enablerepo=epel"),
    ],
)
def test_what_is_not_signed_by_its_key_is_refused(centos7: CentOS, package: str, option: str) -> None:
    """A package without a signature, or with a stranger's, fails under gpgcheck=1, and only because of it."""
    code, said = centos7.shell("centos7", f"yum install -y {option} {package}")
    assert code == 1
    assert re.search(rf"{package}.*(is not signed|not installed|not correct)|GPG check FAILED", said), said
    code, said = centos7.shell("centos7", f"yum install -y --nogpgcheck {option} {package}")
    assert code == 0, said


def test_epel_is_off_unless_asked_for(centos7: CentOS) -> None:
    """A package of EPEL is found with `--enablerepo=epel`, as the stacks say it, and not without."""
    code, said = centos7.shell("centos7", "yum install -y rsnapshot && rpm --query rsnapshot")
    assert (code, "No match for argument: rsnapshot" in said) == (1, True), said
    code, said = centos7.shell("centos7", "yum install -y --enablerepo=epel rsnapshot && rpm -q gpg-pubkey | wc -l")
    assert code == 0, said
    # CentOS's key and EPEL's, each imported from where its repository file says.
    assert said.split()[-1] == "2"
