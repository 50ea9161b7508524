"""OTP102 monitor-ref-discarded."""

from collections.abc import Iterator

from otplint.api import Actor, Confidence, Finding, Flaw, Rule, Severity, is_harmless, syntax, watches


class MonitorRefDiscarded(Rule):
    """An actor watches another and throws the reference away, so nobody can ever release the watch.

    Why:
        A monitor is released by the reference that made it. Without the reference (a bare call, a variable that is
        never read, a table that keeps only the pid) the watch lasts until the target ends, wanted or not.

    Harm:
        N live monitors, and no reference in the actor that would release one of them.

    Bad:
        from otplint.runtime import Down, Server


        class Hall(Server):
            async def init(self):
                self._guests = set()

            async def handle_call(self, req, frm):
                if req.guest not in self._guests:
                    self._guests.add(req.guest)
                    self.system.monitor(req.guest)
                return "welcome"

            async def handle_info(self, msg):
                if isinstance(msg, Down):
                    self._guests.discard(msg.pid)

    Good:
        from otplint.runtime import Down, Server


        class Hall(Server):
            async def init(self):
                self._guests = {}

            async def handle_call(self, req, frm):
                if req.guest not in self._guests:
                    self._guests[req.guest] = self.system.monitor(req.guest)
                return "welcome"

            async def handle_cast(self, msg):
                ref = self._guests.pop(msg.guest, None)
                if ref is not None:
                    self.system.demonitor(ref, flush=True)

            async def handle_info(self, msg):
                if isinstance(msg, Down):
                    self._guests.pop(msg.pid, None)

    Limits:
        Silent where the reference is awaited, returned, sent, handed to other code or kept in a table; in frameworks
        that release by naming the target; for a target that the actor has just started or goes on to end; for a watch
        that is made at the start, or anew after a DOWN, and lasts as long as the actor. One call gives one finding: a
        reference that is thrown away is this rule's alone, whatever OTP101 and OTP103 would say of it. A table of
        targets beside it that no DOWN cleans is OTP107.

    Report:
        Flaw 13. The report asks for demonitor in the DOWN handler, where the DOWN itself has brought the reference and
        the monitor is gone already; the reference is needed for targets that live on.
    """

    code = "OTP102"
    severity = Severity.HIGH
    confidence = Confidence.HIGH
    proof = "same construct"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report the watches whose reference nothing keeps."""
        for watch in watches(actor):
            if watch.flaw is not Flaw.DISCARDED:
                watch.method.exempt(watch.call, is_harmless(watch, Flaw.DISCARDED))
                continue
            what = syntax.dotted(watch.event.target) or "another actor"
            kept = sorted({fate.attribute for fate in watch.fates if fate.kind == "stored"})
            how = f"keeps the reference in {kept[0]}, which nothing reads" if kept else "throws the reference away"
            if watch.keyed and not kept:
                how = f"keeps only the target, in {min(watch.keyed)}, not the reference"
            yield self.finding(
                actor,
                watch.method,
                watch.call,
                problem=f"{watch.method.title} watches {what} and {how}.",
                consequence="Nobody can release this watch: it stays live for as long as the target does, and so "
                "does every other that this line makes.",
                remedy="Keep the reference (in a table by target, say) and release it where the interest ends.",
                confidence=watch.confidence(Confidence.MEDIUM if kept else Confidence.HIGH),
            )
