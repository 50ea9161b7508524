"""Where the processor's time of a scan goes: by stage, and by rule."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass, field

from otplint.findings import RuleTime, Timing

STAGES = ("walk", "triage", "index", "kinship", "facts", "rules", "filter", "output")
"""In the order of the way of the data."""
_NOTHING: contextlib.AbstractContextManager[None] = contextlib.nullcontext()


@dataclass(eq=False)
class Clock:
    """Seconds of the processor, or nothing at all where nobody asked.

    Stages may be nested: what an inner one takes is not the outer one's. A clock measures in one thread; what other
    processes take comes back with their results and is added.
    """

    running: bool = True
    stages: dict[str, float] = field(default_factory=dict)
    rules: dict[str, list[float]] = field(default_factory=dict)
    """Seconds, calls and findings, by code."""
    _inner: list[float] = field(default_factory=list)

    def fresh(self) -> Clock:
        """A clock for a part of the work, to be added afterwards."""
        return Clock() if self.running else self

    def add(self, other: Clock) -> None:
        """Take over what a part of the work took."""
        if not self.running:
            return
        for name, seconds in other.stages.items():
            self.stages[name] = self.stages.get(name, 0.0) + seconds
        for code, numbers in other.rules.items():
            self.rules[code] = [a + b for a, b in zip(self.rules.get(code, (0.0, 0, 0)), numbers, strict=True)]

    def stage(self, name: str) -> contextlib.AbstractContextManager[None]:
        """Measures a stage; one without a name counts for none, nor for the one around it."""
        return self._measured(name) if self.running else _NOTHING

    def rule(self, code: str, findings: Sized) -> contextlib.AbstractContextManager[None]:
        """Measures one question to a rule; what it adds to ``findings`` is counted."""
        return self._asked(code, findings) if self.running else _NOTHING

    def timing(self, rules: Iterable[tuple[str, str]]) -> Timing:
        """What was measured so far, of these rules by code and name, in any order: also of those that had no work."""
        named = [(code, name, *self.rules.get(code, (0.0, 0, 0))) for code, name in rules]
        return Timing(
            tuple((stage, self.stages.get(stage, 0.0)) for stage in STAGES),
            tuple(RuleTime(code, name, seconds, int(calls), int(found)) for code, name, seconds, calls, found in named),
        )

    @contextlib.contextmanager
    def _measured(self, name: str) -> Iterator[None]:
        self._inner.append(0.0)
        start = time.thread_time()
        try:
            yield
        finally:
            whole = time.thread_time() - start
            own = whole - self._inner.pop()
            if self._inner:
                self._inner[-1] += whole
            if name:
                self.stages[name] = self.stages.get(name, 0.0) + own

    @contextlib.contextmanager
    def _asked(self, code: str, findings: Sized) -> Iterator[None]:
        before = len(findings)
        start = time.thread_time()
        try:
            with self._measured("rules"):
                yield
        finally:
            numbers = (time.thread_time() - start, 1, len(findings) - before)
            self.rules[code] = [a + b for a, b in zip(self.rules.get(code, (0.0, 0, 0)), numbers, strict=True)]


OFF = Clock(running=False)
"""Measures nothing."""
