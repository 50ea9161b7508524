from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otplint.output.fingerprints import line_hashes
from otplint.output.plain import python_lines

LOREM = "Lorem ipsum dolor sit amet.\n"
LOREM_HASHES = """
a7f2ff13bc495cf2:1 a7f2ff13bc495cf2:2 a7f2ff13bc495cf2:3 a7f2ff13bc495cf2:4 a7f2ff13bc495cf2:5 a7f2ff13bc495cf2:6
a7f2ff1481e87703:1 a9cf91f7bbf1862b:1 55ec222b86bcae53:1 cc97dc7b1d7d8f7b:1 c129715d7a2bc9a3:1
"""
TEXTS = st.text(st.sampled_from("ab \t\n\r\x0c\u2028\U0001f600"), max_size=400)


@pytest.mark.parametrize(
    ("text", "hashes"),
    [
        ("", "c129715d7a2bc9a3:1"),
        (" a\nb\n  \t\tc\n d", "271789c17abda88f:1 54703d4cd895b18:1 180aee12dab6264:1 a23a3dc5e078b07b:1"),
        (LOREM * 10, LOREM_HASHES),
    ],
    ids=["empty", "indented", "repeated"],
)
def test_published_vectors(text: str, hashes: str) -> None:
    assert line_hashes(text) == hashes.split()


def test_line_ends_and_indentation_do_not_matter() -> None:
    text = "a\nb\n\nc = 1\n"
    assert line_hashes(text) == line_hashes(text.replace("\n", "\r\n")) == line_hashes(text.replace("\n", "\r"))
    assert line_hashes(text) == line_hashes("\tc\n".join(text.replace("c = 1", "  c=1").split("\tc\n")))


def rolling(text: str) -> list[str]:
    """The same by the action's own method: one unit at a time through a window of 100."""
    modulus = 1 << 64
    window, waiting = [0] * 100, [0] * 100
    hashes: list[str] = []
    value = index = line = 0
    at_start, after_cr = True, False

    def put_out() -> None:
        nonlocal line
        if waiting[index]:
            text = f"{value:x}"
            hashes.append(f"{text}:{sum(known.startswith(f'{text}:') for known in hashes) + 1}")
            waiting[index] = 0

    def shift(unit: int) -> None:
        nonlocal value, index
        value = (37 * value + unit - pow(37, 100, modulus) * window[index]) % modulus
        window[index] = unit
        index = (index + 1) % 100

    data = text.encode("utf-16-le")
    for unit in [*(data[at] | data[at + 1] << 8 for at in range(0, len(data), 2)), 0xFFFF]:
        if unit in (0x20, 0x09) or (after_cr and unit == 0x0A):
            after_cr = False
            continue
        after_cr = unit == 0x0D
        unit = 0x0A if after_cr else unit
        put_out()
        if at_start:
            line += 1
            waiting[index] = line
        at_start = unit == 0x0A
        shift(unit)
    for _ in range(100):
        put_out()
        shift(0)
    return hashes


@given(TEXTS)
def test_the_same_as_a_rolling_window(text: str) -> None:
    assert line_hashes(text) == rolling(text)


@given(TEXTS)
def test_there_is_a_hash_for_every_line_that_python_counts(text: str) -> None:
    assert len(line_hashes(text)) == len(python_lines(text))
