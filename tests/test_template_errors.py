"""Errors in expressions, in .j2 files and in a user's own templates: where they are shown, and what led there."""

from __future__ import annotations

from pathlib import Path

import pytest

from stackgen import api
from stackgen.api import Options
from stackgen.diagnostics import Diagnostic, Span
from tests.helpers import run, tree

HEAD = "from: debian:12-slim\n"


def errors(root: Path, options: Options = api.DEFAULTS, stack: str = "app.yml") -> list[Diagnostic]:
    """Give the errors of a stack."""
    return [found for found in api.render([stack], options, cwd=root).diagnostics if found.severity == "error"]


def shown(span: Span | None) -> str:
    """Give a place with what stands there: `app.yml:3:5 {{ x }}`."""
    assert span is not None
    lines = [span.source.line(number) for number in range(span.line, span.end_line + 1)]
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return f"{span.path}:{span.line}:{span.column} " + "\n".join(lines)


# -- expressions in a stack: each text has one that fails, between « and »

PLACES = {
    "alone": 'env: {A: "«{{ nope }}»"}',
    "behind others": 'env: {A: "{{ 1 }} and {{ 2 }} and «{{ nope }}» {{ 3 }}"}',
    "behind wide characters": 'env: {A: "名前 é «{{ nope }}»"}',
    "single quotes": "env: {A: 'it''s «{{ nope }}»'}",
    "escapes before it": 'env: {A: "\\t\\u00e9\\" «{{ nope }}»"}',
    "plain": "run:\n  - echo «{{ nope }}»",
    "a condition": 'env: {A: "«{% if nope %}»x{% endif %}"}',
    "a filter's argument": "env: {A: \"{{ 1 }}«{{ 'a' | default(nope) ~ nope }}»\"}",
    "a literal block": "run:\n  - |\n    first {{ 1 }}\n    second «{{ nope }}»\n    third",
    "a literal block, stripped": "run:\n  - |-\n    a\n\n    b «{{ nope }}»",
    "a folded block": "run:\n  - >\n    a\n    b «{{ nope }}»\n    c",
    "a block in a map": "files:\n  - dest: /a\n    content: |\n      {{ 1 }}\n      «{{ nope }}»\n",
    "quotes over lines": 'env:\n  A: "one\n    two «{{ nope }}»\n    three"',
    "plain over lines": "env:\n  A: one\n    two «{{ nope }}»\n    three",
    "an expression over lines": 'env:\n  A: "one «{{ 1 +\n    nope }}» two"',
    "in a list in a list": "run: [[a, 'b «{{ nope }}»']]",
    "a name that others hold": 'env: {A: "{{ nopes }} «{{ nope }}»"}\nvars: {nopes: 1}',
    "no name at all": 'env: {A: "{{ x }} «{{ 1 / x }}» {{ x }}"}\nvars: {x: 0}',
    "a member": 'env: {A: "{{ distro.name }} «{{ distro.nope }}»"}',
    "null in a text": 'env: {A: "{{ x }} «{{ y }}»"}\nvars: {x: 0, y: }',
    "syntax": 'env: {A: "«{{ 1 + }}»"}',
}


@pytest.mark.parametrize("name", PLACES)
def test_expression(name: str, tmp_path: Path) -> None:
    """The finding stands under the expression that fails, in every way to write a text."""
    text = HEAD + PLACES[name] + "\n"
    tree(tmp_path, {"app.yml": text.replace("«", "").replace("»", "").encode()})
    (found,) = errors(tmp_path)
    before, _, rest = text.partition("«")
    wrong, line = rest.partition("»")[0], before.count("\n") + 1
    assert shown(found.span) == f"app.yml:{line}:{len(before) - before.rfind(chr(10))} {wrong}"


def test_expression_in_a_variable(tmp_path: Path) -> None:
    """An expression in a variable fails where it stands; where it was used is told as well."""
    tree(tmp_path, {"app.yml": HEAD + 'vars:\n  a: "{{ nope }}"\n  b: "x{{ a }}"\nenv: {A: "{{ b }}"}\n'})
    (found,) = errors(tmp_path)
    assert shown(found.span) == "app.yml:3:7 {{ nope }}"
    assert ("the variable is used here", "app.yml:5:11 {{ b }}") in [(r.message, shown(r.span)) for r in found.related]


