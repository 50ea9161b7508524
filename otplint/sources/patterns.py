"""Path patterns as in a ``.gitignore`` file, for ignore files, excludes, test files and per-file ignores.

pathspec does the matching; it is imported only where there is a pattern (it takes some 25 ms to import).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


class BadPattern(ValueError):  # noqa: N818  (the name says what is wrong)
    """A pattern that git would not understand either; the message is one line that names it."""


class Patterns:
    """A list of gitignore patterns; the last one that matches a path decides.

    A pattern without a slash (other than at its end) matches at any depth, one with a slash starts at the directory
    that the paths are relative to, one that ends with a slash matches directories and all they hold, and ``!`` takes
    back.
    """

    __slots__ = ("_spec",)

    def __init__(self, lines: Iterable[str], *, forgiving: bool = False) -> None:
        """Compile *lines*; a *forgiving* list skips bad lines, as git does, any other raises :class:`BadPattern`."""
        wanted = [line for line in lines if line.strip() and not line.startswith("#")]
        self._spec: GitIgnoreSpec | None = _compile(wanted, forgiving) if wanted else None

    def __bool__(self) -> bool:
        return self._spec is not None

    def decide(self, path: str) -> bool | None:
        """True where a pattern takes *path*, False where ``!`` takes it back, None where none speaks of it.

        Args:
            path: relative, POSIX separators; a directory ends with ``/``.
        """
        if self._spec is None:
            return None
        return self._spec.check_file(path).include

    def matches(self, path: str) -> bool:
        """True where the patterns take *path* (see :meth:`decide`)."""
        return bool(self.decide(path))


def _compile(lines: list[str], forgiving: bool) -> GitIgnoreSpec | None:
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(lines)
    except (ValueError, re.error):
        pass
    good = []
    for line in lines:
        try:
            GitIgnoreSpec.from_lines([line])
        except (ValueError, re.error) as error:
            if not forgiving:
                raise BadPattern(f"not a path pattern as in .gitignore: {line!r}") from error
        else:
            good.append(line)
    return GitIgnoreSpec.from_lines(good) if good else None
