"""The graph of the paths through one function, its own helpers expanded in place.

Points are calls, tests and statements in order of evaluation; branches, loops, ``try`` arms, ``finally`` copies and
``with`` blocks are edges, and a call that may raise has an edge to whatever catches it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from otplint.facts.exceptions import catches_all, suppressed_types
from otplint.facts.syntax import code

_MAX_DEPTH = 4
_MAX_POINTS = 6000


class Exit(enum.Enum):
    """Where a function can end."""

    RETURN = "return"
    RAISE = "raise"


class Point(NamedTuple):
    """One step: the code node it stands for and the function that it is written in."""

    node: code.Node | None
    function: code.Function


class Raises(enum.Enum):
    """Label of the edge that an exception takes."""

    IMPLICIT = 1
    EXPLICIT = 2


Label = tuple[code.Expr, bool] | Raises | None
Inline = Callable[[code.Call, code.Function], code.Function | None]


@dataclass(slots=True)
class _Targets:
    """Where control goes from inside a block, apart from falling through."""

    function: code.Function
    stack: tuple[int, ...]
    depth: int
    ret: Callable[[], int]
    throw: Callable[[], list[int]]
    brk: Callable[[], int] | None = None
    cont: Callable[[], int] | None = None


class Paths:
    """The paths through ``function``; ``inline`` names the own method that a call runs, if it runs one."""

    def __init__(self, function: code.Function, inline: Inline | None = None) -> None:
        self.function = function
        self._inline = inline
        self.points: list[Point] = []
        self._next: list[list[tuple[int, Label]]] = []
        self._places: dict[int, list[int]] = {}
        self._landings: dict[int, list[int]] = {}
        self.returned = self._point(None, function)
        self.raised = self._point(None, function)
        targets = _Targets(function, (id(function),), 0, lambda: self.returned, lambda: [self.raised])
        self.entry = self._block(function.body, self.returned, targets)

    def _point(self, node: code.Node | None, function: code.Function, *edges: tuple[int, Label]) -> int:
        self.points.append(Point(node, function))
        self._next.append(list(edges))
        place = len(self.points) - 1
        if node is not None:
            self._places.setdefault(id(node), []).append(place)
        return place

    def _step(self, node: code.Node, after: int, targets: _Targets, raises: bool) -> int:
        edges: list[tuple[int, Label]] = [(after, None)]
        if raises:
            edges += [(t, Raises.IMPLICIT) for t in targets.throw()]
        return self._point(node, targets.function, *edges)

    def _block(self, block: code.Block, after: int, targets: _Targets) -> int:
        for stmt in reversed(block):
            after = self._statement(stmt, after, targets)
        return after

    def _exprs(self, exprs: Iterable[code.Expr], after: int, targets: _Targets) -> int:
        for expr in reversed(list(exprs)):
            after = self._expr(expr, after, targets)
        return after

    def _expr(self, expr: code.Expr, after: int, targets: _Targets) -> int:
        if isinstance(expr, (code.Name, code.Const, code.Lambda)):
            return after
        if isinstance(expr, code.Cond):
            then = self._expr(expr.then, after, targets)
            return self._test(expr.test, then, self._expr(expr.other, after, targets), targets)
        if isinstance(expr, code.Bool):
            *heads, last = expr.parts
            entry = self._expr(last, after, targets)
            for head in reversed(heads):
                yes, no = (entry, after) if expr.op == "and" else (after, entry)
                entry = self._test(head, yes, no, targets)
            return entry
        if isinstance(expr, code.Call):
            after = self._call(expr, after, targets)
        elif isinstance(expr, (code.Await, code.Yield, code.Sub)):
            after = self._step(expr, after, targets, raises=not isinstance(expr, code.Yield))
        return self._exprs(code.parts(expr), after, targets)

    def _call(self, call: code.Call, after: int, targets: _Targets) -> int:
        method = self._inline(call, targets.function) if self._inline is not None else None
        if method is None or id(method) in targets.stack or targets.depth >= _MAX_DEPTH:
            return self._step(call, after, targets, raises=True)
        if len(self.points) > _MAX_POINTS:
            return self._step(call, after, targets, raises=True)
        inner = _Targets(method, (*targets.stack, id(method)), targets.depth + 1, lambda: after, targets.throw)
        entry = self._block(method.body, after, inner)
        return self._point(call, targets.function, (entry, None))

    def _test(self, test: code.Expr, yes: int, no: int, targets: _Targets) -> int:
        if isinstance(test, code.Unary) and test.op == "not":
            return self._test(test.value, no, yes, targets)
        if isinstance(test, code.Bool):
            entry = yes if test.op == "and" else no
            for part in reversed(test.parts):
                entry = (
                    self._test(part, entry, no, targets) if test.op == "and" else self._test(part, yes, entry, targets)
                )
            return entry
        if isinstance(test, code.Const):
            return yes if test.value else no
        branch = self._point(test, targets.function, (yes, (test, True)), (no, (test, False)))
        if isinstance(test, (code.Call, code.Await, code.Sub)):
            self._places[id(test)].pop()
        return self._expr(test, branch, targets)

    def _statement(self, stmt: code.Stmt, after: int, targets: _Targets) -> int:
        function = targets.function
        match stmt:
            case code.If():
                yes = self._block(stmt.body, after, targets)
                return self._test(stmt.test, yes, self._block(stmt.orelse, after, targets), targets)
            case code.While() | code.For():
                return self._loop(stmt, after, targets)
            case code.Try():
                return self._try(stmt, after, targets)
            case code.With():
                return self._with(stmt, after, targets)
            case code.Match():
                return self._match(stmt, after, targets)
            case code.Return():
                leave = self._point(stmt, function, (targets.ret(), None))
                return self._exprs(code.expressions(stmt), leave, targets)
            case code.Raise():
                leave = self._point(stmt, function, *[(t, Raises.EXPLICIT) for t in targets.throw()])
                return self._exprs(code.expressions(stmt), leave, targets)
            case code.Break() if targets.brk is not None:
                return self._point(stmt, function, (targets.brk(), None))
            case code.Continue() if targets.cont is not None:
                return self._point(stmt, function, (targets.cont(), None))
            case code.Assert():
                return self._test(stmt.test, after, self._step(stmt, after, targets, raises=True), targets)
        step = self._step(stmt, after, targets, raises=isinstance(stmt, code.Import))
        return self._exprs(code.expressions(stmt), step, targets)

    def _loop(self, stmt: code.While | code.For, after: int, targets: _Targets) -> int:
        head = self._point(stmt, targets.function)
        inner = replace(targets, brk=lambda: after, cont=lambda: head)
        body = self._block(stmt.body, head, inner)
        done = self._block(stmt.orelse, after, targets)
        if isinstance(stmt, code.While):
            self._next[head].append((self._test(stmt.test, body, done, targets), None))
            return head
        self._next[head] += [(body, None), (done, None)]
        self._next[head] += [(t, Raises.IMPLICIT) for t in targets.throw()]
        return self._exprs((stmt.iter,), head, targets)

    def _try(self, stmt: code.Try, after: int, targets: _Targets) -> int:
        outer = self._finally(stmt, targets) if stmt.final else targets
        joined = self._block(stmt.final, after, targets)
        arms: list[int] = []
        broad = False
        for handler in stmt.handlers:
            body = self._block(handler.body, joined, outer)
            arms.append(self._point(handler, targets.function, (body, None)))
            broad = broad or catches_all(handler.type)
        caught = [*arms] if broad else [*arms, *outer.throw()]
        inner = _Targets(outer.function, outer.stack, outer.depth, outer.ret, lambda: caught, outer.brk, outer.cont)
        body = self._block(stmt.body, self._block(stmt.orelse, joined, outer), inner)
        start = self._point(stmt, targets.function, (body, None))
        if arms and not any(set(arms) & {t for t, _ in edges} for edges in self._next):
            self._next[start] += [(arm, Raises.IMPLICIT) for arm in arms]
        return start

    def _finally(self, stmt: code.Try, targets: _Targets) -> _Targets:
        """Targets that run the ``finally`` block first; one copy for each way out that is used."""
        copies: dict[str, list[int]] = {}

        def through(kind: str, goals: Callable[[], list[int]]) -> list[int]:
            if kind not in copies:
                copies[kind] = [self._block(stmt.final, goal, targets) for goal in goals()[:3]]
            return copies[kind]

        def one(kind: str, goal: Callable[[], int]) -> Callable[[], int]:
            return lambda: through(kind, lambda: [goal()])[0]

        return _Targets(
            targets.function,
            targets.stack,
            targets.depth,
            one("return", targets.ret),
            lambda: through("raise", targets.throw),
            None if targets.brk is None else one("break", targets.brk),
            None if targets.cont is None else one("continue", targets.cont),
        )

    def _with(self, stmt: code.With, after: int, targets: _Targets) -> int:
        inner = targets
        for context, _ in stmt.items:
            self._landings.setdefault(id(context), []).append(after)
        if any(suppressed_types(context) is not None for context, _ in stmt.items):
            caught = [after, *targets.throw()]
            inner = replace(targets, throw=lambda: caught)
        body = self._block(stmt.body, after, inner)
        return self._exprs(code.expressions(stmt), self._step(stmt, body, targets, raises=True), targets)

    def _match(self, stmt: code.Match, after: int, targets: _Targets) -> int:
        entry = after
        for case in reversed(stmt.cases):
            body = self._block(case.body, after, targets)
            if case.guard is not None:
                body = self._test(case.guard, body, entry, targets)
            irrefutable = isinstance(case.pattern, code.Name) and case.guard is None
            if irrefutable:
                entry = body
                continue
            test = code.Compare(case.start, case.end, stmt.subject, ("match",), (case.pattern,))
            entry = self._point(test, targets.function, (body, (test, True)), (entry, (test, False)))
        return self._exprs((stmt.subject,), self._step(stmt, entry, targets, raises=False), targets)
