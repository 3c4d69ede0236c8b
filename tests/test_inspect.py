"""What an image will be, before it is built: each value and where it comes from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stackgen import api
from stackgen.report.text import width
from stackgen.stack.project import Options
from tests.helpers import run, tree

CHAIN = {
    "base.yml": """\
        from: debian:12-slim
        env:
          A: one
          B: two
        labels: {vendor: us}
        expose: [80, 443]
        volumes:
          - /data
        user: app
        onbuild:
          - ENV C=fired D=$A
          - LABEL vendor=trigger
        entrypoint: [/init]
        """,
    "app.yml": """\
        extends: base
        env: {B: three}
        packages: [curl]
        cmd: [serve]
        expose:
          - 53/udp
        healthcheck: {test: [CMD, check], interval: 90s}
        workdir: /srv
        """,
}


def inspection(
    root: Path, stack: str = "app.yml", options: Options = api.DEFAULTS, ask: api.Ask | None = None
) -> api.Inspection:
    (found,) = api.inspect([stack], options, ask=ask, cwd=root).unwrap()
    return found


def origins(root: Path, stack: str = "app.yml", options: Options = api.DEFAULTS) -> dict[str, str]:
    """Give `image file:line` for each value, by its place with blanks between."""
    found = inspection(root, stack, options).values()
    return {
        " ".join(value.place): f"{value.origin.image} {value.origin.span.path}:{value.origin.span.line}"
        for value in found
    }


def lines_of(root: Path, stack: str = "app.yml") -> list[tuple[str, bool, str, str]]:
    """Give an image's history: the text, whether there is a layer, the image, and the place."""
    return [
        (line.entry.created_by, line.entry.makes_layer, line.image, f"{line.origin.span.path}:{line.origin.span.line}")
        for line in inspection(root, stack).history()
    ]


def shown(root: Path, *args: str) -> str:
    ran = run(["inspect", *args], root)
    assert ran.code == 0, ran.stderr
    return ran.stdout


# -- where a value comes from


def test_each_value_belongs_to_the_line_that_said_it(tmp_path: Path) -> None:
    """A variable, a label, a port, a volume, a command: each leads to the image and the line that it comes from."""
    found = origins(tree(tmp_path, CHAIN))
    assert found == {
        "Cmd": "app app.yml:4",
        "ArgsEscaped": "app app.yml:4",
        "Entrypoint": "base base.yml:13",
        "Env PATH": "debian:12-slim base.yml:1",
        "Env A": "base base.yml:3",
        "Env B": "app app.yml:2",
        "Env C": "base base.yml:11",
        "Env D": "base base.yml:11",
        "ExposedPorts 443/tcp": "base base.yml:6",
        "ExposedPorts 53/udp": "app app.yml:6",
        "ExposedPorts 80/tcp": "base base.yml:6",
        "Healthcheck": "app app.yml:7",
        "Labels org.opencontainers.image.base.name": "app app.yml:1",
        "Labels org.opencontainers.image.title": "app app.yml:0",
        "Labels vendor": "base base.yml:12",
        "User": "base base.yml:9",
        "Volumes /data": "base base.yml:8",
        "WorkingDir": "app app.yml:8",
    }


def test_what_is_only_passed_through_stays_where_it_was(tmp_path: Path) -> None:
    """A USER and a SHELL that stackgen sets for an install, and puts back, are still those of the image above."""
    files = {
        "base.yml": "from: debian:12-slim\nshell: [/usr/bin/fish, -c]\nuser: app\n",
        "app.yml": "extends: base\npackages: [curl]\nrun: [{sh: id, user: root}, id]\n",
    }
    found = origins(tree(tmp_path, files))
    assert found["User"] == "base base.yml:3"
    assert found["Shell"] == "base base.yml:2"
    (line,) = (line for line in lines_of(tmp_path) if line[0] == "USER root")
    assert line[2:] == ("app", "app.yml:2")


def test_a_cmd_said_again_is_the_childs(tmp_path: Path) -> None:
    """ENTRYPOINT resets an inherited CMD, so that one of the same words is there because the child says it."""
    files = {
        "base.yml": "from: debian:12-slim\nentrypoint: [a]\ncmd: [b]\n",
        "app.yml": "extends: base\nentrypoint: [c]\ncmd: [b]\n",
    }
    assert origins(tree(tmp_path, files))["Cmd"] == "app app.yml:3"


