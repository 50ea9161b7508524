from __future__ import annotations

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otplint.engine.suppress import HOUSEKEEPING, Applied, Suppressions, apply, housekeeping
from otplint.findings import Confidence, Finding, Severity, Span
from otplint.sources.positions import LineTable

KNOWN = {"OTP201": "broad-except-in-handler", "OTP301": "magic-threshold", "OTP501": "test-only-supervision"}


def finding(line: int, code: str = "OTP201") -> Finding:
    span = Span("a.py", line, 1, line, 2)
    return Finding(code, KNOWN[code], Severity.HIGH, Confidence.HIGH, span, "It is wrong.")


def applied(text: str, *findings: Finding, header: Collection[int] = ()) -> Applied:
    return apply(findings, Suppressions.of(text), lambda found: header or (found.span.line,))


def told(text: str, *findings: Finding, ran: Collection[str] = tuple(KNOWN)) -> list[str]:
    suppressions = Suppressions.of(text)
    used = applied(text, *findings).used
    found = housekeeping(suppressions, "a.py", used=used, known=KNOWN, ran=ran)
    return [f"{item.code}:{item.span.line}:{item.span.column}-{item.span.end_column} {item.message}" for item in found]


@pytest.mark.parametrize(
    "comment",
    [
        "# otplint: ignore[OTP201] why",
        "#otplint:ignore[OTP201]why",
        "# otplint: ignore [OTP301, OTP201] why",
        "# otplint: ignore[broad-except-in-handler] why",
        "# otplint: ignore[otp201] why",
        "# type: ignore  # otplint: ignore[OTP201] why",
        "# otplint: ignore[OTP201] why  # noqa: BLE001",
        "# noqa: OTP201",
        "# NOQA:BLE001,OTP201 why",
        "# noqa: BLE001 OTP201",
    ],
)
def test_a_comment_on_the_line_silences(comment: str) -> None:
    answer = applied(f"x\nexcept Exception:  {comment}\ny\n", finding(2), finding(1), finding(3))
    assert [item.finding.span.line for item in answer.suppressed] == [2]
    assert [item.span.line for item in answer.kept] == [1, 3]
    ((entry, _),) = answer.used
    assert answer.suppressed[0].by == entry


@pytest.mark.parametrize(
    "comment",
    [
        "# otplint: ignore[OTP301] why",
        "# otplint: ignore[OTP2] why",
        "# otplint: ignore",
        "# otplint: ignore-file[OTP201] why",  # not on a line of its own
        "# noqa",
        "# noqa: BLE001",
        "# noqa: OTP2011",
        "# see otplint: ignore[OTP201] why",
        "'# otplint: ignore[OTP201] why'",
        "f'{x:# otplint: ignore[OTP201] why}'",
        "'''\n# otplint: ignore[OTP201] why\n'''",
    ],
)
def test_what_does_not_silence(comment: str) -> None:
    assert applied(f"x {comment}\n", finding(1), finding(2), finding(3)).suppressed == ()


@pytest.mark.parametrize(
    "between", ["", "    # and more of the reason\n", "\n", "    # otplint: ignore[OTP301] why\n\n    # otplint: x\n"]
)
def test_alone_on_the_line_above(between: str) -> None:
    text = f"try:\n    # otplint: ignore[OTP201] why\n{between}    x = 1\n    y = 2\n"
    line = 3 + between.count("\n")
    assert [item.finding.span.line for item in applied(text, finding(line), finding(line + 1)).suppressed] == [line]


def test_a_comment_after_code_says_nothing_of_the_next_line() -> None:
    assert applied("x  # otplint: ignore[OTP201] why\ny\n", finding(2)).suppressed == ()


def test_any_line_of_the_header_will_do() -> None:
    text = "call(\n    1,\n    # otplint: ignore[OTP201] why\n    2,\n)  # otplint: ignore[OTP301] why\n"
    assert (
        len(applied(text, finding(1), finding(1, "OTP301"), finding(1, "OTP501"), header=range(1, 6)).suppressed) == 2
    )
    assert applied(text, finding(1), finding(1, "OTP301"), header=[1]).suppressed == ()


def test_a_whole_file() -> None:
    text = "'''doc'''\nx\n  # otplint: ignore-file[OTP201, magic-threshold] why\n"
    answer = applied(text, finding(1), finding(9, "OTP301"), finding(9, "OTP501"))
    assert [item.code for item in answer.kept] == ["OTP501"]
    assert told(text, finding(1), finding(9, "OTP301")) == []


def test_nothing_is_scanned_where_nothing_is_said() -> None:
    assert not Suppressions.of("x = 1  # comment\n")
    assert applied("x = 1\n", finding(1)) == Applied((finding(1),), (), frozenset())


def test_unused() -> None:
    text = "x\ny  # otplint: ignore[OTP201, OTP301] why\nz  # noqa: BLE001, OTP501 why\n"
    assert told(text, finding(2)) == [
        "OTP901:2:4-41 OTP301 reports nothing here. Remove OTP301 from the comment.",
        "OTP901:3:4-30 OTP501 reports nothing here. Remove OTP501 from the comment.",
    ]
    assert told(text, finding(2), ran=["OTP201", "OTP501"]) == [
        "OTP901:3:4-30 OTP501 reports nothing here. Remove OTP501 from the comment."
    ]
    assert told("# otplint: ignore-file[OTP201] why\n") == [
        "OTP901:1:1-35 OTP201 reports nothing in this file. Remove the comment."
    ]