def test_a_name_that_is_used_often(tmp_path: Path) -> None:
    """A name that nobody defines is one fault, however often it is used: the other places are related to the first."""
    tree(
        tmp_path,
        {
            "base.yml": HEAD + 'vars: {app_dir: /a}\nenv: {A: "{{ app_dri }}"}\n',
            "app.yml": 'extends: base\nworkdir: "{{ app_dri }}/x"\nfiles: [{src: a.j2, dest: /b}]\n',
            "a.j2": "x\n{{ app_dri }}\n",
        },
    )
    (found,) = errors(tmp_path)
    assert found.help == 'did you mean "app_dir"?'
    assert shown(found.span) == "base.yml:3:11 {{ app_dri }}"
    assert [(r.message, shown(r.span)) for r in found.related] == [
        ('"app_dir" is set here', "base.yml:2:8 app_dir: /a"),
        ("also here", "app.yml:2:11 {{ app_dri }}"),
    ]


def test_a_value_says_where_it_comes_from(tmp_path: Path) -> None:
    """A value that its field does not take is told at the field, with the variable that it comes from."""
    tree(tmp_path, {"app.yml": HEAD + 'vars: {port: http}\nexpose: ["{{ port }}"]\n'})
    (found,) = errors(tmp_path)
    assert (found.code, shown(found.span)) == ("wrong-value", 'app.yml:3:10 "{{ port }}"')
    assert [shown(r.span) for r in found.related] == ["app.yml:2:8 port: http"]


def test_what_has_no_text(tmp_path: Path) -> None:
    """Null, a list and a map have no text: each is told by the variable's name, with what to write."""
    tree(
        tmp_path,
        {"app.yml": HEAD + 'vars: {a: , b: [1], c: {d: 1}}\nenv: {A: "x{{ a }}", B: "x{{ b }}", C: "x{{ c }}"}\n'},
    )
    told = {found.message: found.help for found in errors(tmp_path)}
    assert told == {
        '"a" is null, which has no text': "write what it is then: or ''",
        '"b" is a list, which has no text': "{{ b | join(' ') }}",
        '"c" is a map, which has no text': "take a member: {{ c.key }}",
    }
    places = [shown(related.span) for found in errors(tmp_path) for related in found.related]
    assert places == ["app.yml:2:8 a: ", "app.yml:2:13 b: [1]", "app.yml:2:21 c: {d: 1}"]


def test_a_branch_that_does_not_hold(tmp_path: Path) -> None:
    """A variable that only another distribution's branch sets is shown there."""
    tree(tmp_path, {"app.yml": HEAD + 'when: {rpm: {vars: {tool: x}}}\nenv: {A: "{{ tool }}"}\n'})
    (found,) = errors(tmp_path)
    assert [(r.message, shown(r.span)) for r in found.related] == [
        ("only `when: rpm` sets it, which does not hold here", "app.yml:2:21 tool: x")
    ]


def test_fragments_that_led_there(tmp_path: Path) -> None:
    """A fault in a fragment of a fragment names each include up to the stack."""
    tree(
        tmp_path,
        {
            "stackgen.yml": "",
            "app.yml": HEAD + "include: [parts/one.yml]\n",
            "parts/one.yml": "include: [{file: deep/two.yml}]\n",
            "parts/deep/two.yml": 'env: {A: "{{ nope }}"}\n',
        },
    )
    (found,) = errors(tmp_path)
    assert shown(found.span) == "parts/deep/two.yml:1:11 {{ nope }}"
    assert [shown(r.span) for r in found.related] == [
        "parts/one.yml:1:18 deep/two.yml",
        "app.yml:2:11 parts/one.yml",
    ]


# -- .j2 files

