"""Waits: what holds an actor up while it handles a message, for whom, and until when at the latest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otplint.facts.frameworks import BY_SHAPE
from otplint.facts.methods import Event, Role
from otplint.facts.origins import origins
from otplint.facts.queries.messaging.awaited import looks_like, owed_by_nobody
from otplint.facts.queries.messaging.harmless import harmless
from otplint.facts.queries.messaging.reach import Running, calls_at_once, is_interleaved, running, takes_messages
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Method

_ROLES = frozenset(("call", "take", "wait", "sleep", "block"))
_ANSWERED = frozenset(("done", "ready", "is_set", "is_ready", "qsize"))
"""Methods that tell that nothing is left to wait for."""
_FILLS = frozenset(("put", "put_nowait", "set", "set_result", "set_exception"))
_MAX_CALLERS = 4


@dataclass(frozen=True)
class Wait:
    """A call that does not come back before somebody or something else is done."""

    event: Event
    running: Running
    awaited: bool
    """True where it is awaited: only the actor waits, not the thread."""
    bounded: bool
    """True where it ends after a time at the latest, by an argument, by default or by a scope around it."""

    @property
    def role(self) -> str:
        """``call``, ``take``, ``wait``, ``sleep`` or ``block``."""
        return self.event.role

    @property
    def call(self) -> code.Call:
        """The call that waits."""
        return self.event.call

    @property
    def method(self) -> Method:
        """Where it is written."""
        return self.event.method

    @property
    def for_end(self) -> bool:
        """True for a wait for a thread or process to end."""
        return self.event.operation.for_end

    @property
    def spot(self) -> tuple[Method, code.Call]:
        """The function and call to report: the wait itself, or the actor's own call that leads far out to it."""
        return self.running.far or (self.method, self.call)

    @property
    def in_thread_loop(self) -> bool:
        """True in a thread that serves a queue by a loop of its own: it has nothing else to do."""
        return not takes_messages(self.running.actor) and not self.running.on_loop


Excused = tuple[Event, str]
"""A call that looks like a wait and holds nobody up, and why."""


def waits(actor: Actor) -> list[Wait]:
    """What holds the actor up while it handles a message, its own inbox left out, in no special order."""
    return actor.remembered(_search)[0]


def excuse(actor: Actor, *roles: str) -> None:
    """Tell why calls of these roles hold nobody up, where somebody asks."""
    for event, why in actor.remembered(_search)[1]:
        if event.role in roles:
            event.method.exempt(event.call, why)


def _search(actor: Actor) -> tuple[list[Wait], list[Excused]]:
    found: list[Wait] = []
    excused: list[Excused] = []
    seen: set[int] = set()
    for place in running(actor):
        for call in calls_at_once(place.method):
            event = place.method.event(call) or _by_name(call, place)
            if event is None or event.role not in _ROLES or id(call) in seen:
                continue
            awaited = _awaited(call, place.method)
            if why := _holds_nobody_up(event, place, awaited=awaited):
                excused.append((event, why))
            else:
                seen.add(id(call))
                found.append(Wait(event, place, awaited, is_bounded(event)))
    if actor.asked_why:
        run = {id(place.method.code) for place in running(actor)}
        idle = [m for m in actor.methods if id(m.code) not in run]
        excused += [
            (e, "nothing that handles a message runs it, as far as can be seen") for m in idle for e in m.events
        ]
    return found, excused


def one_for_each_place(waits: Iterable[Wait]) -> Iterator[Wait]:
    """The waits without those that have the same place to report as one before."""
    seen: set[int] = set()
    for wait in waits:
        if id(wait.spot[1]) not in seen:
            seen.add(id(wait.spot[1]))
            yield wait


def way(wait: Wait) -> list[tuple[Method, code.Node, str]]:
    """How the actor comes to a wait outside of its class: the calls on the way, and far out the wait itself."""
    come = f"{wait.running.actor.name} comes here from its own handlers"
    steps: list[tuple[Method, code.Node, str]] = [(at, call, come) for at, call in wait.running.crossed]
    if (far := wait.running.far) is None:
        return steps
    return [step for step in steps if step[1] is not far[1]] + [(wait.method, wait.call, "it waits here")]


def _holds_nobody_up(event: Event, place: Running, *, awaited: bool) -> str:
    """Why a call of a waiting operation does not hold the actor up; empty where it does."""
    if place.actor.form == "function" and place.actor.kind.frees_worker and not place.on_loop:
        return "a job has no mailbox, and its worker does other work while it waits"
    if place.actor.kind.several_at_once and not place.on_loop:
        return "the actor is made to handle several messages at once: one waits, the others go on"
    if awaited and not event.framework.awaits:
        return "it is awaited: it gives a future or coroutine, and holds no thread up"
    if event.framework.awaits and not awaited:
        return "it is not awaited here: it only makes a coroutine or task"
    if awaited and (not place.actor.kind.one_at_a_time or is_interleaved(place.method)):
        return f"{place.actor.framework.name} handles other messages while this one awaits"
    if awaited and event.role == "wait":
        return "it is only a scope: what is in it waits"
    if flag := place.never_reaches(event.call):
        return f"the way here leads past it: {flag}"
    if _is_instant(event):
        return "it only looks, and does not wait"
    if _is_own_inbox(event, place):
        return "it is how the actor takes its own messages"
    if why := harmless(event, crossed=bool(place.crossed)) or owed_by_nobody(event, place):
        return why
    over = _is_over(event.call, place.method)
    return "what it waits for has come already: it was asked before, or is filled here" if over else ""


