"""What an actor takes on and never gives back: over its whole class, its bases, mixins, subclasses and helpers."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from otplint.facts.methods import Method, Role
from otplint.facts.queries.slices import behind, related
from otplint.facts.queries.watching.fates import Fate, fates
from otplint.facts.queries.watching.lifetimes import Life, life
from otplint.facts.queries.watching.pairs import Acquisition, acquisitions
from otplint.facts.queries.watching.routes import Route, Step, routes, step_of
from otplint.facts.syntax import code
from otplint.findings import Confidence

if TYPE_CHECKING:
    from otplint.facts.actors import Actor, Use

_NEUTRAL = {"start", "is_running", "is_alive", "when", "cancelled", "done", "name", "setDaemon", "set_name", "daemon",
            "fileno", "add_done_callback"}  # fmt: skip
"""What one asks of a handle without ending what it stands for."""
_CLOSES = {"close", "shutdown", "detach"}
_STOPS = {"stop", "close", "shutdown", "terminate", "disconnect", "aclose", "teardown", "cleanup", "destroy", "finish",
          "handle_stop", "on_stop", "__exit__", "__aexit__"}  # fmt: skip


class Loose(enum.Enum):
    """What is wrong with something taken on."""

    UNRELEASED = "unreleased"
    """No code of the actor undoes it."""
    CLOSED = "closed"
    """Its file descriptor is closed while the event loop still watches it."""
    OVERWRITTEN = "overwritten"
    """A new timer takes the place of one that may still be running, and that is lost with it."""
    UNREACHABLE = "unreachable"
    """What would undo it stands behind a test that is never true."""


class Leak(NamedTuple):
    """One flaw, where it is repaired, and what tells of it."""

    flaw: Loose
    acquisition: Acquisition
    place: Step
    related: tuple[Step, ...]
    confidence: Confidence


def leaks(actor: Actor) -> Iterator[Leak]:
    """The flaws of what an actor's own functions take on."""
    if not actor.is_actor:
        return
    family = (actor, *actor.subclasses())
    for acquisition in acquisitions(actor):
        yield from Subscription(actor, acquisition, family).leaks()


