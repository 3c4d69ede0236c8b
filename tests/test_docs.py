"""README and docs say what is true: their examples are run, in order, each document in a checkout copy of its own.

- ```yaml and ```jinja with a path in a comment on the first line are files, which are written. Where the path is there
  already, the text must be the file's. A stack is valid unless a command below it shows that it is not.
- ```dockerfile stands in the Dockerfile of the stack before it; one with stackgen's own header is the whole of it.
- ```console: each `$ stackgen …` is run; what stands below it is what it prints, a line `…` standing for any lines.
  `# exit 1` behind a command is the exit code that it must have, else 0. Other programs are not run.
- ```sh: each line that calls stackgen is run.

`make demo` stands for the command that the Makefile has for it.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner

from stackgen import api
from stackgen.cli import COMMANDS, LATER, cli
from stackgen.diagnostics import Findings
from stackgen.read.inputs import Inputs
from stackgen.stack.project import PROJECT_FILE, load_project
from tests import reference
from tests.helpers import ROOT, run, tree

PAGES = sorted(path for path in (ROOT / "docs").glob("*.md"))
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES]
# Made by tests/reference.py, of schemas whose examples have tests of their own.
MADE = ROOT / "docs" / "reference.md"
CHECKOUT = ("stacks", "README.md", "LICENSE")
# What the examples of the docs copy into their images, and the folders that they name.
FILES = {
    "project/templates/readme": "",
    "project/data/readme": "",
    "stacks/tool_1.2_all.deb": "",
    "trust/stacks/certs/corp-ca.pem": "-----BEGIN CERTIFICATE-----\n",
    "stacks/site/index.html": "<title>Site</title>\n",
    "stacks/site/about.html": "<title>About</title>\n",
    "stacks/site.conf.j2": "root {{ root | default('/srv') }};\n",
    "stacks/entry.sh": '#!/bin/sh\nexec "$@"\n',
}
HEADER = "# Rendered by stackgen"
PATH = re.compile(r"(?:# |\{# )(\S+\.(?:ya?ml|j2))(?: #\})?")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, its lines and the line it begins at."""

    language: str
    lines: tuple[str, ...]
    number: int


def blocks(text: str, first_line: int = 1) -> Iterator[Block]:
    language: str | None = None
    number, lines = 0, list[str]()
    for count, line in enumerate(text.split("\n"), first_line):
        fence = re.fullmatch(r"```(\w*)", line)
        if fence and language is None:
            language, number, lines = fence[1], count, []
        elif line == "```" and language is not None:
            yield Block(language, tuple(lines), number)
            language = None
        elif language is not None:
            lines.append(line)
    assert language is None, f"the block of line {number} does not end"


@dataclass
class Reader:
    """Reads a document as a user who types all of it."""

    folder: Path
    here: Path = field(init=False)
    stack: str = ""

    def __post_init__(self) -> None:
        self.here = self.folder

    def read(self, block: Block) -> None:
        if block.language in ("yaml", "jinja"):
            path = PATH.fullmatch(block.lines[0])
            assert path, f"line {block.number}: the first line names no file"
            self.write(path[1], "\n".join([*block.lines[1:], ""]), block)
        elif block.language == "dockerfile":
            self.compare(block)
        elif block.language == "console":
            self.type_all(block)
        elif block.language == "sh":
            for line in block.lines:
                if re.match(r"(cd|stackgen)\b", line):
                    self.type(line, None, block)

    def write(self, path: str, text: str, block: Block) -> None:
        place = self.here / path
        if place.exists():
            there = re.sub(r"\A# yaml-language-server: .*\n", "", place.read_text("utf-8"))
            assert text.strip() == there.strip(), f"line {block.number}: {path} is another"
        else:
            tree(self.here, {path: text})
        self.stack = path

    def check(self, block: Block) -> None:
        """See that an example that is not shown to be wrong is valid: a stack, or a project file."""
        if Path(self.stack).name == PROJECT_FILE:
            findings = Findings()
            load_project(Inputs((self.here / self.stack).parent), findings)
            assert findings.sorted() == (), f"line {block.number}"
        elif any(line.startswith(("from:", "extends:")) for line in block.lines):
            api.render([self.stack], cwd=self.here).unwrap()

    def compare(self, block: Block) -> None:
        shown = "\n".join([*block.lines, ""])
        plan = api.render([self.stack], cwd=self.here).unwrap()
        image = next(image for image in plan.images if self.stack.endswith(image.stack))
        made = next(file.content for file in image.files if file.path == "Dockerfile").decode()
        if shown.startswith(HEADER):
            assert shown == made, f"line {block.number}"
        else:
            assert f"\n{shown}" in made, f"line {block.number}: not in\n{made}"

    def type_all(self, block: Block) -> None:
        command, output = "", list[str]()
        for line in [*block.lines, "$ "]:
            if not line.startswith("$ "):
                output.append(line)
                continue
            if command == "make demo":
                recipe = demo()
                assert output.pop(0) == recipe, f"line {block.number}: make prints {recipe}"
                command = recipe.removeprefix(".venv/bin/")
            if re.match(r"(cd|stackgen)\b", command):
                self.type(command, output, block)
            command, output = line.removeprefix("$ "), []

    def type(self, command: str, output: list[str] | None, block: Block) -> None:
        code = re.search(r"\s# exit (\d)", command)
        words = shlex.split(command, comments=True)
        if words[0] == "cd":
            self.here = self.here / words[1]
            assert self.here.is_dir(), f"line {block.number}: {command}"
            return
        target = self.here / words.pop() if words[-2] == ">" else None
        if target:
            words.pop()
            target.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.chdir(self.here):
            result = CliRunner().invoke(cli, words[1:], prog_name="stackgen", catch_exceptions=False)
        if target:
            target.write_text(result.stdout, "utf-8")
        assert result.exit_code == int(code[1] if code else 0), f"line {block.number}: {command}\n{result.output}"
        if output:
            assert re.fullmatch(pattern(output), result.output.strip()), (
                f"line {block.number}: {command} prints\n{result.output}"
            )


