"""The history that we foretell, held against the engine's, line by line: the texts, and whether there is a layer."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from stackgen.docker.arguments import global_args, platform_args
from stackgen.docker.errors import DockerfileError, ExpansionError, RefusedError, Unsayable
from stackgen.docker.history import entry
from stackgen.docker.inherit import Config, State, apply, begin, triggers
from stackgen.docker.instructions import Arg, Exec, From, Heredoc, Instruction, Run, Shell, ShellForm
from stackgen.docker.shell import expand_word
from stackgen.docker.syntax import parse, to_text
from tests.docker.chains import LITERALS, chain
from tests.helpers import tree

from .commands import ROOT, Rendered, engine_config, execute, run, stackgen
from .conftest import each_seed

pytestmark = pytest.mark.engine

Told = list[tuple[str, bool]]

CHAINS = int(os.environ.get("STACKGEN_CHAINS", "100")) // 4
RUNS = 25
WORKERS = 4
BASE = "debian:12-slim"

# Three generations with all keys, all instructions in a raw step, and triggers.
STACKS = Path(__file__).parent / "history"


def image_of(reference: str) -> dict[str, object]:
    """The image's own JSON, as it is saved."""
    saved = subprocess.run(["docker", "save", reference], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(saved)) as archive:

        def read(name: str) -> dict[str, object]:
            member = archive.extractfile(name)
            assert member is not None
            found = json.load(member)
            return found[0] if isinstance(found, list) else found  # type: ignore[no-any-return]

        return read(str(read("manifest.json")["Config"]))


def engines(reference: str, base: str) -> Told:
    """What the engine's history has above that of the base, the oldest line first."""

    def history(of: str) -> Told:
        lines = image_of(of)["history"]
        assert isinstance(lines, list)
        return [(line.get("created_by", ""), not line.get("empty_layer", False)) for line in lines]

    whole, below = history(reference), history(base)
    assert whole[: len(below)] == below
    return whole[len(below) :]


def layers(reference: str) -> int:
    (image,) = json.loads(run("docker", "image", "inspect", reference))
    return len(image["RootFS"]["Layers"])


def shown(reference: str) -> list[str]:
    """What `docker history` shows, as it shows it."""
    lines = run("docker", "history", "--no-trunc", "--format", "{{json .CreatedBy}}", reference).splitlines()
    return [json.loads(line) for line in lines]


def told(stack: str, *options: str, cwd: Path = ROOT) -> Told:
    """What stackgen says of one image, the oldest line first."""
    (image,) = json.loads(stackgen("inspect", stack, *options, "--history", "--format", "json", cwd=cwd))
    return [(line["CreatedBy"], not line["EmptyLayer"]) for line in reversed(image["History"])]


def check_shown(foretold: Told, reference: str) -> None:
    """Holds it against what `docker history` shows above the base, and the layers against those that are there."""
    above = len(shown(reference)) - len(shown(BASE))
    # A blank stands there for a tab.
    assert [text.replace("\t", " ") for text, _ in reversed(foretold)] == shown(reference)[:above]
    assert layers(reference) == layers(BASE) + sum(layer for _, layer in foretold)


def test_every_instruction_through_three_generations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a chain with all keys, raw steps and triggers, each image's history is the one that was foretold."""
    build = tmp_path / "build"
    stackgen("render", "kid.yml", "-o", build, cwd=STACKS)
    count = 0
    for name in ("base", "app", "kid"):
        reference = f"stackgen-test/history-{name}"
        run("docker", "build", "--quiet", "--network", "none", "--tag", reference, build / name)
        foretold = told(f"{name}.yml", cwd=STACKS)
        assert foretold == engines(reference, BASE)
        check_shown(foretold, reference)
        count += len(foretold)
    with capsys.disabled():
        print(f"\n{count} lines of 3 images agree")


def test_the_four_images(chain: Rendered, capsys: pytest.CaptureFixture[str]) -> None:
    """The history of each of the project's own stacks on Debian 12 is the one that was foretold."""
    count = 0
    for name, reference in chain.images.items():
        foretold = told(f"stacks/{name}.yml", "--base", "debian12")
        # Too large to be saved for a look at each flag.
        check_shown(foretold, reference)
        count += len(foretold)
    with capsys.disabled():
        print(f"\n{count} lines of {len(chain.images)} images agree")


