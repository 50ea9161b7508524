"""Failures that somebody learns of although the clause carries on: by the result, or by what happens anyway."""

from __future__ import annotations

from otplint.facts.methods import Method, Role
from otplint.facts.queries.failure.catches import Catch, catches
from otplint.facts.queries.failure.dropped import is_only_sent
from otplint.facts.queries.failure.pauses import pauses
from otplint.facts.queries.failure.reaction import Reaction, logged, warns
from otplint.facts.queries.messaging.reach import called
from otplint.facts.syntax import code

__all__ = ["is_polled", "is_told"]

_MAX_DEPTH = 2
_NOTHING = object()


def is_told(catch: Catch) -> str:
    """Who learns of the failure all the same, in plain words; empty where nobody does."""
    if _is_in_a_result(catch):
        return "the text of the error is put into a result that others read"
    if _is_looked_at(catch):
        return "it says so and gives back a value of its own for a failure, and every caller looks at it"
    calls = catch.method.actor.sites(catch.method)
    if calls and all(is_polled(catch, call, caller) for call, caller in calls):
        return "it answers a question without other effects, which a loop asks again until the answer is yes"
    if catch.reaction is Reaction.SILENT:
        tried = "a loop takes the step again after a pause, and the traceback is kept in a debug log"
        return tried if _is_taken_again(catch) else ""
    if _all_callers_fail(catch.method):
        return "each of its callers is handling a first failure, and raises that"
    if not any(warns(call, catch.method) for call in code.calls(catch.body)):
        return ""
    if is_only_sent(catch.method):
        return "all who ask for it drop the answer, and it warns"
    if _keeps_a_thread(catch):
        return "it keeps the loop of a plain thread going, which nobody would start again, and warns each time"
    return "nobody waits for the task that it is, and it warns" if _is_a_task_apart(catch) else ""


# -- by the result


def _is_in_a_result(catch: Catch) -> bool:
    """True where the arm stores the error's text in an object or variable that is read elsewhere, not for a log."""
    method = catch.method
    inside = {id(e) for s in code.statements(catch.body) for head in code.expressions(s) for e in code.walk(head)}
    for stmt in code.statements(catch.body):
        if not isinstance(stmt, code.Assign) or not catch.name or not _names(stmt.value, {catch.name}):
            continue
        for target in stmt.targets:
            root = target
            while isinstance(root, (code.Attr, code.Sub)):
                root = root.base
            if not isinstance(root, code.Name) or root.id == method.self_name or not _is_own(root.id, method):
                continue
            if isinstance(target, code.Attr):
                if any(_reads(target.name, other, inside) for other in _readers(target, method)):
                    return True
            elif _is_given_away(root.id, method, inside):
                return True
    return False


def _is_own(name: str, method: Method) -> bool:
    return method.is_local(name) or any(p.name == name for p in method.code.params)


def _readers(target: code.Attr, method: Method) -> list[Method]:
    """The functions that may read what was stored: the actor's, and those of the object's own class."""
    owner = method.actor.facts.owner(method.actor.values.type_of(target.base, method))
    return [*method.actor.everything, *(owner.everything if owner is not None else ())]


def _reads(attribute: str, method: Method, inside: set[int]) -> bool:
    """True where the function reads an attribute of that name, and not only to say it in a log."""
    stored = {id(t) for s in method.statements if isinstance(s, code.Assign) for t in s.targets}
    return any(
        isinstance(e, code.Attr) and e.name == attribute and not {id(e)} & (inside | stored) and not _logs(e, method)
        for e in method.exprs()
    )


def _is_given_away(name: str, method: Method, inside: set[int]) -> bool:
    """True where the variable, or a part of it, is returned or given to a function that is no log."""
    for expr in method.exprs():
        if isinstance(expr, code.Name) and expr.id == name and id(expr) not in inside:
            for up in method.above(expr):
                if isinstance(up, code.Return):
                    return True
                if isinstance(up, code.Call) and logged(up, method) is None and _is_argument(expr, up):
                    return True
                if isinstance(up, code.STATEMENTS):
                    break
    return False


def _is_argument(expr: code.Expr, call: code.Call) -> bool:
    return any(part is expr for a in call.args for part in code.walk(a.value))


def _logs(expr: code.Expr, method: Method) -> bool:
    return any(isinstance(up, code.Call) and logged(up, method) is not None for up in method.above(expr))


def _is_looked_at(catch: Catch) -> bool:
    """True where the arm says what failed and gives a verdict that success never gives, and all callers use it."""
    method = catch.method
    last = catch.body[-1] if catch.body else None
    if not isinstance(last, code.Return):
        return False
    verdict = _verdict(last.value)
    handlers = {id(s) for c in catches(method) for s in code.statements(c.body)}
    usual = [_verdict(s.value) for s in method.statements if isinstance(s, code.Return) and id(s) not in handlers]
    said = any(warns(call, method) for call in code.calls(catch.body))
    if verdict is None:
        told = any(logged(call, method) is not None for call in code.calls(catch.body))
        if not told or None in usual or not usual or not _always_returns(method.body):
            return False
    elif verdict is not False or not said or all(one is False for one in usual):
        return False
    calls = method.actor.facts.calls_of(method)
    return bool(calls) and all(_uses(call, caller, 0) for call, caller in calls)


