"""The index of one file by LibCST, for syntax that the running interpreter's ``ast`` does not know.

Fills the same record as index.py, and a test compares the two. It is some ten times slower, which is why it is not used
for everything. Needs LibCST 1.9: 1.8.5 was the first to read ``except A, B:`` and t-strings, 1.9 ``lazy import``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import libcst as cst
from libcst.metadata import CodePosition, CodeRange, MetadataWrapper, PositionProvider

from otplint.facts.index.aliases import add_lazy, imported_by_call, is_class_like, named_arguments, stands_for
from otplint.facts.index.entries import (
    UNKNOWN,
    ClassEntry,
    Collector,
    ConstantEntry,
    FunctionEntry,
    MethodEntry,
    ModuleIndex,
    Unparsable,
    Weight,
    applied_bases,
)
from otplint.facts.index.nesting import too_deep_at
from otplint.sources.positions import LineTable

_Body = Sequence[cst.BaseStatement | cst.BaseSmallStatement]
_COMPOUND = (cst.If, cst.With, cst.Try, cst.TryStar, cst.For, cst.While, cst.Match)


def index_with_libcst(text: str, path: str, module: str, is_package: bool, refused: Unparsable) -> ModuleIndex:
    """Index one file that ``ast`` refused; arguments as index.index_module.

    Raises:
        Unparsable: LibCST reads it no more than ``ast`` did (``refused``), or it nests too deeply. The place is the one
            that ``ast`` named, which is exact, unless it stopped at an f-string that it only took for broken.
    """
    lines = LineTable(text)
    deep = too_deep_at(text)
    if deep is not None:
        raise Unparsable(*lines.position(deep), "an expression nests too deeply to be parsed")
    try:
        tree = cst.parse_module(text)
        positions = cast(
            "Mapping[cst.CSTNode, CodeRange]",
            MetadataWrapper(tree, unsafe_skip_copy=True).resolve(PositionProvider),
        )
        collector = Collector(path, module, is_package=is_package)
        _Reader(lines, positions, _form_feeds(tree, lines) if "\f" in text else {}, collector).module(tree)
        add_lazy(text, module, collector)
    except cst.ParserSyntaxError as error:
        if error.raw_line > refused.line and ("f-string" in refused.message or "unterminated" in refused.message):
            raise Unparsable(error.raw_line, error.raw_column + 1, "invalid syntax") from None
        raise refused from None
    except RecursionError:  # LibCST writes expressions, and so finds places, by recursion in Python
        raise Unparsable(1, 1, "an expression nests too deeply to be parsed") from None
    return collector.finish()


def _form_feeds(tree: cst.Module, lines: LineTable) -> dict[int, int]:
    """How many characters LibCST drops at the start of a line (from 1): those up to a form feed."""
    written = LineTable(tree.code)
    return {
        line: dropped
        for line in range(1, lines.line_count + 1)
        if (dropped := len(lines.line_text(line)) - len(written.line_text(line)))
    }


def dotted(node: cst.CSTNode) -> str:
    """As index.dotted."""
    parts: list[str] = []
    while True:
        if isinstance(node, cst.Attribute):
            parts.append("." + node.attr.value)
            node = node.value
        elif isinstance(node, cst.Subscript):
            node = node.value
        elif isinstance(node, cst.Call):
            parts.append("()")
            node = node.func
        else:
            break
    if not isinstance(node, cst.Name) or node.value in ("None", "True", "False"):
        return UNKNOWN
    parts.append(node.value)
    parts.reverse()
    return "".join(parts)


def _name(node: cst.CSTNode) -> str:
    text = dotted(node)
    return "" if text == UNKNOWN or "(" in text else text


def _as_ast(node: cst.BaseExpression) -> ast.expr:
    """The expression as ``ast`` reads it; the empty string for one of newer syntax."""
    try:
        return ast.parse(f"({cst.Module([]).code_for_node(node)})", mode="eval").body
    except (SyntaxError, ValueError):
        return ast.Constant("")


def _alias(value: cst.BaseExpression) -> str:
    if isinstance(value, (cst.Name, cst.Attribute, cst.Subscript)):
        return "None" if isinstance(value, cst.Name) and value.value == "None" else _name(value)
    return ""


def _means(value: cst.BaseExpression) -> tuple[str, ...]:
    complex_ = isinstance(value, (cst.Call, cst.IfExp, cst.BooleanOperation))
    return stands_for(_as_ast(value)) if complex_ else ()


def _class_name(value: cst.BaseExpression) -> str:
    name = _name(value) if isinstance(value, (cst.Name, cst.Attribute)) else ""
    return name if is_class_like(name) else ""


def _given(call: cst.Call) -> tuple[str, ...]:
    found = _as_ast(call)
    return named_arguments(found.args) if isinstance(found, ast.Call) else ()


def _pairs(target: cst.BaseExpression, value: cst.BaseExpression) -> Iterator[tuple[str, cst.BaseExpression | None]]:
    if (
        isinstance(target, (cst.Tuple, cst.List))
        and isinstance(value, (cst.Tuple, cst.List))
        and len(target.elements) == len(value.elements)
        and not any(isinstance(e, cst.StarredElement) for e in (*target.elements, *value.elements))
    ):
        for inner, part in zip(target.elements, value.elements, strict=True):
            name = inner.value
            yield from [(name.value, part.value)] if isinstance(name, cst.Name) else _pairs(name, part.value)
    else:
        yield from ((name, None) for name in _target_names(target))


def _decorators(nodes: Sequence[cst.Decorator]) -> tuple[str, ...]:
    return tuple(
        dotted(node.decorator.func if isinstance(node.decorator, cst.Call) else node.decorator) for node in nodes
    )


class _Reader:
    """Visits the statement lists of one module; the twin of index._Reader."""

    def __init__(
        self,
        lines: LineTable,
        positions: Mapping[cst.CSTNode, CodeRange],
        dropped: Mapping[int, int],
        collector: Collector,
    ) -> None:
        self._lines = lines
        self._dropped = dropped
        self._positions = positions
        self._out = collector

    def module(self, tree: cst.Module) -> None:
        body = list(_flat(tree.body))
        first = body[0] if body else None
        if isinstance(first, cst.Expr) and _string(first.value) is not None:
            body = body[1:]
        self._block(body, Weight.PRIMARY, list_statements=True)

    def _block(self, body: _Body, weight: Weight, *, list_statements: bool) -> None:
        for node in body:
            if isinstance(node, (cst.Import, cst.ImportFrom)):
                self._import(node, weight)
            elif isinstance(node, cst.ClassDef):
                self._class(node, "", "", weight)
            elif isinstance(node, cst.FunctionDef):
                self._function(node, weight)
            elif isinstance(node, (cst.Assign, cst.AnnAssign, cst.AugAssign)):
                if not self._assign(node, weight) and list_statements:
                    self._out.statements.append(self._span(node))
            elif isinstance(node, cst.TypeAlias):
                self._constant(node, node.name.value, _name(node.value), "", weight)
            else:
                whole = list_statements and not (isinstance(node, _COMPOUND) and _defines(node))
                if whole:
                    self._out.statements.append(self._span(node))
                if isinstance(node, cst.Expr):
                    self._extend_all(node.value)
                for inner, inner_weight in _blocks(node, weight):
                    self._block(inner, inner_weight, list_statements=list_statements and not whole)

    def _import(self, node: cst.Import | cst.ImportFrom, weight: Weight) -> None:
        if isinstance(node, cst.Import):
            for name in node.names:
                self._out.add_import(name.evaluated_name, name.evaluated_alias, weight)
            return
        level, source = len(node.relative), dotted(node.module) if node.module else ""
        if isinstance(node.names, cst.ImportStar):
            self._out.add_import_from(level, source, "*", None, weight)
            return
        for name in node.names:
            self._out.add_import_from(level, source, name.evaluated_name, name.evaluated_alias, weight)

    def _function(self, node: cst.FunctionDef, weight: Weight) -> None:
        start, end = self._span(node)
        name, is_async = node.name.value, node.asynchronous is not None
        entry = FunctionEntry(name, name, _decorators(node.decorators), is_async, start, end, self._line(node))
        self._out.add_function(entry, weight)
        self._locals(_flat(node.body.body), name)

    def _locals(self, body: _Body, function: str) -> None:
        for node in body:
            if isinstance(node, cst.ClassDef):
                self._class(node, f"{function}.<locals>.", function, Weight.PRIMARY)
            elif isinstance(node, (cst.Import, cst.ImportFrom)):
                self._inner_import(node, f"{function}.<locals>")
            elif isinstance(node, cst.FunctionDef):
                self._locals(_flat(node.body.body), f"{function}.<locals>.{node.name.value}")
            else:
                for inner, _ in _blocks(node, Weight.PRIMARY):
                    self._locals(inner, function)

    def _inner_import(self, node: cst.Import | cst.ImportFrom, scope: str) -> None:
        level, source = 0, ""
        if isinstance(node, cst.ImportFrom):
            level, source = len(node.relative), dotted(node.module) if node.module else ""
        for name in () if isinstance(node.names, cst.ImportStar) else node.names:
            self._out.add_inner_import(scope, level, source, name.evaluated_name, name.evaluated_alias)

    def _class(self, node: cst.ClassDef, prefix: str, nested_in: str, weight: Weight) -> None:
        keywords = {k.keyword.value: dotted(k.value) for k in node.keywords if k.keyword}
        bases: list[str] = []
        for base in node.bases:
            bases += [UNKNOWN] if base.star else _base_names(base.value, keywords)
        methods: list[MethodEntry] = []
        given = [name for b in node.bases if isinstance(b.value, cst.Call) for name in _given(b.value)]
        assigned: dict[str, str] = {}
        inner: list[cst.ClassDef] = []
        body = _flat(node.body.body)
        self._class_body(body, methods, assigned, inner)
        start, end = self._span(node)
        qualname = prefix + node.name.value
        entry = ClassEntry(
            node.name.value, qualname, tuple(bases), keywords, _decorators(node.decorators), start, end,
            self._line(node), tuple(methods), tuple(assigned), nested_in, tuple(given),
        )  # fmt: skip
        self._out.add_class(entry, weight)
        for name, alias in assigned.items():
            if alias:
                self._out.add_inner_alias(qualname, name, alias)
        for child in inner:
            self._class(child, qualname + ".", qualname, Weight.PRIMARY)
        self._method_locals(body, qualname)

    def _method_locals(self, body: _Body, qualname: str) -> None:
        for node in body:
            if isinstance(node, cst.FunctionDef):
                self._locals(_flat(node.body.body), f"{qualname}.{node.name.value}")
            else:
                for inner, _ in _blocks(node, Weight.PRIMARY):
                    self._method_locals(inner, qualname)

    def _class_body(
        self, body: _Body, methods: list[MethodEntry], assigned: dict[str, str], inner: list[cst.ClassDef]
    ) -> None:
        for node in body:
            if isinstance(node, cst.FunctionDef):
                is_async = node.asynchronous is not None
                methods.append(MethodEntry(node.name.value, is_async, _decorators(node.decorators), self._line(node)))
            elif isinstance(node, cst.Assign):
                alias = _class_name(node.value)
                for target in node.targets:
                    for name in _target_names(target.target):
                        assigned[name] = alias if isinstance(target.target, cst.Name) else ""
            elif isinstance(node, cst.AnnAssign):
                if isinstance(node.target, cst.Name) and node.value is not None:
                    assigned[node.target.value] = _class_name(node.value)
            elif isinstance(node, cst.ClassDef):
                inner.append(node)
            else:
                for block, _ in _blocks(node, Weight.PRIMARY):
                    self._class_body(block, methods, assigned, inner)

    def _assign(self, node: cst.Assign | cst.AnnAssign | cst.AugAssign, weight: Weight) -> bool:
        """False where no name is bound: ``os.environ["A"] = "b"``, ``limits.MANY = 9``."""
        value = node.value
        if value is None:
            return True
        targets = [t.target for t in node.targets] if isinstance(node, cst.Assign) else [node.target]
        augmented = isinstance(node, cst.AugAssign)
        call = dotted(value.func) if isinstance(value, cst.Call) else ""
        given = _given(value) if isinstance(value, cst.Call) else ()
        for target in targets:
            if isinstance(target, cst.Name):
                alias = "" if augmented else _alias(value)
                self._constant(node, target.value, alias, call, weight, given, _means(value))
                if target.value == "__all__":
                    self._out.add_all(_strings(value), extends=augmented)
                elif call and (module := imported_by_call(_as_ast(value))):
                    self._out.add_import_by_call(module, target.value, weight)
            else:
                for name, part in _pairs(target, value):
                    meant = _class_name(part) if part is not None else ""
                    self._constant(node, name, "", "", weight, (), (meant,) if meant else ())
        return any(True for target in targets for _ in _target_names(target))

    def _constant(
        self,
        node: cst.CSTNode,
        name: str,
        alias: str,
        call: str,
        weight: Weight,
        given: tuple[str, ...] = (),
        means: tuple[str, ...] = (),
    ) -> None:
        start, end = self._span(node)
        self._out.add_constant(ConstantEntry(name, start, end, self._line(node), call, given, means), alias, weight)

    def _extend_all(self, value: cst.BaseExpression) -> None:
        if not isinstance(value, cst.Call) or not value.args:
            return
        called, argument = dotted(value.func), value.args[0].value
        if called == "__all__.extend":
            self._out.add_all(_strings(argument), extends=True)
        elif called == "__all__.append":
            self._out.add_all(_strings(cst.List([cst.Element(argument)])), extends=True)

    def _line(self, node: cst.CSTNode) -> int:
        return self._positions[node].start.line

    def _span(self, node: cst.CSTNode) -> tuple[int, int]:
        place = self._positions[node]
        begin = place.start
        if isinstance(node, (cst.ClassDef, cst.FunctionDef)) and node.decorators:
            begin = self._positions[node.decorators[0]].start
        return self._offset(begin), self._offset(place.end)

    def _offset(self, place: CodePosition) -> int:
        return self._lines.offset(place.line, place.column + 1 + self._dropped.get(place.line, 0))


def _flat(body: Sequence[cst.BaseStatement | cst.BaseSmallStatement]) -> _Body:
    """Statements without the lines that hold the simple ones."""
    flat: list[cst.BaseStatement | cst.BaseSmallStatement] = []
    for node in body:
        if isinstance(node, cst.SimpleStatementLine):
            flat += node.body
        else:
            flat.append(node)
    return flat


def _blocks(node: cst.CSTNode, weight: Weight) -> Iterator[tuple[_Body, Weight]]:
    """As index._blocks; nothing for a statement without blocks."""
    fallback = max(weight, Weight.FALLBACK)
    if isinstance(node, cst.If):
        yield from _branches(node, weight)
    elif isinstance(node, (cst.Try, cst.TryStar)):
        yield _flat(node.body.body), weight
        for handler in node.handlers:
            yield _flat(handler.body.body), fallback
        for part in (node.orelse, node.finalbody):
            if part is not None:
                yield _flat(part.body.body), weight
    elif isinstance(node, cst.With):
        yield _flat(node.body.body), weight
    elif isinstance(node, (cst.For, cst.While)):
        yield _flat(node.body.body), weight
        if node.orelse is not None:
            yield _flat(node.orelse.body.body), weight
    elif isinstance(node, cst.Match):
        for case in node.cases:
            yield _flat(case.body.body), fallback


def _branches(node: cst.If, weight: Weight) -> Iterator[tuple[_Body, Weight]]:
    fallback = max(weight, Weight.FALLBACK)
    negated = isinstance(node.test, cst.UnaryOperation)
    name = _name(node.test.expression if isinstance(node.test, cst.UnaryOperation) else node.test)
    typing = name.rpartition(".")[2] == "TYPE_CHECKING"
    yield _flat(node.body.body), Weight.TYPING if typing and not negated else weight
    orelse = node.orelse
    while isinstance(orelse, cst.If) and not typing:
        yield _flat(orelse.body.body), fallback
        orelse = orelse.orelse
    otherwise = (Weight.TYPING if negated else weight) if typing else fallback
    if isinstance(orelse, cst.If):
        yield [orelse], otherwise
    elif orelse is not None:
        yield _flat(orelse.body.body), otherwise


def _defines(node: cst.CSTNode) -> bool:
    return any(
        isinstance(inner, (cst.ClassDef, cst.FunctionDef)) or _defines(inner)
        for block, _ in _blocks(node, Weight.PRIMARY)
        for inner in block
    )


def _base_names(node: cst.BaseExpression, keywords: dict[str, str]) -> list[str]:
    if isinstance(node, cst.IfExp):
        return [*_base_names(node.body, keywords), *_base_names(node.orelse, keywords)]
    if isinstance(node, cst.Call):
        arguments = [UNKNOWN if a.star else dotted(a.value) for a in node.args if not a.keyword and a.star != "**"]
        if meant := stands_for(_as_ast(node)):
            return [*meant]
        return applied_bases(dotted(node.func), arguments, keywords)
    return [dotted(node)]


def _target_names(node: cst.BaseExpression) -> Iterator[str]:
    if isinstance(node, cst.Name):
        yield node.value
    elif isinstance(node, (cst.Tuple, cst.List)):
        for element in node.elements:
            yield from _target_names(element.value)


def _strings(node: cst.BaseExpression) -> list[str] | None:
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
        left, right = _strings(node.left), _strings(node.right)
        return None if left is None or right is None else left + right
    if not isinstance(node, (cst.List, cst.Tuple)):
        return None
    names: list[str] = []
    for element in node.elements:
        name = None if isinstance(element, cst.StarredElement) else _string(element.value)
        if name is None:
            return None
        names.append(name)
    return names


def _string(node: cst.BaseExpression) -> str | None:
    value = node.evaluated_value if isinstance(node, (cst.SimpleString, cst.ConcatenatedString)) else None
    return value if isinstance(value, str) else None
