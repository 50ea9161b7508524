"""How control comes to a place in an actor: from which handler, through which helpers, under which tests.

A route climbs from the place to the handler, loop or start that leads to it. Helpers below a step are expanded by the
flow of that step, those above it are the next steps; so what shares a path with the place is what shares one with any
step of the route.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from otplint.facts.methods import Event, Method, Role
from otplint.facts.syntax import code
from otplint.facts.values import annotation_type

if TYPE_CHECKING:
    from otplint.facts.actors import Actor

_MAX_STEPS = 6
ENTRIES = (Role.HANDLER, Role.LOOP, Role.START, Role.STOP)


class Step(NamedTuple):
    """A place, and the function that holds it."""

    method: Method
    node: code.Node


class Condition(NamedTuple):
    """A test and its outcome on every path to the place."""

    test: code.Expr
    outcome: bool
    method: Method


class Route:
    """One way to a place, innermost step first; the last step is in the function where the route begins."""

    def __init__(self, actor: Actor, steps: tuple[Step, ...]) -> None:
        self.actor = actor
        self.steps = steps

    @property
    def place(self) -> Step:
        """Where the route leads."""
        return self.steps[0]

    @property
    def entry(self) -> Method:
        """Where it begins: a handler, a loop, a start, or a function that no own function calls."""
        return self.steps[-1].method

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """The tests on the way."""
        return tuple(
            Condition(test, outcome, self.actor.method_of(_home(test, step.method)) or step.method)
            for step in self.steps
            for test, outcome in step.method.flow.conditions(step.node)
        )

    @cached_property
    def nodes(self) -> dict[int, code.Node]:
        """What shares a path with the place, by identity; one turn of a receive loop is one path."""
        found: dict[int, code.Node] = {}
        for method, node in self.steps:
            heads = {
                id(up)
                for up in method.above(node)
                if isinstance(up, (code.While, code.For)) and method.role is Role.LOOP and _receives(up)
            }
            points = method.flow.around(
                node,
                within=lambda p, h=heads: id(p.node) in h,  # type: ignore[misc]
                unless=lambda test, outcome: any(_excludes(c, test, outcome) for c in self.conditions),
            )
            found.update({id(p.node): p.node for p in points if p.node is not None})
        return found

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """What happens on the same path."""
        return tuple(e for m in self.actor.everything for e in m.events if id(e.call) in self.nodes)

    def passes(self, node: code.Node, method: Method) -> bool:
        """True if ``node``, or the nearest step around it, shares a path with the place."""
        at: code.Node | None = node
        while at is not None:
            if id(at) in self.nodes:
                return True
            if isinstance(at, code.STATEMENTS):
                return False
            at = method.parent(at)
        return False

    @cached_property
    def on_down(self) -> bool:
        """True where a message that says "the watched actor went down" leads here."""
        down = down_types(self.actor)
        if any(tests_for(c, down) for c in self.conditions):
            return True
        return any(names_type(step.method, down) for step in self.steps)

    @cached_property
    def may_be_down(self) -> bool:
        """True where such a message may lead here, for all that the tests on the way say."""
        down = down_types(self.actor)
        if self.on_down:
            return True
        if any(c.outcome and _says_other(c) for c in self.conditions):
            return False
        if any(tests_for(c._replace(outcome=not c.outcome), down) for c in self.conditions):
            return False
        if self.entry.role in ENTRIES and self.actor.kind.down_handlers:
            return self.entry.name in self.actor.kind.down_handlers
        return not down_branches(self.actor)


def routes(actor: Actor, method: Method, node: code.Node) -> list[Route]:
    """The ways to ``node``, which stands in ``method``."""
    return [Route(actor, steps) for steps in _climb(actor, method, step_of(node, method), ())]


def step_of(node: code.Node, method: Method) -> code.Node:
    """The step of the flow that ``node`` is, or is part of; ``node`` itself where no flow knows it."""
    at: code.Node | None = node
    while at is not None and not method.flow.at(at):
        at = None if isinstance(at, code.STATEMENTS) else method.parent(at)
    return node if at is None else at


def _climb(actor: Actor, method: Method, node: code.Node, below: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    steps = (*below, Step(method, node))
    if len(steps) > _MAX_STEPS:
        return
    sites = [(caller, call) for call, caller in actor.sites(method) if all(s.method is not caller for s in steps)]
    for caller, call in sites:
        yield from _climb(actor, caller, call, steps)
    if method.outer is not None and not sites:
        yield from _climb(actor, method.outer, method.code, steps)
    elif method.role in ENTRIES or not sites:
        yield steps


def down_types(actor: Actor) -> frozenset[str]:
    """The messages that tell of a watched actor's end, also by their names in a scanned copy of the framework."""
    names = actor.facts.vocabulary.down
    made = actor.framework.down_made
    return names.union(made, (actor.facts.project.canonical(name) for name in names))


def down_branches(actor: Actor) -> list[Step]:
    """Where the actor asks whether a message says that a watched actor went down."""
    down = down_types(actor)
    found = []
    for method in actor.everything:
        if names_type(method, down):
            found.append(Step(method, method.code))
            continue
        for stmt in method.statements:
            if isinstance(stmt, code.Match):
                found += [Step(method, c.pattern) for c in stmt.cases if _pattern_names(c.pattern, method, down)]
        for call in method.calls:
            if tests_for(Condition(call, True, method), down):
                found.append(Step(method, call))
        for expr in method.exprs():
            if isinstance(expr, code.Compare) and tests_for(Condition(expr, True, method), down):
                found.append(Step(method, expr))
    return found


