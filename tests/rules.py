"""The pages of docs/rules, a page a code; `python -m tests.rules` writes the outputs in them and the index anew.

A page:

    # code
    severity · since VERSION · fixable by `--fix` (or: not fixable …) · can be ignored (or: cannot …)
    the sentence of the code
    ## Output    what stackgen prints for the bad example, without the count at its end
    ## Why
    ## Bad       the files, and the commands where they matter
    ## Good
    ## Source

A fenced block of an example is a file. Where its first line is a comment with a path, that is the file's place, and the
line is in the file, so that the lines of the output count what the reader sees; else it is stacks/app.yml. A block of
`sh` is typed line by line in the example's folder; without a call of stackgen in it, `stackgen validate stacks` is.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from stackgen.codes import CODES
from tests.helpers import ROOT, Ran, run, tree

RULES = ROOT / "docs" / "rules"
INDEX = RULES / "README.md"
SECTIONS = ("Output", "Why", "Bad", "Good", "Source")
CALL = "stackgen validate stacks"

_HEAD = re.compile(
    r"(?P<severity>error|warning|info|warning or error) · since (?P<since>\d+\.\d+\.\d+)"
    r" · (?P<fixable>fixable|not fixable) by `--fix` · (?P<ignorable>can|cannot) be ignored"
)
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PATH = re.compile(r"(?:# |\{# )(\S+\.\S+)(?: #\})?")


@dataclass(frozen=True, slots=True)
class Example:
    """Files by their path, and what is typed in their folder."""

    files: Mapping[str, str]
    commands: tuple[str, ...]

    def play(self, folder: Path) -> Ran:
        """Write the files and type the commands; give what the last call of stackgen did."""
        tree(folder, self.files)
        (folder / "stacks").mkdir(exist_ok=True)
        ran = None
        for command in self.commands:
            words = shlex.split(command, comments=True)
            if words[:1] == ["stackgen"]:
                # No page depends on an engine that happens to be here.
                with mock.patch("shutil.which", return_value=None):
                    ran = run(words[1:], folder)
            elif words:
                subprocess.run(["sh", "-c", command], cwd=folder, check=True)
        assert ran is not None
        return ran


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page, taken apart."""

    path: Path
    title: str
    head: str
    sentence: str
    sections: Mapping[str, str]

    @property
    def code(self) -> str:
        """The code that the page's file is named after."""
        return self.path.stem

    def says(self, what: str) -> str:
        """Give a part of the line below the title: severity, since, fixable, ignorable."""
        found = _HEAD.fullmatch(self.head)
        assert found, f"{self.path.name}: {self.head}"
        return found[what]

    @property
    def output(self) -> str:
        """What stackgen prints for the bad example."""
        blocks: list[tuple[str, str]] = _BLOCK.findall(self.sections["Output"])
        return blocks[0][1]

    def example(self, section: str) -> Example:
        """Give the example of a section, Bad or Good."""
        files: dict[str, str] = {}
        commands: list[str] = []
        for language, text in _BLOCK.findall(self.sections[section]):
            if language == "sh":
                commands += text.splitlines()
            else:
                place = _PATH.fullmatch(text.split("\n", 1)[0])
                files[place[1] if place else "stacks/app.yml"] = text
        if not any(command.startswith("stackgen ") for command in commands):
            commands.append(CALL)
        return Example(files, tuple(commands))


def read(path: Path) -> Page:
    """Take a page apart."""
    before, *parts = re.split(r"^## ", path.read_text("utf-8"), flags=re.MULTILINE)
    title, head, sentence = (each.strip() for each in before.strip().split("\n\n", 2))
    sections = dict(part.split("\n", 1) for part in parts)
    return Page(path=path, title=title.removeprefix("# "), head=head, sentence=sentence, sections=sections)


def pages() -> list[Page]:
    """Give every page, by code."""
    return [read(path) for path in sorted(RULES.glob("*.md")) if path != INDEX]


def findings_of(ran: Ran) -> str:
    """Give what a call said, without the count of findings at its end."""
    *lines, last = ran.stderr.rstrip("\n").split("\n")
    return "\n".join(lines).strip("\n") + "\n" if lines else last + "\n"


def groups() -> dict[str, list[str]]:
    """Give the codes under the headings that codes.py has for them."""
    found: dict[str, list[str]] = {}
    heading = ""
    for line in (ROOT / "src/stackgen/codes.py").read_text("utf-8").splitlines():
        if line.startswith("    # "):
            heading = line.removeprefix("    # ")
        elif code := re.match(r'    "([a-z0-9-]+)":', line):
            found.setdefault(heading, []).append(code[1])
    assert {code for codes in found.values() for code in codes} == set(CODES)
    return found


_PREFACE = """\
# Rules

Every finding bears a code, and each code has a page: what is printed, why, a bad and a good example, and where the rule
comes from. This index is written by `python -m tests.rules`.

- An *error* makes the input invalid; nothing is written. It cannot be ignored.
- A *warning* is what Docker takes and a reader would still want to know; `--strict` lets it fail.
- An *info* is worth a look.

A warning or an info is ignored by `# stackgen: ignore[code]` on its line, or by `ignore: [code]` in the project's
`stackgen.yml`; an ignore that ignores nothing is found by [unused-ignore](unused-ignore.md). `stackgen validate --fix`
mends what can be mended without changing a meaning, and `--fix --diff` shows it.
"""


def index() -> str:
    """Give the index: every code with its severity and its sentence."""
    by_code = {page.code: page for page in pages()}
    lines = _PREFACE.splitlines()
    for heading, codes in groups().items():
        lines += ["", f"## {heading}", "", "| code | severity | what is found | `--fix` |", "|---|---|---|---|"]
        for code in codes:
            page = by_code.get(code)
            severity = page.says("severity") if page else ""
            fixed = "mends it" if page and page.says("fixable") == "fixable" else ""
            lines.append(f"| [{code}]({code}.md) | {severity} | {CODES[code].replace('|', chr(92) + '|')} | {fixed} |")
    return "\n".join(lines) + "\n"


def _with_output(page: Page, output: str) -> str:
    text = page.path.read_text("utf-8")
    before, _, rest = text.partition("## Output\n")
    _, _, after = rest.partition("\n## Why\n")
    return f"{before}## Output\n\n```text\n{output}```\n\n## Why\n{after}"


def main() -> None:
    """Write the outputs and the index anew."""
    for page in pages():
        with tempfile.TemporaryDirectory() as folder:
            ran = page.example("Bad").play(Path(folder))
        page.path.write_text(_with_output(page, findings_of(ran)), "utf-8")
    INDEX.write_text(index(), "utf-8")


if __name__ == "__main__":
    main()
