"""``otplint clean``: remove the cache."""

from __future__ import annotations

from pathlib import Path

import click

from otplint.cli import OK
from otplint.cli.flags import Flags
from otplint.cli.terminal import say


@click.command(name="clean")
@click.argument("path", default=".", metavar="[PATH]")
@click.option("--isolated", is_flag=True, help="Read no configuration file.")
@click.option("--config", multiple=True, metavar="FILE|KEY=VALUE", help="A configuration file, or one setting.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def command(path: str, config: tuple[str, ...], *, isolated: bool, quiet: bool) -> int:
    """Remove what earlier scans of the project around PATH (default: the current directory) have kept."""
    from otplint.cli.settings import settings_for
    from otplint.engine.cache.store import place

    store = place(settings_for([Path(path)], Flags(config, isolated)).root)
    try:
        count = store.clear()
    except OSError as error:
        raise click.ClickException(f"cannot remove {error.filename}: {error.strerror}") from error
    if not quiet:
        say(f"removed {store.directory}, {count} files" if count else f"nothing to remove at {store.directory}")
    return OK
