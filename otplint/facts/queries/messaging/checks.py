"""Sends that are made because their receiver was alive a moment before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otplint.facts.methods import Event
from otplint.facts.queries.messaging.messages import doors, given_for, mailboxes, raw_writes, routes
from otplint.facts.queries.slices import bindings
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.frameworks import Framework
    from otplint.facts.methods import Method

_TELLS = ("cast", "send")
_SETS = ("set", "set_result")
"""Methods that give a future its value."""
_MAX_DEPTH = 3


@dataclass(frozen=True)
class Send:
    """What is done to a receiver that nobody will know to be lost."""

    node: code.Node
    method: Method
    target: code.Expr | None
    """The receiver; none for the actor's own thread."""
    role: str
    """``cast``, ``send``, ``put``, or ``handout`` for a handle that is given to somebody who will send."""
    certain: bool


@dataclass(frozen=True)
class Alive:
    """A question whether somebody is alive, as seen from the function that acts on the answer."""

    target: code.Expr
    call: code.Call
    method: Method
    """Where it is asked."""
    framework: Framework
    certain: bool


@dataclass(frozen=True)
class Check:
    """A send that a test for life guards."""

    test: code.Expr
    send: Send
    alive: Alive


def alive_checks(actor: Actor) -> Iterator[Check]:
    """The sends of the actor's own functions that are made only because somebody was alive."""
    for send in _sends(actor):
        told = send.method.stops or _is_handled(send)
        if told and not send.method.asked_why:
            continue
        for test, alive in _guards(send):
            if _matches(alive, send) and not send.method.exempt(test, _is_safe(send, actor)):
                yield Check(test, send, alive)
                break


def _is_safe(send: Send, actor: Actor) -> str:
    """Why a send after a test for life loses nothing unseen; empty where it may."""
    if send.method.stops:
        return "the actor is stopping: what is lost now is lost with it"
    if _tells_to_end(send):
        return "it only tells the receiver to end, which a dead one has done"
    if _is_handled(send):
        return "a failure to reach the receiver is caught"
    return "the same function watches the receiver, and is told of its end" if _is_watched(send, actor) else ""


def _tells_to_end(send: Send) -> bool:
    """``jobs.put(None)``."""
    values = [a.value for a in send.node.args] if isinstance(send.node, code.Call) else []
    return len(values) == 1 and isinstance(values[0], code.Const) and values[0].value is None


# -- sends


def _sends(actor: Actor) -> Iterator[Send]:
    for method in actor.methods:
        for event in method.events:
            if event.role in _TELLS:
                for place, call, target, _ in routes(event):
                    yield Send(call, place, target, event.role, event.certain)
            elif event.role == "put" and method.own_attribute(event.target) in mailboxes(actor):
                yield Send(event.call, method, None, "put", event.certain)
        for call in method.calls:
            if isinstance(call.func, code.Attr) and _is_door(call.func, method):
                yield Send(call, method, call.func.base, "put", True)
        yield from _handouts(method)
    for write in raw_writes(actor):
        yield Send(write.call, write.method, write.owner, "put", write.actor is not None)


def _is_door(func: code.Attr, method: Method) -> bool:
    """``other.submit``: a method of another actor of the project that puts into its mailbox."""
    if isinstance(func.base, code.Name) and func.base.id == method.self_name:
        return False
    facts = method.actor.facts
    located = facts.project.find_class(method.actor.values.type_of(func.base, method) or "")
    other = facts.actor(*located) if located is not None else None
    if other is None or not other.is_actor:
        return False
    return any(func.name in doors(other, box) for box in mailboxes(other))


def _handouts(method: Method) -> Iterator[Send]:
    """Handles that are returned, or set as the value of a future."""
    for stmt in method.statements:
        match stmt:
            case code.Return(value=value) if isinstance(value, (code.Name, code.Attr)):
                yield Send(stmt, method, value, "handout", False)
            case code.Do(value=code.Call(func=code.Attr(name=name), args=(only,)) as call) if name in _SETS:
                if isinstance(only.value, (code.Name, code.Attr)):
                    yield Send(call, method, only.value, "handout", False)


def _is_handled(send: Send) -> bool:
    """True where a failure to reach the receiver is caught for what it is."""
    failures = send.method.actor.facts.vocabulary.call_failures
    below: code.Node = send.node
    for up in send.method.above(send.node):
        if isinstance(up, code.Try) and not isinstance(below, code.Handler):
            caught = {send.method.qualname(t) for h in up.handlers for t in _types(h.type)}
            if caught & failures:
                return True
        below = up
    return False


def _types(type_: code.Expr | None) -> tuple[code.Expr, ...]:
    return type_.items if isinstance(type_, code.Seq) else (type_,) if type_ is not None else ()


def _is_watched(send: Send, actor: Actor) -> bool:
    """True where the same function watches the receiver: it will be told of its end."""
    flow = send.method.flow
    for event in send.method.events:
        if event.role == "watch" and event.target is not None and _same(event.target, send.target, event.method):
            ways = ((event.call, send.node), (send.node, event.call))
            if any(flow.reaches(one, lambda point, end=other: point.node is end) for one, other in ways):  # type: ignore[misc]
                return actor.is_actor
    return False


