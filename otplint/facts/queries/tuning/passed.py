"""Numbers that an actor hands to a function or object of the project which works with them as a limit.

``Debouncer(5)`` fixes a time as much as ``time.sleep(5)`` does, when 5 is the pause that the class makes. That there is
a parameter helps nobody while its only caller writes a number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from otplint.facts.methods import Event
from otplint.facts.syntax import code
from otplint.facts.values import local_values

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Method

_MAX_DEPTH = 2
"""Functions that hand a parameter on before it is a limit."""
_PASS_ON = ("min", "max", "int", "float")

_ENDINGS = ("_timeout", "_interval", "_delay", "_period", "_ttl", "_retries", "_attempts", "_backoff", "_cooldown")

LimitArguments: TypeAlias = "Callable[[code.Call, Event | None, Method], Iterator[tuple[str, code.Expr]]]"
"""What finds the arguments of a call that set a limit, by name."""


def is_limit_name(name: str, method: Method) -> bool:
    """True for a keyword or parameter that sets a limit by its name, whatever function takes it."""
    return name in method.actor.facts.vocabulary.limit_keywords or name.endswith(_ENDINGS)


def passed(call: code.Call, method: Method, direct: LimitArguments) -> Iterator[tuple[str, code.Expr]]:
    """The arguments of a call of the project's own that become limits in what is called, each with its name there.

    Args:
        call: any call.
        method: where it is written.
        direct: what knows the arguments that set a limit by themselves.
    """
    numbers = [a for a in call.args if not a.star and _is_made_of_numbers(a.value, method, 0)]
    callee = _called(call, method) if numbers else None
    if callee is None:
        return
    wanted = _limiting(callee, direct, _MAX_DEPTH)
    for arg in numbers:
        name = _parameter(arg, call, callee)
        if name in wanted:
            yield name, arg.value


def _parameter(arg: code.Arg, call: code.Call, callee: Method) -> str:
    """The parameter that gets an argument, by its name or place."""
    if arg.name or any(a.star for a in call.args):
        return arg.name
    names = [p.name for p in callee.code.params if p.name != callee.self_name]
    position = call.args.index(arg)
    return names[position] if position < len(names) else ""


def _is_made_of_numbers(expr: code.Expr, method: Method, depth: int) -> bool:
    """A cheap look: a number is written here, or in the local, property or helper that gives the value."""
    match expr:
        case code.Const(value=value):
            return isinstance(value, (int, float)) and not isinstance(value, bool) and value not in (0, 1, -1)
        case code.Binary(left=left, right=right):
            return any(_is_made_of_numbers(part, method, depth) for part in (left, right))
        case code.Call(func=code.Name(id=name), args=args) if name in _PASS_ON:
            return any(_is_made_of_numbers(a.value, method, depth) for a in args)
        case code.Name(id=name) if depth < _MAX_DEPTH and method.is_local(name):
            return any(_is_made_of_numbers(v, method, depth + 1) for v in local_values(name, method))
        case code.Cond(then=then, other=other):
            return any(_is_made_of_numbers(part, method, depth) for part in (then, other))
    helper = _getter(expr, method) if depth < _MAX_DEPTH else None
    return helper is not None and any(
        isinstance(s, code.Return) and s.value is not None and _is_made_of_numbers(s.value, helper, depth + 1)
        for s in code.statements(helper.body)
    )


def _getter(expr: code.Expr, method: Method) -> Method | None:
    """The own property or function that gives a value."""
    if isinstance(expr, code.Call):
        return method.actor.own_method(expr, method)
    found = method.actor.method(method.own_attribute(expr)) if isinstance(expr, code.Attr) else None
    return found if found is not None and found.is_property else None


def _called(call: code.Call, method: Method) -> Method | None:
    """The project's function that runs: an own one, one of a module or of another object, or a class's constructor."""
    facts, func = method.actor.facts, call.func
    own = method.actor.own_method(call, method)
    if own is not None:
        return own
    name = method.qualname(func)
    if name:
        found = facts.function(name)
        if found is not None:
            return found
        if (owner := facts.owner(name)) is not None:
            return owner.method("__init__")
    if not isinstance(func, code.Attr):
        return None
    holder = facts.owner(method.qualname(func.base)) or _class_held(func.base, method)
    if holder is not None:
        found = holder.method(func.name)
        return found if found is not None or not holder.is_actor else holder.method("__init__")  # its framework's start
    other = facts.owner(method.actor.values.type_of(func.base, method))
    return None if other is None or other is method.actor else other.method(func.name)


def _class_held(expr: code.Expr, method: Method) -> Actor | None:
    """The class of the project that an own attribute holds: ``queue_class = Queue``."""
    own = method.own_attribute(expr)
    for value, _, place in method.actor.assigned(own) if own else ():
        if (
            isinstance(value, (code.Name, code.Attr))
            and (found := method.actor.facts.owner(place.qualname(value))) is not None
        ):
            return found
    return None


def _limiting(callee: Method, direct: LimitArguments, depth: int) -> set[str]:
    """The parameters that set a limit in the function, in what it calls, or in the object that it fills."""
    known = callee.remembered(_answers)
    if depth not in known:
        known[depth] = set()  # a function that calls itself learns nothing from that
        known[depth] = {p.name for p in callee.code.params if _is_limit(p.name, callee, direct, depth)}
    return known[depth]


def _answers(_: Method) -> dict[int, set[str]]:
    return {}


def _is_limit(name: str, callee: Method, direct: LimitArguments, depth: int) -> bool:
    if name == callee.self_name:
        return False
    if is_limit_name(name, callee):
        return True
    if any(name in _names(value) for call in callee.calls for value in _values(call, callee, direct, depth)):
        return True
    if callee.name != "__init__":
        return False
    kept = {use.attribute for use in callee.actor.uses_in(callee) if use.kind == "write" and (
        isinstance(use.value, code.Name) and use.value.id == name)}  # fmt: skip
    return bool(kept) and any(
        method.own_attribute(part) in kept
        for method in callee.actor.everything
        for call in method.calls
        for value in _values(call, method, direct, depth)
        for part in _parts(value)
    )


def _values(call: code.Call, method: Method, direct: LimitArguments, depth: int) -> Iterator[code.Expr]:
    """The arguments of a call that set a limit there, or further on."""
    yield from (value for _, value in direct(call, method.event(call), method))
    callee = method.actor.own_method(call, method) if depth else None
    callee = callee or (method.actor.facts.function(method.qualname(call.func)) if depth else None)
    if callee is not None and callee.code is not method.code:
        wanted = _limiting(callee, direct, depth - 1)
        yield from (a.value for a in call.args if not a.star and _parameter(a, call, callee) in wanted)


def _names(value: code.Expr) -> set[str]:
    return {part.id for part in _parts(value) if isinstance(part, code.Name)}


def _parts(value: code.Expr) -> Iterator[code.Expr]:
    """The value itself, and what it is the smallest or largest of."""
    yield value
    if isinstance(value, code.Call) and code.dotted(value.func) in _PASS_ON:
        for arg in value.args:
            yield from _parts(arg.value)
