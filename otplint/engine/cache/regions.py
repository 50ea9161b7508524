"""Parsed regions by their text: of an edited file only the classes and functions that changed are parsed again.

A database, because one scan asks for a few of many thousand, and several processes add to it (measured on Home
Assistant: 700 regions are read in 0.1 s and parsed in 4 s).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import sqlite3
import time
import zlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from otplint.engine.cache.store import read_plain
from otplint.facts.syntax.code import Block
from otplint.facts.syntax.parse import NoRegions
from otplint.facts.syntax.plain import block_of, plain

NAME = "regions.db"
MOST = 64 * 1024 * 1024
"""Bytes; above it, what was used longest ago goes."""
_DAY = 86_400
"""Seconds: how exactly the last use is kept."""
_WAIT = 2.0
"""Seconds to wait for another process that writes."""
_TABLE = "CREATE TABLE IF NOT EXISTS region (text BLOB PRIMARY KEY, used INTEGER, nodes BLOB)"


class KeptRegions:
    """The regions that the scans of a project have parsed.

    Whatever is wrong with the database, a region is parsed again.

    Args:
        directory: of the cache.
        code: tells versions of otplint apart.
        most: bytes that the database may have.
    """

    def __init__(self, directory: Path, code: str, most: int = MOST) -> None:
        self._directory = directory
        self._salt = hashlib.blake2b(f"{code} {_parser()}".encode(), digest_size=16).digest()
        self._most = most
        self._forget()

    def _forget(self) -> None:
        self._process = os.getpid()
        self._open: sqlite3.Connection | None = None
        self._broken = False
        self._new: dict[bytes, bytes] = {}
        self._used: list[bytes] = []

    def __reduce__(self) -> tuple[object, ...]:
        return (NoRegions, ())  # elsewhere there is no such place

    def get(self, text: str, offset: int) -> Block | None:
        """As :class:`otplint.facts.syntax.parse.Regions` has it."""
        key = self._key(text)
        packed = self._read(key)
        values = read_plain(packed) if packed is not None else None
        if not isinstance(values, list):
            return None
        try:
            return block_of(values, offset)
        except (LookupError, TypeError, ValueError):  # not from here
            return None

    def put(self, text: str, offset: int, block: Block) -> None:
        """As :class:`otplint.facts.syntax.parse.Regions` has it; :meth:`keep` writes."""
        packed = zlib.compress(pickle.dumps(plain(block, offset), 5), 1)
        self._new[self._key(text)] = hashlib.blake2b(packed, digest_size=16).digest() + packed

    def keep(self) -> None:
        """Write what is new, once for many regions; the place is made by who keeps the rest."""
        connection = self._connection(make=bool(self._new))
        if connection is None or not (self._new or self._used):
            return
        today = int(time.time()) // _DAY
        with self._trouble(), connection:
            connection.executemany("UPDATE region SET used = ? WHERE text = ?", [(today, key) for key in self._used])
            rows = [(key, today, packed) for key, packed in self._new.items()]
            connection.executemany("INSERT OR REPLACE INTO region VALUES (?, ?, ?)", rows)
        self._new, self._used = {}, []
        connection.close()
        self._open = None  # so that no other process inherits it

    def bound(self) -> None:
        """Let go of what was used longest ago, where there is too much."""
        connection = self._connection(make=False)
        if connection is None or self._size() <= self._most:
            return
        with self._trouble():
            with connection:
                rows = connection.execute("SELECT text, length(nodes) FROM region ORDER BY used DESC, text").fetchall()
                weight = self._size() / max(sum(size for _, size in rows), 1)  # of a row's bytes in the file
                room, old = self._most / 2 / weight, []
                for key, size in rows:
                    room -= size
                    if room < 0:
                        old.append((key,))
                connection.executemany("DELETE FROM region WHERE text = ?", old)
            connection.execute("VACUUM")

    def _size(self) -> int:
        try:
            return (self._directory / NAME).stat().st_size
        except OSError:
            return 0

    def _key(self, text: str) -> bytes:
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16, key=self._salt).digest()

    def _read(self, key: bytes) -> bytes | None:
        if self._process != os.getpid():  # a connection does not survive a fork
            self._forget()
        connection = self._connection(make=False)
        row = None
        if connection is not None:
            with self._trouble():
                row = connection.execute("SELECT used, nodes FROM region WHERE text = ?", (key,)).fetchone()
        if row is None or not isinstance(row[1], bytes):
            return None
        digest, packed = row[1][:16], row[1][16:]
        if hashlib.blake2b(packed, digest_size=16).digest() != digest:
            return None
        if row[0] != int(time.time()) // _DAY:
            self._used.append(key)
        return packed

    def _connection(self, *, make: bool) -> sqlite3.Connection | None:
        if self._open is None and not self._broken and (make or self._size()):
            with self._trouble():
                self._open = sqlite3.connect(self._directory / NAME, timeout=_WAIT)
                self._open.execute("PRAGMA synchronous = OFF")
                if make:
                    self._open.execute(_TABLE)
        return None if self._broken else self._open

    @contextlib.contextmanager
    def _trouble(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError:  # locked for long, read-only, full
            self._broken = True
        except sqlite3.DatabaseError:  # no database, or a damaged one
            self._broken = True
            with contextlib.suppress(OSError):
                (self._directory / NAME).unlink()


def _parser() -> str:
    """Tells versions of LibCST apart without importing it."""
    found = find_spec("libcst")
    if found is None or found.origin is None:
        return ""
    status = Path(found.origin).stat()
    return f"{status.st_size} {status.st_mtime_ns}"
