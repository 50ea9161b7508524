"""What else names a class: values that stand for one, and the names that a module gives out without binding them.

Asked only of assignments and modules whose text shows the shape, with ``ast`` whoever reads the file: all of it is
syntax that every supported interpreter knows.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otplint.facts.index.entries import Collector

PLACEHOLDERS = frozenset(("None", "object", "Any", "typing.Any"))
"""What a name is given where the real thing is missing: ``except ImportError: pykka = None``."""
_LAZY = re.compile(r"^def __getattr__\(|^__getattr__\b.*=|_LazyModule\(", re.MULTILINE)
_MODULE = re.compile(r"\.*\w+(?:\.\w+)*")


def dotted(node: ast.expr | None) -> str:
    """A plain dotted name, subscripts stripped; empty for anything else."""
    parts: list[str] = []
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def is_class_like(name: str) -> bool:
    """Whether the last part is written as classes are: ``Base``, ``_Base``, not ``LIMIT`` nor ``base``."""
    last = name.rpartition(".")[2].lstrip("_")
    return last[:1].isupper() and (not last.isupper() or len(last) < 3)


def stands_for(value: ast.expr) -> tuple[str, ...]:
    """The classes that a value may be, where it is no plain name: a condition, a cast, a class made by a call.

    ``X if cond else Y``, ``X or Y``, ``getattr(module, "X", object)``, ``cast(Any, X)``, ``NewType("N", X)``,
    ``type("N", (X, Y), {})``, ``types.new_class("N", (X, Y))``. Empty where it is nothing of these.
    """
    if isinstance(value, ast.Call):
        return _made_by(value)
    if isinstance(value, (ast.IfExp, ast.BoolOp)):
        choices = [value.body, value.orelse] if isinstance(value, ast.IfExp) else value.values
        names = [name for choice in choices for name in ([dotted(choice)] if dotted(choice) else stands_for(choice))]
        return tuple(name for name in names if name not in PLACEHOLDERS and is_class_like(name))
    return ()


def _made_by(call: ast.Call) -> tuple[str, ...]:
    arguments = call.args
    name = dotted(call.func).rpartition(".")[2]
    if name == "getattr" and len(arguments) in (2, 3):
        owner, attribute = dotted(arguments[0]), arguments[1]
        text = attribute.value if isinstance(attribute, ast.Constant) and isinstance(attribute.value, str) else ""
        return (f"{owner}.{text}",) if owner and text.isidentifier() and is_class_like(text) else ()
    found: list[str] = []
    if name in ("cast", "NewType") and len(arguments) == 2:
        found = [dotted(arguments[1])]
    elif name in ("type", "new_class") and len(arguments) > 1 and isinstance(arguments[1], ast.Tuple):
        found = [dotted(base) for base in arguments[1].elts]
    return tuple(name for name in found if is_class_like(name))


def imported_by_call(value: ast.expr) -> str:
    """The module that ``importlib.import_module("name")`` gives; relative ones start with dots. Empty otherwise."""
    if not isinstance(value, ast.Call) or not value.args or dotted(value.func).rpartition(".")[2] != "import_module":
        return ""
    given = value.args[0]
    text = given.value if isinstance(given, ast.Constant) and isinstance(given.value, str) else ""
    return text if _MODULE.fullmatch(text) else ""


def named_arguments(arguments: Sequence[ast.expr]) -> tuple[str, ...]:
    """The classes and functions that are given to a call by name and position."""
    names = (dotted(argument) for argument in arguments)
    return tuple(name for name in names if name and not name.startswith("__"))


# -- modules that import when asked


def add_lazy(text: str, module: str, collector: Collector) -> None:
    """Tell the collector what a module's own ``__getattr__`` (PEP 562) gives out, as far as the text says it."""
    if ("__getattr__" not in text and "_LazyModule(" not in text) or _LAZY.search(text) is None:
        return
    for entry in collector.functions:
        if entry.name == "__getattr__":
            for node in ast.walk(_parsed(text[entry.start : entry.end])):
                if isinstance(node, ast.ImportFrom):
                    for name in node.names:
                        collector.add_lazy(node.level, node.module or "", name.name, name.asname or name.name)
    for constant in collector.constants:
        written = text[constant.start : constant.end]
        if "{" in written:
            for node in ast.walk(_parsed(written)):
                if isinstance(node, ast.Dict):
                    for given in _entries(node):
                        _add_entry(*given, module, collector)


def _parsed(text: str) -> ast.AST:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except (SyntaxError, RecursionError, ValueError):
            return ast.Module([], [])


def _entries(table: ast.Dict) -> Iterator[tuple[str, str, str]]:
    """Module, name in it and name given out, of ``{"Name": "module"}`` and ``{"module": ["Name", ...]}``."""
    for key_node, value_node in zip(table.keys, table.values, strict=True):
        key, values = _text(key_node), _texts(value_node)
        if isinstance(value_node, ast.Constant) and key.isidentifier() and values:
            source, _, last = values[0].rpartition(".")
            yield (source, key, key) if last == key and source.strip(".") else (values[0], key, key)
        elif len(values) == 2 and key.isidentifier() and (values[1] == key or values[0].startswith(".")):
            yield values[0], values[1], key
        elif _MODULE.fullmatch(key):
            yield from ((key, name, name) for name in values)


def _add_entry(source: str, name: str, bound: str, module: str, collector: Collector) -> None:
    if not _MODULE.fullmatch(source) or not name.isidentifier():
        return
    plain = source.lstrip(".")
    absolute = not source.startswith(".") and plain.partition(".")[0] == module.partition(".")[0]
    collector.add_lazy(0 if absolute else max(len(source) - len(plain), 1), plain, name, bound)


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _texts(node: ast.expr) -> list[str]:
    """The strings of a literal; empty if it holds anything else."""
    items = node.elts if isinstance(node, (ast.List, ast.Tuple, ast.Set)) else [node]
    found = [_text(item) for item in items]
    return found if all(found) else []
