"""``otplint config``: the settings in force, and where each comes from."""

from __future__ import annotations

import json
from pathlib import Path

import click

from otplint.cli import FAILED, OK
from otplint.cli.flags import Flags
from otplint.cli.settings import Settings, catalogue, one_line_errors, settings_for
from otplint.cli.terminal import put, say


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
@click.option("--frameworks", is_flag=True, help="Show which actors are recognised, and by which evidence, instead.")
def command(
    paths: tuple[str, ...], config: tuple[str, ...], style: str, *, isolated: bool, schema: bool, frameworks: bool
) -> int:
    """Show the settings in force for a scan of PATH (default: the current directory)."""
    if schema and frameworks:
        raise click.UsageError("--schema and --frameworks print different things; give one")
    if schema:
        from otplint.config_schema import schema as configuration_schema

        infos = [rule().info() for rule in catalogue()]
        put(json.dumps(configuration_schema(infos), indent=2) + "\n")
        return OK
    places = [Path(path) for path in paths]
    settings = settings_for(places, Flags(config, isolated))
    if frameworks:
        return _frameworks(places or [Path()], settings, style)
    found = settings.config.settings()
    if style == "json":
        document = {
            "file": None if settings.config.file is None else str(settings.config.file),
            "root": str(settings.root),
            "rules": [rule.code for rule in settings.rules],
            "settings": [{"key": item.key, "value": item.value, "origin": item.origin} for item in found],
        }
        put(json.dumps(document, indent=2) + "\n")
        return OK
    lines = [f"# file: {settings.config.file or 'none'}", f"# project root: {settings.root}"]
    lines += [f"{item.key} = {json.dumps(item.value, ensure_ascii=False)}  # {item.origin}" for item in found]
    put("".join(f"{line}\n" for line in lines))
    return OK


def _frameworks(places: list[Path], settings: Settings, style: str) -> int:
    """Print what a scan of these paths recognises."""
    from otplint.cli.recognised import as_json, as_text
    from otplint.engine.recognised import overview
    from otplint.output.plain import one_line, visible

    with one_line_errors():
        found = overview(places, settings.config, root=settings.root)
    file = settings.config.file
    origin = "--config" if file is None else file.name
    put(as_json(found) if style == "json" else as_text(found, origin=origin))
    for failure in found.failures:
        line = f":{failure.line}" if failure.line else ""
        say(f"otplint: error: {visible(failure.path)}{line}: {one_line(failure.message)}")
    return FAILED if found.failures else OK
