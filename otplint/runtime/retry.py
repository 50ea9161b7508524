"""Retry: a bounded number of tries with growing pauses, never against an open circuit, never past a deadline."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from otplint.runtime.checks import check_seconds, check_whole
from otplint.runtime.errors import CallError, CircuitOpen, SettingsError
from otplint.runtime.settings import Settings

__all__ = ["Retry"]

T = TypeVar("T")
_NEVER_RETRIED: tuple[type[BaseException], ...] = (CircuitOpen, asyncio.CancelledError, BaseException)


class Retry:
    """`attempts` tries in all; pauses `base`, 2 `base`, 4 `base` ... up to `cap` seconds, or a random part of that.

    A call that timed out may have done its work: retry only what may be done twice, or use `call_keyed` and let the
    server remember the key. `deadline` seconds bound the whole, pauses included. `jitter_rng` is passed in so that
    a seed fixes the pauses (full jitter, "Exponential Backoff And Jitter", AWS 2015). Raises SettingsError.
    """

    def __init__(
        self,
        *,
        attempts: int = 3,
        base: float = 0.1,
        cap: float = 5.0,
        jitter_rng: random.Random | None = None,
        retry_on: tuple[type[Exception], ...] = (CallError,),
        deadline: float | None = None,
    ) -> None:
        check_whole(SettingsError, "Retry.attempts", attempts, 1)
        check_seconds(SettingsError, "Retry.base", base)
        check_seconds(SettingsError, "Retry.cap", cap)
        if deadline is not None:
            check_seconds(SettingsError, "Retry.deadline", deadline)
        for kind in retry_on:
            if kind in _NEVER_RETRIED:
                raise SettingsError("Retry.retry_on", f"{kind.__name__} must never be retried")
        self.attempts = attempts
        self.base = base
        self.cap = cap
        self.jitter_rng = jitter_rng
        self.retry_on = retry_on
        self.deadline = deadline

    @classmethod
    def from_settings(cls, settings: Settings, *, retry_on: tuple[type[Exception], ...] = (CallError,)) -> Retry:
        """One with the numbers of the settings."""
        return cls(
            attempts=settings.retry_attempts, base=settings.retry_base, cap=settings.retry_cap, retry_on=retry_on
        )

    def pause(self, tries: int) -> float:
        """Seconds to wait after that many tries."""
        longest = float(min(self.cap, self.base * 2.0 ** min(tries - 1, 1000)))
        return longest if self.jitter_rng is None else self.jitter_rng.uniform(0.0, longest)

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """Runs `work` until it succeeds. Raises its last error; CircuitOpen and what is not in `retry_on` at once."""
        loop = asyncio.get_running_loop()
        end = None if self.deadline is None else loop.time() + self.deadline
        tries = 0
        while True:
            tries += 1
            try:
                return await work()
            except CircuitOpen:
                raise
            except self.retry_on:
                pause = self.pause(tries)
                if tries >= self.attempts or (end is not None and loop.time() + pause > end):
                    raise
            await asyncio.sleep(pause)

    async def call_keyed(self, work: Callable[[str], Awaitable[T]], key: str) -> T:
        """Like `call`; every try carries the same idempotency key, by which the server knows a repetition."""
        return await self.call(lambda: work(key))
