"""Work in flight that is only in memory: accepted, unfinished, and gone when the actor is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from otplint.facts.methods import Role
from otplint.facts.queries.messaging.messages import comes_with_message
from otplint.facts.queries.slices import behind
from otplint.facts.queries.state.buffers import Buffer, Entry, Exit, accepted, buffers, reached_from
from otplint.facts.queries.state.items import (
    ItemUse,
    applied,
    bound_names,
    emptied,
    looks_only,
    names_in,
    uses_after_exit,
    uses_in_pass,
    uses_of_names,
)
from otplint.facts.queries.state.storage import outlives
from otplint.facts.queries.state.waiting import callers_wait
from otplint.facts.queries.tuning.measures import is_clock
from otplint.facts.queries.watching.routes import Condition, down_types, tests_for
from otplint.facts.recognise import SHAPE
from otplint.facts.syntax import code
from otplint.findings import Confidence

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Method

_HANDLES = re.compile(
    r"(?:Pid|Ref|ActorRef|ActorProxy|ActorHandle|ActorAddress|Task|Future|Timer|Thread|Process|socket)$"
)


@dataclass(frozen=True, slots=True)
class Volatile:
    """One container of work, where it is accepted and where it is worked on."""

    buffer: Buffer
    accepted: Entry
    worked: tuple[Method, code.Node]
    acknowledged: bool
    """True where whoever brings it gets an answer at once."""
    others: tuple[Buffer, ...]
    """Containers that the same work goes through."""
    confidence: Confidence


def volatile(actor: Actor) -> Iterator[Volatile]:
    """The containers of accepted work that nothing outlives; those that the same work goes through count once."""
    found = buffers(actor)
    works: list[tuple[Buffer, Entry, Work]] = []
    for buffer in found:
        entry = next((e for e in buffer.entries if _accepts(e)), None)
        if buffer.exempt(_no_work(buffer, entry)) or entry is None:
            continue
        worked = worked_on(buffer)
        if worked is None:
            buffer.exempt("nothing shows that its entries are worked on and then leave: it is no work in flight")
        elif not buffer.exempt("it is saved, restored or kept by its source" if outlives(buffer) else ""):
            works.append((buffer, entry, worked))
    told: list[Buffer] = []
    for buffer, entry, worked in works:
        same = next((other for other in told if _same_work(buffer, entry, other)), None)
        if buffer.exempt(f"it holds the same work as {same.attribute}" if same is not None else ""):
            continue
        told.append(buffer)
        others = tuple(b for b in found if b is not buffer and _goes_on(b, buffer))
        told_so = _acknowledges(entry)
        if told_so or not worked.relays:
            sure = _how_sure(actor, buffer, told_so)
            if sure is Confidence.LOW:
                buffer.exempt("it is the mailbox of a thread, whose senders get no answer")
            yield Volatile(buffer, entry, (worked.method, worked.node), told_so, others, sure)
        else:
            buffer.exempt("its entries are only relayed, and nobody was told that they were accepted")


def _no_work(buffer: Buffer, entry: Entry | None) -> str:
    """Why a container holds no accepted work; empty where it may."""
    if entry is None:
        return "nothing that comes with a message gets into it while the actor works"
    if buffer.made.kind == "bytes":
        return "bytes of a stream are no work that could be saved"
    if _forgets(buffer):
        return "it drops its oldest entries by itself: a history"
    if _holds_handles(entry):
        return "it holds addresses, tasks, timers or connections, which mean nothing after a restart"
    if _is_callers_own(buffer):
        return "those who call it fill and empty it themselves; its thread or task never touches it"
    if callers_wait(buffer):
        return "those who brought the work wait for its end, and will notice"
    if _only_latest(buffer):
        return "only the latest of its entries is worked on: those before it are out of date"
    return "an entry leaves it when a peer dies: it is about conversations" if _about_peers(buffer) else ""


def _accepts(entry: Entry) -> bool:
    return entry.method.role is not Role.START and not entry.method.stops and accepted(entry)


def _forgets(buffer: Buffer) -> bool:
    """True for a ``deque`` that drops its oldest entries by itself: a history."""
    return buffer.made.kind == "deque" and buffer.made.bound is not None


def _how_sure(actor: Actor, buffer: Buffer, answers: bool) -> Confidence:
    """Acknowledged work that a restart loses is certain; a thread's own mailbox is worth a look on request."""
    if not _takes_messages(actor):
        living = reached_from(actor, Role.LOOP)
        mailbox = any(e.method in living for e in buffer.exits)
        return Confidence.LOW if mailbox and not answers else Confidence.MEDIUM
    return Confidence.HIGH if "restart" in actor.kind.on_failure and answers else Confidence.MEDIUM


