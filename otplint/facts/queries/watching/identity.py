"""Whether two expressions mean the same thing: backwards through locals, own helpers and their callers' arguments.

Finer than :func:`~otplint.facts.queries.slices.behind`: ``request.sender`` and ``request.receiver`` of one handler
are two things, and both are what a helper's parameter stands for that is called with each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from otplint.facts.queries.slices import given_by_callers
from otplint.facts.syntax import code
from otplint.facts.values import local_assignments

if TYPE_CHECKING:
    from otplint.facts.methods import Method

_MAX_DEPTH = 8

Thing: TypeAlias = "tuple[int, str]"
"""Where a value first appears, and the attributes taken of it from there."""


def identities(expr: code.Expr | None, method: Method) -> frozenset[Thing]:
    """The things that ``expr`` may stand for."""
    return frozenset() if expr is None else frozenset(_follow(expr, method, 0))


def _follow(expr: code.Expr, method: Method, depth: int) -> set[Thing]:
    if depth > _MAX_DEPTH:
        return set()
    match expr:
        case code.Await(value=value) | code.Walrus(value=value) | code.Star(value=value):
            return _follow(value, method, depth + 1)
        case code.Cond(then=then, other=other):
            return _follow(then, method, depth + 1) | _follow(other, method, depth + 1)
        case code.Bool(parts=parts) | code.Seq(items=parts):
            return {thing for part in parts for thing in _follow(part, method, depth + 1)}
        case code.Attr(base=base, name=name):
            own = method.own_attribute(expr)
            if own:
                return {(0, own)}
            return {(place, f"{path}.{name}") for place, path in _follow(base, method, depth + 1)}
        case code.Name(id=name):
            return _named(name, method, depth)
        case code.Call() if (helper := method.actor.own_method(expr, method)) is not None:
            returned = [s.value for s in helper.statements if isinstance(s, code.Return) and s.value]
            return {thing for value in returned for thing in _follow(value, helper, depth + 1)}
    return {(id(expr), "")}


def _named(name: str, method: Method, depth: int) -> set[Thing]:
    position = next((i for i, p in enumerate(method.code.params) if p.name == name), None)
    if position is not None and name != method.self_name:
        given = given_by_callers(name, position, method)
        if given:
            return {thing for value, caller in given for thing in _follow(value, caller, depth + 1)}
        return {(id(method.code), name)}
    found: set[Thing] = set()
    for stmt, value in local_assignments(name, method):
        targets = stmt.targets if isinstance(stmt, code.Assign) and value is stmt.value else ()
        if targets and not any(isinstance(t, code.Name) and t.id == name for t in targets):
            found.add((id(stmt), name))  # unpacked
        else:
            found |= _follow(value, method, depth + 1)
    for stmt in method.statements:
        if isinstance(stmt, code.For) and isinstance(stmt.target, code.Name) and stmt.target.id == name:
            display = stmt.iter if isinstance(stmt.iter, code.Seq) else None
            found |= _follow(display, method, depth + 1) if display is not None else {(id(stmt), name)}
    if found:
        return found
    if method.outer is not None and not method.is_local(name):
        return _named(name, method.outer, depth + 1)
    if method.outer is not None and name in _free(method):
        return _named(name, method.outer, depth + 1)
    return {(id(method.code), name)}


def _free(method: Method) -> set[str]:
    """Names of the function around that a nested one reads."""
    bound = {p.name for p in method.code.params}
    for stmt in method.statements:
        if isinstance(stmt, code.Assign):
            bound |= {e.id for t in stmt.targets for e in code.walk(t) if isinstance(e, code.Name)}
    return {e.id for e in method.exprs() if isinstance(e, code.Name)} - bound
