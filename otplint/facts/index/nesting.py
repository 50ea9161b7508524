"""Whether a text nests too deeply for LibCST, from one scan of its tokens: asked before LibCST sees a text.

LibCST 1.9's native parser recurses without a limit and takes the process with it: measured with an 8 MB stack, at some
1,500 nested parentheses, 2,000 to 4,000 nested lambdas, or 4,000 to 8,000 operators in one expression. Patterns of
``case`` take it exponential time: ten nested mappings 6 s, twenty alternatives in parentheses minutes.
"""

from __future__ import annotations

import re

MAX_BRACKETS = 200
"""CPython refuses more ("too many nested parentheses"), so no program that runs is lost."""

MAX_PATTERN = 8
"""Brackets in a ``case`` statement's line."""

MAX_CHAIN = 3000
"""Operators, calls, subscripts and strings in a row of one expression, those around it in open brackets included."""

_CODE = re.compile(
    r"""(?P<prefix>[a-zA-Z]{0,2})(?P<quote>'''|\"\"\"|'|")
    |(?P<open>[(\[{])
    |(?P<close>[)\]}])
    |(?P<end>[\r\n,;])
    |(?P<chain>[-+*/%@&|^~<>=!.]+|\b(?:lambda|not|if|else|and|or|await|for|in|is)\b)
    |(?P<case>^[ \t\f]*case\b(?=[ \t]*[^\s=.,:)\]]))
    |(?P<elif>\belif\b)|(?P<scope>\b(?:def|class)\b)
    |\#[^\r\n]*|\\(?:\r\n|.|\n)|\w+""",
    re.VERBOSE | re.MULTILINE,
)
_TEXT = re.compile(r"\\(?:\r\n|.|\n)|\{\{|(?P<field>\{)|(?P<line>[\r\n])|(?P<quote>'''|\"\"\"|'|\")")
_LONG, _SHORT = r"(?:[^\\]|\\.)*?{0}", r"(?:[^\\\r\n{0}]|\\(?:\r\n|.|\n))*{0}"
_STRING = {
    quote: re.compile((_LONG if len(quote) == 3 else _SHORT).replace("{0}", quote), re.DOTALL)
    for quote in ("'''", '"""', "'", '"')
}


def too_deep_at(text: str) -> int | None:
    """The offset in characters where the text nests deeper than LibCST may be asked to read, or None.

    Strings and comments do not count, the fields of f-strings and t-strings do. Broken text gets some answer.
    """
    return _Scan(text).run()


class _Scan:
    def __init__(self, text: str) -> None:
        self._text = text
        self._chains = [0]  # of each open bracket, the last one innermost
        self._total = 0
        self._elifs = 0
        self._deepest = MAX_BRACKETS
        # Quotes of the f-strings around, with the number of brackets that are open when a field of it ends.
        self._formats: list[tuple[str, int]] = []

    def run(self) -> int | None:
        position = 0
        while True:
            match = _CODE.search(self._text, position)
            if match is None:
                return None
            position = match.end()
            kind = match.lastgroup
            if kind is None or self._adds_nothing(kind, match[0]):
                continue
            if kind == "close":
                position = self._close(match[0], position)
                continue
            if kind == "elif":
                self._elifs += 1
            else:
                self._chains[-1] += 1
                self._total += 1
            if kind == "open":
                self._chains.append(0)
            elif kind == "quote":
                position = self._string(match["prefix"].lower(), match["quote"], position)
            if len(self._chains) - 1 > self._deepest or self._total > MAX_CHAIN or self._elifs > MAX_CHAIN:
                return match.start()

    def _adds_nothing(self, kind: str, token: str) -> bool:
        """Takes note of a token that makes nothing deeper, and whether it was one."""
        if kind == "end":
            is_line = token not in ",;"
            if not is_line or len(self._chains) == 1:
                self._total -= self._chains[-1]
                self._chains[-1] = 0
                self._deepest = MAX_BRACKETS if is_line else self._deepest
        elif kind == "scope":
            self._elifs = 0
        elif kind == "case":
            self._deepest = MAX_PATTERN if len(self._chains) == 1 else self._deepest
        return kind in ("end", "scope", "case")

    def _close(self, bracket: str, position: int) -> int:
        if len(self._chains) > 1:
            self._total -= self._chains.pop()
        if bracket == "}" and self._formats and len(self._chains) <= self._formats[-1][1]:
            quote, _ = self._formats.pop()
            return self._format(quote, position)
        return position

    def _string(self, prefix: str, quote: str, position: int) -> int:
        """The offset behind a string, or of the code in the first field of an f-string."""
        if "f" in prefix or "t" in prefix:
            return self._format(quote, position)
        match = _STRING[quote].match(self._text, position)
        return match.end() if match else position

    def _format(self, quote: str, position: int) -> int:
        """As ``_string``, from a place in the literal text of an f-string."""
        while True:
            match = _TEXT.search(self._text, position)
            if match is None:
                return len(self._text)
            position = match.end()
            if match["field"]:
                self._formats.append((quote, len(self._chains)))
                self._chains.append(0)
                return position
            if match["quote"] and match["quote"].startswith(quote):
                return match.start() + len(quote)
            if match["line"] and len(quote) == 1:
                return match.start()
