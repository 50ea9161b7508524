"""Which files could be actor code, and what each says to the others: walk, triage and index together."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from otplint.engine.cache.memory import Stamp
from otplint.engine.cache.recall import Cache
from otplint.engine.clock import OFF, Clock
from otplint.facts.frameworks import Vocabulary
from otplint.facts.index.by_ast import index_module
from otplint.facts.index.entries import ModuleIndex, Unparsable, absolute_module
from otplint.facts.index.modules import ModuleName, candidate_paths, module_name
from otplint.facts.index.project import Project
from otplint.facts.kinship import NOTHING_FAR, Far, Kinship
from otplint.facts.makers import Makers
from otplint.facts.shapes import seems_to_live
from otplint.findings import Failure
from otplint.sources.decode import Undecodable, decode
from otplint.sources.triage import Triage

_TESTS = {(b"monkeypatch", b"set"), (b"mock", b"patch"), (b"import", b"environ")}
"""What tests change the application by: looked at where it has supervisors to be changed."""
_COMMENTS = (b"otplint:", b"noqa: OTP", b"NOQA: OTP")


@dataclass(frozen=True)
class Files:
    """The files of one project on disk, with standard input in the place of one of them."""

    root: Path
    given: dict[str, bytes] = field(default_factory=dict)
    """Contents that count instead of the disk's, by relative path."""
    earlier: Cache | None = None
    """What an earlier scan knows of unchanged files."""
    loaded: dict[str, ModuleIndex | None] = field(default_factory=dict)
    """What :meth:`load` gave, by path."""
    _names: dict[str, frozenset[str]] = field(default_factory=dict)

    def data(self, relative: str) -> bytes:
        """The bytes of a file.

        :raises OSError: where it cannot be read.
        """
        found = self.given.get(relative)
        if found is not None:
            return found
        with open(os.path.join(self.root, relative), "rb") as file:  # noqa: PTH118, PTH123 - once a file, it counts
            return file.read()

    def text(self, relative: str) -> str:
        """The decoded text of a file."""
        return decode(self.data(relative)).text

    def index(self, relative: str) -> ModuleIndex:
        """What the file says to others.

        :raises OSError, Undecodable, Unparsable: naming what is wrong.
        """
        return self.index_of(relative, self.data(relative))

    def index_of(self, relative: str, data: bytes) -> ModuleIndex:
        """As :meth:`index`, of bytes already at hand."""
        name = module_name(relative, self.is_package)
        known = self.earlier.index(relative, name.module) if self.earlier is not None else None
        return known or index_module(decode(data).text, relative, name.module, name.is_package)

    def load(self, relative: str) -> ModuleIndex | None:
        """The index of a file that another one imports; none where there is no such file that can be read."""
        if relative not in self.loaded:
            self.loaded[relative] = self._load(relative) if self.exists(relative) else None
        return self.loaded[relative]

    def _load(self, relative: str) -> ModuleIndex | None:
        try:
            return self.index(relative)
        except (OSError, Undecodable, Unparsable):
            return None

    def is_package(self, directory: str) -> bool:
        """Whether a directory, relative to the root, holds an ``__init__.py``."""
        return self.exists(f"{directory}/__init__.py" if directory else "__init__.py")

    def exists(self, relative: str) -> bool:
        """Whether there is such a file; a directory is asked of the disk once."""
        folder, _, name = relative.rpartition("/")
        names = self._names.get(folder)
        if names is None:
            try:
                names = frozenset(os.listdir(os.path.join(self.root, folder)))  # noqa: PTH118, PTH208
            except OSError:
                names = frozenset()
            self._names[folder] = names
        return relative in self.given or name in names


@dataclass
class Looked:
    """What a look at some files gave."""

    indexes: list[ModuleIndex] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    commented: list[str] = field(default_factory=list)
    """Files that may hold suppressions."""
    rest: list[str] = field(default_factory=list)
    """Files that triage left out."""
    stamps: dict[str, Stamp] = field(default_factory=dict)
    """What the files that were read looked like; only where somebody keeps it."""
    triages: set[bytes] = field(default_factory=set)
    """The keys of the questions by which it did."""
    clock: Clock = field(default=OFF, compare=False)

    def add(self, other: Looked) -> None:
        """Join the findings of another look."""
        self.indexes += other.indexes
        self.failures += other.failures
        self.commented += other.commented
        self.rest += other.rest
        self.triages |= other.triages
        self.stamps |= other.stamps


def look(paths: Iterable[str], files: Files, triage: Triage, clock: Clock = OFF) -> Looked:
    """Read, sort out and index files by their relative paths."""
    found = Looked(triages={triage.key}, clock=clock.fresh())
    with found.clock.stage("triage"):
        _look(paths, files, triage, found)
    return found


def _look(paths: Iterable[str], files: Files, triage: Triage, found: Looked) -> None:
    for path in paths:
        if files.earlier is not None and files.earlier.left_out(path, triage):
            found.rest.append(path)
            if files.earlier.has_comments(path):
                found.commented.append(path)
            continue
        try:
            if files.earlier is not None:
                found.stamps[path], data = files.earlier.disk.read(path)
            else:
                data = files.data(path)
        except OSError as error:
            found.failures.append(Failure(path, 0, f"cannot be read: {error.strerror or error}"))
            continue
        if any(mark in data for mark in _COMMENTS):
            found.commented.append(path)
        if not triage.selects(data):
            found.rest.append(path)
            continue
        try:
            with found.clock.stage("index"):
                found.indexes.append(files.index_of(path, data))
        except Undecodable as error:
            found.failures.append(Failure(path, error.line, error.message))
        except Unparsable as error:
            found.failures.append(Failure(path, error.line, f"syntax error: {error.message}"))


