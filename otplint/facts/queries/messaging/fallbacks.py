"""Requests that are made again, in another way, after a call has failed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from otplint.facts.flow import Point
from otplint.facts.methods import Event, Method
from otplint.facts.origins import origins
from otplint.facts.queries.failure.catches import caught_types
from otplint.facts.queries.messaging.messages import given_for, raw_writes
from otplint.facts.syntax import code
from otplint.facts.values import local_values

if TYPE_CHECKING:
    from otplint.facts.actors import Actor

_ROLES = ("call", "cast", "send")
_UNRELATED = {"ValueError", "KeyError", "TypeError", "AttributeError", "IndexError", "LookupError", "ZeroDivisionError",
              "AssertionError", "StopIteration", "ImportError", "UnicodeDecodeError", "asyncio.CancelledError",
              "KeyboardInterrupt", "SystemExit", "GeneratorExit"}  # fmt: skip
_KEYS = re.compile(r"idempoten|dedup|nonce|uuid|(?:request|message|correlation|operation|op|txn?)_?id", re.IGNORECASE)
_KEY_WORD = re.compile(r"(?:^|_)(?:key|token)$", re.IGNORECASE)
_TAKES_BACK = re.compile(
    r"cancel|abort|stop|forget|withdraw|release|roll_?back|undo|status|ping|query|check|fail|expire|timed?_?out",
    re.IGNORECASE,
)


class Message(NamedTuple):
    """One message that is sent: what, to whom, and how."""

    role: str
    """``call``, ``cast``, ``send``, or ``put`` for a write into the receiver's mailbox."""
    call: code.Call
    method: Method
    target: code.Expr | None
    payload: code.Expr | None
    name: str = ""
    """What is called, where a reference takes any name for a message."""


class Fallback(NamedTuple):
    """A message in the failure path of a call that asks for the same thing once more."""

    again: Message
    failed: Message
    place: tuple[Method, code.Call]
    """Where the second message is chosen: its own call, or that of the wrapper it goes through."""
    handler: code.Handler | None
    same_target: bool
    same_payload: bool
    excuse: str = ""
    """Why it is no second request, or is right; empty where it is neither."""


def messages(actor: Actor) -> dict[int, Message]:
    """The messages that the actor's functions send, by the identity of their calls."""
    found: dict[int, Message] = {}
    for method in actor.everything:
        for event in method.events:
            if event.role in _ROLES and event.target is not None:
                name, payload = _named(event)
                found[id(event.call)] = Message(event.role, event.call, method, event.target, payload, name)
            elif event.role == "call" and (asked := _awaited(event)) is not None:
                name, payload = _named(asked)
                found[id(event.call)] = Message(event.role, event.call, method, asked.target, payload, name)
    for write in raw_writes(actor):
        found[id(write.call)] = Message("put", write.call, write.method, write.owner, write.payload)
    return found


def _awaited(event: Event) -> Event | None:
    """The request whose answer a call waits for: ``ray.get(ref.add.remote(1))``, also by a local in between."""
    given = _plain(event.call.positional(0), event.method)
    asked = event.method.event(given) if isinstance(given, code.Call) else None
    return asked if asked is not None and asked.role == "cast" and asked.target is not None else None


def _named(event: Event) -> tuple[str, code.Expr | None]:
    """Name and payload; ``ref.add(1)`` and ``ref.add.tell(1)`` are the same message: its name, and what it is given."""
    call, func = event.call, event.call.func
    if not any(".*" in name for name in event.operation.names):
        return "", event.payload
    while isinstance(func, code.Attr) and func.base is not event.target:
        func = func.base
    if not isinstance(func, code.Attr):
        return "", event.payload
    return func.name, code.Call(call.start, call.end, code.Name(func.start, func.end, func.name), call.args)


def fallbacks(actor: Actor) -> list[Fallback]:
    """The second requests of an actor, each once."""
    return [fallback for fallback in actor.remembered(after_failure) if not fallback.excuse]


def after_failure(actor: Actor) -> list[Fallback]:
    """The messages that an actor sends where a call has failed, each once: second requests, and what is excused."""
    sent = messages(actor)
    calls = [m for m in sent.values() if m.role == "call"]
    found: dict[int, Fallback] = {}
    if not calls or len(sent) < 2:
        return []
    places = {id(message.call): place for place, message in enumerate(calls)}
    written: dict[int, set[int]] = {}
    for place, message in enumerate(calls):
        for around in (message.method, message.method.outer):
            written.setdefault(id(around), set()).add(place)
    for method in actor.methods:
        passed = {places[node] for node in method.flow.among(places.keys())}
        for failed in [calls[place] for place in sorted(passed | written.get(id(method), set()))]:
            for node in _steps(failed, method):
                for fallback in _after(failed, node, method, sent):
                    known = found.setdefault(id(fallback.place[1]), fallback)
                    if known.excuse and not fallback.excuse:
                        found[id(fallback.place[1])] = fallback
    return list(found.values())


