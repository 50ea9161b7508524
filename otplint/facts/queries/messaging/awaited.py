"""What a wait waits for: somebody's answer, or what is there anyway, is this actor's own work, or is data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from otplint.facts.methods import Event
from otplint.facts.queries.messaging.reach import Running, called
from otplint.facts.queries.slices import behind, bindings
from otplint.facts.syntax import code
from otplint.facts.values import local_assignments, unpacked

if TYPE_CHECKING:
    from otplint.facts.frameworks import Framework, Operation
    from otplint.facts.methods import Method

_MAX_DEPTH = 4
_REQUESTS = ("call", "cast", "spawn")
_WAITS = ("call", "take", "wait")
_LOOKS_UP = ("get", "pop", "values", "items", "keys", "copy", "popleft", "popitem")
"""What a table or list gives of itself."""
_PUTS = ("append", "appendleft", "add", "extend", "insert", "update", "setdefault", "put", "put_nowait")
_CONTAINERS = ("list", "tuple", "set", "dict", "sorted", "zip", "deque", "defaultdict", "OrderedDict")


def owed_by_nobody(event: Event, place: Running) -> str:
    """Why what a call waits for is no other actor's answer; empty where it may be one."""
    if event.role not in _WAITS or event.operation.for_end or event.operation.payload:
        return ""
    given = awaited(event)
    if given is None:
        return ""
    if _is_ready(given, event.method, 0):
        return "what it waits for has come already: a wait before it told so"
    if not place.on_loop and _is_own_work(given, event.method):
        return "it shares its own work out and waits for it: that takes no longer than doing it here"
    if _is_itself(given, event.method):
        return "it waits for this very function, run elsewhere: that takes as long as doing it here"
    if event.certain and event.role == "call" and _names_data_too(event.framework):
        return _why_data(given, place, event.framework)
    return ""


def awaited(event: Event) -> code.Expr | None:
    """What the call waits for: the object before the dot, or the first argument of ``wait(futures)``."""
    operation = event.operation
    if not operation.target and not operation.payload and operation.parameters and not operation.bounded:
        first = operation.parameters[0]
        if first not in (operation.timeout, *operation.limits):
            return event.argument(first)
    return event.argument("receiver")


def looks_like(event: Event) -> bool:
    """Whether a call that only its name speaks for has the arguments of the operation: ``get()``, not ``get(key)``."""
    operation, func = event.operation, event.call.func
    if event.certain:
        return True
    if isinstance(func, code.Attr) and isinstance(func.base, code.Sub):
        return False
    known = all(a.name in operation.parameters for a in event.call.args if a.name)
    places = len([a for a in event.call.args if not a.name])
    if operation.payload:
        return known and places >= 1
    return known and places == 0


# -- what is there already


def _is_ready(expr: code.Expr, method: Method, depth: int) -> bool:
    """True for what came out of the first of the two sets that ``wait(...)`` gives, by whatever name."""
    if depth > _MAX_DEPTH:
        return False
    match expr:
        case code.Call():
            return _is_wait(expr, method)  # as_completed(futures), which a loop goes through
        case code.Sub(base=code.Call() as call, key=code.Const(value=position)) if _is_wait(call, method):
            return position == 0
        case code.Attr(base=code.Call() as call, name=name) if _is_wait(call, method):
            return name == "done"
        case code.Sub(base=base):
            return _is_ready(base, method, depth + 1)
        case code.Name(id=name):
            plain = [unpacked(stmt, value, name) for stmt, value in local_assignments(name, method)]
            found = [*(plain or bindings(name, method)), *_put_into(name, method)]
            values = [v for v in found if not isinstance(v, code.Const)]
            return bool(values) and all(_is_ready(value, method, depth + 1) for value in values)
    return False


def _is_wait(call: code.Call, method: Method) -> bool:
    event = method.event(call)
    return event is not None and event.role == "wait" and not event.operation.target


# -- work of its own


def _is_own_work(expr: code.Expr, method: Method) -> bool:
    """True for futures that this function has got from executors, for functions of the project that ask nobody."""
    jobs = [*_made_of(expr, method, 0)]
    return bool(jobs) and all(_is_job(call, method) for call in jobs)


