"""Child specs and supervisor options as data, checked before anything starts (supervisor.erl, check_childspecs)."""

from __future__ import annotations

import enum
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final, Literal

from otplint.runtime.checks import check_kind, check_name, check_seconds, check_whole
from otplint.runtime.errors import SpecError
from otplint.runtime.messages import UNBOUNDED, Mailbox
from otplint.runtime.server import Server, check_factory


class Restart(enum.Enum):
    """When a child that ended is started again."""

    PERMANENT = "permanent"
    """Always."""
    TRANSIENT = "transient"
    """Only after an abnormal end (not normal, shutdown, Shutdown)."""
    TEMPORARY = "temporary"
    """Never, and its spec is forgotten."""


class Strategy(enum.Enum):
    """Whom one child's restart takes along."""

    ONE_FOR_ONE = "one_for_one"
    ONE_FOR_ALL = "one_for_all"
    REST_FOR_ONE = "rest_for_one"


class AutoShutdown(enum.Enum):
    """Whether the end of significant children ends the supervisor (OTP 24)."""

    NEVER = "never"
    ANY_SIGNIFICANT = "any_significant"
    ALL_SIGNIFICANT = "all_significant"


class ChildType(enum.Enum):
    """Worker or supervisor: decides the default patience at shutdown."""

    WORKER = "worker"
    SUPERVISOR = "supervisor"


PERMANENT: Final = Restart.PERMANENT
TRANSIENT: Final = Restart.TRANSIENT
TEMPORARY: Final = Restart.TEMPORARY
ONE_FOR_ONE: Final = Strategy.ONE_FOR_ONE
ONE_FOR_ALL: Final = Strategy.ONE_FOR_ALL
REST_FOR_ONE: Final = Strategy.REST_FOR_ONE
NEVER: Final = AutoShutdown.NEVER
ANY_SIGNIFICANT: Final = AutoShutdown.ANY_SIGNIFICANT
ALL_SIGNIFICANT: Final = AutoShutdown.ALL_SIGNIFICANT
WORKER: Final = ChildType.WORKER
SUPERVISOR: Final = ChildType.SUPERVISOR


class SupervisorPlan:
    """Base of Supervisor and DynamicSupervisor: a checked plan that makes a fresh supervisor at each start."""

    __slots__ = ()

    def __call__(self) -> Server:
        """A fresh supervisor for one start."""
        raise NotImplementedError


@dataclass(frozen=True)
class ChildSpec:
    """One child as data; only `id` and `start` are needed. Raises SpecError naming the field."""

    id: Hashable
    """Its name among its siblings."""
    start: Callable[[], Server]
    """A Server class, a function that makes a Server, or a Supervisor; called anew for each start (D6)."""
    restart: Restart = PERMANENT
    shutdown: float | Literal["brutal_kill"] | None = None
    """Seconds between the shutdown signal and the kill; math.inf waits for ever; None is the settings' 5.0 for a
    worker and for ever for a supervisor."""
    type: ChildType | None = None
    """None: supervisor if `start` is one, else worker."""
    significant: bool = False
    """Its own end counts for `auto_shutdown`; only for transient and temporary children."""
    name: str | None = None
    """Registered anew at each start."""
    mailbox: Mailbox = UNBOUNDED

    def __post_init__(self) -> None:
        where = f"ChildSpec {self.id!r}"
        check_kind(SpecError, "ChildSpec.id", self.id, Hashable)
        check_factory(f"{where}.start", self.start)
        check_kind(SpecError, f"{where}.restart", self.restart, Restart)
        if self.type is not None:
            check_kind(SpecError, f"{where}.type", self.type, ChildType)
        check_kind(SpecError, f"{where}.mailbox", self.mailbox, Mailbox)
        check_kind(SpecError, f"{where}.significant", self.significant, bool)
        if self.shutdown is not None and self.shutdown != "brutal_kill":
            check_seconds(SpecError, f"{where}.shutdown", self.shutdown, finite=False)
        if self.name is not None:
            check_name(SpecError, f"{where}.name", self.name)
        if self.significant and self.restart is PERMANENT:
            raise SpecError(f"{where}.significant", "a permanent child cannot be significant")

    @property
    def kind(self) -> ChildType:
        """Worker or supervisor, decided."""
        if self.type is not None:
            return self.type
        return SUPERVISOR if isinstance(self.start, SupervisorPlan) else WORKER


def check_intensity(where: str, max_restarts: object, max_seconds: object) -> None:
    """Raises SpecError for a restart intensity that makes no sense; None means the settings' value."""
    if max_restarts is not None:
        check_whole(SpecError, f"{where}.max_restarts", max_restarts, 0)
    if max_seconds is not None:
        check_seconds(SpecError, f"{where}.max_seconds", max_seconds, positive=True)


class Intensity:
    """The restart budget: more than `max_restarts` within `max_seconds` (inclusive, loop time: D5) is too many."""

    __slots__ = ("max_restarts", "max_seconds", "times")

    def __init__(self, max_restarts: int, max_seconds: float) -> None:
        self.max_restarts = max_restarts
        self.max_seconds = max_seconds
        self.times: list[float] = []

    def allows(self, now: float) -> bool:
        """Counts one restart at `now` (seconds); False when that is one too many (supervisor.erl, add_restart/3)."""
        self.times = [time for time in self.times if now - time <= self.max_seconds]
        self.times.append(now)
        return len(self.times) <= self.max_restarts