FILES = {
    "a name": "a\nb «{{ nope }}» c\n",
    "a member": "a\n\n  «{{ distro.nope }}»\n",
    "in a condition": "{% if true %}\n«{% if nope %}»\nx\n{% endif %}\n{% endif %}\n",
    "in a loop": "{% for x in [1, 2] %}\n{{ x }} «{{ nope }}»\n{% endfor %}\n",
    "what is looped over": "a\n«{% for x in nope %}»\n{{ x }}\n{% endfor %}\n",
    "a division": "a\n\n«{{ 1 / 0 }}»\n",
    "null": "a\n«{{ none_of_it }}»\n",
    "a list": "x\ny «{{ words }}»\n",
    "behind a comment": "{# one\ntwo #}\n«{{ nope }}»\n",
    "behind raw": "{% raw %}{{ nope }}{% endraw %}\n{{ 1 }}\n«{{ nope }}»\n",
    "in a macro": "{% macro m() %}\n  «{{ nope }}»\n{% endmacro %}\n\n{{ m() }}\n",
    "behind wide characters": "名前 «{{ nope }}»\n",
    "syntax": "a\n«{{ 1 + }}»\n",
    "an unknown tag": "a\nb\n«{% nope %}»\n",
    "an include": "a\n«{% include 'b.j2' %}»\n",
}


@pytest.mark.parametrize("name", FILES)
def test_file(name: str, tmp_path: Path) -> None:
    """A fault in a .j2 file is told at its expression there, with the place in the stack that copies the file."""
    text = FILES[name]
    stack = HEAD + "vars: {none_of_it: , words: [a, b]}\nfiles:\n- {src: conf/a.j2, dest: /a}\n"
    tree(tmp_path, {"app.yml": stack, "conf/a.j2": text.replace("«", "").replace("»", "").encode()})
    (found,) = errors(tmp_path)
    before, _, rest = text.partition("«")
    wrong = rest.partition("»")[0]
    assert found.span is not None
    assert (found.span.path, found.span.line) == ("conf/a.j2", before.count("\n") + 1)
    assert shown(found.span).endswith(wrong)
    assert ("the file is copied here", "app.yml:4:9 conf/a.j2") in [(r.message, shown(r.span)) for r in found.related]


def test_a_file_cannot_include(tmp_path: Path) -> None:
    """A .j2 file that includes another is told that it stands alone."""
    tree(tmp_path, {"app.yml": HEAD + "files: [{src: a.j2, dest: /a}]\n", "a.j2": "{% include 'b' %}\n"})
    (found,) = errors(tmp_path)
    assert "stands alone" in found.message
    assert found.help


def test_a_variable_that_fails_in_a_file(tmp_path: Path) -> None:
    """Where a .j2 file uses a variable that fails, the fault is the variable's, at its own place."""
    stack = HEAD + 'vars: {a: "{{ nope }}"}\nfiles: [{src: a.j2, dest: /a}]\n'
    tree(tmp_path, {"app.yml": stack, "a.j2": "x\n{{ a }}\n"})
    (found,) = errors(tmp_path)
    assert shown(found.span) == "app.yml:2:12 {{ nope }}"


def test_nothing_eats_the_machine(tmp_path: Path) -> None:
    """A slip in a number makes no text that fills the memory, and no sum that never ends."""
    for text in ("'a' * 9999999999", "[1] * 999999999", "9 ** 9999999", "9999999999 * 'a'", "range(10000000) | list"):
        tree(tmp_path, {"app.yml": HEAD + f'env: {{A: "{{{{ {text} }}}}"}}\n'})
        assert [found.code for found in errors(tmp_path)] == ["expression-fails"], text


# -- a user's own templates

