"""What actor code does with exceptions: which it catches, and whether the actor learns of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from otplint.facts.exceptions import exception_types
from otplint.facts.methods import Method
from otplint.facts.origins import origins
from otplint.facts.queries.failure.asked import is_asked
from otplint.facts.queries.failure.reaction import Reaction, logged, reaction
from otplint.facts.queries.failure.reports import Reports
from otplint.facts.recognise import takes_from_queue
from otplint.facts.syntax import code

__all__ = ["STOPPING", "Catch", "Reaction", "catches", "caught_types", "logged"]

CANCELLATION = frozenset({"asyncio.CancelledError", "asyncio.exceptions.CancelledError", "trio.Cancelled",
                          "anyio.get_cancelled_exc_class"})  # fmt: skip
"""How a coroutine is told to stop. ``concurrent.futures.CancelledError`` only tells that some future was cancelled."""
EXITS = frozenset({"SystemExit", "KeyboardInterrupt", "gevent.GreenletExit", "greenlet.GreenletExit"})
"""How a thread, process or greenlet is told to stop."""
STOPPING = frozenset({"BaseException", "GeneratorExit"}) | CANCELLATION | EXITS


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
        return not self.stopping and ("Exception" in self.types or "BaseException" in self.types)

    @property
    def stopping(self) -> tuple[str, ...]:
        """What is caught that tells an actor, task or process to stop.

        A ``BaseException`` does not count where an earlier clause of the same ``try`` takes that request away.
        """
        told = STOPPING | set(self.method.actor.kind.stop_exceptions)
        earlier = {name for catch in self._earlier() for name in catch}
        wanted = CANCELLATION if self.method.code.is_async else CANCELLATION | EXITS
        taken = bool(earlier & (wanted | {"BaseException"}))
        return tuple(t for t in self.types if t in told and t not in earlier and not (t == "BaseException" and taken))

    def _earlier(self) -> Iterator[tuple[str, ...]]:
        """What the clauses before this one catch."""
        if isinstance(self.around, code.Try):
            for handler in self.around.handlers:
                if handler is self.node:
                    return
                yield caught_types(handler.type, self.method)

    def carries_on(self) -> bool:
        """True if some path leaves the arm with the failure unreported.

        Raising, stopping the actor or the process, and handing the exception to somebody who will raise it report it,
        in the arm or on every path behind it. Going round in a ``for`` that counts tries is not yet carrying on.
        """
        reports = self.reports()
        returns, again = self.method.flow.survives(self.node, unless=reports, later=reports.ends_it, again=self.around)
        return returns or (again and not self._counts_tries())

    def _counts_tries(self) -> bool:
        loop = next((up for up in self.method.above(self.around) if isinstance(up, (code.For, code.While))), None)
        return (
            isinstance(loop, code.For)
            and isinstance(loop.iter, code.Call)
            and self.method.qualname(loop.iter.func).removeprefix("builtins.") == "range"
        )

    def reports(self, *, strictly: bool = False) -> Reports:
        """Accepts the points that report the failure.

        :param strictly: handing the exception on counts only where a future takes it.
        """
        return Reports(self.method, self.name, self.body, self.around, strictly=strictly)

    @property
    def reaction(self) -> Reaction:
        """What the arm does; the strongest of its deeds counts."""
        return reaction(self.body, self.tried, self.method)

    @property
    def raises_some(self) -> bool:
        """True where the arm tells failures apart: some it raises again."""
        return any(isinstance(s, code.Raise) or _never_holds(s) for s in code.statements(self.body))

    @property
    def says_nothing(self) -> bool:
        """True where the arm does nothing at all, not even for a debug log."""
        return all(isinstance(s, (code.Pass, code.Continue)) for s in self.body)

    @property
    def is_only_traced(self) -> bool:
        """True where the arm writes to a debug log, and does nothing else."""
        traced = any(logged(call, self.method) is False for call in code.calls(self.body))
        return traced and self.reaction is Reaction.SILENT

    @property
    def probes_a_package(self) -> bool:
        """True where the guarded code begins with an import: what it uses is optional, and may not be there."""
        return bool(self.tried) and isinstance(self.tried[0], code.Import)

    @property
    def is_main_work(self) -> bool:
        """True where the function has nothing else to do, or leaves with the failure: then it only seems to succeed.

        A step on the side that fails (telemetry, a report to somebody) leaves the rest of the function's work done.
        """
        if any(isinstance(s, code.Return) for s in code.statements(self.body)):
            return True
        if self._answers_before():
            return False
        below: code.Node = self.around
        for up in self.method.above(self.around):
            if isinstance(up, (code.While, code.For)):
                block = up.body
            elif isinstance(up, (code.If, code.With, code.Try)):
                block = next((b for b in code.blocks(up) if any(s is below for s in b)), ())
            else:
                return True
            if any(s is not below and _works(s, self.method) for s in block):
                return False
            if isinstance(up, (code.While, code.For)):
                return True
            below = up
        return not any(s is not below and _works(s, self.method) for s in self.method.body)

    def _answers_before(self) -> bool:
        """True where what the function returns was got by calls before the guarded step, which adds nothing to it."""
        last = self.method.body[-1] if self.method.body else None
        if not isinstance(last, code.Return) or last.value is None or last.start < self.around.end:
            return False
        returned = {e.id for e in code.walk(last.value) if isinstance(e, code.Name)}
        made = [(s, value) for name in returned for s, value in self.method.local_assignments.get(name, ())]
        inside = {id(s) for s in code.statements((self.around,))}
        asked = any(isinstance(e, code.Await) for _, value in made for e in code.walk(value))
        return asked and all(s.start < self.around.start and id(s) not in inside for s, _ in made)

    @property
    def isolates_items(self) -> bool:
        """True in a ``for`` over a collection: one bad item must not stop the others. Receiving and retrying do not."""
        for up in self.method.above(self.around):
            if isinstance(up, code.For):
                receives = up.is_async or (isinstance(up.iter, code.Call) and _is_endless(up.iter, self.method))
                return not receives and any(s is self.around for s in code.statements(up.body))
            if isinstance(up, (code.While, code.Function)):
                return False
        return False

    @property
    def runs_the_item(self) -> bool:
        """True where the guarded code calls what the nearest ``for`` runs over: a plug-in, a child, a client."""
        loop = next((up for up in self.method.above(self.around) if isinstance(up, code.For)), None)
        if loop is None:
            return False
        items = {e.id for e in code.walk(loop.target) if isinstance(e, code.Name)}
        for call in code.calls(self.tried):
            func = call.func
            while isinstance(func, (code.Attr, code.Sub)):
                func = func.base
            if isinstance(func, code.Name) and func.id in items:
                return True
        return False

    @property
    def in_cleanup(self) -> bool:
        """True in a ``finally`` block, or in an ``except`` arm that reports the first failure or hides all of them."""
        below: code.Node = self.around
        for up in self.method.above(self.around):
            if isinstance(up, code.Try) and any(s is below for s in up.final):
                return True
            if isinstance(up, code.Handler):
                outer = next((c for c in catches(self.method) if c.node is up), None)
                if outer is not None and (outer.is_broad or outer.stopping or not outer.carries_on()):
                    return True
            below = up
        return False

    @property
    def runs_foreign_code(self) -> bool:
        """True where the guarded code is a function that came with a message: a job of somebody else's."""
        return any(_is_foreign(call, self.method) for call in code.calls(self.tried))

    @property
    def only_imports(self) -> bool:
        """True where nothing but imports is guarded."""
        return all(isinstance(s, (code.Import, code.Pass)) for s in self.tried)


