"""Where the source of installed packages lies: directories, or virtual environments, that the user names."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path


class NoSearchPath(Exception):  # noqa: N818 - it is an answer about a setting, the name says which
    """A search path that cannot be used; the message is one line that names it."""


def search_roots(given: Sequence[str], root: Path) -> tuple[str, ...]:
    """The directories that hold the packages.

    Args:
        given: directories relative to ``root``, or absolute. One that is a virtual environment stands for its
            ``site-packages``, with the directories that plain lines of ``.pth`` files there add, as Python does it.
        root: the project root.

    Returns:
        Absolute POSIX paths with a trailing slash, in order, without repetition.

    Raises:
        NoSearchPath: no such directory.
    """
    found: dict[str, None] = {}
    for name in given:
        directory = root / name
        if not directory.is_dir():
            raise NoSearchPath(f"search-paths: no such directory: {name}")
        for place in _site_packages(directory) or [directory]:
            for each in (place, *_added(place)):
                found[each.absolute().as_posix().rstrip("/") + "/"] = None
    return tuple(found)


def top_names(roots: Sequence[str]) -> frozenset[str]:
    """The packages and modules that lie right in the directories; the standard library cannot be hidden by them."""
    names = {entry.name.removesuffix(".py") for root in roots for entry in os.scandir(root)}
    return frozenset(name for name in names if name.isidentifier()) - sys.stdlib_module_names


def _site_packages(directory: Path) -> list[Path]:
    """The ``site-packages`` of a virtual environment; none where it is not one."""
    if not (directory / "pyvenv.cfg").is_file():
        return []
    places = [*sorted(directory.glob("lib/python3*/site-packages")), directory / "Lib" / "site-packages"]
    return [place for place in places if place.is_dir()]


def _added(directory: Path) -> Iterator[Path]:
    """The directories that ``.pth`` files add: those of packages installed to be edited."""
    for file in sorted(directory.glob("*.pth")):
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            continue
        for line in lines:
            if line.strip() and not line.startswith(("#", "import ", "import\t")) and (directory / line).is_dir():
                yield directory / line
