"""Edits for fixes: of the text of a function's file, at its nodes."""

from __future__ import annotations

from otplint.facts.methods import Method
from otplint.facts.syntax import code
from otplint.findings import Edit, Span

_LEAVES = (code.Pass, code.Continue, code.Break, code.Return)


def replaced(method: Method, node: code.Node, text: str) -> Edit:
    """``text`` in the place of a node. Parentheses around the node stay."""
    return Edit(method.span(node), text)


def wrapped(method: Method, node: code.Node, before: str, after: str) -> tuple[Edit, Edit]:
    """Text right before and right after a node."""
    first, last = node.start, node.end
    return Edit(_between(method, first, first), before), Edit(_between(method, last, last), after)


def with_method(method: Method, call: code.Call, text: str) -> Edit | None:
    """A call of another method of the same object, e.g. ``popleft()``; none where no attribute is called."""
    if not isinstance(call.func, code.Attr):
        return None
    return Edit(_between(method, call.func.end - len(call.func.name), call.end), text)


def with_keyword(method: Method, call: code.Call, name: str, value: str) -> Edit | None:
    """A call with ``name=value``, added or changed; none where a comment, ``*`` or ``**`` is in the way."""
    given = next((arg.value for arg in call.args if arg.name == name), None)
    if given is not None:
        return replaced(method, given, value)
    text = method.source.text[call.start : call.end]
    if "#" in text or any(arg.star for arg in call.args) or not text.endswith(")"):
        return None
    inside = text[:-1].rstrip()
    comma = "" if not call.args else " " if inside.endswith(",") else ", "
    at = call.start + len(inside)
    return Edit(_between(method, at, at), f"{comma}{name}={value}")


def with_last(method: Method, clause: code.Handler, statement: str) -> Edit:
    """An ``except`` clause that ends with another statement.

    It takes the place of a last one that only leaves the block (``pass``, ``continue``, ``break``, ``return``); else
    it comes after the last one, on a line of its own unless the block shares the line of the clause's header.
    """
    first, last = clause.body[0], clause.body[-1]
    if isinstance(last, _LEAVES):
        return replaced(method, last, statement)
    lines = method.source.lines
    end = _end(last)
    line = lines.position(first.start)[0]
    if line == lines.position(clause.end)[0]:  # `except OSError: self.errors += 1`
        return Edit(_between(method, end, end), f"; {statement}")
    text = lines.line_text(line)
    indent = text[: len(text) - len(text.lstrip(" \t\f"))]
    line = lines.position(end)[0]
    at = lines.offset(line, len(lines.line_text(line)) + 1)
    return Edit(_between(method, at, at), f"\n{indent}{statement}")


def _between(method: Method, start: int, end: int) -> Span:
    lines = method.source.lines
    return Span(method.source.path, *lines.position(start), *lines.position(end))


def _end(stmt: code.Stmt) -> int:
    """The offset behind a statement and all that is nested in it."""
    inside = [part.end for part in code.statements((stmt,), nested=True)]
    headers = [expr.end for part in code.statements((stmt,), nested=True) for expr in code.expressions(part)]
    return max([stmt.end, *inside, *headers])
