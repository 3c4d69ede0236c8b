"""The rendered configuration of each generation under the real supervisord, as a process on a folder of its own."""

from __future__ import annotations

import getpass
import http.client
import itertools
import json
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stackgen.render.supervisord import Unsayable, environment

from .helpers import ROOT, run, tree

# Writes what it was started with where its name says, a line to each of its outputs, and stays.
RECORDER = """\
import json, os, signal, sys
folder, name, *arguments = sys.argv[1:]
with open(os.path.join(folder, name + ".new"), "w", encoding="utf-8") as file:
    json.dump({"argv": arguments, "environ": dict(os.environ)}, file)
os.rename(os.path.join(folder, name + ".new"), os.path.join(folder, name + ".json"))
print("out of", name, flush=True)
print("error of", name, file=sys.stderr, flush=True)
signal.pause()
"""
# The protocol of event listeners: http://supervisord.org/events.html
LISTENER = """\
import sys
path = sys.argv[1]
while True:
    print("READY", flush=True)
    header = dict(pair.split(":") for pair in sys.stdin.readline().split())
    with open(path, "a", encoding="utf-8") as file:
        print(header["eventname"], sys.stdin.read(int(header["len"])), file=file, flush=True)
    print("RESULT 2\\nOK", end="", flush=True)
"""

# A base that brings it, a child that adds and changes, a grandchild that turns off, and one that says nothing.
GENERATIONS = {
    "stacks/base.yml": """\
        from: debian:12-slim
        vars: {record: unset, listen: unset, who: base}
        supervisor: {install: package, options: {identifier: shop, loglevel: warn, minfds: 512}}
        programs:
          clock:
            command: "{{ record }} clock --for {{ who }}"
            environment: {WHO: "{{ who }}", KEPT: as it was}
          plain: {command: "{{ record }} plain {{ who }}"}
        """,
    "stacks/child.yml": """\
        extends: base
        vars: {who: child}
        programs:
          clock: {environment: {MORE: "{{ who }}'s own"}, stopwaitsecs: 2}
          worker:
            command: "{{ record }} worker-%(process_num)d"
            numprocs: 3
            numprocs_start: 1
            process_name: "%(program_name)s_%(process_num)02d"
          idle: {command: "{{ record }} idle", autostart: false}
        groups:
          crew: {programs: [worker, idle], priority: 5}
        eventlisteners:
          watch: {command: "{{ listen }}", events: [PROCESS_STATE_RUNNING, PROCESS_STATE_EXITED], buffer_size: 50}
        """,
    "stacks/grandchild.yml": """\
        extends: child
        vars: {who: grandchild}
        programs:
          clock: !reset
          worker: {numprocs: 1, numprocs_start: 0}
        groups:
          crew: {programs: !override [worker]}
        eventlisteners:
          watch: !reset
        """,
    "stacks/silent.yml": "extends: grandchild\nenv: {A: b}\n",
}
LINE = ("base", "child", "grandchild", "silent")


@dataclass(frozen=True, kw_only=True)
class Running:
    """A supervisord that answers."""

    folder: Path
    config: Path

    def ask(self, method: str) -> Any:
        """The answer of one of its XML-RPC methods, asked over its socket."""
        connection = http.client.HTTPConnection("localhost")
        with socket.socket(socket.AF_UNIX) as connection.sock:
            connection.sock.connect(str(self.folder / "s"))
            connection.request("POST", "/RPC2", xmlrpc.client.dumps((), f"supervisor.{method}"))
            with connection.getresponse() as response:
                ((answer,), _) = xmlrpc.client.loads(response.read())
        return answer

    def states(self) -> dict[tuple[str, str], str]:
        """State of each process, by its group and name."""
        return {(each["group"], each["name"]): each["statename"] for each in self.ask("getAllProcessInfo")}

    def status(self) -> set[str]:
        """What `supervisorctl status` lists: GROUP:NAME, or a name alone."""
        command = (sys.executable, "-m", "supervisor.supervisorctl", "-c", self.config, "status")
        listed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30).stdout
        return {line.split()[0] for line in listed.splitlines()}

    def output(self) -> list[str]:
        """What came out of supervisord itself, as a container's log would show it."""
        return (self.folder / "out").read_text(encoding="utf-8").splitlines()


