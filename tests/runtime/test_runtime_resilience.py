"""Circuit breaker, retry, outbox, stores and persistent servers, under random schedules or at every crash point."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from otplint.runtime import (
    NO_REPLY,
    BreakerState,
    CallError,
    CallTimeout,
    ChildSpec,
    CircuitBreaker,
    CircuitOpen,
    Exited,
    From,
    MemoryStore,
    Outbox,
    OutboxFull,
    Overflow,
    PersistentServer,
    Retry,
    Server,
    Settings,
    SettingsError,
    SqliteStore,
    StoreError,
    Supervisor,
    System,
)
from otplint.runtime.testing import crash_points, run, seeded

SOAK = os.environ.get("OTPLINT_SOAK")
examples = hypothesis_settings(max_examples=int(SOAK or 200), deadline=None, derandomize=SOAK is None, database=None)
seeds = st.integers(0, 2**32 - 1)


@examples
@given(seeds, st.integers(1, 4), st.integers(1, 3))
def test_i17_breaker_opens_at_its_threshold_and_bounds_its_probes(seed: int, threshold: int, probes: int) -> None:
    rng = random.Random(seed)
    breaker = CircuitBreaker(
        failure_threshold=threshold, reset_timeout=10.0, half_open_max=probes, failure=(ValueError,)
    )
    running: list[str] = []
    wrong: list[str] = []
    streak = 0

    async def work() -> None:
        nonlocal streak
        state = breaker.state
        running.append(state.value)
        if state is BreakerState.OPEN:
            wrong.append("called through while open")
        if state is BreakerState.HALF_OPEN and running.count("half_open") > probes:
            wrong.append("too many probes")
        await asyncio.sleep(rng.choice([0, 0, 0.5]))
        running.remove(state.value)
        if rng.random() < 0.6:
            raise ValueError

    async def client() -> None:
        for _ in range(6):
            before = breaker.state.value
            try:
                await breaker.call(work)
            except ValueError:
                pass
            except CircuitOpen as error:
                if not 0 <= error.retry_after <= 10.0 or before == "closed":
                    wrong.append("rejected while closed")
            await asyncio.sleep(rng.choice([0, 1, 6]))

    async def scenario(system: System) -> None:
        await asyncio.gather(*(client() for _ in range(5)))

    assert run(scenario, choose=seeded(seed)).error is None
    assert wrong == []


@examples
@given(st.integers(1, 5), st.floats(0.5, 60))
def test_i17_the_very_states(threshold: int, reset: float) -> None:
    async def fail() -> None:
        raise ValueError

    async def good() -> str:
        return "fine"

    async def scenario(system: System) -> None:
        breaker = CircuitBreaker(failure_threshold=threshold, reset_timeout=reset, failure=(ValueError,))

        def state() -> str:
            return breaker.state.value

        for number in range(threshold):
            assert state() == "closed", number
            with pytest.raises(ValueError):  # noqa: PT011 - the very error of `fail`
                await breaker.call(fail)
        assert state() == "open"
        await asyncio.sleep(reset * 0.99)
        with pytest.raises(CircuitOpen):
            await breaker.call(good)
        await asyncio.sleep(reset * 0.02)
        assert state() == "half_open"
        with pytest.raises(ValueError):  # noqa: PT011 - the very error of `fail`
            await breaker.call(fail)
        assert state() == "open"
        await asyncio.sleep(reset * 1.01)
        assert await breaker.call(good) == "fine"
        assert state() == "closed"
        assert (breaker.calls, breaker.rejected) == (threshold + 2, 1)

    result = run(scenario)
    assert result.error is None, result.error


def test_an_outcome_of_before_does_not_end_a_probe() -> None:
    async def scenario(system: System) -> None:
        breaker = CircuitBreaker(failure_threshold=1, reset_timeout=5.0, failure=(ValueError,))

        async def fail(seconds: float) -> None:
            await asyncio.sleep(seconds)
            raise ValueError

        async def probe() -> None:
            await asyncio.sleep(3)

        slow = asyncio.ensure_future(breaker.call(lambda: fail(6)))
        with pytest.raises(ValueError):  # noqa: PT011 - the very error of `fail`
            await breaker.call(lambda: fail(0))
        await asyncio.sleep(5.5)
        probing = asyncio.ensure_future(breaker.call(probe))
        await asyncio.sleep(1)
        assert slow.done()
        assert breaker.state is BreakerState.HALF_OPEN
        with pytest.raises(CircuitOpen):
            await breaker.call(probe)
        await probing
        assert slow.exception() is not None
        assert breaker.calls == 3

    result = run(scenario)
    assert result.error is None, result.error


def test_retry_stops_where_it_must() -> None:
    async def scenario(system: System) -> None:
        tries: list[float] = []

        async def late() -> None:
            tries.append(system.loop.time())
            raise CallTimeout("x", 1.0)

        async def opened() -> None:
            tries.append(0)
            raise CircuitOpen("x", 1.0)

        with pytest.raises(CallTimeout):
            await Retry(attempts=4, base=1.0, cap=3.0).call(late)
        assert tries == [0.0, 1.0, 3.0, 6.0]
        tries.clear()
        with pytest.raises(CallTimeout):
            await Retry(attempts=9, base=1.0, cap=9.0, deadline=3.5).call(late)
        assert len(tries) == 3
        tries.clear()
        with pytest.raises(CircuitOpen):
            await Retry(attempts=9, retry_on=(Exception,)).call(opened)
        assert len(tries) == 1
        keys: list[str] = []

        async def keyed(key: str) -> str:
            keys.append(key)
            if len(keys) < 3:
                raise CallError("x", "no")
            return "done"

        assert await Retry(jitter_rng=random.Random(1)).call_keyed(keyed, "k1") == "done"
        assert keys == ["k1"] * 3

    result = run(scenario)
    assert result.error is None, result.error


@examples
@given(seeds, st.sampled_from(Overflow), st.integers(1, 4))
def test_i18_an_outbox_delivers_what_it_accepted_in_order(seed: int, overflow: Overflow, maxsize: int) -> None:
    rng = random.Random(seed)
    outbox: Outbox[int] = Outbox(maxsize=maxsize, overflow=overflow)
    accepted: list[int] = []
    delivered: list[int] = []
    refused: list[int] = []
    most: list[int] = [0]

    async def deliver(msg: int) -> None:
        await asyncio.sleep(rng.choice([0, 0.1]))
        if rng.random() < 0.3:
            raise CallError("peer", "failed")
        delivered.append(msg)

    async def fill() -> None:
        for number in range(12):
            try:
                (accepted if await outbox.put(number) else refused).append(number)
            except OutboxFull:
                refused.append(number)
            most[0] = max(most[0], len(outbox))
            await asyncio.sleep(rng.choice([0, 0.05]))

    async def empty(filling: asyncio.Future[None]) -> None:
        while not filling.done() or len(outbox):
            try:
                await outbox.drain(deliver)
            except CallError:
                await asyncio.sleep(0.01)
            await asyncio.sleep(rng.choice([0.01, 0.3]))

    async def scenario(system: System) -> None:
        filling = asyncio.ensure_future(fill())
        await asyncio.gather(filling, empty(filling), empty(filling))

    result = run(scenario, choose=seeded(seed))
    assert result.error is None, result.error
    assert delivered == sorted(set(delivered))
    assert most[0] <= maxsize
    assert outbox.accepted == len(accepted)
    if overflow is Overflow.DROP_OLDEST:
        assert set(delivered) <= set(accepted)
        assert len(delivered) + outbox.dropped == 12
    else:
        assert delivered == accepted
        assert outbox.dropped == (len(refused) if overflow is Overflow.DROP_NEWEST else 0)
    assert not (overflow is Overflow.BLOCK and refused)


def test_i18_the_message_on_its_way_is_not_the_one_to_drop() -> None:
    async def scenario(system: System) -> tuple[bool, int, int]:
        outbox: Outbox[int] = Outbox(maxsize=1, overflow=Overflow.DROP_OLDEST)
        outbox.offer(0)
        draining = asyncio.ensure_future(outbox.drain(lambda _msg: asyncio.sleep(1)))
        await asyncio.sleep(0.5)
        taken = outbox.offer(1)
        await draining
        return taken, outbox.accepted, outbox.dropped

    assert run(scenario).value == (False, 1, 1)


class Ledger(PersistentServer):
    """Keeps every item it is given."""

    early = False

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store, "ledger")
        self.items: list[int] = []

    def snapshot(self) -> Any:
        return self.items

    def restore(self, state: Any, version: int) -> None:
        self.items = list(state)

    async def handle_call(self, req: Any, frm: From) -> object:
        if req == "items":
            return list(self.items)
        self.items.append(req)
        frm.reply("kept")
        await asyncio.sleep(0.1)
        return NO_REPLY


class Careless(Server):
    """The same with the answer before the storing."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.items: list[int] = []

    async def init(self) -> None:
        self.items = json.loads(self.store.get("careless") or "[]")

    async def handle_call(self, req: Any, frm: From) -> object:
        if req == "items":
            return list(self.items)
        self.items.append(req)
        frm.reply("kept")
        self.store.put("careless", json.dumps(self.items))
        return NO_REPLY


