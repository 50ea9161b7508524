from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from otplint.findings import Confidence, Finding, Report, Severity, Span
from otplint.output import render
from otplint.output.frame import frame
from otplint.output.plain import one_line, python_lines, visible


def shown(source: str, span: tuple[int, int, int, int], **options: Any) -> list[str]:
    made = Finding("OTP101", "some-name", Severity.LOW, Confidence.LOW, Span("a.py", *span), "It is wrong.")
    report = Report(version="1.0", findings=(made,), sources={"a.py": source})
    return render("text", report, **options).split("\n")


def test_lines_end_where_python_says() -> None:
    assert python_lines("a\x0cb\u2028c\x85d\x1ce\r\nf\rg\nh") == ["a\x0cb\u2028c\x85d\x1ce", "f", "g", "h"]


def test_a_form_feed_or_u2028_does_not_move_the_frame() -> None:
    lines = shown("a = '\u2028'\x0c\r\nb = 1\rc = 2\n", (3, 1, 3, 2))
    assert lines[1:5] == ["  1 | a = '\\u2028'\\x0c", "  2 | b = 1", "  3 | c = 2", "    | ^"]


@pytest.mark.parametrize(
    ("line", "start", "end", "expected", "marks"),
    [
        ("\tx = f()", 6, 9, "    x = f()", "        ^^^"),
        ("a\tb = f()", 7, 10, "a   b = f()", "        ^^^"),
        ("名前 = f()", 6, 9, "名前 = f()", "       ^^^"),
        ("f('名前')", 3, 7, "f('名前')", "  ^^^^^^"),
        ("e\u0301 = f()", 6, 9, "e\u0301 = f()", "    ^^^"),
        ("x = '\x1b[31m' + f()", 15, 18, "x = '\\x1b[31m' + f()", "                 ^^^"),
        ("x = f()", 5, 5, "x = f()", "    ^"),
        ("x = f()", 5, 99, "x = f()", "    ^^^"),
    ],
)
def test_marks_stand_under_what_they_mark(line: str, start: int, end: int, expected: str, marks: str) -> None:
    assert shown(line, (1, start, 1, end))[1:3] == [f"  1 | {expected}", f"    | {marks}"]


def test_long_lines_are_cut_with_the_mark_in_view() -> None:
    source = "x = [" + "0, " * 100 + "f()]"
    lines = shown(source, (1, 306, 1, 309), width=60)
    assert all(cell_len(line) <= 60 for line in lines)
    assert lines[1].endswith("0, f()]")
    at = lines[2].index("^")
    assert lines[1][at : at + 3] == "f()"
    assert lines[2].count("^") == 3


def test_long_spans_show_their_ends() -> None:
    source = "\n".join(f"line{number}" for number in range(1, 31))
    frames = [line for line in shown(source, (5, 1, 25, 3)) if " | " in line and "^" not in line]
    assert [line.split(" | ")[0].strip() for line in frames] == ["3", "4", "5", "6", "7", "", "25", "26", "27"]


def test_an_empty_line_inside_a_span_has_no_mark() -> None:
    lines = shown("f(\n\n    x,\n)\n", (1, 1, 4, 2))
    assert lines[1:8] == ["  1 | f(", "    | ^^", "  2 |", "  3 |     x,", "    |     ^^", "  4 | )", "    | ^"]


def test_a_span_outside_the_source_has_no_frame() -> None:
    assert shown("x\n", (9, 1, 9, 2))[1:] == ["  It is wrong.", "", ""]


def test_colour_is_the_callers_choice(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, coloured = render("text", report), render("text", report, colour=True)
    assert "\x1b" not in plain
    assert "\x1b[" in coloured
    for name, value in {"NO_COLOR": "1", "FORCE_COLOR": "1", "TERM": "dumb", "COLUMNS": "20", "LINES": "5"}.items():
        monkeypatch.setenv(name, value)
        assert render("text", report) == plain
        assert render("text", report, colour=True) == coloured


def test_prose_is_wrapped_and_nothing_has_trailing_space(report: Report) -> None:
    narrow = render("text", report, width=50)
    assert all(line == line.rstrip() for line in narrow.split("\n"))
    prose = [line for line in narrow.split("\n") if line.startswith("    ") and " | " not in line]
    assert all(len(line) <= 50 for line in prose)
    assert "at run time:" in narrow
    assert "what to do:" in narrow


def test_brackets_are_no_markup() -> None:
    made = Finding(
        "OTP901", "n", Severity.LOW, Confidence.LOW, Span("a.py", 1, 1, 1, 2), "Use [bold]ignore[OTP201][/bold]."
    )
    text = render("text", Report(version="1", findings=(made,)))
    assert "Use [bold]ignore[OTP201][/bold]." in text


def test_a_safe_fix_is_told_from_an_unsafe_one(report: Report) -> None:
    first = report.findings[0]
    assert first.fix is not None
    assert "fix: Release the monitor (--fix --unsafe-fixes)" in render("text", report)
    safe = dataclasses.replace(first, fix=dataclasses.replace(first.fix, safe=True))
    assert "fix: Release the monitor (--fix)" in render("text", dataclasses.replace(report, findings=(safe,)))


LINES = st.text(st.sampled_from("ab \t名\u0301\u2028\x1b\U0001f600"), max_size=60)


@given(LINES, st.integers(0, 70), st.integers(0, 70), st.integers(20, 80))
def test_a_mark_covers_the_cells_of_its_characters(line: str, start: int, length: int, width: int) -> None:
    (made,) = frame([line], Span("a.py", 1, start + 1, 1, start + length + 1), width=width, cells=cell_len)
    assert cell_len(made.text) <= width
    assert made.mark_cells >= 1
    if "…" in made.text or start + length > len(line):
        return

    def cells_of(end: int) -> int:
        cells = 0
        for char in line[:end]:
            cells += 4 - cells % 4 if char == "\t" else cell_len(visible(char))
        return cells

    assert made.mark_from == cells_of(start)
    assert made.mark_cells == max(cells_of(start + length) - cells_of(start), 1)


@given(st.text(st.characters()))
def test_one_line_can_be_printed_anywhere(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    line.encode("utf-8")
