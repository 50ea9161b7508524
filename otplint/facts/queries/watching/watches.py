"""Watches of other actors: where each reference is kept, what releases it, and what is wrong with it, if anything is.

A watch has one flaw at most, the first of these (so that one flaw is one finding): its reference is thrown away; no
code releases it; one path drops it without releasing; a handler makes another one with each message. What is no flaw
follows erlang:monitor/2: a delivered DOWN ends the watch, the end of the watching actor ends all of its watches.
"""

from __future__ import annotations

import enum
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from otplint.facts.methods import Event, Method, Role
from otplint.facts.queries.slices import behind, related
from otplint.facts.queries.watching.fates import Fate, fates
from otplint.facts.queries.watching.releases import Release, asks_alive, releases, starts_actor, target_failed
from otplint.facts.queries.watching.routes import Condition, Route, Step, down_branches, down_types, routes, tests_for
from otplint.facts.syntax import code
from otplint.findings import Confidence

if TYPE_CHECKING:
    from otplint.facts.actors import Actor, Use
    from otplint.facts.flow import Point

_CACHES = {"functools.cache", "functools.lru_cache"}
_ENDS = ("kill", "stop")


class Flaw(enum.Enum):
    """What is wrong with a watch."""

    DISCARDED = "discarded"
    """Nothing keeps the reference."""
    UNRELEASED = "unreleased"
    """No code of the actor releases it."""
    DROPPED = "dropped"
    """A path forgets it without releasing it, though other code knows how to."""
    REPEATED = "repeated"
    """A handler adds another watch with each message."""


class Drop(NamedTuple):
    """A place where the actor forgets a watch that may still be live."""

    use: Use | None
    """The removal; none where a local reference is left behind at the function's end."""
    place: Step
    certain: bool
    """False where only the record that the target is watched goes, or the caller is not known."""
    way: Step | None = None
    """The call that leads there from a handler, where a helper does the forgetting."""


