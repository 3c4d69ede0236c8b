"""The fold over random chains of Dockerfiles, held against what the engine makes of them, key by key.

STACKGEN_CHAINS says how many chains each seed draws, STACKGEN_SEED repeats a random seed that was printed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from stackgen.docker.config import SCRATCH, Config
from stackgen.docker.errors import DockerfileError, RefusedError
from tests.docker.chains import chain, expected

from .commands import execute, run
from .conftest import each_seed

pytestmark = pytest.mark.engine

CHAINS = int(os.environ.get("STACKGEN_CHAINS", "100"))
WORKERS = 4

# What a chain can stand on: nothing, a usual base, and one with all that an import can set.
BASES = {
    "bare": (),
    "usual": ("ENV PATH=/usr/local/bin:/usr/bin:/bin", 'CMD ["bash"]'),
    "full": (
        *("ENV A=abcabc", "ENV C=/srv", "USER app", "WORKDIR /srv", "EXPOSE 22", "VOLUME /old", "LABEL a=old"),
        *('ENTRYPOINT ["/init"]', 'CMD ["serve"]', "STOPSIGNAL SIGINT", "HEALTHCHECK --interval=9s CMD old"),
        *("ONBUILD ENV B=fired", "ONBUILD WORKDIR fired"),
    ),
}


@dataclass(frozen=True, slots=True)
class Chain:
    name: str
    base: str
    dockerfiles: list[str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many images of a chain agreed, why both sides refused one, and what differed."""

    images: int
    refused: str = ""
    difference: str = ""


def inspect(*references: str) -> list[dict[str, object]]:
    return [image["Config"] for image in json.loads(run("docker", "image", "inspect", *references))]


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Config]:
    """The bases by reference, each with the configuration that the engine gives it."""
    root = tmp_path_factory.mktemp("base")
    (root / "etc").mkdir()
    (root / "etc" / "passwd").write_text("root:x:0:0::/:/bin/sh\napp:x:1000:1000::/:/bin/sh\n", encoding="utf-8")
    (root / "etc" / "group").write_text("root:x:0:\napp:x:1000:\n", encoding="utf-8")
    archive = root.with_suffix(".tar")
    run("tar", "--directory", root, "--create", "--file", archive, "etc")
    configs = {}
    for name, changes in BASES.items():
        reference = f"stackgen-test/inherit-base:{name}"
        run("docker", "import", *(f"--change={change}" for change in changes), archive, reference)
        configs[reference] = Config.from_json(inspect(reference)[0])
    return configs


@each_seed
def test_fold_agrees_with_the_engine(
    seed: int, bases: dict[str, Config], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The configuration that we foretell is the one that the engine builds, for each image of each chain."""
    random = Random(seed)
    chains = [Chain(f"{seed}-{number}", random.choice(sorted(bases)), chain(random)) for number in range(CHAINS)]
    with ThreadPoolExecutor(WORKERS) as pool:
        outcomes = list(pool.map(lambda each: play(each, bases, tmp_path), chains))
    images = sum(outcome.images for outcome in outcomes)
    refused = [outcome.refused for outcome in outcomes if outcome.refused]
    differences = [outcome.difference for outcome in outcomes if outcome.difference]
    with capsys.disabled():
        print(f"\nseed {seed}: {len(chains)} chains, {images} images agree, {len(refused)} chains end refused by both")
        for reason in refused:
            print(f"  {reason}")
    assert not differences, "\n\n".join(differences[:5])
    # Else the drawing has gone astray, and little is compared.
    assert len(refused) <= max(5, len(chains) // 20)


def play(drawn: Chain, bases: Mapping[str, Config], folder: Path) -> Outcome:
    """Builds the images of one chain, each on the one before it, and compares each."""
    foretold: dict[str, Config] = {}
    parent, config = drawn.base, bases[drawn.base]
    refused = difference = ""
    try:
        for number, text in enumerate(drawn.dockerfiles):
            tag = f"stackgen-test/inherit:{drawn.name}-{number}"
            engines_word = build(text.replace("PARENT", parent), tag, folder)
            try:
                config = expected(text, config)
            except (DockerfileError, RefusedError) as error:
                # A trigger that makes no sense we refuse at once, the engine in the child.
                engines_word = engines_word or build(f"FROM {tag}\n", tag, folder)
                if not engines_word:
                    difference = f"refused by us alone: {error}"
                refused = f"{drawn.name}: {error}: {engines_word}"
                break
            if engines_word:
                difference = f"refused by the engine alone: {engines_word}"
                break
            parent = tag
            foretold[tag] = config
        difference = difference or compare(foretold)
    finally:
        if foretold:
            execute("docker", "image", "rm", "--force", *foretold)
    if difference:
        difference = "\n".join([difference, f"in chain {drawn.name} on {drawn.base}:", *drawn.dockerfiles])
    return Outcome(len(foretold), refused, difference)


def build(text: str, tag: str, folder: Path) -> str:
    """Builds the image; gives the engine's last word where it refuses to."""
    path = folder / tag.replace("/", "-")
    path.write_bytes(text.encode())
    context = folder / "context"
    context.mkdir(exist_ok=True)
    finished = execute("docker", "build", "--quiet", "--file", path, "--tag", tag, context)
    return finished.stderr.strip().splitlines()[-1] if finished.returncode else ""


def compare(foretold: Mapping[str, Config]) -> str:
    """The keys in which any image differs from what was foretold of it, in value, type or order."""
    if not foretold:
        return ""
    for (tag, config), theirs in zip(foretold.items(), inspect(*foretold), strict=True):
        ours = config.to_json()
        if json.dumps(ours) != json.dumps(theirs):
            keys = [key for key in {**ours, **theirs} if json.dumps(ours.get(key)) != json.dumps(theirs.get(key))]
            lines = [f"{key}: we say {ours.get(key)!r}, the engine {theirs.get(key)!r}" for key in keys]
            return "\n".join([tag, *(lines or [f"in order: we say {list(ours)}, the engine {list(theirs)}"])])
    return ""


@pytest.mark.parametrize("text", ["ENV A=$PATH", "WORKDIR x\nCMD y", "LABEL a=b\nUSER 1"])
def test_scratch(text: str, tmp_path: Path) -> None:
    """FROM scratch begins with what we say that it begins with."""
    tag = "stackgen-test/inherit:scratch"
    dockerfile = f"FROM scratch\n{text}\n"
    assert build(dockerfile, tag, tmp_path) == ""
    assert compare({tag: expected(dockerfile, SCRATCH)}) == ""
