"""What the caller of a function makes of a result that stands for a failure."""

from __future__ import annotations

from otplint.facts.methods import Method, Role
from otplint.facts.syntax import code

__all__ = ["acted_on", "fails_by", "hands_on", "tells_in_answer"]

_MAX_DEPTH = 2
_HANDS_OVER = frozenset({"set_exception", "set_exc_info"})
_PUTS = frozenset({"put", "put_nowait"})


def fails_by(call: code.Node, caller: Method, depth: int = 0) -> bool:
    """True where ``caller`` fails, stops or hands a failure on, depending on what ``call`` gave.

    A result that the caller returns counts where one of its own callers does.
    """
    names = _bound_to(call, caller)
    for stmt in caller.statements:
        if isinstance(stmt, code.Raise) and (_mentions(stmt.error, names, call) or _depends(stmt, caller, names, call)):
            return True
        if isinstance(stmt, code.Return) and _mentions(stmt.value, names, call) and _caller_fails(caller, depth):
            return True
    for other in caller.calls:
        if isinstance(other.func, code.Attr) and other.func.name in _HANDS_OVER:
            return True
        event = caller.event(other)
        if event is not None and event.role == "stop" and _depends(other, caller, names, call):
            return True
    return False


def acted_on(method: Method) -> bool:
    """True where a caller, wherever it is in the project, decides by what the function gives what it does next."""
    return any(_decides(call, caller) for call, caller in method.actor.facts.calls_of(method))


def tells_in_answer(block: code.Block, name: str) -> bool:
    """True where the arm gives back a value that holds the error by its name, or its text."""
    given = [s.value for s in code.statements(block) if isinstance(s, code.Return) and s.value is not None]
    return bool(name) and any(isinstance(e, code.Name) and e.id == name for value in given for e in code.walk(value))


def _decides(call: code.Call, caller: Method) -> bool:
    names = _bound_to(call, caller)
    return any(
        isinstance(stmt, (code.If, code.While)) and _mentions(stmt.test, names, call) for stmt in caller.statements
    )


def hands_on(call: code.Node, caller: Method) -> bool:
    """True where ``caller`` gives what ``call`` gave to a queue or another actor, which finds the exception in it."""
    names = _bound_to(call, caller)
    for other in caller.calls:
        event = caller.event(other)
        name = other.func.name if isinstance(other.func, code.Attr) else ""
        if name in _PUTS or (event is not None and event.role in ("put", "send", "cast", "reply")):
            return any(_mentions(a.value, names, call) for a in other.args)
    return False


def _caller_fails(method: Method, depth: int) -> bool:
    if depth >= _MAX_DEPTH or method.role in (Role.HANDLER, Role.LOOP, Role.START):
        return False
    return any(fails_by(call, caller, depth + 1) for call, caller in method.actor.facts.calls_of(method))


def _bound_to(call: code.Node, caller: Method) -> set[str]:
    """The variables that hold the result, or a part of it."""
    stmt = caller.statement(call)
    if isinstance(stmt, code.Assign) and stmt.value is not None and _within(call, stmt.value):
        return {e.id for t in stmt.targets for e in code.walk(t) if isinstance(e, code.Name)}
    return {e.target.id for up in caller.above(call) if isinstance(e := up, code.Walrus)}


def _within(call: code.Node, expr: code.Expr) -> bool:
    return any(part is call for part in code.walk(expr))


def _mentions(expr: code.Expr | None, names: set[str], call: code.Node) -> bool:
    return any(part is call or (isinstance(part, code.Name) and part.id in names) for part in code.walk(expr))


def _depends(node: code.Node, caller: Method, names: set[str], call: code.Node) -> bool:
    """True where ``node`` is in a branch by a test of the result, or behind one that leaves the function or loop."""
    for up in caller.above(node):
        test = up.test if isinstance(up, (code.If, code.While)) else up.subject if isinstance(up, code.Match) else None
        if _mentions(test, names, call):
            return True
    return any(
        isinstance(stmt, code.If)
        and call.start <= stmt.start < node.start
        and isinstance(stmt.body[-1], (code.Return, code.Continue, code.Break))
        and _mentions(stmt.test, names, call)
        for stmt in caller.statements
    )
