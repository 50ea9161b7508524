"""Run the programs of a rule under the schedules it needs, and compare."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from otplint.proof.programs import BrokenProof, Judge, Observed, Programs, ReportedSystem, Scenario, scenario_of
from otplint.proof.quiet import quietly
from otplint.runtime.testing import Exploration, Run, crash_points, explore, run, walk

LIMIT = 3000
"""Schedules of one program that are tried one by one; where there are more, the proof is a sample."""
WALKS = 30
"""Random schedules on top of those."""
SEEDS = 5
"""Random schedules of a whole system."""

_UNJUDGEABLE = (LookupError, TypeError, ValueError, AttributeError)
"""What a judgement raises where the observables are not those it knows."""

Locate = Callable[[Path, str], tuple[int, int] | None]
"""Where the linter reports a code in a file: character offsets, or none."""
Reported = Callable[[Path], frozenset[str]]
"""The codes that the linter reports in a folder."""


@dataclass(frozen=True)
class Shown:
    """What one program showed."""

    observed: Observed
    """The observables of the most telling run, floats rounded to thousandths."""
    harmful: int
    """Runs that showed the harm."""
    runs: int
    how: str
    """``1 schedule``, ``exhausted over N schedules``, ``sampled over N schedules`` or ``N crash points``."""
    exhausted: bool = False
    """Whether these are all schedules that there are."""
    worst: Run[Observed] | None = None
    """The smallest harmful run."""
    error: str = ""
    """What a scenario raised, or what was wrong with its observables; such a run proves nothing."""


@dataclass(frozen=True)
class ItemShown:
    """One item of a system's proof: its value before and after the repairs."""

    code: str
    name: str
    before: object
    after: object
    problem: str
    """Why it does not hold; empty where it does."""


@dataclass(frozen=True)
class Proof:
    """The verdict on one rule, or on a system before and after its repairs."""

    code: str
    name: str
    claim: str
    bad: Shown
    good: Shown
    works: bool
    """The mechanism was at work in the good program."""
    same_construct: bool
    """The bad program holds what the rule reports, and the good one does not."""
    causal: bool | None
    """Whether the repair of the reported span alone makes the harm vanish; none where no repair fits one span."""
    seconds: float
    """Processor time."""
    items: tuple[ItemShown, ...] = ()

    @property
    def problems(self) -> list[str]:
        """Why the proof does not hold, a sentence each; empty where it does."""
        found = [f"{name}: {shown.error}" for name, shown in (("bad", self.bad), ("good", self.good)) if shown.error]
        found += [f"{item.name}: {item.problem}" for item in self.items if item.problem]
        if not self.items and not self.bad.error and not self.bad.harmful:
            found.append("the bad program does no harm")
        if not self.items and not self.good.error and self.good.harmful:
            found.append("the good program does harm")
        if not self.good.error and not self.works:
            found.append("the good program does not show the mechanism at work")
        if self.causal is False:
            found.append("the repair of the reported span leaves the harm")
        return found

    @property
    def holds(self) -> bool:
        """True where bad does harm and good does not."""
        return not self.problems

    @property
    def exhausted(self) -> bool:
        """Whether all schedules of both programs were tried."""
        return self.bad.exhausted and self.good.exhausted


def prove(programs: Programs, locate: Locate) -> Proof:
    """Run both programs, and the repaired bad one where there is a repair.

    :raises BrokenProof: naming a file that cannot be loaded.
    """
    started = time.process_time()
    with quietly():
        bad = show(scenario_of(programs.bad), programs, limit=programs.sample)
        good = show(scenario_of(programs.good), programs, harmless=True)
    works = _Judge(programs.works)
    at_work = bool(good.error) or works.of(good.observed)
    span = locate(programs.bad, programs.code)
    same = span is not None and locate(programs.good, programs.code) is None
    causal: bool | None = None
    if span is not None and programs.repair is not None:
        text = programs.bad.read_text(encoding="utf-8")
        repaired = text[: span[0]] + programs.repair + text[span[1] :]
        with quietly():
            mended = show(scenario_of(programs.bad, repaired), programs, harmless=True)
        causal = bool(bad.harmful) and not mended.harmful and not mended.error
    seconds = time.process_time() - started
    return Proof(programs.code, programs.name, programs.claim, bad, good, at_work, same, causal, seconds)


