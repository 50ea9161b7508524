"""OTP602 ack-before-persist."""

from collections.abc import Iterator

from otplint.api import Actor, Confidence, Early, Finding, Rule, Severity, early_answers

_HOW = {
    "sent": "answers before it saves",
    "returned": "returns its answer on a way that does not save first",
}


class AckBeforePersist(Rule):
    """An acknowledgement leaves before the state that it promises is saved.

    Why:
        Between the answer and the save the actor can die. The caller has been told that the request is safe and will
        not send it again, and the next incarnation restores a state in which it never happened. Saved first, the worst
        case is a request that was done and not acknowledged, which the caller can repeat.

    Harm:
        At some crash points an acknowledged item is lost; with the save first at none.

    Bad:
        from otplint.runtime import NO_REPLY, Server


        class Ledger(Server):
            async def handle_call(self, req, frm):
                frm.reply("booked")
                self.store.put(req.key, req.text)
                return NO_REPLY

    Good:
        from otplint.runtime import Server


        class Ledger(Server):
            async def handle_call(self, req, frm):
                self.store.put(req.key, req.text)
                return "booked"

    Limits:
        Only what is known to save counts: stores, files, databases, and project functions that use them. State that is
        saved only when the actor stops is OTP601's. Saving later on purpose, in batches, is reported with medium
        confidence: it is a promise with a gap.

    Report:
        Persistence of part 1. A persistent base class stores the state before the answer leaves.
    """

    code = "OTP602"
    severity = Severity.HIGH
    confidence = Confidence.HIGH
    proof = "same construct"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report the answers that leave too early."""
        if actor.is_actor:
            for early in early_answers(actor):
                if early.method in actor.methods:
                    yield self._report(actor, early)

    def _report(self, actor: Actor, early: Early) -> Finding:
        return self.finding(
            actor,
            early.method,
            early.node,
            problem=f"{early.method.title} {_HOW[early.kind]}.",
            consequence="If the actor dies in between, what was acknowledged is lost, and nobody sends it again.",
            remedy="Save first, then answer.",
            related=[(*early.save, "it is saved here")],
            confidence=min(early.confidence, actor.confidence, key=lambda c: c.rank),
        )
