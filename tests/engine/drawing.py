"""Random chains of stacks, over all keys that become instructions, as users might write them on a bad day.

What is not drawn, and why: `run`, `packages`, `users`, `pip`, which need a shell in the base (test_root.py builds
those); what the schema refuses as the wrong word though Docker has a meaning for it (a port of the host in `expose`, a
signal in small letters, a user with a blank); a FROM in a raw step, which begins another stage; a USER that the base's
/etc/passwd does not have, under which WORKDIR fails for what is in the files, not in the configuration.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random

from stackgen.docker.errors import DockerfileError
from stackgen.docker.syntax import parse
from tests.docker import chains

NAMES = ("A", "B", "C", "_d", "PATH", "HOME", "a.b", "x-y", "TARGETARCH", "G")
UNSET = ("NO", "1", "_")
LITERALS = (
    *("a", "abc", "abcabc", "x y", " ", "  ", "/srv", "/opt/bin:", "=", "#", " # ", ":", ": ", ",", "~", "null", "no"),
    *("'", '"', "\\", "\\\\", "\\n", '\\"', "`", "%", "*", "?", "[", "]", "{", "}", "&&", "|", "<<EOF", "!", "@", "-"),
    *("\u00e9", "漢", "\U0001f40b", "\u2028", "\xa0", "\t", "\r", "\x1f", "\x85", "\ufeff", "²", "{{ x }}", "{%", "{#"),
    *("\\$", "\\$A", "\\${A:-x}", "$", "$ ", "$$", "0", ""),
)
SAFE = ("x", "x y", "d/e", "'", '"', "é", "\\$", "$B", "${_d:-y}", "${NO:+z}", "", "#", "a b")
OPERATORS = (":-", ":-", ":+", ":+", "-", "+", "?", ":?", "#", "##", "%", "%%")
PATTERNS = ("a", "ab", "a*", "*b", "*c*", "?", "*", "/*", "\\*", "\\?", "$A", "[a]", ".", "b*c", "é", "\\\\", " ")
PORTS = ("80", "443/tcp", "53/udp", "9000-9002", "7000-7001/sctp", "65535", "8", "81-83/udp", "9001")
PORT_VALUES = ("5000", "5000 5001", "6000-6002", "53/udp", "", "127.0.0.1:8080:82", "8080:81")
SIGNALS = ("SIGTERM", "QUIT", "SIGINT", "9", "37", "SIGRTMIN+3", "RTMAX-1", "CLD")
USERS = ("app", "root", "0", "1000:1000", "app:app", "4711", "app:0")
PATHS = (
    *("/data", "/var/lib/x", "relative", "/a b", "/a\\b", "/it's", '/"q"', "/é漢"),
    *("/*", "/x/\\$A", "/#", "[a]", "/,"),
)
TIMES = ("30s", "1.5s", "1m30s", "250ms", "1h1m1.1s", "2h", "1000us", "0", "0s")


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
            "labels: {a: old}, entrypoint: [/init], cmd: [serve], "
            "healthcheck: {test: old, interval: 9s}, onbuild: [ENV B=fired, WORKDIR fired]}"
        ),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Abilities:
    """What a builder can be given at all."""

    heredocs: bool = True
    start_interval: bool = True
    operators: tuple[str, ...] = (*OPERATORS, "/")
    zeros: bool = True
    """A time of 0, and 0 retries, of a health check."""
    within_ports: bool = True
    """`6${NO:+x}1`, an expansion with an operator within a word of EXPOSE."""
    after_arrays: bool = True
    """Text behind a JSON array, which makes it none."""
    nothing: bool = True
    """A WORKDIR that expands to nothing."""
    no_ports: bool = True
    """An EXPOSE that expands to nothing."""
    special_names: bool = True
    """`$$`, `$#` and their like, which no Dockerfile gives a value."""
    doubled_escape: bool = True
    """Two backslashes at the end of a line, which continue nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A key at the top of a stack, or one entry of its `steps`: its YAML, and a Dockerfile that says it plainly."""

    key: str
    yaml: str
    plain: str
    is_step: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One drawn stack: what names it and its parent, and its items."""

    name: str
    head: tuple[str, ...]
    items: tuple[Item, ...]

    def places(self) -> tuple[str, dict[int, Item]]:
        """The YAML, and the item that each of its lines belongs to."""
        lines = list(self.head)
        owners: dict[int, Item] = {}
        in_steps = False
        for item in sorted(self.items, key=lambda item: item.is_step):
            if item.is_step and not in_steps:
                lines.append("steps:")
                in_steps = True
            for number, line in enumerate(item.yaml.rstrip("\n").split("\n")):
                indent = ("  - " if number == 0 else "    ") if item.is_step else ""
                lines.append(indent + line if line else "")
                owners[len(lines)] = item
        return "\n".join(lines) + "\n", owners

    @property
    def text(self) -> str:
        """The YAML."""
        return self.places()[0]

    def without(self, *items: Item) -> Stack:
        """The same stack without some of its items."""
        return replace(self, items=tuple(item for item in self.items if not any(item is each for each in items)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Stacks, each on the one before it and the first on a base; whether `inherits` or the engine tells of the base."""

    name: str
    base: str
    asks: bool
    stacks: tuple[Stack, ...]

    def without(self, *items: Item) -> Chain:
        """The same chain without some items."""
        return replace(self, stacks=tuple(stack.without(*items) for stack in self.stacks))

    @property
    def text(self) -> str:
        """All of its files."""
        return "\n".join(f"# {stack.name}.yml\n{stack.text}" for stack in self.stacks)


def scalar(text: str, random: Random, *, block: bool = False) -> str:
    """`text` as a YAML scalar that means it, in one of the styles that can; an expression that is none is tagged."""
    tag = "!unsafe " if "{{" in text or "{%" in text else ""
    styles = ["double"]
    if re.fullmatch(r"[a-zA-Z/$_][a-zA-Z0-9/_.${}:+%^-]*", text) and not tag and text.lower() not in ("null", "none"):
        styles += ["plain"] * 3
    if text and text.isprintable() and "\xa0" not in text:
        styles.append("single")
    if block and re.fullmatch(r"(?:[!-~][ -~]*\n)(?:(?:[ -~]|[é漢])*\n)*?(?:[!-~][ -~]*\n)", text):
        styles = ["block"] * 5 + ["double"]
    style = random.choice(styles)
    if style == "plain":
        return text if text[-1] != ":" else f'"{text}"'
    if style == "single":
        return tag + "'" + text.replace("'", "''") + "'"
    if style == "block":
        return f"{tag}|\n" + "".join(f"  {line}\n" if line else "\n" for line in text.split("\n")[:-1]).rstrip("\n")
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
    inside = "".join(
        escapes.get(each) or (each if each.isprintable() and each not in "\xa0\ufeff" else f"\\U{ord(each):08x}")
        for each in text
    )
    return f'{tag}"{inside}"'


@dataclass(slots=True)
class Drawer:
    """Draws chains."""

    random: Random
    abilities: Abilities = Abilities()
    poison: float = 0.02
    """How often a chain gets an item that nobody takes."""

    def chain(self, name: str) -> Chain:
        """One to five stacks."""
        base = self.random.choice(sorted(BASES))
        asks = self.random.random() < 0.3
        stacks: list[Stack] = []
        for number in range(self.random.randint(1, 5)):
            parent = [f"extends: {stacks[-1].name}"] if stacks else [f"from: {base}"]
            if not stacks and not asks and BASES[base].inherits:
                parent.append(BASES[base].inherits)
            stacks.append(self.stack(f"{name}s{number}", parent))
        if base == "scratch":
            stacks[0] = replace(stacks[0], items=(ACCOUNTS, *stacks[0].items))
        if self.random.random() < self.poison:
            at = self.random.randrange(len(stacks))
            stacks[at] = replace(stacks[at], items=(*stacks[at].items, self.poisoned()))
        return Chain(name=name, base=base, asks=asks, stacks=tuple(map(unique_keys, stacks)))

    def stack(self, name: str, parent: list[str]) -> Stack:
        keys = self.random.sample(sorted(self.keys()), self.random.randint(0, 7))
        items = [self.item(key) for key in keys]
        if self.random.random() < 0.5:
            items += [self.step() for _ in range(self.random.randint(1, 4))]
        return Stack(name=name, head=(*parent, f"image: stackgen-test/{name}"), items=tuple(items))

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
            "entrypoint": self.entrypoint,
            "cmd": self.cmd,
            "onbuild": self.onbuild,
        }

    def item(self, key: str, *, is_step: bool = False) -> Item:
        yaml, plain = self.keys()[key]()
        return Item(key=key, yaml=f"{key}:{yaml}", plain=plain, is_step=is_step)

    def step(self) -> Item:
        """An entry of `steps`: half of them raw instructions."""
        if self.random.random() < 0.5:
            return self.raw(self.lines())
        return self.item(self.random.choice(sorted(self.keys())), is_step=True)

    def raw(self, text: str) -> Item:
        block = self.scalar(text, block=True)
        return Item(key="raw", yaml=f"raw: {block}", plain=text, is_step=True)

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
        return "\n".join(lines) + "\n"

    def line(self) -> str:
        """One instruction as text that the builder can be given."""
        hand = chains.Dockerfile(self.random)
        while True:
            if self.random.random() < 0.15:
                text = self.random.choice(
                    (
                        "COPY --chmod=0640 --chown=app:app <<'EOF' /into/by\n$A\n  EOF \nEOF",
                        "ADD <<-EOF <<OTHER /into/\n\ta\n\tEOF\nb\nOTHER",
                        "HEALTHCHECK --interval=9s \\\n  # said within\n\n  --retries=2 \\\n CMD exec \\\n  curl",
                        "ENV A=1 \\\n    B=$A \\\n\n    C='$A'\nENV  B  two  words $A",
                        'ENTRYPOINT [ "/a", \\\n  "b" ]\nCMD ["c"]',
                        'ARG V=1\nARG W=${V}2 X\nLABEL v=$V$W w="$X"',
                    )
                )
            else:
                text = hand.line()
            if self.can(text):
                return text

    def can(self, text: str) -> bool:
        """Whether the builder can be given an instruction as text."""
        abilities = self.abilities
        operators = set(re.findall(r"\$\{\w+(:?[-+?]|##?|%%?|/)", text))
        return (
            (abilities.heredocs or "<<" not in text)
            and (abilities.start_interval or "--start-interval" not in text)
            and operators <= set(abilities.operators)
            and (abilities.zeros or not re.search(r"--[a-z-]+=[+]?0s?(?!\S)", text))
            and (abilities.within_ports or "6${" not in text)
            and (abilities.after_arrays or "] x" not in text)
            and (abilities.nothing or not re.search(r"WORKDIR\s+(\$NO|'')", text))
            and (abilities.no_ports or not re.search(r"EXPOSE.*\$(NO\b|P\b|\{P)", text, re.DOTALL))
            and (abilities.special_names or not re.search(r"\$[$!@#?*-]", text))
            and (abilities.doubled_escape or not re.search(r"\\\\[ \t]*(\r?\n|\r?\Z)", text))
        )

    # -- values

    def scalar(self, text: str, *, block: bool = False) -> str:
        return scalar(text, self.random, block=block)

    def value(self) -> str:
        """A value in which `$` means a variable."""
        pieces = self.random.choice((0, 1, 1, 2, 2, 3, 4))
        while True:
            kinds = (self.random.choice((self.literal, self.literal, self.expansion)) for _ in range(pieces))
            if self.can(text := "".join(draw() for draw in kinds)):
                return text

    def literal(self) -> str:
        return self.random.choice(LITERALS)

    def expansion(self) -> str:
        name = self.random.choice((*NAMES[:6], *NAMES[:6], "TARGETARCH", "G", *UNSET))
        kind = self.random.randrange(5)
        if kind == 0:
            return f"${name}"
        if kind == 1:
            return f"${{{name}}}"
        known = self.abilities.operators
        operator = self.random.choice((*known, *(("/",) * 3 if "/" in known else ())))
        if operator == "/":
            replacement = self.random.choice(("X", "", "$B", "\\$", "é", "x y"))
            return f"${{{name}/{self.random.choice(('', '/'))}{self.random.choice(PATTERNS)}/{replacement}}}"
        if operator.endswith("?"):
            # One that is surely met, for what is not fails.
            name = "PATH"
        word = self.random.choice(SAFE if operator[-1] in "-+?" else PATTERNS)
        if not self.can(word):
            word = "x"
        return f"${{{name}{operator}{word}}}"

    def words(self) -> list[str]:
        """Words of an exec form, which knows no variables."""
        words = (
            *("a", "b c", "", "$A", "${A:-x}", "\n", "é漢\U0001f40b", '"', "'"),
            *("\\", "#", "--x", "[", "\t", "{{ a }}"),
        )
        return [self.random.choice(words) for _ in range(self.random.choice((1, 1, 2, 3)))]

    def script(self) -> str:
        """A text for a shell."""
        scripts = (
            *("exec $A  'b' \"c\"", "[ -s /x ] && y", '["a"', "-- --x", "--x"),
            *("a && b | c \\$d # e", "# x", "{}", "a <<EOF"),
            *("['a']", "a\tb", "é", "a: b", "echo {{ a }}", "NONE", "[1", "a \\b"),
        )
        return self.random.choice(scripts)

    # -- keys

    def args(self) -> tuple[str, str]:
        return self.map("ARG", self.pairs(NAMES), nothing=True)

    def env(self) -> tuple[str, str]:
        pairs = self.pairs(NAMES)
        if self.random.random() < 0.3:
            pairs["P"] = self.random.choice(PORT_VALUES)
        if self.random.random() < 0.15:
            pairs["S"] = self.random.choice(SIGNALS)
        if self.random.random() < 0.15:
            pairs["U"] = self.random.choice(USERS)
        return self.map("ENV", pairs)

    def labels(self) -> tuple[str, str]:
        keys = (
            *("a", "org.example.b", "c d", "it's", '"', "\\", "é", "f$B", "${A:-g}", "#h"),
            "org.opencontainers.image.title",
        )
        return self.map("LABEL", self.pairs(tuple(filter(self.can, keys))))

    def pairs(self, names: tuple[str, ...]) -> dict[str, str]:
        return {self.random.choice(names): self.value() for _ in range(self.random.choice((0, 1, 1, 2, 3, 4)))}

    def map(self, keyword: str, pairs: Mapping[str, str], *, nothing: bool = False) -> tuple[str, str]:
        lines: list[str] = []
        plain: list[str] = []
        for name, value in pairs.items():
            if nothing and self.random.random() < 0.3:
                lines.append(f"\n  {self.scalar(name)}:")
                plain.append(f"{keyword} {name}")
            else:
                lines.append(f"\n  {self.scalar(name)}: {self.scalar(value)}")
                plain.append(f"{keyword} {plainly(name)}={plainly(value)}")
        return "".join(lines) or " {}", "\n".join(plain)

    def list(self, items: list[str]) -> str:
        """A YAML list, in the block or the flow style."""
        if items and self.random.random() < 0.5:
            return "".join(f"\n  - {self.scalar(item)}" for item in items)
        return f" [{', '.join(map(self.flow, items))}]"

    def flow(self, item: str) -> str:
        text = self.scalar(item)
        return text if text[0] in "\"'!" else f'"{text}"'

    def expose(self) -> tuple[str, str]:
        ports = [*self.random.sample(PORTS, self.random.choice((0, 1, 2, 3)))]
        ports += [port for port in ("$P", "${P}", "${NO:-5432}", "$NO", "${NO:-53}/udp") if self.random.random() < 0.15]
        ports = [port for port in ports if self.can(f"EXPOSE {port}")]
        if self.abilities.within_ports and self.random.random() < 0.1:
            ports.append("6${NO:+x}1/udp")
        return self.list(ports), f"EXPOSE {' '.join(ports)}"

    def volumes(self) -> tuple[str, str]:
        paths = self.random.sample((*PATHS, "/v/$A", "${NO:-/d}", "/w/${B}"), self.random.choice((0, 1, 2, 3)))
        return self.list(paths), "\n".join(f"VOLUME {plainly(path)}" for path in paths)

    def workdir(self) -> tuple[str, str]:
        paths = (
            *(*PATHS, "sub", "../up", ".", "..", "/a/../b//c/", "x/./y/", "//z"),
            *("${NO:-d}", "${HOME}/w", "$NO", "/w $NO w"),
        )
        path = self.random.choice([path for path in paths if self.can(f"WORKDIR {path}")])
        return f" {self.scalar(path)}", f"WORKDIR {plainly(path)}"

    def user(self) -> tuple[str, str]:
        user = self.random.choice((*USERS, "$U", "${NO:-app}", "${NO}", "app$NO"))
        return f" {self.scalar(user)}", f"USER {user}"

    def shell(self) -> tuple[str, str]:
        usual = (["/bin/bash", "-o", "pipefail", "-c"], ["/bin/sh", "-c"], ["/x"])
        words = self.random.choice((*usual, self.words()))
        return self.list(words), "SHELL " + json_array(words)

    def stopsignal(self) -> tuple[str, str]:
        signal = self.random.choice((*SIGNALS, "${S:-HUP}", "${NO:-9}"))
        return f" {self.scalar(signal)}", f"STOPSIGNAL {signal}"

    def healthcheck(self) -> tuple[str, str]:
        if self.random.random() < 0.25:
            return " none", "HEALTHCHECK NONE"
        form = self.random.randrange(3)
        if form == 0:
            command = self.script()
            test, plain = f" {self.scalar(command)}", f"CMD {command}"
        elif form == 1:
            words = self.words()
            test, plain = self.list(["CMD", *words]).replace("\n", "\n  "), f"CMD {json_array(words)}"
        else:
            command = self.script()
            test, plain = self.list(["CMD-SHELL", command]).replace("\n", "\n  "), f"CMD {command}"
        lines, flags = [f"\n  test:{test}"], []
        names = ["interval", "timeout", "start_period"] + ["start_interval"] * self.abilities.start_interval
        for name in self.random.sample(names, self.random.randint(0, len(names))):
            time = self.random.choice(TIMES if self.abilities.zeros else TIMES[:-2])
            lines.append(f"\n  {name}: {time}")
            flags.append(f"--{name.replace('_', '-')}={time} ")
        if self.random.random() < 0.5:
            lines.append(f"\n  retries: {self.random.choice((1, 5, 0)[: 2 + self.abilities.zeros])}")
        return "".join(lines), f"HEALTHCHECK {''.join(flags)}{plain}"

    def entrypoint(self) -> tuple[str, str]:
        return self.command("ENTRYPOINT")

    def cmd(self) -> tuple[str, str]:
        return self.command("CMD")

    def command(self, keyword: str) -> tuple[str, str]:
        if self.random.random() < 0.2:
            return " []", f"{keyword} []"
        if self.random.random() < 0.4:
            script = self.script()
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

    # -- what nobody takes

    def poisoned(self) -> Item:
        """An item that no builder takes."""
        broken = ("${A", "${A^x}", "${", "${A:x}", "${A/x}", "${A:-${B}", "x\nnope y", "${NO:?not given}")
        value = self.random.choice(broken)
        trigger = self.random.choice(
            (
                *("FROM x", "MAINTAINER x", "ONBUILD ENV A=1", "NOPE x", "ENV A"),
                *("EXPOSE 99999", "ENV A=${", "STOPSIGNAL FOO"),
            )
        )
        texts = ("NOPE\n", "ENV A\n", "HEALTHCHECK NOPE\n", "CMD x\nCOPY <<EOF /x\n", "EXPOSE 1-0\n", "USER\n")
        text = self.random.choice(texts)
        kinds: tuple[tuple[str, str, str], ...] = (
            ("env", f"\n  A: {self.scalar(value)}", f'ENV A="{value}"'),
            ("labels", f"\n  a: {self.scalar(value)}", f'LABEL a="{value}"'),
            ("args", f"\n  A: {self.scalar(value)}", f'ARG A="{value}"\nENV B=$A'),
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
        if self.random.random() < 0.2:
            return self.raw(text)
        key, yaml, plain = self.random.choice(kinds)
        return Item(key=key, yaml=f"{key}:{yaml}", plain=plain)


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


def unique_keys(stack: Stack) -> Stack:
    """The stack with each key once at its top: the last one."""
    tops = {item.key: item for item in stack.items if not item.is_step}
    return replace(stack, items=(*tops.values(), *(item for item in stack.items if item.is_step)))


def is_one(text: str) -> bool:
    """Whether `text` is one instruction, however many its lines."""
    try:
        return len(parse(text)) == 1
    except DockerfileError:
        return True


def plainly(value: str) -> str:
    """A value as a word, as one would write it who thinks of blanks and quotes only."""
    if re.fullmatch(r"[^\s'\"\\#]+", value):
        return value
    return '"' + value.replace('"', '\\"') + '"'


def json_array(words: list[str]) -> str:
    return json.dumps(words, ensure_ascii=False)
