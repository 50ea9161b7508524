"""Values that somebody else decides: a parameter, what the actor was made with, the environment, a settings object.

``min(60, self.config.interval)`` is as long as the settings say, up to a minute: the number is only the most that it
may be. ``min(60, 2 ** failures)`` is the actor's own: nobody else decides how long that gets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from otplint.facts.queries.tuning.fixed import fixed, is_rebound
from otplint.facts.queries.tuning.measures import Measure, is_clock, measure
from otplint.facts.syntax import code
from otplint.facts.values import local_values

if TYPE_CHECKING:
    from otplint.facts.methods import Method

_MAX_DEPTH = 8
_ENVIRONMENT = ("os.environ", "os.getenv")
_PASSES_ON = ("min", "max", "int", "float", "round", "abs", "math.ceil", "math.floor")


def is_given(expr: code.Expr, method: Method) -> bool:
    """Whether others decide the value, and no counter, clock or state of the actor has a part in it.

    Args:
        expr: the value.
        method: where it is written.
    """
    return _given(expr, method, 0, frozenset())


def _given(expr: code.Expr, method: Method, depth: int, seen: frozenset[str]) -> bool:
    if depth > _MAX_DEPTH:
        return False
    match expr:
        case code.Await(value=inner) | code.Walrus(value=inner) | code.Unary(op="-" | "+", value=inner):
            return _given(inner, method, depth, seen)
        case code.Binary(op="+" | "-" | "*" | "/" | "//", left=left, right=right):
            grows = any(isinstance(part, code.Name) and part.id in seen for part in code.walk(expr))
            return not grows and _all_given([left, right], method, depth, seen)
        case code.Cond(then=then, other=other):
            return _all_given([then, other], method, depth, seen)
        case code.Bool(op="or", parts=parts):
            return _all_given(list(parts), method, depth, seen)
        case code.Call(func=func, args=args) if method.qualname(func) in _PASSES_ON:
            return _all_given([a.value for a in args], method, depth, seen)
        case code.Call(func=func):
            name = method.qualname(func)
            return name.startswith(_ENVIRONMENT) or _answered(expr, method, depth) or (
                isinstance(func, code.Attr) and func.name == "get" and _given(func.base, method, depth + 1, seen)
            )  # fmt: skip
        case code.Sub(base=base):
            return method.qualname(base).startswith(_ENVIRONMENT) or _given(base, method, depth + 1, seen)
        case code.Name():
            return _of_name(expr, method, depth, seen)
        case code.Attr() if own := method.own_attribute(expr):
            return _of_own(expr, own, method)
        case code.Attr():
            return _of_module(expr, method, depth) or (
                not method.qualname(expr) and _given(expr.base, method, depth + 1, seen)
            )
    return False


def _all_given(parts: list[code.Expr], method: Method, depth: int, seen: frozenset[str]) -> bool:
    """At least one part is, and the others are numbers or stand for nothing given: ``options or {}``."""
    others = [part for part in parts if not fixed(part, method) and not _is_nothing(part)]
    return bool(others) and all(_given(part, method, depth + 1, seen) for part in others)


def _is_nothing(expr: code.Expr) -> bool:
    return (isinstance(expr, code.Const) and expr.value is None) or (
        isinstance(expr, (code.Dict, code.Seq)) and not expr.items
    )


def _answered(call: code.Call, method: Method, depth: int) -> bool:
    """A function of the project that looks it up: ``transfer_timeout()``."""
    helper = method.actor.own_method(call, method) or method.actor.facts.function(method.qualname(call.func))
    if helper is None or helper.code is method.code:
        return False
    results = [s.value for s in helper.statements if isinstance(s, code.Return) and s.value is not None]
    return bool(results) and any(_given(r, helper, depth + 1, frozenset()) for r in results) and not any(
        is_clock(part, helper) for r in results for part in code.walk(r)
    )  # fmt: skip


def _of_name(expr: code.Name, method: Method, depth: int, seen: frozenset[str]) -> bool:
    if expr.id in seen:
        return True
    place: Method | None = method
    while place is not None:
        values = list(local_values(expr.id, place))
        if values or any(p.name == expr.id and p.name != place.self_name for p in place.code.params):
            known = seen | {expr.id}
            return not is_rebound(expr.id, place) and all(_given(v, place, depth + 1, known) for v in values)
        if place.is_local(expr.id):
            return False
        place = place.outer
    return _of_module(expr, method, depth)


def _of_own(expr: code.Expr, own: str, method: Method) -> bool:
    """What the actor was made with: an attribute that nothing changes while it works."""
    root = own.partition(".")[0]
    if root == own:
        prop = method.actor.method(own)
        if prop is not None:
            results = [s.value for s in prop.statements if isinstance(s, code.Return) and s.value is not None]
            return prop.is_property and bool(results) and all(_given(r, prop, 1, frozenset()) for r in results)
        return measure(expr, method) is None and not fixed(expr, method) and _is_made_of_given(own, method)
    return measure(expr, method) in (None, Measure.VALUE) and any(method.actor.assigned(root))


def _is_made_of_given(own: str, method: Method) -> bool:
    made = [(value, place) for value, _, place in method.actor.assigned(own) if value is not None]
    return any(_given(value, place, 1, frozenset()) for value, place in made)


def _of_module(expr: code.Expr, method: Method, depth: int) -> bool:
    """A name of a module that is not fixed: ``float(os.environ.get("PAUSE", 3))``."""
    found = list(method.actor.facts.constants(method.qualname(expr)))
    return (
        bool(found)
        and not fixed(expr, method)
        and all(_given(v, place, depth + 1, frozenset()) for place, _, v in found)
    )


def is_replaceable(expr: code.Expr, method: Method) -> bool:
    """``if "cleanup" not in given: entries["cleanup"] = {"expires": 9}``: whoever gives such an entry replaces it."""
    key: object = None
    for up in method.above(expr):
        match up:
            case code.Assign(targets=(code.Sub(key=code.Const(value=str(name))),)):
                key = name
            case code.Call(func=code.Attr(name="setdefault"), args=(first, _)) if isinstance(first.value, code.Const):
                return True
            case code.If(test=test, body=body) if key is not None and any(
                _lacks(part, key) and expr.start >= body[0].start for part in _conjuncts(test)
            ):
                return all(expr.start < stmt.start for stmt in up.orelse)
    return False


def _conjuncts(test: code.Expr) -> tuple[code.Expr, ...]:
    return test.parts if isinstance(test, code.Bool) and test.op == "and" else (test,)


def _lacks(test: code.Expr, key: object) -> bool:
    return isinstance(test, code.Compare) and test.ops == ("not in",) and (
        isinstance(test.left, code.Const) and test.left.value == key
    )  # fmt: skip
