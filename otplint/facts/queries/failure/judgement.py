"""Whether a clause hides failures from whoever could do something about them, by what a failure means there."""

from __future__ import annotations

from otplint.facts.actors import Actor
from otplint.facts.frameworks import matches
from otplint.facts.methods import Method, Role
from otplint.facts.queries.failure.asked import runs_for_each
from otplint.facts.queries.failure.catches import Catch
from otplint.facts.queries.failure.endings import cleans_up, ends_the_process, leaves_alive
from otplint.facts.queries.failure.mild import cannot_hide, is_mild
from otplint.facts.queries.failure.reaction import Reaction
from otplint.facts.queries.failure.restoring import brings_state_back
from otplint.facts.queries.failure.results import acted_on, tells_in_answer
from otplint.facts.queries.failure.told import is_told
from otplint.facts.queries.failure.wrapping import guards_what_is_given
from otplint.facts.syntax import code
from otplint.findings import Confidence

__all__ = ["hides", "outcome"]

_QUESTION = 3
"""Statements of a question: what answers it takes no more."""


def outcome(method: Method) -> str:
    """What a failure in the actor's function leads to, as the framework says: one of ``FAILURES``."""
    kind = method.actor.kind
    if method.role is Role.LOOP and method.name not in kind.loops:
        return "unseen"  # a thread or task of its own, whoever started it
    if not set(method.decorators).isdisjoint(kind.unanswered):
        return "isolated"  # the framework logs it: no caller waits for it
    by_proxy = method.role is Role.HANDLER and method.name not in kind.handlers
    fate = "reply" if by_proxy and "reply" in kind.on_failure else kind.on_failure[0]
    return "stop" if fate == "unseen" and method.remembered(ends_the_process) else fate


def hides(catch: Catch, fate: str, actor: Actor) -> Confidence | None:
    """How sure it is that a broad clause hides failures of ``actor``; none where it does not, or where that is right.

    Args:
        catch: the clause, in one of the actor's functions or in a helper that runs for it.
        fate: what a failure there would have led to (:func:`outcome`).
        actor: whose failure it is.
    """
    if cleans_up(catch) and leaves_alive(catch):
        return Confidence.MEDIUM
    if catch.method.exempt(catch.node, _excuse(catch)):
        return None
    if catch.reaction is not Reaction.SILENT and _ends_life(catch):
        catch.method.exempt(catch.node, f"the failure ends the loop that {actor.name} lives by")
        return None
    sure, why = _how_sure(catch, fate, actor)
    catch.method.exempt(catch.node, why)
    return sure


def _excuse(catch: Catch) -> str:
    """Why a broad clause hides nothing, or is right to; empty where nothing speaks for it."""
    if catch.only_imports:
        return "it guards nothing but imports"
    if catch.in_cleanup:
        return "it stands in a clean-up, where a first failure is being reported or hidden already"
    if cleans_up(catch):
        return "only the actor's end runs it, and it leaves nothing alive without a word"
    if _isolates(catch):
        return "it keeps one bad item of many from stopping the others"
    if catch.raises_some and not _raises_on_request(catch):
        return "it raises again, at least some of the errors"
    if not catch.carries_on():
        return "every path out of it reports the failure: it stops the actor, or hands the exception to somebody"
    if catch.runs_foreign_code and not guards_what_is_given(catch):
        return "it guards a job that came with the message, which is somebody else's code"
    return cannot_hide(catch)


def _how_sure(catch: Catch, fate: str, actor: Actor) -> tuple[Confidence | None, str]:
    """How sure it is that a clause without an excuse hides something; with the reason where that is low or none."""
    reaction = catch.reaction
    if _is_probe(catch):
        return Confidence.LOW, "it answers a question by the failure (try: ... return True, else False)"
    reacts = "it does something about the failure: tries another way, or tells somebody"
    if fate != "restart" and (why := is_told(catch) or is_mild(catch)):
        return Confidence.LOW, why
    match fate:
        case "restart":
            return Confidence.HIGH, ""
        case "isolated":
            told = f"{actor.framework.name} keeps failures of one message from the others, and this one is told"
            return (Confidence.MEDIUM, "") if reaction is Reaction.SILENT else (None, told)
        case "unseen" if reaction in (Reaction.LOGS, Reaction.MARKS):
            logged = "it logs or notes the failure, of which nobody would learn otherwise"
            return (Confidence.LOW, logged) if actor.kind.on_failure[0] == "unseen" else (Confidence.MEDIUM, "")
        case "unseen":
            return (Confidence.LOW, reacts) if reaction is Reaction.REACTS else (Confidence.MEDIUM, "")
    if reaction is Reaction.REACTS or catch.probes_a_package:
        return Confidence.LOW, reacts if reaction is Reaction.REACTS else "it guards the use of an optional package"
    if reaction is Reaction.DEFAULT and (why := _is_answered(catch, fate)):
        return Confidence.LOW, why
    beside = fate == "reply" and reaction in (Reaction.LOGS, Reaction.MARKS) and not catch.is_main_work
    if beside and not brings_state_back(catch):
        return Confidence.LOW, "a step on the side fails: the caller gets what it asked for all the same"
    return Confidence.MEDIUM if reaction in (Reaction.LOGS, Reaction.MARKS) else Confidence.HIGH, ""


