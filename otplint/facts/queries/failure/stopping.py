"""Whether swallowing a request to stop keeps the actor going."""

from __future__ import annotations

from collections.abc import Iterator

from otplint.facts.flow import Point
from otplint.facts.methods import Method, Role
from otplint.facts.queries.failure.catches import CANCELLATION, Catch
from otplint.facts.queries.messaging.reach import takes_messages
from otplint.facts.syntax import code

_CLOSES = frozenset({"close", "aclose", "wait_closed", "stop", "shutdown", "disconnect", "cleanup", "join",
                     "terminate", "release", "unsubscribe", "logout", "kill", "cancel", "__aexit__",
                     "unregister"})  # fmt: skip


def swallows_cancellation(catch: Catch) -> bool:
    """True where a coroutine's own cancellation can arrive in the guarded code and is caught."""
    if not catch.method.code.is_async or not any(_suspends(n) for n in _nodes(catch.tried)):
        return False
    told = CANCELLATION | set(catch.method.actor.kind.stop_exceptions) | {"BaseException"}
    return any(t in told for t in catch.stopping)


def swallows_exit(catch: Catch) -> bool:
    """True where ``SystemExit``, ``KeyboardInterrupt`` or a framework's own exit signal is caught."""
    told = set(catch.stopping) - CANCELLATION
    if told <= {"GeneratorExit"}:
        return bool(told) and any(isinstance(n, code.Yield) for n in _nodes(catch.tried))
    return True


def takes_what_is_done(catch: Catch) -> bool:
    """True where the guarded code calls nothing but ``result()`` or ``exception()`` of what is known to be done.

    What that raises happened elsewhere, before: no request to stop can arrive while nothing is waited for.
    """
    calls = [*code.calls(catch.tried)]
    return bool(calls) and all(
        isinstance(call.func, code.Attr)
        and call.func.name in ("result", "exception")
        and not call.args
        and any(
            outcome and _asks_done(test, code.dotted(call.func.base))
            for test, outcome in catch.method.flow.conditions(call)
        )
        for call in calls
    )


def _asks_done(test: code.Expr, name: str) -> bool:
    asked = test.func if isinstance(test, code.Call) else None
    return isinstance(asked, code.Attr) and asked.name == "done" and bool(name) and code.dotted(asked.base) == name


def runs_on_a_loop(method: Method) -> bool:
    """True for what an event loop calls back, as a rule in the main thread, where Ctrl-C and ``SystemExit`` arrive."""
    actor = method.actor
    handlers = [m for m in actor.everything if m.role is Role.HANDLER]
    return bool(handlers) and not takes_messages(actor) and method in actor.reached(*handlers)


def goes_on(catch: Catch) -> bool:
    """True if, once the request is swallowed, the actor works on.

    It does where control returns to the guarded code or to a later wait, or to a handler's caller, which takes the
    next message. It does not where the coroutine, thread or loop then ends.
    """
    points, returns = catch.method.flow.onward(catch.node, unless=catch.reports(strictly=True))
    return _works_on(catch.method, catch.around, points, returns, {id(catch.method)})


def _works_on(method: Method, start: code.Node, points: list[Point], returns: bool, seen: set[int]) -> bool:
    guarded = {id(n) for n in (start, *(_nodes(start.body) if isinstance(start, (code.Try, code.With)) else ()))}
    cleanup = _cleanup(method)
    ends_life = isinstance(start, (code.Try, code.With)) and any(_is_life(s) for s in code.statements(start.body))
    for point in points:
        node = point.node
        if node is None:
            continue
        if id(node) in guarded:
            return True
        if method.code.is_async and not ends_life and id(node) not in cleanup and _waits(point, method):
            return True
    return returns and _returns_to_work(method, seen)


def _returns_to_work(method: Method, seen: set[int]) -> bool:
    """True where returning from the function hands control to code that works on."""
    if method.stops or method.role is Role.LOOP:
        return False
    kind = method.actor.kind
    if method.actor.form == "function" and method.outer is None:
        return False  # a task of its own ends where its function does
    if method.role is Role.HANDLER:
        return True  # the next message or callback comes
    if method.role is Role.START:
        return bool(kind.handlers or kind.public_methods or kind.handler_decorators)
    for caller in method.actor.callers(method):
        if id(caller) in seen or caller.stops:
            continue
        seen = seen | {id(caller)}
        for call in caller.calls:
            if method.actor.own_method(call, caller) is not method:
                continue
            if method.code.is_async and not _waited_for(call, caller):
                continue
            points, returns = caller.flow.after(call)
            if _works_on(caller, call, points, returns, seen):
                return True
    return False


def _waited_for(call: code.Call, caller: Method) -> bool:
    """False for a coroutine that becomes a task of its own: its end is nobody's next step."""
    for up in caller.above(call):
        if isinstance(up, (code.Await, code.With, code.For)):
            return True
        event = caller.event(up) if isinstance(up, code.Call) else None
        if isinstance(up, code.STATEMENTS) or (event is not None and event.role == "spawn"):
            return False
    return False


