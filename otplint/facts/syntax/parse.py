"""The text of some statements to their records: by LibCST, or from what was kept of the same text."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from otplint.facts.index.entries import Unparsable
from otplint.facts.index.nesting import too_deep_at
from otplint.facts.syntax import code
from otplint.facts.syntax.code import Block
from otplint.facts.syntax.large import parts_of

_AROUND = "if True:\n"


class Regions(Protocol):
    """Keeps parsed statements by their text."""

    def get(self, text: str, offset: int) -> Block | None:
        """The statements of a text that were kept, with ``offset`` added to every position."""

    def put(self, text: str, offset: int, block: Block) -> None:
        """Keep the statements of a text that begins at an offset."""

    def keep(self) -> None:
        """Write down what was put."""


class NoRegions:
    """Keeps nothing."""

    def get(self, _text: str, _offset: int) -> Block | None:
        """Nothing."""
        return None

    def put(self, _text: str, _offset: int, _block: Block) -> None:
        """Forget it."""

    def keep(self) -> None:
        """There is nothing to write."""


def parse(text: str, offset: int, line: int, kept: Regions) -> Block:
    """The statements of a text.

    Args:
        text: whole statements, the first without indentation.
        offset: of the text in its file, in characters.
        line: of the text in its file, from 1.
        kept: what was parsed earlier.

    Raises:
        Unparsable: LibCST does not know the syntax, or the text nests too deeply for it.
    """
    large = parts_of(text)
    if large is not None:
        return (_by_parts(*large, text, offset, line, kept),)
    return _whole(text, offset, line, kept)


def _whole(text: str, offset: int, line: int, kept: Regions) -> Block:
    found = kept.get(text, offset)
    if found is None:
        found = _parse(text, offset, line)
        kept.put(text, offset, found)
    return found


def parse_indented(text: str, offset: int, line: int, kept: Regions) -> Block:
    """As :func:`parse`, of statements in a block."""
    (around,) = _whole(_AROUND + text, offset - len(_AROUND), line - 1, kept)
    assert isinstance(around, code.If)
    return around.body


def _by_parts(
    header: str, parts: list[tuple[int, int]], text: str, offset: int, line: int, kept: Regions
) -> code.Class:
    (found,) = _whole(header, offset, line, kept)
    assert isinstance(found, code.Class)
    blocks = [
        parse_indented(text[start:end], offset + start, line + text.count("\n", 0, start), kept) for start, end in parts
    ]
    return replace(found, body=tuple(stmt for block in blocks for stmt in block))


def _parse(text: str, offset: int, line: int) -> Block:
    import libcst as cst  # a scan that finds no actors, or knows all of them, needs no LibCST

    from otplint.facts.syntax.build import build

    if (at := too_deep_at(text)) is not None:  # LibCST would take the process with it
        raise Unparsable(line + text.count("\n", 0, at), 1, "an expression nests too deeply to be analysed")
    try:
        return build(cst.parse_module(text), text, offset)
    except cst.ParserSyntaxError as error:
        raise Unparsable(line + error.raw_line - 1, error.raw_column + 1, error.message) from None
