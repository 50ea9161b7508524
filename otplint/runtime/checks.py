"""Bad input named by field: one place that says what a whole number, a number of seconds or a kind of object is."""

from __future__ import annotations

import math

from otplint.runtime.errors import SettingsError, SpecError

Error = type[SettingsError] | type[SpecError]


def check_whole(error: Error, field: str, value: object, least: int) -> None:
    """Raises `error` unless `value` is a whole number of at least `least`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise error(field, f"expected a whole number >= {least}, got {value!r}")


def check_seconds(error: Error, field: str, value: object, *, positive: bool = False, finite: bool = True) -> None:
    """Raises `error` unless `value` is a number of seconds, not negative (`positive`: above 0), not NaN."""
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0
    if good and isinstance(value, (int, float)):
        good = not (positive and value == 0) and not (finite and math.isinf(value))
    if not good:
        raise error(field, f"expected seconds {'>' if positive else '>='} 0, got {value!r}")


def check_kind(error: Error, field: str, value: object, kind: type) -> None:
    """Raises `error` unless `value` is a `kind`."""
    if not isinstance(value, kind):
        raise error(field, f"expected {kind.__name__}, got {value!r}")


def check_name(error: Error, field: str, value: object) -> None:
    """Raises `error` unless `value` is a non-empty str."""
    if not isinstance(value, str) or not value:
        raise error(field, f"expected a non-empty str, got {value!r}")
