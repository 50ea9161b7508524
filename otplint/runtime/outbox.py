"""Outbox: a bounded first-in-first-out buffer that forgets a message only after it was delivered."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from otplint.runtime.checks import check_kind, check_whole
from otplint.runtime.errors import OutboxFull, SettingsError
from otplint.runtime.messages import Overflow
from otplint.runtime.settings import Settings

__all__ = ["Outbox"]

T = TypeVar("T")


class Outbox(Generic[T]):
    """Holds at most `maxsize` messages. ``accepted = delivered + dropped_oldest + len(outbox)`` at rest.

    Raises SettingsError for a size below 1 or an unknown policy.
    """

    def __init__(self, *, maxsize: int = 100, overflow: Overflow = Overflow.REJECT) -> None:
        check_whole(SettingsError, "Outbox.maxsize", maxsize, 1)
        check_kind(SettingsError, "Outbox.overflow", overflow, Overflow)
        self.maxsize = maxsize
        self.overflow = overflow
        self.accepted = 0
        self.delivered = 0
        self.dropped = 0
        """Messages dropped by the policy, accepted ones (oldest) and new ones."""
        self._items: deque[T] = deque()
        self._draining = False
        self._room: deque[asyncio.Future[None]] = deque()

    @classmethod
    def from_settings(cls, settings: Settings, *, overflow: Overflow = Overflow.REJECT) -> Outbox[T]:
        """One of the settings' size."""
        return cls(maxsize=settings.outbox_size, overflow=overflow)

    def __len__(self) -> int:
        return len(self._items)

    def offer(self, msg: T) -> bool:
        """Takes `msg`; False if the policy dropped it. Raises OutboxFull (REJECT and, as it cannot wait, BLOCK)."""
        if len(self._items) >= self.maxsize:
            # The first message may be on its way out just now; the one after it is then the oldest to drop.
            victim = 1 if self._draining else 0
            if self.overflow in (Overflow.REJECT, Overflow.BLOCK):
                raise OutboxFull(f"the outbox holds its {self.maxsize} messages")
            self.dropped += 1
            if self.overflow is Overflow.DROP_NEWEST or len(self._items) <= victim:
                return False
            del self._items[victim]
        self._items.append(msg)
        self.accepted += 1
        return True

    async def put(self, msg: T) -> bool:
        """Like `offer`; with BLOCK it waits for room."""
        while self.overflow is Overflow.BLOCK and len(self._items) >= self.maxsize:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._room.append(waiter)
            await waiter
        return self.offer(msg)

    async def drain(self, deliver: Callable[[T], Awaitable[object]]) -> int:
        """Delivers in order and returns how many. A message leaves only when its `deliver` has returned.

        The first error stops the drain and is raised; that message stays first. A drain that is already running
        is left alone (0). Deliver by a call, which tells whether the message was handled; a send does not.
        """
        if self._draining:
            return 0
        self._draining = True
        count = 0
        try:
            while self._items:
                await deliver(self._items[0])
                self._items.popleft()
                self.delivered += 1
                count += 1
                self._wake()
        finally:
            self._draining = False
        return count

    def _wake(self) -> None:
        while self._room:
            waiter = self._room.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
