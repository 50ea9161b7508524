"""OTP104 demonitor-without-flush."""

from collections.abc import Iterator

from otplint.api import Actor, Confidence, Event, Finding, Fix, Rule, Severity, replaced, stale_downs, with_keyword


class DemonitorWithoutFlush(Rule):
    """An actor releases a watch, and handles the DOWN that was already queued as if the watch were still wanted.

    Why:
        Releasing a watch stops messages that are not yet sent. When the target has died a moment before, its DOWN
        stands in the mailbox already and is handled after the release. A handler that asks whether it still knows the
        reference throws it away; one that counts, restarts or tells others acts on a death that it had signed off.

    Harm:
        A stale DOWN is handled in at least one schedule, and the handler acts on it.

    Bad:
        from otplint.runtime import Down, Server


        class Lease(Server):
            async def init(self):
                self._refs = {}
                self.failures = 0

            async def handle_call(self, req, frm):
                if req.start and req.pid not in self._refs:
                    self._refs[req.pid] = self.system.monitor(req.pid)
                elif not req.start:
                    self.system.demonitor(self._refs.pop(req.pid))

            async def handle_info(self, msg):
                if isinstance(msg, Down):
                    self._refs.pop(msg.pid, None)
                    self.failures += 1

    Good:
        from otplint.runtime import Down, Server


        class Lease(Server):
            async def init(self):
                self._refs = {}
                self.failures = 0

            async def handle_call(self, req, frm):
                if req.start and req.pid not in self._refs:
                    self._refs[req.pid] = self.system.monitor(req.pid)
                elif not req.start:
                    self.system.demonitor(self._refs.pop(req.pid), flush=True)

            async def handle_info(self, msg):
                if isinstance(msg, Down):
                    self._refs.pop(msg.pid, None)
                    self.failures += 1

    Limits:
        Silent where the DOWN handler asks the actor's record of its watches in any way (membership, `get`, a compared
        reference, a caught `KeyError`) or only removes what may be gone; where the answer of the release is looked at;
        for releases when the actor ends and in the DOWN handler itself, where there is nothing left to flush. Whether
        the target can die at that moment is not asked.

    Report:
        Flaw 13. Its repair has the flush, in the one place where it does nothing: the DOWN handler.
    """

    code = "OTP104"
    severity = Severity.MEDIUM
    confidence = Confidence.HIGH
    proof = "same construct"
    fix = "safe"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report the releases that leave a DOWN behind which is then acted on."""
        for stale in stale_downs(actor):
            event = stale.event
            certain = event.certain and any(answer.certain for answer in stale.answers)
            most = Confidence.HIGH if certain else Confidence.MEDIUM
            handler = stale.answers[0].place.method.name
            yield self.finding(
                actor,
                event.method,
                event.call,
                problem=f"{event.method.title} releases a watch and leaves its DOWN in the mailbox, "
                f"if one is queued already; {actor.name}.{handler} acts on it.",
                consequence="Where the target dies just before the release, its death is handled although the actor "
                "has given the watch up.",
                remedy=f"Pass {event.operation.flush}=True, or ask in the DOWN handler whether the reference is known.",
                related=[(a.place.method, a.place.node, "a late DOWN is acted on here") for a in stale.answers[:3]],
                confidence=min(most, actor.confidence, key=lambda c: c.rank),
                fix=_flushed(event),
            )


def _flushed(event: Event) -> Fix | None:
    """The release that throws away what is queued: nothing else in it changes."""
    operation, call = event.operation, event.call
    given = call.argument(len(operation.parameters), operation.flush)
    edit = replaced(event.method, given, "True") if given is not None else None
    edit = edit or with_keyword(event.method, call, operation.flush, "True")
    return None if edit is None else Fix(f"Pass {operation.flush}=True", (edit,), safe=True)
