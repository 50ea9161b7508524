"""Buffers that are drained from the end where the entries come in, so that the last is first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otplint.facts.methods import Role
from otplint.facts.queries.slices import behind
from otplint.facts.queries.state.buffers import Buffer, Entry, Exit, Pass, accepted, buffers, reached_from
from otplint.facts.queries.state.items import ItemUse, applied, emptied, uses_after_exit, uses_in_pass
from otplint.facts.syntax import code
from otplint.findings import Confidence

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Method


@dataclass(frozen=True, slots=True)
class Backwards:
    """One drain that gives the entries in the opposite order."""

    buffer: Buffer
    node: code.Node
    """The call that takes an entry out, or what is walked over."""
    method: Method
    entry: Entry
    confidence: Confidence


def backwards(actor: Actor) -> Iterator[Backwards]:
    """The drains of an actor's message buffers that turn the order round.

    Stacks are left out: entries computed from what was just taken out (a walk over a graph, a pool that gets it back),
    a pair of push and pop in one function, things that were already carried out when they were put in (undo),
    resources that are used and not worked on, clean-up when the actor stops.
    """
    for buffer in buffers(actor):
        if buffer.kind not in ("list", "deque"):
            continue
        entries = [e for e in buffer.entries if not _out_of(buffer, e)]
        ends = {"tail" if e.end == "seed" else e.end for e in entries}
        works = [e for e in entries if accepted(e) or (e.end == "seed" and not _while_starting(e, actor))]
        if why := _no_queue(buffer, entries, ends, works):
            for leave in buffer.exits:
                leave.method.exempt(leave.node, why)
            continue
        end = ends.pop()
        told = set()
        excuse = ""
        for node, method, confidence in (*_popped(buffer, end, entries), *_walked(buffer, end)):
            told.add(id(node))
            away = method.stops or method.role is Role.START
            if not method.exempt(node, "it is clean-up: the actor is starting or stopping" if away else ""):
                yield Backwards(buffer, node, method, works[0], confidence)
        for leave in buffer.exits:
            if id(leave.node) not in told and leave.end in ("head", "tail"):
                first = leave.end != end
                excuse = excuse if first or excuse else _stack(buffer, entries)
                leave.method.exempt(leave.node, "it takes what came first" if first else excuse)
        for walk in buffer.passes:
            if id(walk.node) not in told and walk.loop is not None:
                first = walk.flipped != (end == "tail")
                walk.method.exempt(walk.node, "it goes from the first to the last" if first else "it takes nothing out")


def _no_queue(buffer: Buffer, entries: list[Entry], ends: set[str], works: list[Entry]) -> str:
    """Why a container has no order of messages that could be turned round; empty where it has."""
    if buffer.reversed_in_place or any(_sorted(e) for e in entries):
        return "it is sorted, turned round or kept as a heap: the order is made elsewhere"
    if not entries:
        return "only what was taken out of it gets back into it: a pool, or a walk over a graph"
    if len(ends) != 1 or not ends <= {"head", "tail"}:
        return "entries come in at several ends, or by key"
    return "" if works else "nothing that comes with a message gets into it while the actor works"


def _stack(buffer: Buffer, entries: list[Entry]) -> str:
    """Why a stack is meant where entries leave at the end where they came in."""
    exits = [e for e in buffer.exits if e.end in ("head", "tail")]
    if any(map(applied, entries)):
        return "entries were carried out when they came in: what is taken out is undone"
    if _is_returned_to(buffer, exits):
        return "what is taken out leads to what gets in: a pool, or a walk over a graph"
    if _is_paired(exits, entries):
        return "push and pop stand in one function: a stack of contexts"
    return "what is taken out is only moved, or is a resource that other work is given to"


def _out_of(buffer: Buffer, entry: Entry) -> bool:
    """True where an entry is put back: it is computed from the buffer."""
    return entry.value is not None and buffer.attribute in behind(entry.value, entry.method).attributes


def _sorted(entry: Entry) -> bool:
    """True where the entries are put into an order of their own."""
    return any(
        isinstance(e, code.Call) and code.dotted(e.func) in ("sorted", "reversed")
        for e in (code.walk(entry.value) if entry.value is not None else ())
    )


def _while_starting(entry: Entry, actor: Actor) -> bool:
    return entry.method in reached_from(actor, Role.START)


def _popped(buffer: Buffer, end: str, entries: list[Entry]) -> Iterator[tuple[code.Node, Method, Confidence]]:
    exits = [e for e in buffer.exits if e.end in ("head", "tail")]
    if any(e.end != end for e in exits):
        return  # also taken from the other end: a deque in its own right
    if _is_returned_to(buffer, exits) or _is_paired(exits, entries) or any(map(applied, entries)):
        return
    for leave in exits:
        uses = [u for u in uses_after_exit(leave) if not _moves(u, buffer)]
        if uses and not any(_is_resource(u) for u in uses):
            yield leave.node, leave.method, _how_sure(leave, uses)


def _is_returned_to(buffer: Buffer, exits: list[Exit]) -> bool:
    """A pool that gets back what it gave, or a walk whose next steps come from the last one."""
    slices = [behind(e.value, e.method) for e in buffer.entries if e.value is not None]
    taking_part = {id(call) for found in slices for call, _ in found.calls}
    return any(id(leave.node) in taking_part for leave in exits)


def _is_paired(exits: list[Exit], entries: list[Entry]) -> bool:
    """Push and pop in one function: a stack of contexts. A loop that empties it is another matter."""
    pushed: dict[int, set[int]] = {}
    for entry in entries:
        pushed.setdefault(id(entry.method), set()).add(id(entry.node))

    def is_pushed_before(leave: Exit) -> bool:
        nodes = pushed.get(id(leave.method))
        if not nodes or _looped(leave):
            return False
        return leave.method.flow.always_before(lambda point: id(point.node) in nodes, leave.node)

    return any(map(is_pushed_before, exits))


def _looped(leave: Exit) -> bool:
    return any(isinstance(up, code.While) for up in leave.method.above(leave.node))


def _moves(use: ItemUse, buffer: Buffer) -> bool:
    """True where the entry only goes into another own container, which turns the order again or is its own stack."""
    func = use.call.func if use.call is not None else None
    return (
        use.kind == "argument"
        and isinstance(func, code.Attr)
        and bool(attribute := use.method.own_attribute(func.base))
        and attribute != buffer.attribute
        and func.name in ("append", "appendleft", "add", "extend", "insert")
    )


def _is_resource(use: ItemUse) -> bool:
    """True where work that comes from elsewhere is given to the entry: an idle worker, a connection."""
    return use.kind == "receiver" and use.call is not None and bool(use.call.args or use.event)


def _how_sure(leave: Exit, uses: list[ItemUse]) -> Confidence:
    """Work and messages are sent on, or worked through in a loop; what is only returned may be anything."""
    if any(u.sends for u in uses) or (_looped(leave) and any(u.kind != "returned" for u in uses)):
        return Confidence.HIGH
    helps = any(u.call is not None and _carries_out(u.call, leave.method) for u in uses)
    return Confidence.MEDIUM if helps else Confidence.LOW


def _carries_out(call: code.Call, method: Method) -> bool:
    """True for an own function that is given the entry, and for anything that is waited for."""
    return method.actor.own_method(call, method) is not None or isinstance(method.parent(call), code.Await)


def _walked(buffer: Buffer, end: str) -> Iterator[tuple[code.Node, Method, Confidence]]:
    for walk in buffer.passes:
        if walk.place.nested != any(e.nested for e in buffer.entries) or walk.flipped != (end == "tail"):
            continue
        if _handed_on(walk) or _goes_back(buffer, walk) or not emptied(buffer, walk):
            continue
        uses = [u for u in uses_in_pass(walk) if u.kind in ("argument", "called") and not _moves(u, buffer)]
        if uses and not isinstance(walk.loop, code.Comp):
            sends = any(u.sends or (u.call is not None and _carries_out(u.call, walk.method)) for u in uses)
            yield walk.node, walk.method, Confidence.HIGH if sends else Confidence.MEDIUM


def _handed_on(walk: Pass) -> bool:
    """True where all of it is given to an own function, whose own walk is looked at, or to one that makes the order."""
    method = walk.method
    call = method.parent(walk.node) if walk.loop is None else None
    if not isinstance(call, code.Call):
        return False
    if method.actor.own_method(call, method) or method.actor.facts.function(method.qualname(call.func)):
        return True
    up = method.parent(call)
    return isinstance(up, (code.For, code.Comp))  # for one in in_order(self.held)


def _goes_back(buffer: Buffer, walk: Pass) -> bool:
    """True for what is put back where it was: ``self.spool.extendleft(reversed(rows))``."""
    return any(e.value is not None and any(part is walk.node for part in code.walk(e.value)) for e in buffer.entries)
