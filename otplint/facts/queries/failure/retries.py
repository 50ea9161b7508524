"""Code that tries again when something failed: how often, how soon, and whether it asks an open breaker."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from otplint.facts.methods import Event, Method, Role
from otplint.facts.queries.failure.catches import Catch, catches
from otplint.facts.queries.failure.pauses import pauses, waits_its_turn
from otplint.facts.syntax import code

__all__ = ["Retry", "Way", "retries"]

_MOVING_ON = frozenset({"Empty", "QueueEmpty", "Full", "QueueFull", "BlockingIOError", "InterruptedError",
                        "StopIteration", "StopAsyncIteration", "WatchError", "Again", "EOFError", "IntegrityError",
                        "FileExistsError"})  # fmt: skip
"""Errors by which nothing failed: not yet, taken by another, at the end. A poll or an optimistic update goes round."""
_LATE = frozenset({"TimeoutError", "timeout", "Timeout", "CallTimeout", "TimeoutExpired"})
"""Errors that come after a wait: the next try is not at once."""


class Way(enum.Enum):
    """How it is tried again."""

    LOOP = "loop"
    RECURSION = "recursion"
    LIBRARY = "library"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Retry:
    """One place that tries again."""

    method: Method
    node: code.Node
    """The loop's test or iterable, the recursive call, the decorator: what a reader would change."""
    way: Way
    limited: bool
    """True where it gives up some time."""
    paused: bool
    """True where it waits in between."""
    asks_open: bool = False
    """True where a circuit breaker is asked again although it said that it is open."""
    broad: bool = False
    """True where any error is tried again."""
    asks: code.Node | None = None
    """The request to another actor that is tried, if it is one."""


def retries(method: Method) -> Iterator[Retry]:
    """The places in one function where a failure leads to another try."""
    for catch in catches(method):
        if isinstance(catch.node, code.Handler):
            yield from _loops(catch)
            yield from _recursions(catch)
            yield from _messages(catch)
    yield from _libraries(method)


# -- loops


def _loops(catch: Catch) -> Iterator[Retry]:
    method = catch.method
    loop = next((up for up in method.above(catch.around) if isinstance(up, (code.While, code.For))), None)
    if loop is None or not isinstance(catch.around, code.Try) or not any(code.calls(catch.tried)):
        return
    head = loop.test if isinstance(loop, code.While) else loop.iter
    kind = _counted(loop, method)
    if kind is None or method.exempt(head, _no_retry(catch, catch.around, loop)):
        return
    limited = kind or _gives_up(loop, catch)
    paused = _is_late(catch) or pauses(loop.body, method)
    yield Retry(method, head, Way.LOOP, limited, paused, _asks_open(catch), _is_broad(catch), _request(catch))


def _no_retry(catch: Catch, try_: code.Try, loop: code.While | code.For) -> str:
    """Why a loop around a clause is no retry of what the clause guards; empty where it is one."""
    if _only_moves_on(catch):
        return "the errors that it goes round for mean that nothing failed: not yet, taken, or at the end"
    if not _success_leaves(try_, loop, catch.method):
        return "it goes round after a success too: it takes one thing after another and tries none again"
    if waits_its_turn(catch.tried, catch.method):
        return "what it does first is to wait for something to come"
    if not _goes_round(catch, loop):
        return "no failure leads back to its head"
    return "only one known condition goes round, any other error is raised" if _tells_apart(catch) else ""


def _tells_apart(catch: Catch) -> bool:
    """True where the arm looks at the error and raises what it does not know: only one known condition goes round."""
    if not catch.raises_some or not catch.name:
        return False
    turns = [s for s in code.statements(catch.body) if isinstance(s, code.Continue)]
    return bool(turns) and all(
        any(_mentions_error(up.test, catch) for up in catch.method.above(s) if isinstance(up, code.If)) for s in turns
    )


def _mentions_error(test: code.Expr, catch: Catch) -> bool:
    return any(isinstance(e, code.Name) and e.id == catch.name for e in code.walk(test))


def _goes_round(catch: Catch, loop: code.Stmt) -> bool:
    """True if some path from the arm comes back to the loop's head."""
    _, again = catch.method.flow.survives(
        catch.node, unless=lambda p: isinstance(p.node, code.Raise), later=lambda _: False, again=loop
    )
    return again


