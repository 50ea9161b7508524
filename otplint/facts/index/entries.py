"""What the index knows of one file: plain records that pickle, and the one place where they are put together.

Both ways to read a file (``ast`` in index.py, LibCST in index_cst.py) report what they see to a Collector, so that
questions such as "which of two bindings of a name counts" are answered once.
"""

from __future__ import annotations

import enum
import re
from typing import NamedTuple

from otplint.facts.index.aliases import PLACEHOLDERS

UNKNOWN = "?"
"""Stands for an expression that no dotted name can say."""


class Unparsable(Exception):  # noqa: N818 - it is an answer about a file, the name says which
    """No Python grammar that we know reads this text.

    Lines and columns count from 1, columns in characters.
    """

    def __init__(self, line: int, column: int, message: str) -> None:
        super().__init__(line, column, message)
        self.line = line
        self.column = column
        self.message = message

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.message}"


class MethodEntry(NamedTuple):
    """A function in a class body."""

    name: str
    is_async: bool
    decorators: tuple[str, ...]
    line: int
    """Line of ``def``, from 1."""


class ClassEntry(NamedTuple):
    """A class statement anywhere in the file."""

    name: str
    qualname: str
    """As ``__qualname__``: ``Outer.Inner``, ``make.<locals>.Local``."""
    bases: tuple[str, ...]
    """Dotted names as written. ``Base[T]`` is ``Base``, ``make_base(x)`` is ``make_base()``, the rest is UNKNOWN.

    Of ``with_metaclass(Meta, Base)`` the base counts, of ``A if x else B`` both."""
    keywords: dict[str, str]
    """Class keywords to dotted names, ``metaclass`` among them."""
    decorators: tuple[str, ...]
    """Dotted names, outermost first, calls stripped: ``@ray.remote(num_cpus=1)`` is ``ray.remote``."""
    start: int
    """Offset in characters of the first decorator, or of ``class``."""
    end: int
    """Offset in characters behind the last statement."""
    line: int
    """Line of ``class``, from 1."""
    methods: tuple[MethodEntry, ...]
    assigned: tuple[str, ...]
    """Names assigned in the class body, in order, without repetition."""
    nested_in: str
    """Qualname of the class or function around it; empty at module level."""
    given: tuple[str, ...] = ()
    """Dotted names that the calls among its bases are given: ``Base`` in ``class X(mixed(Base))``."""


class FunctionEntry(NamedTuple):
    """A function at module level, conditional blocks included. Offsets as in ClassEntry."""

    name: str
    qualname: str
    decorators: tuple[str, ...]
    is_async: bool
    start: int
    end: int
    line: int


class ConstantEntry(NamedTuple):
    """One binding of a name by an assignment at module level. The span is the whole statement, in characters."""

    name: str
    start: int
    end: int
    line: int
    call: str
    """Dotted callee if the value is a call: ``Celery`` in ``app = Celery("x")``; empty otherwise."""
    given: tuple[str, ...] = ()
    """Dotted names among that call's positional arguments: ``Base`` in ``Player = make(Base)``."""
    means: tuple[str, ...] = ()
    """Dotted names of the classes that the value may be where it is no plain name: ``X if new else Y``."""


class ModuleIndex(NamedTuple):
    """What one file says to the others."""

    path: str
    """Relative to the project root, POSIX separators."""
    module: str
    is_package: bool
    """The file is an ``__init__``."""
    imports: dict[str, str]
    """Local name to absolute dotted target, module level. ``import a.b`` binds ``a``."""
    shadowed: dict[str, str]
    """Imports of names that another binding then takes over: ``from x import Base; class Base(Base): ...``."""
    stars: tuple[str, ...]
    """Absolute modules of ``from m import *``, in order."""
    classes: tuple[ClassEntry, ...]
    functions: tuple[FunctionEntry, ...]
    constants: tuple[ConstantEntry, ...]
    aliases: dict[str, str]
    """``X = other.Name`` at module level: name to the dotted name as written."""
    dunder_all: tuple[str, ...] | None
    """The names in ``__all__``; None where there is none or it is computed."""
    statements: tuple[tuple[int, int], ...]
    """Spans in characters of what else runs at import: statements that are no import, class, function or assignment.

    A compound statement is one span unless it holds a class or a function: then its statements are listed."""
    inner: dict[str, str]
    """What names mean inside of functions and classes that hold classes: of ``make.<locals>.Base`` the target of an
    import, absolute behind a ``=``; of ``Outer.Base`` the dotted name as it is written there."""


