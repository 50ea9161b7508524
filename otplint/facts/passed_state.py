"""State that an actor keeps in no instance: its callbacks are given it as their last parameter and give it back.

``state["jobs"]`` and ``state.jobs`` are then the attribute ``jobs``, as ``self.jobs`` is elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Method


def state_name(method: Method) -> str:
    """The parameter, or in the function that makes it the variable, that holds the state; empty where none does."""
    from otplint.facts.methods import Role

    kind, params = method.actor.kind, method.code.params
    if not kind.passes_state:
        return ""
    if method.outer is not None:
        return "" if any(p.name == method.outer.state_name for p in params) else method.outer.state_name
    if method.role in (Role.HANDLER, Role.STOP):
        return params[-1].name if params and not params[-1].star else ""
    if method.role is Role.START:
        return next((value.id for value in _given_back(method) if isinstance(value, code.Name)), "")
    return next(_handed(method), "")


def _handed(method: Method) -> Iterator[str]:
    """The parameters of a helper to which its callers give the state."""
    shift = 1 if method.self_name else 0
    for call, caller in method.actor.sites(method):
        state = caller.state_name if caller.code is not method.code else ""
        names = [p.name for p in method.code.params[shift:]]
        for arg, name in zip(call.args, [*names, *[""] * len(call.args)], strict=False):
            given = isinstance(arg.value, code.Name) and arg.value.id == state and not arg.star
            if state and given and (arg.name or name):
                yield arg.name or name


def _given_back(method: Method) -> Iterator[code.Expr]:
    for stmt in method.statements:
        if isinstance(stmt, code.Return) and stmt.value is not None:
            yield stmt.value


def own_key(expr: code.Expr, state: str) -> str:
    """``jobs`` for ``state["jobs"]``, where ``state`` is the name of the state; else empty."""
    if isinstance(expr, code.Sub) and isinstance(expr.base, code.Name) and expr.base.id == state and state:
        return expr.key.value if isinstance(expr.key, code.Const) and isinstance(expr.key.value, str) else ""
    return ""


def made(actor: Actor) -> Iterator[tuple[str, code.Stmt, code.Expr, Method]]:
    """Name, statement, value and function of each part of the state that it is made with.

    ``return {"jobs": []}``, ``return State(jobs=[])``, and the same where a variable is given back.
    """
    from otplint.facts.methods import Role

    for method in actor.everything if actor.kind.passes_state else ():
        if method.role is not Role.START or method.outer is not None:
            continue
        for stmt in method.statements:
            value = stmt.value if isinstance(stmt, (code.Return, code.Assign)) else None
            if isinstance(stmt, code.Assign):
                names = {t.id for t in stmt.targets if isinstance(t, code.Name)}
                value = value if method.state_name in names else None
            if isinstance(value, code.Dict):
                for key, part in value.items:
                    if isinstance(key, code.Const) and isinstance(key.value, str):
                        yield key.value, stmt, part, method
            elif isinstance(value, code.Call):
                yield from ((arg.name, stmt, arg.value, method) for arg in value.args if arg.name)


def state_type(actor: Actor) -> str:
    """The class of the state: by the annotation of the parameter, or by what the actor makes it of."""
    from otplint.facts.methods import Role
    from otplint.facts.values import annotation_type

    for method in actor.everything if actor.kind.passes_state else ():
        if method.outer is None and method.role in (Role.HANDLER, Role.STOP):
            for param in method.code.params:
                if param.name == method.state_name and (known := annotation_type(param.annotation, method)):
                    return known
    for method in actor.everything if actor.kind.passes_state else ():
        if method.outer is None and method.role is Role.START:
            types = {actor.values.type_of(value, method) for value in _given_back(method)} - {"", "dict"}
            if len(types) == 1:
                return types.pop()
    return ""
