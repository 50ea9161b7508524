"""OTP201 broad-except-in-handler."""

from collections.abc import Iterator

from otplint.api import (
    Actor,
    Catch,
    Confidence,
    Finding,
    Reaction,
    Rule,
    Severity,
    catches,
    cleans_up,
    code,
    goes_round,
    guards_what_is_given,
    hides,
    is_catch_all,
    outcome,
)

_OUTCOMES = {
    "restart": "the supervisor never learns of the failure, so nothing restarts the actor and it goes on with whatever "
    "state the failed step left behind",
    "stop": "the actor does not stop, nobody is told, and it goes on with whatever state the failed step left behind",
    "reply": "it goes on as if nothing had happened, and the caller is not told",
    "unseen": "the loop goes on as if nothing had happened, with whatever state the failed step left behind",
    "unseen, once": "the work goes on as if nothing had happened, with whatever state the failed step left behind",
    "isolated": "the framework counts the job as done",
    "ending": "what was to be ended lives on, and nobody is told",
}
_DEEDS = {
    Reaction.SILENT: "says nothing",
    Reaction.LOGS: "only logs it",
    Reaction.DEFAULT: "puts a value in the place of the result",
    Reaction.MARKS: "does no more than note it in its state",
    Reaction.REACTS: "carries on",
}


class BroadExceptInHandler(Rule):
    """A handler catches every exception and carries on, so a bug never reaches whoever could restart the actor.

    Why:
        An actor is restarted to get back to a known state. A handler that turns every error into a log line or a
        default value takes that away: a bug looks like an expected failure, and the actor keeps a state that nobody
        designed. What a failure means depends on the framework: it restarts the actor, stops it, goes back to the
        caller, or ends a thread unseen; the message says which. Where nobody restarts (a bare thread), dying in
        silence would be worse, so only a silent handler or one that invents a result is reported.

    Harm:
        Each of k injected bugs: crashes 0, restarts 0, and a later call answers from the corrupt state.

    Bad:
        from otplint.runtime import Server


        class Ledger(Server):
            async def handle_call(self, req, frm):
                try:
                    self.total += req.amount
                    self.entries[req.key] = req.amount / req.rate
                except Exception:
                    return ("error", "bad entry")

    Good:
        from otplint.runtime import Server


        class Ledger(Server):
            async def handle_call(self, req, frm):
                try:
                    share = req.amount / req.rate
                except ZeroDivisionError:
                    return ("error", "rate is zero")
                self.total += req.amount
                self.entries[req.key] = share

    Limits:
        Silent where the clause re-raises (also only some errors), stops the actor, ends the loop that it lives by, or
        hands the exception to a future or another actor (an answer to the sender is none); where one bad item of many
        is kept from stopping the others; in clean-up, unless it should end a thread, task, process or actor and fails
        without a word; around a job that came with the message; around imports. In threads and drained queues only
        what the loop reaches is looked at. Low confidence, unless the framework would have restarted the actor, have:
        an `except` that does something about the failure (tries again, tells somebody), a question that the failure
        answers (`ping(); return True`, else False), a step on the side of a request, text of the error in a result
        that others read, a False or None that is logged and that every caller looks at, and a warning in the loop
        of a plain thread. Wrappers, and code outside of the class, are OTP203.

    Report:
        Smell 6. The report says that `rescue` catches everything; on the BEAM it catches errors but no exits.
        Python's `except Exception` does catch a failed call, and no cancellation: that is OTP202.
    """

    code = "OTP201"
    severity = Severity.HIGH
    confidence = Confidence.HIGH
    proof = "same construct"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report the broad `except` clauses of the actor's own functions."""
        if not actor.is_actor:
            return
        for method in (*actor.working, *actor.ending):
            for catch in catches(method):
                if method.exempt(catch.node, _not_ours(catch)):
                    continue
                confidence = hides(catch, outcome(method), actor)
                if confidence is not None:
                    yield self._report(actor, catch, confidence)

    def _report(self, actor: Actor, catch: Catch, confidence: Confidence) -> Finding:
        method = catch.method
        then = _then(catch)
        deed = "tells nobody but a debug log" if catch.is_only_traced else _DEEDS[catch.reaction]
        what = "Exception" if "Exception" in catch.types else "BaseException"
        how = f"{'suppresses' if isinstance(catch.node, code.Call) else 'catches'} {what}"
        return self.finding(
            actor,
            method,
            catch.node,
            problem=f"{method.title} {how} and {deed}.",
            consequence=f"After a bug here {then}.",
            remedy="Catch the errors that are expected and let any other end the handler.",
            confidence=min(confidence, actor.confidence, key=lambda c: c.rank),
        )


def _then(catch: Catch) -> str:
    """What follows from a failure that the clause swallows, as far as it is known."""
    method = catch.method
    if cleans_up(catch):
        return _OUTCOMES["ending"]
    fate = outcome(method)
    last = catch.body[-1] if catch.body else None
    if fate == "reply" and isinstance(last, code.Return):
        given = "a value in the place of the result"
        if last.value is None or isinstance(last.value, (code.Const, code.Seq, code.Dict)):
            given = "nothing" if last.value is None else method.text(last.value, 40)
        return f"the caller gets {given}, and cannot tell a bug from a failure that was expected"
    return _OUTCOMES["unseen, once" if fate == "unseen" and not goes_round(catch) else fate]


def _not_ours(catch: Catch) -> str:
    """Why a clause is none of this rule's; empty for one that is."""
    if not is_catch_all(catch):
        if catch.stopping:
            return "it catches requests to stop as well, which is OTP202's matter"
        return f"it catches only {' and '.join(t.rpartition('.')[2] for t in catch.types) or 'what it names'}"
    return "it guards code that others give it, which is OTP203's matter" if guards_what_is_given(catch) else ""
