"""What becomes of a handle: followed forward from the call that gives it, until somebody may look after it."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from otplint.facts.methods import Role
from otplint.facts.queries.failure.reaction import describes, logged
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.methods import Method
    from otplint.facts.source import Source

_MAX_DEPTH = 8
_NEUTRAL = frozenset({"start", "daemon", "setDaemon", "isDaemon", "name", "setName", "getName", "set_name", "get_name",
                      "get_coro", "get_loop", "ident", "native_id", "pid"})  # fmt: skip
"""What one can ask of a handle without looking after what it stands for."""
_WORK = frozenset({"submit", "map", "apply", "apply_async", "map_async", "imap", "imap_unordered", "starmap"})
"""What one can ask of a pool."""
_VIEWS = frozenset({"proxy", "actor_ref", "actor_urn", "address"})
"""Another handle to the same thing."""
_ADDS = frozenset({"append", "appendleft", "add", "extend", "insert", "setdefault", "put", "put_nowait"})
_CARES = ("join", "cancel", "result", "exception", "done", "add_done_callback", "is_alive", "terminate", "kill",
          "shutdown", "stop", "close", "wait", "poll")  # fmt: skip
_ASKS = ("is_alive", "exitcode")
_TESTS = (code.If, code.While, code.Assert)
_CARRIERS = (code.Await, code.Seq, code.Dict, code.Star, code.Binary, code.Comp, code.Sub, code.Cond, code.Bool)


class Fate(enum.IntEnum):
    """What becomes of a handle; the strongest of all its uses counts."""

    DROPPED = 0
    """Nobody gets it."""
    FORGOTTEN = 1
    """A local gets it, and does nothing but start what it stands for."""
    UNWATCHED = 2
    """The actor keeps it in an attribute that nothing looks at."""
    GLANCED = 3
    """The actor keeps it, and only while it starts is it asked whether it lives."""
    MESSAGED = 4
    """It is the address that messages go to, and is forgotten after."""
    KEPT = 5
    """It is waited for, cancelled, asked, returned or given to somebody who may."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The fate of a handle, and where it was decided."""

    fate: Fate
    call: code.Call
    """The spawn, or the call of the own helper that returns the handle."""
    method: Method
    """Where that call is written."""
    attribute: str = ""
    """The attribute that keeps it."""


