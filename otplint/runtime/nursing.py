"""What both supervisors share: children, their start and stop, the restart budget, and the requests about them."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple

from otplint.runtime.childspec import SUPERVISOR, ChildSpec, ChildType, Intensity
from otplint.runtime.messages import Call, Pid
from otplint.runtime.reasons import KILL, SHUTDOWN
from otplint.runtime.server import Server


class ChildInfo(NamedTuple):
    """One line of which_children; `pid` is None for a child that is not running."""

    id: Hashable
    pid: Pid | None
    type: ChildType
    restarts: int


class ChildCounts(NamedTuple):
    """How many specs, how many of them running, and of which type."""

    specs: int
    active: int
    supervisors: int
    workers: int


@dataclass(frozen=True)
class WhichChildren(Call[tuple[ChildInfo, ...]]):
    """Who the children are, in start order."""


@dataclass(frozen=True)
class CountChildren(Call[ChildCounts]):
    """How many children there are."""


@dataclass(frozen=True)
class StartChild(Call[Pid]):
    """Start one more child."""

    spec: ChildSpec


@dataclass(frozen=True)
class TerminateChild(Call[None]):
    """Stop a child: by id (its spec stays) or, of a dynamic supervisor, by pid."""

    which: Hashable


@dataclass(frozen=True)
class RestartChild(Call[Pid]):
    """Start a stopped child again."""

    id: Hashable


@dataclass(frozen=True)
class DeleteChild(Call[None]):
    """Forget the spec of a stopped child."""

    id: Hashable


class Child:
    """A spec and what runs under it now."""

    __slots__ = ("pid", "restarts", "retrying", "spec")

    def __init__(self, spec: ChildSpec) -> None:
        self.spec = spec
        self.pid: Pid | None = None
        self.restarts = 0
        self.retrying = False

    def info(self) -> ChildInfo:
        """Its line of which_children."""
        return ChildInfo(self.spec.id, self.pid, self.spec.kind, self.restarts)


class TryAgain(NamedTuple):
    """Cast to itself after a restart that failed, so that the supervisor stays responsive (supervisor.erl)."""

    child: Child


class Nurse(Server):
    """The server of a supervisor: starts and stops single children and keeps the restart budget."""

    trap_exit = True
    patience = math.inf

    def __init__(self, max_restarts: int | None, max_seconds: float | None) -> None:
        self.max_restarts = max_restarts
        self.max_seconds = max_seconds
        self.intensity = Intensity(0, 1.0)

    async def init(self) -> None:
        """Takes the budget from the settings where the plan says nothing."""
        settings = self.system.settings
        self.intensity = Intensity(
            settings.max_restarts if self.max_restarts is None else self.max_restarts,
            settings.max_seconds if self.max_seconds is None else self.max_seconds,
        )

    def may_restart(self) -> bool:
        """Counts one restart against the budget."""
        return self.intensity.allows(self.system.loop.time())

    async def start(self, child: Child, *, again: bool = False) -> None:
        """Starts a child and waits for its `init`. Raises Exited."""
        spec = child.spec
        if again:
            child.restarts += 1
            self.system.counters.restarts += 1
            self.system.emit("restart", self.pid, None, 0, spec.id)
        pid = await self.system.start(spec.start, name=spec.name, link=self.pid, mailbox=spec.mailbox)
        child.pid = pid
        child.retrying = False
        process = self.system.table.get(pid)
        if process is not None:
            process.restarts = child.restarts

    async def stop(self, child: Child) -> None:
        """Stops a child as its spec says and waits for its end: shutdown, patience, kill."""
        pid = self.dismiss(child)
        if pid is not None:
            await self.await_end(child, pid)

    def dismiss(self, child: Child) -> Pid | None:
        """Sends the stop signal; the EXIT that follows belongs to nobody any more."""
        pid, child.pid, child.retrying = child.pid, None, False
        if pid is not None:
            self.system.exit(pid, KILL if child.spec.shutdown == "brutal_kill" else SHUTDOWN)
        return pid

    async def await_end(self, child: Child, pid: Pid) -> None:
        """Waits for the end of a dismissed child, and kills it when its time is up."""
        patience = child.spec.shutdown
        if patience is None:
            patience = math.inf if child.spec.kind is SUPERVISOR else self.system.settings.shutdown_timeout
        forever = patience == "brutal_kill" or patience == math.inf
        try:
            await self.system.wait(pid, timeout=None if forever else float(patience))
        except TimeoutError:
            self.system.exit(pid, KILL)
            await self.system.wait(pid)

    def retry(self, child: Child) -> None:
        """A restart failed: try again in a moment; each try counts."""
        child.retrying = True
        self.system.cast(self.pid, TryAgain(child))


def count(children: list[Child]) -> ChildCounts:
    """The answer to CountChildren."""
    supervisors = sum(child.spec.kind is SUPERVISOR for child in children)
    active = sum(child.pid is not None for child in children)
    return ChildCounts(len(children), active, supervisors, len(children) - supervisors)
