"""What an image inherits and what its instructions make of it. Every expectation here was read off Docker 28.5."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackgen.docker import inherit
from stackgen.docker.arguments import global_args, platform_args
from stackgen.docker.config import Config, Health
from stackgen.docker.errors import DockerfileError, ExpansionError, RefusedError
from stackgen.docker.inherit import DEFAULT_PATH, SCRATCH, apply, begin, finish, fold, triggers
from stackgen.docker.instructions import Arg, Env, From, Instruction, User
from stackgen.docker.syntax import Unsayable, parse, quote, to_text

from .chains import expected
from .strategies import awkward, instructions

PATH = ("PATH", DEFAULT_PATH)
SOURCE = inspect.getsource(apply)


def build(text: str, parent: Config = SCRATCH, **options: dict[str, str]) -> Config:
    """The configuration that a Dockerfile without its FROM makes of `parent`."""
    drawn = [parsed.instruction for parsed in parse(text)] if text else []
    return fold(parent, drawn, global_args=options.get("global_args", {}), build_args=options.get("build_args", {}))


def env(text: str, parent: Config = SCRATCH, **options: dict[str, str]) -> dict[str, str]:
    return dict(build(text, parent, **options).env)


def test_path() -> None:
    """A parent without a PATH gives its child the default one, behind what it has; one with a PATH keeps it."""
    assert build("").env == (PATH,)
    assert build("", Config(env=(("A", "1"),))).env == (("A", "1"), PATH)
    assert build("ENV PATH=/opt:$PATH").env == (("PATH", f"/opt:{DEFAULT_PATH}"),)
    assert build("", Config(env=(("PATH", ""),))).env == (("PATH", ""),)


def test_env_merges() -> None:
    """The parent's order comes first, a changed value stays in its place, and a new name goes to the end."""
    parent = Config(env=(PATH, ("A", "1"), ("B", "2")))
    assert build("ENV C=3\nENV A=4", parent).env == (PATH, ("A", "4"), ("B", "2"), ("C", "3"))


def test_env_sees_what_was_before_the_instruction() -> None:
    """Every $NAME of one ENV sees the values from before it; the next ENV sees them changed; an unset one is empty."""
    assert env("ENV A=old\nENV A=new C=$A\nENV D=$A F=$NOPE") == dict(
        [PATH, ("A", "new"), ("C", "old"), ("D", "new"), ("F", "")]
    )


def test_env_names_are_words() -> None:
    """A name is expanded and its quotes are taken off, as a value's are."""
    assert build('ENV N=x\nENV "a b"=1 $N=2 $NOPE=3').env[1:] == (("N", "x"), ("a b", "1"), ("x", "2"), ("", "3"))


@given(awkward)
def test_quoted_values_arrive(value: str) -> None:
    """A quoted value is the variable's value, whatever is in it."""
    word = quote(value.replace("$", "\\$"))
    assert dict(fold(SCRATCH, [Env(pairs=(("A", word),))]).env)["A"] == value


def test_arg() -> None:
    """An ARG is seen by what follows in its build, sees ARGs and ENV before it, and is not inherited."""
    config = build("ENV E=1\nARG A=a$E B=$A\nENV C=$B\nARG U\nENV D=$U")
    assert config.env[1:] == (("E", "1"), ("C", "a1"), ("D", ""))
    assert dict(build("ENV F=$A", config).env)["F"] == ""


def test_arg_below_env() -> None:
    """An ARG below an ENV of the same name wins for the rest of the build, and leaves the image's value as it is."""
    assert env("ENV A=1\nARG A=2\nENV B=$A") == dict([PATH, ("A", "1"), ("B", "2")])
    assert env("ARG A=2\nENV A=1\nENV B=$A") == dict([PATH, ("A", "1"), ("B", "1")])
    assert env("ENV A=1\nARG A\nENV B=$A") == dict([PATH, ("A", "1"), ("B", "1")])


def test_arg_names_are_taken_as_they_stand() -> None:
    """The name of an ARG is neither expanded nor are its quotes taken off."""
    assert env('ARG "A"=x\nENV B=$A') == dict([PATH, ("B", "")])


def test_arg_values_from_elsewhere() -> None:
    """--build-arg wins over a default, and an ARG before FROM is seen only where it is declared again."""
    outside = global_args([Arg(pairs=(("G", "1"), ("H", "$G.2")))], given=platform_args("linux/arm64/v8"))
    text = (
        "ENV N=$G\nARG G\nARG H=h\nARG TARGETPLATFORM\nARG TARGETARCH\nARG TARGETVARIANT\nENV A=$G,$H,$TARGETPLATFORM"
    )
    assert env(text, global_args=outside)["A"] == "1,h,linux/arm64/v8"
    assert env(text, global_args=outside)["N"] == ""
    assert env(text, global_args=outside, build_args={"H": "given", "X": "no"})["A"] == "1,given,linux/arm64/v8"
    assert outside["H"] == "1.2"
    assert (outside["TARGETARCH"], outside["TARGETVARIANT"], outside["BUILDOS"]) == ("arm64", "v8", "linux")


