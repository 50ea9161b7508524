"""What becomes of a value: kept, handed on, waited for, looked at, or nothing at all.

The forward half of :mod:`otplint.facts.queries.slices`. A local counts as used only where a path leads from its
assignment to the use, so that two branches may share a name.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, NamedTuple

from otplint.facts.methods import Method, Role
from otplint.facts.queries.failure.catches import logged
from otplint.facts.queries.slices import behind
from otplint.facts.queries.watching.releases import is_record, mention
from otplint.facts.syntax import code
from otplint.facts.values import matched

if TYPE_CHECKING:
    from otplint.facts.flow import Point

_MAX_DEPTH = 6
_LOOKS = {"len", "str", "repr", "isinstance", "id", "hash", "type", "bool", "print", "any", "all", "format", "int"}
_HOLDERS = {"tuple", "list", "set", "dict", "frozenset", "iter", "reversed", "sorted", "collections.deque",
            "collections.OrderedDict", "types.SimpleNamespace", "typing.cast", "weakref.ref", "map", "zip"}  # fmt: skip
_INSERTS = {"append", "appendleft", "add", "insert", "setdefault", "update", "extend", "put_nowait", "__setitem__"}
_READS = {"get", "pop", "values", "items", "keys", "copy", "popitem", "popleft", "index", "count"}
_SENDS = ("send", "cast", "call", "reply", "timer")
_WAITS = ("wait", "take")
_ENDS = (*code.STATEMENTS, code.Lambda, code.Yield, code.Case)
_HOLDS = (code.Attr, code.Sub, code.Await, code.Star, code.Bool, code.Binary, code.Seq, code.Dict, code.Comp)


class Fate(NamedTuple):
    """One end of a value."""

    kind: str
    """``stored`` in an attribute, ``released``, ``waited``, ``sent`` in a message or answer, ``asked`` to do something
    by a method of its own, ``escaped`` to code that may do anything with it, or ``looked`` at."""
    node: code.Node
    method: Method
    attribute: str = ""
    """The own attribute that holds it now."""
    inside: bool = False
    """True where it is one of the attribute's entries, not its value."""


def fates(expr: code.Node, method: Method) -> list[Fate]:
    """The ends of the value of ``expr``; none where it is thrown away."""
    return list(dict.fromkeys(_Forward().follow(expr, method, 0)))


