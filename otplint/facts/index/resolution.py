"""What a name means: imports, re-exports, aliases and star imports followed, over any number of files.

Answers depend on the files alone, never on the order of files or of questions: what a circle of imports cut short is
not remembered.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable

from otplint.facts.index.entries import UNKNOWN, ModuleIndex, absolute_module
from otplint.facts.index.module_table import ModuleTable

_BUILTINS = frozenset(dir(builtins))
_LONGEST_CHAIN = 50
"""Imports and aliases in a row that are followed: each costs some stack, and real code has a handful."""


class Resolver:
    """Answers for the modules of one table."""

    def __init__(self, table: ModuleTable) -> None:
        self._table = table
        self._known: dict[tuple[str, str, str], str | None] = {}
        self._active: list[tuple[str, str, str]] = []
        self._cuts = 0
        self._definitions: dict[str, frozenset[str]] = {}
        self._starred: dict[tuple[str, str], ModuleIndex | None] = {}

    def resolve(self, index: ModuleIndex, dotted: str) -> str:
        """A name as code at module level sees it; see Project.resolve."""
        if dotted == UNKNOWN:
            return dotted
        plain, call, rest = dotted.partition("()")
        if call:
            return self.resolve(index, plain) + call + rest
        if dotted.startswith("."):
            name = dotted.lstrip(".")
            target = absolute_module(
                self._table.original_name(index),
                is_package=index.is_package, level=len(dotted) - len(name), source=name,
            )  # fmt: skip
            return self.absolute(target, index.path)
        return self._guarded(("name", index.path, dotted), lambda: self._seen(index, dotted)) or dotted

    def absolute(self, dotted: str, near: str = "") -> str:
        """An absolute dotted name, as the file ``near`` means it (a path; empty: names are unique ones)."""
        return self._guarded(("absolute", near, dotted), lambda: self._absolute(dotted, near)) or dotted

    def _guarded(self, key: tuple[str, str, str], compute: Callable[[], str | None]) -> str | None:
        """Computes an answer and remembers it; None where the computation runs in a circle."""
        if key in self._known:
            return self._known[key]
        if key in self._active or len(self._active) > _LONGEST_CHAIN:
            self._cuts += 1
            return None
        cuts = self._cuts
        self._active.append(key)
        try:
            answer = compute()
        finally:
            self._active.pop()
        if cuts == self._cuts:
            self._known[key] = answer
        return answer

    def _seen(self, index: ModuleIndex, dotted: str) -> str | None:
        head, _, tail = dotted.partition(".")
        found = self._member(index, head, tail)
        if found is not None:
            return found
        submodule = self._table.submodule(index, head)  # any import of it binds it in its package
        if submodule is not None:
            return self._in_module(submodule, tail) or join(submodule.module, tail)
        if head in _BUILTINS:
            return None
        outside = [star for star in index.stars if self._table.locate(star, index.path) is None]
        return f"{outside[0]}.{dotted}" if len(outside) == 1 else None

    def _absolute(self, dotted: str, near: str) -> str | None:
        parts = dotted.split(".")
        best: str | None = None
        for count in range(1, len(parts) + 1):
            index = self._table.locate(".".join(parts[:count]), near)
            if index is None:
                continue
            tail = ".".join(parts[count:])
            found = self._in_module(index, tail)
            if found is not None:
                return found
            best = join(index.module, tail)
        return best

    def _in_module(self, index: ModuleIndex, dotted: str) -> str | None:
        """A name as an attribute of a module; None if the module has no such attribute."""
        if not dotted:
            return index.module
        head, _, tail = dotted.partition(".")
        submodule = self._table.submodule(index, head)
        if submodule is not None and tail:
            # After `from .client import client` the submodule is hidden as a value, but not in `import pkg.client`.
            found = self._in_module(submodule, tail)
            if found is not None:
                return found
        found = self._member(index, head, tail)
        if found is None and submodule is not None:
            return join(submodule.module, tail)
        return found

    def _member(self, index: ModuleIndex, head: str, tail: str) -> str | None:
        """What a name that the module binds stands for, star imports included; None if it binds none."""
        owner = index if self._binds(index, head) else self._star_source(index, head)
        if owner is None:
            return None
        if head in owner.imports:
            return self._guarded(
                ("member", owner.path, join(head, tail)), lambda: self._imported(owner, head, tail)
            ) or join(owner.imports[head], tail)
        if head in owner.aliases:
            return self.resolve(owner, join(owner.aliases[head], tail))
        if head in self._defined(owner):
            return self._inside(owner, head, tail) if tail and owner.inner else join(f"{owner.module}.{head}", tail)
        submodule = self._table.submodule(owner, head)  # named in `__all__`, bound by nobody
        return (self._in_module(submodule, tail) or join(submodule.module, tail)) if submodule else None

    def _inside(self, index: ModuleIndex, name: str, tail: str) -> str:
        """A name inside of a class of the module, which may be another name of a class: ``Outer.Base``."""
        parts = tail.split(".")
        inner = name
        for count, part in enumerate(parts, 1):
            inner = f"{inner}.{part}"
            if (target := index.inner.get(inner, "=")) and not target.startswith("="):
                return self.resolve(index, join(target, ".".join(parts[count:])))
        return join(f"{index.module}.{name}", tail)

    def _imported(self, index: ModuleIndex, head: str, tail: str) -> str:
        target = index.imports[head]
        if index.is_package and target == f"{self._table.original_name(index)}.{head}":  # `from . import submodule`
            submodule = self._table.submodule(index, head)
            if submodule is None:
                return join(f"{index.module}.{head}", tail)
            return self._in_module(submodule, tail) or join(submodule.module, tail)
        return self.absolute(join(target, tail), index.path)

    def _defined(self, index: ModuleIndex) -> frozenset[str]:
        """Names of the classes, functions and constants at module level."""
        names = self._definitions.get(index.path)
        if names is None:
            names = frozenset(
                [entry.name for entry in index.classes if not entry.nested_in]
                + [entry.name for entry in index.functions]
                + [entry.name for entry in index.constants]
            )
            self._definitions[index.path] = names
        return names

    def _binds(self, index: ModuleIndex, name: str) -> bool:
        return name in index.imports or name in self._defined(index)

    def _star_source(self, index: ModuleIndex, name: str) -> ModuleIndex | None:
        """The module that binds a name which reaches this one through star imports, the last of them first."""
        key = (index.path, name)
        if key in self._starred:
            return self._starred[key]
        found: ModuleIndex | None = None
        visited = {index.path}
        waiting = [(index, star) for star in index.stars]
        while waiting and found is None:
            importer, star = waiting.pop()
            source = self._table.locate(star, importer.path)
            if source is None or source.path in visited:
                continue
            visited.add(source.path)
            public = name in source.dunder_all if source.dunder_all is not None else not name.startswith("_")
            if not public:
                continue
            listed = source.dunder_all is not None and self._table.submodule(source, name) is not None
            if self._binds(source, name) or listed:
                found = source
            waiting += [(source, inner) for inner in source.stars]
        self._starred[key] = found
        return found


def join(head: str, tail: str) -> str:
    """Two parts of a dotted name, of which the second may be empty."""
    return f"{head}.{tail}" if tail else head
