"""What becomes of the entries of a buffer once they are taken out or walked over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otplint.facts.queries.slices import behind
from otplint.facts.queries.state.buffers import Buffer, Entry, Exit, Pass
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.methods import Event, Method

LOGS = {"debug", "info", "warning", "warn", "error", "exception", "critical", "log", "print"}
_LOOKS = {"len", "isinstance", "str", "repr", "bool", "id", "hash", "type", "print", "vars", "getattr", "hasattr",
          "sorted", "sum", "min", "max", "any", "all", "map", "filter", "zip", "set", "frozenset", "dict"}  # fmt: skip
_SENDS = ("call", "cast", "send", "put", "reply", "spawn")


@dataclass(frozen=True, slots=True)
class ItemUse:
    """One use of an entry."""

    kind: str
    """``argument`` of a call, ``receiver`` (a method of the entry is called), ``called`` or ``returned``."""
    call: code.Call | None
    method: Method
    event: Event | None = None
    values: tuple[code.Expr, ...] = ()
    """The arguments, or the receiver, that hold the entry."""

    @property
    def sends(self) -> bool:
        """True where the entry is the payload of a message, or of the answer to one."""
        return self.event is not None and self.event.role in _SENDS and self.kind == "argument"


def looks_only(call: code.Call, method: Method) -> bool:
    """True for a call that says or asks something about what it is given: a log line, ``len``."""
    event = method.event(call)
    if event is not None:
        return event.role == "log"
    func = call.func
    if isinstance(func, code.Attr):
        return func.name in LOGS
    return isinstance(func, code.Name) and func.id in _LOOKS


def uses_after_exit(leave: Exit) -> list[ItemUse]:
    """What is done with the entry that ``pop()`` gives."""
    method = leave.method
    if not isinstance(leave.node, code.Call):
        return []
    stmt = method.statement(leave.node)
    value = stmt.value.value if isinstance(stmt, code.Assign) and isinstance(stmt.value, code.Await) else None
    if isinstance(stmt, code.Assign) and leave.node in (stmt.value, value):
        return uses_of_names({n for t in stmt.targets for n in bound_names(t)}, method)
    return list(_uses(method, lambda e: behind(e, method).includes(leave.node), leave.node))


def uses_in_pass(walk: Pass) -> list[ItemUse]:
    """What is done with each entry inside a loop or comprehension, or with all of them in one call."""
    method = walk.method
    if walk.loop is None:
        call = method.parent(walk.node)
        if isinstance(call, code.Call) and not looks_only(call, method):
            return [ItemUse("argument", call, method, method.event(call), (walk.node,))]
        return []
    target = walk.loop.target if isinstance(walk.loop, code.For) else walk.loop.clauses[0].target
    names = names_in(target)
    start, end = walk.loop.start, walk.loop.end
    uses = uses_of_names(names, method)
    return [u for u in uses if u.call is None or (start <= u.call.start and u.call.end <= end)]


def uses_of_names(names: set[str], method: Method) -> list[ItemUse]:
    """What is done with what some locals or parameters hold."""
    nowhere = code.Pass(0, 0)
    return list(_uses(method, lambda e: bool(names & _mentioned(e, method, names)), nowhere)) if names else []


def names_in(target: code.Expr) -> set[str]:
    """The names in an expression."""
    return {e.id for e in code.walk(target) if isinstance(e, code.Name)}


def bound_names(target: code.Expr) -> set[str]:
    """The locals that an assignment gives a value; none for an attribute or an entry of a container."""
    if isinstance(target, (code.Seq, code.Star, code.Name)):
        inner = (
            target.items if isinstance(target, code.Seq) else (target.value,) if isinstance(target, code.Star) else ()
        )
        return {target.id} if isinstance(target, code.Name) else {n for part in inner for n in bound_names(part)}
    return set()


def _mentioned(expr: code.Expr, method: Method, wanted: set[str]) -> set[str]:
    """The names in an expression; those of locals that are computed from the wanted ones count as these."""
    found: set[str] = set()
    for part in code.walk(expr):
        if isinstance(part, code.Name):
            found.add(part.id)
            if part.id not in wanted:
                for stmt in method.statements:
                    if isinstance(stmt, code.Assign) and stmt.value is not None:
                        bound = {n for t in stmt.targets for n in bound_names(t)}
                        if part.id in bound:
                            found |= wanted & names_in(stmt.value)
    return found


def _uses(method: Method, from_item: Callable[[code.Expr], bool], origin: code.Node) -> Iterator[ItemUse]:
    for call in method.calls:
        if call is origin or looks_only(call, method):
            continue
        func = call.func
        event = method.event(call)
        if event is not None and event.role == "wait" and any(a.value is origin for a in call.args):
            continue  # wait_for(queue.get(), 3) only gives it
        if func is origin or (isinstance(func, code.Name) and from_item(func)):
            yield ItemUse("called", call, method, event)
            continue
        if isinstance(func, code.Attr) and not method.own_attribute(func) and _base(func) and from_item(func.base):
            yield ItemUse("receiver", call, method, event, (func.base,))
            continue
        given = tuple(a.value for a in call.args if from_item(a.value))
        if given:
            target = event.target if event is not None else None
            if target is not None and any(target is value for value in given) and event is not None:
                yield ItemUse("receiver", call, method, event, given)
            else:
                yield ItemUse("argument", call, method, event, given)
    for stmt in method.statements:
        if isinstance(stmt, code.Return) and stmt.value is not None and from_item(stmt.value):
            yield ItemUse("returned", None, method)


def _base(func: code.Attr) -> bool:
    """True where the receiver is a local or a part of one."""
    base: code.Expr = func.base
    while isinstance(base, (code.Attr, code.Sub)):
        base = base.base
    return isinstance(base, (code.Name, code.Call))


def applied(entry: Entry) -> bool:
    """True where the entry is put to use when it comes in: what is taken out later is undone, not done."""
    if entry.value is None:
        return False
    for call in entry.method.calls:
        if call is entry.node or looks_only(call, entry.method):
            continue
        parts = [a.value for a in call.args]
        if isinstance(call.func, code.Attr) and not entry.method.own_attribute(call.func.base):
            parts.append(call.func.base)
        given = any(isinstance(p, (code.Name, code.Attr)) and code.same(p, entry.value) for p in parts)
        wraps = given and behind(entry.value, entry.method).includes(call)
        if given and not wraps and not _into_container(call, entry.method) and _same_way(call, entry):
            return True
    return False


def _same_way(call: code.Call, entry: Entry) -> bool:
    """True where some path runs both: what is done *instead* of putting it in is no use of what came in."""
    flow = entry.method.flow
    step = entry.node if isinstance(entry.node, code.Call) else entry.method.statement(entry.node)
    if step is None or not flow.at(call) or not flow.at(step):
        return True
    return flow.reaches(call, lambda p: p.node is step) or flow.reaches(step, lambda p: p.node is call)


def _into_container(call: code.Call, method: Method) -> bool:
    return isinstance(call.func, code.Attr) and any(
        u.node is call and (u.adds or u.kind == "test")
        for u in method.actor.uses_of(method.own_attribute(call.func.base))
    )


def emptied(buffer: Buffer, walk: Pass) -> bool:
    """True where what was walked over is taken out on the same way."""
    ends = {
        id(e.node) for e in buffer.exits if e.end == "all" or (e.end == "part" and not isinstance(e.node, code.Call))
    }
    ends |= {id(e.node) for e in buffer.exits if walk.place.nested and e.end == "key" and not e.nested}
    loop = walk.loop if isinstance(walk.loop, code.For) else walk.method.statement(walk.node)
    places = [walk.method, *walk.method.actor.callers(walk.method)]
    return loop is not None and any(
        id(p.node) in ends or _target(p.node, ends) for place in places for p in place.flow.around(loop)
    )


def _target(node: code.Node | None, ends: set[int]) -> bool:
    """True for an assignment or ``del`` one of whose targets is meant."""
    targets = node.targets if isinstance(node, (code.Assign, code.Delete)) else ()
    parts = [p for t in targets for p in (t.items if isinstance(t, code.Seq) else (t,))]
    return any(id(p) in ends for p in parts)
