"""The errors of the runtime. Call failures are ordinary exceptions (decision D3), bad input is named by field."""

# ruff: noqa: N818 - the names of the field: noproc, timeout, calling_self; `NoProcError` would say it twice
from __future__ import annotations

__all__ = [
    "ActorError",
    "AlreadyRegistered",
    "CallError",
    "CallTimeout",
    "CallingSelf",
    "CircuitOpen",
    "Exited",
    "MailboxFull",
    "MaxChildren",
    "NoChild",
    "NoProc",
    "NotInProcess",
    "OutboxFull",
    "SettingsError",
    "SpecError",
    "StoreError",
]


class ActorError(Exception):
    """Base of what the runtime raises on purpose."""


class CallError(ActorError):
    """A call that brought no answer; `target` is whom it was made to."""

    def __init__(self, target: object, message: str) -> None:
        super().__init__(message)
        self.target = target


class NoProc(CallError):
    """The pid is dead or the name is not registered (gen_server:call's ``noproc``)."""

    def __init__(self, target: object) -> None:
        super().__init__(target, f"no such process: {target!r}")


class Exited(CallError):
    """The server ended before it answered, or while it started; `reason` is what it ended with."""

    def __init__(self, target: object, reason: object) -> None:
        super().__init__(target, f"{target!r} ended: {reason!r}")
        self.reason = reason
        if isinstance(reason, BaseException):
            self.__cause__ = reason


class CallTimeout(CallError, TimeoutError):
    """No answer in time. The server may still do the work: a timeout does not mean that it was not done."""

    def __init__(self, target: object, seconds: float) -> None:
        super().__init__(target, f"no answer from {target!r} within {seconds:g} s (it may still do the work)")
        self.seconds = seconds


class CallingSelf(CallError):
    """A process called itself and would have waited for itself (gen_server:call's ``calling_self``)."""

    def __init__(self, target: object) -> None:
        super().__init__(target, f"{target!r} calls itself and would wait for ever")


class MailboxFull(CallError):
    """A bounded mailbox refused or dropped the message (an extension; the BEAM's mailboxes are unbounded)."""

    def __init__(self, target: object, maxsize: int) -> None:
        super().__init__(target, f"the mailbox of {target!r} is full ({maxsize} messages)")


class AlreadyRegistered(ActorError, ValueError):
    """The name belongs to a living process, or the process already has a name."""


class NotInProcess(ActorError, RuntimeError):
    """The operation belongs to a process (monitor, link ...) and was used outside of any."""


class SpecError(ActorError, ValueError):
    """A child spec or supervisor option is wrong; `field` names it. Raised before anything starts."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class SettingsError(ActorError, ValueError):
    """A setting is unknown or out of range; `field` names it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class MaxChildren(ActorError):
    """A dynamic supervisor has as many children as it may have."""


class NoChild(ActorError, LookupError):
    """The supervisor has no child of that id or pid, or it is not in the state asked for."""


class CircuitOpen(ActorError):
    """The circuit breaker did not call through; try again in `retry_after` seconds."""

    def __init__(self, name: str, retry_after: float) -> None:
        super().__init__(f"circuit {name!r} is open, next probe in {retry_after:g} s")
        self.retry_after = retry_after


class OutboxFull(ActorError):
    """The outbox holds `maxsize` messages and its policy is to reject."""


class StoreError(ActorError):
    """The store could not be opened or read, or what it holds is not what was written."""
