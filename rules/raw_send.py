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

_AGAIN = "it comes after a failed call, which is OTP402's matter"


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
                why = _AGAIN if {id(call), id(event.call)} & again else _excuse(method, target, payload)
                if not method.exempt(call, why):
                    yield self._sent(actor, event, method, call, _confidence(event, method, payload))
        for event in actor.events("call", "cast") if actor.asked_why else ():
            told = "whose failure is told" if event.role == "call" else "which is a request by its kind"
            event.method.exempt(event.call, f"it is no raw send but a {event.role}, {told}")
        for write in raw_writes(actor):
            if not write.method.exempt(write.call, _AGAIN if id(write.call) in again else _excuse_of_write(write)):
                yield self._put(actor, write)

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

    def _put(self, actor: Actor, write: RawWrite) -> Finding:
        door = f"its own {write.doors[0]}()" if write.doors else "a call or cast"
        return self.finding(
            actor,
            write.method,
            write.call,
            problem=f"{write.method.title} writes into the {write.mailbox} of another actor.",
            consequence="Nothing tells whether the message is ever read, and the receiver's own checks are passed by.",
            remedy=f"Use {door}, and learn whether it was accepted.",
            confidence=_sureness_of_write(write),
        )


def _excuse(method: Method, target: syntax.Expr, payload: syntax.Expr | None) -> str:
    """Why a raw send is right; empty where it is not."""
    kind = requests(payload, method)
    if kind == "signal":
        return "it is a signal: an exit or a DOWN"
    if _is_self(target, method):
        return "the actor sends to itself"
    if kind == "call":
        return ""
    if kind == "info":
        return "the servers of the project take this message in handle_info only"
    if by_target := _right_target(target, method):
        return by_target
    given = isinstance(target, syntax.Name) and any(p.name == target.id for p in method.code.params)
    return "whoever calls this function decides about the receiver, and is not seen" if given else ""


def _right_target(target: syntax.Expr, method: Method) -> str:
    """Why a receiver may be written to raw; empty where it may not."""
    if comes_with_message(target, method):
        return "the receiver came with the message: it is an answer"
    if _one_of_many(target, method):
        return "it goes out to many, one after another"
    return "the receiver is a child that the actor has made" if _own_child(target, method) else ""


def _confidence(event: Event, method: Method, payload: syntax.Expr | None) -> Confidence:
    kind = requests(payload, method)
    return Confidence.HIGH if kind == "call" or (kind == "cast" and event.certain) else Confidence.MEDIUM


def _excuse_of_write(write: RawWrite) -> str:
    """Why a write into a mailbox is right; empty where it is not."""
    method = write.method
    if comes_with_message(write.owner, method) or _one_of_many(write.owner, method):
        return _right_target(write.owner, method)
    if write.actor is None:
        return ""
    if isinstance(write.payload, syntax.Const) or syntax.dotted(write.payload).rpartition(".")[2].isupper():
        return "it is a signal such as None or STOP"
    if write.doors:
        return ""
    if write.actor.qualname == method.actor.qualname:
        return "the receiver is of the actor's own class"
    return "the receiver is a child that the actor has made" if _own_child(write.owner, method) else ""


def _sureness_of_write(write: RawWrite) -> Confidence:
    known = bool(write.doors) and bool(write.method.actor.values.type_of(write.owner, write.method))
    return Confidence.HIGH if known or write.actor is None else Confidence.MEDIUM


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
