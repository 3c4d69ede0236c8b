"""Instructions as text, in the taste of one who writes Dockerfiles by hand."""

from __future__ import annotations

import pytest
from hypothesis import given

from stackgen.docker.instructions import (
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Exec,
    Expose,
    From,
    Healthcheck,
    Heredoc,
    Instruction,
    Label,
    Onbuild,
    Run,
    Shell,
    ShellForm,
    Stopsignal,
    User,
    Volume,
    Workdir,
)
from stackgen.docker.syntax import Unsayable, as_trigger, parse_instruction, quote, to_text

from .strategies import awkward, instructions


@pytest.mark.parametrize(
    ("instruction", "text"),
    [
        (From(image="debian:12"), "FROM debian:12"),
        (From(image="go:1", platform="$BUILDPLATFORM", name="build"), "FROM --platform=$BUILDPLATFORM go:1 AS build"),
        (Arg(pairs=(("VERSION", '"1 2"'),)), 'ARG VERSION="1 2"'),
        (Arg(pairs=(("VERSION", None),)), "ARG VERSION"),
        (Env(pairs=(("APP_DIR", '"/app"'),)), 'ENV APP_DIR="/app"'),
        (Env(pairs=(("A", '"1"'), ("LONG", '"$A b"'))), 'ENV A="1" \\\n    LONG="$A b"'),
        (
            Label(pairs=(("org.opencontainers.image.title", '"php"'), ("maintainer", '"me"'))),
            'LABEL org.opencontainers.image.title="php" \\\n      maintainer="me"',
        ),
        (Env(pairs=(("A", 'b "c"'),)), 'ENV A b "c"'),
        (Expose(ports=("80", "443/udp")), "EXPOSE 80 443/udp"),
        (Volume(paths=("/data", "/var/lib/x")), "VOLUME /data /var/lib/x"),
        (Volume(paths=("/with blank",)), 'VOLUME ["/with blank"]'),
        (Workdir(path="/srv/my app"), "WORKDIR /srv/my app"),
        (Workdir(path="--x"), "WORKDIR -- --x"),
        (User(user="app:app"), "USER app:app"),
        (Stopsignal(signal="SIGQUIT"), "STOPSIGNAL SIGQUIT"),
        (Shell(argv=("/bin/bash", "-o", "pipefail", "-c")), 'SHELL ["/bin/bash", "-o", "pipefail", "-c"]'),
        (Entrypoint(command=Exec(("/init", "é\n\u2028"))), 'ENTRYPOINT ["/init", "é\\n\u2028"]'),
        (Cmd(command=ShellForm("exec nginx -g 'daemon off;'")), "CMD exec nginx -g 'daemon off;'"),
        (Cmd(command=Exec(())), "CMD []"),
        (Cmd(command=ShellForm("")), "CMD"),
        (Healthcheck(test=None), "HEALTHCHECK NONE"),
        (
            Healthcheck(test=ShellForm("curl -f x"), interval="30s", start_period="1m", retries="3"),
            "HEALTHCHECK --interval=30s --start-period=1m --retries=3 CMD curl -f x",
        ),
        (
            Run(command=ShellForm("apt-get update"), flags=("--mount=type=cache,target=/a b", "--network=none")),
            "RUN --mount=type=cache,target=/a\\ b --network=none apt-get update",
        ),
        (
            Run(command=ShellForm("<<EOF"), heredocs=(Heredoc(name="EOF", content="set -e\nmake\n"),)),
            "RUN <<EOF\nset -e\nmake\nEOF",
        ),
        (Copy(sources=("a", "b"), dest="c/", flags=("--chown=1:2",)), "COPY --chown=1:2 a b c/"),
        (Copy(sources=("a b", 'c\\"'), dest="/d"), 'COPY ["a b", "c\\\\\\"", "/d"]'),
        (Add(sources=("https://x/y.tgz",), dest="/"), "ADD https://x/y.tgz /"),
        (Onbuild(trigger=User(user="a"), text="USER a"), "ONBUILD USER a"),
    ],
)
def test_text(instruction: Instruction, text: str) -> None:
    """Each instruction looks as one would write it, and reads back as it was."""
    assert to_text(instruction) == text
    assert parse_instruction(text) == instruction


@pytest.mark.parametrize(
    ("instruction", "reason"),
    [
        (Cmd(command=Exec(("a\0b",))), "NUL"),
        (Cmd(command=Exec(("\ud800",))), "surrogate"),
        (Cmd(command=ShellForm("a\nb")), "newline"),
        (Cmd(command=ShellForm('["a"]')), "something else"),
        (Cmd(command=ShellForm("a \\")), "something else"),
        (Cmd(command=ShellForm(" a")), "something else"),
        (Run(command=ShellForm("cat <<EOF")), "no end"),
        (Env(pairs=(("A", "b c"), ("D", "e"))), "no ="),
        (Env(pairs=(("A", '"' + "a" * 65600 + '"'),)), "65535"),
        (Run(command=ShellForm("a"), flags=("--mount=é",)), "byte by byte"),
        (Run(command=ShellForm("a"), flags=("--nope",)), "no flag --nope"),
        (User(user=""), "no argument"),
        (User(user="a\\"), "something else"),
        (Onbuild(trigger=User(user="a"), text="USER b"), "something else"),
    ],
)
def test_unsayable(instruction: Instruction, reason: str) -> None:
    """What would be read as something else is not printed."""
    with pytest.raises(Unsayable, match=reason):
        to_text(instruction)


@given(awkward, awkward)
def test_any_command_in_exec_form(first: str, second: str) -> None:
    """Every argument can be said in the exec form."""
    cmd = Cmd(command=Exec((first, second)))
    assert parse_instruction(to_text(cmd)) == cmd


@given(instructions.filter(lambda instruction: not isinstance(instruction, Onbuild)))
def test_triggers(instruction: Instruction) -> None:
    """An ONBUILD's text is the trigger's own, on one line unless a heredoc follows, and reads back as it."""
    try:
        onbuild = as_trigger(instruction)
    except Unsayable:
        return
    assert parse_instruction(onbuild.text) == instruction
    assert "\n" not in onbuild.text or (isinstance(instruction, (Run, Copy, Add)) and instruction.heredocs)


def test_a_trigger_of_several_pairs() -> None:
    """What is printed over several lines is one in the image's configuration, with single blanks."""
    onbuild = as_trigger(Env(pairs=(("A", quote("1")), ("B", quote("2")))))
    assert onbuild.text == 'ENV A="1" B="2"'
