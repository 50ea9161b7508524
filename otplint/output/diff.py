"""A change of a file as a unified diff, which ``patch -p0`` and ``git apply -p0`` take."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from otplint.output.plain import visible

_NO_END = "\\ No newline at end of file\n"


def unified(path: str, before: str, after: str) -> str:
    """The diff of one file; empty where nothing differs.

    Args:
        path: relative to the project root.
        before: the decoded text; line ends as in the file, and so they are in the diff.
        after: the same, changed.
    """
    return "".join(_lines(visible(path), before, after))


def _lines(name: str, before: str, after: str) -> Iterator[str]:
    for line in difflib.unified_diff(_split(before), _split(after), name, name):
        if line.endswith("\n"):
            yield line
        else:
            yield f"{line}\n{_NO_END}"


def _split(text: str) -> list[str]:
    """Lines as diff programs count them: a carriage return or form feed ends none."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)