# -- what is no work


def _takes_messages(actor: Actor) -> bool:
    return bool(actor.kind.handlers or actor.kind.public_methods or actor.kind.handler_decorators)


def _is_callers_own(buffer: Buffer) -> bool:
    """True where a thread or task never touches what those fill and empty who use its object."""
    actor = buffer.actor
    if _takes_messages(actor):
        return False
    starts = [m for m in actor.everything if m.role in (Role.LOOP, Role.HANDLER)]
    for method in actor.everything:
        given = [e.payload for e in method.events if e.role in ("spawn", "timer", "callback")]
        starts += [m for p in given if (m := actor.named_or_called(p, method)) is not None]
    living = actor.reached(*starts)
    return not any(u.method in living or u.method.outer in living for u in actor.uses_of(buffer.attribute))


def _holds_handles(entry: Entry) -> bool:
    """True for addresses, watches, tasks and connections: they mean nothing after a restart."""
    value = entry.value
    if value is None:
        return True
    type_ = entry.method.actor.values.type_of(value, entry.method)
    return bool(_HANDLES.search(type_))


def _only_latest(buffer: Buffer) -> bool:
    """True where each entry replaces the one before it: ``new = inbox.get(); current = new``, used now and then."""
    taken = [e for e in buffer.exits if e.end in ("head", "tail")]
    return bool(taken) and all(_replaces(leave) for leave in taken)


def _replaces(leave: Exit) -> bool:
    """True where what is taken goes into a local from before the loop, and the next one can come before it is used."""
    method, stmt = leave.method, leave.method.statement(leave.node)
    loop = next((up for up in method.above(leave.node) if isinstance(up, (code.While, code.For))), None)
    names = {n for t in stmt.targets for n in bound_names(t)} if isinstance(stmt, code.Assign) else set()
    kept: set[str] = set()
    for other in method.statements:
        if isinstance(other, code.Assign) and isinstance(other.value, code.Name) and other.value.id in names:
            kept |= {n for t in other.targets for n in bound_names(t)}
    if loop is None or not kept:
        return False
    if not all(any(s.start < loop.start for s, _ in method.local_assignments.get(n, ())) for n in kept):
        return False
    work = {id(u.call) for u in uses_of_names(names | kept, method)}
    return method.flow.reaches(leave.node, lambda p: p.node is leave.node, avoiding=lambda p: id(p.node) in work)


def _about_peers(buffer: Buffer) -> bool:
    """True for a table that forgets its entry when a peer dies: it is about conversations, not about work."""
    down = down_types(buffer.actor)
    for leave in buffer.exits:
        if leave.end == "key" and not uses_after_exit(leave):
            places: list[tuple[Method, code.Node]] = [(leave.method, leave.node)]
            for caller in buffer.actor.callers(leave.method):
                calls = [c for c in caller.calls if buffer.actor.own_method(c, caller) is leave.method]
                places += [(caller, call) for call in calls]
            for method, node in places:
                step = method.statement(node) if isinstance(node, code.Sub) else node
                tests = method.flow.conditions(step) if step is not None else []
                if any(tests_for(Condition(test, outcome, method), down) for test, outcome in tests):
                    return True
    return False


# -- what is


