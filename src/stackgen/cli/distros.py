"""`stackgen distros`."""

from __future__ import annotations

import json
from typing import Any

import click

from stackgen import api
from stackgen.cli.common import fail_on_errors, print_findings, print_rows

VERSION = 1


@click.command(
    "distros",
    epilog="""\b
Examples:
  stackgen distros
  stackgen distros --format json""",
)
@click.option("--format", "format", type=click.Choice(["table", "json"]), default="table", help="How it is printed.")
def command(format: str) -> None:
    """List the distributions that are known, the project's own included.

    Each with its package manager, whether it still gets updates and until when, and the mirrors that carry it.
    """
    result = api.known()
    print_findings(result.diagnostics)
    if result.value is not None:
        found = [_described(each, result.value) for each in result.value.distributions]
        if format == "json":
            click.echo(json.dumps({"version": VERSION, "distros": found}, indent=2, ensure_ascii=False))
        else:
            print_rows([("DISTRO", "FAMILY", "STATE", "UNTIL", "MIRRORS"), *map(_row, found)])
    fail_on_errors(result.diagnostics)


def _described(distribution: api.Distribution, known: api.Known) -> dict[str, Any]:
    return {
        "name": distribution.name,
        "description": distribution.description,
        "version": distribution.version,
        "codename": distribution.codename,
        "family": distribution.family,
        "kinds": list(distribution.kinds),
        "state": "dead" if distribution.dead else "alive",
        "endOfLife": distribution.end_of_life,
        "successor": distribution.successor,
        "mirrors": [mirror.name for mirror in known.mirrors if distribution.name in mirror.carries],
        "images": [pattern for image in distribution.images for pattern in image["match"]],
        "repositories": list(distribution.repositories()),
        "unconfirmed": list(distribution.unconfirmed),
        "own": distribution.name in known.own_distributions,
        "source": distribution.source,
        "seen": distribution.seen,
    }


def _row(found: dict[str, Any]) -> tuple[str, ...]:
    over = f"dead, move to {found['successor']}" if found["successor"] else "dead"
    name = f"{found['name']} *" if found["own"] else found["name"]
    return (
        name,
        found["family"],
        over if found["state"] == "dead" else "alive",
        found["endOfLife"],
        " ".join(found["mirrors"]),
    )
