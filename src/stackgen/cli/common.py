"""What the commands share: the options of every command that reads stacks, and how findings are printed."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from stackgen import api
from stackgen.diagnostics import Diagnostic
from stackgen.report import text
from stackgen.stack.project import Options

F = TypeVar("F", bound=Callable[..., Any])

INVALID = 1
OUT_OF_DATE = 3


def colours(stream: Any) -> text.Paint:
    """Give how to paint on a stream: colours on a terminal, unless NO_COLOR is set (https://no-color.org)."""
    return text.paint if stream.isatty() and not os.environ.get("NO_COLOR") else text.plain


def say(message: str) -> None:
    """Print progress or a finding, to stderr."""
    click.echo(message, err=True)


def print_findings(diagnostics: Iterable[Diagnostic], format: str = "text") -> None:
    """Print findings: as text to stderr, in another format as the result, to stdout."""
    found = tuple(diagnostics)
    if format == "json":
        from stackgen.report import json

        click.echo(json.findings(found))
    elif format == "sarif":
        from stackgen.report import sarif

        click.echo(sarif.findings(found))
    elif format == "github":
        from stackgen.report import github

        for each in found:
            click.echo(github.command(each))
    else:
        colour = colours(sys.stderr)
        for each in found:
            say(text.finding(each, colour) + "\n")


def print_rows(rows: Iterable[tuple[str, ...]]) -> None:
    """Print rows as a table to stdout, each column as wide as its longest word; the last one is not filled up."""
    found = [*rows]
    widths = [max(len(row[column]) for row in found) for column in range(len(found[0]))]
    for row in found:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())


def _parse_sets(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    variables: dict[str, str] = {}
    for each in values:
        name, equals, value = each.partition("=")
        if not equals or not name.isidentifier():
            raise click.BadParameter(f'"{each}" is not NAME=VALUE', ctx, param)
        variables[name] = value
    return variables


def stack_options(function: F) -> F:
    """Give a command the options of every command that reads stacks, as one `options` argument."""

    @click.option("--base", metavar="NAME", help="Put the stacks on another root stack.")
    @click.option("--mirror", metavar="NAME", help="Take packages from another mirror.")
    @click.option(
        "--set",
        "sets",
        metavar="NAME=VALUE",
        multiple=True,
        callback=_parse_sets,
        help="Set a variable over all others.",
    )
    @click.option(
        "--templates",
        metavar="DIR",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="A folder whose templates replace stackgen's own.",
    )
    @wraps(function)
    def wrapped(base: str | None, mirror: str | None, sets: dict[str, str], templates: Path | None, **rest: Any) -> Any:
        options = Options(base=base, mirror=mirror, variables=sets, templates=templates)
        try:
            return function(options=options, **rest)
        except api.CallError as error:
            help = f"\n  help: {error.help}" if error.help else ""
            raise click.UsageError(f"{error}{help}") from None

    return wrapped  # type: ignore[return-value]


def paths_argument(function: F) -> F:
    """Give a command its stack files and folders."""
    return click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))(function)


def strict_option(function: F) -> F:
    """Give a command `--strict`."""
    return click.option("--strict", is_flag=True, help="Let warnings fail.")(function)


def fail_on_errors(diagnostics: Iterable[Diagnostic], after: str = "", *, strict: bool = False) -> None:
    """End with exit code 1, and the count, where any finding is an error; `strict` counts warnings too."""
    found = tuple(diagnostics)
    failing = ("error", "warning") if strict else ("error",)
    if any(each.severity in failing for each in found):
        say(text.summary(found) + after)
        raise SystemExit(INVALID)
