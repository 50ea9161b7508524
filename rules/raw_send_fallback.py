"""OTP402 raw-send-fallback."""

from collections.abc import Iterator

from otplint.api import Actor, Confidence, Fallback, Finding, Rule, Severity, after_failure

_DEEDS = {"send": "sends it raw", "put": "puts it into the mailbox", "cast": "casts it", "call": "calls again"}


class RawSendFallback(Rule):
    """When a call fails, the same request is sent once more in another way.

    Why:
        A call that timed out may still be done: the receiver has the request in its mailbox. Sending it again makes it
        run twice, and telling the caller that all is well hides the failure from the breaker and from whoever could
        act on it.

    Harm:
        One request is executed twice, and the breaker records no failure.

    Bad:
        from otplint.runtime import CallTimeout, Server


        class Manager(Server):
            async def handle_call(self, req, frm):
                try:
                    return await self.system.call(self.worker, req)
                except CallTimeout:
                    self.system.send(self.worker, req)
                    return "sent"

    Good:
        from otplint.runtime import CallTimeout, Server


        class Manager(Server):
            async def handle_call(self, req, frm):
                try:
                    return await self.system.call(self.worker, req)
                except CallTimeout as error:
                    return ("error", error)

    Limits:
        Silent where the request carries an idempotency key, where the failure is reported to somebody else, for a
        cancellation, for another receiver after a failure that says the request never arrived, and for a loop that
        makes the very same call again, which is about retries.

    Report:
        Recommendation 3. The report calls the fallback of its manager unreliable; after a timeout it is worse: the
        receiver does the work twice and the breaker can never open on slowness.
    """

    code = "OTP402"
    severity = Severity.CRITICAL
    confidence = Confidence.HIGH
    proof = "same construct"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report the second requests in the failure paths of calls."""
        if not actor.is_actor:
            return
        tried = set()
        for fallback in after_failure(actor):
            method, call = fallback.place
            tried.add(id(fallback.failed.call))
            if not method.exempt(call, fallback.excuse):
                yield self._report(actor, fallback)
        for event in actor.events("call") if actor.asked_why else ():
            if id(event.call) not in tried:
                event.method.exempt(event.call, "nothing is sent again where it fails")

    def _report(self, actor: Actor, fallback: Fallback) -> Finding:
        method, call = fallback.place
        again, failed = fallback.again, fallback.failed
        related = [(failed.method, failed.call, "the call that failed, and may still be carried out")]
        if again.call is not call:
            related.append((again.method, again.call, "where it is sent"))
        certain = fallback.same_target and fallback.same_payload
        return self.finding(
            actor,
            method,
            call,
            problem=f"After a failed call {method.title} {_DEEDS[again.role]}.",
            consequence="After a timeout the request may be carried out twice, and nobody counts the failure.",
            remedy="Let the failure reach the caller, or retry by a call whose request has an idempotency key.",
            related=related,
            confidence=Confidence.HIGH if certain else Confidence.MEDIUM,
        )
