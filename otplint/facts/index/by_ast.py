"""The index of one file: what it imports, defines and re-exports, from one ``ast`` pass.

Only lists of statements are visited, never all nodes: the cost stays near that of ``ast.parse`` itself. Text that the
running interpreter's grammar does not know goes to LibCST (index_cst.py), which fills the same record.
"""

from __future__ import annotations

import ast
import gc
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

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
    has_nested_class,
)
from otplint.sources.positions import LineTable

__all__ = ["ClassEntry", "ConstantEntry", "FunctionEntry", "MethodEntry", "ModuleIndex", "Unparsable", "index_module"]

_Function = (ast.FunctionDef, ast.AsyncFunctionDef)
_Compound = (ast.For, ast.AsyncFor, ast.While, ast.Match)
# `except*` has a node of its own, with the same fields, from Python 3.11 on.
_TRY: tuple[type[ast.Try], ...] = (ast.Try, getattr(ast, "TryStar", ast.Try))

# Raised by the tokenizer: the text is broken in every version of Python, and `ast` says best where.
_BROKEN_ANYWHERE = ("was never closed", "unindent does not match", "too many levels of indentation")


def index_module(text: str, path: str, module: str, is_package: bool) -> ModuleIndex:
    """Index one file.

    Args:
        text: the decoded source, without byte order mark, line ends as in the file.
        path: relative to the project root, POSIX separators.
        module: dotted name (modules.module_name), for relative imports.
        is_package: the file is an ``__init__.py``.

    Raises:
        Unparsable: the text is no Python that ``ast`` or LibCST reads, or it nests too deeply for both.
    """
    with no_collection():
        try:
            tree, type_lines = _parse_any(text)
        except SyntaxError as error:
            refused = _unparsable(error)
            if _is_broken(error):
                raise refused from None
            from otplint.facts.index.by_libcst import index_with_libcst

            return index_with_libcst(text, path, module, is_package, refused)
        except (RecursionError, MemoryError):
            raise Unparsable(1, 1, "an expression nests too deeply to be parsed") from None
        except ValueError as error:  # NUL on Python 3.10 and 3.11, lone surrogates: decode refuses both
            raise Unparsable(1, 1, str(error)) from None
        collector = Collector(path, module, is_package=is_package)
        try:
            _Reader(text, collector, type_lines).module(tree)
            add_lazy(text, module, collector)
        except RecursionError:
            raise Unparsable(1, 1, "an expression nests too deeply to be read") from None
        return collector.finish()


