"""Which functions get their arguments from a message."""

from __future__ import annotations

from otplint.facts.frameworks import matches
from otplint.facts.methods import Method, Role
from otplint.facts.syntax import code

__all__ = ["is_asked", "is_only_offered", "runs_for_each"]


def is_asked(method: Method) -> bool:
    """True for a handler whose arguments are a message: a named one, or a public one that proxies call for an answer.

    A public function that the actor itself uses is a helper, and so is one of an actor that answers nobody.
    """
    if method.role is not Role.HANDLER:
        return False
    kind = method.actor.kind
    if matches(method.name, kind.handlers) or kind.handler_decorators:
        return True
    return not kind.public_methods or ("reply" in kind.on_failure and not method.actor.callers(method))


def is_only_offered(method: Method) -> bool:
    """True for a public function that the actor itself never calls."""
    return method.role is Role.HANDLER and not method.actor.callers(method)


def runs_for_each(method: Method) -> bool:
    """True where all own callers call the function once for each thing of many, and give it the thing."""
    calls = method.actor.sites(method)
    return bool(calls) and all(_is_given_an_item(call, caller) for call, caller in calls)


def _is_given_an_item(call: code.Call, caller: Method) -> bool:
    for up in caller.above(call):
        if isinstance(up, code.For) and not up.is_async and not isinstance(up.iter, code.Call):
            targets: tuple[code.Expr, ...] = (up.target,)
        elif isinstance(up, code.For):
            func = up.iter.func if isinstance(up.iter, code.Call) else None
            of_table = isinstance(func, code.Attr) and func.name in ("items", "values", "keys", "copy")
            targets = (up.target,) if of_table else ()
        elif isinstance(up, code.Comp):
            targets = tuple(clause.target for clause in up.clauses)
        elif isinstance(up, code.While):
            return False
        else:
            continue
        items = {e.id for target in targets for e in code.walk(target) if isinstance(e, code.Name)}
        if any(isinstance(e, code.Name) and e.id in items for a in call.args for e in code.walk(a.value)):
            return True
    return False
