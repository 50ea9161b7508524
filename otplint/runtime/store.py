"""Store: where state survives a restart. In memory for tests, in SQLite for real."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Protocol

from otplint.runtime.errors import SettingsError, StoreError
from otplint.runtime.process import checkpoint

__all__ = ["MemoryStore", "SqliteStore", "Store"]


class Store(Protocol):
    """Text by key. `put` has happened when it returns."""

    def get(self, key: str) -> str | None:
        """The text, or None."""

    def put(self, key: str, value: str) -> None:
        """Writes or overwrites."""

    def delete(self, key: str) -> None:
        """Removes; nothing happens if it is not there."""

    def items(self) -> Iterator[tuple[str, str]]:
        """All keys and texts, by key."""


class MemoryStore:
    """A dict that outlives the processes that use it, not the interpreter."""

    def __init__(self) -> None:
        self.data: dict[str, str] = {}
        self.puts = 0
        """Writes so far."""

    def get(self, key: str) -> str | None:
        """The text, or None."""
        return self.data.get(key)

    def put(self, key: str, value: str) -> None:
        """Writes or overwrites; a crash point before and after."""
        checkpoint("put")
        self.data[key] = value
        self.puts += 1
        checkpoint("stored")

    def delete(self, key: str) -> None:
        """Removes; nothing happens if it is not there."""
        checkpoint("delete")
        self.data.pop(key, None)

    def items(self) -> Iterator[tuple[str, str]]:
        """All keys and texts, by key."""
        return iter(sorted(self.data.items()))


class SqliteStore:
    """One table in an SQLite file in WAL mode.

    ``synchronous="NORMAL"`` (some 20 us a write) survives the end of the program but may lose the last writes when
    the power fails; ``"FULL"`` (an fsync, some 350 us) does not (sqlite.org/pragma.html#pragma_synchronous). Writes
    happen in the loop's thread. Raises StoreError naming the file.
    """

    def __init__(self, path: str | Path, *, synchronous: Literal["NORMAL", "FULL"] = "NORMAL") -> None:
        if synchronous not in ("NORMAL", "FULL"):
            raise SettingsError("SqliteStore.synchronous", f"expected 'NORMAL' or 'FULL', got {synchronous!r}")
        self.path = str(path)
        try:
            self._db = sqlite3.connect(self.path, isolation_level=None, timeout=5.0)
        except sqlite3.Error as error:
            raise StoreError(f"cannot open the store {self.path}: {error}") from error
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute(f"PRAGMA synchronous={synchronous}")
            self._db.execute("CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
        except sqlite3.Error as error:
            self._db.close()
            raise StoreError(f"cannot open the store {self.path}: {error}") from error

    def _run(self, sql: str, *values: str) -> list[tuple[str, ...]]:
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"the store {self.path} failed: {error}") from error

    def get(self, key: str) -> str | None:
        """The text, or None. Raises StoreError."""
        rows = self._run("SELECT value FROM state WHERE key = ?", key)
        return rows[0][0] if rows else None

    def put(self, key: str, value: str) -> None:
        """Writes or overwrites, committed when it returns. Raises StoreError."""
        checkpoint("put")
        self._run("INSERT INTO state VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)
        checkpoint("stored")

    def delete(self, key: str) -> None:
        """Removes; nothing happens if it is not there. Raises StoreError."""
        checkpoint("delete")
        self._run("DELETE FROM state WHERE key = ?", key)

    def items(self) -> Iterator[tuple[str, str]]:
        """All keys and texts, by key. Raises StoreError."""
        return iter([(row[0], row[1]) for row in self._run("SELECT key, value FROM state ORDER BY key")])

    def close(self) -> None:
        """Closes the file."""
        self._db.close()