class Work(NamedTuple):
    """Where entries are worked on."""

    method: Method
    node: code.Node
    relays: bool
    """True where all that is done with it is to send it on."""


def worked_on(buffer: Buffer) -> Work | None:
    """Where the entries are worked on, and leave."""
    if buffer.made.kind == "dict" and not any(e.nested for e in buffer.entries):
        return _progress(buffer)
    taken = [e for e in buffer.exits if e.end in ("head", "tail") and not e.method.stops]
    peeked = _peeked(buffer) if taken else None
    if peeked is not None:
        return peeked
    for leave in taken:
        if _handed_over(leave, buffer):
            return Work(leave.method, leave.node, False)
        uses = [u for u in uses_after_exit(leave) if u.kind != "called"]  # a callback is nothing to save
        if leave.end == "tail" and any(applied(e) for e in buffer.entries):
            continue  # done when it came in: what is taken out is undone
        resource = any(u.kind == "receiver" and u.call is not None and (u.call.args or u.event) for u in uses)
        if any(u.kind != "returned" for u in uses) and not (resource and not any(u.kind == "argument" for u in uses)):
            return Work(leave.method, leave.node, _only_sent(uses))
    for walk in buffer.passes:
        uses = [u for u in uses_in_pass(walk) if u.kind == "argument"]
        if uses and not walk.method.stops and emptied(buffer, walk):
            return Work(walk.method, walk.node, _only_sent(uses))
    return None


def _only_sent(uses: list[ItemUse]) -> bool:
    """True where every use sends the entry on, here or in an own function that is given it."""
    for use in uses:
        helper = use.method.actor.own_method(use.call, use.method) if use.call is not None else None
        events = [e for e in helper.events if e.role in ("call", "cast", "send", "put")] if helper is not None else []
        if not use.sends and not events and not (use.call is not None and isinstance(use.call.func, code.Name)):
            return False
    return True


def _peeked(buffer: Buffer) -> Work | None:
    """``work(self.jobs[0])``: the first entry is worked on while it is still in its place."""
    for method in buffer.actor.everything:
        for expr in method.exprs():
            first = isinstance(expr, code.Sub) and not isinstance(expr.key, code.Slice) and not method.stops
            if first and isinstance(expr, code.Sub) and method.own_attribute(expr.base) == buffer.attribute:
                uses = _peek_uses(expr, method)
                if uses:
                    return Work(method, expr, _only_sent(uses))
    return None


def _peek_uses(expr: code.Sub, method: Method) -> list[ItemUse]:
    up = method.parent(expr)
    while isinstance(up, (code.Attr, code.Await, code.Seq, code.Star)):
        up = method.parent(up)
    if isinstance(up, code.Call) and not looks_only(up, method):
        return [ItemUse("argument", up, method, method.event(up), (expr,))]
    if isinstance(up, code.Assign):
        return uses_of_names({n for t in up.targets for n in bound_names(t)}, method)
    return []


def _handed_over(leave: Exit, buffer: Buffer) -> bool:
    """True where the entry goes on into a table that it leaves when it is done."""
    return any(
        other.made.kind == "dict"
        and any(e.end == "key" for e in other.exits)
        and any(e.value is not None and behind(e.value, e.method).includes(leave.node) for e in other.entries)
        for other in buffers(buffer.actor)
        if other.attribute != buffer.attribute
    )


def _progress(buffer: Buffer) -> Work | None:
    """A table of work: entries advance until they are done, or wait for the word that they are."""
    leaves = [e for e in buffer.exits if e.end == "key" and not e.method.stops]
    if not leaves or _timed(buffer):
        return None
    changes = list(_changed(buffer))
    for leave in leaves:
        for method, node in changes:
            if (method is leave.method or method in buffer.actor.callers(leave.method)) and _asks(leave, buffer):
                return Work(method, node, False)
    for walk in buffer.passes:
        if any(u.sends for u in uses_in_pass(walk)):
            return Work(walk.method, walk.node, True)
    for entry in buffer.entries:
        if _accepts(entry) and entry.value is not None and isinstance(entry.value, (code.Name, code.Attr)):
            uses = uses_of_names(names_in(entry.value) - {entry.method.self_name}, entry.method)
            sent = [u for u in uses if u.sends and u.event is not None and _is_payload(u.event.payload, entry.value)]
            elsewhere = [e for e in leaves if e.method is not entry.method]
            if sent and elsewhere:
                return Work(elsewhere[0].method, elsewhere[0].node, True)
    return None


