from __future__ import annotations

import io
import sysconfig
import tokenize
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otplint.engine.comments import comments
from otplint.sources.decode import decode

LIBRARY = Path(sysconfig.get_paths()["stdlib"])


def found(text: str) -> list[str]:
    return [text[start:end] for start, end in comments(text)]


def reference(text: str) -> list[tuple[int, int]]:
    """Offsets by the interpreter's own tokenizer; the text has no line ends but newlines."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    tokens = tokenize.generate_tokens(io.StringIO(text, newline="\n").readline)
    return [
        (starts[token.start[0] - 1] + token.start[1], starts[token.end[0] - 1] + token.end[1])
        for token in tokens
        if token.type == tokenize.COMMENT
    ]


@pytest.mark.parametrize(
    "name", sorted(path.relative_to(LIBRARY).as_posix() for folder in ("", "asyncio", "email", "idlelib")
                   for path in (LIBRARY / folder).glob("[a-e]*.py"))
)  # fmt: skip
def test_agrees_with_tokenize_on_the_standard_library(name: str) -> None:
    text = decode((LIBRARY / name).read_bytes()).text.replace("\r\n", "\n")
    assert list(comments(text)) == reference(text)


@pytest.mark.parametrize(
    "text",
    [
        "x = 1  # yes",
        "# yes",
        "'#' '\\'#' \"#\" '''#\n'#' ''' # yes",
        "r'\\' # no' # yes",
        "b'#' rb'#\\'#' Rb\"#\" u'#' # yes",
        "return'#' # yes",
        "x = 0if'{#'else 1 # yes",
        "xrf'{#' # yes",  # no prefix: a name before a string
        "'a\\\n# no' # yes",
        "'a\\\r\n# no' # yes",
        "x = 1 + \\\n  2 # yes",
        "'''\\''' # no''' # yes",
        "'' # yes",
        "'''''' # yes",
        "f'{{#}}' # yes",
        "f'{x:#x}' # yes",
        "f'{x:#{w}#}' # yes",
        "f'{x!r:#>{w:#}}' # yes",
        "f'{d[1:2]:#}' # yes",
        "f'{(lambda: 1)():#}' # yes",
        "f\"{d['#']}\" # yes",
        'f"{d["#"]}" # yes',  # 3.12
        'f"{f"{f"{1:#}#"}#"}" # yes',
        "f'{\n1:#\n}#' # yes",
        "f'''{\n1 # yes\n:#\n}#'''",
        "f'\\N{NUMBER SIGN}#' # yes",
        "f'\\{1:#}' # yes",
        "f'\\{\"'\"}#' # yes",
        "rf'\\N{1:#}' # yes",
        "rf'\\'#' # yes",
        "t'{x:#}#' # yes",  # 3.14
        "Rt'''{x:#}\n#''' # yes",
        "f'''{x:\n#}''' # yes",
        "f'}' # yes",
        "f'{ {'#': 1}['#'] }' # yes",
        "é = 'é#' # yes",
    ],
)
def test_only_real_comments(text: str) -> None:
    assert [comment.strip() for comment in found(text)] == ["# yes"]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_comment_ends_with_its_line_and_nowhere_else(line_end: str) -> None:
    assert found(f"#\f\u2028 one{line_end}# two \\{line_end}x # three{line_end}") == [
        "#\f\u2028 one",
        "# two \\",
        "# three",
    ]


@pytest.mark.parametrize("text", ["'abc\n# yes", "f'{x\n# yes", "f'abc\n# yes", "f'{x:abc\n# yes", "f'{)# yes"])
def test_unclosed_strings_end_with_their_line(text: str) -> None:
    assert found(text) == ["# yes"]


@given(st.text(alphabet="#'\"\\{}fr:n N([\r\n", max_size=40))
def test_any_text_is_scanned(text: str) -> None:
    places = list(comments(text))
    assert all(text[start] == "#" and not set(text[start:end]) & {"\r", "\n"} for start, end in places)
    assert places == sorted(places)


@given(
    st.lists(
        st.sampled_from(["#a", "'#'", '"#"', "'''#\n'''", "f'{x:#}#'", "\\\n", "\n", " + ", "x", "(", ")"]), max_size=9
    )
)
def test_agrees_with_tokenize_on_pieces(pieces: list[str]) -> None:
    text = "".join(pieces) + "\n"
    try:
        expected = reference(text)
    except (tokenize.TokenError, SyntaxError):
        return
    assert list(comments(text)) == expected


def test_deep_nesting_and_long_strings_are_no_trouble() -> None:
    assert found("f'{" * 5000 + "# yes") == ["# yes"]
    assert found("'" + "\\'#" * 200_000 + "' # yes") == ["# yes"]
    assert found("(" * 5000 + "# yes") == ["# yes"]
