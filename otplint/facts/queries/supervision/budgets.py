"""How often something may be restarted: budgets that never run out, and budgets that many children share."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from otplint.facts.methods import Event, Role
from otplint.facts.origins import Origin, origins
from otplint.facts.queries.supervision.decisions import arguments
from otplint.facts.queries.tuning.fixed import number
from otplint.facts.recognise import takes_from_queue
from otplint.facts.syntax import code

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Method

_INFINITE = {"math.inf": math.inf, "numpy.inf": math.inf, "sys.maxsize": float(sys.maxsize)}
_WORDS = frozenset({"max_restarts"})
"""What the budget is called by supervisors that no framework data describes."""
_SIZED = "somebody has set the budget of every supervisor that children are added to"
_SAID = "the class that it makes says the same itself"
_MAX_DEPTH = 4
_WINDOW = 5.0
"""Seconds in which restarts are counted where nothing else is said (supervisor.erl)."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A number of restarts that somebody set."""

    parameter: str
    value: float
    """Negative or infinite for no bound at all."""
    node: code.Expr
    """Where the number is written."""
    place: Method
    call: code.Call
    """The supervisor (or decorator) that it is given to."""
    method: Method
    certain: bool
    """False for a supervisor that is known by its keyword alone."""
    seconds: float
    """The window; infinite where restarts are counted for ever."""
    child: Actor | None = None
    """What is restarted, where it is a class of the project that a restart follows the exit of its process only."""
    after_exit: bool = False
    """True where restarts follow nothing but that."""

    @property
    def exit(self) -> tuple[Method, code.Expr] | None:
        """Where what is restarted ends its own process, so that it may do so again and again."""
        return None if self.child is None else self.child.remembered(leaving)

    def never_runs_out(self, most: float, fastest: float) -> bool:
        """True where there is no bound, or one that no crash loop comes to.

        Args:
            most: restarts in any time that are as good as no bound.
            fastest: restarts a second that nothing comes to.
        """
        return self.value < 0 or self.value >= most or self.value / self.seconds >= fastest


def budgets(actor: Actor) -> Iterator[Budget]:
    """The restart budgets that the actor's functions, or the decorators of its class, set by fixed numbers."""
    for method in actor.methods:
        for call in method.calls:
            for budget in _given(call, method, method.event(call)):
                found = _restarted(budget)
                if not method.exempt(call, _SAID if _says_so_itself(found) else ""):
                    yield found
    for decorator in actor.node.decorators if isinstance(actor.node, code.Class) else ():
        if isinstance(decorator, code.Call):
            words = {word for op in actor.framework.operations for word in op.budget}
            for word in sorted(words):
                given = decorator.keyword(word)
                for budget in _numbers(word, given, decorator, actor.class_body, math.inf, certain=True):
                    yield replace(budget, child=actor, after_exit=actor.kind.restarted_after == "exit")


def _restarted(budget: Budget) -> Budget:
    """The same with the class that it bounds: ``Counter.options(...)``, ``remote(...)(Counter)``."""
    call, method = budget.call, budget.method
    event = method.event(call)
    name = method.qualname(call.func)
    made = method.actor.facts.vocabulary.decorators.get(method.actor.facts.kinship.made.decorator(name) or name)
    if made is not None:
        around = method.parent(call)
        given = around.positional(0) if isinstance(around, code.Call) and around.func is call else None
        return replace(budget, child=_class(given, method), after_exit=made[1].restarted_after == "exit")
    if event is None or event.role != "make":
        return budget
    only = all(kind.restarted_after == "exit" for kind in event.framework.actors)
    receiver = event.argument("receiver")
    for origin in origins(receiver, method) if receiver is not None else ():
        expr = origin.expr
        if isinstance(expr, code.Call) and expr.args:
            expr = expr.args[0].value  # agents = remote(Counter)
        child = _class(expr, origin.method)
        if child is not None:
            return replace(budget, child=child, after_exit=only)
    return replace(budget, after_exit=only)


def _class(expr: code.Expr | None, method: Method) -> Actor | None:
    return method.actor.facts.owner(method.qualname(expr)) if expr is not None else None


