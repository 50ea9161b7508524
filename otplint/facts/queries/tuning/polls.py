"""Short pauses: how often a wait looks again, or how often an actor does its work.

``while not thing.ready(): sleep(0.1)`` is a poll: the number says how late at most one learns of the thing, and hardly
anybody tunes it. Nor does anybody tune how long a loop breathes after a failure before it goes on. A loop that goes on
for as long as its actor and does something each time has a period, and that decides about load and delay however short
it is; so does a pause outside of any loop.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from otplint.facts.queries.tuning.measures import is_clock
from otplint.facts.shapes import ends_when_told
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.methods import Method

_YIELDS = 0.01
"""Seconds; a shorter sleep lets others run, it waits for nothing."""
_ASKS = frozenset(("is_set", "is_alive", "poll", "done", "ready", "is_ready", "empty", "qsize", "wait", "exists"))
_TELLS = frozenset(("debug", "info", "warning", "error", "exception", "log", "print", "monotonic", "time"))


def is_poll(seconds: float, use: code.Node, method: Method) -> bool:
    """Whether a time below a second is only how often something looks again.

    Args:
        seconds: the number at work.
        use: where it is given.
        method: the function that this is written in.
    """
    if abs(seconds) >= 1:
        return False
    call = next((up for up in method.above(use) if isinstance(up, code.Call)), None)
    loop = next((up for up in method.above(use) if _waits(up, method)), None)
    if abs(seconds) < _YIELDS:
        return True
    if loop is None:
        return call is not None and _is_after_failures(method)
    if call is None:
        return isinstance(use, code.Binary)  # now + 0.05: when to look next
    event = method.event(call)
    if not isinstance(loop, code.While) or event is None or event.role == "take":
        return True
    return not (_is_for_life(loop, method) and _works(loop, call)) or _looks_again(call, loop, method)


def _is_after_failures(method: Method) -> bool:
    """True for an own function that runs only where a loop has failed, before it goes on."""
    calls = [
        (caller, call)
        for caller in method.actor.callers(method)
        for call in caller.calls
        if method.actor.own_method(call, caller) is method
    ]
    return bool(calls) and all(
        any(isinstance(up, code.Handler) for up in caller.above(call))
        and any(isinstance(up, code.While) for up in caller.above(call))
        for caller, call in calls
    )


def _waits(node: code.Node, method: Method) -> bool:
    """Loops that may be a wait; one over things that are there is none."""
    if isinstance(node, code.For):
        return isinstance(node.iter, code.Call) and method.qualname(node.iter.func) in ("range", "itertools.count")
    return isinstance(node, code.While)


def _is_for_life(loop: code.While, method: Method) -> bool:
    """True for a loop that nothing but another function of the object, or a failure, ends; not the time."""
    if any(is_clock(part, method) for part in code.walk(loop.test)):
        return False
    endless = isinstance(loop.test, code.Const) and bool(loop.test.value)
    leaves = any(isinstance(s, (code.Break, code.Return)) for s in code.statements(loop.body))
    return (endless and not leaves) or ends_when_told(loop, method)


def _looks_again(pause: code.Call, loop: code.While, method: Method) -> bool:
    """``if not ready(): sleep(0.1); continue``, waits that give up (``if late(): raise``), repeated tries, failures."""
    inside = list(itertools.takewhile(lambda up: up is not loop, method.above(pause)))
    if any(isinstance(up, code.Handler) for up in inside):
        return True
    choice = next((up for up in inside if isinstance(up, code.If)), None)
    if choice is not None:
        goes_round = isinstance(choice.body[-1], code.Continue) and choice.body[-1].start > pause.start
        return goes_round or code.same(choice.test, loop.test)
    for stmt in code.statements(loop.body):
        around = list(itertools.takewhile(lambda up: up is not loop, method.above(stmt)))
        if isinstance(stmt, code.Break) and all(isinstance(up, code.Try) for up in around):
            return True
    given_up = (s for s in code.statements(loop.body) if isinstance(s, code.Raise) and s.error is not None)
    return any(not any(isinstance(up, code.Handler) for up in method.above(stmt)) for stmt in given_up)


def _works(loop: code.While, pause: code.Call) -> bool:
    """True where the loop calls something beside the pause, what it asks and what it logs."""
    for call in code.calls(loop.body):
        name = call.func.name if isinstance(call.func, code.Attr) else code.dotted(call.func)
        around = call.start <= pause.start and pause.end <= call.end
        if not around and name not in _ASKS and name not in _TELLS:
            return True
    return False
