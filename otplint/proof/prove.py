"""Run the programs of a rule under the schedules it needs, and compare."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from otplint.proof.programs import BrokenProof, Judge, Programs, ReportedSystem, Scenario, scenario_of
from otplint.proof.quiet import quietly
from otplint.proof.results import ItemShown, Observed, Proof, Shown
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
    schedule = None if worst is None else worst.schedule
    return Shown(_rounded(telling.value or {}), count, total, how, exhausted, schedule, judge.error, worst)


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
