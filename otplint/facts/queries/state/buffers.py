"""Buffers: what an actor keeps of messages and work in flight, how it gets in, and how it gets out.

A buffer is an own list, deque, queue or string of bytes, or one of these for each key of a table; a table of entries by
key counts as well, with ends that say nothing about order.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otplint.facts.methods import Role
from otplint.facts.queries.messaging.messages import comes_with_message
from otplint.facts.queries.slices import behind, bindings
from otplint.facts.queries.state.containers import Containers, Made, Place, empty
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Method

_TAIL = {"append", "put", "put_nowait", "extend", "add"}
_HEAD = {"appendleft", "extendleft"}
_TAKES = {"get", "get_nowait"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One place where something gets into a buffer."""

    node: code.Node
    """The call, or the target of the assignment."""
    method: Method
    end: str
    """``head``, ``tail``, ``key`` (a table), ``grow`` (bytes), ``seed`` (filled at once) or ``middle``."""
    value: code.Expr | None
    """What gets in; for ``extend`` and ``seed`` all of it."""
    key: code.Expr | None = None
    nested: bool = False
    whole: bool = False
    """True where the value holds several entries."""


@dataclass(frozen=True, slots=True)
class Exit:
    """One place where something gets out of a buffer."""

    node: code.Node
    """The call, or the target of the assignment or ``del``."""
    method: Method
    end: str
    """``head``, ``tail``, ``key``, ``all`` (cleared, or replaced by an empty one) or ``part`` (cut, filtered)."""
    nested: bool = False


@dataclass(frozen=True, slots=True)
class Pass:
    """One walk over the entries of a buffer: a ``for``, a comprehension, or the whole of it handed to a call."""

    node: code.Expr
    """The expression that is walked over, or handed over."""
    loop: code.For | code.Comp | None
    method: Method
    flipped: bool
    place: Place


@dataclass(frozen=True, slots=True)
class Buffer:
    """One own container and all that happens to it."""

    actor: Actor
    attribute: str
    made: Made
    entries: tuple[Entry, ...]
    exits: tuple[Exit, ...]
    passes: tuple[Pass, ...]
    reversed_in_place: bool
    """True where some function calls ``reverse`` or ``sort`` on it, or keeps it as a heap."""

    @property
    def kind(self) -> str:
        """Of the container that entries are appended to: for a table of lists that of its lists."""
        nested = any(e.nested for e in self.entries)
        return (self.made.inner or "list") if nested else self.made.kind

    @property
    def is_sequence(self) -> bool:
        """True where entries have an order: a list, deque or queue, or a table of these."""
        return self.kind in ("list", "deque", "queue")

    def exempt(self, reason: str, /) -> bool:
        """Say why a rule is silent about it, where it is made and where it is filled; as ``Method.exempt``."""
        for method, node in ((self.made.method, self.made.node), *((e.method, e.node) for e in self.entries)):
            method.exempt(node, reason)
        return bool(reason)


@functools.lru_cache(maxsize=8)  # several rules ask about one actor in turn
def buffers(actor: Actor) -> tuple[Buffer, ...]:
    """The own containers of an actor that something gets into, in the order of their first entry."""
    containers = Containers(actor)
    entries: dict[str, list[Entry]] = {}
    exits: dict[str, list[Exit]] = {}
    passes: dict[str, list[Pass]] = {}
    turned: set[str] = set()
    for method in actor.everything:
        scanner = _Scanner(containers, method)
        for attribute, entry in scanner.entries():
            entries.setdefault(attribute, []).append(entry)
        for attribute, leave in scanner.exits():
            exits.setdefault(attribute, []).append(leave)
        for walk in scanner.passes():
            passes.setdefault(walk.place.attribute, []).append(walk)
        turned |= scanner.turned()
    found = []
    for attribute, coming in entries.items():
        origin = containers.made(attribute)
        if origin is not None:
            found.append(
                Buffer(
                    actor,
                    attribute,
                    origin,
                    tuple(coming),
                    tuple(exits.get(attribute, ())),
                    tuple(passes.get(attribute, ())),
                    attribute in turned,
                )
            )
    return tuple(found)


