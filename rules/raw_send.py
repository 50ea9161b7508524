"""OTP401 raw-send."""

from collections.abc import Iterator

from otplint.api import (
    Actor,
    Confidence,
    Event,
    Finding,
    Method,
    RawWrite,
    Rule,
    Severity,
    comes_with_message,
    fallbacks,
    raw_writes,
    requests,
    routes,
    syntax,
)


class RawSend(Rule):
    """An actor writes into the mailbox of another one instead of calling it, so nobody learns whether it arrived.

    Why:
        A raw send says nothing: not that the receiver is dead, not that it does not know the message, not that its
        mailbox is full. Who answers "ok" after one has promised what it cannot know. Writing into the queue of another
        actor also passes by the checks of the methods that it offers.

    Harm:
        The caller was told ok, and there is at least one dead letter.

    Bad:
        from otplint.runtime import Call, Server


        class Job(Call[str]):
            pass


        class Manager(Server):
            async def handle_call(self, req, frm):
                self.system.send(self.worker, Job())
                return "ok"

    Good:
        from otplint.runtime import Call, Server


        class Job(Call[str]):
            pass


        class Manager(Server):
            async def handle_call(self, req, frm):
                return await self.system.call(self.worker, Job())

    Limits:
        Silent about sends to itself, replies, fan-out to a collection of subscribers, timers, exit signals, its own
        queues, a queue that it was given, stop signals to its own children, and messages that some server of the
        project takes in `handle_info` only. What is sent after a failed call is OTP402.

    Report:
        Recommendation 3. The report wants call or cast instead; a cast is as lossy as a raw send: only a call tells.
    """

    code = "OTP401"
    severity = Severity.CRITICAL
    confidence = Confidence.HIGH
    proof = "same construct"

    def check(self, actor: Actor) -> Iterator[Finding]:
        """Report raw sends of requests, and writes into the mailboxes of others."""
        if not actor.is_actor:
            return
        again = {id(f.again.call) for f in fallbacks(actor)} | {id(f.place[1]) for f in fallbacks(actor)}
        for event in actor.events("send"):
            for method, call, target, payload in routes(event):
                sure = None if {id(call), id(event.call)} & again else _confidence(event, method, target, payload)
                if sure is not None:
                    yield self._sent(actor, event, method, call, sure)
        for write in raw_writes(actor):
            sure = None if id(write.call) in again else _written(write)
            if sure is not None:
                yield self._put(actor, write, sure)

    def _sent(self, actor: Actor, event: Event, method: Method, call: syntax.Call, sure: Confidence) -> Finding:
        return self.finding(
            actor,
            method,
            call,
            problem=f"{method.title} sends a request to another actor raw.",
            consequence="If the receiver is dead the request is lost, and nobody is told.",
            remedy="Call it, and deal with the failure of the call.",
            related=[] if call is event.call else [(event.method, event.call, "where it is sent")],
            confidence=sure,
        )

    def _put(self, actor: Actor, write: RawWrite, sure: Confidence) -> Finding:
        door = f"its own {write.doors[0]}()" if write.doors else "a call or cast"
        return self.finding(
            actor,
            write.method,
            write.call,
            problem=f"{write.method.title} writes into the {write.mailbox} of another actor.",
            consequence="Nothing tells whether the message is ever read, and the receiver's own checks are passed by.",
            remedy=f"Use {door}, and learn whether it was accepted.",
            confidence=sure,
        )


def _confidence(event: Event, method: Method, target: syntax.Expr, payload: syntax.Expr | None) -> Confidence | None:
    kind = requests(payload, method)
    if kind == "signal" or _is_self(target, method):
        return None
    if kind == "call":
        return Confidence.HIGH
    if (
        kind == "info"
        or comes_with_message(target, method)
        or _one_of_many(target, method)
        or _own_child(target, method)
    ):
        return None
    if isinstance(target, syntax.Name) and any(p.name == target.id for p in method.code.params):
        return None  # whoever calls it decides, and is not seen
    return Confidence.HIGH if kind == "cast" and event.certain else Confidence.MEDIUM


def _written(write: RawWrite) -> Confidence | None:
    method = write.method
    if comes_with_message(write.owner, method) or _one_of_many(write.owner, method):
        return None
    if write.actor is None:
        return Confidence.HIGH
    if isinstance(write.payload, syntax.Const) or syntax.dotted(write.payload).rpartition(".")[2].isupper():
        return None  # a signal such as None or STOP
    if write.doors:
        known = bool(method.actor.values.type_of(write.owner, method))
        return Confidence.HIGH if known else Confidence.MEDIUM
    if write.actor.qualname == method.actor.qualname or _own_child(write.owner, method):
        return None
    return Confidence.MEDIUM


def _is_self(target: syntax.Expr, method: Method) -> bool:
    return method.own_attribute(target) == "pid"


def _one_of_many(target: syntax.Expr, method: Method) -> bool:
    """The loop variable of a `for` or comprehension: fan-out."""
    name = syntax.dotted(target).partition(".")[0]
    loops = [s.target for s in syntax.statements(method.body) if isinstance(s, syntax.For)]
    loops += [c.target for e in method.exprs() if isinstance(e, syntax.Comp) for c in e.clauses]
    return bool(name) and any(isinstance(e, syntax.Name) and e.id == name for t in loops for e in syntax.walk(t))


def _own_child(target: syntax.Expr, method: Method) -> bool:
    """An actor that this one has made: the attribute or local holds what a spawn or a class's call gave."""
    attribute = method.own_attribute(target)
    if not attribute:
        return False
    made = [(value, place) for value, _, place in method.actor.assigned(attribute)]
    return any(isinstance(v.value if isinstance(v, syntax.Await) else v, syntax.Call) for v, _ in made)
