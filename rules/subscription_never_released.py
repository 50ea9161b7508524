"""OTP106 subscription-never-released."""

from collections.abc import Iterator

from otplint.api import Actor, Confidence, Finding, Leak, Loose, Rule, Severity, leaks, syntax

_STORIES = {
    Loose.UNRELEASED: "",
    Loose.CLOSED: "the descriptor is closed here, and the loop still watches it",
    Loose.OVERWRITTEN: "the timer is made here",
    Loose.UNREACHABLE: "this is never reached",
}


class SubscriptionNeverReleased(Rule):
    """An actor subscribes to something that outlives it, or starts a timer, and never undoes it.

    Why:
        A callback on an event loop, a bus or a longer-lived object keeps the actor alive and is called after its end;
        each restart adds one more. A timer that a new one takes the place of goes on with nobody able to cancel it. A
        socket that is closed while the loop still watches it leaves a handler for whatever gets its number next.

    Harm:
        Callbacks held after the actor's death: one for each of its lives.

    Bad:
        from otplint.runtime import Server


        class Bus:
            def __init__(self):
                self._takers = []

            def subscribe(self, taker):
                self._takers.append(taker)

            def unsubscribe(self, taker):
                self._takers.remove(taker)


        class Meter(Server):
            def __init__(self, bus):
                self.bus = bus

            async def init(self):
                self.bus.subscribe(self.on_reading)

            def on_reading(self, value):
                self.last = value

    Good:
        from otplint.runtime import Server


        class Bus:
            def __init__(self):
                self._takers = []

            def subscribe(self, taker):
                self._takers.append(taker)

            def unsubscribe(self, taker):
                self._takers.remove(taker)


        class Meter(Server):
            def __init__(self, bus):
                self.bus = bus

            async def init(self):
                self.bus.subscribe(self.on_reading)

            async def terminate(self, reason):
                self.bus.unsubscribe(self.on_reading)

            def on_reading(self, value):
                self.last = value

    Limits:
        What undoes what is told by the frameworks' data, by the subscribed class itself where it is in the project
        (one method keeps what another takes out), and by names that come in pairs where the object's type is unknown
        (`add_listener` and `remove_listener`), with less confidence. Silent where any code of the class, its bases,
        mixins, subclasses or helpers undoes it; where the result, which undoes it, goes anywhere; for weak references;
        for objects that the actor made itself, which end with it; for callbacks of one-shot futures and timers that
        nobody keeps. A timer thread that nobody cancels at all is OTP503. What is held for the life of the program
        (`atexit`), and actors that nothing stops, are reported with low confidence.

    Report:
        Flaw 13, generalised. What holds for monitors holds for every pair of acquire and release.
    """

    code = "OTP106"
    severity = Severity.HIGH
    confidence = Confidence.HIGH
    proof = "same construct"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report what is never undone, where it is taken on, and what keeps it from being undone."""
        for leak in leaks(actor):
            problem, consequence, remedy = _words(actor, leak)
            yield self.finding(
                actor,
                leak.place.method,
                leak.place.node,
                problem=problem,
                consequence=consequence,
                remedy=remedy,
                related=[(s.method, s.node, _STORIES[leak.flaw]) for s in leak.related[:1]],
                confidence=leak.confidence,
            )


def _words(actor: Actor, leak: Leak) -> tuple[str, str, str]:
    taken = leak.acquisition
    what = syntax.dotted(taken.call.func) or taken.name
    where = leak.place.method.title
    timer = taken.is_timer
    held = f"The callback keeps {actor.name} in memory and runs after its end; each new {actor.name} adds another one."
    if leak.flaw is Loose.OVERWRITTEN:
        return (
            f"{where} puts a new timer in the place of one that may still be running, without {taken.words}.",
            "The old timer goes on, nobody can stop it any more, and both fire.",
            f"Call {taken.words} for the one that is there first, or start none while one runs.",
        )
    if leak.flaw is Loose.UNREACHABLE:
        return (
            f"The test before {taken.words} in {where} compares a key with the table itself and is never true.",
            "What was started is never stopped.",
            "Ask whether the key is in the table.",
        )
    if leak.flaw is Loose.CLOSED:
        return (
            f"{where} has the event loop watch a descriptor that {actor.name} closes without {taken.words}.",
            "The loop keeps the handler of a closed descriptor; the next file or socket to get its number calls it.",
            f"Call {taken.words} before the descriptor is closed.",
        )
    if timer:
        return (
            f"{where} starts a timer with {what}, and nothing in {actor.name} calls {taken.words} for it.",
            f"It {'keeps firing' if taken.repeats else 'fires'} after {actor.name} has ended, and keeps it in memory.",
            f"Keep it, and call {taken.words} where {actor.name} stops.",
        )
    return (
        f"{where} calls {what}, and nothing in {actor.name} calls {taken.words}.",
        held,
        f"Call {taken.words} where {actor.name} stops, or hold the callback weakly.",
    )
