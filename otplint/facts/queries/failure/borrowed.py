"""Catch-alls outside of an actor's class that hide the actor's failures."""

from __future__ import annotations

from collections.abc import Iterator

from otplint.facts.actors import Actor
from otplint.facts.methods import Method
from otplint.facts.queries.failure.catches import Catch, catches
from otplint.facts.queries.failure.judgement import hides
from otplint.facts.queries.failure.mild import is_conversion
from otplint.facts.queries.failure.results import fails_by
from otplint.facts.queries.failure.told import is_polled
from otplint.facts.queries.failure.wrappers import Form, Helper, helpers
from otplint.facts.queries.failure.wrapping import guards_what_is_given, swallowing_exit
from otplint.facts.syntax import code
from otplint.findings import Confidence

__all__ = ["helper_catches", "helper_exits"]

_DISTANT = "it is a parser, a plain function without the actor's state, or far from the actor's own functions"
_NEAR = 2
"""A part of a part is still the actor's own work; what lies behind may be anybody's."""


def helper_catches(actor: Actor) -> Iterator[tuple[Helper, Catch, Confidence]]:
    """The broad clauses in helpers that hide failures of ``actor``, each with a way to it and how sure that is."""
    for helper in helpers(actor):
        for catch in catches(helper.method):
            if not ("Exception" in catch.types or "BaseException" in catch.types):
                if helper.method.actor is not actor:
                    catch.method.exempt(catch.node, "it catches only what it names")
                continue
            wraps = guards_what_is_given(catch)
            if helper.method.actor is actor and not wraps:
                continue
            if helper.form in (Form.DECORATOR, Form.CONTEXT) and not wraps and helper.hops == 1:
                continue  # what a decorator does when the class is made
            if catch.method.exempt(catch.node, _excuse(helper)):
                continue
            polled = "a loop asks the question again until the answer is yes"
            if catch.method.exempt(catch.node, polled if is_polled(catch, helper.call, helper.caller) else ""):
                continue
            confidence = hides(catch, helper.fate, actor)
            if confidence is not None:
                trust = _trust(helper, catch, wraps)
                if trust is Confidence.LOW:
                    catch.method.exempt(catch.node, _DISTANT)
                yield helper, catch, _least(confidence, actor.confidence, trust)


def helper_exits(actor: Actor) -> Iterator[tuple[Helper, code.Return, Confidence]]:
    """The ``return True`` of ``__exit__`` functions that swallow failures of ``actor``."""
    for helper in helpers(actor):
        if helper.form is Form.CONTEXT and helper.method.name in ("__exit__", "__aexit__"):
            for method, stmt in swallowing_exit(helper.method.actor):
                if method is helper.method and not method.exempt(stmt, _excuse(helper)):
                    yield helper, stmt, _least(Confidence.MEDIUM, actor.confidence)


def _least(*given: Confidence) -> Confidence:
    return min(given, key=lambda c: c.rank)


def _trust(helper: Helper, catch: Catch, wraps: bool) -> Confidence:
    """How sure it is that what the clause guards is the actor's own work."""
    if wraps:
        return Confidence.HIGH if helper.hops == 1 else Confidence.MEDIUM
    if helper.form is Form.PART:
        return Confidence.LOW if helper.hops > _NEAR or _is_parser(catch) else Confidence.MEDIUM
    near = helper.hops == 1 and catch.is_main_work and _takes_part(helper) and not _is_parser(catch)
    return Confidence.MEDIUM if near else Confidence.LOW


def _takes_part(helper: Helper) -> bool:
    """True where the helper is given the actor or its state."""
    if not isinstance(helper.call, code.Call):
        return False
    self_name = helper.caller.self_name
    return any(
        helper.caller.own_attribute(e) or (isinstance(e, code.Name) and e.id == self_name and self_name)
        for a in helper.call.args
        for e in code.walk(a.value)
    )


def _is_parser(catch: Catch) -> bool:
    """True where the function does nothing but convert or look up what it was given."""
    plain = (code.Return, code.Assign, code.Pass, code.If, code.Raise, code.Import)
    around = [s for s in catch.method.body if not (isinstance(s, code.Do) and isinstance(s.value, code.Const))]
    return (
        all(s is catch.around or isinstance(s, plain) for s in around)
        and all(isinstance(s, plain) for s in code.statements(catch.tried))
        and all(is_conversion(call, catch.method) or _is_raised(call, catch.method) for call in code.calls(catch.tried))
    )


def _is_raised(call: code.Call, method: Method) -> bool:
    return isinstance(method.statement(call), code.Raise)


def _excuse(helper: Helper) -> str:
    """Why a use of a helper is right: it cleans up, keeps the items of a loop apart, or fails by the result."""
    caller, node = helper.caller, helper.call
    if _keeps_apart(node, caller):
        return f"{caller.title} uses it to keep the items of a loop apart"
    if _cleans_up(node, caller):
        return f"{caller.title} uses it to clean up"
    if isinstance(node, code.Call) and helper.form is not Form.CONTEXT and fails_by(node, caller):
        return f"{caller.title} raises or stops by its result"
    return ""


def _keeps_apart(node: code.Node, method: Method) -> bool:
    """True in a ``for`` over things, called with the thing or around it."""
    for up in method.above(node):
        if isinstance(up, code.For) and not up.is_async:
            names = {e.id for e in code.walk(up.target) if isinstance(e, code.Name)}
            inside = node if not isinstance(node, code.With) else None
            return inside is not None and any(
                isinstance(e, code.Name) and e.id in names
                for e in code.walk(inside)  # type: ignore[arg-type]
            )
        if isinstance(up, (code.While, code.Function)):
            return False
    return False


def _cleans_up(node: code.Node, method: Method) -> bool:
    below = node
    for up in method.above(node):
        if isinstance(up, code.Try) and any(s is below for s in up.final):
            return True
        below = up
    return method.stops
