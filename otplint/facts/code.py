"""The plain code model: what a region of source says, as named tuples.

LibCST trees are turned into these records once (:mod:`otplint.facts.build`) and then dropped, so that facts can be
cached, pickled and compared. ``start`` and ``end`` are character offsets into the file's decoded text; those of a
function, class or ``except`` clause are of the smallest telling part (the name, the clause's header).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias, Union


class Name(NamedTuple):
    start: int
    end: int
    id: str


class Attr(NamedTuple):
    start: int
    end: int
    base: Expr
    name: str


class Sub(NamedTuple):
    start: int
    end: int
    base: Expr
    key: Expr


class Const(NamedTuple):
    """A literal; ``value`` is ``None`` for ``None``, ``Ellipsis`` for ``...``."""

    start: int
    end: int
    value: object


class Arg(NamedTuple):
    """One argument: ``name`` of a keyword argument, ``star`` one of ``""``, ``"*"``, ``"**"``."""

    name: str
    star: str
    value: Expr


class Call(NamedTuple):
    """A call; in a ``case`` pattern also a class pattern."""

    start: int
    end: int
    func: Expr
    args: tuple[Arg, ...]

    def keyword(self, name: str) -> Expr | None:
        """The value of keyword argument ``name``."""
        return next((a.value for a in self.args if a.name == name), None)

    def positional(self, position: int) -> Expr | None:
        """The value of the positional argument at ``position``; none once a ``*`` came before."""
        for i, arg in enumerate(self.args):
            if arg.star or arg.name:
                return None
            if i == position:
                return arg.value
        return None

    def argument(self, position: int, name: str) -> Expr | None:
        """The argument by keyword, else by position."""
        found = self.keyword(name)
        return found if found is not None else self.positional(position)


class Await(NamedTuple):
    start: int
    end: int
    value: Expr


class Yield(NamedTuple):
    start: int
    end: int
    value: Expr | None


class Unary(NamedTuple):
    start: int
    end: int
    op: str
    value: Expr


class Binary(NamedTuple):
    """``left op right``; alternatives of a ``case`` pattern use ``|``."""

    start: int
    end: int
    op: str
    left: Expr
    right: Expr


class Bool(NamedTuple):
    start: int
    end: int
    op: str
    parts: tuple[Expr, ...]


class Compare(NamedTuple):
    start: int
    end: int
    left: Expr
    ops: tuple[str, ...]
    rights: tuple[Expr, ...]


class Cond(NamedTuple):
    """``then if test else other``."""

    start: int
    end: int
    test: Expr
    then: Expr
    other: Expr


class Seq(NamedTuple):
    """A tuple, list or set display (``kind`` says which) or a sequence pattern."""

    start: int
    end: int
    kind: str
    items: tuple[Expr, ...]


class Dict(NamedTuple):
    """A dict display; a key of ``None`` is a ``**`` entry."""

    start: int
    end: int
    items: tuple[tuple[Expr | None, Expr], ...]


class Lambda(NamedTuple):
    start: int
    end: int
    params: tuple[Param, ...]
    body: Expr


class Clause(NamedTuple):
    """``for target in iter if tests`` of a comprehension."""

    target: Expr
    iter: Expr
    tests: tuple[Expr, ...]


class Comp(NamedTuple):
    """A comprehension; ``kind`` is ``list``, ``set``, ``dict`` or ``generator``."""

    start: int
    end: int
    kind: str
    elements: tuple[Expr, ...]
    clauses: tuple[Clause, ...]


class Text(NamedTuple):
    """An f-string or t-string: its expressions and literal pieces."""

    start: int
    end: int
    parts: tuple[Expr, ...]


class Walrus(NamedTuple):
    """``target := value``; in a ``case`` pattern ``value as target``."""

    start: int
    end: int
    target: Name
    value: Expr


class Star(NamedTuple):
    start: int
    end: int
    value: Expr


class Slice(NamedTuple):
    start: int
    end: int
    parts: tuple[Expr, ...]


Expr: TypeAlias = Union[  # noqa: UP007 - forward references, as strings they would need quoting
    Name, Attr, Sub, Const, Call, Await, Yield, Unary, Binary, Bool, Compare, Cond, Seq, Dict, Lambda, Comp, Text,
    Walrus, Star, Slice,
]  # fmt: skip


class Param(NamedTuple):
    """A parameter; ``star`` is ``""``, ``"*"`` or ``"**"``."""

    name: str
    star: str
    default: Expr | None
    annotation: Expr | None


class Do(NamedTuple):
    """An expression statement."""

    start: int
    end: int
    value: Expr


class Assign(NamedTuple):
    """``targets = value``; ``value`` is ``None`` for a bare annotation."""

    start: int
    end: int
    targets: tuple[Expr, ...]
    value: Expr | None
    annotation: Expr | None


class Augment(NamedTuple):
    """``target op= value``."""

    start: int
    end: int
    target: Expr
    op: str
    value: Expr


class Delete(NamedTuple):
    start: int
    end: int
    targets: tuple[Expr, ...]


class Return(NamedTuple):
    start: int
    end: int
    value: Expr | None


class Raise(NamedTuple):
    start: int
    end: int
    error: Expr | None
    cause: Expr | None


class Break(NamedTuple):
    start: int
    end: int


class Continue(NamedTuple):
    start: int
    end: int


class Pass(NamedTuple):
    start: int
    end: int


class Assert(NamedTuple):
    start: int
    end: int
    test: Expr
    message: Expr | None


class Import(NamedTuple):
    """A local import: ``(local name, dotted target)`` pairs; relative targets keep their leading dots."""

    start: int
    end: int
    names: tuple[tuple[str, str], ...]


class Scope(NamedTuple):
    """``global`` or ``nonlocal``."""

    start: int
    end: int
    names: tuple[str, ...]


class If(NamedTuple):
    start: int
    end: int
    test: Expr
    body: Block
    orelse: Block


class While(NamedTuple):
    start: int
    end: int
    test: Expr
    body: Block
    orelse: Block


class For(NamedTuple):
    start: int
    end: int
    target: Expr
    iter: Expr
    body: Block
    orelse: Block
    is_async: bool


class Handler(NamedTuple):
    """An ``except`` clause; start and end are those of its header, without the colon."""

    start: int
    end: int
    type: Expr | None
    name: str
    body: Block


class Try(NamedTuple):
    start: int
    end: int
    body: Block
    handlers: tuple[Handler, ...]
    orelse: Block
    final: Block
    is_star: bool


class With(NamedTuple):
    start: int
    end: int
    items: tuple[tuple[Expr, Expr | None], ...]
    body: Block
    is_async: bool


class Case(NamedTuple):
    """A ``case`` block; the pattern is written with expression records."""

    start: int
    end: int
    pattern: Expr
    guard: Expr | None
    body: Block


class Match(NamedTuple):
    start: int
    end: int
    subject: Expr
    cases: tuple[Case, ...]


class Function(NamedTuple):
    """A function; start and end are those of its name."""

    start: int
    end: int
    name: str
    params: tuple[Param, ...]
    decorators: tuple[Expr, ...]
    body: Block
    is_async: bool
    returns: Expr | None


class Class(NamedTuple):
    """A class; start and end are those of its name."""

    start: int
    end: int
    name: str
    bases: tuple[Arg, ...]
    decorators: tuple[Expr, ...]
    body: Block


Stmt: TypeAlias = Union[  # noqa: UP007 - as for Expr
    Do, Assign, Augment, Delete, Return, Raise, Break, Continue, Pass, Assert, Import, Scope, If, While, For, Try,
    With, Match, Function, Class,
]  # fmt: skip
STATEMENTS = (
    Do, Assign, Augment, Delete, Return, Raise, Break, Continue, Pass, Assert, Import, Scope, If, While, For, Try,
    With, Match, Function, Class,
)  # fmt: skip
"""The kinds of statements, for ``isinstance``."""
Block: TypeAlias = tuple[Stmt, ...]
Node: TypeAlias = Union[Expr, Stmt, Handler, Case]  # noqa: UP007 - as for Expr


def dotted(expr: Expr | None) -> str:
    """``a.b.c`` for a chain of names, the empty string for anything else."""
    parts: list[str] = []
    while isinstance(expr, Attr):
        parts.append(expr.name)
        expr = expr.base
    if not isinstance(expr, Name):
        return ""
    parts.append(expr.id)
    return ".".join(reversed(parts))


def same(a: object, b: object) -> bool:
    """True where two nodes say the same, wherever they stand."""
    if type(a) is not type(b):
        return False
    if isinstance(a, tuple) and isinstance(b, tuple):
        skip = 2 if "start" in getattr(a, "_fields", ()) else 0
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a[skip:], b[skip:], strict=True))
    return a == b


def parts(expr: Expr) -> tuple[Expr, ...]:
    """The direct sub-expressions in order of evaluation; a lambda's body is not evaluated here."""
    match expr:
        case Attr(base=base):
            return (base,)
        case Sub(base=base, key=key):
            return (base, key)
        case Call(func=func, args=args):
            return (func, *[a.value for a in args])
        case Await(value=value) | Unary(value=value) | Star(value=value):
            return (value,)
        case Yield(value=value):
            return () if value is None else (value,)
        case Binary(left=left, right=right):
            return (left, right)
        case Bool(parts=items) | Text(parts=items) | Slice(parts=items) | Seq(items=items):
            return items
        case Compare(left=left, rights=rights):
            return (left, *rights)
        case Cond(test=test, then=then, other=other):
            return (test, then, other)
        case Dict(items=entries):
            return tuple(e for pair in entries for e in pair if e is not None)
        case Comp(elements=elements, clauses=clauses):
            return (*[e for c in clauses for e in (c.iter, c.target, *c.tests)], *elements)
        case Walrus(target=target, value=value):
            return (value, target)
    return ()


