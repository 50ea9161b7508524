"""OTP203 catch-all-helper."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from otplint.api import (
    Actor,
    Catch,
    Confidence,
    Facts,
    Finding,
    Form,
    Helper,
    Method,
    ProjectRule,
    Reaction,
    Severity,
    Span,
    code,
    helper_catches,
    helper_exits,
    syntax,
)

_SHOWN = 4
"""So many users are told."""
_DEEDS = {
    Reaction.SILENT: "says nothing",
    Reaction.LOGS: "only logs it",
    Reaction.DEFAULT: "puts a value in its place",
    Reaction.MARKS: "only notes it",
    Reaction.REACTS: "carries on",
}
_KINDS = {
    Form.CALL: "runs inside",
    Form.PART: "runs for",
    Form.DECORATOR: "decorates",
    Form.CONTEXT: "guards code of",
}


@dataclass(frozen=True)
class Use:
    """One catch-all and one function that uses it."""

    finding: Finding
    helper: str
    """The helper's name and what it does for its users."""
    user: str
    deed: str


class CatchAllHelper(ProjectRule[Use]):
    """A helper turns every exception into a value or a log line, and actors run their work inside it.

    Why:
        A wrapper (`safe_execute(fn)`, a decorator, a context manager) or a helper of another file that catches
        everything does to all its users at once what a broad `except` does to one handler: a bug looks like an
        answer, and whoever would restart the actor never learns of it. It is reported once, where it catches.

    Harm:
        Each of k injected bugs: crashes 0, restarts 0, and a later call answers from the corrupt state.

    Bad:
        from otplint.runtime import Server


        def safe_execute(step, *arguments):
            try:
                return step(*arguments)
            except Exception:
                return None


        class Ledger(Server):
            async def handle_call(self, req, frm):
                return safe_execute(self.book, req)

            def book(self, req):
                self.total += req.amount
                return self.total / req.rate

    Good:
        from otplint.runtime import Server


        def unless_rate_is_zero(step, *arguments):
            try:
                return step(*arguments)
            except ZeroDivisionError:
                return None


        class Ledger(Server):
            async def handle_call(self, req, frm):
                return unless_rate_is_zero(self.book, req)

            def book(self, req):
                self.total += req.amount
                return self.total / req.rate

    Limits:
        Followed are helpers, parts (objects that the actor makes and keeps), decorators and context managers that the
        project defines, three calls deep. Silent where the helper re-raises, tells errors apart or hands them on;
        where each user raises or stops on the result, or uses it only to clean up, to keep items of a loop apart, or
        around a job that came with the message. A plain function has low confidence unless the actor gives it its
        state; so have parsers, and what is more than two calls away.

    Report:
        Flaw 12. An error handler that catches everything and gives a value back, used around handler logic.
    """

    code = "OTP203"
    severity = Severity.HIGH
    confidence = Confidence.MEDIUM
    proof = "same construct"

    def notes(self, actor: Actor) -> Iterator[Use]:
        """Each catch-all that runs for the actor, with the function that uses it."""
        if actor.is_actor:
            for helper, catch, confidence in helper_catches(actor):
                does = "tells nobody but a debug log" if catch.is_only_traced else _DEEDS[catch.reaction]
                deed = f"catches {_caught(catch)} and {does}"
                yield self._use(helper, catch.node, deed, confidence)
            for helper, node, confidence in helper_exits(actor):
                yield self._use(helper, node, "catches everything and says that it is handled", confidence)

    def check_project(self, notes: Sequence[Use], facts: Facts) -> Iterator[Finding]:  # noqa: ARG002
        """Report each catch-all once, with its users."""
        places: dict[Span, list[Use]] = {}
        for use in notes:
            places.setdefault(use.finding.span, []).append(use)
        for uses in places.values():
            first = uses[0]
            names = list(dict.fromkeys(use.user for use in uses))
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            yield replace(
                first.finding,
                problem=f"{first.helper} {names[0]}{more}, {first.deed}.",
                related=tuple(dict.fromkeys(related for use in uses for related in use.finding.related))[:_SHOWN],
                confidence=max((use.finding.confidence for use in uses), key=lambda c: c.rank),
            )

    def _use(self, helper: Helper, node: syntax.Node, deed: str, confidence: Confidence) -> Use:
        finding = self.finding(
            helper.user.actor,
            helper.method,
            node,
            problem=deed,
            consequence="A bug in what it guards neither ends nor restarts the actor, which goes on with whatever "
            "state the failed step left behind.",
            remedy="Catch the errors that are expected and let any other end the handler.",
            related=[(helper.user, helper.use, f"{helper.user.title} runs it")],
            confidence=confidence,
        )
        return Use(finding, f"{_name(helper.method)} {_KINDS[helper.form]}", helper.user.title, deed)


def _name(method: Method) -> str:
    """The function's name below its class or the function it is nested in."""
    outer = method.outer.name if method.outer is not None else method.owner.rpartition(".")[2]
    return f"{outer}.{method.name}" if outer else method.name


def _caught(catch: Catch) -> str:
    if isinstance(catch.node, code.Handler) and catch.node.type is None:
        return "everything"
    return "Exception" if "Exception" in catch.types else "BaseException"