async def keep(system: System, kind: Callable[[MemoryStore], Server]) -> bool:
    """Whether an acknowledged item is gone after whatever happened."""
    store = MemoryStore()
    await system.start(Supervisor([ChildSpec("l", lambda: kind(store), name="ledger")]))
    acked: list[int] = []
    for item in range(4):
        try:
            await system.call("ledger", item)
        except CallError:
            await asyncio.sleep(1)
        else:
            acked.append(item)
    kept: list[int] | None = None
    while kept is None:
        try:
            kept = await system.call("ledger", "items")
        except CallError:
            await asyncio.sleep(1)
    return not set(acked) <= set(kept)


def test_i19_nothing_acknowledged_is_lost_at_any_crash_point() -> None:
    async def good(system: System) -> bool:
        return await keep(system, Ledger)

    async def bad(system: System) -> bool:
        return await keep(system, Careless)

    for seed in range(5):
        found = crash_points(good, "ledger", choose=functools.partial(seeded, seed))
        assert found.points > 12
        assert found.harmful == (), [found.labels[number - 1] for number in found.harmful]
        assert {"before put", "before stored", "before reply", "at an await"} <= set(found.labels)
    harmful = crash_points(bad, "ledger")
    assert harmful.harmful
    assert {harmful.labels[number - 1] for number in harmful.harmful} == {"before put"}


