"""PersistentServer: what it has acknowledged survives its death, because it is stored before the answer leaves."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Literal

from otplint.runtime.errors import StoreError
from otplint.runtime.server import Server
from otplint.runtime.store import Store

__all__ = ["PersistentServer"]


class PersistentServer(Server):
    """A Server whose state is written after each handler and before that handler's answers go out.

    Sends and casts are not held back, only answers. A crash inside a handler keeps the state of before it.
    Subclasses write `snapshot` and `restore`; `key` says whose state it is.
    """

    version: ClassVar[int] = 1
    """The shape of the snapshot; `restore` is told the version it was written with."""
    on_corrupt: ClassVar[Literal["crash", "quarantine"]] = "crash"
    """Unreadable state: end with StoreError (a supervisor gives up), or move it to ``KEY.corrupt`` and begin anew."""

    def __init__(self, store: Store, key: str) -> None:
        self.store = store
        self.key = key
        self._stored: str | None = None

    def snapshot(self) -> Any:
        """The whole state, as JSON can hold it."""
        raise NotImplementedError(f"{type(self).__name__}.snapshot() must return the state")

    def restore(self, state: Any, version: int) -> None:
        """Takes over a stored state, written by `snapshot` of class `version`."""
        raise NotImplementedError(f"{type(self).__name__}.restore() must take the state")

    async def init(self) -> None:
        """Restores what is stored. Raises StoreError for what cannot be read (see `on_corrupt`)."""
        text = self.store.get(self.key)
        if text is None:
            return
        try:
            record = json.loads(text)
            state, version = record["state"], int(record["version"])
        except (ValueError, KeyError, TypeError) as error:
            if self.on_corrupt == "crash":
                raise StoreError(f"the state of {self.key!r} cannot be read: {error}") from error
            self.store.put(f"{self.key}.corrupt", text)
            self.store.delete(self.key)
            return
        self.restore(state, version)
        self._stored = text

    def _commit(self) -> None:
        text = json.dumps({"version": self.version, "state": self.snapshot()}, separators=(",", ":"))
        if text != self._stored:
            self.store.put(self.key, text)
            self._stored = text