def until(seconds: float, holds: Callable[[], object]) -> bool:
    """Whether something holds within some time."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@contextmanager
def supervisord(build: Path, line: Sequence[str], supervisor: Mapping[str, str]) -> Iterator[Running]:
    """Starts what the last image of a line has: the files of all its ancestors, each over those before it.

    Of the configuration only what names a place outside is changed: the pidfile, the socket, the include; and the user
    where we are not root.
    """
    # A socket's path may have a hundred characters or so, fewer than pytest's folders.
    folder = Path(subprocess.run(("mktemp", "-d"), capture_output=True, text=True, check=True).stdout.strip())
    try:
        root = folder / "root"
        for name in line:
            if (build / name / "rootfs").is_dir():
                shutil.copytree(build / name / "rootfs", root, dirs_exist_ok=True)
        config = root / supervisor["config"].lstrip("/")
        text = config.read_text(encoding="utf-8")
        changes = {
            "/run/supervisord.pid": f"{folder}/pid",
            "/run/supervisor.sock": f"{folder}/s",
            f"files = {supervisor['include']}": f"files = {root}{supervisor['include']}",
            "user = root": f"user = {getpass.getuser()}",
        }
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        config.write_text(text, encoding="utf-8")
        with (folder / "out").open("wb") as out:
            process = subprocess.Popen(
                (sys.executable, "-m", "supervisor.supervisord", "-n", "-c", config),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder)},
                umask=0o077,
            )
        try:
            answers = until(20, lambda: (folder / "s").exists() or process.poll() is not None)
            assert answers, "no socket"
            assert process.poll() is None, (folder / "out").read_text(encoding="utf-8")
            yield Running(folder=folder, config=config)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            finally:
                process.kill()
    finally:
        shutil.rmtree(folder)


DEBIAN = {"config": "/etc/supervisor/supervisord.conf", "include": "/etc/supervisor/conf.d/*.conf"}


@dataclass(frozen=True, kw_only=True)
class Project:
    """A rendered project whose programs write down what they were started with."""

    root: Path
    build: Path
    records: Path
    told: Mapping[str, Mapping[str, Any]]

    def record(self, name: str) -> dict[str, Any]:
        """What a program was started with, as soon as it says so."""
        path = self.records / f"{name}.json"
        assert until(20, path.exists), f"{name} has written nothing"
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found


def make(root: Path, files: Mapping[str, str]) -> Project:
    """Renders a project, and takes down what `inspect` says of each of its stacks."""
    tree(root, {**files, "record.py": RECORDER, "listen.py": LISTENER, "stackgen.yml": "stacks: [stacks]\n"})
    (root / "records").mkdir()
    options = ["--set", f"record={sys.executable} {root}/record.py {root}/records"]
    if any("listen" in text for text in files.values()):
        options += ["--set", f"listen={sys.executable} {root}/listen.py {root}/records/events"]
    rendered = run(["render", "stacks", *options], root)
    assert rendered.code == 0, rendered.stderr
    inspected = run(["inspect", "stacks", *options, "--format", "json"], root)
    assert inspected.code == 0, inspected.stderr
    told = {image["Name"].partition(":")[0]: image for image in json.loads(inspected.stdout)}
    return Project(root=root, build=root / "build", records=root / "records", told=told)


@pytest.fixture
def family(tmp_path: Path) -> Project:
    """The four generations, rendered."""
    return make(tmp_path, GENERATIONS)


def expected(told: Mapping[str, Any]) -> set[tuple[str, str]]:
    """The processes that follow from what `inspect` says: each program's, in its own group or one that has it."""
    group_of = {program: group for group, options in told.get("Groups", {}).items() for program in options["programs"]}
    found = set()
    for name, options in {**told["Programs"], **told.get("EventListeners", {})}.items():
        first = options.get("numprocs_start", 0)
        for number in range(first, first + options.get("numprocs", 1)):
            pattern = options.get("process_name", "%(program_name)s")
            called = pattern % {"program_name": name, "process_num": number}
            found.add((group_of.get(name, name), called))
    return found


