"""The lower half of System: tables, routing, names, monitors, links, and what the end of a process sets off."""

from __future__ import annotations

import asyncio
import contextvars
import copy as copying
import functools
from collections import deque
from collections.abc import Callable
from typing import Any

from otplint.runtime.checks import check_name
from otplint.runtime.counters import Counters, ProcessInfo
from otplint.runtime.deadlines import Deadlines
from otplint.runtime.errors import AlreadyRegistered, Exited, MailboxFull, NoProc, NotInProcess, SpecError
from otplint.runtime.messages import Down, Event, Exit, Overflow, Pid, Ref
from otplint.runtime.process import (
    CALL,
    CAST,
    EMPTY,
    INFO,
    NOTHING,
    SIGNAL,
    STOP,
    Failure,
    From,
    Item,
    Process,
    checkpoint,
    current,
    logger,
)
from otplint.runtime.reasons import KILL, KILLED, NOPROC, NORMAL
from otplint.runtime.settings import Settings

__all__ = ["Dest", "Watching"]

Dest = Pid | str
"""A pid, or a registered name (looked up anew for each message)."""
_KINDS = {INFO: "send", CAST: "cast", CALL: "call", SIGNAL: "signal", STOP: "stop"}


class Watching:
    """Who knows whom. Signals from A to B arrive in order; under DetLoop each arrival is a step of its own."""

    def __init__(self, settings: Settings, trace: Callable[[Event], None] | None, copy: bool) -> None:
        self.settings = settings
        self.counters = Counters()
        self.table: dict[Pid, Process] = {}
        self.names: dict[str, Process] = {}
        self.root = Pid(0, "outside")
        self.ids = 0
        self.copy = copy
        self.closed = True
        self.outside = contextvars.Context()
        self.dying: deque[tuple[Process, object]] = deque()
        self.burying = False
        self.started_at = 0.0
        self.batch = settings.batch
        self.deferred: Callable[..., None] | None = None
        self._trace = trace
        self._hook: Callable[[Process, str], None] | None = None
        self.plain = False
        self.direct = False

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Binds to the running loop; DetLoop (it has `post`) gets every signal as a step of its own."""
        if not self.closed or self.ids:
            raise RuntimeError("a System is used once; make a new one")
        self.loop = loop
        # asyncio's own create_task only looks for a factory before it does the same; a spawn is a fifth faster without.
        usual = getattr(type(loop), "create_task", None) is asyncio.BaseEventLoop.create_task
        self.direct = usual and loop.get_task_factory() is None
        self.make_task = functools.partial(asyncio.Task, loop=loop) if self.direct else loop.create_task
        self.deadlines = Deadlines(loop, self.outside)
        self.closed = False
        self.started_at = loop.time()
        self.deferred = getattr(loop, "post", None)
        if self.deferred is not None:
            self.batch = 1
        self.choose_path()

    def act_at_once(self) -> None:
        """Production's way, also under DetLoop: signals arrive inline and messages are handled in batches."""
        self.deferred = None
        self.batch = self.settings.batch
        self.choose_path()

    def choose_path(self) -> None:
        """`plain` is the fast path: nobody looks, nothing is deferred, copied or crash-tested."""
        self.plain = self._trace is None and self._hook is None and self.deferred is None and not self.copy

    @property
    def trace(self) -> Callable[[Event], None] | None:
        """Called with every Event; None switches tracing off."""
        return self._trace

    @trace.setter
    def trace(self, trace: Callable[[Event], None] | None) -> None:
        self._trace = trace
        self.choose_path()

    @property
    def hook(self) -> Callable[[Process, str], None] | None:
        """Called at each effect of a process (`testing.crash_points`)."""
        return self._hook

    @hook.setter
    def hook(self, hook: Callable[[Process, str], None] | None) -> None:
        self._hook = hook
        self.choose_path()

    def emit(self, kind: str, src: Pid | None, dst: Pid | None, n: int, detail: object) -> None:
        """One line of the trace, if anybody reads it."""
        if self._trace is not None:
            self._trace(Event(self.loop.time() - self.started_at, kind, src, dst, n, detail))

    def here(self) -> Pid | None:
        """The pid whose code is running."""
        process = current.get()
        return process.pid if process is not None and process.system is self else None

    def me(self, what: str) -> Process:
        """The process whose code is running. Raises NotInProcess."""
        process = current.get()
        if process is None or process.system is not self:
            raise NotInProcess(f"{what} belongs to a process; use it inside a Server's handler")
        return process

    def route(self, src: object, dst: object, land: Callable[..., None], *args: object) -> None:
        """Lets a signal arrive: now, or as a step of its own on the channel from `src` to `dst`."""
        if self.deferred is None:
            land(*args)
        else:
            self.deferred((src, dst), land, *args)

    def find(self, to: Dest) -> Process | None:
        """The living process of a pid or name."""
        if isinstance(to, Pid):
            return self.table.get(to)
        return self.names.get(to)

    # -- names ----------------------------------------------------------------------------------------------------

    def check_name(self, name: str) -> None:
        """Raises AlreadyRegistered for a taken name, SpecError for what is no name."""
        check_name(SpecError, "name", name)
        taken = self.names.get(name)
        if taken is not None:
            raise AlreadyRegistered(f"name {name!r} belongs to {taken.pid!r}")

    def register(self, name: str, pid: Pid) -> None:
        """Gives a living process a name until it dies (erlang:register/2). Raises AlreadyRegistered, NoProc."""
        self.check_name(name)
        process = self.table.get(pid)
        if process is None:
            raise NoProc(pid)
        if process.name is not None:
            raise AlreadyRegistered(f"{pid!r} is already registered as {process.name!r}")
        process.name = name
        self.names[name] = process
        self.emit("register", self.here(), pid, 0, name)

    def unregister(self, name: str) -> None:
        """Takes the name away. Raises NoProc if nobody has it."""
        process = self.names.pop(name, None)
        if process is None:
            raise NoProc(name)
        process.name = None

    def whereis(self, name: str) -> Pid | None:
        """Who has the name now. A hint: it may be dead when you use it; send to the name instead."""
        process = self.names.get(name)
        return None if process is None else process.pid

    def alive(self, pid: Pid) -> bool:
        """Whether the process lives now. A hint, never a guarantee: it may die before your next message arrives."""
        return pid in self.table

    # -- messages on their way ------------------------------------------------------------------------------------

    def post(self, kind: int, process: Process, msg: object, frm: From | None, channel: object = None) -> None:
        """Sends with everything on: bounds, copies, trace, crash points, deferral. Raises MailboxFull."""
        src = self.here() or self.root
        if self.hook is not None:
            checkpoint(_KINDS[kind])
        bound = process.bound
        if bound is not None and kind in (INFO, CAST, CALL):
            assert bound.maxsize is not None
            full = len(process.mailbox) + process.incoming >= bound.maxsize
            if full and bound.overflow in (Overflow.REJECT, Overflow.BLOCK):
                raise MailboxFull(process.pid, bound.maxsize)
            process.incoming += 1
        self.counters.sent = n = self.counters.sent + 1
        if frm is not None:
            frm.n = n
        if self.copy:
            msg = copying.deepcopy(msg)
        self.emit(_KINDS[kind], src, process.pid, n, msg)
        self.route(*(channel or (src, process.pid)), self.land, process, (kind, msg, frm, n))  # type: ignore[misc]

    def land(self, process: Process, item: Item) -> None:
        """A message arrives at the mailbox."""
        kind, msg, frm, n = item
        bound = process.bound
        if bound is not None and kind in (INFO, CAST, CALL):
            process.incoming -= 1
        if process.dead:
            self.counters.dead_letters += 1
            self.emit("dead_letter", None, process.pid, n, msg)
            return
        if bound is not None and bound.maxsize is not None and kind in (INFO, CAST, CALL):
            newest = bound.overflow is Overflow.DROP_NEWEST
            if len(process.mailbox) >= bound.maxsize and (newest or not process.drop_oldest()):
                process.refuse(msg, frm, n)
                return
        (process.mailbox if process.mailbox is not EMPTY else process.open_mailbox()).append(item)
        process.wake()

    async def place(self, process: Process) -> None:
        """Waits until a bounded mailbox with policy BLOCK has room. Raises NoProc if the process dies meanwhile."""
        bound = process.bound
        while bound is not None and bound.overflow is Overflow.BLOCK and not process.dead:
            assert bound.maxsize is not None
            if len(process.mailbox) + process.incoming < bound.maxsize:
                return
            process.room = process.room if process.room is not None else deque()
            waiter: asyncio.Future[None] = self.loop.create_future()
            process.room.append(waiter)
            await waiter
        if process.dead:
            raise NoProc(process.pid)

    def lost(self, to: Dest, msg: object) -> None:
        """A message to nobody."""
        self.counters.sent += 1
        self.counters.dead_letters += 1
        if not self.plain:
            checkpoint("send")
            self.emit("dead_letter", self.here(), to if isinstance(to, Pid) else None, self.counters.sent, msg)

    def unexpected(self, pid: Pid, msg: object) -> None:
        """Counts and logs a message that a server did not know (Elixir's default handle_info)."""
        self.counters.unexpected += 1
        self.emit("unexpected", None, pid, 0, msg)
        logger.warning("%r got an unexpected message: %r", pid, msg)

    # -- monitors and links ---------------------------------------------------------------------------------------

    def monitor(self, target: Dest) -> Ref:
        """Watches a process: exactly one Down comes, at its end or at once if it is gone (erlang:monitor/2).

        A name is looked up once. Each call is a new, independent monitor. Raises NotInProcess.
        """
        me = self.me("monitor()")
        process = self.find(target)
        self.ids += 1
        ref = Ref(self.ids, me.pid, target if process is None else process.pid)
        if me.monitors is NOTHING:
            me.monitors = {}
        me.monitors[ref] = process
        self.emit("monitor", me.pid, None if process is None else process.pid, 0, ref)
        if process is None:
            self.route(target, me.pid, self.land_down, me, ref, NOPROC)
        else:
            if process.monitored_by is NOTHING:
                process.monitored_by = {}
            process.monitored_by[ref] = me
        return ref

    def demonitor(self, ref: Ref, *, flush: bool = False) -> bool:
        """Ends a monitor. True: found, no Down will come. False: it fired; a Down may be queued unless `flush`.

        It is erlang:demonitor/2 with ``[info]`` always on. After a Down it does nothing and needs no calling.
        Raises NotInProcess, and ValueError for somebody else's ref.
        """
        me = self.me("demonitor()")
        if ref.watcher is not me.pid:
            raise ValueError(f"ref: only {ref.watcher!r} can release {ref!r}")
        found = ref in me.monitors
        process = me.monitors.pop(ref, None)
        if process is not None:
            process.monitored_by.pop(ref, None)
        if flush and not found:
            for index, (_, msg, _, n) in enumerate(me.mailbox):
                if type(msg) is Down and msg.ref is ref:
                    del me.mailbox[index]
                    self.counters.dropped += 1
                    self.emit("drop", None, me.pid, n, msg)
                    break
        self.emit("demonitor", me.pid, None if process is None else process.pid, 0, ref)
        return found

    def link(self, pid: Pid) -> None:
        """Ties the current process to another: one's abnormal end ends the other (erlang:link/1).

        Linking to a dead pid brings an exit signal ``NOPROC``. Raises NotInProcess.
        """
        me = self.me("link()")
        self.emit("link", me.pid, pid, 0, None)
        self.tie(me, pid)

    def tie(self, process: Process, pid: Pid) -> None:
        """`link` for any process."""
        other = self.table.get(pid)
        if other is process:
            return
        if other is None:
            self.route(pid, process.pid, self.land_exit, process, pid, NOPROC, False)
        else:
            process.links = process.links or {}
            other.links = other.links or {}
            process.links[pid] = other
            other.links[process.pid] = process

    def unlink(self, pid: Pid) -> None:
        """Undoes `link`; an exit signal already in the mailbox stays there. Raises NotInProcess."""
        me = self.me("unlink()")
        self.emit("unlink", me.pid, pid, 0, None)
        other = me.links.pop(pid, None)
        if other is not None:
            other.links.pop(me.pid, None)

    def land_exit(self, process: Process, src: Pid, reason: object, linked: bool) -> None:
        """An exit signal arrives. One that came through a link counts only if the link is still there."""
        if process.dead or (linked and process.links.pop(src, None) is None):
            return
        if reason is KILL and not linked:
            process.end(KILLED)
        elif process.server is not None and process.server.trap_exit:
            self.drop_in(process, src, Exit(src, reason), "exit")
        elif reason is not NORMAL or src is process.pid:
            process.end(reason)

    def land_down(self, process: Process, ref: Ref, reason: object) -> None:
        """A DOWN arrives; the monitor is gone before anybody reads it, and one released meanwhile is dropped."""
        if not process.dead and ref in process.monitors:
            del process.monitors[ref]
            src = ref.target if isinstance(ref.target, Pid) else None
            self.drop_in(process, src, Down(ref, ref.target, reason), "down")

    def drop_in(self, process: Process, src: Pid | None, msg: object, kind: str) -> None:
        """Puts a Down or Exit into a mailbox, whatever its bound."""
        self.counters.sent = n = self.counters.sent + 1
        self.emit(kind, src, process.pid, n, msg)
        (process.mailbox if process.mailbox is not EMPTY else process.open_mailbox()).append((SIGNAL, msg, None, n))
        process.wake()

    # -- beginning and end of a process ---------------------------------------------------------------------------

    def announce(self, process: Process) -> None:
        """`init` succeeded."""
        self.emit("init", None, process.pid, 0, None)
        if process.ready is not None:
            (waiter, future), process.ready = process.ready, None
            self.route(process.pid, waiter, settle, future, process.pid)

    def crashed(self, process: Process, error: Exception) -> None:
        """A callback raised."""
        self.counters.crashes += 1
        self.emit("crash", None, process.pid, 0, error)
        logger.error("%r crashed: %r", process.pid, error)

    def finish(self, process: Process, reason: object) -> None:
        """The process is dead: out of the tables first (D8), then everybody is told. Long chains do not recurse."""
        process.dead = True
        process.waiter = None
        self.table.pop(process.pid, None)
        if process.name is not None:
            self.names.pop(process.name, None)
        self.emit("end", None, process.pid, 0, reason)
        self.dying.append((process, reason))
        if not self.burying:
            self.burying = True
            try:
                while self.dying:
                    self.bury(*self.dying.popleft())
            finally:
                self.burying = False

    def bury(self, process: Process, reason: object) -> None:
        """Timers, monitors, links, callers, waiters and the mailbox of a dead process."""
        pid = process.pid
        for timer in list(process.timers or ()):
            timer.cancel()
        for ref, target in process.monitors.items():
            if target is not None:
                target.monitored_by.pop(ref, None)
        process.monitors.clear()
        for _, msg, _, n in process.mailbox:
            self.counters.dead_letters += 1
            self.emit("dead_letter", None, pid, n, msg)
        process.mailbox.clear()
        for waiter in process.room or ():
            settle(waiter, None)
        links, watched, callers = process.links, process.monitored_by, process.callers
        process.links = process.monitored_by = process.callers = NOTHING
        for other_pid, other in links.items():
            self.route(pid, other_pid, self.land_exit, other, pid, reason, True)
        for ref, watcher in watched.items():
            self.route(pid, watcher.pid, self.land_down, watcher, ref, reason)
        for frm in callers:
            self.route(pid, frm.caller, frm.land_failure, Exited(pid, reason))
        if process.ready is not None:
            starter, future = process.ready
            self.route(pid, starter, settle, future, Failure(Exited(pid, reason)))
        for waiter_pid, future in process.watchers or ():
            self.route(pid, waiter_pid, settle, future, reason)
        process.watchers = None

    def info(self, pid: Pid) -> ProcessInfo:
        """A picture of a living process. Raises NoProc."""
        process = self.table.get(pid)
        if process is None:
            raise NoProc(pid)
        idle = process.waiter is not None
        status = "exiting" if process.exiting is not None else "waiting" if idle else "running"
        return ProcessInfo(
            pid=pid,
            name=process.name,
            status="starting" if process.server is None else status,
            mailbox=len(process.mailbox),
            high_water=max(process.high_water, len(process.mailbox)),
            links=tuple(process.links),
            monitors=tuple(process.monitors),
            monitored_by=tuple(process.monitored_by),
            callers=len(process.callers),
            timers=len(process.timers or ()),
            restarts=process.restarts,
        )

    def processes(self) -> tuple[Pid, ...]:
        """Every living process, oldest first."""
        return tuple(self.table)


def settle(future: asyncio.Future[Any], value: object) -> None:
    """Gives a waiter its value unless it has gone."""
    if not future.done():
        future.set_result(value)
