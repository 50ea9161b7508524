"""The commands by name; each one's module is imported when it is asked for."""

from __future__ import annotations

import difflib
import importlib

import click

from otplint import __version__

COMMANDS = {
    "check": "Scan files and folders.",
    "explain": "Tell why a rule, or a finding at FILE:LINE, matters.",
    "why-not": "Tell which rules looked at FILE:LINE, and why each is silent.",
    "rules": "List the rules.",
    "prove": "Run the rules' programs on the runtime: the bad ones must do harm.",
    "config": "Show the settings in force, and where each comes from.",
    "clean": "Remove the cache.",
    "new-rule": "Write the files of a new rule, here or in a pack of your own.",
}


class LazyGroup(click.Group):
    """A group whose commands live in modules of their own name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's signature)
        """The names in the order of the documentation."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  (click's)
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"otplint.cli.{cmd_name.replace('-', '_')}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"otplint.cli: {cmd_name} is no command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest name for one that is not there."""
        near = difflib.get_close_matches(args[0], COMMANDS, n=1)
        if near and args[0] not in COMMANDS:
            raise click.UsageError(f"no such command {args[0]!r}; did you mean {near[0]}?", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  (click's)
        """The list for ``--help``, without importing every command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="otplint %(version)s")
def otplint() -> None:
    """Find where Python actor code defeats its own supervision."""
