"""Where rules find and, above all, where they do not: what is ordinary must not cry wolf.

What each rule finds is shown by its page in docs/rules; here are the borders.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from stackgen import api
from tests.helpers import tree

DEBIAN = "from: debian:12-slim\n"
SUPERVISED = DEBIAN + "supervisor: {install: package}\nprograms: {cron: {command: cron -f}}\n"
HANDS_ON = r"""files: [{content: "#!/bin/sh\nexec \"$@\"\n", dest: /init.sh, mode: 0755}]
"""


@dataclass(frozen=True, slots=True)
class Border:
    """Stacks, and how many findings of a code there are in them."""

    code: str
    says: str
    count: int
    files: dict[str, str]
    paths: tuple[str, ...] = field(default=("stacks",))


def one(code: str, says: str, count: int, text: str) -> Border:
    """Give a border of a single stack."""
    return Border(code, says, count, {"stacks/app.yml": text})


def child(code: str, says: str, count: int, base: str, text: str) -> Border:
    """Give a border of a stack and one that stands on it."""
    return Border(code, says, count, {"stacks/base.yml": base, "stacks/app.yml": f"extends: base\n{text}"})


BORDERS = [
    # ENTRYPOINT and CMD
    one("entrypoint-resets-cmd", "an outside image's shell is meant to go", 0, DEBIAN + "entrypoint: [nginx]\n"),
    one(
        "entrypoint-resets-cmd",
        "a script that hands on an empty CMD",
        1,
        DEBIAN + HANDS_ON + "entrypoint: [/init.sh]\n",
    ),
    one(
        "entrypoint-resets-cmd",
        "a script that is given its arguments",
        0,
        DEBIAN + HANDS_ON + "entrypoint: [/init.sh, nginx]\n",
    ),
    one(
        "entrypoint-resets-cmd",
        "an inherited entrypoint said again",
        1,
        "from: php:8.3-fpm\ninherits: {entrypoint: [docker-php-entrypoint], cmd: [php-fpm]}\n"
        "entrypoint: [docker-php-entrypoint]\n",
    ),
    one("entrypoint-resets-cmd", "a CMD of its own", 0, DEBIAN + HANDS_ON + "entrypoint: [/init.sh]\ncmd: [nginx]\n"),
    child("entrypoint-resets-cmd", "a CMD in steps", 1, DEBIAN + "steps: [{cmd: [a]}]\n", "entrypoint: [b]\n"),
    child("entrypoint-resets-cmd", "no CMD is meant", 0, DEBIAN + "cmd: [a]\n", "entrypoint: [b]\ncmd: []\n"),
    child("entrypoint-ignores-cmd", "a CMD below a shell form", 1, DEBIAN + "entrypoint: exec a\n", "cmd: [b]\n"),
    one("entrypoint-ignores-cmd", "a shell that looks at its words", 0, DEBIAN + 'entrypoint: exec a "$@"\ncmd: [b]\n'),
    one("shell-form", "exec at the end", 0, DEBIAN + "cmd: cd /srv && exec nginx\n"),
    one("shell-form", "a shell of its own", 0, DEBIAN + "shell: [/bin/bash, -c]\ncmd: nginx\n"),
    one("shell-form", "a text that needs a shell", 1, DEBIAN + "cmd: nginx $OPTIONS\n"),
    # Parents
    one("mutable-tag", "a release by its name", 0, "from: debian:bookworm-slim\n"),
    one("mutable-tag", "a date behind a word that moves", 0, "from: debian:stable-20260101-slim\n"),
    one("mutable-tag", "a digest", 0, f"from: debian@sha256:{'a' * 64}\n"),
    one("mutable-tag", "a host with a port and no tag", 1, "from: localhost:5000/app\n"),
    one("mutable-tag", "a kind of an image alone", 1, "from: php:fpm-alpine\n"),
    one("mutable-tag", "a version in a variable", 0, 'from: "php:{{ php }}-fpm"\nvars: {php: "8.3"}\n'),
    # Ports
    one(
        "published-not-exposed",
        "an outside image that nobody knows",
        0,
        'from: nginx:1.26\nservice: {ports: ["80:80"]}\n',
    ),
    one(
        "published-not-exposed",
        "an outside image of which only the user is told",
        0,
        'from: nginx:1.26\ninherits: {user: "101"}\nservice: {ports: ["80:80"]}\n',
    ),
    one("published-not-exposed", "a range", 1, DEBIAN + 'expose: [80-82]\nservice: {ports: ["80-83:80-83"]}\n'),
    one(
        "published-not-exposed",
        "an address of the host",
        0,
        DEBIAN + 'expose: [80]\nservice: {ports: ["127.0.0.1:8080:80"]}\n',
    ),
    one("published-not-exposed", "a port that Compose puts in", 0, DEBIAN + 'service: {ports: ["8080:${PORT:-80}"]}\n'),
    one("published-not-exposed", "exposed under service", 0, DEBIAN + 'service: {expose: [80], ports: ["8080:80"]}\n'),
    one("published-not-exposed", "the long form", 1, DEBIAN + "service: {ports: [{target: 80, published: 8080}]}\n"),
    *(
        Border(
            "host-port-twice",
            says,
            count,
            {
                f"stacks/{n}.yml": DEBIAN + f"expose: [80]\nservice: {{ports: [{port}]{more}}}\n"
                for n, port, more in both
            },
        )
        for says, count, both in [
            ("any port that is free", 0, [("a", '"80"', ""), ("b", '"80"', "")]),
            ("two addresses", 0, [("a", '"127.0.0.1:80:80"', ""), ("b", '"127.0.0.2:80:80"', "")]),
            ("one address, and all", 1, [("a", '"127.0.0.1:80:80"', ""), ("b", '"80:80"', "")]),
            ("two protocols", 0, [("a", '"80:80"', ""), ("b", '"80:80/udp"', "")]),
            (
                "profiles that are never up together",
                0,
                [("a", '"80:80"', ", profiles: [x]"), ("b", '"80:80"', ", profiles: [y]")],
            ),
            ("a profile, and none", 1, [("a", '"80:80"', ", profiles: [x]"), ("b", '"80:80"', "")]),
            ("ranges that overlap", 1, [("a", '"80-82:80-82"', ""), ("b", '"82:80"', "")]),
        ]
    ),
    one(
        "program-port-twice",
        "a server and a client of another machine",
        0,
        SUPERVISED + "when: {apt: {programs: {a: {command: a --port 80}, b: {command: b --host db --port 80}}}}\n",
    ),
    one(
        "program-port-twice",
        "a port in an option of another meaning",
        0,
        SUPERVISED + "when: {apt: {programs: {a: {command: a --port 80}, b: {command: mkdir -p 80}}}}\n",
    ),
    child(
        "program-port-twice",
        "an inherited program and an own one",
        1,
        DEBIAN + "supervisor: {}\nprograms: {a: {command: a --port 80}}\n",
        "programs: {b: {command: 'b --bind 0.0.0.0:80'}}\n",
    ),
    # Programs
    child(
        "supervisor-dropped", "an entrypoint that goes on with it", 0, SUPERVISED, "entrypoint: [/x, supervisord, -n]\n"
    ),
    child(
        "supervisor-dropped",
        "a script that starts it",
        0,
        SUPERVISED,
        "files: [{content: 'exec supervisord -n', dest: /x}]\nentrypoint: [/x]\n",
    ),
    child(
        "supervisor-dropped",
        "the program is turned off",
        0,
        SUPERVISED,
        "entrypoint: [x]\nprograms: {cron: !reset null}\n",
    ),
    Border(
        "supervisor-dropped",
        "a program is added where the supervisor is gone already",
        1,
        {
            "stacks/base.yml": DEBIAN + "supervisor: {}\n",
            "stacks/mysql.yml": "extends: base\nentrypoint: [mysqld]\n",
            "stacks/app.yml": "extends: mysql\nprograms: {backup: {command: backup}}\n",
        },
    ),
    child("program-left-behind", "a variable that no program uses", 0, SUPERVISED + "vars: {a: 1}\n", "vars: {a: 2}\n"),
    # Commands
    *(
        child("run-needs-root", says, count, DEBIAN + "user: app\n", f"run: [{command}]\n")
        for says, count, command in [
            ("a look at packages", 0, "dpkg-query -W"),
            ("an architecture", 0, "'curl -o x https://example.org/$(dpkg --print-architecture)'"),
            ("a query", 0, "rpm -qa"),
            ("sudo", 0, "sudo apt-get install curl"),
            ("a name in a text", 0, "echo apt-get install curl"),
            ("root", 0, "{sh: apt-get update, user: root}"),
            ("behind an option", 1, "apt-get -qq -y install curl"),
            ("behind a condition", 1, "'if [ -d /srv ]; then chown app /srv; fi'"),
            ("in a script", 1, '"set -x\\nuseradd x\\n"'),
        ]
    ),
    child(
        "run-needs-root",
        "a user in a variable that is root",
        0,
        DEBIAN + "env: {WHO: root}\nuser: $WHO\n",
        "run: [chown a b]\n",
    ),
    *(
        child("write-under-volume", says, count, DEBIAN + "volumes: [/data]\n", f"run: ['{command}']\n")
        for says, count, command in [
            ("another folder", 0, "mkdir -p /database /var/data"),
            ("a look", 0, "ls /data && test -d /data/x && cat /data/y"),
            ("a link to it", 0, "ln -s /data/uploads /srv/uploads"),
            ("a copy of it", 0, "cp -r /data /srv"),
            ("a redirection", 1, "echo x >/data/x"),
            ("below it", 1, "mkdir -p /data/x/y"),
            ("an archive", 1, "tar -xzf x.tar.gz -C /data"),
        ]
    ),
    one("write-under-volume", "before its own VOLUME", 0, DEBIAN + "run: [mkdir /data]\nvolumes: [/data]\n"),
    one(
        "write-under-volume",
        "after its own VOLUME",
        1,
        DEBIAN + "steps: [{volumes: [/data]}, {run: [mkdir /data/x]}]\n",
    ),
    one("relative-workdir", "one above it", 0, DEBIAN + "steps: [{workdir: /srv}, {workdir: app}]\n"),
    one("relative-workdir", "a variable", 0, DEBIAN + "env: {HOME_DIR: /srv}\nworkdir: $HOME_DIR/app\n"),
    # Secrets
    *(
        one("secret-in-instruction", f"{key}: {pair}", count, DEBIAN + f"{key}: {{{pair}}}\n")
        for count, key, pair in [
            (0, "env", "DB_PASSWORD_FILE: /run/secrets/db"),
            (0, "env", 'DB_PASSWORD: ""'),
            (0, "env", "SSH_AUTH_SOCK: /ssh-agent"),
            (0, "env", "AUTH_METHOD: ldap"),
            (0, "env", "AUTH_BACKEND: ldap"),
            (0, "env", "KEY_BINDINGS: vi"),
            (1, "env", "AWS_ACCESS_KEY_ID: abcdef"),
            (0, "env", 'ENABLE_AUTH: "true"'),
            (0, "env", "TOKEN_TTL: 3600"),
            (0, "env", "MONKEY: george"),
            (0, "env", "PUBLIC_KEY: ssh-rsa AAAA"),
            (0, "env", "GPG_KEY: E3FF2839C048B25C084DEBE9B26995E310250568"),
            (0, "env", "DATABASE_URL: postgres://db/shop"),
            (0, "env", 'DATABASE_URL: "postgres://app:$PASSWORD@db/shop"'),
            (0, "labels", "traefik.http.routers.auth.rule: Host(`x`)"),
            (1, "env", "API_KEY: abcdef"),
            (1, "env", "DATABASE_URL: postgres://app:swordfish@db/shop"),
            (1, "args", "NPM_TOKEN: "),
            (1, "labels", "com.example.token: abcdef"),
        ]
    ),
    # Files
    child(
        "overwritten-file",
        "a program that a child names",
        0,
        SUPERVISED,
        "programs: {cron: {command: cron -f -L 15}}\n",
    ),
    one(
        "doubled-dest",
        "a directory and what goes into it",
        0,
        DEBIAN + "files: [{directory: true, dest: /a, mode: 0700}, {content: x, dest: /a/b}]\n",
    ),
    one("doubled-dest", "a link over a file", 1, DEBIAN + "files: [{content: x, dest: /a}, {link: /b, dest: /a}]\n"),
    # ONBUILD
    *(
        Border(
            "onbuild-without-context",
            says,
            count,
            {
                "stacks/base.yml": DEBIAN + f"onbuild: ['{trigger}']\n",
                "stacks/app.yml": "extends: base\ncontext: [{src: app, dest: app}]\n",
                "stacks/app/main.py": "pass\n",
            },
        )
        for says, count, trigger in [
            ("the folder", 0, "COPY app/ /app/"),
            ("a file in it", 0, "COPY --chown=1000 ./app/main.py /app/"),
            ("a glob", 0, "COPY app/*.py /app/"),
            ("a glob of nothing", 1, "COPY app/*.js /app/"),
            ("from another image", 0, "COPY --from=composer:2 /usr/bin/composer /usr/bin/"),
            ("from elsewhere", 0, "ADD https://example.org/x /x"),
            ("a variable", 0, "COPY $SOURCE /app/"),
            ("another folder", 1, "COPY src/ /app/"),
        ]
    ),
    one(
        "onbuild-without-context",
        "a trigger of an outside image",
        1,
        "from: python:3.12-onbuild\ninherits: {onbuild: [COPY requirements.txt /app/]}\n",
    ),
    # What nobody uses
    one("unused-variable", "in a .j2 file", 0, DEBIAN + "vars: {a: 1}\nfiles: [{src: a.j2, dest: /a}]\n"),
    one("unused-variable", "in a condition", 0, DEBIAN + "vars: {stage: dev}\nwhen: {stage=dev: {packages: [curl]}}\n"),
    one("unused-variable", "in another variable", 0, DEBIAN + 'vars: {a: x, b: "{{ a }}"}\nworkdir: "/{{ b }}"\n'),
    one("unused-variable", "as an anchor", 0, DEBIAN + "vars: {a: &a /srv}\nworkdir: *a\n"),
    child("unused-variable", "in a child", 0, DEBIAN + "vars: {a: x}\n", 'workdir: "/{{ a }}"\n'),
    Border(
        "unused-variable",
        "children in another folder are not part of the run",
        0,
        {
            "stackgen.yml": "stacks: [stacks, teams]\n",
            "stacks/base.yml": DEBIAN + "vars: {a: x}\n",
            "teams/app.yml": 'extends: ../stacks/base.yml\nworkdir: "/{{ a }}"\n',
        },
    ),
    Border(
        "unused-variable",
        "one stack of a folder",
        0,
        {"stacks/base.yml": DEBIAN + "vars: {a: x}\n", "stacks/app.yml": 'extends: base\nworkdir: "/{{ a }}"\n'},
        ("stacks/base.yml",),
    ),
    Border(
        "unused-variable",
        "a broken stack may use it",
        0,
        {
            "stacks/base.yml": DEBIAN + "vars: {a: x}\n",
            "stacks/app.yml": 'extends: base\nworkdir: "/{{ a }}"\npackges: [curl]\n',
        },
    ),
    *(
        Border("unused-file", says, count, {"stacks/app.yml": DEBIAN + text, f"stacks/app/{name}": "x\n"})
        for says, count, name, text in [
            ("nobody names it", 1, "a.conf", ""),
            ("a folder above it", 0, "a/b.conf", "files: [{src: app/a, dest: /a}]\n"),
            ("a branch that does not hold", 0, "a.conf", "when: {centos: {files: [{src: app/a.conf, dest: /a}]}}\n"),
            (
                "a name with an expression",
                0,
                "deb.conf",
                'when: {centos: {files: [{src: "app/{{ x }}.conf", dest: /a}]}}\n',
            ),
            ("a mount", 0, "a.conf", "service: {volumes: ['./app/a.conf:/a:ro']}\n"),
            ("the environment", 0, "a.env", "service: {env_file: app/a.env}\n"),
            ("what explains the others", 0, "README.md", ""),
        ]
    ),
    Border(
        "unused-file",
        "left out of its folder",
        0,
        {
            "stacks/app.yml": DEBIAN + "files: [{src: app, dest: /app, exclude: [tests]}]\n",
            "stacks/app/main.py": "pass\n",
            "stacks/app/tests/test_main.py": "pass\n",
        },
    ),
    Border(
        "unreachable-branch",
        "a root that only --base takes",
        0,
        {
            "stacks/debian12.yml": DEBIAN,
            "stacks/centos7.yml": "from: centos:7\n",
            "stacks/app.yml": "extends: debian12\nwhen: {yum: {env: {A: a}}}\n",
        },
    ),
    one(
        "unused-variable",
        "in a branch that does not hold",
        0,
        DEBIAN + 'vars: {a: x}\nwhen: {yum: {workdir: "/{{ a }}"}}\n',
    ),
    one(
        "unused-variable",
        "in a .j2 file of a branch that does not hold",
        0,
        DEBIAN + "vars: {a: x}\nwhen: {yum: {files: [{src: a.j2, dest: /a}]}}\n",
    ),
    # Ignores
    Border(
        "unused-ignore",
        "the project ignores what another stack has",
        0,
        {
            "stackgen.yml": "stacks: [stacks]\nignore: [mutable-tag]\n",
            "stacks/a.yml": "from: debian\n",
            "stacks/b.yml": DEBIAN,
        },
        ("stacks/b.yml",),
    ),
    Border(
        "unused-ignore",
        "the project ignores what no stack has",
        1,
        {"stackgen.yml": "stacks: [stacks]\nignore: [mutable-tag]\n", "stacks/b.yml": DEBIAN},
    ),
    Border(
        "unused-ignore",
        "a line ignores what is found where all stacks are read",
        0,
        {"stacks/a.yml": DEBIAN + "vars: {a: 1}  # stackgen: ignore[unused-variable]\n"},
        ("stacks/a.yml",),
    ),
    # Packages
    Border(
        "doubled-package",
        "a fragment and the stack both name one",
        0,
        {
            "stacks/app.yml": DEBIAN + "include: [fragments/a.yml]\npackages: [curl]\n",
            "stacks/fragments/a.yml": "packages: [curl]\n",
        },
    ),
    one(
        "doubled-package",
        "the supervisor's own",
        1,
        DEBIAN + "packages: [supervisor]\nsupervisor: {install: package}\n",
    ),
    child("package-inherited", "the supervisor's own", 0, DEBIAN + "packages: [supervisor]\n", "supervisor: {}\n"),
    one("doubled-package", "in two groups", 1, DEBIAN + "packages: [curl, {name: a, install: [curl]}]\n"),
    Border(
        "package-inherited",
        "a fragment names one that the parent has",
        0,
        {
            "stacks/base.yml": DEBIAN + "packages: [curl]\n",
            "stacks/app.yml": "extends: base\ninclude: [fragments/a.yml]\n",
            "stacks/fragments/a.yml": "packages: [curl]\n",
        },
    ),
]


def name_of(border: Border) -> str:
    return f"{border.code}: {border.says}"


@pytest.mark.parametrize("border", BORDERS, ids=name_of)
def test_a_rule_finds_what_it_should_and_no_more(border: Border, tmp_path: Path) -> None:
    """A rule that finds fault with what is ordinary is switched off, and then finds nothing at all."""
    tree(tmp_path, {"stacks/a.j2": "{{ a }}\n", **border.files})
    result = api.render(list(border.paths), cwd=tmp_path)
    found = [each for each in result.diagnostics if each.code == border.code]
    assert len(found) == border.count, [f"{each.code}: {each.message}" for each in result.diagnostics]
    assert border.count or border.code == "unused-variable" or result.ok, result.diagnostics
