from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otplint.sources.positions import LineTable

TEXTS = st.text(alphabet=st.sampled_from("ab \t\n\r\f\v\x1c\x85\u2028\u2029éß漢😀"), max_size=60)


def naive_lines(text: str) -> list[str]:
    """Lines with their ends, one character at a time."""
    lines, current, i = [], "", 0
    while i < len(text):
        end = "\r\n" if text.startswith("\r\n", i) else text[i] if text[i] in "\r\n" else ""
        current += end or text[i]
        i += len(end) or 1
        if end:
            lines.append(current)
            current = ""
    return [*lines, current]


@given(TEXTS)
def test_lines_are_those_of_a_naive_reader(text: str) -> None:
    table = LineTable(text)
    lines = naive_lines(text)
    assert table.line_count == len(lines)
    assert [table.line_text(number) for number in range(1, len(lines) + 1)] == [line.rstrip("\r\n") for line in lines]
    assert [text[start:] for start in table.line_starts] == ["".join(lines[number:]) for number in range(len(lines))]


@given(TEXTS)
def test_position_and_offset_are_inverse(text: str) -> None:
    table = LineTable(text)
    places = [
        (number, column) for number, line in enumerate(naive_lines(text), 1) for column in range(1, len(line) + 1)
    ]
    for offset, place in enumerate(places):
        assert table.position(offset) == place
        if text[offset] not in "\r\n":
            assert table.offset(*place) == offset
    assert table.offset(*table.position(len(text))) == len(text)


@given(TEXTS)
def test_ast_columns_are_bytes(text: str) -> None:
    table = LineTable(text)
    offset = 0
    for number, line in enumerate(naive_lines(text), 1):
        for column, char in enumerate(line):
            if char not in "\r\n":
                assert table.offset_of_ast(number, len(line[:column].encode())) == offset + column
        offset += len(line)


@given(TEXTS, st.integers(-3, 80), st.integers(-3, 80))
def test_any_position_stays_inside_the_text(text: str, line: int, column: int) -> None:
    table = LineTable(text)
    assert 0 <= table.offset(line, column) <= len(text)
    assert 0 <= table.offset_of_ast(line, column) <= len(text)
    assert table.position(column)[0] <= table.line_count
    assert isinstance(table.line_text(line), str)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("before", ["", "'\u2028\f é'; ", "'😀漢'; ", "x = '\\\n'; "])
def test_names_are_found_where_python_finds_them(before: str, line_end: str) -> None:
    text = f"# é\n\f\nif 1:\n    {before}wanted = 'é'; other = wanted\n".replace("\n", line_end)
    names = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name) and node.id == "wanted"]
    assert len(names) == 2
    for name in names:
        assert name.end_lineno is not None
        assert name.end_col_offset is not None
        start = LineTable(text).position_of_ast(name.lineno, name.col_offset)
        end = LineTable(text).position_of_ast(name.end_lineno, name.end_col_offset)
        assert LineTable(text).slice(*start, *end) == "wanted"


def test_an_empty_text_has_one_line() -> None:
    table = LineTable("")
    assert (table.line_count, table.position(0), table.offset(1, 1), table.line_text(1)) == (1, (1, 1), 0, "")


def test_a_column_after_the_line_end_is_the_line_end() -> None:
    assert LineTable("ab\r\ncd").offset(1, 99) == 2
    assert LineTable("ab\r\ncd").offset(2, 99) == 6
    assert LineTable("ab\r\ncd").offset(9, 1) == 6
    assert LineTable("ab\r\ncd").position(99) == (2, 3)