def walk(expr: Expr | None, *, lambdas: bool = False) -> Iterator[Expr]:
    """The expression and all below it, outermost first; lambda bodies only on request."""
    stack = [] if expr is None else [expr]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, Lambda):
            if lambdas:
                stack.append(node.body)
        else:
            stack.extend(reversed(parts(node)))


def expressions(stmt: Stmt) -> tuple[Expr, ...]:
    """The expressions that the statement itself evaluates (headers only), in order of evaluation."""
    match stmt:
        case Do(value=value):
            return (value,)
        case Assign(targets=targets, value=value):
            return targets if value is None else (value, *targets)
        case Augment(target=target, value=value):
            return (target, value)
        case Delete(targets=targets):
            return targets
        case Return(value=value):
            return () if value is None else (value,)
        case Raise(error=error, cause=cause):
            return tuple(e for e in (error, cause) if e is not None)
        case Assert(test=test, message=message):
            return (test,) if message is None else (test, message)
        case If(test=test) | While(test=test):
            return (test,)
        case For(target=target, iter=source):
            return (source, target)
        case With(items=items):
            return tuple(e for pair in items for e in pair if e is not None)
        case Match(subject=subject):
            return (subject,)
        case Function(params=params, decorators=decorators):
            return (*decorators, *[p.default for p in params if p.default is not None])
        case Class(bases=bases, decorators=decorators):
            return (*decorators, *[b.value for b in bases])
    return ()