def test_fragments_and_overlays_are_named(tmp_path: Path) -> None:
    """A value from a fragment leads into the fragment, one from `when` to the line of its branch."""
    files = {
        "app.yml": """\
            from: debian:12-slim
            include: [fragments/php.yml]
            env: {A: b}
            when:
              debian-12:
                env: {A: c}
            """,
        "fragments/php.yml": "env:\n  PHP: '8.2'\n",
    }
    found = origins(tree(tmp_path, files))
    assert found["Env PHP"] == "app fragments/php.yml:2"
    assert found["Env A"] == "app app.yml:6"


def test_what_the_project_says_of_all_images(tmp_path: Path) -> None:
    """A label of the project file, and what it says of an outside image, lead to its lines."""
    files = {
        "stackgen.yml": """\
            labels:
              org.opencontainers.image.vendor: us
            inherits:
              quay.io/x/y:
                user: "1000"
                env:
                  HOME: /home
            """,
        "app.yml": "from: quay.io/x/y:1\n",
    }
    found = origins(tree(tmp_path, files))
    assert found["Labels org.opencontainers.image.vendor"] == "app stackgen.yml:2"
    assert found["User"] == "quay.io/x/y:1 stackgen.yml:5"
    assert found["Env HOME"] == "quay.io/x/y:1 stackgen.yml:7"


def test_what_a_root_says_that_it_inherits(tmp_path: Path) -> None:
    """What `inherits` says leads to its line, and reads as the instructions of those names do."""
    files = {
        "app.yml": """\
            from: quay.io/x/y:1
            inherits:
              expose: [9000-9001, 53/udp]
              healthcheck: {test: curl localhost, interval: 30s, retries: 2}
              shell: [/bin/bash, -c]
              cmd: run it
              labels:
                vendor: them
              onbuild: [ENV A=b]
            """,
    }
    found = origins(tree(tmp_path, files))
    assert found["ExposedPorts 9001/tcp"] == "quay.io/x/y:1 app.yml:3"
    assert found["Healthcheck"] == "quay.io/x/y:1 app.yml:4"
    assert found["Labels vendor"] == "quay.io/x/y:1 app.yml:8"
    assert found["Env A"] == "quay.io/x/y:1 app.yml:9"
    assert found["Env PATH"] == "BuildKit app.yml:1"
    config = inspection(tmp_path).to_json()["Config"]
    assert list(config["ExposedPorts"]) == ["53/udp", "9000/tcp", "9001/tcp"]
    assert config["Healthcheck"] == {
        "Test": ["CMD-SHELL", "curl localhost"],
        "Interval": 30 * 10**9,
        "Retries": 2,
    }
    assert config["Cmd"] == ["/bin/bash", "-c", "run it"]


def test_scratch_brings_nothing(tmp_path: Path) -> None:
    """The PATH of an image from scratch is BuildKit's own."""
    found = origins(tree(tmp_path, {"app.yml": "from: scratch\ncmd: [/app]\n"}))
    assert found["Env PATH"] == "BuildKit app.yml:1"


def test_a_users_template_is_named(tmp_path: Path) -> None:
    """What a user's own template prints leads to its line in the template, all else to the stack as ever."""
    files = {
        "app.yml": "from: debian:12-slim\nenv: {A: b}\n",
        "own/dockerfile/Dockerfile.j2": """\
            {% extends "stackgen/dockerfile/Dockerfile.j2" %}
            {% block env %}
            {{ super() }}
            LABEL by="us"
            LABEL of="{{ image.name }}"
            {% endblock %}
            """,
    }
    root = tree(tmp_path, files)
    found = origins(root, options=Options(templates=Path("own")))
    assert found["Labels by"] == "app dockerfile/Dockerfile.j2:4"
    assert found["Labels of"] == "app dockerfile/Dockerfile.j2:0"
    assert found["Env A"] == "app app.yml:2"
    assert "own/dockerfile/Dockerfile.j2:4" in shown(root, "app.yml", "--templates", "own")


