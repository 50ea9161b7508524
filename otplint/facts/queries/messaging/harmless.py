"""Calls of waiting operations that hold no actor up, by what they are called on and by whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otplint.facts.methods import Event, Role
from otplint.facts.origins import origins
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.methods import Method

_TO_LOOP = frozenset({"call_soon_threadsafe", "add_callback", "run_coroutine_threadsafe"})
"""How another thread gives work to an event loop of asyncio or tornado."""


def harmless(event: Event, *, crossed: bool) -> str:
    """Why a wait holds nobody up although its operation does; empty where it does.

    Args:
        event: the wait.
        crossed: whether it is outside of the actor's class.
    """
    if is_made_as(event, event.operation.at_once):
        return "the object is made so that the call does not wait"
    if _is_eager(event):
        return "the answer was worked out by the call that gave it"
    if _waits_for_own_end(event):
        return "whoever ends the actor waits until its loop has ended"
    if crossed and _serves_threads(event.method):
        return "it waits for an event loop that it is given work for: it is there for other threads"
    return ""


def is_made_as(event: Event, forms: tuple[str, ...]) -> bool:
    """True where the receiver comes from a call of one of the forms ``name(CONSTANT)``, which the data names."""
    receiver = event.argument("receiver") if forms else None
    for origin in origins(receiver, event.method) if receiver is not None else []:
        if isinstance(origin.expr, code.Call):
            given = {code.dotted(a.value).rpartition(".")[2] for a in origin.expr.args}
            last = code.dotted(origin.expr.func).rpartition(".")[2]
            if any(f"{last}({constant})" in forms for constant in given):
                return True
    return False


def _is_eager(event: Event) -> bool:
    """``task.apply().get()``: the framework's data says that what is asked is something else than a future."""
    base = event.argument("receiver")
    if not isinstance(base, code.Call) or not isinstance(base.func, code.Attr):
        return False
    known = event.method.actor.facts.vocabulary.methods.get(base.func.name, ())
    made = [op.returns for framework, op, _ in known if framework is event.framework and op.role == "make"]
    if event.certain and event.method.actor.values.type_of(base, event.method) not in made:
        return False
    return bool(made) and not any(n.rpartition(".")[0] in made for n in event.operation.names)


def _waits_for_own_end(event: Event) -> bool:
    """``self.stopped.wait()`` in a function that ends the actor, where the actor's loop sets it when it is done."""
    method, receiver = event.method, event.argument("receiver")
    attribute = method.own_attribute(receiver) if event.role == "wait" and method.stops else ""
    if not attribute:
        return False
    loops = [m for m in method.actor.everything if m.role is Role.LOOP]
    return any(
        isinstance(call.func, code.Attr)
        and call.func.name == "set"
        and inner.own_attribute(call.func.base) == attribute
        for inner in method.actor.reached(*loops)
        for call in inner.calls
    )


def _serves_threads(method: Method) -> bool:
    """True where the function, or the one around it, gives work to an event loop that is one of its parameters."""
    place = method
    while place.outer is not None:
        place = place.outer
    params = {p.name for p in place.code.params} - {place.self_name}
    for call in place.calls:
        last = code.dotted(call.func).rpartition(".")[2]
        loop = call.func.base if isinstance(call.func, code.Attr) else None
        given = [loop, *[a.value for a in call.args[1:]]]
        if last in _TO_LOOP and any(isinstance(e, code.Name) and e.id in params for e in given):
            return True
    return False
