"""OTP301 magic-threshold."""

from collections.abc import Iterator

from otplint.api import (
    Actor,
    Confidence,
    Finding,
    Measure,
    Method,
    Rule,
    Severity,
    Threshold,
    code,
    no_threshold,
    thresholds,
)

_LONGEST = 48
"""Characters of an expression that a message quotes."""


class MagicThreshold(Rule):
    """A literal number decides when an actor pauses, trips or gives up, so nobody can tune it where the system runs.

    Why:
        How many errors are too many, how long is too long and how much memory is too much depend on the machine and
        the load. A number inside a comparison is found only by who reads that line, and can be changed only by a
        release.

    Harm:
        With the setting at 3 and three errors the actor runs on: 10 stays 10, whatever the configuration says.

    Bad:
        from otplint.runtime import Server


        class TaskAgent(Server):
            async def init(self):
                self.error_count = 0
                self.status = "idle"

            async def handle_cast(self, msg):
                self.error_count += 1
                if self.error_count >= 10:
                    self.status = "paused"

    Good:
        from otplint.runtime import Server


        class TaskAgent(Server):
            def __init__(self, max_errors=10):
                self.max_errors = max_errors
                self.error_count = 0
                self.status = "idle"

            async def handle_cast(self, msg):
                self.error_count += 1
                if self.error_count >= self.max_errors:
                    self.status = "paused"

    Limits:
        Silent for 0, 1 and -1, pairs (`len(x) == 2`), differences below 0.01, the length of data at hand and of byte
        buffers, positions, codes and versions, ranges (`0 <= x <= 100`), values that are refused or clamped where
        they come in, powers of two that a message is compared with, `==`, and test files. A named constant is OTP302.
        With low confidence where hardly anything hangs on the number: whether a loop that goes on logs something, the
        size of a memo, whether a figure in an answer is worked out.

    Report:
        Smell 7. The report calls such numbers hard to find and inflexible; that they cannot be configured is all that
        is claimed here, a concurrency harm they have not by themselves.
    """

    code = "OTP301"
    severity = Severity.MEDIUM
    confidence = Confidence.HIGH
    proof = "same construct"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report the comparisons of the actor's own functions that hold the number themselves."""
        if not actor.is_actor:
            return
        for method in actor.methods:
            told = set()
            for found in thresholds(method):
                told.add(id(found.compare))
                if not method.exempt(found.compare, _excuse(actor, found)):
                    yield self._report(actor, found)
            for compare in method.exprs() if method.asked_why else ():
                if isinstance(compare, code.Compare) and id(compare) not in told:
                    method.exempt(compare, no_threshold(compare, method))

    def _report(self, actor: Actor, found: Threshold) -> Finding:
        owner = f"{actor.name}." if found.method.owner else ""
        value = _quote(found.measured, found.method)
        limit = _quote(found.limit, found.method)
        literal = _quote(found.numbers[0].node, found.numbers[0].place)
        elsewhere = [n for n in found.numbers if n.kind == "local"]
        sure = Confidence.MEDIUM if found.measure is Measure.VALUE or elsewhere else Confidence.HIGH
        if found.method.exempt(found.compare, found.slight):
            sure = Confidence.LOW
        return self.finding(
            actor,
            found.method,
            found.compare,
            problem=f"{owner}{found.method.name} compares {value} ({found.measure.value}) with "
            f"{f'the literal {literal}' if limit == literal else f'{limit}, made of the literal {literal}'}.",
            consequence="No configuration can change when this happens: it takes another release.",
            remedy="Give the number a name and a default in the actor's settings or parameters, and compare with that.",
            related=[(n.place, n.node, "the number is written here") for n in elsewhere],
            confidence=min(sure, actor.confidence, key=lambda c: c.rank),
        )


def _excuse(actor: Actor, found: Threshold) -> str:
    """Why a comparison with fixed numbers is none of this rule's; empty for one that is."""
    if found.natural:
        return found.natural
    if found.constants:
        return f"the number has a name, {found.constants[0].name}: whether it can be configured is OTP302's matter"
    given = found.measure is Measure.VALUE and found.method not in actor.life
    return "a value that is given is compared in a function that the actor's own work does not reach" if given else ""


def _quote(expr: code.Expr, method: Method) -> str:
    """The expression as it is written, on one line."""
    text = " ".join(method.source.text[expr.start : expr.end].split())
    return f"`{text}`" if len(text) <= _LONGEST else f"`{text[:_LONGEST]}...`"
