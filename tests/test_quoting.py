"""Any value comes back as it was given: from our own Dockerfile parser, and from supervisord's."""

from __future__ import annotations

import json
import shlex
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from supervisor.options import ServerOptions  # type: ignore[import-untyped]

from stackgen import api
from stackgen.docker import inherit
from stackgen.docker.instructions import Copy, From
from stackgen.docker.shell import expand_word
from stackgen.docker.syntax import parse
from tests.helpers import tree

# Each example renders a stack, so fewer of them than hypothesis would take, and no deadline on a busy machine.
SOME = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# What has a meaning somewhere on the way: to YAML, Jinja, a Dockerfile, a shell, an ini file.
AWKWARD = st.sampled_from(
    [*"\"'\\`#$%;=,:!*?[]{}()<>|&~@- \té漢\u2028", " ;", " #", "%(", "%%", "\\$", "${", "{{", "{%", "{#", "<<EOF", "--"]
)  # fmt: skip
TEXT = st.lists(st.one_of(AWKWARD, st.sampled_from(["a", "b", "1", "word", "/etc/x"])), max_size=8).map("".join)
# In the stack language a dollar is `\$`; a bare one names a variable, which is another test's.
LITERAL = TEXT.filter(lambda text: "$" not in text)


def as_written(text: str) -> str:
    """Give a text as one writes it in a stack so that it is taken literally."""
    return text.replace("$", "\\$")


def quoted(text: str) -> str:
    """Give a text as a YAML scalar that is no expression."""
    # JSON's strings are YAML's, but for characters that YAML does not print.
    return "!unsafe " + "".join(
        c if c.isprintable() else f"\\u{ord(c):04x}" for c in json.dumps(text, ensure_ascii=False)
    )


def rendered(stack: str) -> tuple[api.Checked, str] | set[str]:
    """Give what a stack comes to and its Dockerfile, or the codes of what is wrong with it."""
    with tempfile.TemporaryDirectory() as place:
        root = tree(Path(place), {"app.yml": stack})
        checked = api.check(api.load(["app.yml"], cwd=root).unwrap())
        plan = api.render(["app.yml"], cwd=root)
    if plan.value is None or checked.value is None:
        return {each.code for each in plan.diagnostics if each.severity == "error"}
    return checked.value, plan.value.images[0].files[0].content.decode()


def read_back(stack: str) -> dict[str, Any]:
    """Give the configuration that the rendered Dockerfile of a stack makes, read by our own parser."""
    made = rendered(stack)
    assert not isinstance(made, set), made
    checked, text = made
    instructions = [each.instruction for each in parse(text)]
    last = max(index for index, each in enumerate(instructions) if isinstance(each, From))
    config: dict[str, Any] = inherit.fold(checked.images[-1].base, instructions[last + 1 :]).to_json()
    assert config == checked.images[-1].config.to_json()
    return config


@SOME
@given(st.lists(TEXT, min_size=1, max_size=5))
@example(["\\", "a\\", "\\\\", "\\$", "$", "a\\$b", "'\"", '"', "${", "a #b", "#", " a ", "\t", ""])
@example(["`", "$(x)", "%%", "{{ x }}", "<<EOF", "\u00a0", "\ufeff"])
def test_env_and_labels(values: list[str]) -> None:
    """A value of ENV and of LABEL comes back as it was written, character by character."""
    lines = ["from: debian:12-slim", "env:"]
    lines += [f"  V{index}: {quoted(as_written(value))}" for index, value in enumerate(values)]
    lines += ["labels:"]
    lines += [f"  L{index}: {quoted(as_written(value))}" for index, value in enumerate(values)]
    config = read_back("\n".join(lines) + "\n")
    assert config["Env"][1:] == [f"V{index}={value}" for index, value in enumerate(values)]
    assert [config["Labels"][f"L{index}"] for index in range(len(values))] == values


