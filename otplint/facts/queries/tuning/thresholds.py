"""Comparisons of what an actor measures with a number that nothing can change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from otplint.facts.methods import Method, Role
from otplint.facts.queries.tuning.effects import of_threshold
from otplint.facts.queries.tuning.fixed import Fixed, fixed, number
from otplint.facts.queries.tuning.measures import Measure, measure, tells_time
from otplint.facts.syntax import code

_ORDER = ("<", "<=", ">", ">=")
_EPSILON = 0.01
_LEAST_VALUE = 5
"""Below it a number that a message is compared with is mostly a count of parts, a rank or a version."""


class Threshold(NamedTuple):
    """One side of an ordering comparison is measured, the other is fixed."""

    compare: code.Compare
    measured: code.Expr
    measure: Measure
    limit: code.Expr
    numbers: tuple[Fixed, ...]
    """The numbers that the limit is made of, the trivial ones left out."""
    method: Method
    natural: str = ""
    """Why the numbers belong to what is measured, not to how the system is run; empty where they do not."""

    @property
    def constants(self) -> tuple[Fixed, ...]:
        """The named ones."""
        return tuple(n for n in self.numbers if n.is_constant)

    @property
    def slight(self) -> str:
        """Why hardly anything hangs on the comparison; empty where something may."""
        return of_threshold(self)


def thresholds(method: Method) -> Iterator[Threshold]:
    """The comparisons of something measured with fixed numbers, natural bounds included; in source order."""
    for expr in method.exprs():
        if isinstance(expr, code.Compare):
            found = _threshold(expr, method)
            if found is not None:
                yield found


def _threshold(compare: code.Compare, method: Method) -> Threshold | None:
    sides = (compare.left, *compare.rights)
    bound = None
    for op, left, right in zip(compare.ops, sides, sides[1:], strict=False):
        if op not in _ORDER:
            continue
        for measured, limit in ((left, right), (right, left)):
            found = _pair(compare, measured, limit, method)
            if found is not None:
                natural = _natural(found, op if measured is left else _mirrored(op))
                if not natural:
                    return found
                bound = bound or found._replace(natural=natural)
    return bound


def no_threshold(compare: code.Compare, method: Method) -> str:
    """Why an ordering comparison is no threshold at all; empty where nothing like it is compared."""
    if not any(op in _ORDER for op in compare.ops):
        return ""
    numbers, measured = [], []
    for side in (compare.left, *compare.rights):
        numbers += fixed(side, method) or margins(side, method)
        measured += [kind for kind in (measure(side, method),) if kind is not None]
    if numbers and all(n.is_trivial for n in numbers):
        return "0, 1 and -1 are no thresholds"
    if numbers:
        return "what is compared measures nothing of the actor: data at hand, a position, a code or a setting"
    return "neither side is a fixed number: settings, parameters or state decide" if measured else ""


def _mirrored(op: str) -> str:
    return op.translate(str.maketrans("<>", "><"))


def _pair(compare: code.Compare, measured: code.Expr, limit: code.Expr, method: Method) -> Threshold | None:
    numbers = fixed(limit, method)
    if numbers:
        kind = measure(measured, method)
    else:
        numbers = margins(limit, method)
        timed = bool(numbers) and (tells_time(measured, method) or tells_time(limit, method))
        kind = Measure.ELAPSED if timed else measure(measured, method) if numbers else None
        if kind is Measure.VALUE:
            return None
    worth = tuple(n for n in numbers if not n.is_trivial)
    if kind is None or not worth:
        return None
    return Threshold(compare, measured, kind, limit, worth, method)


def margins(expr: code.Expr, method: Method) -> list[Fixed]:
    """The fixed numbers that are added to, or taken from, something that is not fixed: ``ttl - 15``."""
    if not isinstance(expr, code.Binary) or expr.op not in ("+", "-"):
        return []
    parts = [fixed(part, method) for part in (expr.left, expr.right)]
    if all(parts):
        return []
    if not any(parts):
        return [n for part in (expr.left, expr.right) for n in margins(part, method)]
    return parts[0] or parts[1]


def _natural(found: Threshold, op: str) -> str:
    """Why the number belongs to the thing measured, not to how the system is run; empty where it does not."""
    values = [n.value for n in found.numbers]
    if all(0 < abs(v) < _EPSILON for v in values):
        return "so small a difference is one of rounding"
    if _is_length(found.measured) and set(values) == {2}:
        return "two is the length of a pair"
    if found.measure is not Measure.VALUE:
        return ""
    if found.method.role in (Role.START, Role.STOP, Role.SETUP):
        return "a value that is given is looked at when the actor starts or stops, not while it works"
    if any(abs(v) < _LEAST_VALUE and float(v).is_integer() or _is_binary(v) for v in values):  # noqa: RUF021
        return "a value that is given is compared with a small count, or with a power of two: a size or a mask"
    if set(values) == {100} and op in ("<", ">="):
        return "full is a hundred percent"
    if _is_range(found):
        return "it is one end of a range that the value can have"
    if _is_validation(found):
        return "the value is refused where it comes in"
    return "the value is clamped where it comes in" if _is_clamp(found) else ""


def _is_length(expr: code.Expr) -> bool:
    return isinstance(expr, code.Call) and code.dotted(expr.func) == "len"


def _is_binary(value: float) -> bool:
    """Powers of two and one less, from 64 on: widths, masks and protocol sizes."""
    whole = int(value) if float(value).is_integer() else 0
    return whole >= 63 and (whole & (whole - 1) == 0 or whole & (whole + 1) == 0)


def _is_range(found: Threshold) -> bool:
    """``0 <= x <= 100``, ``x < 0 or x > 100``: what values the thing can have."""
    if sum(number(side) is not None for side in (found.compare.left, *found.compare.rights)) > 1:
        return True
    above = found.method.parent(found.compare)
    if not isinstance(above, code.Bool):
        return False
    for other in above.parts:
        if isinstance(other, code.Compare) and other is not found.compare:
            sides = (other.left, *other.rights)
            same = any(code.same(side, found.measured) for side in sides)
            if same and any(number(side) is not None for side in sides):
                return True
    return False


def _is_validation(found: Threshold) -> bool:
    """A value that is refused where it comes in."""
    for up in found.method.above(found.compare):
        if isinstance(up, code.Assert):
            return True
        if isinstance(up, code.If):
            return isinstance(up.body[-1], code.Raise) and up.test.start <= found.compare.start <= up.test.end
        if isinstance(up, code.STATEMENTS):
            return False
    return False


def _is_clamp(found: Threshold) -> bool:
    """``if x > 100: x = 100``."""
    up = found.method.statement(found.compare)
    if not isinstance(up, code.If) or len(up.body) != 1 or not isinstance(up.body[0], code.Assign):
        return False
    given = up.body[0]
    return given.value is not None and number(given.value) == number(found.limit) and (
        any(code.same(target, found.measured) for target in given.targets)
    )  # fmt: skip
