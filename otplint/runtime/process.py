"""One process: its mailbox, its tables, and the loop that runs its server until it ends."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextvars import Context, ContextVar
from typing import TYPE_CHECKING, Any, Final

from otplint.runtime.errors import CallTimeout, MailboxFull
from otplint.runtime.messages import NO_REPLY, Exit, Mailbox, Pid, Ref, Stop
from otplint.runtime.reasons import KILLED, NORMAL
from otplint.runtime.server import Server

if TYPE_CHECKING:
    from otplint.runtime.kernel import System
    from otplint.runtime.timers import Timer

logger = logging.getLogger("otplint.runtime")
logger.addHandler(logging.NullHandler())

INFO: Final = 0
CAST: Final = 1
CALL: Final = 2
SIGNAL: Final = 3
STOP: Final = 4

Item = tuple[int, object, "From | None", int]
"""What a mailbox holds: kind, message, whom to answer, and the number of the message."""

current: ContextVar[Process | None] = ContextVar("otplint_process", default=None)
"""The process whose code is running; None outside of any."""


def checkpoint(label: str) -> None:
    """Marks a step at which the running process could be killed; `testing.crash_points` tries each. Free otherwise."""
    process = current.get()
    if process is not None and process.system.hook is not None:
        process.system.hook(process, label)


NOTHING: Final[dict[Any, Any]] = {}
"""A table without entries, shared and never written to."""


EMPTY: Final[deque[Item]] = deque(maxlen=0)
"""The mailbox of a process that nobody ever wrote to, shared; `open_mailbox` gives it one of its own."""


ASLEEP: Final[Any] = object()
"""The `waiter` of a process that has started and never had a message: `wake` gives it its task."""


class Failure:
    """An exception on its way to a caller; as a plain result it needs no retrieval when nobody waits any more."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error


class From:
    """Whom to answer: given to `Server.handle_call`, may be kept, passed on, and used once."""

    __slots__ = ("caller", "future", "n", "server")

    def __init__(self, server: Process, caller: Pid, future: asyncio.Future[object]) -> None:
        self.server = server
        self.caller = caller
        self.future = future
        self.n = 0

    def reply(self, value: object) -> None:
        """Answers. A second answer, or one after the caller's deadline, is dropped and counted in `late_replies`."""
        held = self.server.held
        if held is not None:
            held.append((self, value))
        else:
            self.send(value)

    def fail(self, error: Exception) -> None:
        """Makes the caller's `System.call` raise `error`; the server goes on."""
        self.reply(Failure(error))

    def send(self, value: object) -> None:
        """Answers at once, past what a PersistentServer holds back until its state is stored."""
        system = self.server.system
        if system.plain:
            self.land(value)
            return
        if system.hook is not None:
            checkpoint("reply")
        system.emit("reply", self.server.pid, self.caller, self.n, value)
        system.route(self.server.pid, self.caller, self.land, value)

    def land(self, value: object) -> None:
        """The answer arrives at the caller."""
        server = self.server
        future = self.future
        if future.done():
            server.system.counters.late_replies += 1
            server.system.emit("late", server.pid, self.caller, self.n, value)
        else:
            server.callers.pop(self, None)
            future.set_result(value)

    def land_failure(self, error: Exception) -> None:
        """The news that there will be no answer arrives at the caller."""
        if not self.future.done():
            self.future.set_result(Failure(error))

    def expire(self, seconds: float) -> None:
        """The deadline has passed."""
        if not self.future.done():
            self.server.callers.pop(self, None)
            self.server.system.emit("timeout", self.caller, self.server.pid, self.n, seconds)
            self.future.set_result(Failure(CallTimeout(self.server.pid, seconds)))


