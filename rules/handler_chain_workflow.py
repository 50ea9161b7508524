"""OTP604 handler-chain-workflow."""

from collections.abc import Iterator

from otplint.api import Actor, Chain, Confidence, Finding, Rule, Severity, chain


class HandlerChainWorkflow(Rule):
    """A workflow is spread over handlers that send each other the next step, with all of its instances in one table.

    Why:
        What comes after what is written nowhere: it must be pieced together from the messages that the actor sends to
        itself. Where a workflow stands is in the table and in a message on its way, and both are gone when the actor
        restarts: whoever began the workflow waits for ever. All workflows share one mailbox and one fate.

    Harm:
        A restart in mid-chain loses the workflow.

    Bad:
        from otplint.runtime import Server


        class Orders(Server):
            async def init(self):
                self.orders = {}

            async def handle_info(self, msg):
                match msg:
                    case ("begin", key):
                        self.orders[key] = "begun"
                        self.system.cast(self.pid, ("pay", key))
                    case ("pay", key):
                        self.orders[key] = "paid"
                        self.system.cast(self.pid, ("ship", key))
                    case ("ship", key):
                        self.orders[key] = "shipped"

    Good:
        from otplint.runtime import Server


        class Order(Server):
            def __init__(self, services):
                self.services = services

            async def handle_call(self, req, frm):
                for step in ("pay", "ship"):
                    await self.system.call(self.services, step)
                return "shipped"

    Limits:
        It takes three handlers in a row and a table that most of them use by a key of the message. A tick that a
        handler sends to itself, two handlers that take turns, an actor for each workflow, and an actor that saves its
        state are left alone. Callbacks of timers are no messages.

    Report:
        Flaw 8. There the steps are handle_info clauses of the coordinator.
    """

    code = "OTP604"
    severity = Severity.MEDIUM
    confidence = Confidence.MEDIUM
    preview = True
    proof = "same construct"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report the class, with every step related."""
        if actor.is_actor and actor.node is not None:
            found = chain(actor)
            if found is not None:
                yield self._report(actor, found)

    def _report(self, actor: Actor, found: Chain) -> Finding:
        assert actor.node is not None
        names = [t.entry.message for t in found.handlers]
        return self.finding(
            actor,
            actor.class_body if actor.form == "class" else actor.methods[0],
            actor.node,
            problem=f"{actor.name} drives workflows by messages to itself: {', then '.join(names)}.",
            consequence=f"A restart in between loses {found.table} and the message on its way: nobody goes on.",
            remedy="Give each workflow an actor of its own that does its steps in order, or save where it stands.",
            related=[
                (s.method, s.call, f"{s.sender.entry.message} sends {s.receiver.entry.message} its turn")
                for s in found.steps
            ],
            confidence=min(actor.confidence, self.confidence, key=lambda c: c.rank),
        )
