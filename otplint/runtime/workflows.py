"""An example: one process a workflow, each with a restart budget of its own (``python -m otplint.runtime.workflows``).

One DynamicSupervisor over all workflows gives them a single budget: four crashes of four different workflows end all of
them. Here each workflow has a Supervisor of its own, which is a temporary child of the dynamic one, so that a workflow
that keeps crashing ends alone. Its steps are checkpoints in a Store: a restarted workflow goes on where it was, and
each step carries an idempotency key, because a crash between a step's effect and its checkpoint runs the step twice.
"""

# ruff: noqa: ARG002, T201 - handlers take what they are given; the example prints what it shows
from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from otplint.runtime.childspec import TEMPORARY, TRANSIENT, AutoShutdown, ChildSpec
from otplint.runtime.dynamic import DynamicSupervisor
from otplint.runtime.kernel import System
from otplint.runtime.messages import Call, Pid, Stop
from otplint.runtime.persistent import PersistentServer
from otplint.runtime.process import From
from otplint.runtime.store import MemoryStore, Store
from otplint.runtime.supervisor import Supervisor

__all__ = ["Progress", "Step", "Workflow", "start_workflow", "workflow_supervisor"]

Step = Callable[[str], Awaitable[None]]
"""One step; its argument is the idempotency key, the same at each repetition."""


@dataclass(frozen=True)
class Progress(Call[int]):
    """How many steps are done and stored."""


class Workflow(PersistentServer):
    """Runs its steps in order, each in a message of its own, so that it stays responsive in between."""

    def __init__(self, store: Store, key: str, steps: Sequence[Step]) -> None:
        super().__init__(store, f"workflow/{key}")
        self.steps = steps
        self.done = 0

    def snapshot(self) -> Any:
        """The number of finished steps."""
        return self.done

    def restore(self, state: Any, version: int) -> None:
        """Goes on behind the last finished step."""
        self.done = int(state)

    async def init(self) -> None:
        """Restores, and starts the next step."""
        await super().init()
        self.system.cast(self.pid, "next")

    async def handle_cast(self, msg: Any) -> None:
        """One step; the state is stored when it is done."""
        if self.done == len(self.steps):
            raise Stop
        await self.steps[self.done](f"{self.key}/{self.done}")
        self.done += 1
        self.system.cast(self.pid, "next")

    async def handle_call(self, req: Any, frm: From) -> object:
        """Answers Progress."""
        if isinstance(req, Progress):
            return self.done
        return await super().handle_call(req, frm)


def workflow_supervisor() -> DynamicSupervisor:
    """The supervisor over all workflows; its children are supervisors that are never restarted."""
    return DynamicSupervisor()


async def start_workflow(
    system: System,
    supervisor: Pid | str,
    store: Store,
    key: str,
    steps: Sequence[Step],
    *,
    max_restarts: int = 3,
    max_seconds: float = 5.0,
) -> Pid:
    """Starts one workflow under its own supervisor and returns that one's pid; the workflow is registered as `key`.

    More than `max_restarts` crashes in `max_seconds` seconds end this workflow and no other. Raises SpecError,
    MaxChildren, Exited, CallError.
    """
    worker = ChildSpec(key, lambda: Workflow(store, key, steps), TRANSIENT, significant=True, name=f"workflow/{key}")
    own = Supervisor(
        [worker], max_restarts=max_restarts, max_seconds=max_seconds, auto_shutdown=AutoShutdown.ANY_SIGNIFICANT
    )
    return await DynamicSupervisor.start_child(system, supervisor, ChildSpec(key, own, TEMPORARY))


async def main() -> None:
    """Ten workflows of three steps; four of them crash at their second step for ever, and end alone."""
    charged: dict[str, int] = {}
    store = MemoryStore()

    def step(number: int, broken: bool) -> Step:
        async def work(key: str) -> None:
            if broken and number == 1:
                raise RuntimeError(f"{key} cannot be done")
            charged[key] = charged.get(key, 0) + 1

        return work

    async with System() as system:
        supervisor = await system.start(workflow_supervisor(), name="workflows")
        for index in range(10):
            steps = [step(number, broken=index < 4) for number in range(3)]
            await start_workflow(system, "workflows", store, f"w{index}", steps)
        await asyncio.sleep(0.1)
        finished = [key for key, value in store.items() if '"state":3' in value]
        twice = [key for key, times in charged.items() if times > 1]
        print(
            f"supervisor alive: {system.alive(supervisor)}, finished: {len(finished)} of 10, steps done twice: {twice}"
        )


if __name__ == "__main__":
    asyncio.run(main())
