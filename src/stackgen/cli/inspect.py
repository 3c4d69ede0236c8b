"""`stackgen inspect`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from stackgen import api
from stackgen.cli.common import fail_on_errors, paths_argument, print_findings, stack_options
from stackgen.stack.project import Options


@click.command(
    "inspect",
    epilog="""\b
Examples:
  stackgen inspect stacks/wordpress.yml
  stackgen inspect stacks/wordpress.yml --base debian12 --format json""",
)
@paths_argument
@click.option("--format", "format", type=click.Choice(["table", "json"]), default="table", help="How it is printed.")
@stack_options
def command(paths: tuple[Path, ...], format: str, options: Options) -> None:
    """Show the effective configuration of images: what `docker image inspect` will say after everything inherited."""
    result = api.inspect(paths, options)
    print_findings(result.diagnostics)
    fail_on_errors(result.diagnostics)
    images = [each.to_json() for each in result.unwrap()]
    if format == "json":
        click.echo(json.dumps(images, indent=2, ensure_ascii=False))
        return
    for index, (image, inspection) in enumerate(zip(images, result.unwrap(), strict=True)):
        if index:
            click.echo()
        _print_table(image, inspection)


def _print_table(image: dict[str, Any], inspection: api.Inspection) -> None:
    click.echo(image["Name"])
    if not inspection.compiled.known:
        click.echo("  (the outside image at its root is not known: what it brings is missing here)")
    rows: list[tuple[str, str]] = []
    for key, value in image["Config"].items():
        if value in (None, "", [], {}, False):
            continue
        rows.extend(_rows(key, value))
    for name, options in image["Programs"].items():
        rows.append(
            (
                "Programs" if name == next(iter(image["Programs"])) else "",
                f"{name}: {options.get('command', '')}",
            )
        )
    width = max((len(key) for key, _ in rows), default=0)
    for key, value in rows:
        click.echo(f"  {key:<{width}}  {value}")


def _rows(key: str, value: Any) -> list[tuple[str, str]]:
    if key in ("Cmd", "Entrypoint", "Shell"):
        return [(key, json.dumps(value, ensure_ascii=False))]
    if isinstance(value, dict):
        lines = [name if inner == {} else f"{name}: {_short(inner)}" for name, inner in value.items()]
    elif isinstance(value, list):
        lines = [str(each) for each in value]
    else:
        lines = [str(value)]
    return [(key if index == 0 else "", line) for index, line in enumerate(lines)]


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
