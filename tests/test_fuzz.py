"""Whatever a file holds gives findings or a result, no traceback; one slip of the hand gives one error, at its place.

`STACKGEN_FUZZ=N` makes N times as many tries; the same ones come each time.
"""

from __future__ import annotations

import json
import os
import shutil
import string
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stackgen import api
from stackgen.api import CallError, Options, StackError
from stackgen.codes import CODES
from stackgen.diagnostics import Diagnostic, Span
from stackgen.read import shape
from tests.cases import Case, cases
from tests.helpers import ROOT, run
from tests.mutations import Mutation, mutations

TIMES = int(os.environ.get("STACKGEN_FUZZ", "1"))
# Of the mutations of the real stacks, each of this many is tried; of those of the cases, fewer.
STEP = max(1, 6 // TIMES)
CASES_STEP = max(1, 61 // TIMES)
TRUNCATE = max(1, 97 // TIMES)
FUZZ = settings(
    max_examples=16 * TIMES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
FORMATS = ("text", "json", "sarif", "github")


# -- what must hold of every run


def check_finding(found: Diagnostic) -> None:
    """A finding has a known code, and its places are places of its text."""
    assert found.code in CODES
    assert found.message
    for span in (found.span, *(related.span for related in found.related), found.fix.span if found.fix else None):
        if span is not None:
            check_span(span)


def check_span(span: Span) -> None:
    if span == Span.whole(span.source):
        return
    lines = span.source.text.split("\n")
    assert 1 <= span.line <= span.end_line <= len(lines)
    assert 1 <= span.column <= len(lines[span.line - 1]) + 1
    assert span.end_column >= 1
    assert (span.line, span.column) <= (span.end_line, span.end_column)


def survive(root: Path, stack: str = "app.yml", options: Options = api.DEFAULTS) -> tuple[Diagnostic, ...]:
    """Go through every verb of the public API; give the findings, or nothing where the call is wrong."""
    found: tuple[Diagnostic, ...] = ()
    with suppress(StackError, CallError):
        loaded = api.load([stack], options, cwd=root)
        api.check(loaded.unwrap()).unwrap()
    with suppress(StackError, CallError):
        api.inspect([stack], options, cwd=root).unwrap()
    with suppress(StackError, CallError):
        result = api.render([stack], options, cwd=root)
        found = result.diagnostics
        for each in found:
            check_finding(each)
        plan = result.unwrap()
        api.changes(plan).unwrap()
        api.write(plan).unwrap()
    return found


def call(root: Path, format: str, *more: str) -> None:
    """Call the command line, which prints findings and no traceback, in any format."""
    ran = run(["validate", "app.yml", "--format", format, *more], root)
    assert ran.code in ((0, 1, 2, 3) if "--diff" in more else (0, 1, 2)), ran
    assert "Traceback" not in ran.stderr + ran.stdout
    if format in ("json", "sarif") and ran.code != 2:
        json.loads(ran.stdout)


# -- arbitrary files

WORDS = sorted(
    {key for name in ("stack", "project", "fragment") for key in shape.keys(shape.load(name))}
    | {"<<", "src", "dest", "mode", "install", "command", "apt", "debian-12", "a=b", "file", "sh", "with", "php", ""}
)
# What a scalar may look like, one a line: YAML takes each of them for something.
LOOKS = """
~|yes|0755|22:22|1e3|8.10|2001-01-01|{{ x }}|{{|{% if %}|!reset|*a|&a x|[|]|{|}|- a|a: b|#|'|"|>|é|👩‍💻|${A}|\\|app|a:1
"""
SCALARS = st.one_of(
    st.sampled_from(["", "|", "\t", "\x00", "\u2028", *LOOKS.strip().split("|")]),
    st.text(max_size=12),
    st.integers().map(str),
    st.floats().map(str),
)
TREES: st.SearchStrategy[object] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=10), SCALARS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(WORDS), st.text(max_size=5)), inner, max_size=5),
    ),
    max_leaves=15,
)
MAPS = st.dictionaries(st.sampled_from(WORDS), TREES, max_size=6)


