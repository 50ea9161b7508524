"""The files of a project where its disk is not at hand: what was carried along, and what is found to be missing."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from otplint.engine.collect import Files, imported
from otplint.facts.index.entries import absolute_module
from otplint.facts.index.modules import candidate_paths, module_name

_LISTED = re.compile(rb"\bimport[ \t]*\([^)]*\)")
Content = bytes | OSError
"""What a file holds, or why that cannot be read."""


@dataclass(frozen=True)
class Carried(Files):
    """Files without a disk.

    ``wanted`` names files that are known to exist and were not carried: whatever was worked out without them does not
    count.
    """

    names: frozenset[str] = frozenset()
    """All files that the project's modules may be, by their paths from the root."""
    contents: dict[str, Content] = field(default_factory=dict)
    wanted: set[str] = field(default_factory=set)

    def data(self, relative: str) -> bytes:
        """The bytes of a file; errors as on the disk that it comes from."""
        found = self.contents.get(relative)
        if isinstance(found, bytes):
            return found
        if found is not None:
            raise found
        if relative in self.names:
            self.wanted.add(relative)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), relative)

    def is_package(self, directory: str) -> bool:
        """Whether a directory holds an ``__init__.py``."""
        return f"{directory}/__init__.py" in self.names if directory else "__init__.py" in self.names

    def exists(self, relative: str) -> bool:
        """Whether there is such a file."""
        return relative in self.names


def contents(files: Files, paths: Iterable[str]) -> dict[str, Content]:
    """What some files hold."""
    found: dict[str, Content] = {}
    for path in paths:
        try:
            found[path] = files.data(path)
        except OSError as error:
            found[path] = OSError(error.errno, error.strerror)
    return found


def names_below(root: Path, listed: Iterable[str]) -> frozenset[str]:
    """Every Python file that a module of the project may be, scanned or not, by its path from the root.

    Names of modules are made of identifiers, and start at directories that lead to the listed files.
    """
    leading = {path[: i + 1] for path in listed for i, char in enumerate(path) if char == "/"}
    return frozenset(_below(str(root), "", leading, frozenset()))


def _below(top: str, prefix: str, leading: set[str], above: frozenset[tuple[int, int]]) -> Iterator[str]:
    try:
        entries = list(os.scandir(top))
    except OSError:
        return
    for entry in entries:
        if entry.name.endswith(".py"):
            if entry.is_file():
                yield prefix + entry.name
        elif entry.name.isidentifier() or f"{prefix}{entry.name}/" in leading:
            if not entry.is_dir():
                continue
            status = entry.stat()
            here = (status.st_dev, status.st_ino)
            if here not in above:  # a link may lead back
                yield from _below(entry.path, f"{prefix}{entry.name}/", leading, above | {here})


def likely(files: Files, paths: Iterable[str], names: Container[str]) -> set[str]:
    """Some files, and those that they may be asked about together: a guess that saves questions.

    Those are the packages around them and what they import, and once more the same of these: a class that is imported
    has bases. What a package imports it may hand on, however far.
    """
    found = set(paths)
    fresh = near = {other for path in found for other in _near(files, path, names)} - found
    found |= near
    while fresh:
        near = {other for path in fresh for other in _near(files, path, names)} - found
        found |= near
        fresh = {path for path in near if path.endswith("__init__.py")}
    return found


def _near(files: Files, path: str, names: Container[str]) -> Iterator[str]:
    own = module_name(path, files.is_package)
    try:
        data = files.data(path)
    except OSError:
        return
    targets = {own.module}
    for target in imported(_LISTED.sub(_on_one_line, data)):
        level = len(target) - len(target.lstrip("."))
        targets.add(absolute_module(own.module, is_package=own.is_package, level=level, source=target[level:]))
    parts = {target[:at] for target in targets for at, char in enumerate(target) if char == "."}
    neighbours = path[: path.rfind("/") + 1]  # a script imports what lies beside it, and what lies beside its package
    above = neighbours.rstrip("/").rpartition("/")[0]
    roots = dict.fromkeys((own.root, neighbours, f"{above}/" if above else "", "", "src/"))
    yield from (place for name in targets | parts for place in candidate_paths(name, roots) if place in names)


def _on_one_line(names: re.Match[bytes]) -> bytes:
    return re.sub(rb"(?:#[^\n]*)?\n", b" ", names[0])
