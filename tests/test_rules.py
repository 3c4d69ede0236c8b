"""Every code has a page that is true, and every finding that is emitted has a code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from stackgen.codes import CODES
from stackgen.lint.run import IMAGE_RULES, WHOLE_RULES
from tests.helpers import ROOT, run
from tests.rules import CALL, INDEX, SECTIONS, Page, findings_of, index, pages

PAGES = pages()
BY_CODE = {page.code: page for page in PAGES}
SOURCES = sorted((ROOT / "src" / "stackgen").rglob("*.py"))
# The calls whose first argument is a code, and the severity that they give it.
EMITTERS = {"error": "error", "warning": "warning", "info": "info", "fail": "error", "Fault": "error"}
# Findings whose severity is handed on: of a rule, and of a fault.
RULES = {
    **{rule.code: rule.severity for rule in IMAGE_RULES},
    **{rule.code: rule.severity for rule in WHOLE_RULES},
}
FOUND = re.compile(r"(error|warning|info)\[([a-z0-9-]+)\]: ")


def name_of(page: Page) -> str:
    return page.code


def constants(node: ast.AST) -> Iterator[str]:
    """Every text that an expression may give: a constant, or either side of an if."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from constants(node.body)
        yield from constants(node.orelse)
    elif isinstance(node, ast.Tuple):
        yield from constants(node.elts[0])


def assigned(tree: ast.AST) -> Iterator[str]:
    """Every text that a module calls `code`: by itself, or as the first of several names."""
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in targets:
            first = target.elts[0] if isinstance(target, ast.Tuple) else target
            if isinstance(first, ast.Name) and first.id.lower() == "code":
                yield from constants(node.value)  # type: ignore[attr-defined]


def emitted(path: Path) -> Iterator[tuple[str, str]]:
    """Every code that a module may emit, with its severity; "" where that is handed on."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        clicks_own = called == "fail" and path.parent.name == "cli"
        if called in EMITTERS and node.args and not clicks_own:
            for code in constants(node.args[0]):
                yield code, EMITTERS[called]
            if isinstance(node.args[0], ast.Name | ast.Attribute):
                for code in assigned(tree):
                    yield code, ""
        for keyword in node.keywords:
            if keyword.arg == "code":
                for code in constants(keyword.value):
                    yield code, ""
    if path.name in ("inputs.py", "ignore.py"):
        for code in assigned(tree):
            yield code, ""


EMITTED = [found for path in SOURCES for found in emitted(path)]


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    """A finding whose code leads nowhere cannot be looked up."""
    assert sorted(BY_CODE) == sorted(CODES)


def test_what_is_emitted_is_a_code_and_every_code_is_emitted() -> None:
    """A mistyped code has no page, and a code that nobody emits explains what never happens."""
    assert {code for code, _ in EMITTED} == set(CODES)


def test_the_index_is_up_to_date() -> None:
    """The index lists every code with its own sentence; `python -m tests.rules` writes it."""
    assert INDEX.read_text("utf-8") == index()


def test_there_are_rules_of_each_severity() -> None:
    """An error, a warning and an info are three things, and each is used."""
    assert {page.says("severity") for page in PAGES} >= {"error", "warning", "info"}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_has_its_form(page: Page) -> None:
    """Each page says its code's own sentence, its severity, and the same parts in the same order."""
    assert page.title == page.code
    assert page.sentence == CODES[page.code]
    assert tuple(page.sections) == SECTIONS
    assert all(text.strip() for text in page.sections.values())
    said = set(page.says("severity").split(" or "))
    assert said >= {severity for code, severity in EMITTED if code == page.code and severity}
    assert page.code not in RULES or RULES[page.code] in said


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_bad_example_gives_the_output(page: Page, tmp_path: Path) -> None:
    """What a page shows is what stackgen prints, and nothing but the one code is found."""
    ran = page.example("Bad").play(tmp_path)
    assert findings_of(ran) == page.output, "python -m tests.rules writes it anew"
    found = FOUND.findall(page.output)
    assert {code for _, code in found} == {page.code}
    assert {severity for severity, _ in found} <= set(page.says("severity").split(" or "))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_good_example_is_good(page: Page, tmp_path: Path) -> None:
    """A cure that is shown cures: no error is left, and nothing of the page's code."""
    ran = page.example("Good").play(tmp_path)
    assert ran.code == 0, ran.stderr
    assert not FOUND.search(ran.stderr), ran.stderr


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_fix_mends(page: Page, tmp_path: Path) -> None:
    """`--fix` mends what a page calls fixable, and changes no byte of what it does not."""
    example = page.example("Bad")
    example.play(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    last = [command for command in example.commands if command.startswith("stackgen")][-1]
    if not last.startswith("stackgen validate"):
        assert page.says("fixable") == "not fixable"
        return
    ran = run([*last.split()[1:], "--fix"], tmp_path)
    if page.says("fixable") == "fixable":
        assert "mended" in ran.stderr
        assert ran.stderr.count(f"[{page.code}]") < page.output.count(f"[{page.code}]")
    else:
        assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_can_be_ignored_can_be(page: Page, tmp_path: Path) -> None:
    """The project file silences a warning or an info, and never an error."""
    example = page.example("Bad")
    can = page.says("ignorable") == "can"
    assert can == (page.says("severity") != "error")
    if can and page.code != "unused-ignore":
        example.play(tmp_path)
        (tmp_path / "stackgen.yml").write_text(f"ignore: [{page.code}]\n")
        ran = run(CALL.split()[1:], tmp_path)
        assert ran.code == 0
        assert not FOUND.search(ran.stderr), ran.stderr


def test_every_link_between_pages_leads_somewhere() -> None:
    """A page that names another is not a dead end."""
    for page in PAGES:
        for link in re.findall(r"\]\(([a-z0-9-]+\.md)\)", page.path.read_text("utf-8")):
            assert (page.path.parent / link).is_file(), f"{page.code}: {link}"
