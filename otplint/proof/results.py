"""What a proof says: plain data, which is shown without the runtime that it was measured on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otplint.runtime.testing import Run

Observed = dict[str, Any]
"""What a program observed, by name."""


@dataclass(frozen=True)
class Shown:
    """What one program showed."""

    observed: Observed
    """The observables of the most telling run, floats rounded to thousandths."""
    harmful: int
    """Runs that showed the harm."""
    runs: int
    how: str
    """``1 schedule``, ``exhausted over N schedules``, ``sampled over N schedules`` or ``N crash points``."""
    exhausted: bool = False
    """Whether these are all schedules that there are."""
    schedule: tuple[int, ...] | None = None
    """That of the smallest harmful run."""
    error: str = ""
    """What a scenario raised, or what was wrong with its observables; such a run proves nothing."""
    worst: Run[Observed] | None = None
    """The smallest harmful run; none where the proof was read from a record."""


@dataclass(frozen=True)
class ItemShown:
    """One item of a system's proof: its value before and after the repairs."""

    code: str
    name: str
    before: object
    after: object
    problem: str
    """Why it does not hold; empty where it does."""


@dataclass(frozen=True)
class Proof:
    """The verdict on one rule, or on a system before and after its repairs."""

    code: str
    name: str
    claim: str
    bad: Shown
    good: Shown
    works: bool
    """The mechanism was at work in the good program."""
    same_construct: bool
    """The bad program holds what the rule reports, and the good one does not."""
    causal: bool | None
    """Whether the repair of the reported span alone makes the harm vanish; none where no repair fits one span."""
    seconds: float | None
    """Processor time; none where the proof was read from a record."""
    items: tuple[ItemShown, ...] = ()

    @property
    def problems(self) -> list[str]:
        """Why the proof does not hold, a sentence each; empty where it does."""
        found = [f"{name}: {shown.error}" for name, shown in (("bad", self.bad), ("good", self.good)) if shown.error]
        found += [f"{item.name}: {item.problem}" for item in self.items if item.problem]
        if not self.items and not self.bad.error and not self.bad.harmful:
            found.append("the bad program does no harm")
        if not self.items and not self.good.error and self.good.harmful:
            found.append("the good program does harm")
        if not self.good.error and not self.works:
            found.append("the good program does not show the mechanism at work")
        if self.causal is False:
            found.append("the repair of the reported span leaves the harm")
        return found

    @property
    def holds(self) -> bool:
        """True where bad does harm and good does not."""
        return not self.problems

    @property
    def exhausted(self) -> bool:
        """Whether all schedules of both programs were tried."""
        return self.bad.exhausted and self.good.exhausted
