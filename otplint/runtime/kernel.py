"""System: the process table, messages, calls, monitors, links, exit signals, names, timers.

Semantics are the BEAM's where Python allows; the deviations are the decisions D1-D9 of docs/runtime.md.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
from collections.abc import Callable
from types import EllipsisType, TracebackType
from typing import Any, Final, TypeVar, overload

from otplint.runtime.checks import check_kind
from otplint.runtime.errors import CallingSelf, MailboxFull, NoProc, SpecError
from otplint.runtime.messages import UNBOUNDED, Call, Event, Mailbox, Pid
from otplint.runtime.process import CALL, CAST, EMPTY, INFO, NOTHING, STOP, Failure, From, Process, checkpoint, current
from otplint.runtime.reasons import KILL, NOPROC, NORMAL, SHUTDOWN
from otplint.runtime.server import Server, check_factory
from otplint.runtime.settings import Settings
from otplint.runtime.timers import Timer
from otplint.runtime.watching import Dest, Watching, settle

__all__ = ["Dest", "System"]

R = TypeVar("R")
_TOO_LATE: Final = object()
_DEFAULTS: Final = Settings()


class System(Watching):
    """One node: an async context manager whose end is an orderly shutdown. No globals; several may live side by side.

    `copy` deep-copies every message, as the BEAM does, to show programs that share mutable messages (D9).
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        trace: Callable[[Event], None] | None = None,
        copy: bool = False,
    ) -> None:
        super().__init__(settings or _DEFAULTS, trace, copy)

    async def __aenter__(self) -> System:  # noqa: PYI034 - Self is 3.11
        self.open(asyncio.get_running_loop())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.shutdown()

    # -- starting and stopping ------------------------------------------------------------------------------------

    def spawn(
        self,
        factory: Callable[[], Server],
        *,
        name: str | None = None,
        link: Pid | None = None,
        mailbox: Mailbox = UNBOUNDED,
    ) -> Pid:
        """Starts a process and returns at once; `init` runs in the process itself.

        `link` is the parent: the two are linked, and the parent's exit signal makes a trapping child terminate.
        Raises SpecError for anything but a factory (an instance would survive its own restart: D6),
        AlreadyRegistered for a taken name, RuntimeError outside of ``async with``; nothing is started then.
        """
        if not (isinstance(factory, type) and issubclass(factory, Server)):
            check_factory("factory", factory)
        if mailbox is not UNBOUNDED:
            check_kind(SpecError, "mailbox", mailbox, Mailbox)
        if self.closed:
            raise RuntimeError("the System is not running; use it inside 'async with System() as system'")
        if name is not None:
            self.check_name(name)
        self.ids += 1
        pid = Pid(self.ids, name or getattr(factory, "__name__", "") or type(factory).__name__)
        process = Process(self, pid, factory, name, link or self.root)
        if mailbox.maxsize is not None:
            process.bound = mailbox
        self.table[pid] = process
        if name is not None:
            self.names[name] = process
        if not self.plain:
            self.emit("spawn", self.here(), pid, 0, name)
        # Without an init of its own it can be idle before it ever awaits; its task is then made by its first message.
        if self.plain and self.direct and getattr(factory, "init", None) is Server.init:
            process.context = context = contextvars.copy_context()
            self.loop.call_soon(process.begin, context=context)
        else:
            process.task = self.make_task(process.run())
        if link is not None:
            self.tie(process, link)
        return pid

    async def start(
        self,
        factory: Callable[[], Server],
        *,
        name: str | None = None,
        link: Pid | None = None,
        mailbox: Mailbox = UNBOUNDED,
    ) -> Pid:
        """`spawn`, then waits until `init` is done (proc_lib:start_link). Raises Exited if it did not succeed."""
        pid = self.spawn(factory, name=name, link=link, mailbox=mailbox)
        ready: asyncio.Future[object] = self.loop.create_future()
        self.table[pid].ready = (self.here() or self.root, ready)
        result = await ready
        if isinstance(result, Failure):
            raise result.error
        return pid

    def exit(self, pid: Pid, reason: object) -> None:
        """Sends an exit signal (erlang:exit/2): ``KILL`` cannot be trapped, ``NORMAL`` from another is ignored."""
        src = self.here() or self.root
        if self.hook is not None:
            checkpoint("exit")
        process = self.table.get(pid)
        if process is not None:
            self.emit("signal", src, pid, 0, reason)
            self.route(src, pid, self.land_exit, process, src, reason, False)

    async def stop(self, to: Dest, reason: object = NORMAL, *, timeout: float | None = None) -> None:
        """Asks the server to end after what is already in its mailbox; `terminate` runs (gen_server:stop/3).

        Raises NoProc, or TimeoutError after `timeout` seconds (it may still stop later).
        """
        process = self.find(to)
        if process is None:
            raise NoProc(to)
        self.post(STOP, process, reason, None)
        await self.wait(process.pid, timeout=timeout)

    async def wait(self, pid: Pid, *, timeout: float | None = None) -> object:
        """Waits for the end of a process from anywhere and returns the reason (``NOPROC`` if it was gone).

        Raises TimeoutError after `timeout` seconds.
        """
        process = self.table.get(pid)
        if process is None:
            return NOPROC
        future: asyncio.Future[object] = self.loop.create_future()
        entry = (self.here() or self.root, future)
        process.watchers = [*(process.watchers or ()), entry]
        timer = None if timeout is None else self.loop.call_later(timeout, settle, future, _TOO_LATE)
        try:
            reason = await future
        finally:
            if timer is not None:
                timer.cancel()
            if process.watchers and entry in process.watchers:
                process.watchers.remove(entry)
        if reason is _TOO_LATE:
            raise TimeoutError(f"{pid!r} has not ended within {timeout} s")
        return reason

    # -- messages -------------------------------------------------------------------------------------------------

    def send(self, to: Dest, msg: object) -> None:
        """A plain message for `handle_info`. To a dead pid: silently lost (counted). To an unknown name: NoProc.

        Raises MailboxFull when a bounded mailbox rejects.
        """
        process = self.table.get(to) if type(to) is Pid else self.find(to)
        if process is None:
            if type(to) is not Pid:
                raise NoProc(to)
            self.lost(to, msg)
        elif self.plain and process.bound is None:
            counters = self.counters
            counters.sent = n = counters.sent + 1
            mailbox = process.mailbox
            if mailbox is EMPTY:
                mailbox = process.open_mailbox()
            mailbox.append((INFO, msg, None, n))
            if process.waiter is not None:
                process.wake()
        else:
            self.post(INFO, process, msg, None)

    def cast(self, to: Dest, msg: object) -> None:
        """A message for `handle_cast`. Always silent: dead pid, unknown name and full mailbox are only counted."""
        process = self.table.get(to) if type(to) is Pid else self.find(to)
        if process is None:
            self.lost(to, msg)
        elif self.plain and process.bound is None:
            counters = self.counters
            counters.sent = n = counters.sent + 1
            mailbox = process.mailbox
            if mailbox is EMPTY:
                mailbox = process.open_mailbox()
            mailbox.append((CAST, msg, None, n))
            if process.waiter is not None:
                process.wake()
        else:
            try:
                self.post(CAST, process, msg, None)
            except MailboxFull:
                self.counters.sent += 1
                self.counters.dropped += 1
                self.emit("drop", self.here(), process.pid, self.counters.sent, msg)

    async def offer(self, to: Dest, msg: object) -> None:
        """Like `send`, but waits for a place in a bounded mailbox whose policy is BLOCK."""
        process = self.find(to)
        if process is None:
            if type(to) is not Pid:
                raise NoProc(to)
            self.lost(to, msg)
            return
        await self.place(process)
        self.post(INFO, process, msg, None)

    @overload
    async def call(self, to: Dest, req: Call[R], *, timeout: float | EllipsisType | None = ...) -> R: ...

    @overload
    async def call(self, to: Dest, req: object, *, timeout: float | EllipsisType | None = ...) -> Any: ...

    async def call(self, to: Dest, req: object, *, timeout: float | EllipsisType | None = ...) -> Any:
        """Asks and waits for the answer, `timeout` seconds (the settings' 5.0; None: for ever).

        Raises NoProc, Exited, CallTimeout (the work may still be done), CallingSelf, MailboxFull. The caller's
        mailbox is not touched, and a late answer is dropped (gen_server:call of OTP 24 and newer).
        """
        process = self.table.get(to) if type(to) is Pid else self.find(to)
        if process is None:
            raise NoProc(to)
        me = current.get()
        if me is process:
            raise CallingSelf(to)
        if process.bound is not None:
            await self.place(process)
        loop = self.loop
        future: asyncio.Future[object] = loop.create_future()
        frm = From(process, self.root if me is None else me.pid, future)
        if self.plain and process.bound is None:
            counters = self.counters
            counters.sent = frm.n = counters.sent + 1
            mailbox = process.mailbox
            if mailbox is EMPTY:
                mailbox = process.open_mailbox()
            mailbox.append((CALL, req, frm, frm.n))
            if process.waiter is not None:
                process.wake()
        else:
            self.post(CALL, process, req, frm)
        if process.callers is NOTHING:
            process.callers = {}
        process.callers[frm] = None
        deadline = self.set_deadline(frm, self.settings.call_timeout if timeout is ... else timeout)
        try:
            answer = await future
        except asyncio.CancelledError:
            process.callers.pop(frm, None)
            raise
        finally:
            if deadline is not None:
                deadline.cancel()
        if type(answer) is Failure:
            raise answer.error
        return answer

    def set_deadline(self, frm: From, seconds: float | None) -> asyncio.TimerHandle | None:
        """Bounds a call; the timer is returned where it must be cancelled."""
        if seconds is None:
            return None
        if self.plain:
            self.deadlines.add(frm, seconds)
            return None
        return self.loop.call_later(seconds, frm.expire, seconds)

    def send_after(self, delay: float, to: Dest, msg: object) -> Timer:
        """Sends `msg` after `delay` seconds. The timer dies with a pid, not with a name. Raises ValueError."""
        if not delay >= 0:
            raise ValueError(f"delay: expected seconds >= 0, got {delay!r}")
        process = self.table.get(to) if type(to) is Pid else None
        timer = Timer(self.here() or self.root, process)
        if type(to) is Pid and process is None:
            return timer
        if process is not None:
            process.timers = process.timers if process.timers is not None else {}
            process.timers[timer] = None
        timer.handle = self.loop.call_later(delay, self.fire, timer, to, msg, context=self.outside)
        return timer

    def fire(self, timer: Timer, to: Dest, msg: object) -> None:
        """A timer is due."""
        timer.handle = None
        if timer.process is not None and timer.process.timers is not None:
            timer.process.timers.pop(timer, None)
        process = self.find(to)
        if process is None:
            self.lost(to, msg)
            return
        try:
            self.post(INFO, process, msg, None, (timer, process.pid))
        except MailboxFull:
            self.counters.sent += 1
            self.counters.dropped += 1

    # -- the end --------------------------------------------------------------------------------------------------

    async def shutdown(self) -> None:
        """Stops what has no parent, last started first, then everything else; cancels and counts orphan tasks."""
        if self.closed:
            return
        for process in [p for p in reversed(self.table.values()) if p.parent is self.root]:
            await self.put_down(process)
        for process in list(reversed(self.table.values())):
            self.exit(process.pid, KILL)
            await self.wait(process.pid)
        self.closed = True
        await self.sweep()

    async def put_down(self, process: Process) -> None:
        """One orderly stop: shutdown, patience, kill."""
        server = process.server
        patience = server.patience if server is not None and server.patience else self.settings.shutdown_timeout
        self.exit(process.pid, SHUTDOWN)
        try:
            await self.wait(process.pid, timeout=None if patience == float("inf") else patience)
        except TimeoutError:
            self.exit(process.pid, KILL)
            await self.wait(process.pid)

    async def sweep(self) -> None:
        """Waits for the tasks of ended processes, and cancels what processes left running beside themselves."""
        rest: list[asyncio.Task[Any]] = []
        for task in asyncio.all_tasks(self.loop):
            frame = getattr(task.get_coro(), "cr_frame", None)
            runs = frame.f_locals["self"] if frame is not None and frame.f_code is Process.run.__code__ else None
            owner = runs or owner_of(task)
            if owner is None or owner.system is not self or task is asyncio.current_task():
                continue
            if runs is None:
                self.counters.orphans += 1
                task.cancel()
            rest.append(task)
        for _ in range(self.settings.cancel_attempts):
            if rest:
                await asyncio.wait(rest, timeout=self.settings.kill_interval)
                rest = [task for task in rest if not task.done()]
                for task in rest:
                    task.cancel()


def owner_of(task: asyncio.Task[Any]) -> Process | None:
    """The process in whose context a task was made. Task.get_context is 3.12+; the collector knows it everywhere."""
    for held in gc.get_referents(task):
        if isinstance(held, contextvars.Context):
            return held.get(current)
    return None