@pytest.mark.parametrize("generation", LINE)
def test_each_generation_runs_what_inspect_says(family: Project, generation: str) -> None:
    """Over XML-RPC and by supervisorctl, supervisord tells exactly the processes and groups of `inspect`; they run."""
    told = family.told[generation]
    line = LINE[: LINE.index(generation) + 1]
    with supervisord(family.build, line, DEBIAN) as running:
        wanted = expected(told)
        assert set(running.states()) == wanted
        idle = {key for key in wanted if key[1] == "idle"}
        stays = {key: "STOPPED" if key in idle else "RUNNING" for key in wanted}
        assert until(20, lambda: running.states() == stays), f"{running.states()}\n{running.output()}"
        assert running.status() == {group if group == name else f"{group}:{name}" for group, name in wanted}
        assert running.ask("getIdentification") == "shop"
        configured = {(each["group"], each["name"]): each for each in running.ask("getAllConfigInfo")}
        for key in wanted & {("crew", "worker_01"), ("crew", "worker_00")}:
            assert configured[key]["group_prio"] == told["Groups"]["crew"]["priority"]
        if ("clock", "clock") in wanted:
            waits = told["Programs"]["clock"].get("stopwaitsecs", 10)
            assert configured["clock", "clock"]["stopwaitsecs"] == waits


def test_what_the_generations_are(family: Project) -> None:
    """The line under test has what it is meant to test: programs that come, change and go, groups and listeners too."""
    told = {name: expected(image) for name, image in family.told.items()}
    assert told["base"] == {("clock", "clock"), ("plain", "plain")}
    workers = {("crew", f"worker_0{number}") for number in (1, 2, 3)}
    assert told["child"] == told["base"] | workers | {("crew", "idle"), ("watch", "watch")}
    assert told["grandchild"] == {("plain", "plain"), ("crew", "worker_00"), ("idle", "idle")}
    assert told["silent"] == told["grandchild"]
    assert "Groups" not in family.told["base"]
    assert "EventListeners" not in family.told["grandchild"]


def test_a_changed_program_is_evaluated_anew(family: Project) -> None:
    """What a child names, it evaluates with its own variables, inherited parts too; what it does not name stays."""
    for generation, who in (("base", "base"), ("child", "child")):
        with supervisord(family.build, LINE[: LINE.index(generation) + 1], DEBIAN):
            clock = family.record("clock")
            assert clock["argv"] == ["--for", who]
            given = {name: clock["environ"].get(name) for name in ("WHO", "KEPT", "MORE")}
            more = "child's own" if generation == "child" else None
            assert given == {"WHO": who, "KEPT": "as it was", "MORE": more}
            # supervisord calls what it starts by these.
            assert clock["environ"]["SUPERVISOR_PROCESS_NAME"] == "clock"
            assert family.record("plain")["argv"] == ["base"]
        for record in family.records.glob("*.json"):
            record.unlink()


def test_an_event_listener_hears(family: Project) -> None:
    """A listener is told of the events that its stack names, and of no others."""
    events = family.records / "events"
    with supervisord(family.build, LINE[:2], DEBIAN):
        assert until(20, lambda: events.exists() and "processname:clock" in events.read_text(encoding="utf-8"))
        heard = {line.split()[0] for line in events.read_text(encoding="utf-8").splitlines()}
    assert heard == {"PROCESS_STATE_RUNNING"}


def test_output_of_programs_is_the_containers_log(family: Project) -> None:
    """What programs write, to stdout or stderr, comes out of supervisord itself, each line as it is."""
    with supervisord(family.build, LINE[:1], DEBIAN) as running:
        wanted = {f"{kind} of {name}" for kind in ("out", "error") for name in ("clock", "plain")}
        assert until(20, lambda: wanted <= set(running.output())), running.output()


ALPHABET = [
    *(";", "#", " ;", " #", "; ", "# ", "%", "%%", "%s", "%(x)s", "%d", "'", '"', "\\", "$HOME", "`", "=", ",", "|"),
    *(" ", "\t", "é", "漢", "(", ")", "[x]", "{a}", "*", "~", "&&", "!", "a", "  ;  #", "\\n"),
]


def awkward() -> list[str]:
    """Each text alone, within others, and beside each other one; nothing, too."""
    pairs = ["".join(pair) for pair in itertools.product(ALPHABET, repeat=2)]
    return ["", *ALPHABET, *(f"a{text}b" for text in ALPHABET), *pairs]


