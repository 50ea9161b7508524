"""What an earlier scan knows is used where nothing it hangs on has changed; what this scan knows is kept."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from otplint.engine.cache.memory import Disk, Memory, same_report
from otplint.engine.cache.store import Store
from otplint.findings import Report
from otplint.sources.decode import decode
from otplint.sources.walk import walk

if TYPE_CHECKING:
    from otplint.config import Config
    from otplint.engine.cache.details import Details
    from otplint.engine.cache.regions import KeptRegions
    from otplint.engine.units import Unit
    from otplint.facts.facts import Facts
    from otplint.facts.index.entries import ModuleIndex
    from otplint.sources.triage import Triage


class Cache:
    """What is kept of the scans of one project that were asked for in one way.

    Args:
        store: where.
        key: tells ways to scan apart: version, rules, settings, paths.
        root: of the project, absolute.
    """

    def __init__(self, store: Store, key: str, root: Path) -> None:
        self._store = store
        self._root = root
        self.listed: list[str] = []
        """The files of the scan."""
        self._key = key
        known = store.read(f"{key}-report.bin")
        self._memory = known if isinstance(known, Memory) else Memory()
        self._details: Details | None = None
        self.disk = Disk(str(root), self._memory, time.time_ns())

    def report_of(self, paths: Sequence[Path], config: Config) -> Report | None:
        """The earlier report with its sources, where nothing has changed since.

        Raises:
            WalkError: a path does not exist or cannot be listed.
        """
        walked = walk(paths, self._root, exclude=config.exclude, respect_gitignore=config.respect_gitignore)
        self.listed = [file.relative for file in walked]
        found = same_report(self._memory, self.listed, self.disk)
        if found is None:
            return None
        if self.disk.settled:  # so that the next scan need not read what was new when it was kept
            self._store.write(f"{self._key}-report.bin", self.disk.settle())
        texts = {path: decode((self._root / path).read_bytes()).text for path in found.mentioned}
        return replace(found, sources=texts)

    def details(self) -> Details:
        """What the earlier scan found out on its way; nothing where there was none."""
        from otplint.engine.cache.details import Details

        if self._details is None:
            known = self._store.read(f"{self._key}-details.bin", self._modules()) if self._memory.stamps else None
            self._details = known if isinstance(known, Details) else Details()
        return self._details

    @cached_property
    def regions(self) -> KeptRegions:
        """What was parsed in earlier scans of the project, also in other ways."""
        from otplint.engine.cache.key import version
        from otplint.engine.cache.regions import KeptRegions

        with contextlib.suppress(OSError):  # then nothing is kept
            self._store.prepare()
        return KeptRegions(self._store.directory, version())

    @staticmethod
    def _modules() -> frozenset[str]:
        """The rules' own modules: their notes are kept."""
        from otplint.engine.packs import load_rules

        return frozenset(rule.__module__ for rule in load_rules())

    def left_out(self, path: str, triage: Triage) -> bool:
        """Whether the file is unchanged, and an earlier scan asked it the same in vain."""
        known = self.details()
        return path in known.rest and triage.key in known.triages and self.disk.unchanged(path)

    def has_comments(self, path: str) -> bool:
        """Whether an unchanged file may hold suppressions."""
        return path in self.details().commented

    def index(self, path: str, module: str) -> ModuleIndex | None:
        """What an unchanged file says to others, if it is still the module of that name."""
        known = self.details().indexes.get(path)
        return known if known is not None and known.module == module and self.disk.unchanged(path) else None

    def units(self, facts: Facts, indexes: Iterable[ModuleIndex]) -> dict[str, Unit]:
        """The results of an earlier scan that still hold, by path."""
        from otplint.engine.cache.answers import Answers, whole

        known = self.details()
        if not known.units or known.whole != whole(facts):
            return {}
        now = Answers(facts, self.disk)
        found = {index.path: known.units[index.path] for index in indexes if index.path in known.units}
        return {path: unit for path, unit in found.items() if now.confirm(unit)}

    def keep(
        self,
        report: Report,
        listed: Sequence[str],
        facts: Facts,
        units: Sequence[Unit],
        pulled: Mapping[str, bool],
        details: Details,
    ) -> None:
        """Keep what this scan knows for the next one."""
        from otplint.engine.cache.answers import Answers, whole

        now = Answers(facts, self.disk)
        for unit in units:
            now.complete(unit)
        others = {path for path, there in pulled.items() if there}
        memory = Memory(
            self.disk.stamps({*listed, *others}),
            frozenset(listed),
            self.disk.absent(path for path, there in pulled.items() if not there),
            report,
        )
        details.whole = whole(facts)
        details.units = {unit.path: unit for unit in units}
        self._store.write(f"{self._key}-details.bin", details)
        self._store.write(f"{self._key}-report.bin", memory)
        self.regions.keep()
        self.regions.bound()
