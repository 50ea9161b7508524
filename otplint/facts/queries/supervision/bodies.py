"""What a spawned function can do wrong unseen: whether it survives its failures, hands them on, or can hardly fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otplint.facts.queries.failure.catches import Catch, Reaction, catches
from otplint.facts.queries.failure.reaction import logged
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Event, Method

_MAX_DEPTH = 2
_PLAIN = frozenset({"abs", "all", "any", "bool", "dict", "enumerate", "float", "frozenset", "getattr", "hasattr", "id",
                    "int", "isinstance", "len", "list", "max", "min", "print", "range", "repr", "reversed", "round",
                    "set", "sorted", "str", "sum", "tuple", "zip", "collections.defaultdict", "collections.deque",
                    "collections.Counter", "collections.OrderedDict", "random.choice", "random.random",
                    "random.uniform", "datetime.datetime.now"})  # fmt: skip
"""Functions of Python that only make or look at values."""
_OF_TABLES = frozenset({"items", "keys", "values", "append", "appendleft", "popleft", "extend", "setdefault", "discard",
                        "copy", "qsize", "empty", "done", "cancelled", "set_result", "total_seconds"})  # fmt: skip
"""What containers and futures are asked, and hardly anything else."""
_OF_KNOWN_TABLES = frozenset({"get", "pop", "add", "remove", "update", "clear"})
"""The same, where the receiver is known to be a container; sessions and clients have such functions as well."""
_TABLES = ("dict", "list", "set", "deque", "OrderedDict", "defaultdict", "Counter", "Dict", "List", "Set", "Deque")
_STUBS = ("functools.partial", "contextvars.copy_context")
_STOPS = ("stop", "close", "shutdown", "call_soon_threadsafe", "cancel")


def may_come_again(actor: Actor) -> bool:
    """True where somebody starts the actor again, so that what it left behind meets its successor.

    Not known of a thread or an object with a loop of its own, whose failure nobody sees.
    """
    return actor.kind.on_failure[0] != "unseen"


def goes_on(method: Method) -> bool:
    """True where each round of its loop catches any error, says so, and the next one comes."""
    loops = [s for s in method.body if isinstance(s, code.While)]
    return bool(loops) and all(_guards_rounds(loop, method) for loop in loops)


def is_guarded(method: Method) -> bool:
    """True where the function is nothing but a ``try`` with a broad clause that logs or reacts."""
    body = [s for s in method.body if not (isinstance(s, code.Do) and isinstance(s.value, code.Const))]
    return len(body) == 1 and any(_speaks(c) and c.around is body[0] for c in catches(method))


def reports(method: Method, depth: int = 0) -> bool:
    """True where the function catches any error of its work and tells somebody, by more than a log.

    The work may be tried several times, and it may be what the function gives to others: ``pool.submit(self.job)``.
    """
    tries = (*method.body, *[s for loop in method.body if isinstance(loop, code.For) for s in loop.body])
    if any(c.is_broad and c.reaction is Reaction.REACTS and c.around in tries for c in catches(method)):
        return True
    given = [e for e in method.events if e.role == "spawn"]
    others = [c for c in method.calls if all(c is not e.call for e in given)]
    if depth >= _MAX_DEPTH or not given or not all(is_harmless(c, method) for c in others):
        return False
    targets = [runs(event) for event in given]
    return all(target is not None and reports(target, depth + 1) for target in targets)


def keeps_books(method: Method) -> bool:
    """True for a loop that only sleeps, logs and looks at tables, its helpers included: there is little to fail.

    One that looks at nothing is not known for what it does.
    """
    if not any(isinstance(s, code.While) for s in method.statements):
        return False
    reached = method.actor.reached(method)
    if any(isinstance(stmt, (code.Raise, code.Assert)) for m in reached for stmt in m.statements):
        return False
    calls = [(c, m) for m in reached for c in m.calls if m.actor.own_method(c, m) is None]
    return any(_looks(c, m) for c, m in calls) and all(is_harmless(c, m) for c, m in calls)


def is_harmless(call: code.Call, method: Method) -> bool:
    """True for a call that only looks at values, changes a table, logs or sleeps."""
    event = method.event(call)
    if event is not None and event.role in ("sleep", "lock"):
        return True
    if isinstance(method.parent(call), code.Await):
        return False
    name = method.qualname(call.func).removeprefix("builtins.")
    if logged(call, method) is not None or name in _PLAIN or name.startswith(("time.", "math.")):
        return True
    if event is not None or not isinstance(call.func, code.Attr) or name:
        return event is not None and event.role in ("alive", "log")
    if isinstance(call.func.base, (code.Const, code.Text)):
        return True
    return _looks(call, method)


def _looks(call: code.Call, method: Method) -> bool:
    """Whether something is asked of a container or a future, or a process whether it has ended: ``p.poll()``."""
    if not isinstance(call.func, code.Attr) or method.qualname(call.func) or method.event(call) is not None:
        return False
    asked = call.func.name
    if asked in _OF_KNOWN_TABLES:
        return method.actor.values.type_of(call.func.base, method).rpartition(".")[2] in _TABLES
    return asked in _OF_TABLES or (asked == "poll" and not call.args)


def runs_a_loop(method: Method) -> bool:
    """True for a thread that does nothing but run an event loop, which no task that fails ends."""
    last = method.body[-1] if method.body else None
    call = last.value if isinstance(last, code.Do) else None
    if not isinstance(call, code.Call) or not isinstance(call.func, code.Attr) or call.func.name != "run_forever":
        return False
    loop = call.func.base
    if method.actor.values.type_of(loop, method).endswith("EventLoop"):
        return True
    set_here = [c.positional(0) for c in method.calls if method.qualname(c.func) == "asyncio.set_event_loop"]
    return any(code.dotted(given) == code.dotted(loop) for given in set_here)


def runs(event: Event) -> Method | None:
    """The function that a spawn runs: ``target=self._loop``, ``self._loop()``, a nested or module-level function."""
    method, expr = event.method, event.payload
    if isinstance(expr, code.Name):
        values = method.written.local_assignments.get(expr.id, []) if method.is_local(expr.id) else []
        expr = values[0][1] if len(values) == 1 else expr
    if isinstance(expr, code.Call) and method.qualname(expr.func) in _STUBS and expr.args:
        expr = expr.args[0].value
    elif isinstance(expr, code.Call):
        expr = expr.func
    if not isinstance(expr, (code.Attr, code.Name)):
        return None
    found = method.actor.named(expr, method) or method.actor.facts.function(method.qualname(expr))
    outer = method.outer
    own = {p.name for p in method.code.params} | {*method.written.local_assignments}
    while found is None and outer is not None and isinstance(expr, code.Name) and expr.id not in own:
        found, outer = method.actor.nested(expr.id, outer), outer.outer
    return found


def ended_by_its_owner(event: Event) -> bool:
    """True where it runs on an event loop or in a pool of the actor's that the actor stops."""
    method, func = event.method, event.call.func
    place = event.call.argument(1, "loop") if event.operation.handle == "future" else None
    if event.operation.handle == "future" and isinstance(func, code.Attr) and method.own_attribute(func.base):
        place = func.base
    head = method.own_attribute(place).partition(".")[0]
    return bool(head) and head in method.actor.remembered(_stopped)


