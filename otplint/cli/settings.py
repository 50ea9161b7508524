"""From flags and files to what a scan needs: the configuration, the project root and the rules, ready to run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from otplint.api import OptionError, Rule
from otplint.cli.flags import Flags, overridden
from otplint.config import Config, ConfigError, load
from otplint.engine.executors import ExecutorError
from otplint.engine.packs import PackError, load_rules
from otplint.engine.select import SelectionError, build, choose, known, per_file
from otplint.facts.frameworks import FrameworkError, with_users
from otplint.sources.installed import NoSearchPath, search_roots
from otplint.sources.patterns import BadPattern
from otplint.sources.root import common_start, project_root
from otplint.sources.walk import WalkError


@dataclass(frozen=True, slots=True)
class Settings:
    """What is in force for a scan."""

    config: Config
    root: Path
    """The project root, absolute."""
    rules: tuple[Rule, ...]
    """By code, with the user's options and severities."""


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what users can get wrong into one line and exit status 2; anything else is a bug and stays one."""
    try:
        yield
    except (
        BadPattern,
        ConfigError,
        ExecutorError,
        FrameworkError,
        OptionError,
        PackError,
        SelectionError,
        WalkError,
    ) as error:
        raise click.ClickException(str(error)) from error


def catalogue() -> tuple[type[Rule], ...]:
    """Every rule of every installed pack, by code."""
    with one_line_errors():
        return load_rules()


def settings_for(paths: Sequence[Path], flags: Flags) -> Settings:
    """The settings in force for a scan of these paths."""
    with one_line_errors():
        start = common_start(paths)
        config = load(start, overrides=flags.config, isolated=flags.isolated)
        every = load_rules()
        _check_names(config, every)
        rules = build(_chosen(config, flags, every), severities=config.severities, options=config.options)
        root = project_root(start, config.file)
        _check_search_paths(config, root)
        _check_frameworks(config)
        return Settings(overridden(config, flags), root, rules)


def unselected(settings: Settings) -> tuple[tuple[Rule, str], ...]:
    """The rules that do not run, ready to run with the user's options, each with the reason."""
    config = settings.config
    with one_line_errors():
        every = load_rules()
        running = {rule.code for rule in settings.rules}
        off = {known(name, every, where="severity").code for name in config.off}
        others = [rule for rule in every if rule.code not in running]
        ready = build(others, severities=config.severities, options=config.options)
    return tuple((rule, _why_off(rule, switched_off=rule.code in off)) for rule in ready)


def _why_off(rule: Rule, *, switched_off: bool) -> str:
    if switched_off:
        return "the configuration switches the rule off"
    return "a preview rule runs only where it is selected" if rule.preview else "the rule is not selected"


def _check_names(config: Config, rules: Sequence[type[Rule]]) -> None:
    """Raise for a rule in the configuration that does not exist, whether or not it would have run."""
    where = "configuration" if config.file is None else config.file.name
    for key in ("severity", "options"):
        for name in getattr(config, key):
            known(name, rules, where=f"{where}: {key}")
    per_file(config.per_file_ignores, rules)


def _check_search_paths(config: Config, root: Path) -> None:
    """Raise for a directory that does not exist, whether or not anything would have been looked for in it."""
    try:
        search_roots(config.search_paths, root)
    except NoSearchPath as error:
        raise ConfigError(f"{config.origins.get('search-paths', 'configuration')}: {error}") from error


def _check_frameworks(config: Config) -> None:
    """Raise for a table of an in-house framework that cannot be meant, with the file that it is in."""
    for name, table in config.frameworks.items():
        try:
            with_users({name: table})
        except FrameworkError as error:
            origins = [where for key, where in config.origins.items() if key.startswith(f"frameworks.{name}.")]
            raise ConfigError(f"{origins[0] if origins else 'configuration'}: {error}") from error


def _chosen(config: Config, flags: Flags, every: Sequence[type[Rule]]) -> list[type[Rule]]:
    """The rules that the configuration chooses, then the command line on top: it knows better."""
    by_file = choose(every, select=config.select, ignore=config.ignore, extend_select=config.extend_select)
    off = {known(name, every, where="severity").code for name in config.off}
    return choose(
        every,
        select=flags.select or None,
        ignore=flags.ignore,
        extend_select=flags.extend_select,
        base=[rule for rule in by_file if rule.code not in off],
        where="--",
    )
