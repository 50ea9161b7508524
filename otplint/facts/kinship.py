"""Which classes descend from a framework's actors and supervisors, over all files."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from otplint.facts.frameworks import SETUP_ROLES, Vocabulary
from otplint.facts.index.aliases import is_class_like
from otplint.facts.index.entries import ModuleIndex
from otplint.facts.index.project import Project
from otplint.facts.makers import Makers

__all__ = ["NOTHING_FAR", "SETUP_ROLES", "Far", "Kinship", "root_names"]


class Far(NamedTuple):
    """What is known of classes outside of the project."""

    bases: Callable[[str], tuple[str, ...]]
    """The bases of one, by its qualified name."""
    named: Mapping[str, str]
    """Those that the project names and that are actors, with the framework's name that each descends from."""


NOTHING_FAR = Far(lambda _qualified: (), {})


def root_names(vocabulary: Vocabulary) -> frozenset[str]:
    """The names from which descent starts: the frameworks' actors and what sets supervision up."""
    return frozenset(vocabulary.bases) | {n for n, (_, op) in vocabulary.exact.items() if op.role in SETUP_ROLES}


class Kinship:
    """Descent from the names that the frameworks know, worked out once for a set of modules.

    A class that descends from an actor names it, and so on up to a file that names the framework: whoever searches the
    files for :attr:`words` again and again until there are no new ones has found all descendants.
    """

    def __init__(
        self,
        project: Project,
        vocabulary: Vocabulary,
        living: Collection[str] = (),
        makers: Makers | None = None,
        far: Mapping[str, str] = NOTHING_FAR.named,
    ) -> None:
        """Work descent out.

        Args:
            project: the modules that count.
            vocabulary: of the frameworks.
            living: qualified names of classes that may be actors by their shape; what derives from them may be too.
            makers: what the texts of the modules say about making actors by the project's own decorators and by calls.
            far: actors outside of the project that it names, as :class:`Far` has them.
        """
        self._project = project
        self.witness = project
        """Records what is asked, where somebody records."""
        self._actor_names = vocabulary.bases
        self.made = (makers or Makers(vocabulary)).settle(project)
        """The project's own decorators that make actors, and the classes that some file makes actors by a call."""
        self._setup_names = {name for name, (_, op) in vocabulary.exact.items() if op.role in SETUP_ROLES}
        self._roots = root_names(vocabulary)
        self._living = living
        self._spelt_roots, self._spelt_living = project.spelt(self._roots), project.spelt(living)
        self._own_sources = {project.canonical(name) for name in self._setup_names}
        """The same where a framework's own source is among the files: the names that its re-exports lead to."""
        self._kin: dict[str, str] = {**far}
        self.setup_last = frozenset(name.rpartition(".")[2] for name in self._setup_names)
        for index in project.modules:
            self._add(index)
        self.setup_last |= {n.rpartition(".")[2] for n, root in self._kin.items() if root in self._setup_names}
        self._packages = {name.rpartition(".")[0] for name in self._setup_names}
        self.words = frozenset(self._words(project.modules, living=False)) | self.made.words()
        """Names by which files may speak of the descendants."""
        self.base_words = frozenset(self._words(project.modules, living=True)) | self._renamed() | self.made.objects()
        """Names of those that descend from classes that may be actors by their shape: enough in a class's header."""

    def _add(self, index: ModuleIndex) -> None:
        for entry in index.classes:
            name = f"{index.module}.{entry.qualname}"
            if entry.bases or entry.keywords or name in self._living or name in self._actor_names:
                made_by = self._project.resolve(index.module, entry.keywords.get("metaclass", ""))
                root = self._root(name)
                root = root or (made_by if made_by in self._actor_names else None)
                if root is not None:
                    self._kin[name] = root
        for constant in index.constants:  # Player = make(pykka.ThreadingActor), Base = pykka.ThreadingActor or object
            made = constant.call and is_class_like(constant.name) and not is_class_like(constant.call)
            if made or constant.means:
                name = f"{index.module}.{constant.name}"
                if (root := self._root(name)) is not None:
                    self._kin[name] = root

    def _root(self, qualified: str) -> str | None:
        """The first of the framework's names that a class descends from, or else of those that live by their shape."""
        return self._project.ancestor_in(qualified, self._spelt_roots) or (
            self._project.ancestor_in(qualified, self._spelt_living) if self._living else None
        )

    def _words(self, modules: Iterable[ModuleIndex], *, living: bool) -> set[str]:
        kin = [name for name, root in self._kin.items() if (root in self._living) is living]
        words = {name.rpartition(".")[2] for name in kin}
        words |= {name.partition(".<locals>.")[0].rpartition(".")[2] for name in kin if ".<locals>." in name}
        roots = set() if living else {name.rpartition(".")[2] for name in self._roots}
        renamed: dict[str, set[str]] = {}
        for index in modules:
            inner = [(local.rpartition(".")[2], target) for local, target in index.inner.items()]
            for local, target in (*index.imports.items(), *index.aliases.items(), *inner):
                if (last := target.rpartition(".")[2]) != local:
                    renamed.setdefault(last, set()).add(local)
            for local, target in index.aliases.items():
                if target.rpartition(".")[2] in roots and self._project.resolve(index.module, local) in self._roots:
                    words.add(local)
        fresh = words
        while fresh:  # a name may be given another one in several files
            fresh = {local for word in fresh for local in renamed.get(word, ())} - words
            words |= fresh
        return words

    def _renamed(self) -> set[str]:
        """Other names under which files import what the frameworks name: a third file may have them from there."""
        last = {name.rpartition(".")[2] for name in self._roots}
        return {
            local
            for index in self._project.modules
            for local, target in index.imports.items()
            if local != target.rpartition(".")[2] in last and target in self._roots
        }

    def doubtful(self) -> Iterator[str]:
        """Each class with a base that is named like an actor and leads nowhere.

        A file in between may hand the name on without writing it: ``from .base import *``.
        """
        known = self.words | self.base_words | {name.rpartition(".")[2] for name in self._roots}
        for index in self._project.modules:
            for entry in index.classes:
                name = f"{index.module}.{entry.qualname}"
                if name not in self._kin and any(
                    written.removesuffix("()").rpartition(".")[2] in known for written in (*entry.bases, *entry.given)
                ):
                    lost = [b for b in self._project.bases(index.module, entry) if self._project.find_class(b) is None]
                    if lost and not self._roots.issuperset(lost):
                        yield name

    def leads_on(self, ancestors: Iterable[str]) -> bool:
        """Whether one of these classes is what descent is about: a framework's name, or a class that descends."""
        return any(name in self._roots or name in self._kin or name in self._living for name in ancestors)

    def actor_root(self, qualified: str) -> str:
        """The framework's actor base that a class descends from, or the empty string."""
        root = self._kin.get(qualified)
        if root is None:
            known = self._project.find_class(qualified)
            far = known is not None and not self._given(known[0])
            root = self._project.ancestor_in(qualified, self._spelt_roots) if far else ""
        answer = root if root in self._actor_names else ""
        self.witness.note("actor_root", qualified, answer=answer)
        return answer

    def whole(self) -> tuple[object, ...]:
        """What every answer may hang on: it says the same where this is the same."""
        made = self.made
        return (sorted(self.setup_last), sorted(made.decorators.items()), sorted(made.wrapped.items()))

    def _given(self, index: ModuleIndex) -> bool:
        return index in self._project.modules

    def sets_up(self, qualified: str) -> bool:
        """True for a class that descends from a supervisor."""
        answer = qualified in self._own_sources or self._kin.get(qualified, "") in self._setup_names
        self.witness.note("sets_up", qualified, answer=str(answer))
        return answer

    def setup_words(self, local: str, target: str, resolve: Callable[[str], str]) -> set[str]:
        """How a file that binds ``local`` to ``target`` by an import may write the names of supervisors."""
        if target.rpartition(".")[2] in self.setup_last:
            qualified = resolve(local)
            return {local} if qualified in self._setup_names or self.sets_up(qualified) else set()
        if any(package == target or package.startswith(target + ".") for package in self._packages):
            return set(self.setup_last)
        return set()

    def supervising(self, index: ModuleIndex, text: Callable[[], str]) -> set[tuple[str, str]]:
        """Pairs of texts by which other files may speak of what sets supervision up in this one.

        Who calls such a function or patches it in a test writes its name and its module's; a test that changes what
        it imports writes the name of that module.
        """
        words = {c.name for c in index.classes if self.sets_up(f"{index.module}.{c.qualname}")}
        for local, target in index.imports.items():
            words |= self.setup_words(local, target, lambda name: self._project.resolve(index.module, name))
        if not words:
            return set()
        pattern = re.compile(rf"\b(?:{'|'.join(sorted(map(re.escape, words)))})\b")
        whole, last = text(), index.module.rpartition(".")[2]
        spans = [(e.name, e.start, e.end) for e in index.functions] + [(e.name, e.start, e.end) for e in index.classes]
        found = {(last, name) for name, start, end in spans if pattern.search(whole, start, end)}
        own = index.module.partition(".")[0]
        read = [target for target in index.imports.values() if target.partition(".")[0] == own]
        names = {m.rpartition(".")[2] for target in read for m in (target, target.rpartition(".")[0])} - {""}
        return found | {(name, "def test_") for name in names}
