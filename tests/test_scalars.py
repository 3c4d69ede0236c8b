"""Scalars as they are written, by the type of their field; and what else of YAML a user may write."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from stackgen import api
from stackgen.diagnostics import Diagnostic
from tests.helpers import config, rendered, tree

HEAD = "from: debian:12-slim\n"


def errors(root: Path, stack: str = "app.yml") -> list[Diagnostic]:
    """Give the errors of a stack."""
    return [found for found in api.render([stack], cwd=root).diagnostics if found.severity == "error"]


def the_error(root: Path) -> tuple[str, str, str]:
    """Give the one error of a stack: its code, where it stands, and the cure."""
    (found,) = errors(root)
    assert found.span is not None
    return found.code, f"{found.span.line}:{found.span.column}", found.help or ""


# -- the matrix: a scalar as it is written, and what each type of field makes of it

FORMS = (
    "1", "01", "755", "0755", "0o17", "0o755", "0x1F", "0b11", "1_000", "+1", "-1", "1e3", "1.0", "8.10", "1.5",
    ".5", "5.", ".inf", ".nan", "22:22", "190:20:30", "2001-01-01", "2001-01-01T00:00:00Z", "yes", "no", "on",
    "off", "y", "n", "true", "True", "TRUE", "false", "null", "Null", "NULL", "~", "", '""', "''", '"1"', "'1'",
    '"true"', '"null"', "30s", "1m30s",
)  # fmt: skip
NULLS = ("null", "Null", "NULL", "~", "")


def plain(form: str) -> str:
    return form.strip("\"'")


def outcome(root: Path, stack: str, read: Callable[[Any], object]) -> str:
    """Give what a stack makes of a scalar, or the cure of its one error; `!` stands before a cure."""
    tree(root, {"app.yml": HEAD + stack})
    result = api.inspect(["app.yml"], cwd=root)
    if result.ok:
        (image,) = result.unwrap()
        told = image.to_json()
        where = {"Name": told["Name"].partition(":")[2], "Programs": told["Programs"], **told["Config"]}
        return str(read(where))
    found = [each for each in result.diagnostics if each.severity == "error"]
    assert [each.code for each in found] == ["wrong-value"], found
    assert found[0].span is not None
    return f"!{found[0].help or ''}"


@pytest.mark.parametrize("form", FORMS)
def test_text(form: str, tmp_path: Path) -> None:
    """A field that takes a text takes every scalar as it was typed; only nothing is no text."""
    made = outcome(tmp_path, f"env:\n  A: {form}\n", lambda told: told["Env"][-1])
    assert made == ('!write "" for an empty text, or remove the key' if form in NULLS else f"A={plain(form)}")


TAGS = dict.fromkeys(
    ("+1", "-1", ".5", ".inf", ".nan", "22:22", "190:20:30", "2001-01-01T00:00:00Z", '""', "''"), "!"
) | dict.fromkeys(NULLS, "!give it a value, or remove the key")


@pytest.mark.parametrize("form", FORMS)
def test_tag(form: str, tmp_path: Path) -> None:
    """A tag is a text with a pattern: 8.10 keeps its zero, `no` is no switch, and what is no tag is an error."""
    assert outcome(tmp_path, f"tag: {form}\n", lambda told: told["Name"]) == TAGS.get(form, plain(form))


PORTS = {form: f"{plain(form)}/tcp" for form in ("1", "755", '"1"', "'1'")} | {
    "22:22": '!write 22; a port of the host is `service: {ports: ["22:22"]}`'
}


@pytest.mark.parametrize("form", FORMS)
def test_port(form: str, tmp_path: Path) -> None:
    """A port is a number without ornament: 22:22 is no time of day, and is told where it belongs."""
    made = outcome(tmp_path, f"expose:\n- {form}\n", lambda told: " ".join(told["ExposedPorts"]))
    wrong = "!give it a value, or remove the key" if form in NULLS else "!"
    assert made == PORTS.get(form, wrong)


MODES = {"0755": 0o755, "755": "write 0755", "0o755": "write 0755"}


@pytest.mark.parametrize("form", [*FORMS, '"0755"', "644", "0o644", "4755", "493", "u+x"])
def test_mode(form: str, tmp_path: Path) -> None:
    """A mode is octal as it stands, never a decimal: without its 0 it is an error that offers it."""
    known = {
        **MODES, '"0755"': 0o755, "644": "write 0644", "0o644": "write 0644", "493": "", "4755": ""
    }  # fmt: skip
    tree(tmp_path, {"app.yml": HEAD + f"files:\n- dest: /a\n  content: x\n  mode: {form}\n"})
    result = api.render(["app.yml"], cwd=tmp_path)
    if result.ok:
        (mode,) = {file.mode for file in result.unwrap().images[0].files if file.path.startswith("rootfs/")}
        assert mode == known[form]
    else:
        (found,) = result.diagnostics
        assert found.code == "wrong-value"
        wanted = known.get(form, "give it a value, or remove the key" if form in NULLS else "")
        assert (found.help or "") == wanted


DURATIONS = {"30s": 30, "1m30s": 90, "1": "write 1s", "01": "write 01s", "755": "write 755s", "0755": "write 0755s"}


@pytest.mark.parametrize("form", FORMS)
def test_duration(form: str, tmp_path: Path) -> None:
    """A duration has a unit: a bare number is an error that offers seconds."""
    made = outcome(
        tmp_path,
        f"healthcheck:\n  test: x\n  interval: {form}\n",
        lambda told: told["Healthcheck"]["Interval"] // 10**9,
    )
    known = {**DURATIONS, '"1"': "write 1s", "'1'": "write 1s"}.get(form)
    if form in NULLS:
        assert made == "!give it a value, or remove the key"
    else:
        assert made == (str(known) if isinstance(known, int) else f"!{known or ''}")


INTEGERS = {
    "1": "1", "755": "755", "01": "!write 1", "0755": "!write 755", "0o17": "!write 15", "0o755": "!write 493",
    "0x1F": "!write 31", "0b11": "!write 3", "1_000": "!write 1000", "+1": "!write 1",
    '"1"': "!write 1, without quotes", "'1'": "!write 1, without quotes",
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_integer(form: str, tmp_path: Path) -> None:
    """A whole number is written as one: other ways are answered with it, and never taken for another number."""
    made = outcome(
        tmp_path, f"healthcheck:\n  test: x\n  retries: {form}\n", lambda told: told["Healthcheck"]["Retries"]
    )
    wrong = "!give it a value, or remove the key" if form in NULLS else "!"
    if form == "-1":
        assert made.startswith("!")
    else:
        assert made == INTEGERS.get(form, wrong)


BOOLEANS = {
    **dict.fromkeys(("true", "True", "TRUE"), "True"),
    "false": "False",
    **dict.fromkeys(("yes", "on", "y"), "!write true"),
    **dict.fromkeys(("no", "off", "n"), "!write false"),
    '"true"': "!write true, without quotes",
}


@pytest.mark.parametrize("form", FORMS)
def test_boolean(form: str, tmp_path: Path) -> None:
    """A switch is true or false; YAML 1.1's other words for it are answered with the one that is meant."""
    stack = f"supervisor: {{}}\nprograms:\n  p:\n    command: x\n    autostart: {form}\n"
    made = outcome(tmp_path, stack, lambda told: told["Programs"]["p"]["autostart"])
    assert made == BOOLEANS.get(form, "!give it a value, or remove the key" if form in NULLS else "!")