def test_programs_through_the_generations(tmp_path: Path) -> None:
    """Each option of a program leads to who said it; one that is turned off is gone; groups and listeners are there."""
    files = {
        "base.yml": """\
            from: debian:12-slim
            supervisor: {install: package}
            vars: {workers: 1}
            programs:
              web:
                command: "web {{ workers }}"
                startsecs: 2
              cron: {command: cron}
            eventlisteners:
              mail: {command: mail, events: [PROCESS_STATE]}
            """,
        "app.yml": """\
            extends: base
            vars: {workers: 4}
            programs:
              web:
                startsecs: 5
              cron: !reset
            groups:
              all: {programs: [web]}
            """,
    }
    root = tree(tmp_path, files)
    found = origins(root)
    assert {place: origin for place, origin in found.items() if place[0].islower()} == {
        "eventlisteners mail command": "base base.yml:10",
        "eventlisteners mail events": "base base.yml:10",
        "groups all programs": "app app.yml:8",
        "programs web command": "base base.yml:6",
        "programs web startsecs": "app app.yml:5",
    }
    table = shown(root, "app.yml").partition("\n  Programs\n")[2]
    assert [" ".join(line.split()) for line in table.splitlines()] == [
        "eventlistener mail mail base base.yml:10",
        "events=PROCESS_STATE base base.yml:10",
        "group all programs=web app app.yml:8",
        "web web 4 base base.yml:6",
        "startsecs=5 app app.yml:5",
    ]
    assert json.loads(shown(root, "app.yml", "--format", "json"))[0]["Programs"] == {
        "web": {"command": "web 4", "startsecs": 5}
    }


# -- as a table


def test_the_table(tmp_path: Path) -> None:
    """A value stands left, where it comes from right; what is too long for that has its origin below it."""
    files = {
        "base.yml": "from: debian:12-slim\nenv: {A: one}\n",
        "app.yml": """\
            extends: base
            image: shop/app
            description: the shop
            healthcheck: {test: [CMD, check], interval: 90s, timeout: 1h}
            """,
    }
    assert shown(tree(tmp_path, files), "app.yml") == (
        "shop/app:latest\n"
        "  app.yml: debian:12-slim -> base -> app\n"
        "\n"
        '  Cmd          ["bash"]                                        debian:12-slim  base.yml:1\n'
        "  Env          PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
        "                                                               debian:12-slim  base.yml:1\n"
        "               A=one                                           base            base.yml:2\n"
        '  Healthcheck  ["CMD", "check"]                                app             app.yml:4\n'
        "               Interval 1m30s\n"
        "               Timeout 1h\n"
        "  Labels       org.opencontainers.image.base.name=base:latest  app             app.yml:1\n"
        "               org.opencontainers.image.description=the shop   app             app.yml:3\n"
        "               org.opencontainers.image.title=app              app             app.yml\n"
    )


def test_no_line_is_wider_than_100_columns(tmp_path: Path) -> None:
    """Whatever the values are, the table fits a usual screen, and origins stand in one column, wide characters too."""
    long = " ".join(f"word{number}" for number in range(60))
    files = {
        "app.yml": f"""\
            from: debian:12-slim
            env: {{A: 漢字漢字, B: "{long}", C: "e\u0301"}}
            labels: {{ラベル: 値}}
            cmd: [sh, -c, "{long}"]
            """,
    }
    lines = shown(tree(tmp_path, files), "app.yml").splitlines()
    assert max(map(width, lines)) <= 100
    with_origin = [line for line in lines if line.endswith(("app.yml:2", "app.yml:3"))]
    assert len(with_origin) == 4
    assert len({width(line[: line.rindex("app  ")]) for line in with_origin}) == 1


def test_what_a_terminal_would_obey_is_written_out(tmp_path: Path) -> None:
    """An escape sequence in a value is shown, not done."""
    table = shown(tree(tmp_path, {"app.yml": 'from: debian:12-slim\nenv: {A: "\\e[31mred"}\n'}), "app.yml")
    assert "A=\\x1b[31mred" in table