def test_proxies() -> None:
    """The proxies' ARGs, which BuildKit allows undeclared, change nothing unless they are declared."""
    proxy = {"HTTP_PROXY": "http://proxy"}
    assert env("ENV A=$HTTP_PROXY", build_args=proxy)["A"] == ""
    assert env("ARG HTTP_PROXY\nENV A=$HTTP_PROXY", build_args=proxy)["A"] == "http://proxy"


def test_labels() -> None:
    """Labels merge, the child's value wins, and keys are expanded too."""
    parent = Config(labels=(("a", "1"), ("b", "2")))
    assert build("ENV K=c\nLABEL b=3 $K='x y'", parent).labels == (("a", "1"), ("b", "3"), ("c", "x y"))


def test_expose() -> None:
    """Ports add up: ranges, protocols in any case, several from one variable; what is said of the host is dropped."""
    parent = Config(exposed_ports=("22/tcp",))
    text = 'ENV P="80 443"\nEXPOSE $P 9000-9001/UDP 127.0.0.1:8080:81 7-8:9 080 $NOPE'
    assert build(text, parent).exposed_ports == tuple(
        sorted(["22/tcp", "80/tcp", "443/tcp", "9000/udp", "9001/udp", "81/tcp", "9/tcp"])
    )


@pytest.mark.parametrize("port", ["65536", "80/foo", "10-8", "1-2-3", "a:80", "1-2:3-5", "x:1:2", "-80", "80-"])
def test_no_port(port: str) -> None:
    """What is no port is refused."""
    with pytest.raises(RefusedError):
        build(f"EXPOSE {port}")


def test_volumes() -> None:
    """Volumes add up, and an empty one is refused."""
    assert build('VOLUME /b ["/c"]\nVOLUME ["/c d"]', Config(volumes=("/a",))).volumes == ("/a", "/b", "/c d", "[/c]")
    with pytest.raises(RefusedError):
        build("VOLUME $NOPE")


@pytest.mark.parametrize(
    ("inherited", "text", "workdir"),
    [
        ("", "", ""),
        ("/", "", "/"),
        ("/srv", "", "/srv"),
        ("", "WORKDIR sub", "/sub"),
        ("/srv", "WORKDIR kid\nWORKDIR sub", "/srv/kid/sub"),
        ("/srv", "WORKDIR ../x/./y/", "/x/y"),
        ("", "WORKDIR /a/../b//c/", "/a/../b//c/"),
        ("/srv", "WORKDIR ''", "/srv"),
        ("/srv", "WORKDIR ../../..", "/"),
        ("", "ENV A=x\nWORKDIR /$A y", "/x y"),
        ("", 'WORKDIR "/a b"', "/a b"),
    ],
)
def test_workdir(inherited: str, text: str, workdir: str) -> None:
    """A relative WORKDIR starts at the inherited one and is cleaned; an absolute one is kept as it is written."""
    assert build(text, Config(working_dir=inherited)).working_dir == workdir


def test_user_and_stopsignal() -> None:
    """USER and STOPSIGNAL are inherited, replaced, and kept as written."""
    parent = Config(user="app", stop_signal="SIGQUIT")
    assert build("", parent) == replace(parent, env=(PATH,))
    assert build("ENV U=1\nUSER $U:0\nSTOPSIGNAL 9", parent).user == "1:0"
    assert build("USER ''\nSTOPSIGNAL sigterm", parent).user == ""
    assert build("STOPSIGNAL rtmin+3", parent).stop_signal == "rtmin+3"


@pytest.mark.parametrize("signal", ["SIGFOO", "0", "RTMIN+16", "SIGSIGTERM", "''", "1_0", "99999999999999999999"])
def test_no_signal(signal: str) -> None:
    """What is no signal is refused."""
    with pytest.raises(RefusedError):
        build(f"STOPSIGNAL {signal}")


def test_shell() -> None:
    """The shell form goes through the SHELL of its moment, inherited or not, and nothing in it is expanded."""
    text = 'ENTRYPOINT first\nSHELL ["/bin/bash", "-o", "pipefail", "-c"]\nCMD run $A "this"'
    config = build(text)
    assert config.entrypoint == ("/bin/sh", "-c", "first")
    assert config.cmd == ("/bin/bash", "-o", "pipefail", "-c", 'run $A "this"')
    assert build("ENTRYPOINT x", config).entrypoint == ("/bin/bash", "-o", "pipefail", "-c", "x")


