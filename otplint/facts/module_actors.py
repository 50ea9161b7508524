"""Modules that are actors: their functions take the messages, and what these are given and give back is the state.

The adapter beside the frameworks' data: ``modules`` of an actor says which functions are given such a module to run
(``triotp.gen_server.start``), the rest of the table what its functions are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from otplint.facts import kinds, recognise
from otplint.facts.actors import Actor
from otplint.facts.frameworks import ActorKind, Framework, matches
from otplint.facts.index.entries import FunctionEntry
from otplint.facts.methods import Method, Role
from otplint.facts.passed_state import read_as_attributes
from otplint.facts.syntax import code
from otplint.findings import Confidence

if TYPE_CHECKING:
    from otplint.facts.facts import Facts
    from otplint.facts.source import Source

_RUNS = re.compile(
    r"(?<![\w.])([\w.]+)(?=\s*[(,]\s*(?:args\s*=\s*)?[\[(]?\s*(?:module\s*=\s*)?([A-Za-z_][\w.]*)\s*[,)\]])"
)
"""A function and what follows it: ``start(counter, 1)``, ``start_soon(start, counter)``, ``start, args=[counter]``."""


def module_actor(facts: Facts, source: Source) -> Actor | None:
    """The actor that a file's module is, if it is one.

    Args:
        facts: of the scan.
        source: the file.
    """
    functions = {entry.name: entry for entry in source.index.functions}
    for start, (framework, kind) in facts.vocabulary.modules.items():
        if not any(matches(name, kind.handlers) for name in functions):
            continue
        if _uses(source, start) and any(name in kind.starts for name in functions):
            evidence = f"has the callbacks of {start.rpartition('.')[0]}"
        elif source.index.module in _given(facts, start):
            evidence = f"is given to {start}"
        else:
            continue
        actor = _build(facts, source, framework, kind, evidence)
        actor.methods = tuple(_functions(actor, functions))
        read_as_attributes(actor)
        actor.node = actor.methods[0].code
        kinds.settle(actor)
        return actor
    return None


def _build(facts: Facts, source: Source, framework: Framework, kind: ActorKind, evidence: str) -> Actor:
    name = source.index.module.rpartition(".")[2]
    sure = Confidence.HIGH
    return Actor(facts, source, name, framework, kind, form="module", node=None, confidence=sure, evidence=evidence)


def _functions(actor: Actor, functions: dict[str, FunctionEntry]) -> Iterator[Method]:
    """The callbacks, those that take messages first, and the module's functions that they call or hand on.

    What else the module defines runs where it is called: ``async def get(key)``, by which others ask the actor.
    """
    kind = actor.kind
    callbacks = [n for n in functions if matches(n, kind.handlers)]
    callbacks += [n for n in functions if n in (*kind.starts, *kind.stops) and n not in callbacks]
    waiting, done = [*callbacks], set(callbacks)
    while waiting:
        entry = functions[waiting.pop(0)]
        node = actor.source.region(entry.start, entry.end)[0]
        if not isinstance(node, code.Function):
            continue
        method = Method(actor, node, actor.source, Role.HELPER, "")
        if entry.name in callbacks:
            method.role = recognise.role_of(node, kind, method.decorators, is_actor=True)
        whole = [method, *recognise.nested(method)]
        yield from whole
        named = {e.id: m for m in whole for e in m.exprs() if isinstance(e, code.Name) and not m.is_local(e.id)}
        fresh = [n for n in named if n in functions and n not in done]
        done.update(fresh)
        waiting += fresh


def _uses(source: Source, start: str) -> bool:
    """Whether the file imports what ``start`` is a function of, or something of it."""
    owner = start.rpartition(".")[0]
    for local in source.index.imports:
        target = source.resolve(local)
        if target == owner or target.startswith(f"{owner}."):
            return True
        below = owner.removeprefix(f"{target}.")
        if below != owner and re.search(rf"\b{re.escape(local)}\.{re.escape(below)}\b", source.text):
            return True
    return False


def _given(facts: Facts, start: str) -> frozenset[str]:
    """The modules that the project gives to ``start``."""
    return facts.modules_given.get(start, frozenset())


def modules_given(facts: Facts) -> dict[str, frozenset[str]]:
    """The project's modules that are given to the functions that run modules, by the name of the function."""
    found: dict[str, set[str]] = {}
    runners = facts.vocabulary.modules
    starts = {start.rpartition(".")[2] for start in runners}
    packages = {start.partition(".")[0] for start in runners}
    for index in facts.holding(*packages):
        source = facts.source(index)
        for match in _RUNS.finditer(source.text):
            if match[1].rpartition(".")[2] in starts and (start := source.resolve(match[1])) in runners:
                found.setdefault(start, set()).add(source.resolve(match[2]))
    return {start: frozenset(modules) for start, modules in found.items()}


def registered(facts: Facts) -> dict[str, Actor]:
    """The modules of the project that run as actors, by the names that their own functions give them."""
    found: dict[str, Actor] = {}
    runners = facts.vocabulary.modules
    for index in facts.holding(*{start.partition(".")[0] for start in runners}):
        actor = facts.module_actor(index) if not facts.is_test(index.path) else None
        if actor is None:
            continue
        for entry in index.functions:
            place = facts.function(f"{index.module}.{entry.name}")
            for event in place.events if place is not None else ():
                if event.role == "spawn" and not runners.keys().isdisjoint(event.operation.names):
                    name = name_of(event.argument(event.operation.named), event.method)
                    found.setdefault(name or index.module, actor)
    return found


def name_of(expr: code.Expr | None, method: Method) -> str:
    """The text that is written, or that a constant of the project stands for; ``__name__`` is the module's."""
    if isinstance(expr, code.Const):
        return expr.value if isinstance(expr.value, str) else ""
    if isinstance(expr, code.Name) and expr.id == "__name__":
        return method.source.index.module
    values = [value for _, _, value in method.actor.facts.constants(method.qualname(expr))] if expr else []
    only = values[0] if len(values) == 1 else None
    return only.value if isinstance(only, code.Const) and isinstance(only.value, str) else ""
