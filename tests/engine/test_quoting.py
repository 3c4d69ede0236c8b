"""Values that need care, through the engine and back."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from .commands import engine_config, entries, run, stackgen, told_configs

pytestmark = pytest.mark.engine

AWKWARD = [*"'\"\\`# \t=%*?~;|!,[{}:-@\u00a0é漢\U0001f40b", "\\n", '\\"', "&&", "<<EOF", "{#"]


def around(texts: Iterable[str]) -> list[str]:
    """Each text alone, at both ends of a word, and next to each other one; nothing at all, too."""
    texts = list(texts)
    pairs = ["".join(pair) for pair in itertools.product(texts, repeat=2)]
    return ["", *texts, *(f"{text}a{text}" for text in texts), *pairs]


def as_yaml(value: str) -> str:
    """A YAML scalar; what would be an expression is marked as none."""
    return ("!unsafe " if "{{" in value or "{%" in value else "") + json.dumps(value, ensure_ascii=False)


def differing(got: Iterable[str | None], expected: Iterable[str]) -> dict[str, str | None]:
    """What came back, by what should have, where it is not the same."""
    return {wanted: back for wanted, back in zip(expected, got, strict=True) if back != wanted}


def test_any_value_arrives_as_written(tiny: str, tmp_path: Path) -> None:
    """ENV, LABEL and CMD values come back from the engine as the stack gave them, whatever is in them."""
    # In ENV and LABEL a bare dollar means a variable; in an argument of the exec form it is a dollar.
    values = around([*AWKWARD, "\\$", "\\${a}"])
    expected = [value.replace("\\$", "$") for value in values]
    words = around([*AWKWARD, "$", "$$", "${a}"])
    lines = [f"from: {tiny}", "inherits: {}", "image: stackgen-test/quoting", "env:"]
    lines += [f"  V{number}: {as_yaml(value)}" for number, value in enumerate(values)]
    lines += ["labels:", *(f"  v{number}: {as_yaml(value)}" for number, value in enumerate(values))]
    lines += ["cmd:", *(f"  - {as_yaml(word)}" for word in words)]
    (tmp_path / "quoting.yml").write_text("\n".join([*lines, ""]), encoding="utf-8")

    stackgen("render", "quoting.yml", "-o", "build", cwd=tmp_path)
    run("docker", "build", "--quiet", "--tag", "stackgen-test/quoting", tmp_path / "build" / "quoting")

    built = engine_config("stackgen-test/quoting")
    env = dict(variable.split("=", 1) for variable in built["Env"])
    assert differing([env.get(f"V{number}") for number in range(len(values))], expected) == {}
    labels = built["Labels"]
    assert differing([labels.get(f"v{number}") for number in range(len(values))], expected) == {}
    assert differing(built["Cmd"], words) == {}
    (told,) = told_configs("quoting.yml", cwd=tmp_path).values()
    assert (told["Labels"], told["Cmd"]) == (labels, built["Cmd"])


def test_any_path_arrives_as_written(tiny: str, tmp_path: Path) -> None:
    """COPY, VOLUME and WORKDIR take each path as the stack gave it, and no other that looks like it."""
    # A colon in a volume would be a mount of the host's.
    texts = [*AWKWARD, "\\$", "\\${a}"]
    texts.remove(":")
    # BuildKit asks for the files of a COPY in a header, which takes no control character; stackgen says so.
    texts.remove("\t")
    names = [name for text in texts for name in (text, f"{text}a{text}", f"a{text}a")]
    paths = [name.replace("\\$", "$") for name in names]
    everything = "".join(texts)
    lines = [f"from: {tiny}", "inherits: {}", "image: stackgen-test/paths"]
    lines += ["workdir: " + as_yaml(f"/w/{everything}"), "files:"]
    for size, name in enumerate(names):
        # BuildKit cannot copy a name with a control character in it, whatever the Dockerfile says.
        if "\t" not in name:
            lines.append(f"  - {{dest: {as_yaml(f'/f/{name}')}, content: {as_yaml('x' * size)}}}")
    lines += ["volumes:", *(f"  - {as_yaml(f'/v/{name}')}" for name in names)]
    (tmp_path / "paths.yml").write_text("\n".join([*lines, ""]), encoding="utf-8")

    stackgen("render", "paths.yml", "-o", "build", cwd=tmp_path)
    run("docker", "build", "--quiet", "--tag", "stackgen-test/paths", tmp_path / "build" / "paths")

    # Each file has a size of its own, which tells it from the others.
    copied = {name: entry.size for name, entry in entries("stackgen-test/paths").items() if entry.isfile()}
    wanted = {f"f/{path}": size for size, path in enumerate(paths) if "\t" not in path}
    assert {name: size for name, size in copied.items() if name.startswith("f/")} == wanted
    built = engine_config("stackgen-test/paths")
    assert sorted(built["Volumes"]) == sorted(f"/v/{path}" for path in paths)
    assert built["WorkingDir"] == "/w/" + everything.replace("\\$", "$")
    (told,) = told_configs("paths.yml", cwd=tmp_path).values()
    assert (told["Volumes"], told["WorkingDir"]) == (built["Volumes"], built["WorkingDir"])
