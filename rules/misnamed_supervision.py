"""OTP505 misnamed-supervision."""

from collections.abc import Iterator

from otplint.api import Actor, Confidence, Facts, Finding, ModuleIndex, Promise, Rule, Severity, empty_promises

_CONSEQUENCES = {
    "supervision": "Callers rely on restarts that never come: a failure there is nobody's business.",
    "atomicity": "Callers go on as if it were done: it may be half done, or fail after they were told.",
}
_REMEDIES = {
    "supervision": "Start it under a supervisor, or say in the name that it is only started.",
    "atomicity": "Finish it before returning, all or nothing, or say in the name that it is only begun.",
}


class MisnamedSupervision(Rule):
    """A name promises supervision or atomicity over a body that starts a raw thread or task.

    Why:
        Whoever calls `start_supervised` does not look after what is started: the name says that somebody does. That
        is worse than a bare spawn with an honest name, which a reviewer sees.

    Harm:
        What the name calls supervised fails once and is never there again.

    Bad:
        import threading


        def start_supervised(job):
            thread = threading.Thread(target=job, daemon=True)
            thread.start()
            return thread

    Good:
        import threading


        def start_in_background(job):
            thread = threading.Thread(target=job, daemon=True)
            thread.start()
            return thread

    Limits:
        Silent where the function waits for the end, watches it, hands it to somebody, starts it as a child of a
        supervisor or works within a `with` block. This rule is about names, so other names change its findings.

    Report:
        Flaw 1 and Flaw 10. A helper called supervised that falls back to a bare spawn, and names that promise more
        than they do.
    """

    code = "OTP505"
    severity = Severity.LOW
    confidence = Confidence.MEDIUM
    preview = True
    proof = "same construct"

    def check(self, actor: Actor) -> Iterator[Finding]:  # noqa: ARG002
        """Nothing: it is functions that have such names, in actors or not."""
        return iter(())

    def check_file(self, index: ModuleIndex, facts: Facts) -> Iterator[Finding]:
        """Report the functions whose names promise more than they do."""
        for promise in empty_promises(index, facts):
            yield self._report(promise)

    def _report(self, promise: Promise) -> Finding:
        method, promised = promise.method, promise.promised
        return self.finding(
            method.actor if method.actor.is_actor else None,
            method,
            method.code,
            problem=f"{method.name} promises {promised}, and starts something that it lets go.",
            consequence=_CONSEQUENCES[promised],
            remedy=_REMEDIES[promised],
            related=[(promise.spawn.method, promise.spawn.call, "what it starts")],
        )
