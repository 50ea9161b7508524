"""Supervisors against a small model: who starts and stops in which order, who comes back, when it is too much."""

from __future__ import annotations

import asyncio
import functools
import os
from typing import Any

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from otplint.runtime import (
    ALL_SIGNIFICANT,
    ANY_SIGNIFICANT,
    KILLED,
    NORMAL,
    ONE_FOR_ALL,
    ONE_FOR_ONE,
    REST_FOR_ONE,
    SHUTDOWN,
    TEMPORARY,
    TRANSIENT,
    AutoShutdown,
    ChildSpec,
    DynamicSupervisor,
    Exited,
    MaxChildren,
    NoChild,
    Restart,
    Server,
    Shutdown,
    SpecError,
    Stop,
    Strategy,
    Supervisor,
    System,
    is_abnormal,
)
from otplint.runtime.testing import run, seeded

SOAK = os.environ.get("OTPLINT_SOAK")
examples = hypothesis_settings(max_examples=int(SOAK or 200), deadline=None, derandomize=SOAK is None, database=None)
seeds = st.integers(0, 2**32 - 1)
Log = list[tuple[object, ...]]


class Child(Server):
    """Logs its coming and going; ends with what it is sent."""

    trap_exit = True

    def __init__(self, log: Log, number: int) -> None:
        self.log = log
        self.number = number

    async def init(self) -> None:
        self.log.append(("up", self.number))

    async def handle_info(self, msg: Any) -> None:
        raise Stop(msg)

    async def terminate(self, reason: object) -> None:
        self.log.append(("down", self.number, reason))


class Model:
    """What supervisor.erl does, for deaths that are far apart."""

    def __init__(self, strategy: Strategy, kinds: list[Restart]) -> None:
        self.strategy = strategy
        self.kinds = dict(enumerate(kinds))
        self.running = set(self.kinds)
        self.log: Log = [("up", number) for number in self.kinds]

    def die(self, number: int, reason: object) -> None:
        if number not in self.running:
            return
        self.running.discard(number)
        self.log.append(("down", number, reason))
        kind = self.kinds[number]
        if kind is TEMPORARY:
            del self.kinds[number]
        if kind is TEMPORARY or (kind is TRANSIENT and not is_abnormal(reason)):
            return
        group = [number]
        if self.strategy is not ONE_FOR_ONE:
            group = [other for other in self.kinds if self.strategy is ONE_FOR_ALL or other >= number]
            for other in reversed(group):
                if other in self.running:
                    self.log.append(("down", other, SHUTDOWN))
                    self.running.discard(other)
                if self.kinds[other] is TEMPORARY:
                    del self.kinds[other]
        for other in group:
            if other in self.kinds:
                self.log.append(("up", other))
                self.running.add(other)

    def close(self) -> None:
        self.log.extend(("down", number, SHUTDOWN) for number in sorted(self.running, reverse=True))


@examples
@given(
    seeds,
    st.sampled_from(Strategy),
    st.lists(st.sampled_from(Restart), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from([NORMAL, SHUTDOWN, Shutdown("why"), "boom"])), max_size=4),
)
def test_i11_i13_order_and_restart_types(
    seed: int, strategy: Strategy, kinds: list[Restart], deaths: list[tuple[int, object]]
) -> None:
    async def scenario(system: System) -> Log:
        log: Log = []
        specs = [ChildSpec(n, functools.partial(Child, log, n), kind) for n, kind in enumerate(kinds)]
        supervisor = await system.start(Supervisor(specs, strategy=strategy, max_restarts=99))
        for number, reason in deaths:
            children = {child.id: child.pid for child in await Supervisor.which_children(system, supervisor)}
            pid = children.get(number)
            if pid is not None:
                system.send(pid, reason)
                await asyncio.sleep(1)
        system.exit(supervisor, SHUTDOWN)
        assert await system.wait(supervisor) is SHUTDOWN
        return log

    model = Model(strategy, kinds)
    for number, reason in deaths:
        model.die(number, reason)
    model.close()
    result = run(scenario, choose=seeded(seed))
    assert result.error is None, result.error
    assert result.value == model.log


