"""OTP408 call-cycle."""

from collections.abc import Iterator

from otplint.api import Actor, Confidence, Cycle, Finding, Role, Rule, Severity, cycles


class CallCycle(Rule):
    """An actor calls itself, or calls another that calls it back, and each waits for the other.

    Why:
        An actor that waits for an answer handles no message, so it cannot answer either. A call to itself never comes
        back. Where two actors call each other, it takes only two requests at the same time for both to wait until
        their deadlines, or for ever.

    Harm:
        A deadlock, or a CallTimeout for each of them.

    Bad:
        from otplint.runtime import Server


        class Total(Server):
            async def handle_call(self, req, frm):
                return await self.system.call(self.pid, "sum")

    Good:
        from otplint.runtime import Server


        class Total(Server):
            async def handle_call(self, req, frm):
                return self.sum()

    Limits:
        Who is called is known from spawns, from what is given to an actor when it is made, from registered names and
        from annotations such as `ActorProxy[Bank]`; an address that comes with a message is not followed. Calls count
        where they hold the caller up: not casts, not answers that are awaited while other messages are handled; what
        is awaited when the actor starts or stops has low confidence.

    Report:
        Flaw 11. The report also calls a deferred reply a danger: it is the right pattern, for it holds nobody up; the
        call inside the handler is the risk.
    """

    code = "OTP408"
    severity = Severity.CRITICAL
    confidence = Confidence.HIGH
    proof = "same construct"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report each call of the actor that waits for somebody who waits for it."""
        if actor.is_actor:
            for cycle in cycles(actor):
                yield self._report(actor, cycle)

    def _report(self, actor: Actor, cycle: Cycle) -> Finding:
        call, back = cycle.call, cycle.back
        if back:
            way = " and ".join(f"{step.caller.name} calls {step.callee.name}" for step in back)
            problem = f"{actor.name} calls {call.callee.name} and waits, while {way}."
            consequence = "When both happen at once, each waits for the other until its deadline, or for ever."
            remedy = "Cast in one direction, or answer later: return at once and reply when the other one has answered."
        else:
            problem = f"{actor.name} calls itself and waits for the answer."
            consequence = "It cannot answer while it waits: the call never comes back, or ends at its deadline."
            remedy = "Call the function directly, or send the message without waiting."
        wait = call.wait
        return self.finding(
            actor,
            wait.method,
            wait.call,
            problem=problem,
            consequence=consequence,
            remedy=remedy,
            related=[
                (step.wait.method, step.wait.call, f"{step.caller.name} calls {step.callee.name}") for step in back
            ],
            confidence=min(_confidence(cycle), actor.confidence, key=lambda c: c.rank),
        )


def _confidence(cycle: Cycle) -> Confidence:
    waits = [cycle.call.wait, *[step.wait for step in cycle.back]]
    if any(wait.awaited and wait.method.role in (Role.START, Role.STOP) for wait in waits):
        why = "whether an actor handles messages while it awaits at its start or stop depends on the framework"
        waits[0].method.exempt(waits[0].call, why)
        return Confidence.LOW
    return Confidence.HIGH if cycle.certain and all(wait.running.certain for wait in waits) else Confidence.MEDIUM
