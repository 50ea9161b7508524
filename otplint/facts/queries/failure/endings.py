"""Ends: clean-up that fails without a word leaves something alive, and loops that end the process with a failure."""

from __future__ import annotations

from otplint.facts.methods import Method, Role
from otplint.facts.queries.failure.catches import Catch, Reaction, catches
from otplint.facts.queries.failure.stopping import swallows_cancellation
from otplint.facts.queries.messaging.reach import called
from otplint.facts.syntax import code

__all__ = ["cleans_up", "ends_the_process", "goes_round", "is_catch_all", "leaves_alive"]

_ENDS = frozenset({"cancel", "kill", "terminate"})
"""How the standard library's tasks, timers and processes are ended, where nobody knows what they are."""
_PROMISES = ("asyncio.Future", "concurrent.futures.Future")
"""What only waits for a result: cancelling it ends nothing."""
_LEAVES = ("os._exit", "os.abort")
_DEPTH = 2


def cleans_up(catch: Catch) -> bool:
    """True where the clause guards clean-up: behind another failure, in a ``finally``, or when the actor stops."""
    return catch.in_cleanup or catch.method in catch.method.actor.ending


def goes_round(catch: Catch) -> bool:
    """True where the guarded code runs again after the failure, in the same call of the function."""
    return catch.method.flow.survives(catch.node, unless=lambda _: False, later=lambda _: False, again=catch.around)[1]


def is_catch_all(catch: Catch) -> bool:
    """True where any error is caught, and no request to stop that matters: what stops anyway may catch that too."""
    stops = catch.method in catch.method.actor.ending and not swallows_cancellation(catch)
    return catch.is_broad or (stops and "BaseException" in catch.types)


def leaves_alive(catch: Catch) -> bool:
    """True where a clean-up that should end a thread, task, process or actor fails and nothing is said.

    An orphan is then left that nobody looks for. A log line tells somebody; what else is left open (a file, a
    connection) goes with the actor.
    """
    leaves = any(event.role == "stop" for event in catch.method.events)  # what runs in the process goes with it
    if catch.reaction is not Reaction.SILENT or catch.raises_some or leaves:
        return False
    asks = catch.in_cleanup and any(_asks(call, catch.method) for call in code.calls(catch.tried))
    return asks or any(_ends(call, catch.method, _DEPTH) for call in code.calls(catch.tried))


def ends_the_process(method: Method) -> bool:
    """True where the actor's own loop ends the process for whatever comes up to it out of the function."""
    actor = method.actor
    for loop in actor.everything:
        for catch in catches(loop) if loop.role is Role.LOOP else ():
            all_errors = "Exception" in catch.types or "BaseException" in catch.types
            if all_errors and any(loop.qualname(call.func) in _LEAVES for call in code.calls(catch.body)):
                run = [actor.own_method(call, loop) for call in code.calls(catch.tried)]
                if method in actor.reached(*[m for m in run if m is not None]):
                    return True
    return False


def _asks(call: code.Call, method: Method) -> bool:
    """A request to another actor: it keeps what it was to give up."""
    event = method.event(call)
    return event is not None and event.certain and event.role == "call"


def _ends(call: code.Call, method: Method, depth: int) -> bool:
    """True for a call that ends another thread, task, process or actor, itself or by what it runs."""
    event = method.event(call)
    if event is not None and (event.certain or event.framework is method.actor.framework):
        return event.role == "kill" or (event.role == "wait" and event.operation.for_end)
    inner, _ = called(call, method)
    if inner is not None:
        return depth > 0 and any(_ends(each, inner, depth - 1) for each in inner.calls)
    if not isinstance(call.func, code.Attr) or call.func.name not in _ENDS or call.args:
        return False
    return method.actor.values.type_of(call.func.base, method) not in _PROMISES