@examples
@given(seeds, st.integers(0, 3), st.integers(1, 4), st.lists(st.integers(0, 3), min_size=1, max_size=8), st.booleans())
def test_i12_a_supervisor_ends_exactly_when_its_budget_is_spent(
    seed: int, most: int, window: int, gaps: list[int], dynamic: bool
) -> None:
    """Crashes at whole virtual seconds; the window is inclusive (D5), so its very edge is met often."""

    async def scenario(system: System) -> tuple[int, object, int]:
        log: Log = []
        spec = ChildSpec("c", lambda: Child(log, 0), name="c")
        if dynamic:
            supervisor = await system.start(DynamicSupervisor(max_restarts=most, max_seconds=window))
            await DynamicSupervisor.start_child(system, supervisor, spec)
        else:
            supervisor = await system.start(Supervisor([spec], max_restarts=most, max_seconds=window))
        ended = asyncio.ensure_future(system.wait(supervisor))
        for gap in gaps:
            await asyncio.sleep(gap or 0.001)
            if system.whereis("c") is not None:
                system.send("c", "boom")
            await asyncio.sleep(0)
        await asyncio.sleep(100)
        ups = sum(event[0] == "up" for event in log)
        return ups, ended.result() if ended.done() else None, system.counters.restarts

    result = run(scenario, choose=seeded(seed))
    assert result.error is None, result.error
    ups, reason, restarts = result.value or (0, None, 0)
    times: list[float] = []
    now = 0.0
    tripped = False
    started = 0
    for gap in gaps:
        now += gap or 0.001
        times = [time for time in times if now - time <= window]
        times.append(now)
        if len(times) > most:
            tripped = True
            break
        started += 1
    assert ups == 1 + started
    assert reason is (SHUTDOWN if tripped else None)
    assert restarts == started


class Flaky(Server):
    """Fails to start as often as told."""

    def __init__(self, failures: list[int]) -> None:
        self.failures = failures

    async def init(self) -> None:
        if self.failures and self.failures.pop():
            raise RuntimeError("not yet")

    async def handle_cast(self, msg: Any) -> None:
        raise RuntimeError(msg)


@examples
@given(seeds, st.integers(0, 4), st.booleans())
def test_a_failed_restart_is_tried_again_and_counts(seed: int, failures: int, dynamic: bool) -> None:
    async def scenario(system: System) -> bool:
        marks: list[int] = []
        spec = ChildSpec("f", lambda: Flaky(marks), name="f")
        if dynamic:
            supervisor = await system.start(DynamicSupervisor(max_restarts=3))
            await DynamicSupervisor.start_child(system, supervisor, spec)
        else:
            supervisor = await system.start(Supervisor([spec], max_restarts=3))
        marks.extend([1] * failures)
        system.cast("f", "die")
        await asyncio.sleep(1)
        assert system.alive(supervisor) == (system.whereis("f") is not None)
        return system.alive(supervisor)

    assert run(scenario, choose=seeded(seed)).value == (failures < 3)


@examples
@given(seeds)
def test_a_failed_first_start_stops_the_others_and_tells(seed: int) -> None:
    async def scenario(system: System) -> tuple[Log, object, int]:
        log: Log = []
        plan = Supervisor([ChildSpec("a", lambda: Child(log, 0)), ChildSpec("f", lambda: Flaky([1]))])
        try:
            await system.start(plan)
        except Exited as error:
            reason = error.reason
        await asyncio.sleep(1)
        return log, reason, len(system.processes())

    log, reason, alive = run(scenario, choose=seeded(seed)).value or ([], None, 9)
    assert log == [("up", 0), ("down", 0, SHUTDOWN)]
    assert isinstance(reason, Shutdown)
    assert isinstance(reason.term, tuple)
    assert reason.term[:2] == ("failed_to_start_child", "f")
    assert alive == 0


