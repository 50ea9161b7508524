"""What rules ask: one actor, over all its methods, bases and mixins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar, cast

from otplint.facts import passed_state
from otplint.facts.frameworks import ActorKind, Framework
from otplint.facts.methods import Event, Method, Role
from otplint.facts.syntax import code
from otplint.facts.uses import Use, uses
from otplint.facts.values import Values, matched, paired
from otplint.facts.values import part as part_of
from otplint.findings import Confidence

if TYPE_CHECKING:
    from otplint.facts.facts import Facts
    from otplint.facts.source import Source

_Answer = TypeVar("_Answer")

__all__ = ["Actor", "Event", "Method", "Role", "Use"]


class Actor:
    """A class, function or module with actor behaviour, or one that only sets supervision up."""

    def __init__(
        self,
        facts: Facts,
        source: Source,
        name: str,
        framework: Framework,
        kind: ActorKind,
        *,
        form: str,
        node: code.Class | code.Function | None,
        confidence: Confidence,
        evidence: str,
    ) -> None:
        self.facts = facts
        self.source = source
        self.name = name
        """Qualified name inside its module."""
        self.framework = framework
        self.kind = kind
        self.form = form
        """``class``, ``function``, ``module``, or ``setup`` for code that only sets supervision up."""
        self.node = node
        self.confidence = confidence
        """How sure it is that this is an actor: by base or decorator high, by shape medium."""
        self.evidence = evidence
        """Why it counts as an actor, for people."""
        self.methods: tuple[Method, ...] = ()
        """The functions that are judged here: its own, and those of mixins that are no actors themselves."""
        self.inherited: tuple[Method, ...] = ()
        """Functions of base classes that are actors and are judged there."""
        self.values = Values(self, facts.vocabulary)
        self._answers: dict[Callable[[Actor], object], object] = {}

    def remembered(self, question: Callable[[Actor], _Answer]) -> _Answer:
        """The answer to a question about this actor, worked out once."""
        if question not in self._answers:
            self._answers[question] = question(self)
        return cast("_Answer", self._answers[question])

    @property
    def path(self) -> str:
        """Its file, relative to the project root."""
        return self.source.path

    @property
    def qualname(self) -> str:
        """Its absolute dotted name."""
        return f"{self.source.index.module}.{self.name}"

    @property
    def is_actor(self) -> bool:
        """False for code that only sets supervision up."""
        return self.form != "setup"

    @property
    def in_test_file(self) -> bool:
        """True where the file is a test file of the project."""
        return self.facts.is_test(self.path)

    @property
    def asked_why(self) -> bool:
        """Whether somebody wants to know reasons; see :attr:`Method.asked_why`."""
        return self.facts.exemptions is not None

    def exempt(self, reason: str, /) -> bool:
        """Say why a rule is silent about this whole actor; otherwise as :meth:`Method.exempt`."""
        if (listener := self.facts.exemptions) is not None and reason:
            listener.of_actor(self, reason)
        return bool(reason)

    @cached_property
    def everything(self) -> tuple[Method, ...]:
        """Own and inherited functions."""
        return self.methods + self.inherited

    @cached_property
    def _by_name(self) -> dict[str, Method]:
        found: dict[str, Method] = {}
        for method in self.everything:
            if method.outer is None:
                found.setdefault(method.name, method)
        return found

    @cached_property
    def _nested(self) -> dict[tuple[int, str], Method]:
        found: dict[tuple[int, str], Method] = {}
        for method in self.everything:
            if method.outer is not None:
                found.setdefault((id(method.outer), method.name), method)
        return found

    @cached_property
    def _calls(self) -> dict[int, list[Method]]:
        """The own functions that each function runs, by its id: those that it calls, and properties that it reads."""
        properties = {m.name for m in self.everything if m.outer is None and m.is_property}
        found = {
            id(m): [inner for call in m.calls if (inner := self.own_method(call, m)) is not None]
            for m in self.everything
        }
        for method in self.everything if properties else ():
            read = (self._by_name.get(name) for e in method.exprs() if (name := _own_name(e, method)) in properties)
            found[id(method)] += [inner for inner in read if inner is not None and inner is not method]
        return found

    @cached_property
    def _by_code(self) -> dict[int, Method]:
        return {id(m.code): m for m in reversed(self.everything)}

    @cached_property
    def _sites(self) -> dict[int, list[tuple[code.Call, Method]]]:
        found: dict[int, list[tuple[code.Call, Method]]] = {}
        for caller in self.everything:
            for call in caller.calls:
                inner = self.own_method(call, caller)
                if inner is not None:
                    found.setdefault(id(inner), []).append((call, caller))
        return found

    def sites(self, method: Method) -> Sequence[tuple[code.Call, Method]]:
        """The calls of an own function by the actor's functions, each with the function around it."""
        return self._sites.get(id(method), ())

    @cached_property
    def _callers(self) -> dict[int, list[Method]]:
        found: dict[int, list[Method]] = {}
        for method in self.everything:
            for inner in {id(i): i for i in self._calls[id(method)]}.values():
                found.setdefault(id(inner), []).append(method)
        return found

    def nested(self, name: str, method: Method) -> Method | None:
        """The function of that name that is defined in ``method``."""
        return self._nested.get((id(method), name))

    def method(self, name: str) -> Method | None:
        """The function that a call of ``self.name()`` runs."""
        return self._by_name.get(name)

    def own_method(self, call: code.Call, method: Method) -> Method | None:
        """The own function that ``call`` runs: ``self.f()``, ``f = self.f; f()``, ``super().f()``, nested ones."""
        return self._meant(call.func, method)

    def named(self, expr: code.Expr | None, method: Method) -> Method | None:
        """The own function that an expression in ``method`` stands for without running it.

        ``self.f``, ``f = self.f`` and then ``f``, a nested function, ``super().f``, ``Cls.f``, ``partial(self.f, 1)``,
        ``lambda: self.f(1)``.
        """
        if isinstance(expr, code.Call):
            name = method.qualname(expr.func) or code.dotted(expr.func)
            return self.named(expr.positional(0), method) if name.rpartition(".")[2] == "partial" else None
        if isinstance(expr, code.Lambda):
            return self.own_method(expr.body, method) if isinstance(expr.body, code.Call) else None
        found = self._meant(expr, method)
        if found is None and isinstance(expr, code.Attr) and method.qualname(expr.base) == self.qualname:
            return self._by_name.get(expr.name)
        return found

    def named_or_called(self, expr: code.Expr | None, method: Method) -> Method | None:
        """As :meth:`named`, and also the one whose call ``expr`` is: ``create_task(self.f())`` is given what runs."""
        found = self.own_method(expr, method) if isinstance(expr, code.Call) else None
        return found or self.named(expr, method)

    def _meant(self, expr: code.Expr | None, method: Method) -> Method | None:
        """The own function behind a plain name or attribute."""
        if isinstance(expr, code.Name):
            of_module = expr.id if self.form == "module" and not method.is_local(expr.id) else ""
            return self._nested.get((id(method), expr.id)) or self._by_name.get(of_module or method.own_attribute(expr))
        if not isinstance(expr, code.Attr):
            return None
        base = expr.base
        if isinstance(base, code.Name) and base.id == method.self_name and method.self_name:
            return self._by_name.get(expr.name)
        if isinstance(base, code.Call) and code.dotted(base.func) == "super":
            return next((m for m in self.everything if m.name == expr.name and m.code is not method.code), None)
        return None

    def inlined(self, call: code.Call, function: code.Function) -> code.Function | None:
        """The own function that ``call`` runs at once, for :class:`~otplint.facts.flow.Flow`."""
        method = self.method_of(function)
        found = self.own_method(call, method) if method is not None else None
        if found is None or method is None:
            return None
        if found.code.is_async and not isinstance(method.parent(call), code.Await):
            return None
        return found.code

    def method_of(self, function: code.Function) -> Method | None:
        """The method whose code is ``function``."""
        return self._by_code.get(id(function))

    # -- events

    def events(self, *roles: str, inherited: bool = False) -> list[Event]:
        """The calls of these roles in the actor's own functions, in order; on request those of its bases too."""
        methods = self.everything if inherited else self.methods
        return [e for m in methods for e in m.events if e.role in roles]

    def reached(self, *methods: Method) -> list[Method]:
        """``methods`` and the own functions that they call, directly or not."""
        found, stack = {id(m): m for m in methods}, [*methods]
        while stack:
            for inner in self._calls.get(id(stack.pop()), ()):
                if id(inner) not in found:
                    found[id(inner)] = inner
                    stack.append(inner)
        return [*found.values()]

    @cached_property
    def working(self) -> tuple[Method, ...]:
        """The own functions that run while the actor does its work.

        Left out: what only stopping reaches and special methods such as ``__del__``; where a loop is all that makes
        the actor (a thread, a drained queue), also whatever the loop does not reach, for that runs elsewhere.
        """
        kind = self.kind
        takes_messages = bool(kind.handlers or kind.public_methods or kind.handler_decorators)
        alive = (Role.HANDLER, Role.LOOP, Role.START) if takes_messages else (Role.HANDLER, Role.LOOP)
        working = {id(m) for m in self.reached(*[m for m in self.everything if m.role in alive and not m.stops])}
        if takes_messages:
            stopping = {id(m) for m in self.reached(*[m for m in self.everything if m.stops])}
            working |= {id(m) for m in self.everything if id(m) not in stopping}
        return tuple(
            m
            for m in self.methods
            if id(m) in working and not m.stops and (m.role is not Role.HELPER or not _is_special(m.name))
        )

    @cached_property
    def ending(self) -> tuple[Method, ...]:
        """The own functions that only stopping runs."""
        stopping = {id(m) for m in self.reached(*[m for m in self.everything if m.stops])}
        stopping -= {id(m) for m in self.working}
        return tuple(m for m in self.methods if id(m) in stopping)

    @cached_property
    def life(self) -> tuple[Method, ...]:
        """The own functions that run in the actor's life: when it starts, works or stops.

        Where a loop is all that makes the actor, the rest of its class is an ordinary object that others use.
        """
        kind = self.kind
        if not self.is_actor or kind.handlers or kind.public_methods or kind.handler_decorators:
            return self.methods
        roles = (Role.LOOP, Role.HANDLER, Role.START, Role.STOP)
        living = {id(m) for m in self.reached(*[m for m in self.everything if m.role in roles])}
        return tuple(m for m in self.methods if id(m) in living or id(m.outer) in living)

    def callers(self, method: Method) -> list[Method]:
        """The own functions that call ``method`` directly."""
        return [*self._callers.get(id(method), ())]

    # -- state

    def assigned(self, attribute: str) -> Iterator[tuple[code.Expr | None, code.Expr | None, Method]]:
        """Value and annotation of each place where the attribute is made."""
        for declared in self.declared(attribute):
            yield declared.value, declared.annotation, self.class_body
        for stmt, value, method in self._made.get(attribute, ()):
            yield value, stmt.annotation if isinstance(stmt, code.Assign) else None, method

    def declared(self, attribute: str) -> Sequence[code.Assign]:
        """The assignments of a name in the class's own body."""
        return self._of_class.get(attribute, ())

    @cached_property
    def _of_class(self) -> dict[str, list[code.Assign]]:
        """The assignments of each name in the class itself."""
        found: dict[str, list[code.Assign]] = {}
        for stmt in self.node.body if isinstance(self.node, code.Class) else ():
            if isinstance(stmt, code.Assign):
                for name in dict.fromkeys(t.id for t in stmt.targets if isinstance(t, code.Name)):
                    found.setdefault(name, []).append(stmt)
        return found

    @cached_property
    def _made(self) -> dict[str, list[tuple[code.Stmt, code.Expr | None, Method]]]:
        """The assignments of each attribute in the functions, each with its value, in order."""
        found: dict[str, list[tuple[code.Stmt, code.Expr | None, Method]]] = {}
        for name, made, part, method in passed_state.made(self):
            found.setdefault(name, []).append((made, part, method))
        for method in self.everything:
            for stmt in method.statements:
                if isinstance(stmt, code.Assign):
                    for part, value in (pair for t in stmt.targets for pair in self._pairs(t, stmt.value, method)):
                        if isinstance(part, code.Attr) and (attribute := method.own_attribute(part)):
                            found.setdefault(attribute, []).append((stmt, value, method))
        return found

    def _pairs(
        self, target: code.Expr, value: code.Expr | None, method: Method
    ) -> Iterator[tuple[code.Expr, code.Expr | None]]:
        """The single targets of an assignment with their values; those of a call whose parts are known as well."""
        parts = self.values.parts_of(value, method) if isinstance(target, code.Seq) else ()
        if value is not None and isinstance(target, code.Seq) and len(parts) == len(target.items):
            yield from ((item, part_of(value, i)) for i, item in enumerate(target.items))
        else:
            yield from paired(target, value)

    def assignments(self, attribute: str) -> Iterator[tuple[code.Stmt, code.Expr, Method]]:
        """Statement and value of each plain assignment of the attribute, class level included."""
        for stmt, given in self._class_assignments:
            for target in stmt.targets:
                if (value := matched(target, given, attribute)) is not None:
                    yield stmt, value, self.class_body
        for made, value, method in self._made.get(attribute, ()):
            if value is not None:
                yield made, value, method

    @cached_property
    def _class_assignments(self) -> list[tuple[code.Assign, code.Expr]]:
        body = self.node.body if isinstance(self.node, code.Class) else ()
        return [(stmt, stmt.value) for stmt in body if isinstance(stmt, code.Assign) and stmt.value is not None]

    @cached_property
    def class_body(self) -> Method:
        """The statements of the class itself, as a function without parameters."""
        body = self.node.body if isinstance(self.node, code.Class) else ()
        start, end = (self.node.start, self.node.end) if self.node is not None else (0, 0)
        plain = tuple(s for s in body if not isinstance(s, (code.Function, code.Class)))
        function = code.Function(start, end, "", (), (), plain, False, None)
        return Method(self, function, self.source, Role.SETUP, "")

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """Every use of the actor's own attributes, in its own and inherited functions."""
        return tuple(use for found in self._uses_by_method.values() for use in found)

    def uses_in(self, method: Method) -> tuple[Use, ...]:
        """Those in one of its functions."""
        return self._uses_by_method.get(id(method), ())

    @cached_property
    def _uses_by_method(self) -> dict[int, tuple[Use, ...]]:
        return {id(method): tuple(uses(method)) for method in self.everything}

    def uses_of(self, attribute: str) -> list[Use]:
        """The uses of one attribute."""
        return [*self._uses_by_name.get(attribute, ())]

    @cached_property
    def _uses_by_name(self) -> dict[str, list[Use]]:
        found: dict[str, list[Use]] = {}
        for use in self.uses:
            found.setdefault(use.attribute, []).append(use)
        return found

    def inner(self, method: Method) -> tuple[Method, ...]:
        """The functions that are defined in one of its functions."""
        return tuple(self._inner.get(id(method), ()))

    @cached_property
    def _inner(self) -> dict[int, list[Method]]:
        found: dict[int, list[Method]] = {}
        for method in self.everything:
            if method.outer is not None:
                found.setdefault(id(method.outer), []).append(method)
        return found

    def ancestors(self) -> list[Actor]:
        """The actors that this one derives from, nearest first."""
        return self.facts.ancestors(self)

    def subclasses(self) -> list[Actor]:
        """The actors of the scan that derive from this one."""
        return self.facts.subclasses(self)


def _own_name(expr: code.Expr, method: Method) -> str:
    """``name`` for ``self.name``."""
    if isinstance(expr, code.Attr) and isinstance(expr.base, code.Name) and expr.base.id == method.self_name:
        return expr.name
    return ""


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name not in ("__init__", "__call__")
