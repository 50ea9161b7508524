"""OTP107 watch-table-not-cleaned."""

from collections.abc import Iterator

from otplint.api import Actor, Confidence, Finding, Leftover, Rule, Severity, leftovers, syntax


class WatchTableNotCleaned(Rule):
    """An actor keeps a table of those it watches, and leaves the entries of the dead in it.

    Why:
        The monitor of a dead target is gone with its DOWN; the actor's own table is not. What is keyed by a pid or a
        reference can never be asked for again after the death, for no pid comes twice: the table grows with each
        target that dies.

    Harm:
        Entries in the table = deaths.

    Bad:
        from otplint.runtime import Down, Server


        class Router(Server):
            async def init(self):
                self._refs = {}
                self._breakers = {}

            async def handle_call(self, req, frm):
                if req.pid not in self._refs:
                    self._refs[req.pid] = self.system.monitor(req.pid)
                    self._breakers[req.pid] = "closed"

            async def handle_cast(self, msg):
                self.system.demonitor(self._refs.pop(msg.pid), flush=True)
                self._breakers.pop(msg.pid)

            async def handle_info(self, msg):
                if isinstance(msg, Down):
                    self._refs.pop(msg.pid, None)

    Good:
        from otplint.runtime import Down, Server


        class Router(Server):
            async def init(self):
                self._refs = {}
                self._breakers = {}

            async def handle_call(self, req, frm):
                if req.pid not in self._refs:
                    self._refs[req.pid] = self.system.monitor(req.pid)
                    self._breakers[req.pid] = "closed"

            async def handle_cast(self, msg):
                self.system.demonitor(self._refs.pop(msg.pid), flush=True)
                self._breakers.pop(msg.pid)

            async def handle_info(self, msg):
                if isinstance(msg, Down):
                    self._refs.pop(msg.pid, None)
                    self._breakers.pop(msg.pid, None)

    Limits:
        Sees tables that are filled on the way of a watch, under the watched actor or its reference. Silent where a
        DOWN may change the table in any way (a mark "dead" counts), where something sweeps it (all entries, the
        oldest, those that are not alive), and for weak, bounded and unknown containers. It speaks of the table; that
        a watch is never released is OTP101, and where nothing handles the DOWN of such a watch that says it all.

    Report:
        Flaw 13. The report praises that the map of monitors is cleaned and does not see that the map of circuit
        breakers beside it is not: this leak is the real one in that handler.
    """

    code = "OTP107"
    severity = Severity.MEDIUM
    confidence = Confidence.HIGH
    proof = "same construct"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report the tables that no DOWN cleans, at the insertion."""
        for leftover in leftovers(actor):
            use = leftover.insertion
            what = syntax.dotted(use.key) or syntax.dotted(leftover.watch.event.target) or "an actor"
            least = leftover.watch.confidence(Confidence.HIGH if leftover.downs else Confidence.MEDIUM)
            yield self.finding(
                actor,
                use.method,
                use.node,
                problem=f"{use.method.title} keeps an entry in {use.attribute} for {what}, which it "
                f"watches, and {_handled(leftover)}.",
                consequence=f"{use.attribute} grows by one entry with each target that dies, for as long as "
                f"{actor.name} lives.",
                remedy=f"Remove the entry from {use.attribute} where the DOWN is handled.",
                related=[
                    *((s.method, s.node, "a DOWN is handled here and leaves the entry") for s in leftover.downs),
                    *((s.method, s.node, "an entry is removed here") for s in leftover.removals),
                    (leftover.watch.method, leftover.watch.call, "the target is watched here"),
                ],
                confidence=least,
            )


def _handled(leftover: Leftover) -> str:
    if not leftover.downs:
        return "nothing handles its DOWN"
    names = sorted({step.method.name for step in leftover.downs})
    return f"{' and '.join(names)} leaves it there when that goes down"
