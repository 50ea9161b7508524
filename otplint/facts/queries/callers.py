"""Where the functions of the project are called, searched for when a rule needs to know."""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.facts import Facts
    from otplint.facts.index.entries import ModuleIndex
    from otplint.facts.methods import Method
    from otplint.facts.source import Source


def calls_of(method: Method, facts: Facts) -> Iterator[tuple[code.Call, Method]]:
    """The calls of a function: from its own class, and by its name (or its class's) from anywhere but tests."""
    actor = method.actor
    if method.owner:
        yield from actor.sites(method)
        if method.name != "__init__":
            return
        yield from _from_below(method, facts)
    elif method.outer is not None:
        yield from ((c, method.outer) for c in method.outer.calls if actor.own_method(c, method.outer) is method)
        return
    wanted = method.owner or f"{method.source.index.module}.{method.name}"
    home, _, last = wanted.rpartition(".")
    word = re.compile(rf"\b{re.escape(last)}\s*\(")
    for index in facts.holding(last):
        if facts.is_test(index.path) or not may_name(index, home, last, facts):
            continue
        for caller in functions_naming(index, facts, word):
            if caller.code is not method.code:
                yield from ((c, caller) for c in caller.calls if caller.qualname(c.func) == wanted)


def _from_below(method: Method, facts: Facts) -> Iterator[tuple[code.Call, Method]]:
    """``super().__init__(...)`` in the classes right below."""
    call_above = re.compile(rf"\bsuper\([^()]*\)\s*\.\s*{re.escape(method.name)}\s*\(")
    for name in facts.project.subclasses(method.owner):
        located = facts.project.find_class(name)
        if located is None or not call_above.search(facts.source(located[0]).text, located[1].start, located[1].end):
            continue
        owner = facts.owner(name)
        if owner is None or facts.is_test(owner.path) or facts.project.mro(name)[1:2] != (method.owner,):
            continue
        for caller in owner.methods:
            for call in caller.calls if caller.owner == name else ():
                func = call.func
                base = func.base if isinstance(func, code.Attr) and func.name == method.name else None
                if isinstance(base, code.Call) and code.dotted(base.func) == "super":
                    yield call, caller


def may_name(index: ModuleIndex, home: str, last: str, facts: Facts) -> bool:
    """Whether a module is where the function lives, or imports it, its module or a package above."""
    if index.module == home or index.stars:
        return True
    named = facts.source(index).remembered(_imported)
    above = itertools.accumulate(home.split("."), lambda head, part: f"{head}.{part}")
    return f".{last}" in named or not named.isdisjoint(above)


def _imported(source: Source) -> frozenset[str]:
    """What a file imports by its whole name, and each name's last part behind a dot."""
    targets = source.index.imports.values()
    return frozenset(targets) | {f".{target.rpartition('.')[2]}" for target in targets}


def functions_naming(index: ModuleIndex, facts: Facts, word: re.Pattern[str]) -> Iterator[Method]:
    """The functions and the body of a module, where they hold the word."""
    places = [match.start() for match in word.finditer(facts.source(index).text)]
    if not places:
        return

    def named(start: int, end: int) -> bool:
        after = bisect.bisect_left(places, start)
        return after < len(places) and places[after] < end

    for function in index.functions:
        if named(function.start, function.end):
            found = facts.function(f"{index.module}.{function.qualname}")
            yield from () if found is None else found.actor.methods
    for entry in index.classes:
        if named(entry.start, entry.end):
            owner = facts.owner(f"{index.module}.{entry.qualname}")
            yield from () if owner is None else owner.methods
    spans = [(c.start, c.end) for c in index.constants] + list(index.statements)
    spans = sorted({s for s in spans if named(*s)})
    if spans:
        yield from facts.module(index, spans).methods
