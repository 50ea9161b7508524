"""Workflows that an actor drives by messages to itself: each handler sends the next one its turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from otplint.facts.queries.messaging.messages import comes_with_message, given_for, mailboxes, routes
from otplint.facts.queries.slices import bindings
from otplint.facts.queries.state.storage import saves
from otplint.facts.queries.state.touches import Accesses, Touched
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Event, Method

_TELLS = ("cast", "send", "timer", "put")
_MAX_STEPS = 12


@dataclass(frozen=True)
class Step:
    """One link: a handler that sends its own actor the message of another."""

    sender: Touched
    receiver: Touched
    call: code.Call
    method: Method
    """Where the call is written."""


@dataclass(frozen=True)
class Chain:
    """Handlers that hand a workflow on, and the table in which they keep it."""

    steps: tuple[Step, ...]
    table: str

    @property
    def handlers(self) -> tuple[Touched, ...]:
        """All of them, in order."""
        return (*[step.sender for step in self.steps], self.steps[-1].receiver)


def chain(actor: Actor) -> Chain | None:
    """The longest chain of at least three handlers that share a table by key; none where its state is saved."""
    if _is_saved(actor):
        actor.exempt("it saves its state")
        return None
    touched = Accesses(actor).touched()
    links = list(_links(actor, touched))
    best: tuple[Step, ...] = ()
    for link in links:
        for path in _paths((link,), links):
            if len(path) > max(len(best), 1) and _table(path, actor):
                best = path
    if not best:
        few = "fewer than three handlers hand on to one another, or they share no table by a key of the message"
        actor.exempt(few if links else "its handlers send each other no messages")
    return Chain(best, _table(best, actor)) if best else None


def _paths(path: tuple[Step, ...], links: list[Step]) -> Iterator[tuple[Step, ...]]:
    """The ways on from a path that come to no handler twice."""
    yield path
    if len(path) >= _MAX_STEPS:
        return
    been = {id(step.sender) for step in path} | {id(path[-1].receiver)}
    for link in links:
        if link.sender is path[-1].receiver and id(link.receiver) not in been:
            yield from _paths((*path, link), links)


def _is_saved(actor: Actor) -> bool:
    vocabulary = actor.facts.vocabulary
    names = [n for f in vocabulary.frameworks for o in f.operations if o.role == "persist" for n in o.names]
    bases = [n.rpartition(".")[0] for n in names]
    if actor.facts.project.derives_from(actor.qualname, bases) is not None:
        return True
    return any(saves(call, method) for method in actor.everything for call in method.calls)


def _table(path: tuple[Step, ...], actor: Actor) -> str:
    """A field that the handlers look up by what came with the message: at least two of them, the last step's too."""
    handlers = [step.sender for step in path] + [path[-1].receiver] if path else []
    for field in sorted({f for t in handlers for f in t.fields}):
        users = [t for t in handlers if field in t.fields]
        keyed = any(u.key is not None and comes_with_message(u.key, u.method) for u in actor.uses_of(field))
        if keyed and len(users) * 2 > len(handlers) and any(field in t.written for t in users):
            return field
    return ""


# -- links


def _links(actor: Actor, touched: tuple[Touched, ...]) -> Iterator[Step]:
    seen: set[tuple[int, int]] = set()
    for call, method, payload, name in _self_sends(actor):
        receivers = [t for t in touched if (t.entry.name == name if name else _takes(t, payload, method))]
        for sender in touched:
            if not _makes(sender, call, method):
                continue
            for receiver in receivers:
                if receiver is not sender and (id(sender), id(receiver)) not in seen:
                    seen.add((id(sender), id(receiver)))
                    yield Step(sender, receiver, call, method)


def _makes(sender: Touched, call: code.Call, method: Method) -> bool:
    """True where the call is written in the handler or in one of its helpers."""
    if method.code is sender.entry.method.code:
        statement = method.statement(call)
        return any(stmt is statement for stmt in code.statements(sender.entry.body))
    return any(helper.code is method.code for helper in sender.methods)


_SelfSend: TypeAlias = "tuple[code.Call, Method, code.Expr | None, str]"
"""Where the message is given, the message, and the method's name where a handle of itself is used instead."""


