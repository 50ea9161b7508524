"""What an ``except`` arm does about a failure before it carries on."""

from __future__ import annotations

import enum
import re

from otplint.facts.methods import Method
from otplint.facts.origins import origins
from otplint.facts.syntax import code
from otplint.facts.values import matched

_MAX_DEPTH = 3

LOUD = frozenset({"info", "warning", "warn", "error", "exception", "critical", "fatal", "log", "success", "print"})
QUIET = frozenset({"debug", "trace"})
_CALM = frozenset({"info", "success", "log", "print", "echo", "secho"})
"""What people read, but not what tells them that something is wrong."""
_LOUD_NAMES = frozenset({"print", "warnings.warn", "traceback.print_exc", "traceback.print_exception", "click.echo",
                         "sys.stderr.write", "sys.stdout.write", "sentry_sdk.capture_exception",
                         "sentry_sdk.capture_message", "click.secho", "rich.print"})  # fmt: skip
_DESCRIBES = frozenset({"str", "repr", "type", "isinstance", "issubclass", "format", "len", "bool", "id", "hasattr",
                        "getattr", "int", "float", "dict", "list", "tuple", "format_exc", "format_exception",
                        "exc_info", "time", "monotonic", "get_name"})  # fmt: skip
_LOG_WORD = re.compile(r"(?:^|_)(?:log|logs|logging|console|warnings)(?:_|$)|logger$")


class Reaction(enum.Enum):
    """What an ``except`` arm does before it carries on."""

    SILENT = "silent"
    """Nothing, or a debug message."""
    LOGS = "logs"
    """Says so in a log that people read, nothing more."""
    DEFAULT = "default"
    """Puts a value in the place of the result."""
    MARKS = "marks"
    """Notes it in the actor's state: a counter, a flag."""
    REACTS = "reacts"
    """Does something about it: restarts, retries, tells somebody."""


def reaction(body: code.Block, tried: code.Block, method: Method) -> Reaction:
    """What the arm ``body`` of a ``try`` around ``tried`` does; the strongest of its deeds counts."""
    if _tries_again(body, tried, method):
        return Reaction.REACTS
    deeds = _deeds(body, tried, method, 0)
    return next(
        (r for r in (Reaction.DEFAULT, Reaction.REACTS, Reaction.MARKS, Reaction.LOGS) if r in deeds), Reaction.SILENT
    )


def _tries_again(body: code.Block, tried: code.Block, method: Method) -> bool:
    """True where the arm makes a call that the guarded code has made: for each item alone, or with something else."""
    made = {code.dotted(c.func) for c in code.calls(tried) if _is_work(c, method)} - {""}
    return any(code.dotted(c.func) in made and _is_work(c, method) for c in code.calls(body))


def _is_work(call: code.Call, method: Method) -> bool:
    """False for log lines, messages, and what only looks at a value or makes one."""
    if (
        logged(call, method) is not None
        or describes(call, method)
        or code.dotted(call.func).rpartition(".")[2][:1].isupper()
    ):
        return False
    event = method.event(call)
    return event is None or event.role not in ("send", "cast", "put", "reply", "sleep", "wait")


def _deeds(body: code.Block, tried: code.Block, method: Method, depth: int) -> set[Reaction]:
    found: set[Reaction] = set()
    for stmt in code.statements(body):
        match stmt:
            case code.Return(value=value) if value is not None and not depth:
                if not (isinstance(value, code.Const) and value.value is None):
                    found.add(Reaction.REACTS if _works(value, method) else Reaction.DEFAULT)
            case code.Assign(targets=targets, value=value) if value is not None:
                for target in targets:
                    found |= _assigned(target, value, body, tried, method, depth)
            case code.Augment(target=target):
                found |= _assigned(target, None, body, tried, method, depth)
            case code.Delete():
                found.add(Reaction.MARKS)
            case code.Do(value=code.Yield()):
                found.add(Reaction.REACTS)
    for call in code.calls(body):
        found |= _called(call, method, depth)
    return found


def _assigned(
    target: code.Expr, value: code.Expr | None, body: code.Block, tried: code.Block, method: Method, depth: int
) -> set[Reaction]:
    """A variable that the guarded code would have set is a default; one that is read elsewhere is a mark."""
    if isinstance(target, (code.Attr, code.Sub)):
        return {Reaction.MARKS}
    names = {e.id for e in code.walk(target) if isinstance(e, code.Name)}
    if depth:
        return set()
    if value is not None and names & _bound_in(tried):
        made = _works(value, method) or isinstance(value, code.Text)
        return {Reaction.REACTS if made else Reaction.DEFAULT}
    inside = {id(e) for stmt in code.statements(body) for head in code.expressions(stmt) for e in code.walk(head)}
    read = any(isinstance(e, code.Name) and e.id in names and id(e) not in inside for e in method.exprs())
    return {Reaction.REACTS} if read else set()


def _works(value: code.Expr, method: Method) -> bool:
    """True for a value that is got by doing something else instead: a second try, a fallback; not for a constructor."""
    while isinstance(value, code.Await):
        value = value.value
    if not isinstance(value, code.Call):
        return False
    if describes(value, method):
        return code.dotted(value.func) in ("hasattr", "getattr", "isinstance")  # looks for something else instead
    last = code.dotted(value.func).rpartition(".")[2]
    return not (last[:1].isupper() or last in ("dict", "list", "set", "tuple", "frozenset"))


