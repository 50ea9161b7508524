"""OTP503 unsupervised-spawn."""

from collections.abc import Iterator

from otplint.api import (
    IN_PROCESS,
    Actor,
    Confidence,
    Fate,
    Finding,
    Method,
    Place,
    Rule,
    Severity,
    Spawn,
    colleagues,
    may_come_again,
    spawn_doubt,
    spawn_excuse,
    spawns,
    spawns_of,
    syntax,
)

_WHATS = {"task": "a task", "future": "a background call", "thread": "a thread", "process": "a process",
          "timer": "a timer", "pool": "a pool of workers", "": "an actor"}  # fmt: skip
_DEEDS = {
    Fate.DROPPED: "and drops its handle",
    Fate.FORGOTTEN: "and forgets its handle",
    Fate.UNWATCHED: "and keeps its handle in {}, which nothing looks at",
    Fate.GLANCED: "and keeps its handle in {}, which is looked at only while it starts",
    Fate.MESSAGED: "and forgets its address after a message",
}
_RARE = {
    "timer": "It fires even after the actor has stopped, and if that fails nobody learns of it.",
    "pool": "Its threads live until it is collected, and what was submitted may run on after the actor has ended.",
}
_REMEDIES = {
    "task": "Keep the task and cancel and await it when the actor stops, or start it in a task group.",
    "future": "Keep the future and look at its result, at least in a done-callback.",
    "thread": "Keep the thread, tell it to end and join it when the actor stops, or make it a supervised actor.",
    "process": "Keep the process, watch its exit, and end and join it when the actor stops.",
    "timer": "Keep the timer and cancel it when the actor stops.",
    "pool": "Shut the pool down when the actor stops.",
    "": "Start it as the child of a supervisor, or keep its address, watch it and stop it.",
}


class UnsupervisedSpawn(Rule):
    """An actor starts something that nobody watches, restarts or stops.

    Why:
        What a supervisor did not start it can neither restart nor stop. A task whose handle is dropped fails in
        silence, a forgotten thread lives on when its actor is restarted, and then there are two. It is worst where the
        forgotten loop is a heartbeat or a watchdog: the one who should notice failures has failed unnoticed.

    Harm:
        Failures reported 0, restarts 0, orphans after shutdown 1.

    Bad:
        import asyncio

        from otplint.runtime import Server


        class Node(Server):
            async def init(self):
                asyncio.create_task(self.heartbeat())

            async def heartbeat(self):
                while True:
                    await asyncio.sleep(self.interval)
                    self.system.cast(self.registry, self.pid)

    Good:
        import asyncio

        from otplint.runtime import Server


        class Node(Server):
            async def init(self):
                self.beating = asyncio.create_task(self.heartbeat())

            async def terminate(self, reason):
                self.beating.cancel()

            async def heartbeat(self):
                while True:
                    await asyncio.sleep(self.interval)
                    self.system.cast(self.registry, self.pid)

    Limits:
        A handle counts as looked after as soon as anything but its start is done with it anywhere in the class, its
        bases or the project: waited for, cancelled, asked, given a callback, returned or passed on; what is done about
        a failure then is not judged. Silent for threads whose loop another function of the actor tells to end, for
        what only ends the process, and in test files.

    Report:
        Flaw 1. The report's helper was called supervised and fell back to a bare spawn.
    """

    code = "OTP503"
    severity = Severity.CRITICAL
    confidence = Confidence.HIGH
    proof = "same construct"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report the spawns of the actor and of the helpers it uses that nobody looks after."""
        for spawn, beside in _starts(actor) if actor.is_actor else ():
            if not spawn.outcome.method.exempt(spawn.outcome.call, spawn_excuse(spawn, actor)):
                yield self._report(actor, spawn, _confidence(spawn, actor, beside=beside))
        for event in actor.events("child") if actor.is_actor else ():
            event.method.exempt(event.call, "a supervisor starts it, and learns of its end")

    def _report(self, actor: Actor, spawn: Spawn, confidence: Confidence) -> Finding:
        outcome, kind = spawn.outcome, spawn.kind
        method = outcome.method
        deed = _DEEDS[spawn.fate].format(outcome.attribute.rpartition(".")[2])
        related: list[tuple[Place, syntax.Node, str]] = []
        if outcome.call is not spawn.event.call:
            related.append((spawn.event.method, spawn.event.call, "where it is started"))
        if spawn.target is not None:
            related.append((spawn.target, spawn.target.code, "what it runs"))
        runs = "" if spawn.target is None else f" for {spawn.target.name}"
        where = f"{method.actor.name}.{method.name}" if method.owner else method.name
        return self.finding(
            actor,
            method,
            _head(outcome.call, method),
            problem=f"{where} starts {_WHATS[kind]}{runs} {deed}.",
            consequence=_consequence(spawn, actor),
            remedy=_REMEDIES[kind],
            related=related,
            confidence=confidence,
        )


def _consequence(spawn: Spawn, actor: Actor) -> str:
    """What happens at run time, as far as it is known of this one."""
    kind, with_process = spawn.kind, actor.kind.own_process and spawn.kind in IN_PROCESS
    if kind in _RARE:
        return _RARE[kind]
    ends = with_process or spawn.ends_with_its_owner or (kind in IN_PROCESS and spawn.has_a_way_out)
    if not spawn.fails_unseen:
        unseen = "Its failures are only logged" if spawn.is_guarded else "Little in it can fail"
        unseen = "It survives its failures" if spawn.goes_on_by_itself else unseen
        if ends:
            return f"{unseen}, but if it ends all the same nobody learns of it or starts it again."
        comes = ": the next one comes beside it." if may_come_again(actor) else "."
        return f"{unseen}, and nothing ends it with the actor{comes}"
    if kind == "task" and spawn.fate in (Fate.DROPPED, Fate.FORGOTTEN):
        unseen = "If it fails nobody learns of it, the loop may even collect it while it runs"
        return f"{unseen}." if ends else f"{unseen}, and nothing ends it with the actor."
    if ends:
        return "If it fails nobody learns of it or starts it again."
    if kind in ("task", "future") or (kind == "thread" and not may_come_again(actor)):
        again = "" if kind == "task" else ", nothing starts it again"
        return f"If it fails nobody learns of it{again}, and nothing ends it with the actor."
    return "If it fails nobody learns of it or starts it again, and it outlives the actor as an orphan."


def _starts(actor: Actor) -> Iterator[tuple[Spawn, bool]]:
    """The spawns of the actor's own functions, then those of the helpers that it uses."""
    yield from ((spawn, False) for spawn in spawns(actor))
    for method in colleagues(actor):
        yield from ((spawn, True) for spawn in spawns_of(method))


def _confidence(spawn: Spawn, actor: Actor, *, beside: bool) -> Confidence:
    """How sure it is that nobody looks after it."""
    kind, fate = spawn.kind, spawn.fate
    why = spawn_doubt(spawn, actor)
    if spawn.outcome.method.exempt(spawn.outcome.call, why):
        return Confidence.LOW
    sure = Confidence.HIGH
    if fate in (Fate.UNWATCHED, Fate.GLANCED, Fate.MESSAGED) or beside or (kind == "thread" and not spawn.runs_on):
        sure = Confidence.MEDIUM
    return min(sure, Confidence.MEDIUM if spawn.is_named else sure, actor.confidence, key=lambda c: c.rank)


def _head(call: syntax.Call, method: Method) -> syntax.Node:
    """The call, or what is called where the call takes several lines."""
    span = method.span(call)
    return call if span.line == span.end_line else call.func