def _success_leaves(try_: code.Try, loop: code.While | code.For, method: Method) -> bool:
    """True where what was tried is not tried again once it worked: that is what tells a retry from a receive loop."""
    if _leaves(try_.body) or _leaves(try_.orelse):
        return True
    block = next((b for b in code.blocks(loop) if any(s is try_ for s in b)), ())
    after = block[next((i for i, s in enumerate(block) if s is try_), len(block)) + 1 :]
    if _leaves(after) and all(_turns(h.body) for h in try_.handlers):
        return True
    if not isinstance(loop, code.While):
        return False
    asked = {_key(e, method) for e in code.walk(loop.test) if isinstance(e, (code.Name, code.Attr))} - {"", "self"}
    done = {_key(t, method) for s in code.statements((*try_.body, *try_.orelse)) for t in _targets(s)}
    return bool(asked & done)


def _leaves(block: code.Block) -> bool:
    """True where every way through the block ends in ``return`` or ``break``."""
    if not block:
        return False
    match block[-1]:
        case code.Return() | code.Break():
            return True
        case code.With(body=body):
            return _leaves(body)
        case code.If(body=body, orelse=orelse):
            return (_leaves(body) or _raises(body)) and (_leaves(orelse) or _raises(orelse))
        case code.Try(body=body, orelse=orelse):
            return _leaves(body) or _leaves(orelse)
    return False


def _raises(block: code.Block) -> bool:
    return bool(block) and isinstance(block[-1], code.Raise)


def _turns(block: code.Block) -> bool:
    """True where an arm goes back to the loop's head, or leaves the loop, by itself."""
    return bool(block) and isinstance(block[-1], (code.Continue, code.Raise, code.Return, code.Break))


def _counted(loop: code.While | code.For, method: Method) -> bool | None:
    """True for a loop that counts, false for one without an end, none for one over things."""
    if isinstance(loop, code.For):
        if not isinstance(loop.iter, code.Call):
            return None
        name = method.qualname(loop.iter.func).removeprefix("builtins.")
        if name in ("itertools.count", "itertools.cycle"):
            return False
        if name == "itertools.repeat":
            return len(loop.iter.args) > 1
        if name == "iter" and len(loop.iter.args) == 2:
            return False
        return True if name == "range" else None
    if isinstance(loop.test, code.Const):
        return False
    changed = {_key(t, method) for s in code.statements(loop.body) for t in _targets(s)} - {""}
    succeeding = {
        _key(t, method)
        for s in loop.body
        if isinstance(s, code.Try)
        for inner in code.statements((*s.body, *s.orelse))
        for t in _targets(inner)
    }
    for expr in code.walk(loop.test):
        if isinstance(expr, code.Compare) and expr.ops[0] in ("<", "<=", ">", ">="):
            return True
        if isinstance(expr, code.Call) and not _asks_a_flag(expr):
            return True
        if isinstance(expr, (code.Name, code.Attr)) and _key(expr, method) in changed - succeeding:
            return True
    return False


def _asks_a_flag(call: code.Call) -> bool:
    return isinstance(call.func, code.Attr) and call.func.name in ("is_set", "is_alive", "done", "closed", "cancelled")


def _gives_up(loop: code.While | code.For, catch: Catch) -> bool:
    """True where a test in the arm, or elsewhere in the loop, of what the loop counts or of the time, leaves it."""
    inside = [*code.statements(loop.body)]
    tried = {id(s) for s in code.statements(catch.tried)}
    changed = {_key(t, catch.method) for s in inside for t in _targets(s)} - {"", catch.name}
    for stmt in inside:
        if isinstance(stmt, code.If) and id(stmt) not in tried and (_ends(stmt.body) or _ends(stmt.orelse)):
            for expr in code.walk(stmt.test):
                if isinstance(expr, code.Compare) and expr.ops[0] in ("<", "<=", ">", ">=", "==", "!="):
                    about_error = any(isinstance(e, code.Name) and e.id == catch.name for e in code.walk(expr))
                    if not (about_error and catch.name):
                        return True
                if isinstance(expr, (code.Name, code.Attr)) and _key(expr, catch.method) in changed:
                    return True
                if isinstance(expr, code.Call) and catch.method.actor.own_method(expr, catch.method) is not None:
                    return True
    return False


