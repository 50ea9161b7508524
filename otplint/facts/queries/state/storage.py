"""What outlives the actor: calls that save, and own containers that are saved, restored or derived anew."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from otplint.facts.methods import Role
from otplint.facts.queries.slices import behind, bindings
from otplint.facts.queries.state.buffers import Buffer, Entry, reached_from
from otplint.facts.queries.state.containers import container, empty
from otplint.facts.queries.state.items import looks_only, names_in, uses_of_names
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.methods import Method

_MAX_DEPTH = 2
_WRITES_SQL = re.compile(r"\s*(?:INSERT|UPDATE|DELETE|REPLACE|MERGE|UPSERT)\b", re.IGNORECASE)
_FILES = {"open", "builtins.open", "io.open", "gzip.open", "os.fdopen", "tempfile.NamedTemporaryFile", "aiofiles.open"}
_SAVES = {"commit", "fsync", "write_text", "write_bytes"}
_OUTPUTS = ("stdout", "stderr")
"""What a process writes there is a log, and so is what is written beside it."""
_ACKS = {"ack", "nack", "acknowledge", "basic_ack", "basic_nack"}


def saves(call: code.Call, method: Method, depth: int = 0) -> bool:
    """True for a call that writes something to where it outlives the process, also one own class further on."""
    event = method.event(call)
    if event is not None:
        return event.role == "persist"
    func = call.func
    if isinstance(func, code.Attr):
        if func.name in ("write", "writelines"):
            return _is_file(func.base, method)
        if func.name in _SAVES:
            return True
        if func.name in ("execute", "executemany", "executescript"):
            text = call.args[0].value if call.args else None
            return isinstance(text, code.Const) and isinstance(text.value, str) and bool(_WRITES_SQL.match(text.value))
    if depth >= _MAX_DEPTH:
        return False
    return any(saves(inner, helper, depth + 1) for helper in _elsewhere(call, method) for inner in helper.calls)


def _elsewhere(call: code.Call, method: Method) -> Iterator[Method]:
    """The function of another class or module of the project that a call runs."""
    facts = method.actor.facts
    function = facts.function(method.qualname(call.func))
    if function is not None:
        yield function
    elif isinstance(call.func, code.Attr):
        type_ = _type(call.func.base, method)
        owner = facts.owner(type_) if type_ and type_ != method.actor.qualname else None
        found = owner.method(call.func.name) if owner is not None else None
        if found is not None:
            yield found


def _type(expr: code.Expr, method: Method) -> str:
    """The type of a receiver; of what an own function without annotations gives, that of what it returns."""
    found = method.actor.values.type_of(expr, method)
    values = list(bindings(expr.id, method)) if isinstance(expr, code.Name) else [expr]
    call = values[0] if len(values) == 1 and not found else None
    helper = method.actor.own_method(call, method) if isinstance(call, code.Call) else None
    if helper is None:
        return found
    given = {helper.actor.values.type_of(s.value, helper) for s in helper.statements if isinstance(s, code.Return)}
    return given.pop() if len(given) == 1 else ""


def _is_file(expr: code.Expr, method: Method) -> bool:
    own = method.own_attribute(expr)
    values = [v for v, _, _ in method.actor.assigned(own)] if own else []
    if isinstance(expr, code.Name):
        values += list(bindings(expr.id, method))
    return any(isinstance(v, code.Call) and method.qualname(v.func) in _FILES for v in values) and not any(
        arg.name in _OUTPUTS and code.same(arg.value, expr) for call in method.calls for arg in call.args
    )


def outlives(buffer: Buffer) -> bool:
    """True where what is in the container is saved somewhere, comes back when the actor starts, or is not its own."""
    return (
        _filled_at_start(buffer)
        or _shared(buffer)
        or any(_saved(buffer, method) for method in buffer.actor.everything)
        or any(_written_ahead(entry) for entry in buffer.entries)
        or any(_acknowledges(buffer, method) for method in buffer.actor.everything)
    )


def _filled_at_start(buffer: Buffer) -> bool:
    actor = buffer.actor
    starting = reached_from(actor, Role.START)
    for _, value, method in actor.assignments(buffer.attribute):
        first = method.name == "" or method in starting
        if first and not empty(value, method) and not _only_bound(value, method):
            return True
    return any(e.method in starting and e.value is not None for e in buffer.entries)


def _only_bound(value: code.Expr, method: Method) -> bool:
    """True for a new container whose arguments say what it may hold, not what it holds."""
    if container(value, method) is None or not isinstance(value, code.Call):
        return False
    name = method.qualname(value.func)
    return name.rpartition(".")[2] in ("defaultdict", "field") or "Queue" in name


def _shared(buffer: Buffer) -> bool:
    """True where the attribute may hold what somebody else gave."""
    for _, value, method in buffer.actor.assignments(buffer.attribute):
        parts = value.parts if isinstance(value, code.Bool) else (value,)
        if any(isinstance(p, code.Name) and any(q.name == p.id for q in method.code.params) for p in parts):
            return True
    return False


def _saved(buffer: Buffer, method: Method) -> bool:
    """True where a function saves the container, or the whole object."""
    if method.name in ("__getstate__", "__reduce__"):
        return True
    clears = any(e.method is method and e.end == "all" for e in buffer.exits)
    for call in method.calls:
        certain = saves(call, method)
        if clears or not (certain or _may_save(call, method)):
            continue
        for arg in call.args:
            if is_self(arg.value, method) or any(arg.value is w.node for w in buffer.passes if w.loop is None):
                return True
            if certain and buffer.attribute in behind(arg.value, method).attributes:
                return True
    return False


def is_self(expr: code.Expr, method: Method) -> bool:
    """``self``, ``vars(self)``, ``self.__dict__``, ``asdict(self)``."""
    names = {e.id for e in code.walk(expr) if isinstance(e, code.Name)}
    whole = isinstance(expr, code.Name) or (isinstance(expr, code.Attr) and expr.name == "__dict__")
    called = isinstance(expr, code.Call) and code.dotted(expr.func).rpartition(".")[2] in ("vars", "asdict", "dict")
    return bool(method.self_name) and method.self_name in names and (whole or called)


def _may_save(call: code.Call, method: Method) -> bool:
    """A method of an object that the actor has and nothing is known of: it may be a store."""
    func = call.func
    if not isinstance(func, code.Attr) or method.event(call) is not None or looks_only(call, method):
        return False
    own = method.own_attribute(func.base)
    if not own or method.actor.own_method(call, method) is not None or method.actor.method(own) is not None:
        return False
    if method.actor.values.type_of(func.base, method) in ("list", "set", "dict", "collections.deque"):
        return False
    made = [v for _, v, m in method.actor.assignments(own.partition(".")[0]) if container(v, m) is not None]
    return not made and not method.actor.kind.attributes.get(own)


def _written_ahead(entry: Entry) -> bool:
    """True where what comes in is saved on its way, in this function or its caller."""
    if entry.value is None:
        return False
    for place, names in _named(entry):
        for use in uses_of_names(names, place):
            call = use.call if use.kind == "argument" and use.call is not entry.node else None
            if call is not None and (saves(call, place) or _may_save(call, place)):
                return True
    return False


def _named(entry: Entry) -> Iterator[tuple[Method, set[str]]]:
    """The names of what comes in, here and in the callers that give it."""
    assert entry.value is not None
    method = entry.method
    yield method, names_in(entry.value) - {method.self_name}
    for caller in method.actor.callers(method):
        given = [a.value for c in caller.calls if method.actor.own_method(c, caller) is method for a in c.args]
        yield caller, {n for g in given for n in names_in(g)} - {caller.self_name}


def _acknowledges(buffer: Buffer, method: Method) -> bool:
    """True where the source of the entries is told when they are done: until then it keeps them."""
    for call in method.calls:
        if isinstance(call.func, code.Attr) and call.func.name in _ACKS:
            parts = [call.func.base, *[a.value for a in call.args]]
            if any(buffer.attribute in behind(p, method).attributes for p in parts):
                return True
    return False
