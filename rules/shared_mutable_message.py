"""OTP410 shared-mutable-message."""

from collections.abc import Iterator

from otplint.api import Actor, Confidence, Finding, Rule, Severity, Shared, shared


class SharedMutableMessage(Rule):
    """A mutable object is handed to another actor by reference and changed afterwards.

    Why:
        Actors need no locks because nobody else holds their state. Most Python frameworks pass messages by reference
        within a process, so a list that is sent and then changed, or a table that a handler returns, is shared memory:
        the receiver sees changes that nobody sent, in the middle of what it does.

    Harm:
        The receiver sees a value that nobody sent.

    Bad:
        from otplint.runtime import Server


        class Register(Server):
            def __init__(self):
                self.names = []

            async def handle_cast(self, msg):
                self.names.append(msg)

            async def handle_call(self, req, frm):
                return self.names

    Good:
        from otplint.runtime import Server


        class Register(Server):
            def __init__(self):
                self.names = []

            async def handle_cast(self, msg):
                self.names.append(msg)

            async def handle_call(self, req, frm):
                return tuple(self.names)

    Limits:
        Only plain containers that the actor makes itself and changes in place; copies, frozen values and containers
        that are replaced rather than changed are fine. Silent for frameworks that pickle or copy messages.

    Report:
        None: on the BEAM data is immutable and messages are copied, so the report's system cannot have it.
    """

    code = "OTP410"
    severity = Severity.MEDIUM
    confidence = Confidence.HIGH
    preview = True
    proof = "same construct"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report the places where a mutable object is handed out."""
        if actor.is_actor:
            for item in shared(actor):
                yield self._report(actor, item)

    def _report(self, actor: Actor, item: Shared) -> Finding:
        method, what = item.method, item.method.text(item.object)
        deed = "hands out" if item.is_state else "sends"
        return self.finding(
            actor,
            method,
            item.object,
            problem=f"{method.title} {deed} {what} itself and changes it afterwards.",
            consequence="The receiver has the same object: it sees changes that nobody sent, at any time.",
            remedy="Hand out a copy (tuple, dict, deepcopy) or frozen data.",
            related=[(item.changer, item.change, "it is changed here")],
            confidence=min(self.confidence, actor.confidence, key=lambda c: c.rank),
        )
