"""Values, words and instructions for hypothesis to draw, rich in what a Dockerfile finds hard."""

from __future__ import annotations

from hypothesis import strategies as st

from stackgen.docker.errors import DockerfileError, Unsayable
from stackgen.docker.instructions import (
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Exec,
    Expose,
    From,
    Healthcheck,
    Heredoc,
    Instruction,
    Label,
    Maintainer,
    Run,
    Shell,
    ShellForm,
    Stopsignal,
    User,
    Volume,
    Workdir,
)
from stackgen.docker.syntax import as_trigger, to_text

AWKWARD = "\"'\\`$${}#/*?%:-+=<>[]|&;!@,. \t\r\v\x1f\x85\xa0\u2028\ufeffaAé漢\U0001f40b0"
"""Characters that mean something to a Dockerfile, to its shell words, to its scanner, or in Unicode."""

awkward = st.text(AWKWARD, max_size=12) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\n\0"), max_size=12
)
"""Any value that a word can hold."""

names = st.sampled_from(["A", "B", "_c", "D1", "PATH", "a.b", "x-y"])
plain = st.from_regex(r"[a-z0-9/._][a-z0-9/._-]{0,8}", fullmatch=True)
# A word as a hand would type it: pieces that are quoted, escaped, expanded or neither.
_pieces = st.one_of(
    plain,
    st.sampled_from(["$A", "${B}", "${A:-x}", "${_c:+y}", "${A#a*}", "${A%%b}", "${A/b/c}", "\\$", '\\"', "\\\\", "="]),
    st.from_regex(r'"[^"\\\n\0]{0,6}"', fullmatch=True),
    st.from_regex(r"'[^'\\\n\0]{0,6}'", fullmatch=True),
)
words = st.lists(_pieces, min_size=1, max_size=4).map("".join)
paths = words | awkward.filter(bool)
flag_values = st.text("abc/=,: \"'\\-", max_size=8)
heredoc_names = st.sampled_from(["EOF", "E", "END_1"])


def _lines(chomp: bool) -> st.SearchStrategy[str]:
    start = "\t" if chomp else ""
    line = st.text(AWKWARD.replace("\r", ""), max_size=8).map(lambda text: f"{start}{text}\n")
    return st.lists(line, max_size=3).map("".join)


@st.composite
def heredocs(draw: st.DrawFn) -> tuple[str, Heredoc]:
    """A heredoc and the word that announces it."""
    name, expand, chomp = draw(heredoc_names), draw(st.booleans()), draw(st.booleans())
    quote = "" if expand else draw(st.sampled_from("\"'"))
    word = f"<<{'-' if chomp else ''}{quote}{name}{quote}"
    return word, Heredoc(name=name, content=draw(_lines(chomp)), expand=expand, chomp=chomp)


texts = st.one_of(
    awkward,
    st.lists(plain | _pieces, max_size=5).map(" ".join),
    st.sampled_from(["", "[ -s /x ]", '["a"', "[1", "--x"]),
)
commands = st.builds(Exec, st.lists(awkward | st.just("a\nb"), max_size=4).map(tuple)) | st.builds(ShellForm, texts)
_pairs = st.lists(st.tuples(names, words), min_size=1, max_size=4).map(tuple)
_old_pairs = st.tuples(st.tuples(names, st.lists(words, min_size=1, max_size=3).map(" ".join)))
durations = st.none() | st.sampled_from(["30s", "1m30s", "1.5h", "2ms", "0s", "0", "1h0m0.5s", "+3s", ".5s"])

