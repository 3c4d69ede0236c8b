"""Values to words, and through the lexer back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackgen.docker.instructions import Copy, Env, Label, User, Volume, Workdir
from stackgen.docker.shell import expand_word
from stackgen.docker.syntax import (
    Unsayable,
    escape_dollar,
    literal_source,
    parse_instruction,
    quote,
    quote_key,
    quote_path,
    to_text,
)

from .strategies import awkward

ENV = {"A": "abcabc", "Q": "it's"}


@given(awkward)
def test_any_value_comes_back(value: str) -> None:
    """A value with its dollars escaped is, quoted, printed, parsed and expanded, the value again."""
    word = quote(escape_dollar(value))
    assert expand_word(word, ENV) == value
    env = Env(pairs=(("A", word), ("B", word)))
    assert parse_instruction(to_text(env)) == env


@given(awkward.filter(lambda value: value and "=" not in value))
def test_any_key_comes_back(value: str) -> None:
    """A label's key may be anything but empty and may hold anything but an equals sign."""
    key = quote_key(escape_dollar(value))
    assert expand_word(key, ENV) == value
    label = Label(pairs=((key, '"v"'), (key, '"w"')))
    assert parse_instruction(to_text(label)) == label


@given(awkward)
def test_any_path_comes_back(value: str) -> None:
    """A path reaches WORKDIR, USER, VOLUME and COPY as it was, whatever is in it."""
    word = quote_path(escape_dollar(value))
    assert expand_word(word, ENV) == value
    for instruction in (
        Workdir(path=word),
        User(user=word),
        Volume(paths=(word, word)),
        Copy(sources=(word, word), dest=word),
    ):
        assert parse_instruction(to_text(instruction)) == instruction


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("/app", '"/app"'),
        ("", '""'),
        ('say "hi" #1', '"say \\"hi\\" #1"'),
        ("back\\slash\\", '"back\\\\slash\\\\"'),
        ("/opt:$PATH", '"/opt:$PATH"'),
        ("\\$HOME", '"\\$HOME"'),
        ("C:\\\\$A", '"C:\\\\\\$A"'),
    ],
)
def test_values_look_as_by_hand(value: str, word: str) -> None:
    """A value is double-quoted, and only what means something in there is escaped."""
    assert quote(value) == word


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ("$A ${A} a$ $", "abcabc abcabc a$ $"),
        ('${N:-it\'s "so" \\ \\} \\$A $A}', 'it\'s "so" \\ } $A abcabc'),
        ("${N:-${M-'$A'}}", "'abcabc'"),
        ("${A#*b} ${A%%b*} ${A#\\*} ${A/b/\\$\\} \\x} ${A//b/\\$}", "cabc a abcabc a$} \\xcabc a$ca$c"),
        ("${A/b/$Q}", "ait'scabc"),
        ('\\\\ \\a \\"', '\\\\ \\a \\"'),
    ],
)
def test_dollar_keeps_its_meaning(value: str, result: str) -> None:
    """Expansions work within a quoted value, and what stands in them is literal as well."""
    assert expand_word(quote(value), ENV) == result


@pytest.mark.parametrize(
    "value",
    [
        *("a\nb", "a\0b", "a\ud800b", "${A", "${", "${}", "${:-x}", "${A:#x}", "${A!}", "${A:-x", "${A#x", "${A/x/y"),
        *("${A#'}", '${A/"/x}', "${A/x/'}"),
    ],
)
def test_unsayable(value: str) -> None:
    """What a Dockerfile has no way to say is refused with the reason, and not printed as something else."""
    with pytest.raises(Unsayable) as caught:
        quote(value)
    assert caught.value.reason


@pytest.mark.parametrize("name", ["", "a=b", "a\nb"])
def test_unsayable_names(name: str) -> None:
    """A name cannot be empty or hold an equals sign."""
    with pytest.raises(Unsayable):
        quote_key(name)


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("/etc/nginx/", "/etc/nginx/"),
        ("$HOME/x", "$HOME/x"),
        ("/a b", "/a b"),
        ("/a\\$b", "/a\\$b"),
        ("", '""'),
        (" a", '" a"'),
        ('a"b', '"a\\"b"'),
        ("--x", '"--x"'),
        ("[a]", '"[a]"'),
        ("<<EOF", '"<<EOF"'),
    ],
)
def test_paths_are_quoted_where_they_must_be(value: str, word: str) -> None:
    """A path that means only itself stands without quotes."""
    assert quote_path(value) == word


# Each of these was copied by Docker 28.5 as the one file of that name, with decoys beside it.
@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("rootfs/etc/app.conf", "rootfs/etc/app.conf"),
        ("a[1] $b.txt", "[a]\\\\[1\\\\] \\$b.txt"),
        ("dir/*", "[d]ir/\\\\*"),
        ("dir/a?", "dir/[a]\\\\?"),
        ("back\\slash", "[b]ack\\\\\\\\slash"),
        ("[", "[\\\\[]"),
        ("q\"u'o", "q\\\"u\\'o"),
        ("!x", "[!]x"),
        (" lead", "[ ]lead"),
        ("--flag", "\\--flag"),
        ("<<EOF", "\\<<EOF"),
    ],
)
def test_literal_sources(path: str, word: str) -> None:
    """A file is copied by its own name, also where that looks like a pattern, an expansion, a flag or a heredoc."""
    assert literal_source(path) == word


@pytest.mark.parametrize("path", ["*", "??", "a\tb", "a\nb", "a\x7f"])
def test_unsayable_sources(path: str) -> None:
    """A name that BuildKit can neither be sent nor told from others is refused."""
    with pytest.raises(Unsayable):
        literal_source(path)


@given(st.text("ab*?[]\\^!-. /$\"'<", max_size=8).map("d/{}".format))
def test_sources_survive_printing(path: str) -> None:
    """The word of a literal source is read back as it was printed."""
    copy = Copy(sources=(literal_source(path),), dest="/x/")
    assert parse_instruction(to_text(copy)) == copy
