"""OTP302 unconfigurable-limit."""

from collections.abc import Iterator

from otplint.api import Actor, Confidence, Finding, Limit, Rule, Severity, limits


class UnconfigurableLimit(Rule):
    """A restart budget, a breaker's threshold, a capacity or a timeout is written where no setting can reach it.

    Why:
        These numbers are how a system is run: they differ between a laptop, staging and production, and are what one
        wants to change during an incident. As a literal argument, or a constant that nothing overrides, they take a
        release.

    Harm:
        With other settings in force the system behaves as before: 10 stays 10.

    Bad:
        from otplint.runtime import CircuitBreaker, Server


        class Gateway(Server):
            def __init__(self):
                self.breaker = CircuitBreaker(failure_threshold=5)

    Good:
        from otplint.runtime import CircuitBreaker, Server


        class Gateway(Server):
            def __init__(self, failure_threshold=5):
                self.breaker = CircuitBreaker(failure_threshold=failure_threshold)

    Limits:
        0, 1, -1 and None are no limits that one tunes. Whatever comes from a parameter, its default, a field of a
        dataclass, an attribute of the instance, the environment or a settings look-up is configurable. So is a
        constant that a subclass, an instance or another module overrides, or that is a parameter's default. Other
        constants are reported once, at their definition: with medium confidence where they set up supervision or
        capacity or bound the actor's own state, with low confidence otherwise. So is a time below a second that only
        says how often a wait looks again, or how long a loop breathes after a failure; the period of a loop that works,
        or a pause by itself, is not. Outside of actors only what sets supervision up counts, and how long a function
        waits that ends actors or tries again when one dies. A choice between two numbers is not looked at, nor are test
        files. The most that a given value may be (`min(60, self.config.pause)`) is no limit, nor is what is part of an
        entry that is made only where none is given. Low where nothing hangs on it: a wait whose end the loop passes
        over, the end of a daemon thread that was told to end, a constant that only paces something regular or logs, or
        that is the length of a history.

    Report:
        Smell 7. The report also counts named module attributes (a threshold of 5, a buffer of 100): they are named,
        but not configurable.
    """

    code = "OTP302"
    severity = Severity.MEDIUM
    confidence = Confidence.MEDIUM
    proof = "same construct"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report each literal where it is used as a limit, each constant once where it is defined."""
        best: dict[int, tuple[Limit, Confidence]] = {}
        for method in actor.methods:
            for limit in limits(method):
                known = best.get(id(limit.node))
                if limit.user.exempt(limit.use, _excuse(actor, limit)):
                    continue
                sure = _how_sure(limit)
                if known is None or (sure.rank, limit.bounds) > (known[1].rank, known[0].bounds):
                    best[id(limit.node)] = limit, sure
        for limit, sure in best.values():
            yield self._report(actor, limit, sure)

    def _report(self, actor: Actor, limit: Limit, sure: Confidence) -> Finding:
        number = limit.number
        owner = "" if actor.name == limit.user.name or not limit.user.owner else f"{actor.name}."
        where = f"{owner}{limit.user.name}"
        if number.is_constant:
            problem = f"{number.name} is named, but not configurable: it sets {limit.what} in {where}."
        else:
            text = " ".join(limit.place.source.text[number.node.start : number.node.end].split())
            problem = f"{where} sets {limit.what} with the literal `{text}`."
        related = [] if number.node is limit.use else [(limit.user, limit.use, f"sets {limit.what} here")]
        return self.finding(
            actor,
            limit.place,
            limit.node,
            problem=problem,
            consequence="No setting, argument or environment variable can change it: that takes another release.",
            remedy="Make it a parameter or a field of the settings, with this number as the default.",
            related=related,
            confidence=min(sure, actor.confidence, key=lambda c: c.rank),
        )


def _excuse(actor: Actor, limit: Limit) -> str:
    """Why a number at work as a limit is none of this rule's; empty for one that is."""
    if limit.number.is_trivial:
        return "0, 1 and -1 are no limits that one tunes"
    if limit.user not in actor.life and not limit.bounds:
        return "the actor's own work does not reach it, and it bounds neither supervision nor capacity"
    return "it is written in a test file" if actor.facts.is_test(limit.place.source.path) else ""


def _how_sure(limit: Limit) -> Confidence:
    """How sure it is that somebody will want to change the number."""
    number = limit.number
    if number.is_constant:
        if limit.bounds and not number.conventional:
            return Confidence.LOW if limit.place.exempt(limit.node, limit.slight) else Confidence.MEDIUM
        why = "has a name, " + ("in a settings file" if number.conventional else "and bounds no capacity or state")
        limit.place.exempt(limit.node, f"the number {why}")
        return Confidence.LOW
    if limit.is_poll:
        limit.place.exempt(limit.node, "a period below a second is only how often something looks again")
        return Confidence.LOW
    if limit.place.exempt(limit.node, limit.slight):
        return Confidence.LOW
    return Confidence.HIGH if limit.certain else Confidence.MEDIUM
