"""Mutable objects that two actors hold at once: own state handed out, and messages changed after they were sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otplint.facts.flow import Point
from otplint.facts.methods import Role
from otplint.facts.syntax import code
from otplint.facts.values import local_assignments

if TYPE_CHECKING:
    from otplint.facts.actors import Actor, Use
    from otplint.facts.methods import Event, Method

_MUTABLE = frozenset((
    "list", "dict", "set", "bytearray", "collections.deque", "collections.defaultdict", "collections.OrderedDict",
    "collections.Counter", "typing.List", "typing.Dict", "typing.Set", "collections.abc.MutableMapping",
))  # fmt: skip
_CHANGES = frozenset((
    "append", "appendleft", "extend", "extendleft", "insert", "add", "update", "setdefault", "pop", "popitem",
    "popleft", "remove", "discard", "clear", "sort", "reverse",
))  # fmt: skip
_IN_PLACE = frozenset(("insert", "append", "prepend", "remove", "clear", "update"))
_SENDS = frozenset(("cast", "send", "put", "call", "reply"))


@dataclass(frozen=True)
class Shared:
    """One mutable object that its sender changes while somebody else has it."""

    object: code.Expr
    """Where it is handed out."""
    method: Method
    change: code.Node
    """Where it is changed afterwards."""
    changer: Method
    is_state: bool
    """True for the actor's own state, false for a local that was sent."""


def shared(actor: Actor) -> Iterator[Shared]:
    """The mutable objects that the actor hands out by reference and changes, each place once."""
    for method in actor.working:
        for copy in _copied(method) if method.asked_why else ():
            method.exempt(copy, "what goes out is made of it, not the object itself")
        handed = [*_returned(method), *[(e, part) for e in method.events for part in _sent(e)]]
        for event, expr in handed:
            own = method.own_attribute(expr)
            if own and not isinstance(expr, code.Name) and _is_own_container(own, actor):
                use = _change(own, actor)
                if use is not None:
                    yield Shared(expr, method, use.node, use.method, True)
                else:
                    method.exempt(expr, f"{own} is never changed in place while the actor works")
            elif own and not isinstance(expr, code.Name):
                method.exempt(expr, f"{own} is no plain container that the actor makes itself")
            elif isinstance(expr, code.Name) and event is not None and event.role != "call":
                changed = _changed_after(expr, event, method)
                if changed is not None:
                    yield Shared(expr, method, changed, method, False)
                else:
                    method.exempt(expr, "nothing in this function changes it after it was sent")


def _copied(method: Method) -> Iterator[code.Expr]:
    """Copies of the actor's own containers among a handler's answers."""
    for stmt in method.statements if method.role is Role.HANDLER else ():
        if isinstance(stmt, code.Return) and isinstance(stmt.value, code.Call):
            given = [a.value for a in stmt.value.args]
            given += [stmt.value.func.base] if isinstance(stmt.value.func, code.Attr) else []
            if any(_is_own_container(own, method.actor) for e in given if (own := method.own_attribute(e))):
                yield stmt.value


def _returned(method: Method) -> Iterator[tuple[Event | None, code.Expr]]:
    """What a handler answers with, where the caller gets the very object."""
    kind = method.actor.kind
    if method.role is Role.HANDLER and kind.by_reference:
        for stmt in method.statements:
            if isinstance(stmt, code.Return) and stmt.value is not None:
                yield from ((None, part) for part in _parts(stmt.value))


def _sent(event: Event) -> Iterator[code.Expr]:
    if event.role in _SENDS and event.operation.by_reference and event.payload is not None:
        yield from _parts(event.payload)


def _parts(expr: code.Expr) -> Iterator[code.Expr]:
    """A message and what is in it as it is: in displays, and in what looks like a message's constructor."""
    match expr:
        case code.Name() | code.Attr():
            yield expr
        case code.Seq(items=items):
            for item in items:
                yield from _parts(item)
        case code.Dict(items=pairs):
            for _, value in pairs:
                yield from _parts(value)
        case code.Cond(then=then, other=other):
            yield from _parts(then)
            yield from _parts(other)
        case code.Call(func=func, args=args) if code.dotted(func).rpartition(".")[2][:1].isupper():
            for arg in args:
                if not arg.star:
                    yield from _parts(arg.value)


def _is_own_container(attribute: str, actor: Actor) -> bool:
    """True for an attribute that is only ever made as a plain mutable container."""
    if "." in attribute:
        return False
    values = [(value, place) for _, value, place in actor.assignments(attribute)]
    return bool(values) and all(_is_container(value, place) for value, place in values)


def _is_container(value: code.Expr, method: Method) -> bool:
    made = method.qualname(value.func) if isinstance(value, code.Call) else ""
    return (made or method.actor.values.type_of(value, method)) in _MUTABLE


def _change(attribute: str, actor: Actor) -> Use | None:
    """Where the actor changes the container in place while it works; a new one in its place harms nobody."""
    alive = [m for m in actor.everything if m.role in (Role.HANDLER, Role.LOOP)]
    working = {*actor.working, *actor.reached(*alive)}
    for use in actor.uses_of(attribute):
        if use.kind in _IN_PLACE and use.method in working and use.method.role is not Role.START:
            return use
    return None


def _changed_after(sent: code.Name, event: Event, method: Method) -> code.Node | None:
    """The first change of a local container on a path after it was sent, unless it is a new one by then."""
    made = [*local_assignments(sent.id, method)]
    plain = bool(made) and all(_is_container(value, method) for _, value in made)
    if not plain or any(p.name == sent.id for p in method.code.params):
        return None
    rebound = {id(stmt) for stmt, _ in made}
    home = method.code

    def changes(point: Point) -> bool:
        return point.function is home and _changes(point.node, sent.id)

    def renews(point: Point) -> bool:
        return id(point.node) in rebound

    found = method.flow.reached(event.call, changes, avoiding=renews)
    return found[-1].node if found else None


def _changes(node: code.Node | None, name: str) -> bool:
    match node:
        case code.Call(func=code.Attr(base=code.Name(id=base), name=done)):
            return base == name and done in _CHANGES
        case code.Assign(targets=targets) | code.Delete(targets=targets):
            return any(_is_entry(target, name) for target in targets)
        case code.Augment(target=target):
            return _is_entry(target, name) or (isinstance(target, code.Name) and target.id == name)
    return False


def _is_entry(target: code.Expr, name: str) -> bool:
    return isinstance(target, code.Sub) and isinstance(target.base, code.Name) and target.base.id == name
