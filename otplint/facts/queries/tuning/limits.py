"""Numbers at work as limits: arguments that set one, deadlines, cuts of buffers, tries, constants in comparisons."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from otplint.facts.methods import Event, Method, Role
from otplint.facts.origins import origins
from otplint.facts.queries.tuning.effects import of_history, of_wait
from otplint.facts.queries.tuning.fixed import Fixed, fixed
from otplint.facts.queries.tuning.fixed import number as literal
from otplint.facts.queries.tuning.given import is_given, is_replaceable
from otplint.facts.queries.tuning.measures import Measure, is_clock
from otplint.facts.queries.tuning.passed import is_limit_name, passed
from otplint.facts.queries.tuning.polls import is_poll
from otplint.facts.queries.tuning.thresholds import Threshold, margins, no_threshold, thresholds
from otplint.facts.steering import steers
from otplint.facts.syntax import code

_SETUP = ("supervise", "breaker", "child", "retry")
_SIZES_AND_SUPERVISION = (*_SETUP, "queue")
_PAUSES = ("sleep", "wait", "call")
"""What looks after actors waits by these; a number there is how long they are given."""
_CLAMPS = ("min", "max")
_WIDTHS = {2**bits - lack for bits in (15, 16, 31, 32, 63, 64) for lack in (0, 1)}


class Limit(NamedTuple):
    """A number at work as a limit."""

    number: Fixed
    node: code.Expr
    """Where a literal is reported; a constant is reported at its definition."""
    place: Method
    use: code.Node
    user: Method
    what: str
    certain: bool
    """True where a framework's data says that this argument is a limit."""
    bounds: bool
    """Sets up supervision or capacity, or bounds the actor's own state: then a constant counts as well."""
    threshold: Threshold | None = None
    """The comparison that a constant is a side of."""

    @property
    def is_poll(self) -> bool:
        """True for a time below a second that is only how often something looks again."""
        return is_poll(self.number.value, self.use, self.user)

    @property
    def slight(self) -> str:
        """Why hardly anything hangs on the number here; empty where something may."""
        if self.threshold is not None:
            return self.threshold.slight
        return of_wait(self.use, self.user) or of_history(self.number, self.use, self.user)


def limits(method: Method) -> Iterator[Limit]:
    """The fixed numbers that work as limits in one function; outside actors only what looks after some."""
    actor = method.actor.is_actor
    for call in method.calls:
        event = method.event(call)
        sets_up = event is not None and event.role in _SETUP
        for name, value in _arguments(call, event, method) if actor or sets_up or steers(method) else ():
            certain = event is not None and event.certain and name in event.operation.limits and (actor or sets_up)
            bounds = event is not None and event.role in _SIZES_AND_SUPERVISION
            what = f"`{name}` of `{_called(call)}`"
            yield from _numbers(value, method, what, certain=certain, bounds=bounds)
    if method.actor.is_actor:
        for name, value in _named(method):
            yield from _numbers(value, method, f"`{name}`", certain=False, bounds=False)
        yield from _compared(method)
        yield from _deadlines(method)
        yield from _cuts(method)
        yield from _retries(method)


def _called(call: code.Call) -> str:
    """The name of what is called, as far as it has one."""
    func = call.func.base if isinstance(call.func, code.Sub) else call.func  # open_memory_channel[int](0)
    last = func.name if isinstance(func, code.Attr) else "the call"
    return code.dotted(func) or last


def _arguments(call: code.Call, event: Event | None, method: Method) -> Iterator[tuple[str, code.Expr]]:
    """The arguments of a call that set a limit, by name."""
    if not method.actor.is_actor:
        known = event is not None and (event.role in _SETUP or (event.certain and event.role in _PAUSES))
        yield from _of_operation(event if known else None)
        return
    found = [*_direct(call, event, method)]
    yield from found
    yield from (p for p in passed(call, method, _direct) if not any(p[1] is value for _, value in found))


def _direct(call: code.Call, event: Event | None, method: Method) -> Iterator[tuple[str, code.Expr]]:
    """Those that the framework's data name, and keywords that say so themselves."""
    yield from _of_operation(event)
    known = event.operation.limits if event is not None else ()
    for arg in call.args:
        if arg.name and arg.name not in known and is_limit_name(arg.name, method):
            yield arg.name, arg.value