def _made_of(expr: code.Expr, method: Method, depth: int) -> Iterator[code.Expr]:
    """What the value is, or what is in it, as this function makes it; containers are opened, locals followed."""
    match expr:
        case code.Call(args=(only, *_)) if _is_wait(expr, method) or _is_container(expr, method):
            yield from _made_of(only.value, method, depth)
        case code.Call() if not (_is_container(expr, method) and not expr.args):
            yield expr
        case code.Comp(elements=elements):
            yield from [e for e in elements if isinstance(e, code.Call)] or elements
        case code.Seq(items=items):
            for item in items:
                yield from _made_of(item, method, depth)
        case code.Cond(then=then, other=other):
            yield from _made_of(then, method, depth)
            yield from _made_of(other, method, depth)
        case code.Name() if depth <= _MAX_DEPTH and (values := _values(expr, method)):
            for value in values:
                yield from _made_of(value, method, depth + 1)
        case code.Attr() | code.Sub() | code.Name():
            yield expr


def _values(local: code.Name, method: Method) -> list[code.Expr]:
    """What a local is bound to and what is put into it; nothing for a parameter, which others give."""
    if any(p.name == local.id for p in method.code.params):
        return []
    return [*bindings(local.id, method), *_put_into(local.id, method)]


def _put_into(name: str, method: Method) -> list[code.Expr]:
    """What the function puts into a container that a local or an own attribute (dotted) names, at any depth."""
    found = []
    for call in method.calls:
        if isinstance(call.func, code.Attr) and call.func.name in _PUTS and _container(call.func.base, method) == name:
            found += [arg.value for arg in call.args]
    for stmt in method.statements:
        targets = stmt.targets if isinstance(stmt, code.Assign) and stmt.value is not None else ()
        if any(isinstance(target, code.Sub) and _container(target, method) == name for target in targets):
            found += [stmt.value] if isinstance(stmt, code.Assign) and stmt.value is not None else []
    return found


def _container(expr: code.Expr, method: Method) -> str:
    """The name of what ``rows``, ``rows[a][b]`` or ``rows.setdefault(a, [])`` is a part of; own attributes dotted."""
    while True:
        match expr:
            case code.Sub(base=base) | code.Call(func=code.Attr(base=base)):
                expr = base
            case code.Name(id=name):
                return name
            case _:
                own = method.own_attribute(expr)
                return f".{own}" if own else ""


def _is_container(call: code.Call, method: Method) -> bool:
    return method.qualname(call.func).rpartition(".")[2] in _CONTAINERS


def _is_job(call: code.Expr, method: Method) -> bool:
    event = method.event(call)
    if event is None or event.role != "spawn" or event.operation.handle != "future" or event.operation.target:
        return False
    work = event.payload
    actor = method.actor
    inner = actor.named(work, method) or actor.facts.function(method.qualname(work))
    if inner is None or not event.certain:
        return False
    runs = actor.reached(inner) if inner.actor is actor else [inner]
    return not any(e.role in _WAITS and looks_like(e) for m in runs for e in m.events)


def _is_itself(expr: code.Expr, method: Method) -> bool:
    """True where the function gives itself to something that runs it elsewhere, and that is what is waited for."""
    home = f"{method.source.index.module}.{method.name}"
    if method.outer is not None or method.self_name or method.code.is_async:
        return False
    made = behind(expr, method).calls
    return any(place is method and method.qualname(a.value) == home for call, place in made for a in call.args)


# -- data


def _names_data_too(framework: Framework) -> bool:
    """True where a reference stands for an answer or for data alike (``ray.put(value)``)."""
    answers = {op.returns for op in framework.operations if op.role == "cast"}
    return any(_makes_data(op, answers) for op in framework.operations)


def _makes_data(operation: Operation, answers: set[str]) -> bool:
    return operation.role == "make" and bool(operation.payload) and operation.returns in answers


