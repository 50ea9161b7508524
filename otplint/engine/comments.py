"""Where the comments of a text are, without parsing it.

A scanner of its own, not :mod:`tokenize`: code may be newer than the interpreter (nested quotes in f-strings, template
strings), and a broken file must not raise. It knows strings, their prefixes, triple quotes and continuation lines, and
f-strings with their fields and format specs (in ``f"{x:#x}"`` nothing is a comment).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_CODE = re.compile(r"[#\"']")
_FIELD = re.compile(r"[#\"'()\[\]{}:]")
_TEXT = re.compile(r"[\\{}\"'\r\n]")
_LINE_END = re.compile(r"[\r\n]")
_TO_LINE_END = re.compile(r"[^\r\n]*")
_PREFIX = re.compile(r"\w{0,3}\Z")
_INTERPOLATED = frozenset({"f", "fr", "rf", "t", "tr", "rt"})
_ESCAPE = r"\\(?:\r\n|[\s\S])"
_STRING_REST = {
    "'": re.compile(rf"[^'\\\r\n]*(?:{_ESCAPE}[^'\\\r\n]*)*'?"),
    '"': re.compile(rf'[^"\\\r\n]*(?:{_ESCAPE}[^"\\\r\n]*)*"?'),
    "'''": re.compile(rf"[^'\\]*(?:(?:{_ESCAPE}|'(?!''))[^'\\]*)*(?:''')?"),
    '"""': re.compile(rf'[^"\\]*(?:(?:{_ESCAPE}|"(?!""))[^"\\]*)*(?:""")?'),
}


class _Literal:
    """An open f-string: the scanner is in its text, or in the format spec of one of its fields."""

    __slots__ = ("quote", "raw", "spec")

    def __init__(self, quote: str, raw: bool, spec: bool = False) -> None:
        self.quote = quote
        self.raw = raw
        self.spec = spec


class _Field:
    """An open replacement field: the scanner is in code, ``depth`` brackets deep."""

    __slots__ = ("depth", "literal")

    def __init__(self, literal: _Literal) -> None:
        self.literal = literal
        self.depth = 0


def comments(text: str) -> Iterator[tuple[int, int]]:
    """Start and end offsets of every comment, from its ``#`` to before the line end, in order."""
    stack: list[_Literal | _Field] = []
    at = 0
    while True:
        top = stack[-1] if stack else None
        if isinstance(top, _Literal):
            at = _in_literal(text, at, stack, top)
            if at < 0:
                return
            continue
        found = (_CODE if top is None else _FIELD).search(text, at)
        if found is None:
            return
        at = found.end()
        char = found[0]
        if char == "#":
            end = _TO_LINE_END.match(text, at)
            at = end.end() if end else at
            yield found.start(), at
        elif char in "\"'":
            at = _open_string(text, found.start(), stack)
        elif top is not None:
            _in_field(char, stack, top)


def _open_string(text: str, start: int, stack: list[_Literal | _Field]) -> int:
    """Skip a plain string, or enter an f-string; gives the offset to go on from."""
    quote = text[start] * 3 if text.startswith(text[start] * 3, start) else text[start]
    word = _PREFIX.search(text, max(start - 3, 0), start)
    prefix = word[0].lower() if word else ""
    if prefix in _INTERPOLATED:
        stack.append(_Literal(quote, "r" in prefix))
        return start + len(quote)
    rest = _STRING_REST[quote].match(text, start + len(quote))
    return rest.end() if rest else len(text)


def _in_field(char: str, stack: list[_Literal | _Field], field: _Field) -> None:
    if char in "([{":
        field.depth += 1
    elif char == ":":
        if field.depth == 0:
            stack.append(_Literal(field.literal.quote, field.literal.raw, spec=True))
    elif field.depth:
        field.depth -= 1
    elif char == "}":
        stack.pop()


def _in_literal(text: str, at: int, stack: list[_Literal | _Field], top: _Literal) -> int:
    """Go on to the next character that means something in an f-string's text; -1 at the end of the text."""
    found = _TEXT.search(text, at)
    if found is None:
        return -1
    char, start, end = found[0], found.start(), found.end()
    if char == "\\":
        return _after_escape(text, end, top.raw)
    if char == "{":
        if not top.spec and text.startswith("{", end):
            return end + 1
        stack.append(_Field(top))
    elif char == "}":
        if top.spec:
            del stack[-2:]  # the spec and its field
    elif char in "\r\n":
        if len(top.quote) == 1:
            stack.pop()  # of a spec: its field goes on; of a string that is never closed: it ends with the line
    elif text.startswith(top.quote, start):
        _close(stack, top)
        return start + len(top.quote)
    return end


def _close(stack: list[_Literal | _Field], top: _Literal) -> None:
    """Leave the f-string whose quote was found, with all fields and specs that are still open in it."""
    while stack:
        item = stack.pop()
        if isinstance(item, _Literal) and not item.spec:
            return
    raise AssertionError(f"no open string for {top.quote}")


def _after_escape(text: str, at: int, raw: bool) -> int:
    """The offset after an escape whose backslash ends at *at*; a brace after it still opens a field."""
    following = text[at : at + 1]
    if following in ("{", "}"):
        return at
    if following == "N" and not raw and text.startswith("{", at + 1):
        close = text.find("}", at)
        return close + 1 if close >= 0 else len(text)
    return at + (2 if text.startswith("\r\n", at) else 1)
