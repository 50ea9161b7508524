"""How a process starts on a real loop, where one without an `init` of its own has no task before its first message."""

from __future__ import annotations

import asyncio
import contextvars
import functools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from otplint.runtime import KILL, KILLED, NOPROC, ChildSpec, Down, Exited, From, Server, Supervisor, System
from otplint.runtime.process import current

colour: contextvars.ContextVar[str] = contextvars.ContextVar("colour", default="none")


class Echo(Server):
    """Answers with what it is asked; tells where it was made and where it runs."""

    def __init__(self) -> None:
        self.made_by = current.get()
        self.made_in = colour.get()
        colour.set("its own")

    async def handle_call(self, req: Any, frm: From) -> object:
        return (req, self.made_in, colour.get(), self.made_by is current.get() is not None)

    async def handle_cast(self, msg: Any) -> None:
        assert isinstance(msg, list)
        msg.append(self.pid)


class Trapping(Echo):
    """Keeps the reasons it ended for."""

    trap_exit = True

    async def terminate(self, reason: object) -> None:
        ended.append(reason)


class Watcher(Server):
    """Keeps what it is sent; watches whom it is told to."""

    def __init__(self) -> None:
        self.got: list[object] = []

    async def handle_call(self, req: Any, frm: From) -> object:
        return self.got if req == "got" else self.system.monitor(req)

    async def handle_info(self, msg: Any) -> None:
        self.got.append(msg)


class Broken(Server):
    """Cannot be made."""

    def __init__(self) -> None:
        raise ValueError("broken")


class Talking(Server):
    """Writes to itself, or ends itself, while it is made."""

    def __init__(self) -> None:
        process = current.get()
        assert process is not None
        made.append(process.pid)
        process.system.cast(process.pid, said)
        if "end" in said:
            process.system.exit(process.pid, KILL)

    async def handle_cast(self, msg: Any) -> None:
        msg.append(self.pid)


def real(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Runs a test on a loop of asyncio's own."""

    @functools.wraps(test)
    def runs(*args: object, **options: object) -> None:
        async def within() -> None:
            await asyncio.wait_for(test(*args, **options), 10)

        asyncio.run(within())

    return runs


said: list[object] = []
ended: list[object] = []
made: list[object] = []


@real
async def test_idle_process_has_no_task_and_its_first_message_gives_it_one() -> None:
    async with System() as system:
        pid = system.spawn(Echo)
        assert system.info(pid).status == "starting"
        await asyncio.sleep(0)
        process = system.table[pid]
        assert (system.info(pid).status, process.task) == ("waiting", None)
        heard: list[object] = []
        system.cast(pid, heard)
        assert (system.info(pid).status, heard) == ("running", [])
        await asyncio.sleep(0)
        assert heard == [pid]
        assert (system.info(pid).status, process.task is None) == ("waiting", False)


@real
async def test_factory_and_handlers_run_in_the_process_and_in_a_copy_of_the_spawners_context() -> None:
    async with System() as system:
        token = colour.set("red")
        pid = system.spawn(Echo)
        colour.reset(token)
        await asyncio.sleep(0)
        assert await system.call(pid, 1) == (1, "red", "its own", True)
        assert colour.get() == "none"
        assert current.get() is None


@real
async def test_message_before_the_start_is_handled() -> None:
    async with System() as system:
        heard: list[object] = []
        pid = system.spawn(Echo)
        system.cast(pid, heard)
        assert (await system.call(pid, 2))[0] == 2
        assert heard == [pid]


@real
async def test_server_that_writes_to_itself_while_it_is_made() -> None:
    said[:] = []
    async with System() as system:
        pid = await system.start(Talking)
        await asyncio.sleep(0)
        assert said == made[-1:] == [pid]


class Disguised(Server):
    """Makes a server of another class, which has an init."""

    def __new__(cls) -> Any:
        return Slow()


class Slow(Server):
    """Says when its init is done."""

    async def init(self) -> None:
        await asyncio.sleep(0)
        said.append("init")


@real
async def test_init_of_a_server_of_another_class_runs_before_the_start_is_announced() -> None:
    said[:] = []
    async with System() as system:
        await system.start(Disguised)
        assert said == ["init"]


@real
async def test_server_that_ends_itself_while_it_is_made() -> None:
    said[:] = ["end"]
    async with System() as system:
        pid = system.spawn(Talking)
        assert await system.wait(pid) == KILLED
        assert said == ["end"]
        assert (system.counters.dead_letters, system.processes()) == (1, ())


@real
async def test_factory_that_raises_is_a_crash_that_everybody_hears_of() -> None:
    async with System() as system:
        watcher = await system.start(Watcher)
        pid = system.spawn(Broken)
        reason = await system.wait(pid)
        assert isinstance(reason, ValueError)
        ref = await system.call(watcher, pid)
        assert await system.call(watcher, "got") == [Down(ref, pid, NOPROC)]
        with pytest.raises(Exited):
            await system.start(Broken)
        assert system.counters.crashes == 2
        assert system.processes() == (watcher,)


@real
async def test_exit_before_the_start_runs_no_factory() -> None:
    said[:] = []
    async with System() as system:
        pid = system.spawn(Talking)
        system.exit(pid, "enough")
        assert not system.alive(pid)
        await asyncio.sleep(0)
        assert pid not in made


@pytest.mark.parametrize("reason", [KILL, "enough"])
@real
async def test_exit_of_a_process_without_a_task_ends_it_at_once(reason: object) -> None:
    async with System() as system:
        watcher = await system.start(Watcher)
        pid = await system.start(Echo)
        ref = await system.call(watcher, pid)
        system.exit(pid, reason)
        assert not system.alive(pid)
        assert await system.call(watcher, "got") == [Down(ref, pid, KILLED if reason is KILL else reason)]


@real
async def test_exit_between_the_first_message_and_its_handling() -> None:
    async with System() as system:
        heard: list[object] = []
        pid = await system.start(Echo)
        system.cast(pid, heard)
        system.exit(pid, "enough")
        assert await system.wait(pid) in ("enough", NOPROC)
        assert heard == []
        assert system.counters.dead_letters == 1


@real
async def test_trapping_process_without_a_task_runs_its_terminate() -> None:
    ended[:] = []
    async with System() as system:
        pid = await system.start(Trapping)
        system.exit(pid, "enough")
        assert system.alive(pid)
        assert await system.wait(pid) == "enough"
        assert ended == ["enough"]


@real
async def test_stop_and_supervision_of_processes_without_a_task() -> None:
    async with System() as system:
        await system.start(Supervisor([ChildSpec("echo", Echo, name="echo")]))
        first = system.whereis("echo")
        assert first is not None
        system.exit(first, KILL)
        for _ in range(5):
            await asyncio.sleep(0)
        second = system.whereis("echo")
        assert second is not None
        assert second is not first
        await system.stop("echo")
        assert not system.alive(second)


@real
async def test_shutdown_leaves_nothing_of_processes_without_a_task() -> None:
    before = asyncio.all_tasks()
    system = System()
    async with system:
        for _ in range(20):
            system.spawn(Echo)
        await asyncio.sleep(0)
    assert system.processes() == ()
    assert asyncio.all_tasks() <= before


@real
async def test_task_factory_of_the_loop_makes_every_task() -> None:
    loop = asyncio.get_running_loop()
    made: list[object] = []

    def factory(loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> asyncio.Task[Any]:
        made.append(coro)
        return asyncio.Task(coro, loop=loop, **options)

    loop.set_task_factory(factory)
    async with System() as system:
        system.spawn(Echo)
        assert len(made) == 1
