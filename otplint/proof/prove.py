"""Run the programs of a rule under the schedules it needs, and compare."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from otplint.proof.programs import Observed, Programs, Scenario, scenario_of
from otplint.runtime.testing import Exploration, Run, crash_points, explore, run

_LIMIT = 3000
_WALKS = 200

Locate = Callable[[Path, str], tuple[int, int] | None]
"""Where the linter reports a code in a file: character offsets, or none."""


@dataclass(frozen=True)
class Shown:
    """What one program showed."""

    observed: str
    """The observables of the most telling run, as text."""
    harmful: int
    """Runs that showed the harm."""
    runs: int
    how: str
    """``1 schedule``, ``exhausted over N schedules``, ``sampled over N schedules`` or ``N crash points``."""
    worst: Run[Observed] | None
    """The smallest harmful run."""
    error: str = ""
    """What a scenario raised; such a run proves nothing."""


@dataclass(frozen=True)
class Proof:
    """The verdict on one rule."""

    programs: Programs
    bad: Shown
    good: Shown
    same_construct: bool
    """The bad program holds what the rule reports, and the good one does not."""
    causal: bool | None
    """Whether the repair of the reported span alone makes the harm vanish; none where no repair fits one span."""
    seconds: float
    """Processor time."""

    @property
    def problems(self) -> list[str]:
        """Why the proof does not hold, a sentence each; empty where it does."""
        found = [f"{name}: {shown.error}" for name, shown in (("bad", self.bad), ("good", self.good)) if shown.error]
        if not self.bad.error and not self.bad.harmful:
            found.append("the bad program does no harm")
        if not self.good.error and self.good.harmful:
            found.append("the good program does harm")
        if self.causal is False:
            found.append("the repair of the reported span leaves the harm")
        return found

    @property
    def holds(self) -> bool:
        """True where bad does harm and good does not."""
        return not self.problems


def prove(programs: Programs, locate: Locate) -> Proof:
    """Run both programs, and the repaired bad one where there is a repair."""
    started = time.process_time()
    bad = show(scenario_of(programs.bad), programs)
    good = show(scenario_of(programs.good), programs)
    span = locate(programs.bad, programs.code)
    same = span is not None and locate(programs.good, programs.code) is None
    causal: bool | None = None
    if span is not None and programs.repair is not None:
        text = programs.bad.read_text(encoding="utf-8")
        repaired = text[: span[0]] + programs.repair + text[span[1] :]
        mended = show(scenario_of(programs.bad, repaired), programs)
        causal = bool(bad.harmful) and not mended.harmful and not mended.error
    return Proof(programs, bad, good, same, causal, time.process_time() - started)


def show(scenario: Scenario, programs: Programs) -> Shown:
    """What a scenario shows under the schedules that the proof needs."""

    def harmful(done: Run[Observed]) -> bool:
        return done.value is not None and bool(programs.harm(done.value))

    if programs.crash:
        points = crash_points(scenario, programs.crash, harmful)
        bad = [points.runs[i - 1] for i in points.harmful]
        return _shown(points.runs, bad, len(points.runs), f"{points.points} crash points")
    if programs.every_schedule:
        done: Exploration[Any] = explore(scenario, harmful, limit=_LIMIT, walks=_WALKS)
        first = run(scenario)
        worst = [done.smallest] if done.smallest is not None else []
        shown = _shown([first, *worst], worst, done.schedules, done.label)
        return Shown(shown.observed, done.harmful, done.schedules, shown.how, shown.worst, shown.error)
    single = run(scenario)
    return _shown([single], [single] if harmful(single) else [], 1, "1 schedule")


def _shown(runs: Any, harmful: list[Run[Observed]], count: int, how: str) -> Shown:
    failed = next((r for r in runs if r.error is not None), None)
    telling = harmful[0] if harmful else runs[0]
    error = f"{type(failed.error).__name__}: {failed.error}" if failed is not None else ""
    return Shown(as_text(telling.value or {}), len(harmful), count, how, harmful[0] if harmful else None, error)


def as_text(observed: Observed) -> str:
    """Observables in one line."""
    return ", ".join(f"{name} {value}" for name, value in observed.items())
