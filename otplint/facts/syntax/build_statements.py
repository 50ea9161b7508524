"""Statements and ``case`` patterns of the code model; the cursor is that of :mod:`otplint.facts.syntax.build`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import libcst as cst

from otplint.facts.syntax import code
from otplint.facts.syntax.cursor import operator_token

if TYPE_CHECKING:
    from otplint.facts.syntax.build import _Builder


def _expression(b: _Builder, node: cst.Expr, start: int) -> code.Stmt:
    value = b.expr(node.value)
    return code.Do(start, b.end, value)


def _assign(b: _Builder, node: cst.Assign, start: int) -> code.Stmt:
    targets = tuple([b.expr(t.target) for t in node.targets])
    value = b.expr(node.value)
    return code.Assign(start, b.end, targets, value, None)


def _annotated(b: _Builder, node: cst.AnnAssign, start: int) -> code.Stmt:
    target = b.expr(node.target)
    annotation = b.annotation(node.annotation)
    value = b.optional(node.value)
    return code.Assign(start, b.end, (target,), value, annotation)


def _augment(b: _Builder, node: cst.AugAssign, start: int) -> code.Stmt:
    target = b.expr(node.target)
    op = operator_token(node.operator)
    b.take_operator(op)
    value = b.expr(node.value)
    return code.Augment(start, b.end, target, op.rstrip("="), value)


def _delete(b: _Builder, node: cst.Del, start: int) -> code.Stmt:
    target = b.expr(node.target)
    targets = target.items if isinstance(target, code.Seq) else (target,)
    return code.Delete(start, b.end, targets)


def _return(b: _Builder, node: cst.Return, start: int) -> code.Stmt:
    b.take_operator("return")
    value = b.optional(node.value)
    return code.Return(start, b.end, value)


def _raise(b: _Builder, node: cst.Raise, start: int) -> code.Stmt:
    b.take_operator("raise")
    error = b.optional(node.exc)
    cause = b.expr(node.cause.item) if node.cause is not None else None
    return code.Raise(start, b.end, error, cause)


def _break(b: _Builder, _node: cst.Break, start: int) -> code.Stmt:
    b.take_operator("break")
    return code.Break(start, b.end)


def _continue(b: _Builder, _node: cst.Continue, start: int) -> code.Stmt:
    b.take_operator("continue")
    return code.Continue(start, b.end)


def _pass(b: _Builder, _node: cst.Pass, start: int) -> code.Stmt:
    b.take_operator("pass")
    return code.Pass(start, b.end)


def _assert(b: _Builder, node: cst.Assert, start: int) -> code.Stmt:
    test = b.expr(node.test)
    message = b.optional(node.msg)
    return code.Assert(start, b.end, test, message)


def _import(b: _Builder, node: cst.Import, start: int) -> code.Stmt:
    names: list[tuple[str, str]] = []
    for alias in node.names:
        target = code.dotted(b.expr(alias.name))
        local = _alias(b, alias)
        names.append((local, target) if local else (target.split(".")[0], target.split(".")[0]))
    return code.Import(start, b.end, tuple(names))


def _import_from(b: _Builder, node: cst.ImportFrom, start: int) -> code.Stmt:
    b.take_operator("from")
    dots = ""
    for _ in node.relative:
        b.take_operator(".")
        dots += "."
    module = dots + (code.dotted(b.expr(node.module)) if node.module is not None else "")
    if isinstance(node.names, cst.ImportStar):
        b.take("*")
        return code.Import(start, b.end, ())
    if node.lpar is not None:
        b.take("(")
    names: list[tuple[str, str]] = []
    for alias in node.names:
        name = code.dotted(b.expr(alias.name))
        local = _alias(b, alias) or name
        names.append((local, module + name if module.endswith(".") else f"{module}.{name}"))
    if node.rpar is not None:
        b.take(")")
    return code.Import(start, b.end, tuple(names))


def _alias(b: _Builder, alias: cst.ImportAlias) -> str:
    return code.dotted(b.expr(alias.asname.name)) if alias.asname is not None else ""


def _scope(b: _Builder, node: cst.Global | cst.Nonlocal, start: int) -> code.Stmt:
    for item in node.names:
        b.expr(item.name)
    return code.Scope(start, b.end, tuple(i.name.value for i in node.names))


def _type_alias(b: _Builder, node: cst.TypeAlias, start: int) -> code.Stmt:
    b.take("type")
    target = b.expr(node.name)
    if node.type_parameters is not None:
        b.skip_brackets()
    value = b.expr(node.value)
    return code.Assign(start, b.end, (target,), value, None)


def _if(b: _Builder, node: cst.If, start: int) -> code.Stmt:
    test = b.expr(node.test)
    body = b.suite(node.body)
    orelse = _orelse(b, node.orelse)
    return code.If(start, b.end, test, body, orelse)


def _orelse(b: _Builder, node: cst.If | cst.Else | None) -> code.Block:
    if node is None:
        return ()
    if isinstance(node, cst.If):
        start = b.take_operator("elif")
        return (_if(b, node, start),)
    b.take_operator("else")
    return b.suite(node.body)


def _while(b: _Builder, node: cst.While, start: int) -> code.Stmt:
    test = b.expr(node.test)
    body = b.suite(node.body)
    orelse = _orelse(b, node.orelse)
    return code.While(start, b.end, test, body, orelse)


def _for(b: _Builder, node: cst.For, start: int) -> code.Stmt:
    target = b.expr(node.target)
    source = b.expr(node.iter)
    body = b.suite(node.body)
    orelse = _orelse(b, node.orelse)
    return code.For(start, b.end, target, source, body, orelse, node.asynchronous is not None)


def _try(b: _Builder, node: cst.Try | cst.TryStar, start: int) -> code.Stmt:
    b.take_operator("try")
    body = b.suite(node.body)
    star = isinstance(node, cst.TryStar)
    handlers: list[code.Handler] = []
    for handler in node.handlers:
        header = b.take_operator("except")
        if star:
            b.take("*")
        kind = b.optional(handler.type)
        name = ""
        if handler.name is not None:
            b.take_operator("as")
            name = code.dotted(b.expr(handler.name.name))
        end = b.end
        handlers.append(code.Handler(header, end, kind, name, b.suite(handler.body)))
    orelse = _orelse(b, node.orelse)
    final: code.Block = ()
    if node.finalbody is not None:
        b.take_operator("finally")
        final = b.suite(node.finalbody.body)
    return code.Try(start, b.end, body, tuple(handlers), orelse, final, star)


def _with(b: _Builder, node: cst.With, start: int) -> code.Stmt:
    if isinstance(node.lpar, cst.LeftParen):
        b.take("(")
    items: list[tuple[code.Expr, code.Expr | None]] = []
    for item in node.items:
        context = b.expr(item.item)
        items.append((context, b.expr(item.asname.name) if item.asname is not None else None))
    if isinstance(node.rpar, cst.RightParen):
        b.take(")")
    body = b.suite(node.body)
    return code.With(start, b.end, tuple(items), body, node.asynchronous is not None)


def _function(b: _Builder, node: cst.FunctionDef, _start: int) -> code.Stmt:
    decorators = _decorators(b, node.decorators)
    begin = b.take(node.name.value)
    end = b.end
    if node.type_parameters is not None:
        b.skip_brackets()
    b.take("(")
    params = b.params(node.params)
    if b.text[b.here() - b.offset] == "/":
        b.take("/")
    b.take(")")
    returns = b.annotation(node.returns)
    body = b.suite(node.body)
    return code.Function(begin, end, node.name.value, params, decorators, body, node.asynchronous is not None, returns)


def _class(b: _Builder, node: cst.ClassDef, _start: int) -> code.Stmt:
    decorators = _decorators(b, node.decorators)
    begin = b.take(node.name.value)
    end = b.end
    if node.type_parameters is not None:
        b.skip_brackets()
    if isinstance(node.lpar, cst.LeftParen):
        b.take("(")
    bases: list[code.Arg] = []
    for arg in (*node.bases, *node.keywords):
        if arg.star:
            b.take(arg.star)
        keyword = arg.keyword.value if arg.keyword is not None else ""
        if keyword:
            b.take(keyword)
        bases.append(code.Arg(keyword, arg.star, b.expr(arg.value)))
    if isinstance(node.rpar, cst.RightParen):
        b.take(")")
    return code.Class(begin, end, node.name.value, tuple(bases), decorators, b.suite(node.body))


def _decorators(b: _Builder, nodes: Any) -> tuple[code.Expr, ...]:
    return tuple([b.expr(d.decorator) for d in nodes])


def _match(b: _Builder, node: cst.Match, start: int) -> code.Stmt:
    b.take_operator("match")
    subject = b.expr(node.subject)
    cases: list[code.Case] = []
    for case in node.cases:
        b.here()
        begin = b.take_operator("case")
        pattern = _pattern(b, case.pattern)
        guard = b.optional(case.guard)
        end = b.end
        cases.append(code.Case(begin, end, pattern, guard, b.suite(case.body)))
    return code.Match(start, b.end, subject, tuple(cases))


def _pattern(b: _Builder, node: cst.CSTNode) -> code.Expr:
    b.parens(getattr(node, "lpar", ()), "(")
    start = b.here()
    result = _pattern_body(b, node, start)
    b.parens(getattr(node, "rpar", ()), ")")
    return result


def _pattern_body(b: _Builder, node: cst.CSTNode, start: int) -> code.Expr:
    if isinstance(node, (cst.MatchValue, cst.MatchSingleton)):
        return b.expr(node.value)
    if isinstance(node, cst.MatchAs):
        if node.pattern is not None and node.name is not None:
            value = _pattern(b, node.pattern)
            target = b.expr(node.name)
            assert isinstance(target, code.Name)
            return code.Walrus(start, b.end, target, value)
        word = "_" if node.name is None else node.name.value
        b.take(word)
        return code.Name(start, b.end, word)
    if isinstance(node, cst.MatchOr):
        first, *rest = [e.pattern for e in node.patterns]
        left = _pattern(b, first)
        for element in rest:
            b.take_operator("|")
            right = _pattern(b, element)
            left = code.Binary(start, b.end, "|", left, right)
        return left
    if isinstance(node, cst.MatchClass):
        func = b.expr(node.cls)
        b.take("(")
        args = [code.Arg("", "", _pattern(b, p.value)) for p in node.patterns]
        for keyword in node.kwds:
            b.take(keyword.key.value)
            args.append(code.Arg(keyword.key.value, "", _pattern(b, keyword.pattern)))
        b.take(")")
        return code.Call(start, b.end, func, tuple(args))
    if isinstance(node, cst.MatchMapping):
        return _mapping_pattern(b, node, start)
    if isinstance(node, (cst.MatchList, cst.MatchTuple)):
        bracket = isinstance(node, cst.MatchList) and node.lbracket is not None
        if bracket:
            b.take("[")
        items = tuple([_sequence_item(b, p) for p in node.patterns])
        if bracket:
            b.take("]")
        return code.Seq(start, b.end, "list" if bracket else "tuple", items)
    raise TypeError(type(node).__name__)


def _mapping_pattern(b: _Builder, node: cst.MatchMapping, start: int) -> code.Expr:
    b.take("{")
    items: list[tuple[code.Expr | None, code.Expr]] = []
    for element in node.elements:
        key = b.expr(element.key)
        items.append((key, _pattern(b, element.pattern)))
    if node.rest is not None:
        b.take("**")
        items.append((None, b.expr(node.rest)))
    b.take("}")
    return code.Dict(start, b.end, tuple(items))


def _sequence_item(b: _Builder, node: cst.CSTNode) -> code.Expr:
    if isinstance(node, cst.MatchStar):
        start = b.take("*")
        word = "_" if node.name is None else node.name.value
        begin = b.take(word)
        return code.Star(start, b.end, code.Name(begin, b.end, word))
    assert isinstance(node, cst.MatchSequenceElement)
    return _pattern(b, node.value)


STATEMENTS: dict[type[cst.CSTNode], Callable[[_Builder, Any, int], code.Stmt]] = {
    cst.Expr: _expression, cst.Assign: _assign, cst.AnnAssign: _annotated, cst.AugAssign: _augment, cst.Del: _delete,
    cst.Return: _return, cst.Raise: _raise, cst.Break: _break, cst.Continue: _continue, cst.Pass: _pass,
    cst.Assert: _assert, cst.Import: _import, cst.ImportFrom: _import_from, cst.Global: _scope, cst.Nonlocal: _scope,
    cst.TypeAlias: _type_alias, cst.If: _if, cst.While: _while, cst.For: _for, cst.Try: _try, cst.TryStar: _try,
    cst.With: _with, cst.FunctionDef: _function, cst.ClassDef: _class, cst.Match: _match,
}  # fmt: skip