@pytest.mark.parametrize(
    ("text", "entrypoint", "cmd"),
    [
        ("", ("e",), ("c",)),
        ('CMD ["d"]', ("e",), ("d",)),
        ('ENTRYPOINT ["f"]', ("f",), None),
        ('CMD ["d"]\nENTRYPOINT ["f"]', ("f",), ("d",)),
        ('ENTRYPOINT ["f"]\nCMD ["d"]', ("f",), ("d",)),
        ("CMD []", ("e",), None),
        ("ENTRYPOINT []", None, None),
        ("CMD []\nENTRYPOINT []", None, None),
        ("CMD", ("e",), ("/bin/sh", "-c", "")),
    ],
)
def test_entrypoint_and_cmd(text: str, entrypoint: tuple[str, ...] | None, cmd: tuple[str, ...] | None) -> None:
    """ENTRYPOINT takes an inherited CMD away, unless this very build has set one."""
    config = build(text, Config(entrypoint=("e",), cmd=("c",)))
    assert (config.entrypoint, config.cmd) == (entrypoint, cmd)


def test_args_escaped() -> None:
    """BuildKit marks an image whose build set a CMD, and its children."""
    assert not build("ENTRYPOINT x\nENV A=1").args_escaped
    assert build("", build("CMD []")).args_escaped


def test_healthcheck() -> None:
    """A health check is replaced whole; its times are nanoseconds, and NONE leaves nothing else."""
    config = build("HEALTHCHECK --interval=1m30s --timeout=1.5s --start-interval=2ms --retries=3 CMD curl $A")
    assert config.healthcheck == Health(
        test=("CMD-SHELL", "curl $A"), interval=90 * 10**9, timeout=1_500_000_000, start_interval=2_000_000, retries=3
    )
    assert build('HEALTHCHECK CMD ["a"]', config).healthcheck == Health(test=("CMD", "a"))
    assert build("HEALTHCHECK --interval=9s NONE", config).healthcheck == Health(test=("NONE",))
    assert build("", config).healthcheck == config.healthcheck


def test_onbuild() -> None:
    """Triggers run right after the child's FROM, in order, with all their effects, and are gone in the grandchild."""
    parent = build(
        "WORKDIR /srv\nENTRYPOINT e\nENV A=parent\n"
        "ONBUILD ENV A=fired B=$A\nONBUILD WORKDIR kid\nONBUILD CMD c\nONBUILD ARG X=1\nONBUILD USER $X"
    )
    assert (parent.working_dir, dict(parent.env)["A"], parent.user) == ("/srv", "parent", "")
    assert parent.on_build == ("ENV A=fired B=$A", "WORKDIR kid", "CMD c", "ARG X=1", "USER $X")
    child = build("WORKDIR sub\nENTRYPOINT f\nENV C=$A$X", parent)
    assert (child.working_dir, child.user, child.on_build) == ("/srv/kid/sub", "1", ())
    assert {name: dict(child.env)[name] for name in "ABC"} == {"A": "fired", "B": "parent", "C": "fired1"}
    # A CMD of a trigger is this build's own.
    assert child.cmd == ("/bin/sh", "-c", "c")
    assert build("", child).working_dir == "/srv/kid/sub"
    assert [type(trigger).__name__ for trigger in triggers(parent)] == ["Env", "Workdir", "Cmd", "Arg", "User"]


def test_a_trigger_that_makes_no_sense() -> None:
    """An image from elsewhere can bring a trigger that no child can be built with."""
    with pytest.raises(DockerfileError):
        begin(Config(on_build=("FOO x",)))


def test_a_stage_from_a_stage() -> None:
    """A stage that stands on an earlier one sees its ARGs, and its CMD is not its own."""
    text = "FROM PARENT AS one\nARG A=1\nCMD c\nONBUILD ENV T=$A\nFROM one\nENV B=$A\nENTRYPOINT e\n"
    config = expected(text, SCRATCH)
    assert (dict(config.env), config.cmd) == (dict([PATH, ("T", "1"), ("B", "1")]), None)


def test_the_escape_character_of_the_file() -> None:
    """Words are expanded with the escape character of their Dockerfile."""
    assert dict(expected("# escape=`\nFROM PARENT\nENV A=`$B C:\\=x\\\n", SCRATCH).env) == dict(
        [PATH, ("A", "$B"), ("C:\\", "x\\")]
    )


def test_what_changes_nothing() -> None:
    """RUN, COPY, ADD and MAINTAINER leave the configuration as it is."""
    assert build("RUN x ${\nCOPY a b\nADD a b\nMAINTAINER me ${\nCOPY <<E /x\n' $A \" \\$\nE") == build("")