def _works(stmt: code.Stmt, method: Method) -> bool:
    """False for what only prepares or closes a piece of work: assignments, guards that leave, imports, log lines."""
    match stmt:
        case code.Assign() | code.Import() | code.Return() | code.Raise() | code.Pass() | code.Scope():
            return False
        case code.Do(value=value):
            if isinstance(value, (code.Const, code.Text)):
                return False
            return not (isinstance(value, code.Call) and logged(value, method) is not None)
        case code.If(body=body, orelse=orelse):
            return any(_works(s, method) for s in (*body, *orelse))
        case code.Function() | code.Class():
            return False
    return True


def catches(method: Method) -> Iterator[Catch]:
    """The ``except`` clauses and ``suppress(...)`` of a function, in source order."""
    for stmt in method.statements:
        if isinstance(stmt, code.Try):
            for handler in stmt.handlers:
                types = caught_types(handler.type, method)
                yield Catch(method, handler, types, handler.name, handler.body, stmt.body, stmt)
        elif isinstance(stmt, code.With):
            for context, _ in stmt.items:
                if isinstance(context, code.Call) and method.qualname(context.func) == "contextlib.suppress":
                    types = tuple(t for a in context.args for t in caught_types(a.value, method))
                    yield Catch(method, context, types, "", (), stmt.body, stmt)


