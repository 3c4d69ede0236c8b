"""`stackgen validate`."""

from __future__ import annotations

import difflib
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
from stackgen.diagnostics import Diagnostic, Source
from stackgen.report.text import shown_path, summary
from stackgen.stack.project import Options
from stackgen.write.fix import fixed_texts, write_fixes


@click.command(
    "validate",
    epilog="""\b
Examples:
  stackgen validate stacks
  stackgen validate stacks/wordpress.yml --base debian12
  stackgen validate stacks --format json
  stackgen validate stacks --fix --diff""",
)
@paths_argument
@click.option(
    "--format",
    "format",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    help="How findings are printed.",
)
@click.option("--fix", is_flag=True, help="Mend in the stack files what can be mended without changing a meaning.")
@click.option(
    "--diff", is_flag=True, help="With --fix: write nothing; show what would be mended, exit with 3 if anything."
)
@strict_option
@stack_options
def command(paths: tuple[Path, ...], format: str, fix: bool, diff: bool, strict: bool, options: Options) -> None:
    """Give every finding in stacks and all that they stand on."""
    if diff and not fix:
        raise click.UsageError("--diff goes with --fix")
    result = api.render(paths, options)
    if fix:
        texts = fixed_texts(result.diagnostics)
        if diff:
            _print_diff(texts)
            raise SystemExit(OUT_OF_DATE if texts else 0)
        try:
            write_fixes(texts)
        except OSError as error:
            where = Path(error.filename2 or error.filename or "").name.removeprefix(".").removesuffix(".new")
            say(f"error[cannot-write]: {where} cannot be written: {(error.strerror or 'failed').lower()}")
            raise SystemExit(INVALID) from None
        mended = sum(each.fix is not None for each in result.diagnostics)
        if mended:
            say(f"mended: {mended}")
            result = api.render(paths, options)
    print_findings(result.diagnostics, format)
    fail_on_errors(result.diagnostics, strict=strict)
    if format == "text":
        _print_valid(result.diagnostics, len(result.unwrap().images))


def _print_valid(diagnostics: tuple[Diagnostic, ...], count: int) -> None:
    valid = "1 image is valid" if count == 1 else f"{count} images are valid"
    say("; ".join(part for part in (summary(diagnostics), valid) if part))


def _print_diff(texts: dict[Path, tuple[Source, str]]) -> None:
    for source, after in texts.values():
        path = shown_path(source)
        lines = difflib.unified_diff(
            source.text.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{path}", f"b/{path}"
        )
        click.echo("".join(lines), nl=False)
