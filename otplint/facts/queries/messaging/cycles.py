"""Cycles of calls: who waits for whom, across the whole project."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otplint.facts.origins import origins
from otplint.facts.queries.messaging.addresses import addresses, is_self
from otplint.facts.queries.messaging.waits import Wait, excuse, waits
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Method

_MAX_LENGTH = 5


@dataclass(frozen=True)
class CallTo:
    """A call in which one actor waits for another, or for itself."""

    wait: Wait
    caller: Actor
    callee: Actor
    certain: bool
    """False where the target may be one of several actors."""


@dataclass(frozen=True)
class Cycle:
    """A call that waits for somebody who waits for the caller."""

    call: CallTo
    back: tuple[CallTo, ...]
    """The calls by which it comes back to the caller, in order; none for a call to itself."""

    @property
    def certain(self) -> bool:
        """True where all targets on the way are known."""
        return all(step.certain for step in (self.call, *self.back))


def cycles(actor: Actor) -> Iterator[Cycle]:
    """The actor's calls that are part of a cycle, each once with the shortest way back."""
    excuse(actor, "call")
    known = calls_to(actor)
    for call in known:
        if call.callee is actor:
            yield Cycle(call, ())
            continue
        back = _way(call.callee, actor)
        if back:
            yield Cycle(call, back)
        else:
            call.wait.method.exempt(call.wait.call, f"{call.callee.name} waits for nobody who waits for {actor.name}")
    for wait in waits(actor):
        if wait.role == "call" and not any(call.wait is wait for call in known):
            wait.method.exempt(wait.call, "nothing in the project tells whom it calls")


def calls_itself(wait: Wait) -> bool:
    """True where an actor waits for its own answer, which no deadline mends."""
    actor = wait.running.actor
    return any(call.wait.call is wait.call and call.callee is actor for call in calls_to(actor))


def calls_to(actor: Actor) -> list[CallTo]:
    """Whom the actor waits for while it handles a message, as far as that is known."""
    kept = actor.remembered(_Kept)
    if not kept.begun:
        kept.begun = True  # asked again meanwhile: nothing is known yet
        for wait in waits(actor):
            if wait.role == "call":
                callees = _callees(wait, actor)
                kept.calls += [CallTo(wait, actor, callee, len(callees) == 1) for callee in callees]
    return kept.calls


class _Kept:
    def __init__(self, _actor: Actor) -> None:
        self.begun = False
        self.calls: list[CallTo] = []


def _way(start: Actor, goal: Actor) -> tuple[CallTo, ...]:
    """The shortest chain of calls from one actor to another."""
    seen = {start.qualname}
    front: list[tuple[Actor, tuple[CallTo, ...]]] = [(start, ())]
    for _ in range(_MAX_LENGTH):
        later = []
        for actor, way in front:
            for call in calls_to(actor):
                if call.callee is goal:
                    return (*way, call)
                if call.callee.qualname not in seen:
                    seen.add(call.callee.qualname)
                    later.append((call.callee, (*way, call)))
        front = later
    return ()


def _callees(wait: Wait, actor: Actor) -> list[Actor]:
    known = addresses(actor.facts)
    for target, at in _targets(wait):
        if is_self(target, at) and at.actor is actor:
            return [actor]
        found = known.actors(target, at)
        if found:
            return found
    return []


def _targets(wait: Wait) -> Iterator[tuple[code.Expr, Method]]:
    """The expressions that may name the one who is waited for, the likeliest first."""
    event, method = wait.event, wait.method
    if event.target is not None:
        yield event.target, method
        return
    func = wait.call.func
    given = [a.value for a in wait.call.args]
    for expr in (*([func.base] if isinstance(func, code.Attr) else []), *given):
        for origin in origins(expr, method):
            for call in code.walk(origin.expr):
                if isinstance(call, code.Call):
                    yield from _receivers(call.func, origin.method)
                    break


def _receivers(expr: code.Expr, method: Method) -> Iterator[tuple[code.Expr, Method]]:
    """``proxy.part.method`` and what is before each dot, outermost first."""
    while isinstance(expr, code.Attr):
        expr = expr.base
        yield expr, method
