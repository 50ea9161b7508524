"""Which of the actor's fields each way into it reads and writes, through its own helpers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otplint.facts.methods import Role
from otplint.facts.queries.messaging.entries import Entry, entries
from otplint.facts.queries.slices import bindings
from otplint.facts.syntax import code
from otplint.facts.uses import changes_container

if TYPE_CHECKING:
    from otplint.facts.actors import Actor, Use
    from otplint.facts.methods import Method

_READS = ("read", "lookup", "test")
_FILLS = ("insert", "append", "prepend")
_FIRST_ARGUMENT = ("heapq.", "bisect.insort")
"""Functions that change the container that they are given first."""


@dataclass(frozen=True)
class Access:
    """One use of a field of the actor."""

    field: str
    kind: str
    """As in :class:`~otplint.facts.actors.Use`; ``change`` for what an object in the field is told to do."""
    resets: bool
    """True where it only goes back to where it began."""
    node: code.Node
    method: Method

    @property
    def writes(self) -> bool:
        """True where the field is another one afterwards."""
        return self.kind not in _READS


@dataclass(frozen=True)
class Touched:
    """One way into the actor and what it does to the state."""

    entry: Entry
    accesses: tuple[Access, ...]
    methods: tuple[Method, ...]
    """The own helpers that take part."""

    @property
    def fields(self) -> frozenset[str]:
        """All fields that it uses."""
        return frozenset(a.field for a in self.accesses)

    @property
    def written(self) -> frozenset[str]:
        """Those that it changes, resets included."""
        return frozenset(a.field for a in self.accesses if a.writes)

    @property
    def changes(self) -> bool:
        """True where it does more than read, and put fields back to where they began."""
        return any(a.writes and not a.resets for a in self.accesses)


class Accesses:
    """Answers for one actor: what its functions, and parts of them, do to its fields."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self._names = {m.name: m for m in reversed(actor.everything) if m.outer is None}
        self._uses: dict[int, list[Use]] = {}
        for use in actor.uses:
            self._uses.setdefault(id(use.method.code), []).append(use)
        self._deep = self._state_objects()
        self._direct: dict[int, tuple[Access, ...]] = {}

    def touched(self) -> tuple[Touched, ...]:
        """The ways into the actor that one function or branch is for."""
        found = entries(self.actor)
        doors = {id(entry.method.code) for entry in found if entry.node is not entry.method.code}
        return tuple(self._touched(part, doors) for entry in found for part in self._rounds(entry))

    def _rounds(self, entry: Entry) -> list[Entry]:
        """What only does one thing after the other (a timer's tick) is taken apart."""
        helpers = []
        for stmt in entry.body:
            value = stmt.value if isinstance(stmt, code.Do) else None
            value = value.value if isinstance(value, code.Await) else value
            if isinstance(value, code.Const):
                continue
            if not isinstance(value, code.Call):
                return [entry]
            helper = self.actor.own_method(value, entry.method)
            event = entry.method.event(value)
            if helper is not None and not value.args:
                helpers.append(helper)
            elif event is None or event.role not in ("send", "cast", "timer", "log", "reply"):
                return [entry]
        if len(helpers) < 2:
            return [entry]
        return [Entry(h.name, h, h.code, h.body) for h in helpers]

    def _touched(self, entry: Entry, doors: set[int]) -> Touched:
        inside = {id(stmt) for stmt in code.statements(entry.body)}
        within = [a for a in self.direct(entry.method) if self._stands_in(a, inside)]
        helpers = self._helpers(entry, doors)
        accesses = [*within, *[a for h in helpers for a in self.direct(h)]]
        return Touched(entry, tuple(accesses), tuple(helpers))

    def _stands_in(self, access: Access, inside: set[int]) -> bool:
        return id(access.method.statement(access.node)) in inside

    def _helpers(self, entry: Entry, doors: set[int]) -> list[Method]:
        """The own functions that run for this entry, those that it hands on as callbacks included."""
        found: list[Method] = []
        stack = list(self._named(_expressions(code.statements(entry.body)), entry.method))
        while stack:
            method = stack.pop()
            if method in found or id(method.code) in doors or method.code is entry.node:
                continue
            found.append(method)
            stack += self._named(method.exprs(), method)
        return found

    def _named(self, exprs: Iterable[code.Expr], method: Method) -> Iterator[Method]:
        """The own functions that expressions call or name; the values of tables are ways in of their own."""
        exprs = list(exprs)
        tabled = {id(v) for e in exprs if isinstance(e, code.Dict) for _, v in e.items}
        for expr in exprs:
            found: Method | None = None
            if isinstance(expr, code.Call):
                found = self.actor.own_method(expr, method)
            elif isinstance(expr, code.Attr) and id(expr) not in tabled:
                own = method.own_attribute(expr)
                found = self._names.get(own) if own else None
            elif isinstance(expr, code.Name):
                found = self.actor.nested(expr.id, method)
            if found is not None:
                yield found

    # -- uses

    def direct(self, method: Method) -> tuple[Access, ...]:
        """The uses that are written in one function."""
        found = self._direct.get(id(method.code))
        if found is None:
            found = self._direct[id(method.code)] = tuple(self._accesses(method))
        return found

    def _accesses(self, method: Method) -> Iterator[Access]:
        for use in self._uses.get(id(method.code), ()):
            field = self.field(use.attribute)
            if field:
                yield Access(field, self._kind(use), self._resets(use), use.node, method)
        for expr in method.exprs():
            if isinstance(expr, code.Call):
                yield from self._told(expr, method)
        for stmt in method.statements:
            targets: tuple[code.Expr, ...] = ()
            if isinstance(stmt, code.Assign | code.Delete):
                targets = stmt.targets
            elif isinstance(stmt, code.Augment):
                targets = (stmt.target,)
            for target in targets:
                if isinstance(target, (code.Attr, code.Sub)):
                    for field in self._behind(target.base, method):
                        yield Access(field, "update", False, stmt, method)

    def _kind(self, use: Use) -> str:
        """What a use does; a function such as ``heapq.heappush`` changes what it is given."""
        parent = use.method.parent(use.node)
        given = use.kind == "read" and isinstance(parent, code.Call) and parent.positional(0) is use.node
        if given and isinstance(parent, code.Call) and use.method.qualname(parent.func).startswith(_FIRST_ARGUMENT):
            return "insert"
        return use.kind

    def _told(self, call: code.Call, method: Method) -> Iterator[Access]:
        """``self.driver.close()``, and ``workflow.advance()`` where the workflow comes out of a field."""
        if not isinstance(call.func, code.Attr):
            return
        event = method.event(call)
        own = method.own_attribute(call.func.base)
        if event is not None:
            if own and event.role in ("put", "take"):
                yield Access(self.field(own), "append" if event.role == "put" else "remove", False, call, method)
            return
        up = method.parent(call)
        if isinstance(up, code.Await):
            up = method.parent(up)
        if not isinstance(up, code.Do):
            return
        if own and self.field(own) and self.actor.own_method(call, method) is None:
            if not any(use.node is call for use in self._uses.get(id(method.code), ())):
                yield Access(self.field(own), "change", False, call, method)
        elif not own:
            kind = changes_container(call.func.name)  # self.jobs[key].append(job): the table is another one afterwards
            for field in self._behind(call.func.base, method):
                yield Access(field, kind or "change", False, call, method)

    def _behind(self, expr: code.Expr, method: Method, depth: int = 0) -> Iterator[str]:
        """The fields that an object comes out of: ``self.jobs[key]``, or a local that was looked up there."""
        if depth > 4:
            return
        inner = expr
        if isinstance(inner, code.Await):
            inner = inner.value
        own = method.own_attribute(inner)
        if own:
            if depth and self.field(own):
                yield self.field(own)
            return
        match inner:
            case code.Sub(base=base) | code.Attr(base=base) | code.Call(func=code.Attr(base=base)):
                yield from self._behind(base, method, depth + 1)
            case code.Name(id=name) if method.is_local(name):
                for value in bindings(name, method):
                    if isinstance(value, (code.Sub, code.Call, code.Attr, code.Name)):
                        yield from self._behind(value, method, depth + 1)

    def _resets(self, use: Use) -> bool:
        """True where the use only puts the field back to where it began."""
        if use.kind == "clear":
            return True
        if use.kind != "write" or use.value is None:
            return False
        value = use.value
        if isinstance(value, code.Const):
            return value.value in (None, False, 0, 0.0, "")
        if isinstance(value, (code.Dict, code.Seq)) and not value.items:
            return True
        began = (v for _, v, m in self.actor.assignments(use.attribute) if m.role is Role.START)
        return any(code.same(value, v) for v in began)

    # -- names of fields

    def field(self, attribute: str) -> str:
        """The field that an attribute belongs to; empty for functions and for the whole of an object of fields."""
        first, _, rest = attribute.partition(".")
        if first in self._names:
            return ""
        if first in self._deep:
            return f"{first}.{rest.partition('.')[0]}" if rest else ""
        return first

    def _state_objects(self) -> frozenset[str]:
        """Attributes that hold the fields in turn: ``self.state.jobs`` and ``self.state.peers`` are two fields."""
        below: dict[str, set[str]] = {}
        for use in self.actor.uses:
            first, _, rest = use.attribute.partition(".")
            if rest and use.kind not in _READS:
                below.setdefault(first, set()).add(rest.partition(".")[0])
        return frozenset(first for first, names in below.items() if len(names) > 1)


def _expressions(block: Iterable[code.Stmt]) -> Iterator[code.Expr]:
    for stmt in block:
        heads = [*code.expressions(stmt)]
        if isinstance(stmt, code.Match):
            heads += [c.guard for c in stmt.cases if c.guard is not None]
        for head in heads:
            yield from code.walk(head, lambdas=True)
