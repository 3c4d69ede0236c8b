"""The fold over random chains of Dockerfiles, held against what the engine makes of them, key by key."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from stackgen.docker.errors import DockerfileError, ExpansionError, RefusedError
from stackgen.docker.inherit import Config

from ..docker.chains import chain, expected
from .commands import execute, run, told_apart

pytestmark = pytest.mark.engine

CHAINS = int(os.environ.get("STACKGEN_CHAINS", "100"))
FIXED_SEED = 20250101
WORKERS = 4

# What a chain can stand on: nothing, a usual base, and one that sets all that an import can set.
BASES: dict[str, tuple[str, ...]] = {
    "bare": (),
    "usual": ("ENV PATH=/usr/local/bin:/usr/bin:/bin", 'CMD ["bash"]'),
    "full": (
        *("ENV A=abcabc", "ENV C=/srv", "USER app", "WORKDIR /srv", "EXPOSE 22", "VOLUME /old", "LABEL a=old"),
        *('ENTRYPOINT ["/init"]', 'CMD ["serve"]', "STOPSIGNAL SIGINT", "HEALTHCHECK --interval=9s CMD old"),
        *("ONBUILD ENV B=fired", "ONBUILD WORKDIR fired"),
    ),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one chain went: how many of its images agreed, whether both sides refused one, and what differed."""

    images: int
    refused: str = ""
    difference: str = ""


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


def inspect(*references: str) -> list[dict[str, object]]:
    return [image["Config"] for image in json.loads(run("docker", "image", "inspect", *references))]


@pytest.mark.parametrize("seed", [FIXED_SEED, secrets.randbelow(10**9)], ids=["fixed", "random"])
def test_fold_agrees_with_the_engine(seed: int, bases: dict[str, Config], capsys: pytest.CaptureFixture[str]) -> None:
    """The configuration that we foretell is the one that the engine builds, for each image of each chain."""
    random = Random(seed)
    chains = [(random.choice(sorted(bases)), chain(random)) for _ in range(CHAINS)]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(WORKERS) as pool:
        outcomes = list(
            pool.map(
                lambda numbered: play(f"{seed}-{numbered[0]}", *numbered[1], bases, Path(folder)), enumerate(chains)
            )
        )
    refused = [outcome.refused for outcome in outcomes if outcome.refused]
    differences = [outcome.difference for outcome in outcomes if outcome.difference]
    with capsys.disabled():
        images = sum(outcome.images for outcome in outcomes)
        print(f"\nseed {seed}: {len(chains)} chains, {images} images agree, {len(refused)} chains refused by both")
        for reason in refused:
            print(f"  refused: {reason}")
    assert not differences, "\n\n".join(differences[:5])
    assert len(refused) <= max(5, len(chains) // 20)


def play(name: str, base: str, dockerfiles: list[str], bases: dict[str, Config], folder: Path) -> Outcome:
    """Builds the images of one chain, each on the one before it, and compares each."""
    parent, config = base, bases[base]
    built: list[str] = []
    try:
        for number, text in enumerate(dockerfiles):
            tag = f"stackgen-test/inherit:{name}-{number}"
            path = folder / f"{name}-{number}"
            path.write_bytes(text.replace("PARENT", parent).encode())
            finished = execute("docker", "build", "--quiet", "--file", path, "--tag", tag, empty(folder))
            try:
                config = expected(text, config)
            except (DockerfileError, ExpansionError, RefusedError) as error:
                if finished.returncode == 0:
                    # A trigger that makes no sense we refuse at once, the engine in the child.
                    built.append(tag)
                    path.write_text(f"FROM {tag}\n", encoding="utf-8")
                    finished = execute("docker", "build", "--quiet", "--file", path, empty(folder))
                if finished.returncode == 0:
                    return Outcome(number, difference=f"refused by us alone: {error}\n{text}")
                return Outcome(number, refused=f"{error}: {finished.stderr.strip().splitlines()[-1]}")
            if finished.returncode != 0:
                return Outcome(number, difference=f"refused by the engine alone: {finished.stderr}\n{text}")
            built.append(tag)
            (theirs,) = inspect(tag)
            if difference := told_apart(config.to_json(), theirs):
                return Outcome(number, difference=f"{difference}\n{text}on {base}, after {dockerfiles[:number]}")
            parent = tag
        return Outcome(len(dockerfiles))
    finally:
        if built:
            execute("docker", "image", "rm", "--force", *built)


def empty(folder: Path) -> Path:
    context = folder / "context"
    context.mkdir(exist_ok=True)
    return context