def _why_data(expr: code.Expr, place: Running, framework: Framework) -> str:
    """Why a reference stands for data; empty where it comes from a request, or where that is not seen."""
    search = _Requests(framework)
    asked = search.behind(expr, place.method, 0)
    if search.given:
        asked = asked or any(search.behind(a.value, at, 0) for at, call in place.crossed for a in call.args)
    if asked or search.unknown:
        return ""
    if search.given:
        return "it fetches data by a reference that was handed in: nobody is asked for an answer"
    return "it fetches data by a reference that the object keeps: nobody is asked" if search.kept else ""


class _Requests:
    """Looks for requests among what a reference is made of."""

    def __init__(self, framework: Framework) -> None:
        self.given = False
        """True where a parameter takes part that no own caller gives."""
        self.kept = False
        """True where it comes out of a table that data is put into."""
        self.unknown = False
        """True where something takes part of which nobody knows where it comes from."""
        self._framework = framework
        self._seen: set[int] = set()

    def behind(self, expr: code.Expr, method: Method, depth: int) -> bool:
        """True where an answer to a request may be in the value."""
        if id(expr) in self._seen:
            return False
        if depth > _MAX_DEPTH:
            self.unknown = True
            return False
        self._seen.add(id(expr))
        found = behind(expr, method)
        self.given |= found.foreign
        if any(self._is_request(call, at) for call, at in found.calls):
            return True
        parts = [(value, method) for e in code.walk(expr) if isinstance(e, code.Name) for value in _into(e, method)]
        parts += [part for call, at in found.calls for part in self._given_by(call, at)]
        parts += [part for name in found.attributes for part in self._stored(name, method)]
        return any(self.behind(value, at, depth + 1) for value, at in parts)

    def _is_request(self, call: code.Call, method: Method) -> bool:
        event = method.event(call)
        if event is not None and event.framework is self._framework:
            return event.role in _REQUESTS
        if not isinstance(call.func, code.Attr) or method.qualname(call.func):
            return False
        known = method.actor.facts.vocabulary.methods.get(call.func.name, ())
        return any(framework is self._framework and op.role in _REQUESTS for framework, op, _ in known)

    def _stored(self, attribute: str, method: Method) -> list[tuple[code.Expr, Method]]:
        """What the object keeps there; nothing for a table that data is put into, whatever else is in it."""
        actor = method.actor
        stored = [(value, at) for _, value, at in actor.assignments(attribute) if not _is_empty(value, at)]
        stored += [(value, at) for at in actor.everything for value in _put_into(f".{attribute}", at)]
        if any(self._is_put(call, at) for value, place in stored for call, at in behind(value, place).calls):
            self.kept = True
            return []
        self.unknown |= not stored
        return stored

    def _is_put(self, call: code.Call, method: Method) -> bool:
        event = method.event(call)
        answers = {op.returns for op in self._framework.operations if op.role == "cast"}
        return event is not None and _makes_data(event.operation, answers)

    def _given_by(self, call: code.Call, method: Method) -> list[tuple[code.Expr, Method]]:
        """What a function of the project gives back; one that nobody knows may give anything."""
        if self._is_put(call, method):
            self.kept = True
            return []
        inner = called(call, method)[0]
        if inner is None:
            looks_up = isinstance(call.func, code.Attr) and call.func.name in _LOOKS_UP
            self.unknown |= not (looks_up or _is_container(call, method))
            return []
        given = [(s.value, inner) for s in inner.statements if isinstance(s, code.Return) and s.value is not None]
        return given + [(e.value, inner) for e in inner.exprs() if isinstance(e, code.Yield) and e.value is not None]


def _into(local: code.Name, method: Method) -> list[code.Expr]:
    """What a local, or a parameter, is bound to and what is put into it."""
    return [*bindings(local.id, method), *_put_into(local.id, method)]


def _is_empty(value: code.Expr, method: Method) -> bool:
    """True for ``None``, ``[]``, ``{}`` and ``defaultdict(dict)``: what is kept there comes later."""
    match value:
        case code.Const():
            return True
        case code.Seq(items=()) | code.Dict(items=()):
            return True
        case code.Call(args=args):
            return _is_container(value, method) and not any(isinstance(a.value, (code.Call, code.Comp)) for a in args)
    return False
