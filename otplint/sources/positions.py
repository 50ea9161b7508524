r"""Offsets, lines and columns of one text, by Python's rules.

A line ends at ``\n``, ``\r\n`` or ``\r`` and nowhere else: ``str.splitlines`` also breaks at form feeds and U+2028.
Lines and columns count from 1, columns in characters. (``ast`` counts columns from 0, in UTF-8 bytes.)
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate

_LINE_END = re.compile(r"\r\n|\r|\n")


class LineTable:
    """The lines of a text, found when first asked for."""

    __slots__ = ("_ascii", "_starts", "text")

    def __init__(self, text: str) -> None:
        """Remember *text* (as :func:`otplint.sources.decode.decode` gives it); nothing is computed yet."""
        self.text = text
        self._ascii = text.isascii()
        self._starts: list[int] | None = None

    @property
    def line_starts(self) -> list[int]:
        """Offset of the first character of each line; a text that ends with a line end has an empty last line."""
        starts = self._starts
        if starts is None:
            text = self.text
            if "\r" in text:
                starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
            else:
                starts = list(accumulate((len(line) + 1 for line in text.split("\n")), initial=0))
                starts.pop()  # where a line after the last one would start
            self._starts = starts
        return starts

    @property
    def line_count(self) -> int:
        """Number of lines, at least 1."""
        return len(self.line_starts)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of a character offset; an offset outside of the text counts as its nearest end."""
        offset = min(max(offset, 0), len(self.text))
        starts = self.line_starts
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """Character offset of a line and column.

        A column after the line's end counts as its end (before the line end's own characters), a line after the text's
        end as the end of the text.
        """
        if line < 1:
            return 0
        if line > self.line_count:
            return len(self.text)
        start, end = self._bounds(line)
        return min(start + max(column - 1, 0), end)

    def offset_of_ast(self, lineno: int, col_offset: int) -> int:
        """Character offset of a position as ``ast`` gives it: *lineno* from 1, *col_offset* from 0 in UTF-8 bytes.

        Python before 3.12 gives wrong positions inside f-strings; they still end up inside the text.
        """
        if self._ascii or lineno < 1 or lineno > self.line_count:
            return self.offset(lineno, col_offset + 1)
        start, end = self._bounds(lineno)
        # As many characters as bytes are always enough; a line may be long and the position near its start.
        head = self.text[start : min(end, start + col_offset)]
        if head.isascii():
            return start + len(head)
        return start + len(head.encode("utf-8")[:col_offset].decode("utf-8", "ignore"))

    def position_of_ast(self, lineno: int, col_offset: int) -> tuple[int, int]:
        """Line and column, both from 1 and in characters, of a position as ``ast`` gives it."""
        return self.position(self.offset_of_ast(lineno, col_offset))

    def line_text(self, line: int) -> str:
        """One line without its line end; empty for a line that the text does not have."""
        if not 1 <= line <= self.line_count:
            return ""
        start, end = self._bounds(line)
        return self.text[start:end]

    def slice(self, line: int, column: int, end_line: int, end_column: int) -> str:
        """The text between two positions, the second one exclusive."""
        return self.text[self.offset(line, column) : self.offset(end_line, end_column)]

    def _bounds(self, line: int) -> tuple[int, int]:
        """Offsets of a line's first character and of its line end."""
        starts = self.line_starts
        start = starts[line - 1]
        end = starts[line] if line < len(starts) else len(self.text)
        if end > start and self.text[end - 1] == "\n":
            end -= 1
        if end > start and self.text[end - 1] == "\r":
            end -= 1
        return start, end
