"""The history of Dockerfiles that were built once, as the engine wrote it: tests/engine asks one again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stackgen.docker import durations
from stackgen.docker.arguments import platform_args
from stackgen.docker.config import Config
from stackgen.docker.history import entry
from stackgen.docker.inherit import apply, begin
from stackgen.docker.instructions import From
from stackgen.docker.syntax import parse

# Each has a Dockerfile and the history that Docker 28.5.2 gave it above its base, the oldest line first.
BUILT = sorted((Path(__file__).parent / "history").iterdir())


@pytest.mark.parametrize("built", BUILT, ids=lambda folder: folder.name)
def test_the_history_is_the_engines(built: Path) -> None:
    """Each text is BuildKit's own, quotes, ARGs and here-documents included, and so is whether there is a layer."""
    parsed = parse((built / "Dockerfile").read_text("utf-8"))
    last = max(number for number, each in enumerate(parsed) if isinstance(each.instruction, From))
    state = begin(Config(), global_args=platform_args())
    lines = []
    for each in parsed[last + 1 :]:
        after = apply(state, each.instruction)
        line = entry(state, each.instruction, after)
        if line is not None:
            lines.append([line.created_by, line.makes_layer])
        state = after
    assert lines == json.loads((built / "history.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("typed", "gos", "short"),
    [
        ("0", "0s", "0s"),
        ("1h", "1h0m0s", "1h"),
        ("90s", "1m30s", "1m30s"),
        ("10m", "10m0s", "10m"),
        ("1h0.5s", "1h0m0.5s", "1h0m0.5s"),
        ("1500ms", "1.5s", "1.5s"),
        ("90ms", "90ms", "90ms"),
        ("1.000001ms", "1.000001ms", "1.000001ms"),
        ("-1m", "-1m0s", "-1m"),
        ("1500us", "1.5ms", "1.5ms"),
        ("2us", "2µs", "2µs"),
        ("7ns", "7ns", "7ns"),
    ],
)
def test_durations(typed: str, gos: str, short: str) -> None:
    """A duration is written as Go does, and for people without the zeros at its end."""
    duration = durations.nanoseconds(typed)
    assert (durations.to_text(duration), durations.short(duration)) == (gos, short)
    assert durations.nanoseconds(durations.short(duration)) == duration


def test_values_are_the_configuration_taken_apart() -> None:
    """Each value has a place of its own, and from the values the configuration is whole again."""
    text = "\n".join(
        [
            *("FROM x", "ENV A=b C=", "LABEL l=1 m=", "EXPOSE 80 53/udp", "VOLUME /d", "USER u", "WORKDIR /w", "CMD x"),
            *('ENTRYPOINT ["e"]', "HEALTHCHECK --retries=2 CMD y", "STOPSIGNAL 9", 'SHELL ["s"]', "ONBUILD ENV O=p"),
            "ONBUILD RUN z",
        ]
    )
    state = begin(Config())
    for each in parse(text)[1:]:
        state = apply(state, each.instruction)
    values = state.config.values()
    assert values["Env", "C"] == ""
    assert values["OnBuild", "1"] == "RUN z"
    assert Config.from_values(values) == state.config
