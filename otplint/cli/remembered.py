"""What an earlier run of ``check`` left, looked up before any rule is imported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from otplint.cli.flags import Flags, overridden
from otplint.config import Config, load
from otplint.findings import Report

if TYPE_CHECKING:
    from otplint.engine.cache.recall import Cache


@dataclass(frozen=True, slots=True)
class Setting:
    """As much of the settings as it takes to print a report."""

    config: Config = field(default_factory=Config)
    root: Path = Path()
    """The project root, absolute."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """The cache of a project, and its report where nothing has changed since."""

    setting: Setting = field(default_factory=Setting)
    cache: Cache | None = None
    report: Report | None = None


def remembered(paths: Sequence[Path], flags: Flags, *, suppressions: bool) -> Remembered:
    """Look up the report of a scan of these paths.

    The same command line, configuration and version of otplint have been through all checks when the report was made.
    A mistake in the configuration is left for the checks to find.
    """
    from otplint.config import ConfigError
    from otplint.engine.cache.key import key_of
    from otplint.engine.cache.recall import Cache
    from otplint.engine.cache.store import place
    from otplint.sources.patterns import BadPattern
    from otplint.sources.root import common_start, project_root
    from otplint.sources.walk import WalkError

    try:
        start = common_start(paths)
        config = overridden(load(start, overrides=flags.config, isolated=flags.isolated), flags)
        root = project_root(start, config.file)
        key = key_of(paths, root, config, flags, suppressions=suppressions)
        if not key:
            return Remembered()
        cache = Cache(place(root), key, root)
        return Remembered(Setting(config, root), cache, cache.report_of(paths, config))
    except (BadPattern, ConfigError, WalkError):
        return Remembered()
