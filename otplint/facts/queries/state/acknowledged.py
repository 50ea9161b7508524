"""Answers that leave before what they promise is saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otplint.facts.flow import Point
from otplint.facts.methods import Event, Role
from otplint.facts.queries.messaging.messages import comes_with_message
from otplint.facts.queries.slices import behind
from otplint.facts.queries.state.buffers import Buffer, accepted, buffers, runs
from otplint.facts.queries.state.storage import is_self, saves
from otplint.facts.syntax import code
from otplint.findings import Confidence

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Method

_DETACHES = ("spawn", "timer", "callback")
_STORES = ("shelve.Shelf", "shelve.DbfilenameShelf")
Save = tuple["Method", code.Node]


@dataclass(frozen=True, slots=True)
class Early:
    """One answer, and the save that comes too late for it."""

    node: code.Node
    method: Method
    save: Save
    kind: str
    """``sent``: the answer is given before the save; ``returned``: the function returns without one."""
    confidence: Confidence


def early_answers(actor: Actor) -> Iterator[Early]:
    """The acknowledgements of an actor that leave before the state is saved, each once."""
    known = [(m, n) for m in actor.everything for n in _saves_in(m)]
    if not known:
        actor.exempt("nothing in it is known to save state")
        return
    told: set[int] = set()
    for handler in actor.everything:
        if handler.role not in (Role.HANDLER, Role.LOOP) or handler.stops:
            continue
        now = runs(handler)
        for early in (*_sent(handler, now, known), *_returned(handler, now, known)):
            if id(early.node) not in told:
                told.add(id(early.node))
                yield early


def _saves_in(method: Method) -> Iterator[code.Node]:
    yield from (c for c in method.calls if saves(c, method))
    for stmt in method.statements:
        if isinstance(stmt, code.Assign):
            for target in stmt.targets:
                if isinstance(target, code.Sub) and method.actor.values.type_of(target.base, method) in _STORES:
                    yield stmt


def _is_save(now: list[Method], known: list[Save]) -> Callable[[Point], bool]:
    nodes = {id(node) for method, node in known if method in now}
    return lambda point: id(point.node) in nodes


def _takes(point: Point) -> bool:
    """The next message: what follows it is another story."""
    func = point.node.func if isinstance(point.node, code.Call) else None
    return isinstance(func, code.Attr) and func.name in ("get", "get_nowait", "recv", "receive")


# -- answers that are sent


def _sent(handler: Method, now: list[Method], known: list[Save]) -> Iterator[Early]:
    is_save = _is_save(now, known)
    for method in now:
        for event in method.events:
            if not _acknowledges(event) or not handler.flow.at(event.call):
                continue
            if handler.flow.always_before(is_save, event.call):
                method.exempt(event.call, "it is saved before, on every way")
                continue
            later = handler.flow.reached(event.call, is_save, avoiding=_takes)
            late = [s for s in known if any(p.node is s[1] for p in later) and _about_the_message(s, event)]
            if not method.exempt(event.call, "" if late else "nothing of the message is saved after it"):
                sure = Confidence.HIGH if event.role == "reply" else Confidence.MEDIUM
                yield Early(event.call, method, late[0], "sent", sure)


def _acknowledges(event: Event) -> bool:
    """An answer, or a message to whoever sent the one that is being handled."""
    if event.role == "reply":  # a caller that was kept waiting asked for something else than this message says
        return event.target is None or not behind(event.target, event.method).attributes
    if event.role not in ("send", "cast") or not comes_with_message(event.target, event.method):
        return False
    waits = not event.call.args and isinstance(event.method.parent(event.call), code.Await)
    return not event.method.exempt(event.call, "it tells nothing and waits: a signal, no answer" if waits else "")


def _about_the_message(save: Save, event: Event) -> bool:
    """True where state or a part of the message is saved, and not only what was answered."""
    method, node = save
    if not isinstance(node, code.Call) or not node.args:
        return True
    for arg in node.args:
        found = behind(arg.value, method)
        if found.foreign or found.attributes or is_self(arg.value, method):
            return not found.includes(event.call)
    return False


# -- answers that are returned


def _returned(handler: Method, now: list[Method], known: list[Save]) -> Iterator[Early]:
    """Something is accepted and the function returns an answer; a task, a timer or another handler saves it later."""
    if handler.role is not Role.HANDLER:
        return
    is_save = _is_save(now, known)
    for stmt in handler.statements if handler.asked_why else ():
        if _answers(Point(stmt, handler.code), handler) and handler.flow.always_before(is_save, stmt):
            handler.exempt(stmt, "it is saved before, on every way")
    for buffer in buffers(handler.actor):
        late = [s for s in known if not s[0].stops and _covers(s, buffer)]
        if not any(m in _working(handler.actor) for m, _ in late):
            continue  # saved when the actor stops, or by a base class that knows when
        for entry in buffer.entries:
            if entry.method not in now or not accepted(entry):
                continue
            step = entry.node if isinstance(entry.node, code.Call) else entry.method.statement(entry.node)
            if step is None or not handler.flow.at(step):
                continue
            if handler.flow.always_before(is_save, step):
                entry.method.exempt(entry.node, "it is saved before, on every way")
                continue
            for point in handler.flow.after(step)[0]:
                if point.node is not None and _answers(point, handler) and _unsaved(step, point.node, handler, is_save):
                    yield Early(point.node, handler, late[0], "returned", Confidence.MEDIUM)
                    return
            entry.method.exempt(entry.node, "every way that answers saves it first, or answers nothing")


def _unsaved(step: code.Node, answer: code.Node, handler: Method, is_save: Callable[[Point], bool]) -> bool:
    """True where some way from ``step`` through the answer to the end saves nothing, ``finally`` included."""
    flow = handler.flow
    comes = flow.reaches(step, lambda p: p.node is answer, avoiding=is_save)
    return comes and not flow.on_every_exit(answer, is_save)


def _answers(point: Point, handler: Method) -> bool:
    """True for a ``return`` with an answer of the handler's own."""
    stmt = point.node
    if not isinstance(stmt, code.Return) or stmt.value is None or point.function is not handler.code:
        return False
    return not (isinstance(stmt.value, code.Const) and stmt.value.value in (None, False))


def _covers(save: Save, buffer: Buffer) -> bool:
    """True where the container, or the whole object, is saved."""
    method, node = save
    values = [a.value for a in node.args] if isinstance(node, code.Call) else []
    if isinstance(node, code.Assign) and node.value is not None:
        values = [node.value]
    return any(buffer.attribute in behind(v, method).attributes or is_self(v, method) for v in values)


def _working(actor: Actor) -> list[Method]:
    """What handlers and loops run, and what they start."""
    works = actor.reached(*[m for m in actor.everything if m.role in (Role.HANDLER, Role.LOOP) and not m.stops])
    started = [
        inner
        for m in works
        for e in m.events
        if e.role in _DETACHES and (inner := actor.named(e.payload, m)) is not None
    ]
    return actor.reached(*works, *started)
