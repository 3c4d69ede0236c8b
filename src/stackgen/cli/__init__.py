"""The command line: a file a command, imported when it is called; the only place that prints."""

from __future__ import annotations

import importlib
import sys

import click

from stackgen import __version__

# Each command's one line, so that --help imports none of them.
COMMANDS = {
    "render": "Render stacks into Dockerfiles and all that belongs to them.",
    "validate": "Give every finding in stacks, and write nothing.",
    "inspect": "Show what an image will be, before it is built.",
    "new": "Make a new project.",
    "distros": "List the distributions that are known.",
    "mirrors": "List the mirrors that are known.",
    "schema": "Print a JSON Schema of stackgen's files.",
}
LATER = {
    "graph": "the graph of images",
    "changed": "the images that changed since a git revision",
    "build": "building with the engine found; until then: docker buildx bake",
    "fragments": "the list of fragments",
    "doctor": "the check of docker, engine and kernel",
    "completion": "shell completion",
}


class LazyGroup(click.Group):
    """Imports a command's file when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the commands in the order of a project's life."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Give a command, or None; one that comes later says so."""
        if cmd_name in COMMANDS:
            module = importlib.import_module(f"stackgen.cli.{cmd_name}")
            command: click.Command = module.command
            return command
        if cmd_name in LATER:
            ctx.fail(f"`{cmd_name}` is not there yet: {LATER[cmd_name]}")
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Answer a mistyped command with the one that was meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from stackgen.diagnostics import did_you_mean

            close = did_you_mean(args[0], COMMANDS)
            if close and "No such command" in error.message:
                ctx.fail(f'no command is called "{args[0]}"; did you mean "{close}"?')
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from their one lines."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="stackgen", message="%(prog)s %(version)s")
def cli() -> None:
    """Describe container images as short YAML stacks; render their Dockerfiles.

    \b
    Example:
      stackgen render stacks/wordpress.yml
    """


def main() -> None:
    """Run the command line; a reader that closes the pipe early is no error."""
    try:
        cli(prog_name="stackgen")
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