class Subscription:
    """One acquisition and all that may undo it."""

    def __init__(self, actor: Actor, acquisition: Acquisition, family: tuple[Actor, ...]) -> None:
        self.actor = actor
        self.acquisition = acquisition
        self.family = family

    def leaks(self) -> Iterator[Leak]:
        """Its flaws: never undone, or undone too late, and tests that keep it from being undone."""
        here = Step(self.acquisition.method, self.acquisition.call)
        if here.method.exempt(here.node, self._ends_with_actor):
            return
        dead = list(self._unreachable())
        for test, release in dead:
            yield Leak(Loose.UNREACHABLE, self.acquisition, test, (release, here), self._at_most(Confidence.MEDIUM))
        if released := self._is_released:
            lost = self._overwriting()
            if lost is not None:
                yield Leak(Loose.OVERWRITTEN, self.acquisition, lost[0], (here,), self._at_most(lost[1]))
            else:
                here.method.exempt(here.node, released)
        elif self._closed is not None:
            yield Leak(Loose.CLOSED, self.acquisition, here, (self._closed,), self._at_most(Confidence.MEDIUM))
        elif self.acquisition.is_thread:
            here.method.exempt(here.node, "it is a thread or task: what becomes of its handle is OTP503's matter")
        elif not dead:
            sure, why = self._sureness
            here.method.exempt(here.node, why)
            yield Leak(Loose.UNRELEASED, self.acquisition, here, (), sure)

    # -- how long it may last

    @cached_property
    def _life(self) -> Life:
        receiver = self.acquisition.receiver
        return Life.GIVEN if receiver is None else life(receiver, self.acquisition.method)

    @property
    def _ends_with_actor(self) -> str:
        """Why it cannot outlive the actor, in words; empty where it may."""
        if self.acquisition.is_timer:
            endless = self.acquisition.repeats or bool(self.homes)
            return "" if endless else "the timer fires once, and nothing keeps it"
        owned = self._life is Life.OWNED and self._closed is None
        return "the actor has made what it subscribes to, which ends with it" if owned else ""

    @property
    def _sureness(self) -> tuple[Confidence, str]:
        """How sure it is that something never undone is a flaw, and why that is little."""
        acquisition = self.acquisition
        if acquisition.event is not None and acquisition.event.role == "subscribe":
            return Confidence.LOW, "it may be meant for the life of the program"
        if acquisition.name == "connect" or (self._life is Life.UNKNOWN and not acquisition.is_timer):
            return Confidence.LOW, "nobody can tell how long what it subscribes to lives"
        if not (self._can_end or self._for_each_message):
            return Confidence.LOW, "nothing shows that the actor ends before the program"
        return self._at_most(Confidence.MEDIUM if acquisition.known_by == "name" else Confidence.HIGH), ""

    def _at_most(self, most: Confidence) -> Confidence:
        return min(most, self.actor.confidence, key=lambda c: c.rank)

    @cached_property
    def _can_end(self) -> bool:
        """True where the actor ends before the program: its framework stops it, or its own code ends parts of it."""
        names = {m.name for a in self.family for m in a.everything}
        if self.actor.form == "function":
            return True
        shaped = self.actor.confidence is not Confidence.HIGH
        if not shaped and self.actor.kind.stops:
            return True
        return bool(names & (_STOPS | {*self.actor.kind.stops})) or any(
            isinstance(call.func, code.Attr) and call.func.name in _STOPS and bool(method.own_attribute(call.func.base))
            for actor in self.family
            for method in actor.everything
            for call in method.calls
        )

    @cached_property
    def _for_each_message(self) -> bool:
        return any(r.entry.role in (Role.HANDLER, Role.LOOP) for r in self.routes)

    @cached_property
    def routes(self) -> list[Route]:
        """The ways to the acquisition, in the actor and those that derive from it."""
        return self._routes(self.acquisition.method, self.acquisition.call)

    def _routes(self, method: Method, node: code.Node) -> list[Route]:
        found = [(a, a.method_of(method.code)) for a in self.family]
        return [r for a, m in found if m is not None for r in routes(a, m, node)]

    # -- what undoes it

    @cached_property
    def fates(self) -> list[Fate]:
        """What becomes of what the acquisition gives."""
        methods = [m for a in self.family if (m := a.method_of(self.acquisition.method.code)) is not None]
        return [f for m in methods for f in fates(self.acquisition.call, m)]

    @cached_property
    def homes(self) -> frozenset[str]:
        """The own attributes that hold what it gives."""
        return frozenset(f.attribute for f in self.fates if f.kind == "stored")

    @cached_property
    def _is_released(self) -> str:
        """What undoes it, in words; empty where nothing does."""
        if any(_ends(f) for f in self.fates):
            return "what it gives is released, or handed to other code that may do so"
        if any(self._is_elsewhere(f) for f in self.fates):
            return "another object, which the actor was given, holds it now"
        for use, _ in self._ends_of_homes():
            return f"{use.method.title} releases it by {use.attribute}, or hands that on"
        if self._undone:
            return f"{self._undone[0].method.title} undoes it"
        ended = self.acquisition.descriptor is None and self._ends_receiver
        return "the actor ends the object that it subscribed to" if ended else ""

    def _is_elsewhere(self, fate: Fate) -> bool:
        """True where another object, which the actor was given, holds it now."""
        whole, _, part = fate.attribute.partition(".")
        if fate.kind != "stored" or not part:
            return False
        owner = code.Attr(0, 0, code.Name(0, 0, fate.method.self_name), whole)
        return life(owner, fate.method) is not Life.OWNED

    @cached_property
    def _ends_receiver(self) -> bool:
        """True where the actor ends the object that it subscribed to."""
        receiver = self.acquisition.receiver
        if receiver is None:
            return False
        mine = behind(receiver, self.acquisition.method).attributes
        return any(
            isinstance(call.func, code.Attr)
            and call.func.name in _STOPS
            and bool(own := method.own_attribute(call.func.base))
            and own in mine
            for actor in self.family
            for method in actor.everything
            for call in method.calls
        )

    def _ends_of_homes(self) -> Iterator[tuple[Use, Fate]]:
        """Uses of what is held in an attribute that end it, or give it to somebody who may."""
        for actor in self.family:
            for use in actor.uses:
                if use.kind in ("read", "lookup", "remove") and self._is_home(use.attribute):
                    yield from ((use, f) for f in fates(use.node, use.method) if _ends(f))

    def _is_home(self, attribute: str) -> bool:
        return any(related(attribute, home) for home in self.homes)

    @cached_property
    def _undone(self) -> list[Step]:
        """The calls, or functions passed on, that undo it by the object and arguments they name."""
        return [
            Step(method, node)
            for actor in self.family
            for method in actor.everything
            for node in self._undoing(method)
            if not self._is_dead(node, method)
        ]

    def _undoing(self, method: Method) -> Iterator[code.Node]:
        for expr in method.exprs():
            match expr:
                case code.Call(func=code.Attr(name=name)) if self.acquisition.undoes(name):
                    if self._undoes(expr, method):
                        yield expr
                case code.Call() if self._helps(expr, method):
                    yield expr
                case code.Attr(name=name) if self.acquisition.undoes(name):
                    up = method.parent(expr)
                    if not (isinstance(up, code.Call) and up.func is expr):
                        yield expr
                case code.Const(value=str(name)) if self.acquisition.undoes(name):
                    yield expr

    def _helps(self, call: code.Call, method: Method) -> bool:
        """True where a function of the project, outside the actor, does it."""
        function = method.actor.facts.function(method.qualname(call.func)) if call.args else None
        if function is None:
            return False
        return any(
            isinstance(e, code.Attr) and self.acquisition.undoes(e.name)
            for m in function.actor.everything
            for e in m.exprs()
        )

    def _undoes(self, call: code.Call, method: Method) -> bool:
        """True unless the call clearly speaks of another object, another descriptor or another callback."""
        assert isinstance(call.func, code.Attr)
        mine, base = self.acquisition.receiver, call.func.base
        if self.acquisition.is_timer:
            given = [base, *[a.value for a in call.args]]
            return any(self._speaks_of_home(e, method) for e in given)
        if mine is not None and _differ(mine, self.acquisition.method, base, method):
            return False
        return all(
            not _is_definite(arg.value, method) or self._takes(arg.value, method) for arg in call.args if not arg.star
        )

    def _speaks_of_home(self, expr: code.Expr, method: Method) -> bool:
        source = behind(expr, method)
        return source.includes(self.acquisition.call) or source.touches(self.homes) or source.foreign

    def _takes(self, wanted: code.Expr, method: Method) -> bool:
        """True where the acquisition was given the same, or nothing of that kind."""
        kind = _kind(wanted, method)
        given = [a.value for a in self.acquisition.call.args]
        alike = [g for g in given if _kind(g, self.acquisition.method) == kind]
        return not alike or any(_alike(g, self.acquisition.method, wanted, method) for g in alike)

    # -- closed descriptors

    @cached_property
    def _closed(self) -> Step | None:
        """Where the actor closes what the event loop watches for it, and nothing takes it from the loop."""
        if self.acquisition.descriptor is None or self._is_released:
            return None
        watched = behind(self.acquisition.descriptor, self.acquisition.method)
        for actor in self.family:
            for method in actor.everything:
                for call in method.calls:
                    func = call.func
                    if not (isinstance(func, code.Attr) and func.name in _CLOSES and method.own_attribute(func.base)):
                        continue
                    if watched.touches(behind(func.base, method).attributes):
                        return Step(method, call)
        return None

    # -- tests that are never true

    def _unreachable(self) -> Iterator[tuple[Step, Step]]:
        """The impossible tests before what would undo it, each with that."""
        seen: set[int] = set()
        ends = [(f.node, use.method) for use, f in self._ends_of_homes()]
        for node, method in ends:
            test = _impossible(node, method)
            if test is not None and id(test) not in seen and method in self.actor.methods:
                seen.add(id(test))
                yield Step(method, test), Step(method, node)

    def _is_dead(self, node: code.Node, method: Method) -> bool:
        return _impossible(node, method) is not None

    # -- timers that are lost

    def _overwriting(self) -> tuple[Step, Confidence] | None:
        """Where a new timer is stored over one that nothing has stopped."""
        if not self.acquisition.is_timer:
            return None
        for fate in self.fates:
            place = _overwritten(fate)
            if place is None:
                continue
            ways = [r for r in self._routes(fate.method, fate.node) if r.entry.role in (Role.HANDLER, Role.LOOP)]
            ways = [r for r in ways if not self._rearms(r) and not self._minds(r, fate)]
            if ways:
                sure = place[1] is None or any(_recurs(place[1], fate, r) for r in ways)
                return Step(fate.method, place[0]), Confidence.MEDIUM if sure else Confidence.LOW
        return None

    def _rearms(self, route: Route) -> bool:
        """True on a way that begins with the timer's own firing: the one before has done its work."""
        callback = self.acquisition.callback
        if callback is None:
            return False
        mine = self.acquisition.method.own_attribute(callback)
        return any(step.method.name == mine for step in route.steps)

    def _minds(self, route: Route, fate: Fate) -> bool:
        """True where the way ends the old one, or asks whether there is one."""
        if any(route.passes(use.node, use.method) for use, _ in self._ends_of_homes() if not self._dead_use(use)):
            return True
        if any(route.passes(s.node, s.method) for s in self._undone):
            return True
        for test, _, method in route.conditions:
            if behind(test, method).touches({fate.attribute}):
                return True
            flags = {own for expr in code.walk(test) if (own := method.own_attribute(expr))}
            if any(_changes(use, flag, route) for flag in flags for use in route.actor.uses):
                return True
        return False

    def _dead_use(self, use: Use) -> bool:
        return _impossible(use.node, use.method) is not None


