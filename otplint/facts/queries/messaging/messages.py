"""Messages between actors: who is written to, with what, and what came with a message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from otplint.facts import recognise
from otplint.facts.methods import Event, Role
from otplint.facts.queries.slices import behind, bindings
from otplint.facts.syntax import code
from otplint.facts.values import annotation_type

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.facts import Facts
    from otplint.facts.methods import Method

_MAX_DEPTH = 6
_TAKES = {"get", "get_nowait", "popleft", "recv", "receive"}
_PUTS = {"put", "put_nowait", "send", "send_nowait", "append", "appendleft"}

_TAKEN_BACK = "the actor itself takes out of that queue again: it is nobody else's mailbox"


class RawWrite(NamedTuple):
    """``other.inbox.put(message)``: a write into a mailbox that is not the writer's own."""

    call: code.Call
    method: Method
    owner: code.Expr
    """Whose mailbox it is."""
    mailbox: str
    """Name of the attribute."""
    payload: code.Expr | None
    actor: Actor | None
    """The owner's class; none for the inbox that a framework gives its actors."""
    doors: tuple[str, ...]
    """The owner's own methods that put into that mailbox and were passed by."""


def mailboxes(actor: Actor) -> frozenset[str]:
    """The own attributes that the actor's loop takes its messages from."""
    found = set()
    for method in actor.everything:
        if method.role is not Role.LOOP and not any(m.role is Role.LOOP for m in actor.callers(method)):
            continue
        for call in method.calls:
            if not isinstance(call.func, code.Attr) or call.func.name not in _TAKES:
                continue
            attribute = method.own_attribute(call.func.base)
            if _only_empties(call, method):
                continue
            if attribute and (call.func.name != "get" or recognise.takes_from_queue(call, method)):
                found.add(attribute)
    return frozenset(found)


def _only_empties(call: code.Call, method: Method) -> bool:
    """True for a loop that takes what is there and ends when nothing is left: nobody waits for messages in it."""
    if not isinstance(call.func, code.Attr) or call.func.name != "get_nowait":
        return False
    above = [*method.above(call)]
    loop = next((i for i, up in enumerate(above) if isinstance(up, (code.While, code.For))), None)
    tries = [(i, up) for i, up in enumerate(above) if isinstance(up, code.Try) and up.handlers]
    if loop is None or not tries:
        return False
    place, nearest = tries[0]
    leaves = (code.Break, code.Return)
    ends = [any(isinstance(s, leaves) for s in code.statements(h.body)) for h in nearest.handlers]
    return place > loop or all(ends)


def doors(actor: Actor, mailbox: str) -> tuple[str, ...]:
    """The actor's own methods that put into its mailbox."""
    return tuple(
        dict.fromkeys(
            m.name
            for m in actor.everything
            for c in m.calls
            if isinstance(c.func, code.Attr) and c.func.name in _PUTS and m.own_attribute(c.func.base) == mailbox
            if m.role not in (Role.LOOP, Role.START, Role.STOP) and m.outer is None
        )
    )


def raw_writes(actor: Actor) -> Iterator[RawWrite]:
    """The writes into the mailboxes of other actors, by the actor's own functions."""
    for method in actor.methods:
        for call in method.calls:
            if isinstance(call.func, code.Attr) and call.func.name in _PUTS:
                box = _resolved(call.func.base, method)
                if isinstance(box, code.Attr):
                    found = (_through_own if method.own_attribute(box) else _written)(call, box, method)
                    if found is not None and not method.exempt(call, _TAKEN_BACK * _taken_by_writer(found)):
                        yield found


