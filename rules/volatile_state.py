"""OTP601 volatile-state."""

from collections.abc import Iterator

from otplint.api import Actor, Confidence, Finding, Rule, Severity, Volatile, volatile

_AFTER = {True: "A restart begins", False: "When it stops or dies, the next one begins"}


class VolatileState(Rule):
    """Accepted work is held in attributes only, so that it is gone when the actor is restarted or stopped.

    Why:
        A supervisor restarts an actor with the state of its `init`. Whatever the one before it had accepted and not
        finished, it has never heard of, and neither has anybody else: whoever brought the work was told that it is
        taken care of. Work in flight belongs into a store that outlives the actor, or stays with whoever brings it
        until it is done.

    Harm:
        k acknowledged items, a crash, a restart: 0 of them recovered.

    Bad:
        from collections import deque

        from otplint.runtime import Server


        class Worker(Server):
            def __init__(self, room):
                self.room = room
                self.tasks = deque()

            async def handle_call(self, req, frm):
                if len(self.tasks) >= self.room:
                    return "full"
                self.tasks.append(req.task)
                return "accepted"

            async def handle_info(self, msg):
                await self.process(self.tasks[0])
                self.tasks.popleft()

    Good:
        from collections import deque

        from otplint.runtime import PersistentServer


        class Worker(PersistentServer):
            def __init__(self, store, room):
                super().__init__(store, "worker")
                self.room = room
                self.tasks = deque()

            def snapshot(self):
                return list(self.tasks)

            def restore(self, state, version):
                self.tasks = deque(state)

            async def handle_call(self, req, frm):
                if len(self.tasks) >= self.room:
                    return "full"
                self.tasks.append(req.task)
                return "accepted"

            async def handle_info(self, msg):
                await self.process(self.tasks[0])
                self.tasks.popleft()

    Limits:
        Silent about callers that wait for the end of their request (they will notice), addresses, leases and other
        entries with a time, histories, tables that forget an entry when its peer dies, whatever is saved or comes
        back at the start, and work whose source is told when it is done. An object that may be a store is believed to
        be one. Where nobody restarts the actor, stopping loses the work all the same: medium confidence.

    Report:
        Recommendation 1. It sends `TaskAgent` and `CoordinatorAgent` to a persistent base class; so does this rule.
    """

    code = "OTP601"
    severity = Severity.CRITICAL
    confidence = Confidence.HIGH
    proof = "same construct"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report the containers of accepted work that nothing outlives."""
        if actor.is_actor:
            for found in volatile(actor):
                if found.accepted.method in actor.methods:
                    yield self._report(actor, found)

    def _report(self, actor: Actor, found: Volatile) -> Finding:
        buffer = found.buffer
        restarts = "restart" in actor.kind.on_failure
        related = [
            (found.accepted.method, found.accepted.node, "work is accepted here"),
            (*found.worked, "and done here"),
        ]
        related += [(b.made.method, b.made.node, f"{b.attribute} holds the same work") for b in found.others]
        return self.finding(
            actor,
            buffer.made.method,
            buffer.made.node,
            problem=f"{actor.name} holds accepted work in {buffer.attribute} only.",
            consequence=f"{_AFTER[restarts]} without it, and nobody who brought it is told.",
            remedy="Save it before it is acknowledged and restore it at the start, or let its source keep it.",
            related=related,
            confidence=min(found.confidence, actor.confidence, key=lambda c: c.rank),
        )
