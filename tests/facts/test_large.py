"""A large class is parsed in parts, and nobody can tell."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import otplint
from otplint.facts.syntax import large
from otplint.facts.syntax.parse import NoRegions, _parse, parse
from otplint.facts.syntax.plain import plain

CLASS = '''\
@made(
    1,
)
class Bank(  # comment: with a colon
    Base[int],
    metaclass=Meta,
):
    # before the first
    """Text

    def not_a_function(self): ...
"""

    limit = 3; most = {
        "a": 1,
    }

    @property
    # between
    def one(self): return 1
    two = three = 3; four = 4

# far to the left
    async def five(self, x, *y):
        return f"""{x}
    def six(self): ...
"""

    class Inner(Base):
        def seven(self):
            match self:
                case Inner(): pass

    def eight(self):
        pass
    # the last word
'''


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "LARGE", 0)
    monkeypatch.setattr(large, "_PART", 1)


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_parts_make_the_same_class(end: str) -> None:
    text = CLASS.replace("\n", end)
    found = large.parts_of(text)
    assert found is not None
    assert len(found[1]) == 7
    assert plain(parse(text, 100, 7, NoRegions()), 100) == plain(_parse(text, 0, 1), 0)


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize(
    "text",
    [
        "class A: x = 1; y = 2\n",
        "class A(\n  B): x = 1\n",
        "def f():\n    x = 1\n",
        "x = 1\n",
        "class A(:\n    x\n",
        "",
    ],
)
def test_other_texts_are_left_whole(text: str) -> None:
    assert large.parts_of(text) is None


@pytest.mark.usefixtures("tiny")
def test_real_classes_in_parts_are_the_same() -> None:
    count = 0
    for file in sorted(Path(otplint.__file__).parent.glob("facts/*.py")):
        text = file.read_text(encoding="utf-8")
        lines = text.splitlines(keepends=True)
        for stmt in ast.parse(text).body:
            if isinstance(stmt, ast.ClassDef):
                own = "".join(lines[stmt.lineno - 1 : stmt.end_lineno])
                assert plain(parse(own, 0, 1, NoRegions()), 0) == plain(_parse(own, 0, 1), 0)
                count += 1
    assert count > 20


def test_small_classes_are_left_whole() -> None:
    assert large.parts_of(CLASS) is None