class _Scanner:
    """The uses of own containers in one function."""

    def __init__(self, containers: Containers, method: Method) -> None:
        self.containers = containers
        self.method = method

    def place(self, expr: code.Expr | None) -> Place | None:
        return self.containers.place_of(expr, self.method)

    def made(self, place: Place) -> Made:
        found = self.containers.made(place.attribute)
        assert found is not None
        return found

    def table(self, place: Place) -> bool:
        """True where the place is the whole of a mapping."""
        return self.made(place).kind == "dict" and not place.nested

    def _calls(self) -> Iterator[tuple[code.Call, str, Place]]:
        """Calls of a method of an own container: the call, the method's name, the container."""
        for call in self.method.calls:
            func = call.func
            if isinstance(func, code.Name):
                func = _bound_method(func, self.method)
            if isinstance(func, code.Attr):
                place = self.place(func.base)
                if place is not None and not place.copied:
                    yield call, func.name, place

    # -- in

    def entries(self) -> Iterator[tuple[str, Entry]]:
        for call, name, place in self._calls():
            entry = self._put(call, name, place)
            if entry is not None:
                yield place.attribute, entry
        for stmt in code.statements(self.method.body):
            if isinstance(stmt, code.Assign) and stmt.value is not None:
                for target, value in _pairs(stmt):
                    yield from self._assigned(target, value)
            elif isinstance(stmt, code.Augment):
                yield from self._augmented(stmt)

    def _put(self, call: code.Call, name: str, place: Place) -> Entry | None:
        method, first = self.method, call.args[0].value if call.args else None
        if self.table(place):
            if name == "setdefault" and len(call.args) == 2 and not empty(call.args[1].value, method):
                if isinstance(method.parent(call), code.Attr):
                    return None  # setdefault(key, Entry()).field: made on demand
                return Entry(call, method, "key", call.args[1].value, first)
            return None
        if name in _TAIL:
            return Entry(call, method, "tail", first, None, place.nested, name == "extend")
        if name in _HEAD:
            return Entry(call, method, "head", first, None, place.nested, name == "extendleft")
        if name == "insert" and len(call.args) == 2:
            zero = isinstance(first, code.Const) and first.value == 0
            return Entry(call, method, "head" if zero else "middle", call.args[1].value, None, place.nested)
        return None

    def _assigned(self, target: code.Expr, value: code.Expr) -> Iterator[tuple[str, Entry]]:
        method = self.method
        place = self.place(target)
        if isinstance(target, code.Sub) and isinstance(target.key, code.Slice) and place is not None:
            yield place.attribute, Entry(target, method, "head", value, None, place.nested, True)  # buffer[:0] = batch
        elif isinstance(target, code.Sub) and place is not None and place.nested and not place.copied:
            grown = self._grown(target, value, place)
            if grown is not None:
                yield place.attribute, grown
            elif not empty(value, method) and self.place(value) is None:
                yield place.attribute, Entry(target, method, "key", value, target.key)
        elif isinstance(target, code.Attr) and place is not None and method.own_attribute(target):
            grown = self._grown(target, value, place)
            if grown is not None:
                yield place.attribute, grown
            elif method.name not in ("", "__init__") and self._seeds(value, place):
                yield place.attribute, Entry(target, method, "seed", value, None, False, True)

    def _seeds(self, value: code.Expr, place: Place) -> bool:
        """True for a list of things that were not in the container before."""
        if empty(value, self.method) or place.attribute in behind(value, self.method).attributes:
            return False
        made_here = isinstance(value, code.Comp) or (isinstance(value, code.Call) and bool(value.args))
        return made_here and self.made(place).kind in ("list", "deque")

    def _grown(self, target: code.Expr, value: code.Expr, place: Place) -> Entry | None:
        """``[item, *old]``, ``old + [item]``, ``send(old + data)``: the old entries and new ones."""

        def old(expr: code.Expr) -> bool:
            found = self.place(expr.value if isinstance(expr, code.Star) else expr)
            return found is not None and (found.attribute, found.nested) == (place.attribute, place.nested)

        if isinstance(value, code.Seq) and len(value.items) > 1:
            first, last = value.items[0], value.items[-1]
            if isinstance(last, code.Star) and old(last):
                return Entry(target, self.method, "head", first, None, place.nested)
            if isinstance(first, code.Star) and old(first):
                return Entry(target, self.method, "tail", last, None, place.nested)
        for part in code.walk(value):
            if isinstance(part, code.Binary) and part.op == "+":
                if self.made(place).kind == "bytes" and not place.nested:
                    if old(part.left):
                        return Entry(target, self.method, "grow", part.right)
                elif part is value and (old(part.left) or old(part.right)):
                    new = part.right if old(part.left) else part.left
                    single = isinstance(new, code.Seq) and len(new.items) == 1
                    item = new.items[0] if isinstance(new, code.Seq) and single else new
                    end = "tail" if old(part.left) else "head"
                    return Entry(target, self.method, end, item, None, place.nested, not single)
        return None

    def _augmented(self, stmt: code.Augment) -> Iterator[tuple[str, Entry]]:
        place = self.place(stmt.target)
        if place is None or place.copied or stmt.op.rstrip("=") != "+":
            return
        kind = self.made(place).kind
        if kind == "bytes" and not place.nested:
            yield place.attribute, Entry(stmt.target, self.method, "grow", stmt.value)
        elif place.nested or kind in ("list", "deque"):
            single = isinstance(stmt.value, code.Seq) and len(stmt.value.items) == 1
            item = stmt.value.items[0] if isinstance(stmt.value, code.Seq) and single else stmt.value
            if place.nested and not self.made(place).inner and not isinstance(stmt.value, code.Seq):
                return  # a counter
            yield place.attribute, Entry(stmt.target, self.method, "tail", item, None, place.nested, not single)

    # -- out

    def exits(self) -> Iterator[tuple[str, Exit]]:
        for call, name, place in self._calls():
            end = self._taken(call, name, place)
            if end:
                yield place.attribute, Exit(call, self.method, end, place.nested)
        for stmt in code.statements(self.method.body):
            if isinstance(stmt, code.Assign) and stmt.value is not None:
                for target, value in _pairs(stmt):
                    yield from self._replaced(target, value)
            elif isinstance(stmt, code.Delete):
                for target in stmt.targets:
                    yield from self._deleted(target)

    def _taken(self, call: code.Call, name: str, place: Place) -> str:
        first = call.args[0].value if call.args else None
        kind = self.made(place).kind
        if name == "clear":
            return "all"
        if self.table(place):
            return "key" if name in ("pop", "popitem") else ""
        if kind in ("queue", "lifo") and not place.nested:
            return ("head" if kind == "queue" else "tail") if name in _TAKES else ""
        if name == "popleft":
            return "head"
        if name == "pop":
            if first is None or (isinstance(first, code.Const) and first.value == -1):
                return "tail"
            return "head" if isinstance(first, code.Const) and first.value == 0 else "part"
        return "part" if name in ("remove", "discard") else ""

    def _replaced(self, target: code.Expr, value: code.Expr) -> Iterator[tuple[str, Exit]]:
        method = self.method
        place = self.place(target)
        if place is None or place.copied or method.name in ("", "__init__"):
            return
        if not (isinstance(target, code.Attr) and method.own_attribute(target)) and not isinstance(target, code.Sub):
            return
        if empty(value, method):
            yield place.attribute, Exit(target, method, "all", place.nested)
            return
        filtered = isinstance(value, (code.Comp, code.Sub, code.Seq)) or self.place(value) is not None
        kept = filtered and place.attribute in behind(value, method).attributes
        if kept and self._grown(target, value, place) is None:
            yield place.attribute, Exit(target, method, "part", place.nested)

    def _deleted(self, target: code.Expr) -> Iterator[tuple[str, Exit]]:
        if not isinstance(target, code.Sub):
            return
        place = self.place(target.base)
        if place is None or place.copied:
            return
        key = target.key
        if self.table(place):
            end = "key"
        elif isinstance(key, code.Slice):
            end = "part" if key.parts else "all"
        elif isinstance(key, code.Const) and key.value in (0, -1):
            end = "head" if key.value == 0 else "tail"
        else:
            end = "part"
        yield place.attribute, Exit(target, self.method, end, place.nested)

    # -- through

    def passes(self) -> Iterator[Pass]:
        method = self.method
        for stmt in method.statements:
            if isinstance(stmt, code.For):
                place = self.place(_walked(stmt.iter))
                if place is not None:
                    yield Pass(stmt.iter, stmt, method, place.flipped, place)
        for expr in method.exprs():
            if isinstance(expr, code.Comp):
                place = self.place(_walked(expr.clauses[0].iter))
                if place is not None:
                    yield Pass(expr.clauses[0].iter, expr, method, place.flipped, place)
            elif isinstance(expr, code.Call) and self.place(expr) is None:
                for arg in expr.args:
                    place = self.place(arg.value)
                    if place is not None and not self.table(place):
                        yield Pass(arg.value, None, method, place.flipped, place)

    def turned(self) -> set[str]:
        found = {place.attribute for _, name, place in self._calls() if name in ("reverse", "sort")}
        for call in self.method.calls:
            heap = self.place(call.args[0].value) if call.args else None
            if heap is not None and self.method.qualname(call.func).startswith(("heapq.", "bisect.")):
                found.add(heap.attribute)
        return found


