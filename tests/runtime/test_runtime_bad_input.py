"""What is refused before anything starts, and how handlers that misbehave end: as the table says, counted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from otplint.runtime import (
    NO_REPLY,
    SHUTDOWN,
    AlreadyRegistered,
    CallError,
    CallTimeout,
    ChildSpec,
    CircuitBreaker,
    CircuitOpen,
    Down,
    DynamicSupervisor,
    Exited,
    From,
    Mailbox,
    MailboxFull,
    MemoryStore,
    NotInProcess,
    Outbox,
    Overflow,
    Retry,
    Server,
    Settings,
    SpecError,
    Supervisor,
    System,
)
from otplint.runtime.testing import run
from otplint.runtime.workflows import start_workflow, workflow_supervisor


class Plain(Server):
    """Misbehaves as told."""

    async def handle_call(self, req: Any, frm: From) -> object:
        match req:
            case "raise":
                raise ValueError("a bug")
            case "hang":
                await asyncio.sleep(1e9)
            case "swallow":
                while True:
                    try:  # noqa: SIM105 - the very flaw
                        await asyncio.sleep(1e9)
                    except BaseException:  # noqa: BLE001 - the very flaw
                        pass
            case "twice":
                frm.reply(1)
                return 2
            case "later":
                return NO_REPLY
        return req


BAD: dict[str, tuple[Callable[[], object], str]] = {
    "instance": (lambda: ChildSpec("a", Plain()), "ChildSpec 'a'.start"),  # type: ignore[arg-type]
    "not callable": (lambda: ChildSpec("a", 5), "ChildSpec 'a'.start"),  # type: ignore[arg-type]
    "wrong class": (lambda: ChildSpec("a", dict), "ChildSpec 'a'.start"),  # type: ignore[arg-type]
    "unhashable id": (lambda: ChildSpec([], Plain), "ChildSpec.id"),  # type: ignore[arg-type]
    "restart": (lambda: ChildSpec("a", Plain, "permanent"), "ChildSpec 'a'.restart"),  # type: ignore[arg-type]
    "shutdown": (lambda: ChildSpec("a", Plain, shutdown=-1), "ChildSpec 'a'.shutdown"),
    "shutdown word": (lambda: ChildSpec("a", Plain, shutdown="kill"), "ChildSpec 'a'.shutdown"),  # type: ignore[arg-type]
    "type": (lambda: ChildSpec("a", Plain, type="worker"), "ChildSpec 'a'.type"),  # type: ignore[arg-type]
    "significant": (lambda: ChildSpec("a", Plain, significant=True), "ChildSpec 'a'.significant"),
    "name": (lambda: ChildSpec("a", Plain, name=""), "ChildSpec 'a'.name"),
    "duplicate id": (lambda: Supervisor([ChildSpec("a", Plain)] * 2), "Supervisor.children"),
    "duplicate name": (
        lambda: Supervisor([ChildSpec("a", Plain, name="n"), ChildSpec("b", Plain, name="n")]),
        "Supervisor.children",
    ),
    "no spec": (lambda: Supervisor([Plain]), "Supervisor.children"),  # type: ignore[list-item]
    "strategy": (lambda: Supervisor([], strategy="one_for_one"), "Supervisor.strategy"),  # type: ignore[arg-type]
    "intensity": (lambda: Supervisor([], max_restarts=-1), "Supervisor.max_restarts"),
    "window": (lambda: Supervisor([], max_seconds=0), "Supervisor.max_seconds"),
    "auto": (lambda: Supervisor([], auto_shutdown=True), "Supervisor.auto_shutdown"),  # type: ignore[arg-type]
    "dynamic intensity": (lambda: DynamicSupervisor(max_restarts=-1), "DynamicSupervisor.max_restarts"),
    "max_children": (lambda: DynamicSupervisor(max_children=-1), "DynamicSupervisor.max_children"),
    "mailbox": (lambda: Mailbox(0), "Mailbox.maxsize"),
    "overflow": (lambda: Mailbox(1, "drop"), "Mailbox.overflow"),  # type: ignore[arg-type]
    "threshold": (lambda: CircuitBreaker(failure_threshold=0), "CircuitBreaker.failure_threshold"),
    "probes": (lambda: CircuitBreaker(half_open_max=0), "CircuitBreaker.half_open_max"),
    "reset": (lambda: CircuitBreaker(reset_timeout=float("nan")), "CircuitBreaker.reset_timeout"),
    "attempts": (lambda: Retry(attempts=0), "Retry.attempts"),
    "retry open": (lambda: Retry(retry_on=(CircuitOpen,)), "Retry.retry_on"),
    "retry cancel": (lambda: Retry(retry_on=(asyncio.CancelledError,)), "Retry.retry_on"),  # type: ignore[arg-type]
    "outbox": (lambda: Outbox(maxsize=0), "Outbox.maxsize"),
    "setting": (lambda: Settings(max_restarts=-1), "max_restarts"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_with_the_field_named(case: str) -> None:
    work, field = BAD[case]
    with pytest.raises(ValueError, match=r".") as caught:
        work()
    assert str(caught.value).startswith(f"{field}: ")
    assert "\n" not in str(caught.value)


def test_spawn_refuses_before_anything_starts() -> None:
    async def scenario(system: System) -> None:
        system.spawn(Plain, name="taken")
        same = Plain()
        for factory, name, error in (
            (Plain(), None, SpecError),
            (Plain, "taken", AlreadyRegistered),
            (3, None, SpecError),
        ):
            with pytest.raises(error):
                system.spawn(factory, name=name)  # type: ignore[arg-type]
        assert len(system.processes()) == 1
        first = await system.start(lambda: same)
        with pytest.raises(Exited, match="second time"):
            await system.start(lambda: same)
        assert system.alive(first)
        for outside in (system.monitor, system.link, system.unlink):
            with pytest.raises(NotInProcess):
                outside(first)

    result = run(scenario)
    assert result.error is None, result.error
    with pytest.raises(RuntimeError, match=r"async with"):
        System().spawn(Plain)


def test_a_handler_that_raises_ends_its_process_only() -> None:
    async def scenario(system: System) -> None:
        victim, other = await system.start(Plain), await system.start(Plain)
        with pytest.raises(Exited) as caught:
            await system.call(victim, "raise")
        assert isinstance(caught.value.__cause__, ValueError)
        assert await system.call(other, 7) == 7

    result = run(scenario)
    assert result.error is None, result.error
    assert (result.counters.crashes, result.final.zombies, result.unreported) == (1, 0, ())


def test_a_handler_that_hangs_costs_its_callers_their_deadline_and_is_killed() -> None:
    async def scenario(system: System) -> float:
        victim = await system.start(Plain)
        with pytest.raises(CallTimeout):
            await system.call(victim, "hang")
        before = system.loop.time()
        await system.shutdown()
        return system.loop.time() - before

    result = run(scenario)
    assert result.error is None, result.error
    assert (result.value, result.seconds, result.final.zombies) == (0.0, 5.0, 0)


def test_a_handler_that_swallows_its_cancellation_becomes_a_zombie() -> None:
    async def scenario(system: System) -> tuple[float, bool]:
        victim = await system.start(Plain, name="v")
        with pytest.raises(CallTimeout):
            await system.call(victim, "swallow")
        before = system.loop.time()
        await system.shutdown()
        return system.loop.time() - before, system.whereis("v") is None

    result = run(scenario)
    assert result.error is None, result.error
    assert result.value is not None
    assert result.value[0] > Settings().shutdown_timeout
    assert result.value[1]
    assert result.final.zombies == 1


@pytest.mark.parametrize("inline", [False, True])
def test_a_caller_that_goes_away_is_forgotten_and_its_answer_counted(inline: bool) -> None:
    async def scenario(system: System) -> tuple[int, int]:
        server = await system.start(lambda: Slow([]))
        system.send(server, "busy")
        calling = asyncio.ensure_future(system.call(server, "x"))
        await asyncio.sleep(0.5)
        waiting = system.info(server).callers
        calling.cancel()
        await asyncio.sleep(0.1)
        gone = system.info(server).callers
        await asyncio.sleep(10)
        return waiting, gone

    result = run(scenario, inline=inline)
    assert result.value == (1, 0)
    assert result.counters.late_replies == 1


def test_a_second_answer_is_dropped_and_counted() -> None:
    async def scenario(system: System) -> tuple[object, object]:
        victim = await system.start(Plain)
        return await system.call(victim, "twice"), await system.call(victim, "more")

    result = run(scenario)
    assert result.value == (1, "more")
    assert result.counters.late_replies == 1


class Slow(Server):
    """Takes a second for each message."""

    def __init__(self, got: list[object]) -> None:
        self.got = got

    async def handle_info(self, msg: Any) -> None:
        await asyncio.sleep(1)
        self.got.append(msg)

    async def handle_call(self, req: Any, frm: From) -> object:
        return req


@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize("overflow", Overflow)
def test_bounded_mailboxes_keep_their_bound_and_count(overflow: Overflow, inline: bool) -> None:
    async def scenario(system: System) -> tuple[list[object], int, int]:
        got: list[object] = []
        pid = await system.start(lambda: Slow(got), mailbox=Mailbox(2, overflow))
        refused = 0
        for number in range(6):
            try:
                if overflow is Overflow.BLOCK:
                    await system.offer(pid, number)
                else:
                    system.send(pid, number)
            except MailboxFull:
                refused += 1
            await asyncio.sleep(0.001)
        high = system.info(pid).high_water
        await asyncio.sleep(100)
        return got, refused, high

    result = run(scenario, inline=inline)
    assert result.error is None, result.error
    assert result.value is not None
    got, refused, high = result.value
    assert high == 2
    expected: dict[Overflow, tuple[list[object], int, int]] = {
        Overflow.REJECT: ([0, 1, 2], 3, 0),
        Overflow.DROP_NEWEST: ([0, 1, 2], 0, 3),
        Overflow.DROP_OLDEST: ([0, 4, 5], 0, 3),
        Overflow.BLOCK: ([0, 1, 2, 3, 4, 5], 0, 0),
    }
    assert (got, refused, result.counters.dropped) == expected[overflow]


def test_down_and_exit_pass_a_full_mailbox_and_a_dropped_call_is_told() -> None:
    class Watcher(Slow):
        async def handle_info(self, msg: Any) -> None:
            if isinstance(msg, Server):
                self.system.monitor("target")
            await super().handle_info(msg)

    async def scenario(system: System) -> tuple[list[object], str]:
        got: list[object] = []
        await system.start(Plain, name="target")
        pid = await system.start(lambda: Watcher(got), mailbox=Mailbox(1, Overflow.DROP_NEWEST))
        system.send(pid, Plain())
        await asyncio.sleep(0.1)
        system.send(pid, "fills")
        await asyncio.sleep(0.1)
        await system.stop("target")
        try:
            await system.call(pid, "x")
        except CallError as error:
            outcome = type(error).__name__
        await asyncio.sleep(10)
        return got, outcome

    got, outcome = run(scenario).value or ([], "")
    assert outcome == "MailboxFull"
    assert [type(msg) for msg in got] == [Plain, str, Down]


def test_messages_may_be_copied_to_show_sharing() -> None:
    async def scenario(system: System) -> list[int]:
        got: list[Any] = []
        pid = await system.start(lambda: Slow(got))
        shared = [1]
        system.send(pid, shared)
        shared.append(2)
        await asyncio.sleep(10)
        return list(got[0])

    assert run(scenario).value == [1, 2]
    assert run(scenario, copy=True).value == [1]


def test_workflows_end_alone_and_go_on_where_they_were() -> None:
    charged: list[str] = []

    async def scenario(system: System) -> tuple[bool, int]:
        store = MemoryStore()
        crashes = {"w4": 1}

        async def charge(key: str) -> None:
            charged.append(key)

        async def fail(key: str) -> None:
            if key.startswith(("workflow/w0", "workflow/w1", "workflow/w2", "workflow/w3")):
                raise RuntimeError("for ever")
            if crashes.pop(key.split("/")[1], 0):
                raise RuntimeError("once")

        supervisor = await system.start(workflow_supervisor())
        for index in range(10):
            await start_workflow(system, supervisor, store, f"w{index}", [charge, fail, charge])
        await asyncio.sleep(1)
        return system.alive(supervisor), sum('"state":3' in value for _, value in store.items())

    assert run(scenario).value == (True, 6)
    assert len(charged) == len(set(charged)) == 10 + 6


def test_an_orderly_stop_runs_what_was_queued_before() -> None:
    async def scenario(system: System) -> list[object]:
        got: list[object] = []
        pid = await system.start(lambda: Slow(got))
        for number in range(3):
            system.send(pid, number)
        await system.stop(pid, SHUTDOWN)
        return got

    assert run(scenario).value == [0, 1, 2]
