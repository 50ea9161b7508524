"""What one scan leaves for the next: which files it saw, what they said, and what was found in them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from otplint.findings import Report

_RACY = 2_000_000_000
"""Nanoseconds: a file that changed so shortly before the scan may change again without another time of change."""


class Stamp(NamedTuple):
    """A file as it was."""

    size: int
    """Bytes."""
    changed: int
    """Nanoseconds since the epoch; 0 where the time says nothing."""
    digest: bytes
    """Of the contents."""


def digest(data: bytes) -> bytes:
    """Sixteen bytes that tell contents apart."""
    return hashlib.blake2b(data, digest_size=16).digest()


@dataclass(slots=True)
class Memory:
    """The first part of what is kept: enough to see that nothing has changed."""

    stamps: dict[str, Stamp] = field(default_factory=dict)
    """Of the listed files, and of others that they lead to, by path from the root."""
    listed: frozenset[str] = frozenset()
    absent: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    """Names that were looked for in vain by their directory, with the time when that changed (0: it says nothing)."""
    report: Report | None = None
    """What the scan said, without sources."""


class Disk:
    """The files below a root now, compared with what a memory has of them.

    Args:
        root: directory, absolute.
        memory: of an earlier scan.
        now: nanoseconds since the epoch, when this scan began.
    """

    def __init__(self, root: str, memory: Memory, now: int) -> None:
        self._root = root
        self._memory = memory
        self._now = now
        self._seen: dict[str, Stamp | None] = {}
        self.settled = False
        """Whether the time of change of something unchanged says more now than when it was kept."""

    def stamp(self, path: str) -> Stamp | None:
        """A file as it is now; none where it cannot be read. Its contents are read only if its looks have changed."""
        if path not in self._seen:
            self._seen[path] = self._look(path)
        return self._seen[path]

    def read(self, path: str) -> tuple[Stamp, bytes]:
        """A file and its contents.

        Raises:
            OSError: it cannot be read.
        """
        with open(self._full(path), "rb") as file:  # noqa: PTH123
            status = os.fstat(file.fileno())
            data = file.read()
        return self._stamped(status.st_mtime_ns, data), data

    def adopt(self, stamps: Mapping[str, Stamp]) -> None:
        """Take what other processes have read."""
        self._seen.update(stamps)

    def unchanged(self, path: str) -> bool:
        """Whether the file is what it was."""
        before, now = self._memory.stamps.get(path), self.stamp(path)
        return before is not None and now is not None and before.digest == now.digest

    def stamps(self, paths: Iterable[str]) -> dict[str, Stamp]:
        """The stamps of those that can be read."""
        return {path: stamp for path in paths if (stamp := self.stamp(path)) is not None}

    def absent(self, paths: Iterable[str]) -> dict[str, tuple[int, tuple[str, ...]]]:
        """Files that are not there as :attr:`Memory.absent` keeps them."""
        names: dict[str, list[str]] = {}
        for path in paths:
            directory, _, name = path.rpartition("/")
            names.setdefault(directory, []).append(name)
        return {folder: (self._changed(folder) or 0, tuple(sorted(found))) for folder, found in sorted(names.items())}

    def still_absent(self) -> bool:
        """Whether nothing has come to be where an earlier scan looked in vain."""
        for folder, (changed, names) in self._memory.absent.items():
            now = self._changed(folder)
            if now is None or now == changed != 0:
                continue  # where no folder is, nothing can be
            if any(os.path.exists(self._full(f"{folder}/{name}")) for name in names):  # noqa: PTH110
                return False
            self.settled |= 0 != now != changed
        return True

    def settle(self) -> Memory:
        """What is kept, with what its times of change say now; for a memory of which nothing has changed."""
        memory = self._memory
        names = (f"{folder}/{name}" for folder, (_, found) in memory.absent.items() for name in found)
        return Memory(self.stamps(memory.stamps), memory.listed, self.absent(names), memory.report)

    def _changed(self, folder: str) -> int | None:
        """When a folder changed, none where it is not there."""
        try:
            changed = os.stat(self._full(folder)).st_mtime_ns  # noqa: PTH116 - thousands of them
        except OSError:
            return None
        return changed if changed < self._now - _RACY else 0

    def _look(self, path: str) -> Stamp | None:
        try:
            status = os.stat(self._full(path))  # noqa: PTH116 - thousands of them
            before = self._memory.stamps.get(path)
            if before is not None and (before.size, before.changed) == (status.st_size, status.st_mtime_ns):
                return before
            now = self.read(path)[0]
        except (OSError, ValueError):
            return None
        self.settled |= before is not None and 0 != now.changed != before.changed
        return now

    def _stamped(self, changed: int, data: bytes) -> Stamp:
        return Stamp(len(data), changed if changed < self._now - _RACY else 0, digest(data))

    def _full(self, path: str) -> str:
        return os.path.join(self._root, path)  # noqa: PTH118


def same_report(memory: Memory, listed: Iterable[str], disk: Disk) -> Report | None:
    """The earlier report, if nothing has changed that it hangs on."""
    listed = frozenset(listed)
    if memory.report is None or listed != memory.listed:
        return None
    if all(disk.unchanged(path) for path in memory.stamps) and listed <= memory.stamps.keys() and disk.still_absent():
        return memory.report
    return None
