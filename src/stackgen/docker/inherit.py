"""The effective configuration of an image, as a fold over its instructions.

``fold(parent, instructions)`` is what ``docker image inspect`` will show after BuildKit has built them on
`parent`: `begin` does what FROM does, `apply` one instruction, `finish` gives the result. One function an
instruction, in the shape of BuildKit's ``dockerfile2llb/convert.go``, each with its place in the Dockerfile
reference and the tests of tests/docker/test_inherit.py that prove it, of which each expectation is the engine's.
All of it is pure; what BuildKit refuses raises `RefusedError`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stackgen.docker import durations
from stackgen.docker.config import SCRATCH, Config, Health
from stackgen.docker.errors import ExpansionError, RefusedError
from stackgen.docker.instructions import (
    Add,
    Arg,
    Cmd,
    Command,
    Copy,
    Entrypoint,
    Env,
    Exec,
    Expose,
    From,
    Healthcheck,
    Instruction,
    Label,
    Maintainer,
    Onbuild,
    Run,
    Shell,
    Stopsignal,
    User,
    Volume,
    Workdir,
)
from stackgen.docker.ports import exposed
from stackgen.docker.shell import expand_document, expand_word, expand_words
from stackgen.docker.signals import is_signal
from stackgen.docker.syntax import parse_instruction

__all__ = [
    "DEFAULT_PATH",
    "SCRATCH",
    "Config",
    "ExpansionError",
    "Health",
    "RefusedError",
    "State",
    "apply",
    "begin",
    "finish",
    "fold",
    "triggers",
]

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEFAULT_SHELL = ("/bin/sh", "-c")

_NOTHING: Mapping[str, str] = {}
# These switch a scan on, and BuildKit keeps them out of what a `$` sees.
_SCAN_ARGS = ("BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a build stage knows after some of its instructions."""

    config: Config
    scope: Mapping[str, str]
    """What ``$`` sees: the environment, and each ARG since it was declared. It is never changed in place."""
    args: Mapping[str, str | None] = field(default_factory=dict)
    """What each ARG came to where it was declared last, in the order in which they were declared first."""
    cmd_is_own: bool = False
    """Whether this build set a CMD, its triggers included."""
    global_args: Mapping[str, str] = field(default_factory=dict)
    build_args: Mapping[str, str] = field(default_factory=dict)
    escape: str = "\\"

    def expand(self, word: str) -> str:
        """What `word` comes to here."""
        return expand_word(word, self.scope, escape=self.escape)

    def set(self, **changes: Any) -> State:
        """The same with `changes` made to its configuration."""
        return replace(self, config=replace(self.config, **changes))


def fold(
    parent: Config | State,
    instructions: Iterable[Instruction],
    *,
    global_args: Mapping[str, str] = _NOTHING,
    build_args: Mapping[str, str] = _NOTHING,
    escape: str = "\\",
) -> Config:
    """The configuration of the image that `instructions`, all that follows its FROM, make of `parent`."""
    state = begin(parent, global_args=global_args, build_args=build_args, escape=escape)
    for instruction in instructions:
        state = apply(state, instruction)
    return finish(state)


def begin(
    parent: Config | State,
    *,
    global_args: Mapping[str, str] = _NOTHING,
    build_args: Mapping[str, str] = _NOTHING,
    escape: str = "\\",
) -> State:
    """What FROM does: a PATH where the parent has none, then the parent's triggers, which end here.

    `parent` is an image's configuration, or the last state of an earlier stage of the same Dockerfile,
    whose ARGs are seen on. `global_args` are what ``ARG NAME`` without a value finds: see `arguments`;
    `build_args` are those of ``--build-arg``; `escape` is the Dockerfile's escape character.

    https://docs.docker.com/reference/dockerfile/#from
    Proved by: test_path, test_onbuild, test_a_stage_from_a_stage
    """
    earlier = parent if isinstance(parent, State) else None
    config = parent.config if isinstance(parent, State) else parent
    fired = triggers(config)
    env = config.env
    if "PATH" not in dict(env):
        env = (*env, ("PATH", DEFAULT_PATH))
    config = replace(config, env=env, on_build=())
    if config.working_dir:
        config = replace(config, working_dir=_absolute(config.working_dir, config.working_dir))
    state = State(
        config=config,
        scope={**(earlier.scope if earlier else _NOTHING), **dict(env)},
        args=earlier.args if earlier else {},
        global_args=global_args,
        build_args=build_args,
        escape=escape,
    )
    for instruction in fired:
        state = apply(state, instruction)
    return state


