"""Clauses that do little harm: what they guard ends something, closes something, or only converts what it has."""

from __future__ import annotations

from otplint.facts.methods import Method
from otplint.facts.queries.failure.catches import Catch
from otplint.facts.queries.failure.reaction import Reaction, logged, warns
from otplint.facts.syntax import code

__all__ = ["cannot_hide", "is_conversion", "is_mild"]

_CONVERSIONS = frozenset({"int", "float", "str", "bool", "bytes", "bytearray", "complex", "dict", "list", "set",
                          "tuple", "frozenset", "len", "round", "abs", "min", "max", "sum", "sorted", "repr", "format",
                          "isinstance", "hasattr", "getattr", "ord", "chr", "hash", "type"})  # fmt: skip
_PARSERS = ("json.", "datetime.", "re.", "ast.", "base64.", "uuid.", "decimal.", "fractions.", "yaml.",
            "urllib.parse.",
            "time.strptime", "math.", "ipaddress.", "struct.", "binascii.", "html.", "inspect.",
            "pathlib.")  # fmt: skip
_OF_TEXT = frozenset({"strip", "split", "rsplit", "splitlines", "decode", "encode", "get", "format", "join", "lower",
                      "upper", "replace", "partition", "rpartition", "startswith", "endswith", "items", "keys",
                      "isdigit", "isalpha", "isalnum", "isnumeric",
                      "values", "isoformat", "timestamp", "strftime", "total_seconds"})  # fmt: skip
_KEEPS = frozenset({"append", "add", "extend", "update", "setdefault", "discard", "insert", "appendleft"})
"""How what was converted is kept in a list, set or dict."""
_TAKES = frozenset({"pop", "popleft", "popitem"})


def cannot_hide(catch: Catch) -> str:
    """Why the clause swallows nothing whatever it says; empty where it may."""
    if _fails_itself(catch):
        return "the clause fails itself: the variable that it begins with has no value when the guarded code fails"
    only = catch.tried[0] if len(catch.tried) == 1 else None
    event = catch.method.event(_call(only)) if isinstance(only, code.Do) else None
    if event is not None and event.certain and event.role == "stop":
        return "what it guards is the actor's own end"
    return ""


def is_mild(catch: Catch) -> str:
    """Why little is lost by the failure; empty where nothing speaks for that."""
    if catch.isolates_items and catch.reaction is Reaction.SILENT and _only_converts(catch):
        return "it guards nothing but conversions and look-ups of one item, which is left out"
    if _waits_for_what_it_kills(catch):
        return "it only waits for the end of what the function then ends by force"
    if _closes_what_was_taken_out(catch):
        return "it only closes what the actor has given up already"
    if _runs_a_program(catch):
        return "it only runs a program whose own failure raises nothing, and warns"
    if _goes_before_another_error(catch):
        return "the error that is being handled is raised right after"
    if _feeds_only_the_log(catch):
        return "what it guards goes into nothing but log lines"
    return "it guards an extra that is only used where it is there" if _is_an_extra(catch) else ""


def _goes_before_another_error(catch: Catch) -> bool:
    """True for clean-up inside an ``except`` clause that raises in the end: who called learns of the failure."""
    arms = [up for up in catch.method.above(catch.node) if isinstance(up, code.Handler) and up is not catch.node]
    return any(isinstance(arm.body[-1], code.Raise) for arm in arms)


def is_conversion(call: code.Call, method: Method) -> bool:
    """True for a call that converts, parses or looks into what it is given."""
    name = method.qualname(call.func).removeprefix("builtins.")
    if name:
        return name in _CONVERSIONS or name.startswith(_PARSERS)
    return isinstance(call.func, code.Attr) and call.func.name in _OF_TEXT


def _call(stmt: code.Stmt | None) -> code.Call | None:
    """The call that a statement is, awaited or not, its result unused."""
    value = stmt.value if isinstance(stmt, code.Do) else None
    while isinstance(value, code.Await):
        value = value.value
    return value if isinstance(value, code.Call) else None


