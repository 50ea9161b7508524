"""What a number measures: how an actor is doing, how long ago something was, or what a message says.

A comparison decides something about operation when one side is such a measure. Sizes of data at hand, positions and
results of look-ups are none.
"""

from __future__ import annotations

import builtins
import enum
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from otplint.facts.methods import Role
from otplint.facts.queries.tuning.fixed import number
from otplint.facts.syntax import code
from otplint.facts.values import local_values

if TYPE_CHECKING:
    from otplint.facts.actors import Actor, Use
    from otplint.facts.methods import Method

_MAX_DEPTH = 6


class Measure(enum.Enum):
    """What a value measures; stronger ones first."""

    ELAPSED = "elapsed time"
    STATE = "the actor's own state"
    RESOURCE = "use of a resource"
    COUNTER = "a counter"
    VALUE = "a value that the actor is given"
    """A message's field, a parameter, or what somebody else's function returned."""


_BUILTINS = frozenset(dir(builtins))
_STRENGTH = {measure: place for place, measure in enumerate(Measure)}
_CLOCKS = {
    "time.time", "time.monotonic", "time.perf_counter", "time.process_time", "time.time_ns", "time.monotonic_ns",
    "time.perf_counter_ns", "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.date.today",
    "datetime.datetime.today",
}  # fmt: skip
_RESOURCES = ("psutil.", "resource.", "tracemalloc.", "shutil.disk_usage", "os.getloadavg", "gc.get_count",
              "threading.active_count", "sys.getsizeof", "os.statvfs")  # fmt: skip
_PASSES_ON = {"abs", "int", "float", "round", "sum", "min", "max"}
_WRAPPERS = {"total_seconds", "seconds", "days"}
_SIZES = {"qsize", "__len__"}
_POSITIONS = {"find", "rfind", "index", "rindex", "count", "read", "readinto", "write", "recv", "recv_into", "send",
              "sendto", "tell", "seek", "fileno", "poll", "wait", "bit_length", "toordinal", "weekday"}  # fmt: skip
_CODES = {"status", "status_code", "code", "returncode", "errno", "exitcode", "exit_code", "signum", "version",
          "version_info", "major", "minor", "ndim", "st_mode", "level", "levelno"}  # fmt: skip
_MEASURED_BY_ARITHMETIC = ("+", "-", "*", "/", "//", "**")


def is_clock(expr: code.Expr, method: Method) -> bool:
    """True for a call that tells the time: ``time.monotonic()``, ``datetime.now(tz)``, ``loop.time()``."""
    if not isinstance(expr, code.Call):
        return False
    name = method.qualname(expr.func)
    if name in _CLOCKS:
        return True
    if isinstance(expr.func, code.Attr) and expr.func.name in ("time", "monotonic") and not expr.args:
        return True
    helper = method.actor.facts.function(name) if name and not expr.args else None
    given = [s.value for s in code.statements(helper.body) if isinstance(s, code.Return)] if helper is not None else []
    return helper is not None and helper.code is not method.code and len(given) == 1 and (
        isinstance(given[0], code.Call) and helper.qualname(given[0].func) in _CLOCKS
    )  # fmt: skip


def measure(expr: code.Expr, method: Method) -> Measure | None:
    """What ``expr`` measures, if it measures anything."""
    return _measure(expr, method, 0)


def _measure(expr: code.Expr, method: Method, depth: int) -> Measure | None:
    if depth > _MAX_DEPTH:
        return None
    match expr:
        case code.Await(value=value) | code.Walrus(value=value) | code.Unary(op="-" | "+", value=value):
            return _measure(value, method, depth + 1)
        case code.Binary(op=op, left=left, right=right):
            if op not in _MEASURED_BY_ARITHMETIC:
                return None
            if op == "-" and (tells_time(left, method) or tells_time(right, method)):
                return Measure.ELAPSED
            return _strongest(_measure(part, method, depth + 1) for part in (left, right))
        case code.Cond(then=then, other=other):
            return _strongest(_measure(part, method, depth + 1) for part in (then, other))
        case code.Call():
            return _of_call(expr, method, depth)
        case code.Attr():
            return _of_attribute(expr, method, depth)
        case code.Name():
            return _of_name(expr, method, depth)
        case code.Sub():
            return _of_entry(expr, method, depth)
    return None


