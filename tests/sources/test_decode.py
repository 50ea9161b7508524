from __future__ import annotations

import codecs
import tokenize
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otplint.sources.decode import Decoded, Undecodable, decode


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", Decoded("", "utf-8")),
        ("é\r\nb\r\f\u2028\n".encode(), Decoded("é\r\nb\r\f\u2028\n", "utf-8")),
        (codecs.BOM_UTF8 + b"a\n", Decoded("a\n", "utf-8", bom=True)),
        (codecs.BOM_UTF8 + b"# coding: utf-8\n", Decoded("# coding: utf-8\n", "utf-8", bom=True)),
        (b"# coding: latin-1\n\xe9", Decoded("# coding: latin-1\n\xe9", "iso-8859-1")),
        (b"#!/bin/sh\n# -*- coding: cp1252 -*-\n\x80", Decoded("#!/bin/sh\n# -*- coding: cp1252 -*-\n€", "cp1252")),
        (b"#!/bin/sh\r# vim: set fileencoding=cp1252 :\r\x80", None),
        (b"\n\f# coding=koi8-r\n\xc1", Decoded("\n\f# coding=koi8-r\n\u0430", "koi8-r")),
        (b"# coding: UTF-8-unix\n", Decoded("# coding: UTF-8-unix\n", "utf-8")),
        (b"# coding: latin_1_dos\n\xe9", Decoded("# coding: latin_1_dos\n\xe9", "iso-8859-1")),
        (b"x = 1\n# coding: nonsense\n", Decoded("x = 1\n# coding: nonsense\n", "utf-8")),
        (b"#\n#\n# coding: nonsense\n", Decoded("#\n#\n# coding: nonsense\n", "utf-8")),
        (b"'''\n# coding: nonsense\n'''", Decoded("'''\n# coding: nonsense\n'''", "utf-8")),
    ],
)
def test_decodes(data: bytes, expected: Decoded | None) -> None:
    decoded = decode(data)
    if expected is not None:
        assert decoded == expected
    else:
        assert decoded.text.endswith("€")
    assert decoded.encode(decoded.text) == data


@pytest.mark.parametrize(
    ("data", "line", "word"),
    [
        (b"a\r\nb\rc\n\xff", 4, "0xff"),
        (b"a = '\xed\xa0\x80'", 1, "utf-8"),  # a lone surrogate
        (b"a\nb = '\x00'", 2, "NUL"),
        ("x = 1\n".encode("utf-16"), 1, "UTF-16"),
        (b"#\n# coding: uft-8\n", 2, "'uft-8'"),
        (b"# coding: hex\n", 1, "hex"),
        (b"# coding: undefined\n", 1, "undefined"),
        (codecs.BOM_UTF8 + b"\n# coding: latin-1\n", 2, "byte order mark"),
        (codecs.BOM_UTF8 + b"a\n\xff", 2, "0xff"),
        (b"# coding: ascii\n#\n# \xe9", 3, "0xe9"),
        (b"# coding: unicode_escape\nx\ny = '\\ud800'", 3, "U+D800"),
        (b"# coding: unicode_escape\nx\n\\0", 3, "NUL"),
        (b"# coding: " + b"x" * 5000, 1, "unknown encoding"),
        (b"# coding: ..-\n", 1, "unknown encoding"),
    ],
)
def test_says_where_a_file_cannot_be_decoded(data: bytes, line: int, word: str) -> None:
    with pytest.raises(Undecodable, match=word.replace("+", r"\+")) as caught:
        decode(data)
    assert caught.value.line == line
    assert "\n" not in str(caught.value)
    assert caught.value.message == str(caught.value)


PIECES = [
    b"# coding: utf-8", b"# coding: latin-1", b"# -*- coding: cp1252 -*-", b"#coding=ascii", b"# coding: nonsense",
    b"#", b"\f", b" ", b"x = 1", b"'", b"\n", b"\r\n", codecs.BOM_UTF8, "é".encode(), b"\xe9", b"\x81",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join))
def test_reads_what_tokenize_reads(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "sample.py"
    path.write_bytes(data)
    try:
        with tokenize.open(path) as file:
            expected = file.read()
    except (SyntaxError, UnicodeDecodeError):
        # tokenize alone wants the first two lines in UTF-8 whatever their cookie says
        if is_utf8(b"".join(data.splitlines(keepends=True)[:2])):
            with pytest.raises(Undecodable):
                decode(data)
    else:
        assert decode(data).text.replace("\r\n", "\n") == expected


def is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@given(st.binary(max_size=80))
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    try:
        decoded = decode(data)
    except Undecodable as error:
        line = error.line
    else:
        line = 1
        assert decoded.encode(decoded.text) == data
        assert "\0" not in decoded.text
    assert 1 <= line <= data.count(b"\n") + data.count(b"\r") + 1


def test_this_file_is_read_as_it_is() -> None:
    data = Path(__file__).read_bytes()
    assert decode(data) == Decoded(data.decode("utf-8"), "utf-8")
