"""What commands that scan take on their command line; nothing here loads a rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from otplint.config import Config
from otplint.findings import Confidence, Severity

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says about settings; none where it says nothing."""

    config: tuple[str, ...] = ()
    isolated: bool = False
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    min_confidence: str | None = None
    fail_on: str | None = None


def selection_flags(command: _Command) -> _Command:
    """The flags that choose rules and configuration, for commands that scan."""
    options = [
        click.option("--select", multiple=True, metavar="RULES", help="Run only these: codes, names, families or ALL."),
        click.option("--ignore", multiple=True, metavar="RULES", help="Do not run these."),
        click.option("--extend-select", multiple=True, metavar="RULES", help="Run these in addition."),
        click.option("--isolated", is_flag=True, help="Read no configuration file."),
        click.option("--config", multiple=True, metavar="FILE|KEY=VALUE", help="A configuration file, or one setting."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def listed(values: Sequence[str]) -> tuple[str, ...]:
    """The items of a repeatable flag whose values may be lists with commas."""
    return tuple(item.strip() for value in values for item in value.split(",") if item.strip())


def overridden(config: Config, flags: Flags) -> Config:
    """The configuration with the thresholds of the command line."""
    if flags.min_confidence is not None:
        config = config.override("--min-confidence", min_confidence=Confidence(flags.min_confidence))
    if flags.fail_on is not None:
        threshold = None if flags.fail_on == "never" else Severity(flags.fail_on)
        config = config.override("--fail-on", fail_on=threshold)
    return config
