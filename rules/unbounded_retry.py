"""OTP204 unbounded-retry."""

from collections.abc import Iterator

from otplint.api import Actor, Confidence, Finding, Retry, Rule, Severity, Way, helpers, retries

_WAYS = {
    Way.LOOP: "goes round again",
    Way.RECURSION: "calls itself again",
    Way.LIBRARY: "is tried again",
    Way.MESSAGE: "sends itself the same message again",
}


class UnboundedRetry(Rule):
    """What failed is tried again without a limit, at once, or although the circuit breaker is open.

    Why:
        Whoever is down or overloaded gets every caller's retries on top: attempts are clients times retries. A retry
        without an end also never tells its own supervisor that the work cannot be done, and a breaker that is asked
        again and again while it is open protects nobody.

    Harm:
        Requests to a service that is down: clients times (seconds down divided by seconds a try) against clients times
        the limit.

    Bad:
        from otplint.runtime import CallError, Server


        class Reader(Server):
            async def handle_cast(self, msg):
                while True:
                    try:
                        self.value = await self.system.call(self.sensor, msg)
                        break
                    except CallError:
                        continue

    Good:
        import asyncio

        from otplint.runtime import CallError, Server


        class Reader(Server):
            async def handle_cast(self, msg):
                for attempt in range(self.attempts):
                    try:
                        self.value = await self.system.call(self.sensor, msg)
                        break
                    except CallError:
                        await asyncio.sleep(self.base * 2**attempt)
                else:
                    raise TimeoutError("no value")

    Limits:
        A retry is a loop that success leaves; a loop that takes the next message or waits for an event is none, nor
        one that goes round on "not yet" (an empty queue, a lost race). Without a limit but with a pause, as services
        reconnect, it has low confidence; so has one that is limited and does not wait, unless it asks another actor.

    Report:
        Smell 6, retry with circuit breaker: its good example tries again behind a breaker.
    """

    code = "OTP204"
    severity = Severity.HIGH
    confidence = Confidence.HIGH
    proof = "same construct"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report each place that tries again too often, wherever the actor reaches it."""
        if not actor.is_actor:
            return
        reached = [*actor.working, *(helper.method for helper in helpers(actor))]
        for method in dict.fromkeys(reached):
            for retry in retries(method):
                confidence = _confidence(retry, actor)
                if confidence is not None:
                    yield self._report(actor, retry, confidence)

    def _report(self, actor: Actor, retry: Retry, confidence: Confidence) -> Finding:
        own = retry.method in actor.everything
        name = retry.method.title if own else f"{retry.method.name}, which runs for {actor.name},"
        lacks = [what for what, there in (("no limit", retry.limited), ("no pause", retry.paused)) if not there]
        how = f"with {' and '.join(lacks)}" if lacks else "as often as it may"
        open_ = " while the circuit breaker is open" if retry.asks_open else ""
        return self.finding(
            actor,
            retry.method,
            retry.node,
            problem=f"After a failure {name} {_WAYS[retry.way]}{open_}, {how}.",
            consequence="Whoever is down gets the tries of all its clients on top, and nobody learns that the work "
            "cannot be done.",
            remedy="Bound the tries, wait longer after each, and let the last failure, and an open breaker, end it.",
            related=[] if retry.asks is None else [(retry.method, retry.asks, "what is asked again")],
            confidence=min(confidence, actor.confidence, key=lambda c: c.rank),
        )


def _confidence(retry: Retry, actor: Actor) -> Confidence | None:
    """How sure it is that it is too much; none for a retry with limit and pause."""
    match retry.limited, retry.paused:
        case True, True:
            calm = "" if retry.asks_open else "it gives up some time, and waits in between"
            return None if retry.method.exempt(retry.node, calm) else Confidence.MEDIUM
        case False, False:
            return Confidence.HIGH
        case False, True:
            queued = retry.way is Way.LIBRARY and "isolated" in actor.kind.on_failure
            doubt = "" if queued or retry.asks_open else "it waits in between, and may have to go on for ever"
        case _:
            doubt = (
                "" if retry.asks is not None or retry.asks_open else "it gives up some time, and asks no other actor"
            )
    return Confidence.LOW if retry.method.exempt(retry.node, doubt) else Confidence.MEDIUM
