"""OTP405 drain-before-ack."""

from collections.abc import Iterator

from otplint.api import Actor, Confidence, Drained, Finding, Rule, Severity, drained

_PROBLEMS = {
    "before": "takes the entries of {buffer} out before they are delivered",
    "whatever": "empties {buffer} whatever became of the delivery",
    "never": "puts messages into {buffer}, and nothing ever delivers them",
}


class DrainBeforeAck(Rule):
    """A buffer forgets its messages before, or whatever, the result of their delivery.

    Why:
        Whoever put a message into the buffer was told that it is taken care of. If the buffer is cleared or swapped
        first and delivered afterwards, the first failure loses all that was not delivered yet; if it is cleared after
        a loop that only logs failures, it loses those that failed. Nobody is told.

    Harm:
        Accepted minus delivered is 1 or more, with the receiver away for a moment.

    Bad:
        from otplint.runtime import CallError, Server


        class Relay(Server):
            async def init(self):
                self.held = []

            async def handle_cast(self, msg):
                if len(self.held) < self.room:
                    self.held.append(msg)

            async def handle_info(self, msg):
                batch, self.held = self.held, []
                for held in batch:
                    await self.system.call(msg.receiver, held)

    Good:
        from otplint.runtime import CallError, Server


        class Relay(Server):
            async def init(self):
                self.held = []

            async def handle_cast(self, msg):
                if len(self.held) < self.room:
                    self.held.append(msg)

            async def handle_info(self, msg):
                while self.held:
                    await self.system.call(msg.receiver, self.held[0])
                    self.held.pop(0)

    Limits:
        Only deliveries whose failure is known count: calls, what is waited for, methods of clients and connections.
        Messages that are sent or cast and then cleared are not reported, nor what is put back, stored or handed to
        somebody else on the failure path, nor buffers of callbacks, nor what happens while the actor stops.

    Report:
        Flaw 4: the coordination manager's buffer that is filled and never drained, and its drain.
    """

    code = "OTP405"
    severity = Severity.HIGH
    confidence = Confidence.HIGH
    proof = "same construct"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report the clearing statements, and buffers that are only filled."""
        if actor.is_actor:
            for found in drained(actor):
                if found.method in actor.methods:
                    yield self._report(actor, found)

    def _report(self, actor: Actor, found: Drained) -> Finding:
        name = found.buffer.attribute
        related = [(e.method, e.node, "messages come in here") for e in found.buffer.entries[:1]]
        if found.delivery is not None:
            related.append((*found.delivery, "the delivery that may fail"))
        never = found.kind == "never"
        return self.finding(
            actor,
            found.method,
            found.node,
            problem=f"{found.method.title} {_PROBLEMS[found.kind].format(buffer=name)}.",
            consequence="Messages that were accepted are lost, and nobody is told."
            if never
            else "What could not be delivered is lost, although it was accepted.",
            remedy="Deliver it when the receiver is back, or refuse the message."
            if never
            else "Deliver the first one, take it out when that has succeeded, and stop at the first failure.",
            related=[] if never and found.node is found.buffer.entries[0].node else related,
            confidence=min(found.confidence, actor.confidence, key=lambda c: c.rank),
        )
