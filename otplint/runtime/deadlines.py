"""The deadlines of calls, in queues instead of one loop timer each: calls with the same timeout expire in order."""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otplint.runtime.process import From


class Deadlines:
    """One queue and at most one loop timer per length of timeout.

    An answered call leaves the queue when it comes to the front, or when the queue has doubled since it was last
    swept, so that a single slow call does not keep the many quick ones behind it in memory.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, context: contextvars.Context) -> None:
        self.loop = loop
        self.context = context
        self.queues: dict[float, deque[tuple[float, From]]] = {}
        self.limits: dict[float, int] = {}

    def add(self, frm: From, seconds: float) -> None:
        """The call of `frm` may take `seconds`."""
        queue = self.queues.get(seconds)
        due = self.loop.time() + seconds
        if queue is None:
            self.queues[seconds] = deque(((due, frm),))
            self.limits[seconds] = 64
            self.loop.call_at(due, self.expire, seconds, context=self.context)
            return
        queue.append((due, frm))
        if len(queue) > self.limits[seconds]:
            waiting = [entry for entry in queue if not entry[1].future.done()]
            queue.clear()
            queue.extend(waiting)
            self.limits[seconds] = 2 * len(waiting) + 64

    def expire(self, seconds: float) -> None:
        """Ends what is overdue and sets the timer for the next that still waits."""
        queue = self.queues[seconds]
        now = self.loop.time()
        while queue:
            due, frm = queue[0]
            if not frm.future.done():
                if due > now:
                    self.loop.call_at(due, self.expire, seconds, context=self.context)
                    return
                frm.expire(seconds)
            queue.popleft()
        del self.queues[seconds], self.limits[seconds]
