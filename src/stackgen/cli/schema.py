"""`stackgen schema`."""

from __future__ import annotations

import click

from stackgen.diagnostics import suggestion
from stackgen.read import schema


@click.command(
    "schema",
    epilog="""\b
Examples:
  stackgen schema > stack.schema.json
  stackgen schema project""",
)
@click.argument("name", default="stack")
def command(name: str) -> None:
    """Print a JSON Schema: of a stack file, or of NAME (project, fragment, service, distro, family, mirror).

    Its descriptions are the reference of the language; editors complete and explain with it.
    """
    if name not in schema.names():
        raise click.UsageError(
            f'no schema is called "{name}"; {suggestion(name, schema.names(), ", ".join(schema.names()))}'
        )
    click.echo(schema.text(name), nl=False)