# -- helpers


def _ends(fate: Fate) -> bool:
    """True where the holder of a handle may end what it stands for."""
    if fate.kind == "asked":
        func = fate.node.func if isinstance(fate.node, code.Call) else None
        return not (isinstance(func, code.Attr) and func.name in _NEUTRAL)
    return fate.kind in ("released", "waited", "sent", "escaped")


def _overwritten(fate: Fate) -> tuple[code.Node, code.Expr | None] | None:
    """The target, and its key if any, where the handle takes the place of another one."""
    if fate.kind != "stored" or not isinstance(fate.node, code.Assign):
        return None
    for target in fate.node.targets:
        if isinstance(target, code.Sub) and fate.method.own_attribute(target.base) == fate.attribute:
            return target, target.key
        if isinstance(target, code.Attr) and fate.method.own_attribute(target) == fate.attribute:
            return target, None
    return None


def _recurs(key: code.Expr, fate: Fate, route: Route) -> bool:
    """True where the actor knows the key from before: another table of its own is asked for it on the way."""
    return any(
        use.attribute != fate.attribute
        and use.kind in ("lookup", "test", "read", "update")
        and _has_key(use, key)
        and route.passes(use.node, use.method)
        for use in route.actor.uses
    )


def _has_key(use: Use, key: code.Expr) -> bool:
    if use.key is not None:
        return code.same(use.key, key)
    up = use.method.parent(use.node)
    return isinstance(up, code.Sub) and up.base is use.node and code.same(up.key, key)


