"""Calls that block, but not for long, or when nobody is there to be kept waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otplint.facts.flow import Point
from otplint.facts.methods import Event, Role
from otplint.facts.queries.messaging.awaited import looks_like
from otplint.facts.queries.messaging.harmless import is_made_as
from otplint.facts.queries.messaging.waits import Wait
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.methods import Method

_MAX_CALLERS = 4
_WAITS = frozenset(("call", "take", "wait", "sleep", "block"))
_ASKS = ("is_set", "wait")


def passes(wait: Wait, *, seconds: float | None) -> str:
    """Why what blocks keeps nobody waiting for long; empty where it does.

    Args:
        wait: the call that blocks.
        seconds: how long it takes at most, where that is written.
    """
    if _is_told_to_end(wait):
        return "the thread was told to end just before, and waits for nothing else"
    if wait.bounded and is_made_as(wait.event, wait.event.operation.nearby):
        return "it only asks the same machine, with a time limit: an answer or a refusal comes at once"
    if _ends_process(wait):
        return "it is on the way out after a failure: the actor ends right after it"
    short = wait.bounded and wait.role not in ("sleep", "block") and seconds is not None and seconds <= 1
    if short and _at_start(wait.spot[0] if wait.running.far else _own(wait), _MAX_CALLERS):
        return "it is a short wait while the actor starts: it serves nobody yet"
    return ""


def _own(wait: Wait) -> Method:
    """The actor's own function that leads to the wait, or holds it."""
    return wait.running.crossed[0][0] if wait.running.crossed else wait.method


def _at_start(method: Method, depth: int) -> bool:
    """True for a function that starts the actor, and for a helper that only such functions call."""
    if method.role is Role.START:
        return True
    callers = method.actor.callers(method)
    return method.role is Role.HELPER and depth > 0 and bool(callers) and all(_at_start(m, depth - 1) for m in callers)


# -- threads that were told to end


def _is_told_to_end(wait: Wait) -> bool:
    """``self.stop.set(); self.thread.join()``, where the thread's function waits for that event alone."""
    method, event = wait.method, wait.event
    thread = method.own_attribute(event.argument("receiver")) if wait.for_end else ""
    if not thread:
        return False
    told = {
        name
        for call in method.calls
        if isinstance(call.func, code.Attr) and call.func.name == "set" and not call.args
        if (name := method.own_attribute(call.func.base))
        if method.flow.always_before(lambda point, c=call: point.node is c, event.call)  # type: ignore[misc]
    }
    runs = [
        _target(value, at) for _, value, at in method.actor.assignments(thread) if not isinstance(value, code.Const)
    ]
    return bool(told and runs) and all(run is not None and _waits_for_one(run, told) for run in runs)


def _target(made: code.Expr, method: Method) -> Method | None:
    """The own function that a new thread runs."""
    event = method.event(made)
    if event is None or event.role != "spawn" or event.operation.handle != "thread":
        return None
    return method.actor.named(event.payload, method)


def _waits_for_one(run: Method, told: set[str]) -> bool:
    """True for a loop that asks one of these events whether to go on, and waits for nothing else."""
    asked = False
    for method in run.actor.reached(run):
        for call in method.calls:
            func = call.func
            if isinstance(func, code.Attr) and func.name in _ASKS and method.own_attribute(func.base) in told:
                asked = True
            elif _holds_up(method.event(call)):
                return False
    return asked


def _holds_up(event: Event | None) -> bool:
    return event is not None and event.role in _WAITS and looks_like(event)


# -- the way out


def _ends_process(wait: Wait) -> bool:
    """True in an ``except`` clause from which every way leads out of the process, or ends the actor."""
    method = wait.method
    clause = next((up for up in method.above(wait.call) if isinstance(up, code.Handler)), None)

    def ends(point: Point) -> bool:
        event = method.event(point.node) if isinstance(point.node, code.Call) else None
        return event is not None and event.role == "stop" and event.certain

    return clause is not None and method.flow.on_every_exit(wait.call, ends) and method.flow.reaches(wait.call, ends)