UNTYPED = {"1": "integer", "755": "integer", "-1": "integer", "1.0": "float", "1.5": "float", "true": "boolean",
           "false": "boolean", **dict.fromkeys(NULLS, "null")}  # fmt: skip
KIND = (
    "{{ 'null' if x is none else 'boolean' if x is boolean else 'integer' if x is integer else 'float' if x is float "
    "else 'text' }} {{ '' if x is none else x }}"
)


@pytest.mark.parametrize("form", FORMS)
def test_untyped(form: str, tmp_path: Path) -> None:
    """Where a field has no type, a scalar is a number or a boolean only if that is how it would be written."""
    made = outcome(tmp_path, f'vars:\n  x: {form}\nenv:\n  A: "{KIND}"\n', lambda told: told["Env"][-1])
    kind = UNTYPED.get(form, "text")
    assert made == f"A={kind} {'' if kind == 'null' else plain(form)}"


@pytest.mark.parametrize("form", ["1.0", "8.10", "1e3", "0755", "no", "22:22", "2001-01-01", "true", "1.5"])
def test_a_variable_keeps_its_text(form: str, tmp_path: Path) -> None:
    """A value that went through a variable is what was typed, in a text and as a whole expression."""
    stack = f'vars: {{x: {form}}}\nenv: {{A: "{{{{ x }}}}", B: "v{{{{ x }}}}"}}\n'
    tree(tmp_path, {"app.yml": HEAD + stack})
    assert config(tmp_path)["Env"][-2:] == [f"A={form}", f"B=v{form}"]  # type: ignore[index]


