"""DetLoop: an asyncio loop with virtual time whose order is chosen, so that a schedule can be repeated or enumerated.

Ready callbacks wait in one queue per owner: a task, or the channel from one process to another. Each queue is first
in, first out, which is the BEAM's only promise (signals from A to B stay in order); which queue goes next is a choice.
Built on private parts of asyncio.BaseEventLoop that are the same from Python 3.10 to 3.13.
"""

# ruff: noqa: ARG001, N818 - what is refused takes the arguments of what it stands for; the names say what happened
from __future__ import annotations

import asyncio
import heapq
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar
from typing import Any, NoReturn, TypeVar

from otplint.runtime.errors import ActorError

__all__ = ["Choose", "Deadlock", "DetLoop", "Refused", "StepBudget", "first"]

T = TypeVar("T")
Choose = Callable[[int], int]
"""Asked with the number of queues that could go next (2 or more); answers which one, from 0."""

_owner: ContextVar[object] = ContextVar("otplint_owner", default="main")


class Deadlock(ActorError):
    """Nothing can run any more, no timer is set, and the scenario is not done."""


class StepBudget(ActorError):
    """More steps than allowed: a livelock, or a budget too small (`max_steps`)."""


class Refused(ActorError, RuntimeError):
    """Real time, threads and sockets have no place under virtual time: their order could not be chosen."""


def first(_width: int) -> int:
    """The plain order: whoever has waited longest."""
    return 0


class DetLoop(asyncio.BaseEventLoop):
    """One run under `choose`; `choices` and `widths` record each decision until `freeze`."""

    def __init__(self, choose: Choose = first, *, max_steps: int = 100_000) -> None:
        super().__init__()
        self.choose = choose
        self.max_steps = max_steps
        self.steps = 0
        self.choices: list[int] = []
        self.widths: list[int] = []
        self.after_step: Callable[[Context], None] | None = None
        self.describe: Callable[[], str] = str
        self._recording = True
        self._now = 0.0
        self._queues: dict[object, deque[asyncio.Handle]] = {}
        self._order: list[object] = []
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._count = 0
        self._thread = threading.get_ident()

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def freeze(self) -> None:
        """Ends the recording; what follows (the teardown) runs in plain order and is no part of the schedule."""
        self._recording = False

    def post(self, channel: object, callback: Callable[..., object], *args: object) -> None:
        """Queues the arrival of a signal on its channel."""
        self._push(channel, asyncio.Handle(callback, args, self, Context()))

    def create_task(self, coro: Generator[Any, None, T] | Coroutine[Any, Any, T], **options: Any) -> asyncio.Task[T]:
        """Each task is an owner of its own; what it schedules inherits that through the context."""
        self._count += 1
        token = _owner.set(self._count)
        try:
            return super().create_task(coro, **options)
        finally:
            _owner.reset(token)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """A timer in virtual time; equal times keep their order."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._count += 1
        heapq.heappush(self._timers, (when, self._count, timer))
        return timer

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Refused from another thread."""
        if threading.get_ident() != self._thread:
            refuse("a callback from another thread")
        return self.call_soon(callback, *args, context=context)

    # -- asyncio's own hooks --------------------------------------------------------------------------------------

    def _call_soon(self, callback: Callable[..., object], args: Any, context: Context | None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._push(handle._context.get(_owner, "main"), handle)  # type: ignore[attr-defined]
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        pass

    def _process_events(self, event_list: object) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

    def _push(self, owner: object, handle: asyncio.Handle) -> None:
        queue = self._queues.get(owner)
        if queue is None:
            self._queues[owner] = deque((handle,))
            self._order.append(owner)
        else:
            queue.append(handle)

    def _advance(self) -> None:
        """Jumps to the next timer and readies all that are due then. Raises Deadlock."""
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        if not self._timers:
            raise Deadlock("nothing can run any more and no timer is set" + self.describe())
        self._now = max(self._now, self._timers[0][0])
        while self._timers and self._timers[0][0] <= self._now:
            timer = heapq.heappop(self._timers)[2]
            if not timer.cancelled():
                self._push(timer._context.get(_owner, "main"), timer)  # type: ignore[attr-defined]

    def _run_once(self) -> None:
        while not self._order:
            if self._stopping:  # type: ignore[attr-defined]
                return
            self._advance()
        width = len(self._order)
        index = 0
        if width > 1 and self._recording:
            index = self.choose(width)
            self.choices.append(index)
            self.widths.append(width)
        owner = self._order.pop(index)
        queue = self._queues[owner]
        handle = queue.popleft()
        if queue:
            self._order.append(owner)
        else:
            del self._queues[owner]
        if handle.cancelled():
            return
        self.steps += 1
        if self.steps > self.max_steps:
            raise StepBudget(f"more than {self.max_steps} steps" + self.describe())
        handle._run()
        if self.after_step is not None:
            self.after_step(handle._context)  # type: ignore[attr-defined]


def refuse(what: str) -> NoReturn:
    """Raises Refused."""
    raise Refused(f"{what} is refused under DetLoop: its order cannot be chosen or repeated; use the loop's own time")


def _refusing(name: str) -> Callable[..., NoReturn]:
    def refused(self: DetLoop, *args: object, **options: object) -> NoReturn:
        refuse(f"{name}()")

    return refused


for _name in (
    *("run_in_executor", "add_reader", "add_writer", "add_signal_handler", "connect_read_pipe", "connect_write_pipe"),
    *("create_connection", "create_server", "create_datagram_endpoint", "create_unix_connection"),
    *("create_unix_server", "getaddrinfo", "getnameinfo", "sock_accept", "sock_connect", "sock_recv", "sock_sendall"),
    *("subprocess_exec", "subprocess_shell", "start_tls"),
):
    setattr(DetLoop, _name, _refusing(_name))