def test_several_images(tmp_path: Path) -> None:
    """A folder's stacks are shown one below the other, in build order."""
    names = [line for line in shown(tree(tmp_path, CHAIN), ".").splitlines() if ":latest" in line and line[0] != " "]
    assert names == ["base:latest", "app:latest"]


# -- an outside image that nobody knows

UNKNOWN = {
    "base.yml": """\
        from: quay.io/x/y:1
        env: {A: plain, B: $JAVA_HOME/bin, C: $A$B}
        expose: [80]
        """,
    "app.yml": """\
        extends: base
        user: app
        entrypoint: [/start]
        cmd: run it
        """,
}


def test_an_unknown_image_is_not_guessed(tmp_path: Path) -> None:
    """What an unknown image may bring, and what depends on it, is left out and named; what is sure is there."""
    root = tree(tmp_path, UNKNOWN)
    (image,) = json.loads(shown(root, "app.yml", "--format", "json"))
    assert image["UnknownImage"] == "quay.io/x/y:1"
    assert image["Config"]["Env"] == ["A=plain"]
    assert not {"Cmd", "Volumes", "WorkingDir"} & image["Config"].keys()
    assert image["Config"]["Entrypoint"] == ["/start"]
    assert image["Config"]["ExposedPorts"] == {"80/tcp": {}}
    assert image["Config"]["User"] == "app"
    table = shown(root, "app.yml")
    assert "nobody knows what quay.io/x/y:1 brings" in table
    assert "Cmd, Env B, Env C, Env PATH" in table
    assert "PATH=" not in table
    assert "inherits: " in table
    assert "--engine" in table


def test_an_unknown_image_stays_unknown_below_a_user(tmp_path: Path) -> None:
    """A USER of one's own says nothing of the rest: a grandchild is no better known than its root."""
    root = tree(tmp_path, {**UNKNOWN, "kid.yml": "extends: app\nenv: {E: f}\n"})
    (image,) = json.loads(shown(root, "kid.yml", "--format", "json"))
    assert image["UnknownImage"] == "quay.io/x/y:1"
    assert image["Config"]["Env"] == ["A=plain", "E=f"]


@pytest.mark.parametrize("brings", ["{}", '{user: "1000"}'])
def test_a_known_image_has_no_more_keys_than_docker(tmp_path: Path, brings: str) -> None:
    """The key that says so is there only where something is not known."""
    root = tree(tmp_path, {"app.yml": f"from: quay.io/x/y:1\ninherits: {brings}\n"})
    (image,) = json.loads(shown(root, "app.yml", "--format", "json"))
    assert list(image) == ["Name", "Config", "Programs"]
    assert "nobody knows" not in shown(root, "app.yml")


# -- asking an engine


def test_no_engine_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no engine to ask, that is said at the root's `from`, with the cure."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    ran = run(["inspect", "app.yml", "--engine"], tree(tmp_path, UNKNOWN))
    assert (ran.code, ran.stdout) == (1, "")
    assert ran.stderr.startswith("base.yml:1:7: error[unknown-image]: no engine answers that could say what")
    assert "inherits: " in ran.stderr


def test_nobody_is_asked_of_what_is_known(tmp_path: Path) -> None:
    """What the data or the stack say needs no engine, and without `--engine` none is asked."""

    def ask(reference: str) -> api.Config:
        raise AssertionError(reference)

    root = tree(tmp_path, {**CHAIN, "own.yml": "from: quay.io/x/y:1\ninherits: {}\n"})
    for stack in ("app.yml", "own.yml"):
        assert inspection(root, stack, ask=ask)


def test_an_answer_restores_the_user(tmp_path: Path) -> None:
    """What must be root in an image that nobody knows is possible where an engine says which USER is to be put back."""
    root = tree(tmp_path, {"app.yml": "from: quay.io/x/y:1\ndistro: debian-12\npackages: [curl]\n"})
    assert not api.inspect(["app.yml"], cwd=root).ok
    found = inspection(root, ask=lambda _: api.Config(user="1000"))
    assert found.to_json()["Config"]["User"] == "1000"
    told = [line.entry.created_by for line in found.history()]
    assert [text for text in told if text.startswith("USER")] == ["USER 1000", "USER root"]
