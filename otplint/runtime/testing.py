"""Deterministic runs of actor programs: one schedule, a seeded walk, all schedules, or a kill at every step.

A scenario is ``async def scenario(system)``: it starts processes, drives them, and returns what it observed. Each run
gets a fresh loop and System. A schedule is the list of choices made; any run can be replayed from it.

* `run` with a `choose` function: `first` (plain order), `seeded(7)`, `replaying([2, 0, 1])`, or drawn by Hypothesis:
  ``run(scenario, choose=lambda width: data.draw(st.integers(0, width - 1)))``.
* `explore` tries all schedules, depth first, and says *exhausted*; past `limit` it walks at random and says *sampled*.
* `crash_points` kills one process at each of its steps and effects in turn.
"""

from __future__ import annotations

import asyncio
import atexit
import dataclasses
import random
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from otplint.runtime.counters import Counters
from otplint.runtime.detloop import Choose, Deadlock, DetLoop, Refused, StepBudget, first
from otplint.runtime.guards import refusing
from otplint.runtime.kernel import System
from otplint.runtime.messages import Event
from otplint.runtime.process import Process, current
from otplint.runtime.reasons import KILLED
from otplint.runtime.settings import Settings

__all__ = [
    "Choose",
    "CrashPoints",
    "Deadlock",
    "DetLoop",
    "Exploration",
    "Refused",
    "Run",
    "Scenario",
    "StepBudget",
    "crash_points",
    "explore",
    "first",
    "replay",
    "replaying",
    "run",
    "seeded",
    "shrink",
    "walk",
]

T = TypeVar("T")
Scenario = Callable[[System], Awaitable[T]]


@dataclass(frozen=True)
class Run(Generic[T]):
    """One run. What is recorded ends with the scenario; the teardown shows only in `final`."""

    value: T | None
    """What the scenario returned; None if it raised."""
    error: BaseException | None
    """What it raised, or Deadlock, or StepBudget."""
    choices: tuple[int, ...]
    """The schedule: which of the queues went next, each time more than one could."""
    widths: tuple[int, ...]
    """Among how many each choice was."""
    steps: int
    seconds: float
    """Virtual seconds."""
    events: tuple[Event, ...]
    """The trace, enough to draw it as a sequence diagram: src, dst, and n that pairs a message with its handling."""
    counters: Counters
    """When the scenario ended."""
    final: Counters
    """After the System's orderly shutdown (orphans, zombies)."""
    unreported: tuple[str, ...]
    """Errors that reached nobody but the loop's exception handler."""

    @property
    def schedule(self) -> tuple[int, ...]:
        """`choices` without the trailing zeros, which a replay adds by itself."""
        end = len(self.choices)
        while end and not self.choices[end - 1]:
            end -= 1
        return self.choices[:end]


Harm = Callable[[Run[T]], bool]


def seeded(seed: int) -> Choose:
    """Random choices that are the same for the same seed on every Python and machine."""
    return random.Random(seed).randrange


def replaying(choices: Iterable[int]) -> Choose:
    """These choices, then the plain order. A choice that is too large takes the last queue."""
    rest = iter(choices)
    return lambda width: min(next(rest, 0), width - 1)


class _CrashPoint(BaseException):
    """The end of the process at this very place; no handler is meant to see it."""


class _Killer:
    """Counts the steps and effects of the first process called `target`, and kills it at number `at`."""

    def __init__(self, target: str, at: int) -> None:
        self.target = target
        self.at = at
        self.seen = 0
        self.label = ""
        self.victim: Process | None = None

    def matches(self, process: Process | None) -> bool:
        """Whether it is the one: by registered name or by class; a restarted one is another process."""
        if process is None or process.dead or process.exiting is not None:
            return False
        if self.victim is None and self.target in (process.name, process.pid.label):
            self.victim = process
        return process is self.victim

    def due(self, label: str) -> bool:
        """One more crash point."""
        self.seen += 1
        if self.seen == self.at:
            self.label = label
        return self.seen == self.at

    def effect(self, process: Process, label: str) -> None:
        """Before an effect: dies inside the handler, where it stands."""
        if self.matches(process) and self.due(f"before {label}"):
            process.exiting = KILLED
            raise _CrashPoint

    def step(self, context: Context) -> None:
        """After a step: dies where it waits."""
        process = context.get(current)
        if process is not None and self.matches(process) and self.due("at an await"):
            process.end(KILLED)


