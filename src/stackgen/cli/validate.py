"""`stackgen validate`."""

from __future__ import annotations

from pathlib import Path

import click

from stackgen import api
from stackgen.cli.common import INVALID, paths_argument, print_findings, say, stack_options
from stackgen.report.text import summary
from stackgen.stack.project import Options


@click.command(
    "validate",
    epilog="""\b
Examples:
  stackgen validate stacks
  stackgen validate stacks/wordpress.yml --base debian12
  stackgen validate stacks --format json""",
)
@paths_argument
@click.option(
    "--format",
    "format",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    help="How findings are printed.",
)
@stack_options
def command(paths: tuple[Path, ...], format: str, options: Options) -> None:
    """Give every finding in stacks and all that they stand on."""
    result = api.render(paths, options)
    print_findings(result.diagnostics, format)
    if format == "text":
        images = f"{len(result.value.images)} images are valid" if result.value else ""
        say("; ".join(part for part in (summary(result.diagnostics), images) if part))
    if not result.ok:
        raise SystemExit(INVALID)
