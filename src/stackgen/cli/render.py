"""`stackgen render`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from stackgen import api
from stackgen.cli.common import (
    INVALID,
    OUT_OF_DATE,
    fail_on_errors,
    paths_argument,
    print_findings,
    say,
    stack_options,
    strict_option,
)
from stackgen.render.plan import Plan
from stackgen.report.patch import moved_images, patch
from stackgen.stack.project import Options
from stackgen.write.emit import Changes


@click.command(
    "render",
    epilog="""\b
Examples:
  stackgen render stacks/wordpress.yml
  stackgen render stacks --base debian12 -o build-debian12
  stackgen render stacks/wordpress.yml --stdout php-fpm
  stackgen render stacks --check""",
)
@paths_argument
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The folder to write to [default: build].",
)
@click.option("--check", is_flag=True, help="Write nothing; say what is out of date, and exit with 3.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change, and exit with 3 if anything would.")
@click.option("--stdout", "only", metavar="NAME", help="Write nothing; print the Dockerfile of one image.")
@click.option("--force", is_flag=True, help="Overwrite files that were edited by hand.")
@strict_option
@stack_options
def command(
    paths: tuple[Path, ...],
    output: Path | None,
    check: bool,
    diff: bool,
    only: str | None,
    force: bool,
    strict: bool,
    options: Options,
) -> None:
    """Validate stacks and all that they stand on, and write their Dockerfiles.

    A PATH is a stack file, or a folder of which every *.yml and *.yaml is a stack.
    """
    result = api.render(paths, options, output=output)
    print_findings(result.diagnostics)
    fail_on_errors(result.diagnostics, "; nothing was written", strict=strict)
    plan = result.unwrap()
    if only is not None:
        _print_one(plan, only)
        return
    done = (api.changes if check or diff else api.write)(plan, force=force)
    print_findings(done.diagnostics)
    changes = done.value
    if changes is None or not (check or diff):
        fail_on_errors(done.diagnostics, "; nothing was written")
        changes = done.unwrap()
    if diff:
        _print_diff(changes)
    elif check:
        _print_check(changes)
    else:
        _print_done(changes, plan)
    if (check or diff) and not changes.up_to_date:
        sys.exit(OUT_OF_DATE)


def _print_one(plan: Plan, name: str) -> None:
    from stackgen.diagnostics import suggestion

    for image in plan.images:
        if image.name == name:
            content = next(file.content for file in image.files if file.path == "Dockerfile")
            click.echo(content.decode(), nl=False)
            return
    names = [image.name for image in plan.images]
    say(f'no image is called "{name}"\n  help: {suggestion(name, names, "there are: " + ", ".join(names))}')
    sys.exit(INVALID)


def _relative(folder: Path) -> str:
    here = Path.cwd()
    return folder.relative_to(here).as_posix() if folder.is_relative_to(here) else folder.as_posix()


def _print_check(changes: Changes) -> None:
    folder = _relative(changes.folder)
    for change in changes.files:
        if change.state != "unchanged":
            click.echo(f"{_VERBS[change.state]:<13} {folder}/{change.path}")
    say(f"{folder}: {'up to date' if changes.up_to_date else 'out of date'}")


_VERBS = {"created": "missing", "updated": "out of date", "removed": "left over"}


def _print_diff(changes: Changes) -> None:
    for text in patch(changes.files):
        click.echo(text, nl=False)
    for line in moved_images(changes.old, changes.manifest):
        say(line)


def _print_done(changes: Changes, plan: Plan) -> None:
    """Print what was written, an image a line, and what to type next."""
    folder = _relative(changes.folder)
    rows: dict[str, dict[str, int]] = {}
    for change in changes.files:
        top = change.path.partition("/")[0]
        rows.setdefault(top, {}).setdefault(change.state, 0)
        rows[top][change.state] += 1
    click.echo(f"{folder}/")
    width = max((len(name) for name in rows), default=0)
    references = {image.name: image.part["references"][0] for image in plan.images}
    order = [*(image.name for image in plan.images), *sorted(set(rows) - set(references))]
    wide = max(map(len, references.values()), default=0)
    for name in [name for name in order if name in rows]:
        counts = ", ".join(
            f"{count} {state}" if name in references or count > 1 else state
            for state in ("created", "updated", "unchanged", "removed")
            if (count := rows[name].get(state))
        )
        click.echo(f"  {name:<{width}}  {references.get(name, ''):<{wide}}  {counts}")
    if plan.images:
        # A bare bake in that folder would read compose.yaml as well.
        click.echo(f"\nnext: cd {shlex.quote(folder)} && docker buildx bake -f docker-bake.json")
