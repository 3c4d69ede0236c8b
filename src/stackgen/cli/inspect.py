"""`stackgen inspect`."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import click

from stackgen import api
from stackgen.cli.common import colours, fail_on_errors, paths_argument, print_findings, say, stack_options
from stackgen.diagnostics import Diagnostic
from stackgen.report import inspection as report
from stackgen.stack.project import Options


@click.command(
    "inspect",
    epilog="""\b
Examples:
  stackgen inspect stacks/wordpress.yml
  stackgen inspect stacks/wordpress.yml --base debian12 --format json
  stackgen inspect stacks/wordpress.yml --history
  stackgen inspect --diff stacks/php-fpm.yml wordpress
  stackgen inspect --diff stacks/wordpress.yml --base debian12
  stackgen inspect stacks/keycloak.yml --engine""",
)
@paths_argument
@click.option("--format", "format", type=click.Choice(["table", "json"]), default="table", help="How it is printed.")
@click.option("--history", is_flag=True, help="Show what `docker history` will, and the line that each comes from.")
@click.option(
    "--diff",
    is_flag=True,
    help="Show what differs: between two images, or of one between how it is and how it is with --base, --mirror, "
    "--set or --templates. The second may be a name beside the first.",
)
@click.option("--engine", is_flag=True, help="Ask the local engine what an outside image brings that nobody knows.")
@stack_options
def command(paths: tuple[Path, ...], format: str, history: bool, diff: bool, engine: bool, options: Options) -> None:
    """Show what images will be, before they are built: what `docker image inspect` will say, and where it comes from.

    A PATH is a stack file, or a folder of which every *.yml and *.yaml is a stack. With --format json it is what
    `docker image inspect` prints, with the programs that run in the image; where nobody knows what the outside image
    brings, "UnknownImage" names it, and "Config" holds only what does not depend on it.
    """
    if history and diff:
        raise click.UsageError("--history and --diff do not go together")
    if diff:
        _print_difference(paths, format, options, engine)
        return
    images = _inspected(paths, options, engine)
    if format == "json":
        _print_json([report.history_json(each) if history else each.to_json() for each in images])
        return
    show = report.history_table if history else report.table
    click.echo("\n\n".join(show(each, colours(sys.stdout), _columns()) for each in images))


def _inspected(
    paths: tuple[Path, ...], options: Options, engine: bool, told: set[Diagnostic] | None = None
) -> tuple[api.Inspection, ...]:
    """Give the images, or end with what is wrong with them; what is `told` already is not said again."""
    ask: api.Ask | None = None
    if engine:
        from stackgen.outside.engine import ask
    result = api.inspect(paths, options, ask=ask)
    told = set() if told is None else told
    print_findings(each for each in result.diagnostics if each not in told)
    told.update(result.diagnostics)
    fail_on_errors(result.diagnostics)
    return result.unwrap()


def _print_difference(paths: tuple[Path, ...], format: str, options: Options, engine: bool) -> None:
    if len(paths) == 1:
        if options == api.DEFAULTS:
            raise click.UsageError(
                "--diff compares two images: name another PATH, or say what one is to be compared with: --base NAME"
            )
        calls = [(paths[0], api.DEFAULTS), (paths[0], options)]
    elif len(paths) == 2:
        calls = [(api.find_stack(path, other), options) for path, other in zip(paths, reversed(paths), strict=True)]
    else:
        raise click.UsageError("--diff compares two images: name two PATHs, or one and what to compare it with")
    told: set[Diagnostic] = set()
    before, after = (_one(path, options, engine, told) for path, options in calls)
    found = api.differences(before, after)
    if format == "json":
        _print_json(report.difference_json(before, after, found))
    elif found:
        call = options.as_typed() if len(paths) == 1 else ""
        click.echo(report.difference_table(before, after, found, call, colours(sys.stdout), _columns()))
    if not found:
        say("no difference")


def _one(path: Path, options: Options, engine: bool, told: set[Diagnostic]) -> api.Inspection:
    images = _inspected((path,), options, engine, told)
    if len(images) != 1:
        names = ", ".join(each.compiled.unit.name for each in images)
        raise click.UsageError(f"--diff compares one image with another, and {path} is {len(images)}: {names}")
    return images[0]


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _columns() -> int:
    return shutil.get_terminal_size((report.WIDTH, 24)).columns if sys.stdout.isatty() else report.WIDTH