def _is_payload(payload: code.Expr | None, value: code.Expr) -> bool:
    return payload is not None and any(code.same(part, value) for part in code.walk(payload))


def _changed(buffer: Buffer) -> Iterator[tuple[Method, code.Node]]:
    """Assignments to fields of entries."""
    for method in buffer.actor.everything:
        for stmt in method.statements:
            targets: tuple[code.Expr, ...] = stmt.targets if isinstance(stmt, code.Assign) else ()
            if isinstance(stmt, code.Augment):
                targets = (stmt.target,)
            for target in targets:
                if isinstance(target, (code.Attr, code.Sub)) and not method.own_attribute(target):
                    inner = target.base
                    if method.own_attribute(inner) == buffer.attribute:
                        continue  # the entry itself
                    if buffer.attribute in behind(inner, method).attributes:
                        yield method, target


def _asks(leave: Exit, buffer: Buffer) -> bool:
    """True where an entry leaves only if something about it is so, beyond its being there."""
    for test, _ in leave.method.flow.conditions(leave.node):
        parts = [p for p in code.walk(test) if isinstance(p, (code.Attr, code.Sub))]
        member = isinstance(test, code.Compare) and test.ops[-1] in ("in", "not in", "is", "is not")
        if not member and any(
            leave.method.own_attribute(p) != buffer.attribute and buffer.attribute in behind(p, leave.method).attributes
            for p in parts
        ):
            return True
    return False


def _timed(buffer: Buffer) -> bool:
    """True for entries that carry the time: leases, caches, heartbeats."""
    values = [(e.value, e.method) for e in buffer.entries if e.value is not None]
    for method, target in _changed(buffer):
        stmt = method.statement(target)
        if isinstance(stmt, (code.Assign, code.Augment)) and stmt.value is not None:
            values.append((stmt.value, method))
    return any(is_clock(part, method) for value, method in values for part in code.walk(value))


# -- the same work


def _goes_on(other: Buffer, buffer: Buffer) -> bool:
    """True where work moves from ``buffer`` to ``other``."""
    return any(e.value is not None and buffer.attribute in behind(e.value, e.method).attributes for e in other.entries)


def _same_work(buffer: Buffer, entry: Entry, told: Buffer) -> bool:
    """True where the same thing was put into a container that was told of, or comes out of it."""
    if _goes_on(buffer, told):
        return True
    names = names_in(entry.value) if entry.value is not None else set()
    return any(
        e.method is entry.method and e.value is not None and names & names_in(e.value) - {entry.method.self_name}
        for e in told.entries
    )


def _acknowledges(entry: Entry) -> bool:
    """True where whoever brings the work is told that it is accepted: a call returns, or an answer is sent."""
    actor = entry.method.actor
    ways = [entry.method]
    for method in ways:
        ways += [m for m in actor.callers(method) if m not in ways]
    return any(_is_answered(m, actor) for m in ways)


def _is_answered(method: Method, actor: Actor) -> bool:
    if method.role is Role.HANDLER and (method.name == "handle_call" or method.name not in actor.kind.handlers):
        return not (actor.kind is SHAPE and not _returns_something(method))
    if any(e.role == "reply" or (e.role == "send" and comes_with_message(e.target, method)) for e in method.events):
        return True
    return method.role is not Role.LOOP and not method.stops and _returns_something(method)


def _returns_something(method: Method) -> bool:
    values = [s.value for s in method.statements if isinstance(s, code.Return)]
    return any(v is not None and not (isinstance(v, code.Const) and v.value is None) for v in values)
