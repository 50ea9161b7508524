"""OTP406 unbounded-buffer."""

from collections.abc import Iterator

from otplint.api import Actor, Confidence, Finding, Growth, Rule, Severity, growths


class UnboundedBuffer(Rule):
    """A mailbox or buffer that is fed from outside has no bound.

    Why:
        When messages come faster than they are handled, something has to give. With a bound it is decided where: the
        sender waits, is refused, or the oldest is dropped. Without one the queue grows until memory is gone, and by
        then every message in it is hours old.

    Harm:
        The high-water mark grows with the time that the receiver is slower than its senders.

    Bad:
        import queue
        import threading


        class Printer(threading.Thread):
            def __init__(self):
                super().__init__()
                self.jobs = queue.Queue()

            def submit(self, job):
                self.jobs.put(job)

            def run(self):
                while True:
                    print(self.jobs.get())

    Good:
        import queue
        import threading


        class Printer(threading.Thread):
            def __init__(self, room):
                super().__init__()
                self.jobs = queue.Queue(maxsize=room)

            def submit(self, job):
                self.jobs.put(job)

            def run(self):
                while True:
                    print(self.jobs.get())

    Limits:
        Silent where the length is asked for anywhere, where the buffer is cut when it grows, for tables by key, for
        lists that nothing leaves (records), and for what only moves between the actor's own containers. A framework's
        own mailboxes are the framework's.

    Report:
        Back-pressure, of part 1.
    """

    code = "OTP406"
    severity = Severity.MEDIUM
    confidence = Confidence.MEDIUM
    preview = True
    proof = "same construct"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report the buffers without a bound."""
        if actor.is_actor:
            for found in growths(actor):
                if found.method in actor.methods or not found.method.name:
                    yield self._report(actor, found)

    def _report(self, actor: Actor, found: Growth) -> Finding:
        method, node = found.fed
        return self.finding(
            actor,
            found.method,
            found.node,
            problem=f"{actor.name} sets no bound to {found.name}, which is fed from outside.",
            consequence="While messages come faster than they are handled, it grows until memory is gone.",
            remedy="Give it a bound, and decide what happens when it is full: wait, refuse, or drop the oldest.",
            related=[] if node is found.node else [(method, node, "it is fed here")],
            confidence=min(found.confidence, actor.confidence, key=lambda c: c.rank),
        )