# -- YAML's structure


def test_doubled_keys(tmp_path: Path) -> None:
    """A key given twice is an error at the second, which says where the first is, at every depth."""
    tree(tmp_path, {"app.yml": HEAD + "env:\n  A: 1\n  B: 2\n  A: 3\ntag: a\nlabels: {x: a, x: b}\ntag: b\n"})
    found = errors(tmp_path)
    assert [(each.code, each.span.line, each.span.column) for each in found if each.span] == [
        ("doubled-key", 5, 3),
        ("doubled-key", 7, 16),
        ("doubled-key", 8, 1),
    ]
    assert [(r.message, r.span.line, r.span.column) for each in found for r in each.related] == [
        ("first given here", 3, 3),
        ("first given here", 7, 10),
        ("first given here", 6, 1),
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [("env:\n\tA: b\n", "3:1"), ("env: {\n\tA: b}\n", None), ("run:\n  - a\n\t- b\n", "4:1"), ("tag:\ta\n", None)],
)
def test_tabs(text: str, place: str | None, tmp_path: Path) -> None:
    """A tab that indents is named as what it is; one that only separates is taken, as YAML has it."""
    tree(tmp_path, {"app.yml": HEAD + text})
    found = errors(tmp_path)
    if place is None:
        assert not found
    else:
        assert the_error(tmp_path) == ("tab", place, "indent with blanks")


def test_unknown_anchor(tmp_path: Path) -> None:
    """An alias to nothing names the anchors that there are, at the alias."""
    tree(tmp_path, {"app.yml": HEAD + "vars: {a: &tools [x]}\npackages: *tool\n"})
    code, place, help = the_error(tmp_path)
    assert (code, place) == ("unknown-anchor", "3:11")
    assert "tools" in help


MERGES = {
    "one": ("<<: *a\n", {"A": "1", "B": "2"}),
    "its own keys win": ("<<: *a\n    A: own\n", {"A": "own", "B": "2"}),
    "wherever they stand": ("A: own\n    <<: *a\n", {"A": "own", "B": "2"}),
    "a list, the first wins": ("<<: [*c, *a]\n", {"A": "3", "B": "2", "C": "4"}),
    "a block list": ("<<:\n      - *a\n      - *c\n", {"A": "1", "B": "2", "C": "4"}),
    "a map written there": ("<<: {A: 5}\n", {"A": "5"}),
    "a list of one": ("<<: [*a]\n", {"A": "1", "B": "2"}),
}


@pytest.mark.parametrize("name", MERGES)
def test_merge_keys(name: str, tmp_path: Path) -> None:
    """`<<` works as in every other YAML file: own keys win, then the first named."""
    text, expected = MERGES[name]
    stack = f"vars: {{a: &a {{A: 1, B: 2}}, c: &c {{A: 3, C: 4}}}}\nenv:\n    {text}"
    tree(tmp_path, {"app.yml": HEAD + stack})
    env = dict(each.split("=", 1) for each in config(tmp_path)["Env"])  # type: ignore[attr-defined]
    del env["PATH"]
    assert env == expected


def test_merge_of_a_merge(tmp_path: Path) -> None:
    """What is merged may itself have been merged."""
    stack = "vars: {a: &a {A: 1, B: 2}, b: &b {<<: *a, B: 3}}\nenv: {<<: *b, C: 4}\n"
    tree(tmp_path, {"app.yml": HEAD + stack})
    assert sorted(config(tmp_path)["Env"][1:]) == ["A=1", "B=3", "C=4"]  # type: ignore[index]


