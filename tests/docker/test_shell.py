"""What words come to, as the engine showed it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackgen.docker.errors import ExpansionError
from stackgen.docker.shell import expand_word, expand_words

from .strategies import awkward

ENV = {"A": "abcabc", "B": "x y", "E": "", "D": "$0-$$", "P": "/a/b/c.tar.gz", "é": "accent"}


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("$A ${A} $A$E|", "abcabc abcabc abcabc|"),
        ("${N:-d} ${N-d} ${E:-d} ${E-d}", "d d d "),
        ("${A:+s} ${A+s} ${E:+s} ${E+s} ${N:+s} ${N+s}", "s s  s  "),
        ("${A:?no} ${A?no} ${E?no}", "abcabc abcabc "),
        ("${A#ab} ${A#a*b} ${A##a*b} ${A%bc} ${A%b*c} ${A%%b*c}", "cabc cabc c abca abca a"),
        ("${A/b/X} ${A//b/X} ${A/N/X} ${A/?c/X} ${A/a*c/X}", "aXcabc aXcaXc abcabc aXabc X"),
        ("${P##*/} ${P%/*} ${P%%.*} ${P//\\//:}", "c.tar.gz /a/b /a/b/c :a:b:c.tar.gz"),
        ("${A//*/X} ${E//*/X}|${A//b/'[$0]'}", "X X|a[b]ca[b]c"),
        ("${A/b/$D} ${A/b/'$0'} ${A//b/$$}|", "a$0-$$cabc a$0cabc acac|"),
        ("${N:-${E:-$A}} ${N:-'x}y'} ${N:-\"q\"} ${N:-it\\'s} ${N:-a\\}b}", "abcabc x}y q it's a}b"),
        ('\'lit$A\' "q$A" q\\$A "\\$A" "\\a\\"\\\\"', 'lit$A qabcabc q$A $A \\a"\\'),
        ("$é ${é}$1${1}$?$* a$ $", "accent accent a$ $"),
        ("$N ${N}|", " |"),
        ("\\", ""),
        ("\ufeffa \ufeff", "a \ufeff"),
    ],
)
def test_expansions(word: str, value: str) -> None:
    """Operators, patterns, quotes and escapes give what BuildKit's stable syntax gives."""
    assert expand_word(word, ENV) == value


@pytest.mark.parametrize(
    "word",
    [
        *(
            "${",
            "${A",
            "${}",
            "${:-x}",
            "${{A}}",
            "${A!x}",
            "${A:#x}",
            "${A:%x}",
            "${A:x}",
            "${A#\\b}",
            "${A/b}",
            "${A/b/c",
        ),
        *("'a", '"a', '"${A"', "${N?}", "${N:?why}", "${E:?}"),
    ],
)
def test_nonsense(word: str) -> None:
    """What BuildKit cannot expand is an error that names the word."""
    with pytest.raises(ExpansionError) as caught:
        expand_word(word, ENV)
    assert repr(word) in str(caught.value)


def test_required() -> None:
    """The message that a `${NAME:?message}` brings along is what the user reads."""
    with pytest.raises(ExpansionError, match="TOKEN: give a token"):
        expand_word("${TOKEN:?give a token}", ENV)


@pytest.mark.parametrize(
    ("word", "values"),
    [
        ("80 443", ["80", "443"]),
        ("$B z", ["x", "y", "z"]),
        ('"$B" z', ["x y", "z"]),
        ("a\\ b '' \"\"", ["a b"]),
        ("$E", []),
        ("a\xa0b\u2028c\x1fd", ["a", "b", "c\x1fd"]),
        # An expansion with an operator swallows what stands before it in its word; one without does not.
        ("6${N:-5}1 6${N}1 6${E}1", ["51", "61", "61"]),
    ],
)
def test_words(word: str, values: list[str]) -> None:
    """Where one word may become several, it is split at what Go calls a space, after expansion."""
    assert expand_words(word, ENV) == values


def test_escape_character() -> None:
    """Under `# escape=` the backtick escapes and the backslash is a character like any other."""
    assert expand_word('"a\\b`"c" `$A \\$A ${N:-`}}', ENV, escape="`") == 'a\\b"c $A \\abcabc }'


@given(awkward)
def test_single_quotes(value: str) -> None:
    """Nothing but a single quote means anything within single quotes."""
    text = value.replace("'", "")
    assert expand_word(f"'{text}'", ENV) == text


@given(st.text("a*?b", max_size=6), st.text("ab", max_size=8))
def test_trimming(pattern: str, value: str) -> None:
    """The longest match is never shorter than the shortest, and what is left is an end of the value."""
    env = {"V": value}
    short, long = expand_word(f"${{V#{pattern}}}", env), expand_word(f"${{V##{pattern}}}", env)
    assert value.endswith(short)
    assert short.endswith(long)
    short, long = expand_word(f"${{V%{pattern}}}", env), expand_word(f"${{V%%{pattern}}}", env)
    assert value.startswith(short)
    assert short.startswith(long)
