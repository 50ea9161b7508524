"""Large classes are parsed some statements at a time: LibCST's tree takes some 500 bytes for each character of text."""

from __future__ import annotations

import ast

from otplint.sources.positions import LineTable

LARGE = 48_000
"""Characters from which on it is worth the trouble."""
_PART = 12_000
"""Characters that a part has at least."""


def parts_of(text: str) -> tuple[str, list[tuple[int, int]]] | None:
    """The header of a class with a body that does nothing, and the places of the parts of its body, in characters.

    Args:
        text: begins at the start of a line.

    Returns:
        None for anything else than one large class, and for syntax that this interpreter does not know.
    """
    found = _class_of(text) if len(text) >= LARGE else None
    if found is None:
        return None
    lines = LineTable(text)
    starts = [lines.offset(_first_line(stmt), 1) for stmt in found.body]
    ends = [stmt.end_lineno or 0 for stmt in found.body]
    begin = starts[0]
    indent = text[begin : len(text) - len(text[begin:].lstrip(" \t\f"))]
    header = f"{text[:begin]}{indent}pass\n"
    if _class_of(header) is None:  # the body begins on the header's line
        return None
    parts, start = [], begin
    for end_before, stmt, end in zip(ends, found.body[1:], starts[1:], strict=False):
        if end - start >= _PART and end_before < _first_line(stmt):
            parts.append((start, end))
            start = end
    return header, [*parts, (start, len(text))]


def _class_of(text: str) -> ast.ClassDef | None:
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return body[0] if len(body) == 1 and isinstance(body[0], ast.ClassDef) else None


def _first_line(stmt: ast.stmt) -> int:
    decorators = stmt.decorator_list if isinstance(stmt, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) else ()
    return min([stmt.lineno, *(decorator.lineno for decorator in decorators)])