def triggers(parent: Config) -> tuple[Instruction, ...]:
    """What `parent`'s ONBUILD instructions do in a child, in order, before the child's own instructions.

    https://docs.docker.com/reference/dockerfile/#onbuild
    Proved by: test_onbuild, test_a_trigger_that_makes_no_sense
    """
    return tuple(parse_instruction(text) for text in parent.on_build)


def finish(state: State) -> Config:
    """The configuration as the image is stored with it."""
    return state.config


def apply(state: State, instruction: Instruction) -> State:
    """`state` after `instruction`."""
    match instruction:
        case Arg():
            return _arg(state, instruction)
        case Env():
            return _env(state, instruction)
        case Label():
            return _label(state, instruction)
        case Expose():
            return _expose(state, instruction)
        case Volume():
            return _volume(state, instruction)
        case Workdir():
            return _workdir(state, instruction)
        case User():
            return _user(state, instruction)
        case Stopsignal():
            return _stopsignal(state, instruction)
        case Shell():
            return _shell(state, instruction)
        case Entrypoint():
            return _entrypoint(state, instruction)
        case Cmd():
            return _cmd(state, instruction)
        case Healthcheck():
            return _healthcheck(state, instruction)
        case Onbuild():
            return _onbuild(state, instruction)
        case Copy() | Add():
            return _copy(state, instruction)
        case Run():
            return _run(state, instruction)
        case Maintainer():
            return state
        case From():
            raise RefusedError("FROM begins another stage")


def _env(state: State, env: Env) -> State:
    """Every ``$`` sees the values from before the instruction; a name that is there keeps its place.

    https://docs.docker.com/reference/dockerfile/#env
    Proved by: test_env_merges, test_env_sees_what_was_before_the_instruction
    """
    pairs = [(state.expand(name), state.expand(value)) for name, value in env.pairs]
    entries = list(state.config.env)
    for name, value in pairs:
        place = next((at for at, (other, _) in enumerate(entries) if other == name), len(entries))
        entries[place : place + 1] = [(name, value)]
    return replace(state.set(env=tuple(entries)), scope={**state.scope, **dict(pairs)})


def _arg(state: State, arg: Arg) -> State:
    """``--build-arg`` first, then the default, then an ARG of the same name before FROM; else it stays unset.

    A default sees the ARGs before it, also those of the same instruction. An ARG below an ENV of the same
    name wins in what follows in this build: the reference says otherwise, BuildKit does so. The name is
    taken as it stands.

    https://docs.docker.com/reference/dockerfile/#arg
    Proved by: test_arg, test_arg_below_env, test_arg_values_from_elsewhere
    """
    for name, default in arg.pairs:
        value = _argument(state, name, default)
        scope = state.scope
        if value is not None and name not in _SCAN_ARGS:
            scope = {**scope, name: value}
        state = replace(state, scope=scope, args={**state.args, name: value})
    return state


def _argument(state: State, name: str, default: str | None) -> str | None:
    given = state.build_args.get(name)
    if given is None and default is not None:
        return state.expand(default)
    return state.global_args.get(name) if given is None else given


def _label(state: State, label: Label) -> State:
    """Keys are expanded as values are.

    https://docs.docker.com/reference/dockerfile/#label
    Proved by: test_labels
    """
    pairs = {state.expand(name): state.expand(value) for name, value in label.pairs}
    return state.set(labels=tuple(sorted({**dict(state.config.labels), **pairs}.items())))


def _expose(state: State, expose: Expose) -> State:
    """A word can expand to several ports; what it says of the host is dropped.

    https://docs.docker.com/reference/dockerfile/#expose
    Proved by: test_expose
    """
    words = [word for port in expose.ports for word in expand_words(port, state.scope, escape=state.escape)]
    ports = {port for word in words for port in exposed(word)}
    return state.set(exposed_ports=tuple(sorted({*state.config.exposed_ports, *ports})))


def _volume(state: State, volume: Volume) -> State:
    """Volumes are only ever added.

    https://docs.docker.com/reference/dockerfile/#volume
    Proved by: test_volumes
    """
    paths = [state.expand(path) for path in volume.paths]
    if not all(paths):
        raise RefusedError("a path in VOLUME is empty")
    return state.set(volumes=tuple(sorted({*state.config.volumes, *paths})))


def _workdir(state: State, workdir: Workdir) -> State:
    """A relative path starts at the inherited one; an absolute one is kept as it is written, ``..`` and all.

    https://docs.docker.com/reference/dockerfile/#workdir
    Proved by: test_workdir
    """
    return state.set(working_dir=_absolute(state.config.working_dir, state.expand(workdir.path)))


def _absolute(current: str, path: str) -> str:
    """BuildKit's ``system.NormalizeWorkdir`` for Linux."""
    current = current if current.startswith("/") else _join("/", current)
    path = path or current
    return path if path.startswith("/") else _join(current, path)


