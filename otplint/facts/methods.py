"""A function of an actor, with what questions about it need: names, parents, paths."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

from otplint.facts.flow import Flow
from otplint.facts.frameworks import Framework, Operation
from otplint.facts.passed_state import state_name
from otplint.facts.source import Source
from otplint.facts.syntax import code
from otplint.facts.written import Written
from otplint.findings import Span

if TYPE_CHECKING:
    from otplint.facts.actors import Actor


_Answer = TypeVar("_Answer")


class Role(enum.Enum):
    """What a function is to its actor."""

    HANDLER = "handler"
    """Runs once for each message."""
    LOOP = "loop"
    """Runs for the actor's whole life and takes the messages."""
    START = "start"
    STOP = "stop"
    HELPER = "helper"
    """Called by the others."""
    NESTED = "nested"
    """Defined inside another function."""
    SETUP = "setup"
    """Not an actor's: a function or module that builds supervision."""


class Event(NamedTuple):
    """A call that means something to actors."""

    role: str
    call: code.Call
    method: Method
    framework: Framework
    operation: Operation
    certain: bool
    """False where the receiver's type is unknown and only the method's name speaks."""

    def argument(self, parameter: str) -> code.Expr | None:
        """The value given for ``parameter`` of the operation; for ``receiver`` the object before the dot."""
        if not parameter:
            return None
        if parameter == "receiver":
            func = self.call.func
            if not isinstance(func, code.Attr):
                return None
            of_message = any(name.endswith(f".*.{func.name}") for name in self.operation.names)  # ref.add.tell(1)
            return func.base.base if of_message and isinstance(func.base, code.Attr) else func.base
        names = self.operation.parameters
        position = names.index(parameter) if parameter in names else len(self.call.args)
        return self.call.argument(position, parameter)

    @property
    def target(self) -> code.Expr | None:
        """The other actor."""
        return self.argument(self.operation.target)

    @property
    def payload(self) -> code.Expr | None:
        """The message."""
        return self.argument(self.operation.payload)


