"""What a System counts, and the picture of one process."""

from __future__ import annotations

from dataclasses import dataclass

from otplint.runtime.messages import Pid, Ref

__all__ = ["Counters", "ProcessInfo"]


@dataclass(slots=True)
class Counters:
    """Counts since the System started. The BEAM does not count these; behaviour is unchanged by it (decision D4).

    ``sent = delivered + dead_letters + dropped + queued in mailboxes`` (and, under DetLoop, in flight).
    """

    sent: int = 0
    """Messages addressed to a mailbox: sends, casts, call requests, Down and Exit messages."""
    delivered: int = 0
    """Messages taken from a mailbox and given to a handler."""
    dead_letters: int = 0
    """Messages to a process that was dead, or died before it took them. Nobody is told (but callers are)."""
    late_replies: int = 0
    """Answers after the deadline, after the caller's end, or second answers: dropped, never in a mailbox."""
    dropped: int = 0
    """Messages a full bounded mailbox dropped."""
    unexpected: int = 0
    """Plain messages no `handle_info` knew."""
    crashes: int = 0
    """Processes ended by an exception in a callback."""
    restarts: int = 0
    """Children started again by a supervisor."""
    orphans: int = 0
    """Tasks that a process left running and that the System's end had to cancel."""
    zombies: int = 0
    """Processes given up because a handler swallowed every cancellation."""


@dataclass(frozen=True, slots=True)
class ProcessInfo:
    """A process at one moment (erlang:process_info/1): already history when you read it."""

    pid: Pid
    name: str | None
    status: str
    """starting, waiting, running or exiting"""
    mailbox: int
    """Messages queued."""
    high_water: int
    """The most that ever were."""
    links: tuple[Pid, ...]
    monitors: tuple[Ref, ...]
    """What it watches: 0 for a monitor as soon as its DOWN is queued."""
    monitored_by: tuple[Ref, ...]
    callers: int
    """Calls waiting for its answer."""
    timers: int
    """Timers that will send to it."""
    restarts: int
    """How often its supervisor had restarted this child when this process was started."""
