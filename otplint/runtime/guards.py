"""Refuses real time, threads and sockets while a DetLoop runs, because a schedule with them cannot be repeated."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from otplint.runtime.detloop import refuse

__all__ = ["refusing"]

_CLOCKS = ("time", "monotonic", "perf_counter")
# Bookkeeping that shows in no schedule: log records, test tools, the standard library's own waiting.
_MAY_READ_CLOCKS = ("logging", "asyncio", "threading", "queue", "concurrent", "hypothesis", "_pytest", "coverage")


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """Within, this thread gets Refused for time.sleep, the clocks of `time`, starting a thread, making a socket."""
    mine = threading.get_ident()
    kept: list[tuple[Any, str, Any]] = []

    def guard(owner: Any, name: str, what: str, allowed: Callable[[str], bool]) -> None:
        real = getattr(owner, name)

        def guarded(*args: Any, **options: Any) -> Any:
            if threading.get_ident() == mine and not allowed(sys._getframe(1).f_globals.get("__name__", "")):
                refuse(what)
            return real(*args, **options)

        kept.append((owner, name, real))
        setattr(owner, name, guarded)

    try:
        guard(time, "sleep", "time.sleep()", lambda _caller: False)
        for clock in _CLOCKS:
            guard(time, clock, f"time.{clock}()", lambda caller: caller.partition(".")[0] in _MAY_READ_CLOCKS)
        guard(threading.Thread, "start", "starting a thread", lambda _caller: False)
        guard(socket.socket, "__init__", "a socket", lambda _caller: False)
        yield
    finally:
        for owner, name, real in reversed(kept):
            setattr(owner, name, real)