@examples
@given(seeds, st.sampled_from([ANY_SIGNIFICANT, ALL_SIGNIFICANT]))
def test_significant_children_end_their_supervisor(seed: int, auto: AutoShutdown) -> None:
    async def scenario(system: System) -> tuple[bool, bool]:
        log: Log = []
        specs = [
            ChildSpec(n, functools.partial(Child, log, n), TRANSIENT, significant=True, name=f"c{n}") for n in range(2)
        ]
        supervisor = await system.start(Supervisor([*specs, ChildSpec("x", lambda: Child(log, 9))], auto_shutdown=auto))
        alive = []
        for name in ("c0", "c1"):
            if system.whereis(name) is not None:
                system.send(name, NORMAL)
            await asyncio.sleep(1)
            alive.append(system.alive(supervisor))
        return alive[0], alive[1]

    assert run(scenario, choose=seeded(seed)).value == (auto is ALL_SIGNIFICANT, False)


class Stubborn(Server):
    """Traps the shutdown and takes its time."""

    trap_exit = True

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    async def terminate(self, reason: object) -> None:
        await asyncio.sleep(self.seconds)


def test_shutdown_waits_and_then_kills_and_dynamic_children_stop_together() -> None:
    async def scenario(system: System) -> tuple[object, float, object, float]:
        slow = await system.start(Supervisor([ChildSpec("s", lambda: Stubborn(60), name="s", shutdown=2.0)]))
        child = system.whereis("s")
        assert child is not None
        reason = asyncio.ensure_future(system.wait(child))
        start = system.loop.time()
        await system.stop(slow, SHUTDOWN)
        first = system.loop.time() - start
        dynamic = await system.start(DynamicSupervisor())
        for number in range(10):
            await DynamicSupervisor.start_child(system, dynamic, ChildSpec(number, lambda: Stubborn(3)))
        start = system.loop.time()
        await system.stop(dynamic, SHUTDOWN)
        return await reason, first, len(system.processes()), system.loop.time() - start

    assert run(scenario).value == (KILLED, 2.0, 0, 3.0)


def test_requests_about_children() -> None:
    async def scenario(system: System) -> None:
        log: Log = []
        supervisor = await system.start(Supervisor([ChildSpec("a", lambda: Child(log, 0))]))
        assert system.alive(await Supervisor.start_child(system, supervisor, ChildSpec("b", lambda: Child(log, 1))))
        await raises(SpecError, Supervisor.start_child(system, supervisor, ChildSpec("b", lambda: Child(log, 1))))
        await raises(NoChild, Supervisor.restart_child(system, supervisor, "b"))
        await raises(NoChild, Supervisor.terminate_child(system, supervisor, "nobody"))
        await raises(Exited, Supervisor.start_child(system, supervisor, ChildSpec("f", lambda: Flaky([1]))))
        await Supervisor.terminate_child(system, supervisor, "b")
        assert (await Supervisor.count_children(system, supervisor))[:2] == (2, 1)
        assert system.alive(await Supervisor.restart_child(system, supervisor, "b"))
        await Supervisor.terminate_child(system, supervisor, "b")
        await Supervisor.delete_child(system, supervisor, "b")
        assert [child.id for child in await Supervisor.which_children(system, supervisor)] == ["a"]
        dynamic = await system.start(DynamicSupervisor(max_children=1))
        pid = await DynamicSupervisor.start_child(system, dynamic, ChildSpec(1, lambda: Child(log, 2)))
        await raises(MaxChildren, DynamicSupervisor.start_child(system, dynamic, ChildSpec(2, lambda: Child(log, 3))))
        await DynamicSupervisor.terminate_child(system, dynamic, pid)
        await raises(NoChild, DynamicSupervisor.terminate_child(system, dynamic, pid))
        assert (await DynamicSupervisor.count_children(system, dynamic)).specs == 0
        assert system.alive(supervisor)

    assert run(scenario).error is None


async def raises(kind: type[Exception], work: Any) -> None:
    try:
        await work
    except kind:
        return
    raise AssertionError(f"expected {kind.__name__}")


def test_strategies_are_the_three() -> None:
    assert list(Strategy) == [ONE_FOR_ONE, ONE_FOR_ALL, REST_FOR_ONE]