def _ends(block: code.Block) -> bool:
    return any(isinstance(s, (code.Raise, code.Return, code.Break)) for s in code.statements(block))


def _targets(stmt: code.Stmt) -> tuple[code.Expr, ...]:
    match stmt:
        case code.Assign(targets=targets, value=value) if value is not None:
            return tuple(part for t in targets for part in (t.items if isinstance(t, code.Seq) else (t,)))
        case code.Augment(target=target):
            return (target,)
    return ()


def _key(expr: code.Expr, method: Method) -> str:
    own = method.own_attribute(expr) if isinstance(expr, (code.Name, code.Attr)) else ""
    return f"self.{own}" if own else code.dotted(expr)


# -- errors


def _is_broad(catch: Catch) -> bool:
    return "Exception" in catch.types or "BaseException" in catch.types


def _only_moves_on(catch: Catch) -> bool:
    """True where every error that is caught says that nothing failed."""
    return _are_all(catch, _MOVING_ON)


def _are_all(catch: Catch, names: frozenset[str]) -> bool:
    """True where each type that is caught has one of the names, given to it by a library."""
    project = catch.method.actor.facts.project
    return bool(catch.types) and all(
        t.rpartition(".")[2] in names and project.find_class(t) is None for t in catch.types
    )


def _is_late(catch: Catch) -> bool:
    return _are_all(catch, _LATE)


def _request(catch: Catch) -> code.Call | None:
    """The call to another actor that is guarded."""
    events = (catch.method.event(call) for call in code.calls(catch.tried))
    return next((event.call for event in events if event is not None and event.role == "call"), None)


def _asks_open(catch: Catch) -> bool:
    """True where a breaker's call is tried again, and that it is open counts as any other error."""
    known = catch.method.actor.facts.vocabulary
    project = catch.method.actor.facts.project
    names = {n for t in known.open_circuits for n in (t, project.canonical(t))}
    if not any(_asks_breaker(call, catch.method) for call in code.calls(catch.tried)):
        return False
    if isinstance(catch.around, code.Try):
        for handler in catch.around.handlers:
            if handler is catch.node:
                break
            earlier = next(c for c in catches(catch.method) if c.node is handler)
            if names & set(earlier.types):
                return False  # an arm of its own
    return _is_broad(catch) or bool(names & set(catch.types))


def _asks_breaker(call: code.Call, method: Method) -> bool:
    if not isinstance(call.func, code.Attr):
        return False
    known = method.actor.facts.vocabulary.exact
    type_ = method.actor.values.type_of(call.func.base, method)
    found = known.get(type_)
    if found is None and type_:
        root = method.actor.facts.project.derives_from(type_, known)
        found = known[root] if root else None
    return found is not None and found[1].role == "breaker"


# -- recursion and messages to oneself


def _recursions(catch: Catch) -> Iterator[Retry]:
    """The function calls itself where it failed."""
    method = catch.method
    if _only_moves_on(catch) or not any(code.calls(catch.tried)) or waits_its_turn(catch.tried, method):
        return
    for call in code.calls(catch.body):
        same = method.actor.own_method(call, method) is method or (
            not method.owner and method.outer is None and _is_itself(call, method)
        )
        if not same or any(isinstance(up, (code.For, code.While)) for up in method.above(call)):
            continue
        if not _is_same(call, method):
            continue
        counts = any(isinstance(a.value, code.Binary) for a in call.args)
        limited = counts or any(
            isinstance(test, code.Compare) and test.ops[0] in ("<", "<=", ">", ">=", "==", "!=")
            for test, _ in method.flow.conditions(call)
        )
        paused = _is_late(catch) or pauses(catch.body, method)
        yield Retry(method, call, Way.RECURSION, limited, paused, _asks_open(catch), _is_broad(catch), _request(catch))


def _is_same(call: code.Call, method: Method) -> bool:
    """True where the function is given again what it was given, but for a count."""
    names = {p.name for p in method.code.params}
    plain = (code.Name, code.Attr, code.Binary)
    roots = [e for a in call.args for e in code.walk(a.value) if isinstance(e, code.Name)]
    return (
        all(isinstance(a.value, plain) for a in call.args)
        and all(e.id in names for e in roots)
        and not any(_is_another(place, arg, method) for place, arg in enumerate(call.args))
    )