def _self_sends(actor: Actor) -> Iterator[_SelfSend]:
    """The messages that the actor sends to itself: by its own address, its mailbox, or a handle of itself."""
    boxes = mailboxes(actor)
    for method in actor.everything:
        for event in method.events:
            if event.role in _TELLS:
                for call, place, target, payload in _given(event):
                    own = event.role == "put" and place.own_attribute(target) in boxes
                    if own or (target is None and event.role != "put") or _is_self(target, place):
                        yield from _unwrapped(call, place, payload)
        for call in method.calls:
            name = _asked_of_self(call, method)
            if name:
                yield call, method, None, name


def _given(event: Event) -> Iterator[tuple[code.Call, Method, code.Expr | None, code.Expr | None]]:
    """Call, place, target and message of a send; where a wrapper is told the target, of each call of the wrapper."""
    if event.role in ("cast", "send") and event.target is not None:
        yield from ((call, place, target, payload) for place, call, target, payload in routes(event))
        return
    payload = event.payload
    if payload is None and event.role == "timer" and event.operation.parameters:
        payload = event.argument(event.operation.parameters[-1])
    yield event.call, event.method, event.target, payload


def _unwrapped(call: code.Call, method: Method, payload: code.Expr | None) -> Iterator[_SelfSend]:
    """The send itself, or each call of the own helper around it that is given the message."""
    actor = method.actor
    own = {p.name for p in method.code.params}
    match payload:
        case code.Seq(items=items):
            parts = items
        case code.Dict(items=pairs):
            parts = tuple(value for _, value in pairs)
        case _:
            parts = () if payload is None else (payload,)
    told = [part.id for part in parts if isinstance(part, code.Name) and part.id in own]
    calls = actor.sites(method) if told else ()
    for outer, caller in calls:
        yield from ((outer, caller, given_for(name, outer, method), "") for name in told)
    if not calls or len(told) < len(parts):
        yield call, method, payload, ""


def _is_self(target: code.Expr | None, method: Method) -> bool:
    """``self.pid``, ``self.actor_ref``, ``self.myAddress``: what the framework gives an actor to be reached by."""
    own = method.own_attribute(target)
    if own in method.actor.kind.attributes:
        return True
    if isinstance(target, code.Name) and method.is_local(target.id):
        values = list(bindings(target.id, method))
        return len(values) == 1 and _is_self(values[0], method)
    return bool(own) and any(
        isinstance(value, code.Attr) and _is_self(value, place) and place.own_attribute(value) != own
        for _, value, place in method.actor.assignments(own)
    )


def _asked_of_self(call: code.Call, method: Method) -> str:
    """The method that ``self.actor_ref.proxy().step()`` and ``self.ref().step.tell()`` run."""
    func = call.func
    while isinstance(func, code.Attr):
        if _is_own_handle(func.base, method):
            return func.name
        func = func.base
    return ""


def _is_own_handle(expr: code.Expr, method: Method, depth: int = 0) -> bool:
    if depth > 2:
        return False
    if isinstance(expr, code.Name) and method.is_local(expr.id):
        values = list(bindings(expr.id, method))
        return len(values) == 1 and _is_own_handle(values[0], method, depth + 1)
    own = method.own_attribute(expr)
    if own:
        made = [(value, place) for _, value, place in method.actor.assignments(own)]
        return len(made) == 1 and _is_own_handle(*made[0], depth + 1)
    if not isinstance(expr, code.Call) or not isinstance(expr.func, code.Attr):
        return False
    event = method.event(expr)
    of_self = isinstance(expr.func.base, code.Name) and expr.func.base.id == method.self_name
    return event is not None and event.role == "make" and (of_self or _is_self(expr.func.base, method))


# -- which handler takes a message


def _takes(touched: Touched, payload: code.Expr | None, method: Method, depth: int = 0) -> bool:
    """True where the handler's branch is for this message."""
    entry = touched.entry
    if payload is None or depth > 2:
        return False
    if isinstance(payload, code.Name) and method.is_local(payload.id):
        values = list(bindings(payload.id, method))
        if len(values) == 1:
            return _takes(touched, values[0], method, depth + 1)
    type_ = method.actor.values.type_of(payload, method)
    if type_ and (type_ in entry.types or entry.name.endswith(f"_{type_.rpartition('.')[2]}")):
        return True
    match payload:
        case code.Const(value=value):
            return value in entry.values
        case code.Seq(items=items):
            return bool(items) and _takes(touched, items[0], method, depth + 1)
        case code.Dict(items=items):
            return any(isinstance(value, code.Const) and value.value in entry.values for _, value in items)
        case code.Attr() | code.Name():
            named = method.qualname(payload)
            return bool(named) and named in (*entry.values, *entry.types)
    return False