def _says_so_itself(budget: Budget) -> bool:
    """Whether the decorator of the class bounds it by the same number."""
    node = budget.child.node if budget.child is not None else None
    place = budget.child.class_body if budget.child is not None else None
    for decorator in node.decorators if isinstance(node, code.Class) else ():
        if isinstance(decorator, code.Call) and decorator is not budget.call and place is not None:
            said = decorator.keyword(budget.parameter)
            if said is not None and _quantity(said, place) == budget.value:
                return True
    return False


def leaving(actor: Actor) -> tuple[Method, code.Expr] | None:
    """Where a class, or a function that it calls, ends its process so that it counts as a failure."""
    for method in actor.everything:
        if not method.stops:
            for call in method.calls:
                helper = method.actor.facts.function(method.qualname(call.func))
                if _leaves(call, method) or (helper is not None and any(_leaves(c, helper) for c in helper.calls)):
                    return method, call
            for stmt in method.statements:
                if isinstance(stmt, code.Raise) and stmt.error is not None and _is_exit(stmt.error, method):
                    return method, stmt.error
    return None


def _leaves(call: code.Call, method: Method) -> bool:
    name = method.qualname(call.func)
    if name == "os.kill":
        own = call.positional(0)
        return isinstance(own, code.Call) and method.qualname(own.func) == "os.getpid"
    return name == "os.abort" or (name in ("sys.exit", "os._exit") and not _is_zero(call))


def _is_exit(raised: code.Expr, method: Method) -> bool:
    func = raised.func if isinstance(raised, code.Call) else raised
    is_exit = method.qualname(func).removeprefix("builtins.") == "SystemExit"
    return is_exit and not (isinstance(raised, code.Call) and _is_zero(raised))


def _is_zero(call: code.Call) -> bool:
    given = call.positional(0)
    return isinstance(given, code.Const) and given.value == 0


def _given(call: code.Call, method: Method, event: Event | None) -> Iterator[Budget]:
    if event is None:
        for word in sorted(_WORDS):
            yield from _numbers(word, call.keyword(word), call, method, math.inf, certain=False)
        return
    seconds = math.inf
    if event.operation.window:
        said = event.argument(event.operation.window)
        known = _quantity(said, method) if said is not None else _WINDOW
        seconds = known if known else math.inf
    for word in event.operation.budget:
        yield from _numbers(word, event.argument(word), call, method, seconds, certain=True)


def _numbers(
    word: str, expr: code.Expr | None, call: code.Call, method: Method, seconds: float, *, certain: bool
) -> Iterator[Budget]:
    """The numbers that are given and that no test, parameter or setting chooses."""
    for origin in origins(expr, method) if expr is not None else ():
        value = _quantity(origin.expr, origin.method)
        if value is None or origin.tests or origin.via == "parameter":
            method.exempt(call, f"{word} comes from a parameter, a setting or a choice")
        else:
            yield Budget(word, value, origin.expr, origin.method, call, method, certain, seconds)


def _quantity(expr: code.Expr, method: Method) -> float | None:
    """The value of a number as written, the infinite ones included."""
    match expr:
        case code.Call(func=code.Name(id="float"), args=(only,)):
            text = only.value.value if isinstance(only.value, code.Const) else None
            if isinstance(text, str):
                return math.inf if text.strip().lower() in ("inf", "infinity", "+inf") else None
        case code.Name() | code.Attr():
            return _INFINITE.get(method.qualname(expr))
    return number(expr, method)


@dataclass(frozen=True, slots=True)
class Sharer:
    """A kind of children that an actor starts for its requests, all under one budget."""

    start: Event
    """The call that adds a child."""
    spec: Event
    """The child's spec."""

    @property
    def node(self) -> code.Expr:
        """What says that it is restarted: the argument, or the spec."""
        name = self.spec.operation.own_budget.partition("=")[0]
        return self.spec.argument(name) or self.spec.call


def sharers(actor: Actor) -> Iterator[Sharer]:
    """The restarted children that handlers start one by one under a supervisor whose budget nobody sized."""
    for event in actor.events("child") if actor.is_actor else ():
        spec = event.argument("spec") if "spec" in event.operation.parameters else None
        for made in _specs(spec, event.method, 0) if spec is not None else ():
            if not _shares(made):
                made.method.exempt(made.call, "it is never restarted, is one alone, or has a supervisor of its own")
            elif not made.method.exempt(made.call, "" if actor.remembered(_are_unsized) else _SIZED):
                yield Sharer(event, made)