# -- guards


def _guards(send: Send) -> Iterator[tuple[code.Expr, Alive]]:
    """The tests for life that every way to a send passes, by branch, filter or lookup."""
    method = send.method
    for test, outcome in method.flow.conditions(send.node):
        for alive in _asked(test, outcome, method):
            yield test, alive
    for up in method.above(send.node):
        if isinstance(up, code.Comp):
            yield from _filters(up, method)
        elif isinstance(up, (code.Bool, code.Cond)):
            yield from _inside(up, send, method)
    if isinstance(send.target, code.Name):
        for value in _sources(send, send.target, method):
            yield from _renamed(value, send.target, method)


def _sources(send: Send, name: code.Name, method: Method) -> list[code.Expr]:
    """What the receiver is taken from: the loop around the send, or the only value of the local."""
    for up in method.above(send.node):
        loops = [up] if isinstance(up, code.For) else up.clauses if isinstance(up, code.Comp) else []
        for loop in loops:
            if any(isinstance(e, code.Name) and e.id == name.id for e in code.walk(loop.target)):
                return [loop.iter]
    values = list(bindings(name.id, method))
    return values if len(values) == 1 else []


def _inside(up: code.Bool | code.Cond, send: Send, method: Method) -> Iterator[tuple[code.Expr, Alive]]:
    """``x.is_alive() and x.tell(m)``, ``x.tell(m) if x.is_alive() else None``."""
    tests: list[tuple[code.Expr, bool]] = []
    if isinstance(up, code.Bool):
        holds = [i for i, part in enumerate(up.parts) if any(e is send.node for e in code.walk(part))]
        tests = [(part, up.op == "and") for part in up.parts[: holds[0]]] if holds else []
    elif any(e is send.node for e in code.walk(up.then)):
        tests = [(up.test, True)]
    elif any(e is send.node for e in code.walk(up.other)):
        tests = [(up.test, False)]
    for test, outcome in tests:
        for alive in _asked(test, outcome, method):
            yield test, alive


def _filters(comp: code.Comp, method: Method) -> Iterator[tuple[code.Expr, Alive]]:
    """The tests of a comprehension."""
    for clause in comp.clauses:
        for test in clause.tests:
            for alive in _asked(test, True, method):
                yield test, alive


def _renamed(value: code.Expr, name: code.Name, method: Method, depth: int = 0) -> Iterator[tuple[code.Expr, Alive]]:
    """``for x in [y for y in all if y.is_alive()]``: what is asked of ``y`` is asked of ``x``."""
    for expr in code.walk(value):
        if isinstance(expr, code.Comp):
            for test, alive in _filters(expr, method):
                if any(code.same(alive.target, clause.target) for clause in expr.clauses):
                    yield test, Alive(name, alive.call, alive.method, alive.framework, alive.certain)
        elif isinstance(expr, code.Name) and depth < _MAX_DEPTH and method.is_local(expr.id):
            for inner in bindings(expr.id, method):
                yield from _renamed(inner, name, method, depth + 1)


def _asked(test: code.Expr, outcome: bool, method: Method, depth: int = 0) -> Iterator[Alive]:
    """The questions for life that a test with this outcome says yes to."""
    if depth > _MAX_DEPTH:
        return
    match test:
        case code.Await(value=value) | code.Walrus(value=value):
            yield from _asked(value, outcome, method, depth)
        case code.Unary(op="not", value=value):
            yield from _asked(value, not outcome, method, depth)
        case code.Bool(op=op, parts=parts) if (op == "and") is outcome:
            for part in parts:
                yield from _asked(part, outcome, method, depth)
        case code.Compare(left=left, ops=(op,), rights=(right,)):
            yield from _compared(left, op, right, outcome, method)
        case code.Name(id=name) if method.is_local(name):
            values = list(bindings(name, method))
            if len(values) == 1:
                yield from _asked(values[0], outcome, method, depth + 1)
        case code.Call() if outcome:
            event = _alive_event(test, method)
            if event is not None and event.target is not None:
                yield Alive(event.target, test, method, event.framework, event.certain)
            else:
                yield from _by_helper(test, method, depth)


def _compared(left: code.Expr, op: str, right: code.Expr, outcome: bool, method: Method) -> Iterator[Alive]:
    """``x.is_alive() is True``, and ``x in alive``."""
    if op in ("is", "==") and isinstance(right, code.Const) and isinstance(right.value, bool):
        yield from _asked(left, outcome is right.value, method, 1)
    elif op in ("in", "not in") and (op == "in") is outcome:
        yield from _listed(left, right, method)


