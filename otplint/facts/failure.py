"""What actor code does with exceptions: which it catches, and whether the actor learns of them."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import NamedTuple

from otplint.facts import code
from otplint.facts.flow import Point, exception_types, suppressed_types
from otplint.facts.methods import Method
from otplint.facts.origins import origins

STOPPING = ("BaseException", "SystemExit", "KeyboardInterrupt", "GeneratorExit", "asyncio.CancelledError",
            "asyncio.exceptions.CancelledError", "concurrent.futures.CancelledError", "trio.Cancelled")  # fmt: skip

_LOUD = {"info", "warning", "warn", "error", "exception", "critical", "fatal", "log"}
_QUIET = {"debug", "trace"}
_LOUD_NAMES = {"print", "warnings.warn", "traceback.print_exc", "traceback.print_exception", "sys.stderr.write"}
_DESCRIBES = {"str", "repr", "type", "isinstance", "format", "len", "bool", "print", "id", "hasattr", "getattr"}


class Reaction(enum.Enum):
    """What an ``except`` arm does before it carries on."""

    SILENT = "silent"
    """Nothing, or a debug message."""
    LOGS = "logs"
    """Says so in a log that people read, nothing more."""
    DEFAULT = "default"
    """Puts a value in the place of the result."""
    REACTS = "reacts"
    """Does something about it: counts, marks, restarts, calls."""


class Catch(NamedTuple):
    """One ``except`` clause or ``suppress(...)`` of a method."""

    method: Method
    node: code.Handler | code.Call
    """The clause (its header is the place to report), or the call of ``suppress``."""
    types: tuple[str, ...]
    """Qualified names of what is caught; ``BaseException`` for a bare ``except``."""
    name: str
    """The variable that holds the exception, or the empty string."""
    body: code.Block
    """What the arm does; empty for ``suppress``."""
    tried: code.Block
    """The guarded statements."""
    around: code.Try | code.With

    @property
    def is_broad(self) -> bool:
        """True where any error, but no request to stop, is caught."""
        return "Exception" in self.types and not self.stopping

    @property
    def stopping(self) -> tuple[str, ...]:
        """What is caught that tells an actor, task or process to stop."""
        own = self.method.actor.kind.stop_exceptions
        return tuple(t for t in self.types if t in STOPPING or t in own)

    def carries_on(self) -> bool:
        """True if some path leaves the arm with the failure unreported.

        Raising, stopping the actor or the process, and handing the exception to somebody who will raise it report it.
        """
        if isinstance(self.node, code.Call):
            return True
        return self.method.flow.leaves(self.node, unless=self._reports)

    def _reports(self, point: Point) -> bool:
        node = point.node
        if isinstance(node, code.Raise):
            return True
        if isinstance(node, code.Call):
            owner = self.method.actor.method_of(point.function) or self.method
            event = owner.event(node)
            if event is not None and event.role == "stop":
                return True
            return self._hands_over(node, owner)
        if isinstance(node, code.Assign) and self.name and node.value is not None:
            stored = any(isinstance(t, (code.Attr, code.Sub)) for t in node.targets)
            return stored and _is_name(node.value, self.name)
        return False

    def _hands_over(self, call: code.Call, owner: Method) -> bool:
        """True where the exception object itself goes to somebody who is not a log."""
        func = call.func.name if isinstance(call.func, code.Attr) else code.dotted(call.func)
        if func == "set_exception":
            return True
        if not self.name or func in _DESCRIBES or func in _LOUD or func in _QUIET or func.startswith("format"):
            return False
        if owner.qualname(call.func).startswith(("traceback.", "logging.", "warnings.")):
            return False
        return any(_is_name(a.value, self.name) for a in call.args)

    @property
    def reaction(self) -> Reaction:
        """What the arm does; the strongest of its deeds counts."""
        default = reacts = False
        for stmt in code.statements(self.body):
            match stmt:
                case code.Return(value=value):
                    default = default or value is not None
                case code.Assign(targets=targets, value=value) if value is not None:
                    reacts = reacts or any(isinstance(t, (code.Attr, code.Sub)) for t in targets)
                    default = default or any(isinstance(t, (code.Name, code.Seq)) for t in targets)
                case code.Augment() | code.Delete():
                    reacts = True
        logs = [logged(c, self.method) for c in code.calls(self.body)]
        if any(level is None and not _describes(c) for level, c in zip(logs, code.calls(self.body), strict=True)):
            reacts = True
        if default:
            return Reaction.DEFAULT
        if reacts:
            return Reaction.REACTS
        return Reaction.LOGS if True in logs else Reaction.SILENT

    @property
    def isolates_items(self) -> bool:
        """True inside a ``for`` over a collection: one bad item must not stop the others."""
        for up in self.method.above(self.around):
            if isinstance(up, code.For):
                return self.around in up.body
            if isinstance(up, (code.While, code.Function)):
                return False
        return False

    @property
    def in_cleanup(self) -> bool:
        """True in a ``finally`` block or an ``except`` arm: a second failure while dealing with the first."""
        below: code.Node = self.around
        for up in self.method.above(self.around):
            if isinstance(up, code.Try) and any(s is below for s in up.final):
                return True
            if isinstance(up, code.Handler):
                return True
            below = up
        return False

    @property
    def runs_foreign_code(self) -> bool:
        """True where the guarded code is a function that came with a message: a job of somebody else's."""
        for call in code.calls(self.tried):
            func = call.func.value if isinstance(call.func, code.Await) else call.func
            if isinstance(func, code.Name) and self.method.is_local(func.id) and _comes_with_item(func.id, self.method):
                return True
        return False

    @property
    def only_imports(self) -> bool:
        """True where nothing but imports is guarded."""
        return all(isinstance(s, (code.Import, code.Pass)) for s in self.tried)