class Weight(enum.IntEnum):
    """How much a binding counts where a name has several; of equal ones the last counts, but see FALLBACK."""

    PRIMARY = 0
    FALLBACK = 1
    """Under ``except``, ``else`` or ``elif``: counts only where nothing else binds the name; of several the first."""
    PLACEHOLDER = 2
    """``None`` or ``object`` in the place of what may be missing: counts where nothing that runs binds the name."""
    TYPING = 3
    """Under ``if TYPE_CHECKING``, or given out when asked for: nothing that runs at import binds it."""


_MODULE, _CLASS, _FUNCTION, _CONSTANT, _ALIAS = "import", "class", "function", "constant", "alias"


class Collector:
    """Puts a ModuleIndex together from what a reader of the syntax tree reports in source order."""

    def __init__(self, path: str, module: str, *, is_package: bool) -> None:
        self._path = path
        self._module = module
        self._is_package = is_package
        self._bound: dict[str, tuple[Weight, str]] = {}
        self._imports: dict[str, str] = {}
        self._shadowed: dict[str, str] = {}
        self._aliases: dict[str, str] = {}
        self._stars: list[str] = []
        self._inner: dict[str, str] = {}
        self._all: list[str] | None = None
        self._all_is_computed = False
        self.classes: list[ClassEntry] = []
        self.functions: list[FunctionEntry] = []
        self.constants: list[ConstantEntry] = []
        self.statements: list[tuple[int, int]] = []

    def add_import(self, target: str, bound_as: str | None, weight: Weight) -> None:
        """``import target`` or ``import target as bound_as``."""
        if bound_as is None:
            head = target.partition(".")[0]
            self._bind_import(head, head, weight)
        else:
            self._bind_import(bound_as, target, weight)

    def add_import_from(self, level: int, source: str, name: str, bound_as: str | None, weight: Weight) -> None:
        """``from ..source import name as bound_as``; the name ``*`` is a star import."""
        base = absolute_module(self._module, is_package=self._is_package, level=level, source=source)
        if name == "*":
            self._stars.append(base)
        else:
            self._bind_import(bound_as or name, f"{base}.{name}" if base else name, weight)

    def add_class(self, entry: ClassEntry, weight: Weight) -> None:
        """A class; only one at module level binds a name there."""
        self.classes.append(entry)
        if not entry.nested_in:
            self._bind(entry.name, _CLASS, weight)

    def add_function(self, entry: FunctionEntry, weight: Weight) -> None:
        """A function at module level."""
        self.functions.append(entry)
        self._bind(entry.name, _FUNCTION, weight)

    def add_constant(self, entry: ConstantEntry, alias_of: str, weight: Weight) -> None:
        """An assignment; ``alias_of`` is the dotted name that is the whole value, or empty."""
        self.constants.append(entry)
        if alias_of in PLACEHOLDERS:
            weight = max(weight, Weight.PLACEHOLDER)
        if not alias_of or alias_of in (entry.name, "None"):
            self._bind(entry.name, _CONSTANT, weight)
        elif self._bind(entry.name, _ALIAS, weight):
            self._aliases[entry.name] = alias_of

    def add_import_by_call(self, target: str, bound_as: str, weight: Weight) -> None:
        """``bound_as = import_module("target")``; leading dots start at the module itself or its package."""
        plain = target.lstrip(".")
        level = len(target) - len(plain)
        base = absolute_module(self._module, is_package=self._is_package, level=level, source=plain)
        self._bind_import(bound_as, base, weight)

    def add_lazy(self, level: int, source: str, name: str, bound_as: str) -> None:
        """A name that the module gives out when it is asked for: ``from ..source import name as bound_as``."""
        base = absolute_module(self._module, is_package=self._is_package, level=level, source=source)
        if bound_as not in self._bound:
            self._bind_import(bound_as, f"{base}.{name}" if base else name, Weight.TYPING)

    def add_inner_import(self, scope: str, level: int, source: str, name: str, bound_as: str | None) -> None:
        """An import in the body of a function that holds a class; ``scope`` is that class's prefix, ``make.<locals>``.

        Of ``import a.b as c`` the source is empty.
        """
        base = absolute_module(self._module, is_package=self._is_package, level=level, source=source)
        target = f"{base}.{name}" if base else name
        local = bound_as or name.partition(".")[0]
        self._inner.setdefault(f"{scope}.{local}", f"={target if bound_as or base else local}")

    def add_inner_alias(self, scope: str, name: str, alias_of: str) -> None:
        """``Base = other.Name`` in the body of a class."""
        if alias_of.partition(".")[0] != name:
            self._inner[f"{scope}.{name}"] = alias_of

    def add_all(self, names: list[str] | None, *, extends: bool) -> None:
        """``__all__ = names`` or, with ``extends``, ``__all__ += names``; None where the names are computed."""
        if names is None:
            self._all_is_computed = True
        elif extends and self._all is not None:
            self._all.extend(names)
        elif extends:
            self._all_is_computed = True
        else:
            self._all = list(names)
            self._all_is_computed = False

    def finish(self) -> ModuleIndex:
        """The record."""
        known = self._all is not None and not self._all_is_computed
        return ModuleIndex(
            path=self._path,
            module=self._module,
            is_package=self._is_package,
            imports=self._imports,
            shadowed=self._shadowed,
            stars=tuple(self._stars),
            classes=tuple(self.classes),
            functions=tuple(self.functions),
            constants=tuple(self.constants),
            aliases=self._aliases,
            dunder_all=tuple(self._all or ()) if known else None,
            statements=tuple(self.statements),
            inner=self._scoped(),
        )

    def _scoped(self) -> dict[str, str]:
        """What is said inside of functions counts only for the classes in them."""
        inside = [entry.qualname for entry in self.classes if "<locals>" in entry.qualname]
        return {
            name: target
            for name, target in self._inner.items()
            if not target.startswith("=")
            or any(qualname.startswith(name.rpartition(".")[0] + ".") for qualname in inside)
        }

    def _bind_import(self, name: str, target: str, weight: Weight) -> None:
        if self._bind(name, _MODULE, weight):
            self._imports[name] = target
        else:
            self._shadowed.setdefault(name, target)

    def _bind(self, name: str, kind: str, weight: Weight) -> bool:
        """Whether this binding now counts."""
        before = self._bound.get(name)
        if before is not None:
            old_weight, old_kind = before
            if weight > old_weight or weight == old_weight == Weight.FALLBACK:
                return False
            if old_kind == _MODULE and kind != _MODULE:
                self._shadowed[name] = self._imports.pop(name)
            elif old_kind == _ALIAS and kind != _ALIAS:
                del self._aliases[name]
        self._bound[name] = (weight, kind)
        return True


def absolute_module(module: str, *, is_package: bool, level: int, source: str) -> str:
    """The module that ``from <level dots><source> import ...`` names inside ``module``, as Python resolves it.

    Dots that climb above the top are dropped: the names below are then searched for from the source roots.
    """
    if level == 0:
        return source
    parts = module.split(".") if module else []
    drop = level - 1 if is_package else level
    base = parts[: len(parts) - drop] if drop <= len(parts) else []
    if source:
        base.append(source)
    return ".".join(base)


def applied_bases(callee: str, arguments: list[str], keywords: dict[str, str]) -> list[str]:
    """The bases that a call in a class's list of bases stands for, and its metaclass into ``keywords``."""
    if callee.rpartition(".")[2] in {"with_metaclass", "withMetaclass"} and arguments:
        keywords.setdefault("metaclass", arguments[0])
        return arguments[1:]
    return [callee + "()"]


_NESTED_CLASS = re.compile(r"^[ \t\f]+class[ \t\f\\]", re.MULTILINE)


def has_nested_class(text: str) -> bool:
    """Whether a line of the text could start a class that is not at module level (false alarms from strings)."""
    return _NESTED_CLASS.search(text) is not None
