"""Actors that no framework names: objects that live by a loop of their own or by an event loop's callbacks.

Three shapes, beside the drained queue of :mod:`otplint.facts.recognise`: a loop that goes on until another function of
the object tells it to stop, a loop that the object starts as a thread or task, and functions of the object that it
hands to an event loop.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from otplint.facts.frameworks import EVENT_LOOPS
from otplint.facts.methods import Method, Role
from otplint.facts.recognise import drains, may_drain, spawned_loops
from otplint.facts.syntax import code
from otplint.facts.values import local_values

if TYPE_CHECKING:
    from otplint.facts.actors import Actor

_Place = tuple[str, int]
"""Path of a file and offset of a function in it."""
_WAITS = frozenset(("sleep", "wait", "select", "poll", "accept", "recv", "recv_multipart", "drain_events"))
_STARTS = ("create_task", "ensure_future", "run_coroutine_threadsafe", "start_soon", "Thread", "Process", "Timer")
_SETS = frozenset(("set", "clear", "close", "cancel"))
_MAY_WAIT = re.compile(rf"(?:{'|'.join(sorted(_WAITS))})\(|{'|'.join(_STARTS)}")
_DEF = re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+(?P<name>\w+)", re.MULTILINE)
_WHILE = re.compile(
    r"^(?P<indent>[ \t]*)while\b(?P<test>.*)\n(?P<body>(?:(?P=indent)[ \t]+\S.*\n?|[ \t]*\n)*)", re.MULTILINE
)
_LEAVES = re.compile(r"if [^\n]*self\.[^\n]*:\s*\n\s*(?:break|return)")


def may_live(text: str, callbacks: Collection[str]) -> bool:
    """A cheap look at a class; the tokens of the frameworks' data are the same, so triage loses nothing.

    Args:
        text: the class as written.
        callbacks: names of functions that hand a function to an event loop.
    """
    if may_drain(text) or any(f"{name}(" in text for name in callbacks):
        return True
    return "while" in text and _MAY_WAIT.search(text) is not None


def seems_to_live(text: str, callbacks: Collection[str]) -> bool:
    """A closer look at a class, still only at its text: is it worth while to look for what derives from it?

    A file that only subclasses such a class says nothing by itself; searching all files for a name has its price.
    """
    if not may_live(text, callbacks):
        return False
    if any(f"{name}(" in text for name in callbacks):
        return True
    starts = [(m.start(), m["name"]) for m in _DEF.finditer(text)]
    for (start, name), (end, _) in zip(starts, [*starts, (len(text), "")][1:], strict=True):
        for loop in _WHILE.finditer(text, start, end):
            waits = "await " in loop["body"] or _MAY_WAIT.search(loop["body"]) is not None or may_drain(loop[0])
            if waits and ("self." in loop["test"] or _LEAVES.search(loop["body"]) or _started(name, text)):
                return True
    return False


def _started(name: str, text: str) -> bool:
    return re.search(rf"(?:{'|'.join(_STARTS)}|_task|_job)\([^#]*?self\.{name}\b", text) is not None


def living(actor: Actor) -> tuple[list[Method], list[Method]]:
    """The own functions that the actor lives by: its loops, and what an event loop calls back."""
    loops = [m for m in actor.everything if drains(m) is not None or runs_until_told(m)]
    loops += [m for m in spawned_loops(actor) if m not in loops]
    return loops, [m for m in called_back(actor) if m not in loops]


def runs_on(actor: Actor) -> str:
    """The name of the framework whose event loop runs what the actor lives by; threads where no loop does."""
    if not any(m.code.is_async for m in actor.everything if m.role in (Role.LOOP, Role.HANDLER)):
        return "threads"
    packages = {target.partition(".")[0] for target in actor.source.index.imports.values()}
    return next((name for name in EVENT_LOOPS if name in packages), "asyncio")


def mark_living(actor: Actor) -> None:
    """Give those functions their roles."""

    def work_out() -> tuple[frozenset[_Place], frozenset[_Place]]:
        loops, called = living(actor)
        return frozenset(map(_place, loops)), frozenset(map(_place, called))

    # What a file is parsed to is shared by all facts of a scan: so are the answers about it.
    key = ("living", actor.path, actor.name, actor.framework.name)
    found = actor.facts.project.remembered(key, work_out)
    for role, functions in zip((Role.LOOP, Role.HANDLER), found, strict=True):
        for method in actor.everything:
            if _place(method) in functions and method.role in (Role.HELPER, Role.NESTED, Role.HANDLER, Role.START):
                method.role = role


def _place(method: Method) -> _Place:
    return method.source.path, method.code.start


def called_back(actor: Actor) -> Iterator[Method]:
    """Own functions that are handed to an event loop: ``loop.add_reader(fd, self.on_readable)``.

    Where nobody knows what ``loop`` is, the name of its method must do: it is given a function of the object, or is
    given together with one to somebody who brings them together: ``register(fds, loop.add_reader, self.on_readable)``.
    """
    callbacks_in = actor.facts.vocabulary.callbacks_in
    texts = {method.source.path: method.source.text for method in actor.everything}
    by_file = {path: callbacks_in(text) for path, text in texts.items()}
    for method in actor.everything:
        names = by_file[method.source.path]
        for call in method.calls:
            given = [(a.value, own) for a in call.args if (own := actor.named(a.value, method)) is not None]
            event = method.event(call) if given else None
            funcs = [call.func, *[a.value for a in call.args]] if given and event is None else []
            unknown = any(_last_name(func, method) in names for func in funcs)
            wanted = event.payload if event is not None and event.role == "callback" else None
            yield from (own for value, own in given if unknown or value is wanted)


def _last_name(func: code.Expr, method: Method) -> str:
    """``add_reader`` for ``hub.add_reader``, also by a local variable: ``add = hub.add_reader``."""
    if isinstance(func, code.Name):
        held = [*local_values(func.id, method)] if method.is_local(func.id) else []
        func = held[0] if len(held) == 1 else func
    return func.name if isinstance(func, code.Attr) else ""


def runs_until_told(method: Method) -> bool:
    """A loop that waits in between, gives nothing back, and ends when another function of the object says so.

    A parser's loop ends by what it reads itself, a retry by its success: neither is anybody's life.
    """
    for loop in method.statements:
        alive = isinstance(loop, code.While) and not _gives_back(loop.body) and _waits(loop, method)
        if alive and isinstance(loop, code.While) and ends_when_told(loop, method):
            return True
    return False


def ends_when_told(loop: code.While, method: Method) -> bool:
    """Whether a flag that the loop's end hangs on is changed by a function that the loop does not run itself."""
    return any(_told_elsewhere(flag, method) for flag in flags_of(loop, method))


