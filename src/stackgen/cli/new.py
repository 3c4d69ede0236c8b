"""`stackgen new`."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click

from stackgen.cli.common import INVALID, say

# What may stand in the name of an image, and in Compose's name of a project.
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SCHEMAS = ("stack", "project")


@click.group(
    "new",
    epilog="""\b
Example:
  stackgen new project shop""",
)
def command() -> None:
    """Make a new project."""


@command.command(
    "project",
    epilog="""\b
Examples:
  stackgen new project shop
  stackgen new project shop -o ~/work""",
)
@click.argument("name")
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The folder to put it in [default: this one].",
)
def project(name: str, output: Path) -> None:
    """Make a project in a folder of its own, called NAME, with two stacks that render as they are."""
    if not _NAME.fullmatch(name):
        raise click.UsageError(f'"{name}" is no name for a project\n  help: {_cure(name, output)}')
    # cookiecutter is slow to import.
    from stackgen.outside.scaffold import ScaffoldError, make_project
    from stackgen.report import editor

    schemas = {f".schemas/{each}.json": editor.schema(each) for each in _SCHEMAS}
    try:
        folder = make_project(name, output, schemas)
    except ScaffoldError as error:
        say(f"{error}; nothing was written" + (f"\n  help: {error.help}" if error.help else ""))
        raise SystemExit(INVALID) from None
    click.echo(f"{folder.as_posix()}/")
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        click.echo(f"  {path.relative_to(folder).as_posix()}")
    click.echo(f"\nnext: cd {shlex.quote(folder.as_posix())} && stackgen render")


def _cure(name: str, output: Path) -> str:
    """Say how a name that cannot be taken is typed."""
    path = Path(name)
    plain = re.sub(r"[^a-z0-9]+", "-", path.name.lower()).strip("-")
    if not plain:
        return "lower-case letters, digits, and - between them: stackgen new project shop"
    folder = output / path.parent
    where = "" if folder == Path() else f" -o {shlex.quote(folder.as_posix())}"
    return f"stackgen new project {plain}{where}"


@command.command("image", hidden=True, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1)
@click.pass_context
def image(ctx: click.Context, arguments: tuple[str, ...]) -> None:
    """Not there yet: an image is a file in the folder of the stacks."""
    del arguments
    ctx.fail(
        "`new image` is not there yet; until then: a file NAME.yml beside the other stacks, with `extends: PARENT`"
    )