def blocks(stmt: Stmt) -> tuple[Block, ...]:
    """The nested blocks of a compound statement in source order; none for functions and classes."""
    match stmt:
        case If(body=body, orelse=orelse) | While(body=body, orelse=orelse) | For(body=body, orelse=orelse):
            return (body, orelse)
        case Try(body=body, handlers=handlers, orelse=orelse, final=final):
            return (body, *[h.body for h in handlers], orelse, final)
        case With(body=body):
            return (body,)
        case Match(cases=cases):
            return tuple(c.body for c in cases)
    return ()


def statements(block: Block, *, nested: bool = False) -> Iterator[Stmt]:
    """All statements under ``block`` in source order; those of nested functions only on request."""
    stack = list(reversed(block))
    while stack:
        stmt = stack.pop()
        yield stmt
        if isinstance(stmt, (Function, Class)):
            if nested:
                stack.extend(reversed(stmt.body))
            continue
        for inner in reversed(blocks(stmt)):
            stack.extend(reversed(inner))


def calls(block: Block, *, nested: bool = False) -> Iterator[Call]:
    """Every call written under ``block`` in source order."""
    for stmt in statements(block, nested=nested):
        heads = [*expressions(stmt)]
        if isinstance(stmt, Match):
            heads += [c.guard for c in stmt.cases if c.guard is not None]
        for head in heads:
            for node in walk(head, lambdas=nested):
                if isinstance(node, Call):
                    yield node
