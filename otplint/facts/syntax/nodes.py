"""The records of the code model, one for each kind of syntax node.

Read them through :mod:`otplint.facts.syntax.code`, which adds the questions one asks of them. Nobody changes them: they
are not declared frozen because that makes each three times as slow to build, and a scan builds some hundred thousand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, Union


@dataclass(slots=True, eq=False)
class Name:
    start: int
    end: int
    id: str


@dataclass(slots=True, eq=False)
class Attr:
    start: int
    end: int
    base: Expr
    name: str


@dataclass(slots=True, eq=False)
class Sub:
    start: int
    end: int
    base: Expr
    key: Expr


@dataclass(slots=True, eq=False)
class Const:
    """A literal; ``value`` is ``None`` for ``None``, ``Ellipsis`` for ``...``."""

    start: int
    end: int
    value: object


@dataclass(slots=True, eq=False)
class Arg:
    """One argument: ``name`` of a keyword argument, ``star`` one of ``""``, ``"*"``, ``"**"``."""

    name: str
    star: str
    value: Expr


@dataclass(slots=True, eq=False)
class Call:
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


@dataclass(slots=True, eq=False)
class Await:
    start: int
    end: int
    value: Expr


@dataclass(slots=True, eq=False)
class Yield:
    start: int
    end: int
    value: Expr | None


@dataclass(slots=True, eq=False)
class Unary:
    start: int
    end: int
    op: str
    value: Expr


@dataclass(slots=True, eq=False)
class Binary:
    """``left op right``; alternatives of a ``case`` pattern use ``|``."""

    start: int
    end: int
    op: str
    left: Expr
    right: Expr


@dataclass(slots=True, eq=False)
class Bool:
    start: int
    end: int
    op: str
    parts: tuple[Expr, ...]


@dataclass(slots=True, eq=False)
class Compare:
    start: int
    end: int
    left: Expr
    ops: tuple[str, ...]
    rights: tuple[Expr, ...]


@dataclass(slots=True, eq=False)
class Cond:
    """``then if test else other``."""

    start: int
    end: int
    test: Expr
    then: Expr
    other: Expr


@dataclass(slots=True, eq=False)
class Seq:
    """A tuple, list or set display (``kind`` says which) or a sequence pattern."""

    start: int
    end: int
    kind: str
    items: tuple[Expr, ...]


@dataclass(slots=True, eq=False)
class Dict:
    """A dict display; a key of ``None`` is a ``**`` entry."""

    start: int
    end: int
    items: tuple[tuple[Expr | None, Expr], ...]


@dataclass(slots=True, eq=False)
class Lambda:
    start: int
    end: int
    params: tuple[Param, ...]
    body: Expr


@dataclass(slots=True, eq=False)
class Clause:
    """``for target in iter if tests`` of a comprehension."""

    target: Expr
    iter: Expr
    tests: tuple[Expr, ...]


@dataclass(slots=True, eq=False)
class Comp:
    """A comprehension; ``kind`` is ``list``, ``set``, ``dict`` or ``generator``."""

    start: int
    end: int
    kind: str
    elements: tuple[Expr, ...]
    clauses: tuple[Clause, ...]


@dataclass(slots=True, eq=False)
class Text:
    """An f-string or t-string: its expressions and literal pieces."""

    start: int
    end: int
    parts: tuple[Expr, ...]


@dataclass(slots=True, eq=False)
class Walrus:
    """``target := value``; in a ``case`` pattern ``value as target``."""

    start: int
    end: int
    target: Name
    value: Expr


@dataclass(slots=True, eq=False)
class Star:
    start: int
    end: int
    value: Expr


@dataclass(slots=True, eq=False)
class Slice:
    start: int
    end: int
    parts: tuple[Expr, ...]


Expr: TypeAlias = Union[  # noqa: UP007 - forward references, as strings they would need quoting
    Name, Attr, Sub, Const, Call, Await, Yield, Unary, Binary, Bool, Compare, Cond, Seq, Dict, Lambda, Comp, Text,
    Walrus, Star, Slice,
]  # fmt: skip


@dataclass(slots=True, eq=False)
class Param:
    """A parameter; ``star`` is ``""``, ``"*"`` or ``"**"``."""

    name: str
    star: str
    default: Expr | None
    annotation: Expr | None


@dataclass(slots=True, eq=False)
class Do:
    """An expression statement."""

    start: int
    end: int
    value: Expr


@dataclass(slots=True, eq=False)
class Assign:
    """``targets = value``; ``value`` is ``None`` for a bare annotation."""

    start: int
    end: int
    targets: tuple[Expr, ...]
    value: Expr | None
    annotation: Expr | None


@dataclass(slots=True, eq=False)
class Augment:
    """``target op= value``."""

    start: int
    end: int
    target: Expr
    op: str
    value: Expr


@dataclass(slots=True, eq=False)
class Delete:
    start: int
    end: int
    targets: tuple[Expr, ...]


@dataclass(slots=True, eq=False)
class Return:
    start: int
    end: int
    value: Expr | None


@dataclass(slots=True, eq=False)
class Raise:
    start: int
    end: int
    error: Expr | None
    cause: Expr | None


@dataclass(slots=True, eq=False)
class Break:
    start: int
    end: int


@dataclass(slots=True, eq=False)
class Continue:
    start: int
    end: int


@dataclass(slots=True, eq=False)
class Pass:
    start: int
    end: int


@dataclass(slots=True, eq=False)
class Assert:
    start: int
    end: int
    test: Expr
    message: Expr | None


@dataclass(slots=True, eq=False)
class Import:
    """A local import: ``(local name, dotted target)`` pairs; relative targets keep their leading dots."""

    start: int
    end: int
    names: tuple[tuple[str, str], ...]


@dataclass(slots=True, eq=False)
class Scope:
    """``global`` or ``nonlocal``."""

    start: int
    end: int
    names: tuple[str, ...]


@dataclass(slots=True, eq=False)
class If:
    start: int
    end: int
    test: Expr
    body: Block
    orelse: Block


@dataclass(slots=True, eq=False)
class While:
    start: int
    end: int
    test: Expr
    body: Block
    orelse: Block


@dataclass(slots=True, eq=False)
class For:
    start: int
    end: int
    target: Expr
    iter: Expr
    body: Block
    orelse: Block
    is_async: bool


@dataclass(slots=True, eq=False)
class Handler:
    """An ``except`` clause; start and end are those of its header, without the colon."""

    start: int
    end: int
    type: Expr | None
    name: str
    body: Block


@dataclass(slots=True, eq=False)
class Try:
    start: int
    end: int
    body: Block
    handlers: tuple[Handler, ...]
    orelse: Block
    final: Block
    is_star: bool


@dataclass(slots=True, eq=False)
class With:
    start: int
    end: int
    items: tuple[tuple[Expr, Expr | None], ...]
    body: Block
    is_async: bool


@dataclass(slots=True, eq=False)
class Case:
    """A ``case`` block; the pattern is written with expression records."""

    start: int
    end: int
    pattern: Expr
    guard: Expr | None
    body: Block


@dataclass(slots=True, eq=False)
class Match:
    start: int
    end: int
    subject: Expr
    cases: tuple[Case, ...]


@dataclass(slots=True, eq=False)
class Function:
    """A function; start and end are those of its name."""

    start: int
    end: int
    name: str
    params: tuple[Param, ...]
    decorators: tuple[Expr, ...]
    body: Block
    is_async: bool
    returns: Expr | None


@dataclass(slots=True, eq=False)
class Class:
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
