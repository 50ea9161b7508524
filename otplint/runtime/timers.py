"""Timers that send a message later and die with the pid they are meant for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otplint.runtime.messages import Pid
    from otplint.runtime.process import Process

__all__ = ["Timer"]


class Timer:
    """What `System.send_after` returns. Cancelled by itself when the target pid dies (erlang:send_after/3)."""

    __slots__ = ("handle", "process", "sender")

    def __init__(self, sender: Pid, process: Process | None) -> None:
        self.sender = sender
        self.process = process
        self.handle: asyncio.TimerHandle | None = None

    @property
    def active(self) -> bool:
        """Whether it may still fire."""
        return self.handle is not None

    def cancel(self) -> bool:
        """Stops it; False when it had fired or was cancelled already (its message may then be in the mailbox)."""
        handle, self.handle = self.handle, None
        if self.process is not None and self.process.timers is not None:
            self.process.timers.pop(self, None)
        if handle is None:
            return False
        handle.cancel()
        return True
