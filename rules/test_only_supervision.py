"""OTP501 test-only-supervision."""

from collections.abc import Iterator

from otplint.api import (
    Actor,
    Confidence,
    Decision,
    Event,
    Finding,
    Method,
    Rule,
    Severity,
    asks_for_tests,
    code,
    decisions,
    refuses,
)

_POLICY = ("supervise", "child", "breaker", "retry")
_OWN = ("call", "wait", "timer", "sleep", "make")
"""What has limits in an actor's own code: waits, and how others are made (`Worker.options(max_restarts=...)`)."""
_NAMES = {
    "supervise": "the supervisor's {}",
    "child": "the child's {}",
    "breaker": "the breaker's {}",
    "retry": "the retries' {}",
}


class TestOnlySupervision(Rule):
    """A branch on the test environment decides how the system is supervised.

    Why:
        Restart intensity, retries, timeouts and the list of children are what keeps the system alive. Where tests get
        other values than production, they prove the fault tolerance of a system that nobody runs: the same crashes
        that the tests survive end the real one.

    Harm:
        The same crash script: alive under test, dead in production.

    Bad:
        import os

        from otplint.runtime import ChildSpec, Server, Supervisor


        class Worker(Server):
            pass


        def tree():
            testing = os.environ.get("APP_ENV") == "test"
            return Supervisor([ChildSpec("worker", Worker)], max_restarts=100 if testing else 3)

    Good:
        import os

        from otplint.runtime import ChildSpec, Server, Supervisor


        class Worker(Server):
            pass


        def tree():
            budget = int(os.environ.get("APP_MAX_RESTARTS", "3"))
            return Supervisor([ChildSpec("worker", Worker)], max_restarts=budget)

    Limits:
        Silent where an environment variable is itself the value, where a test flag only chooses a log level, a port or
        a fake in the place of a child, and in test files, which may start supervisors of their own. A name alone
        (`testing=False`) counts with medium confidence; other flags (debug, region) do not count.

    Report:
        Recommendation 4. The report speaks of a special supervision strategy for tests: in its system the strategy is
        the same, what differs is the intensity (100 restarts in 10 seconds against 3 in 5).
    """

    code = "OTP501"
    severity = Severity.CRITICAL
    confidence = Confidence.HIGH
    proof = "same construct"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report the tests for a test environment that a decision about supervision hangs on."""
        found: dict[int, tuple[Decision, Confidence, list[tuple[Event, str]]]] = {}
        for event in actor.events(*_POLICY, *(_OWN if actor.is_actor else ()), "spawn"):
            if event.role == "make" and not event.operation.budget:
                continue  # how many may enter at a time is no supervision
            decided = [*_decided(event)]
            event.method.exempt(event.call, "" if decided or event.role not in _POLICY else "no test decides about it")
            for decision, what in decided:
                sure = asks_for_tests(decision.test, decision.method)
                if sure is None:
                    decision.method.exempt(decision.test, "the test does not ask for a test environment")
                else:
                    if event.role not in _POLICY or what == "start":
                        sure = Confidence.MEDIUM
                    known = found.setdefault(id(decision.test), (decision, sure, []))
                    if (event, what) not in known[2]:
                        known[2].append((event, what))
        for decision, sure, events in found.values():
            yield self._report(actor, decision, sure, events)

    def _report(self, actor: Actor, decision: Decision, sure: Confidence, events: list[tuple[Event, str]]) -> Finding:
        whats = dict.fromkeys(_NAMES.get(e.role, "the {} here").format(what) for e, what in events)
        return self.finding(
            actor,
            decision.method,
            decision.test,
            problem=f"A test for the test environment decides {' and '.join(whats)}.",
            consequence="Tests see a system that survives what ends the one in production, or the other way round.",
            remedy="Give tests and production the same supervision; let a test that needs another start its own "
            "supervisor.",
            related=[(e.method, e.call, f"what it decides: {what}") for e, what in _distinct(events)],
            confidence=sure,
        )


def _distinct(events: list[tuple[Event, str]]) -> list[tuple[Event, str]]:
    whats: dict[int, tuple[Event, list[str]]] = {}
    for event, what in events:
        whats.setdefault(id(event.call), (event, []))[1].append(what)
    return [(event, ", ".join(what)) for event, what in whats.values()]


def _decided(event: Event) -> Iterator[tuple[Decision, str]]:
    """The tests that a decision about supervision hangs on, each with what it decides."""
    for parameter, value in _policy(event):
        found = decisions(value, event.method)
        for decision in found:
            if parameter != "children" or not _only_fakes(decision, found):
                yield decision, parameter
    flow = event.method.flow
    if event.role in ("supervise", "breaker", "retry", "spawn") or "spec" in event.operation.parameters:
        others = [e for e in event.method.events if e.role == event.role and e.call is not event.call]
        for test, outcome in flow.conditions(event.call):
            either = any(t is test and o is not outcome for e in others for t, o in flow.conditions(e.call))
            if not refuses(test, event.method) and not (event.role in ("spawn", "child") and either):
                yield Decision(test, outcome, event.method, event.call, event.method), "start"


def _policy(event: Event) -> Iterator[tuple[str, code.Expr]]:
    """The arguments that say how the system is supervised, by parameter."""
    names = [*event.operation.limits, *(["children"] if event.role == "supervise" else [])]
    for name in names:
        value = event.argument(name)
        if value is not None:
            yield name, value
    if event.role in _POLICY:
        for arg in event.call.args:
            if arg.star:
                yield "settings" if arg.star == "**" else "children", arg.value


def _only_fakes(decision: Decision, found: list[Decision]) -> bool:
    """True where both outcomes start the same children by the same rules, only made by others."""
    there = [d for d in found if d.test is decision.test]
    yes, no = ([d for d in there if d.outcome is outcome] for outcome in (True, False))
    return len(yes) == len(no) and bool(yes) and all(_alike(a, b) for a, b in zip(yes, no, strict=True))


def _alike(one: Decision, other: Decision) -> bool:
    return _same_children(one.value, one.place, other.value, other.place)


def _same_children(a: code.Expr, at_a: Method, b: code.Expr, at_b: Method) -> bool:
    if isinstance(a, code.Seq) and isinstance(b, code.Seq):
        pairs = zip(a.items, b.items, strict=False)
        return len(a.items) == len(b.items) and all(_same_children(x, at_a, y, at_b) for x, y in pairs)
    first, second = at_a.event(a), at_b.event(b)
    if first is None or second is None or first.role != "child" or second.role != "child":
        return code.same(a, b)
    names = ("id", *first.operation.limits)
    return all(code.same(first.argument(name), second.argument(name)) for name in names)