def catches(method: Method) -> Iterator[Catch]:
    """The ``except`` clauses and ``suppress(...)`` of a function, in source order."""
    for stmt in code.statements(method.body):
        if isinstance(stmt, code.Try):
            for handler in stmt.handlers:
                types = caught_types(handler.type, method)
                yield Catch(method, handler, types, handler.name, handler.body, stmt.body, stmt)
        elif isinstance(stmt, code.With):
            for context, _ in stmt.items:
                suppressed = suppressed_types(context)
                if suppressed is not None and isinstance(context, code.Call):
                    types = tuple(t for s in suppressed for t in caught_types(s, method))
                    yield Catch(method, context, types, "", (), stmt.body, stmt)


def caught_types(type_: code.Expr | None, method: Method) -> tuple[str, ...]:
    """Qualified names of the exceptions that an ``except`` expression names, through tuples held by a name."""
    if type_ is None:
        return ("BaseException",)
    found: list[str] = []
    for single in exception_types(type_):
        for origin in origins(single, method):
            if isinstance(origin.expr, code.Seq):
                found += caught_types(origin.expr, origin.method)
            else:
                found.append(origin.method.qualname(origin.expr).removeprefix("builtins."))
    return tuple(dict.fromkeys(name for name in found if name))


def logged(call: code.Call, method: Method) -> bool | None:
    """Whether a call writes to a log: true where people read it, false for debug, none for other calls."""
    name = method.qualname(call.func)
    if name in _LOUD_NAMES:
        return True
    func = call.func
    if not isinstance(func, code.Attr):
        return None
    receiver = code.dotted(func.base)
    if isinstance(func.base, code.Call):
        receiver = code.dotted(func.base.func)
    last = receiver.rpartition(".")[2].lower().strip("_")
    type_ = method.actor.values.type_of(func.base, method)
    is_log = "log" in last or last in ("warnings", "console") or type_ == "logging.Logger" or "Logger" in type_
    if not is_log and not _made_by_logging(func.base, method):
        return None
    if func.name in _QUIET:
        return False
    return True if func.name in _LOUD else None


def _made_by_logging(receiver: code.Expr, method: Method) -> bool:
    for origin in origins(receiver, method):
        if isinstance(origin.expr, code.Call):
            made = origin.method.qualname(origin.expr.func)
            if made in ("logging.getLogger", "structlog.get_logger", "logging.Logger") or made.endswith("get_logger"):
                return True
    return method.qualname(receiver) == "logging"


def _describes(call: code.Call) -> bool:
    func = code.dotted(call.func)
    last = func.rpartition(".")[2]
    text_method = isinstance(call.func, code.Attr) and isinstance(call.func.base, (code.Const, code.Text))
    return last in _DESCRIBES or func.startswith("traceback.") or text_method or last in ("format_exc", "exc_info")


def _is_name(expr: code.Expr, name: str) -> bool:
    if isinstance(expr, code.Seq):
        return any(_is_name(item, name) for item in expr.items)
    if isinstance(expr, code.Call):
        return any(_is_name(a.value, name) for a in expr.args)
    return isinstance(expr, code.Name) and expr.id == name


def _comes_with_item(name: str, method: Method) -> bool:
    """True for a name that unpacks, or is, what a queue gave."""
    for stmt in code.statements(method.body):
        targets: tuple[code.Expr, ...] = ()
        source: code.Expr | None = None
        if isinstance(stmt, code.Assign):
            targets, source = stmt.targets, stmt.value
        elif isinstance(stmt, code.For):
            targets, source = (stmt.target,), stmt.iter
        bound = any(isinstance(e, code.Name) and e.id == name for t in targets for e in code.walk(t))
        if bound and any(isinstance(e, code.Call) for e in code.walk(source)):
            return True
    return False