def test_corrupt_state_is_named_or_put_aside() -> None:
    class Forgiving(Ledger):
        on_corrupt = "quarantine"

    async def scenario(system: System) -> None:
        store = MemoryStore()
        store.put("ledger", "{not json")
        with pytest.raises(Exited) as caught:
            await system.start(lambda: Ledger(store))
        assert isinstance(caught.value.reason, StoreError)
        assert "'ledger'" in str(caught.value.reason)
        await system.start(lambda: Forgiving(store))
        assert dict(store.items()) == {"ledger.corrupt": "{not json"}

    result = run(scenario)
    assert result.error is None, result.error


def test_sqlite_store_keeps_over_reopening_and_names_its_file(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = SqliteStore(path, synchronous="FULL")
    store.put("a", "1")
    store.put("a", "2")
    store.put("b", "3")
    store.delete("b")
    store.close()
    again = SqliteStore(path)
    assert (again.get("a"), again.get("b"), list(again.items())) == ("2", None, [("a", "2")])
    again.close()
    with contextlib.closing(sqlite3.connect(path)) as plain:
        assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    with pytest.raises(StoreError, match=r"state\.db"):
        again.get("a")
    path.with_name("broken.db").write_bytes(b"no database" * 100)
    with pytest.raises(StoreError, match=r"broken\.db"):
        SqliteStore(path.with_name("broken.db"))
    with pytest.raises(SettingsError, match="synchronous"):
        SqliteStore(path, synchronous="OFF")  # type: ignore[arg-type]


def test_settings_from_the_environment_are_checked_and_take_effect() -> None:
    env = {"OTPLINT_RUNTIME_BREAKER_THRESHOLD": "2", "OTPLINT_RUNTIME_CALL_TIMEOUT": "1.5", "HOME": "x"}
    settings = Settings.from_env(env)
    assert (settings.breaker_threshold, settings.call_timeout, settings.max_restarts) == (2, 1.5, 3)
    assert CircuitBreaker.from_settings(settings).failure_threshold == 2
    for variable, value, says in (
        ("CAL_TIMEOUT", "1", "CALL_TIMEOUT"),
        ("BATCH", "many", "BATCH"),
        ("BATCH", "0", "batch"),
        ("SHUTDOWN_TIMEOUT", "-1", "shutdown_timeout"),
        ("SHUTDOWN_TIMEOUT", "nan", "shutdown_timeout"),
    ):
        with pytest.raises(SettingsError, match=says):
            Settings.from_env({f"OTPLINT_RUNTIME_{variable}": value})