@pytest.mark.parametrize(
    "text",
    [
        *("COPY ${A:?no} b", "ADD a ${", "COPY --chown=${A:?no} a b", "ADD --checksum=${A:?no} a b"),
        *("COPY <<E /x\n${A:?no}\nE", "RUN --mount=type=cache,target=${A:?no} x"),
    ],
)
def test_what_must_make_sense(text: str) -> None:
    """Words that BuildKit expands are faults where it cannot, though they are no part of the configuration."""
    with pytest.raises(ExpansionError):
        build(text)


@pytest.mark.parametrize("text", ["COPY <<'E' /x\n${\nE", "COPY --exclude=${A:?no} a b"])
def test_what_is_not_expanded(text: str) -> None:
    """A quoted heredoc is copied as it is, and so is a pattern of what to leave out."""
    assert build(text) == build("")


def test_from_is_no_part_of_a_stage() -> None:
    """FROM begins a stage and cannot be applied to one."""
    with pytest.raises(RefusedError):
        apply(begin(SCRATCH), From(image="x"))


@given(st.lists(instructions, max_size=6))
def test_what_is_printed_comes_to_the_same(drawn: list[Instruction]) -> None:
    """The configuration of instructions is the one of their own text read back."""
    said = []
    for instruction in drawn:
        try:
            said.append((instruction, to_text(instruction)))
        except Unsayable:
            continue
    text = "\n".join(each for _, each in said)
    try:
        config = fold(SCRATCH, [instruction for instruction, _ in said])
    except (RefusedError, DockerfileError) as error:
        with pytest.raises(type(error)):
            build(text)
    else:
        assert build(text) == config


@given(st.lists(instructions, max_size=4), st.lists(instructions, max_size=4))
def test_states_are_values(first: list[Instruction], second: list[Instruction]) -> None:
    """Applying instructions to a state changes nothing in it: another child can start from it."""
    state = begin(Config(env=(("A", "abc"),)))
    try:
        for instruction in first:
            state = apply(state, instruction)
        before = (finish(state), dict(state.scope))
        for instruction in second:
            apply(state, instruction)
    except (RefusedError, DockerfileError):
        return
    assert (finish(state), dict(state.scope)) == before


def test_json() -> None:
    """The configuration is written as `docker image inspect` writes it: keys in order, eight of them always."""
    assert list(Config().to_json().items()) == [
        ("Cmd", None),
        ("Entrypoint", None),
        ("Env", None),
        ("Labels", None),
        ("OnBuild", None),
        ("User", ""),
        ("Volumes", None),
        ("WorkingDir", ""),
    ]
    text = (
        'CMD ["a"]\nENTRYPOINT ["b"]\nSHELL ["/x"]\nVOLUME /z /a\nEXPOSE 80 8080\nLABEL b=1 a=2\nONBUILD RUN x\n'
        "STOPSIGNAL TERM\nUSER app\nHEALTHCHECK --interval=5s CMD x\nWORKDIR /srv\nENV A="
    )
    assert list(build(text).to_json().items()) == [
        ("ArgsEscaped", True),
        ("Cmd", ["a"]),
        ("Entrypoint", ["b"]),
        ("Env", [f"PATH={DEFAULT_PATH}", "A="]),
        ("ExposedPorts", {"80/tcp": {}, "8080/tcp": {}}),
        ("Healthcheck", {"Interval": 5000000000, "Test": ["CMD-SHELL", "x"]}),
        ("Labels", {"a": "2", "b": "1"}),
        ("OnBuild", ["RUN x"]),
        ("Shell", ["/x"]),
        ("StopSignal", "TERM"),
        ("User", "app"),
        ("Volumes", {"/a": {}, "/z": {}}),
        ("WorkingDir", "/srv"),
    ]


@given(st.lists(instructions, max_size=8))
def test_json_and_back(drawn: list[Instruction]) -> None:
    """A configuration that was written and read is the same."""
    try:
        config = fold(SCRATCH, drawn)
    except (RefusedError, DockerfileError):
        config = fold(SCRATCH, [User(user="app")])
    assert Config.from_json(config.to_json()) == config


def test_json_of_an_older_engine() -> None:
    """Keys that say nothing of an image are passed over, and an absent one is an empty one."""
    assert Config.from_json({"Hostname": "", "Tty": False, "Cmd": [], "Env": ["A"]}) == Config(env=(("A", ""),))


def test_each_rule_names_its_proof() -> None:
    """Each function that applies an instruction says where its rule is written, and which tests here prove it."""
    rules = [rule for name, rule in vars(inherit).items() if re.search(rf"\b{name}\(state, instruction\)", SOURCE)]
    assert len(rules) == 15
    for rule in (*rules, begin, triggers):
        text = inspect.getdoc(rule) or ""
        assert "https://docs.docker.com/reference/dockerfile/#" in text, rule
        (names,) = re.findall(r"^Proved by: (.*)", text, re.MULTILINE)
        assert set(names.split(", ")) <= set(globals()), rule
