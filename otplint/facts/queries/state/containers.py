"""Own containers behind expressions: which attribute, whole or one of its entries, in which order.

A buffer is rarely used under its own name: it is handed to a helper, copied, reversed, or kept for each receiver in a
table of buffers. :func:`place_of` sees through all of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from otplint.facts.passed_state import written_in
from otplint.facts.queries.messaging.messages import given_for
from otplint.facts.queries.slices import bindings
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Method

_MAX_DEPTH = 6
_COPIES = {"list", "tuple", "iter", "enumerate", "collections.deque", "set", "frozenset"}
_QUEUES = {"queue.Queue", "queue.SimpleQueue", "asyncio.Queue", "multiprocessing.Queue", "queue.LifoQueue",
           "multiprocessing.JoinableQueue", "multiprocessing.SimpleQueue", "asyncio.LifoQueue", "queue.PriorityQueue",
           "asyncio.PriorityQueue"}  # fmt: skip
_PLAIN = {"list": "list", "collections.UserList": "list", "dict": "dict", "collections.defaultdict": "dict",
          "collections.OrderedDict": "dict", "bytearray": "bytes", "bytes": "bytes"}  # fmt: skip
_TYPES = {"List": "list", "Deque": "deque", "Dict": "dict", "DefaultDict": "dict", "OrderedDict": "dict",
          "list": "list", "deque": "deque", "dict": "dict", "defaultdict": "dict", "Mapping": "dict",
          "MutableMapping": "dict", "MutableSequence": "list", "Sequence": "list"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """Where a container is made: the statement, the value, and what it is."""

    node: code.Expr
    """The attribute as it is assigned."""
    value: code.Expr
    method: Method
    kind: str
    """``list``, ``deque``, ``queue``, ``dict``, ``bytes`` or ``lifo``."""
    bound: code.Expr | None
    """The length that its constructor allows."""
    inner: str = ""
    """What a table's entries are, where its annotation or its default factory says so."""


@dataclass(frozen=True, slots=True)
class Place:
    """What an expression is of an own container."""

    attribute: str
    nested: bool = False
    """One entry of a table, itself a container."""
    flipped: bool = False
    """Reversed an odd number of times."""
    copied: bool = False
    """The entries, but not the container itself."""


def container(value: code.Expr | None, method: Method) -> tuple[str, code.Expr | None] | None:
    """Kind and bound of a container that ``value`` makes, empty or with first entries; none for anything else."""
    match value:
        case code.Seq(kind="list"):
            return "list", None
        case code.Dict():
            return "dict", None
        case code.Comp(kind="list" | "dict" as kind):
            return kind, None
        case code.Const(value=bytes() | str() as text) if not text:
            return "bytes", None
        case code.Call():
            return _constructed(value, method)
    return None


def _constructed(call: code.Call, method: Method) -> tuple[str, code.Expr | None] | None:
    name = method.qualname(call.func).removeprefix("builtins.")
    if name in _PLAIN:
        return _PLAIN[name], None
    if name == "collections.deque":
        room = call.argument(1, "maxlen")
        return "deque", None if isinstance(room, code.Const) and room.value is None else room
    if name in _QUEUES:
        size = call.argument(0, "maxsize")
        free = isinstance(size, code.Const) and isinstance(size.value, int) and size.value <= 0
        return "lifo" if "Lifo" in name else "queue", None if free else size
    factory = call.keyword("default_factory") if name.rpartition(".")[2] == "field" else None
    if factory is not None:
        return container(code.Call(call.start, call.end, factory, ()), method)
    if isinstance(call.func, code.Lambda):
        return container(call.func.body, method)
    return None


def made(actor: Actor, attribute: str) -> Made | None:
    """Where the actor makes the container that an attribute holds; none where it is given one, or holds others."""
    head, _, rest = attribute.partition(".")
    if rest:
        return _made_inside(actor, head, rest)
    found: Made | None = None
    for stmt, value, method in actor.assignments(attribute):
        kind = container(value, method)
        if kind is None:
            continue
        plain = isinstance(value, (code.Seq, code.Dict, code.Const, code.Call))
        if found is not None and not (plain and found.kind == kind[0] and method.name == "__init__"):
            continue
        node = _target(stmt, attribute, method)
        found = Made(node, value, method, kind[0], kind[1], _inner(stmt, value, method))
    return found