def _is_instant(event: Event) -> bool:
    """True for what only looks: ``get_nowait()``, ``get(block=False)``, ``result(timeout=0)``, ``sleep(0)``."""
    operation = event.operation
    if operation.bounded and not operation.timeout:
        return True
    if "block" in operation.parameters and _is_constant(event.argument("block"), False):
        return True
    limit = event.argument(operation.timeout or (operation.limits[0] if operation.role == "sleep" else ""))
    return isinstance(limit, code.Const) and limit.value in (0, False) and limit.value is not None


def is_bounded(event: Event) -> bool:
    """True where the wait ends after a time at the latest."""
    operation, method = event.operation, event.method
    if any(a.star for a in event.call.args):
        return True  # what is handed through may be a deadline
    given = event.argument(operation.timeout)
    if given is None:
        by_argument = operation.bounded or bool(operation.bounded_by and _set_before(event))
    else:
        by_argument = not _means_for_ever(given, method)
    return by_argument or _in_scope(event.call, method, awaited=event.framework.awaits, depth=0)


def _means_for_ever(given: code.Expr, method: Method) -> bool:
    """True for ``timeout=None`` and ``wait=True``, also by a name that stands for nothing else."""
    found = origins(given, method)
    return bool(found) and all(
        isinstance(o.expr, code.Const) and (o.expr.value is None or o.expr.value is True) and o.via != "parameter"
        for o in found
    )


def _is_constant(expr: code.Expr | None, value: object) -> bool:
    return isinstance(expr, code.Const) and expr.value is value


def _set_before(event: Event) -> bool:
    """True where a method of the same object was called that bounds all its waits: ``sock.settimeout(5)``."""
    base = event.argument("receiver")
    own = event.method.own_attribute(base)
    for method in event.method.actor.everything if own else (event.method,):
        for call in method.calls:
            func = call.func
            if not isinstance(func, code.Attr):
                continue
            same = method.own_attribute(func.base) == own if own else _same(func.base, base)
            if same and any(_is_form(call, func.name, form) for form in event.operation.bounded_by):
                return True
    return False


def _is_form(call: code.Call, name: str, form: str) -> bool:
    """Whether a call has the form ``name``, or ``name(CONSTANT)`` with that constant among its arguments."""
    wanted, _, given = form.partition("(")
    constants = {code.dotted(a.value).rpartition(".")[2] for a in call.args}
    return name == wanted and (not given or given.rstrip(")") in constants)


def _in_scope(node: code.Call, method: Method, *, awaited: bool, depth: int) -> bool:
    """True where an enclosing ``wait_for``, ``timeout()`` or ``move_on_after()`` ends an awaited call."""
    if not awaited:
        return False
    for up in method.above(node):
        if isinstance(up, code.Call) and _limits(up, method):
            return True
        if isinstance(up, code.With) and any(
            isinstance(c, code.Call) and c is not node and _limits(c, method) for c, _ in up.items
        ):
            return True
    if method.role in (Role.HANDLER, Role.LOOP) or depth >= _MAX_CALLERS:
        return False
    sites = method.actor.sites(method)
    return bool(sites) and all(_in_scope(call, caller, awaited=True, depth=depth + 1) for call, caller in sites)


def _limits(call: code.Call, method: Method) -> bool:
    event = method.event(call)
    if event is None or event.role != "wait" or not event.framework.awaits:
        return False
    given = event.argument(event.operation.timeout)
    return given is not None and not _means_for_ever(given, method)


def _awaited(call: code.Call, method: Method) -> bool:
    """True for ``await f()``, and where ``f()`` is what an awaited call waits for: ``await wait_for(f(), 5)``."""
    for up in method.above(call):
        if isinstance(up, code.Await):
            return True
        if not isinstance(up, code.Call):
            return False
        event = method.event(up)
        if event is None or event.role != "wait":
            return False
    return False


def _is_own_inbox(event: Event, place: Running) -> bool:
    """True for the loop's own taking of messages."""
    return event.role == "take" and place.method.role is Role.LOOP and not place.crossed


def _is_over(call: code.Call, method: Method) -> bool:
    """True where what is waited for has come already: asked before, or put by the same function."""
    base = call.func.base if isinstance(call.func, code.Attr) else None
    if base is None:
        return False
    for test, outcome in method.flow.conditions(call):
        asked = _methods_of(base, code.walk(test))
        if asked & _ANSWERED if outcome else "empty" in asked:
            return True
    return bool(_FILLS & _methods_of(base, (c for c in method.calls if c.start < call.start)))


def _methods_of(base: code.Expr, calls: Iterable[code.Expr]) -> set[str]:
    """The names of the methods that are called of the same object."""
    funcs = [c.func for c in calls if isinstance(c, code.Call)]
    return {f.name for f in funcs if isinstance(f, code.Attr) and _same(f.base, base)}


def _by_name(call: code.Call, place: Running) -> Event | None:
    """``something.method().get()`` in a part of the actor, where only the name says that it is a future's."""
    method, framework = place.method, place.actor.framework
    func = call.func
    if method.actor is place.actor or not isinstance(func, code.Attr) or method.qualname(func):
        return None
    if method.actor.values.type_of(func.base, method):
        return None
    for known, operation, _ in method.actor.facts.vocabulary.methods.get(func.name, ()):
        if known is framework and framework.name not in BY_SHAPE:
            return Event(operation.role, call, method, known, operation, False)
    return None


def _same(one: code.Expr, other: code.Expr | None) -> bool:
    return other is not None and code.same(one, other)


def unbounded(actor: Actor) -> Iterator[Wait]:
    """The waits for an answer, a message or an event that may go on for ever."""
    excuse(actor, "call", "take", "wait")
    for wait in waits(actor):
        if wait.role not in ("call", "take", "wait") or wait.for_end:
            continue
        if wait.bounded:
            wait.method.exempt(wait.call, "it ends after a time: by its argument, by default or by a scope around it")
        elif looks_like(wait.event):
            yield wait