def dumped(value: object) -> bytes:
    return yaml.safe_dump(value, allow_unicode=True).encode("utf-8", "surrogatepass")


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """Lines that look like YAML, and are not always."""
    made = []
    for _ in range(draw(st.integers(1, 8))):
        indent = " " * draw(st.sampled_from([0, 0, 0, 2, 2, 4, 1]))
        dash = draw(st.sampled_from(["", "", "- "]))
        key = draw(st.sampled_from([f"{word}: " for word in WORDS] + ["", "? "]))
        made.append(indent + dash + key + draw(SCALARS))
    return draw(st.sampled_from(["\n", "\r\n", "\r"])).join(made).encode("utf-8", "surrogatepass")


FILES = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.builds(lambda text: text.encode("utf-16"), st.text(max_size=20)),
    lines(),
    TREES.map(dumped),
    MAPS.map(dumped),
    MAPS.map(lambda keys: dumped({"from": "debian:12-slim", **keys})),
)

PROJECT: Mapping[str, bytes] = {
    "stackgen.yml": b"name: shop\ndata: data\ntemplates: own\n",
    "app.yml": b"from: corp/base:1\ndistro: mine-1\nmirror: near\ninclude: [frag.yml]\n"
    b"inherits: {}\npackages: [curl]\nfiles: [{src: a.j2, dest: /a}]\n",
    "frag.yml": b"vars: {x: 1}\n",
    "a.j2": b"{{ x }}\n",
    "own/dockerfile/Dockerfile.j2": b'{% extends "stackgen/dockerfile/Dockerfile.j2" %}\n',
    "data/distros/mine-1.yml": (ROOT / "templates/distros/debian-12.yml").read_bytes(),
    "data/mirrors/near.yml": (ROOT / "templates/mirrors/official.yml").read_bytes().replace(b"debian-12:", b"mine-1:"),
    "data/families/apt/family.yml": (ROOT / "templates/families/apt/family.yml").read_bytes(),
}


def put(root: Path, files: Mapping[str, bytes]) -> Path:
    shutil.rmtree(root, ignore_errors=True)
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def test_the_project_that_is_spoilt_is_sound(tmp_path: Path) -> None:
    """Spoiling a project proves something only where it is valid before."""
    put(tmp_path / "it", PROJECT)
    assert api.render(["app.yml"], cwd=tmp_path / "it").ok
    shutil.copytree(ROOT / "stacks", tmp_path / "stacks")
    for root in (None, "debian12"):
        assert api.render(["stacks/wordpress.yml"], Options(base=root), cwd=tmp_path).ok


@pytest.mark.parametrize("name", PROJECT)
def test_any_file(name: str, tmp_path: Path) -> None:
    """Whatever stands in a stack, a fragment, a template or data: a user gets findings, and no traceback."""

    @FUZZ
    @given(FILES, st.sampled_from(FORMATS))
    def spoil(content: bytes, format: str) -> None:
        survive(put(tmp_path / "it", {**PROJECT, name: content}))
        call(tmp_path / "it", format)

    spoil()


@FUZZ
@given(st.dictionaries(st.sampled_from(sorted(PROJECT)), FILES, min_size=2, max_size=4), st.sampled_from(FORMATS))
def test_any_files(tmp_path: Path, files: Mapping[str, bytes], format: str) -> None:
    """Several broken files at once are as good as one."""
    survive(put(tmp_path / "it", {**PROJECT, **files}))
    call(tmp_path / "it", format)


@FUZZ
@given(FILES)
def test_fix_any_file(tmp_path: Path, content: bytes) -> None:
    """`--fix` of whatever stands in a stack ends too, and shows first what it does then."""
    root = put(tmp_path / "it", {**PROJECT, "app.yml": content})
    call(root, "text", "--fix", "--diff")
    assert (root / "app.yml").read_bytes() == content
    call(root, "text", "--fix")


