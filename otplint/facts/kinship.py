"""Which classes descend from a framework's actors and supervisors, over all files."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable

from otplint.facts.frameworks import Vocabulary
from otplint.facts.index.entries import ModuleIndex
from otplint.facts.index.project import Project

SETUP_ROLES = ("supervise", "breaker", "child", "retry")
"""Operations that make code worth a look although it is no actor."""


class Kinship:
    """Descent from the names that the frameworks know, worked out once for a set of modules.

    A class that descends from an actor names it, and so on up to a file that names the framework: whoever searches the
    files for :attr:`words` again and again until there are no new ones has found all descendants.
    """

    def __init__(self, project: Project, vocabulary: Vocabulary, living: Collection[str] = ()) -> None:
        """Work descent out.

        Args:
            project: the modules that count.
            vocabulary: of the frameworks.
            living: qualified names of classes that may be actors by their shape; what derives from them may be too.
        """
        self._project = project
        self._actor_names = vocabulary.bases
        self._decorators = vocabulary.decorators
        self._setup_names = {name for name, (_, op) in vocabulary.exact.items() if op.role in SETUP_ROLES}
        self._roots = {*self._actor_names, *self._setup_names}
        self._living = living
        self._own_sources = {project.canonical(name) for name in self._setup_names}
        """The same where a framework's own source is among the files: the names that its re-exports lead to."""
        self._kin: dict[str, str] = {}
        self.setup_last = frozenset(name.rpartition(".")[2] for name in self._setup_names)
        for index in project.modules:
            self._add(index)
        self.setup_last |= {n.rpartition(".")[2] for n, root in self._kin.items() if root in self._setup_names}
        self._packages = {name.rpartition(".")[0] for name in self._setup_names}
        self.words = frozenset(self._words(project.modules, living=False))
        """Names by which files may speak of the descendants."""
        self.base_words = frozenset(self._words(project.modules, living=True))
        """Names of those that descend from classes that may be actors by their shape: enough in a class's header."""

    def _add(self, index: ModuleIndex) -> None:
        for entry in index.classes:
            name = f"{index.module}.{entry.qualname}"
            if entry.bases or entry.keywords or name in self._living or name in self._actor_names:
                made_by = self._project.resolve(index.module, entry.keywords.get("metaclass", ""))
                root = self._project.derives_from(name, self._roots) or self._project.derives_from(name, self._living)
                root = root or (made_by if made_by in self._actor_names else None)
                if root is not None:
                    self._kin[name] = root

    def _words(self, modules: Iterable[ModuleIndex], *, living: bool) -> set[str]:
        words = {name.rpartition(".")[2] for name, root in self._kin.items() if (root in self._living) is living}
        for index in modules:
            for local, target in (*index.imports.items(), *index.aliases.items()):
                if target.rpartition(".")[2] in words and local != target.rpartition(".")[2]:
                    words.add(local)
        return words

    def decorating(self) -> frozenset[str]:
        """Decorators as files may write them: ``@app.task`` where some file has ``app = Celery(...)``."""
        owners: dict[str, set[str]] = {}
        for name in self._decorators:
            owner, _, last = name.rpartition(".")
            owners.setdefault(owner, set()).add(last)
        found: set[str] = set()
        for index in self._project.modules:
            for constant in index.constants:
                made = self._project.resolve(index.module, constant.call) if constant.call else ""
                found.update(f"@{constant.name}.{last}" for last in owners.get(made, ()))
        return frozenset(found)

    def actor_root(self, qualified: str) -> str:
        """The framework's actor base that a class descends from, or the empty string."""
        root = self._kin.get(qualified)
        if root is None:
            known = self._project.find_class(qualified)
            root = self._project.derives_from(qualified, self._roots) if known and not self._given(known[0]) else ""
        return root if root in self._actor_names else ""

    def _given(self, index: ModuleIndex) -> bool:
        return index in self._project.modules

    def sets_up(self, qualified: str) -> bool:
        """True for a class that descends from a supervisor."""
        return qualified in self._own_sources or self._kin.get(qualified, "") in self._setup_names

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