def _of_entry(entry: code.Sub, method: Method, depth: int) -> Measure | None:
    if own := method.own_attribute(entry.base):
        return _of_own(own, method.actor, depth)
    key = entry.key.value if isinstance(entry.key, code.Const) else None
    if (
        not isinstance(key, str)
        or key in _CODES
        or not isinstance(entry.base, code.Name)
        or not method.is_local(entry.base.id)
    ):
        return None
    return Measure.STATE if _comes_from_state(entry.base, method) else Measure.VALUE


def _strongest(found: Iterable[Measure | None]) -> Measure | None:
    return min((m for m in found if m is not None), key=_STRENGTH.__getitem__, default=None)


def tells_time(expr: code.Expr, method: Method, depth: int = 0) -> bool:
    """True for a clock's reading, also one that was kept in a local or moved by an offset."""
    if depth > 2:
        return False
    if is_clock(expr, method):
        return True
    match expr:
        case code.Binary(op="+" | "-", left=left, right=right):
            first, second = (tells_time(part, method, depth + 1) for part in (left, right))
            return first is not second if expr.op == "-" else first or second
        case code.Name(id=name) if method.is_local(name):
            return any(tells_time(value, method, depth + 1) for value in local_values(name, method))
        case code.Attr() if own := method.own_attribute(expr):
            return any(tells_time(value, place, depth + 1) for _, value, place in method.actor.assignments(own))
    return False


def _of_call(call: code.Call, method: Method, depth: int) -> Measure | None:
    name = method.qualname(call.func)
    args = [a.value for a in call.args if not a.star]
    if name == "len" and args:
        return _of_size(args[0], method, depth)
    if name in _PASSES_ON and args:
        inner = [_measure(a, method, depth + 1) for a in args]
        over_state = name in ("sum", "min", "max") and any(_holds_state(a, method) for a in args)
        return _strongest([*inner, Measure.STATE if over_state else None])
    if name.startswith(_RESOURCES):
        return Measure.RESOURCE
    if is_clock(call, method):
        return None
    helper = method.actor.own_method(call, method) or method.actor.facts.function(name)
    if helper is not None and helper.code is not method.code:
        results = [s.value for s in helper.statements if isinstance(s, code.Return) and s.value is not None]
        return _strongest(_measure(r, helper, depth + 1) for r in results)
    if not isinstance(call.func, code.Attr):
        return None if name in _BUILTINS else Measure.VALUE
    base, last = call.func.base, call.func.name
    if last in _WRAPPERS:
        return _measure(base, method, depth + 1)
    if last in _SIZES:
        return Measure.STATE if method.own_attribute(base) else Measure.VALUE
    if _is_resource(base, method):
        return Measure.RESOURCE
    if last in ("get", "setdefault", "pop") and (own := method.own_attribute(base)):
        return _of_own(own, method.actor, depth)
    return None if last in _POSITIONS or last.lower().endswith(("code", "version")) else Measure.VALUE


def _is_resource(expr: code.Expr, method: Method) -> bool:
    """A reading below a process or module that knows resources: ``psutil.Process().memory_info().rss``."""
    while isinstance(expr, (code.Attr, code.Call, code.Sub)):
        if method.qualname(expr).startswith(_RESOURCES):
            return True
        expr = expr.func if isinstance(expr, code.Call) else expr.base
    return isinstance(expr, code.Name) and method.actor.values.type_of(expr, method).startswith(_RESOURCES)


