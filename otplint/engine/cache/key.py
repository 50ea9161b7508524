"""Which scans are alike: the same code of otplint and its packs, settings and paths."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import otplint
from otplint import __version__
from otplint.engine.discovery import is_alone

if TYPE_CHECKING:
    from otplint.config import Config


def key_of(paths: Sequence[Path], root: Path, config: Config, flags: object, *, suppressions: bool) -> str:
    """A name for the scans of these paths in this way; empty where no two can be known to be alike.

    That is so with rule packs beside the built-in one, whose code could change unseen, and where the source of
    installed packages is read.
    """
    if not is_alone() or config.search_paths:
        return ""
    where = sorted(str(path.absolute()) for path in paths)
    parts = (__version__, sys.version_info[:3], [*_code()], str(root), where, repr(config), repr(flags), suppressions)
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def version() -> str:
    """Tells versions of otplint apart, also where somebody works on one."""
    return hashlib.blake2b(repr((__version__, [*_code()])).encode(), digest_size=12).hexdigest()


def _code() -> Iterator[tuple[str, int, int]]:
    """The files of otplint and its rules as they are installed: one who works on them changes no version."""
    package = Path(otplint.__file__).parent
    rules = package / "rules"
    for top in (package, rules if rules.is_dir() else package.parent / "rules"):
        for folder, folders, names in os.walk(top):
            folders[:] = sorted(name for name in folders if name != "__pycache__")
            for name in sorted(names):
                status = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 - some hundreds at each start
                yield name, status.st_size, status.st_mtime_ns
