"""The builders that are not today's BuildKit: each difference that the documentation names, and random chains."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from stackgen import api
from stackgen.docker.config import Config
from tests.helpers import tree

from .builders import BUILDKIT, Buildah, Builder, Dialect, Docker, dialect_of, old_environment
from .conftest import RANDOM_SEED, absent
from .differences import BUILDERS, DIFFERENCES, LOOKS, REFUSED, Difference, shown
from .drawing import BASES, Chain, Drawer

pytestmark = pytest.mark.engine

CHAINS = int(os.environ.get("STACKGEN_CHAINS", "20"))
# One that builds with buildah mostly waits.
WORKERS = {"BuildKit of 20.10": 3, "classic builder": 3, "buildah": 8}
BARE = "stackgen-test/bare:1"
PROJECT = {"BuildKit of 20.10": "builder: buildkit-2021\n", "classic builder": "builder: classic\n", "buildah": ""}


@pytest.fixture(scope="module")
def builders(accounts: Path) -> dict[str, Builder]:
    """The four by name, each with the bases."""
    old = old_environment()
    found: list[Builder] = [
        BUILDKIT,
        Docker(name="BuildKit of 20.10", env={**old, "DOCKER_BUILDKIT": "1"}),
        Docker(name="classic builder", env={**old, "DOCKER_BUILDKIT": "0"}),
        Buildah(name="buildah", env=old),
    ]
    assert tuple(builder.name for builder in found) == BUILDERS
    for builder in found:
        try:
            builder.version()
        except (AssertionError, OSError):
            absent(f"no {builder.name}; tests/engine/engine.sh up old starts one")
        for reference, base in BASES.items():
            if reference != "scratch":
                builder.load(reference, accounts, base.changes)
    return {builder.name: builder for builder in found}


def make(builder: Builder, difference: Difference, name: str, folder: Path) -> str:
    """What a builder makes of a difference's last Dockerfile, where the difference looks."""
    parent, tags = BARE, list[str]()
    try:
        for number, text in enumerate(difference.dockerfiles):
            whole = text if text.startswith("FROM") else f"FROM {parent}\n{text}"
            context = tree(folder / str(number), {"Dockerfile": f"{whole}\n".encode()})
            # Two of the builders have one engine: each needs tags of its own.
            parent = f"stackgen-test/difference-{BUILDERS.index(builder.name)}-{name}-{number}"
            if builder.build(context, parent).returncode != 0:
                return REFUSED
            tags.append(parent)
        return shown(builder.configs(parent)[0], difference.place)
    finally:
        builder.remove(*tags)


@pytest.mark.parametrize("name", DIFFERENCES)
def test_builders_differ_as_documented(name: str, builders: dict[str, Builder], tmp_path: Path) -> None:
    """What the table of builders says of each is what each does, so that whoever has an old one can trust it."""
    difference = DIFFERENCES[name]
    number = str(list(DIFFERENCES).index(name))
    with ThreadPoolExecutor() as pool:
        waiting = {
            each: pool.submit(make, builder, difference, number, tmp_path / each) for each, builder in builders.items()
        }
    made = {each: result.result() for each, result in waiting.items()}
    assert made == dict(difference.by_builder)
    # A row that shows no difference is none.
    assert len(set(made.values())) > 1


def test_nothing_else_is_in_a_configuration(builders: dict[str, Builder], tmp_path: Path) -> None:
    """The classic builder names the parent, buildah a host: no other key has a value that Docker 28 does not know."""
    context = tree(tmp_path, {"Dockerfile": f"FROM {BARE}\nENV A=1\n"})
    own = {}
    for name, builder in builders.items():
        tag = "stackgen-test/own-keys"
        assert builder.build(context, tag).returncode == 0
        (config,) = builder.configs(tag)
        own[name] = {key for key, value in config.items() if value and key not in Config().to_json()}
        builder.remove(tag)
    assert own == {"BuildKit": set(), "BuildKit of 20.10": set(), "classic builder": {"Image"}, "buildah": {"Hostname"}}


@pytest.mark.parametrize("name", BUILDERS[1:])
def test_chains(name: str, builders: dict[str, Builder], tmp_path: Path, summary: list[str]) -> None:
    """Another builder makes the same of a chain as today's BuildKit, but for what the table says."""
    seed = RANDOM_SEED
    builder = builders[name]
    dialect = dialect_of(name, builder.version())
    drawer = Drawer(Random(seed), cannot={each: LOOKS[each] for each in sorted(dialect.not_given)}, poison=0)
    references = [reference for reference in BASES if reference != "scratch"]
    brought = dict(zip(references, map(Config.from_json, builder.configs(*references)), strict=True))
    brought["scratch"] = dialect.scratch
    tree(tmp_path, {"stackgen.yml": PROJECT[name]})
    taken, refused = list[Chain](), list[str]()
    # More refusals than this, and the drawing has gone astray. Whether they are right, test_stacks.py asks.
    most = max(3, CHAINS // 20)
    while len(taken) < CHAINS and len(refused) <= most:
        chain = drawer.chain(f"{name[0].lower()}{len(taken) + len(refused)}")
        refusal = render(chain, tmp_path)
        if refusal:
            refused.append(refusal)
        else:
            taken.append(chain)
    with ThreadPoolExecutor(WORKERS[name]) as pool:
        outcomes = list(pool.map(lambda chain: play(chain, builder, dialect, brought[chain.base], tmp_path), taken))
    found = [outcome for outcome in outcomes if outcome]
    images = sum(len(chain.stacks) for chain in taken)
    summary.append(
        f"{name} {builder.version()}, seed {seed}: {CHAINS - len(found)} of {CHAINS} chains agree"
        f"{f', {images} images' if not found else ''}; refused by stackgen before: {len(refused)}"
    )
    summary.extend(f"  refused by stackgen: {message}" for message in refused)
    assert not found, "\n\n".join(found[:5])
    assert len(refused) <= most


def render(chain: Chain, folder: Path) -> str:
    """Renders a chain; gives why stackgen does not take it, if so."""
    tree(folder, {f"{stack.name}.yml": stack.text.encode() for stack in chain.stacks})
    result = api.render([f"{chain.stacks[-1].name}.yml"], cwd=folder)
    if result.value is None:
        return next(each.message for each in result.diagnostics if each.severity == "error")
    api.write(result.value).unwrap()
    return ""


def play(chain: Chain, builder: Builder, dialect: Dialect, config: Config, folder: Path) -> str:
    """Builds a chain, image by image; gives what differs."""
    builder = builder.apart(folder / chain.name)
    tags: list[str] = []
    try:
        for stack in chain.stacks:
            text = (folder / "build" / stack.name / "Dockerfile").read_bytes().decode()
            answer = builder.build(folder / "build" / stack.name, f"stackgen-test/{stack.name}")
            if answer.returncode != 0:
                return f"refused by it alone: {answer.stderr[-2000:]}\n{text}\n{chain.text}"
            tags.append(f"stackgen-test/{stack.name}")
            config = dialect.expected(text, config)
            if difference := dialect.differences(config, builder.configs(tags[-1])[0]):
                return f"{stack.name} on {chain.base}: {difference}\n{text}\n{chain.text}"
        return ""
    finally:
        builder.remove(*reversed(tags))
