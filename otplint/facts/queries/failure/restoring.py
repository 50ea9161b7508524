"""Steps of an actor's start that bring its state back."""

from __future__ import annotations

from otplint.facts.methods import Method, Role
from otplint.facts.queries.failure.catches import Catch
from otplint.facts.syntax import code

__all__ = ["brings_state_back"]


def brings_state_back(catch: Catch) -> bool:
    """True where the clause guards a step of the start that fills the actor's tables and is never done again.

    Whoever is answered later is answered from what is missing. What an actor starts beside its work (a metrics server,
    a first connection that its loop makes again) fills no tables, or is done elsewhere as well.
    """
    method = catch.method
    if method.role is not Role.START:
        return False
    actor = method.actor
    steps = [inner for call in code.calls(catch.tried) if (inner := actor.own_method(call, method)) is not None]
    return any(len(actor.sites(step)) == 1 and not _is_public(step) and _fills_tables(step) for step in steps)


def _is_public(step: Method) -> bool:
    """Others may ask for it again."""
    return step.role is Role.HANDLER


def _fills_tables(step: Method) -> bool:
    """True where it, or what it calls, adds entries to attributes that others of the actor's functions look into."""
    actor = step.actor
    inside = {id(m) for m in actor.reached(step)}
    filled = {use.attribute for use in actor.uses if use.adds and id(use.method) in inside}
    asked = {u.attribute for u in actor.uses if id(u.method) not in inside and u.kind in ("lookup", "test", "remove")}
    return bool(filled & asked)