@contextmanager
def no_collection() -> Iterator[None]:
    """The collector finds no cycles in a syntax tree, but walks all trees that live while one is built."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _parse(text: str) -> ast.Module:
    with warnings.catch_warnings():  # invalid escapes are the scanned program's business
        warnings.simplefilter("ignore")
        return ast.parse(text)


def _parse_any(text: str) -> tuple[ast.Module, frozenset[int]]:
    """The tree, if need be of older syntax that says the same, and then the lines of ``type`` statements in it."""
    try:
        return _parse(text), frozenset()
    except SyntaxError as error:
        if _is_broken(error):
            raise
        from otplint.facts.index.older_syntax import in_older_syntax

        older = in_older_syntax(text)
        if older is None:
            raise
    return _parse(older.text), older.type_lines


def _is_broken(error: SyntaxError) -> bool:
    """Whether no version of Python would read it."""
    return isinstance(error, IndentationError) or any(message in error.msg for message in _BROKEN_ANYWHERE)


def _unparsable(error: SyntaxError) -> Unparsable:
    return Unparsable(max(error.lineno or 1, 1), max(error.offset or 1, 1), error.msg)


def dotted(node: ast.expr) -> str:
    """The expression as a dotted name: subscripts stripped, calls as ``()``, UNKNOWN for what has no name."""
    if type(node) is ast.Name:
        return node.id
    parts: list[str] = []
    while True:  # a loop: chains may be longer than the stack is deep
        kind = type(node)
        if kind is ast.Attribute:
            parts.append("." + node.attr)  # type: ignore[attr-defined]
            node = node.value  # type: ignore[attr-defined]
        elif kind is ast.Subscript:
            node = node.value  # type: ignore[attr-defined]
        elif kind is ast.Call:
            parts.append("()")
            node = node.func  # type: ignore[attr-defined]
        else:
            break
    if kind is not ast.Name:
        return UNKNOWN
    parts.append(node.id)  # type: ignore[attr-defined]
    parts.reverse()
    return "".join(parts)


def _name(node: ast.expr) -> str:
    """The dotted name if the expression is nothing else (subscripts apart), or empty."""
    text = dotted(node)
    return "" if text == UNKNOWN or "(" in text else text


def _alias(value: ast.expr) -> str:
    """The dotted name that a value stands for, as Collector.add_constant takes it."""
    kind = type(value)
    if kind is ast.Name or kind is ast.Attribute or kind is ast.Subscript:
        return _name(value)
    return "None" if isinstance(value, ast.Constant) and value.value is None else ""


def _class_name(value: ast.expr) -> str:
    """The dotted name of a class, where the value is written as nothing else."""
    name = _name(value) if isinstance(value, (ast.Name, ast.Attribute)) else ""
    return name if is_class_like(name) else ""


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr | None]]:
    """The names that an unpacking binds, each with its part of the value where that is written out."""
    if (
        isinstance(target, (ast.Tuple, ast.List))
        and isinstance(value, (ast.Tuple, ast.List))
        and len(target.elts) == len(value.elts)
        and not any(isinstance(e, ast.Starred) for e in (*target.elts, *value.elts))
    ):
        for inner, part in zip(target.elts, value.elts, strict=True):
            yield from [(inner.id, part)] if isinstance(inner, ast.Name) else _pairs(inner, part)
    else:
        yield from ((name, None) for name in _target_names(target))


def _decorators(nodes: Sequence[ast.expr]) -> tuple[str, ...]:
    return tuple([dotted(node.func if type(node) is ast.Call else node) for node in nodes]) if nodes else ()


class _Reader:
    """Visits the statement lists of one module."""

    def __init__(self, text: str, collector: Collector, type_lines: frozenset[int]) -> None:
        self._lines = LineTable(text)
        self._type_lines = type_lines
        self._out = collector
        self._into_functions = has_nested_class(text)

    def module(self, tree: ast.Module) -> None:
        body = tree.body
        first = body[0] if body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            body = body[1:]
        self._block(body, Weight.PRIMARY, list_statements=True)

    def _block(self, body: Sequence[ast.stmt], weight: Weight, *, list_statements: bool) -> None:
        for node in body:
            kind = type(node)
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                self._import(node, weight)
            elif isinstance(node, ast.ClassDef):
                self._class(node, "", "", weight)
            elif isinstance(node, _Function):
                self._function(node, weight)
            elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
                if not self._assign(node, weight) and list_statements:
                    self._out.statements.append(self._span(node))
            elif kind.__name__ == "TypeAlias":
                self._constant(node, node.name, _name(node.value), "", weight)  # type: ignore[attr-defined]
            else:
                whole = list_statements and not (_is_block(node) and _defines(node))
                if whole:
                    self._out.statements.append(self._span(node))
                if type(node) is ast.Expr:
                    self._extend_all(node.value)
                for inner, inner_weight in _blocks(node, weight):
                    self._block(inner, inner_weight, list_statements=list_statements and not whole)

    def _import(self, node: ast.Import | ast.ImportFrom, weight: Weight) -> None:
        if isinstance(node, ast.Import):
            for name in node.names:
                self._out.add_import(name.name, name.asname, weight)
        else:
            for name in node.names:
                self._out.add_import_from(node.level, node.module or "", name.name, name.asname, weight)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, weight: Weight) -> None:
        start, end = self._span(node)
        is_async = type(node) is ast.AsyncFunctionDef
        name = node.name
        self._out.add_function(
            FunctionEntry(name, name, _decorators(node.decorator_list), is_async, start, end, node.lineno), weight
        )
        if self._into_functions:
            self._locals(node.body, name)

    def _locals(self, body: Sequence[ast.stmt], function: str) -> None:
        """The classes in a function's body, and what it imports."""
        for node in body:
            if isinstance(node, ast.ClassDef):
                self._class(node, f"{function}.<locals>.", function, Weight.PRIMARY)
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                level, source = (node.level, node.module or "") if isinstance(node, ast.ImportFrom) else (0, "")
                for name in node.names:
                    self._out.add_inner_import(f"{function}.<locals>", level, source, name.name, name.asname)
            elif isinstance(node, _Function):
                self._locals(node.body, f"{function}.<locals>.{node.name}")
            elif _is_block(node):
                for inner, _ in _blocks(node, Weight.PRIMARY):
                    self._locals(inner, function)

    def _class(self, node: ast.ClassDef, prefix: str, nested_in: str, weight: Weight) -> None:
        keywords = {k.arg: dotted(k.value) for k in node.keywords if k.arg} if node.keywords else {}
        bases: list[str] = []
        for base in node.bases:
            bases += [base.id] if type(base) is ast.Name else _base_names(base, keywords)
        given = [name for b in node.bases if type(b) is ast.Call for name in named_arguments(b.args)]
        methods: list[MethodEntry] = []
        assigned: dict[str, str] = {}
        inner: list[ast.ClassDef] = []
        self._class_body(node.body, methods, assigned, inner)
        start, end = self._span(node)
        qualname = prefix + node.name
        entry = ClassEntry(
            node.name, qualname, tuple(bases), keywords, _decorators(node.decorator_list), start, end, node.lineno,
            tuple(methods), tuple(assigned), nested_in, tuple(given),
        )  # fmt: skip
        self._out.add_class(entry, weight)
        for name, alias in assigned.items():
            if alias:
                self._out.add_inner_alias(qualname, name, alias)
        for child in inner:
            self._class(child, qualname + ".", qualname, Weight.PRIMARY)
        if self._into_functions:
            self._method_locals(node.body, qualname)

    def _method_locals(self, body: Sequence[ast.stmt], qualname: str) -> None:
        for node in body:
            if isinstance(node, _Function):
                self._locals(node.body, f"{qualname}.{node.name}")
            elif _is_block(node):
                for inner, _ in _blocks(node, Weight.PRIMARY):
                    self._method_locals(inner, qualname)

    def _class_body(
        self,
        body: Sequence[ast.stmt],
        methods: list[MethodEntry],
        assigned: dict[str, str],
        inner: list[ast.ClassDef],
    ) -> None:
        for node in body:
            kind = type(node)
            if isinstance(node, _Function):
                decorators = _decorators(node.decorator_list)
                methods.append(MethodEntry(node.name, kind is ast.AsyncFunctionDef, decorators, node.lineno))
            elif isinstance(node, ast.Assign):
                alias = _class_name(node.value)
                for target in node.targets:
                    for name in _target_names(target):
                        assigned[name] = alias if type(target) is ast.Name else ""
            elif isinstance(node, ast.AnnAssign):
                if type(node.target) is ast.Name and node.value is not None:
                    assigned[node.target.id] = _class_name(node.value)
            elif isinstance(node, ast.ClassDef):
                inner.append(node)
            elif _is_block(node):
                for block, _ in _blocks(node, Weight.PRIMARY):
                    self._class_body(block, methods, assigned, inner)

    def _assign(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign, weight: Weight) -> bool:
        """False where no name is bound: ``os.environ["A"] = "b"``, ``limits.MANY = 9``."""
        value = node.value
        if value is None:  # `x: int` binds nothing
            return True
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if node.lineno in self._type_lines and dotted(targets[0]) == "type":
            self._constant(node, targets[1], _name(value), "", weight)
            return True
        call = dotted(value.func) if type(value) is ast.Call else ""
        given = named_arguments(value.args) if isinstance(value, ast.Call) else ()
        for target in targets:
            if type(target) is ast.Name:
                alias = "" if type(node) is ast.AugAssign else _alias(value)
                self._constant(node, target.id, alias, call, weight, given, stands_for(value))
                if target.id == "__all__":
                    self._out.add_all(_strings(value), extends=type(node) is ast.AugAssign)
                elif call and (module := imported_by_call(value)):
                    self._out.add_import_by_call(module, target.id, weight)
            else:
                for name, part in _pairs(target, value):
                    meant = _class_name(part) if part is not None else ""
                    self._constant(node, name, "", "", weight, (), (meant,) if meant else ())
        return any(True for target in targets for _ in _target_names(target))

    def _constant(
        self,
        node: ast.stmt,
        target: ast.expr | str,
        alias: str,
        call: str,
        weight: Weight,
        given: tuple[str, ...] = (),
        means: tuple[str, ...] = (),
    ) -> None:
        name = target if isinstance(target, str) else dotted(target)
        start, end = self._span(node)
        self._out.add_constant(ConstantEntry(name, start, end, node.lineno, call, given, means), alias, weight)

    def _extend_all(self, value: ast.expr) -> None:
        """``__all__.extend([...])``, ``__all__.append("x")``."""
        if type(value) is ast.Call and dotted(value.func) in ("__all__.extend", "__all__.append") and value.args:
            argument = value.args[0]
            if dotted(value.func).endswith("append"):
                argument = ast.List(elts=[argument], ctx=ast.Load())
            self._out.add_all(_strings(argument), extends=True)

    def _span(self, node: ast.stmt) -> tuple[int, int]:
        lines = self._lines
        end = lines.offset_of_ast(node.end_lineno or 0, node.end_col_offset or 0)
        start = lines.offset_of_ast(node.lineno, node.col_offset)
        decorators: list[ast.expr] = getattr(node, "decorator_list", [])
        if decorators:
            start = self._first_decorator(decorators[0].lineno)
        return start, end

    def _first_decorator(self, line: int) -> int:
        """Offset of the ``@``: a decorator's expression may start further down, inside parentheses."""
        text, starts = self._lines.text, self._lines.line_starts
        while True:
            start = starts[line - 1]
            while text[start] in " \t\f":
                start += 1
            if text[start] == "@" or line == 1:
                return start
            line -= 1