EXTENDS = '{% extends "stackgen/dockerfile/Dockerfile.j2" %}\n'
TEMPLATES = {
    "a name": EXTENDS + "{% block env %}\n«ENV A={{ nope }}»\n{% endblock %}\n",
    "a member": EXTENDS + "{% block env %}\n\n  «{{ image.nope }}»\n{% endblock %}\n",
    "a filter": EXTENDS + "{% block env %}\n«{{ 1 | nope }}»\n{% endblock %}\n",
    "syntax": EXTENDS + "«{% block %}»\n",
    "a sum": EXTENDS + "{% block env %}\n«{{ 1 / 0 }}»\n{% endblock %}\n",
    "no such template": EXTENDS + "{% block env %}\n«{% include 'dockerfile/nope.j2' %}»\n{% endblock %}\n",
}


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("by", ["project", "option"])
def test_template(name: str, by: str, tmp_path: Path) -> None:
    """A fault in a user's own template is told at its line there, with the place in the stack that asks for it."""
    text = TEMPLATES[name]
    where = "shop/own" if by == "project" else "elsewhere"
    tree(
        tmp_path,
        {
            "shop/stackgen.yml": "templates: own\n" if by == "project" else "",
            "shop/app.yml": HEAD + "env: {A: b}\n",
            "shop/own/x": "",
            f"{where}/dockerfile/Dockerfile.j2": text.replace("«", "").replace("»", ""),
        },
    )
    options = Options(templates=None if by == "project" else tmp_path / "elsewhere")
    (found,) = errors(tmp_path / "shop", options)
    before, _, rest = text.partition("«")
    assert found.code == "template-fails"
    assert found.span is not None
    assert found.span.source.folder == tmp_path / where
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    assert shown(found.span) == f"dockerfile/Dockerfile.j2:{line}:{column} {rest.partition('»')[0]}"
    assert [(r.message, r.span.path) for r in found.related][-1] == ("asked for here", "app.yml")
    called = ["--templates", str(tmp_path / "elsewhere")] if by == "option" else []
    printed = run(["validate", "app.yml", *called], tmp_path / "shop").stderr
    shown_path = "own" if by == "project" else "../elsewhere"
    assert printed.startswith(f"{shown_path}/dockerfile/Dockerfile.j2:{line}:")


def test_includes_that_led_there(tmp_path: Path) -> None:
    """A fault in an included template names each template that includes, up to the first, with its line."""
    tree(
        tmp_path,
        {
            "stackgen.yml": "templates: own\n",
            "app.yml": HEAD,
            "own/dockerfile/Dockerfile.j2": EXTENDS + "{% block env %}\n{% include 'parts/one.j2' %}\n{% endblock %}\n",
            "own/parts/one.j2": "# one\n{% include 'parts/two.j2' %}\n",
            "own/parts/two.j2": "# two\n\n{{ nope }}\n",
        },
    )
    (found,) = errors(tmp_path)
    assert shown(found.span) == "parts/two.j2:3:1 {{ nope }}"
    assert [(r.message, shown(r.span)) for r in found.related] == [
        ("included here", "parts/one.j2:2:1 {% include 'parts/two.j2' %}"),
        ("included here", "dockerfile/Dockerfile.j2:3:1 {% include 'parts/one.j2' %}"),
        ("asked for here", "app.yml:1:1 from"),
    ]


def test_syntax_in_an_included_template(tmp_path: Path) -> None:
    """A syntax error in an included template is told in that template, with who includes it."""
    tree(
        tmp_path,
        {
            "stackgen.yml": "templates: own\n",
            "app.yml": HEAD,
            "own/dockerfile/Dockerfile.j2": EXTENDS + "{% block env %}\n{% include 'parts/one.j2' %}\n{% endblock %}\n",
            "own/parts/one.j2": "a\n{% if %}\n",
        },
    )
    (found,) = errors(tmp_path)
    assert shown(found.span) == "parts/one.j2:2:1 {% if %}"
    assert [r.message for r in found.related] == ["included here", "asked for here"]


def test_templates_that_include_each_other(tmp_path: Path) -> None:
    """Templates that include each other end in a finding, not in Python's depths."""
    tree(
        tmp_path,
        {
            "stackgen.yml": "templates: own\n",
            "app.yml": HEAD,
            "own/dockerfile/Dockerfile.j2": "{% include 'a.j2' %}\n",
            "own/a.j2": "{% include 'b.j2' %}\n",
            "own/b.j2": "{% include 'a.j2' %}\n",
        },
    )
    (found,) = errors(tmp_path)
    assert (found.code, found.message) == (
        "template-fails",
        "the template fails: templates include each other without end",
    )


def test_a_template_of_many_images_fails_once(tmp_path: Path) -> None:
    """A template that all images are printed with has one fault, not one an image."""
    tree(
        tmp_path,
        {
            "stackgen.yml": "templates: own\n",
            "base.yml": HEAD,
            "app.yml": "extends: base\n",
            "other.yml": "extends: base\n",
            "own/dockerfile/Dockerfile.j2": "FROM scratch\n{{ nope }}\n",
        },
    )
    found = [each for each in api.render(["."], cwd=tmp_path).diagnostics if each.severity == "error"]
    assert [shown(each.span) for each in found] == ["dockerfile/Dockerfile.j2:2:1 {{ nope }}"]
