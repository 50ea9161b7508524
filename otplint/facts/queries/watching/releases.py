"""What ends a watch: calls, calls of code that does so for the actor, and the end of the target."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from otplint.facts.exceptions import exception_types
from otplint.facts.methods import Event, Method
from otplint.facts.queries.slices import Slice, behind
from otplint.facts.queries.watching.routes import Condition, Step
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.actors import Actor


class Release(NamedTuple):
    """A call that ends a watch, or hands the ending to somebody."""

    call: code.Call
    method: Method
    source: Slice | None
    """What the released reference is computed from; none where that is unknown."""


def releases(actor: Actor, watch: Event) -> Iterator[Release]:
    """The calls of an actor that may end watches of the kind of ``watch``."""
    for method in actor.everything:
        known = {id(e.call): e for e in method.events}
        for call in method.calls:
            event = known.get(id(call))
            if event is not None and event.role == "release" and event.framework is watch.framework:
                given = event.argument(event.operation.reference)
                yield Release(call, method, behind(given, method) if given is not None else None)
            elif any(mention(a.value, method) for a in call.args) or (event is None and helps_release(call, method)):
                yield Release(call, method, None)


def mention(expr: code.Expr, method: Method) -> bool:
    """True for a release that is passed on instead of called: ``stack.callback(system.demonitor, ref)``."""
    if not isinstance(expr, (code.Attr, code.Name)):
        return False
    known = method.actor.values.operation(code.Call(expr.start, expr.end, expr, ()), method)
    return known is not None and known[1].role == "release"


def is_record(name: str, method: Method) -> bool:
    """True for a class of the project that holds what it is given and releases nothing."""
    return method.actor.facts.owner(name) is not None and not _releases_in_class(name, method)


def helps_release(call: code.Call, method: Method) -> bool:
    """True where ``call`` runs a function or object of the project, outside the actor, that releases."""
    if method.actor.own_method(call, method) is not None:
        return False
    words = _words(method)
    function = method.actor.facts.function(method.qualname(call.func))
    if function is not None:
        return any(_speaks(inner, words) for m in function.actor.everything for inner in m.calls)
    if isinstance(call.func, code.Attr):
        type_ = method.actor.values.type_of(call.func.base, method)
        return type_ != method.actor.qualname and _releases_in_class(type_, method)
    return False


def target_failed(step: Step) -> bool:
    """True in an ``except`` arm for what a call raises when the other actor is gone; it may live on after a timeout."""
    failures = step.method.actor.facts.vocabulary.call_failures
    project = step.method.actor.facts.project
    gone = {n for name in failures if "Timeout" not in name for n in (name, project.canonical(name))}
    for up in step.method.above(step.node):
        if isinstance(up, code.Handler):
            types = [step.method.qualname(t) for t in exception_types(up.type)]
            return bool(types) and all(t in gone for t in types)
    return False


def asks_alive(condition: Condition) -> bool:
    """True for a test whether some actor is alive."""
    test, _, method = condition
    return any((e := m.event(c)) is not None and e.role == "alive" for c, m in behind(test, method).calls)


def starts_actor(call: code.Call, method: Method) -> bool:
    """True for a call that starts an actor, or asks a supervisor to."""
    event = method.event(call)
    if event is None or event.role in ("spawn", "child"):
        return event is not None
    if event.role != "call" or event.payload is None:
        return False
    made = [m.event(c) for c, m in behind(event.payload, method).calls]
    return any(e is not None and e.role in ("spawn", "child") for e in made)


def _releases_in_class(name: str, method: Method) -> bool:
    owner = method.actor.facts.owner(name)
    if owner is None:
        return False
    words = _words(method)
    return any(_speaks(call, words) for m in owner.everything for call in m.calls)


def _words(method: Method) -> frozenset[str]:
    """The last names of all operations that release."""
    operations = [o for f in method.actor.facts.vocabulary.frameworks for o in f.operations if o.role == "release"]
    return frozenset(name.rpartition(".")[2] for o in operations for name in o.names)


def _speaks(call: code.Call, words: frozenset[str]) -> bool:
    heads = [call.func, *[a.value for a in call.args]]
    return any(isinstance(e, (code.Attr, code.Name)) and code.dotted(e).rpartition(".")[2] in words for e in heads)