def _made_inside(actor: Actor, head: str, rest: str) -> Made | None:
    """``self.state.queue``, where ``state`` is an object of the project's that makes the container."""
    for stmt, value, method in actor.assignments(head):
        owner = actor.facts.owner(method.qualname(value.func)) if isinstance(value, code.Call) else None
        inner = made(owner, rest) if owner is not None else None
        if inner is not None:
            return replace(inner, node=_target(stmt, head, method), method=method, value=value)
    return None


def _target(stmt: code.Stmt, attribute: str, method: Method) -> code.Expr:
    if method.actor.kind.passes_state and (place := written_in(stmt, attribute)) is not None:
        return place
    targets = stmt.targets if isinstance(stmt, code.Assign) else ()
    parts = [p for t in targets for p in (t.items if isinstance(t, code.Seq) else (t,))]
    for part in parts:
        if method.own_attribute(part) == attribute or code.dotted(part) == attribute:
            return part
    return parts[0]


def _inner(stmt: code.Stmt, value: code.Expr, method: Method) -> str:
    """``list`` for ``dict[Pid, list[Envelope]]`` and ``defaultdict(list)``."""
    if isinstance(value, code.Call) and value.args and method.qualname(value.func) == "collections.defaultdict":
        factory = value.args[0].value
        kind = container(code.Call(value.start, value.end, factory, ()), method)
        return kind[0] if kind is not None else ""
    annotation = stmt.annotation if isinstance(stmt, code.Assign) else None
    key = annotation.key if isinstance(annotation, code.Sub) else None
    if isinstance(key, code.Seq) and len(key.items) == 2:
        last = key.items[1]
        name = code.dotted(last.base if isinstance(last, code.Sub) else last)
        return _TYPES.get(name.rpartition(".")[2], "")
    return ""


def empty(value: code.Expr | None, method: Method) -> bool:
    """True for a new container without entries."""
    match value:
        case code.Seq(items=()) | code.Dict(items=()):
            return True
        case code.Const(value=bytes() | str() as text):
            return not text
        case code.Call(args=args):
            return container(value, method) is not None and all(a.name in ("maxlen", "maxsize") for a in args)
    return False


