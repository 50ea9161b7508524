"""Server: the callbacks of one process, gen_server's shape in Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from otplint.runtime.errors import SpecError

if TYPE_CHECKING:
    from otplint.runtime.kernel import System
    from otplint.runtime.messages import Pid
    from otplint.runtime.process import From

__all__ = ["Server"]


class Server:
    """The state and handlers of one process; one instance per start, made by the factory given to `System.spawn`.

    A handler that raises ends the process with the exception as its reason (after `terminate`), and it is for a
    supervisor to start a fresh one. Handlers run one at a time; awaiting in one keeps the next message waiting.
    """

    trap_exit: ClassVar[bool] = False
    """Exit signals arrive in `handle_info` as Exit instead of ending the process (process_flag(trap_exit, true))."""

    system: System
    """The System this process lives in; set before `init`."""
    pid: Pid
    """Its own pid; set before `init`."""

    async def init(self) -> None:
        """Runs first; if it raises, the start has failed."""

    async def handle_call(self, req: Any, frm: From) -> object:
        """Answers a call: return the answer, or NO_REPLY and `frm.reply(x)` later, or raise Stop(reason, reply=x).

        A request nobody handles is a crash, as in gen_server (function_clause).
        """
        raise NotImplementedError(f"{type(self).__name__} has no answer to {req!r}")

    async def handle_cast(self, msg: Any) -> None:
        """Handles a cast. Unhandled is a crash, as in gen_server."""
        raise NotImplementedError(f"{type(self).__name__} does not handle {msg!r}")

    async def handle_info(self, msg: Any) -> None:
        """Handles a plain send, a Down, an Exit. Unhandled is counted (`unexpected`) and logged, as in Elixir."""
        self.system.unexpected(self.pid, msg)

    patience: float | None = None
    """Seconds the System's end gives it to stop; None: the settings' `shutdown_timeout`."""
    _commit: Callable[[], None] | None = None

    async def terminate(self, reason: object) -> None:
        """Runs at an orderly end: after Stop, after a crash, after a trapped exit of the parent; never after a kill."""


def check_factory(field: str, factory: object) -> None:
    """Raises SpecError unless `factory` can be called to make a Server; an instance is none (D6)."""
    if isinstance(factory, Server):
        name = type(factory).__name__
        raise SpecError(
            field, f"expected a factory such as {name} or a lambda, got an instance, whose state would survive restarts"
        )
    if not callable(factory):
        raise SpecError(field, f"expected a Server class or a function that makes a Server, got {factory!r}")
    if isinstance(factory, type) and not issubclass(factory, Server):
        raise SpecError(field, f"expected a Server class, got {factory!r}")