class Process:
    """The runtime's side of a process. Programs see its Pid."""

    # Slots for what every process or message needs. What most never have stays on the class, and goes to a dict that
    # only then is made: a spawn costs a third less. NOTHING stands for an empty table until the first entry.
    __slots__ = (
        *("__dict__", "bound", "callers", "context", "exiting", "factory", "high_water", "mailbox", "name", "parent"),
        *("pid", "room", "server", "started", "system", "task", "waiter"),
    )

    links: dict[Pid, Process] = NOTHING
    monitors: dict[Ref, Process | None] = NOTHING
    monitored_by: dict[Ref, Process] = NOTHING
    timers: dict[Timer, None] | None = None
    watchers: list[tuple[Pid, asyncio.Future[object]]] | None = None
    ready: tuple[Pid, asyncio.Future[object]] | None = None
    held: list[tuple[From, object]] | None = None
    incoming = 0
    attempts = 0
    restarts = 0
    dead = False

    def __init__(
        self, system: System, pid: Pid, factory: Callable[[], Server] | None, name: str | None, parent: Pid
    ) -> None:
        self.system = system
        self.pid = pid
        self.factory = factory
        self.name = name
        self.parent = parent
        self.mailbox: deque[Item] = EMPTY
        self.high_water = 0
        self.waiter: asyncio.Future[None] | None = None
        self.callers: dict[From, None] = NOTHING
        self.bound: Mailbox | None = None
        self.room: deque[asyncio.Future[None]] | None = None
        self.exiting: object = None
        self.started = False
        self.server: Server | None = None
        self.task: asyncio.Task[None] | None = None
        self.context: Context | None = None

    def open_mailbox(self) -> deque[Item]:
        """Its own mailbox, for the first message."""
        self.mailbox = deque()
        return self.mailbox

    def wake(self) -> None:
        """Something is in the mailbox."""
        waiter = self.waiter
        if waiter is not None:
            self.waiter = None
            if waiter is ASLEEP:
                assert self.context is not None
                self.task = self.context.run(self.system.make_task, self.run())
            elif not waiter.done():
                waiter.set_result(None)

    def begin(self) -> None:
        """The start of a process without an `init` of its own: it has a task only from its first message on."""
        if self.dead:
            return
        current.set(self)
        try:
            server = self.build()
        except BaseException as error:  # noqa: BLE001 - raised again in `run`, like every other error of a callback
            self.task = self.system.make_task(self.run(error))
            return
        simple = type(server).init is Server.init  # not if the class's __new__ gave a server of another class
        if simple and self.ready is not None:
            self.system.announce(self)
        if self.mailbox or not simple:
            self.task = self.system.make_task(self.run())
        else:
            self.waiter = ASLEEP

    def build(self) -> Server:
        """Makes this start's own server. Raises TypeError when the factory does not make a fresh one (D6)."""
        factory, self.factory = self.factory, None
        assert factory is not None
        server = factory()
        if not isinstance(server, Server):
            raise TypeError(f"the factory of {self.pid!r} made {server!r}; it must make a Server")
        if getattr(server, "pid", None) is not None:
            raise TypeError(f"the factory of {self.pid!r} gave {server!r} for a second time; it must make a new one")
        if self.name is None:
            self.pid.label = type(server).__name__
        server.system = self.system
        server.pid = self.pid
        self.server = server
        return server

    async def run(self, failure: BaseException | None = None) -> None:  # noqa: C901 - one coroutine a process: a nested one costs 0.4 kB and a hop a message
        """Builds the server, handles messages until something ends it, runs `terminate` where due."""
        system = self.system
        counters, loop, batch = system.counters, system.loop, system.batch
        current.set(self)
        self.started = True
        reason: object = NORMAL
        orderly = False
        outside: BaseException | None = None
        frm: From | None = None
        done = 0
        try:
            if failure is not None:
                raise failure
            begun = self.server
            server = self.build() if begun is None else begun
            commit = server._commit
            if type(server).init is not Server.init:
                await server.init()
            orderly = True
            if self.ready is not None or (begun is None and not system.plain):
                system.announce(self)
            while self.exiting is None:
                mailbox = self.mailbox
                size = len(mailbox)
                if not size:
                    done = 0
                    self.waiter = waiter = loop.create_future()
                    await waiter
                    continue
                if size > self.high_water:
                    self.high_water = size
                if done >= batch:
                    done = 0
                    await asyncio.sleep(0)
                    continue
                done += 1
                kind, msg, frm, n = mailbox.popleft()
                counters.delivered += 1
                if not system.plain:
                    system.emit("handle", None, self.pid, n, msg)
                if self.room is not None:
                    self.make_room()
                if commit is not None:
                    self.held = []
                if kind == CALL:
                    assert frm is not None
                    answer = await server.handle_call(msg, frm)
                    if commit is not None:
                        self.release(commit)
                    if answer is not NO_REPLY and self.exiting is None:
                        if system.plain:
                            frm.land(answer)
                        else:
                            frm.send(answer)
                    frm = None
                else:
                    if kind == CAST:
                        await server.handle_cast(msg)
                    elif kind == STOP or (type(msg) is Exit and msg.pid is self.parent):
                        raise Stop(msg.reason if type(msg) is Exit else msg)
                    else:
                        await server.handle_info(msg)
                    if commit is not None:
                        self.release(commit)
        except Stop as stop:
            reason = stop.reason
            try:
                if orderly and commit is not None:
                    self.release(commit)
            except Exception as error:  # noqa: BLE001 - a state that cannot be stored is a crash like any other
                reason = error
                system.crashed(self, error)
            else:
                if frm is not None and stop.reply is not NO_REPLY:
                    frm.send(stop.reply)
        except asyncio.CancelledError as error:
            # With an exit signal on its way this is its effect; without one somebody cancelled the task itself.
            if self.exiting is None:
                reason = outside = error
        except Exception as error:  # noqa: BLE001 - the boundary of a process: what a callback raises is how it ends
            reason = error
            system.crashed(self, error)
        except BaseException as error:  # noqa: BLE001 - raised again below, once everybody knows
            if self.exiting is None:
                reason = outside = error
        if self.held is not None:
            self.held = None
        if orderly and self.exiting is None and outside is None and not self.dead:
            reason = await self.say_goodbye(server, reason)
        if not self.dead:
            system.finish(self, reason if self.exiting is None else self.exiting)
        self.task = self.server = None
        if outside is not None:
            raise outside

    async def say_goodbye(self, server: Server, reason: object) -> object:
        """Runs `terminate`; what it raises is the new reason."""
        try:
            await server.terminate(reason)
        except asyncio.CancelledError as error:
            return error
        except Stop as stop:
            return stop.reason
        # otplint: ignore[OTP201] the boundary of a process: what `terminate` raises is how it ends, and `run` tells all
        except Exception as error:  # noqa: BLE001 - the boundary of a process, as in `run`
            if not isinstance(reason, Exception):
                self.system.crashed(self, error)
            return error
        return reason

    def release(self, commit: Callable[[], None]) -> None:
        """Stores the state, then lets the answers out that were given while the handler ran."""
        held, self.held = self.held, None
        commit()
        for frm, value in held or ():
            frm.send(value)

    def make_room(self) -> None:
        """Lets one sender that waits for a place in a bounded mailbox go on."""
        room = self.room
        while room:
            waiter = room.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def drop_oldest(self) -> bool:
        """Drops the oldest message that may be dropped (never EXIT or DOWN); False if there is none."""
        for index, (kind, msg, frm, n) in enumerate(self.mailbox):
            if kind in (INFO, CAST, CALL):
                del self.mailbox[index]
                self.refuse(msg, frm, n)
                return True
        return False

    def refuse(self, msg: object, frm: From | None, n: int) -> None:
        """Counts a message that a full mailbox did not take and tells its caller, if it was a call."""
        assert self.bound is not None
        assert self.bound.maxsize is not None
        self.system.counters.dropped += 1
        self.system.emit("drop", None, self.pid, n, msg)
        if frm is not None:
            self.callers.pop(frm, None)
            self.system.route(self.pid, frm.caller, frm.land_failure, MailboxFull(self.pid, self.bound.maxsize))

    def end(self, reason: object) -> None:
        """An exit signal takes effect: at once when idle, else at the next await of the running handler (D1)."""
        if self.dead or (self.exiting is not None and (reason is not KILLED or self.exiting is KILLED)):
            return
        self.exiting = reason
        task = self.task
        if not self.started or self.waiter is not None:
            self.waiter = None
            self.system.finish(self, reason)
            if task is None:
                self.server = self.context = None
            else:
                task.cancel()
        else:
            self.attempts = 0
            self.cancel()

    def cancel(self) -> None:
        """Cancels the running handler; again later if it swallows that; at last gives it up as a zombie."""
        if self.dead or self.task is None:
            return
        settings = self.system.settings
        if self.attempts >= settings.cancel_attempts:
            self.system.counters.zombies += 1
            self.system.emit("zombie", None, self.pid, 0, self.exiting)
            logger.error("%r swallows its cancellation and was given up", self.pid)
            self.system.finish(self, self.exiting)
            return
        self.attempts += 1
        self.task.cancel()
        interval = settings.kill_interval if self.exiting is KILLED else settings.cancel_interval
        self.system.loop.call_later(interval, self.try_again, self.attempts, self.exiting, context=self.system.outside)

    def try_again(self, attempt: int, reason: object) -> None:
        """The timer of `cancel`; stale after a stronger signal."""
        if attempt == self.attempts and reason is self.exiting:
            self.cancel()
