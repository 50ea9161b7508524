"""Base classes from installed packages, where the user names the directories: their source is read, never imported.

Only packages from which the project's classes derive are looked into, and of these only the files that their names
lead through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from otplint.engine.collect import Files, Looked, imported, look
from otplint.facts.frameworks import Vocabulary
from otplint.facts.index.aliases import is_class_like
from otplint.facts.index.by_ast import index_module
from otplint.facts.index.entries import ModuleIndex, Unparsable
from otplint.facts.index.modules import module_name
from otplint.facts.index.project import Project
from otplint.facts.kinship import root_names
from otplint.sources.decode import Undecodable, decode
from otplint.sources.installed import top_names
from otplint.sources.triage import Triage

_CLASS_LIKE = re.compile(rb"\b_*[A-Z]\w*[a-z]\w*")


class Installed:
    """The classes of installed packages, by name.

    Args:
        roots: directories as ``search_roots`` gives them; none for no packages.
        vocabulary: of the frameworks: whose names they are is known, wherever their own source has them.
        files: the disk.
    """

    def __init__(self, roots: tuple[str, ...], vocabulary: Vocabulary, files: Files) -> None:
        self.roots = roots
        self._files = files
        self._tops = top_names(roots)
        self._project = Project((), self._load, roots=roots)
        self._names = root_names(vocabulary)
        self._spelt = {self._project.canonical(n): n for n in sorted(self._names) if n.partition(".")[0] in self._tops}
        self._leading: dict[str, str] = {}

    def bases(self, qualified: str) -> tuple[str, ...]:
        """The bases of a class that the project does not define; none for one that is not found."""
        if qualified.partition(".")[0] not in self._tops:
            return ()
        located = self._project.find_class(qualified)
        if located is None:
            return ()
        return tuple(self._spelt.get(base, base) for base in self._project.bases(located[0].module, located[1]))

    def root(self, qualified: str) -> str:
        """The framework's name that an installed class descends from; empty where it descends from none."""
        if qualified.partition(".")[0] not in self._tops or qualified in self._names:
            return ""
        if qualified not in self._leading:
            order = self._project.mro(qualified)
            self._leading[qualified] = next((s for n in order if (s := self._spelt.get(n, n)) in self._names), "")
        return self._leading[qualified]

    def look(self, found: Looked, files: Files) -> dict[str, str]:
        """Add the files that triage left out and that name an installed actor.

        Returns:
            The installed actors that the project names, each with the framework's name that it descends from.
        """
        named: dict[str, str] = {}
        chosen: list[str] = []
        for path in found.rest if self._tops else ():
            data = files.data(path)
            modules = {module.partition(".")[0] for module in imported(data)}
            if self._tops.isdisjoint(modules) or _CLASS_LIKE.search(data) is None:
                continue
            index = files.load(path)
            if index is not None and (actors := self.named(index)):
                named.update(actors)
                chosen.append(path)
        for index in found.indexes:
            named.update(self.named(index))
        left = set(chosen)
        found.rest = [path for path in found.rest if path not in left]
        commented = list(found.commented)
        found.add(look(chosen, files, Triage([b"import"])))
        found.commented = commented
        return named

    def named(self, index: ModuleIndex) -> dict[str, str]:
        """The installed actors that a file imports or derives from."""
        project = Project([index])
        module = project.modules[0].module
        names: Iterable[str] = [target for target in index.imports.values() if is_class_like(target)]
        names = [*names, *[base for entry in index.classes for base in project.bases(module, entry)]]
        return {name: root for name in names if (root := self.root(name))}

    def _load(self, path: str) -> ModuleIndex | None:
        root = max((root for root in self.roots if path.startswith(root)), key=len, default=None)
        if root is None:
            return None
        try:
            text = decode(self._files.data(path)).text
            name = module_name(path.removeprefix(root), lambda d: self._files.exists(f"{root}{d}/__init__.py"))
            return index_module(text, path, name.module, name.is_package)
        except (OSError, Undecodable, Unparsable):
            return None
