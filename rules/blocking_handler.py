"""OTP409 blocking-handler."""

from collections.abc import Iterator

from otplint.api import (
    Actor,
    Confidence,
    Finding,
    HeldLock,
    Option,
    Rule,
    Severity,
    Wait,
    blocking,
    held_locks,
    one_for_each_place,
    seconds,
    way,
)

_SHORTEST = Option("shortest", 0.01, "seconds; a sleep or bounded wait that is written to be no longer is not reported")


class BlockingHandler(Rule):
    """An actor sleeps, runs a command, does blocking I/O or joins a thread while it should handle messages.

    Why:
        An actor handles one message after another on its own thread, or on an event loop that it shares. While a
        handler blocks, every other request waits, also the one that would stop the actor. On an event loop all other
        actors and tasks wait as well, timeouts included.

    Harm:
        A request that has nothing to do with it waits the whole time.

    Bad:
        import subprocess

        import pykka


        class Encoder(pykka.ThreadingActor):
            def on_receive(self, message):
                return subprocess.run(["encode", message["path"]]).returncode

    Good:
        import subprocess

        import pykka


        class Encoder(pykka.ThreadingActor):
            def on_receive(self, message):
                return subprocess.run(["encode", message["path"]], timeout=self.patience).returncode

    Limits:
        Looked at are the functions that run while a message is handled: handlers, what they call in their class, the
        parts that the actor is made of, and helpers up to four calls outside of it. Far from the actor its own call is
        the place, and a way that a flag rules out (`install=False`) is none. On a thread of its own an actor may do I/O
        that ends after a time (`timeout=`); on an event loop it may not. Silent for what is awaited, handed to a
        thread, an executor or a timer, for the constructor, for jobs that have no mailbox, for threads without an
        inbox, for short waits at the start, for a pause before the process ends after a failure, and for a thread that
        was told to end just before; in a thread that serves a queue of its own, blocking may be its job: low
        confidence. A lock is reported where it is held across a wait that is not reported for itself.

    Report:
        Flaw 6. The report's agents run system commands in their handlers.
    """

    code = "OTP409"
    severity = Severity.HIGH
    confidence = Confidence.HIGH
    proof = "same construct"
    options = (_SHORTEST,)

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report what blocks, and the locks that are held meanwhile."""
        if not actor.is_actor:
            return
        for wait in one_for_each_place(w for w in blocking(actor) if not self._is_short(w)):
            yield self._blocked(actor, wait)
        for held in held_locks(actor):
            yield self._held(actor, held)

    def _is_short(self, wait: Wait) -> bool:
        length, shortest = seconds(wait), self.option("shortest", float)
        short = length is not None and length <= shortest
        return wait.method.exempt(wait.call, f"it takes no longer than {shortest:g} s (option shortest)" * short)

    def _blocked(self, actor: Actor, wait: Wait) -> Finding:
        method, place = wait.method, wait.running
        where = method.title if not place.crossed else method.name
        deed = "sleeps" if wait.role == "sleep" else "blocks"
        if place.on_loop:
            consequence = "The event loop stands still: no other message, task or timeout is handled meanwhile."
            remedy = "Await it, or hand it to a thread (asyncio.to_thread)."
        else:
            consequence = f"{actor.name} handles no other message meanwhile, not even the one that stops it."
            remedy = "Hand it to a thread or executor, or let a timer send a message; give what can block a timeout."
        return self.finding(
            actor,
            *wait.spot,
            problem=f"{where} {deed} in {method.text(wait.call)} while {actor.name} should handle messages.",
            consequence=consequence,
            remedy=remedy,
            related=way(wait),
            confidence=_confidence(actor, wait),
        )

    def _held(self, actor: Actor, held: HeldLock) -> Finding:
        method = held.method
        return self.finding(
            actor,
            method,
            held.lock,
            problem=f"{method.name} holds {method.text(held.lock)} across {method.text(held.during)}.",
            consequence="Whoever needs the lock waits as long, on a thread or event loop that has other things to do.",
            remedy="Take the lock for the change of state alone, and wait outside of it.",
            related=[(method, held.during, "it waits here")],
            confidence=Confidence.MEDIUM,
        )


def _confidence(actor: Actor, wait: Wait) -> Confidence:
    if wait.in_thread_loop:
        wait.method.exempt(wait.call, "blocking may be the job of a thread that serves a queue of its own")
        return Confidence.LOW
    place = wait.running
    sure = Confidence.HIGH if place.certain and not place.crossed and not wait.method.stops else Confidence.MEDIUM
    return min(sure, actor.confidence, key=lambda c: c.rank)
