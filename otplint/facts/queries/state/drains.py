"""Drains that forget what they take out before they know whether it was delivered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otplint.facts.methods import Role
from otplint.facts.queries.messaging.messages import given_for
from otplint.facts.queries.state.buffers import Buffer, Entry, Exit, Pass, accepted, buffers
from otplint.facts.queries.state.items import ItemUse, looks_only, uses_after_exit, uses_in_pass, uses_of_names
from otplint.facts.syntax import code
from otplint.findings import Confidence

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.flow import Point
    from otplint.facts.methods import Method

_MAX_DEPTH = 3
_DELIVERS = {"sendall", "send", "sendto", "send_bytes", "send_json", "send_multipart", "post", "publish", "execute",
             "executemany", "write", "writelines", "request", "urlopen", "insert_many", "bulk", "upload"}  # fmt: skip
"""Methods of clients, connections and files that fail when what they are given does not get through."""


@dataclass(frozen=True, slots=True)
class Drained:
    """One place where entries are forgotten before, or whatever, the result of their delivery."""

    buffer: Buffer
    node: code.Node
    """The clearing or swapping target, or the call; for a buffer that is never drained where it is filled."""
    method: Method
    kind: str
    """``before`` delivery, ``whatever`` its result, or ``never`` delivered."""
    delivery: tuple[Method, code.Call] | None
    confidence: Confidence


def drained(actor: Actor) -> Iterator[Drained]:
    """The drains of an actor's message buffers that lose what could not be delivered, each clearing once."""
    for buffer in buffers(actor):
        if not buffer.is_sequence:
            continue
        if not any(accepted(e) for e in buffer.entries):
            buffer.exempt("nothing that comes with a message gets into it")
            continue
        for leave in buffer.exits:
            one_buffer = leave.nested == _nested(buffer) or (_nested(buffer) and leave.end == "key")
            if not one_buffer or leave.method.exempt(leave.node, _not_at_work(leave)):
                continue
            found = _cleared(buffer, leave) if leave.end in ("all", "key") else _popped(buffer, leave)
            if found is not None:
                yield found
            else:
                leave.method.exempt(leave.node, _kept_safe(buffer, leave))
        yield from _never(buffer)


def _kept_safe(buffer: Buffer, leave: Exit) -> str:
    """Why an exit at which nothing is lost loses nothing."""
    if buffer.kind == "queue":
        return "to take a message off a queue is how it is handled"
    looped = any(isinstance(up, (code.While, code.For)) for up in leave.method.above(leave.node))
    if leave.end in ("head", "tail") and not looped:
        return "one entry is taken for one message, not all of them in a loop"
    return "no delivery that may fail comes after it, or a failed one puts the entries back or hands them on"


def _not_at_work(leave: Exit) -> str:
    away = leave.method.stops or leave.method.role is Role.START
    return "the actor is starting or stopping here" if away else ""


def _nested(buffer: Buffer) -> bool:
    return any(e.nested for e in buffer.entries)


# -- what is delivered


def _deliveries(uses: list[ItemUse], depth: int = 0) -> Iterator[tuple[ItemUse, tuple[ItemUse, ...]]]:
    """The calls that hand entries over and may fail, each with the own functions that it goes through."""
    for use in uses:
        if use.call is None or use.kind != "argument":
            continue
        helper = use.method.actor.own_method(use.call, use.method)
        if helper is not None and depth < _MAX_DEPTH:
            names = {
                p.name
                for p in helper.code.params
                if (value := given_for(p.name, use.call, helper)) is not None and _is_given(value, use)
            }
            for inner, way in _deliveries(uses_of_names(names, helper), depth + 1):
                yield inner, (use, *way)
        elif _may_fail(use):
            yield use, ()


def _is_given(value: code.Expr, use: ItemUse) -> bool:
    return any(value is v for v in use.values)


def _may_fail(use: ItemUse) -> bool:
    """True for a delivery whose failure is known: a call, something waited for, a client's method."""
    assert use.call is not None
    if use.event is not None:
        return use.event.role in ("call", "persist")
    if isinstance(use.method.parent(use.call), code.Await):
        return True
    func = use.call.func
    return isinstance(func, code.Attr) and func.name in _DELIVERS


