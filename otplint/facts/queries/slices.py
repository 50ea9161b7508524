"""What a value is made of, backwards, and what becomes of it, forwards: own attributes, calls, places.

Where :mod:`otplint.facts.origins` names the expressions that a value may be, this module asks coarser questions that
resources need: out of which of the actor's tables does it come, which calls take part. Locals are taken with all of
their values, containers whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from otplint.facts.syntax import code
from otplint.facts.values import binds, matched

if TYPE_CHECKING:
    from otplint.facts.methods import Method

_MAX_DEPTH = 8
_GETTERS = {"property", "cached_property"}
_READS = {"get", "pop", "values", "items", "keys", "copy", "popitem", "popleft", "setdefault"}
"""Container methods whose result comes out of the container, whatever key is given."""


class Slice(NamedTuple):
    """What an expression is computed from."""

    attributes: frozenset[str]
    """The actor's own, dotted."""
    calls: tuple[tuple[code.Call, Method], ...]
    """Calls whose results take part, each with the function where it is written."""
    foreign: bool
    """True where a part comes from outside: a message, a parameter that no own caller gives."""

    def touches(self, attributes: frozenset[str] | set[str]) -> bool:
        """True if it comes out of one of these attributes, or out of a part or the whole of one."""
        return any(related(mine, other) for mine in self.attributes for other in attributes)

    def includes(self, call: code.Node) -> bool:
        """True if the result of ``call`` takes part."""
        return any(c is call for c, _ in self.calls)


def related(one: str, other: str) -> bool:
    """True for the same attribute, and for one below the other (``state`` and ``state.refs``)."""
    return one == other or one.startswith(other + ".") or other.startswith(one + ".")


def behind(expr: code.Expr | None, method: Method) -> Slice:
    """The backward slice of ``expr`` through locals, loops, own helpers and, for their parameters, own callers."""
    known = method.remembered(_slices)
    if id(expr) not in known:
        collector = _Backward()
        if expr is not None:
            collector.follow(expr, method, 0)
        found = Slice(frozenset(collector.attributes), tuple(collector.calls), collector.foreign)
        known[id(expr)] = (expr, found)  # the expression is kept, so that no other one can have its address
    return known[id(expr)][1]


def _slices(_: Method) -> dict[int, tuple[code.Expr | None, Slice]]:
    return {}


class _Backward:
    def __init__(self) -> None:
        self.attributes: set[str] = set()
        self.calls: list[tuple[code.Call, Method]] = []
        self.foreign = False
        self._seen: set[tuple[int, int]] = set()

    def follow(self, expr: code.Expr, method: Method, depth: int) -> None:
        key = (id(expr), id(method))
        if key in self._seen or depth > _MAX_DEPTH:
            return
        self._seen.add(key)
        match expr:
            case code.Call():
                self._call(expr, method, depth)
            case code.Attr():
                own = method.own_attribute(expr)
                if own:
                    self.attributes.add(own)
                    self._property(own, method, depth)
                else:
                    self.follow(expr.base, method, depth)
            case code.Name():
                self._name(expr.id, method, depth)
            case code.Sub(base=base):
                self.follow(base, method, depth)
            case code.Comp(elements=elements):
                for element in elements:
                    self.follow(element, method, depth)
            case code.Cond(then=then, other=other):
                self.follow(then, method, depth)
                self.follow(other, method, depth)
            case _:
                for part in code.parts(expr):
                    self.follow(part, method, depth)

    def _property(self, own: str, method: Method, depth: int) -> None:
        """An attribute that is computed comes from what its getter returns."""
        getter = method.actor.method(own.partition(".")[0])
        if getter is not None and any(
            method.qualname(d).rpartition(".")[2] in _GETTERS for d in getter.code.decorators
        ):
            for stmt in getter.statements:
                if isinstance(stmt, code.Return) and stmt.value is not None:
                    self.follow(stmt.value, getter, depth + 1)

    def _call(self, call: code.Call, method: Method, depth: int) -> None:
        self.calls.append((call, method))
        helper = method.actor.own_method(call, method)
        if helper is not None:
            for stmt in helper.statements:
                if isinstance(stmt, code.Return) and stmt.value is not None:
                    self.follow(stmt.value, helper, depth + 1)
            for expr in helper.exprs():
                if isinstance(expr, code.Yield) and expr.value is not None:
                    self.follow(expr.value, helper, depth + 1)
            return
        if isinstance(call.func, code.Attr):
            self.follow(call.func.base, method, depth)
            if call.func.name in _READS:
                return
        for arg in call.args:
            self.follow(arg.value, method, depth)

    def _name(self, name: str, method: Method, depth: int) -> None:
        place: Method | None = method
        while place is not None:
            own = place.own_attribute(code.Name(0, 0, name)) if name != place.self_name else ""
            if own:
                self.attributes.add(own)
                return
            found = list(bindings(name, place))
            for value in found:
                self.follow(value, place, depth + 1)
            position = next((i for i, p in enumerate(place.code.params) if p.name == name), None)
            if position is not None:
                if name != place.self_name:
                    self._parameter(name, position, place, depth)
                return
            if found or binds(place, name):
                return
            place = place.outer

    def _parameter(self, name: str, position: int, method: Method, depth: int) -> None:
        given = given_by_callers(name, position, method)
        for value, caller in given:
            self.follow(value, caller, depth + 1)
        if not given:
            self.foreign = True


def given_by_callers(name: str, position: int, method: Method) -> list[tuple[code.Expr, Method]]:
    """What own callers give for a parameter, each value with the caller; ``position`` counts the instance."""
    shift = 1 if method.self_name and method.outer is None else 0
    return [
        (value, caller)
        for call, caller in method.actor.sites(method)
        if (value := call.argument(position - shift, name)) is not None
    ]


def bindings(name: str, method: Method) -> tuple[code.Expr, ...]:
    """The expressions that a local takes its values from: assigned, looped over, unpacked, matched or entered."""
    return method.remembered(_bindings).get(name, ())


def _bindings(method: Method) -> dict[str, tuple[code.Expr, ...]]:
    found: dict[str, list[code.Expr]] = {}
    for stmt in method.statements:
        for name, value in _bound_by(stmt):
            found.setdefault(name, []).append(value)
    for expr in method.exprs():
        if isinstance(expr, code.Walrus):
            found.setdefault(expr.target.id, []).append(expr.value)
        elif isinstance(expr, code.Comp):
            for clause in expr.clauses:
                for name in _names(clause.target):
                    found.setdefault(name, []).append(clause.iter)
    return {name: tuple(values) for name, values in found.items()}


def _bound_by(stmt: code.Stmt) -> Iterator[tuple[str, code.Expr]]:
    match stmt:
        case code.Assign(targets=targets, value=value) if value is not None:
            for target in targets:
                for name in _names(target):
                    part = matched(target, value, name)
                    if part is not None:
                        yield name, part
        case code.Augment(target=code.Name(id=name), value=value):
            yield name, value
        case code.For(target=target, iter=source):
            yield from ((name, source) for name in _names(target))
        case code.With(items=items):
            yield from ((name, context) for context, bound in items if bound is not None for name in _names(bound))
        case code.Match(subject=subject, cases=cases):
            for name in dict.fromkeys(name for case in cases for name in _names(case.pattern)):
                yield name, subject


def _names(target: code.Expr) -> list[str]:
    """The names in a target, each once, in order."""
    return [*dict.fromkeys(e.id for e in code.walk(target) if isinstance(e, code.Name))]