def _stopped(actor: Actor) -> frozenset[str]:
    """The attributes that the actor stops, also by another name: ``pool = getattr(self, "pool", None)``."""
    found: set[str] = set()
    for method in actor.everything:
        for expr in method.exprs():
            if isinstance(expr, code.Attr) and expr.name in _STOPS:
                found.add(method.own_attribute(expr.base).partition(".")[0])
                root = code.dotted(expr.base).partition(".")[0]
                for _, value in method.written.local_assignments.get(root, []):
                    if isinstance(value, code.Call) and code.dotted(value.func) == "getattr":
                        name = value.positional(1)
                        found.add(str(name.value) if isinstance(name, code.Const) else "")
    return frozenset(found - {""})


def _speaks(catch: Catch) -> bool:
    return catch.is_broad and catch.reaction is not Reaction.SILENT


def _guards_rounds(loop: code.While, method: Method) -> bool:
    """Whether all work in the loop, pauses left out, is under a broad clause that logs or reacts."""
    guarded = [c for c in catches(method) if _speaks(c) and c.around in loop.body]
    held = {id(call) for catch in guarded for call in code.calls(catch.tried)}
    clauses = {id(call) for catch in guarded for call in code.calls(catch.body)}
    for call in code.calls(loop.body):
        event = method.event(call)
        if id(call) not in held | clauses and not (event is not None and event.role in ("sleep", "wait")):
            inner = method.actor.own_method(call, method)
            if inner is None or not is_guarded(inner):
                return False
    return bool(held) or any(method.actor.own_method(call, method) for call in code.calls(loop.body))