@SOME
@given(st.lists(TEXT, min_size=1, max_size=5))
def test_label_keys(keys: list[str]) -> None:
    """A label's name may hold anything but `=`, and comes back."""
    names = dict.fromkeys(f"x{key.replace('=', '')}" for key in keys)
    lines = ["from: debian:12-slim", "labels:", *(f"  ? {quoted(as_written(name))}\n  : v" for name in names)]
    made = read_back("\n".join(lines).replace("? !unsafe ", "? ") + "\n")
    assert {name for name, value in made["Labels"].items() if value == "v"} == set(names)


@SOME
@given(st.lists(st.one_of(TEXT, st.sampled_from(["a\nb", "\n", "\r", "\x01", "\u2028"])), min_size=1, max_size=5))
@example(["sh", "-c", 'echo "$HOME" \\ \n done'])
def test_entrypoint_and_cmd(words: list[str]) -> None:
    """The words of an exec form come back as they are: nothing in them is expanded, and they may hold newlines."""
    argv = ", ".join(quoted(word) for word in words)
    config = read_back(f"from: debian:12-slim\nentrypoint: [{argv}]\ncmd: [{argv}]\n")
    assert config["Entrypoint"] == words
    assert config["Cmd"] == words


@SOME
@given(TEXT.map(lambda text: f"/x{text}"))
@example("/a b")
@example("/a [1] $b #c \\d 'e' \"f\"")
@example("/trailing\\")
def test_paths(path: str) -> None:
    """A path of WORKDIR and VOLUME comes back, and a file goes to the path that was written."""
    written = quoted(as_written(path))
    stack = f"from: debian:12-slim\nworkdir: {written}\nfiles: [{{content: x, dest: {written}}}]\n"
    if ":" not in path:
        stack += f"volumes: [{written}]\n"
    made = rendered(stack)
    if isinstance(made, set):
        # A folder's name, and what COPY cannot take, are findings of their own.
        assert made <= {"dest-is-folder", "unsayable"}
        return
    checked, text = made
    config = checked.images[0].config
    assert config.working_dir == path
    assert config.volumes == ((path,) if ":" not in path else ())
    (copy,) = [each.instruction for each in parse(text) if isinstance(each.instruction, Copy)]
    # A slash that is doubled, and a dot, make no other place of it.
    place = PurePosixPath(path)
    assert PurePosixPath(expand_word(copy.dest, {})) == place.parent
    assert [PurePosixPath(file.path) for file in checked.images[0].lowered.files] == [PurePosixPath(f"rootfs{place}")]


@pytest.mark.parametrize("key", ["env", "labels", "args"])
@given(before=LITERAL, after=LITERAL)
@settings(max_examples=10, deadline=None)
def test_a_newline_is_a_finding(key: str, before: str, after: str) -> None:
    """A value of several lines cannot stand in a line of a Dockerfile, and is never written as something else."""
    value = quoted(f"{before}\n{after}")
    assert rendered(f"from: debian:12-slim\n{key}: {{A: {value}}}\n") == {"unsayable"}


# -- supervisord


def supervised(options: dict[str, Any]) -> Any:
    """Give one program as the `supervisor` package reads its rendered file, or the codes of what is wrong with it."""
    lines = [f"    {name}: {quoted(value)}" for name, value in options.items() if isinstance(value, str)]
    for name, value in options.items():
        if isinstance(value, dict):
            lines += [f"    {name}:", *(f"      {each}: {quoted(text)}" for each, text in value.items())]
    stack = "\n".join(["from: debian:12-slim", "supervisor: {}", "programs:", "  app:", *lines]) + "\n"
    with tempfile.TemporaryDirectory() as place:
        root = tree(Path(place), {"app.yml": stack})
        plan = api.render(["app.yml"], cwd=root)
        if plan.value is None:
            return {each.code for each in plan.diagnostics if each.severity == "error"}
        files = {file.path: file.content for image in plan.value.images for file in image.files}
        config = files["rootfs/etc/supervisor/supervisord.conf"].decode()
        include = root / "programs"
        include.mkdir()
        (include / "app.conf").write_bytes(files["rootfs/etc/supervisor/conf.d/app.conf"])
        main = root / "supervisord.conf"
        main.write_text(config.replace("/etc/supervisor/conf.d/*.conf", f"{include}/*.conf"), "utf-8")
        server = ServerOptions()
        server.configfile = str(main)
        server.realize([], doc="")
        (group,) = server.process_group_configs
        (process,) = group.process_configs
        return process