def run(
    scenario: Scenario[T],
    *,
    choose: Choose = first,
    settings: Settings | None = None,
    copy: bool = False,
    max_steps: int = 100_000,
    each_step: Callable[[System], None] | None = None,
    inline: bool = False,
) -> Run[T]:
    """Runs a scenario once under `choose`. Never raises what the scenario raises: see `Run.error`.

    `each_step` is called after every step of the scenario; what it raises ends the run as its error. `inline` is the
    way of production: signals arrive at once, several messages may be handled in one step, nothing is traced.
    """
    return _run(scenario, choose, settings, copy, max_steps, each_step, None, inline)


def _run(
    scenario: Scenario[T],
    choose: Choose,
    settings: Settings | None,
    copy: bool,
    max_steps: int,
    each_step: Callable[[System], None] | None,
    killer: _Killer | None,
    inline: bool = False,
) -> Run[T]:
    loop = DetLoop(choose, max_steps=max_steps)
    events: list[Event] = []
    unreported: list[str] = []
    system = System(settings, trace=None if inline else events.append, copy=copy)
    loop.describe = lambda: _table(system)
    loop.set_exception_handler(lambda _loop, context: unreported.append(_brief(context)))
    seen: dict[str, Any] = {}

    def end_of_record() -> None:
        if not seen:
            loop.freeze()
            system.trace = None
            system.hook = loop.after_step = None
            seen.update(counters=dataclasses.replace(system.counters), seconds=loop.time(), steps=loop.steps)

    async def main() -> T:
        async with system:
            if inline:
                system.act_at_once()
            if each_step is not None:
                loop.after_step = lambda _context: each_step(system)
            if killer is not None:
                system.hook = killer.effect
                loop.after_step = killer.step
            try:
                return await scenario(system)
            finally:
                end_of_record()

    value: T | None = None
    error: BaseException | None = None
    with refusing():
        task = loop.create_task(main())
        try:
            value = loop.run_until_complete(task)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as raised:  # noqa: BLE001 - the harness reports whatever a scenario raises
            error = raised
        end_of_record()
        _clear(loop)
    result = Run(
        value=value,
        error=error,
        choices=tuple(loop.choices),
        widths=tuple(loop.widths),
        steps=seen["steps"],
        seconds=seen["seconds"],
        events=tuple(events),
        counters=seen["counters"],
        final=system.counters,
        unreported=tuple(unreported),
    )
    loop.close()
    return result


def _clear(loop: DetLoop) -> None:
    """Cancels and gathers what is left, a few times; keeps what swallows every cancellation."""
    loop.max_steps = loop.steps + 100_000
    for _ in range(4):
        tasks = [task for task in asyncio.all_tasks(loop) if not task.done()]
        if not tasks:
            return
        for task in sorted(tasks, key=lambda task: task.get_name()):
            task.cancel()
        try:
            loop.run_until_complete(asyncio.wait(tasks, timeout=60.0))
        except (Deadlock, StepBudget):
            break
    # What cannot be cancelled cannot be collected in silence either: it would swallow that exception as well.
    zombies = [task for task in asyncio.all_tasks(loop) if not task.done()]
    if zombies and not _zombies:
        atexit.register(setattr, sys, "unraisablehook", print_nothing)
    _zombies.extend(zombies)


_zombies: list[asyncio.Task[Any]] = []


def print_nothing(_what: object) -> None:
    """The hook for the interpreter's last moments once there are zombies."""


def _table(system: System) -> str:
    lines = []
    for pid in system.processes():
        info = system.info(pid)
        lines.append(f"\n  {pid!r} {info.status}, {info.mailbox} queued, {info.callers} callers")
    return "; processes:" + "".join(lines) if lines else "; no process is alive"


def _brief(context: dict[str, Any]) -> str:
    return f"{context.get('message')}: {context.get('exception')!r}"


def replay(scenario: Scenario[T], choices: Sequence[int], **options: Any) -> Run[T]:
    """The run of a recorded schedule; `options` as for `run`."""
    return run(scenario, choose=replaying(choices), **options)


def walk(scenario: Scenario[T], seed: int, **options: Any) -> Run[T]:
    """One random schedule; `options` as for `run`."""
    return run(scenario, choose=seeded(seed), **options)


def _harmful(run: Run[Any]) -> bool:
    return run.error is not None or bool(run.value)


