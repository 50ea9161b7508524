"""Callers that wait for the end of what they bring: they notice when it is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otplint.facts.methods import Role
from otplint.facts.queries.slices import behind
from otplint.facts.queries.state.buffers import Buffer, Entry
from otplint.facts.queries.state.items import bound_names, names_in
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Method

_WAITS = {"wait", "get", "result", "join", "acquire", "exception"}
_ONLY_WAITS = ("wait", "result", "exception")
_SIGNALS = ("asyncio.Condition", "asyncio.Event", "threading.Condition", "threading.Event", "anyio.Event", "trio.Event")


def callers_wait(buffer: Buffer) -> bool:
    """True where those who brought the work wait for its end, and will notice."""
    actor = buffer.actor
    for event in actor.events("reply", inherited=True):
        target = event.target
        if target is not None and buffer.attribute in behind(target, event.method).attributes:
            return True
    answers = _answering_types(actor)
    for entry in buffer.entries:
        if entry.value is None:
            continue
        method = entry.method
        parts = [p for p in code.walk(entry.value) if isinstance(p, (code.Name, code.Attr))]
        if any(method.actor.values.type_of(p, method) in answers for p in parts) or _waits(entry):
            return True
    return False


def _answering_types(actor: Actor) -> set[str]:
    """The types of handles that an answer is given to."""
    operations = [o for f in actor.facts.vocabulary.frameworks for o in f.operations if o.role == "reply"]
    return {n.rpartition(".")[0] for o in operations if o.target == "receiver" for n in o.names}


def _waits(entry: Entry) -> bool:
    """True where whoever gives the entry waits for its end: here, or one own function further out."""
    assert entry.value is not None
    method = entry.method
    step = entry.node if isinstance(entry.node, code.Call) else method.statement(entry.node)
    if _waits_for(names_in(entry.value), method) or (step is not None and _waits_on_state(step, method)):
        return True
    given = {p.name for p in method.code.params} & names_in(entry.value)
    for caller in method.actor.callers(method):
        for call in caller.calls:
            if given and method.actor.own_method(call, caller) is method:
                names = {n for a in call.args for n in names_in(a.value)}
                if _waits_for(names, caller):
                    return True
    return False


def _waits_for(names: set[str], method: Method) -> bool:
    """True for a wait for a part of the work: ``await future``, ``done.wait()``, ``await request.future``."""
    for stmt in method.statements:
        if isinstance(stmt, code.Assign) and stmt.value is not None and names & _targets(stmt):
            names = names | names_in(stmt.value)
    names = names - {method.self_name}
    params = {p.name for p in method.code.params}
    for expr in method.exprs():
        waited = _waited(expr, method)
        root = waited
        while isinstance(root, code.Attr):
            root = root.base
        if isinstance(root, code.Name) and root.id in names and (root.id not in params or _is_part(expr, waited)):
            return True
    return False


def _waited(expr: code.Expr, method: Method) -> code.Expr | None:
    """What is waited for: a future, or the event, queue or thread whose ``wait()``, ``get()`` or ``join()`` it is."""
    waited: code.Expr | None = None
    if isinstance(expr, code.Await):
        waited = expr.value
        if isinstance(waited, code.Call) and method.qualname(waited.func).startswith(("asyncio.", "anyio.")):
            waited = waited.args[0].value if waited.args else None
    elif isinstance(expr, code.Call) and isinstance(expr.func, code.Attr) and expr.func.name in _WAITS:
        waited = expr.func.base
    if isinstance(waited, code.Call) and isinstance(waited.func, code.Attr) and waited.func.name in _WAITS:
        waited = waited.func.base
    return waited


def _is_part(expr: code.Expr, waited: code.Expr | None) -> bool:
    """True where what is waited for is a field of what came in, and no other word of it (``request.headers.get()``)."""
    by_name = isinstance(expr, code.Call) and isinstance(expr.func, code.Attr) and expr.func.name not in _ONLY_WAITS
    return isinstance(waited, code.Attr) and not by_name


def _waits_on_state(step: code.Node, method: Method) -> bool:
    """True where the function then waits on an own event or condition, and answers with what has come of it."""
    if method.role is Role.LOOP:
        return False
    for point in method.flow.reached(step, lambda p: _is_own_wait(p.node, method)):
        assert point.node is not None
        answers = method.flow.reached(point.node, lambda p: isinstance(p.node, code.Return))
        if any(isinstance(p.node, code.Return) and behind(p.node.value, method).attributes for p in answers):
            return True
    return False


def _is_own_wait(node: code.Node | None, method: Method) -> bool:
    func = node.func if isinstance(node, code.Call) else None
    if not isinstance(func, code.Attr) or func.name not in ("wait", "wait_for"):
        return False
    return bool(method.own_attribute(func.base)) and method.actor.values.type_of(func.base, method) in _SIGNALS


def _targets(stmt: code.Assign) -> set[str]:
    return {n for t in stmt.targets for n in bound_names(t)}
