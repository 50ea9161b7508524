"""Where a value comes from, backwards through locals, attributes, constants, defaults and helpers.

Each step keeps the tests that choose it, so that a rule can ask not only what a value may be but what decides it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from otplint.facts.syntax import code
from otplint.facts.values import binds, local_assignments

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Method

_MAX_DEPTH = 8
_CONTAINER = 3
"""Steps that looking into a container costs, which may be made of itself: ``d = d.get(key)``."""

Test: TypeAlias = "tuple[code.Expr, bool, Method]"
"""A test, the outcome that was taken, and the function where it is written."""


class Origin(NamedTuple):
    """One expression that a value may come from, and the tests that choose it."""

    expr: code.Expr
    method: Method
    tests: tuple[Test, ...] = ()
    """Outermost first."""
    via: str = ""
    """``parameter``, ``constant``, ``attribute`` or the empty string: the last kind of name that was followed."""


def origins(expr: code.Expr, method: Method) -> list[Origin]:
    """The expressions that a value may come from; ``expr`` itself where nothing more is known."""
    return _origins(expr, method, 0)


def _origins(expr: code.Expr, method: Method, depth: int) -> list[Origin]:
    return list(_follow(Origin(expr, method), depth, frozenset()))


def _follow(origin: Origin, depth: int, seen: frozenset[int]) -> Iterator[Origin]:
    if depth > _MAX_DEPTH or id(origin.expr) in seen:
        return
    found = sources(origin.expr, origin.method, depth)
    if not found:
        yield origin
    for source in found:
        tests = (*origin.tests, *source.tests)
        step = Origin(source.expr, source.method, tests, source.via or origin.via)
        yield from _follow(step, depth + 1, seen | {id(origin.expr)})


def sources(expr: code.Expr, method: Method, depth: int = 0) -> list[Origin]:
    """One step back: what ``expr`` takes its value from, each with the tests that choose it.

    Args:
        expr: the value.
        method: where it is written.
        depth: how many steps were made before; containers cost more, for they are followed to their own ends.
    """
    match expr:
        case code.Await(value=value) | code.Walrus(value=value) | code.Star(value=value):
            return [Origin(value, method)]
        case code.Cond(test=test, then=then, other=other):
            return [Origin(then, method, ((test, True, method),)), Origin(other, method, ((test, False, method),))]
        case code.Bool(op=op, parts=(first, second)):
            return [Origin(first, method), Origin(second, method, ((first, op == "and", method),))]
        case code.Bool(parts=parts):
            return [Origin(part, method) for part in parts]
        case code.Sub(base=base, key=key):
            return _looked_up(base, key, method, depth)
        case code.Call(func=code.Attr(base=base, name="get"), args=(key, *rest)):
            found = _looked_up(base, key.value, method, depth)
            if found and rest:
                found.append(Origin(rest[0].value, method, ((key.value, False, method),)))
            return found
        case code.Call():
            return _returned(expr, method)
        case code.Name():
            return _named(expr, method)
        case code.Attr() if own := method.own_attribute(expr):
            return [
                Origin(value, place, _conditions(stmt, place), "attribute")
                for stmt, value, place in method.actor.assignments(own)
            ]
        case code.Attr():
            return _constants(method.qualname(expr), method) or _members(expr, method, depth)
    return []


def _members(expr: code.Attr, method: Method, depth: int) -> list[Origin]:
    """The attribute of an object or class that the project defines: a setting, a default, an argument."""
    found: list[Origin] = []
    for base in _origins(expr.base, method, depth + _CONTAINER):
        made = base.expr if isinstance(base.expr, code.Call) else None
        owner = method.actor.facts.owner(base.method.qualname(made.func if made is not None else base.expr))
        if owner is None:
            continue
        given = made and _given(made, expr.name, owner)
        if given is not None:
            found.append(Origin(given, base.method, base.tests, "attribute"))
            continue
        found += [
            Origin(value, place, (*base.tests, *_conditions(stmt, place)), "attribute")
            for stmt, value, place in owner.assignments(expr.name)
        ]
        getter = owner.method(expr.name)
        if getter is not None and any("property" in code.dotted(d) for d in getter.code.decorators):
            found += [o._replace(tests=(*base.tests, *o.tests)) for o in _results(getter)]
    return found


def _given(made: code.Call, name: str, owner: Actor) -> code.Expr | None:
    """The argument of a class's call that becomes the attribute ``name``: a dataclass's field, by name or place."""
    if owner.method("__init__") is not None or not isinstance(owner.node, code.Class):
        return None
    annotated = [s for s in owner.node.body if isinstance(s, code.Assign) and s.annotation is not None]
    fields = [code.dotted(stmt.targets[0]) for stmt in annotated]
    return made.argument(fields.index(name), name) if name in fields else None


def _conditions(stmt: code.Stmt, method: Method) -> tuple[Test, ...]:
    return tuple((test, outcome, method) for test, outcome in method.flow.conditions(stmt))


def _named(expr: code.Name, method: Method) -> list[Origin]:
    place: Method | None = method
    while place is not None:
        found = [
            Origin(value, place, _conditions(stmt, place)) for stmt, value in local_assignments(expr.id, place)
        ] + [
            Origin(p.default, place, (), "parameter")
            for p in place.code.params
            if p.name == expr.id and p.default is not None
        ]
        if found or binds(place, expr.id):
            return found
        place = place.outer
    return _constants(method.qualname(expr), method)


def _constants(qualified: str, method: Method) -> list[Origin]:
    return [
        Origin(value, module, _conditions(stmt, module), "constant")
        for module, stmt, value in method.actor.facts.constants(qualified)
    ]


def _returned(call: code.Call, method: Method) -> list[Origin]:
    helper = method.actor.own_method(call, method) or method.actor.facts.function(method.qualname(call.func))
    return [] if helper is None or helper.code is method.code else _results(helper)


def _results(helper: Method) -> list[Origin]:
    """What a function returns."""
    return [
        Origin(stmt.value, helper, _conditions(stmt, helper))
        for stmt in helper.statements
        if isinstance(stmt, code.Return) and stmt.value is not None
    ]


def _looked_up(base: code.Expr, key: code.Expr, method: Method, depth: int) -> list[Origin]:
    """The values of a dict display, each chosen by the key."""
    found: list[Origin] = []
    if not isinstance(base, (code.Name, code.Attr, code.Dict, code.Seq)):
        return found
    for table in _origins(base, method, depth + _CONTAINER):
        if isinstance(table.expr, code.Seq):
            found += _picked(table, table.expr.items, key, method)
        if isinstance(table.expr, code.Dict):
            if isinstance(key, code.Const):
                chosen = [v for k, v in table.expr.items if isinstance(k, code.Const) and k.value == key.value]
                found += [Origin(value, table.method, table.tests, table.via) for value in chosen]
                continue
            choice = code.Compare(key.start, key.end, key, ("in",), (table.expr,))
            tests = (*table.tests, (choice, True, method))
            found += [Origin(value, table.method, tests, table.via) for _, value in table.expr.items]
    return found


def _picked(table: Origin, items: tuple[code.Expr, ...], key: code.Expr, method: Method) -> list[Origin]:
    """The item at a place that is written, else all of them, each chosen by the key."""
    if isinstance(key, code.Const):
        known = isinstance(key.value, int) and -len(items) <= key.value < len(items)
        return [table._replace(expr=items[key.value])] if known and isinstance(key.value, int) else []
    if isinstance(key, code.Slice):
        return []
    tests = (*table.tests, (key, True, method))
    return [table._replace(expr=item, tests=tests) for item in items]
