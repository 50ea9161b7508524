"""The records of the code model: what a region of source says, as named tuples.

Read them through :mod:`otplint.facts.code`, which adds the questions one asks of them.
"""

from __future__ import annotations

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