def _steps(message: Message, method: Method) -> Iterator[code.Call]:
    """The step of ``method`` that raises when the call fails: the call, or the one that runs it in a lambda."""
    if method.flow.at(message.call):
        yield message.call
    elif message.method is method:
        for up in method.above(message.call):
            if isinstance(up, code.Call) and method.flow.at(up):
                yield up
                return
    elif message.method.outer is method:
        name = message.method.name
        yield from (c for c in method.calls if any(code.dotted(a.value) == name for a in c.args))


def _after(failed: Message, node: code.Call, method: Method, sent: dict[int, Message]) -> Iterator[Fallback]:
    points = method.flow.only_after_failure(node)
    for point in points:
        again = sent.get(id(point.node))
        if again is None or again.call is failed.call or point.node is failed.call:
            continue
        handler = _handler(again, method, points)
        place, target, payload = _seen_through(again, method, points)
        first_target, first_payload = failed.target, failed.payload
        if failed.method is not method:
            _, first_target, first_payload = _seen_through(failed, method, list(method.flow.points))
        to_same = _equal(target, place[0], first_target, failed.method)
        says_same = _equal(payload, place[0], first_payload, failed.method)
        why = ""
        if handler is not None and not _may_catch(handler, method):
            why = "the error that is caught is none of a failed call"
        elif again.name != failed.name or (
            not (to_same and (says_same or _carries(payload, first_payload))) and not says_same
        ):
            why = "it is another message than the one that failed: a report, a cancellation, a question"
        elif _has_key(payload, place[0]) or _has_key(first_payload, failed.method):
            why = "the request carries a key by which its receiver sees that it is the same one"
        elif not to_same and handler is not None and _never_arrived(handler, method):
            why = "the failure says that the request never arrived, and another receiver gets it"
        yield Fallback(again, failed, place, handler, to_same, says_same, why)


def _handler(again: Message, method: Method, points: list[Point]) -> code.Handler | None:
    """The ``except`` clause of the failure path, nearest to the second message."""
    node: code.Node = again.call
    if again.method is not method:
        found = [p.node for p in points if isinstance(p.node, code.Handler)]
        return found[0] if len(found) == 1 else None
    return next((up for up in method.above(node) if isinstance(up, code.Handler)), None)


def _may_catch(handler: code.Handler, method: Method) -> bool:
    types = {t.removeprefix("builtins.") for t in caught_types(handler.type, method)}
    return not types or not types <= _UNRELATED


def _never_arrived(handler: code.Handler, method: Method) -> bool:
    """True where only failures are caught that tell that the request was not delivered."""
    types = caught_types(handler.type, method)
    facts = method.actor.facts
    return bool(types) and all(facts.project.derives_from(t, facts.vocabulary.undelivered) for t in types)


def _seen_through(
    message: Message, method: Method, points: list[Point]
) -> tuple[tuple[Method, code.Call], code.Expr | None, code.Expr | None]:
    """Place, target and payload of a message, with a wrapper's parameters replaced by what it is given."""
    place, target, payload = (message.method, message.call), message.target, message.payload
    actor = message.method.actor
    for _ in range(3):
        current = place[0]
        if current is method:
            break
        sites = {id(call): (owner, call) for call, owner in actor.sites(current)}
        made = next((sites[id(p.node)] for p in points if id(p.node) in sites), None) if sites else None
        names = {p.name for p in current.code.params} - {current.self_name}
        used = {e.id for x in (target, payload) for e in code.walk(x) if isinstance(e, code.Name)} & names
        if made is None or not used:
            break
        caller, call = made
        target, payload = (_replaced(x, call, current) for x in (target, payload))
        place = (caller, call)
    return place, target, payload


def _replaced(expr: code.Expr | None, call: code.Call, function: Method) -> code.Expr | None:
    if isinstance(expr, code.Name):
        return given_for(expr.id, call, function) or expr
    if isinstance(expr, code.Call):
        args = tuple(replace(a, value=_replaced(a.value, call, function) or a.value) for a in expr.args)
        return replace(expr, args=args)
    if isinstance(expr, code.Seq):
        return replace(expr, items=tuple(_replaced(i, call, function) or i for i in expr.items))
    return expr