def _is_block(node: ast.stmt) -> bool:
    """Whether the statement holds others that run in the same scope."""
    return isinstance(node, (ast.If, ast.With, ast.AsyncWith, *_TRY, *_Compound))


def _blocks(node: ast.stmt, weight: Weight) -> Iterator[tuple[Sequence[ast.stmt], Weight]]:
    """The statement lists in a statement, with the weight that bindings in them have."""
    fallback = max(weight, Weight.FALLBACK)
    if isinstance(node, ast.If):
        name = _name(node.test.operand if isinstance(node.test, ast.UnaryOp) else node.test)
        typing = name.rpartition(".")[2] == "TYPE_CHECKING"
        negated = isinstance(node.test, ast.UnaryOp)
        yield node.body, Weight.TYPING if typing and not negated else weight
        # A chain of `elif` is as deep as it is long: follow it here, not by recursion.
        while len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If) and not typing:
            node = node.orelse[0]
            yield node.body, fallback
        yield node.orelse, (Weight.TYPING if negated else weight) if typing else fallback
    elif isinstance(node, _TRY):
        yield node.body, weight
        for handler in node.handlers:
            yield handler.body, fallback
        yield node.orelse, weight
        yield node.finalbody, weight
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        yield node.body, weight
    elif isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
        yield node.body, weight
        yield node.orelse, weight
    elif isinstance(node, ast.Match):
        for case in node.cases:
            yield case.body, fallback