def demo() -> str:
    """Give the command behind `make demo`, as make prints it."""
    found = re.search(r"^demo:.*\n\t\$\(BIN\)/(.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert found
    return f".venv/bin/{found[1]}"


def pattern(lines: list[str]) -> str:
    """Give what output must look like; `…` stands for any lines."""
    text = "\n".join(lines).strip()
    return r"[\s\S]*".join(re.escape(part) for part in re.split(r"^…$", text, flags=re.MULTILINE))


def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "stackgen"
    folder.mkdir()
    for name in CHECKOUT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    return folder


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if path != MADE], ids=lambda path: path.name)
def test_what_is_shown_happens(path: Path, tmp_path: Path) -> None:
    """Every command of a document runs as it is shown, and every Dockerfile is what its stack renders to."""
    text = path.read_text("utf-8")
    shown = list(blocks(text))
    # The first screen of the README is a project of its own.
    start = text[: text.index("\n## ")].count("\n") if path.name == "README.md" else 0
    reader = Reader(checkout(tmp_path))
    if path.parent.name == "docs":
        tree(reader.folder, FILES)
    for index, block in enumerate(shown):
        if block.number > start:
            reader.read(block)
            after = shown[index + 1].lines if index + 1 < len(shown) else ()
            if block.language == "yaml" and not any("# exit 1" in line for line in after):
                reader.check(block)


def test_the_first_screen_is_true(tmp_path: Path) -> None:
    """The stack that the README begins with is in every new project, and renders to the Dockerfile beside it."""
    text = (ROOT / "README.md").read_text("utf-8")
    run(["new", "project", "shop"], tmp_path)
    first = list(blocks(text[: text.index("\n## ")]))
    assert [block.language for block in first] == ["yaml", "dockerfile"]
    reader = Reader(tmp_path / "shop")
    for block in first:
        reader.read(block)


def test_the_readme_says_what_is_there_and_what_is_not_yet() -> None:
    """Whoever chooses a tool by its README is not disappointed by a finding later, and misses nothing that is there."""
    text = (ROOT / "README.md").read_text("utf-8")
    there, _, later = text.partition("## Not there yet")
    assert [name for name in COMMANDS if f"`stackgen {name}" not in there] == []
    reader = reference.Reader()
    keys = reader.file("stack")["properties"]
    missing = {name for name, key in keys.items() if "x-later" in reader.whole(key, "stack")[0]} | set(LATER)
    said = set(re.findall(r"`(\w+)`", later))
    assert said & {*keys, *COMMANDS, *LATER} == missing


def links(path: Path) -> Iterator[str]:
    prose = re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    yield from re.findall(r"\]\(([^)\s]+)\)", prose)


@pytest.mark.parametrize("path", [*DOCUMENTS, ROOT / "CHANGELOG.md"], ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    """A link inside the repository names a file that is there, and a heading that it has."""
    for link in links(path):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, link


def slug(heading: str) -> str:
    """Give a heading's anchor, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_what_is_made_is_up_to_date() -> None:
    """The reference says what schemas and data say now, the architecture what files there are."""
    assert MADE.read_text("utf-8") == reference.page()
    architecture = reference.ARCHITECTURE.read_text("utf-8")
    assert architecture == reference.with_rooms(architecture)


def test_every_schema_is_in_the_reference() -> None:
    """A file that users write has its keys explained."""
    assert {path.stem for path in (ROOT / "schemas").glob("*.json")} == {name for _, name, _, _ in reference.FILES}


def test_every_page_is_found_from_the_readme() -> None:
    """A page that nothing links to is not read."""
    assert {f"docs/{page.name}" for page in PAGES} <= set(links(ROOT / "README.md"))