def _walked(source: code.Expr) -> code.Expr:
    """The container behind ``buffer.values()`` and ``list(buffer.items())``."""
    match source:
        case code.Call(func=code.Name(id="list" | "tuple" | "sorted"), args=(arg,)) if isinstance(arg.value, code.Call):
            return _walked(arg.value)
        case code.Call(func=code.Attr(base=base, name="values" | "items")):
            return base
    return source


def _pairs(stmt: code.Assign) -> Iterator[tuple[code.Expr, code.Expr]]:
    """Targets with their values, tuples taken apart."""
    assert stmt.value is not None
    for target in stmt.targets:
        if isinstance(target, code.Seq):
            if isinstance(stmt.value, code.Seq) and len(stmt.value.items) == len(target.items):
                yield from zip(target.items, stmt.value.items, strict=True)
        else:
            yield target, stmt.value


def _bound_method(name: code.Name, method: Method) -> code.Expr:
    """``append`` behind ``put = self.buffer.append``, also one function further out."""
    place: Method | None = method
    while place is not None:
        values = list(bindings(name.id, place))
        if values or any(p.name == name.id for p in place.code.params):
            return values[0] if len(values) == 1 else name
        place = place.outer
    return name


def accepted(entry: Entry) -> bool:
    """True where what gets in comes with a message, or with a call from outside."""
    if entry.value is None:
        return False
    found = behind(entry.value, entry.method)
    return found.foreign or comes_with_message(entry.value, entry.method)


def runs(*methods: Method) -> list[Method]:
    """The functions and the own ones that they run themselves: not what they start as a task, thread or timer."""
    found = [*methods]
    for method in found:
        started = {id(e.payload) for e in method.events if e.role in ("spawn", "timer", "callback")}
        for call in method.calls:
            inner = method.actor.own_method(call, method)
            if inner is not None and inner not in found and id(call) not in started:
                found.append(inner)
    return found


def reached_from(actor: Actor, *roles: Role) -> list[Method]:
    """The functions that those of some roles run."""
    return runs(*[m for m in actor.everything if m.role in roles])
