"""Buffers and queues that nothing bounds, and where the outside makes them grow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otplint.facts.methods import Role
from otplint.facts.queries.slices import behind, bindings
from otplint.facts.queries.state.buffers import Buffer, Entry, accepted, buffers, reached_from
from otplint.facts.queries.state.containers import Containers, container
from otplint.facts.queries.state.items import names_in
from otplint.facts.queries.state.volatile import worked_on
from otplint.facts.syntax import code
from otplint.findings import Confidence

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Method

_LENGTHS = {"len", "qsize", "full"}
_QUEUES = ("queue", "deque", "lifo")


@dataclass(frozen=True, slots=True)
class Growth:
    """One buffer without a bound."""

    name: str
    node: code.Node
    """Where a bound could be given to what is made; for lists and bytes where they grow."""
    method: Method
    fed: tuple[Method, code.Node]
    confidence: Confidence


def growths(actor: Actor) -> Iterator[Growth]:
    """The mailboxes, buffers and queues of an actor that its senders can fill without limit."""
    for buffer in buffers(actor):
        entry = _fed(buffer)
        if buffer.exempt(_stays_small(buffer, entry)) or entry is None:
            continue
        if buffer.made.kind in _QUEUES:
            yield Growth(buffer.attribute, buffer.made.node, buffer.made.method, (entry.method, entry.node),
                         Confidence.HIGH if accepted(entry) else Confidence.MEDIUM)  # fmt: skip
        elif buffer.made.kind == "bytes" or (buffer.is_sequence and worked_on(buffer) is not None):
            some = any(isinstance(up, code.For) for up in entry.method.above(entry.node))  # of what one message holds
            sure = Confidence.LOW if some or not accepted(entry) else Confidence.MEDIUM
            if sure is Confidence.LOW:
                buffer.exempt("it holds some of what one message brings, not the messages themselves")
            yield Growth(buffer.attribute, entry.node, entry.method, (entry.method, entry.node), sure)
        else:
            buffer.exempt("its entries are not worked off in their order: it is a table or a record, no buffer")
    yield from _streams(actor)


def _stays_small(buffer: Buffer, entry: Entry | None) -> str:
    """Why nobody outside can make a buffer grow without limit; empty where somebody can."""
    if buffer.reversed_in_place:
        return "it is sorted, turned round or kept as a heap: no buffer of messages"
    if entry is None:
        return "nothing from outside gets into it while the actor works"
    if buffer.made.bound is not None:
        return "it is made with a bound"
    if _is_pool(buffer):
        return "it is filled with a number of things as it is made, which it hands out and gets back: a pool"
    return "some function asks how long it is, or cuts it where it grows" if _bounded(buffer) else ""


def _is_pool(buffer: Buffer) -> bool:
    """True for ``for i in range(n): free.put(i)`` and ``deque(range(n))`` where it is made.

    A mailbox begins empty, or with old work.
    """
    method = buffer.made.method
    counted = [up.iter for e in buffer.entries if e.method is method for up in method.above(e.node)
               if isinstance(up, code.For)]  # fmt: skip
    for _, value, place in buffer.actor.assignments(buffer.attribute):
        if place is method and isinstance(value, code.Call):
            counted += [a.value for a in value.args]
    return any(
        isinstance(e, code.Call) and method.qualname(e.func).removeprefix("builtins.") == "range" for e in counted
    )


def _fed(buffer: Buffer) -> Entry | None:
    """The first entry by which something from outside gets in, while the actor works."""
    starting = reached_from(buffer.actor, Role.START)
    queue = buffer.made.kind in _QUEUES
    for entry in buffer.entries:
        if entry.end in ("key", "seed") or entry.method.stops or entry.value is None:
            continue
        if entry.method in starting and entry.method.role is Role.START:
            continue
        if accepted(entry) or (queue and not _moved(entry, buffer)):
            return entry
    return None


def _moved(entry: Entry, buffer: Buffer) -> bool:
    """True for what comes out of another container of the actor, or is put back, and for signals of its own."""
    assert entry.value is not None
    if isinstance(entry.value, code.Const):
        return True
    found = behind(entry.value, entry.method)
    kept = {b.attribute for b in buffers(buffer.actor)}
    return bool(found.attributes & kept) or not (found.calls or found.foreign)


def _bounded(buffer: Buffer) -> bool:
    """True where some function asks how long it is, or cuts it where it grows."""
    growing = {id(e.method) for e in buffer.entries}
    if any(e.end in ("head", "part") and id(e.method) in growing and _is_statement(e.node, e.method)
           for e in buffer.exits):  # fmt: skip
        return True
    name = buffer.attribute
    for method in buffer.actor.everything:
        for expr in method.exprs():
            if isinstance(expr, code.Compare) and any(
                _is_length(part, name, method) for side in (expr.left, *expr.rights) for part in code.walk(side)
            ):
                others = [p for p in (expr.left, *expr.rights) if isinstance(p, code.Const)]
                if not any(p.value in (0, 1) for p in others):
                    return True
            elif _asks_full(expr, name, method):
                return True
    return any(_cut(e) for e in buffer.entries)


def _asks_full(expr: code.Expr, name: str, method: Method) -> bool:
    func = expr.func if isinstance(expr, code.Call) else None
    return isinstance(func, code.Attr) and func.name == "full" and method.own_attribute(func.base) == name


def _is_statement(node: code.Node, method: Method) -> bool:
    """True where what is taken out is thrown away: ``buffer.pop(0)`` on its own, ``del buffer[0]``, a cut."""
    return not isinstance(node, code.Call) or isinstance(method.parent(node), code.Do)


def _is_length(expr: code.Expr, name: str, method: Method) -> bool:
    if not isinstance(expr, code.Call):
        return False
    if isinstance(expr.func, code.Name) and expr.func.id == "len" and expr.args:
        place = Containers(method.actor).place_of(expr.args[0].value, method)
        return place is not None and place.attribute == name
    return isinstance(expr.func, code.Attr) and expr.func.name in _LENGTHS and (
        method.own_attribute(expr.func.base) == name
    )  # fmt: skip


def _cut(entry: Entry) -> bool:
    """``buffer = [new, *buffer[:99]]``."""
    stmt = entry.method.statement(entry.node)
    value = stmt.value if isinstance(stmt, (code.Assign, code.Augment)) else None
    return any(isinstance(e, code.Slice) and e.parts for e in code.walk(value))


# -- queues for one request


def _streams(actor: Actor) -> Iterator[Growth]:
    """A queue that a function makes for one request, gives to a producer, and drains in a loop."""
    for method in actor.methods:
        if method.role in (Role.START, Role.STOP) or method.outer is not None:
            continue
        told: set[str] = set()
        for stmt in method.statements:
            if not isinstance(stmt, code.Assign) or len(stmt.targets) != 1 or stmt.value is None:
                continue
            target, kind = stmt.targets[0], container(stmt.value, method)
            if isinstance(target, code.Name) and kind is not None and kind[0] == "queue" and kind[1] is None:
                fed = _given_away(target.id, method)
                if fed is not None and target.id not in told and _looped(target.id, method):
                    told.add(target.id)
                    yield Growth(target.id, target, method, (method, fed), Confidence.MEDIUM)


def _given_away(name: str, method: Method) -> code.Call | None:
    """The call that hands the queue to somebody: put into an own queue, or to a function."""
    for call in method.calls:
        if any(name in names_in(a.value) for a in call.args):
            return call
    return None


def _looped(name: str, method: Method) -> bool:
    """True where it is drained in a loop, here or in a function defined here."""
    for place in (method, *method.actor.inner(method)):
        if place is not method and (list(bindings(name, place)) or any(p.name == name for p in place.code.params)):
            continue
        for call in place.calls:
            func = call.func
            taken = isinstance(func, code.Attr) and func.name in ("get", "get_nowait")
            mine = isinstance(func, code.Attr) and code.dotted(func.base) == name
            if taken and mine and any(isinstance(up, (code.While, code.For)) for up in place.above(call)):
                return True
    return False