@dataclass(slots=True)
class Trace:
    """One handle on its way; ``kind`` is that of the framework data (``task``, ``thread`` ... or empty)."""

    kind: str
    passes_up: bool = True
    """Whether to go on at the callers where the handle is returned; what they do is ignored otherwise."""
    started: bool = False
    """Whether its ``start()`` was seen; a thread that nobody starts is no spawn."""
    attribute: str = ""
    local: bool = False
    outcomes: list[Outcome] = field(default_factory=list)
    """Of the calls of own helpers that return the handle."""
    starter: Method | None = None
    """The function that starts a thread or process, where looks at it right after that do not count."""
    since: int = 0
    """Where the start is in its file."""
    _seen: set[tuple[int, str]] = field(default_factory=set)

    def fate(self, expr: code.Expr, method: Method, depth: int = 0) -> Fate | None:
        """What the expression around ``expr`` does with the handle; none where it does nothing about it."""
        up = method.parent(expr)
        match up:
            case code.Await() if self.kind:
                return Fate.KEPT
            case code.Attr(name=name):
                return self._member(name, up, method, depth)
            case code.Call(func=func) if func is not expr:
                return self._passed(expr, up, method, depth)
            case code.Return():
                return self._returned(method, depth)
            case code.Lambda():
                return self._from_lambda(up, method)
            case code.Assign() | code.Walrus() | code.For() | code.Augment():
                return self._stored(expr, up, method, depth)
            case code.Do() | code.Compare() | code.Unary() | code.Text() | code.Delete() | None:
                return None
        if isinstance(up, _CARRIERS):
            return self._carried(expr, up, method, depth)
        return None if isinstance(up, _TESTS) else Fate.KEPT

    def _stored(
        self, expr: code.Expr, up: code.Assign | code.Walrus | code.For | code.Augment, method: Method, depth: int
    ) -> Fate | None:
        """The handle, or a container of handles, gets a name."""
        match up:
            case code.Assign(targets=targets):
                if any(part is expr for target in targets for part in code.walk(target)):
                    return None
                return _strongest(self._bound(target, method, depth) for target in targets)
            case code.Walrus(target=target, value=value) if value is expr:
                return _strongest([self._bound(target, method, depth), self.fate(up, method, depth)])
            case code.For() if isinstance(expr, code.Call) and not self.kind:
                return Fate.KEPT  # what is gone through is no address
            case code.For(target=target, iter=value) | code.Augment(target=target, value=value) if value is expr:
                return self._bound(target, method, depth)
        return None

    def _carried(self, expr: code.Expr, up: code.Expr, method: Method, depth: int) -> Fate | None:
        """The handle is, or is in, what ``up`` is made of."""
        match up:
            case code.Comp(elements=elements, clauses=clauses):
                clause = next((c for c in clauses if c.iter is expr), None)
                if clause is not None:
                    return self._bound(clause.target, method, depth)
                carries = any(e is expr for e in elements)
            case code.Sub(base=base):
                carries = base is expr
            case code.Cond(test=test):
                carries = test is not expr
            case code.Bool():
                above = method.parent(up)
                is_test = isinstance(above, code.Cond) and above.test is up
                carries = not (is_test or isinstance(above, (*_TESTS, code.Unary)))
            case _:
                carries = True
        return self.fate(up, method, depth) if carries else None

    def _member(self, name: str, attr: code.Attr, method: Method, depth: int) -> Fate | None:
        """``handle.name``, called or not."""
        call = method.parent(attr)
        called = isinstance(call, code.Call) and call.func is attr
        if name == "start" and called:
            self.started = True
        if name in _NEUTRAL or (self.kind == "pool" and name in _WORK) or name in _ADDS:
            return None
        if name in _VIEWS:
            return self.fate(call if called and isinstance(call, code.Call) else attr, method, depth)
        if name in _ASKS and self._at_start(attr, method):
            return Fate.GLANCED
        event = method.event(call) if called else None
        if not self.kind and event is not None and event.role in ("send", "cast", "put"):
            return Fate.MESSAGED
        return Fate.KEPT

    def _passed(self, expr: code.Expr, call: code.Call, method: Method, depth: int) -> Fate | None:
        """``f(handle)``."""
        event = method.event(call)
        if event is not None and event.certain and event.role in ("call", "wait", "kill", "stop"):
            return Fate.KEPT  # ray.get(handle)
        if logged(call, method) is not None or describes(call, method):
            return None
        if event is not None and not self.kind and event.role in ("send", "cast", "put") and event.target is expr:
            return Fate.MESSAGED
        if event is not None and self.kind == "pool" and event.role == "spawn":
            return None
        if isinstance(call.func, code.Attr) and call.func.name in _ADDS:
            return self._bound(call.func.base, method, depth, container=True)
        return self._inside(expr, call, method, depth) if self._at_start(call, method) else Fate.KEPT

    def _at_start(self, node: code.Node, method: Method) -> bool:
        """True right after the start, but for a loop that goes on as long as the thread lives."""
        if self.starter is None or method.code is not self.starter.code or node.start < self.since:
            return False
        return not any(isinstance(up, code.While) and any(e is node for e in code.walk(up.test))
                       for up in method.above(node))  # fmt: skip

    def _inside(self, expr: code.Expr, call: code.Call, method: Method, depth: int) -> Fate:
        """What a function of the project that is given the handle does with it."""
        helper = method.actor.facts.function(method.qualname(call.func))
        names = [p.name for p in helper.code.params] if helper is not None else []
        given = [a.name or (names[i] if i < len(names) else "") for i, a in enumerate(call.args) if a.value is expr]
        if helper is None or not given or not given[0] or depth > _MAX_DEPTH:
            return Fate.KEPT
        inner = Trace(self.kind, passes_up=False, started=True, starter=helper)
        uses = [e for e in helper.exprs() if isinstance(e, code.Name) and e.id == given[0]]
        found = _strongest(inner.fate(use, helper, depth + 1) for use in uses)
        return Fate.KEPT if found is None else found

    def _bound(self, target: code.Expr, method: Method, depth: int, *, container: bool = False) -> Fate | None:
        """What is done with the variable, attribute or container that now has it."""
        if depth > _MAX_DEPTH:
            return Fate.KEPT
        while isinstance(target, code.Sub):
            target = target.base
        attribute = method.own_attribute(target)
        if attribute:
            self.attribute = attribute
            return self._attribute(attribute, method, depth + 1)
        if isinstance(target, code.Name) and method.is_local(target.id):
            if container and any(p.name == target.id for p in method.code.params):
                return Fate.KEPT
            self.local = True
            return self._local(target.id, method, depth + 1)
        return Fate.KEPT

    def _local(self, name: str, method: Method, depth: int) -> Fate | None:
        if (id(method), name) in self._seen:
            return None
        self._seen.add((id(method), name))
        family = [m for m in method.actor.everything if m is method or _is_inside(m, method)]
        return _strongest(
            self.fate(expr, place, depth)
            for place in ([method] if method not in family else family)
            for expr in place.exprs()
            if isinstance(expr, code.Name) and expr.id == name
        )

    def _attribute(self, attribute: str, method: Method, depth: int) -> Fate | None:
        if (0, attribute) in self._seen:
            return None
        self._seen.add((0, attribute))
        actor = method.actor
        places = {id(m.code): m for a in (actor, *actor.subclasses()) for m in a.everything}
        found = [
            self.fate(expr, place, depth)
            for place in places.values()
            for expr in place.exprs()
            if isinstance(expr, (code.Attr, code.Name)) and place.own_attribute(expr) == attribute
        ]
        best = _strongest(found)
        if best is Fate.MESSAGED:
            return Fate.KEPT  # who keeps an address to speak to it may also end it
        if best is not Fate.KEPT and (_is_named(attribute, places.values()) or _is_cared_for(attribute, method)):
            return Fate.KEPT
        return best

    def _returned(self, method: Method, depth: int) -> Fate | None:
        """What the callers do with it; whoever may be called from elsewhere gives it to somebody."""
        if not self.passes_up:
            return None
        if method.role not in (Role.HELPER, Role.NESTED, Role.SETUP) or depth > _MAX_DEPTH:
            return Fate.KEPT
        calls = method.actor.sites(method)
        if not calls:
            return Fate.KEPT
        if (id(method), "()") in self._seen:
            return None
        self._seen.add((id(method), "()"))
        for call, caller in calls:
            awaited = caller.parent(call)
            given = awaited if method.code.is_async and isinstance(awaited, code.Await) else call
            inner = Trace(self.kind, started=self.started, _seen=set(self._seen))
            fate = inner.fate(given, caller, depth + 1)
            self.started = self.started or inner.started
            self.outcomes += inner.results(fate, call, caller)
        return None

    def _from_lambda(self, function: code.Lambda, method: Method) -> Fate | None:
        """A function that is called later: an event loop throws its result away."""
        call = method.parent(function)
        event = method.event(call) if isinstance(call, code.Call) else None
        return None if event is not None and event.role in ("timer", "callback") else Fate.KEPT

    def results(self, fate: Fate | None, call: code.Call, method: Method) -> list[Outcome]:
        """What all uses of the handle that ``call`` gives come to; one for each caller where it is only passed up."""
        if fate is Fate.GLANCED and not self.attribute:
            fate = Fate.KEPT
        if fate is None and self.outcomes and not self.attribute:
            return self.outcomes
        if fate is None or (fate is not Fate.KEPT and self.outcomes):
            fate = max([fate or self._unused(), *[o.fate for o in self.outcomes]])
        return [Outcome(fate, call, method, self.attribute)]

    def _unused(self) -> Fate:
        if self.attribute:
            return Fate.UNWATCHED
        return Fate.FORGOTTEN if self.local else Fate.DROPPED


