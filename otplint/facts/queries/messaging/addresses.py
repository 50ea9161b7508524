"""Which actor an expression stands for: the address of one, a proxy, a name, or something that was handed in.

Followed are results of spawns, locals and attributes, registered names, annotations (``ActorRef[Bank]``), and what
the project gives when it makes the actor: ``Till(bank)``, ``Till.start(bank)``, ``spawn(Till, bank)``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from otplint.facts.kinship import SETUP_ROLES
from otplint.facts.methods import Event
from otplint.facts.module_actors import registered
from otplint.facts.origins import sources
from otplint.facts.queries.callers import functions_naming, may_name
from otplint.facts.queries.messaging.messages import given_for
from otplint.facts.syntax import code
from otplint.facts.values import annotation_type, given_value

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.facts import Facts
    from otplint.facts.methods import Method

_MAX_DEPTH = 10
_STARTS = ("spawn", *SETUP_ROLES)
_NAMES = re.compile(r"[\w.]+")


class Start(NamedTuple):
    """A place in the project that makes an actor."""

    call: code.Call
    """The constructor's call, or the spawn that is given the class."""
    method: Method
    first: int
    """Position of the argument that becomes the constructor's first one."""
    name: str
    """The name by which the actor is registered there, if it is."""


class Addresses:
    """Answers about one project, kept for it."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._starts: dict[str, list[Start]] = {}
        self._named: dict[str, Actor | None] = {}
        self._busy: set[tuple[int, int]] = set()

    def actors(self, expr: code.Expr | None, method: Method, depth: int = 0) -> list[Actor]:
        """The actors that ``expr`` may stand for; empty where it is not known."""
        key = (id(expr), id(method))
        if expr is None or depth > _MAX_DEPTH or key in self._busy:
            return []
        self._busy.add(key)
        try:
            return list(dict.fromkeys(self._actors(expr, method, depth)))
        finally:
            self._busy.discard(key)

    def _actors(self, expr: code.Expr, method: Method, depth: int) -> Iterator[Actor]:
        if is_self(expr, method):
            yield method.actor
            return
        match expr:
            case code.Const(value=str(name)):
                yield from self._called(name)
            case code.Name(id="__name__"):
                yield from self._called(method.source.index.module)
            case code.Call():
                yield from self._made(expr, method, depth)
            case code.Name(id=name) if (holder := _holder(name, method)) is not None:
                yield from self._parameter(name, holder, depth)
            case _:
                for source in sources(expr, method):
                    yield from self.actors(source.expr, source.method, depth + 1)
                own = method.own_attribute(expr)
                for _, annotation, place in method.actor.assigned(own) if own and "." not in own else ():
                    yield from self._annotated(annotation, place)

    def _made(self, call: code.Call, method: Method, depth: int) -> Iterator[Actor]:
        event = method.event(call) or _by_name(call, method)
        if event is not None and event.role in _STARTS:
            yield from self._started(call, event, method, depth)
        elif event is not None and event.role in ("make", "expose") and isinstance(call.func, code.Attr):
            yield from self.actors(call.func.base, method, depth + 1)  # ref.proxy(), handle.options()
        else:
            found = self._class(method.qualname(call.func))
            if found is not None:
                yield found
            for source in sources(call, method) if found is None else ():
                yield from self.actors(source.expr, source.method, depth + 1)

    def _started(self, call: code.Call, event: Event, method: Method, depth: int) -> Iterator[Actor]:
        """The class that a spawn names: as its receiver, its payload, or in the function that makes the instance."""
        for part in (call.func, event.payload or call.positional(0)):
            for expr in code.walk(part, lambdas=True):
                found = self._class(method.qualname(expr))
                if found is not None:
                    yield found
                    return
        payload = event.payload or call.positional(0)
        inner = payload.body if isinstance(payload, code.Lambda) else payload
        if isinstance(inner, code.Name):
            yield from self.actors(inner, method, depth + 1)

    def _parameter(self, name: str, method: Method, depth: int) -> Iterator[Actor]:
        param = next(p for p in method.code.params if p.name == name)
        yield from self._annotated(param.annotation, method)
        if method.name == "__init__" and method.outer is None:
            owner = method.actor
            for start in self.starts(owner):
                position = [p.name for p in method.code.params].index(name) - 1 + start.first
                yield from self.actors(start.call.argument(position, name), start.method, depth + 1)
            return
        for call, caller in method.actor.facts.calls_of(method):
            yield from self.actors(given_for(name, call, method), caller, depth + 1)

    def _annotated(self, annotation: code.Expr | None, method: Method) -> Iterator[Actor]:
        """``ActorProxy[Bank]``, ``ActorHandle[Bank] | None``, and the class itself where proxies are written so."""
        for expr in code.walk(annotation):
            if isinstance(expr, code.Const):
                names = _NAMES.findall(expr.value) if isinstance(expr.value, str) else []
                types = [method.source.resolve(name) for name in names]
            else:
                types = [annotation_type(expr, method)] if isinstance(expr, (code.Name, code.Attr)) else []
            for type_ in types:
                found = self._class(type_)
                if found is not None:
                    yield found

    def _class(self, qualified: str) -> Actor | None:
        located = self._facts.project.find_class(qualified) if qualified else None
        found = self._facts.actor(*located) if located is not None else None
        return found if found is not None and found.is_actor and found.form == "class" else None

    # -- where actors are made

    def starts(self, actor: Actor) -> list[Start]:
        """The places that make the actor, tests left out."""
        if actor.qualname not in self._starts:
            self._starts[actor.qualname] = []  # asked again meanwhile: nothing more is known
            self._starts[actor.qualname] = list(self._search(actor))
        return self._starts[actor.qualname]

    def _search(self, actor: Actor) -> Iterator[Start]:
        facts = self._facts
        home, _, last = actor.qualname.rpartition(".")
        for index in facts.holding(last):  # who imports it by another name says this one too
            if facts.is_test(index.path) or not may_name(index, home, last, facts):
                continue
            local = [last, *[name for name, target in index.imports.items() if target.rpartition(".")[2] == last]]
            word = re.compile(rf"\b(?:{'|'.join(map(re.escape, local))})\b")
            for method in functions_naming(index, facts, word):
                yield from self._starts_in(method, actor)

    def _starts_in(self, method: Method, actor: Actor) -> Iterator[Start]:
        for expr in method.exprs():
            if not isinstance(expr, (code.Name, code.Attr)) or method.qualname(expr) != actor.qualname:
                continue
            made, name, first = None, "", 0
            for up in method.above(expr):
                if not isinstance(up, code.Call):
                    continue
                event = method.event(up) or _by_name(up, method)
                if up.func is expr:
                    made = up
                elif made is None and given_value(up) is expr:
                    made, first = up, 1
                elif event is not None and event.role in _STARTS:
                    name = name or _registered(up, event)
                    if made is None:
                        made, first = up, _first_argument(up, expr)
            if made is not None:
                yield Start(made, method, first, name)

    def _called(self, name: str) -> Iterator[Actor]:
        """The actor that the project registers under a name."""
        if name not in self._named:
            known = self._facts.remembered(registered).get(name)
            self._named[name] = known or (next(self._registered_as(name), None) if name else None)
        found = self._named[name]
        yield from () if found is None else (found,)

    def _registered_as(self, name: str) -> Iterator[Actor]:
        facts = self._facts
        written = re.compile(rf"(?<=[\"']){re.escape(name)}(?=[\"'])")
        for index in facts.holding(name):
            for method in functions_naming(index, facts, written) if not facts.is_test(index.path) else ():
                for call in method.calls:
                    event = method.event(call) or _by_name(call, method)
                    if event is not None and event.role in _STARTS and _registered(call, event) == name:
                        yield from self._started(call, event, method, 0)


def addresses(facts: Facts) -> Addresses:
    """The answers about a project, the same object for the same facts."""
    return facts.remembered(Addresses)


def is_self(expr: code.Expr | None, method: Method) -> bool:
    """True for the actor's own address, and for a proxy or reference that is made of it."""
    while isinstance(expr, code.Call) and isinstance(expr.func, code.Attr):
        event = method.event(expr)
        if event is None or event.role != "make":
            return False
        expr = expr.func.base
        if isinstance(expr, code.Name) and expr.id == method.self_name and method.self_name:
            return event.certain  # self.ref()
    own = method.own_attribute(expr)
    types = {op.returns for op in method.actor.framework.operations if op.role == "spawn" and op.returns}
    return bool(own) and method.actor.kind.attributes.get(own, "") in types


def _holder(name: str, method: Method) -> Method | None:
    """The function, this one or one around it, whose parameter the name is."""
    place: Method | None = method
    while place is not None:
        if any(p.name == name for p in place.code.params):
            return place if name != place.self_name else None
        if place.is_local(name) and any(True for _ in sources(code.Name(0, 0, name), place)):
            return None
        place = place.outer
    return None


def _by_name(call: code.Call, method: Method) -> Event | None:
    """``anything.spawn(...)``, where only the name speaks: it counts if what is started there is an actor."""
    if isinstance(call.func, code.Attr) and method.event(call) is None:
        for framework, operation, _ in method.actor.facts.vocabulary.methods.get(call.func.name, ()):
            if operation.role == "spawn":
                return Event(operation.role, call, method, framework, operation, False)
    return None


def _registered(call: code.Call, event: Event) -> str:
    given = event.argument(event.operation.named) or call.keyword("name")
    return given.value if isinstance(given, code.Const) and isinstance(given.value, str) else ""


def _first_argument(call: code.Call, named: code.Expr) -> int:
    """Where the constructor's arguments begin: after the class, or first where the class is the receiver."""
    for position, arg in enumerate(call.args):
        if arg.value is named:
            return position + 1
    return 0