def _waits(point: Point, method: Method) -> bool:
    """True for a wait that is not for something to close; a wait for an own helper is judged inside the helper."""
    node = point.node
    if isinstance(node, code.Await):
        call = node.value
        if not isinstance(call, code.Call):
            return True
        owner = method.actor.method_of(point.function) or method
        if owner.actor.own_method(call, owner) is not None:
            return False
        name = call.func.name if isinstance(call.func, code.Attr) else code.dotted(call.func)
        return name not in _CLOSES
    return isinstance(node, code.Yield) or (isinstance(node, (code.For, code.With)) and node.is_async)


def _cleanup(method: Method) -> set[int]:
    """The nodes of ``finally`` blocks."""
    return {id(n) for stmt in method.statements if isinstance(stmt, code.Try) for n in _nodes(stmt.final)}


def _nodes(block: code.Block) -> Iterator[code.Node]:
    for stmt in code.statements(block):
        yield stmt
        for head in code.expressions(stmt):
            yield from code.walk(head)


def _suspends(node: code.Node) -> bool:
    if isinstance(node, (code.For, code.With)):
        return node.is_async
    return isinstance(node, (code.Await, code.Yield))


def _is_life(stmt: code.Stmt) -> bool:
    """A loop that may run for as long as the actor lives."""
    return isinstance(stmt, code.While) or (isinstance(stmt, code.For) and stmt.is_async)


def awaits_what_it_cancelled(catch: Catch) -> bool:
    """True where the guarded code only waits for tasks that were cancelled just before, here or by a helper."""
    awaited = [n.value for n in _nodes(catch.tried) if isinstance(n, code.Await)]
    if not awaited:
        return False
    flow, actor = catch.method.flow, catch.method.actor
    cancelled: set[str] = set()
    for place in flow.find(_is_cancel):
        point = flow.points[place]
        owner = actor.method_of(point.function) or catch.method
        call = point.node
        assert isinstance(call, code.Call)
        assert isinstance(call.func, code.Attr)
        if owner is not catch.method or call.start < catch.around.end:
            cancelled |= _keys(call.func.base, owner)
    if "BaseException" not in catch.types and not catch.method.stops:
        # a wait that other functions end by cancelling what is waited for: a wake-up
        for method in actor.everything:
            for call in method.calls:
                if _is_cancel(Point(call, method.code)) and isinstance(call.func, code.Attr):
                    cancelled |= {k for k in _keys(call.func.base, method) if k.startswith("self.")}
    return all(_keys(value, catch.method) & cancelled for value in awaited)


def ends_by_flag(catch: Catch) -> bool:
    """True where the loop around the clause looks at a flag that is set wherever the actor cancels its tasks."""
    method = catch.method
    tested = {
        method.own_attribute(e)
        for up in method.above(catch.around)
        if isinstance(up, code.While)
        for e in code.walk(up.test)
        if isinstance(e, code.Attr)
    } - {""}
    return any(
        m is not method
        and any(u.method is m and u.attribute in tested and u.kind == "write" for u in method.actor.uses)
        for m in method.actor.everything
        if any(_is_cancel(Point(c, m.code)) for c in m.calls)
    )


def _is_cancel(point: Point) -> bool:
    node = point.node
    return isinstance(node, code.Call) and isinstance(node.func, code.Attr) and node.func.name == "cancel"


def _keys(expr: code.Expr, method: Method, depth: int = 0) -> set[str]:
    """Names by which a task, or the collection it comes from, is known in the function."""
    if depth > 6:
        return set()
    match expr:
        case code.Name() | code.Attr():
            own = method.own_attribute(expr)
            found = {f"self.{own}" if own else code.dotted(expr)} - {""}
            if isinstance(expr, code.Name):
                for source in _sources(expr.id, method):
                    found |= _keys(source, method, depth + 1)
            return found
        case code.Star(value=value) | code.Await(value=value):
            return _keys(value, method, depth + 1)
        case code.Sub(base=base):
            return _keys(base, method, depth + 1)
        case code.Call(func=func, args=args):
            found = {k for a in args for k in _keys(a.value, method, depth + 1)}
            if isinstance(func, code.Attr) and func.name in ("values", "copy", "pop", "items", "get", "popleft"):
                found |= _keys(func.base, method, depth + 1)
            return found
        case code.Seq(items=items):
            return {k for item in items for k in _keys(item, method, depth + 1)}
        case code.Comp(clauses=clauses):
            return {k for c in clauses for k in _keys(c.iter, method, depth + 1)}
        case code.Bool(parts=parts):
            return {k for part in parts for k in _keys(part, method, depth + 1)}
    return set()


def _sources(name: str, method: Method) -> Iterator[code.Expr]:
    """What a variable is taken from: the collection that a ``for`` runs over, the value it is given."""
    for stmt in method.statements:
        if isinstance(stmt, code.For) and any(
            isinstance(e, code.Name) and e.id == name for e in code.walk(stmt.target)
        ):
            if not (isinstance(stmt.iter, code.Name) and stmt.iter.id == name):
                yield stmt.iter
        elif isinstance(stmt, code.Assign) and stmt.value is not None:
            bound = any(isinstance(t, code.Name) and t.id == name for t in stmt.targets)
            if bound and not _mentions(stmt.value, name):
                yield stmt.value


def _mentions(expr: code.Expr, name: str) -> bool:
    return any(isinstance(e, code.Name) and e.id == name for e in code.walk(expr))
