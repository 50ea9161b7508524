"""Every number the runtime uses, with its default, from code or from the environment, validated."""

from __future__ import annotations

import dataclasses
import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass

from otplint.runtime.checks import check_seconds, check_whole
from otplint.runtime.errors import SettingsError

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """Times are seconds. Raises SettingsError naming the field when a value is out of range."""

    call_timeout: float = 5.0
    """How long a call waits when it says nothing itself (gen_server: 5000 ms)."""
    shutdown_timeout: float = 5.0
    """How long a worker may take to stop before it is killed (supervisor: 5000 ms)."""
    max_restarts: int = 3
    """Restart intensity of supervisors that say nothing themselves (Elixir: 3; Erlang: 1)."""
    max_seconds: float = 5.0
    """The window in which `max_restarts` are counted."""
    cancel_attempts: int = 3
    """How often a handler that swallows its cancellation is cancelled before it is abandoned (decision D1)."""
    cancel_interval: float = 2.0
    """Seconds between those attempts after an ordinary exit signal."""
    kill_interval: float = 0.05
    """Seconds between those attempts after ``KILL``."""
    batch: int = 64
    """Messages one process may handle before others get a turn (BEAM: 4000 reductions)."""
    breaker_threshold: int = 5
    """Failures in a row that open a circuit breaker made by `CircuitBreaker.from_settings`."""
    breaker_reset: float = 30.0
    """Seconds until such a breaker admits a probe."""
    breaker_probes: int = 1
    """Probes at a time in the half-open state."""
    retry_attempts: int = 3
    """Tries of `Retry.from_settings`, the first included."""
    retry_base: float = 0.1
    """Its first pause."""
    retry_cap: float = 5.0
    """Its longest pause."""
    outbox_size: int = 100
    """Messages an `Outbox.from_settings` holds."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.type == "int":
                check_whole(SettingsError, field.name, value, 0 if field.name == "max_restarts" else 1)
            else:
                check_seconds(SettingsError, field.name, value)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None, *, prefix: str = "OTPLINT_RUNTIME_") -> Settings:
        """Defaults overridden by variables such as ``OTPLINT_RUNTIME_CALL_TIMEOUT=2.5``.

        Raises SettingsError for an unknown name (with the nearest one) and for a value that is no number.
        """
        known = {field.name: field.type for field in dataclasses.fields(cls)}
        values: dict[str, float] = {}
        for variable, text in sorted((os.environ if environ is None else environ).items()):
            if not variable.startswith(prefix):
                continue
            name = variable[len(prefix) :].lower()
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"; did you mean {prefix}{near[0].upper()}?" if near else ""
                raise SettingsError(variable, f"no such setting{hint}")
            try:
                values[name] = int(text) if known[name] == "int" else float(text)
            except ValueError:
                raise SettingsError(variable, f"expected a number, got {text!r}") from None
        return cls(**values)  # type: ignore[arg-type]