_CLASS = re.compile(rb"^[ \t]*class[ \t]+\w+[ \t]*[(\[]", re.MULTILINE)
_IMPORT = re.compile(
    rb"^[ \t]*(?:from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]*\(?([^#\r\n]*)|import[ \t]+([\w.]+))", re.MULTILINE
)


def look_outside(found: Looked, files: Files, listed: frozenset[str]) -> None:
    """Index the files left out whose classes may have bases in files that are not scanned.

    A base is told by its own file's tokens; where that file is among the listed ones, :func:`grow` finds what derives
    from it. One file named on the command line, or standard input, is alone.
    """
    leading: list[str] = []
    for path in found.rest:
        data = files.data(path)
        if _CLASS.search(data) is not None:
            name = module_name(path, files.is_package)
            if any(_leads_outside(t, name, path, files, listed) for t in imported(data)):
                leading.append(path)
    found.rest = [path for path in found.rest if path not in leading]
    found.add(look(leading, files, Triage([b"class"])))


def imported(data: bytes) -> set[str]:
    """The modules that a file may import; ``from a import b`` may mean ``a.b``."""
    found: set[str] = set()
    for source, names, plain in _IMPORT.findall(data):
        module = (source or plain).decode()
        found.add(module)
        stem = module if module.endswith(".") else f"{module}."
        found.update(stem + name.decode() for name in re.findall(rb"\w+", names))
    return found


def _leads_outside(target: str, name: ModuleName, path: str, files: Files, listed: frozenset[str]) -> bool:
    """Whether an import's module is a file of the project that is not listed."""
    level = len(target) - len(target.lstrip("."))
    module = absolute_module(name.module, is_package=name.is_package, level=level, source=target[level:])
    found = [c for c in candidate_paths(module, dict.fromkeys((name.root, "", "src/"))) if files.exists(c)]
    return bool(found) and found[0] not in listed and found[0] != path


def grow(
    found: Looked,
    vocabulary: Vocabulary,
    load: Callable[[str], ModuleIndex | None],
    read: Callable[[str], str],
    look_again: Callable[[Sequence[str], Triage], Looked],
    pull: Callable[[str], ModuleIndex | None],
    far: Far = NOTHING_FAR,
) -> Kinship:
    """Search the files that triage left out for the names of actors and supervisors, to a fixpoint.

    ``from .base import Base; class Player(Base)`` is an actor although nothing in that file says so.

    Args:
        found: the first look; what is found later is added to it.
        vocabulary: of the frameworks.
        load: pulls in files that are not among those looked at: an actor's base may lie outside of what is scanned.
        read: the text of a file that was looked at.
        look_again: looks at files again with another triage.
        pull: pulls in any file, also one that triage left out.
        far: what is known of classes outside of the project.
    """
    known: frozenset[str] = frozenset()
    building: set[tuple[str, str]] = set()
    living: set[str] = set()
    makers = Makers(vocabulary)
    fresh_indexes = found.indexes
    while True:
        for index in fresh_indexes:
            text = read(index.path)
            living.update(_living(index, text, vocabulary))
            makers.read(index, text)
        kinship = Kinship(Project(found.indexes, load, far=far.bases), vocabulary, living, makers, far.named)
        fresh, bases, marks = (n - known for n in (kinship.words, kinship.base_words, kinship.made.marks()))
        built = {pair for index in fresh_indexes for pair in kinship.supervising(index, partial(read, index.path))}
        pairs = {(a.encode(), b.encode()) for a, b in built - building} | (_TESTS if built - building else set())
        if not found.rest:
            return kinship
        known |= fresh | bases | marks
        building |= built
        before, commented = len(found.indexes), list(found.commented)
        if fresh or bases or marks or pairs:
            rest, found.rest = found.rest, []
            found.add(look_again(rest, Triage(_encoded(marks), _encoded(fresh), pairs, _encoded(bases))))
        if len(found.indexes) == before:
            between = _between(found, kinship, makers, pull)
            found.rest = [path for path in found.rest if path not in between]
            found.add(look_again(sorted(between), Triage([b"import", b"class"])))
        found.commented = commented
        if len(found.indexes) == before:
            return kinship
        fresh_indexes = found.indexes[before:]


def _between(
    found: Looked, kinship: Kinship, makers: Makers, pull: Callable[[str], ModuleIndex | None]
) -> frozenset[str]:
    """Files that say nothing of actors and hand one on all the same, or hold a class that another file makes one.

    ``from .base import *``, ``from . import base as parts``; ``Far = ray.remote(Near)`` for the file of ``Near``.
    """
    asked: set[str] = set()

    def note(path: str) -> ModuleIndex | None:
        index = pull(path)
        if index is not None:
            asked.add(path)
        return index

    project = Project(found.indexes, note)
    leads = [kinship.leads_on(project.mro(name)[1:]) for name in kinship.doubtful()]
    made = [project.find_class(name) is not None for name in makers.targets(kinship.made, project)]
    return frozenset(asked.intersection(found.rest)) if any(leads) or any(made) else frozenset()


def _encoded(names: Iterable[str]) -> list[bytes]:
    return [name.encode() for name in names]


def _living(index: ModuleIndex, text: str, vocabulary: Vocabulary) -> Iterator[str]:
    """The classes of a file that may be actors by their shape, so that what derives from them is looked for."""
    callbacks = vocabulary.callbacks_in(text)
    for entry in index.classes:
        if seems_to_live(text[entry.start : entry.end], callbacks):
            yield f"{index.module}.{entry.qualname}"