@dataclass(frozen=True)
class Exploration(Generic[T]):
    """What the schedules of one scenario showed."""

    schedules: int
    harmful: int
    exhausted: bool
    """All schedules there are; otherwise the first `limit` of them and random ones."""
    smallest: Run[T] | None
    """The harmful run with the smallest schedule."""

    @property
    def label(self) -> str:
        """``exhausted over 50 schedules`` or ``sampled over 5200 schedules``: never more than was done."""
        plural = "" if self.schedules == 1 else "s"
        return f"{'exhausted' if self.exhausted else 'sampled'} over {self.schedules} schedule{plural}"


def explore(
    scenario: Scenario[T],
    harm: Harm[T] = _harmful,
    *,
    limit: int = 5000,
    walks: int = 200,
    seed: int = 0,
    **options: Any,
) -> Exploration[T]:
    """Runs all schedules depth first; past `limit` of them `walks` random ones more, and says so.

    `harm` judges a run (default: it raised, or returned something true). `options` as for `run`.
    """
    harmful = schedules = 0
    smallest: Run[T] | None = None
    prefix: list[int] | None = []
    while prefix is not None and schedules < limit:
        result = replay(scenario, prefix, **options)
        schedules += 1
        if harm(result):
            harmful += 1
            smallest = _smaller(smallest, result)
        prefix = _next(result)
    if prefix is not None:
        for number in range(walks):
            result = walk(scenario, seed + number, **options)
            schedules += 1
            if harm(result):
                harmful += 1
                smallest = _smaller(smallest, result)
        if smallest is not None:
            smallest = shrink(scenario, smallest, harm, **options)
    return Exploration(schedules, harmful, prefix is None, smallest)


def _next(run: Run[Any]) -> list[int] | None:
    """The schedule after this one in depth-first order; None after the last."""
    for index in range(len(run.choices) - 1, -1, -1):
        if run.choices[index] + 1 < run.widths[index]:
            return [*run.choices[:index], run.choices[index] + 1]
    return None


def _size(run: Run[Any]) -> tuple[int, int, tuple[int, ...]]:
    return (len(run.schedule), sum(run.schedule), run.schedule)


def _smaller(best: Run[T] | None, candidate: Run[T]) -> Run[T]:
    return candidate if best is None or _size(candidate) < _size(best) else best


def shrink(
    scenario: Scenario[T], found: Run[T], harm: Harm[T] = _harmful, *, tries: int = 200, **options: Any
) -> Run[T]:
    """A smaller schedule with the same harm: cuts the end off, then turns choices to 0 one by one."""
    best = found
    progress = True
    while progress and tries > 0:
        progress = False
        schedule = best.schedule
        size = len(schedule)
        attempts: list[tuple[int, ...]] = [schedule[: size - cut] for cut in (size, size // 2, size // 4, 1) if cut > 0]
        attempts += [(*schedule[:i], 0, *schedule[i + 1 :]) for i in reversed(range(size)) if schedule[i]]
        for attempt in attempts:
            tries -= 1
            result = replay(scenario, attempt, **options)
            if harm(result) and _size(result) < _size(best):
                best, progress = result, True
                break
            if tries <= 0:
                break
    return best


@dataclass(frozen=True)
class CrashPoints(Generic[T]):
    """What killing one process at each of its steps and effects showed."""

    points: int
    harmful: tuple[int, ...]
    """Numbers of the harmful points, from 1."""
    labels: tuple[str, ...]
    """What each point was: before a send, call, cast, reply, put ..., or at an await."""
    runs: tuple[Run[T], ...]
    """The run with the crash at each point."""


def crash_points(
    scenario: Scenario[T],
    target: str,
    harm: Harm[T] = _harmful,
    *,
    choose: Callable[[], Choose] = lambda: first,
    settings: Settings | None = None,
    copy: bool = False,
    max_steps: int = 100_000,
) -> CrashPoints[T]:
    """Runs the scenario once for each step and effect of the first process called `target` (by name or class).

    At that point the process is killed, without `terminate`; restarted ones are left alone. Raises ValueError if
    no such process ever ran.
    """
    counting = _Killer(target, 0)
    _run(scenario, choose(), settings, copy, max_steps, None, counting)
    if not counting.seen:
        raise ValueError(f"target: no process {target!r} ran in this scenario")
    runs: list[Run[T]] = []
    labels: list[str] = []
    for at in range(1, counting.seen + 1):
        killer = _Killer(target, at)
        runs.append(_run(scenario, choose(), settings, copy, max_steps, None, killer))
        labels.append(killer.label)
    harmful = tuple(number for number, result in enumerate(runs, 1) if harm(result))
    return CrashPoints(counting.seen, harmful, tuple(labels), tuple(runs))
