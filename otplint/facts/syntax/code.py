"""The plain code model: what a region of source says, as frozen records.

LibCST trees are turned into these records once (:mod:`otplint.facts.syntax.build`) and then dropped, so that facts
can be cached and pickled; :func:`same` compares what they say. ``start`` and ``end`` are character offsets into the
file's decoded text; those of a function, class or ``except`` clause are of the smallest telling part (the name, the
clause's header).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from otplint.facts.syntax.nodes import (
    STATEMENTS,
    Arg,
    Assert,
    Assign,
    Attr,
    Augment,
    Await,
    Binary,
    Block,
    Bool,
    Break,
    Call,
    Case,
    Class,
    Clause,
    Comp,
    Compare,
    Cond,
    Const,
    Continue,
    Delete,
    Dict,
    Do,
    Expr,
    For,
    Function,
    Handler,
    If,
    Import,
    Lambda,
    Match,
    Name,
    Node,
    Param,
    Pass,
    Raise,
    Return,
    Scope,
    Seq,
    Slice,
    Star,
    Stmt,
    Sub,
    Text,
    Try,
    Unary,
    Walrus,
    While,
    With,
    Yield,
)

__all__ = [
    "STATEMENTS",
    "Arg",
    "Assert",
    "Assign",
    "Attr",
    "Augment",
    "Await",
    "Binary",
    "Block",
    "Bool",
    "Break",
    "Call",
    "Case",
    "Class",
    "Clause",
    "Comp",
    "Compare",
    "Cond",
    "Const",
    "Continue",
    "Delete",
    "Dict",
    "Do",
    "Expr",
    "For",
    "Function",
    "Handler",
    "If",
    "Import",
    "Lambda",
    "Match",
    "Name",
    "Node",
    "Param",
    "Pass",
    "Raise",
    "Return",
    "Scope",
    "Seq",
    "Slice",
    "Star",
    "Stmt",
    "Sub",
    "Text",
    "Try",
    "Unary",
    "Walrus",
    "While",
    "With",
    "Yield",
    "blocks",
    "calls",
    "dotted",
    "expressions",
    "parts",
    "same",
    "statements",
    "walk",
]


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
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if not dataclasses.is_dataclass(a):
        return a == b
    return all(same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a) if f.name not in _PLACE)


_PLACE = ("start", "end")


def parts(expr: Expr) -> tuple[Expr, ...]:
    """The direct sub-expressions in order of evaluation; a lambda's body is not evaluated here."""
    found = _PARTS.get(type(expr))
    return () if found is None else found(expr)


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
    found = _HEADS.get(type(stmt))
    return () if found is None else found(stmt)


def blocks(stmt: Stmt) -> tuple[Block, ...]:
    """The nested blocks of a compound statement in source order; none for functions and classes."""
    found = _BLOCKS.get(type(stmt))
    return () if found is None else found(stmt)


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


def _given(*values: Expr | None) -> tuple[Expr, ...]:
    return tuple(value for value in values if value is not None)


# Tables, not `match`: one look-up a node, where the walks spend their time.
_Parts = dict[type, Callable[[Any], tuple[Expr, ...]]]
_PARTS: _Parts = {
    Attr: lambda e: (e.base,),
    Sub: lambda e: (e.base, e.key),
    Call: lambda e: (e.func, *[a.value for a in e.args]),
    Await: lambda e: (e.value,),
    Unary: lambda e: (e.value,),
    Star: lambda e: (e.value,),
    Yield: lambda e: _given(e.value),
    Binary: lambda e: (e.left, e.right),
    Bool: lambda e: e.parts,
    Text: lambda e: e.parts,
    Slice: lambda e: e.parts,
    Seq: lambda e: e.items,
    Compare: lambda e: (e.left, *e.rights),
    Cond: lambda e: (e.test, e.then, e.other),
    Dict: lambda e: _given(*[part for pair in e.items for part in pair]),
    Comp: lambda e: (*[p for c in e.clauses for p in (c.iter, c.target, *c.tests)], *e.elements),
    Walrus: lambda e: (e.value, e.target),
}
_HEADS: _Parts = {
    Do: lambda s: (s.value,),
    Assign: lambda s: s.targets if s.value is None else (s.value, *s.targets),
    Augment: lambda s: (s.target, s.value),
    Delete: lambda s: s.targets,
    Return: lambda s: _given(s.value),
    Raise: lambda s: _given(s.error, s.cause),
    Assert: lambda s: _given(s.test, s.message),
    If: lambda s: (s.test,),
    While: lambda s: (s.test,),
    For: lambda s: (s.iter, s.target),
    With: lambda s: _given(*[part for pair in s.items for part in pair]),
    Match: lambda s: (s.subject,),
    Function: lambda s: (*s.decorators, *_given(*[p.default for p in s.params])),
    Class: lambda s: (*s.decorators, *[b.value for b in s.bases]),
}
_BLOCKS: dict[type, Callable[[Any], tuple[Block, ...]]] = {
    If: lambda s: (s.body, s.orelse),
    While: lambda s: (s.body, s.orelse),
    For: lambda s: (s.body, s.orelse),
    Try: lambda s: (s.body, *[h.body for h in s.handlers], s.orelse, s.final),
    With: lambda s: (s.body,),
    Match: lambda s: tuple(c.body for c in s.cases),
}
