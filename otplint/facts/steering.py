"""Functions that are no actors and look after some: they try again when an actor dies, or end actors themselves."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.frameworks import Vocabulary
    from otplint.facts.methods import Method
    from otplint.facts.source import Source

_COUNTERS = ("range", "builtins.range", "itertools.count", "itertools.repeat")
_GENERAL = ("asyncio.", "builtins.")
"""Exceptions of these tell nothing about actors."""


def may_steer(source: Source, text: str, vocabulary: Vocabulary) -> bool:
    """A cheap look: does a function or class name an actor's failure, or what ends an actor, by the file's imports?"""
    below = _below(vocabulary)
    for local, target in source.index.imports.items():
        if target in below and local in text:
            last = "|".join(map(re.escape, sorted(below[target])))
            if re.search(rf"\b{re.escape(local)}\b" + (rf"\.(?:\w+\.)*(?:{last})\b" if last else ""), text):
                return True
    return False


@functools.lru_cache(maxsize=4)
def _below(vocabulary: Vocabulary) -> dict[str, set[str]]:
    """Those names, and the modules that hold them, each with the last parts of what is below it."""
    found: dict[str, set[str]] = {}
    for name in _failures(vocabulary) | _ends(vocabulary):
        found.setdefault(name, set())
        owner, _, last = name.rpartition(".")
        while owner:
            found.setdefault(owner, set()).add(last)
            owner = owner.rpartition(".")[0]
    return found


def steers(method: Method) -> bool:
    """True for a function that tries again when an actor fails, or ends actors."""
    return method.remembered(_steers)


def anybody_steers(actor: Actor) -> bool:
    """True where one of the functions does."""
    return any(steers(method) for method in actor.methods)


def _steers(method: Method) -> bool:
    vocabulary = method.actor.facts.vocabulary
    ends, failures = _ends(vocabulary), _failures(vocabulary)
    if any(method.qualname(call.func) in ends for call in method.calls):
        return True
    for guarded, handler in method.handlers:
        caught = handler.type.items if isinstance(handler.type, code.Seq) else (handler.type,)
        looped = any(_tries_again(up, method) for up in method.above(guarded))
        if looped and any(method.qualname(single) in failures for single in caught):
            return True
    return False


def _tries_again(loop: code.Node, method: Method) -> bool:
    """A loop that repeats one thing; one over items does something else each time."""
    if not isinstance(loop, code.For):
        return isinstance(loop, code.While)
    if isinstance(loop.iter, code.Call) and method.qualname(loop.iter.func) in _COUNTERS:
        return True
    return isinstance(loop.target, code.Name) and not any(
        isinstance(e, code.Name) and e.id == loop.target.id
        for stmt in code.statements(loop.body)
        for head in code.expressions(stmt)
        for e in code.walk(head)
    )


@functools.lru_cache(maxsize=4)
def _failures(vocabulary: Vocabulary) -> frozenset[str]:
    return frozenset(n for n in vocabulary.call_failures if "." in n and not n.startswith(_GENERAL))


@functools.lru_cache(maxsize=4)
def _ends(vocabulary: Vocabulary) -> frozenset[str]:
    """Functions that end an actor of a framework, by name; those of threads and processes are the system's."""
    return frozenset(
        name
        for framework in vocabulary.frameworks
        if framework.actors and framework.name != "threads"
        for operation in framework.operations
        if operation.role == "kill" and operation.target not in ("", "receiver")
        for name in operation.names
    )