class Method:
    """One function of an actor (or of a module that supervises)."""

    def __init__(
        self, actor: Actor, function: code.Function, source: Source, role: Role, owner: str, outer: Method | None = None
    ) -> None:
        self.actor = actor
        self.code = function
        self.source = source
        self.role = role
        self.owner = owner
        """Qualified name of the class that defines it."""
        self.outer = outer
        """The function it is nested in."""
        self._answers: dict[object, object] = {}
        self._events: dict[int, tuple[code.Call, Event | None]] = {}
        """By the id of the call, which is kept so that no other one can have it."""

    def remembered(self, question: Callable[[Method], _Answer]) -> _Answer:
        """The answer to a question about this function, worked out once."""
        if question not in self._answers:
            self._answers[question] = question(self)
        return cast("_Answer", self._answers[question])

    @property
    def name(self) -> str:
        """The function's own name."""
        return self.code.name

    @property
    def title(self) -> str:
        """Its name in messages: ``Actor.method``, or just ``function``."""
        of_class = self.actor.form in ("class", "module") or self.owner
        return f"{self.actor.name}.{self.name}" if of_class or self.outer is not None else self.name

    @cached_property
    def written(self) -> Written:
        """What its file says, shared with all who look at the function."""
        return self.source.written(self.code, None if self.outer is None else self.outer.written)

    @property
    def body(self) -> code.Block:
        """Its statements."""
        return self.code.body

    def span(self, node: code.Node, /) -> Span:
        """The place of one of its nodes."""
        return self.source.span(node)

    def exempt(self, node: code.Node, reason: str, /) -> bool:
        """Say that a place was looked at and is not reported, and why; see :mod:`otplint.facts.exemptions`.

        Args:
            node: the place that would be reported.
            reason: in plain words, as in "silent because REASON"; empty where nothing speaks for silence.

        Returns:
            Whether there is a reason, so that ``if method.exempt(node, _excuse(node)): continue`` reads well.
        """
        if (listener := self.actor.facts.exemptions) is not None and reason:
            listener.of_place(self, node, reason)
        return bool(reason)

    @property
    def asked_why(self) -> bool:
        """Whether somebody wants to know reasons: for those that take work to tell."""
        return self.actor.asked_why

    def text(self, node: code.Node, limit: int = 60) -> str:
        """A node as it is written, on one line of at most ``limit`` characters, for messages."""
        plain = " ".join(self.source.text[node.start : node.end].split())
        return plain if len(plain) <= limit else f"{plain[: limit - 3]}..."

    @property
    def is_property(self) -> bool:
        """True for what is read like an attribute: ``@property``, ``@cached_property``."""
        return any(code.dotted(d).rpartition(".")[2] in ("property", "cached_property") for d in self.code.decorators)

    @cached_property
    def decorators(self) -> tuple[str, ...]:
        """The qualified names of its decorators, calls stripped; of own ones the framework's they apply."""
        called = (d.func if isinstance(d, code.Call) else d for d in self.code.decorators)
        names = [self.source.resolve(code.dotted(d)) for d in called]
        made = self.actor.facts.kinship.made if names else None
        return tuple(made.decorator(name) or name if made is not None else name for name in names)

    @property
    def stops(self) -> bool:
        """True for a function that runs when the actor ends, and for those nested in one."""
        return self.role is Role.STOP or (self.outer is not None and self.outer.stops)

    @cached_property
    def self_name(self) -> str:
        """The name of the instance inside the function; empty where there is none."""
        if self.outer is not None:
            return self.outer.self_name
        if not self.owner or any(code.dotted(d) == "staticmethod" for d in self.code.decorators):
            return ""
        return self.code.params[0].name if self.code.params else ""

    @cached_property
    def state_name(self) -> str:
        """The name of the state inside the function, where the framework passes it; empty where there is none."""
        return state_name(self)

    @cached_property
    def flow(self) -> Flow:
        """The paths through the function, its own helpers expanded."""
        return Flow(self.code, self.actor.inlined)

    def parent(self, node: code.Node) -> code.Node | None:
        """The node right above, within this function."""
        return self.written.parents.get(id(node))

    def above(self, node: code.Node) -> Iterator[code.Node]:
        """The nodes above, nearest first."""
        up = self.parent(node)
        while up is not None:
            yield up
            up = self.parent(up)

    def statement(self, node: code.Node) -> code.Stmt | None:
        """The nearest statement that holds ``node``, or ``node`` itself."""
        for up in (node, *self.above(node)):
            if isinstance(up, code.STATEMENTS):
                return up
        return None

    def exprs(self) -> tuple[code.Expr, ...]:
        """Every expression written in the function, nested functions left out."""
        return self.written.exprs

    @property
    def statements(self) -> tuple[code.Stmt, ...]:
        """Every statement of the function in source order, nested functions left out."""
        return self.written.statements

    @property
    def calls(self) -> tuple[code.Call, ...]:
        """Every call written in the function, in source order."""
        return self.written.calls

    @property
    def handlers(self) -> tuple[tuple[code.Try, code.Handler], ...]:
        """The ``except`` clauses, each with its ``try``."""
        return self.written.handlers

    @property
    def local_assignments(self) -> dict[str, list[tuple[code.Stmt, code.Expr]]]:
        """The plain assignments of each local with their values, in order; see :func:`values.local_assignments`."""
        return self.written.local_assignments

    # -- names

    def is_local(self, name: str) -> bool:
        """True for a parameter or a variable of the function."""
        return self.written.bindings.get(name) == ""

    def qualname(self, expr: code.Expr | None) -> str:
        """The qualified name that a chain of names stands for; empty for variables and other expressions."""
        dotted = code.dotted(expr)
        if not dotted:
            return ""
        head, _, rest = dotted.partition(".")
        local = self.written.bindings.get(head)
        if local == "":
            return ""
        if local is not None:
            full = f"{local}.{rest}" if rest else local
            return self.source.project.resolve("", full)
        return self.source.resolve(dotted)

    def own_attribute(self, expr: code.Expr | None) -> str:
        """``a.b`` for ``self.a.b`` (also through a local alias of it); empty for anything else.

        Where the state is passed, ``state.a`` is ``a`` as well.
        """
        names: list[str] = []
        while isinstance(expr, code.Attr):
            names.append(expr.name)
            expr = expr.base
        if not isinstance(expr, code.Name):
            return ""
        if expr.id in (self.self_name, self.state_name) and expr.id:
            return ".".join(reversed(names))
        alias = self.written.aliases(self.self_name, self.state_name).get(expr.id, "")
        return ".".join([alias, *reversed(names)]) if alias else ""

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """The calls that mean something to actors, in source order."""
        return tuple(event for call in self.calls if (event := self.event(call)) is not None)

    def event(self, call: code.Node | None) -> Event | None:
        """What ``call``, which is written in this function, means to actors, if it means anything."""
        if not isinstance(call, code.Call):
            return None
        if id(call) not in self._events:
            known = self.actor.values.operation(call, self)
            found = None
            if known is not None:
                framework, operation, certain = known
                found = Event(operation.role, call, self, framework, operation, certain)
            self._events[id(call)] = (call, found)
        return self._events[id(call)][1]