class _Forward:
    def __init__(self) -> None:
        self._seen: set[tuple[int, int]] = set()

    def follow(self, expr: code.Node, method: Method, depth: int) -> Iterator[Fate]:
        """Climb from the value to the statement that holds it."""
        key = (id(expr), id(method))
        if key in self._seen or depth > _MAX_DEPTH:
            return
        self._seen.add(key)
        below: code.Node = expr
        up = method.parent(expr)
        inside = False
        while up is not None:
            if isinstance(up, _ENDS):
                yield from self._ended(up, below, method, inside, depth)
                return
            goes_on = yield from self._through(up, below, method, depth)
            if not goes_on:
                return
            inside = inside or isinstance(up, (code.Call, code.Seq, code.Dict, code.Comp))
            below, up = up, method.parent(up)

    def _through(self, up: code.Node, below: code.Node, method: Method, depth: int) -> Generator[Fate, None, bool]:
        """One expression further up; returns true where its own value is, or holds, the value."""
        match up:
            case code.Call():
                if up.func is below:
                    yield from self._called(up, below, method)
                    return False
                return (yield from self._argument(up, below, method, depth))
            case code.Sub(base=base, key=index) if index is below:
                holder = method.parent(up)
                if isinstance(holder, code.Assign) and any(up is t for t in holder.targets):
                    yield from self._stored(base, up, method, True, depth)
                else:
                    yield Fate("looked", up, method)
                return False
            case code.Cond() if up.test is not below:
                return True
            case code.Comp(elements=elements) if not any(below is e for e in elements):
                yield from self._looped(up, below, method, depth)
                return False
            case code.Walrus(target=target, value=value) if value is below:
                yield from self._local(target.id, up, method, depth)
                return True
        if isinstance(up, _HOLDS):
            return True
        yield Fate("looked", up, method)
        return False

    def _ended(self, up: code.Node, below: code.Node, method: Method, inside: bool, depth: int) -> Iterator[Fate]:
        """The statement, or the lambda, that the value ends in."""
        match up:
            case code.Lambda() | code.Yield() | code.Raise():
                yield Fate("escaped", up, method)
            case code.Return():
                yield from self._returned(up, method, depth)
            case code.Assign(targets=targets):
                for target in targets:
                    yield from self._assigned(target, up, below, method, inside, depth)
            case code.Augment(target=target):
                yield from self._assigned(target, up, below, method, True, depth)
            case code.With():
                yield Fate("released", up, method)
            case code.For(target=target):
                for name in _bound(target):
                    yield from self._local(name, up, method, depth)
            case code.Do() | code.Function() | code.Class():
                return
            case _:
                yield Fate("looked", up, method)

    # -- one step

    def _called(self, call: code.Call, func: code.Node, method: Method) -> Iterator[Fate]:
        """A method of the value is called."""
        event = method.event(call)
        if event is not None and event.role in ("release", *_WAITS):
            yield Fate("released" if event.role == "release" else "waited", call, method)
        elif isinstance(func, code.Attr) and func.name in ("format", "startswith", "endswith"):
            yield Fate("looked", call, method)
        elif isinstance(func, code.Attr) and func.name in _READS:
            yield from self.follow(call, method, 1)
        else:
            yield Fate("asked", call, method)

    def _argument(self, call: code.Call, value: code.Node, method: Method, depth: int) -> Generator[Fate, None, bool]:
        """The value is an argument; returns true where the result of the call holds it."""
        event = method.event(call)
        if event is not None and event.role in ("release", *_WAITS, *_SENDS):
            kind = {"release": "released"}.get(event.role, "waited" if event.role in _WAITS else "sent")
            yield Fate(kind, call, method)
            return False
        if any(mention(arg.value, method) for arg in call.args):
            yield Fate("released", call, method)
            return False
        name = method.qualname(call.func)
        if name.removeprefix("builtins.") in _LOOKS or logged(call, method) is not None or _is_log_like(call):
            yield Fate("looked", call, method)
            return False
        if name.removeprefix("builtins.") in _HOLDERS:
            return True
        if isinstance(call.func, code.Attr) and call.func.name in _READS:
            yield Fate("looked", call, method)  # a key
            return False
        if isinstance(call.func, code.Attr) and call.func.name in ("remove", "discard"):
            yield Fate("looked", call, method)
            return False
        if isinstance(call.func, code.Attr) and call.func.name in _INSERTS:
            yield from self._stored(call.func.base, call, method, True, depth)
            return False
        helper = method.actor.own_method(call, method)
        if helper is not None:
            parameter = _parameter(call, value, helper)
            if parameter:
                yield from self._uses(parameter, helper, None, depth + 1)
            else:
                yield Fate("escaped", call, method)
            return False
        if is_record(name, method):
            return True
        yield Fate("escaped", call, method)
        return False

    def _looped(self, comp: code.Comp, below: code.Node, method: Method, depth: int) -> Iterator[Fate]:
        for clause in comp.clauses:
            if clause.iter is below:
                names = set(_bound(clause.target))
                for element in (*comp.elements, *[t for c in comp.clauses for t in c.tests]):
                    for expr in code.walk(element):
                        if isinstance(expr, code.Name) and expr.id in names:
                            yield from self.follow(expr, method, depth + 1)
                return
        yield Fate("looked", comp, method)

    def _returned(self, stmt: code.Return, method: Method, depth: int) -> Iterator[Fate]:
        sites = method.actor.sites(method)
        for call, caller in sites:
            yield from self.follow(call, caller, depth + 1)
        if method.role in (Role.HANDLER, Role.LOOP):
            yield Fate("sent", stmt, method)
        elif not sites:
            yield Fate("escaped", stmt, method)

    def _assigned(
        self, target: code.Expr, stmt: code.Stmt, value: code.Node, method: Method, inside: bool, depth: int
    ) -> Iterator[Fate]:
        match target:
            case code.Name(id=name):
                if any(isinstance(s, code.Scope) and name in s.names for s in method.statements):
                    yield Fate("escaped", stmt, method)
                else:
                    yield from self._local(name, stmt, method, depth)
            case code.Seq(items=items):
                whole = stmt.value if isinstance(stmt, code.Assign) else None
                for item in items:
                    part = item.value if isinstance(item, code.Star) else item
                    if isinstance(part, code.Name) and whole is not None:
                        bound = matched(target, whole, part.id)
                        if bound is not None and not any(e is value or e is bound for e in code.walk(bound)):
                            continue
                        if bound is not None and bound is not whole and not _holds(bound, value):
                            continue
                    yield from self._assigned(part, stmt, value, method, inside, depth)
            case code.Attr() if own := method.own_attribute(target):
                yield Fate("stored", stmt, method, own, inside)
            case code.Attr(base=base) | code.Sub(base=base):
                yield from self._stored(base, stmt, method, True, depth)

    def _stored(
        self, container: code.Expr, node: code.Node, method: Method, inside: bool, depth: int
    ) -> Iterator[Fate]:
        """Put into a container: an attribute, an entry of one, or a local that has a fate of its own."""
        own = method.own_attribute(container)
        sources = behind(container, method)
        if own:
            for attribute in sorted(sources.attributes | {own}):
                yield Fate("stored", node, method, attribute, inside)
            return
        for attribute in sorted(sources.attributes):
            yield Fate("stored", node, method, attribute, inside)
        if isinstance(container, code.Name) and method.is_local(container.id):
            yield from self._local(container.id, node, method, depth)
        elif not sources.attributes:
            yield Fate("escaped", node, method)
        if sources.foreign and not sources.attributes:
            yield Fate("escaped", node, method)

    def _local(self, name: str, start: code.Node, method: Method, depth: int) -> Iterator[Fate]:
        if name == "_":
            return
        yield from self._uses(name, method, start, depth + 1)

    def _uses(self, name: str, method: Method, start: code.Node | None, depth: int) -> Iterator[Fate]:
        """The fates of a local's uses that a path from ``start`` (or from the function's entry) leads to."""
        if depth > _MAX_DEPTH:
            return
        for place in (method, *method.actor.inner(method)):
            if place is not method and any(p.name == name for p in place.code.params):
                continue
            for expr in place.exprs():
                if not isinstance(expr, code.Name) or expr.id != name or _is_target(expr, place):
                    continue
                if place is method and start is not None and not _comes_to(start, expr, name, method):
                    continue
                yield from self.follow(expr, place, depth)