def _fails_itself(catch: Catch) -> bool:
    """True where the arm begins with a call on a variable that the guarded code would have bound: unbound, or None."""
    call = _call(catch.body[0]) if catch.body else None
    if call is None or not isinstance(call.func, code.Attr) or not isinstance(call.func.base, code.Name):
        return False
    name, method = call.func.base.id, catch.method
    if any(p.name == name for p in method.code.params):
        return False
    if any(isinstance(s, code.Scope) and name in s.names for s in method.statements):
        return False
    binding = [s for s in method.statements if _binds(s, name)]
    if [s for s in binding if any(s is t for t in catch.tried)] != [s for s in binding if s.start > catch.around.start]:
        return False
    if not _is_last(catch.tried, name):
        return False
    before = [s for s in binding if s.start < catch.around.start]
    return all(isinstance(s, code.Assign) and _is_none(s.value) for s in before)


def _is_last(block: code.Block, name: str) -> bool:
    """True where nothing but a return follows the only statement that binds the variable."""
    places = [i for i, s in enumerate(block) if _binds(s, name)]
    return len(places) == 1 and all(isinstance(s, code.Return) for s in block[places[0] + 1 :])


def _binds(stmt: code.Stmt, name: str) -> bool:
    targets: tuple[code.Expr, ...] = ()
    match stmt:
        case code.Assign(targets=given, value=value) if value is not None:
            targets = given
        case code.For(target=target):
            targets = (target,)
        case code.With(items=items):
            targets = tuple(t for _, t in items if t is not None)
    return any(isinstance(e, code.Name) and e.id == name for t in targets for e in code.walk(t))


def _is_none(value: code.Expr | None) -> bool:
    return isinstance(value, code.Const) and value.value is None


def _only_converts(catch: Catch) -> bool:
    """True where nothing is guarded but plain Python on values that are there."""
    plain = (code.Assign, code.If, code.Pass, code.Do, code.Continue)
    if not all(isinstance(s, plain) for s in code.statements(catch.tried)):
        return False
    heads = [e for s in code.statements(catch.tried) for head in code.expressions(s) for e in code.walk(head)]
    return not any(isinstance(e, (code.Await, code.Yield)) for e in heads) and all(
        is_conversion(call, catch.method) or (isinstance(call.func, code.Attr) and call.func.name in _KEEPS)
        for call in code.calls(catch.tried)
    )


def _waits_for_what_it_kills(catch: Catch) -> bool:
    """True for a wait whose result is not used, before something is killed in the same function."""
    call = _call(catch.tried[0]) if len(catch.tried) == 1 else None
    event = catch.method.event(call)
    if call is None or event is None or not event.certain or event.role not in ("call", "wait"):
        return False
    if event.payload is not None:
        return False  # a request
    return any(e.role == "kill" and e.certain and e.call.start > call.end for e in catch.method.events)


def _closes_what_was_taken_out(catch: Catch) -> bool:
    """True for the ``close()`` of one thing that came out of the actor's tables in the same function."""
    only = catch.tried[0] if len(catch.tried) == 1 else None
    call = only.value if isinstance(only, code.Do) else None
    if not isinstance(call, code.Call) or call.args or not isinstance(call.func, code.Attr):
        return False
    return call.func.name == "close" and _was_taken_out(call.func.base, catch.method, 0)


def _was_taken_out(expr: code.Expr, method: Method, depth: int) -> bool:
    if not isinstance(expr, code.Name) or not method.is_local(expr.id) or depth > 2:
        return False
    values = [value for _, value in method.local_assignments.get(expr.id, ())]
    return bool(values) and all(_takes(value, method, depth) for value in values)


