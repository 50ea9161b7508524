"""OTP202 swallowed-cancellation."""

from collections.abc import Iterator

from otplint.api import (
    Actor,
    Catch,
    Confidence,
    Finding,
    Fix,
    Reaction,
    Rule,
    Severity,
    awaits_what_it_cancelled,
    catches,
    code,
    ends_by_flag,
    goes_on,
    guards_what_is_given,
    runs_on_a_loop,
    swallows_cancellation,
    swallows_exit,
    takes_what_is_done,
    with_last,
)

_ASKS = {"cancelling", "uncancel"}
"""``asyncio.Task`` methods: code that asks whether it is itself the one that was cancelled knows what it does."""
_LEAVES = (code.Return, code.Break, code.Continue)


class SwallowedCancellation(Rule):
    """The request to stop is caught and the actor works on, so nobody can stop it.

    Why:
        Stopping is an exception in Python: a task is told by CancelledError, a thread's or process's own code by
        SystemExit and KeyboardInterrupt, a framework may have its own. A bare `except`, `BaseException` or a clause
        that names one of them takes the request away. Whoever asked waits, and gives up or kills.

    Harm:
        The actor cannot be stopped: zombies 1, and the shutdown runs into its timeout.

    Bad:
        import asyncio

        from otplint.runtime import Server


        class Poller(Server):
            async def handle_cast(self, msg):
                while True:
                    try:
                        await self.poll(msg)
                        await asyncio.sleep(1)
                    except BaseException:
                        continue

    Good:
        import asyncio

        from otplint.runtime import Server


        class Poller(Server):
            async def handle_cast(self, msg):
                while True:
                    try:
                        await self.poll(msg)
                    except ConnectionError:
                        self.failures += 1
                    await asyncio.sleep(1)

    Limits:
        Silent where every path re-raises, ends the actor or gives the exception to a future; where the coroutine or
        loop ends after the clause; where a task was cancelled right before and is only waited for; and for
        `concurrent.futures.CancelledError`, which tells that some future was cancelled. In a plain thread neither
        SystemExit nor KeyboardInterrupt comes from outside: there only a loop is reported that goes round again,
        with low confidence if it logs.

    Report:
        Flaw 12. The report wants the `catch` gone; what harms is catching the exit signal and going on.
    """

    code = "OTP202"
    severity = Severity.CRITICAL
    confidence = Confidence.HIGH
    proof = "same construct"
    fix = "unsafe"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report clauses that swallow a request to stop in code that then works on."""
        if not actor.is_actor:
            return
        for method in actor.working:
            for catch in catches(method):
                if method.exempt(catch.node, _excuse(catch)):
                    continue
                cancelled = swallows_cancellation(catch)
                confidence = _of_cancellation(catch) if cancelled else _of_exit(catch)
                yield self._report(actor, catch, confidence, cancelled)

    def _report(self, actor: Actor, catch: Catch, confidence: Confidence, cancelled: bool) -> Finding:
        method = catch.method
        verb = "suppresses" if isinstance(catch.node, code.Call) else "catches"
        bare = isinstance(catch.node, code.Handler) and catch.node.type is None
        what = "everything" if bare else " and ".join(t.rpartition(".")[2] for t in catch.stopping)
        request = "cancellation" if cancelled else "request to exit"
        loop = next((up for up in method.above(catch.around) if isinstance(up, (code.While, code.For))), None)
        return self.finding(
            actor,
            method,
            catch.node,
            problem=f"{method.title} {verb} {what} and goes on, so its own {request} is swallowed.",
            consequence="Whoever stops it waits in vain: a shutdown runs into its timeout and has to give it up."
            if cancelled
            else "SystemExit and KeyboardInterrupt do not end it, nor does any bug: it works on in an unknown state.",
            remedy="Catch the errors that are expected, or re-raise after cleaning up.",
            related=[(method, loop.test if isinstance(loop, code.While) else loop.iter, "goes round again")]
            if loop is not None
            else [],
            confidence=min(confidence, actor.confidence, key=lambda c: c.rank),
            severity=Severity.CRITICAL if cancelled else Severity.HIGH,
            fix=_raised(catch),
        )


def _raised(catch: Catch) -> Fix | None:
    """The clause with a `raise` at its end, where no path leaves it before that, nor a `finally` takes it away."""
    if not isinstance(catch.node, code.Handler) or not isinstance(catch.around, code.Try):
        return None
    inside = [*code.statements(catch.body), *code.statements(catch.around.final)]
    if any(isinstance(stmt, _LEAVES) and stmt is not catch.body[-1] for stmt in inside):
        return None
    return Fix("Re-raise at the end of the clause", (with_last(catch.method, catch.node, "raise"),))


def _excuse(catch: Catch) -> str:
    """Why a clause lets a request to stop through, or is right to catch it; empty where it is not."""
    if not catch.stopping:
        taken = "BaseException" in catch.types
        return "an earlier clause takes requests to stop" if taken else "what it catches is no request to stop"
    if "BaseException" in catch.types and guards_what_is_given(catch):
        return "it guards code that others give it, which is OTP203's matter"
    why = _of_a_coroutine(catch) if swallows_cancellation(catch) else _of_a_thread(catch)
    return why or ("" if goes_on(catch) else "the actor does not work on afterwards: it raises again, or ends")


def _of_a_coroutine(catch: Catch) -> str:
    if any(isinstance(c.func, code.Attr) and c.func.name in _ASKS for c in code.calls(catch.body)):
        return "it asks whether the task itself is being cancelled"
    return "what it waits for was cancelled just before, by this actor" if awaits_what_it_cancelled(catch) else ""


def _of_a_thread(catch: Catch) -> str:
    if not swallows_exit(catch):
        return "no request to stop can arrive in what it guards"
    if catch.only_imports:
        return "it guards nothing but imports"
    if takes_what_is_done(catch):
        return "it only takes the result of what is done: that was another's request to stop, if it was one"
    if catch.in_cleanup:
        return "it stands in a clean-up, where a first failure is being reported or hidden already"
    if catch.runs_foreign_code:
        return "it guards a job that came with the message, which is somebody else's code"
    return "" if catch.carries_on() else "every path out of it raises again, stops the actor or hands the request on"


def _of_cancellation(catch: Catch) -> Confidence:
    """How sure it is that a coroutine's own cancellation is lost."""
    if catch.in_cleanup or ends_by_flag(catch):
        catch.method.exempt(catch.node, "it stands in a clean-up, or the loop ends by a flag that is set as well")
        return Confidence.LOW
    return Confidence.HIGH


def _of_exit(catch: Catch) -> Confidence:
    """How sure it is that an exit is wanted and lost."""
    if catch.method.actor.kind.on_failure[0] != "unseen":
        return Confidence.HIGH
    if catch.reaction in (Reaction.LOGS, Reaction.REACTS) and not runs_on_a_loop(catch.method):
        catch.method.exempt(catch.node, "it logs the failure of a thread or task, or does something about it")
        return Confidence.LOW
    return Confidence.MEDIUM
