"""`stackgen mirrors`."""

from __future__ import annotations

import json
from typing import Any

import click

from stackgen import api
from stackgen.cli.common import fail_on_errors, print_findings, print_rows

VERSION = 1


@click.command(
    "mirrors",
    epilog="""\b
Examples:
  stackgen mirrors
  stackgen mirrors --format json""",
)
@click.option("--format", "format", type=click.Choice(["table", "json"]), default="table", help="How it is printed.")
def command(format: str) -> None:
    """List the mirrors that are known, the project's own included.

    Each with the distributions that it carries; with `--format json`, also with the addresses of their repositories.
    """
    result = api.known()
    print_findings(result.diagnostics)
    if result.value is not None:
        found = [_described(each, result.value) for each in result.value.mirrors]
        if format == "json":
            click.echo(json.dumps({"version": VERSION, "mirrors": found}, indent=2, ensure_ascii=False))
        else:
            print_rows([("MIRROR", "WHOSE IT IS", "CARRIES"), *map(_row, found)])
    fail_on_errors(result.diagnostics)


def _described(mirror: api.Mirror, known: api.Known) -> dict[str, Any]:
    return {
        "name": mirror.name,
        "description": mirror.description,
        "carries": {
            distribution: {id: list(location.every_url()) for id, location in places.items()}
            for distribution, places in mirror.carries.items()
        },
        "pip": mirror.pip,
        "npm": mirror.npm,
        "only": mirror.only,
        "unconfirmed": list(mirror.unconfirmed),
        "own": mirror.name in known.own_mirrors,
        "source": mirror.source,
        "seen": mirror.seen,
    }


def _row(found: dict[str, Any]) -> tuple[str, ...]:
    whose = f"{found['description'].partition(';')[0]}{', and nothing else' if found['only'] else ''}"
    return (f"{found['name']} *" if found["own"] else found["name"], whose, " ".join(found["carries"]))
