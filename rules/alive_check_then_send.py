"""OTP403 alive-check-then-send."""

from collections.abc import Iterator

from otplint.api import Actor, Check, Confidence, Finding, Rule, Severity, alive_checks, code

_DEEDS = {
    "cast": "casts to",
    "send": "sends to",
    "put": "puts a message into the mailbox of",
    "handout": "hands out",
}


class AliveCheckThenSend(Rule):
    """A message is sent without an answer because its receiver was alive a moment before.

    Why:
        Between the question and the delivery the receiver may end, and a message to the dead is lost without a word.
        The check looks like care and changes nothing: whoever must know whether the message arrived has to be told
        by the receiver.

    Harm:
        The sender reports ok and the message is lost, in n of m schedules.

    Bad:
        from otplint.runtime import Server


        class Notifier(Server):
            async def handle_call(self, req, frm):
                if self.system.alive(self.mailer):
                    self.system.cast(self.mailer, req)
                    return "ok"
                return "nobody there"

    Good:
        from otplint.runtime import NoProc, Server


        class Notifier(Server):
            async def handle_call(self, req, frm):
                try:
                    await self.system.call(self.mailer, req)
                except NoProc:
                    return "nobody there"
                return "ok"

    Limits:
        Seen through locals, helpers and functions of modules, early returns, filters, and tables of those who are
        watched. A call is no finding, since its failure is told; nor is a send whose failure to be delivered is
        caught, one to somebody whom the same function watches, a check before a restart, stop or join, or one that is
        only shown.

    Report:
        Flaw 3 of part 1. There the check stands before a raw send to another agent.
    """

    code = "OTP403"
    severity = Severity.HIGH
    confidence = Confidence.HIGH
    proof = "same construct"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report each test once, with what it guards."""
        if not actor.is_actor:
            return
        found: dict[int, list[Check]] = {}
        for check in alive_checks(actor):
            found.setdefault(id(check.test), []).append(check)
        for checks in found.values():
            yield self._report(actor, checks)

    def _report(self, actor: Actor, checks: list[Check]) -> Finding:
        first = checks[0]
        send, alive = first.send, first.alive
        related = [(c.send.method, c.send.node, "may be lost all the same") for c in checks]
        if alive.method is not send.method:
            related.append((alive.method, alive.call, "where it is asked"))
        whom = (code.dotted(send.target) or "somebody") if send.target is not None else "its own thread"
        certain = send.certain and alive.certain
        return self.finding(
            actor,
            send.method,
            first.test,
            problem=f"{send.method.title} {_DEEDS[send.role]} {whom} because it was alive just now.",
            consequence="If it ends in between, the message is lost and the sender believes that it arrived.",
            remedy="Make a call and handle its failure; the check then says nothing that the call does not.",
            related=related,
            confidence=min(actor.confidence, Confidence.HIGH if certain else Confidence.MEDIUM, key=lambda c: c.rank),
        )