def _of_operation(event: Event | None) -> Iterator[tuple[str, code.Expr]]:
    for name in event.operation.limits if event is not None else ():
        value = event.argument(name) if event is not None else None
        if value is not None:
            yield name, value


def _named(method: Method) -> Iterator[tuple[str, code.Expr]]:
    """``{"socket_timeout": 30}``: settings that are handed over in a dictionary."""
    for expr in method.exprs():
        for key, value in expr.items if isinstance(expr, code.Dict) else ():
            if isinstance(key, code.Const) and isinstance(key.value, str) and is_limit_name(key.value, method):
                replaced = "it is part of an entry that is made only where none is given"
                if not method.exempt(value, replaced if is_replaceable(value, method) else ""):
                    yield key.value, value


def _numbers(value: code.Expr, method: Method, what: str, *, certain: bool, bounds: bool) -> Iterator[Limit]:
    """The fixed numbers of a limit, or else those in the margins of what it comes from."""
    found = fixed(value, method)
    named = [n for n in found if n.is_constant]
    found = named or found  # what a constant is multiplied with is no limit of its own
    for number in found:
        whole = value if number.kind == "literal" else number.node
        yield Limit(number, whole, number.place, value, method, what, certain, bounds)
    if found:
        return
    moved = [*_changed(value, method, what)]
    for source, place in _sources(value, method):
        for node, number in islice(_moved(source, place), 1):  # one formula is one limit
            spot = number.node if number.is_constant else node
            moved.append(Limit(number, spot, number.place, value, method, what, False, False))
    yield from moved
    if not moved:
        method.exempt(value, f"{what} is no fixed number: a setting, parameter, attribute or choice decides it")


def _changed(value: code.Expr, method: Method, what: str) -> Iterator[Limit]:
    """Numbers that a limit kept in an attribute is set to while the actor works; the one it starts with has a name."""
    written = [(expr, place) for expr, place in _written(value, method) if literal(expr) is not None]
    at_start = {literal(expr) for expr, place in written if _is_start(place)}
    for expr, place in written:
        worth = literal(expr)
        if worth is not None and worth not in at_start:
            yield Limit(Fixed(worth, expr, place, "literal"), expr, place, value, method, what, False, False)


def _written(value: code.Expr, method: Method) -> Iterator[tuple[code.Expr, Method]]:
    if isinstance(value, code.Call) and method.qualname(value.func) == "datetime.timedelta":
        for arg in value.args:
            yield from _written(arg.value, method)
    own = method.own_attribute(value)
    for _, expr, place in method.actor.assignments(own) if own else ():
        yield expr, place


def _is_start(place: Method) -> bool:
    """True for the constructor and the like, the class's body, and helpers that only these call."""
    if place.role in (Role.START, Role.SETUP):
        return True
    callers = place.actor.callers(place)
    return bool(callers) and all(m.role is Role.START for m in callers)


def _sources(value: code.Expr, method: Method) -> Iterator[tuple[code.Expr, Method]]:
    """Where a value comes from, through the actor's own properties as well."""
    for origin in origins(value, method):
        if origin.via in ("parameter", "constant"):
            continue
        own = origin.method.own_attribute(origin.expr) if isinstance(origin.expr, code.Attr) else ""
        getter = method.actor.method(own) if own and origin.method.actor is method.actor else None
        if getter is None or not getter.is_property:
            yield origin.expr, origin.method
            continue
        for stmt in code.statements(getter.body):
            if isinstance(stmt, code.Return) and stmt.value is not None:
                yield from ((o.expr, o.method) for o in origins(stmt.value, getter) if o.via != "parameter")


