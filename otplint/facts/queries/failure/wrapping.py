"""Code that guards what others give it: wrapper functions, decorators, context managers."""

from __future__ import annotations

from collections.abc import Iterator

from otplint.facts.actors import Actor
from otplint.facts.methods import Method, Role
from otplint.facts.queries.failure.asked import is_only_offered
from otplint.facts.queries.failure.catches import Catch
from otplint.facts.queries.failure.reaction import describes, logged
from otplint.facts.syntax import code

__all__ = ["guards_what_is_given", "is_context_manager", "swallowing_exit"]

_MANAGERS = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})


def guards_what_is_given(catch: Catch) -> bool:
    """True where the guarded code is given by the user: a function that is a parameter, the body of a ``with``.

    A parameter of the function around counts as well: that is how decorators are written. A message that a handler
    calls is somebody's job, and no wrapper.
    """
    method = catch.method
    if is_context_manager(method):
        return any(isinstance(e, code.Yield) for e in _exprs(catch.tried))
    if method.role in (Role.LOOP, Role.START, Role.STOP) or is_only_offered(method):
        return False
    given = _parameters(method)
    for expr in _exprs(catch.tried):
        if isinstance(expr, code.Call) and isinstance(expr.func, code.Name) and expr.func.id in given:
            return True
        if isinstance(expr, code.Await) and isinstance(expr.value, code.Name) and expr.value.id in given:
            return True
        if isinstance(expr, code.Call) and _runs_argument(expr, given):
            return True
    return False


def is_context_manager(method: Method) -> bool:
    """True for a generator that is decorated to be used in a ``with`` statement."""
    return any(method.source.resolve(code.dotted(_called(d))) in _MANAGERS for d in method.code.decorators)


def swallowing_exit(owner: Actor) -> Iterator[tuple[Method, code.Return]]:
    """The ``return`` statements by which a class's ``__exit__`` swallows any error of the ``with`` body.

    Where the type of the error is looked at, or the error is kept for somebody, nothing is swallowed blindly.
    """
    for name in ("__exit__", "__aexit__"):
        method = owner.method(name)
        if method is None or len(method.code.params) < 2:
            continue
        error = {p.name for p in method.code.params[1:]}
        if _is_kept(method, error):
            continue
        for stmt in method.statements:
            if isinstance(stmt, code.Return) and stmt.value is not None and _is_true(stmt.value, error):
                tests = [test for test, _ in method.flow.conditions(stmt)]
                if not any(_looks_at(test, error) for test in tests):
                    yield method, stmt


def _parameters(method: Method) -> set[str]:
    """Names of parameters, the instance left out, of the function and those around it."""
    found: set[str] = set()
    place: Method | None = method
    while place is not None and not is_only_offered(place):
        found |= {p.name for p in place.code.params if _may_be_code(p)} - {place.self_name}
        place = place.outer
    return found


def _may_be_code(param: code.Param) -> bool:
    """False for a parameter that has a function of its own for a default: nobody needs to give one."""
    return param.default is None or (isinstance(param.default, code.Const) and param.default.value is None)


def _runs_argument(call: code.Call, given: set[str]) -> bool:
    """``await asyncio.wait_for(coro, 5)``, ``loop.run_in_executor(None, fn)``: the given code, run by somebody else."""
    name = call.func.name if isinstance(call.func, code.Attr) else code.dotted(call.func)
    last = name.rpartition(".")[2]
    if last not in ("wait_for", "shield", "run_in_executor", "to_thread", "run_sync"):
        return False
    run = [a.value.func if isinstance(a.value, code.Call) else a.value for a in call.args]
    return any(isinstance(value, code.Name) and value.id in given for value in run)


def _is_true(value: code.Expr, error: set[str]) -> bool:
    if isinstance(value, code.Const):
        return value.value is True
    return (
        isinstance(value, code.Compare)
        and value.ops == ("is not",)
        and isinstance(value.left, code.Name)
        and value.left.id in error
        and isinstance(value.rights[0], code.Const)
        and value.rights[0].value is None
    )


def _looks_at(test: code.Expr, error: set[str]) -> bool:
    """True for a test that tells errors apart, or asks for anything but whether there is one."""
    if isinstance(test, code.Name):
        return test.id not in error
    if isinstance(test, code.Compare) and len(test.rights) == 1:
        right = test.rights[0]
        plain = isinstance(test.left, code.Name) and test.left.id in error
        return not (plain and isinstance(right, code.Const) and right.value is None)
    return True


def _is_kept(method: Method, error: set[str]) -> bool:
    """True where the error is stored or given to somebody who is no log."""
    for stmt in method.statements:
        if isinstance(stmt, code.Assign) and any(_names(stmt.value, error)):
            return True
    for call in method.calls:
        is_base = isinstance(call.func, code.Attr) and code.dotted(call.func.base).startswith("super")
        if is_base or logged(call, method) is not None or describes(call, method):
            continue
        if any(isinstance(a.value, code.Name) and a.value.id in error for a in call.args):
            return True
    return False


def _names(expr: code.Expr | None, names: set[str]) -> Iterator[code.Name]:
    for part in code.walk(expr):
        if isinstance(part, code.Name) and part.id in names:
            yield part


def _exprs(block: code.Block) -> Iterator[code.Expr]:
    for stmt in code.statements(block):
        for head in code.expressions(stmt):
            yield from code.walk(head)


def _called(decorator: code.Expr) -> code.Expr:
    return decorator.func if isinstance(decorator, code.Call) else decorator
