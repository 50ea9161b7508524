"""Files of the cache: written whole, read with distrust, bounded in number.

A cache lies in the project, where anybody may have put it: it is read by an unpickler that makes nothing but plain data
and the records of otplint and its rule packs (see "Restricting Globals" in the documentation of ``pickle``).
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import pickle
import sys
import tempfile
import zlib
from enum import Enum
from pathlib import Path

FOLDER = ".otplint_cache"
_HEAD = b"otplint cache 1\n"
_MOST = 12
"""Files that a cache holds: two for each of some ways to scan a project."""
_MOST_BYTES = 192 * 1024 * 1024
"""What they may weigh together; the newest two stay in any case."""
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# This folder is a cache of otplint; `otplint clean` removes it.\n"
"""What backup programs look for (https://bford.info/cachedir/)."""


def place(root: Path) -> Store:
    """The cache of a project: in its root, or where ``OTPLINT_CACHE_DIR`` says, with a folder for each project."""
    given = os.environ.get("OTPLINT_CACHE_DIR")
    if not given:
        return Store(root / FOLDER)
    return Store(Path(given) / hashlib.blake2b(str(root).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest())


class Store:
    """The cache of one project.

    Args:
        directory: where it is; made when something is kept.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def read(self, name: str, modules: frozenset[str] = frozenset()) -> object | None:
        """What was kept under a name; none where there is nothing, or nothing that can be trusted.

        Args:
            name: a file's name.
            modules: those whose records may be made, beside otplint's own.
        """
        try:
            data = (self.directory / name).read_bytes()
        except OSError:
            return None
        head, digest, packed = data[: len(_HEAD)], data[len(_HEAD) : len(_HEAD) + 32], data[len(_HEAD) + 32 :]
        if head != _HEAD or hashlib.blake2b(packed, digest_size=32).digest() != digest:
            return None
        try:
            value: object = _Reader(io.BytesIO(zlib.decompress(packed)), modules).load()
        except Exception:  # noqa: BLE001 - whatever a foreign file does to the reader, it is only a cache
            return None
        return value

    def write(self, name: str, value: object) -> None:
        """Keep a value under a name, at once or not at all; a place that cannot be written is no error."""
        packed = zlib.compress(pickle.dumps(value, protocol=5), 1)
        digest = hashlib.blake2b(packed, digest_size=32).digest()
        with contextlib.suppress(OSError):
            self.prepare()
            handle, temporary = tempfile.mkstemp(dir=self.directory, prefix="new-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(_HEAD + digest + packed)
                Path(temporary).replace(self.directory / name)
            except OSError:
                Path(temporary).unlink(missing_ok=True)
                raise
            self._bound()

    def clear(self) -> int:
        """Remove everything; the number of files that were kept.

        Raises:
            OSError: something cannot be removed.
        """
        if not self.directory.is_dir():
            return 0
        kept = [*self.directory.glob("*.bin"), *self.directory.glob("regions.db*")]
        for file in (
            *kept,
            *self.directory.glob("new-*"),
            self.directory / ".gitignore",
            self.directory / "CACHEDIR.TAG",
        ):
            file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # somebody else's files stay
            self.directory.rmdir()
        return len(kept)

    def prepare(self) -> None:
        """Make the place, which keeps itself out of git and backups.

        Raises:
            OSError: it cannot be made.
        """
        if not self.directory.is_dir():
            self.directory.mkdir(parents=True, exist_ok=True)
            (self.directory / ".gitignore").write_text("*\n", encoding="utf-8")
            (self.directory / "CACHEDIR.TAG").write_text(_TAG, encoding="utf-8")

    def _bound(self) -> None:
        """Let go of what was written longest ago, and of what an ended process left half written."""
        files = sorted(self.directory.glob("*.bin"), key=lambda f: f.stat().st_mtime_ns, reverse=True)
        room = _MOST_BYTES
        for place, file in enumerate(files):
            room -= file.stat().st_size
            if place >= _MOST or (room < 0 and place >= 2):
                file.unlink(missing_ok=True)


def read_plain(packed: bytes) -> object | None:
    """The values in a compressed pickle that makes nothing but values; none where it is damaged or foreign."""
    try:
        value: object = _Reader(io.BytesIO(zlib.decompress(packed)), frozenset(), frozenset()).load()
    except Exception:  # noqa: BLE001 - as above
        return None
    return value


class _Reader(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, modules: frozenset[str], own: frozenset[str] | None = None) -> None:
        super().__init__(file)
        self._own = _OWN if own is None else own
        self._modules = modules

    def find_class(self, module: str, name: str) -> object:
        known = sys.modules.get(module)
        if known is None and module in self._own:
            __import__(module)
            known = sys.modules[module]
        if module in self._own or module in self._modules:
            found = getattr(known, name, None)
            if isinstance(found, type) and _is_record(found):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no record of a cache")


_OWN = frozenset(
    {
        "otplint.findings",
        "otplint.engine.cache.details",
        "otplint.engine.cache.memory",
        "otplint.engine.units",
        "otplint.facts.index.entries",
        "otplint.facts.queries.supervision.switches",
    }
)
"""The modules whose records are kept."""


def _is_record(found: type) -> bool:
    """Whether making such an object does nothing but hold values."""
    return (
        "__dataclass_fields__" in vars(found)
        or issubclass(found, Enum)
        or (issubclass(found, tuple) and hasattr(found, "_fields"))
    )
