"""The piece of source that a finding is about, laid out in terminal cells.

Tabs, wide characters (two cells), combining marks (none) and invisible characters (shown as escapes) all move what
stands after them, so a mark under the source is placed by cells, not by characters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from otplint.findings import Span
from otplint.output.plain import visible

TAB = 4
"""Cells between two tab stops."""
_MOST_LINES = 6
"""Lines of a span that are shown whole; of a longer one, the first three and the last."""


@dataclass(frozen=True, slots=True)
class FrameLine:
    """One line as shown; ``number`` is 0 for the sign that lines were left out."""

    number: int
    text: str
    mark_from: int = 0
    """Cells before the mark."""
    mark_cells: int = 0
    """Width of the mark in cells; 0 for a line of context."""


def frame(
    lines: Sequence[str], span: Span, *, width: int, cells: Callable[[str], int], context: int = 2
) -> list[FrameLine]:
    """The lines of ``span`` with their marks, and up to ``context`` lines around them.

    Args:
        lines: the file's lines as Python counts them; a span beyond them gives no frame.
        span: what to mark.
        width: cells for one line; longer lines are cut where the mark stays in view.
        cells: width of a character in cells, e.g. ``rich.cells.cell_len``.
        context: lines before and after the span.
    """
    if not 0 < span.line <= len(lines):
        return []
    last = min(max(span.end_line, span.line), len(lines))
    numbers = list(range(max(span.line - context, 1), min(last + context, len(lines)) + 1))
    if last - span.line >= _MOST_LINES:
        numbers = [number for number in numbers if number < span.line + 3 or number >= last]
    while numbers and numbers[0] < span.line and not lines[numbers[0] - 1].strip():
        del numbers[0]
    while numbers and numbers[-1] > last and not lines[numbers[-1] - 1].strip():
        del numbers[-1]

    shown: list[FrameLine] = []
    for number in numbers:
        if shown and number > shown[-1].number + 1:
            shown.append(FrameLine(0, "…"))
        line = lines[number - 1]
        texts, offsets = _cells(line, cells)
        if number < span.line or number > last or (number > span.line and not line.strip()):
            shown.append(_cut(number, texts, offsets, 0, 0, width))
            continue
        start = span.column - 1 if number == span.line else len(line) - len(line.lstrip())
        end = span.end_column - 1 if number == span.end_line else len(line.rstrip())
        start = min(max(start, 0), len(line))
        end = min(max(end, start), len(line))
        mark = max(offsets[end] - offsets[start], 1)
        shown.append(_cut(number, texts, offsets, offsets[start], mark, width))
    return shown


def _cells(line: str, cells: Callable[[str], int]) -> tuple[list[str], list[int]]:
    """What is shown for each character, and the cell at which each one and the line's end stand."""
    texts: list[str] = []
    offsets = [0]
    for char in line:
        text = " " * (TAB - offsets[-1] % TAB) if char == "\t" else visible(char)
        texts.append(text)
        offsets.append(offsets[-1] + (len(text) if text.isascii() else cells(text)))
    return texts, offsets


def _cut(number: int, texts: list[str], offsets: list[int], mark_from: int, mark_cells: int, width: int) -> FrameLine:
    """A line that fits ``width``: its right is cut, and its left too where the mark would be out of view."""
    if offsets[-1] <= width:
        return FrameLine(number, "".join(texts).rstrip(), mark_from, mark_cells)
    left = 0
    if mark_from + mark_cells > width - 1:
        # The mark's start stays in view, with some of what stands before it.
        wanted = max(mark_from - width // 4, 0)
        left = next(index for index, offset in enumerate(offsets) if offset >= wanted)
    room = width - 1 - (1 if left else 0)
    right = left
    while right < len(texts) and offsets[right + 1] - offsets[left] <= room:
        right += 1
    text = "".join(texts[left:right])
    before = "…" if left else ""
    after = "…" if right < len(texts) else ""
    if not mark_cells:
        return FrameLine(number, before + text + after)
    start = max(mark_from - offsets[left], 0) + len(before)
    return FrameLine(number, before + text + after, start, max(min(mark_cells, width - start), 1))
