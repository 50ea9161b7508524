"""Supervisor: children in order, restarted by strategy within a budget (supervisor.erl)."""

# ruff: noqa: A002, ARG002 - `id` is the word of child specs; a server may not need the reason of its end
from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from otplint.runtime.checks import check_kind
from otplint.runtime.childspec import (
    NEVER,
    ONE_FOR_ALL,
    ONE_FOR_ONE,
    PERMANENT,
    TEMPORARY,
    AutoShutdown,
    ChildSpec,
    Strategy,
    SupervisorPlan,
    check_intensity,
)
from otplint.runtime.errors import ActorError, AlreadyRegistered, Exited, NoChild, SpecError
from otplint.runtime.kernel import System
from otplint.runtime.messages import NO_REPLY, Exit, Pid, Stop
from otplint.runtime.nursing import (
    Child,
    ChildCounts,
    ChildInfo,
    CountChildren,
    DeleteChild,
    Nurse,
    RestartChild,
    StartChild,
    TerminateChild,
    TryAgain,
    WhichChildren,
    count,
)
from otplint.runtime.process import From
from otplint.runtime.reasons import SHUTDOWN, Shutdown, is_abnormal
from otplint.runtime.watching import Dest

__all__ = ["Supervisor"]


class Supervisor(SupervisorPlan):
    """A checked plan and a factory: ``system.spawn(Supervisor([...]))`` or ``ChildSpec("sub", Supervisor([...]))``.

    `max_restarts` within `max_seconds` seconds (the settings' 3 in 5.0) is the budget of all children together; one
    restart more and the supervisor stops them all and ends with ``SHUTDOWN``. Raises SpecError naming the field.
    """

    __slots__ = ("auto_shutdown", "children", "max_restarts", "max_seconds", "strategy")

    def __init__(
        self,
        children: Iterable[ChildSpec],
        *,
        strategy: Strategy = ONE_FOR_ONE,
        max_restarts: int | None = None,
        max_seconds: float | None = None,
        auto_shutdown: AutoShutdown = NEVER,
    ) -> None:
        self.children = tuple(children)
        self.strategy = strategy
        self.max_restarts = max_restarts
        self.max_seconds = max_seconds
        self.auto_shutdown = auto_shutdown
        check_kind(SpecError, "Supervisor.strategy", strategy, Strategy)
        check_kind(SpecError, "Supervisor.auto_shutdown", auto_shutdown, AutoShutdown)
        check_intensity("Supervisor", max_restarts, max_seconds)
        ids: set[Hashable] = set()
        names: set[str] = set()
        for spec in self.children:
            self.check(spec, auto_shutdown)
            if spec.id in ids:
                raise SpecError("Supervisor.children", f"id {spec.id!r} is used twice")
            if spec.name is not None and spec.name in names:
                raise SpecError("Supervisor.children", f"name {spec.name!r} is used twice")
            ids.add(spec.id)
            names.update([spec.name] if spec.name else [])

    @staticmethod
    def check(spec: object, auto_shutdown: AutoShutdown) -> None:
        """Raises SpecError for what is no child spec of such a supervisor."""
        if not isinstance(spec, ChildSpec):
            raise SpecError("Supervisor.children", f"expected ChildSpec, got {spec!r}")
        if spec.significant and auto_shutdown is NEVER:
            raise SpecError(f"ChildSpec {spec.id!r}.significant", "needs a supervisor with auto_shutdown")

    def __call__(self) -> SupervisorServer:
        """A fresh supervisor for one start."""
        return SupervisorServer(self)

    @staticmethod
    async def which_children(system: System, supervisor: Dest) -> tuple[ChildInfo, ...]:
        """The children in start order. Raises CallError."""
        return await system.call(supervisor, WhichChildren())

    @staticmethod
    async def count_children(system: System, supervisor: Dest) -> ChildCounts:
        """How many specs and running children. Raises CallError."""
        return await system.call(supervisor, CountChildren())

    @staticmethod
    async def start_child(system: System, supervisor: Dest, spec: ChildSpec) -> Pid:
        """Adds a child behind the others. Raises SpecError (also for a used id), Exited, CallError."""
        return await system.call(supervisor, StartChild(spec), timeout=None)

    @staticmethod
    async def terminate_child(system: System, supervisor: Dest, id: Hashable) -> None:
        """Stops a child; its spec stays unless temporary. Raises NoChild, CallError."""
        await system.call(supervisor, TerminateChild(id), timeout=None)

    @staticmethod
    async def restart_child(system: System, supervisor: Dest, id: Hashable) -> Pid:
        """Starts a stopped child. Raises NoChild (unknown or running), Exited, CallError."""
        return await system.call(supervisor, RestartChild(id), timeout=None)

    @staticmethod
    async def delete_child(system: System, supervisor: Dest, id: Hashable) -> None:
        """Forgets a stopped child. Raises NoChild (unknown or running), CallError."""
        await system.call(supervisor, DeleteChild(id))


