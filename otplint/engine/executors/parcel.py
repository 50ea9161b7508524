"""Work as plain data, and how it is done where the disk of the project is not at hand."""

from __future__ import annotations

import functools
import io
import pickle
import threading
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from otplint.engine.collect import Files
from otplint.engine.executors import ExecutorError
from otplint.engine.executors.carried import Carried, Content, contents, likely, names_below
from otplint.engine.executors.kit import difference, kit
from otplint.engine.installed import Installed
from otplint.facts.index.by_ast import no_collection
from otplint.facts.index.entries import ModuleIndex

_DISK = "the files of the project"
_STACK = 64 * 1024 * 1024
"""Bytes: expressions nest deeply, and a thread has less than the process it is in."""
_one_at_a_time = threading.Lock()
"""Facts are not made for threads, and threads would not be faster."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A task's answer where files turned out to be needed that it did not have."""

    paths: tuple[str, ...]


class Packer:
    """Makes plain data of a function, what it is given, and its chunks; remembers the files that all of it reads."""

    def __init__(self, function: Callable[..., Any], chunks: Sequence[Sequence[Any]], extra: tuple[Any, ...]) -> None:
        """Pack.

        Args:
            function: a module's function, called with a chunk and ``extra``.
            chunks: of paths, or of modules.
            extra: can be pickled, but for the :class:`Files` somewhere in it.

        Raises:
            ValueError: no files are in it.
        """
        buffer = io.BytesIO()
        pickler = _Pickler(buffer, protocol=5)
        pickler.dump((function, chunks, extra))
        if pickler.files is None:
            raise ValueError(f"{function.__name__} is given no files")
        self._files = pickler.files
        items = [item for chunk in chunks for item in chunk]
        modules = [item for item in items if isinstance(item, ModuleIndex)]
        listed = [item.path if isinstance(item, ModuleIndex) else item for item in items]
        beside = (f"{root}{name}" for root in pickler.roots for name in names_below(Path(root), ()))
        self._names = names_below(self._files.root, listed).union(self._files.given, beside)
        # A module leads to others: all of them go to everybody. Paths are read by the task that has them.
        everybody = likely(self._files, [module.path for module in modules], self._names)
        self._chunks = [() if modules else tuple(chunk) for chunk in chunks]
        plain = (kit(), self._names, contents(self._files, sorted(everybody)), buffer.getvalue())
        self.common = zlib.compress(pickle.dumps(plain, 5), 1)
        """What every worker needs, once."""

    def task(self, position: int, more: Iterable[str]) -> bytes:
        """What one task needs beside that: the contents of its own files and of those asked for so far."""
        return zlib.compress(pickle.dumps(contents(self._files, [*self._chunks[position], *sorted(more)]), 5), 1)

    def around(self, paths: Iterable[str]) -> set[str]:
        """Files that were asked for, and those that will be next."""
        return likely(self._files, paths, self._names)


class Parcel:
    """The common part of some work, unpacked on a worker, with what was worked out there so far.

    Whoever holds it may do one task after another; it goes when the client is done with it.
    """

    def __init__(self, *parts: bytes) -> None:
        """Keep the parts of :attr:`Packer.common`; they are unpacked for the first task."""
        self._data = b"".join(parts)
        self._files: Carried | None = None
        self._packed = b""
        self._work: tuple[Callable[..., Any], Sequence[Sequence[Any]], tuple[Any, ...]] | None = None

    def __reduce__(self) -> tuple[type[Parcel], tuple[bytes]]:
        """To another worker goes what came from the client."""
        return Parcel, (self._data,)

    def __sizeof__(self) -> int:
        """Bytes that moving it takes."""
        return len(self._data)

    def do(self, position: int, more: bytes, where: str) -> bytes:
        """The result of one chunk, or :class:`Wanted`, pickled.

        Args:
            position: which chunk.
            more: contents as :meth:`Packer.task` gives them.
            where: the name of this worker, for messages.

        Raises:
            ExecutorError: this process has another otplint.
        """
        with _one_at_a_time:
            return pickle.dumps(_with_deep_stack(functools.partial(self._do, position, more, where)), 5)

    def _do(self, position: int, more: bytes, where: str) -> Any:
        files = self._unpacked(where)
        added: Mapping[str, Content] = pickle.loads(zlib.decompress(more))
        files.contents.update(added)
        with no_collection():
            if self._work is None:
                self._work = _Unpickler(io.BytesIO(self._packed), files).load()
            function, chunks, extra = self._work
            try:
                result = function(chunks[position], *extra)
            except OSError:
                if not files.wanted:
                    raise
        if not files.wanted:
            return result
        wanted = Wanted(tuple(sorted(files.wanted)))
        # What was worked out holds that these files do not exist.
        self._work, self._files = None, Carried(Path(), names=files.names, contents=files.contents)
        return wanted

    def _unpacked(self, where: str) -> Carried:
        if self._files is None:
            theirs, names, held, packed = pickle.loads(zlib.decompress(self._data))
            wrong = difference(theirs, kit())
            if wrong:
                raise ExecutorError(f"worker {where} cannot do the work of this otplint: {wrong}")
            self._files = Carried(Path(), names=names, contents=held)
            self._packed = packed
        return self._files


class _Pickler(pickle.Pickler):
    files: Files | None = None
    roots: tuple[str, ...] = ()
    """Where installed packages lie."""

    def persistent_id(self, obj: object) -> str | None:
        """The disk stays here."""
        if isinstance(obj, Files):
            self.files = obj
            return _DISK
        if isinstance(obj, Installed):
            self.roots = obj.roots
        return None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, files: Carried) -> None:
        super().__init__(file)
        self._files = files

    def persistent_load(self, pid: object) -> Carried:
        """What was carried along takes its place."""
        if pid != _DISK:
            raise pickle.UnpicklingError(f"unknown object {pid!r}")
        return self._files


def _with_deep_stack(function: Callable[[], Any]) -> Any:
    """The function's result, from a thread whose stack is as deep as a process's main one."""
    results: list[Any] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as error:  # noqa: BLE001 - handed on to whoever waits
            errors.append(error)

    before = threading.stack_size(_STACK)
    try:
        thread = threading.Thread(target=run)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