def _taken_by_writer(write: RawWrite) -> bool:
    """True where the writer takes out of the same mailbox itself, or runs the loop that does."""
    method, actor = write.method, write.method.actor
    mine = behind(write.owner, method).attributes if write.actor is not None else frozenset()
    loops = {m.name for m in write.actor.everything if m.role is Role.LOOP} if write.actor is not None else set()
    for place in actor.everything if mine else ():
        for call in place.calls:
            func = call.func
            if not isinstance(func, code.Attr):
                continue
            box = func.base
            owner = box if func.name in loops else None
            if isinstance(box, code.Attr) and box.name == write.mailbox and func.name in _TAKES:
                owner = box.base
            if owner is not None and behind(owner, place).touches(mine):
                return True
    return False


def _resolved(box: code.Expr, method: Method) -> code.Expr:
    """The mailbox behind a local that is bound once."""
    if isinstance(box, code.Name):
        found = list(bindings(box.id, method))
        if len(found) == 1:
            return found[0]
    return box


def _through_own(call: code.Call, box: code.Attr, method: Method) -> RawWrite | None:
    """``self.other.inbox``: an own attribute that holds another actor, or a handle to one."""
    path = method.own_attribute(box.base)
    if not path or path in ("actor_ref",):
        return None
    return _written(call, box, method)


def _written(call: code.Call, box: code.Attr, method: Method) -> RawWrite | None:
    payload = call.args[0].value if call.args else None
    type_ = method.actor.values.type_of(box.base, method)
    if type_ == method.actor.qualname and isinstance(box.base, code.Name) and box.base.id == method.self_name:
        return None
    inbox = method.actor.kind.attributes.get(box.name, "")
    if inbox and method.actor.facts.vocabulary.exact.get(f"{inbox}.{call.func.name}"):  # type: ignore[union-attr]
        return RawWrite(call, method, box.base, box.name, payload, None, ())
    for other in _candidates(type_, box.name, method):
        if box.name in mailboxes(other):
            return RawWrite(call, method, box.base, box.name, payload, other, doors(other, box.name))
    return None


def _candidates(type_: str, mailbox: str, method: Method) -> Iterator[Actor]:
    """The actor that a handle stands for; where its type is unknown, those that the file defines or imports."""
    facts = method.actor.facts
    if type_:
        located = facts.project.find_class(type_)
        found = facts.actor(*located) if located is not None else None
        if found is not None and found.is_actor:
            yield found
        return
    index = method.source.index
    names = [f"{index.module}.{entry.qualname}" for entry in index.classes]
    names += [method.source.resolve(local) for local in index.imports]
    for name in dict.fromkeys(names):
        located = facts.project.find_class(name)
        found = facts.actor(*located) if located is not None else None
        if found is not None and found.is_actor and mailbox in mailboxes(found):
            yield found


def comes_with_message(expr: code.Expr | None, method: Method, depth: int = 0) -> bool:
    """True for a part of the message that is being handled: its sender, a field, what was unpacked from it."""
    while not isinstance(expr, code.Name):
        match expr:
            case code.Attr(base=base) | code.Sub(base=base) | code.Await(value=base) | code.Star(value=base):
                if isinstance(expr, code.Attr) and method.own_attribute(expr):
                    return False
                expr = base
            case code.Call(func=code.Attr(base=base, name=name)):
                if name in _TAKES and (depth or method.role is Role.LOOP) and recognise.takes_from_queue(expr, method):
                    return True
                expr = base
            case _:
                return False
    if depth > _MAX_DEPTH or expr.id == method.self_name:
        return False
    place: Method | None = method
    while place is not None:
        if any(p.name == expr.id for p in place.code.params):
            if place.role is Role.HANDLER:
                return True
            given = [
                (value, caller)
                for call, caller in place.actor.facts.calls_of(place)
                if (value := given_for(expr.id, call, place)) is not None and caller.actor.is_actor
            ]
            return bool(given) and all(comes_with_message(value, caller, depth + 1) for value, caller in given)
        if place.role is Role.LOOP and _is_received(expr.id, place):
            return True
        values = list(bindings(expr.id, place))
        if values:
            return any(comes_with_message(value, place, depth + 1) for value in values)
        place = place.outer
    return False