def _never_holds(stmt: code.Stmt) -> bool:
    """``assert False``: it raises."""
    return isinstance(stmt, code.Assert) and isinstance(stmt.test, code.Const) and not stmt.test.value


def caught_types(type_: code.Expr | None, method: Method) -> tuple[str, ...]:
    """Qualified names of the exceptions that an ``except`` expression names, through tuples held by a name."""
    if type_ is None:
        return ("BaseException",)
    found: list[str] = []
    for single in exception_types(type_):
        if isinstance(single, code.Star):
            found += caught_types(single.value, method)
            continue
        for origin in origins(single, method):
            if isinstance(origin.expr, code.Seq):
                found += caught_types(origin.expr, origin.method)
            elif isinstance(origin.expr, code.Binary) and origin.expr.op == "+":
                found += caught_types(origin.expr.left, origin.method)
                found += caught_types(origin.expr.right, origin.method)
            else:
                named = origin.expr.func if isinstance(origin.expr, code.Call) else origin.expr
                found.append(origin.method.qualname(named).removeprefix("builtins."))
    return tuple(dict.fromkeys(name for name in found if name))


def _is_endless(source: code.Call, method: Method) -> bool:
    """``range``, ``itertools.count`` and ``iter(queue.get, ...)`` count tries or receive; they hold no items."""
    name = method.qualname(source.func).removeprefix("builtins.")
    return name in ("range", "itertools.count", "itertools.repeat", "itertools.cycle") or (
        name == "iter" and len(source.args) == 2
    )


def _is_foreign(call: code.Call, method: Method) -> bool:
    """A call of what came with a message: ``job()``, ``item.function(*item.args)``, or what a framework calls a job."""
    event = method.event(call)
    if event is not None and event.role == "foreign":
        return True
    func = call.func.value if isinstance(call.func, code.Await) else call.func
    spread = any(a.star for a in call.args)
    if isinstance(func, code.Name) and method.is_local(func.id) and _spreads_message(call, method):
        return True
    while isinstance(func, (code.Sub, code.Attr)) and spread:
        func = func.base
    return isinstance(func, code.Name) and method.is_local(func.id) and _comes_with_item(func.id, method)


def _spreads_message(call: code.Call, method: Method) -> bool:
    """True where a function that was looked up is given the arguments that came with the message."""
    message = {p.name for p in method.code.params} - {method.self_name} if is_asked(method) else set()
    return any(a.star and isinstance(a.value, code.Name) and a.value.id in message for a in call.args)


def _comes_with_item(name: str, method: Method) -> bool:
    """True for a name that unpacks, or is, what a queue gave or (in a handler) the message."""
    message = {p.name for p in method.code.params} - {method.self_name} if is_asked(method) else set()
    if name in message:
        return True
    for stmt in method.statements:
        targets: tuple[code.Expr, ...] = ()
        source: code.Expr | None = None
        if isinstance(stmt, code.Assign):
            targets, source = stmt.targets, stmt.value
        elif isinstance(stmt, code.For):
            targets, source = (stmt.target,), stmt.iter
        if not any(isinstance(e, code.Name) and e.id == name for t in targets for e in code.walk(t)):
            continue
        if message:
            root = source
            while isinstance(root, (code.Attr, code.Sub)):
                root = root.base
            if isinstance(root, code.Name) and root.id in message:
                return True
        elif any(_may_give_a_job(e, method) for e in code.walk(source) if isinstance(e, code.Call)):
            return True
    return False


def _may_give_a_job(call: code.Call, method: Method) -> bool:
    """A look-up in the actor's own tables or methods gives its own code; a function by name makes something."""
    if method.actor.own_method(call, method) is not None:
        return False
    if method.qualname(call.func).removeprefix("builtins.") not in ("", "iter", "next"):
        return False
    return not (isinstance(call.func, code.Attr) and call.func.name == "get") or takes_from_queue(call, method)