@pytest.mark.parametrize("value", ["x", "[x]", "1", ""])
def test_merge_of_no_map(value: str, tmp_path: Path) -> None:
    """`<<` of what is no map is an error at `<<`, and only one."""
    tree(tmp_path, {"app.yml": HEAD + f"env:\n  <<: {value}\n  A: 1\n"})
    assert the_error(tmp_path) == ("merge-not-map", "3:3", "name the anchor of a map: <<: *anchor")


def test_a_quoted_merge_key_is_a_key(tmp_path: Path) -> None:
    """`"<<"` in quotes is a text like others."""
    tree(tmp_path, {"app.yml": HEAD + 'labels: {"<<": a}\n'})
    assert config(tmp_path)["Labels"]["<<"] == "a"  # type: ignore[index]


def test_several_documents(tmp_path: Path) -> None:
    """A file holds one document; the second is pointed at, also where a document follows an end mark."""
    for text in ("---\n" + HEAD + "---\nfrom: scratch\n", HEAD + "...\n---\nfrom: scratch\n"):
        tree(tmp_path, {"app.yml": text})
        (found,) = errors(tmp_path)
        assert found.code == "several-documents"
        assert found.span is not None
        assert found.span.source.line(found.span.line) == "---"
    tree(tmp_path, {"app.yml": f"%YAML 1.2\n---\n{HEAD}...\n"})
    assert not errors(tmp_path)


