"""Random chains of stacks: what `inspect` says of each image, held against what BuildKit makes of what is rendered.

drawing.py draws them and says what it does not draw. `STACKGEN_CHAINS` is how many for each of the two
seeds, `STACKGEN_SEED` is the second one. A chain
that stackgen refuses is built in two ways: what it refuses, as it would be written without any check, must be refused
by the engine too; and without that, the rest of the chain must agree like any other.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from unittest import mock

import pytest

from stackgen import api
from stackgen.docker import inherit
from stackgen.docker.errors import DockerfileError, RefusedError
from stackgen.docker.instructions import Instruction

from .builders import BUILDKIT, Builder
from .commands import execute, told_apart
from .conftest import each_seed
from .drawing import BASES, Chain, Drawer, Item

pytestmark = pytest.mark.engine

CHAINS = int(os.environ.get("STACKGEN_CHAINS", "160"))
BATCH = 16
WORKERS = 2


@dataclass(frozen=True, slots=True)
class Refusal:
    """What stackgen refuses of a chain: items of one stack, and what it says of them."""

    stack: int
    items: tuple[Item, ...]
    message: str
    in_child: bool = False
    """Whether they are triggers, refused where they fire."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A chain as it was drawn, and as much of it as stackgen takes."""

    drawn: Chain
    chain: Chain
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A folder for chains, and what the bases bring."""

    folder: Path
    brought: dict[str, inherit.Config]

    def write(self, chain: Chain) -> None:
        for stack in chain.stacks:
            (self.folder / f"{stack.name}.yml").write_bytes(stack.text.encode())

    def render(self, chain: Chain) -> api.Result[api.Plan]:
        """What is rendered of a chain, or the findings that keep it from being."""
        self.write(chain)
        return api.render([f"{chain.stacks[-1].name}.yml"], output="build", cwd=self.folder)

    def accept(self, drawn: Chain) -> Accepted:
        """Renders a chain without what stackgen refuses of it."""
        chain, refusals = drawn, list[Refusal]()
        while (result := self.render(chain)).value is None:
            refusal = self.refusal(chain, result)
            assert refusal.items, f"{refusal.message}\n{chain.text}"
            refusals.append(refusal)
            chain = chain.without(*refusal.items)
        api.write(result.value).unwrap()
        return Accepted(drawn, chain, tuple(refusals))

    def refusal(self, chain: Chain, result: api.Result[api.Plan]) -> Refusal:
        """The first finding, and whose it is."""
        finding = next(each for each in result.diagnostics if each.severity == "error")
        assert finding.span is not None, f"{finding.message}\n{chain.text}"
        at = [f"{stack.name}.yml" for stack in chain.stacks].index(finding.span.path)
        _, owners = chain.stacks[at].places()
        message = f"{finding.code}: {finding.message}"
        if owner := owners.get(finding.span.line):
            return Refusal(at, (owner,), message)
        triggers = [item for item in chain.stacks[at - 1].items if "onbuild" in item.yaml.lower()] if at else []
        return Refusal(at - 1, tuple(triggers), message, in_child=True)

    def told(self, chain: Chain) -> list[dict[str, object]]:
        """What `inspect` says of each image."""
        self.write(chain)
        paths = [f"{stack.name}.yml" for stack in chain.stacks]
        ask = self.brought.__getitem__ if chain.asks else None
        inspections = api.inspect(paths, ask=ask, cwd=self.folder).unwrap()
        return [inspection.config.to_json() for inspection in inspections]

    def without_checks(self, chain: Chain, refusal: Refusal) -> str:
        """The Dockerfile that would be written if nothing were refused.

        Of what has no way to be written, it is the plain one.
        """
        name = chain.stacks[refusal.stack].name
        with mock.patch.object(inherit, "apply", _apply_or_not):
            plan = self.render(chain.up_to(refusal.stack)).value
        plain = ""
        if plan is None:
            plan = self.render(chain.without(*refusal.items).up_to(refusal.stack)).unwrap()
            plain = "\n".join(item.plain for item in refusal.items)
        (image,) = (image for image in plan.images if image.name == name)
        text = next(file.content for file in image.files if file.path == "Dockerfile").decode()
        return text + plain

    def check(self, accepted: Accepted, builder: Builder) -> Iterator[tuple[Refusal, str]]:
        """Each refusal with what the builder says, which refuses the same."""
        for number, refusal in enumerate(accepted.refusals):
            others = [item for each in accepted.refusals if each is not refusal for item in each.items]
            text = self.without_checks(accepted.drawn.without(*others), refusal)
            name = accepted.chain.stacks[refusal.stack].name
            path = self.folder / f"{name}-{number}.Dockerfile"
            path.write_bytes(text.encode())
            tag = f"stackgen-test/{name}-refused"
            answer = builder.build(self.folder / "build" / name, tag, path)
            if answer.returncode == 0:
                # The engine looks at a trigger where it fires.
                path.write_text(f"FROM {tag}\n", encoding="utf-8")
                answer = builder.build(self.folder / "build" / name, tag, path)
                builder.remove(tag)
            assert answer.returncode != 0, f"{refusal.message}, refused by us alone\n{text}\n{accepted.drawn.text}"
            yield refusal, last_line(answer.stderr)


def _apply_or_not(state: inherit.State, instruction: Instruction) -> inherit.State:
    try:
        return _apply(state, instruction)
    except (RefusedError, DockerfileError):
        return state


_apply = inherit.apply


def last_line(text: str) -> str:
    return (text.strip().splitlines() or [""])[-1]


def bake(folder: Path, *targets: str) -> str:
    """Builds all targets, or some; gives what bake says if it fails."""
    answer = execute("docker", "buildx", "bake", "--progress", "plain", "-f", "docker-bake.json", *targets, cwd=folder)
    return "" if answer.returncode == 0 else answer.stderr


@pytest.fixture(scope="module")
def brought(accounts: Path) -> dict[str, inherit.Config]:
    """The bases, made; each with the configuration that the engine gives it."""
    made = {reference: base for reference, base in BASES.items() if reference != "scratch"}
    for reference, base in made.items():
        BUILDKIT.load(reference, accounts, base.changes)
    return dict(zip(made, map(inherit.Config.from_json, BUILDKIT.configs(*made)), strict=True))


def differences(chain: Chain, told: Sequence[dict[str, object]], built: Sequence[dict[str, object]]) -> str:
    """What is not the same, with the chain that shows it."""
    for stack, ours, theirs in zip(chain.stacks, told, built, strict=True):
        if difference := told_apart(ours, theirs):
            return f"{stack.name} on {chain.base}: {difference}\n{chain.text}"
    return ""


def play(bench: Bench, batch: list[Accepted], told: list[list[dict[str, object]]]) -> list[str]:
    """Builds a batch, and gives what differs."""
    fault = bake(bench.folder / "build")
    found: list[str] = []
    for accepted, expected in zip(batch, told, strict=True):
        names = [stack.name for stack in accepted.chain.stacks]
        if fault and (own := bake(bench.folder / "build", *names)):
            found.append(f"refused by the engine alone: {own[-3000:]}\n{accepted.chain.text}")
            continue
        built = BUILDKIT.configs(*(f"stackgen-test/{name}" for name in names))
        found.append(differences(accepted.chain, expected, built))
    return [difference for difference in found if difference]


@each_seed
def test_inspect_agrees_with_the_engine(
    seed: int, brought: dict[str, inherit.Config], tmp_path: Path, summary: list[str]
) -> None:
    """What is told of an image before it is built is what the engine says of it once it is, key by key."""
    drawer = Drawer(Random(seed))
    chains = [drawer.chain(f"c{number}") for number in range(CHAINS)]
    images, whole, refused, found = 0, 0, list[str](), list[str]()
    with ThreadPoolExecutor(WORKERS) as pool:
        waiting = []
        for start in range(0, CHAINS, BATCH):
            bench = Bench(folder=tmp_path / str(start), brought=brought)
            bench.folder.mkdir()
            batch = [bench.accept(chain) for chain in chains[start : start + BATCH]]
            told = [bench.told(accepted.chain) for accepted in batch]
            waiting.append((bench, batch, pool.submit(play, bench, batch, told)))
        for bench, batch, played in waiting:
            found += played.result()
            images += sum(len(accepted.chain.stacks) for accepted in batch)
            whole += sum(not accepted.refusals for accepted in batch)
            for accepted in batch:
                refused += [
                    f"  refused by both: {ours} | {theirs}"
                    for refusal, theirs in bench.check(accepted, BUILDKIT)
                    for ours in [refusal.message]
                ]
            BUILDKIT.remove(*(f"stackgen-test/{stack.name}" for each in batch for stack in each.chain.stacks))
    version = BUILDKIT.version()
    summary.append(
        f"stacks, seed {seed}, Docker {version}: {whole} chains and {images} images agree, {len(found)} differ; "
        f"of {CHAINS - whole} chains a part is refused"
    )
    summary += refused
    assert not found, "\n\n".join(found[:5])
    assert CHAINS - whole <= max(3, CHAINS // 20)