def _is_answered(catch: Catch, fate: str) -> str:
    """Why the value that stands for the failure tells whoever gets it; empty where it does not."""
    answers = fate == "reply" and catch.method.role is Role.HANDLER
    if answers and tells_in_answer(catch.body, getattr(catch.node, "name", None) or ""):
        return "the answer holds the error, and the caller gets it"
    returns = any(isinstance(s, code.Return) and s.value is not None for s in code.statements(catch.body))
    return "its callers decide by the result what they do next" if returns and acted_on(catch.method) else ""


def _ends_life(catch: Catch) -> bool:
    """True where the actor lives by the function, and the failure ends its loop."""
    method = catch.method
    kind = method.actor.kind
    takes_messages = bool(kind.handlers or kind.public_methods or kind.handler_decorators)
    if method.role is not Role.LOOP or (takes_messages and not matches(method.name, kind.loops)):
        return False
    reports = catch.reports()
    return not method.flow.survives(catch.node, unless=reports, later=reports.ends_it, again=catch.around)[1]


def _is_probe(catch: Catch) -> bool:
    """True for a question that the failure answers: ``try: ping() ... return True; except Exception: return False``."""

    def says(block: code.Block, answer: bool) -> bool:
        last = block[-1] if block else None
        return isinstance(last, code.Return) and isinstance(last.value, code.Const) and last.value.value is answer

    if len(catch.body) != 1 or not isinstance(catch.around, code.Try) or len(catch.tried) > _QUESTION:
        return False
    if any(isinstance(t, code.Attr) for s in catch.tried for t in _targets(s)):
        return False
    after = catch.method.body if catch.around in catch.method.body else ()
    yes = says(catch.tried, True) or says(catch.around.orelse, True) or says(after, True)
    return says(catch.body, False) and yes


def _targets(stmt: code.Stmt) -> tuple[code.Expr, ...]:
    return stmt.targets if isinstance(stmt, code.Assign) else ()


def _isolates(catch: Catch) -> bool:
    """True where one bad item of many is kept from stopping the others.

    A step of the work on an item that fails in silence, or gets a default value, isolates nothing: the item goes on
    without it. Nor does it isolate the item where the actor's own work fails and nothing is said at all.
    """
    if not catch.isolates_items:
        told = catch.reaction in (Reaction.LOGS, Reaction.MARKS, Reaction.REACTS)
        return told and catch.is_main_work and runs_for_each(catch.method)
    if catch.says_nothing and not catch.runs_the_item:
        return False
    if _asks_the_same(catch):
        return False
    if _leaves_the_loop(catch):
        return False
    return catch.reaction not in (Reaction.SILENT, Reaction.DEFAULT) or catch.is_main_work


def _asks_the_same(catch: Catch) -> bool:
    """True where each item is told to one and the same other actor: it is that actor that fails, and not the item."""
    method = catch.method
    loop = next((up for up in method.above(catch.around) if isinstance(up, code.For)), None)
    events = [event for call in code.calls(catch.tried) if (event := method.event(call)) is not None]
    asked = [event.target for event in events if event.role == "call" and event.certain]
    return bool(asked) and loop is not None and all(_is_kept(target, method) for target in asked)


def _is_kept(target: code.Expr | None, method: Method) -> bool:
    """True for an attribute of the actor, and not for an entry of a table."""
    return isinstance(target, (code.Attr, code.Name)) and bool(method.own_attribute(target))


def _leaves_the_loop(catch: Catch) -> bool:
    """True where no item comes after the one that failed."""
    last = catch.body[-1] if catch.body else None
    return isinstance(last, (code.Return, code.Break))


def _raises_on_request(catch: Catch) -> bool:
    """True where a wrapper raises again only what its user names, by a parameter that may be left out."""
    if not guards_what_is_given(catch):
        return False
    optional = {p.name for p in catch.method.code.params if p.default is not None}
    raised = [s for s in code.statements(catch.body) if isinstance(s, code.Raise)]
    return bool(raised) and all(
        any(
            isinstance(e, code.Name) and e.id in optional
            for t, _ in catch.method.flow.conditions(s)
            for e in code.walk(t)
        )
        for s in raised
    )
