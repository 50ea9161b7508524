"""OTP504 limitless-restarts."""

import math
import sys
from collections.abc import Iterator

from otplint.api import (
    Actor,
    Budget,
    Confidence,
    Finding,
    Option,
    Place,
    RestartLoop,
    Rule,
    Severity,
    Sharer,
    budgets,
    restart_loops,
    sharers,
    syntax,
)

_CALM = "only the end of its process has it restarted, and nothing in the class ends it"


class LimitlessRestarts(Rule):
    """Restarts have a budget that never runs out, or one that many unrelated children share.

    Why:
        A restart helps against a state that went wrong, not against a cause that stays. The budget tells the two apart:
        when it runs out the supervisor gives up and tells the one above, who can start more afresh or stop. Without
        one, a crash loop goes on for ever and looks alive. One budget for many children that have nothing to do
        with each other errs the other way: a few failures of some end them all.

    Harm:
        A child that cannot work is restarted for ever, and nobody above learns of it.

    Bad:
        import sys

        from otplint.runtime import ChildSpec, Server, Supervisor


        class Worker(Server):
            pass


        def tree():
            return Supervisor([ChildSpec("worker", Worker)], max_restarts=sys.maxsize)

    Good:
        from otplint.runtime import ChildSpec, Server, Supervisor


        class Worker(Server):
            pass


        def tree(settings):
            return Supervisor([ChildSpec("worker", Worker)], max_restarts=settings.restarts)

    Limits:
        Silent for numbers that come from a setting, a parameter or a test (that is OTP501), and for children that are
        never restarted or have a supervisor of their own. A shared budget is reported where handlers add restarted
        children under a dynamic supervisor whose budget nobody set; loops that start something again where the same
        function waits for its end and counts nothing. Where a restart follows only the end of a process, low confidence
        unless the class itself ends its process.

    Report:
        Flaw 5. The report objects to 100 restarts in 10 seconds against 3 in 5 for tests; and a process for each
        workflow is not enough as long as they share one budget.
    """

    code = "OTP504"
    severity = Severity.MEDIUM
    confidence = Confidence.HIGH
    proof = "same construct"
    options = (
        Option("restarts", 1000, "so many restarts are as good as no bound"),
        Option("restarts-per-second", 100, "a rate of restarts that no crash loop comes to"),
    )

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report budgets without an end, loops without a budget, and shared budgets."""
        most, fastest = self.option("restarts", int), self.option("restarts-per-second", int)
        for budget in budgets(actor):
            if budget.never_runs_out(most, fastest):
                yield self._endless(actor, budget)
            else:
                budget.method.exempt(budget.call, f"{budget.parameter} is {budget.value:g}: a crash loop gets there")
        for method in actor.methods if actor.is_actor else ():
            yield from (self._loop(actor, loop) for loop in restart_loops(method))
        yield from (self._shared(sharer) for sharer in sharers(actor))

    def _endless(self, actor: Actor, budget: Budget) -> Finding:
        number = f"{budget.value:.15g}" if 0 <= budget.value < sys.maxsize else "no bound"
        number += "" if math.isinf(budget.seconds) else f" in {budget.seconds:g} s"
        direct = any(arg.value is budget.node for arg in budget.call.args)
        related: list[tuple[Place, syntax.Node, str]] = (
            [] if direct else [(budget.method, budget.call, "what it bounds")]
        )
        consequence = "A child that cannot work is restarted for ever, and nobody above learns of it."
        confidence = None if budget.certain else Confidence.MEDIUM
        if budget.after_exit:
            consequence = "What ends its process again and again is restarted for ever, and nobody above learns of it."
            confidence = Confidence.MEDIUM
            if budget.exit is not None:
                related.append((*budget.exit, "where it ends its own process"))
            else:
                budget.method.exempt(
                    budget.call, "only the end of its process has it restarted, and it ends none itself"
                )
                confidence = Confidence.LOW
        return self.finding(
            actor,
            budget.place,
            budget.node,
            problem=f"{budget.parameter} is {number}: this budget of restarts never runs out.",
            consequence=consequence,
            remedy="Set the number of restarts after which it is better to give up, and let the one above decide.",
            related=related,
            confidence=confidence,
        )

    def _loop(self, actor: Actor, found: RestartLoop) -> Finding:
        return self.finding(
            actor,
            found.spawn.method,
            found.spawn.call.func,
            problem=f"{found.method.title} starts it again whenever it has ended, and never counts.",
            consequence="What cannot work is started again for ever, as fast as it fails.",
            remedy="Count the restarts within a time and give up beyond a number, or let a supervisor start it.",
            confidence=min(Confidence.MEDIUM, actor.confidence, key=lambda c: c.rank),
        )

    def _shared(self, found: Sharer) -> Finding:
        spec, start = found.spec, found.start
        actor = start.method.actor
        return self.finding(
            actor,
            spec.method,
            found.node,
            problem=f"The children that {start.method.title} starts share one budget of restarts.",
            consequence="With 3 restarts in 5 seconds, four failures of four different ones end all of them.",
            remedy="Give each a supervisor of its own, and start that one as a temporary child.",
            related=[(start.method, start.call, "where a child is started for a request")],
            confidence=Confidence.MEDIUM,
        )
