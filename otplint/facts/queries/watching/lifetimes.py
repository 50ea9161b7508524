"""Whose an object is: made by the actor, so that it ends with it, or given to it, so that it may live on."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import TYPE_CHECKING

from otplint.facts.methods import Method
from otplint.facts.queries.slices import given_by_callers
from otplint.facts.syntax import code
from otplint.facts.values import local_values

if TYPE_CHECKING:
    from otplint.facts.actors import Actor

_MAX_DEPTH = 6


class Life(enum.Enum):
    """How long an object lives, as far as can be told."""

    OWNED = "owned"
    """The actor made it."""
    GIVEN = "given"
    """It was there before: a parameter, a module's, a framework's."""
    UNKNOWN = "unknown"


def life(expr: code.Expr | None, method: Method, depth: int = 0) -> Life:
    """Whose the object is that ``expr`` stands for, or that it is a part of."""
    if expr is None or depth > _MAX_DEPTH:
        return Life.UNKNOWN
    match expr:
        case code.Await(value=value) | code.Walrus(value=value):
            return life(value, method, depth + 1)
        case code.Bool(parts=parts):
            return _longest(life(p, method, depth + 1) for p in parts)
        case code.Cond(then=then, other=other):
            return _longest([life(then, method, depth + 1), life(other, method, depth + 1)])
        case code.Sub(base=base):
            return life(base, method, depth + 1)
        case code.Call():
            return _made(expr, method, depth)
        case code.Attr(base=base):
            own = method.own_attribute(expr)
            if own:
                return _attribute(own.partition(".")[0], method.actor, depth)
            return Life.GIVEN if method.qualname(expr) else life(base, method, depth + 1)
        case code.Name(id=name):
            return _name(name, method, depth)
    return Life.UNKNOWN


def _longest(lives: Iterable[Life]) -> Life:
    found = set(lives)
    return next((x for x in (Life.GIVEN, Life.UNKNOWN) if x in found), Life.OWNED if found else Life.UNKNOWN)


def _made(call: code.Call, method: Method, depth: int) -> Life:
    """The result of a call: an object of its own, or one that many share (``get_running_loop()``)."""
    event = method.event(call)
    name = method.qualname(call.func)
    if event is not None and event.role == "make":
        return Life.OWNED if name.rpartition(".")[2].startswith("new_") else Life.GIVEN
    if name.rpartition(".")[2][:1].isupper() or method.actor.facts.owner(name) is not None:
        return Life.OWNED
    helper = method.actor.own_method(call, method)
    if helper is not None:
        given = [s.value for s in helper.statements if isinstance(s, code.Return) and s.value is not None]
        return _longest(life(value, helper, depth + 1) for value in given)
    if isinstance(call.func, code.Attr) and not name:
        base = call.func.base
        of_itself = isinstance(base, code.Name) and base.id == method.self_name
        owned = not of_itself and life(base, method, depth + 1) is Life.OWNED
        return Life.OWNED if owned else Life.UNKNOWN
    return Life.UNKNOWN


def _attribute(name: str, actor: Actor, depth: int) -> Life:
    values = [(value, method) for _, value, method in actor.assignments(name)]
    values = [(v, m) for v, m in values if not (isinstance(v, code.Const) and v.value is None)]
    if not values:
        return Life.GIVEN if name in actor.kind.attributes else Life.UNKNOWN
    return _longest(life(value, method, depth + 1) for value, method in values)


def _name(name: str, method: Method, depth: int) -> Life:
    position = next((i for i, p in enumerate(method.code.params) if p.name == name), None)
    if name == method.self_name:
        return Life.OWNED
    if position is not None:
        return _parameter(name, position, method, depth)
    values = list(local_values(name, method))
    if values:
        return _longest(life(value, method, depth + 1) for value in values)
    if method.outer is not None:
        return _name(name, method.outer, depth + 1)
    if method.is_local(name):
        return Life.UNKNOWN
    return Life.GIVEN if method.qualname(code.Name(0, 0, name)) else Life.UNKNOWN


def _parameter(name: str, position: int, method: Method, depth: int) -> Life:
    """What own callers pass; from elsewhere it is given. Who makes the actor and passes itself may end with it."""
    shift = 1 if method.self_name and method.outer is None else 0
    given = given_by_callers(name, position, method)
    if given:
        return _longest(life(value, caller, depth + 1) for value, caller in given)
    if method.name == "__init__":
        makers = [
            (value, caller)
            for call, caller in method.actor.facts.calls_of(method)
            if (value := call.argument(position - shift, name)) is not None
        ]
        if makers and all(isinstance(v, code.Name) and v.id == m.self_name and m.self_name for v, m in makers):
            return Life.UNKNOWN
    return Life.GIVEN
