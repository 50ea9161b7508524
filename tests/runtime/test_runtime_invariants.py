"""Invariants of processes, messages, monitors, links, calls, names and timers, each under random schedules.

A small world of nodes does random things to each other; the program and the schedule both come from one seed. The
number of examples is 200 of each invariant, or what the environment variable OTPLINT_SOAK says.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from otplint.runtime import (
    KILL,
    NO_REPLY,
    NORMAL,
    SHUTDOWN,
    CallingSelf,
    CallTimeout,
    Down,
    Exit,
    Exited,
    From,
    NoProc,
    Pid,
    Ref,
    Server,
    Stop,
    System,
    Timer,
)
from otplint.runtime.process import Process
from otplint.runtime.testing import Run, run, seeded

SOAK = os.environ.get("OTPLINT_SOAK")
examples = hypothesis_settings(max_examples=int(SOAK or 200), deadline=None, derandomize=SOAK is None, database=None)
seeds = st.integers(0, 2**32 - 1)


class Numbered(NamedTuple):
    """The nth message from src to whoever gets it."""

    src: Pid | None
    n: int


class Ask(NamedTuple):
    how: str
    number: int


@dataclass
class World:
    """What happened."""

    rng: random.Random
    pids: list[Pid] = field(default_factory=list)
    refs: list[Ref] = field(default_factory=list)
    downs: Counter[Ref] = field(default_factory=Counter)
    released: set[Ref] = field(default_factory=set)
    flushed: set[Ref] = field(default_factory=set)
    sent: Counter[tuple[Pid | None, Pid]] = field(default_factory=Counter)
    got: dict[tuple[Pid | None, Pid], list[int]] = field(default_factory=dict)
    calls: dict[int, list[str]] = field(default_factory=dict)
    answers: dict[int, object] = field(default_factory=dict)
    overdue: list[float] = field(default_factory=list)
    strange: list[object] = field(default_factory=list)
    timers: list[tuple[Timer, Pid]] = field(default_factory=list)
    tasks: list[asyncio.Task[Any]] = field(default_factory=list)
    touched: int = 0
    over: bool = False
    leftovers: int = 0
    watching: dict[Ref, bool] = field(default_factory=dict)
    alive: set[Pid] = field(default_factory=set)


class Node(Server):
    """Does one random thing for each cast."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.waiting: list[From] = []
        self.refs: list[Ref] = []

    async def init(self) -> None:
        self.world.pids.append(self.pid)

    async def handle_call(self, req: Any, frm: From) -> object:
        if req.how == "slow":
            await asyncio.sleep(3)
        elif req.how == "later":
            self.waiting.append(frm)
            return NO_REPLY
        elif req.how == "twice":
            frm.reply(req.number)
        elif req.how == "crash":
            raise ValueError("asked to")
        elif req.how == "stop":
            raise Stop(reply=req.number)
        return req.number

    async def handle_info(self, msg: Any) -> None:
        world = self.world
        if isinstance(msg, Down):
            world.downs[msg.ref] += not world.over
            if msg.ref in world.flushed:
                world.strange.append(("down after flush", msg))
        elif isinstance(msg, Numbered):
            world.got.setdefault((msg.src, self.pid), []).append(msg.n)
        elif not isinstance(msg, Exit) and msg != "tick":
            world.strange.append(msg)

    async def handle_cast(self, msg: Any) -> None:
        world, system, rng = self.world, self.system, self.world.rng
        peer = rng.choice(world.pids)
        match msg:
            case "send":
                world.sent[self.pid, peer] += 1
                system.send(peer, Numbered(self.pid, world.sent[self.pid, peer]))
            case "monitor":
                self.refs.append(system.monitor(peer))
                world.refs.append(self.refs[-1])
            case "demonitor" if self.refs:
                ref = self.refs.pop(rng.randrange(len(self.refs)))
                flush = rng.random() < 0.5
                if system.demonitor(ref, flush=flush):
                    world.released.add(ref)
                if flush:
                    world.flushed.add(ref)
            case "link":
                system.link(peer)
            case "unlink":
                system.unlink(peer)
            case "exit":
                system.exit(peer, rng.choice([NORMAL, SHUTDOWN, KILL, "boom"]))
            case "crash":
                raise RuntimeError("a bug")
            case "stop":
                raise Stop
            case "spawn":
                system.spawn(lambda: rng.choice([Node, Trapper])(world), link=self.pid if rng.random() < 0.5 else None)
            case "register" if system.whereis(name := rng.choice("abc")) is None and system.info(self.pid).name is None:
                system.register(name, self.pid)
            case "timer":
                world.timers.append((system.send_after(rng.uniform(0, 4), peer, "tick"), peer))
            case "answer":
                for frm in self.waiting:
                    frm.reply("late or not")
                self.waiting.clear()
            case "task":
                world.tasks.append(asyncio.create_task(asyncio.sleep(1e6)))
            case "call":
                await self.ask(peer)
            case "nap":
                await asyncio.sleep(rng.uniform(0, 2))

    async def ask(self, peer: Pid) -> None:
        world, system, rng = self.world, self.system, self.world.rng
        number = len(world.calls)
        outcomes = world.calls.setdefault(number, [])
        box = system.table[self.pid].mailbox
        before = list(box)
        start, timeout = system.loop.time(), rng.choice([0.5, 2.0, 5.0])
        how = rng.choice(["now", "slow", "later", "twice", "crash", "stop"])
        try:
            answer = await system.call(peer, Ask(how, number), timeout=timeout)
        except (NoProc, Exited, CallTimeout, CallingSelf) as error:
            outcomes.append(type(error).__name__)
        except asyncio.CancelledError:
            outcomes.append("killed")
            raise
        else:
            outcomes.append("value")
            world.answers[number] = answer
        world.touched += list(box)[: len(before)] != before
        late = system.loop.time() - start - timeout
        world.overdue.extend([late] if late > 1e-9 else [])