def _of_size(container: code.Expr, method: Method, depth: int) -> Measure | None:
    """The length of the actor's own buffers and tables says how it is doing; that of data at hand does not."""
    own = method.own_attribute(container)
    if own:
        return None if _is_bytes(own, method.actor) else _of_own(own, method.actor, depth)
    if isinstance(container, code.Sub) and (own := method.own_attribute(container.base)):
        sliced = isinstance(container.key, code.Slice)
        return None if sliced else _of_own(own, method.actor, depth)
    if isinstance(container, (code.Comp, code.Call)) and _holds_state(container, method):
        return Measure.STATE
    if isinstance(container, code.Name):
        values = list(local_values(container.id, method))
        if len(values) == 1 and depth < _MAX_DEPTH and isinstance(values[0], (code.Comp, code.Sub, code.Call)):
            found = _of_size(values[0], method, depth + 1)
            return found if found is Measure.STATE else None
    return None


def _is_bytes(own: str, actor: Actor) -> bool:
    """A buffer of received bytes or text: its length against a number is mostly about a protocol."""
    for value, _, method in actor.assigned(own):
        if isinstance(value, code.Const) and isinstance(value.value, (bytes, str)):
            return True
        if isinstance(value, code.Call) and method.qualname(value.func) in ("bytes", "bytearray", "str", "io.BytesIO"):
            return True
    return False


def _holds_state(expr: code.Expr, method: Method) -> bool:
    """True where the expression reads an attribute of the actor that changes while it runs."""
    for part in code.walk(expr, lambdas=True):
        if isinstance(part, (code.Attr, code.Name)) and (own := method.own_attribute(part)):
            parent = method.parent(part)
            if isinstance(parent, code.Attr) and parent.base is part:
                own = own.partition(".")[0]
            if _changes(own, method.actor):
                return True
    return False


def _changes(path: str, actor: Actor) -> bool:
    return path in actor.remembered(_growing) or path in actor.remembered(_renewed)


def _growing(actor: Actor) -> frozenset[str]:
    """The attributes that are counted up, or filled and emptied while the actor works."""
    return frozenset(
        use.attribute
        for use in actor.uses
        if use.kind == "update" or ((use.adds or use.removes) and use.method.role is not Role.START)
    )


def _renewed(actor: Actor) -> dict[str, list[Use]]:
    """Where attributes are written anew while the actor works."""
    found: dict[str, list[Use]] = {}
    for use in actor.uses:
        if use.kind == "write" and use.method.role is not Role.START:
            found.setdefault(use.attribute, []).append(use)
    return found


def _of_attribute(expr: code.Attr, method: Method, depth: int) -> Measure | None:
    own = method.own_attribute(expr)
    if own:
        return _of_own(own, method.actor, depth)
    if expr.name in _WRAPPERS:
        return _measure(expr.base, method, depth + 1)
    comprehended = isinstance(expr.base, code.Name) and any(_comprehended(expr.base, method))
    if method.qualname(expr) and not comprehended:
        return None
    if _is_resource(expr, method):
        return Measure.RESOURCE
    if expr.name in _CODES:
        return None
    if _is_counted(expr.name, method.actor):
        return Measure.STATE
    base = expr.base
    if isinstance(base, code.Call) and method.actor.own_method(base, method) is not None:
        return Measure.VALUE
    if isinstance(base, code.Name):
        return Measure.STATE if _comes_from_state(base, method) else Measure.VALUE
    return Measure.VALUE if isinstance(base, (code.Attr, code.Sub)) else None


def _is_counted(name: str, actor: Actor) -> bool:
    """True where the actor counts up or down an attribute of that name on one of its records."""
    return any(
        isinstance(stmt, code.Augment) and isinstance(stmt.target, code.Attr) and stmt.target.name == name
        for method in actor.everything
        for stmt in method.statements
    )


def _comes_from_state(base: code.Name, method: Method) -> bool:
    """True for an entry of the actor's own table, or an element while looping over one."""
    sources = list(local_values(base.id, method))
    loops = (s for s in method.statements if isinstance(s, code.For))
    sources += [s.iter for s in loops if any(code.dotted(t) == base.id for t in code.walk(s.target))]
    sources += _comprehended(base, method)
    return any(_holds_state(source, method) for source in sources)


