"""State that an actor keeps in no instance: its callbacks are given it as their last parameter and give it back.

``state["jobs"]`` and ``state.jobs`` are then the attribute ``jobs``, as ``self.jobs`` is elsewhere.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar, cast

from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Method


def state_name(method: Method) -> str:
    """The parameter, or in the function that makes it the variable, that holds the state; empty where none does."""
    if not method.actor.kind.passes_state:
        return ""
    return method.actor.remembered(_names).get(id(method.code), "")


def _names(actor: Actor) -> dict[int, str]:
    """The name of the state in each of the actor's functions that has it, by the identity of their code."""
    from otplint.facts.methods import Role

    found: dict[int, str] = {}
    everything = (*actor.methods, *actor.inherited)  # the actor is still being made
    for method in everything:
        params = method.code.params
        if method.outer is not None:
            continue
        if method.role in (Role.HANDLER, Role.STOP):
            found[id(method.code)] = params[-1].name if params and not params[-1].star else ""
        elif method.role is Role.START:
            made = (value.id for value in _given_back(method) if isinstance(value, code.Name))
            found[id(method.code)] = next(made, "")
    helpers = {m.name: m for m in everything if m.role is Role.HELPER and m.outer is None}
    waiting = [m for m in everything if found.get(id(m.code))]
    while waiting:
        caller = waiting.pop()
        for helper, name in _handed(caller, found[id(caller.code)], helpers):
            if id(helper.code) not in found:
                found[id(helper.code)] = name
                waiting.append(helper)
    for method in everything:
        if method.outer is not None and (name := found.get(id(method.outer.code), "")):
            found[id(method.code)] = "" if any(p.name == name for p in method.code.params) else name
    return {key: name for key, name in found.items() if name}


def _handed(caller: Method, state: str, helpers: dict[str, Method]) -> Iterator[tuple[Method, str]]:
    """The helpers to which ``caller`` gives the state, each with the parameter that takes it."""
    for call in caller.calls:
        helper = helpers.get(code.dotted(call.func).rpartition(".")[2])
        if helper is None:
            continue
        names = [p.name for p in helper.code.params[bool(helper.self_name) :]]
        for arg, name in zip(call.args, [*names, *[""] * len(call.args)], strict=False):
            given = isinstance(arg.value, code.Name) and arg.value.id == state and not arg.star
            if given and (arg.name or name):
                yield helper, arg.name or name


def _given_back(method: Method) -> Iterator[code.Expr]:
    for stmt in method.statements:
        if isinstance(stmt, code.Return) and stmt.value is not None:
            yield stmt.value


def read_as_attributes(actor: Actor) -> None:
    """Have the actor's functions say ``state.jobs`` where ``state["jobs"]`` is written, so that rules know one form.

    To be asked when the actor's functions are known, before anything else is.
    """
    from otplint.facts.methods import Method
    from otplint.facts.recognise import nested

    names = _names(actor)

    def anew(methods: tuple[Method, ...]) -> Iterator[Method]:
        for method in methods:
            if method.outer is None:
                name = names.get(id(method.code), "")
                function = _rewritten(method.code, name) if name else method.code
                fresh = Method(actor, function, method.source, method.role, method.owner)
                yield fresh
                yield from nested(fresh)

    actor.methods, actor.inherited = tuple(anew(actor.methods)), tuple(anew(actor.inherited))


_Node = TypeVar("_Node")


def _rewritten(node: _Node, name: str) -> _Node:
    """The same code with attributes of ``name`` in the place of items by constant keys."""
    match node:
        case code.Sub(base=code.Name(id=base), key=code.Const(value=str(key))) if base == name and key.isidentifier():
            return cast("_Node", code.Attr(node.start, node.end, node.base, key))
        case tuple():
            return cast("_Node", tuple(_rewritten(part, name) for part in node))
    if not dataclasses.is_dataclass(node) or isinstance(node, type):
        return node
    given = {f.name: getattr(node, f.name) for f in dataclasses.fields(node)}
    parts = {n: _rewritten(value, name) if isinstance(value, tuple) or dataclasses.is_dataclass(value) else value
             for n, value in given.items()}  # fmt: skip
    return node if all(parts[n] is given[n] for n in given) else cast("_Node", type(node)(**parts))


def made(actor: Actor) -> Iterator[tuple[str, code.Stmt, code.Expr, Method]]:
    """Name, statement, value and function of each part of the state that it is made with.

    ``return {"jobs": []}``, ``return State(jobs=[])``, and the same where a variable is given back.
    """
    from otplint.facts.methods import Role

    for method in actor.everything if actor.kind.passes_state else ():
        if method.role is not Role.START or method.outer is not None:
            continue
        for stmt in code.statements(method.body):
            value = stmt.value if isinstance(stmt, (code.Return, code.Assign)) else None
            if isinstance(stmt, code.Assign):
                names = {t.id for t in stmt.targets if isinstance(t, code.Name)}
                value = value if method.state_name in names else None
            yield from ((name, stmt, part, method) for name, _, part in _parts(value))


def _parts(value: code.Expr | None) -> Iterator[tuple[str, code.Expr, code.Expr]]:
    """Name, place and value of what an object is made of."""
    if isinstance(value, code.Dict):
        for key, part in value.items:
            if isinstance(key, code.Const) and isinstance(key.value, str):
                yield key.value, key, part
    elif isinstance(value, code.Call):
        yield from ((arg.name, arg.value, arg.value) for arg in value.args if arg.name)


def written_in(stmt: code.Stmt, name: str) -> code.Expr | None:
    """Where a statement that makes the state says one of its parts."""
    value = stmt.value if isinstance(stmt, (code.Return, code.Assign)) else None
    return next((place for part, place, _ in _parts(value) if part == name), None)


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