class Trapper(Node):
    trap_exit = True


OPS = [
    *["send"] * 6,
    *["monitor"] * 4,
    *["demonitor"] * 3,
    *["call"] * 5,
    *["exit", "spawn", "timer"] * 2,
    *["link", "unlink", "crash", "stop", "register", "answer", "task", "nap"],
]


def chaos(seed: int, *, ops: int = 30, each_step: Callable[[System], None] | None = None) -> Run[World]:
    rng = random.Random(seed)

    async def scenario(system: System) -> World:
        world = World(rng)
        for _ in range(4):
            await system.start(lambda: rng.choice([Node, Trapper])(world))
        for _ in range(ops):
            system.cast(rng.choice(world.pids), rng.choice(OPS))
            if rng.random() < 0.2:
                await asyncio.sleep(rng.uniform(0, 2))
        await asyncio.sleep(1000)
        infos = [system.info(pid) for pid in system.processes()]
        world.alive = set(system.processes())
        world.watching = {ref: True for info in infos for ref in info.monitors}
        world.over = True
        await system.shutdown()
        world.leftovers = len(asyncio.all_tasks()) - 1
        return world

    result = run(scenario, choose=seeded(seed), each_step=each_step)
    assert result.error is None, result.error
    return result


def world_of(seed: int) -> World:
    world = chaos(seed).value
    assert world is not None
    return world


@examples
@given(seeds)
def test_i1_messages_from_one_to_another_stay_in_order(seed: int) -> None:
    world = world_of(seed)
    for pair, numbers in world.got.items():
        assert numbers == list(range(1, len(numbers) + 1)), pair
        assert len(numbers) == world.sent[pair] or pair[1] not in world.alive


@examples
@given(seeds)
def test_i2_a_monitor_brings_one_down_or_is_released_never_both(seed: int) -> None:
    world = world_of(seed)
    for ref in world.refs:
        assert world.downs[ref] <= 1
        assert not (world.downs[ref] and ref in world.released)
        if ref.watcher in world.alive and ref not in world.flushed:
            open_still = ref.target in world.alive and ref in world.watching
            assert world.downs[ref] + (ref in world.released) + open_still == 1, ref


@examples
@given(seeds)
def test_i3_after_a_flush_no_down_is_handled(seed: int) -> None:
    assert not [what for what in world_of(seed).strange if isinstance(what, tuple) and "flush" in str(what[0])]


def tables_agree(system: System) -> None:
    for process in system.table.values():
        for ref, target in process.monitors.items():
            assert target is None or target.dead or target.monitored_by[ref] is process
        for ref, watcher in process.monitored_by.items():
            assert watcher.monitors[ref] is process
        for pid, other in process.links.items():
            assert other.dead or other.links[process.pid] is process, pid


@examples
@given(seeds)
def test_i4_both_ends_of_monitors_and_links_agree_and_tables_end_empty(seed: int) -> None:
    everyone: dict[Pid, Process] = {}

    def check(system: System) -> None:
        tables_agree(system)
        everyone.update(system.table)

    chaos(seed, each_step=check)
    assert len(everyone) >= 4
    for process in everyone.values():
        tables = (process.links, process.monitors, process.monitored_by, process.callers, process.timers or ())
        assert not any(tables), (process.pid, tables)


@examples
@given(seeds)
def test_i5_pids_and_refs_are_never_used_again(seed: int) -> None:
    world = world_of(seed)
    ids = [pid.id for pid in world.pids] + [ref.id for ref in world.refs]
    assert len(ids) == len(set(ids))


@examples
@given(seeds, st.sampled_from(["monitor", "link", "call"]))
def test_i6_what_is_done_to_a_dead_pid_resolves(seed: int, how: str) -> None:
    class Client(Trapper):
        async def handle_cast(self, msg: Any) -> None:
            if how == "call":
                await self.ask(msg)
            elif how == "link":
                self.system.link(msg)
            else:
                self.refs.append(self.system.monitor(msg))

        async def handle_info(self, msg: Any) -> None:
            self.world.calls[0] = [msg.reason.value]

    async def scenario(system: System) -> list[str]:
        world = World(random.Random(seed))
        client, victim = await system.start(lambda: Client(world)), await system.start(lambda: Node(world))
        system.exit(victim, KILL)
        await asyncio.sleep(0.1)
        system.cast(client, victim)
        await asyncio.sleep(0.1)
        return world.calls[0]

    assert run(scenario, choose=seeded(seed)).value == (["NoProc"] if how == "call" else ["noproc"])


