"""What a decision about supervision hangs on, by name: the variables, constants and functions that one could change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from otplint.facts.origins import origins, sources
from otplint.facts.queries.supervision.decisions import arguments, decisions
from otplint.facts.queries.supervision.environments import READS, TABLES
from otplint.facts.syntax import code
from otplint.findings import Span

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Event, Method

POLICY = ("supervise", "child", "breaker", "retry")
"""Operations that say how the system is supervised."""
FIXTURES = ("pytest.fixture", "pytest_asyncio.fixture")
_SET_UPS = ("setUp", "setUpClass", "asyncSetUp", "setUpModule")
_MAX_DEPTH = 8


@dataclass(slots=True)
class Switches:
    """What decides about supervision, and where: plain data, which may be joined over all actors."""

    variables: dict[str, Span] = field(default_factory=dict)
    """Environment variables by name, each with the place of a call that they decide about."""
    names: dict[str, Span] = field(default_factory=dict)
    """Qualified names of constants, functions and settings that decide."""
    limits: dict[str, Span] = field(default_factory=dict)
    """Qualified names of constants that are themselves the limits, and of functions that build the supervision."""

    def __bool__(self) -> bool:
        return bool(self.variables or self.names or self.limits)

    def add(self, other: Switches) -> None:
        """Join what another actor hangs on; what is known already counts."""
        self.variables = other.variables | self.variables
        self.names = other.names | self.names
        self.limits = other.limits | self.limits


def switches(actor: Actor) -> Switches:
    """What the supervision that an actor (or setup code) sets up hangs on; tests set none up for the application."""
    found = Switches()
    for event in actor.events(*POLICY):
        if is_test(event.method):
            continue
        place = event.method.span(event.call)
        if event.role == "supervise" and not event.method.owner and event.method.outer is None:
            found.limits.setdefault(_qualified(event.method), place)
        for value in _settings(event):
            for decision in decisions(value, event.method):
                _Reading(found, place).follow(decision.test, decision.method, 0)
            for origin in _constants(value, event.method):
                found.limits.setdefault(origin, place)
    return found


def is_test(method: Method) -> bool:
    """True for a function in a test file, and for a test or a fixture of pytest or unittest anywhere."""
    if method.actor.facts.is_test(method.source.path) or method.name in _SET_UPS or method.name.startswith("test_"):
        return True
    decorators = [d.func if isinstance(d, code.Call) else d for d in method.code.decorators]
    return any(method.qualname(d) in FIXTURES for d in decorators)


def _qualified(method: Method) -> str:
    return f"{method.source.index.module}.{method.name}"


def _settings(event: Event) -> Iterator[code.Expr]:
    """The arguments that say how the system is supervised."""
    for name in (*event.operation.limits, *(["children"] if event.role == "supervise" else [])):
        value = event.argument(name)
        if value is not None:
            yield value
    yield from (a.value for a in event.call.args if a.star)


def _constants(expr: code.Expr, method: Method, depth: int = 0) -> Iterator[str]:
    """The names outside of functions that a limit is, on any way to its values."""
    if "." in (name := method.qualname(expr)):
        yield name
    for source in sources(expr, method) if depth < _MAX_DEPTH else ():
        yield from _constants(source.expr, source.method, depth + 1)


class _Reading:
    """The names that one test reads, followed back to where they come from."""

    def __init__(self, found: Switches, place: Span) -> None:
        self.found = found
        self.place = place
        self._seen: set[int] = set()

    def follow(self, expr: code.Expr, method: Method, depth: int) -> None:
        if depth > _MAX_DEPTH:
            return
        for part in code.walk(expr):
            if id(part) not in self._seen:
                self._seen.add(id(part))
                self._note(part, method)
                if isinstance(part, (code.Name, code.Attr, code.Call, code.Sub)):
                    self._back(part, method, depth)

    def _back(self, part: code.Expr, method: Method, depth: int) -> None:
        for source in sources(part, method):
            self.follow(source.expr, source.method, depth + 1)
            for test, _, place in source.tests:
                self.follow(test, place, depth + 1)
        for value, caller in arguments(part, method):
            self.follow(value, caller, depth + 1)

    def _note(self, part: code.Expr, method: Method) -> None:
        key: code.Expr | None = None
        match part:
            case code.Call(func=func, args=args) if method.qualname(func) in READS:
                key = args[0].value if args else None
            case code.Sub(base=base, key=inner) if method.qualname(base) in TABLES:
                key = inner
            case code.Compare(left=left, ops=("in" | "not in",), rights=(table,)) if method.qualname(table) in TABLES:
                key = left
            case code.Name() | code.Attr():
                name = method.qualname(part)
                if "." in name and name not in TABLES:
                    self.found.names.setdefault(name, self.place)
        for origin in origins(key, method) if key is not None else ():
            if isinstance(origin.expr, code.Const) and isinstance(origin.expr.value, str):
                self.found.variables.setdefault(origin.expr.value, self.place)