class SupervisorServer(Nurse):
    """The running supervisor."""

    def __init__(self, plan: Supervisor) -> None:
        super().__init__(plan.max_restarts, plan.max_seconds)
        self.plan = plan
        self.children: list[Child] = []

    async def init(self) -> None:
        """Starts the children in order; if one fails, stops the others and ends with Shutdown."""
        await super().init()
        for spec in self.plan.children:
            child = Child(spec)
            self.children.append(child)
            try:
                await self.start(child)
            except (Exited, AlreadyRegistered) as error:
                await self.terminate(SHUTDOWN)
                reason = error.reason if isinstance(error, Exited) else error
                raise Stop(Shutdown(("failed_to_start_child", spec.id, reason))) from error

    async def terminate(self, reason: object) -> None:
        """Stops the children, last first."""
        for child in reversed(self.children):
            await self.stop(child)

    async def handle_info(self, msg: Any) -> None:
        """The end of a child; that of one it stopped itself is no news."""
        if not isinstance(msg, Exit):
            await super().handle_info(msg)
            return
        for child in self.children:
            if child.pid is msg.pid:
                child.pid = None
                await self.ended(child, msg.reason)
                return

    async def handle_cast(self, msg: Any) -> None:
        """The next try of a restart that failed."""
        if isinstance(msg, TryAgain):
            if msg.child.retrying and msg.child in self.children:
                await self.restart(msg.child)
        else:
            await super().handle_cast(msg)

    async def ended(self, child: Child, reason: object) -> None:
        """A child ended by itself: restart it, or not, or end as well."""
        spec = child.spec
        if spec.restart is PERMANENT or (spec.restart is not TEMPORARY and is_abnormal(reason)):
            await self.restart(child)
            return
        if spec.restart is TEMPORARY:
            self.children.remove(child)
        if spec.significant and (
            self.plan.auto_shutdown is AutoShutdown.ANY_SIGNIFICANT
            or not any(other.spec.significant and other.pid is not None for other in self.children)
        ):
            raise Stop(SHUTDOWN)

    async def restart(self, child: Child) -> None:
        """Restarts a child and whom the strategy takes along. Raises Stop when the budget is spent."""
        if not self.may_restart():
            raise Stop(SHUTDOWN)
        group = [child]
        if self.plan.strategy is not ONE_FOR_ONE:
            first = 0 if self.plan.strategy is ONE_FOR_ALL else self.children.index(child)
            group = self.children[first:]
            for other in reversed(group):
                await self.stop(other)
                if other.spec.restart is TEMPORARY:
                    self.children.remove(other)
            group = [other for other in group if other.spec.restart is not TEMPORARY]
        for other in group:
            try:
                await self.start(other, again=True)
            except (Exited, AlreadyRegistered):
                self.retry(other)
                return

    async def handle_call(self, req: Any, frm: From) -> object:
        """The requests of nursing.py."""
        if isinstance(req, WhichChildren):
            return tuple(child.info() for child in self.children)
        if isinstance(req, CountChildren):
            return count(self.children)
        try:
            if isinstance(req, StartChild):
                return await self.add(req.spec)
            if isinstance(req, RestartChild):
                child = self.stopped(req.id)
                await self.start(child)
                return child.pid
            if isinstance(req, DeleteChild):
                self.children.remove(self.stopped(req.id))
                return None
            if isinstance(req, TerminateChild):
                child = self.find(req.which)
                await self.stop(child)
                if child.spec.restart is TEMPORARY:
                    self.children.remove(child)
                return None
        except ActorError as error:  # the caller's mistake or the child's failure, not the supervisor's
            frm.fail(error)
            return NO_REPLY
        return await super().handle_call(req, frm)

    async def add(self, spec: ChildSpec) -> Pid | None:
        """Starts one more child, forgotten again if that fails."""
        Supervisor.check(spec, self.plan.auto_shutdown)
        if any(child.spec.id == spec.id for child in self.children):
            raise SpecError("ChildSpec.id", f"{spec.id!r} is used already")
        child = Child(spec)
        await self.start(child)
        self.children.append(child)
        return child.pid

    def find(self, id: Hashable) -> Child:
        """The child of an id. Raises NoChild."""
        for child in self.children:
            if child.spec.id == id:
                return child
        raise NoChild(f"no child {id!r}")

    def stopped(self, id: Hashable) -> Child:
        """The child of an id, which must not be running. Raises NoChild."""
        child = self.find(id)
        if child.pid is not None or child.retrying:
            raise NoChild(f"child {id!r} is running")
        return child
