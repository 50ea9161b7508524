"""Which module a file is, and which files a module may be.

A file's name starts at its source root: the directory above its outermost package (the one with ``__init__.py``); for a
file in a plain directory, ``src`` or the project root, so that namespace packages work. Nothing here touches the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

SOURCE_DIRECTORIES = ("src", "lib", "python")
"""Directories that hold packages and are none themselves, unless they have an ``__init__.py``."""


class ModuleName(NamedTuple):
    """What a file is called."""

    module: str
    """Dotted."""
    is_package: bool
    root: str
    """The directory where the dotted name starts: empty, or a POSIX path with a trailing slash."""


def module_name(path: str, has_init: Callable[[str], bool]) -> ModuleName:
    """The module that a file is.

    Args:
        path: relative to the project root, POSIX separators.
        has_init: whether a directory (relative, no trailing slash) holds an ``__init__.py`` or ``__init__.pyi``.

    Returns:
        ``pkg.mod`` for ``src/pkg/mod.py``; ``pkg`` for ``src/pkg/__init__.py``; ``tools.run`` for ``tools/run.py`` in a
        plain directory. Directories that are no identifiers, and those above, are left out. Never an empty module.
    """
    *directories, file = path.split("/")
    stem = file.partition(".")[0] if file.startswith("__init__.") else file.rsplit(".", 1)[0]
    top = len(directories)
    in_package = False
    while top and directories[top - 1].isidentifier():
        if has_init("/".join(directories[:top])):
            in_package = True
        elif in_package or directories[top - 1] in SOURCE_DIRECTORIES:
            break
        top -= 1
    is_package = stem == "__init__" and top < len(directories)
    parts = directories[top:] if is_package else [*directories[top:], stem]
    root = "/".join(directories[:top])
    return ModuleName(".".join(parts), is_package, root + "/" if root else "")


def index_names(paths: Iterable[str]) -> dict[str, ModuleName]:
    """The names of files among which every ``__init__.py`` is listed: for callers that have the walk's result."""
    listed = list(paths)
    packages = {path.rpartition("/")[0] for path in listed if path.endswith(("/__init__.py", "/__init__.pyi"))}
    return {path: module_name(path, packages.__contains__) for path in listed}


def source_root(path: str, module: str, *, is_package: bool) -> str:
    """The directory where a file's dotted name starts: empty, or with a trailing slash."""
    depth = module.count(".") + (1 if is_package else 0)
    directories = path.split("/")[:-1]
    root = "/".join(directories[: max(len(directories) - depth, 0)])
    return root + "/" if root else ""


def candidate_paths(module: str, roots: Iterable[str]) -> Iterator[str]:
    """The files that a dotted module may be, the likeliest first.

    Args:
        module: dotted, absolute.
        roots: directories as in ModuleName.root, in order of preference.
    """
    relative = module.replace(".", "/")
    for root in roots:
        yield f"{root}{relative}/__init__.py"
        yield f"{root}{relative}.py"