class Containers:
    """The own containers of one actor, each looked up once."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self._made: dict[str, Made | None] = {}

    def made(self, attribute: str) -> Made | None:
        """As the function of that name."""
        if attribute not in self._made:
            self._made[attribute] = made(self.actor, attribute)
        return self._made[attribute]

    def is_table(self, attribute: str) -> bool:
        """True for a mapping."""
        found = self.made(attribute)
        return found is not None and found.kind == "dict"

    def place_of(self, expr: code.Expr | None, method: Method, depth: int = 0) -> Place | None:
        """What ``expr`` is of an own container; none for single entries of a sequence and everything else."""
        if expr is None or depth > _MAX_DEPTH:
            return None
        own = method.own_attribute(expr) if isinstance(expr, (code.Attr, code.Name)) else ""
        if own:
            if self.made(own) is not None:
                return Place(own)
            return self._getter(own, depth)
        match expr:
            case code.Name(id=name):
                return self._named(name, method, depth + 1)
            case code.Sub(base=base, key=key):
                return self._item(base, key, method, depth + 1)
            case code.Call():
                return self._called(expr, method, depth + 1)
            case code.Bool(parts=parts):
                return next((p for part in parts if (p := self.place_of(part, method, depth + 1))), None)
            case code.Cond(then=then, other=other):
                return self.place_of(then, method, depth + 1) or self.place_of(other, method, depth + 1)
            case code.Comp(elements=(element,), clauses=(clause,)) if code.same(element, clause.target):
                found = self.place_of(clause.iter, method, depth + 1)
                return replace(found, copied=True) if found is not None else None
            case code.Walrus(value=value) | code.Star(value=value):
                return self.place_of(value, method, depth + 1)
        return None

    def _getter(self, own: str, depth: int) -> Place | None:
        """What a property of the actor gives."""
        getter = self.actor.method(own)
        if getter is None or not any("property" in code.dotted(d) for d in getter.code.decorators):
            return None
        places = {self.place_of(value, getter, depth + 1) for value in _returned(getter)}
        return places.pop() if len(places) == 1 else None

    def _named(self, name: str, method: Method, depth: int) -> Place | None:
        place: Method | None = method
        while place is not None:
            if any(p.name == name for p in place.code.params):
                return self._given(name, place, depth)
            values = list(bindings(name, place))
            if values:
                return self._bound(name, values, place, depth)
            place = place.outer
        return None

    def _bound(self, name: str, values: list[code.Expr], method: Method, depth: int) -> Place | None:
        found = [(v, self.place_of(v, method, depth)) for v in values if not empty(v, method)]
        given = {id(value) for value in values}
        for stmt in method.remembered(_binding):
            if isinstance(stmt, code.For):
                looped = self._looped(name, stmt.target, stmt.iter, method, depth)
                if looped is not None:
                    return looped
                if id(stmt.iter) in given:
                    return None  # one entry of it
            elif id(stmt.value) in given:
                return None  # unpacked, which only displays may be (they are taken apart before)
        for clause in method.remembered(_clauses):
            looped = self._looped(name, clause.target, clause.iter, method, depth)
            if looped is not None or id(clause.iter) in given:
                return looped
        places = {p for _, p in found}
        if len(places) == 1:
            return places.pop()
        return None

    def _looped(self, name: str, target: code.Expr, source: code.Expr, method: Method, depth: int) -> Place | None:
        """``for key, held in self.buffers.items()``, ``for held in self.buffers.values()``."""
        match source:
            case code.Call(func=code.Name(id="list" | "tuple"), args=(arg,)):
                return self._looped(name, target, arg.value, method, depth)
            case code.Call(func=code.Attr(base=base, name="items")):
                part = target.items[1] if isinstance(target, code.Seq) and len(target.items) == 2 else None
            case code.Call(func=code.Attr(base=base, name="values")):
                part = target
            case _:
                return None
        if not isinstance(part, code.Name) or part.id != name:
            return None
        table = self.place_of(base, method, depth)
        return Place(table.attribute, nested=True) if table and self.is_table(table.attribute) else None

    def _given(self, name: str, method: Method, depth: int) -> Place | None:
        """A parameter that all own callers give the same container."""
        if method.name in ("__init__", "__call__"):
            return None
        places = {
            self.place_of(value, caller, depth)
            for call, caller in method.actor.sites(method)
            if (value := given_for(name, call, method)) is not None
        }
        return places.pop() if len(places) == 1 else None

    def _item(self, base: code.Expr, key: code.Expr, method: Method, depth: int) -> Place | None:
        found = self.place_of(base, method, depth)
        if found is None:
            return None
        if isinstance(key, code.Slice):
            steps = method.source.text[key.start : key.end].split(":")
            backwards = len(steps) == 3 and steps[2].strip().startswith("-")
            return replace(found, copied=True, flipped=found.flipped != backwards)
        if self.is_table(found.attribute) and not found.nested:
            return replace(found, nested=True)
        return None

    def _called(self, call: code.Call, method: Method, depth: int) -> Place | None:
        func = call.func
        name = method.qualname(func).removeprefix("builtins.")
        first = call.args[0].value if call.args else None
        if name == "reversed":
            found = self.place_of(first, method, depth)
            return replace(found, flipped=not found.flipped, copied=True) if found is not None else None
        if name in _COPIES:
            found = self.place_of(first, method, depth)
            return replace(found, copied=True) if found is not None else None
        if isinstance(func, code.Attr):
            found = self.place_of(func.base, method, depth)
            if found is not None:
                if func.name == "copy":
                    return replace(found, copied=True)
                table = self.is_table(found.attribute) and not found.nested
                if table and func.name in ("get", "setdefault", "pop"):
                    return replace(found, nested=True)
                return None
        helper = method.actor.own_method(call, method)
        if helper is None:
            return None
        returned = {self.place_of(value, helper, depth) for value in _returned(helper)} - {None}
        return returned.pop() if len(returned) == 1 else None


def _binding(method: Method) -> tuple[code.For | code.Assign, ...]:
    """The loops of a function, and its assignments that unpack."""
    return tuple(
        s
        for s in method.statements
        if isinstance(s, code.For) or (isinstance(s, code.Assign) and any(isinstance(t, code.Seq) for t in s.targets))
    )


def _clauses(method: Method) -> tuple[code.Clause, ...]:
    return tuple(clause for e in method.exprs() if isinstance(e, code.Comp) for clause in e.clauses)


def _returned(helper: Method) -> Iterator[code.Expr]:
    for stmt in helper.statements:
        if isinstance(stmt, code.Return) and stmt.value is not None:
            yield stmt.value
