"""What travels between processes: pids, refs, call requests, replies, DOWN and EXIT messages, mailbox bounds."""

# ruff: noqa: A002, N818 - `id` is the field's word; Stop is a request, not an error
from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any, Final, Generic, NamedTuple, TypeVar

from otplint.runtime.checks import check_kind, check_whole
from otplint.runtime.errors import SpecError
from otplint.runtime.reasons import NORMAL

__all__ = [
    "NO_REPLY",
    "UNBOUNDED",
    "Call",
    "Down",
    "Event",
    "Exit",
    "Mailbox",
    "NoReply",
    "Overflow",
    "Pid",
    "Ref",
    "Stop",
]

R_co = TypeVar("R_co", covariant=True)


class Pid:
    """The address of one process of one System, never used again after its death. Compared by identity."""

    __slots__ = ("__weakref__", "id", "label")

    def __init__(self, id: int, label: str) -> None:
        self.id = id
        self.label = label

    def __repr__(self) -> str:
        return f"<{self.id} {self.label}>"

    def __copy__(self) -> Pid:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Pid:
        return self


class Ref:
    """One monitor: who watches whom. A new Ref for each `System.monitor`, never used again."""

    __slots__ = ("id", "target", "watcher")

    def __init__(self, id: int, watcher: Pid, target: Pid | str) -> None:
        self.id = id
        self.watcher = watcher
        self.target = target

    def __repr__(self) -> str:
        return f"<ref {self.id}: {self.watcher!r} watches {self.target!r}>"

    def __copy__(self) -> Ref:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Ref:
        return self


class Call(Generic[R_co]):
    """A request whose answer is an R: ``@dataclass class Incr(Call[int]): by: int``. `System.call` is typed by it."""

    __slots__ = ()


class NoReply(enum.Enum):
    """The type of NO_REPLY."""

    NO_REPLY = "no reply"


NO_REPLY: Final = NoReply.NO_REPLY
"""Returned by `Server.handle_call`: the answer comes later, through `From.reply`. Does not block the server."""


class Down(NamedTuple):
    """The one message a monitor ever brings; by then it is already removed on both sides (erlang:monitor/2)."""

    ref: Ref
    pid: Pid | str
    reason: object


class Exit(NamedTuple):
    """An exit signal that a process with `trap_exit` received as a message."""

    pid: Pid
    reason: object


class Stop(Exception):
    """Raised in a handler: answer with `reply` if given, run `terminate`, end with `reason`."""

    def __init__(self, reason: object = NORMAL, *, reply: object = NO_REPLY) -> None:
        super().__init__(reason)
        self.reason = reason
        self.reply = reply


class Overflow(enum.Enum):
    """What a full mailbox or outbox does with one more message."""

    REJECT = "reject"
    """The sender gets an error."""
    DROP_OLDEST = "drop_oldest"
    DROP_NEWEST = "drop_newest"
    BLOCK = "block"
    """The sender waits (`System.offer`, `System.call`, `Outbox.put`); a plain send gets an error."""


@dataclass(frozen=True)
class Mailbox:
    """The bound of a mailbox, in messages (None: unbounded, as on the BEAM). EXIT and DOWN are never refused."""

    maxsize: int | None = None
    overflow: Overflow = Overflow.REJECT

    def __post_init__(self) -> None:
        if self.maxsize is not None:
            check_whole(SpecError, "Mailbox.maxsize", self.maxsize, 1)
        check_kind(SpecError, "Mailbox.overflow", self.overflow, Overflow)


UNBOUNDED: Final = Mailbox()


class Event(NamedTuple):
    """One line of the trace.

    `kind` is one of: spawn, init, send, cast, call, signal (an exit signal), reply, handle, down, exit, end (of a
    process), dead_letter, drop, late, timeout, link, unlink, monitor, demonitor, register, restart, unexpected,
    zombie. `n` pairs the leaving of a message (send, cast, call, down, exit) with its handling (handle) or loss.
    """

    time: float
    """Seconds of loop time since the System started."""
    kind: str
    src: Pid | None
    """None is code outside of any process."""
    dst: Pid | None
    n: int
    detail: object
