"""Which exceptions a clause or context manager takes, by the names as written."""

from __future__ import annotations

from otplint.facts.syntax import code

_BROAD = {"Exception", "BaseException", "builtins.Exception", "builtins.BaseException"}


def exception_types(type_: code.Expr | None) -> list[code.Expr]:
    """The single types of an ``except`` clause's expression."""
    if type_ is None:
        return []
    if isinstance(type_, code.Seq):
        return [t for item in type_.items for t in exception_types(item)]
    return [type_]


def catches_all(type_: code.Expr | None) -> bool:
    """True for a bare ``except``, ``Exception`` and ``BaseException``, by the names as written."""
    return type_ is None or any(code.dotted(t) in _BROAD for t in exception_types(type_))


def suppressed_types(context: code.Expr) -> tuple[code.Expr, ...] | None:
    """The exceptions that ``contextlib.suppress(...)`` swallows; none for other context managers."""
    if isinstance(context, code.Call) and code.dotted(context.func) in ("suppress", "contextlib.suppress"):
        return tuple(a.value for a in context.args)
    return None
