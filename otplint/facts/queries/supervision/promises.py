"""Functions whose names promise supervision or atomicity over a body that starts something and lets it go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otplint.facts.methods import Event
from otplint.facts.queries.supervision.handles import Fate, Trace
from otplint.facts.queries.supervision.switches import is_test
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.facts import Facts
    from otplint.facts.index.entries import ModuleIndex
    from otplint.facts.methods import Method

_SUPERVISION = frozenset({"supervise", "supervised", "supervising", "monitored", "watched", "restarted", "restarting"})
_ATOMICITY = frozenset({"atomic", "atomically", "transactional", "transactionally"})
_SPLIT = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_LOCKS = ("lock", "wait", "supervise", "child", "watch")


@dataclass(frozen=True, slots=True)
class Promise:
    """A function that does less than its name says."""

    method: Method
    promised: str
    """``supervision`` or ``atomicity``."""
    spawn: Event
    """What it starts and lets go."""


def empty_promises(index: ModuleIndex, facts: Facts) -> Iterator[Promise]:
    """The functions of a file, unless it is a test's, whose names promise more than they do."""
    for method in _promising(index, facts) if not facts.is_test(index.path) else ():
        promised = _promised(method.name)
        spawn = _let_go(method) if promised and not is_test(method) else None
        if spawn is not None:
            yield Promise(method, promised, spawn)
        elif promised:
            method.exempt(method.code, "it starts nothing, or waits for it, watches it, holds a lock or hands it on")


def _promising(index: ModuleIndex, facts: Facts) -> Iterator[Method]:
    for function in index.functions:
        if _promised(function.name):
            found = facts.function(f"{index.module}.{function.qualname}")
            yield from () if found is None else (found,)
    for entry in index.classes:
        if any(_promised(method.name) for method in entry.methods):
            owner = facts.owner(f"{index.module}.{entry.qualname}")
            yield from (m for m in owner.methods if m.owner == owner.qualname) if owner is not None else ()


def _promised(name: str) -> str:
    words = {word.lower() for word in _SPLIT.findall(name)}
    return "supervision" if words & _SUPERVISION else "atomicity" if words & _ATOMICITY else ""


def _let_go(method: Method) -> Event | None:
    """What the function (or a helper that it calls) starts without doing anything about its end."""
    events = [event for m in method.actor.reached(method) for event in m.events]
    if any(event.role in _LOCKS for event in events) or any(_holds(m) for m in method.actor.reached(method)):
        return None
    for event in events:
        if event.role == "spawn" and event.certain and event.operation.handle not in ("pool", "timer"):
            trace = Trace(event.operation.handle, passes_up=False)
            fate = trace.fate(event.call, event.method)
            tied = event.operation.tied and event.call.keyword(event.operation.tied) is not None
            if not tied and (fate is None or fate < Fate.KEPT):
                return event
    return None


def _holds(method: Method) -> bool:
    """Anything done within a ``with`` block, such as a lock, a transaction or a task group."""
    return any(isinstance(stmt, code.With) for stmt in method.statements)
