"""Requests whose answer nobody takes: a failure that is raised is heard by no more people than one that is logged."""

from __future__ import annotations

import re
from collections.abc import Iterator

from otplint.facts.methods import Method, Role
from otplint.facts.queries.callers import functions_naming
from otplint.facts.syntax import code

__all__ = ["is_only_sent"]

_ASKS = ("call", "cast")


def is_only_sent(method: Method) -> bool:
    """True for a function that proxies ask for, where the project has such requests and drops all their answers.

    Requests are told by the function's name, whoever they go to: one that may be for somebody else and is waited for
    leaves the question open.
    """
    kind = method.actor.kind
    by_proxy = kind.public_methods and "reply" in kind.on_failure and method.role is Role.HANDLER
    if not by_proxy or method.actor.callers(method):
        return False
    requests = list(_requests(method))
    sent = any(is_sent for _, _, is_sent in requests)
    return sent and all(isinstance(caller.parent(call), code.Do) for call, caller, _ in requests)


def _requests(method: Method) -> Iterator[tuple[code.Call, Method, bool]]:
    """Each call by the name, and whether it is known to go to a proxy: by its form, or by what the object is."""
    facts, forms = method.actor.facts, _forms(method)
    word = re.compile(rf"\.\s*{re.escape(method.name)}\b")
    for index in facts.holding(method.name):
        if facts.is_test(index.path):
            continue
        for caller in functions_naming(index, facts, word):
            for call in caller.calls:
                match call.func:
                    case code.Attr(name=name) if name == method.name:
                        event = caller.event(call)
                        yield call, caller, event is not None and event.role in _ASKS
                    case code.Attr(base=code.Attr(name=name), name=form) if name == method.name and form in forms:
                        yield call, caller, True


def _forms(method: Method) -> set[str]:
    """``remote`` where the framework's proxies are asked by ``proxy.stop.remote()``."""
    operations = [o for o in method.actor.framework.operations if o.role in _ASKS]
    return {name.rpartition(".*.")[2] for o in operations for name in o.names if ".*." in name}
