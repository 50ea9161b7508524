"""Newer syntax written as older syntax of the same length, so that an older interpreter's ``ast`` reads it in place.

Only the shape of statements is kept, which is all that the index needs: type parameters (PEP 695) become blanks,
``type X =`` becomes ``type=X =``, ``except A, B:`` (PEP 758) becomes ``except A+ B:``, ``except*`` (PEP 654) becomes
``except``, t-strings (PEP 750) become f-strings. LibCST would read these files too, some twenty times slower.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from otplint.sources.positions import LineTable

_PARAMETERS = re.compile(r"^[ \t\f]*(?:(?:async[ \t]+)?def|class|type)[ \t]+\w+[ \t]*(?=\[)", re.MULTILINE)
_BRACKET = re.compile(r"[\[\]]")
_AFTER = re.compile(r"[ \t]*[(:=]")
_TYPE = re.compile(r"^([ \t\f]*type)[ \t](?=[ \t]*\w+[ \t\\]*(?:=|\r|\n))", re.MULTILINE)
_EXCEPT = re.compile(r"^[ \t\f]*except\b[ \t]*\*?[ \t]*[\w.]+[ \t]*(?:,[ \t]*[\w.]+[ \t]*)+:", re.MULTILINE)
_EXCEPT_GROUP = re.compile(r"^([ \t\f]*except[ \t]*)\*", re.MULTILINE)
_TEMPLATE = re.compile(r"""(?<![\w"'])[tT](?=[rR]?["'])""")
_RAW_TEMPLATE = re.compile(r"""(?<![\w"'])([rR])[tT](?=["'])""")
_LINE_END = re.compile(r"\r\n|\r|\n")


class Older(NamedTuple):
    """A text of the same length and lines."""

    text: str
    type_lines: frozenset[int]
    """Lines (from 1) where ``type=X = value`` stands for ``type X = value``."""


def in_older_syntax(text: str) -> Older | None:
    """The text in older syntax, or None if nothing in it is known to be new.

    What looks like syntax in a string may be changed too; the result is for a reader of statements only.
    """
    older = _without_parameters(text)
    older = _EXCEPT.sub(lambda match: match[0].replace(",", "+"), older)
    older = _EXCEPT_GROUP.sub(r"\1 ", older)
    older = _RAW_TEMPLATE.sub(r"\1f", _TEMPLATE.sub("f", older))
    lines = LineTable(text)
    type_lines = frozenset(lines.position(match.start())[0] for match in _TYPE.finditer(older))
    older = _TYPE.sub(r"\1=", older)
    return None if older == text else Older(older, type_lines)


def _without_parameters(text: str) -> str:
    pieces: list[str] = []
    done = 0
    for match in _PARAMETERS.finditer(text):
        start = match.end()
        end = _closing(text, start)
        if end is None or start < done or not _AFTER.match(text, end):
            continue
        blank = _blank(text[start:end])
        if blank is not None:
            pieces += (text[done:start], blank)
            done = end
    pieces.append(text[done:])
    return "".join(pieces)


def _closing(text: str, start: int) -> int | None:
    """The offset behind the bracket that closes the one at ``start``."""
    depth = 0
    for match in _BRACKET.finditer(text, start):
        depth += 1 if match[0] == "[" else -1
        if depth == 0:
            return match.end()
    return None


def _blank(parameters: str) -> str | None:
    """As many blanks, lines continued by backslashes; None where a line is too short for that or bytes would shift."""
    if not parameters.isascii():
        return None
    *lines, last = _LINE_END.split(parameters)
    if not all(lines):
        return None
    ends = _LINE_END.findall(parameters)
    continued = [" " * (len(line) - 1) + "\\" + end for line, end in zip(lines, ends, strict=True)]
    return "".join(continued) + " " * len(last)