def _strongest(fates: Iterable[Fate | None]) -> Fate | None:
    return max((f for f in fates if f is not None), default=None)


def _is_inside(inner: Method, outer: Method) -> bool:
    """A function nested in ``outer`` sees its locals."""
    up = inner.outer
    while up is not None:
        if up is outer:
            return True
        up = up.outer
    return False


def _is_named(attribute: str, places: Iterable[Method]) -> bool:
    """``getattr(self, "_task")``, also out of a list of names."""
    return any(isinstance(e, code.Const) and e.value == attribute for place in places for e in place.exprs())


def _is_cared_for(attribute: str, method: Method) -> bool:
    """Whether code outside of the class looks after the attribute: by a call, or where the class is known by name."""
    last = attribute.rpartition(".")[2]
    actor = method.actor
    names = {a.name.rpartition(".")[2] for a in (actor, *actor.subclasses())} | {method.owner.rpartition(".")[2]}
    facts = actor.facts
    for index in facts.holding(last):
        source = facts.source(index)
        done = source.remembered(_done_with).get(last) if not facts.is_test(index.path) else None
        if done is not None and (not done.isdisjoint(_CARES) or source.holds(names - {""})):
            return True
    return False


def _done_with(source: Source) -> dict[str, set[str]]:
    """The attributes of other objects that a file reads, each with the names that follow: ``x.task.cancel``."""
    found: dict[str, set[str]] = {}
    for read in re.finditer(r"(?<!\bself)\.(\w+)\b(?=\.(\w+)|)", source.text):
        found.setdefault(read[1], set()).add(read[2] or "")
    return found
