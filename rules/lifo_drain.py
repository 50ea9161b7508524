"""OTP404 lifo-drain."""

from collections.abc import Iterator

from otplint.api import (
    Actor,
    Backwards,
    Confidence,
    Finding,
    Fix,
    Rule,
    Severity,
    backwards,
    syntax,
    with_method,
    wrapped,
)


class LifoDrain(Rule):
    """A buffer of messages is drained from the end where they come in, so that the last is delivered first.

    Why:
        Messages between two actors arrive in the order in which they were sent, and receivers count on it: create
        before update, begin before end. A buffer that is appended to and popped from the same end, or prepended to
        and drained without reversing, turns that order round whenever it holds more than one message, and under a
        steady load the oldest ones wait for ever.

    Harm:
        n buffered messages are delivered with n(n-1)/2 inversions; a queue has 0.

    Bad:
        from otplint.runtime import Server


        class Relay(Server):
            def __init__(self, receiver, room):
                self.receiver, self.room = receiver, room
                self.held = []

            async def handle_cast(self, msg):
                if len(self.held) < self.room:
                    self.held.append(msg)
                if msg.last:
                    while self.held:
                        self.system.cast(self.receiver, self.held.pop())

    Good:
        from collections import deque

        from otplint.runtime import Server


        class Relay(Server):
            def __init__(self, receiver, room):
                self.receiver = receiver
                self.held = deque(maxlen=room)

            async def handle_cast(self, msg):
                self.held.append(msg)
                if msg.last:
                    while self.held:
                        self.system.cast(self.receiver, self.held.popleft())

    Limits:
        Silent where a stack is meant: what is pushed was computed from what was popped (a walk over a graph, a pool
        that gets it back), push and pop stand in one function, the entry was carried out when it came in (undo), the
        entry is a resource that other work is given to, clean-up when the actor stops. `LifoQueue` says what it does.
        What is popped and only returned has low confidence.

    Report:
        Bug 4. The report takes it back, and rightly: its buffer is prepended to and reversed when it is drained, which
        is not reported. Without the reversal it would be a bug.
    """

    code = "OTP404"
    severity = Severity.MEDIUM
    confidence = Confidence.HIGH
    proof = "same construct"
    fix = "unsafe"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report the drains that turn the order round."""
        if actor.is_actor:
            for found in backwards(actor):
                if found.method in actor.methods:
                    yield self._report(actor, found)

    def _report(self, actor: Actor, found: Backwards) -> Finding:
        entry, name = found.entry, found.buffer.attribute
        where = {"head": "at its head", "seed": "in order"}.get(entry.end, "at its end")
        return self.finding(
            actor,
            found.method,
            found.node,
            problem=f"{found.method.title} drains {name} from the end where its entries come in.",
            consequence="What came last is delivered first, and under load the oldest wait for ever.",
            remedy="Append and take from the other end: a deque with append and popleft.",
            related=[(entry.method, entry.node, f"entries come in here, {where}")],
            confidence=_confidence(actor, found),
            fix=_turned(found),
        )


def _confidence(actor: Actor, found: Backwards) -> Confidence:
    """Outside of the actor's work, what was taken on last is often undone first, and rightly."""
    known = min(found.confidence, actor.confidence, key=lambda c: c.rank)
    return known if found.method in actor.working else Confidence.LOW


def _turned(found: Backwards) -> Fix | None:
    """The drain from the other end; none where that takes more than another call."""
    node, method, first_in = found.node, found.method, found.entry.end == "head"
    if isinstance(node, (syntax.Name, syntax.Attr, syntax.Sub)) and first_in:
        return Fix("Walk it the other way round", wrapped(method, node, "reversed(", ")"))
    if not isinstance(node, syntax.Call) or not isinstance(node.func, syntax.Attr):
        return None
    if node.func.name not in ("pop", "popleft"):
        return None
    take = "pop()" if first_in else "popleft()" if found.buffer.kind == "deque" else "pop(0)"
    edit = with_method(method, node, take)
    return None if edit is None else Fix(f"Take from the other end, by {take}", (edit,))