def _are_unsized(actor: Actor) -> bool:
    """Whether some supervisor of the project is unsized."""
    others = [actor, *actor.facts.actors_holding(*actor.facts.kinship.setup_last)]
    return any(_is_unsized(event) for other in others for event in other.events("supervise"))


def _specs(expr: code.Expr, method: Method, depth: int) -> Iterator[Event]:
    """The child specs that ``expr`` may be while the actor serves requests."""
    if depth > _MAX_DEPTH or method.role is Role.START:
        return
    for origin in origins(expr, method):
        made = origin.method.event(origin.expr)
        if made is not None and made.role == "child":
            yield made
        for given, caller in arguments(origin.expr, origin.method):
            yield from _specs(given, caller, depth + 1)


def _is_unsized(event: Event) -> bool:
    """A supervisor whose children come and go, with the budget that it has by default."""
    if not event.operation.budget or any(a.star for a in event.call.args):
        return False
    given = (event.operation.parameters[:1] or ("",))[0]
    return event.argument(given) is None and not any(event.argument(word) for word in event.operation.budget)


def _shares(spec: Event) -> bool:
    """A child that is restarted out of its supervisor's budget, one of many: its id is no constant."""
    word, _, never = spec.operation.own_budget.partition("=")
    if not word:
        return False
    said = spec.argument(word)
    named = origins(said, spec.method) if said is not None else []
    if any(_says(o, never) for o in named):
        return False
    start = spec.argument(spec.operation.payload)
    inner = [o.method.event(o.expr) for o in origins(start, spec.method)] if start is not None else []
    if any(event is not None and event.role == "supervise" for event in inner):
        return False
    first = spec.argument(spec.operation.parameters[0])
    return first is not None and not isinstance(first, code.Const)


def _says(origin: Origin, word: str) -> bool:
    return code.dotted(origin.expr).rpartition(".")[2] == word or origin.method.qualname(origin.expr).endswith(word)


@dataclass(frozen=True, slots=True)
class RestartLoop:
    """``while True``: start it, wait for its end, start it again."""

    loop: code.While
    spawn: Event
    method: Method


def restart_loops(method: Method) -> Iterator[RestartLoop]:
    """The loops of a function that start the same thing again whenever it has ended, and never count."""
    for loop in method.statements:
        if isinstance(loop, code.While) and not _takes(loop, method):
            calls = [*code.calls(loop.body)]
            inside = {id(call) for call in calls}
            events = [e for e in method.events if id(e.call) in inside]
            helpers = [m for c in calls if (m := method.actor.own_method(c, method)) is not None and m is not method]
            everywhere = [*events, *[e for m in method.actor.reached(*helpers) for e in m.events]]
            spawned = [e for e in everywhere if e.role == "spawn" and e.operation.handle in ("process", "thread", "")]
            ends = [e for e in events if e.role in ("wait", "alive")]
            again = [s for s in spawned if any(_is_end_of(e, s, method) for e in ends)]
            if not again:
                continue
            counted = _counts([loop, *[s for m in method.actor.reached(*helpers) for s in m.body]])
            if not method.exempt(again[0].call, "the loop counts, and compares the count" if counted else ""):
                yield RestartLoop(loop, again[0], method)


def _is_end_of(event: Event, spawned: Event, method: Method) -> bool:
    """Whether it is the end of what was started that is asked or waited for."""
    receiver = event.argument("receiver")
    return receiver is not None and any(origin.expr is spawned.call for origin in origins(receiver, method))


def _counts(block: Sequence[code.Stmt]) -> bool:
    """Whether something that is counted up or down is compared with something."""
    statements = [*code.statements(tuple(block))]
    counted = {code.dotted(s.target) for s in statements if isinstance(s, code.Augment)}
    compared = {
        code.dotted(part)
        for stmt in statements
        for head in code.expressions(stmt)
        for expr in code.walk(head)
        if isinstance(expr, code.Compare)
        for part in (expr.left, *expr.rights)
    }
    return bool((counted & compared) - {""})


def _takes(loop: code.While, method: Method) -> bool:
    """A loop that serves requests starts something for each, and nothing again."""
    return any(takes_from_queue(call, method) for call in code.calls(loop.body))