class Watch:
    """One call that watches another actor."""

    def __init__(self, actor: Actor, event: Event, family: tuple[Actor, ...]) -> None:
        self.actor = actor
        self.event = event
        self.family = family
        """The actor, then the actors that derive from it."""

    @property
    def call(self) -> code.Call:
        """The call itself."""
        return self.event.call

    @property
    def method(self) -> Method:
        """Where it is written."""
        return self.event.method

    @cached_property
    def fates(self) -> list[Fate]:
        """What becomes of the reference, in the actor and those that derive from it."""
        found: list[Fate] = []
        for actor in self.family:
            method = actor.method_of(self.method.code)
            if method is not None:
                found += fates(self.call, method)
        return found

    @cached_property
    def by_target(self) -> bool:
        """True where the framework releases by naming the watched actor, so that references do not matter."""
        releasing = [o for o in self.event.framework.operations if o.role == "release"]
        return any(not o.reference for o in releasing)

    @cached_property
    def homes(self) -> frozenset[str]:
        """The actor's own attributes that hold the reference; those keyed by the target where that is what releases."""
        return self.keyed if self.by_target else frozenset(f.attribute for f in self.fates if f.kind == "stored")

    @cached_property
    def keyed(self) -> frozenset[str]:
        """Own tables that the target enters on the way of the watch."""
        target = self.event.target
        found = set()
        for route in self.routes:
            for use in route.actor.uses:
                entered = use.adds and (code.same(use.key, target) or code.same(use.value, target))
                if target is not None and entered and route.passes(use.node, use.method):
                    found.add(use.attribute)
        return frozenset(found)

    @cached_property
    def routes(self) -> list[Route]:
        """The ways that lead here, in the actor and those that derive from it."""
        found = []
        for actor in self.family:
            method = actor.method_of(self.method.code)
            if method is not None:
                found += routes(actor, method, self.call)
        known = [r for r in found if r.entry.role in (Role.HANDLER, Role.LOOP, Role.START, Role.STOP)]
        return known or found

    def confidence(self, most: Confidence) -> Confidence:
        """``most``, or less where it is not sure that the call watches, or that this is an actor."""
        sure = self.event.certain or bool(self.releases) or any(down_branches(a) for a in self.family)
        return min(most, self.actor.confidence, most if sure else Confidence.LOW, key=lambda c: c.rank)

    # -- releases

    @cached_property
    def releases(self) -> list[Release]:
        """The releases that may end this watch."""
        return [r for actor in self.family for r in releases(actor, self.event) if self._ended_by(r)]

    def _ended_by(self, release: Release) -> bool:
        if self.by_target or release.source is None or release.source.includes(self.call):
            return True
        return release.source.foreign or release.source.touches(self.homes)

    def _ends(self, node: code.Node | None) -> bool:
        """True for a call that releases, or ends the target or the actor and so the watch with it."""
        return node is not None and id(node) in self._ending

    @cached_property
    def _ending(self) -> frozenset[int]:
        calls = [r.call for r in self.releases]
        calls += [e.call for a in self.family for e in a.events(*_ENDS, inherited=True)]
        return frozenset(id(call) for call in calls)

    # -- what is no flaw

    @cached_property
    def is_fresh(self) -> bool:
        """True where the target was started just before: the interest in it lasts as long as it does."""
        target = self.event.target
        if target is None:
            return False
        return any(starts_actor(call, method) for call, method in behind(target, self.method).calls)

    @cached_property
    def for_life(self) -> bool:
        """True where it watches from its start, or again after a DOWN: one watch at a time, as long as it lives."""
        return all(r.entry.role in (Role.START, Role.STOP) or r.on_down for r in self.routes)

    @cached_property
    def is_awaited(self) -> bool:
        """True where the watch is there to wait for the target's end, so that delivery ends it."""
        if any(f.kind == "waited" for f in self.fates):
            return True
        if any(self._is_killed_by(e) for a in self.family for e in a.events("kill", inherited=True)):
            return True
        for actor in self.family:
            for event in actor.events("reply", inherited=True):
                ways = routes(actor, event.method, event.call)
                if ways and all(w.on_down for w in ways) and behind(event.target, event.method).touches(self.homes):
                    return True
        return False

    def _is_killed_by(self, kill: Event) -> bool:
        """True where the way goes on to end the target: the watch waits for that."""
        target = self.event.target
        if kill.method.code is self.method.code and not (target is not None and code.same(kill.target, target)):
            return False
        return self.method.flow.reaches(self.call, lambda p: p.node is kill.call)

    @cached_property
    def is_single(self) -> bool:
        """True where one attribute holds the reference and is asked before: there is never a second watch."""
        plain = {f.attribute for f in self.fates if f.kind == "stored" and not f.inside}
        inside = any(f.kind == "stored" and f.inside for f in self.fates)
        return bool(plain) and not inside and all(self._asks(r) for r in self.routes)

    # -- what is one

    @cached_property
    def flaw(self) -> Flaw | None:
        """What is wrong, the gravest first."""
        if self.is_fresh or self.is_awaited:
            return None
        if self.is_kept or self.by_target:
            return self._kept_flaw
        return None if self.for_life and not self.drops else Flaw.DISCARDED

    @property
    def _kept_flaw(self) -> Flaw | None:
        escaped = any(f.kind in ("asked", "escaped") for f in self.fates)
        if not self.releases and not escaped and not any(f.kind == "released" for f in self.fates):
            harmless = (self.for_life or self.is_single) and not self.drops
            return None if harmless else Flaw.UNRELEASED
        if self.drops:
            return Flaw.DROPPED
        return Flaw.REPEATED if self.repeating is not None else None

    @cached_property
    def is_kept(self) -> bool:
        """True where something holds the reference that other code reads."""
        for fate in self.fates:
            if fate.kind in ("released", "waited", "asked", "escaped", "sent"):
                return True
            if fate.kind == "stored" and (fate.inside or self._is_read(fate.attribute)):
                return True
        return False

    def _is_read(self, attribute: str) -> bool:
        kinds = ("read", "lookup", "test", "remove", "clear")
        return any(u.kind in kinds and related(u.attribute, attribute) for a in self.family for u in a.uses)

    @cached_property
    def drops(self) -> list[Drop]:
        """Where the actor forgets the watch without releasing it, other than for the target's end or its own."""
        found: list[Drop] = []
        seen: set[int] = set()
        for actor in self.family:
            for use in actor.uses:
                if id(use.node) in seen or not self._forgets(use):
                    continue
                ways = [w for w in routes(actor, use.method, use.node) if self._leaks(w)]
                if ways:
                    seen.add(id(use.node))
                    known = any(w.entry.role in (Role.HANDLER, Role.LOOP) for w in ways)
                    way = ways[0].steps[-1] if len(ways[0].steps) > 1 else None
                    found.append(Drop(use, Step(use.method, use.node), known and self._in_home(use), way))
        return found or self._left_behind

    def _in_home(self, use: Use) -> bool:
        tables = self.homes if self.is_kept else self.keyed
        return any(related(use.attribute, table) for table in tables)

    def _forgets(self, use: Use) -> bool:
        if use.kind == "write":
            return self._in_home(use) and use.method.role is not Role.START and _is_empty(use.value)
        if not use.removes or not (self._in_home(use) or use.attribute in self._asked_tables):
            return False
        return not (isinstance(use.node, code.Call) and any(f.kind != "looked" for f in fates(use.node, use.method)))

    @cached_property
    def _asked_tables(self) -> frozenset[str]:
        """Tables that tell whether the target is watched: to drop an entry is to forget the watch."""
        asked = {a for r in self.routes for a in self._asked(r)}
        return frozenset(self.keyed & asked)

    def _leaks(self, route: Route) -> bool:
        """True if nothing on the way of a removal ends the watch, and the removal does not answer its end."""
        if route.entry.role in (Role.START, Role.STOP) or route.may_be_down:
            return False
        if any(self._ends(node) for node in route.nodes.values()):
            return False
        if any(isinstance(n, code.Call) and id(n) == id(self.call) for n in route.nodes.values()):
            return False  # watched anew on this path: what is dropped here is judged as a repetition
        if any(not c.outcome and asks_alive(c) for c in route.conditions):
            return False
        if any(target_failed(step) for step in route.steps):
            return False
        return not self._moved(route)

    def _moved(self, route: Route) -> bool:
        """True if the path takes the reference out of its table and does something with it."""
        for use in route.actor.uses:
            if use.kind not in ("lookup", "read") or not self._in_home(use) or self._gives_keys(use):
                continue
            kinds = {f.kind for f in fates(use.node, use.method)} if route.passes(use.node, use.method) else set()
            if kinds & {"stored", "asked", "escaped", "released", "waited"}:
                return True
        return False

    def _gives_keys(self, use: Use) -> bool:
        """True where only the targets are taken out of the table, not the references."""
        if any(isinstance(f.node, code.Sub) for f in self.fates if f.kind == "stored"):
            return False  # the references are the keys
        above = use.method.parent(use.node)
        match use.node, above:
            case code.Call(func=code.Attr(name=name)), _:
                return name in ("keys", "count", "index")
            case _, code.Call(func=code.Name(id=name)):
                return name in ("list", "tuple", "set", "frozenset", "sorted", "iter", "len", "any", "all")
            case _, code.Sub():
                return isinstance(use.method.parent(above), code.Delete)
        return isinstance(above, (code.For, code.Comp))

    @cached_property
    def _left_behind(self) -> list[Drop]:
        """A reference that only a local holds, released on some ways out of the function and not on others."""
        if self.homes or any(f.kind not in ("released", "looked") for f in self.fates):
            return []
        ends = [f for f in self.fates if f.kind == "released"]
        homes = {id(f.method.code): f.method for f in ends}
        if len(homes) != 1 or any(isinstance(f.node, code.With) for f in ends):
            return []
        method = next(iter(homes.values()))
        flow = method.flow
        down = down_types(self.actor)

        def settled(point: Point) -> bool:
            node = point.node
            if self._ends(node) or any(node is f.node for f in ends):
                return True
            if node is None or isinstance(node, (*code.STATEMENTS, code.Handler, code.Case)):
                return False
            if any(tests_for(Condition(node, o, method), down) for o in (True, False)):
                return True
            asks = isinstance(node, (code.Name, code.Attr, code.Compare))
            return asks and behind(node, method).includes(self.call)

        if not flow.at(self.call) or flow.on_every_exit(self.call, settled):
            return []
        return [Drop(None, Step(method, method.code), True)]

    # -- repetition

    @cached_property
    def repeating(self) -> Route | None:
        """A handler that comes here with each message and does not ask whether it already watches.

        A reference that goes out in a message or an answer comes back to be released: one watch for each request.
        """
        return None if self._hands_out else next((r for r in self.routes if not self._once(r)), None)

    @property
    def repeats_not(self) -> str:
        """Why no handler makes another watch with each message, in words; empty where one does."""
        reasons = [self._hands_out] if self._hands_out else [self._once(r) for r in self.routes]
        return "" if not all(reasons) else " and ".join(dict.fromkeys(reasons))

    @cached_property
    def _hands_out(self) -> str:
        direct = any(r.source is not None and r.source.includes(self.call) for r in self.releases)
        if any(f.kind in ("sent", "asked", "escaped") for f in self.fates):
            return "its reference goes out in a message or an answer, or to other code: one watch for each request"
        return "the function itself releases the reference" if direct and not self.homes else ""

    def _once(self, route: Route) -> str:
        """Why a way does not make watch after watch of one target; empty where it does."""
        if route.entry.role not in (Role.HANDLER, Role.LOOP) or route.on_down:
            return f"{route.entry.title} makes it at the start, at the end or after a DOWN"
        if any(self._ends(node) for node in route.nodes.values()):
            return f"{route.entry.title} releases or ends something on the same way"
        if self._new_target(route):
            return f"each message to {route.entry.title} brings a target of its own"
        return f"{route.entry.title} asks the actor's own record before" if self._asks(route) else ""

    def _new_target(self, route: Route) -> bool:
        """True where each message brings another target: it was taken from a table, or an answer named it."""
        target = self.event.target
        for call, method in behind(target, self.method).calls if target is not None else ():
            event = method.event(call)
            if event is not None and event.role in ("call", "spawn", "child"):
                return True
            if any(u.node is call and u.removes for u in route.actor.uses):
                return True
        return False

    def _asks(self, route: Route) -> bool:
        """True where the way asks the actor's own record of what it watches, and keeps that record."""
        for step in route.steps:
            if any(step.method.qualname(_called(d)) in _CACHES for d in step.method.code.decorators):
                return True
        return bool(self._asked(route))

    def _asked(self, route: Route) -> set[str]:
        """The attributes that a test on the way asks and that the same path brings up to date."""
        asked: set[str] = set()
        for test, outcome, method in route.conditions:
            if not (isinstance(test, code.Compare) and test.ops == (("in",) if outcome else ("not in",))):
                asked |= behind(test, method).attributes
        for step in route.steps:
            for up in step.method.above(step.node):
                if isinstance(up, code.Comp):
                    for clause in up.clauses:
                        for part in (clause.iter, *clause.tests):
                            asked |= behind(part, step.method).attributes
                elif isinstance(up, code.For):
                    asked |= behind(up.iter, step.method).attributes
                elif isinstance(up, code.Handler):
                    tried = step.method.parent(up)
                    for stmt in code.statements(tried.body) if isinstance(tried, code.Try) else ():
                        for expr in code.expressions(stmt):
                            asked |= behind(expr, step.method).attributes
        kept = {
            u.attribute
            for u in route.actor.uses
            if (u.adds or u.kind in ("write", "update")) and route.passes(u.node, u.method)
        }
        return {k for k in kept if any(related(k, a) for a in asked)}


def watches(actor: Actor) -> tuple[Watch, ...]:
    """The watches that the actor's own functions make."""
    if not actor.is_actor:
        return ()
    family = (actor, *actor.subclasses())
    return tuple(Watch(actor, event, family) for event in actor.events("watch"))


def _is_empty(value: code.Expr | None) -> bool:
    match value:
        case code.Const(value=None) | code.Dict(items=()) | code.Seq(items=()):
            return True
        case code.Call(func=code.Name(id=name), args=()):
            return name in ("dict", "list", "set")
    return False


def _called(decorator: code.Expr) -> code.Expr:
    return decorator.func if isinstance(decorator, code.Call) else decorator


__all__ = ["Drop", "Flaw", "Release", "Watch", "down_branches", "watches"]