ARGV = st.lists(TEXT, min_size=1, max_size=5).map(lambda words: ["run", *words])


@SOME
@given(ARGV)
@example(["sh", "-c", "a ; b", "# c", "100%", "%(x)s", "\\", "a\\", "'", '"', "", " ; ", ' "; ', "' #"])
@example(["sh", "-c", "while sleep 60; do x; done # forever"])
@example(["x", ";", "#", ";a", "#a", "a;", "a#", " ;", ";;", "# #"])
def test_supervised_command(argv: list[str]) -> None:
    """The words of a command come back from supervisord's own parser, comments, percents and quotes and all."""
    process = supervised({"command": shlex.join(argv)})
    if isinstance(process, set):
        assert process == {"unsayable"}
        return
    assert shlex.split(process.command) == argv


@pytest.mark.parametrize(
    "command",
    [
        'nginx -g "daemon off;"',
        "sh -c 'a ; b'",
        'sh -c "a ; b # c"',
        "a \\; b",
        "a \\# b",
        "date +%s",
        'x "it\'s ; \\" # 100%"',
        "x \\\\",
        "a ;b",
        "a #b",
        "a\t; b",
        ";x",
    ],
)
def test_supervised_command_as_people_write_it(command: str) -> None:
    """A command line that is no shell quotation of ours comes back with the same words."""
    process = supervised({"command": command})
    assert not isinstance(process, set), process
    assert shlex.split(process.command) == shlex.split(command)


@SOME
@given(st.dictionaries(st.sampled_from(["A", "B_2", "PATH", "x"]), TEXT, min_size=1, max_size=4))
@example({"A": "a ; b", "B_2": "a # b", "PATH": "50%", "x": "a,b=c"})
@example({"A": "it's", "B_2": 'say "hi"', "PATH": "", "x": " a "})
@example({"A": "a\\", "B_2": "\\", "PATH": "%(x)s", "x": "\\n"})
def test_supervised_environment(variables: dict[str, str]) -> None:
    """The environment of a program comes back from supervisord's own parser, or is a finding."""
    process = supervised({"command": "run", "environment": variables})
    if isinstance(process, set):
        assert process == {"unsayable"}
        return
    assert process.environment == variables


SAYABLE = ["", " ", "a b", "it's", 'a "b" c', "50%", "a,b=c", "\\", "a\\", "C:\\x", "$HOME", "a;b", "é"]


@pytest.mark.parametrize("value", SAYABLE)
def test_supervised_environment_that_can_be_said(value: str) -> None:
    """What supervisord can be told is told, and is no finding."""
    process = supervised({"command": "run", "environment": {"A": value}})
    assert not isinstance(process, set), process
    assert process.environment == {"A": value}


@pytest.mark.parametrize("value", ['say "hi"', "'x", "both ' and \" of them", "a ; b", "a # b", "a\nb"])
def test_supervised_environment_that_cannot_be_said(value: str) -> None:
    """What supervisord would read as something else is a finding, never a file that says something else."""
    assert supervised({"command": "run", "environment": {"A": value}}) == {"unsayable"}


@SOME
@given(TEXT)
@example("/srv ; x")
@example("/srv/100%")
@example(" /srv")
@example("/srv/#x")
def test_supervised_directory(path: str) -> None:
    """Another option of a program comes back as well, or is a finding."""
    process = supervised({"command": "run", "directory": f"/x{path}"})
    if isinstance(process, set):
        assert process <= {"unsayable", "wrong-value"}
        return
    assert process.directory == f"/x{path}"
