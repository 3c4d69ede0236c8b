"""Random chains of Dockerfiles, as a bad-tempered hand would type them, and what we say that they come to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from stackgen.docker.arguments import global_args, platform_args
from stackgen.docker.errors import RefusedError
from stackgen.docker.inherit import Config, State, apply, begin, finish
from stackgen.docker.instructions import Arg, From
from stackgen.docker.shell import expand_word
from stackgen.docker.syntax import parse, quote

NAMES = ("A", "B", "C", "_d", "PATH", "é", "TARGETARCH", "G")
LITERALS = (
    *(
        "a",
        "b",
        "abc",
        "abcabc",
        "x y",
        "/srv",
        "/opt/bin",
        "80",
        "9000-9002",
        "app",
        "-",
        "--",
        "=",
        "#",
        ":",
        ".",
        "*",
        "?",
    ),
    *(
        "[",
        "]",
        "}",
        "!",
        "~",
        "%",
        "&&",
        "|",
        ";",
        "<",
        ">",
        "@",
        "漢",
        "é",
        "\U0001f40b",
        "\u2028",
        "\xa0",
        "\t",
        "\r",
    ),
    *(
        "'",
        '"',
        "\\",
        "\\\\",
        "`",
        "$$",
        "\\$",
        "\\n",
        "$",
        "$1",
        "}",
        "0",
        "",
        "²",
        "\ufeff",
        "\x1f",
        "&lt;",
        "\\'",
    ),
)
OPERATORS = ("", ":-", "-", ":+", "+", "#", "##", "%", "%%")
PATTERNS = (
    "a",
    "ab",
    "a*",
    "*b",
    "*c*",
    "?",
    "??",
    "*",
    "",
    "/*",
    "\\*",
    "\\?",
    "$A",
    "'b'",
    "[a]",
    ".",
    "\\}",
    "\\\\",
    "b*c",
)


def chain(random: Random) -> list[str]:
    """One to five Dockerfiles; each stands on the one before it, and the first on BASE."""
    return [Dockerfile(random).text() for _ in range(random.randint(1, 5))]


@dataclass(slots=True)
class Dockerfile:
    """Draws one Dockerfile, whose FROM is ``FROM PARENT``."""

    random: Random
    escape: str = "\\"
    stages: list[str] = field(default_factory=list)

    def text(self) -> str:
        self.escape = self.random.choice("\\\\\\\\\\\\\\`")
        top = "# escape=`\n" if self.escape == "`" else ""
        if self.seldom():
            top += self.random.choice(["# a comment\n", "# check=skip=all\n", "\n"])
        arguments = [self.arg() for _ in range(self.random.choice([0, 0, 0, 1, 2]))]
        lines = [self.line() for _ in range(self.random.randint(0, 8))]
        if lines and self.seldom():
            lines.insert(self.random.randrange(len(lines)), "FROM first AS second")
        return top + "\n".join([*arguments, "FROM PARENT AS first", *lines]) + "\n"

    def line(self) -> str:
        draw = self.random.choice(self.instructions())
        text = draw()
        if self.random.random() < 0.2:
            text = f"{self.random.choice(['ONBUILD', 'ONBUILD', 'onbuild  '])} {text}"
        if self.seldom() and not text.endswith("EOF"):
            text += self.random.choice([" ", "\t", "\r", "\n", "\n# said after it"])
        return text

    def instructions(self) -> list[Callable[[], str]]:
        draws = (self.env, self.env, self.env, self.arg, self.label, self.expose, self.volume, self.workdir)
        return [*draws, self.user, self.stopsignal, self.shell, self.entrypoint, self.cmd, self.healthcheck, self.copy]

    def env(self) -> str:
        return self.pairs("ENV", NAMES)

    def label(self) -> str:
        return self.pairs("LABEL", ("a", "org.example.b", '"c d"', "$A", "'e'", "f$B", "é"))

    def pairs(self, keyword: str, names: tuple[str, ...]) -> str:
        if self.seldom():
            return f"{keyword} {self.random.choice(NAMES)} {self.word()} {self.word()}x"
        pairs = [f"{self.random.choice(names)}={self.word()}" for _ in range(self.random.choice([1, 1, 2, 3]))]
        return f"{self.keyword(keyword)}{self.blank()}" + self.blank().join(pairs)

    def arg(self) -> str:
        pairs = [
            self.random.choice(NAMES) + self.random.choice(["", f"={self.word()}"])
            for _ in range(self.random.choice([1, 1, 2]))
        ]
        return "ARG " + " ".join(pairs)

    def expose(self) -> str:
        ports = [
            "80",
            "443/tcp",
            "53/udp",
            "9000-9002",
            "7000-7001/sctp",
            "8080:81",
            "127.0.0.1:8080:82",
            "80/TCP",
            "08",
        ]
        ports += ["${NO:-5432}", "$NO", "6${NO:+x}1/udp", "'22'", '"2"3', "$P"]
        several = 'ENV P="5000 5001"\n' if self.seldom() else ""
        return f"{several}EXPOSE{self.blank()}" + " ".join(self.random.sample(ports, self.random.choice([1, 1, 2, 3])))

    def volume(self) -> str:
        paths = ["/data", "/var/lib/x", "relative", "/a\\b", "$A/v", "${NO:-/d}", "'/q'", "/é", "/*"]
        chosen = self.random.sample(paths, self.random.choice([1, 1, 2]))
        if self.random.random() < 0.3:
            chosen = [f'"{path}"' for path in [*chosen, "/with blank"] if "\\" not in path]
            return f"VOLUME [{', '.join(chosen)}]"
        return "VOLUME " + " ".join(chosen)

    def workdir(self) -> str:
        paths = [
            "/srv",
            "sub",
            "../up",
            ".",
            "..",
            "/a/../b//c/",
            "/w $NO w",
            '"/q r"',
            "${NO:-d}",
            "/é",
            "x/./y/",
            "''",
            "//z",
        ]
        return f"WORKDIR {self.random.choice(paths)}"

    def user(self) -> str:
        users = ["app", "root", "0", "1000:1000", "app:app", "4711", '"app"', "${NO:-app}", "$NO", "''"]
        return f"USER {self.random.choice(users)}"

    def stopsignal(self) -> str:
        signals = ["SIGTERM", "QUIT", "sigint", "9", "37", "RTMIN+3", "SIGRTMAX-1", "${NO:-HUP}", '"USR1"', "-5", "CLD"]
        return f"STOPSIGNAL {self.random.choice(signals)}"

    def shell(self) -> str:
        shells = [
            '["/bin/bash", "-o", "pipefail", "-c"]',
            '["/bin/sh", "-c"]',
            '[ "/x" ]',
            '["a b", "$A", "\\u00e9", ""]',
        ]
        return f"SHELL {self.random.choice(shells)}"

    def entrypoint(self) -> str:
        return f"{self.keyword('ENTRYPOINT')} {self.command()}"

    def cmd(self) -> str:
        return f"{self.keyword('CMD')} {self.command()}"

    def command(self) -> str:
        commands = [
            '["a", "b c"]',
            "[]",
            '["$A", "\\n", "\\"", "é", "\\ud83d\\udc0b"]',
            "[ -s /x ]",
            "exec $A  'b' \"c\"",
            "",
        ]
        commands += [
            "a && b | c \\$d # e",
            '["a" , "b"]  ',
            "['a']",
            "-- --x",
            "a" + self.blank() + "b",
            '["a"] x',
            "{}",
            '[""]',
        ]
        return self.random.choice(commands)

    def healthcheck(self) -> str:
        if self.seldom():
            return self.random.choice(["HEALTHCHECK NONE", "healthcheck none", "HEALTHCHECK --interval=9s NONE"])
        flags = ["--interval=30s", "--timeout=1.5s", "--start-period=1m", "--start-interval=250ms", "--retries=5"]
        flags += ["--interval=0", "--timeout=+1h1m1.1s", "--retries=0", '--start-period="2s"', "--retries="]
        chosen = {flag.split("=")[0]: flag for flag in self.random.sample(flags, self.random.randint(0, 4))}
        command = self.random.choice(['["curl", "-f", "$A"]', "curl -f http://$A || exit 1", "  a"])
        return " ".join(["HEALTHCHECK", *chosen.values(), "CMD", command])

    def copy(self) -> str:
        flag = self.random.choice(["", "", "--chown=${NO:-0} ", "--chmod=0644 "])
        announced = self.random.choice(["EOF", "-EOF", '"EOF"'])
        return f"COPY {flag}<<{announced} /copied\n\t{self.expansion()} 'c\n\\$ \" #\nEOF"

    def word(self) -> str:
        """A word of ENV and LABEL: pieces in every kind of quotes, or a value that we quote."""
        if self.random.random() < 0.1 and self.escape == "\\":
            return quote("".join(self.literals()).replace("\n", "").replace("$", "\\$"))
        return "".join(self.piece() for _ in range(self.random.choice([0, 1, 1, 1, 2, 3])))

    def piece(self) -> str:
        kind = self.random.randrange(6)
        if kind == 0:
            return self.random.choice(["a", "abc", "/opt:", "b=c", "x-y", "é", "漢", "0"])
        if kind == 1:
            return "'" + "".join(self.literals()).replace("'", "") + "'"
        if kind == 2:
            inside = "".join(self.random.choice([literal, self.expansion()]) for literal in self.literals())
            return '"' + inside.replace('"', f'{self.escape}"').rstrip("\\`$") + '"'
        if kind == 3:
            return self.escape + self.random.choice([" z", "$", '"', "'", "a", self.escape, "}", "é", "\u2028"])
        return self.expansion()

    def expansion(self) -> str:
        name = self.random.choice([*NAMES, "NO", "1", "_"])
        kind = self.random.randrange(4)
        if kind == 0:
            return f"${name}"
        if kind == 1:
            replacement = self.random.choice(["X", "", "$B", "$0", "'$0'"])
            return f"${{{name}/{self.random.choice(['', '/'])}{self.pattern() or 'a'}/{replacement}}}"
        operator = self.random.choice(OPERATORS)
        word = self.random.choice(["x", "", "$B", "${_d:-y}"]) if operator in (":-", "-", ":+", "+") else self.pattern()
        return f"${{{name}{operator}{word}}}" if operator else f"${{{name}}}"

    def pattern(self) -> str:
        # Where the escape character is another, a backslash keeps no brace from closing the expansion.
        return self.random.choice([pattern for pattern in PATTERNS if self.escape == "\\" or "}" not in pattern])

    def literals(self) -> list[str]:
        return [self.random.choice(LITERALS) for _ in range(self.random.randint(0, 3))]

    def keyword(self, keyword: str) -> str:
        return keyword if self.random.random() < 0.9 else keyword.lower()

    def blank(self) -> str:
        """What may stand between two words, continued lines and comments in them included."""
        if self.random.random() < 0.8:
            return " "
        escape = self.escape
        return self.random.choice(
            ["  ", "\t", f" {escape}\n  ", f" {escape}\n# c\n\n {escape}  \n\t", f" {escape}\r\n "]
        )

    def seldom(self) -> bool:
        return self.random.random() < 0.1


def expected(text: str, parent: Config) -> Config:
    """What we say that the last stage of a Dockerfile comes to, where PARENT has the configuration `parent`."""
    arguments: list[Arg] = []
    stages: dict[str, State] = {}
    state: State | None = None
    name = ""
    for parsed in parse(text):
        instruction = parsed.instruction
        if isinstance(instruction, From):
            scope = global_args(arguments, given=platform_args(), escape=parsed.escape)
            image = expand_word(instruction.image, scope, escape=parsed.escape)
            base = stages.get(image, parent)
            state = begin(base, global_args=scope, escape=parsed.escape)
            name = instruction.name or ""
        elif state is None:
            if not isinstance(instruction, Arg):
                raise RefusedError("an instruction stands before the first FROM")
            arguments.append(instruction)
        else:
            state = apply(state, instruction)
        if state is not None:
            stages[name] = state
    if state is None:
        raise RefusedError("there is no FROM")
    return finish(state)