def test_two_comments_for_one_finding_are_both_used() -> None:
    text = "# otplint: ignore-file[OTP201] why\nx  # otplint: ignore[OTP201] why\n"
    assert told(text, finding(2)) == []


@pytest.mark.parametrize("blank", ["", " ", " - ", ": ", " \u2014 "])
def test_a_reason_is_wanted(blank: str) -> None:
    after = "Say why after the brackets."
    problem = f"OTP201 is silenced without a reason. {after}"
    assert [line.partition(" ")[2] for line in told(f"x  # otplint: ignore[OTP201]{blank}", finding(1))] == [problem]
    assert told(f"x  # otplint: ignore[OTP201]{blank}# noqa: E501", finding(1))[0].endswith(problem)
    assert told(f"x  # otplint: ignore[OTP201]{blank}because", finding(1)) == []


def test_a_reason_is_wanted_after_noqa_too() -> None:
    assert told("x  # noqa: E501, OTP201", finding(1)) == [
        "OTP902:1:4-24 OTP201 is silenced without a reason. Say why after the code."
    ]
    assert told("x  # noqa: E501, OTP201 because", finding(1)) == []
    assert told("x  # noqa: E501, BLE001") == []


def test_a_reason_may_hold_a_hash() -> None:
    (entry,) = Suppressions.of("x  # otplint: ignore[OTP201] see issue #12, [sic]").entries
    assert entry.reason == "see issue #12, [sic]"


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("# otplint: ignore[OTP2O1] why", "There is no rule OTP2O1. Did you mean OTP201?"),
        ("# otplint: ignore[broad-except] why", "There is no rule broad-except. Did you mean broad-except-in-handler?"),
        ("# otplint: ignore[zzz] why", "There is no rule zzz. 'otplint rules' lists them all."),
        ("# noqa: OTP999 why", "There is no rule OTP999. 'otplint rules' lists them all."),
        ("# otplint: ignore[OTP902] why", "OTP902 cannot be silenced by a comment. Ignore it in the configuration."),
        ("# otplint: ignore", "'otplint: ignore' names no rule: write '# otplint: ignore[OTP201] reason'."),
        ("# otplint: ignore[]", "'otplint: ignore' names no rule: write '# otplint: ignore[OTP201] reason'."),
        ("# otplint: ignore[OTP201", "'otplint: ignore' has no closing bracket: write"),
        ("# otplint: disable[OTP201]", "'otplint: disable' is not understood: write"),
        ("# otplint:", "'otplint: ' is not understood: write"),
        ("# otplint: ignore-file[OTP201] why", "'otplint: ignore-file' counts only on a line of its own."),
    ],
)
def test_what_is_not_understood_is_told(comment: str, message: str) -> None:
    (line,) = told(f"x {comment}")
    assert line.startswith(f"OTP903:1:3-{3 + len(comment)} {message}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = 1  # otplint: ignore[OTP201] why  \ny\n", "x = 1\ny\n"),
        ("x\r\n    # otplint: ignore[OTP201] why\r\ny\r\n", "x\r\ny\r\n"),
        ("x\n# otplint: ignore[OTP201] why", "x\n"),
        ("x  # otplint: ignore[OTP201] why  # type: ignore", "x  # type: ignore"),
        ("x  # type: ignore  # otplint: ignore[OTP201] why", "x  # type: ignore"),
        ("'é'  # noqa: OTP201 why", "'é'"),
        ("x  # otplint: ignore[OTP999,OTP201] why", "x  # otplint: ignore[OTP999] why"),
        ("x  # noqa: E501 OTP201 E502 why\n", "x  # noqa: E501, E502 why\n"),
    ],
)
def test_removal_of_an_unused_one(text: str, expected: str) -> None:
    found = housekeeping(Suppressions.of(text), "a.py", used=(), known=KNOWN, ran=KNOWN)
    (unused,) = [item for item in found if item.code == "OTP901"]
    assert unused.fix is not None
    assert unused.fix.safe
    (edit,) = unused.fix.edits
    table, span = LineTable(text), edit.span
    start, end = table.offset(span.line, span.column), table.offset(span.end_line, span.end_column)
    assert text[:start] + edit.replacement + text[end:] == expected


def test_the_family_describes_itself() -> None:
    assert [rule.code for rule in HOUSEKEEPING] == ["OTP901", "OTP902", "OTP903"]
    assert all(rule.summary.endswith(".") and rule.sections["Why"] for rule in HOUSEKEEPING)


@given(st.text(alphabet="# otplint:ignore-file[OTP201],noqa\n'x", max_size=60))
def test_any_comment_is_read(text: str) -> None:
    suppressions = Suppressions.of(f"x # otplint: {text}")
    assert isinstance(suppressions.entries, tuple)
    for item in housekeeping(suppressions, "a.py", used=(), known=KNOWN, ran=KNOWN):
        assert item.span.column < item.span.end_column
        assert "\n" not in item.message
