"""Random chains of stacks, over all keys that become instructions, as users might write them on a bad day.

What is not drawn, and why: `run`, `packages`, `users` and `pip`, which need a shell in the base (test_root.py builds
those); what the schema takes for the wrong word though Docker has a meaning for it (a port of the host in `expose`, a
signal in small letters, a user with a blank); a FROM in a raw step, which begins another stage; a USER that the base's
/etc/passwd does not have, under which WORKDIR fails for what is in the files, not in the configuration.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random

from stackgen.docker.errors import DockerfileError
from stackgen.docker.syntax import parse
from tests.docker import chains


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """An image outside: how it is made of an archive of files, and the `inherits` that tells what it brings."""

    changes: tuple[str, ...] = ()
    inherits: str = ""


# What a chain can stand on: nothing, a usual base, and one that has all that an import can give.
BASES = {
    "scratch": Base(),
    "stackgen-test/bare:1": Base(inherits="inherits: {}"),
    "stackgen-test/usual:1": Base(
        changes=("ENV PATH=/usr/local/bin:/usr/bin:/bin", 'CMD ["bash"]'),
        inherits="inherits: {env: {PATH: '/usr/local/bin:/usr/bin:/bin'}, cmd: [bash]}",
    ),
    "stackgen-test/full:1": Base(
        changes=(
            *("ENV A=abcabc", "ENV C=/srv", "USER app", "WORKDIR /srv", "EXPOSE 22", "VOLUME /old", "LABEL a=old"),
            *('ENTRYPOINT ["/init"]', 'CMD ["serve"]', "HEALTHCHECK --interval=9s CMD old"),
            *("ONBUILD ENV B=fired", "ONBUILD WORKDIR fired"),
        ),
        inherits=(
            "inherits: {env: {A: abcabc, C: /srv}, user: app, workdir: /srv, expose: [22], volumes: [/old], "
            "labels: {a: old}, entrypoint: [/init], cmd: [serve], healthcheck: {test: old, interval: 9s}, "
            "onbuild: [ENV B=fired, WORKDIR fired]}"
        ),
    ),
}

# P, S and U are given ports, signals and users only.
NAMES = ("A", "B", "C", "_d", "PATH", "HOME", "a.b", "x-y", "TARGETARCH", "G")
EXPANDED = ("A", "B", "C", "_d", "PATH", "HOME") * 2 + ("TARGETARCH", "G", "NO", "1", "_")
LITERALS = (
    "a", "abc", "abcabc", "x y", " ", "  ", "/srv", "/opt/bin:", "=", "#", " # ", ":", ": ", ",", "~", "null", "no",
    "0", "-", "", "'", '"', "\\", "\\\\", "\\n", '\\"', "`", "%", "*", "?", "[", "]", "{", "}", "&&", "|", "!", "@",
    "é", "漢", "\U0001f40b", "\u2028", "\xa0", "\t", "\r", "\x1f", "\x85", "\ufeff", "²", "{{ x }}", "{%", "{#",
    "\\$", "\\$A", "\\${A:-x}", "$", "$ ", "$$", "<<EOF",
)  # fmt: skip
OPERATORS = (":-", ":-", ":+", ":+", "-", "+", "?", ":?", "#", "##", "%", "%%", "/", "/", "/", "//", "//")
DEFAULTS = ("x", "x y", "d/e", "'", '"', "é", "\\$", "$B", "${_d:-y}", "${NO:+z}", "", "#", "a b")
PATTERNS = ("a", "ab", "a*", "*b", "*c*", "?", "*", "/*", "\\*", "\\?", "$A", "[a]", ".", "b*c", "é", "\\\\", " ")
REPLACEMENTS = ("X", "", "$B", "\\$", "é", "x y")
LABELS = ("a", "org.example.b", "c d", "it's", '"', "\\", "é", "f$B", "${A:-g}", "#h", "org.opencontainers.image.title")
PORTS = ("80", "443/tcp", "53/udp", "9000-9002", "7000-7001/sctp", "65535", "8", "81-83/udp", "9001")
MORE_PORTS = ("$P", "${P}", "${NO:-5432}", "$NO", "${NO:-53}/udp", "6${NO:+x}1/udp")
PORT_VALUES = ("5000", "5000 5001", "6000-6002", "53/udp", "", "127.0.0.1:8080:82", "8080:81")
SIGNALS = ("SIGTERM", "QUIT", "SIGINT", "9", "37", "SIGRTMIN+3", "RTMAX-1", "CLD")
USERS = ("app", "root", "0", "1000:1000", "app:app", "4711", "app:0")
PATHS = (
    "/data", "/var/lib/x", "relative", "/a b", "/a\\b", "/it's", '/"q"', "/é漢", "/*", "/x/\\$A", "/#", "[a]", "/,",
)  # fmt: skip
FOLDERS = (
    *PATHS, "sub", "../up", ".", "..", "/a/../b//c/", "x/./y/", "//z", "${NO:-d}", "${HOME}/w", "$NO", "/w $NO w",
)  # fmt: skip
TIMES = ("30s", "1.5s", "1m30s", "0", "250ms", "1h1m1.1s", "2h", "1000us", "0s")
WORDS = ("a", "b c", "", "$A", "${A:-x}", "\n", "é漢\U0001f40b", '"', "'", "\\", "#", "--x", "[", "\t", "{{ a }}")
SCRIPTS = (
    "exec $A  'b' \"c\"", "[ -s /x ] && y", '["a"', "-- --x", "--x", "a && b | c \\$d # e", "# x", "{}", "a <<EOF",
    "['a']", "a\tb", "é", "a: b", "echo {{ a }}", "NONE", "[1", "a \\b",
)  # fmt: skip
SHELLS = (("/bin/bash", "-o", "pipefail", "-c"), ("/bin/sh", "-c"), ("/x",))
# Instructions of several lines, flags and documents, beside those of chains.py.
LINES = (
    "COPY --chmod=0640 --chown=app:app <<'EOF' /into/by\n$A\n  EOF \nEOF",
    "ADD <<-EOF <<OTHER /into/\n\ta\n\tEOF\nb\nOTHER",
    "HEALTHCHECK --interval=9s \\\n  # said within\n\n  --retries=2 \\\n CMD exec \\\n  curl",
    "ENV A=1 \\\n    B=$A \\\n\n    C='$A'\nENV  B  two  words $A",
    'ENTRYPOINT [ "/a", \\\n  "b" ]\nCMD ["c"]',
    'ARG V=1\nARG W=${V}2 X\nLABEL v=$V$W w="$X"',
)
# What nobody takes.
BAD_VALUES = ("${A", "${A^x}", "${", "${A:x}", "${A/x}", "${A:-${B}", "x\nnope y", "${NO:?not given}")
BAD_TRIGGERS = (
    "FROM x", "MAINTAINER x", "ONBUILD ENV A=1", "NOPE x", "ENV A", "EXPOSE 99999", "ENV A=${", "STOPSIGNAL FOO",
)  # fmt: skip
BAD_LINES = ("NOPE\n", "ENV A\n", "HEALTHCHECK NOPE\n", "CMD x\nCOPY <<EOF /x\n", "EXPOSE 1-0\n", "USER\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A key at the top of a stack, or one entry of its `steps`: its YAML, and a Dockerfile that says it plainly."""

    key: str
    yaml: str
    plain: str
    is_step: bool = False