# -- random ones, Dockerfile by Dockerfile


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image of two files, of which every user that a random Dockerfile names is one."""
    context = tree(
        tmp_path_factory.mktemp("small"),
        {
            "passwd": "root:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\n",
            "group": "root:x:0:\napp:x:1000:\n",
            "Dockerfile": "FROM scratch\nCOPY passwd group /etc/\n",
        },
    )
    reference = "stackgen-test/history-small:1"
    run("docker", "build", "--quiet", "--tag", reference, context)
    return reference


def expected(text: str, parent: Config) -> tuple[Config, Told]:
    """What we say that the last stage of a Dockerfile comes to, and its history above that of PARENT."""
    arguments: list[Arg] = []
    stages: dict[str, tuple[State, Told]] = {}
    state, lines, name = begin(Config()), list[tuple[str, bool]](), ""
    for parsed in parse(text):
        instruction = parsed.instruction
        if isinstance(instruction, From):
            scope = global_args(arguments, given=platform_args(), escape=parsed.escape)
            image = expand_word(instruction.image, scope, escape=parsed.escape)
            below, lines = stages.get(image, (parent, []))
            config = below.config if isinstance(below, State) else below
            bare = replace(config, on_build=())
            start = replace(below, config=bare) if isinstance(below, State) else bare
            state = begin(start, global_args=scope, escape=parsed.escape)
            state, lines = walk(state, triggers(config), lines)
            name = instruction.name or ""
        elif not stages:
            assert isinstance(instruction, Arg)
            arguments.append(instruction)
            continue
        else:
            state, lines = walk(state, [instruction], lines)
        stages[name] = (state, lines)
    return state.config, lines


def walk(state: State, instructions: Sequence[Instruction], lines: Told) -> tuple[State, Told]:
    for instruction in instructions:
        after = apply(state, instruction)
        line = entry(state, instruction, after)
        lines = [*lines, (line.created_by, line.makes_layer)] if line else lines
        state = after
    return state, lines


@each_seed
def test_random_chains(seed: int, small: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The history that we foretell of a random Dockerfile is the engine's, for each image of each chain."""
    random = Random(seed)
    (tmp_path / "context").mkdir()
    chains = [chain(random) for _ in range(CHAINS)]
    with ThreadPoolExecutor(WORKERS) as pool:
        names = [f"{seed}-{number}" for number in range(CHAINS)]
        played = list(pool.map(lambda name, texts: compare(name, texts, small, tmp_path), names, chains))
    images, lines = (sum(counts) for counts in zip(*played, strict=True))
    with capsys.disabled():
        print(f"\nseed {seed}: {lines} lines of {images} images in {CHAINS} chains agree")
    assert images > CHAINS


def compare(name: str, texts: Sequence[str], parent: str, folder: Path) -> tuple[int, int]:
    """Builds the images of one chain, each on the one before it, as far as none is refused: how many, and of how many
    lines.
    """
    base, config = parent, Config.from_json(engine_config(parent))
    foretold: Told = []
    built: list[str] = []
    try:
        for generation, text in enumerate(texts):
            path = folder / f"{name}-{generation}"
            path.write_bytes(text.replace("PARENT", parent).encode())
            tag = f"stackgen-test/history:{name}-{generation}"
            finished = execute("docker", "build", "--quiet", "--file", path, "--tag", tag, folder / "context")
            try:
                config, own = expected(text, config)
            except (DockerfileError, ExpansionError, RefusedError):
                break
            if finished.returncode != 0:
                break
            built.append(tag)
            foretold += own
            assert foretold == engines(tag, base), f"{text}\nin chain {name}, below {generation} others"
            parent = tag
        return len(built), len(foretold)
    finally:
        if built:
            execute("docker", "image", "rm", "--force", *built)


def some_text(random: Random) -> str:
    pieces = (*LITERALS, "$A", "${B:-x}", "'q'", '"q  q"', "\\\\", "<", "<<X", "# c", "`", "\\$A", "漢")
    return random.choice(["", " ", "  "]).join(random.choice(pieces) for _ in range(random.randint(1, 6)))


def some_run(random: Random) -> Run:
    flags = random.choice([(), (), ("--network=none",), ("--mount=type=tmpfs,target=/t",)])
    if random.random() < 0.25:
        return Run(command=Exec(("/bin/true", *(some_text(random) for _ in range(3)))), flags=flags)
    if random.random() < 0.4:
        names = random.choice([("EOF",), ("EOF",), ("A", "B")])
        chomp, quote = random.random() < 0.5, random.choice(["", "'", '"'])
        texts = [f"{random.choice(['', chr(9)]) if chomp else ''}{some_text(random)}\n" for _ in names]
        heads = ["#!/bin/true\n" if random.random() < 0.3 else "" for _ in names]
        documents = tuple(
            Heredoc(name=name, content=head + text, expand=not quote, chomp=chomp)
            for name, head, text in zip(names, heads, texts, strict=True)
        )
        words = [f"<<{'-' if chomp else ''}{quote}{name}{quote}" for name in names]
        before = random.choice(["", "", "cat "]) if len(names) == 1 else "cat "
        return Run(command=ShellForm(before + " ".join(words)), flags=flags, heredocs=documents)
    return Run(command=ShellForm(some_text(random)), flags=flags)


@each_seed
def test_random_runs(seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever is run, in whatever form, with whatever ARGs above it, leaves the line that we foretell."""
    random = Random(seed)
    # A shell that does nothing, so that any text can be run.
    made: list[Instruction] = [Shell(argv=("/bin/true", "--"))]
    while len(made) < RUNS:
        if random.random() < 0.2:
            default = random.choice([None, '"x y"', "$A", "${B:-z}"])
            made.append(Arg(pairs=((random.choice("ABC"), default),)))
            continue
        try:
            run_it = some_run(random)
            to_text(run_it)
        except (Unsayable, DockerfileError):
            continue
        made.append(run_it)
    text = "\n".join([f"FROM {BASE}", *map(to_text, made), ""])
    (tmp_path / "Dockerfile").write_bytes(text.encode())
    tag = f"stackgen-test/history-runs:{seed}"
    run("docker", "build", "--quiet", "--network", "none", "--tag", tag, tmp_path, timeout=300)
    _, foretold = expected(text, Config.from_json(engine_config(BASE)))
    assert foretold == engines(tag, BASE), text
    execute("docker", "image", "rm", "--force", tag)
    with capsys.disabled():
        print(f"\nseed {seed}: {len(foretold)} lines agree")
