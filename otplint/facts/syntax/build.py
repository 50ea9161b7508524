"""LibCST region -> plain code model, with exact positions in one walk.

LibCST nodes carry no positions and its providers are slow (DESIGN.md, speed facts). The walk goes through the tree in
source order, so a cursor that takes each token from the text knows where every node starts and ends: a hash sign is
only looked for between tokens, hence never inside a string. Chains that nest to the left (sums, attributes, calls)
are followed in a loop, not by recursion.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst

from otplint.facts.syntax import code
from otplint.facts.syntax.cursor import TRIVIA, Cursor, LostPosition, operator_token


def build(module: cst.Module, text: str, offset: int = 0) -> code.Block:
    """The statements of ``module``, whose source is ``text``; ``offset`` is added to every position."""
    return _Builder(text, offset).block(module.body)


class _Builder(Cursor):
    # -- expressions

    def expr(self, node: cst.CSTNode) -> code.Expr:
        spine: list[tuple[Any, int]] = []
        while True:
            self.parens(getattr(node, "lpar", ()), "(")
            start = self.here()
            left = _LEFT.get(type(node))
            if left is None:
                break
            spine.append((node, start))
            node = getattr(node, left)
        make = _LEAVES.get(type(node))
        if make is None:
            raise LostPosition(f"unknown node {type(node).__name__}")
        result: code.Expr = make(self, node, start)
        self.parens(getattr(node, "rpar", ()), ")")
        for outer, start in reversed(spine):
            result = _FINISHES[type(outer)](self, outer, start, result)
            self.parens(outer.rpar, ")")
        return result

    def optional(self, node: cst.CSTNode | None) -> code.Expr | None:
        return None if node is None else self.expr(node)

    def name(self, node: cst.Name, start: int) -> code.Expr:
        self._take_here(node.value)
        if node.value in _CONSTANTS:
            return code.Const(start, self.end, _CONSTANTS[node.value])
        return code.Name(start, self.end, node.value)

    def ellipsis(self, _node: cst.Ellipsis, start: int) -> code.Expr:
        self._take_here("...")
        return code.Const(start, self.end, ...)

    def number(self, node: cst.Integer | cst.Float | cst.Imaginary, start: int) -> code.Expr:
        self._take_here(node.value)
        return code.Const(start, self.end, _number(node.value))

    def string(self, node: cst.SimpleString, start: int) -> code.Expr:
        self._take_here(node.value)
        return code.Const(start, self.end, _string(node.value))

    def concatenated(self, node: cst.ConcatenatedString, start: int) -> code.Expr:
        pieces: list[code.Expr] = []
        rest: cst.BaseExpression = node
        opened = []
        while isinstance(rest, cst.ConcatenatedString):
            pieces.append(self.expr(rest.left))
            rest = rest.right
            if isinstance(rest, cst.ConcatenatedString):
                self.parens(rest.lpar, "(")
                opened.append(rest)
        pieces.append(self.expr(rest))
        for inner in reversed(opened):
            self.parens(inner.rpar, ")")
        values = [p.value for p in pieces if isinstance(p, code.Const)]
        if len(values) == len(pieces):
            if all(isinstance(v, str) for v in values):
                return code.Const(start, self.end, "".join(str(v) for v in values))
            return code.Const(start, self.end, values[0])
        return code.Text(start, self.end, tuple(pieces))

    def formatted(self, node: cst.FormattedString, start: int) -> code.Expr:
        self._take_here(node.start)
        parts = self.format_parts(node.parts)
        self._literal(node.end)
        return code.Text(start, self.end, parts)

    def _literal(self, token: str) -> None:
        found = self.text.find(token, self.pos)
        if found < 0:
            raise LostPosition(f"{token!r} expected")
        self.pos = found + len(token)

    def format_parts(self, nodes: Sequence[cst.CSTNode]) -> tuple[code.Expr, ...]:
        found: list[code.Expr] = []
        for part in nodes:
            if isinstance(part, (cst.FormattedStringExpression, cst.TemplatedStringExpression)):
                self._literal("{")
                found.append(self.expr(part.expression))
                if part.format_spec is not None:
                    self._literal(":")
                    found.extend(self.format_parts(part.format_spec))
                self._literal("}")
            else:
                text = str(getattr(part, "value", ""))
                start = self.end
                self._literal(text)
                found.append(code.Const(start, self.end, text))
        return tuple(found)

    def unary(self, node: cst.UnaryOperation, start: int) -> code.Expr:
        token = operator_token(node.operator)
        self.take_operator(token)
        value = self.expr(node.expression)
        if token == "-" and isinstance(value, code.Const) and isinstance(value.value, (int, float)):
            return code.Const(start, self.end, -value.value)
        return code.Unary(start, self.end, token, value)

    def awaiting(self, node: cst.Await, start: int) -> code.Expr:
        self._take_here("await")
        value = self.expr(node.expression)
        return code.Await(start, self.end, value)

    def yielding(self, node: cst.Yield, start: int) -> code.Expr:
        self._take_here("yield")
        value = node.value.item if isinstance(node.value, cst.From) else node.value
        inner = self.optional(value)
        return code.Yield(start, self.end, inner)

    def conditional(self, node: cst.IfExp, start: int, then: code.Expr) -> code.Expr:
        test = self.expr(node.test)
        other = self.expr(node.orelse)
        return code.Cond(start, self.end, test, then, other)

    def lambda_(self, node: cst.Lambda, start: int) -> code.Expr:
        self._take_here("lambda")
        params = self.params(node.params)
        body = self.expr(node.body)
        return code.Lambda(start, self.end, params, body)

    def display(self, node: cst.List | cst.Set | cst.Tuple, start: int) -> code.Expr:
        kind = type(node).__name__.lower()
        ends = {"list": "[]", "set": "{}", "tuple": ""}[kind]
        if ends:
            self._take_here(ends[0])
        items = tuple([self.element(e) for e in node.elements])
        if ends:
            self.take(ends[1])
        else:
            self._trailing_comma(node.elements)
        return code.Seq(start, self.end, kind, items)

    def _trailing_comma(self, elements: Sequence[Any]) -> None:
        """A tuple ends with its last comma where it has one."""
        if elements and isinstance(elements[-1].comma, cst.Comma):
            self.take_operator(",")

    def element(self, node: cst.CSTNode) -> code.Expr:
        if isinstance(node, cst.StarredElement):
            self.parens(node.lpar, "(")
            start = self.take("*")
            value = self.expr(node.value)
            result = code.Star(start, self.end, value)
            self.parens(node.rpar, ")")
            return result
        assert isinstance(node, cst.Element)
        return self.expr(node.value)

    def dict_(self, node: cst.Dict, start: int) -> code.Expr:
        self._take_here("{")
        items: list[tuple[code.Expr | None, code.Expr]] = []
        for element in node.elements:
            if isinstance(element, cst.DictElement):
                key = self.expr(element.key)
                items.append((key, self.expr(element.value)))
            else:
                self.take("**")
                items.append((None, self.expr(element.value)))
        self.take("}")
        return code.Dict(start, self.end, tuple(items))

    def comprehension(
        self, node: cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp, start: int
    ) -> code.Expr:
        kind, ends = _COMPREHENSIONS[type(node)]
        if ends:
            self._take_here(ends[0])
        if isinstance(node, cst.DictComp):
            key = self.expr(node.key)
            elements: tuple[code.Expr, ...] = (key, self.expr(node.value))
        else:
            elements = (self.expr(node.elt),)
        clauses: list[code.Clause] = []
        clause: cst.CompFor | None = node.for_in
        while clause is not None:
            target = self.expr(clause.target)
            source = self.expr(clause.iter)
            clauses.append(code.Clause(target, source, tuple([self.expr(i.test) for i in clause.ifs])))
            clause = clause.inner_for_in
        if ends:
            self.take(ends[1])
        return code.Comp(start, self.end, kind, elements, tuple(clauses))

    def walrus(self, node: cst.NamedExpr, start: int) -> code.Expr:
        target = self.expr(node.target)
        value = self.expr(node.value)
        assert isinstance(target, code.Name)
        return code.Walrus(start, self.end, target, value)

    def attribute(self, node: cst.Attribute, start: int, base: code.Expr) -> code.Expr:
        self.take_operator(".")
        self.take(node.attr.value)
        return code.Attr(start, self.end, base, node.attr.value)

    def subscript(self, node: cst.Subscript, start: int, base: code.Expr) -> code.Expr:
        self.take("[")
        items = [self._index(e.slice) for e in node.slice]
        first = items[0].start
        last = self.end
        self.take("]")
        single = len(items) == 1 and not isinstance(node.slice[0].comma, cst.Comma)
        index = items[0] if single else code.Seq(first, last, "tuple", tuple(items))
        return code.Sub(start, self.end, base, index)

    def _index(self, node: cst.BaseSlice) -> code.Expr:
        if isinstance(node, cst.Index):
            if node.star:
                start = self.take("*")
                value = self.expr(node.value)
                return code.Star(start, self.end, value)
            return self.expr(node.value)
        assert isinstance(node, cst.Slice)
        match = TRIVIA.match(self.text, self.pos)
        assert match is not None
        start = match.end() + self.offset
        parts = [self.expr(p) for p in (node.lower, node.upper, node.step) if p is not None]
        self.here()
        return code.Slice(start, self.end, tuple(parts))

    def call(self, node: cst.Call, start: int, func: code.Expr) -> code.Expr:
        self.take("(")
        args: list[code.Arg] = []
        for arg in node.args:
            if arg.star:
                self.take(arg.star)
            keyword = arg.keyword.value if arg.keyword is not None else ""
            if keyword:
                self.take(keyword)
            args.append(code.Arg(keyword, arg.star, self.expr(arg.value)))
        self.take(")")
        return code.Call(start, self.end, func, tuple(args))

    def binary(self, node: cst.BinaryOperation, start: int, left: code.Expr) -> code.Expr:
        token = operator_token(node.operator)
        self.take_operator(token)
        right = self.expr(node.right)
        return code.Binary(start, self.end, token, left, right)

    def boolean(self, node: cst.BooleanOperation, start: int, left: code.Expr) -> code.Expr:
        op = operator_token(node.operator)
        right = self.expr(node.right)
        head = left.parts if isinstance(left, code.Bool) and left.op == op else (left,)
        return code.Bool(start, self.end, op, (*head, right))

    def comparison(self, node: cst.Comparison, start: int, left: code.Expr) -> code.Expr:
        ops: list[str] = []
        rights: list[code.Expr] = []
        for target in node.comparisons:
            token = operator_token(target.operator)
            self.take_word_operator(token)
            ops.append(token)
            rights.append(self.expr(target.comparator))
        return code.Compare(start, self.end, left, tuple(ops), tuple(rights))

    # -- parameters and statements

    def params(self, node: cst.Parameters) -> tuple[code.Param, ...]:
        found = [self.param(param, "") for param in node.posonly_params]
        if node.posonly_params:
            self.take("/")
        found += [self.param(param, "") for param in node.params]
        if isinstance(node.star_arg, cst.Param):
            self.take("*")
            found.append(self.param(node.star_arg, "*"))
        elif isinstance(node.star_arg, cst.ParamStar):
            self.take("*")
        found += [self.param(param, "") for param in node.kwonly_params]
        if node.star_kwarg is not None:
            self.take("**")
            found.append(self.param(node.star_kwarg, "**"))
        return tuple(found)

    def param(self, node: cst.Param, star: str) -> code.Param:
        self.take(node.name.value)
        annotation = self.annotation(node.annotation)
        default = self.optional(node.default)
        return code.Param(node.name.value, star, default, annotation)

    def annotation(self, node: cst.Annotation | None) -> code.Expr | None:
        if node is None:
            return None
        self.here()
        if self.text.startswith("->", self.pos):
            self.pos += 2
        annotation: cst.CSTNode = node.annotation
        if isinstance(annotation, cst.StarredElement):
            return self.element(annotation)
        return self.expr(annotation)

    def block(self, nodes: Sequence[cst.CSTNode]) -> code.Block:
        found: list[code.Stmt] = []
        for node in nodes:
            if isinstance(node, cst.SimpleStatementLine):
                found.extend([self.statement(s) for s in node.body])
            else:
                found.append(self.statement(node))
        return tuple(found)

    def suite(self, node: cst.BaseSuite) -> code.Block:
        """The colon and the statements after it."""
        self.take_operator(":")
        if isinstance(node, cst.SimpleStatementSuite):
            return tuple([self.statement(s) for s in node.body])
        return self.block(node.body)

    def statement(self, node: cst.CSTNode) -> code.Stmt:
        from otplint.facts.syntax.build_statements import STATEMENTS

        match = TRIVIA.match(self.text, self.pos)
        assert match is not None
        self.pos = match.end()
        if self.text.startswith(";", self.pos):
            self.pos += 1
            match = TRIVIA.match(self.text, self.pos)
            assert match is not None
            self.pos = match.end()
        make = STATEMENTS.get(type(node))
        if make is None:
            raise LostPosition(f"unknown statement {type(node).__name__}")
        return make(self, node, self.end)


def _number(token: str) -> object:
    try:
        return int(token, 0)
    except ValueError:
        return ast.literal_eval(token)


def _string(token: str) -> object:
    if "\\" not in token and token[0] in "'\"":
        width = 3 if token[:3] in ('"""', "'''") else 1
        return token[width:-width]
    try:
        return ast.literal_eval(token)
    except (ValueError, SyntaxError):
        return token


