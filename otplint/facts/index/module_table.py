"""The modules of a project by path and by name, with those that are pulled in when a name leads there."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from otplint.facts.index.entries import ModuleIndex
from otplint.facts.index.modules import SOURCE_DIRECTORIES, candidate_paths, source_root

_COMMON_ROOTS = dict.fromkeys(("", "src/"))


class ModuleTable:
    """Finds modules. Arguments as project.Project."""

    def __init__(
        self, indexes: Iterable[ModuleIndex], load: Callable[[str], ModuleIndex | None], roots: Iterable[str] = ()
    ) -> None:
        self._load = load
        self._common = dict.fromkeys(roots) or _COMMON_ROOTS
        self._by_path: dict[str, ModuleIndex | None] = {}
        self._by_name: dict[str, ModuleIndex] = {}
        self._original: dict[str, str] = {}
        self._roots: dict[str, dict[str, None]] = {}  # by the first part of the names that start there
        self._all_roots: dict[str, None] = {}
        self._located: dict[tuple[str, str], ModuleIndex | None] = {}
        paths = {index.path: index for index in indexes}
        given = sorted(paths.values(), key=lambda index: (index.path.count("/"), index.path))
        self._pulled: dict[str, ModuleIndex | None] = {**paths}  # as they came, before their names were made unique
        for index in given:
            root = source_root(index.path, index.module, is_package=index.is_package)
            self._roots.setdefault(index.module.partition(".")[0], {})[root] = None
            if root not in self._all_roots:
                self._add_namespaces(root)
            self._all_roots[root] = None
        self._given: dict[str, list[ModuleIndex]] = {}  # by the name before it was made unique, and by the unique one
        for index in given:
            added = self._add(index)
            for name in {index.module, added.module}:
                self._given.setdefault(name, []).append(added)
        self.given: tuple[ModuleIndex, ...] = tuple(i for p in sorted(paths) if (i := self._by_path[p]) is not None)
        """The modules that the table was made of, by path, with unique names."""

    def _add_namespaces(self, root: str) -> None:
        """A regular package may lie in a namespace package, which no ``__init__.py`` tells: ``src/acme/players``."""
        parts = root.split("/")[:-1]
        for count in range(len(parts) - 1, -1, -1):
            if not parts[count].isidentifier() or parts[count] in SOURCE_DIRECTORIES:
                break
            above = "/".join(parts[:count])
            self._roots.setdefault(parts[count], {})[above + "/" if above else ""] = None

    def pulled(self) -> dict[str, bool]:
        """The paths that were asked for beside the given ones, each with whether there is such a module."""
        given = {index.path for index in self.given}
        return {path: index is not None for path, index in self._pulled.items() if path not in given}

    def named(self, module: str) -> ModuleIndex | None:
        """The module of a unique name, if it is known by now."""
        return self._by_name.get(module)

    def original_name(self, index: ModuleIndex) -> str:
        """The module's name before it was made unique: what its own relative imports start from."""
        return self._original[index.path]

    def at(self, path: str) -> ModuleIndex | None:
        """The module in a file, pulled in if need be."""
        if path in self._by_path:
            return self._by_path[path]
        index = self._pull(path)
        if index is None:
            self._by_path[path] = None
            return None
        # Which of several files of one name keeps it may not depend on which is asked for first.
        roots = self._roots.get(index.module.partition(".")[0]) or {**self._common, **self._all_roots}
        first = next((p for p in candidate_paths(index.module, roots) if p == path or self._pull(p)), None)
        return self._add(index, keep_name=first == path)

    def _pull(self, path: str) -> ModuleIndex | None:
        if path not in self._pulled:
            self._pulled[path] = self._load(path)
        return self._pulled[path]

    def locate(self, module: str, near: str) -> ModuleIndex | None:
        """The module that an absolute dotted name means.

        Args:
            module: dotted.
            near: path of the file that says so: of several modules the closest is meant. Empty: it is a unique name.
        """
        directory = near[: near.rfind("/") + 1]
        key = (module, directory if near else "/")
        if key not in self._located:
            self._located[key] = self._search(module, near, directory)
        return self._located[key]

    def submodule(self, package: ModuleIndex, name: str) -> ModuleIndex | None:
        """The module or package of that name in a package's own directory."""
        if not package.is_package:
            return None
        directory = package.path.rpartition("/")[0]
        prefix = f"{directory}/{name}" if directory else name
        return self.at(prefix + "/__init__.py") or self.at(prefix + ".py")

    def _search(self, module: str, near: str, directory: str) -> ModuleIndex | None:
        """As ``locate``. Which modules were pulled in by now may not count: it depends on the questions so far."""
        alike = self._given.get(module, ())
        top = self._roots.get(module.partition(".")[0], {})
        if not near:
            return alike[0] if alike else self._first(module, {**top, **self._common, **self._all_roots})
        importer = self.at(near)
        if importer is not None:
            root = source_root(near, self.original_name(importer), is_package=importer.is_package)
            found = self._first(module, {root: None})
            if found is not None:
                return found
        if alike:
            return max(alike, key=lambda index: _shared_directories(index.path, near))
        roots = {**top, **self._common}
        if directory and self.at(directory + "__init__.py") is None:
            roots[directory] = None  # a script imports its neighbours
        return self._first(module, roots)

    def _first(self, module: str, roots: Iterable[str]) -> ModuleIndex | None:
        return next((found for path in candidate_paths(module, roots) if (found := self.at(path))), None)

    def _add(self, index: ModuleIndex, *, keep_name: bool = True) -> ModuleIndex:
        original = name = index.module
        if not keep_name or name in self._by_name:
            name = index.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            while name in self._by_name:
                name += "_"
        unique = index if name == original else index._replace(module=name)
        self._by_name[name] = unique
        self._by_path[index.path] = unique
        self._original[index.path] = original
        return unique


def _shared_directories(one: str, other: str) -> int:
    count = 0
    for left, right in zip(one.split("/")[:-1], other.split("/")[:-1], strict=False):
        if left != right:
            break
        count += 1
    return count