def prove_system(system: ReportedSystem, reported: Reported) -> Proof:
    """Run the crash script on both versions: each item's harm must be there before, and gone after.

    :raises BrokenProof: naming the version without a crash script, or the item that cannot be judged.
    """
    started = time.process_time()
    with quietly():
        before, after = (_walked(system, version) for version in ("before", "after"))
    items = tuple(
        ItemShown(
            item.code,
            item.name,
            before.shown.observed.get(item.name),
            after.shown.observed.get(item.name),
            " and ".join(
                ["no harm before the repairs"] * (before.harms[item.name] < before.judged)
                + ["harm after the repairs"] * (after.harms[item.name] > 0)
            ),
        )
        for item in system.items
    )
    codes = {item.code for item in system.items if item.code}
    same = codes <= reported(system.folder / "before") and not codes & reported(system.folder / "after")
    seconds = time.process_time() - started
    return Proof(system.name, "", system.claim, before.shown, after.shown, True, same, None, seconds, items)


@dataclass(frozen=True)
class _Walked:
    """Some runs of one version of a system."""

    shown: Shown
    harms: dict[str, int]
    """How many runs show the harm, by item."""
    judged: int
    """Runs that came to their end."""


def _walked(system: ReportedSystem, version: str) -> _Walked:
    """The plain schedule and some random ones."""
    scenario = system.scenario(version)
    runs = [run(scenario)]
    if runs[0].error is None:
        runs += [walk(scenario, seed) for seed in range(SEEDS)]
    failed = next((_said(done.error) for done in runs if done.error is not None), "")
    values: list[Observed] = []
    harms = {item.name: 0 for item in system.items}
    harmful = 0
    for done in runs:
        if done.value is None:
            continue
        seen: Observed = {}
        found = 0
        for item in system.items:
            try:
                seen[item.name] = item.value(done.value)
                harm = bool(item.harmful(seen[item.name]))
            except _UNJUDGEABLE as error:
                raise BrokenProof(f"{system.name}/proof.py: item {item.name!r}: {_said(error)}") from error
            harms[item.name] += harm
            found += harm
        values.append(_rounded(seen))
        harmful += found > 0
    observed = values[0] if values else {}
    shown = Shown(observed, harmful, len(runs), f"sampled over {len(runs)} schedules", error=failed)
    return _Walked(shown, harms, len(values))


def show(scenario: Scenario, programs: Programs, *, limit: int | None = None, harmless: bool = False) -> Shown:
    """What a scenario shows under the schedules that the proof needs, `limit` of them at most.

    `harmless` is what it ought to be: then harm in the plain order is the end of it.
    """
    judge = _Judge(programs.harm)
    if programs.crash:
        points = crash_points(scenario, programs.crash, judge)
        worst = [points.runs[number - 1] for number in points.harmful]
        return _shown(points.runs, worst, judge, len(worst), len(points.runs), f"{points.points} crash points")
    single = run(scenario)
    if programs.every_schedule and not (harmless and judge(single)):
        done: Exploration[Any] = explore(scenario, judge, limit=limit or LIMIT, walks=WALKS)
        worst = [done.smallest] if done.smallest is not None else []
        return _shown([single], worst, judge, done.harmful, done.schedules, done.label, exhausted=done.exhausted)
    worst = [single] if judge(single) else []
    return _shown([single], worst, judge, len(worst), 1, "1 schedule")


class _Judge:
    """Judges runs, and remembers the first that cannot be judged."""

    def __init__(self, asked: Judge) -> None:
        self.asked = asked
        self.error = ""

    def __call__(self, done: Run[Observed]) -> bool:
        """Whether the run shows the harm."""
        if done.error is not None:
            self.error = self.error or _said(done.error)
        if done.value is None:
            return False
        return self.of(done.value)

    def of(self, observed: Observed) -> bool:
        """Whether these observables are what is asked for."""
        try:
            return bool(self.asked(observed))
        except _UNJUDGEABLE as error:
            self.error = self.error or f"proof.py cannot judge {observed!r}: {_said(error)}"
            return False


def _shown(
    runs: Sequence[Run[Observed]],
    harmful: list[Run[Observed]],
    judge: _Judge,
    count: int,
    total: int,
    how: str,
    *,
    exhausted: bool = False,
) -> Shown:
    telling = harmful[0] if harmful else runs[0]
    worst = harmful[0] if harmful else None
    return Shown(_rounded(telling.value or {}), count, total, how, exhausted, worst, judge.error)


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".replace("\n", " ")


def _rounded(value: Any) -> Any:
    """Floats to thousandths, whole ones as integers: virtual time adds up in binary fractions."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else round(value, 3)
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(part) for part in value]
    return value