def test_arguments_arrive_as_given(tmp_path: Path) -> None:
    """Each word of a command reaches the process as a shell would give it, with ` ;`, `#`, `%` and quotes in it."""
    words = awkward()
    single = [f"single{number} {shlex.quote(word)}" for number, word in enumerate(words)]
    # The same between double quotes, where a shell's words know an escaped quote and backslash.
    double = ['"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words]
    commands = {"single": " ".join(each.split(" ", 1)[1] for each in single), "double": " ".join(double)}
    programs = {name: "{{ record }} " + f"{name} " + "{{ words[" + json.dumps(name) + "] }}" for name in commands}
    stack = {
        "from": "debian:12-slim",
        "supervisor": {"install": "package"},
        "programs": {name: {"command": command} for name, command in programs.items()},
    }
    unsafe = "\n".join(f"    {name}: !unsafe {json.dumps(text)}" for name, text in commands.items())
    text = f"vars:\n  record: unset\n  words:\n{unsafe}\n"
    text += "\n".join(f"{key}: {json.dumps(value)}" for key, value in stack.items()) + "\n"
    project = make(tmp_path, {"stacks/app.yml": text})
    with supervisord(project.build, ["app"], DEBIAN):
        for name in commands:
            assert project.record(name)["argv"] == words


def test_environment_arrives_as_given_or_is_refused(tmp_path: Path) -> None:
    """Each variable reaches the process as the stack gives it; what supervisord cannot be told is refused, no more."""
    sayable: dict[str, str] = {}
    refused: list[str] = []
    for number, text in enumerate(awkward()):
        try:
            environment({"V": text})
            sayable[f"V{number}"] = text
        except Unsayable:
            refused.append(text)
    # No escape exists for: both kinds of quotes, a quote at an end, and what begins a comment.
    for text in refused:
        both = "'" in text and '"' in text
        stripped = text.strip("'\"") != text
        comment = any(f"{blank}{sign}" in f" {text}" for blank in " \t" for sign in ";#")
        assert both or stripped or comment, text
    assert len(sayable) > len(refused)
    lines = "\n".join(f"      {name}: !unsafe {json.dumps(text)}" for name, text in sayable.items())
    text = (
        "from: debian:12-slim\nvars: {record: unset}\nsupervisor: {install: package}\nprograms:\n  app:\n"
        f'    command: "{{{{ record }}}} app"\n    environment:\n{lines}\n'
    )
    project = make(tmp_path, {"stacks/app.yml": text})
    with supervisord(project.build, ["app"], DEBIAN):
        environ = project.record("app")["environ"]
        assert {name: environ.get(name) for name in sayable} == sayable


def test_a_value_that_cannot_be_said_is_a_finding(tmp_path: Path) -> None:
    """What supervisord would read as another value is an error at its program, and nothing is written."""
    for said in ("a ; b", "'", """it's "it\""""):
        folder = tmp_path / str(abs(hash(said)))
        program = f"{{command: a, environment: {{V: {json.dumps(said)}}}}}"
        text = f"from: debian:12-slim\nsupervisor: {{install: package}}\nprograms: {{a: {program}}}\n"
        tree(folder, {"app.yml": text})
        ran = run(["render", "app.yml"], folder)
        assert ran.code == 1
        assert "app.yml:3:" in ran.stderr
        assert "error[unsayable]" in ran.stderr
        assert not (folder / "build").exists()


def test_shipped_programs_are_those_of_inspect(tmp_path: Path) -> None:
    """Supervisord reads what our own stacks render to on Debian 12, and knows the programs that `inspect` names."""
    for stack, line in (("php-fpm", ["debian12", "php-fpm"]), ("wordpress", ["debian12", "php-fpm", "wordpress"])):
        options = ["--base", "debian12"]
        rendered = run(["render", f"stacks/{stack}.yml", *options, "-o", tmp_path / stack], ROOT)
        assert rendered.code == 0, rendered.stderr
        inspected = run(["inspect", f"stacks/{stack}.yml", *options, "--format", "json"], ROOT)
        (told,) = json.loads(inspected.stdout)
        with supervisord(tmp_path / stack, line, DEBIAN) as running:
            assert set(running.states()) == expected(told)