def is_polled(catch: Catch, call: code.Node, caller: Method) -> bool:
    """True for ``return False`` in a question without effects that a loop asks again after a pause until it holds."""
    method = catch.method
    last = catch.body[-1] if catch.body else None
    if not isinstance(last, code.Return) or _verdict(last.value) is not False:
        return False
    if any(use.method is method and use.kind not in ("read", "test", "lookup") for use in method.actor.uses):
        return False
    loop = next((up for up in caller.above(call) if isinstance(up, code.While)), None)
    return loop is not None and pauses(loop.body, caller) and _is_tested(call, caller)


def _verdict(value: code.Expr | None) -> object:
    """What a returned value says of success: its constant, or the first of a tuple; any other value is one mark."""
    if value is None:
        return None
    if isinstance(value, code.Seq) and value.items:
        first = value.items[0]
        return first.value if isinstance(first, code.Const) and isinstance(first.value, bool) else _NOTHING
    return value.value if isinstance(value, code.Const) else _NOTHING


def _always_returns(block: code.Block) -> bool:
    """False where the end of the block may be reached, which gives None as well."""
    match block[-1] if block else None:
        case code.Return() | code.Raise():
            return True
        case code.With(body=body):
            return _always_returns(body)
        case code.If(body=body, orelse=orelse):
            return _always_returns(body) and _always_returns(orelse)
        case code.Try(body=body, orelse=orelse):
            return _always_returns(orelse or body)
    return False


def _uses(call: code.Call, caller: Method, depth: int) -> bool:
    """True where the caller decides by the result what it does, or returns it to callers that do."""
    if isinstance(caller.statement(call), code.Return):
        calls = caller.actor.facts.calls_of(caller)
        return depth < _MAX_DEPTH and bool(calls) and all(_uses(one, other, depth + 1) for one, other in calls)
    if _is_tested(call, caller):
        return True
    stmt = caller.statement(call)
    if not isinstance(stmt, code.Assign):
        return False
    names = {e.id for t in stmt.targets for e in code.walk(t) if isinstance(e, code.Name)}
    return any(
        isinstance(e, code.Name) and e.id in names and e.start > stmt.end and _is_tested(e, caller)
        for e in caller.exprs()
    )


def _is_tested(expr: code.Node, method: Method) -> bool:
    """True for (a part of) the test of a branch, and not for what is only combined with other results."""
    below: code.Node = expr
    for up in method.above(expr):
        if isinstance(up, (code.If, code.While, code.Cond, code.Assert)):
            return up.test is below
        if not isinstance(up, (code.Bool, code.Compare, code.Unary, code.Await)):
            return False
        below = up
    return False


def _names(expr: code.Expr | None, names: set[str]) -> bool:
    return any(isinstance(e, code.Name) and e.id in names for e in code.walk(expr))


# -- by what happens anyway


def _all_callers_fail(method: Method) -> bool:
    """True where each call stands in an arm that always raises again: what fails here is the second failure."""
    calls = method.actor.sites(method)
    return bool(calls) and method.role is not Role.HANDLER and all(_is_failing(call, place) for call, place in calls)


def _is_failing(call: code.Call, caller: Method) -> bool:
    arms = [up for up in caller.above(call) if isinstance(up, code.Handler)]
    return any(not c.carries_on() for c in catches(caller) if any(c.node is arm for arm in arms))


def _keeps_a_thread(catch: Catch) -> bool:
    """True in the loop of a plain thread beside the actor's own work, or in a step that such a loop takes."""
    method = catch.method
    if method.code.is_async or method.actor.kind.on_failure[0] == "unseen":
        return False
    if _is_thread(method) and _in_loop(catch.node, method):
        return True
    return catch.is_main_work and any(
        _is_thread(caller) and _in_loop(call, caller) for call, caller in method.actor.sites(method)
    )


def _is_taken_again(catch: Catch) -> bool:
    """True in the loop of a thread or task that tries again after a pause, with the traceback in a debug log."""
    method = catch.method
    loop = next((up for up in method.above(catch.around) if isinstance(up, code.While)), None)
    if loop is None or not pauses(tuple(s for s in loop.body if s is not catch.around), method):
        return False
    return any(
        logged(call, method) is not None and any(a.name == "exc_info" and _is_yes(a.value) for a in call.args)
        for call in code.calls(catch.body)
    )


def _is_yes(value: code.Expr) -> bool:
    return not (isinstance(value, code.Const) and not value.value)


def _is_thread(method: Method) -> bool:
    loops = method.actor.kind.loops
    return method.role is Role.LOOP and not method.code.is_async and method.name not in loops


def _in_loop(node: code.Node, method: Method) -> bool:
    """True where the step is taken again and again: what only ends a loop is not tried a second time."""
    return method.flow.reaches(node, lambda p: p.node is node)


def _is_a_task_apart(catch: Catch) -> bool:
    """True for a coroutine without a loop of its own that is only ever started, and never awaited."""
    method = catch.method
    calls = method.actor.sites(method)
    ends = method.code.is_async and not any(isinstance(s, code.While) for s in method.statements)
    return ends and bool(calls) and all(_only_starts(call, caller) for call, caller in calls)


def _only_starts(call: code.Call, caller: Method) -> bool:
    """True where a coroutine is given to what makes a task of it, and nobody keeps the task."""
    outer = caller.parent(call)
    while outer is not None and not isinstance(outer, (code.Call, code.Await, *code.STATEMENTS)):
        outer = caller.parent(outer)
    if not isinstance(outer, code.Call) or not isinstance(caller.statement(call), code.Do):
        return False
    if any(isinstance(up, code.Await) for up in caller.above(call)):
        return False
    event = caller.event(outer)
    if event is not None:
        return event.role == "spawn"
    inner, _ = called(outer, caller)
    return inner is not None and any(e.role == "spawn" for e in inner.events)
