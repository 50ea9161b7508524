from __future__ import annotations

from dataclasses import replace

import pytest

from otplint.engine.fingerprint import assign, fingerprint
from otplint.findings import Confidence, Finding, Severity, Span
from otplint.sources.positions import LineTable

TEXT = "class A:\n    def f(self):\n        stop(10)\n        go( 'é',\n           1)\n        stop(10)\n"


def finding(line: int, column: int, end_line: int, end_column: int) -> Finding:
    span = Span("a.py", line, column, end_line, end_column)
    return Finding("OTP301", "magic-threshold", Severity.MEDIUM, Confidence.HIGH, span, "No.", actor="A", handler="f")


FIRST, MIDDLE, SECOND = finding(3, 9, 3, 17), finding(4, 9, 5, 14), finding(6, 9, 6, 17)


def test_lines_and_blanks_may_move() -> None:
    moved = "\n\n" + TEXT.replace("\n", "\r\n").replace("go( 'é',", "go( 'é', ")
    later = replace(MIDDLE, span=Span("a.py", 6, 9, 7, 14), problem="Said otherwise.", confidence=Confidence.LOW)
    assert fingerprint(MIDDLE, TEXT) == fingerprint(later, moved) == fingerprint(later, LineTable(moved))


@pytest.mark.parametrize(
    "other",
    [
        replace(MIDDLE, code="OTP302"),
        replace(MIDDLE, actor="B"),
        replace(MIDDLE, handler="g"),
        replace(MIDDLE, span=Span("b.py", 4, 9, 5, 14)),
        FIRST,
    ],
)
def test_different_findings_have_different_ones(other: Finding) -> None:
    assert fingerprint(MIDDLE, TEXT) != fingerprint(other, TEXT)


def test_equal_findings_are_counted_in_the_order_of_the_file() -> None:
    named = assign([SECOND, MIDDLE, FIRST], {"a.py": TEXT})
    assert [item.span for item in named] == [FIRST.span, MIDDLE.span, SECOND.span]
    assert [item.fingerprint for item in named] == [
        fingerprint(FIRST, TEXT),
        fingerprint(MIDDLE, TEXT),
        fingerprint(SECOND, TEXT, occurrence=2),
    ]
    assert len({item.fingerprint for item in named}) == 3
    assert assign(named, {"a.py": TEXT}) == named


def test_the_form_is_fixed() -> None:
    """Baselines and code scanning keep these values: a change here reopens every finding of every user."""
    assert fingerprint(FIRST, TEXT) == "3fc4a975ffc5b7967e71397c83ee303a"


def test_a_source_is_needed() -> None:
    with pytest.raises(KeyError, match=r"a\.py"):
        assign([FIRST], {})
