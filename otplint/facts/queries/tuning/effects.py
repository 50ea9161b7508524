"""What hangs on a number: an operation, or only a log line, a memo, a figure in an answer, or one more look.

A number that decides nothing that one would notice in operation is one of the code's, as its names are: nobody wants to
set it. The questions here are asked of what happens where the number is reached.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from otplint.facts.methods import Role
from otplint.facts.queries.failure.catches import caught_types
from otplint.facts.queries.failure.reaction import Reaction, logged, reaction
from otplint.facts.queries.tuning.measures import Measure
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.methods import Method
    from otplint.facts.queries.tuning.fixed import Fixed
    from otplint.facts.queries.tuning.thresholds import Threshold

_ROOM = re.compile(r"\bdeque\((?:[^()]|\([^()]*\))*\)")
_EVICTS = frozenset(("popitem", "pop", "popleft"))
_TIMEOUTS = frozenset(("BaseException", "Exception", "OSError", "IOError", "TimeoutError", "asyncio.TimeoutError",
                       "asyncio.exceptions.TimeoutError", "concurrent.futures.TimeoutError", "socket.timeout",
                       "socket.error"))  # fmt: skip


def of_threshold(found: Threshold) -> str:
    """Why hardly anything hangs on a comparison with numbers; empty where something may.

    Too much of the actor's own state is an alarm that one sets, even where it only warns; a warning about every so many
    rounds or after so long is not.
    """
    choice = _choice(found.compare, found.method)
    if choice is None:
        return ""
    told_of = found.measure in (Measure.COUNTER, Measure.ELAPSED) or found.constants
    if told_of and _only_tells((*choice.body, *choice.orelse), found.method) and _is_used_there(found, choice):
        return "the number decides only whether something is logged"
    if _is_memo(found, choice):
        return "what is dropped from the table is worked out again by the same function: a memo"
    if isinstance(choice, code.If) and _only_figures(choice, found.method):
        return "the number decides only whether a figure is worked out for an answer"
    if found.constants and isinstance(choice, code.If) and _only_paces(found, choice):
        return "the number has a name and says only after how many rounds something regular is done"
    if found.constants and isinstance(choice, code.If) and _only_marks(choice, found.method):
        return "the number has a name and decides only whether a mark for another try is kept"
    return ""


def _choice(compare: code.Expr, method: Method) -> code.If | code.While | None:
    """The statement that the comparison decides about, alone or together with others."""
    for up in method.above(compare):
        if isinstance(up, (code.If, code.While)):
            return up if up.test.start <= compare.start and compare.end <= up.test.end else None
        if not isinstance(up, (code.Bool, code.Unary)):
            return None
    return None


def _only_tells(block: code.Block, method: Method) -> bool:
    """Logs, the text for it, and a flag that it was done."""
    stmts = list(code.statements(block))
    inside = {id(e) for stmt in stmts for head in code.expressions(stmt) for e in code.walk(head)}
    told = False
    for stmt in stmts:
        match stmt:
            case code.If() | code.Pass():
                pass
            case code.Do(value=code.Call() as call) if logged(call, method) is not None and not _waits(call):
                told = True
            case code.Do(value=code.Const() | code.Text()):
                pass
            case code.Assign(targets=targets, value=value) if value is not None:
                if _waits(value) or not all(_is_for_telling(t, value, method, inside) for t in targets):
                    return False
            case code.Augment(target=code.Name(id=name)):
                if not _is_read_inside(name, method, inside):
                    return False
            case _:
                return False
    return told


def _waits(expr: code.Expr) -> bool:
    return any(isinstance(e, (code.Await, code.Yield)) for e in code.walk(expr))


def _is_for_telling(target: code.Expr, value: code.Expr, method: Method, inside: set[int]) -> bool:
    """A local that nothing but the log reads, or a flag that nothing but this function asks."""
    if isinstance(target, code.Name):
        return _is_read_inside(target.id, method, inside)
    own = method.own_attribute(target) if isinstance(target, code.Attr) else ""
    flag = isinstance(value, code.Const) and (isinstance(value.value, bool) or value.value is None)
    return bool(own) and flag and all(
        use.method is method or use.method.role is Role.START for use in method.actor.uses_of(own)
    )  # fmt: skip


def _is_read_inside(name: str, method: Method, inside: set[int]) -> bool:
    """True where no other place reads what is put into the local here; another branch that sets it anew may."""
    written = {id(t) for stmt in method.statements if isinstance(stmt, code.Assign) for t in stmt.targets}
    written |= {id(stmt.target) for stmt in method.statements if isinstance(stmt, code.Augment)}
    named = [e for e in method.exprs() if isinstance(e, code.Name) and e.id == name]
    branches = [_branch(e, method) for e in named if id(e) in written and id(e) not in inside]
    return method.is_local(name) and all(
        id(e) in inside or id(e) in written or any(b is not None and b in method.above(e) for b in branches)
        for e in named
    )  # fmt: skip


def _branch(node: code.Node, method: Method) -> code.If | None:
    return next((up for up in method.above(node) if isinstance(up, code.If)), None)


def _is_used_there(found: Threshold, choice: code.If | code.While) -> bool:
    """A constant that other places of its file name as well, a cut of the buffer perhaps, decides more.

    The room for what is counted, ``deque(maxlen=MOST + 1)``, decides nothing.
    """
    source = found.method.source
    last = max((stmt.end for stmt in code.statements((*choice.body, *choice.orelse))), default=choice.end)
    outside = _ROOM.sub("", source.text[: choice.start] + source.text[last:])
    return all(len(re.findall(rf"\b{re.escape(n.name)}\b", outside)) <= 1 for n in found.constants)


def _is_memo(found: Threshold, choice: code.If | code.While) -> bool:
    """``if len(self.seen) > 256: self.seen.popitem()`` where the same function looks up and fills the table."""
    method = found.method
    if len(choice.body) != 1 or choice.orelse or not isinstance(choice.body[0], code.Do):
        return False
    call = choice.body[0].value
    if not isinstance(call, code.Call) or not isinstance(call.func, code.Attr) or call.func.name not in _EVICTS:
        return False
    table = method.own_attribute(call.func.base)
    sizes = (e for e in code.walk(found.measured) if isinstance(e, code.Call) and code.dotted(e.func) == "len")
    if not table or not any(method.own_attribute(a.value) == table for size in sizes for a in size.args):
        return False
    uses = [u for u in method.actor.uses_of(table) if u.method.role is not Role.START]
    asked = any(u.method is method and (u.kind in ("lookup", "test") or _is_taken(u.node, u.method)) for u in uses)
    filled = any(u.method is method and u.kind == "insert" for u in uses)
    return asked and filled and all(u.method is method or (u.removes and not _is_taken(u.node, u.method)) for u in uses)


def _is_taken(node: code.Node, method: Method) -> bool:
    """True for a call whose answer somebody wants."""
    up = method.parent(node)
    up = method.parent(up) if isinstance(up, code.Await) else up
    return isinstance(node, code.Call) and not isinstance(up, code.Do)


def _only_figures(choice: code.If, method: Method) -> bool:
    """``if self.samples >= 2: left = rest * self.pace``, where ``left`` is only a part of what is returned."""
    for stmt in (*choice.body, *choice.orelse):
        match stmt:
            case code.Assign(targets=(code.Name(id=name),), value=code.Binary() as value):
                if any(isinstance(e, (code.Await, code.Call)) for e in code.walk(value)):
                    return False
                reads = [e for e in method.exprs() if isinstance(e, code.Name) and e.id == name]
                holders = [method.statement(e) for e in reads]
                if not all(isinstance(s, (code.Return, code.Assign)) for s in holders):
                    return False
                if any(isinstance(s, code.Assign) and e not in s.targets for e, s in zip(reads, holders, strict=True)):
                    return False
            case _:
                return False
    return True


def _only_paces(found: Threshold, choice: code.If) -> bool:
    """``self.rounds += 1; if self.rounds >= MOST: self.rounds = 0; tidy_up()``: nothing else brings it back to zero."""
    method = found.method
    own = method.own_attribute(found.measured)
    changes = [u for u in method.actor.uses_of(own) if u.method.role is not Role.START] if own else []
    inside = {id(stmt) for stmt in choice.body}
    around = {id(up) for up in method.above(choice)}
    for use in changes:
        stmt = use.method.statement(use.node)
        if use.kind == "write":
            if id(stmt) not in inside:
                return False
        elif use.kind == "update" and (
            use.method is not method
            or any(isinstance(up, (code.Handler, code.If)) and id(up) not in around for up in method.above(use.node))
        ):
            return False
    return {"write", "update"} <= {u.kind for u in changes}


def _only_marks(choice: code.If, method: Method) -> bool:
    """``self.unsaved.discard(key)`` in one branch, ``self.unsaved.add(key)`` in the other, and logs."""
    kinds: list[set[tuple[str, bool]]] = []
    for block in (choice.body, choice.orelse):
        marks = set()
        for stmt in block:
            call = stmt.value if isinstance(stmt, code.Do) else None
            if not isinstance(call, code.Call):
                return False
            own = method.own_attribute(call.func.base) if isinstance(call.func, code.Attr) else ""
            if own and isinstance(call.func, code.Attr) and call.func.name in ("add", "discard") and call.args:
                marks.add((own, call.func.name == "add"))
            elif logged(call, method) is None:
                return False
        kinds.append(marks)
    first, second = kinds
    return (
        len(first) == len(second) == 1 and first != second and {own for own, _ in first} == {own for own, _ in second}
    )


def of_wait(use: code.Node, method: Method) -> str:
    """Why nothing hangs on how long a call waits; empty where something may.

    Args:
        use: the number, as an argument of the call.
        method: where it is written.
    """
    call = next((up for up in method.above(use) if isinstance(up, code.Call)), None)
    if call is None:
        return ""
    if _goes_round(call, method):
        return "the loop goes round and asks again when the time is up"
    if _is_told_to_end(call, method):
        return "a daemon thread that was told to end is given so long, and nothing is done if it does not"
    return ""


def _goes_round(call: code.Call, method: Method) -> bool:
    """A timed answer in a ``while`` loop whose ``except`` clause does nothing, or only logs, and tries again."""
    event = method.event(call)
    asks = event is not None and event.role in ("wait", "call") and event.operation.timeout
    if event is None or not asks or len(event.operation.parameters) < 2:
        return False
    below: code.Node = call
    handler, around = None, None
    for up in method.above(call):
        if isinstance(up, (code.For, code.While)):
            return isinstance(up, code.While) and handler is not None and around is not None and (
                _carries_on(handler, around, method)
            )  # fmt: skip
        if isinstance(up, code.Try) and handler is None and any(below is stmt for stmt in up.body):
            handler = next((h for h in up.handlers if _TIMEOUTS & {*caught_types(h.type, method)}), None)
            around = up
        below = up
    return False


def _carries_on(handler: code.Handler, around: code.Try, method: Method) -> bool:
    leaves = (code.Return, code.Break, code.Raise)
    return reaction(handler.body, around.body, method) in (Reaction.SILENT, Reaction.LOGS) and not any(
        isinstance(stmt, leaves) for stmt in code.statements(handler.body)
    )


def _is_told_to_end(call: code.Call, method: Method) -> bool:
    """``self.stop.set(); self.thread.join(10)``, as a statement, of a daemon thread; or ``self.jobs.put(None)``."""
    if not isinstance(call.func, code.Attr) or call.func.name != "join" or _is_taken(call, method):
        return False
    thread = _held(call.func.base, method)
    if not thread or not any(_is_daemon(value, place) for value, _, place in method.actor.assigned(thread) if value):
        return False
    others = [(c, c.func) for c in method.calls if isinstance(c.func, code.Attr)]
    for asked, func in others:
        if func.name == "is_alive" and asked.start > call.start and _held(func.base, method) == thread:
            choice = _choice(asked, method)
            if choice is None or not _only_tells((*choice.body, *choice.orelse), method):
                return False
    return any(
        c.start < call.start and _held(func.base, method) and (
            (func.name == "set" and not c.args)
            or (func.name in ("put", "put_nowait") and len(c.args) == 1 and _is_none(c.args[0].value))
        )
        for c, func in others
    )  # fmt: skip


def _is_none(expr: code.Expr) -> bool:
    return isinstance(expr, code.Const) and expr.value is None


def _held(expr: code.Expr, method: Method) -> str:
    """The own attribute that an expression stands for, also by a local: ``thread = getattr(self, "_thread", None)``."""
    if own := method.own_attribute(expr):
        return own
    values = [v for _, v in method.local_assignments.get(expr.id, ())] if isinstance(expr, code.Name) else []
    match values:
        case [code.Call(func=code.Name(id="getattr"), args=(owner, name, *_))] if isinstance(name.value, code.Const):
            if isinstance(owner.value, code.Name) and owner.value.id == method.self_name:
                return str(name.value.value)
        case [value]:
            return method.own_attribute(value)
    return ""


def _is_daemon(value: code.Expr, method: Method) -> bool:
    return (
        isinstance(value, code.Call)
        and method.qualname(value.func) == "threading.Thread"
        and any(a.name == "daemon" and isinstance(a.value, code.Const) and a.value.value is True for a in value.args)
    )


def of_history(number: Fixed, use: code.Node, method: Method) -> str:
    """Why a named length of a ``deque`` is no capacity: it holds the latest of something to look at, no work to do."""
    call = next((up for up in method.above(use) if isinstance(up, code.Call)), None)
    if not number.is_constant or call is None or method.qualname(call.func) != "collections.deque":
        return ""
    stmt = next((up for up in method.above(call) if isinstance(up, code.Assign)), None)
    own = {method.own_attribute(t) for t in stmt.targets} - {""} if stmt is not None else set()
    if not own or any(_is_worked_off(attribute, method) for attribute in own):
        return ""
    return "the number has a name and says how much of the past is kept to look at"


def _is_worked_off(attribute: str, method: Method) -> bool:
    """True where somebody takes single entries out to do something with them."""
    return any(
        isinstance(c.func, code.Attr) and c.func.name in _EVICTS and _is_taken(c, place)
        and attribute in _below(c.func.base, place)
        for place in method.actor.everything
        for c in place.calls
    )  # fmt: skip


def _below(expr: code.Expr, method: Method) -> Iterator[str]:
    """The own attributes that a container is, or is an entry of, also by a local."""
    yield _held(expr, method)
    if isinstance(expr, code.Sub):
        yield _held(expr.base, method)
    for _, value in method.local_assignments.get(expr.id, ()) if isinstance(expr, code.Name) else ():
        yield from (method.own_attribute(e) for e in code.walk(value) if isinstance(e, (code.Attr, code.Name)))