def _certain(use: ItemUse) -> bool:
    return use.event is not None and use.event.role == "call"


# -- clearing


def _cleared(buffer: Buffer, leave: Exit) -> Drained | None:
    method = leave.method
    step = _step(leave)
    if step is None:
        return None
    for walk in buffer.passes:
        if walk.place.nested != _nested(buffer) or walk.method.stops:
            continue
        for use, way in _deliveries(uses_in_pass(walk)):
            kind = _judge(buffer, step, walk, use, way, method)
            if kind and use.call is not None:
                sure = Confidence.HIGH if _certain(use) else Confidence.MEDIUM
                return Drained(buffer, leave.node, method, kind, (use.method, use.call), sure)
    return None


def _step(leave: Exit) -> code.Node | None:
    """The point of the flow at which the entries are gone."""
    return leave.node if isinstance(leave.node, code.Call) else leave.method.statement(leave.node)


def _judge(buffer: Buffer, step: code.Node, walk: Pass, use: ItemUse, way: tuple[ItemUse, ...], method: Method) -> str:
    """``before`` or ``whatever`` where the clearing loses what this delivery may fail to deliver."""
    assert use.call is not None
    flow = method.flow
    if not flow.at(use.call):
        return ""
    if flow.always_before(lambda p: p.node is step, use.call):
        if walk.place.attribute == _named(walk.node, walk.method):
            return ""  # the cleared container itself: there is nothing in it
        points, _ = flow.failed(use.call)
        return "" if _keeps(points, buffer, use, way) else "before"
    if not flow.reaches(use.call, lambda p: p.node is step):
        return ""
    points, _ = flow.failed(use.call)
    if any(p.node is step for p in points) and not _keeps(points, buffer, use, way):
        return "whatever"
    return "whatever" if _result_ignored((*way, use)) else ""


def _named(expr: code.Expr, method: Method) -> str:
    """The attribute where it is written out (``self.buffer``), not a local that has the old container."""
    return method.own_attribute(expr) if isinstance(expr, code.Attr) else ""


def _keeps(points: list[Point], buffer: Buffer, use: ItemUse, way: tuple[ItemUse, ...]) -> bool:
    """True where the failure path puts entries back, or hands them to somebody else."""
    entries = {id(e.node) for e in buffer.entries}
    entries |= {id(e.node) for e in buffer.exits if e.end == "part" and not isinstance(e.node, code.Call)}
    actor = buffer.actor
    through = {id(u.call) for u in (use, *way)}
    names = {n.id for u in (use, *way) for v in u.values for n in code.walk(v) if isinstance(n, code.Name)}
    for point in points:
        node = point.node
        if id(node) in entries or _assigns(node, entries):
            return True
        if isinstance(node, code.Call) and id(node) not in through:
            place = actor.method_of(point.function)
            if place is None or looks_only(node, place) or _only_says(actor.own_method(node, place)):
                continue
            if point.function is not use.method.code and not any(point.function is u.method.code for u in way):
                continue
            mentioned = {n.id for a in node.args for n in code.walk(a.value) if isinstance(n, code.Name)}
            if mentioned & names:
                return True
    return False


def _only_says(helper: Method | None) -> bool:
    """True for an own function that only logs."""
    return helper is not None and all(looks_only(c, helper) for c in helper.calls)


def _assigns(node: code.Node | None, entries: set[int]) -> bool:
    targets: tuple[code.Expr, ...] = ()
    if isinstance(node, code.Assign):
        targets = node.targets
    elif isinstance(node, code.Augment):
        targets = (node.target,)
    parts = [p for t in targets for p in (t.items if isinstance(t, code.Seq) else (t,))]
    return any(id(p) in entries for p in parts)


def _result_ignored(way: tuple[ItemUse, ...]) -> bool:
    """True where a function on the way answers whether it delivered, and nobody asks."""
    for use in way:
        assert use.call is not None
        helper = use.method.actor.own_method(use.call, use.method)
        if helper is None or not _says_whether(helper):
            continue
        up = use.method.parent(use.call)
        if isinstance(up, code.Await):
            up = use.method.parent(up)
        if isinstance(up, code.Do):
            return True
    return False


