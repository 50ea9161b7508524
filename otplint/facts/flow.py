"""Order and paths inside one function, its own helpers included.

A :class:`Flow` is a control-flow graph whose points are calls, tests and statements in order of evaluation. Branches,
loops, ``try`` arms, ``finally`` copies and ``with`` blocks are edges; a call that may raise has an edge to whatever
catches it. Calls to the actor's own methods are expanded in place, so a question about order sees through helpers.
Every question is reachability with some points or edges taken out (dominance by removal).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

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


class _Raises(enum.Enum):
    """Label of the edge that an exception takes."""

    IMPLICIT = 1
    EXPLICIT = 2


Label = tuple[code.Expr, bool] | _Raises | None
Inline = Callable[[code.Call, code.Function], code.Function | None]
Wanted = Callable[[Point], bool]
Guard = Callable[[code.Expr, bool], bool]


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


class Flow:
    """The paths through ``function``; ``inline`` names the own method that a call runs, if it runs one."""

    def __init__(self, function: code.Function, inline: Inline | None = None) -> None:
        self.function = function
        self._inline = inline
        self.points: list[Point] = []
        self._next: list[list[tuple[int, Label]]] = []
        self._places: dict[int, list[int]] = {}
        self._conditions: dict[int, list[tuple[code.Expr, bool]]] = {}
        self._landings: dict[int, list[int]] = {}
        self._own: Flow | None = None
        self.returned = self._point(None, function)
        self.raised = self._point(None, function)
        targets = _Targets(function, (id(function),), 0, lambda: self.returned, lambda: [self.raised])
        self.entry = self._block(function.body, self.returned, targets)

    def _alone(self) -> Flow:
        """The paths with no helper expanded, a small part of all."""
        if self._own is None:
            self._own = Flow(self.function)
        return self._own

    # -- questions

    def at(self, node: code.Node) -> list[int]:
        """The points of ``node`` (several where a ``finally`` block or a helper is copied)."""
        return self._places.get(id(node), [])

    def find(self, wanted: Wanted) -> list[int]:
        """All points that ``wanted`` accepts."""
        return [i for i, point in enumerate(self.points) if point.node is not None and wanted(point)]

    def always_before(self, first: Wanted, node: code.Node) -> bool:
        """True if every path from the start to ``node`` passes a point that ``first`` accepts."""
        goals = set(self.at(node))
        return bool(goals) and not self._search([self.entry], goals, avoid=first)

    def guarded_by(self, node: code.Node, guard: Guard) -> bool:
        """True if every path to ``node`` takes a branch whose test and outcome ``guard`` accepts."""
        goals = set(self.at(node))
        return bool(goals) and not self._search([self.entry], goals, guard=guard)

    def conditions(self, node: code.Node) -> list[tuple[code.Expr, bool]]:
        """The tests, each with its outcome, that every path to ``node`` takes.

        Of the function's own nodes only its own tests are asked: what a helper does inside leaves them as they are.
        """
        if self._inline is not None and self._alone().at(node):
            return self._alone().conditions(node)
        known = self._conditions.get(id(node))
        if known is None:
            known = self._conditions[id(node)] = []
            taken = self._taken(set(self.at(node)))
            for test, outcome in self._labels():
                if taken is not None and (id(test), outcome) not in taken:
                    continue
                if self.guarded_by(node, lambda e, o, t=test, w=outcome: e is t and o is w):  # type: ignore[misc]
                    known.append((test, outcome))
        return known

    def on_every_exit(self, node: code.Node, then: Wanted, *, exits: Iterable[Exit] = (Exit.RETURN,)) -> bool:
        """True if no path from just after ``node`` leaves the function without passing ``then``."""
        ends = {self.returned if e is Exit.RETURN else self.raised for e in exits}
        return not self._search(self._after(node), ends, avoid=then)

    def reaches(self, node: code.Node, wanted: Wanted, *, avoiding: Wanted | None = None) -> bool:
        """True if some path from just after ``node`` comes to a point that ``wanted`` accepts."""
        return bool(self.reached(node, wanted, avoiding=avoiding))

    def reached(self, node: code.Node, wanted: Wanted, *, avoiding: Wanted | None = None) -> list[Point]:
        """The points accepted by ``wanted`` that some path from just after ``node`` comes to."""
        seen = self._reach(self._after(node), avoid=avoiding)
        return [self.points[i] for i in sorted(seen) if self.points[i].node is not None and wanted(self.points[i])]

    def around(self, node: code.Node, *, within: Wanted = lambda _: False, unless: Guard | None = None) -> list[Point]:
        """The points that share a path with ``node``, before it or after it.

        No path goes through a point that ``within`` accepts, or takes a branch that ``unless`` accepts.
        """

        def closed(_: int, label: Label) -> bool:
            return unless is not None and isinstance(label, tuple) and unless(*label)

        leading: dict[int, list[int]] = {}
        for i, edges in enumerate(self._next):
            for target, label in edges:
                if not closed(i, label):
                    leading.setdefault(target, []).append(i)
        before: set[int] = set()
        stack = [i for place in self.at(node) for i in leading.get(place, ())]
        while stack:
            i = stack.pop()
            start = self.points[i]
            if i not in before and not (start.node is not None and within(start)):
                before.add(i)
                stack += leading.get(i, ())
        before &= self._reach([self.entry], skip=closed)
        found = before | self._reach(self._after(node), avoid=within, skip=closed)
        return [self.points[i] for i in sorted(found) if self.points[i].node is not None]

    def leaves(self, clause: code.Handler | code.Call, *, unless: Wanted | None = None) -> bool:
        """True if control can go on after an ``except`` clause without passing ``unless`` and without a ``raise``.

        Exceptions that calls inside the clause may raise by accident do not count as its way out. For the call of
        ``suppress(...)`` the answer is always yes.
        """
        return bool(self._exits(clause, unless))

    def survives(
        self, clause: code.Handler | code.Call, *, unless: Wanted, later: Wanted, again: code.Stmt
    ) -> tuple[bool, bool]:
        """Whether a swallowed exception stays swallowed: the function can return, control can come back to ``again``.

        ``unless`` closes ways inside the clause, ``later`` those after it.
        """
        back = set(self.at(again))
        seen = self._reach(self._exits(clause, unless), avoid=later, implicit=False, stop=back.__contains__)
        return self.returned in seen, bool(back & seen)

    def onward(self, clause: code.Handler | code.Call, *, unless: Wanted | None = None) -> tuple[list[Point], bool]:
        """What runs once a clause has swallowed an exception: the points, and whether the function can return.

        ``unless`` closes ways inside the clause only; accidental exceptions are not followed.
        """
        seen = self._reach(self._exits(clause, unless), implicit=False)
        return [self.points[i] for i in sorted(seen) if self.points[i].node is not None], self.returned in seen

    def after(self, node: code.Node) -> tuple[list[Point], bool]:
        """What may run after ``node`` where nothing fails: the points, and whether the function can return."""
        seen = self._reach(self._after(node), implicit=False)
        return [self.points[i] for i in sorted(seen) if self.points[i].node is not None], self.returned in seen

    def _exits(self, clause: code.Handler | code.Call, unless: Wanted | None) -> set[int]:
        """The first points outside a clause on every way out of it that is no exception."""
        if isinstance(clause, code.Call):
            return set(self._landings.get(id(clause), ()))
        inside = range(clause.start, max([clause.end, *[s.end for s in clause.body]]))

        def outside(i: int) -> bool:
            node = self.points[i].node
            if i == self.raised:
                return False
            if i == self.returned or node is None:
                return True
            return self.points[i].function is home and node.start not in inside

        starts = self.at(clause)
        if not starts:
            return set()
        home = self.points[starts[0]].function
        seen = self._reach(starts, avoid=unless, implicit=False, stop=outside)
        return {i for i in seen if outside(i)}

    def only_after_failure(self, node: code.Node) -> list[Point]:
        """The points that are reached when ``node`` raises, and never without an exception.

        Its ``except`` arms before they join again; a ``finally`` block, which runs anyway, is none of them.
        """
        usual = self._reach([self.entry], skip=lambda _, label: isinstance(label, _Raises))
        anyway = {id(self.points[i].node) for i in usual if self.points[i].function is self.function}
        failing = [t for i in self.at(node) for t, label in self._next[i] if isinstance(label, _Raises)]
        found = [self.points[i] for i in sorted(self._reach(failing) - usual)]
        return [p for p in found if p.node is not None and id(p.node) not in anyway]

    def failed(self, node: code.Node) -> tuple[list[Point], bool]:
        """What may run once ``node`` has raised, ``finally`` blocks included, and whether the function can return."""
        starts = [t for i in self.at(node) for t, label in self._next[i] if isinstance(label, _Raises)]
        seen = self._reach(starts, implicit=False)
        return [self.points[i] for i in sorted(seen) if self.points[i].node is not None], self.returned in seen

    def reachable(self, node: code.Node) -> bool:
        """True if some path from the start comes to ``node``."""
        return bool(self._search([self.entry], set(self.at(node))))

    # -- the search

    def _labels(self) -> Iterator[tuple[code.Expr, bool]]:
        seen = set()
        for edges in self._next:
            for _, label in edges:
                if isinstance(label, tuple) and (id(label[0]), label[1]) not in seen:
                    seen.add((id(label[0]), label[1]))
                    yield label

    def _taken(self, goals: set[int]) -> set[tuple[int, bool]] | None:
        """The tests and outcomes on one path to the goals: what every path takes is among them. None without a path."""
        came: dict[int, tuple[int, Label]] = {}
        stack = [self.entry]
        while stack:
            i = stack.pop()
            if i in goals:
                taken: set[tuple[int, bool]] = set()
                while i != self.entry:
                    i, label = came[i]
                    if isinstance(label, tuple):
                        taken.add((id(label[0]), label[1]))
                return taken
            for target, label in self._next[i]:
                if target not in came and target != self.entry:
                    came[target] = (i, label)
                    stack.append(target)
        return None

    def _after(self, node: code.Node) -> list[int]:
        return [t for i in self.at(node) for t, label in self._next[i] if not isinstance(label, _Raises)]

    def _search(
        self, starts: list[int], goals: set[int], *, avoid: Wanted | None = None, guard: Guard | None = None
    ) -> bool:
        def skip(_: int, label: Label) -> bool:
            return guard is not None and isinstance(label, tuple) and guard(*label)

        return bool(goals & self._reach(starts, avoid=avoid, skip=skip, stop=goals.__contains__))

    def _reach(
        self,
        starts: Iterable[int],
        *,
        avoid: Wanted | None = None,
        skip: Callable[[int, Label], bool] | None = None,
        stop: Callable[[int], bool] | None = None,
        implicit: bool = True,
    ) -> set[int]:
        seen: set[int] = set()
        stack = list(starts)
        while stack:
            i = stack.pop()
            if i in seen:
                continue
            point = self.points[i]
            stopped = stop is not None and stop(i)
            if not stopped and avoid is not None and point.node is not None and avoid(point):
                continue
            seen.add(i)
            if stopped:
                continue
            for target, label in self._next[i]:
                if label is _Raises.IMPLICIT and not implicit:
                    continue
                if skip is None or not skip(i, label):
                    stack.append(target)
        return seen

    # -- construction, from the end backwards

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
            edges += [(t, _Raises.IMPLICIT) for t in targets.throw()]
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
                leave = self._point(stmt, function, *[(t, _Raises.EXPLICIT) for t in targets.throw()])
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
        self._next[head] += [(t, _Raises.IMPLICIT) for t in targets.throw()]
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
            self._next[start] += [(arm, _Raises.IMPLICIT) for arm in arms]
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


_BROAD = {"Exception", "BaseException", "builtins.Exception", "builtins.BaseException"}


def exception_types(type_: code.Expr | None) -> list[code.Expr]:
    """The single types of an ``except`` clause's expression."""
    if type_ is None:
        return []
    if isinstance(type_, code.Seq):
        return [t for item in type_.items for t in exception_types(item)]
    return [type_]


def catches_all(type_: code.Expr | None) -> bool:
    """True for a bare ``except``, ``Exception`` and ``BaseException``, by the names as written."""
    return type_ is None or any(code.dotted(t) in _BROAD for t in exception_types(type_))


def suppressed_types(context: code.Expr) -> tuple[code.Expr, ...] | None:
    """The exceptions that ``contextlib.suppress(...)`` swallows; none for other context managers."""
    if isinstance(context, code.Call) and code.dotted(context.func) in ("suppress", "contextlib.suppress"):
        return tuple(a.value for a in context.args)
    return None