def _is_another(place: int, arg: code.Arg, method: Method) -> bool:
    """True for a parameter that is given in the place of another one: ``self.style(default)``, what to fall back on."""
    own = [p.name for p in method.code.params if p.name != method.self_name]
    taken = arg.name or (own[place] if place < len(own) and not arg.star else "")
    return isinstance(arg.value, code.Name) and arg.value.id in own and bool(taken) and taken != arg.value.id


def _is_itself(call: code.Call, method: Method) -> bool:
    found = method.actor.facts.function(method.qualname(call.func))
    return found is not None and found.code is method.code


def _messages(catch: Catch) -> Iterator[Retry]:
    """The failed message is sent to oneself again, or the function scheduled again, at once and as it is."""
    method = catch.method
    given = {p.name for p in method.code.params} - {method.self_name}
    if pauses(catch.body, method):
        return
    for call in code.calls(catch.body):
        event = method.event(call)
        if event is None or event.role not in ("send", "cast", "put", "timer", "callback"):
            continue
        again = event.role in ("timer", "callback") and _names_itself(event)
        sent = [event.payload] if event.payload is not None else [a.value for a in call.args]
        told = any(isinstance(part, code.Name) and part.id in given for part in sent) and _is_own(event)
        if again or (told and method.role is Role.HANDLER):
            limited = any(isinstance(test, code.Compare) for test, _ in method.flow.conditions(call))
            yield Retry(method, call, Way.MESSAGE, limited, False, False, _is_broad(catch), _request(catch))


def _names_itself(event: Event) -> bool:
    """True for ``loop.call_soon(self.connect)`` in ``connect``."""
    method = event.method
    return any(method.actor.named(a.value, method) is method for a in event.call.args)


def _is_own(event: Event) -> bool:
    """True for a message to the actor itself: its own address or mailbox."""
    own = event.method.own_attribute(event.target)
    if isinstance(event.target, code.Name) and event.target.id == event.method.self_name:
        return True
    return bool(own) and (own in event.method.actor.kind.attributes or _is_own_queue(own, event.method))


def _is_own_queue(attribute: str, method: Method) -> bool:
    return any(
        e.role == "take" and e.method.own_attribute(e.target) == attribute
        for m in method.actor.everything
        for e in m.events
    )


# -- libraries


def _libraries(method: Method) -> Iterator[Retry]:
    """Decorators and calls of libraries that try again."""
    known = method.actor.facts.vocabulary.exact
    for decorator in method.code.decorators:
        plain = decorator.func if isinstance(decorator, code.Call) else decorator
        name = method.source.resolve(code.dotted(plain))
        found = known.get(name) or known.get(method.actor.facts.kinship.made.decorator(name))
        if found is not None and found[1].role == "again":
            call = decorator if isinstance(decorator, code.Call) else code.Call(plain.start, plain.end, plain, ())
            yield _library(Event("again", call, method, *found, True), decorator)
    for event in method.events:
        if event.role == "again":
            yield _library(event, event.call)


def _library(event: Event, node: code.Node) -> Retry:
    operation = event.operation
    open_ended = any(a.star == "**" for a in event.call.args)

    def said(names: tuple[str, ...], nothing: tuple[object, ...]) -> bool | None:
        """Whether one of the parameters is given a value that means something; none where none is given."""
        given = [value for name in names if (value := event.argument(name)) is not None]
        if not given:
            return None
        return any(not _is_nothing(value, event, nothing) for value in given)

    stops = said(operation.stops, (None, False))  # no retries at all are few enough
    waits = said(operation.pauses, (None, False, 0))
    limited = open_ended or (operation.bounded if stops is None else stops)
    paused = open_ended or (operation.paused if waits is None else waits)
    return Retry(event.method, node, Way.LIBRARY, limited, paused)


def _is_nothing(value: code.Expr, event: Event, nothing: tuple[object, ...]) -> bool:
    """One of the constants, -1, or the library's own word for never."""
    if isinstance(value, code.Unary) and value.op == "-":
        return isinstance(value.value, code.Const)
    if isinstance(value, code.Const):
        return any(value.value is one or (value.value == one and one is not False) for one in nothing)
    plain = value.func if isinstance(value, code.Call) else value
    return event.method.source.resolve(code.dotted(plain)) in event.operation.never
