"""What decides a value: the tests on every way to it and to its parts, through changes, helpers and call sites."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from otplint.facts.origins import origins, sources
from otplint.facts.queries.messaging.messages import given_for
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.methods import Method

_MAX_DEPTH = 24
_PLAIN_CALLS = {"dict", "list", "tuple", "set", "sorted", "filter", "int", "float", "max", "min", "sum", "abs", "round",
                "itertools.chain", "datetime.timedelta"}  # fmt: skip
_PLAIN_METHODS = {"copy", "items", "values", "total_seconds"}
_CHANGES = {"append", "extend", "insert", "update", "setdefault", "remove", "pop", "clear", "add"}


class Decision(NamedTuple):
    """One test that a value hangs on, and the expression that is taken for that outcome."""

    test: code.Expr
    outcome: bool
    method: Method
    """Where the test is written."""
    value: code.Expr
    place: Method
    """Where the value is written."""


def decisions(expr: code.Expr, method: Method) -> list[Decision]:
    """The tests that choose ``expr`` or a part of it (an item, an entry, an operand), each once for each value."""
    found: dict[tuple[int, bool, int], Decision] = {}
    seen: set[int] = set()
    stack = [(expr, method, 0)]
    while stack:
        current, place, depth = stack.pop()
        if id(current) in seen or depth > _MAX_DEPTH:
            continue
        seen.add(id(current))
        for value, where, tests in _below(current, place):
            for test, outcome, at in tests:
                if not _is_its_own_value(test, at) and not refuses(test, at):
                    found.setdefault((id(test), outcome, id(value)), Decision(test, outcome, at, value, where))
            stack.append((value, where, depth + 1))
    return list(found.values())


_Step = tuple[code.Expr, "Method", tuple[tuple[code.Expr, bool, "Method"], ...]]


def _below(expr: code.Expr, method: Method) -> Iterator[_Step]:
    """What ``expr`` is made of, one step down."""
    for source in sources(expr, method):
        yield source.expr, source.method, source.tests
    for argument, place in arguments(expr, method):
        yield argument, place, ()
    if isinstance(expr, code.Attr):
        yield from _members(expr, method)
    for stmt, value in _changes(expr, method):
        yield value, method, tuple((test, outcome, method) for test, outcome in method.flow.conditions(stmt))
    if isinstance(expr, code.Comp):
        tests = tuple((test, True, method) for clause in expr.clauses for test in clause.tests)
        yield from ((element, method, tests) for element in expr.elements)
        yield from ((clause.iter, method, ()) for clause in expr.clauses)
    else:
        yield from ((part, method, ()) for part in _contents(expr, method))


def _contents(expr: code.Expr, method: Method) -> Iterator[code.Expr]:
    match expr:
        case code.Seq(items=items):
            yield from items
        case code.Star(value=value) | code.Unary(value=value):
            yield value
        case code.Dict(items=entries):
            yield from (value for _, value in entries)
        case code.Binary(left=left, right=right):
            yield from (left, right)
        case code.Call(func=func, args=args):
            if method.qualname(func).removeprefix("builtins.") in _PLAIN_CALLS:
                yield from (a.value for a in args)
            elif isinstance(func, code.Attr) and func.name in _PLAIN_METHODS:
                yield func.base


def _members(expr: code.Attr, method: Method) -> Iterator[_Step]:
    """The attribute of an object that is known by its type or by the class method that made it."""
    facts = method.actor.facts
    for base in origins(expr.base, method):
        if isinstance(base.expr, code.Call):
            owned, _, maker = base.method.qualname(base.expr.func).rpartition(".")
            owner = facts.owner(owned)
            made = owner.method(maker) if owner is not None else None
            for stmt in code.statements(made.body) if made is not None else ():
                if isinstance(stmt, code.Return) and isinstance(stmt.value, code.Call) and made is not None:
                    given = stmt.value.keyword(expr.name)
                    tests = tuple((test, outcome, made) for test, outcome in made.flow.conditions(stmt))
                    yield from [(given, made, tests)] if given is not None else []
            continue
        owner = facts.owner(base.method.actor.values.type_of(base.expr, base.method))
        if owner is not None and owner is not method.actor:
            for stmt, value, place in owner.assignments(expr.name):
                yield value, place, tuple((test, outcome, place) for test, outcome in place.flow.conditions(stmt))


def arguments(expr: code.Expr, method: Method) -> Iterator[tuple[code.Expr, Method]]:
    """What the callers in the project give for a parameter, where ``expr`` is one."""
    if not isinstance(expr, code.Name):
        return
    place: Method | None = method
    while place is not None and not any(p.name == expr.id for p in place.code.params):
        place = place.outer
    if place is None or expr.id == place.self_name:
        return
    for call, caller in method.actor.facts.calls_of(place):
        given = given_for(expr.id, call, place)
        if given is not None:
            yield given, caller


def _changes(expr: code.Expr, method: Method) -> Iterator[tuple[code.Stmt, code.Expr]]:
    """Statements that change the list or dict of that name in place, each with what it puts in (or itself)."""
    name = code.dotted(expr) if isinstance(expr, (code.Name, code.Attr)) else ""
    if not name:
        return
    for stmt in method.statements:
        match stmt:
            case code.Augment(target=target, value=value) if code.dotted(target) == name:
                yield stmt, value
            case code.Assign(targets=(code.Sub(base=base), *_), value=value) if code.dotted(base) == name and value:
                yield stmt, value
            case code.Delete(targets=(code.Sub(base=base) as gone, *_)) if code.dotted(base) == name:
                yield stmt, gone
            case code.Do(value=code.Call(func=code.Attr(base=base, name=deed), args=args) as call):
                if deed in _CHANGES and code.dotted(base) == name:
                    yield from ((stmt, a.value) for a in args)
                    if not args:
                        yield stmt, call


def _is_its_own_value(test: code.Expr, method: Method) -> bool:
    """True for ``test or default``: the value itself is used, it decides nothing else."""
    up = method.parent(test)
    return isinstance(up, code.Bool) and up.op == "or" and not isinstance(test, code.Bool)


def refuses(test: code.Expr, method: Method) -> bool:
    """True for the test of ``if test: raise``: where it holds there is no value to decide."""
    for up in method.above(test):
        if isinstance(up, code.If):
            return not up.orelse and bool(up.body) and isinstance(up.body[-1], code.Raise)
        if isinstance(up, code.STATEMENTS):
            return False
    return False