@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["plain", "bom"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_line_ends_and_marks(start: str, end: str, tmp_path: Path) -> None:
    """A mark at the start and Windows' line ends change neither what is read nor the columns, and are not handed on."""
    lines = [
        "from: debian:12-slim",
        "env:",
        "  A: é x  # note",
        "files:",
        "  - dest: /a",
        "    content: |",
        "      a",
        "      b",
    ]
    text = start + end.join(lines) + end
    (tmp_path / "app.yml").write_bytes(text.encode())
    made = rendered(tmp_path)
    assert made["app/rootfs/a"] == b"a\nb\n"
    assert all(b"\r" not in content and b"\xef\xbb\xbf" not in content for content in made.values())
    (tmp_path / "app.yml").write_bytes((text + end.join(["envv: {}", "tag: [a]", ""])).encode())
    assert [(each.span.line, each.span.column, each.span.end_column) for each in errors(tmp_path) if each.span] == [
        (9, 1, 5),
        (10, 6, 9),
    ]


def test_a_mark_in_the_first_key(tmp_path: Path) -> None:
    """A fault in the first key of a file that begins with a mark has its right column."""
    (tmp_path / "app.yml").write_bytes("\ufefffrmo: debian:12-slim\n".encode())
    (found,) = errors(tmp_path)
    assert found.span is not None
    assert (found.code, found.span.line, found.span.column, found.span.end_column) == ("unknown-key", 1, 1, 5)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252"])
def test_other_encodings(encoding: str, tmp_path: Path) -> None:
    """A file in another encoding is told as such, with the cure, and at the byte where that can be seen."""
    text = HEAD + "description: naïve\n"
    (tmp_path / "app.yml").write_bytes(text.encode(encoding))
    (found,) = errors(tmp_path)
    assert (found.code, found.help) == ("not-utf8", "save it as UTF-8")
    assert found.span is not None
    if encoding in ("latin-1", "cp1252"):
        assert (found.span.line, found.span.column) == (2, 16)


EMPTY = ("", "\n", "# nothing\n", "---\n", "---\n...\n", "~\n", "{}\n", "null\n", "\ufeff", "--- {}\n")


@pytest.mark.parametrize("text", EMPTY)
def test_empty_files(text: str, tmp_path: Path) -> None:
    """A file that says nothing is told so, and shown the smallest stack."""
    (tmp_path / "app.yml").write_bytes(text.encode())
    (found,) = errors(tmp_path)
    assert (found.code, found.message) == ("not-a-map", "a stack file is empty")
    assert "from:" in (found.help or "")


@pytest.mark.parametrize(
    ("text", "kind"), [("- from: x\n", "list"), ("[]\n", "list"), ("from\n", "text"), ("1\n", "text")]
)
def test_files_that_are_no_map(text: str, kind: str, tmp_path: Path) -> None:
    """A list or a text in place of a stack is named as what it is."""
    (tmp_path / "app.yml").write_text(text)
    (found,) = errors(tmp_path)
    assert found.code == "not-a-map"
    assert f"this file is a {kind}" in found.message


@pytest.mark.parametrize("text", ["a\x00b", "a\x07b", "\x1b[0m"])
def test_characters_that_yaml_forbids(text: str, tmp_path: Path) -> None:
    """A control character is a finding at its place, in YAML's own words at the worst."""
    (tmp_path / "app.yml").write_bytes(f"{HEAD}tag: {text}\n".encode())
    (found,) = errors(tmp_path)
    assert found.code == "yaml-syntax"
    assert found.span is not None
    assert found.span.line == 2


# -- what would make a machine sweat


def bomb(flow: bool) -> str:
    """Nine aliases to what is nine aliases, and so on."""
    values = {"a": ["x"] * 9} | {name: [f"*{before}"] * 9 for before, name in pairwise("abcdefghijklmno")}
    if flow:
        lists = (f"{name}: &{name} [{','.join(items)}]" for name, items in values.items())
        return f"{HEAD}vars: {{{', '.join(lists)}}}\n"
    lines = [line for name, items in values.items() for line in (f"{name}: &{name}", *(f"- {item}" for item in items))]
    return HEAD + "vars:\n" + "".join(f"  {line}\n" for line in lines)


@pytest.mark.parametrize("flow", [True, False])
def test_alias_bomb(flow: bool, tmp_path: Path) -> None:
    """Nine to the power of fifteen nodes in some lines are a finding at the alias, and cost nothing."""
    (tmp_path / "app.yml").write_text(bomb(flow))
    (found,) = errors(tmp_path)
    assert found.code == "too-many-nodes"


def test_merge_bomb(tmp_path: Path) -> None:
    """Merge keys make a file no larger than aliases do."""
    lines = ["vars:", "  a0: &a0 {" + ", ".join(f"k{i}: 1" for i in range(50)) + "}"]
    lines += [f"  a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 50)}]}}" for n in range(1, 40)]
    (tmp_path / "app.yml").write_text(HEAD + "\n".join(lines) + "\n")
    assert [each.code for each in errors(tmp_path)] == ["too-many-nodes"]


DEEP = {
    "flow lists": "vars: {a: " + "[" * 3000 + "]" * 3000 + "}\n",
    "flow maps": "vars: " + "{a: " * 3000 + "1" + "}" * 3000 + "\n",
    "open lists": "vars: {a: " + "[" * 3000 + "\n",
    "block lists": "vars:\n  a:\n    " + "- " * 3000 + "x\n",
    "block maps": "vars:\n" + "\n".join(" " * (i + 1) + "a:" for i in range(600)) + " 1\n",
    "keys of keys": "vars: " + "{? " * 2000 + "\n",
    "complex keys": "vars:\n  " + "? " * 2000 + "x\n",
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_nesting(name: str, tmp_path: Path) -> None:
    """What stands too deep is a finding where it becomes so, in every style."""
    (tmp_path / "app.yml").write_text(HEAD + DEEP[name])
    found = errors(tmp_path)
    assert found
    assert {each.code for each in found} <= {"too-deep", "yaml-syntax", "key-not-text"}, found


def test_deep_nesting_in_an_expression(tmp_path: Path) -> None:
    """Brackets without end in an expression are a finding too."""
    (tmp_path / "app.yml").write_text(HEAD + 'env: {A: "{{ ' + "(" * 5000 + "1" + ")" * 5000 + ' }}"}\n')
    (found,) = errors(tmp_path)
    assert found.code in ("expression-fails", "expression-syntax")


def test_variables_of_variables(tmp_path: Path) -> None:
    """A long chain of variables is evaluated, or is a finding; never an exception."""
    lines = [f'  v{n}: "{{{{ v{n + 1} }}}}"' for n in range(400)]
    tree(tmp_path, {"app.yml": HEAD + "vars:\n" + "\n".join(lines) + '\n  v400: end\nenv: {A: "{{ v0 }}"}\n'})
    found = errors(tmp_path)
    assert not found or [each.code for each in found] == ["expression-fails"]
