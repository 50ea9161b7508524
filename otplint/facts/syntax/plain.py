"""Records of the code model as flat lists of plain values, to be kept: far faster to read than the text is to parse.

A list is in postfix order: values, and marks that make a record or a tuple of the values before them. Nothing is
recursive, so that no depth of an expression matters.
"""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import Any, cast

from otplint.facts.syntax import nodes
from otplint.facts.syntax.code import Block

_KINDS: list[type[Any]] = sorted(
    (found for found in vars(nodes).values() if isinstance(found, type) and found.__module__ == nodes.__name__),
    key=lambda kind: kind.__name__,
)
_NAMES = [tuple(field.name for field in fields(kind)) for kind in _KINDS]
_PARTS = [attrgetter(*names) for names in _NAMES]
_PLACED = [names[:2] == ("start", "end") for names in _NAMES]
_MARKS = {kind: (number,) for number, kind in enumerate(_KINDS)}
_ELLIPSIS, _COMPLEX = ("...",), ("j",)


def plain(block: Block, offset: int) -> list[object]:
    """A block as plain values.

    Args:
        block: statements.
        offset: what their positions are counted from, in characters.
    """
    found: list[object] = []
    waiting: list[object] = [block]
    while waiting:
        value = waiting.pop()
        mark = _MARKS.get(type(value))
        if mark is not None:
            found.append(mark)
            parts = _PARTS[mark[0]](value)
            if _PLACED[mark[0]]:
                waiting += (parts[0] - offset, parts[1] - offset)
                waiting += parts[2:]
            else:
                waiting += parts
        elif isinstance(value, tuple):
            found.append((-1 - len(value),))
            waiting += value
        elif value is ...:
            found.append(_ELLIPSIS)
        elif isinstance(value, complex):
            found.append(_COMPLEX)
            waiting += (value.real, value.imag)
        else:
            found.append(value)
    found.reverse()
    return found


def block_of(values: list[Any], offset: int) -> Block:
    """The block that :func:`plain` was given, in another place.

    Raises:
        LookupError, TypeError, ValueError: the values are none that it gave.
    """
    stack: list[Any] = []
    push = stack.append
    for value in values:
        if type(value) is not tuple:
            push(value)
            continue
        (mark,) = value
        if mark == "...":
            push(...)
        elif mark == "j":
            stack[-2:] = [complex(*stack[-2:])]
        elif mark < 0:
            first = len(stack) + 1 + mark
            if first < 0:
                raise ValueError("fewer values than a tuple has")
            stack[first:] = [tuple(stack[first:])]
        else:
            first = len(stack) - len(_NAMES[mark])
            parts = stack[first:]
            if _PLACED[mark]:
                parts[0] += offset
                parts[1] += offset
            stack[first:] = [_KINDS[mark](*parts)]
    (block,) = stack
    if not isinstance(block, tuple):
        raise TypeError("no block")
    return cast("Block", block)