def _defines(node: ast.stmt) -> bool:
    """Whether a class or a function is defined in the blocks of a compound statement."""
    return any(
        isinstance(inner, (ast.ClassDef, *_Function)) or (_is_block(inner) and _defines(inner))
        for block, _ in _blocks(node, Weight.PRIMARY)
        for inner in block
    )


def _base_names(node: ast.expr, keywords: dict[str, str]) -> list[str]:
    """The dotted names that one expression in a class's list of bases stands for."""
    if isinstance(node, ast.IfExp):
        return [*_base_names(node.body, keywords), *_base_names(node.orelse, keywords)]
    if isinstance(node, ast.Call):
        meant = stands_for(node)
        arguments = [dotted(argument) for argument in node.args]
        return [*meant] if meant else applied_bases(dotted(node.func), arguments, keywords)
    return [dotted(node)]


def _target_names(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, (ast.Tuple, ast.List)):
        for element in node.elts:
            yield from _target_names(element)
    elif isinstance(node, ast.Starred):
        yield from _target_names(node.value)


def _strings(node: ast.expr) -> list[str] | None:
    """The strings of a literal list or tuple, sums of them included; None if it is anything else."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _strings(node.left), _strings(node.right)
        return None if left is None or right is None else left + right
    if not isinstance(node, (ast.List, ast.Tuple)):
        return None
    names: list[str] = []
    for element in node.elts:
        if not (isinstance(element, ast.Constant) and isinstance(element.value, str)):
            return None
        names.append(element.value)
    return names