def _is_received(name: str, method: Method) -> bool:
    """``async for message in channel``: each round waits for the next one."""
    return any(
        isinstance(stmt, code.For)
        and stmt.is_async
        and any(isinstance(e, code.Name) and e.id == name for e in code.walk(stmt.target))
        for stmt in method.statements
    )


def given_for(parameter: str, call: code.Call, function: Method) -> code.Expr | None:
    """The argument of ``call`` that becomes a parameter of the function it runs."""
    names = [p.name for p in function.code.params if not p.star]
    if parameter not in names:
        return None
    return call.argument(
        names.index(parameter) - (1 if function.self_name and function.outer is None else 0), parameter
    )


def routes(event: Event) -> list[tuple[Method, code.Call, code.Expr, code.Expr | None]]:
    """Where a message is given its target: at the event, or at each call of the own wrapper around it.

    Each route has the function and the call to look at, the target and the payload as seen there.
    """
    target, payload = event.target, event.payload
    if target is None:
        return []
    method = event.method
    wrapped = isinstance(target, code.Name) and any(p.name == target.id for p in method.code.params)
    if not wrapped or not isinstance(target, code.Name) or method.role is Role.HANDLER:
        return [(method, event.call, target, payload)]
    found: list[tuple[Method, code.Call, code.Expr, code.Expr | None]] = []
    for call, caller in method.actor.sites(method):
        to = given_for(target.id, call, method)
        what = given_for(payload.id, call, method) if isinstance(payload, code.Name) else None
        if to is not None:
            found.append((caller, call, to, what if what is not None else payload))
    return found or [(method, event.call, target, payload)]


def requests(payload: code.Expr | None, method: Method) -> str:
    """What a message is to its receiver: ``call``, ``cast``, ``info``, ``signal``, or the empty string if unknown.

    Servers of the project say so by the types that their handlers test for or match.
    """
    facts = method.actor.facts
    type_ = method.actor.values.type_of(payload, method)
    if not type_ or type_ in ("dict", "list", "tuple", "set"):
        return ""
    if type_ in facts.vocabulary.down or facts.project.derives_from(type_, ["otplint.runtime.Exit"]):
        return "signal"
    if facts.project.derives_from(type_, ["otplint.runtime.Call"]):
        return "call"
    handled = set(_handlers_of(type_, facts))
    if "handle_call" in handled:
        return "call"
    if "handle_cast" in handled:
        return "cast"
    return "info" if handled else ""


def _handlers_of(type_: str, facts: Facts) -> Iterator[str]:
    """The names of the handlers of the project's actors that test for or match a message type."""
    for index in facts.holding(type_.rpartition(".")[2]):
        for entry in index.classes:
            if not facts.kinship.actor_root(f"{index.module}.{entry.qualname}"):
                continue
            actor = facts.actor(index, entry)
            for method in actor.methods if actor is not None else ():
                if method.role is Role.HANDLER and type_ in _tested_types(method):
                    yield method.name


def _tested_types(method: Method) -> Iterator[str]:
    for param in method.code.params[1:2]:
        yield annotation_type(param.annotation, method)
    for call in method.calls:
        if code.dotted(call.func) == "isinstance" and len(call.args) == 2:
            yield from _type_names(call.args[1].value, method)
    for stmt in method.statements:
        for case in stmt.cases if isinstance(stmt, code.Match) else ():
            yield from (method.qualname(e.func) for e in code.walk(case.pattern) if isinstance(e, code.Call))


def _type_names(expr: code.Expr, method: Method) -> Iterator[str]:
    match expr:
        case code.Seq(items=items):
            for item in items:
                yield from _type_names(item, method)
        case code.Binary(left=left, right=right):
            yield from _type_names(left, method)
            yield from _type_names(right, method)
        case _:
            yield method.qualname(expr)