def _changes(use: Use, attribute: str, route: Route) -> bool:
    return (
        use.attribute == attribute
        and (use.adds or use.kind in ("write", "update"))
        and route.passes(use.node, use.method)
    )


def _impossible(node: code.Node, method: Method) -> code.Expr | None:
    """A test before ``node`` that is never true: a table's key is never the table itself."""
    for test, outcome in method.flow.conditions(step_of(node, method)):
        match test:
            case code.Compare(left=left, ops=(op,), rights=(right,)) if (op == "is") is outcome and op in (
                "is",
                "is not",
            ):
                for key, table in ((left, right), (right, left)):
                    own = method.own_attribute(table)
                    if own and any(u.attribute == own and u.key is not None and code.same(u.key, key)
                                   for u in method.actor.uses_in(method)):  # fmt: skip
                        return test
    return None


def _kind(expr: code.Expr, method: Method) -> str:
    """``callback`` for the actor's own function, ``text`` for a literal, ``state`` for what an attribute holds."""
    own = method.own_attribute(expr)
    if own:
        found = method.actor.method(own)
        return "callback" if found is not None else "state"
    if isinstance(expr, code.Const):
        return "text"
    return "state" if behind(expr, method).attributes else ""


def _is_definite(expr: code.Expr, method: Method) -> bool:
    return _kind(expr, method) != "" and not behind(expr, method).foreign


def _alike(one: code.Expr, method: Method, other: code.Expr, place: Method) -> bool:
    """True unless both name different own functions, literals or attributes."""
    mine, theirs = method.own_attribute(one), place.own_attribute(other)
    if mine and theirs and _kind(one, method) == "callback":
        return mine == theirs
    if isinstance(one, code.Const) and isinstance(other, code.Const):
        return one.value == other.value
    left, right = behind(one, method).attributes, behind(other, place).attributes
    return not left or not right or any(related(a, b) for a in left for b in right)


def _differ(one: code.Expr, method: Method, other: code.Expr, place: Method) -> bool:
    """True where two objects come out of different attributes of the actor."""
    left, right = behind(one, method), behind(other, place)
    if left.foreign or right.foreign or not left.attributes or not right.attributes:
        return False
    return not any(related(a, b) for a in left.attributes for b in right.attributes)
