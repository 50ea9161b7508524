"""Functions that make classes: ``def mixed(base): class X(base): ...; return X``, and what they are given."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable
from functools import cached_property

from otplint.facts.index.aliases import is_class_like
from otplint.facts.index.entries import ClassEntry, ConstantEntry, FunctionEntry, ModuleIndex
from otplint.facts.index.resolution import Resolver

_Definition = ClassEntry | FunctionEntry | ConstantEntry
_LOCAL = ".<locals>."


class Factories:
    """Answers for one project.

    Args:
        resolver: of the project's names.
        definition: the definition of a name that leads to no other.
        modules: those whose calls count.
    """

    def __init__(
        self,
        resolver: Resolver,
        definition: Callable[[str], tuple[ModuleIndex, _Definition] | None],
        modules: Iterable[ModuleIndex],
    ) -> None:
        self._resolver = resolver
        self._definition = definition
        self._modules = modules

    def made_by(self, function: str) -> str:
        """The class that a function of that name makes: the last one in its body; empty where there is none."""
        found = self._definition(function)
        if found is None or not isinstance(found[1], FunctionEntry):
            return ""
        index, entry = found
        made = [c for c in index.classes if c.nested_in == entry.name and _LOCAL in c.qualname]
        return f"{index.module}.{made[-1].qualname}" if made else ""

    def takes_base(self, made: str) -> bool:
        """Whether a base of a made class is a parameter of the function that makes it."""
        found = self._definition(made)
        return (
            found is not None
            and isinstance(found[1], ClassEntry)
            and any(self.is_parameter(found[0], found[1], base) for base in found[1].bases)
        )

    def is_parameter(self, index: ModuleIndex, entry: ClassEntry, base: str) -> bool:
        """Whether a base, as far as it could be resolved, is a name that only the function around can bind."""
        plain = base.isidentifier() and base in entry.bases and not hasattr(builtins, base)
        return plain and base not in index.imports and not index.stars

    def given_to(self, index: ModuleIndex, entry: ClassEntry) -> tuple[str, ...]:
        """The classes given to the function that makes the class, wherever a module or a class's bases call it."""
        function = entry.qualname.partition(_LOCAL)[0]
        found: dict[str, None] = {}
        for caller, call, given in self._calls.get(function, ()):
            if self._resolver.resolve(caller, call) == f"{index.module}.{function}":
                found.update((self._resolver.resolve(caller, name), None) for name in given if is_class_like(name))
        return tuple(found)

    @cached_property
    def _calls(self) -> dict[str, list[tuple[ModuleIndex, str, tuple[str, ...]]]]:
        """Calls at module level that are given names, by the last part of what they call."""
        found: dict[str, list[tuple[ModuleIndex, str, tuple[str, ...]]]] = {}
        for index in self._modules:
            sites = [(c.call, c.given) for c in index.constants if c.call and c.given]
            sites += [(b[:-2], c.given) for c in index.classes if c.given for b in c.bases if b.endswith("()")]
            for call, given in sites:
                last = index.imports.get(call, call).rpartition(".")[2]
                found.setdefault(last, []).append((index, call, given))
        return found
