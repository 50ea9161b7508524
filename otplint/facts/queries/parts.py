"""The parts of an actor: objects of other classes that it makes, keeps and opens to whoever has a proxy to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Method

__all__ = ["Part", "parts"]


class Part(NamedTuple):
    """One object that runs inside an actor although its class is none."""

    owner: Actor
    """Its class."""
    maker: Method
    """The actor's function that makes it."""
    made: code.Call
    """Where."""


def parts(actor: Actor) -> tuple[Part, ...]:
    """The objects in public attributes that are given the actor, or that the framework marks as open to proxies."""
    return actor.remembered(_search)


def _search(actor: Actor) -> tuple[Part, ...]:
    found: list[Part] = []
    for maker in actor.everything if actor.kind.public_methods else ():
        for stmt in maker.statements:
            if isinstance(stmt, code.Assign) and any(_is_public(target, maker) for target in stmt.targets):
                part = _opened(stmt.value, maker)
                found += [part] if part is not None else []
    return tuple(found)


def _is_public(target: code.Expr, maker: Method) -> bool:
    attribute = maker.own_attribute(target) if isinstance(target, code.Attr) else ""
    return bool(attribute) and not attribute.startswith("_") and "." not in attribute


def _opened(value: code.Expr | None, maker: Method) -> Part | None:
    """The object that a proxy may call: one that is marked for it, or one that is given the actor."""
    facts = maker.actor.facts
    made, marked = value, False
    while isinstance(made, code.Call) and _exposes(maker.qualname(made.func), maker) and made.args:
        made, marked = made.args[0].value, True
    if not isinstance(made, code.Call):
        return None
    owner = facts.owner(maker.qualname(made.func))
    if owner is None or owner.is_actor:
        return None
    knows = any(isinstance(a.value, code.Name) and a.value.id == maker.self_name for a in made.args)
    return Part(owner, maker, made) if marked or knows or _is_marked(owner) else None


def _is_marked(owner: Actor) -> bool:
    """True for a class that a decorator opens to proxies."""
    decorators = owner.node.decorators if isinstance(owner.node, code.Class) else ()
    return any(_exposes(owner.source.resolve(code.dotted(d)), owner.class_body) for d in decorators)


def _exposes(name: str, place: Method) -> bool:
    known = place.actor.facts.vocabulary.exact.get(name)
    return known is not None and known[1].role == "expose"
