"""``otplint config``: the settings in force, and where each comes from."""

from __future__ import annotations

import json
from pathlib import Path

import click

from otplint.cli.settings import Flags, catalogue, settings_for
from otplint.cli.terminal import put


@click.command(name="config")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--isolated", is_flag=True, help="Read no configuration file.")
@click.option("--config", multiple=True, metavar="FILE|KEY=VALUE", help="A configuration file, or one setting.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print them.",
)
@click.option("--schema", is_flag=True, help="Print the JSON schema of the configuration instead.")
def command(paths: tuple[str, ...], config: tuple[str, ...], style: str, *, isolated: bool, schema: bool) -> None:
    """Show the settings in force for a scan of PATH (default: the current directory)."""
    if schema:
        from otplint.config_schema import schema as configuration_schema

        infos = [rule().info() for rule in catalogue()]
        put(json.dumps(configuration_schema(infos), indent=2) + "\n")
        return
    settings = settings_for([Path(path) for path in paths], Flags(config, isolated))
    found = settings.config.settings()
    if style == "json":
        document = {
            "file": None if settings.config.file is None else str(settings.config.file),
            "root": str(settings.root),
            "rules": [rule.code for rule in settings.rules],
            "settings": [{"key": item.key, "value": item.value, "origin": item.origin} for item in found],
        }
        put(json.dumps(document, indent=2) + "\n")
        return
    lines = [f"# file: {settings.config.file or 'none'}", f"# project root: {settings.root}"]
    lines += [f"{item.key} = {json.dumps(item.value, ensure_ascii=False)}  # {item.origin}" for item in found]
    put("".join(f"{line}\n" for line in lines))
