"""Types of what loops and comprehensions go through: items of displays, of comprehensions, of tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.methods import Method
    from otplint.facts.values import Values

_WHOLE = {"list", "sorted", "reversed", "set", "tuple", "frozenset", "iter", "enumerate"}
_ADDS = {"append", "add", "appendleft", "put", "put_nowait"}
_PAIR = 2
_DEEP = 5


def loop_sources(name: str, method: Method) -> Iterator[tuple[code.Expr, bool]]:
    """What a variable of loops and comprehensions goes through; the flag says that it is the second of a pair."""
    for stmt in method.statements:
        if isinstance(stmt, code.For):
            yield from _bound(stmt.target, stmt.iter, name)
    for expr in method.exprs():
        for clause in expr.clauses if isinstance(expr, code.Comp) else ():
            yield from _bound(clause.target, clause.iter, name)


def _bound(target: code.Expr, source: code.Expr, name: str) -> Iterator[tuple[code.Expr, bool]]:
    if isinstance(target, code.Name) and target.id == name:
        yield source, False
    elif isinstance(target, code.Seq) and len(target.items) == _PAIR:
        second = target.items[1]
        if isinstance(second, code.Name) and second.id == name:
            yield source, True


def element_type(values: Values, source: code.Expr, method: Method, depth: int, *, second: bool = False) -> str:
    """The one type of the items of ``source``, or of the second parts of its pairs; empty where it is not known."""
    found = {values.type_of(item, at, depth + 1) for item, at in _items(source, method, 0, second)} - {""}
    return found.pop() if len(found) == 1 else ""


def _items(source: code.Expr, method: Method, depth: int, second: bool) -> Iterator[tuple[code.Expr, Method]]:
    if depth > _DEEP:
        return
    match source:
        case code.Comp(elements=elements):
            yield from _picked(elements[-1], method, second and len(elements) == 1)
        case code.Seq(items=items):
            for item in items:
                yield from _picked(item, method, second)
        case code.Dict(items=pairs):
            yield from ((value, method) for _, value in pairs)
        case code.Call():
            yield from _given(source, method, depth, second)
        case code.Name(id=name):
            yield from _kept(name, method, depth, second)
        case code.Attr() if own := method.own_attribute(source):
            for _, value, place in method.actor.assignments(own):
                yield from _items(value, place, depth + 1, second)
            for use in method.actor.uses_of(own):
                if use.adds and use.value is not None:
                    yield use.value, use.method


def _given(call: code.Call, method: Method, depth: int, second: bool) -> Iterator[tuple[code.Expr, Method]]:
    """The items of what a call gives: of a table's values, of a sorted list, of the futures that are done."""
    match call:
        case code.Call(func=code.Attr(base=base, name="values" | "items" | "copy")):
            yield from _items(base, method, depth + 1, second=False)
        case code.Call(func=code.Name(id=name), args=(first, *_)) if name in _WHOLE:
            yield from _items(first.value, method, depth + 1, second and name != "enumerate")
        case code.Call(args=(first, *_)):
            known = method.actor.values.operation(call, method)
            if known is not None and known[1].role == "wait" and not known[1].target:
                yield from _items(first.value, method, depth + 1, second)


def _picked(item: code.Expr, method: Method, second: bool) -> Iterator[tuple[code.Expr, Method]]:
    if not second:
        yield item, method
    elif isinstance(item, code.Seq) and len(item.items) == _PAIR:
        yield item.items[1], method


def _kept(name: str, method: Method, depth: int, second: bool) -> Iterator[tuple[code.Expr, Method]]:
    """The items of a local: of the values it is given, and those that are added to it."""
    for stmt in method.statements:
        if not isinstance(stmt, code.Assign) or stmt.value is None:
            continue
        for target in stmt.targets:
            if isinstance(target, code.Name) and target.id == name:
                yield from _items(stmt.value, method, depth + 1, second)
            elif isinstance(target, code.Sub) and isinstance(target.base, code.Name) and target.base.id == name:
                yield stmt.value, method
    for call in method.calls:
        func = call.func
        if isinstance(func, code.Attr) and func.name in _ADDS and code.dotted(func.base) == name and call.args:
            yield from _picked(call.args[0].value, method, second)
