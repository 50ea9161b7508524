"""The plain code model: what a region of source says, as named tuples.

LibCST trees are turned into these records once (:mod:`otplint.facts.build`) and then dropped, so that facts can be
cached, pickled and compared. ``start`` and ``end`` are character offsets into the file's decoded text; those of a
function, class or ``except`` clause are of the smallest telling part (the name, the clause's header).
"""

from __future__ import annotations

from collections.abc import Iterator

from otplint.facts.nodes import (
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