def _says_whether(helper: Method) -> bool:
    """True for a function that returns True on one way and False on another."""
    returned = [s.value for s in helper.statements if isinstance(s, code.Return)]
    constants = {v.value for v in returned if isinstance(v, code.Const) and isinstance(v.value, bool)}
    return False in constants


# -- taking one by one


def _popped(buffer: Buffer, leave: Exit) -> Drained | None:
    """``message = buffer.popleft()`` and a call that fails: where the loop goes on, the message is gone."""
    method = leave.method
    if leave.end not in ("head", "tail") or buffer.kind == "queue":
        return None
    if not any(isinstance(up, (code.While, code.For)) for up in method.above(leave.node)):
        return None
    for use, way in _deliveries(uses_after_exit(leave)):
        if use.call is None or not _certain(use) or not method.flow.at(use.call):
            continue
        points, returns = method.flow.failed(use.call)
        again = any(p.node is leave.node for p in points)
        if (returns or again) and not _keeps(points, buffer, use, way):
            return Drained(buffer, leave.node, method, "before", (use.method, use.call), Confidence.HIGH)
        if _result_ignored((*way, use)):
            return Drained(buffer, leave.node, method, "whatever", (use.method, use.call), Confidence.HIGH)
    return None


# -- never


def _never(buffer: Buffer) -> Iterator[Drained]:
    """A buffer that messages go into instead of to their receiver, and that nothing takes them out of."""
    if any(e.end in ("head", "tail", "part", "key") for e in buffer.exits) or buffer.reversed_in_place:
        return
    if any(not _only_counted(w) for w in buffer.passes) or _read_elsewhere(buffer):
        return
    for entry in buffer.entries:
        if accepted(entry) and _delivered_otherwise(entry, buffer.actor):
            clears = [e for e in buffer.exits if e.end == "all" and not e.method.stops]
            node, method = (clears[0].node, clears[0].method) if clears else (entry.node, entry.method)
            private = buffer.attribute.rpartition(".")[2].startswith("_")
            sure = Confidence.HIGH if private else Confidence.MEDIUM  # code without actors is not searched
            yield Drained(buffer, node, method, "never", None, sure)
            return


def _only_counted(walk: Pass) -> bool:
    """True for ``len(buffer)`` and for putting back all but the oldest."""
    if walk.loop is not None:
        return False
    up = walk.method.parent(walk.node)
    return isinstance(up, code.Call) and code.dotted(up.func) == "len"


def _read_elsewhere(buffer: Buffer) -> bool:
    """True where the attribute is read as a whole, by the actor or by anybody whose text names it."""
    actor, name = buffer.actor, buffer.attribute
    entries = {id(e.node) for e in buffer.entries}
    keepers = {id(e.method) for e in buffer.entries}
    for use in actor.uses_of(name):
        if use.kind in ("lookup", "read") and id(use.node) not in entries and id(use.method) not in keepers:
            up = use.method.parent(use.node)
            if not (isinstance(up, code.Call) and code.dotted(up.func) == "len"):
                return True
    word = re.compile(rf"\.{re.escape(name.rpartition('.')[2])}\b")
    own = {m.source.path for m in actor.everything}
    mine = sum(1 for method in actor.everything for e in method.exprs() if method.own_attribute(e) == name)
    texts = {i.path: actor.facts.source(i).text for i in actor.facts.holding(name.rpartition(".")[2])}
    written = sum(len(word.findall(texts[path])) for path in own if path in texts)
    return written > mine or any(word.search(text) for path, text in texts.items() if path not in own)


def _delivered_otherwise(entry: Entry, actor: Actor) -> bool:
    """True where the same message goes to its receiver on another way through the function or its caller."""
    if entry.value is None:
        return False
    kept: list[tuple[code.Expr, Method]] = [
        (e, entry.method) for e in code.walk(entry.value) if isinstance(e, (code.Name, code.Attr))
    ]
    kept += [(a.value, caller) for call, caller in actor.sites(entry.method) for a in call.args]
    places = {id(m): m for _, m in kept}.values()
    delivered = [(e.payload, m) for m in places for e in m.events if e.role in ("call", "cast", "send")]
    return any(
        place is there and given is not None and any(code.same(part, what) for part in code.walk(given))
        for what, place in kept
        for given, there in delivered
        if code.dotted(what) != place.self_name
    )