def _comprehended(name: code.Name, method: Method) -> Iterator[code.Expr]:
    """What a comprehension around the name takes it from."""
    for up in method.above(name):
        if isinstance(up, code.Comp):
            for clause in up.clauses:
                if any(code.dotted(t) == name.id for t in code.walk(clause.target)):
                    yield clause.iter


def _of_own(path: str, actor: Actor, depth: int) -> Measure | None:
    """An attribute of the actor, by how it changes; one that is only given at the start is configuration."""
    root, _, rest = path.partition(".")
    if rest.rpartition(".")[2] in _CODES or path in _CODES:
        return None
    prop = actor.method(root)
    if prop is not None and not rest and depth < _MAX_DEPTH:
        results = [s.value for s in prop.statements if isinstance(s, code.Return) and s.value is not None]
        return _strongest(_measure(r, prop, depth + 1) for r in results)
    if path in actor.remembered(_growing):
        return Measure.STATE
    if written := actor.remembered(_renewed).get(path):
        return _of_writes(written, path, depth)
    if not rest:
        return None if any(actor.assigned(root)) else Measure.VALUE
    if _is_counted(rest.rpartition(".")[2], actor) or _counts_itself(root, rest, actor):
        return Measure.STATE
    if _changes(root, actor):
        renewed = [u for u in actor.uses_of(root) if u.kind == "write" and u.value is not None]
        return Measure.STATE if any(_holds_state(u.value, u.method) for u in renewed if u.value) else Measure.VALUE
    return None


def _of_writes(written: list[Use], path: str, depth: int) -> Measure | None:
    """An attribute that is assigned while the actor runs measures what is assigned."""
    values = [(u.value, u.method) for u in written if u.value is not None]
    if any(actor_path == path for v, m in values for actor_path in _own_paths(v, m)):
        return Measure.STATE  # x = x + 1
    if values and all(number(v) is not None or isinstance(v, code.Const) for v, _ in values):
        return None  # a state of few values
    return _strongest(_measure(v, m, depth + 1) for v, m in values if number(v) is None)


def _own_paths(expr: code.Expr, method: Method) -> Iterator[str]:
    for part in code.walk(expr):
        if isinstance(part, (code.Attr, code.Name)) and (own := method.own_attribute(part)):
            yield own


def _counts_itself(root: str, rest: str, actor: Actor) -> bool:
    """True where ``self.<root>`` is an object of a class of the project that counts the attribute itself."""
    facts = actor.facts
    for value, _, method in actor.assigned(root):
        located = facts.project.find_class(actor.values.type_of(value, method)) if value is not None else None
        if located is not None:
            index, entry = located
            text = facts.source(index).text[entry.start : entry.end]
            if f".{rest} +=" in text or f".{rest} -=" in text:
                return True
    return False


def _of_name(expr: code.Name, method: Method, depth: int) -> Measure | None:
    if own := method.own_attribute(expr):
        return _of_own(own, method.actor, depth)
    place: Method | None = method
    while place is not None:
        if counter := _counter(expr.id, place):
            return counter
        values = list(local_values(expr.id, place))
        given = any(p.name == expr.id and p.name != place.self_name for p in place.code.params)
        if values or given:
            measured = [_measure(v, place, depth + 1) for v in values]
            return _strongest([*measured, Measure.VALUE if given else None])
        place = place.outer
    return None


def _counter(name: str, method: Method) -> Measure | None:
    """A local that steps by a fixed amount, or counts the rounds of a loop."""
    for stmt in code.statements(method.body, nested=True):
        match stmt:
            case code.Augment(target=code.Name(id=found), op="+" | "-", value=value) if found == name:
                return Measure.COUNTER if number(value) is not None else None
            case code.For(target=code.Name(id=found), iter=code.Call(func=func)) if found == name:
                ranges = method.qualname(func) in ("range", "itertools.count")
                return Measure.COUNTER if ranges and any(isinstance(s, code.Try) for s in stmt.body) else None
    return None