TOKENS = """
x y 1 '' none true [1] {'a':1} + * ** / ~ | . ( ) [ ] if else for in range distro parent env items __class__ join
int lower default {{ }} {% %} raw endraw set = include import macro 9999999999
"""
EXPRESSIONS = st.one_of(
    st.text(st.sampled_from(string.printable + "{}%#|.éx"), max_size=25),
    st.lists(st.sampled_from(TOKENS.split()), max_size=12).map(" ".join),
)


@FUZZ
@given(EXPRESSIONS, st.booleans())
def test_any_expression(tmp_path: Path, text: str, whole: bool) -> None:
    """Whatever an expression says, in a value and in a .j2 file: a value, or a finding at its place."""
    expression = "{{ " + text + " }}" if whole else text
    stack: dict[str, object] = {
        "from": "debian:12-slim",
        "vars": {"x": "a", "y": expression},
        "env": {"A": "{{ y }}", "B": expression},
    }
    stack["files"] = [{"src": "a.j2", "dest": "/a"}]
    root = put(tmp_path / "it", {"app.yml": dumped(stack), "a.j2": (expression + "\n").encode()})
    for found in survive(root):
        assert found.span is not None, found


# -- mutations of the real stacks: each file of them, on either root

REAL = [(root, file) for root in (None, "debian12") for file in (root or "centos7", "mysql", "php-fpm", "wordpress")]


def covers(place: tuple[int, int, int, int], found: Diagnostic, path: str) -> bool:
    """Whether a finding's place, or a related one, touches a place of a file."""
    for span in (found.span, *(related.span for related in found.related)):
        if span is not None and span.path == path:
            first, last = (span.line, span.column), (span.end_line, span.end_column)
            if first <= place[2:] and place[:2] <= last:
                return True
    return False


def everything_in(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))


class Bench:
    """Spoils one file of a project again and again, counts, and holds each answer against what a user may expect."""

    def __init__(self, root: Path, paths: list[str], options: Options, file: str) -> None:
        self.root, self.paths, self.options, self.file = root, paths, options, file
        self.path = root / file
        self.sound = self.path.read_text("utf-8")
        self.before = everything_in(root)
        self.usual = {(found.code, found.message) for found in self.run(self.sound)}
        self.counts: Counter[str] = Counter()

    def run(self, text: str | bytes) -> tuple[Diagnostic, ...]:
        """Render with another text in the file; nothing is written."""
        self.path.write_bytes(text.encode() if isinstance(text, str) else text)
        try:
            result = api.render(self.paths, self.options, cwd=self.root)
            if result.ok:
                api.changes(result.unwrap())
            assert everything_in(self.root) == self.before
        finally:
            self.path.write_text(self.sound, "utf-8")
        for found in result.diagnostics:
            check_finding(found)
        return result.diagnostics

    def spoil(self, mutation: Mutation) -> list[Diagnostic]:
        """Spoil one node; give the errors."""
        found = self.run(mutation.text)
        errors = [each for each in found if each.severity == "error"]
        told = [each for each in found if each.severity != "error" and (each.code, each.message) not in self.usual]
        self.counts["mutations"] += 1
        if errors:
            self.counts["faults"] += 1
            self.counts["covered"] += any(covers(mutation.place, each, self.file) for each in errors)
            assert not told, f"{mutation.name}: a warning follows from the error\n{mutation.text}"
        return errors

    def command_line(self, mutation: Mutation, valid: bool) -> None:
        """What the API says, the command line does: exit code 1, and nothing is written."""
        self.path.write_text(mutation.text, "utf-8")
        try:
            base = ["--base", self.options.base] if self.options.base else []
            ran = run(["render", "--check", *base, *self.paths], self.root)
        finally:
            self.path.write_text(self.sound, "utf-8")
        assert ran.code == (3 if valid else 1), ran
        assert everything_in(self.root) == self.before


def one_error(mutation: Mutation, errors: list[Diagnostic], file: str) -> None:
    """One fault gives one error; where what is gone was used in several ways, each error leads to where it was."""
    if len(errors) < 2:
        return
    if mutation.kind == "delete":
        strangers = [each for each in errors if not mutation.names(f"{each.message} {each.help}")]
    else:
        strangers = [each for each in errors if not covers(mutation.place, each, file)]
    assert not strangers, f"{mutation.name}: an error follows from another\n{mutation.text}\n{strangers}"