def flags_of(loop: code.While, method: Method) -> set[str]:
    """The own attributes that the loop's end hangs on."""
    return {flag for test in _tests(loop) for flag in _flags(test, method)}


def _gives_back(block: code.Block) -> bool:
    returned = [s.value for s in code.statements(block) if isinstance(s, code.Return) and s.value is not None]
    return any(not (isinstance(value, code.Const) and value.value is None) for value in returned)


def _tests(loop: code.While) -> Iterator[code.Expr]:
    """The conditions that the loop's end hangs on."""
    yield loop.test
    for stmt in code.statements(loop.body):
        if isinstance(stmt, code.If) and any(isinstance(s, (code.Break, code.Return)) for s in _at_once(stmt.body)):
            yield stmt.test


def _at_once(block: code.Block) -> Iterator[code.Stmt]:
    """The statements of a block and of the choices in it; a loop in it has ends of its own."""
    for stmt in block:
        yield stmt
        if isinstance(stmt, code.If):
            yield from _at_once((*stmt.body, *stmt.orelse))


def _flags(test: code.Expr, method: Method) -> Iterator[str]:
    """Own attributes that a condition asks: ``self._closed``, ``self._stop.is_set()``, or an own function's answer."""
    for expr in code.walk(test):
        if isinstance(expr, code.Call):
            yield from _answered(method.actor.own_method(expr, method))
        elif isinstance(expr, code.Attr) and (attribute := method.own_attribute(expr)):
            yield attribute
            getter = method.actor.method(attribute)
            yield from _answered(getter if getter is not None and getter.is_property else None)
            if "." in attribute:
                yield attribute.rpartition(".")[0]


def _answered(inner: Method | None) -> Iterator[str]:
    """The own attributes that the answer of an own function or property is made of."""
    for stmt in code.statements(inner.body) if inner is not None else ():
        if isinstance(stmt, code.Return) and stmt.value is not None and inner is not None:
            for expr in code.walk(stmt.value):
                if attribute := inner.own_attribute(expr):
                    yield attribute
                    if "." in attribute:
                        yield attribute.rpartition(".")[0]


def _told_elsewhere(flag: str, loop: Method) -> bool:
    """Whether a function that the loop does not run itself changes the flag while the object lives."""
    inside = loop.actor.reached(loop)
    for use in loop.actor.uses_of(flag):
        if use.kind in ("write", "update", "clear") and _tells(use.method, inside):
            return True
    for method in loop.actor.everything:
        if _tells(method, inside):
            for call in method.calls:
                func = call.func
                if isinstance(func, code.Attr) and func.name in _SETS and method.own_attribute(func.base) == flag:
                    return True
    return False


def _tells(method: Method, inside: Collection[Method]) -> bool:
    """True outside of what the loop runs, and for what stops the object, which others call as well."""
    return (method not in inside or method.role is Role.STOP) and method.name not in (
        "__init__",
        "__new__",
        "__post_init__",
    )


def _waits(loop: code.While, method: Method) -> bool:
    if any(
        isinstance(e, code.Await) for s in code.statements(loop.body) for h in code.expressions(s) for e in code.walk(h)
    ):
        return True
    calls = [*code.calls(loop.body)]
    helpers = [inner for call in calls if (inner := method.actor.own_method(call, method)) is not None]
    calls += [call for inner in method.actor.reached(*helpers) for call in inner.calls]
    return any(code.dotted(call.func).rpartition(".")[2] in _WAITS for call in calls) or any(
        isinstance(call.func, code.Attr) and call.func.name in _WAITS for call in calls
    )