def _takes(value: code.Expr, method: Method, depth: int) -> bool:
    """``self.table.pop(key)``, or a part of what was taken so."""
    if isinstance(value, code.Call) and isinstance(value.func, code.Attr):
        if value.func.name in _TAKES:
            return bool(method.own_attribute(value.func.base))
        return value.func.name == "get" and _was_taken_out(value.func.base, method, depth + 1)
    return isinstance(value, (code.Sub, code.Attr)) and _was_taken_out(value.base, method, depth + 1)


def _runs_a_program(catch: Catch) -> bool:
    """True for one ``subprocess.run`` without ``check``: only starting the program can fail."""
    call = _call(catch.tried[0]) if len(catch.tried) == 1 else None
    if call is None or catch.method.qualname(call.func) not in ("subprocess.run", "subprocess.call"):
        return False
    check = next((a.value for a in call.args if a.name == "check"), None)
    unchecked = check is None or (isinstance(check, code.Const) and check.value is False)
    return unchecked and any(warns(one, catch.method) for one in code.calls(catch.body))


def _feeds_only_the_log(catch: Catch) -> bool:
    """True where the guarded code only logs, waits and binds variables that nobody outside of it reads."""
    method = catch.method
    bound: set[str] = set()
    says = False
    heads = [e for s in code.statements(catch.tried) for head in code.expressions(s) for e in code.walk(head)]
    if not all(_sleeps(e, method) for e in heads if isinstance(e, (code.Await, code.Yield))):
        return False  # what others are asked for may change them
    for stmt in code.statements(catch.tried):
        match stmt:
            case code.Assign(targets=targets):
                if not all(isinstance(t, code.Name) for t in targets):
                    return False
                bound |= {t.id for t in targets if isinstance(t, code.Name)}
            case code.Do():
                call = _call(stmt)
                if call is not None and logged(call, method) is not None:
                    says = True
                elif call is None or not _sleeps(call, method):
                    return False
            case code.If() | code.For() | code.While() | code.Break() | code.Continue() | code.Pass() | code.Import():
                pass
            case _:
                return False
    if not says or not any(isinstance(s, code.Assign) for s in code.statements(catch.tried)):
        return False
    last = max(s.end for s in code.statements(catch.tried))
    return not any(
        isinstance(e, code.Name) and e.id in bound and not catch.around.start <= e.start < last for e in method.exprs()
    )


def _sleeps(expr: code.Expr, method: Method) -> bool:
    event = method.event(expr.value if isinstance(expr, code.Await) else expr)
    return event is not None and event.role == "sleep"


def _is_an_extra(catch: Catch) -> bool:
    """True where the guarded code only binds a variable that was None, and all uses are behind a test for that."""
    only = catch.tried[0] if len(catch.tried) == 1 else None
    if not isinstance(only, code.Assign) or len(only.targets) != 1 or catch.reaction is not Reaction.SILENT:
        return False
    target, method = only.targets[0], catch.method
    if not isinstance(target, code.Name) or not isinstance(only.value, code.Call):
        return False
    binding = [s for s in method.statements if _binds(s, target.id)]
    others = [s for s in binding if s is not only]
    if not others or not all(isinstance(s, code.Assign) and _is_none(s.value) for s in others):
        return False
    used = [e for e in method.exprs() if isinstance(e, code.Name) and e.id == target.id and e.start > only.end]
    return bool(used) and all(_is_behind_test(e, method) for e in used)


def _is_behind_test(name: code.Name, method: Method) -> bool:
    """True in ``if x is not None:`` without ``else``, test and body."""
    for up in method.above(name):
        if isinstance(up, code.If) and _asks_for(up.test, name.id):
            return not up.orelse
    return False


def _asks_for(test: code.Expr, name: str) -> bool:
    if isinstance(test, code.Compare):
        left, none = test.left, test.ops == ("is not",) and _is_none(test.rights[0])
        return none and isinstance(left, code.Name) and left.id == name
    return isinstance(test, code.Name) and test.id == name
