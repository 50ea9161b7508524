"""A place in a text that moves token by token, for walks of a tree that knows its tokens but not where they are."""

from __future__ import annotations

import re
from collections.abc import Sequence

import libcst as cst

TRIVIA = re.compile(r"(?:[ \t\f\r\n\\\ufeff]|#[^\n\r]*)*")
# Separators that no expression starts with; the others are taken one by one.
_LOOSE = re.compile(
    r"(?:[ \t\f\r\n\\\ufeff,;:=@]|#[^\n\r]*|(?:as|in|if|else|elif|for|while|with|async|from|import|return|raise|del"
    r"|assert|global|nonlocal|try|except|finally|class|def|and|or|is)(?![\w\"']))*"
)


class LostPosition(Exception):  # noqa: N818 - the name says what is wrong
    """The text does not hold the token that the tree says comes next; a bug in this module."""


class Cursor:
    """Takes the tokens of ``text`` in order; ``offset`` is added to every position it tells."""

    def __init__(self, text: str, offset: int) -> None:
        self.text = text
        self.offset = offset
        self.pos = 0

    # -- the cursor

    def here(self) -> int:
        """Skip separators; the offset of the next token."""
        match = _LOOSE.match(self.text, self.pos)
        assert match is not None
        self.pos = match.end()
        return self.pos + self.offset

    def take(self, token: str) -> int:
        """Skip separators, then ``token``; where it started."""
        self.here()
        return self._take_here(token)

    def take_operator(self, token: str) -> int:
        """As :meth:`take` for tokens such as ``is`` and ``==`` that :meth:`here` would skip in part."""
        match = TRIVIA.match(self.text, self.pos)
        assert match is not None
        self.pos = match.end()
        return self._take_here(token)

    def _take_here(self, token: str) -> int:
        start = self.pos
        if not self.text.startswith(token, start):
            raise LostPosition(f"{token!r} expected at {self.text[start : start + 20]!r}")
        self.pos = start + len(token)
        return start + self.offset

    def take_word_operator(self, token: str) -> None:
        """An operator of one or two words, with any space between them."""
        for word in token.split():
            self.take_operator(word)

    def skip_brackets(self) -> None:
        """Skip one balanced bracket pair that the model does not keep (type parameters)."""
        self.here()
        depth = 0
        for match in re.compile(r"[\[\](){}]|#[^\n\r]*|'[^'\n]*'|\"[^\"\n]*\"").finditer(self.text, self.pos):
            token = match.group()
            depth += (token in "[({") - (token in "])}")
            if depth == 0:
                self.pos = match.end()
                return

    @property
    def end(self) -> int:
        """The offset behind the last token."""
        return self.pos + self.offset

    def parens(self, parens: Sequence[object], token: str) -> None:
        """Take as many of ``token`` as there are parentheses."""
        for _ in parens:
            self.take(token)


def operator_token(operator: cst.CSTNode) -> str:
    """How an operator is written."""
    known = _OPERATORS.get(type(operator))
    return known if known is not None else str(getattr(operator, "value", ""))


_OPERATORS: dict[type[cst.CSTNode], str] = {
    cst.Add: "+", cst.Subtract: "-", cst.Multiply: "*", cst.Divide: "/", cst.FloorDivide: "//", cst.Modulo: "%",
    cst.Power: "**", cst.MatrixMultiply: "@", cst.LeftShift: "<<", cst.RightShift: ">>", cst.BitAnd: "&",
    cst.BitOr: "|", cst.BitXor: "^", cst.BitInvert: "~", cst.Minus: "-", cst.Plus: "+", cst.Not: "not",
    cst.And: "and", cst.Or: "or", cst.Equal: "==", cst.LessThan: "<", cst.GreaterThan: ">", cst.LessThanEqual: "<=",
    cst.GreaterThanEqual: ">=", cst.Is: "is", cst.IsNot: "is not", cst.In: "in", cst.NotIn: "not in",
    cst.AddAssign: "+=", cst.SubtractAssign: "-=", cst.MultiplyAssign: "*=", cst.DivideAssign: "/=",
    cst.FloorDivideAssign: "//=", cst.ModuloAssign: "%=", cst.PowerAssign: "**=", cst.MatrixMultiplyAssign: "@=",
    cst.LeftShiftAssign: "<<=", cst.RightShiftAssign: ">>=", cst.BitAndAssign: "&=", cst.BitOrAssign: "|=",
    cst.BitXorAssign: "^=",
}  # fmt: skip
