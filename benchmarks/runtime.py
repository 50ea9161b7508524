"""The runtime beside plain asyncio and beside other Python actor libraries: calls, casts, spawns, memory.

Prints 1/s of CPU time, and the ratio to floors measured in the same run: asyncio.Queue plus Future ping-pong for
calls; for spawns a task that waits on a queue of its own (what an actor is), and a bare task that waits on a future.
A process that was never written to has no task yet, so spawns that each get one message are measured beside.
Each figure is the median of several rounds, floors and contestants in turn, because machines are noisy;
read ratios. Peers that are not installed get a line that says so (pip install pykka thespian otpylib xoscar).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib.util
import statistics
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from typing import Any

from otplint.runtime import Server, System

ROUNDS = 7
CALLS = 20_000
SPAWNS = 5_000
IDLE = 10_000
MANY = 100_000
CASTS = 1_000_000


class Echo(Server):
    """Answers what it is asked; counts what it is told."""

    count = 0

    async def handle_call(self, req: Any, frm: Any) -> object:  # noqa: ARG002
        """The request itself."""
        return req

    async def handle_cast(self, msg: Any) -> None:  # noqa: ARG002
        """One more."""
        self.count += 1


async def floor_call() -> float:
    """One task answers through futures what another puts in a queue."""
    queue: asyncio.Queue[tuple[int, asyncio.Future[int]]] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    async def answer() -> None:
        while True:
            value, future = await queue.get()
            future.set_result(value)

    task = asyncio.create_task(answer())
    start = time.process_time()
    for number in range(CALLS):
        future: asyncio.Future[int] = loop.create_future()
        queue.put_nowait((number, future))
        await future
    elapsed = time.process_time() - start
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return CALLS / elapsed


async def floor_spawn() -> float:
    """Tasks that each wait on a queue of their own, until all of them wait."""

    async def idle(queue: asyncio.Queue[int]) -> None:
        await queue.get()

    start = time.process_time()
    tasks = [asyncio.create_task(idle(asyncio.Queue())) for _ in range(SPAWNS)]
    await asyncio.sleep(0)
    elapsed = time.process_time() - start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return SPAWNS / elapsed


async def floor_bare_spawn() -> float:
    """Tasks that do nothing but wait on a future."""
    loop = asyncio.get_running_loop()

    async def idle(future: asyncio.Future[None]) -> None:
        await future

    start = time.process_time()
    tasks = [asyncio.create_task(idle(loop.create_future())) for _ in range(SPAWNS)]
    await asyncio.sleep(0)
    elapsed = time.process_time() - start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return SPAWNS / elapsed


async def our_call() -> float:
    """Calls with the default deadline of 5 s."""
    async with System() as system:
        pid = await system.start(Echo)
        start = time.process_time()
        for number in range(CALLS):
            await system.call(pid, number)
        return CALLS / (time.process_time() - start)


async def our_spawn() -> float:
    """Spawns until every process waits for messages."""
    async with System() as system:
        start = time.process_time()
        for _ in range(SPAWNS):
            system.spawn(Echo)
        await asyncio.sleep(0)
        return SPAWNS / (time.process_time() - start)


async def floor_used() -> float:
    """Tasks with a queue of their own, each of which takes one item out of it and waits for the next."""

    async def idle(queue: asyncio.Queue[int]) -> None:
        while True:
            await queue.get()

    start = time.process_time()
    tasks = []
    for _ in range(SPAWNS):
        queue: asyncio.Queue[int] = asyncio.Queue()
        tasks.append(asyncio.create_task(idle(queue)))
        queue.put_nowait(1)
    await asyncio.sleep(0)
    elapsed = time.process_time() - start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return SPAWNS / elapsed


async def our_used() -> float:
    """Spawns of processes that each handle one cast."""
    async with System() as system:
        start = time.process_time()
        for _ in range(SPAWNS):
            system.cast(system.spawn(Echo), None)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        elapsed = time.process_time() - start
        assert system.counters.delivered == SPAWNS
        return SPAWNS / elapsed


async def our_cast() -> float:
    """Casts, all queued before any is handled."""
    async with System() as system:
        pid = await system.start(Echo)
        start = time.process_time()
        for number in range(CALLS):
            system.cast(pid, number)
        await system.call(pid, None)
        return CALLS / (time.process_time() - start)


async def our_memory() -> float:
    """Bytes an idle process takes (tracemalloc)."""
    async with System() as system:
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(IDLE):
            system.spawn(Echo)
        await asyncio.sleep(0)
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
    return (after - before) / IDLE


async def our_many() -> str:
    """100,000 processes alive at once, each of which answers."""
    start = time.process_time()
    async with System() as system:
        pids = [system.spawn(Echo) for _ in range(MANY)]
        right = 0
        for number, pid in enumerate(pids):
            right += await system.call(pid, number) == number
        alive = len(system.processes())
    seconds = time.process_time() - start
    return f"{alive:,} alive at once, {right:,} answered; started, asked and stopped in {seconds:.1f} s"


async def our_million() -> str:
    """A million casts, and what is left of them in memory once they are handled."""
    async with System() as system:
        pid = await system.start(Echo)
        await system.call(pid, None)
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for chunk in range(CASTS // 100_000):
            for number in range(100_000):
                system.cast(pid, number)
            await system.call(pid, chunk)
        gc.collect()
        growth = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        server = system.table[pid].server
        assert isinstance(server, Echo)
        return f"{server.count:,} casts handled, {growth / 1000:.1f} kB more than before"


def pykka_rates() -> dict[str, float]:
    """Threads: ask with a timeout, start."""
    import pykka  # type: ignore[import-not-found, unused-ignore]

    class Actor(pykka.ThreadingActor):
        def on_receive(self, message: Any) -> Any:
            return message

    actor = Actor.start()
    calls = CALLS // 10
    start = time.process_time()
    for number in range(calls):
        actor.ask(number, timeout=5)
    call = calls / (time.process_time() - start)
    spawns = SPAWNS // 10
    start = time.process_time()
    for _ in range(spawns):
        Actor.start()
    spawn = spawns / (time.process_time() - start)
    pykka.ActorRegistry.stop_all()
    return {"call": call, "spawn": spawn}


def thespian_rates() -> dict[str, float]:
    """simpleSystemBase: everything in the caller's thread, no scheduling at all."""
    from thespian.actors import Actor, ActorSystem  # type: ignore[import-untyped, import-not-found, unused-ignore]

    class EchoActor(Actor):  # type: ignore[misc, unused-ignore]
        def receiveMessage(self, message: Any, sender: Any) -> None:  # noqa: N802 - Thespian's name
            if isinstance(message, int):
                self.send(sender, message)

    actors = ActorSystem("simpleSystemBase")
    try:
        one = actors.createActor(EchoActor)
        start = time.process_time()
        for number in range(CALLS // 4):
            actors.ask(one, number, 5)
        call = CALLS / 4 / (time.process_time() - start)
        start = time.process_time()
        for _ in range(SPAWNS):
            actors.createActor(EchoActor)
        return {"call": call, "spawn": SPAWNS / (time.process_time() - start)}
    finally:
        actors.shutdown()


def xoscar_rates() -> dict[str, float]:
    """Actors in the same process."""
    import xoscar  # type: ignore[import-untyped, import-not-found, unused-ignore]

    class EchoActor(xoscar.Actor):  # type: ignore[misc, unused-ignore]
        async def echo(self, value: int) -> int:
            return value

    async def main() -> dict[str, float]:
        pool = await xoscar.create_actor_pool("127.0.0.1", n_process=0)
        address = pool.external_address
        async with pool:
            ref = await xoscar.create_actor(EchoActor, address=address)
            calls = CALLS // 4
            start = time.process_time()
            for number in range(calls):
                await ref.echo(number)
            call = calls / (time.process_time() - start)
            spawns = SPAWNS // 4
            start = time.process_time()
            for _ in range(spawns):
                await xoscar.create_actor(EchoActor, address=address)
            return {"call": call, "spawn": spawns / (time.process_time() - start)}

    return asyncio.run(main())


def otpylib_rates() -> dict[str, float]:
    """Its gen_server on its asyncio backend; calls work by registered name only."""
    from otpylib import gen_server, process  # type: ignore[import-untyped, import-not-found, unused-ignore]
    from otpylib.gen_server.data import (  # type: ignore[import-untyped, import-not-found, unused-ignore]
        NoReply,
        Reply,
    )
    from otpylib.module import (  # type: ignore[import-untyped, import-not-found, unused-ignore]
        GEN_SERVER,
        OTPModule,
    )
    from otpylib.runtime.backends.asyncio_backend.backend import (  # type: ignore[import-untyped, import-not-found, unused-ignore]
        AsyncIOBackend,
    )
    from otpylib.runtime.registry import (  # type: ignore[import-untyped, import-not-found, unused-ignore]
        set_runtime,
    )

    async def init(self: Any, arg: Any) -> Any:  # noqa: ARG001
        return arg

    async def handle_call(self: Any, request: Any, caller: Any, state: Any) -> Any:  # noqa: ARG001
        return Reply(request), state

    async def ignore(self: Any, request: Any, state: Any) -> Any:  # noqa: ARG001
        return NoReply(), state

    async def terminate(self: Any, reason: Any, state: Any) -> None:
        pass

    members = {
        "init": init,
        "handle_call": handle_call,
        "handle_cast": ignore,
        "handle_info": ignore,
        "terminate": terminate,
        "__module__": __name__,
        "__qualname__": "EchoServer",
    }
    server = OTPModule("EchoServer", (), members, behavior=GEN_SERVER, version="1.0.0")
    rates: dict[str, float] = {}

    async def work() -> None:
        await gen_server.start(server, None, name="echo")
        calls = CALLS // 10
        start = time.process_time()
        for number in range(calls):
            await gen_server.call("echo", number, timeout=5)
        rates["call"] = calls / (time.process_time() - start)
        spawns = SPAWNS // 10
        start = time.process_time()
        for _ in range(spawns):
            await gen_server.start(server, None)
        rates["spawn"] = spawns / (time.process_time() - start)

    async def main() -> None:
        backend = AsyncIOBackend()
        await backend.initialize()
        set_runtime(backend)
        done = asyncio.Event()

        async def watched() -> None:
            try:
                await work()
            finally:
                done.set()

        await process.spawn(watched, args=[], mailbox=True)
        await done.wait()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    asyncio.run(main())
    return rates


PEERS: dict[str, tuple[str, Callable[[], dict[str, float]]]] = {
    "pykka (threads)": ("pykka", pykka_rates),
    "Thespian (simpleSystemBase)": ("thespian", thespian_rates),
    "otpylib": ("otpylib", otpylib_rates),
    "xoscar (same process)": ("xoscar", xoscar_rates),
}


def rounds(*works: Callable[[], Awaitable[float]]) -> list[float]:
    """Medians of contestants that take turns, so that a slow moment hits all of them."""
    figures: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, results in zip(works, figures, strict=True):
            gc.collect()
            results.append(asyncio.run(work()))  # type: ignore[arg-type]
    return [statistics.median(results) for results in figures]


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--no-peers", action="store_true", help="only the runtime and its floors")
    options = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, medians of {ROUNDS}")
    queue, call = rounds(floor_call, our_call)
    bare, tasks, spawn = rounds(floor_bare_spawn, floor_spawn, our_spawn)
    queued, used = rounds(floor_used, our_used)
    (cast,) = rounds(our_cast)
    print(f"{'':40} {'call/s':>12} {'spawn/s':>12}")
    print(f"{'asyncio.Queue + Future; create_task':40} {queue:12,.0f} {tasks:12,.0f}   bare tasks {bare:,.0f}")
    print(f"{'otplint.runtime':40} {call:12,.0f} {spawn:12,.0f}   cast/s {cast:,.0f}")
    print(
        f"{'  ratio to the floor':40} {call / queue:12.2f} {spawn / tasks:12.2f}   (to bare tasks {spawn / bare:.2f})"
    )
    print(f"spawn and one cast handled: {used:,.0f}/s, {used / queued:.2f} of a task that takes an item from its queue")
    print(f"memory: {asyncio.run(our_memory()) / 1000:.2f} kB an idle actor")
    print(asyncio.run(our_many()))
    print(asyncio.run(our_million()))
    for label, (module, work) in ({} if options.no_peers else PEERS).items():
        if importlib.util.find_spec(module) is None:
            print(f"{label:40} skipped: {module} is not installed")
            continue
        rates = work()
        print(
            f"{label:40} {rates['call']:12,.0f} {rates['spawn']:12,.0f}"
            f"   we are {call / rates['call']:.1f}x and {spawn / rates['spawn']:.1f}x"
        )


if __name__ == "__main__":
    main()
