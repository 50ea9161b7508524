"""OTP101 monitor-never-released."""

from collections.abc import Iterator

from otplint.api import (
    Actor,
    Confidence,
    Drop,
    Finding,
    Flaw,
    Place,
    Rule,
    Severity,
    Watch,
    down_branches,
    is_harmless,
    syntax,
    watches,
)

_Related = tuple[Place, syntax.Node, str]


class MonitorNeverReleased(Rule):
    """An actor watches others and keeps watching those that it has lost interest in.

    Why:
        A monitor lives until its target ends, its owner ends, or somebody releases it. An actor that watches a
        long-lived target for each request, and never calls demonitor, gathers monitors for as long as both live. The
        same holds where one path forgets the reference (`del self._refs[pid]`) and leaves the monitor behind.

    Harm:
        N one-off interactions with a long-lived target leave N live monitors; when it dies, N DOWN messages arrive.

    Bad:
        from otplint.runtime import Down, Server


        class Desk(Server):
            async def init(self):
                self._visits = {}

            async def handle_call(self, req, frm):
                self._visits[self.system.monitor(req.client)] = req.client
                return "served"

            async def handle_info(self, msg):
                if isinstance(msg, Down):
                    self._visits.pop(msg.ref, None)

    Good:
        from otplint.runtime import Down, Server


        class Desk(Server):
            async def init(self):
                self._visits = {}

            async def handle_call(self, req, frm):
                if req.client not in self._visits:
                    self._visits[req.client] = self.system.monitor(req.client)
                return "served"

            async def handle_cast(self, msg):
                ref = self._visits.pop(msg.client, None)
                if ref is not None:
                    self.system.demonitor(ref, flush=True)

            async def handle_info(self, msg):
                if isinstance(msg, Down):
                    self._visits.pop(msg.pid, None)

    Limits:
        A DOWN handler needs no demonitor: a delivered DOWN has removed the monitor (where a framework does not do so,
        OTP105 speaks). Silent where any code of the class, its bases, mixins or subclasses may release the reference,
        unless a path that forgets it releases nothing; for a target that the actor has just started or goes on to end;
        for watches made once at the start. One call gives one finding: a reference that nothing keeps is OTP102; what
        this rule reports is not reported by OTP103 too. A release that comes too late for a queued DOWN is OTP104, the
        entry that the actor keeps of a dead target OTP107: each has a repair of its own. Callbacks and timers are
        OTP106.

    Report:
        Flaw 13. The report is wrong about the place: it wants demonitor in the DOWN handler, where it does nothing, and
        says that a dying watcher floods its supervisor, which gets no message at all. The leak is real where live
        targets outlive the interest in them. Its own repair is accepted as a release.
    """

    code = "OTP101"
    severity = Severity.CRITICAL
    confidence = Confidence.MEDIUM
    proof = "same construct"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report the watches that nothing releases, and those that one path forgets."""
        for watch in watches(actor):
            if watch.flaw is Flaw.UNRELEASED:
                yield self._unreleased(actor, watch)
            elif watch.flaw is Flaw.DROPPED:
                yield self._dropped(actor, watch)
            else:
                watch.method.exempt(watch.call, is_harmless(watch, Flaw.UNRELEASED))

    def _unreleased(self, actor: Actor, watch: Watch) -> Finding:
        what = syntax.dotted(watch.event.target) or "another actor"
        return self.finding(
            actor,
            watch.method,
            watch.call,
            problem=f"{watch.method.title} watches {what}, and nothing in {actor.name} ever releases it.",
            consequence="Each watch of a target that lives on stays live: they add up, and when the target ends, that "
            "many DOWN messages arrive at once.",
            remedy="Release the reference where the interest ends (the reply, the unsubscription); a delivered DOWN "
            "has already ended its watch.",
            related=[*_downs(actor), *_drops(watch.drops)],
            confidence=watch.confidence(Confidence.MEDIUM),
        )

    def _dropped(self, actor: Actor, watch: Watch) -> Finding:
        where = (watch.drops[0].way or watch.drops[0].place).method.name
        certain = all(drop.certain for drop in watch.drops)
        return self.finding(
            actor,
            watch.method,
            watch.call,
            problem=f"{actor.name} watches here, and {actor.name}.{where} forgets the watch without releasing it.",
            consequence="The monitor of a target that lives on stays live with no reference left to release it by; its "
            "DOWN arrives long after the actor has lost interest.",
            remedy=f"Release the reference in {where} before it is dropped, as the class does elsewhere.",
            related=[*_drops(watch.drops), *_downs(actor)],
            confidence=watch.confidence(Confidence.HIGH if certain else Confidence.MEDIUM),
        )


def _downs(actor: Actor) -> list[_Related]:
    return [
        (step.method, step.node, "a DOWN is handled here; it has ended its own watch") for step in down_branches(actor)
    ]


def _drops(drops: list[Drop]) -> list[_Related]:
    found: list[_Related] = []
    for drop in drops:
        story = "the watch is forgotten here" if drop.use else "a way out of here leaves the watch behind"
        found.append((drop.place.method, drop.place.node, story))
        if drop.way is not None:
            found.append((drop.way.method, drop.way.node, "nothing on this way releases it"))
    return found