_CONSTANTS = {"True": True, "False": False, "None": None}
_COMPREHENSIONS: dict[type[cst.CSTNode], tuple[str, str]] = {
    cst.ListComp: ("list", "[]"), cst.SetComp: ("set", "{}"), cst.GeneratorExp: ("generator", ""),
    cst.DictComp: ("dict", "{}"),
}  # fmt: skip

_LEFT: dict[type[cst.CSTNode], str] = {
    cst.Attribute: "value", cst.Subscript: "value", cst.Call: "func", cst.BinaryOperation: "left",
    cst.BooleanOperation: "left", cst.Comparison: "left", cst.IfExp: "body",
}  # fmt: skip
_FINISHES: dict[type[cst.CSTNode], Callable[[_Builder, Any, int, code.Expr], code.Expr]] = {
    cst.Attribute: _Builder.attribute, cst.Subscript: _Builder.subscript, cst.Call: _Builder.call,
    cst.BinaryOperation: _Builder.binary, cst.BooleanOperation: _Builder.boolean,
    cst.Comparison: _Builder.comparison, cst.IfExp: _Builder.conditional,
}  # fmt: skip
_LEAVES: dict[type[cst.CSTNode], Callable[[_Builder, Any, int], code.Expr]] = {
    cst.Name: _Builder.name, cst.Ellipsis: _Builder.ellipsis, cst.Integer: _Builder.number,
    cst.Float: _Builder.number, cst.Imaginary: _Builder.number, cst.SimpleString: _Builder.string,
    cst.ConcatenatedString: _Builder.concatenated, cst.FormattedString: _Builder.formatted,
    cst.TemplatedString: _Builder.formatted, cst.UnaryOperation: _Builder.unary, cst.Await: _Builder.awaiting,
    cst.Yield: _Builder.yielding, cst.Lambda: _Builder.lambda_, cst.List: _Builder.display,
    cst.Set: _Builder.display, cst.Tuple: _Builder.display, cst.Dict: _Builder.dict_,
    cst.ListComp: _Builder.comprehension, cst.SetComp: _Builder.comprehension,
    cst.GeneratorExp: _Builder.comprehension, cst.DictComp: _Builder.comprehension, cst.NamedExpr: _Builder.walrus,
}  # fmt: skip
