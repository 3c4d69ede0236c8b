"""`stackgen schema`."""

from __future__ import annotations

import click

from stackgen.diagnostics import suggestion
from stackgen.read import shape
from stackgen.report import editor


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

    It is one file that stands alone. Editors complete and explain with it; its descriptions are the reference.
    """
    if name not in shape.names():
        raise click.UsageError(
            f'no schema is called "{name}"; {suggestion(name, shape.names(), ", ".join(shape.names()))}'
        )
    click.echo(editor.schema(name), nl=False)