# -- helpers


def _is_log_like(call: code.Call) -> bool:
    return isinstance(call.func, code.Attr) and isinstance(call.func.base, (code.Const, code.Text))


def _parameter(call: code.Call, value: code.Node, helper: Method) -> str:
    shift = 1 if helper.self_name and helper.outer is None else 0
    for i, arg in enumerate(call.args):
        if arg.value is value:
            if arg.star:
                return ""
            if arg.name:
                return arg.name
            params = [p for p in helper.code.params if not p.star]
            return params[i + shift].name if i + shift < len(params) else ""
    return ""


def _bound(target: code.Expr) -> Iterator[str]:
    for expr in code.walk(target):
        if isinstance(expr, code.Name):
            yield expr.id


def _holds(expr: code.Expr, node: code.Node) -> bool:
    return any(e is node for e in code.walk(expr))


def _is_target(expr: code.Name, method: Method) -> bool:
    """True where the name is given a value, not read."""
    below: code.Node = expr
    up = method.parent(expr)
    while isinstance(up, (code.Seq, code.Star)):
        below, up = up, method.parent(up)
    match up:
        case code.Assign(targets=targets):
            return any(t is below for t in targets)
        case code.For(target=target):
            return target is below
        case code.Walrus(target=target):
            return target is below
        case code.Delete():
            return isinstance(below, code.Name)
    return False


def _comes_to(start: code.Node, use: code.Expr, name: str, method: Method) -> bool:
    """True if a path leads from ``start`` to ``use`` without giving ``name`` another value."""
    flow = method.flow
    if not flow.at(start):
        return True
    place: code.Node | None = use
    while place is not None and not flow.at(place):
        place = method.parent(place)
    if place is None or place is start:
        return True

    def reassigns(point: Point) -> bool:
        node = point.node
        return (
            isinstance(node, code.Assign)
            and node is not start
            and node is not place
            and any(isinstance(t, code.Name) and t.id == name for t in node.targets)
        )

    return flow.reaches(start, lambda p: p.node is place, avoiding=reassigns)
