"""OTP103 monitor-repeated."""

from collections.abc import Iterator

from otplint.api import Actor, Confidence, Finding, Flaw, Rule, Severity, is_harmless, syntax, watches


class MonitorRepeated(Rule):
    """A handler watches with each message and never asks whether it already does.

    Why:
        Every call of monitor makes a watch of its own, also for a target that is watched already. A handler that makes
        one with each message of the same sender holds as many as it has handled, and a table by target
        remembers only the last: releasing that one leaves the others.

    Harm:
        Monitors of one target = messages handled, and as many DOWN messages when it dies.

    Bad:
        from otplint.runtime import Down, Server


        class Chat(Server):
            async def init(self):
                self._speakers = {}

            async def handle_cast(self, msg):
                if msg.text == "bye":
                    self.system.demonitor(self._speakers.pop(msg.speaker), flush=True)
                else:
                    self._speakers[msg.speaker] = self.system.monitor(msg.speaker)

            async def handle_info(self, msg):
                if isinstance(msg, Down):
                    self._speakers.pop(msg.pid, None)

    Good:
        from otplint.runtime import Down, Server


        class Chat(Server):
            async def init(self):
                self._speakers = {}

            async def handle_cast(self, msg):
                if msg.text == "bye":
                    self.system.demonitor(self._speakers.pop(msg.speaker), flush=True)
                elif msg.speaker not in self._speakers:
                    self._speakers[msg.speaker] = self.system.monitor(msg.speaker)

            async def handle_info(self, msg):
                if isinstance(msg, Down):
                    self._speakers.pop(msg.pid, None)

    Limits:
        Any test of the actor's own record on the way counts as asking (membership, `get`, a flag, a `KeyError`), if
        the same way keeps that record up to date. Silent for targets that are new with each message (just started,
        taken from a table, named in an answer), where the same way releases, and where the reference goes out in a
        message or an answer. One call gives one finding: OTP102 (reference thrown away) and OTP101 (never released,
        or forgotten on a path) go before this rule. Timers that replace each other are OTP106.

    Report:
        Flaw 13. The report sees one monitor for each process and blames the DOWN handler; many monitors of one process
        are what adds up, and a DOWN ends only its own.
    """

    code = "OTP103"
    severity = Severity.HIGH
    confidence = Confidence.HIGH
    proof = "same construct"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report the watches that a handler makes with each message."""
        for watch in watches(actor):
            route = watch.repeating
            if watch.flaw is not Flaw.REPEATED or route is None:
                watch.method.exempt(watch.call, is_harmless(watch, Flaw.REPEATED))
                continue
            what = syntax.dotted(watch.event.target) or "another actor"
            entry = route.steps[-1]
            yield self.finding(
                actor,
                watch.method,
                watch.call,
                problem=f"{entry.method.title} watches {what} with each message and does not ask "
                "whether it already does.",
                consequence="The monitors of one target grow with the messages handled, and when it ends as many DOWN "
                "messages arrive; a table by target can release only the last.",
                remedy="Look the target up in the table of references first, and watch only what is not there.",
                related=[(entry.method, entry.node, "each message comes this way")] if len(route.steps) > 1 else [],
                confidence=watch.confidence(Confidence.HIGH),
            )
