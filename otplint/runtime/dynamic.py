"""DynamicSupervisor: children that come and go, one_for_one, stopped all at the same time (dynamic_supervisor.ex)."""

# ruff: noqa: ARG002 - a server may not need the reason of its end
from __future__ import annotations

import asyncio
from typing import Any

from otplint.runtime.checks import check_whole
from otplint.runtime.childspec import NEVER, PERMANENT, TEMPORARY, ChildSpec, SupervisorPlan, check_intensity
from otplint.runtime.errors import ActorError, AlreadyRegistered, Exited, MaxChildren, NoChild, SpecError
from otplint.runtime.kernel import System
from otplint.runtime.messages import NO_REPLY, Exit, Pid, Stop
from otplint.runtime.nursing import (
    Child,
    ChildCounts,
    ChildInfo,
    CountChildren,
    Nurse,
    StartChild,
    TerminateChild,
    TryAgain,
    WhichChildren,
    count,
)
from otplint.runtime.process import From
from otplint.runtime.reasons import SHUTDOWN, is_abnormal
from otplint.runtime.supervisor import Supervisor
from otplint.runtime.watching import Dest

__all__ = ["DynamicSupervisor"]


class DynamicSupervisor(SupervisorPlan):
    """A checked plan and a factory, like Supervisor; starts empty. Ids need not differ; pids tell children apart.

    The restart budget is one for all children: with 3 in 5 s, four crashes of four different children end them
    all. Give each its own Supervisor where they should not share it. Raises SpecError naming the field.
    """

    __slots__ = ("max_children", "max_restarts", "max_seconds")

    def __init__(
        self,
        *,
        max_restarts: int | None = None,
        max_seconds: float | None = None,
        max_children: int | None = None,
    ) -> None:
        check_intensity("DynamicSupervisor", max_restarts, max_seconds)
        if max_children is not None:
            check_whole(SpecError, "DynamicSupervisor.max_children", max_children, 0)
        self.max_restarts = max_restarts
        self.max_seconds = max_seconds
        self.max_children = max_children

    def __call__(self) -> DynamicServer:
        """A fresh supervisor for one start."""
        return DynamicServer(self)

    @staticmethod
    async def start_child(system: System, supervisor: Dest, spec: ChildSpec) -> Pid:
        """Starts a child and waits for its `init`. Raises MaxChildren, SpecError, Exited, CallError."""
        return await system.call(supervisor, StartChild(spec), timeout=None)

    @staticmethod
    async def terminate_child(system: System, supervisor: Dest, pid: Pid) -> None:
        """Stops and forgets a child. Raises NoChild, CallError."""
        await system.call(supervisor, TerminateChild(pid), timeout=None)

    @staticmethod
    async def which_children(system: System, supervisor: Dest) -> tuple[ChildInfo, ...]:
        """The children, oldest first. Raises CallError."""
        return await system.call(supervisor, WhichChildren())

    @staticmethod
    async def count_children(system: System, supervisor: Dest) -> ChildCounts:
        """How many children. Raises CallError."""
        return await system.call(supervisor, CountChildren())


class DynamicServer(Nurse):
    """The running supervisor."""

    def __init__(self, plan: DynamicSupervisor) -> None:
        super().__init__(plan.max_restarts, plan.max_seconds)
        self.plan = plan
        self.children: dict[Pid, Child] = {}
        self.waiting: list[Child] = []

    async def terminate(self, reason: object) -> None:
        """Stops the children, all at the same time."""
        self.waiting.clear()
        leaving = [(child, self.dismiss(child)) for child in self.children.values()]
        self.children.clear()
        await asyncio.gather(*(self.await_end(child, pid) for child, pid in leaving if pid is not None))

    async def handle_info(self, msg: Any) -> None:
        """The end of a child; that of one it stopped itself is no news."""
        if not isinstance(msg, Exit):
            await super().handle_info(msg)
            return
        child = self.children.pop(msg.pid, None)
        if child is None:
            return
        child.pid = None
        spec = child.spec
        if spec.restart is PERMANENT or (spec.restart is not TEMPORARY and is_abnormal(msg.reason)):
            await self.restart(child)

    async def handle_cast(self, msg: Any) -> None:
        """The next try of a restart that failed."""
        if isinstance(msg, TryAgain):
            if msg.child in self.waiting:
                self.waiting.remove(msg.child)
                await self.restart(msg.child)
        else:
            await super().handle_cast(msg)

    async def restart(self, child: Child) -> None:
        """Starts a child again. Raises Stop when the budget is spent."""
        if not self.may_restart():
            raise Stop(SHUTDOWN)
        try:
            await self.start(child, again=True)
        except (Exited, AlreadyRegistered):
            self.waiting.append(child)
            self.retry(child)
        else:
            assert child.pid is not None
            self.children[child.pid] = child

    async def handle_call(self, req: Any, frm: From) -> object:
        """The requests of nursing.py."""
        everyone = [*self.children.values(), *self.waiting]
        if isinstance(req, WhichChildren):
            return tuple(child.info() for child in everyone)
        if isinstance(req, CountChildren):
            return count(everyone)
        try:
            if isinstance(req, StartChild):
                Supervisor.check(req.spec, NEVER)
                if self.plan.max_children is not None and len(everyone) >= self.plan.max_children:
                    raise MaxChildren(f"{self.pid!r} has its {self.plan.max_children} children")
                child = Child(req.spec)
                await self.start(child)
                assert child.pid is not None
                self.children[child.pid] = child
                return child.pid
            if isinstance(req, TerminateChild):
                gone = self.children.pop(req.which, None) if isinstance(req.which, Pid) else None
                if gone is None:
                    raise NoChild(f"no child {req.which!r}")
                await self.stop(gone)
                return None
        except ActorError as error:  # the caller's mistake or the child's failure, not the supervisor's
            frm.fail(error)
            return NO_REPLY
        return await super().handle_call(req, frm)
