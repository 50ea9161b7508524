"""OTP407 call-without-timeout."""

from collections.abc import Iterator

from otplint.api import (
    Actor,
    Confidence,
    Finding,
    Rule,
    Severity,
    Wait,
    calls_itself,
    one_for_each_place,
    unbounded_waits,
    way,
)

_WHAT = {
    "call": "waits for an answer",
    "take": "waits for a message",
    "wait": "waits for somebody else",
}


class CallWithoutTimeout(Rule):
    """An actor waits for somebody else without a deadline while it handles a message.

    Why:
        The one it waits for may be slow, stuck, or waiting itself. Without a deadline the actor is stuck with it: it
        answers nobody, its own callers wait in turn, and it cannot even be stopped. A deadline turns that into a
        failure that somebody can act upon.

    Harm:
        The actor waits for ever, in virtual time, and a later request to it is never answered.

    Bad:
        from otplint.runtime import Server


        class Till(Server):
            async def handle_call(self, req, frm):
                return await self.system.call(self.bank, req, timeout=None)

    Good:
        from otplint.runtime import Server


        class Till(Server):
            async def handle_call(self, req, frm):
                return await self.system.call(self.bank, req, timeout=self.patience)

    Limits:
        Looked at are the functions that run while a message is handled: handlers, what they call in their class, the
        parts that the actor is made of, and helpers up to four calls outside of it. Silent for a finite default, a
        scope around the call that ends it, a queue or future that was asked before whether it is ready, what is handed
        to a thread or executor, and a thread that waits for nothing but its own inbox; also for a reference that stands
        for data rather than for an answer, and for own work that a thread shares out and waits for. What is awaited
        counts only where the framework handles one message at a time, and with low confidence unless a finite default
        was taken away (`timeout=None`).

    Report:
        Flaw 11. The report calls any wait inside a `handle_call` a flaw; a bounded one whose failure is handled is
        ordinary, one without a deadline never is.
    """

    code = "OTP407"
    severity = Severity.MEDIUM
    confidence = Confidence.HIGH
    proof = "same construct"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report the waits without a deadline."""
        if actor.is_actor:
            for wait in one_for_each_place(unbounded_waits(actor)):
                if calls_itself(wait):
                    wait.method.exempt(wait.call, "the actor waits for itself, which no deadline mends: see OTP408")
                else:
                    yield self._report(actor, wait)

    def _report(self, actor: Actor, wait: Wait) -> Finding:
        method, place = wait.method, wait.running
        where = method.title if not place.crossed else method.name
        return self.finding(
            actor,
            *wait.spot,
            problem=f"{where} {_WHAT[wait.role]} in {method.text(wait.call)} without a deadline.",
            consequence=f"If nothing comes, {actor.name} handles no other message and its callers wait as well.",
            remedy="Give the wait a timeout and handle its failure, or let the answer come as a message.",
            related=way(wait),
            confidence=_confidence(actor, wait),
        )


def _confidence(actor: Actor, wait: Wait) -> Confidence:
    if wait.in_thread_loop and wait.role != "call":
        wait.method.exempt(wait.call, "waiting may be the job of a thread that serves a queue of its own")
        return Confidence.LOW
    if wait.awaited and not wait.event.operation.bounded and not wait.event.operation.timeout:
        wait.method.exempt(wait.call, "what is awaited without a deadline can still be cancelled from outside")
        return Confidence.LOW
    place = wait.running
    sure = Confidence.HIGH if wait.event.certain and place.certain and not place.crossed else Confidence.MEDIUM
    return min(sure, actor.confidence, key=lambda c: c.rank)