def _by_helper(call: code.Call, method: Method, depth: int) -> Iterator[Alive]:
    """The questions that a helper asks before it says yes."""
    helper = method.actor.own_method(call, method) or method.actor.facts.function(method.qualname(call.func))
    if helper is None or helper.code is method.code:
        return
    for stmt in helper.statements:
        if not isinstance(stmt, code.Return) or stmt.value is None:
            continue
        for alive in _asked(stmt.value, True, helper, depth + 1):
            target: code.Expr | None = alive.target
            if isinstance(target, code.Name):
                target = given_for(_parameter(target.id, helper), call, helper)
            elif not helper.own_attribute(target):
                target = None
            if target is not None:
                yield Alive(target, alive.call, alive.method, alive.framework, alive.certain)


def _parameter(name: str, helper: Method) -> str:
    """The parameter that a local of the helper is taken from: ``pid = whereis(to) if isinstance(to, str) else to``."""
    given = {p.name for p in helper.code.params if p.name != helper.self_name}
    values = list(bindings(name, helper)) if name not in given else []
    named = {e.id for value in values for e in code.walk(value) if isinstance(e, code.Name)} & given
    return named.pop() if len(values) == len(named) == 1 else name


def _listed(key: code.Expr, container: code.Expr, method: Method) -> Iterator[Alive]:
    """``x in alive`` where the container holds those that were asked, or those that are watched and not yet down."""
    if isinstance(container, code.Name):
        for value in bindings(container.id, method):
            for _, alive in _renamed_any(value, method):
                yield Alive(key, alive.call, alive.method, alive.framework, alive.certain)
    own = method.own_attribute(container)
    if not own:
        return
    for _, value, place in method.actor.assignments(own):
        for _, alive in _renamed_any(value, place):
            yield Alive(key, alive.call, alive.method, alive.framework, False)
    watched = method.actor.events("watch", inherited=True)
    down = method.actor.kind.down_handlers
    for use in method.actor.uses_of(own):
        if watched and use.removes and (use.method.name in down or not down) and use.method is not method:
            yield Alive(key, watched[0].call, watched[0].method, watched[0].framework, False)
            return


def _renamed_any(value: code.Expr, method: Method) -> Iterator[tuple[code.Expr, Alive]]:
    for expr in code.walk(value):
        if isinstance(expr, code.Comp):
            yield from _filters(expr, method)


def _alive_event(call: code.Call, method: Method) -> Event | None:
    """The event of a question for life; of a part of a framework's object also where the part's type is unknown."""
    event = method.event(call)
    if event is not None:
        return event if event.role == "alive" else None
    if not isinstance(call.func, code.Attr):
        return None
    known = method.actor.facts.vocabulary.methods.get(call.func.name, ())
    if not method.actor.is_actor and not method.actor.values.type_of(call.func.base, method):
        spoken = [(f, o) for f, o, _ in known if o.role == "alive" and _speaks(f)]  # a function that actors ask
        return Event("alive", call, method, *spoken[0], False) if spoken else None
    holder: code.Expr = call.func.base
    while isinstance(holder, code.Attr):
        holder = holder.base if "." in method.own_attribute(holder) or not method.own_attribute(holder) else holder
        type_ = method.actor.values.type_of(holder, method)
        for framework, operation, owner in known:
            if operation.role == "alive" and type_ and type_.partition(".")[0] == owner.partition(".")[0]:
                return Event("alive", call, method, framework, operation, False)
        if "." not in method.own_attribute(holder):
            break
    return None


def _speaks(framework: Framework) -> bool:
    """True where the framework's handles are for sending to: those of threads are not."""
    return any(operation.role in (*_TELLS, "call") for operation in framework.operations)


# -- the same receiver


def _matches(alive: Alive, send: Send) -> bool:
    method = send.method
    if send.target is None:
        return _is_own_thread(alive.target, method)
    if send.role == "handout" and not _speaks(alive.framework):
        return False
    return _same(alive.target, send.target, method)


def _is_own_thread(target: code.Expr, method: Method) -> bool:
    """The actor itself, or the thread that it has started."""
    if isinstance(target, code.Name) and target.id == method.self_name:
        return True
    own = method.own_attribute(target)
    return bool(own) and any(
        (event := place.event(value)) is not None and event.role == "spawn"
        for _, value, place in method.actor.assignments(own)
    )


def _same(one: code.Expr, other: code.Expr | None, method: Method) -> bool:
    """The same receiver, or a handle and the object that it is a part of."""
    if other is None:
        return False
    one, other = _plain(one, method), _plain(other, method)
    return code.same(one, other) or _is_part(one, other, method) or _is_part(other, one, method)


def _is_part(part: code.Expr, whole: code.Expr, method: Method) -> bool:
    is_self = isinstance(whole, code.Name) and whole.id == method.self_name
    return isinstance(part, code.Attr) and not is_self and code.same(part.base, whole)


def _plain(expr: code.Expr, method: Method) -> code.Expr:
    """The expression behind a local that is bound once to an attribute or an entry."""
    if isinstance(expr, code.Name) and method.is_local(expr.id):
        values = list(bindings(expr.id, method))
        if len(values) == 1 and isinstance(values[0], code.Attr) and method.own_attribute(values[0]):
            return values[0]
    return expr
