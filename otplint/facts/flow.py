"""Order and paths inside one function, its own helpers included.

Every question of a :class:`Flow` is reachability in the graph of :mod:`otplint.facts.paths` with some points or edges
taken out (dominance by removal).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet

from otplint.facts.paths import Exit, Inline, Label, Paths, Point, Raises
from otplint.facts.syntax import code

__all__ = ["Exit", "Flow", "Point"]

Wanted = Callable[[Point], bool]
Guard = Callable[[code.Expr, bool], bool]


class Flow(Paths):
    """Questions about the paths through ``function``; ``inline`` names the own method that a call runs."""

    def __init__(self, function: code.Function, inline: Inline | None = None) -> None:
        super().__init__(function, inline)
        self._conditions: dict[int, list[tuple[code.Expr, bool]]] = {}
        self._own: Flow | None = None

    def _alone(self) -> Flow:
        """The paths with no helper expanded, a small part of all."""
        if self._own is None:
            self._own = Flow(self.function)
        return self._own

    # -- questions

    def at(self, node: code.Node) -> list[int]:
        """The points of ``node`` (several where a ``finally`` block or a helper is copied)."""
        return self._places.get(id(node), [])

    def among(self, nodes: AbstractSet[int]) -> set[int]:
        """Those of some nodes, told by ``id``, that the paths pass, be it in a helper."""
        return {node for node in self._places.keys() & nodes if self._places[node]}

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
        usual = self._reach([self.entry], skip=lambda _, label: isinstance(label, Raises))
        anyway = {id(self.points[i].node) for i in usual if self.points[i].function is self.function}
        failing = [t for i in self.at(node) for t, label in self._next[i] if isinstance(label, Raises)]
        found = [self.points[i] for i in sorted(self._reach(failing) - usual)]
        return [p for p in found if p.node is not None and id(p.node) not in anyway]

    def failed(self, node: code.Node) -> tuple[list[Point], bool]:
        """What may run once ``node`` has raised, ``finally`` blocks included, and whether the function can return."""
        starts = [t for i in self.at(node) for t, label in self._next[i] if isinstance(label, Raises)]
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
        return [t for i in self.at(node) for t, label in self._next[i] if not isinstance(label, Raises)]

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
                if label is Raises.IMPLICIT and not implicit:
                    continue
                if skip is None or not skip(i, label):
                    stack.append(target)
        return seen
