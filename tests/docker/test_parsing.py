"""Dockerfiles read as BuildKit reads them, with its own parser as the judge."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stackgen.docker.instructions import (
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Exec,
    Healthcheck,
    Heredoc,
    Instruction,
    Label,
    Onbuild,
    Run,
    ShellForm,
    User,
    Volume,
    Workdir,
)
from stackgen.docker.syntax import DockerfileError, Unsayable, parse, parse_instruction, to_text

from .judge import misjudges, seen_by_buildkit, seen_by_us
from .strategies import dockerfiles, instructions

CORPUS = {
    "comments and continuations": r"""# syntax=docker/dockerfile:1
# escape=\
# no directive any more
# escape=`

FROM debian:12 AS base
  # indented
  RUN a \
      # within
      && b \

      && c
LABEL one="1" \
      two='2 2' \
      # said between
      three=3\ 3
""",
    "escape": '# escape=`\nFROM x\nCOPY a`\n b C:\\\nENV A=a`"b B=c\\\n',
    "heredocs": """FROM x
RUN <<EOF cat > /a
  $A 'b' # c
EOF
COPY <<-"ONE" <<TWO /dest/
\tONE is near
\tONE
2
TWO
ONBUILD RUN <<E
x
E
RUN ["<<EOF"]
CMD <<EOF
""",
    "json": r"""FROM x
CMD ["a", "b c", "\u00e9\n"]
ENTRYPOINT [ "a" ,"b"]
RUN [ -s /x ]
CMD ['a']
VOLUME ["/a b", "/c"]
VOLUME [/a]
SHELL ["/bin/bash", "-c"]
COPY --chown=a:b ["a b", "c"]
""",
    "flags": """FROM --platform=linux/amd64 x as Build
RUN --mount=type=cache,target="/a b" --network=none  apt-get update
COPY --link --from=build --chmod=0755 a b c/
ADD --checksum=sha256:00 http://x /x
HEALTHCHECK --interval=5s --retries=3 CMD curl -f x || exit 1
WORKDIR -- --x
CMD -- -- a
""",
    "old forms": 'FROM x\nENV a b  c "d" \\$e\nLABEL a b=c\nMAINTAINER  me <a@b>  \nexpose 80\t443/udp\n',
    "windows": "FROM x\r\nRUN a \\\r\n  b\r\nENV A=1\r\n",
    "no newline at the end": "FROM x\nRUN a \\",
    "a byte order mark": "\ufeff# escape=`\nFROM x\n",
    "blanks of all kinds": "\xa0FROM x\nENV A=a\u2028B=b C=c\x1fD\nUSER\x0bu\xa0\n",
}


@pytest.mark.parametrize("name", CORPUS)
def test_corpus(name: str) -> None:
    """Awkward Dockerfiles give the instructions, words, heredocs and lines that BuildKit's parser gives."""
    assert [seen_by_us(parsed) for parsed in parse(CORPUS[name])] == seen_by_buildkit(CORPUS[name])


@given(st.lists(instructions, min_size=1, max_size=4))
def test_what_is_printed_is_read_by_both(drawn: list[Instruction]) -> None:
    """Instructions come back from their text the same, together and alone, and BuildKit's parser sees them so too."""
    texts = []
    for instruction in drawn:
        try:
            texts.append(to_text(instruction))
        except Unsayable:
            continue
        assert parse_instruction(texts[-1]) == instruction
    assume(texts)
    text = "\n".join(texts)
    parsed = parse(text)
    assert "\n".join(each.text for each in parsed) == text
    if not misjudges(text):
        assert [seen_by_us(each) for each in parsed] == seen_by_buildkit(text)


@settings(max_examples=300)
@given(dockerfiles)
def test_anything_is_read_as_by_buildkit(text: str) -> None:
    """What we can read BuildKit's parser reads as the same; what it cannot, we cannot."""
    assume(not misjudges(text))
    judged = seen_by_buildkit(text)
    try:
        parsed = parse(text)
    except DockerfileError:
        # It may be an instruction that refuses its words, on which BuildKit's parser has no say yet.
        return
    assert [seen_by_us(each) for each in parsed] == judged


