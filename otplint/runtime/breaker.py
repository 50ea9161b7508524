"""CircuitBreaker: stops calling what keeps failing, and probes it again with a bounded number of callers."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Awaitable, Callable
from typing import TypeVar

from otplint.runtime.checks import check_seconds, check_whole
from otplint.runtime.errors import CallError, CircuitOpen, SettingsError
from otplint.runtime.settings import Settings

__all__ = ["BreakerState", "CircuitBreaker"]

T = TypeVar("T")


class BreakerState(enum.Enum):
    """CLOSED calls through, OPEN does not, HALF_OPEN lets probes through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


class CircuitBreaker:
    """Opens after `failure_threshold` failures in a row; after `reset_timeout` seconds at most `half_open_max` probes
    at a time; one success closes it, one failure opens it again.

    Only `failure` exceptions count. Time is the loop's, so it is virtual under DetLoop. Raises SettingsError.
    """

    def __init__(
        self,
        *,
        failure_threshold: int = 5,
        reset_timeout: float = 30.0,
        half_open_max: int = 1,
        failure: tuple[type[Exception], ...] = (CallError, OSError),
        clock: Callable[[], float] = _loop_time,
        name: str = "breaker",
    ) -> None:
        check_whole(SettingsError, "CircuitBreaker.failure_threshold", failure_threshold, 1)
        check_whole(SettingsError, "CircuitBreaker.half_open_max", half_open_max, 1)
        check_seconds(SettingsError, "CircuitBreaker.reset_timeout", reset_timeout)
        self.failure_threshold = failure_threshold
        self.reset_timeout = reset_timeout
        self.half_open_max = half_open_max
        self.failure = failure
        self.clock = clock
        self.name = name
        self.failures = 0
        """Failures in a row while closed."""
        self.calls = 0
        """Calls let through."""
        self.rejected = 0
        """Calls refused."""
        self._state = BreakerState.CLOSED
        self._opened_at = 0.0
        self._probes = 0
        self._era = 0

    @classmethod
    def from_settings(
        cls, settings: Settings, *, failure: tuple[type[Exception], ...] = (CallError, OSError), name: str = "breaker"
    ) -> CircuitBreaker:
        """One with the thresholds of the settings."""
        return cls(
            failure_threshold=settings.breaker_threshold,
            reset_timeout=settings.breaker_reset,
            half_open_max=settings.breaker_probes,
            failure=failure,
            name=name,
        )

    @property
    def state(self) -> BreakerState:
        """The state now; OPEN becomes HALF_OPEN by the clock."""
        if self._state is BreakerState.OPEN and self.clock() - self._opened_at >= self.reset_timeout:
            self._enter(BreakerState.HALF_OPEN)
        return self._state

    def _enter(self, state: BreakerState) -> None:
        self._state = state
        self._era += 1
        self._probes = 0
        self.failures = 0
        if state is BreakerState.OPEN:
            self._opened_at = self.clock()

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """Runs `work` if the circuit lets it. Raises CircuitOpen, and whatever `work` raises."""
        state = self.state
        if state is BreakerState.OPEN or (state is BreakerState.HALF_OPEN and self._probes >= self.half_open_max):
            self.rejected += 1
            left = self.reset_timeout - (self.clock() - self._opened_at)
            raise CircuitOpen(self.name, max(0.0, left))
        era = self._era
        self._probes += 1
        self.calls += 1
        try:
            result = await work()
        except self.failure:
            # An outcome counts only in the era it began in: a slow failure of before must not end a probe.
            if era == self._era:
                self.failures += 1
                if state is BreakerState.HALF_OPEN or self.failures >= self.failure_threshold:
                    self._enter(BreakerState.OPEN)
            raise
        else:
            if era == self._era:
                self.failures = 0
                if state is BreakerState.HALF_OPEN:
                    self._enter(BreakerState.CLOSED)
            return result
        finally:
            if era == self._era:
                self._probes -= 1
