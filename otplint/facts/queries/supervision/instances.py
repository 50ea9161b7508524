"""Child specs that hold an instance, so that a restart gets the old object back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otplint.facts.methods import Event
from otplint.facts.origins import Origin, origins
from otplint.facts.queries.slices import bindings
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Method

_MAX_DEPTH = 4
_CACHES = {"functools.cache", "functools.lru_cache", "functools.cached_property"}


@dataclass(frozen=True, slots=True)
class HeldInstance:
    """A child spec whose factory gives the same instance again and again."""

    event: Event
    factory: code.Expr
    """What the spec is given to make the child."""
    made: code.Expr | None
    """Where the instance is made, if that was found."""
    place: Method | None
    """The function that it is made in."""


def held_instances(actor: Actor) -> Iterator[HeldInstance]:
    """The children of the actor's (or setup code's) own specs that cannot be made anew."""
    for event in actor.events("child"):
        factory = event.payload
        if factory is not None:
            found = _instance(factory, event.method, 0)
            if found is not None:
                yield HeldInstance(event, factory, found[0], found[1])
            else:
                event.method.exempt(event.call, "its factory makes a new object at each start, or no actor")


_Found = tuple[code.Expr | None, "Method | None"]


def _instance(expr: code.Expr, method: Method, depth: int) -> _Found | None:
    """The one object that a factory gives, where it gives an actor that was made before."""
    if depth > _MAX_DEPTH:
        return None
    for origin in origins(expr, method):
        value, place = origin.expr, origin.method
        found: _Found | None = None
        match value:
            case code.Lambda(body=body, params=params):
                defaults = {p.name: p.default for p in params}
                given = defaults.get(body.id) if isinstance(body, code.Name) else None
                found = _object(given if given is not None else body, place)
            case code.Call(func=func, args=(first, *rest)) if place.qualname(func) == "functools.partial":
                found = _partial(first.value, [a.value for a in rest], place, depth)
            case code.Call():
                found = (value, place) if _makes_actor(value, place) else None
            case code.Attr(base=base) if not place.qualname(value) and _object(base, place) is not None:
                found = _object(base, place) if _gives_itself(value, place) else None
            case _:
                found = _object(value, place) if value is not expr or not _names_function(value, place) else None
                found = found or _by_function(value, place)
        if found is not None:
            return found
    return None


def _names_function(expr: code.Expr, method: Method) -> bool:
    return bool(method.qualname(expr)) or _nested(expr, method) is not None


def _object(expr: code.Expr, method: Method) -> _Found | None:
    """An actor that exists already: a name or an attribute for it, no call that makes one."""
    if isinstance(expr, code.Name) and expr.id == method.self_name and method.self_name:
        return (None, None) if method.actor.is_actor else None
    if not isinstance(expr, (code.Name, code.Attr, code.Sub)):
        return None
    for origin in _values(expr, method):
        if isinstance(origin.expr, code.Call) and _makes_actor(origin.expr, origin.method):
            return origin.expr, origin.method
    return (None, None) if _is_actor(method.actor.values.type_of(expr, method), method) else None


def _values(expr: code.Expr, method: Method) -> Iterator[Origin]:
    """What a name stands for; a variable of a loop stands for each item of the display it goes through."""
    for origin in origins(expr, method):
        yield origin
        if isinstance(origin.expr, code.Name):
            for source in bindings(origin.expr.id, origin.method):
                for items in origins(source, origin.method):
                    parts = items.expr.items if isinstance(items.expr, code.Seq) else ()
                    parts = items.expr.elements if isinstance(items.expr, code.Comp) else parts
                    yield from (Origin(part, items.method) for part in parts)


def _makes_actor(call: code.Call, method: Method) -> bool:
    return _is_actor(method.qualname(call.func), method)


def _is_actor(qualified: str, method: Method) -> bool:
    located = method.actor.facts.project.find_class(qualified) if qualified else None
    actor = method.actor.facts.actor(*located) if located is not None else None
    return actor is not None and actor.is_actor


def _nested(expr: code.Expr, method: Method) -> Method | None:
    if not isinstance(expr, (code.Name, code.Attr)):
        return None
    place: Method | None = method
    while place is not None:
        found = place.actor.named(expr, place)
        if found is not None:
            return found
        place = place.outer
    return None


def _by_function(expr: code.Expr, method: Method) -> _Found | None:
    """A function that gives what it did not make: a variable of the function around it, a global, a cached result."""
    function = _nested(expr, method) or method.actor.facts.function(method.qualname(expr))
    if function is None:
        return None
    cached = any(function.qualname(_called(d)) in _CACHES for d in function.code.decorators)
    for stmt in code.statements(function.body):
        if isinstance(stmt, code.Return) and stmt.value is not None:
            if cached and isinstance(stmt.value, code.Call) and _makes_actor(stmt.value, function):
                return stmt.value, function
            found = _object(stmt.value, function)
            if found is not None and (found[1] is None or found[1].code is not function.code):
                return found
    return None


def _called(decorator: code.Expr) -> code.Expr:
    return decorator.func if isinstance(decorator, code.Call) else decorator


def _partial(function: code.Expr, given: list[code.Expr], method: Method, depth: int) -> _Found | None:
    """``partial(f, worker)`` where ``f`` gives back its argument, or ``partial(lambda: worker)``."""
    if not given:
        return _instance(function, method, depth + 1)
    target = _nested(function, method) or method.actor.facts.function(method.qualname(function))
    names = [p.name for p in target.code.params] if target is not None else []
    if isinstance(function, code.Lambda):
        names = [p.name for p in function.params]
    results = [function.body] if isinstance(function, code.Lambda) else []
    if target is not None:
        results = [s.value for s in code.statements(target.body) if isinstance(s, code.Return) and s.value is not None]
    for result in results:
        if isinstance(result, code.Name) and result.id in names and names.index(result.id) < len(given):
            found = _object(given[names.index(result.id)], method)
            if found is not None:
                return found
    return None


def _gives_itself(expr: code.Attr, method: Method) -> bool:
    """``worker.start`` for a method that returns ``self``."""
    owner = method.actor.facts.owner(method.actor.values.type_of(expr.base, method))
    function = owner.method(expr.name) if owner is not None else None
    return function is not None and any(
        isinstance(s, code.Return) and isinstance(s.value, code.Name) and s.value.id == function.self_name
        for s in code.statements(function.body)
    )
