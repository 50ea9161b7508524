"""What blocks an actor's thread or its event loop while it should handle messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otplint.facts.methods import Role
from otplint.facts.origins import origins
from otplint.facts.queries.messaging.passing import passes
from otplint.facts.queries.messaging.reach import running, takes_messages
from otplint.facts.queries.messaging.waits import Wait, excuse, waits
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Method


@dataclass(frozen=True)
class HeldLock:
    """A lock that is kept while its holder waits for something else."""

    lock: code.Expr
    method: Method
    during: code.Expr
    """What it waits for meanwhile."""


def blocking(actor: Actor) -> Iterator[Wait]:
    """The calls that block: sleeps, commands, I/O and joins; on an event loop also those that end after a time.

    Waits for an answer that may go on for ever are :func:`~otplint.facts.queries.messaging.waits.unbounded`.
    """
    excuse(actor, "sleep", "block", "wait")
    for wait in waits(actor):
        if wait.event.certain and not wait.method.exempt(wait.call, _blocks_nobody(actor, wait)):
            yield wait


def _blocks_nobody(actor: Actor, wait: Wait) -> str:
    """Why a wait does not block the actor, or is another rule's; empty where it does."""
    if wait.awaited:
        return "it is awaited: the event loop goes on meanwhile"
    if actor.form == "function" and not wait.running.on_loop:
        return "a job has no mailbox: its worker is there to wait for it"
    if wait.event.operation.bounded_by and not takes_messages(actor) and _called_back(wait.method):
        return "the event loop calls it back because there is something to read"
    if why := passes(wait, seconds=seconds(wait)):
        return why
    if wait.role in ("sleep", "block") or wait.for_end:
        on_thread = wait.bounded and wait.role != "sleep" and not wait.running.on_loop
        return "it ends after a time, and only this actor's own thread waits" if on_thread else ""
    if wait.running.on_loop and wait.bounded:
        return ""
    return "it waits for an answer, a message or an event: whether it has a deadline is OTP407's matter"


def _called_back(method: Method) -> bool:
    """True for what the event loop calls back, and for a helper that only such functions call."""
    callers = method.actor.callers(method)
    return method.role is Role.HANDLER or (bool(callers) and all(m.role is Role.HANDLER for m in callers))


def seconds(wait: Wait) -> float | None:
    """How long a sleep or a bounded wait takes, where that is written down; none where it depends on something."""
    operation = wait.event.operation
    given = wait.event.argument(operation.timeout or "".join(operation.limits[:1]))
    found = origins(given, wait.method) if given is not None else []
    values = [o.expr.value if isinstance(o.expr, code.Const) and o.via != "parameter" else None for o in found]
    known = [float(v) for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
    return min(known) if known and len(known) == len(values) else None


def held_locks(actor: Actor) -> Iterator[HeldLock]:
    """The locks that are held across a wait that is not reported for itself, or across an ``await``."""
    reported = {id(wait.call) for wait in blocking(actor)}
    bounded: dict[int, list[code.Expr]] = {}
    for wait in waits(actor):
        if wait.bounded:
            bounded.setdefault(id(wait.method), []).append(wait.call)
    for place in running(actor):
        method = place.method
        slow = [*bounded.get(id(method), ())]
        if method.code.is_async:
            slow += [e for e in method.exprs() if isinstance(e, code.Await)]
        seen: set[int] = set()
        for expr in slow:
            for up in method.above(expr):
                lock = _lock(up, method)
                if lock is not None and id(lock) not in seen and id(expr) not in reported:
                    seen.add(id(lock))
                    yield HeldLock(lock, method, expr)


def _lock(stmt: code.Node, method: Method) -> code.Expr | None:
    """The lock of the threads that a ``with`` block holds."""
    for context, _ in stmt.items if isinstance(stmt, code.With) and not stmt.is_async else ():
        known = method.actor.facts.vocabulary.exact.get(method.actor.values.type_of(context, method))
        if known is not None and known[1].role == "lock":
            return context
    return None