@examples
@given(seeds)
def test_i7_every_call_ends_once_and_by_its_deadline(seed: int) -> None:
    world = world_of(seed)
    assert all(len(outcomes) == 1 for outcomes in world.calls.values()), world.calls
    assert not world.overdue


@examples
@given(seeds)
def test_i8_no_answer_reaches_a_mailbox_and_none_another_caller(seed: int) -> None:
    world = world_of(seed)
    assert not world.strange
    assert all(answer in (number, "late or not") for number, answer in world.answers.items())


@examples
@given(seeds)
def test_i9_a_call_leaves_the_callers_mailbox_alone(seed: int) -> None:
    assert world_of(seed).touched == 0


@examples
@given(seeds)
def test_i10_every_message_is_accounted_for(seed: int) -> None:
    counters = chaos(seed).counters
    assert counters.sent == counters.delivered + counters.dead_letters + counters.dropped


@examples
@given(seeds)
def test_i14_no_task_outlives_the_system(seed: int) -> None:
    result = chaos(seed)
    assert result.value is not None
    assert result.value.leftovers == 0
    assert result.final.orphans == len(result.value.tasks)
    assert all(task.cancelled() for task in result.value.tasks)


def names_are_alive(system: System) -> None:
    holders = [system.whereis(name) for name in "abc" if system.whereis(name) is not None]
    assert len(holders) == len(set(holders))
    for pid in holders:
        assert pid is not None
        assert system.alive(pid)


@examples
@given(seeds)
def test_i15_a_name_belongs_to_one_living_process(seed: int) -> None:
    chaos(seed, each_step=names_are_alive)


@examples
@given(seeds, st.booleans(), st.sampled_from([NORMAL, SHUTDOWN, KILL, "boom"]))
def test_i16_normal_never_kills_by_link_and_kill_always_kills(seed: int, trapping: bool, reason: object) -> None:
    async def scenario(system: System) -> tuple[bool, bool]:
        world = World(random.Random(seed))
        linked = await system.start(lambda: (Trapper if trapping else Node)(world))
        first = await system.start(lambda: Node(world), link=linked)
        if reason is NORMAL:
            system.cast(first, "stop")
        else:
            system.exit(first, reason)
        await asyncio.sleep(1)
        survived = system.alive(linked)
        system.exit(linked, KILL)
        await asyncio.sleep(1)
        return survived, system.alive(linked)

    assert run(scenario, choose=seeded(seed)).value == (trapping or reason is NORMAL, False)


@examples
@given(seeds)
def test_i20_the_same_seed_gives_the_same_trace(seed: int) -> None:
    first, second = chaos(seed), chaos(seed)
    assert first.choices == second.choices
    assert list(map(repr, first.events)) == list(map(repr, second.events))


def test_i20_whatever_the_hash_seed_is() -> None:
    program = (
        "import asyncio\n"
        "from otplint.runtime import Server\n"
        "from otplint.runtime.testing import walk\n"
        "class Echo(Server):\n"
        "    async def handle_call(self, req, frm):\n"
        "        return req\n"
        "async def scenario(system):\n"
        "    pids = [system.spawn(Echo) for _ in range(3)]\n"
        "    return await asyncio.gather(*(system.call(pid, n) for n, pid in enumerate(pids)))\n"
        "result = walk(scenario, 3)\n"
        "print(result.value, result.choices)\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    # The very schedule is written down: it must be the same on every Python.
    assert outputs == {"[0, 1, 2] (1, 4, 4, 1, 2, 3, 0, 2, 0, 1, 1, 2, 0, 0, 2, 1, 1)\n"}


def timers_died(world: World) -> Callable[[System], None]:
    def check(system: System) -> None:
        assert not [pid for timer, pid in world.timers if timer.active and not system.alive(pid)]

    return check


@examples
@given(seeds)
def test_i21_timers_die_with_their_pid(seed: int) -> None:
    rng = random.Random(seed)
    world = World(rng)

    async def scenario(system: System) -> tuple[int, int]:
        victim = await system.start(lambda: Node(world))
        timers = [system.send_after(rng.uniform(0, 4), victim, "tick") for _ in range(5)]
        world.timers.extend((timer, victim) for timer in timers)
        await asyncio.sleep(2)
        system.exit(victim, KILL)
        await asyncio.sleep(10)
        return system.counters.sent, sum(timer.active for timer in timers)

    result = run(scenario, choose=seeded(seed), each_step=timers_died(world))
    assert result.error is None
    assert result.value is not None
    assert result.value[1] == 0
    assert result.value[0] <= 5