@pytest.mark.parametrize(
    ("text", "instruction"),
    [
        ('env A=1 B="2 3" C=4\\ 5', Env(pairs=(("A", "1"), ("B", '"2 3"'), ("C", "4\\ 5")))),
        ('ENV A  b "c"', Env(pairs=(("A", 'b "c"'),))),
        ('LABEL "a b"=c', Label(pairs=(('"a b"', "c"),))),
        ("WORKDIR /a b", Workdir(path="/a b")),
        ("CMD", Cmd(command=ShellForm(""))),
        ("CMD []", Cmd(command=Exec(()))),
        ('ENTRYPOINT ["a"] b', Entrypoint(command=ShellForm('["a"] b'))),
        ('CMD ["\\ud800"]', Cmd(command=Exec(("\ufffd",)))),
        ('VOLUME [" /a ", "/b"]', Volume(paths=("/a", "/b"))),
        ("HEALTHCHECK --foo none", Healthcheck(test=None)),
        ('HEALTHCHECK --start-interval=2s cmd ["a"]', Healthcheck(test=Exec(("a",)), start_interval="2s")),
        (
            "COPY --chown=a <<EOF b /x\ny\nEOF",
            Copy(
                sources=("<<EOF", "b"),
                dest="/x",
                flags=("--chown=a",),
                heredocs=(Heredoc(name="EOF", content="y\n"),),
            ),
        ),
        (
            "RUN cat <<-'E'\n\tx\n\tE",
            Run(
                command=ShellForm("cat <<-'E'"),
                heredocs=(Heredoc(name="E", content="\tx\n", expand=False, chomp=True),),
            ),
        ),
        ("ONBUILD   USER a  ", Onbuild(trigger=User(user="a"), text="USER a  ")),
        (
            "onbuild env A=1 \\\n  B=2",
            Onbuild(trigger=Env(pairs=(("A", "1"), ("B", "2"))), text="env A=1   B=2"),
        ),
        (
            "ONBUILD RUN <<-E\n\tx\n\tE",
            Onbuild(
                trigger=Run(command=ShellForm("<<-E"), heredocs=(Heredoc(name="E", content="\tx\n", chomp=True),)),
                text="RUN <<-E\n\tx\nE",
            ),
        ),
    ],
)
def test_one_instruction(text: str, instruction: Instruction) -> None:
    """The words of an instruction are kept as they stand, quotes and all."""
    assert parse_instruction(text) == instruction


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "no instruction"),
        ("# only a comment\n", 1, "no instruction"),
        ("FROM x\n  FOO y", 2, "unknown instruction FOO"),
        ("FROM a b", 1, "FROM is written"),
        ("FROM a AS 1b", 1, "no name for a stage"),
        ("FROM x\n\nENV A", 3, "ENV A has no value"),
        ("ENV A=1 \\\n B", 1, "'B' in ENV has no ="),
        ("ENV =x", 1, "a name in ENV is empty"),
        ("ARG =x", 1, "a name in ARG is empty"),
        ("LABEL", 1, "LABEL has no argument"),
        ("USER", 1, "USER has no argument"),
        ("USER --x a", 1, "USER has no flag --x"),
        ('VOLUME [""]', 1, "a path in VOLUME is empty"),
        ("CMD [1]", 1, "strings only"),
        ("SHELL a", 1, "JSON array"),
        ("COPY a", 1, "a source and a destination"),
        ("COPY --foo a b", 1, "COPY has no flag --foo"),
        ("COPY --chown a b", 1, "--chown needs a value"),
        ("COPY --link=x a b", 1, "--link is true or false"),
        ("COPY --from=a --from=b c d", 1, "--from is given twice"),
        ("COPY a <<EOF\nEOF", 1, "cannot copy to a heredoc"),
        ("ENV A=1\nRUN <<EOF\nx", 2, "the heredoc EOF has no end"),
        ("HEALTHCHECK", 1, "HEALTHCHECK is written"),
        ("HEALTHCHECK RUN x", 1, "CMD and NONE, not RUN"),
        ("HEALTHCHECK NONE x", 1, "NONE takes no argument"),
        ("HEALTHCHECK CMD", 1, "no command"),
        ("HEALTHCHECK --interval=5 CMD x", 1, "--interval: nothing is no unit of time"),
        ("HEALTHCHECK --timeout=1us CMD x", 1, "--timeout cannot be less than 1ms"),
        ("HEALTHCHECK --retries=-1 CMD x", 1, "--retries must be a number"),
        ("ONBUILD", 1, "ONBUILD has no instruction"),
        ("ONBUILD ONBUILD RUN x", 1, "ONBUILD cannot be a trigger"),
        ("ONBUILD FROM x", 1, "FROM cannot be a trigger"),
        ("ONBUILD CMD [1]", 1, "strings only"),
        ("# escape=x\nFROM x", 1, "must be \\ or `"),
        ("# escape=`\n# escape=`\nFROM x", 2, "given twice"),
        ("# escape=`\nONBUILD ENV A=a\\ b", 2, "'b' in ENV has no ="),
        ("ENV A=" + "a" * 65530, 1, "more than 65535 bytes"),
    ],
)
def test_faults(text: str, line: int, message: str) -> None:
    """A fault is told in one sentence, at the first line of its instruction."""
    with pytest.raises(DockerfileError) as caught:
        parse(text)
    assert message in caught.value.message
    assert caught.value.line == line


def test_a_fault_has_its_column() -> None:
    """An indented instruction's fault points at the instruction, not at the blanks before it."""
    with pytest.raises(DockerfileError) as caught:
        parse("FROM x\n    FOO")
    assert (caught.value.line, caught.value.column) == (2, 5)


def test_lines_and_text() -> None:
    """An instruction knows the lines that it takes, and their text as it is in the file."""
    first, second = parse("# c\nRUN a \\\n  # d\n  b\n\nRUN <<E\nx\nE\n")
    assert (first.line, first.end_line, first.text) == (2, 4, "RUN a \\\n  # d\n  b")
    assert (second.line, second.end_line, second.text) == (6, 8, "RUN <<E\nx\nE")


def test_the_escape_character_goes_with_the_instructions() -> None:
    """Words are in the file's own escape character, so each instruction says which it is."""
    (parsed,) = parse("# escape=`\nENV A=`$B\n")
    assert (parsed.escape, parsed.instruction) == ("`", Env(pairs=(("A", "`$B"),)))


def test_only_one_instruction() -> None:
    """Where one instruction is asked for, a second is a fault at its line."""
    with pytest.raises(DockerfileError) as caught:
        parse_instruction("USER a\nUSER b")
    assert caught.value.line == 2