def _plain(expr: code.Expr | None, method: Method) -> code.Expr | None:
    """A local that is bound once stands for its value, where that is a name, an attribute or a message."""
    for _ in range(3):
        if not isinstance(expr, code.Name):
            break
        values = list(local_values(expr.id, method))
        if len(values) != 1 or (isinstance(values[0], (code.Await, code.Seq)) and isinstance(values[0], code.Await)):
            break
        expr = values[0]
    return expr


def _equal(a: code.Expr | None, at_a: Method, b: code.Expr | None, at_b: Method) -> bool:
    if a is None or b is None:
        return False
    if code.same(a, b):
        return True
    first, second = _plain(a, at_a), _plain(b, at_b)
    own = at_a.own_attribute(first)
    return code.same(first, second) or bool(own and own == at_b.own_attribute(second))


def _arguments(expr: code.Expr | None) -> list[code.Expr]:
    match expr:
        case code.Call(args=args):
            return [a.value for a in args]
        case code.Seq(items=items):
            return list(items)
        case code.Dict(items=entries):
            return [value for _, value in entries]
    return [] if expr is None else [expr]


def _carries(again: code.Expr | None, first: code.Expr | None) -> bool:
    """True where a message has all that the first one had, in another wrapping; a cancellation is none."""
    if isinstance(again, code.Call) and _TAKES_BACK.search(code.dotted(again.func)):
        return False
    words = [e.value for e in _arguments(again) if isinstance(e, code.Const) and isinstance(e.value, str)]
    if any(_TAKES_BACK.search(word) for word in words):
        return False
    wanted = [e for e in _arguments(first) if not isinstance(e, code.Const)]
    given = [again, *_arguments(again)]
    whole = first is not None and any(code.same(first, g) for g in given)
    return whole or (bool(wanted) and all(any(code.same(w, g) for g in given) for w in wanted))


def _has_key(payload: code.Expr | None, method: Method) -> bool:
    """True where the message carries what lets its receiver see that it is the same request."""
    if payload is None:
        return False
    for origin in [*origins(payload, method)]:
        for node in code.walk(origin.expr):
            if isinstance(node, code.Call):
                if any(_is_key(a.name) for a in node.args) or _makes_key(node, origin.method):
                    return True
                owner = origin.method.actor.facts.owner(origin.method.qualname(node.func))
                fields = [code.dotted(t) for s in owner.class_body.body for t in _targets(s)] if owner else []
                if any(_is_key(name) for name in fields):
                    return True
            elif isinstance(node, (code.Attr, code.Name)):
                if _is_key(node.name if isinstance(node, code.Attr) else node.id) or _is_given_key(node, origin.method):
                    return True
                if isinstance(node, code.Name) and any(
                    isinstance(c, code.Call) and _makes_key(c, o.method)
                    for o in origins(node, origin.method)
                    for c in code.walk(o.expr)
                ):
                    return True
            elif isinstance(node, code.Dict):
                keys = [k.value for k, _ in node.items if isinstance(k, code.Const) and isinstance(k.value, str)]
                if any(_is_key(key) for key in keys):
                    return True
    return False


def _is_given_key(payload: code.Attr | code.Name, method: Method) -> bool:
    """``payload["idempotency_key"] = ...``, ``payload.request_id = ...``, ``payload.setdefault("request_id", ...)``."""
    for call in method.calls:
        match call:
            case code.Call(func=code.Attr(base=base, name="setdefault"), args=(first, *_)):
                word = first.value.value if isinstance(first.value, code.Const) else None
                if code.same(base, payload) and isinstance(word, str) and _is_key(word):
                    return True
    for stmt in method.statements:
        for target in _targets(stmt):
            match target:
                case code.Sub(base=base, key=code.Const(value=str(name))) | code.Attr(base=base, name=name):
                    if code.same(base, payload) and _is_key(name):
                        return True
    return False


def _targets(stmt: code.Stmt) -> tuple[code.Expr, ...]:
    return stmt.targets if isinstance(stmt, code.Assign) else ()


def _is_key(name: str) -> bool:
    return bool(_KEYS.search(name) or _KEY_WORD.search(name))


def _makes_key(call: code.Call, method: Method) -> bool:
    return method.qualname(call.func).startswith(("uuid.uuid", "secrets.token", "ulid."))