_simple = st.one_of(
    st.builds(Arg, pairs=st.lists(st.tuples(names, st.none() | words), min_size=1, max_size=3).map(tuple)),
    st.builds(Env, pairs=_pairs | _old_pairs),
    st.builds(Label, pairs=_pairs | _old_pairs),
    st.builds(
        Expose,
        ports=st.lists(st.sampled_from(["80", "53/udp", "9000-9002", "$A", "${B:-1}/tcp"]), min_size=1, max_size=3).map(
            tuple
        ),
    ),
    st.builds(Volume, paths=st.lists(paths, min_size=1, max_size=3).map(tuple)),
    st.builds(Workdir, path=paths),
    st.builds(User, user=paths),
    st.builds(Stopsignal, signal=st.sampled_from(["TERM", "SIGQUIT", "9", "$A", '"9"'])),
    st.builds(Shell, argv=st.lists(awkward, min_size=1, max_size=3).map(tuple)),
    st.builds(Entrypoint, command=commands),
    st.builds(Cmd, command=commands),
    st.builds(Healthcheck, test=st.none()),
    st.builds(
        Healthcheck,
        test=commands,
        interval=durations,
        timeout=durations,
        start_period=durations,
        start_interval=durations,
        retries=st.none() | st.sampled_from(["0", "3", "+2"]),
    ),
)
_mounts = st.lists(flag_values.map("--mount=type={}".format), max_size=2).map(tuple)
_run = st.builds(Run, command=commands, flags=_mounts) | heredocs().map(
    lambda pair: Run(command=ShellForm(f"cat {pair[0]}"), heredocs=(pair[1],))
)
_chown = st.lists(flag_values.map("--chown={}".format), max_size=1).map(tuple)
_sources = st.lists(paths, min_size=1, max_size=3).map(tuple)
_copy = st.one_of(
    st.builds(Copy, sources=_sources, dest=paths, flags=_chown),
    st.builds(Add, sources=_sources, dest=paths, flags=_chown),
    st.tuples(heredocs(), plain).map(
        lambda drawn: Copy(sources=(drawn[0][0],), dest=drawn[1], heredocs=(drawn[0][1],))
    ),
)
_onbuild = st.one_of(_simple, _run, _copy)


@st.composite
def triggers(draw: st.DrawFn) -> Instruction:
    """An ONBUILD instruction."""
    try:
        return as_trigger(draw(_onbuild))
    except (DockerfileError, Unsayable):
        return as_trigger(Env(pairs=(("A", "1"),)))


instructions = st.one_of(
    _simple,
    _run,
    _copy,
    triggers(),
    st.builds(
        From,
        image=plain,
        platform=st.none() | st.sampled_from(["linux/amd64", "$A"]),
        name=st.none() | st.from_regex(r"[a-z][a-z0-9-_.]{0,5}", fullmatch=True),
    ),
    st.builds(Maintainer, name=awkward),
)

# Text that may or may not be a Dockerfile.
_keywords = st.sampled_from(
    [
        *(
            "FROM",
            "ARG",
            "ENV",
            "LABEL",
            "EXPOSE",
            "VOLUME",
            "WORKDIR",
            "USER",
            "STOPSIGNAL",
            "SHELL",
            "ENTRYPOINT",
            "CMD",
        ),
        *("HEALTHCHECK", "HEALTHCHECK CMD", "RUN", "COPY", "ADD", "ONBUILD", "MAINTAINER", "env", "Onbuild"),
    ]
)
_scraps = words | st.sampled_from(
    [
        *(" ", "  ", "\t", "\\\n", "\\ \n", "`\n", "\n", "\r\n", "\n\n", "\n# c\n", "\n  # c\n", "\nEOF\n", "\n\tE\n"),
        *(
            "#",
            "=",
            '"',
            "'",
            "\\",
            "`",
            "[",
            "<<EOF",
            "<<-E",
            "--x",
            "--chown=a",
            "--",
            "NONE",
            "CMD",
            "AS",
            "\ufeff",
            "\xa0",
        ),
        *("a=b", "a b", "80", "RUN", "ENV"),
        *("]", '["a", "b"]', '["a", "b"]\n', "[1]"),
    ]
)


@st.composite
def _typed(draw: st.DrawFn) -> str:
    """A keyword, and anything after it."""
    return f"{draw(_keywords)} {''.join(draw(st.lists(_scraps, min_size=1, max_size=6)))}"


@st.composite
def _mangled(draw: st.DrawFn) -> str:
    """An instruction with something thrown into its text."""
    try:
        text = to_text(draw(instructions))
    except Unsayable:
        text = "ENV A=1"
    at = draw(st.integers(0, len(text)))
    return text[:at] + draw(_scraps) + text[at:]


_tops = st.sampled_from(["", "", "# escape=`\n", "# syntax=x\n# escape=\\\n", "# c\n", "\n# escape=`\n", "\ufeff"])
dockerfiles = st.tuples(_tops, st.lists(_typed() | _mangled(), max_size=4)).map(
    lambda drawn: drawn[0] + "\n".join(drawn[1])
)