@pytest.mark.parametrize(("root", "file"), REAL, ids=lambda part: part or "centos7")
def test_mutations(root: str | None, file: str, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """A slip of the hand anywhere in a real stack gives one error, which leads to the place of the slip."""
    shutil.copytree(ROOT / "stacks", tmp_path / "stacks")
    bench = Bench(tmp_path, ["stacks/wordpress.yml"], Options(base=root), f"stacks/{file}.yml")
    offset = REAL.index((root, file))
    for number, mutation in enumerate(mutations(bench.sound)):
        if (number + offset) % STEP:
            continue
        errors = bench.spoil(mutation)
        one_error(mutation, errors, bench.file)
        led = any(covers(mutation.place, each, bench.file) for each in errors)
        if errors and not led:
            # What is gone has no place any more; then it is named.
            assert mutation.kind != "double"
            assert any(mutation.names(f"{each.message} {each.help}") for each in errors), (mutation, errors)
            bench.counts["named"] += 1
        if number % 40 == 0:
            bench.command_line(mutation, not errors)
    record_property("figures", figures(f"stacks/{file}.yml on {root or 'centos7'}", bench.counts))


@pytest.mark.parametrize(("root", "file"), REAL, ids=lambda part: part or "centos7")
def test_truncated(root: str | None, file: str, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """A stack that ends early, as after a lost connection, gives findings and nothing else."""
    shutil.copytree(ROOT / "stacks", tmp_path / "stacks")
    bench = Bench(tmp_path, ["stacks/wordpress.yml"], Options(base=root), f"stacks/{file}.yml")
    whole = bench.sound.encode()
    counts: Counter[str] = Counter()
    for end in range(REAL.index((root, file)), len(whole), TRUNCATE):
        errors = [found for found in bench.run(whole[:end]) if found.severity == "error"]
        counts["mutations"] += 1
        counts["faults"] += bool(errors)
        own = [found for found in errors if found.span and found.span.path == bench.file]
        counts["covered"] += bool(own)
        # What is no YAML is told once, and nothing else is told of it.
        assert len(errors) == 1 or not any(found.code == "yaml-syntax" for found in errors), (end, errors)
    record_property("figures", figures(f"stacks/{file}.yml on {root or 'centos7'}, truncated", counts))


def figures(name: str, counts: Counter[str]) -> str:
    told = f"{counts['mutations']:5} mutations, {counts['faults']:5} of them faults, {counts['covered']:5} led to"
    return f"{name:45} {told}" + (f", {counts['named']} named" if counts["named"] else "")


def _calls(case: Case) -> tuple[list[str], Options]:
    """Give the paths and options that a case calls `render` with."""
    words = iter(case.call)
    paths: list[str] = []
    said: dict[str, str] = {}
    variables: dict[str, str] = {}
    for word in words:
        if word == "--set":
            name, _, value = next(words).partition("=")
            variables[name] = value
        elif word.startswith("-"):
            said[word] = next(words)
        else:
            paths.append(word)
    return paths, Options(base=said.get("--base"), mirror=said.get("--mirror"), variables=variables)


def _spoilt(case: Case, root: Path) -> Iterator[tuple[Bench, Mutation]]:
    paths, options = _calls(case)
    for path in sorted(root.rglob("*.yml")):
        bench = Bench(root, paths, options, path.relative_to(root).as_posix())
        for mutation in mutations(bench.sound) if bench.sound.strip() else ():
            yield bench, mutation


def test_mutations_of_the_cases(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """The same holds of every key of the language: each good case is spoilt as well."""
    counts: Counter[str] = Counter()
    number = 0
    for case in cases("good"):
        root = case.copy_to(tmp_path / case.folder.name)
        for bench, mutation in _spoilt(case, root):
            number += 1
            if number % CASES_STEP == 0:
                with suppress(CallError):
                    one_error(mutation, bench.spoil(mutation), bench.file)
                counts += bench.counts
                bench.counts.clear()
    record_property("figures", figures("tests/cases/good", counts))
