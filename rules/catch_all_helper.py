"""OTP203 catch-all-helper."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from otplint.api import (
    Actor,
    Catch,
    Confidence,
    Finding,
    Form,
    Helper,
    Method,
    ProjectRule,
    Reaction,
    Severity,
    code,
    helper_catches,
    helper_exits,
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


@dataclass
class _Place:
    """One catch-all and those who use it."""

    method: Method
    node: code.Node
    what: str
    deed: str
    users: list[Helper] = field(default_factory=list)
    confidence: Confidence = Confidence.LOW


class CatchAllHelper(ProjectRule):
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

    def check_project(self, actors: Sequence[Actor]) -> Iterator[Finding]:
        """Report each catch-all that runs for an actor, with its users."""
        places: dict[tuple[str, int], _Place] = {}
        for actor in actors:
            if actor.is_actor:
                for helper, catch, confidence in helper_catches(actor):
                    place = _Place(helper.method, catch.node, _caught(catch), _DEEDS[catch.reaction])
                    _add(places, place, helper, confidence)
                for helper, node, confidence in helper_exits(actor):
                    _add(
                        places, _Place(helper.method, node, "everything", "says that it is handled"), helper, confidence
                    )
        for _, place in sorted(places.items()):
            yield self._report(place)

    def _report(self, place: _Place) -> Finding:
        first = place.users[0]
        helper = f"{_name(place.method)} {_KINDS[first.form]}"
        names = list(dict.fromkeys(h.user.title for h in place.users))
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        unique = {id(helper.use): helper for helper in reversed(place.users)}
        return self.finding(
            first.user.actor,
            place.method,
            place.node,
            problem=f"{helper} {names[0]}{more}, catches {place.what} and {place.deed}.",
            consequence="A bug in what it guards neither ends nor restarts the actor, which goes on with whatever "
            "state the failed step left behind.",
            remedy="Catch the errors that are expected and let any other end the handler.",
            related=[
                (user.user, user.use, f"{user.user.title} runs it") for user in list(reversed(unique.values()))[:_SHOWN]
            ],
            confidence=place.confidence,
        )


def _add(places: dict[tuple[str, int], _Place], place: _Place, helper: Helper, confidence: Confidence) -> None:
    known = places.setdefault((place.method.source.path, place.node.start), place)
    known.users.append(helper)
    known.confidence = max(known.confidence, confidence, key=lambda c: c.rank)


def _name(method: Method) -> str:
    """The function's name below its class or the function it is nested in."""
    outer = method.outer.name if method.outer is not None else method.owner.rpartition(".")[2]
    return f"{outer}.{method.name}" if outer else method.name


def _caught(catch: Catch) -> str:
    if isinstance(catch.node, code.Handler) and catch.node.type is None:
        return "everything"
    return "Exception" if "Exception" in catch.types else "BaseException"