# What scratch lacks, and a USER needs.
ACCOUNTS = Item(
    key="files",
    yaml=(
        "files:\n"
        '  - {dest: /etc/passwd, content: "root:x:0:0::/:/bin/sh\\napp:x:1000:1000::/:/bin/sh\\n"}\n'
        '  - {dest: /etc/group, content: "root:x:0:\\napp:x:1000:\\n"}'
    ),
    plain="",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One drawn stack: what names it and its parent, and its items, those of `steps` last."""

    name: str
    head: tuple[str, ...]
    items: tuple[Item, ...]

    def places(self) -> tuple[str, dict[int, Item]]:
        """The YAML, and the item that each of its lines belongs to."""
        lines = list(self.head)
        owners: dict[int, Item] = {}
        for item in self.items:
            if item.is_step and "steps:" not in lines:
                lines.append("steps:")
            for index, line in enumerate(item.yaml.split("\n")):
                indent = ("    " if index else "  - ") if item.is_step else ""
                lines.append(indent + line if line else "")
                owners[len(lines)] = item
        return "\n".join(lines) + "\n", owners

    @property
    def text(self) -> str:
        """The YAML."""
        return self.places()[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Stacks, each on the one before it and the first on a base; whether the engine or `inherits` tells of the base."""

    name: str
    base: str
    asks: bool
    stacks: tuple[Stack, ...]

    def without(self, *items: Item) -> Chain:
        """The same chain without some items."""
        return replace(self, stacks=tuple(_without(stack, items) for stack in self.stacks))

    def up_to(self, number: int) -> Chain:
        """The same chain without the stacks behind one."""
        return replace(self, stacks=self.stacks[: number + 1])

    @property
    def text(self) -> str:
        """All of its files."""
        return "\n".join(f"# {stack.name}.yml\n{stack.text}" for stack in self.stacks)


def _without(stack: Stack, items: tuple[Item, ...]) -> Stack:
    # Each item is itself alone, also where another says the same.
    return replace(stack, items=tuple(item for item in stack.items if not any(item is each for each in items)))


@dataclass(slots=True)
class Drawer:
    """Draws chains; `cannot` is what a builder cannot be given, as patterns of Dockerfile text."""

    random: Random
    cannot: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    poison: float = 0.02
    """How often a chain gets an item that nobody takes."""

    def chain(self, name: str) -> Chain:
        """One to five stacks."""
        base = self.random.choice(sorted(BASES))
        asks = self.random.random() < 0.3
        stacks: list[Stack] = []
        for number in range(self.random.randint(1, 5)):
            own = f"{name}s{number}"
            head = [f"extends: {stacks[-1].name}" if stacks else f"from: {base}", f"image: stackgen-test/{own}"]
            if not stacks and not asks and BASES[base].inherits:
                head.append(BASES[base].inherits)
            items = [ACCOUNTS] if base == "scratch" and not stacks else []
            stacks.append(Stack(name=own, head=tuple(head), items=(*items, *self.items())))
        if self.random.random() < self.poison:
            at = self.random.randrange(len(stacks))
            bad = self.bad()
            kept = tuple(item for item in stacks[at].items if item.is_step or item.key != bad.key)
            stacks[at] = replace(stacks[at], items=(*kept, bad) if bad.is_step else (bad, *kept))
        return Chain(name=name, base=base, asks=asks, stacks=tuple(stacks))

    def items(self) -> list[Item]:
        keys = self.random.sample(sorted(self.keys()), self.random.randint(0, 7))
        items = [self.item(key) for key in keys]
        if self.random.random() < 0.5:
            items += [self.step() for _ in range(self.random.randint(1, 4))]
        return items

    def keys(self) -> dict[str, Callable[[], tuple[str, str]]]:
        """Each key with what draws its YAML, and the same as a Dockerfile."""
        return {
            "args": self.args,
            "env": self.env,
            "labels": self.labels,
            "expose": self.expose,
            "volumes": self.volumes,
            "workdir": self.workdir,
            "user": self.user,
            "shell": self.shell,
            "stopsignal": self.stopsignal,
            "healthcheck": self.healthcheck,
            "entrypoint": lambda: self.command("ENTRYPOINT"),
            "cmd": lambda: self.command("CMD"),
            "onbuild": self.onbuild,
        }

    def item(self, key: str, *, is_step: bool = False) -> Item:
        while True:
            yaml, plain = self.keys()[key]()
            if self.can(plain):
                return Item(key=key, yaml=f"{key}:{yaml}", plain=plain, is_step=is_step)

    def step(self) -> Item:
        """An entry of `steps`: half of them raw instructions."""
        if self.random.random() < 0.5:
            return self.raw(self.lines())
        return self.item(self.random.choice(sorted(self.keys())), is_step=True)

    def raw(self, text: str) -> Item:
        return Item(key="raw", yaml=f"raw: {self.scalar(text)}", plain=text, is_step=True)

    def lines(self) -> str:
        """Several instructions as text, with continuations, comments, heredocs, flags, triggers."""
        lines = [self.line() for _ in range(self.random.randint(1, 4))]
        if self.random.random() < 0.2:
            lines.insert(0, self.random.choice(["# escape=`", "# a comment", "", "# syntax=none"]))
        if self.random.random() < 0.2 and "<<" not in lines[-1]:
            # Continued by nothing: what is printed below is no part of it.
            lines[-1] += self.random.choice([" \\", "\\  ", " \\\n\\"])
        if self.random.random() < 0.2:
            lines.append(self.random.choice(["# the end", "", "  # the end  "]))
        text = "\n".join(lines) + "\n"
        return text if self.can(text) else self.lines()

    def line(self) -> str:
        """One instruction as text, or two that belong together."""
        hand = chains.Dockerfile(self.random)
        while True:
            text = self.random.choice(LINES) if self.random.random() < 0.15 else hand.line()
            if self.can(text):
                return text

    def can(self, text: str) -> bool:
        """Whether the builder can be given `text`."""
        return not any(pattern.search(text) for pattern in self.cannot.values())

    # -- the keys

    def args(self) -> tuple[str, str]:
        return self.map("ARG", self.pairs(NAMES), nothing=0.3)

    def env(self) -> tuple[str, str]:
        pairs = self.pairs(NAMES)
        for name, values, often in (("P", PORT_VALUES, 0.3), ("S", SIGNALS, 0.15), ("U", USERS, 0.15)):
            if self.random.random() < often:
                pairs[name] = self.random.choice(values)
        return self.map("ENV", pairs)

    def labels(self) -> tuple[str, str]:
        return self.map("LABEL", self.pairs(LABELS))

    def expose(self) -> tuple[str, str]:
        ports = self.random.sample(PORTS, self.random.choice((0, 1, 2, 3)))
        ports += [port for port in MORE_PORTS if self.random.random() < 0.15]
        return self.list(ports), f"EXPOSE {' '.join(ports)}" if ports else ""

    def volumes(self) -> tuple[str, str]:
        paths = self.random.sample((*PATHS, "/v/$A", "${NO:-/d}", "/w/${B}"), self.random.choice((0, 1, 2, 3)))
        return self.list(paths), "\n".join(f"VOLUME {word(path)}" for path in paths)

    def workdir(self) -> tuple[str, str]:
        path = self.random.choice(FOLDERS)
        return f" {self.scalar(path)}", f"WORKDIR {word(path)}"

    def user(self) -> tuple[str, str]:
        user = self.random.choice((*USERS, "$U", "${NO:-app}", "${NO}", "app$NO"))
        return f" {self.scalar(user)}", f"USER {user}"

    def shell(self) -> tuple[str, str]:
        words = list(self.random.choice((*SHELLS, self.words())))
        return self.list(words), f"SHELL {json_array(words)}"

    def stopsignal(self) -> tuple[str, str]:
        signal = self.random.choice((*SIGNALS, "${S:-HUP}", "${NO:-9}"))
        return f" {self.scalar(signal)}", f"STOPSIGNAL {signal}"

    def healthcheck(self) -> tuple[str, str]:
        if self.random.random() < 0.25:
            return " none", "HEALTHCHECK NONE"
        form = self.random.choice(("text", "CMD", "CMD-SHELL"))
        words = self.words() if form == "CMD" else [self.random.choice(SCRIPTS)]
        test = f" {self.scalar(words[0])}" if form == "text" else self.list([form, *words]).replace("\n", "\n  ")
        lines, flags = [f"\n  test:{test}"], list[str]()
        for name in ("interval", "timeout", "start_period", "start_interval", "retries"):
            if self.random.random() < 0.4:
                value = self.random.choice(("0", "1", "5") if name == "retries" else TIMES)
                lines.append(f"\n  {name}: {value}")
                flags.append(f"--{name.replace('_', '-')}={value} ")
        plain = json_array(words) if form == "CMD" else words[0]
        return "".join(lines), f"HEALTHCHECK {''.join(flags)}CMD {plain}"

    def command(self, keyword: str) -> tuple[str, str]:
        if self.random.random() < 0.2:
            return " []", f"{keyword} []"
        if self.random.random() < 0.4:
            script = self.random.choice(SCRIPTS)
            return f" {self.scalar(script)}", f"{keyword} {script}"
        words = self.words()
        return self.list(words), f"{keyword} {json_array(words)}"

    def onbuild(self) -> tuple[str, str]:
        triggers = [self.trigger() for _ in range(self.random.choice((0, 1, 1, 2, 3)))]
        return self.list(triggers), "\n".join(f"ONBUILD {trigger}" for trigger in triggers)

    def trigger(self) -> str:
        """An instruction that waits for a child."""
        while True:
            text = self.line()
            if self.random.random() < 0.2 and "<<" not in text:
                text += self.random.choice(["\n", " \\", " \\\n# the end\n"])
            if re.match(r"(?!onbuild)[a-z]+\s+\S", text, re.IGNORECASE) and is_one(text):
                return text

    # -- their values

    def pairs(self, names: tuple[str, ...]) -> dict[str, str]:
        return {self.random.choice(names): self.value() for _ in range(self.random.choice((0, 1, 1, 2, 3, 4)))}

    def value(self) -> str:
        """A value in which `$` means a variable."""
        pieces = self.random.choice((0, 1, 1, 2, 2, 3, 4))
        return "".join(
            self.expansion() if self.random.random() < 0.33 else self.random.choice(LITERALS) for _ in range(pieces)
        )

    def expansion(self) -> str:
        name = self.random.choice(EXPANDED)
        if self.random.random() < 0.4:
            return self.random.choice((f"${name}", f"${{{name}}}"))
        operator = self.random.choice(OPERATORS)
        if operator.startswith("/"):
            return f"${{{name}{operator}{self.random.choice(PATTERNS)}/{self.random.choice(REPLACEMENTS)}}}"
        if operator.endswith("?"):
            # One that is mostly there: else it is refused.
            name = "PATH"
        return f"${{{name}{operator}{self.random.choice(DEFAULTS if operator[-1] in '-+?' else PATTERNS)}}}"

    def words(self) -> list[str]:
        """Words of an exec form, which knows no variables."""
        return [self.random.choice(WORDS) for _ in range(self.random.choice((1, 1, 2, 3)))]

    # -- their YAML

    def map(self, keyword: str, pairs: Mapping[str, str], *, nothing: float = 0) -> tuple[str, str]:
        """A map, and an instruction for each pair; `nothing` is how often a name has no value."""
        yaml, plain = list[str](), list[str]()
        for name, value in pairs.items():
            has_value = self.random.random() >= nothing
            yaml.append(f"\n  {self.scalar(name)}:" + (f" {self.scalar(value)}" if has_value else ""))
            plain.append(f"{keyword} {word(name)}" + (f"={word(value)}" if has_value else ""))
        return "".join(yaml) or " {}", "\n".join(plain)

    def list(self, items: list[str]) -> str:
        """A list, in the block or the flow style."""
        if items and self.random.random() < 0.5:
            return "".join("\n  - " + self.scalar(item).replace("\n", "\n  ") for item in items)
        return f" [{', '.join(map(self.flow, items))}]"

    def flow(self, item: str) -> str:
        text = self.scalar(item)
        return text if text[0] in "\"'!" and "\n" not in text else '"' + "".join(map(_escaped, item)) + '"'

    def scalar(self, text: str) -> str:
        """`text` as a YAML scalar, in one of the styles that can say it; what looks like an expression is tagged."""
        tag = "!unsafe " if "{{" in text or "{%" in text else ""
        styles = ["double"]
        if re.fullmatch(r"[a-zA-Z/$_](?:[a-zA-Z0-9/_.${}:+%^-]*[a-zA-Z0-9}])?", text) and not tag and text != "null":
            styles += ["plain"] * 3
        if text and text.isprintable():
            styles.append("single")
        if re.fullmatch(r"[!-~][ -~]*\n(?:[ -~é漢]*\n)*[!-~][ -~]*\n", text):
            styles += ["block"] * 4
        match self.random.choice(styles):
            case "plain":
                return text
            case "single":
                return tag + "'" + text.replace("'", "''") + "'"
            case "block":
                return f"{tag}|" + "".join(f"\n  {line}" if line else "\n" for line in text[:-1].split("\n"))
            case _:
                return tag + '"' + "".join(map(_escaped, text)) + '"'

    # -- what nobody takes

    def bad(self) -> Item:
        """An item that no builder takes."""
        if self.random.random() < 0.2:
            return self.raw(self.random.choice(BAD_LINES))
        value, trigger = self.random.choice(BAD_VALUES), self.random.choice(BAD_TRIGGERS)
        key, yaml, plain = self.random.choice(
            (
                ("env", f"\n  A: {self.scalar(value)}", f'ENV A="{value}"'),
                ("labels", f"\n  a: {self.scalar(value)}", f'LABEL a="{value}"'),
                ("args", f"\n  A: {self.scalar(value)}", f'ARG A="{value}"'),
                ("labels", "\n  'a=b': x", 'LABEL "a=b"=x'),
                ("expose", " ['99999']", "EXPOSE 99999"),
                ("expose", " ['80/nope']", "EXPOSE 80/nope"),
                ("expose", " ['${NO:-70000}']", "EXPOSE ${NO:-70000}"),
                ("volumes", " ['$NO']", "VOLUME $NO"),
                ("stopsignal", " SIGNOPE", "STOPSIGNAL SIGNOPE"),
                ("stopsignal", " ${NO:-NOPE}", "STOPSIGNAL ${NO:-NOPE}"),
                ("healthcheck", "\n  test: x\n  interval: 5us", "HEALTHCHECK --interval=5us CMD x"),
                ("healthcheck", "\n  test: [CMD]", "HEALTHCHECK CMD"),
                ("workdir", " ${NO:?not given}", "WORKDIR ${NO:?not given}"),
                ("user", " ${NO:?not}", "USER ${NO:?not}"),
                ("cmd", ' "a\\nnope b"', "CMD a\nnope b"),
                ("onbuild", f" [{self.flow(trigger)}]", f"ONBUILD {trigger}"),
            )
        )
        return Item(key=key, yaml=f"{key}:{yaml}", plain=plain)


def _escaped(character: str) -> str:
    """One character inside of a YAML text in double quotes."""
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def is_one(text: str) -> bool:
    """Whether `text` is one instruction, however many its lines."""
    try:
        return len(parse(text)) == 1
    except DockerfileError:
        return True


def word(value: str) -> str:
    """A value as a word, as one would write it who thinks of blanks and quotes only."""
    return value if re.fullmatch(r"[^\s'\"\\#]+", value) else '"' + value.replace('"', '\\"') + '"'


def json_array(words: list[str]) -> str:
    return json.dumps(words, ensure_ascii=False)