def tests_for(condition: Condition, types: frozenset[str]) -> bool:
    """True where the outcome of the test means that a value is of one of ``types``."""
    test, outcome, method = condition
    match test:
        case code.Unary(op="not", value=value):
            return tests_for(Condition(value, not outcome, method), types)
        case code.Call(func=code.Name(id="isinstance"), args=(_, kinds)) if outcome:
            return any(method.qualname(t) in types for t in code.walk(kinds.value))
        case code.Compare(ops=("match",), rights=(pattern,)) if outcome:
            return _pattern_names(pattern, method, types)
        case code.Compare(left=left, ops=(op,), rights=(right,)) if outcome == (op in ("is", "==", "in")):
            asks = isinstance(left, code.Call) and code.dotted(left.func) == "type"
            asks = asks or (isinstance(left, code.Attr) and left.name == "__class__")
            if asks:
                return any(method.qualname(t) in types for t in code.walk(right))
            return op != "in" and (_is_mark(left, method, types) or _is_mark(right, method, types))
        case code.Bool(op="and", parts=parts) if outcome:
            return any(tests_for(Condition(p, True, method), types) for p in parts)
        case code.Name(id=name) if method.is_local(name):
            values = [v for s in method.statements if isinstance(s, code.Assign) and s.value is not None
                      for t in s.targets if isinstance(t, code.Name) and t.id == name for v in (s.value,)]  # fmt: skip
            return len(values) == 1 and tests_for(Condition(values[0], outcome, method), types)
        case code.Call() if (helper := method.actor.own_method(test, method)) is not None:
            answers = [s.value for s in helper.statements if isinstance(s, code.Return) and s.value]
            return bool(answers) and all(tests_for(Condition(a, outcome, helper), types) for a in answers)
    return False


def _is_mark(expr: code.Expr, method: Method, types: frozenset[str]) -> bool:
    """True for one of the types, and for what is made like the framework's mark: ``GONE = atom.ensure("DOWN")``."""
    if isinstance(expr, code.Call):
        return _made(expr, method) in types
    name = method.qualname(expr)
    if name in types or not name or not any(t.endswith(")") for t in types):
        return name in types
    constants = method.actor.facts.constants(name)
    return any(isinstance(value, code.Call) and _made(value, module) in types for module, _, value in constants)


def _made(call: code.Call, method: Method) -> str:
    match call.args:
        case (code.Arg(value=code.Const(value=str(word))),):
            return f"{method.qualname(call.func)}({word})"
    return ""


def names_type(method: Method, types: frozenset[str]) -> bool:
    """True for a function whose message is declared, or registered in a table of types, as one of ``types``."""
    if any(annotation_type(p.annotation, method) in types for p in method.code.params):
        return True
    registered = (d for d in method.code.decorators if isinstance(d, code.Call))
    if any(method.qualname(a.value) in types for d in registered for a in d.args):
        return True
    for other in method.actor.everything:
        for expr in other.exprs():
            if isinstance(expr, code.Dict):
                for key, value in expr.items:
                    named = isinstance(value, code.Attr) and other.own_attribute(value) == method.name
                    if named and key is not None and other.qualname(key) in types:
                        return True
    return False


def _pattern_names(pattern: code.Expr, method: Method, types: frozenset[str]) -> bool:
    kinds = (e.func if isinstance(e, code.Call) else e for e in code.walk(pattern))
    return any(isinstance(k, (code.Name, code.Attr)) and _is_mark(k, method, types) for k in kinds)


def _excludes(known: Condition, test: code.Expr, outcome: bool) -> bool:
    """True if ``test`` cannot come out so where ``known`` holds: one message is of one kind."""
    if code.same(known.test, test):
        return known.outcome is not outcome
    if not (known.outcome and outcome):
        return False
    match known.test, test:
        case code.Call(func=code.Name(id="isinstance"), args=(a, kind)), code.Call(
            func=code.Name(id="isinstance"), args=(b, other)
        ):
            single = not isinstance(kind.value, code.Seq) and not isinstance(other.value, code.Seq)
            return single and code.same(a.value, b.value) and not code.same(kind.value, other.value)
        case code.Compare(left=a, ops=("==",), rights=(code.Const(value=one),)), code.Compare(
            left=b, ops=("==",), rights=(code.Const(value=two),)
        ):
            return code.same(a, b) and one != two
    return False


def _says_other(condition: Condition) -> bool:
    """True where the test speaks of some other kind of message."""
    test, _, method = condition
    match test:
        case code.Call(func=code.Name(id="isinstance")):
            return not tests_for(condition, down_types(method.actor))
        case code.Compare(ops=("match",), rights=(pattern,)):
            while isinstance(pattern, code.Walrus):
                pattern = pattern.value
            return not isinstance(pattern, code.Name)
        case code.Compare(ops=(op,), rights=(right,)) if op in ("==", "is"):
            if isinstance(right, code.Const):
                return right.value is not None
            return bool(method.qualname(right)) and not method.own_attribute(right)
    return False


def _receives(loop: code.While | code.For) -> bool:
    return isinstance(loop, code.While) or loop.is_async or isinstance(loop.iter, code.Call)


def _home(test: code.Expr, method: Method) -> code.Function:
    """The function that a test is written in, which may be a helper's."""
    for place in method.actor.everything:
        if place.parent(test) is not None:
            return place.code
    return method.code
