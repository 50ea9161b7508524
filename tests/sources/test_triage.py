from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otplint.sources.triage import Triage

NAMES = st.text(alphabet="aB_1é", min_size=1, max_size=3).map(str.encode)
DATA = st.text(alphabet="aB_1é .(\n", max_size=30).map(str.encode)


def test_tokens_are_found_anywhere() -> None:
    triage = Triage([b"pykka", b"queue.Queue"])
    assert triage.selects(b"import pykka_extras")
    assert triage.selects(b"q = queue.Queue()")
    assert not triage.selects(b"from queue import Empty")
    assert not triage.selects(b"")


@pytest.mark.parametrize("others", [[], [b"Other%d" % number for number in range(100)]], ids=["few", "many"])
def test_words_are_found_whole(others: list[bytes]) -> None:
    triage = Triage([], [b"Player", *others])
    assert triage.selects(b"class Mine(base.Player): ...")
    assert triage.selects(b"Player")
    assert not triage.selects(b"class MediaPlayer(Player2, \xc3\xa9Player): ...")


def test_says_what_it_found() -> None:
    triage = Triage([b"Queue", b"queue.Queue", b"Thread"], [b"Player"])
    assert triage.found(b"queue.Queue(); Player") == (b"Player", b"Queue")
    assert Triage([]).found(b"Queue") == ()


@given(st.lists(NAMES, max_size=4), st.lists(NAMES, max_size=30), DATA)
def test_selects_as_a_plain_search_does(tokens: list[bytes], words: list[bytes], data: bytes) -> None:
    present = set(re.findall(rb"[\w\x80-\xff]+", data))
    expected = any(token in data for token in tokens) or not present.isdisjoint(words)
    triage = Triage(tokens, words)
    assert triage.selects(data) == expected
    assert bool(triage.found(data)) == expected


@pytest.mark.parametrize(("tokens", "words"), [([b""], []), ([], [b""]), ([], [b"a.b"]), ([], [b"a b"])])
def test_refuses_tokens_that_make_no_sense(tokens: list[bytes], words: list[bytes]) -> None:
    with pytest.raises(ValueError, match=r"token|word"):
        Triage(tokens, words)