def _join(parent: str, path: str) -> str:
    # Python's normpath keeps two slashes at the front, Go's path.Join does not.
    return "/" + posixpath.normpath(f"/{parent}/{path}").lstrip("/")


def _user(state: State, user: User) -> State:
    """Kept as written; nothing checks that there is such a user.

    https://docs.docker.com/reference/dockerfile/#user
    Proved by: test_user_and_stopsignal
    """
    return state.set(user=state.expand(user.user))


def _stopsignal(state: State, stopsignal: Stopsignal) -> State:
    """Kept as written, if it is a signal.

    https://docs.docker.com/reference/dockerfile/#stopsignal
    Proved by: test_user_and_stopsignal, test_no_signal
    """
    name = state.expand(stopsignal.signal)
    if not is_signal(name):
        raise RefusedError(f"{name!r} is no signal")
    return state.set(stop_signal=name)


def _shell(state: State, shell: Shell) -> State:
    """It runs every shell form that follows, in children too.

    https://docs.docker.com/reference/dockerfile/#shell
    Proved by: test_shell
    """
    return state.set(shell=shell.argv)


def _cmd(state: State, cmd: Cmd) -> State:
    """``CMD []`` clears what was inherited.

    https://docs.docker.com/reference/dockerfile/#cmd
    Proved by: test_entrypoint_and_cmd, test_args_escaped
    """
    changed = state.set(cmd=_argv(state, cmd.command), args_escaped=True)
    return replace(changed, cmd_is_own=True)


def _entrypoint(state: State, entrypoint: Entrypoint) -> State:
    """An inherited CMD was meant for the inherited ENTRYPOINT and goes with it, unless this build has set
    its own.

    https://docs.docker.com/reference/dockerfile/#understand-how-cmd-and-entrypoint-interact
    Proved by: test_entrypoint_and_cmd
    """
    argv = _argv(state, entrypoint.command)
    return state.set(entrypoint=argv, cmd=state.config.cmd if state.cmd_is_own else None)


def _argv(state: State, command: Command) -> tuple[str, ...] | None:
    """A shell form is run by the SHELL of the moment. Nothing in a command is expanded."""
    if isinstance(command, Exec):
        # An empty list is stored as none at all.
        return command.argv or None
    return (*(state.config.shell or DEFAULT_SHELL), command.text)


def _healthcheck(state: State, healthcheck: Healthcheck) -> State:
    """Replaced whole; a time that is not given is 0, the engine's default, not the parent's.

    https://docs.docker.com/reference/dockerfile/#healthcheck
    Proved by: test_healthcheck
    """
    test = healthcheck.test
    if test is None:
        return state.set(healthcheck=Health(test=("NONE",)))
    health = Health(
        test=("CMD", *test.argv) if isinstance(test, Exec) else ("CMD-SHELL", test.text),
        interval=_period(healthcheck.interval),
        timeout=_period(healthcheck.timeout),
        start_period=_period(healthcheck.start_period),
        start_interval=_period(healthcheck.start_interval),
        retries=int(healthcheck.retries or 0),
    )
    return state.set(healthcheck=health)


def _period(text: str | None) -> int:
    try:
        return durations.nanoseconds(text) if text else 0
    except ValueError as error:
        raise RefusedError(str(error)) from None


def _onbuild(state: State, onbuild: Onbuild) -> State:
    """Kept as it is written; `begin` runs it in the child.

    https://docs.docker.com/reference/dockerfile/#onbuild
    Proved by: test_onbuild
    """
    return state.set(on_build=(*state.config.on_build, onbuild.text))


def _copy(state: State, copy: Copy | Add) -> State:
    """Changes no configuration, but its words, and the heredocs that are not quoted, must make sense.

    https://docs.docker.com/reference/dockerfile/#copy
    Proved by: test_what_must_make_sense, test_what_changes_nothing
    """
    for word in (*copy.sources, copy.dest, *_values(copy.flags, ("chown", "chmod", "checksum"))):
        state.expand(word)
    for heredoc in copy.heredocs:
        if heredoc.expand:
            expand_document(heredoc.content, state.scope)
    return state


def _run(state: State, run: Run) -> State:
    """Changes no configuration, but its mounts must make sense; its command is the shell's business.

    https://docs.docker.com/reference/dockerfile/#run
    Proved by: test_what_must_make_sense, test_what_changes_nothing
    """
    for mount in _values(run.flags, ("mount",)):
        for option in mount.split(","):
            state.expand(option.partition("=")[2])
    return state


def _values(flags: tuple[str, ...], names: tuple[str, ...]) -> list[str]:
    parts = (flag.removeprefix("--").partition("=") for flag in flags)
    return [value for name, _, value in parts if name in names]
