"""What an earlier scan knows is used where nothing it hangs on has changed; what this scan knows is kept."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from otplint.engine.cache.memory import Details, Disk, Memory, digest, same_report, shape
from otplint.engine.cache.store import Store
from otplint.engine.units import Unit
from otplint.facts.index.entries import ModuleIndex
from otplint.facts.index.project import Answer, Question
from otplint.findings import Report
from otplint.sources.triage import Triage

if TYPE_CHECKING:
    from otplint.facts.facts import Facts


class Cache:
    """What is kept of the scans of one project that were asked for in one way.

    Args:
        store: where.
        key: tells ways to scan apart: version, rules, settings, paths.
        root: of the project, absolute.
        modules: those of rule packs, whose notes are kept.
    """

    def __init__(self, store: Store, key: str, root: Path, modules: frozenset[str] = frozenset()) -> None:
        self._store = store
        self._key = key
        self._modules = modules
        known = store.read(f"{key}-report.bin")
        self._memory = known if isinstance(known, Memory) else Memory()
        self._details: Details | None = None
        self.disk = Disk(str(root), self._memory, time.time_ns())

    def report(self, listed: Iterable[str]) -> Report | None:
        """The earlier report, where nothing has changed since."""
        return same_report(self._memory, listed, self.disk)

    def details(self) -> Details:
        """What the earlier scan found out on its way; nothing where there was none."""
        if self._details is None:
            known = self._store.read(f"{self._key}-details.bin", self._modules) if self._memory.stamps else None
            self._details = known if isinstance(known, Details) else Details()
        return self._details

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
        known = self.details()
        if not known.units or known.whole != _whole(facts):
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
        details.whole = _whole(facts)
        details.units = {unit.path: unit for unit in units}
        self._store.write(f"{self._key}-details.bin", details)
        self._store.write(f"{self._key}-report.bin", memory)


class Answers(dict[Question, Answer]):
    """What the questions of units are answered today, each worked out once."""

    def __init__(self, facts: Facts, disk: Disk) -> None:
        super().__init__()
        self._facts = facts
        self._disk = disk

    def __missing__(self, question: Question) -> Answer:
        self[question] = answer = self._answer(question)
        return answer

    def confirm(self, unit: Unit) -> bool:
        """Whether everything that a unit hangs on is as it was."""
        return all(self[question] == answer for question, answer in unit.asked.items())

    def complete(self, unit: Unit) -> None:
        """Fill in the answers that only the keeper knows: what files hold."""
        for question, answer in unit.asked.items():
            if answer is None and question[0] in ("text", "entry"):
                unit.asked[question] = self[question]

    def _answer(self, question: Question) -> Answer:
        facts = self._facts
        match question:
            case ("text", path):
                stamp = self._disk.stamp(path)
                return None if stamp is None else stamp.digest.hex()
            case ("entry", path):
                index = facts.project.at(path)
                return None if index is None else shape(index)
            case ("module", path):
                index = facts.project.at(path)
                return None if index is None else index.module
            case ("holding", *words):
                return tuple(index.path for index in facts.holding(*words))
            case ("actor_root", name):
                return facts.kinship.actor_root(name)
            case ("sets_up", name):
                return str(facts.kinship.sets_up(name))
            case ("decorator", name):
                return facts.kinship.made.decorator(name)
        return facts.project.ask(question)


def _whole(facts: Facts) -> bytes:
    known = (facts.kinship.whole(), sorted(facts.operation_names.items()))
    return digest(repr(known).encode("utf-8", "backslashreplace"))
