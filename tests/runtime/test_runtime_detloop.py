"""The deterministic loop: time, order, refusals, exploration, crash points, and that a mended program shows no harm."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from otplint.runtime import KILL, CallError, From, Pid, Server, System
from otplint.runtime.testing import (
    Deadlock,
    Refused,
    Run,
    StepBudget,
    crash_points,
    explore,
    replay,
    run,
    walk,
)


class Sink(Server):
    """Takes everything."""

    def __init__(self, got: list[object]) -> None:
        self.got = got

    async def handle_info(self, msg: Any) -> None:
        self.got.append(msg)

    async def handle_call(self, req: Any, frm: From) -> object:
        self.got.append(req)
        return "ok"


class Doer(Server):
    """Does one thing when it starts."""

    def __init__(self, deed: Callable[[System], Awaitable[None]]) -> None:
        self.deed = deed

    async def init(self) -> None:
        await self.deed(self.system)


def told_but_lost(how: str) -> Callable[[System], Awaitable[bool]]:
    """Check alive, then send (or call), while a third process kills."""

    async def scenario(system: System) -> bool:
        got: list[object] = []
        told: list[object] = []
        target = system.spawn(lambda: Sink(got))

        async def deliver(system: System) -> None:
            if how == "call":
                with contextlib.suppress(CallError):
                    told.append(await system.call(target, "job"))
            elif system.alive(target):
                system.send(target, "job")
                told.append("ok")

        async def kill(system: System) -> None:
            system.exit(target, KILL)

        system.spawn(lambda: Doer(deliver))
        system.spawn(lambda: Doer(kill))
        await asyncio.sleep(1)
        return bool(told) and not got

    return scenario


def test_all_schedules_of_check_then_send_and_of_a_call() -> None:
    bad, good = explore(told_but_lost("send")), explore(told_but_lost("call"))
    assert bad.exhausted
    assert 0 < bad.harmful < bad.schedules
    assert bad.label == f"exhausted over {bad.schedules} schedules"
    assert good.exhausted
    assert good.schedules > bad.schedules
    assert good.harmful == 0
    assert bad.smallest is not None
    assert replay(told_but_lost("send"), bad.smallest.schedule).value is True


def test_sampling_says_so_and_shrinks() -> None:
    found = explore(told_but_lost("send"), limit=5, walks=50)
    assert not found.exhausted
    assert found.label == "sampled over 55 schedules"
    assert found.smallest is not None
    assert len(found.smallest.schedule) <= 3


@hypothesis_settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_hypothesis_may_choose(data: st.DataObject) -> None:
    result = run(told_but_lost("call"), choose=lambda width: data.draw(st.integers(0, width - 1)))
    assert result.value is False
    assert replay(told_but_lost("call"), result.choices).choices == result.choices


def test_different_seeds_take_different_ways() -> None:
    assert len({walk(told_but_lost("send"), seed).choices for seed in range(20)}) > 10


def test_the_trace_pairs_each_message_with_its_handling_or_loss() -> None:
    for seed in range(30):
        events = walk(told_but_lost("call"), seed).events
        sent = {event.n: event for event in events if event.kind in ("send", "cast", "call", "down", "exit")}
        ends = [event for event in events if event.kind in ("handle", "dead_letter")]
        assert sorted(event.n for event in ends) == sorted(sent)
        assert all(event.dst is sent[event.n].dst for event in ends)


def test_virtual_time_costs_nothing_and_timers_keep_their_order() -> None:
    async def scenario(system: System) -> list[float]:
        loop = asyncio.get_running_loop()
        got: list[float] = []
        for delay in (3600.0, 5.0, 86400.0):
            loop.call_later(delay, got.append, delay)
        await asyncio.sleep(100_000)
        return [*got, loop.time()]

    assert run(scenario).value == [5.0, 3600.0, 86400.0, 100_000.0]


def test_a_deadlock_names_the_processes_and_a_livelock_ends() -> None:
    class Waiter(Server):
        async def handle_call(self, req: Any, frm: From) -> object:
            return await self.system.call(req, self.pid, timeout=None)

    async def dead(system: System) -> object:
        one, other = system.spawn(Waiter), system.spawn(Waiter)
        return await system.call(one, other, timeout=None)

    async def live(system: System) -> None:
        while True:  # noqa: ASYNC110 - the very livelock
            await asyncio.sleep(0)

    error = run(dead).error
    assert isinstance(error, Deadlock)
    assert "<1 Waiter> running" in str(error)
    assert isinstance(run(live, max_steps=500).error, StepBudget)


def sleep() -> None:
    time.sleep(0.001)


def clock() -> None:
    time.monotonic()


def thread() -> None:
    threading.Thread(target=print).start()


def network() -> None:
    socket.socket()


def executor() -> None:
    asyncio.get_running_loop().run_in_executor(None, print)


def from_a_thread() -> None:
    asyncio.get_running_loop().add_signal_handler(2, print)


@pytest.mark.parametrize("deed", [sleep, clock, thread, network, executor, from_a_thread])
def test_real_time_threads_and_sockets_are_refused(deed: Callable[[], None]) -> None:
    async def scenario(system: System) -> None:
        deed()

    assert isinstance(run(scenario).error, Refused)
    assert time.monotonic() > 0


def test_orphans_and_unreported_failures_show() -> None:
    class Careless(Server):
        async def init(self) -> None:
            self.tasks = [asyncio.create_task(asyncio.sleep(1e9)), asyncio.create_task(self.fail())]

        async def fail(self) -> None:
            raise RuntimeError("nobody looks")

    async def scenario(system: System) -> Pid:
        pid = await system.start(Careless)
        await asyncio.sleep(1)
        return pid

    result = run(scenario)
    assert (result.counters.orphans, result.final.orphans) == (0, 1)


def test_crash_points_need_a_target_that_runs() -> None:
    with pytest.raises(ValueError, match="nobody"):
        crash_points(told_but_lost("send"), "nobody")
    found = crash_points(told_but_lost("call"), "Sink")
    assert found.harmful == ()
    assert found.points == len(found.runs) == len(found.labels)


def test_a_scenario_that_raises_is_a_result() -> None:
    async def scenario(system: System) -> None:
        raise KeyError("x")

    result: Run[None] = run(scenario)
    assert isinstance(result.error, KeyError)
    assert result.value is None
