"""The modules of a project joined: names resolved across files, classes and their ancestors.

Answers depend on the set of files, never on their order nor on the order of questions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias, TypeVar, cast

from otplint.facts.index.entries import ClassEntry, ConstantEntry, FunctionEntry, ModuleIndex
from otplint.facts.index.factories import Factories
from otplint.facts.index.linearise import linearise
from otplint.facts.index.module_table import ModuleTable
from otplint.facts.index.resolution import Resolver, join

__all__ = ["Answer", "Project", "Question"]

Question: TypeAlias = tuple[str, ...]
"""Name of the method and its arguments."""
Answer: TypeAlias = str | tuple[str, ...] | None

_T = TypeVar("_T", bound=Answer)
_Plain = TypeVar("_Plain")
_Entry = TypeVar("_Entry", ClassEntry, FunctionEntry, ConstantEntry)
_Definition: TypeAlias = ClassEntry | FunctionEntry | ConstantEntry


def _nothing(_path: str) -> ModuleIndex | None:
    return None


def _no_bases(_qualified: str) -> tuple[str, ...]:
    return ()


class Project:
    """What names mean in a set of modules.

    Args:
        indexes: the modules that were indexed, in any order. Where several have the same dotted name (services of one
            repository), the first by depth and path keeps it, and the others are named by their whole path: use
            ``modules`` and ``at`` for the names that count.
        load: pulls in a module of the project that is not among them, by its path relative to the project root; None
            where there is no such file or it cannot be indexed. It is asked once for each path, and most do not exist:
            it should know that from the list of files, not from the disk.
        roots: directories where dotted names start, beside those that the modules' own names show; empty for the
            project root and ``src/``.
        far: the bases of a class outside of the project, by its qualified name.
    """

    def __init__(
        self,
        indexes: Iterable[ModuleIndex],
        load: Callable[[str], ModuleIndex | None] = _nothing,
        *,
        roots: Iterable[str] = (),
        far: Callable[[str], tuple[str, ...]] = _no_bases,
    ) -> None:
        self._table = ModuleTable(indexes, load, roots)
        self._far = far
        self._resolver = Resolver(self._table)
        self._definitions: dict[str, dict[str, _Definition]] = {}
        self._bases: dict[tuple[str, int], tuple[str, ...]] = {}
        self._orders: dict[str, tuple[str, ...]] = {}
        self._below: dict[str, list[str]] | None = None
        self._trace: dict[Question, Answer] | None = None
        self._remembered: dict[tuple[str, ...], tuple[object, dict[Question, Answer] | None]] = {}
        self._factories = Factories(self._resolver, self._definition, self._table.given)
        self.modules: tuple[ModuleIndex, ...] = self._table.given
        """The given modules, by path. Their names are unique and the ones that answers use."""

    def at(self, path: str) -> ModuleIndex | None:
        """The module in a file (path relative to the project root), pulled in if need be."""
        return self._table.at(path)

    def module(self, name: str) -> ModuleIndex | None:
        """The module of a dotted name, pulled in if need be."""
        return self._table.locate(name, "")

    def resolve(self, module: str, dotted: str) -> str:
        """What a dotted name means at module level of a module.

        Args:
            module: a name as in ``modules``.
            dotted: as written there; leading dots start the target of a relative import (``.base.Actor``).

        Returns:
            The qualified name where it is defined: imports, re-exports, aliases and star imports followed. What lies
            outside of the project goes as far as that (``threading.Thread``); a name that nothing binds is itself.
        """
        index = self._table.named(module) or self._table.locate(module, "")
        answer = self._resolver.resolve(index, dotted) if index else self._resolver.absolute(dotted)
        return self._noted(("resolve", module, dotted), answer)

    def canonical(self, qualified: str) -> str:
        """An absolute dotted name with re-exports followed: ``pkg.Actor`` is ``pkg._impl.Actor``."""
        return self._noted(("canonical", qualified), self._resolver.absolute(qualified))

    def find_class(self, qualified: str) -> tuple[ModuleIndex, ClassEntry] | None:
        """The class of that name, nested ones included (``mod.Outer.Inner``, ``mod.make.<locals>.Local``).

        Names that re-exports and aliases lead on are followed. Of several definitions in one file the first counts.
        """
        return self._found("find_class", qualified, ClassEntry)

    def find_function(self, qualified: str) -> tuple[ModuleIndex, FunctionEntry] | None:
        """The module level function of that name; names are followed as by ``find_class``."""
        return self._found("find_function", qualified, FunctionEntry)

    def find_constant(self, qualified: str) -> tuple[ModuleIndex, ConstantEntry] | None:
        """The first assignment to that name at module level (all of them: the module's ``constants``)."""
        return self._found("find_constant", qualified, ConstantEntry)

    def bases(self, module: str, entry: ClassEntry) -> tuple[str, ...]:
        """The qualified names of a class's bases, in order: what ``resolve`` says of each, seen from the class's scope.

        Of a call of the project's own function that makes a class, that class; of a parameter of such a function, the
        classes that it is given. Any other call ends with ``()``, what no name can say is ``?``.
        """
        index = self._table.named(module)
        if index is None:
            return entry.bases
        key = (index.path, entry.start)
        if key not in self._bases:
            self._bases[key] = tuple(self._all_bases(index, entry))
        return self._bases[key]

    def mro(self, qualified: str) -> tuple[str, ...]:
        """The class and its ancestors in method resolution order: C3 where the bases allow it, else depth first.

        External ancestors are there by name, ``object`` only where it is written. Circles are cut.
        """
        order = linearise(self._resolver.absolute(qualified), self._direct, self._orders)
        return self._noted(("mro", qualified), order)

    def subclasses(self, qualified: str) -> tuple[str, ...]:
        """All classes in the given modules that derive from a class, near or far, sorted; it may be an external one."""
        if self._below is None:
            self._below = {}
            for index in self.modules:
                for name in {f"{index.module}.{entry.qualname}" for entry in index.classes}:
                    for ancestor in linearise(name, self._direct, self._orders)[1:]:
                        self._below.setdefault(ancestor, []).append(name)
        below = tuple(sorted(self._below.get(self._resolver.absolute(qualified), ())))
        return self._noted(("subclasses", qualified), below)

    def derives_from(self, qualified: str, names: Collection[str]) -> str | None:
        """Which of ``names`` the class is, or else reaches first in its method resolution order; None if it does not.

        The answer is spelt as in ``names``, which may be names of re-exports.
        """
        return self.ancestor_in(qualified, self.spelt(names))

    def spelt(self, names: Collection[str]) -> dict[str, str]:
        """Each of ``names`` by what it leads to, for many questions by :meth:`ancestor_in`."""
        wanted: dict[str, str] = {}
        for name in sorted(names):
            wanted.setdefault(self._resolver.absolute(name), name)
        return wanted

    def ancestor_in(self, qualified: str, wanted: Mapping[str, str]) -> str | None:
        """As :meth:`derives_from`, of names that :meth:`spelt` gave."""
        return next((wanted[ancestor] for ancestor in self.mro(qualified) if ancestor in wanted), None)

    @contextmanager
    def recording(self) -> Iterator[dict[Question, Answer]]:
        """Collects the questions that are asked meanwhile and their answers, failed look-ups included.

        What was worked out from them still holds as long as ``ask`` gives the same answers. A found entry's answer is
        the path of its file. Recordings do not nest.
        """
        trace: dict[Question, Answer] = {}
        self._trace = trace
        try:
            yield trace
        finally:
            self._trace = None

    def ask(self, question: Question) -> Answer:
        """Asks a recorded question again."""
        method, *arguments = question
        answer = getattr(self, method)(*arguments)
        if method.startswith("find_"):
            return answer[0].path if answer else None
        result: Answer = answer
        return result

    def note(self, *question: str, answer: Answer = None) -> None:
        """Add to the recording what was asked of somebody else; an answer of none is filled in by whoever keeps it."""
        if self._trace is not None:
            self._trace[question] = answer

    def remembered(self, key: tuple[str, ...], work_out: Callable[[], _Plain]) -> _Plain:
        """What was worked out once for all who ask; whoever is told has asked the same questions.

        Args:
            key: what it is about.
            work_out: gives plain data, which may hang on other files.
        """
        known = self._remembered.get(key)
        if known is None or (known[1] is None and self._trace is not None):
            outer = self._trace
            self._trace = {} if outer is not None else None
            try:
                known = self._remembered[key] = (work_out(), self._trace)
            finally:
                self._trace = outer
        if self._trace is not None and known[1] is not None:
            self._trace.update(known[1])
        return cast("_Plain", known[0])

    def pulled(self) -> dict[str, bool]:
        """The paths beside the given modules that answers depended on, each with whether there is such a file."""
        return self._table.pulled()

    def _noted(self, question: Question, answer: _T) -> _T:
        if self._trace is not None:
            self._trace[question] = answer
        return answer

    def _found(self, method: str, qualified: str, kind: type[_Entry]) -> tuple[ModuleIndex, _Entry] | None:
        found = self._definition(self._resolver.absolute(qualified))
        answer = (found[0], found[1]) if found is not None and isinstance(found[1], kind) else None
        self._noted((method, qualified), answer[0].path if answer else None)
        if answer is not None:
            self.note("entry", answer[0].path)
        return answer

    def _definition(self, canonical: str) -> tuple[ModuleIndex, _Definition] | None:
        """The definition of a name that leads on to no other."""
        module = canonical
        while "." in module:
            module = module.rpartition(".")[0]
            index = self._table.named(module)
            if index is not None:
                entry = self._entries(index).get(canonical[len(module) + 1 :])
                if entry is not None:
                    return index, entry
        return None

    def _entries(self, index: ModuleIndex) -> dict[str, _Definition]:
        entries = self._definitions.get(index.path)
        if entries is None:
            entries = {}
            for defined in index.classes:
                entries.setdefault(defined.qualname, defined)
            for function in index.functions:
                entries.setdefault(function.qualname, function)
            for constant in index.constants:
                entries.setdefault(constant.name, constant)
            self._definitions[index.path] = entries
        return entries

    def _direct(self, canonical: str) -> tuple[str, ...]:
        found = self._definition(canonical)
        if found is None:
            return self._far(canonical)
        index, entry = found
        if isinstance(entry, ConstantEntry):  # Player = make(Base), Player = Fast if fast else Slow
            made = self._factories.made_by(self._resolver.resolve(index, entry.call)) if entry.call else ""
            return (made,) if made else tuple(self._resolver.resolve(index, name) for name in entry.means)
        return self.bases(index.module, entry) if isinstance(entry, ClassEntry) else ()

    def _all_bases(self, index: ModuleIndex, entry: ClassEntry) -> Iterator[str]:
        for written in entry.bases:
            base = self._base(index, entry, written)
            if base.endswith("()"):
                made = self._factories.made_by(base[:-2])
                yield made or base
                if made and entry.given and self._factories.takes_base(made):
                    yield from (self._base(index, entry, given) for given in entry.given)
            elif "<locals>" in entry.qualname and self._factories.is_parameter(index, entry, base):
                yield from self._factories.given_to(index, entry) or (base,)
            else:
                yield base

    def _base(self, index: ModuleIndex, entry: ClassEntry, written: str) -> str:
        head, _, tail = written.partition(".")
        entries = self._entries(index)
        scope = entry.qualname.rpartition(".")[0]
        while scope:
            if isinstance(entries.get(f"{scope}.{head}"), ClassEntry) and f"{scope}.{head}" != entry.qualname:
                return join(f"{index.module}.{scope}.{head}", tail)
            inner = index.inner.get(f"{scope}.{head}", "")
            if inner.startswith("="):
                return self._resolver.absolute(join(inner[1:], tail), index.path)
            if inner:
                return self._resolver.resolve(index, join(inner, tail))
            # Names of a class body are not seen from the functions in it: only what is in functions is left.
            outer, is_local, _ = scope.removesuffix(".<locals>").rpartition(".<locals>")
            scope = outer + is_local
        if head == entry.name and not entry.nested_in and head in index.shadowed:
            # from x import Base; class Base(Base): ...
            return self._resolver.absolute(join(index.shadowed[head], tail), index.path)
        return self._resolver.resolve(index, written)