def _moved(expr: code.Expr, method: Method) -> Iterator[tuple[code.Expr, Fixed]]:
    """Numbers that move or cap a value on its way: ``max(1, ttl - 15)``; a floor under what is configured is none."""
    match expr:
        case code.Call(func=code.Name(id=name), args=args) if name in (*_CLAMPS, "int", "float", "round"):
            clamps = {id(arg): fixed(arg.value, method) if name in _CLAMPS else [] for arg in args}
            if (
                name == "min"
                and any(clamps.values())
                and any(is_given(a.value, method) for a in args if not clamps[id(a)])
            ):
                method.exempt(expr, "its number is only the most that a given value may be")
                return
            for arg in args:
                if own := clamps[id(arg)]:
                    yield from ((arg.value, n) for n in own if name == "min")
                else:
                    yield from _moved(arg.value, method)
        case code.Binary() if not _steps_on(expr, method):
            yield from ((expr, n) for n in margins(expr, method))


def _steps_on(expr: code.Binary, method: Method) -> bool:
    """``delay = delay + 5``: the step of what grows, whose start and end are the limits."""
    stmt = method.statement(expr)
    targets = {code.dotted(t) for t in stmt.targets} if isinstance(stmt, code.Assign) else set()
    return bool(targets & {code.dotted(expr.left), code.dotted(expr.right)} - {""})


def _compared(method: Method) -> Iterator[Limit]:
    """Constants that are compared with what the actor measures; literals there are OTP301."""
    told = set()
    for found in thresholds(method):
        told.add(id(found.compare))
        unnamed = "" if found.constants else "the number has no name, which is OTP301's matter"
        method.exempt(found.compare, found.natural or unnamed)
        lasting = found.measure is Measure.COUNTER and method.role is Role.LOOP  # a local as old as the actor
        own = lasting or found.measure in (Measure.STATE, Measure.RESOURCE)
        for number in found.constants if not found.natural else ():
            if number.value in _WIDTHS:
                continue  # where a number of so many bits ends
            what = f"a threshold for {found.measure.value}"
            yield Limit(number, number.node, number.place, found.compare, method, what, False, own, found)
    for compare in method.exprs() if method.asked_why else ():
        if isinstance(compare, code.Compare) and id(compare) not in told:
            method.exempt(compare, no_threshold(compare, method))


def _deadlines(method: Method) -> Iterator[Limit]:
    """``time.monotonic() + 300``."""
    for expr in method.exprs():
        if isinstance(expr, code.Binary) and expr.op == "+" and any(is_clock(p, method) for p in code.parts(expr)):
            compared = any(isinstance(up, code.Compare) for up in method.above(expr))
            for number in [] if compared else margins(expr, method):
                spot = number.node if number.is_constant else expr
                yield Limit(number, spot, number.place, expr, method, "a deadline", False, False)


def _cuts(method: Method) -> Iterator[Limit]:
    """``self.buffer = self.buffer[-100:]``, ``del self.buffer[100:]``."""
    for use in method.actor.uses_in(method):
        if use.kind not in ("write", "remove", "append", "insert"):
            continue
        inside = (use.node if use.kind == "remove" else use.value, use.key)
        for part in (p for side in inside if side is not None for p in _parts(side)):
            if isinstance(part, code.Sub) and isinstance(part.key, code.Slice) and (
                method.own_attribute(part.base) == use.attribute
            ):  # fmt: skip
                for number in (n for bound in part.key.parts for n in fixed(bound, method)):
                    what = f"the length of `{use.attribute}`"
                    yield Limit(number, number.node, number.place, part, method, what, False, True)


def _parts(node: code.Node) -> Iterator[code.Expr]:
    return code.walk(node) if not isinstance(node, (*code.STATEMENTS, code.Handler, code.Case)) else iter(())


def _retries(method: Method) -> Iterator[Limit]:
    """``for _ in range(5): try: ...; return; except: ...``."""
    for stmt in method.statements:
        if (
            isinstance(stmt, code.For)
            and isinstance(stmt.iter, code.Call)
            and method.qualname(stmt.iter.func) == "range"
        ):
            tries = [s for s in stmt.body if isinstance(s, code.Try) and s.handlers]
            leaves = any(
                isinstance(s, (code.Return, code.Break))
                for t in tries
                for s in code.statements((*t.body, *t.orelse, *stmt.body))
            )
            if tries and leaves and len(stmt.iter.args) == 1:
                bound = stmt.iter.args[0].value
                for found in _numbers(bound, method, "the number of tries", certain=False, bounds=True):
                    yield found._replace(bounds=not found.number.is_constant)  # no state of the actor's is bounded