def _bound_in(block: code.Block) -> set[str]:
    return {
        e.id
        for stmt in code.statements(block)
        if isinstance(stmt, (code.Assign, code.With, code.For))
        for target in _targets(stmt)
        for e in code.walk(target)
        if isinstance(e, code.Name)
    }


def _targets(stmt: code.Assign | code.With | code.For) -> tuple[code.Expr, ...]:
    if isinstance(stmt, code.Assign):
        return stmt.targets if stmt.value is not None else ()
    return (stmt.target,) if isinstance(stmt, code.For) else tuple(t for _, t in stmt.items if t is not None)


def _called(call: code.Call, method: Method, depth: int) -> set[Reaction]:
    level = logged(call, method)
    if level is not None:
        return {Reaction.LOGS} if level else set()
    if answers(call, method):
        return {Reaction.DEFAULT}
    if describes(call, method) or (isinstance(call.func, code.Attr) and call.func.name == "release"):
        return set()  # a lock is given back whether or not something failed
    helper = method.actor.own_method(call, method)
    if helper is None or depth >= _MAX_DEPTH:
        return {Reaction.REACTS}
    return _deeds(helper.body, (), helper, depth + 1)


def logged(call: code.Call, method: Method) -> bool | None:
    """Whether a call writes to a log: true where people read it, false for debug, none for other calls."""
    name = method.qualname(call.func)
    if name in _LOUD_NAMES:
        return True
    func = call.func
    if isinstance(func, code.Name):
        owner, _, last = name.rpartition(".")
        if last in LOUD | QUIET and _is_logger(owner, method):
            return last not in QUIET  # error = log.error
        func, method = _stands_for(func, method)
    if not isinstance(func, code.Attr) or (func.name not in LOUD and func.name not in QUIET):
        return None
    chain = _chain(func.base)
    type_ = method.actor.values.type_of(func.base, method)
    is_log = any(_LOG_WORD.search(part.lower()) for part in chain) or "Logger" in type_
    if not is_log and not _made_by_logging(func.base, method):
        return None
    return func.name not in QUIET


def warns(call: code.Call, method: Method) -> bool:
    """True for a log line that tells of something wrong: a warning or above."""
    return logged(call, method) is True and code.dotted(call.func).rpartition(".")[2] not in _CALM


def _is_logger(qualified: str, method: Method) -> bool:
    """True for a name at module level that holds a logger."""
    return any(
        isinstance(value, code.Call) and _makes_logger(module.qualname(value.func))
        for module, _, value in method.actor.facts.constants(qualified)
    )


def _makes_logger(made: str) -> bool:
    return made in ("logging.getLogger", "structlog.get_logger", "logging.Logger") or made.endswith("get_logger")


def _stands_for(func: code.Name, method: Method) -> tuple[code.Expr, Method]:
    """The method that a name at module level stands for: ``debug, error = logger.debug, logger.error``."""
    qualified = method.qualname(func)
    for module, stmt, value in method.actor.facts.constants(qualified):
        for target in stmt.targets if isinstance(stmt, code.Assign) else ():
            found = matched(target, value, qualified.rpartition(".")[2])
            if isinstance(found, code.Attr):
                return found, module
    return func, method


def answers(call: code.Call, method: Method) -> bool:
    """True for a reply, and for a message to whoever is named by a parameter: the sender of what is handled."""
    func = call.func
    event = method.event(call)
    known = [event.operation] if event is not None else []
    names = {p.name for p in method.code.params}
    if event is None and isinstance(func, code.Attr) and isinstance(func.base, code.Name) and func.base.id in names:
        known = [op for _, op, _ in method.actor.facts.vocabulary.methods.get(func.name, ())]
    own = {method.self_name or (method.code.params[0].name if method.code.params else "")}
    for operation in known:
        if operation.role == "reply":
            return True
        if operation.role in ("cast", "send", "put") and operation.target in operation.parameters:
            target = call.argument(operation.parameters.index(operation.target), operation.target)
            if any(isinstance(e, code.Name) and e.id in names - own for e in code.walk(target)):
                return True
    return False


def _chain(expr: code.Expr) -> list[str]:
    """The names of ``a.b().c``, calls seen through."""
    parts = []
    while isinstance(expr, (code.Attr, code.Call)):
        if isinstance(expr, code.Attr):
            parts.append(expr.name)
            expr = expr.base
        else:
            expr = expr.func
    return [*parts, expr.id] if isinstance(expr, code.Name) else parts


def _made_by_logging(receiver: code.Expr, method: Method) -> bool:
    for origin in origins(receiver, method):
        if isinstance(origin.expr, code.Call) and _makes_logger(origin.method.qualname(origin.expr.func)):
            return True
    return method.qualname(receiver) in ("logging", "loguru.logger")


def describes(call: code.Call, method: Method) -> bool:
    """True for calls that only look at a value or make text of it."""
    name = method.qualname(call.func)
    if name.startswith(("traceback.", "logging.", "time.", "inspect.", "pprint.", "textwrap.", "json.dumps")):
        return True
    if isinstance(call.func, code.Attr):
        text = isinstance(call.func.base, (code.Const, code.Text))
        return text or call.func.name in ("format_exc", "exc_info", "get", "format", "join", "strip", "total_seconds")
    return code.dotted(call.func) in _DESCRIBES or name.rpartition(".")[2] in ("format_exc", "exc_info")
