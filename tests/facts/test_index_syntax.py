from __future__ import annotations

import ast
import pickle
import subprocess
import sys
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otplint.facts.index.by_ast import index_module
from otplint.facts.index.by_libcst import index_with_libcst
from otplint.facts.index.entries import ModuleIndex, Unparsable
from otplint.facts.index.nesting import MAX_BRACKETS, MAX_CHAIN, too_deep_at
from otplint.facts.index.older_syntax import in_older_syntax

REFUSED = Unparsable(1, 1, "refused")


def by_ast(text: str, module: str = "pkg.mod", *, is_package: bool = False) -> ModuleIndex:
    return index_module(text, "pkg/mod.py", module, is_package)


def by_libcst(text: str, module: str = "pkg.mod", *, is_package: bool = False) -> ModuleIndex:
    return index_with_libcst(text, "pkg/mod.py", module, is_package, REFUSED)


def both(text: str, module: str = "pkg.mod", *, is_package: bool = False) -> ModuleIndex:
    """The record, which must be the same whoever made it."""
    record = by_ast(text, module, is_package=is_package)
    assert by_libcst(text, module, is_package=is_package) == record
    return record


NEW = {
    "type alias": "type Alias = base.Actor\nclass A(Alias): pass\n",
    "generic type alias": "type Pair[T: (int, str), *Ts, **P] = dict[T, tuple[Ts]]\nx = 1\n",
    "unpacking in a subscript": "x: tuple[*Ts] = a[*b]\nclass A(B[*Ts]): pass\n",
    "generic class": "class Box[T](Base[T]):\n    x = 'ä'\n    def get[S](self, s: S) -> T: ...\nclass Next[T]: pass\n",
    "several lines": "class Box[\n    T: Base[int],  # why\n    *Ts,\n](Base):\n    x = 1\ndef f[\n  T\n](a): ...\n",
    "several lines of a def": "def f[T](\n    a: T,\n) -> T:\n    class Local[S](Base): pass\n",
    "except without parentheses": "try:\n    import a\nexcept E, x.F:\n    class A(B): pass\npass\n",
    "except group": "try:\n    class A: pass\nexcept* E:\n    x = 1\n",
    "template string": "x = t'{a} ä'; y = rt'{b}'; z = Rt'''{c}'''\nclass A: pass\n",
    "nested quotes": "x = f'{a['b']}'\nclass A: pass\n",
    "backslash in a field": "x = f'{'\\n'.join(a)}'; y = 1\n",
    "comment in a field": "x = f'''{\n    a  # b\n}'''\ny = 1\n",
    "lazy import": "lazy import a\nlazy from b import c as d\nclass A(d): pass\n",
    "words that are no syntax": '"""\nclass Foo[T](\ntype X = 1\nexcept A, B:\n"""\nclass Bar[T]: x = 1\ntype = 5\n',
}


@pytest.mark.parametrize("text", NEW.values(), ids=NEW.keys())
def test_newer_syntax_than_the_interpreter_s(text: str) -> None:
    both(text)


READ_BY_LIBCST = {
    "unpacking in a subscript", "nested quotes", "backslash in a field", "comment in a field", "lazy import",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(NEW.keys() - READ_BY_LIBCST))
def test_older_syntax_is_read_by_every_interpreter(name: str) -> None:
    older = in_older_syntax(NEW[name])
    assert older is not None
    ast.parse(older.text, feature_version=(3, 10))


def test_older_syntax_keeps_every_offset() -> None:
    for text in NEW.values():
        older = in_older_syntax(text)
        if older is not None:
            assert len(older.text) == len(text)
            assert older.text.count("\n") == text.count("\n")


def test_text_without_new_syntax_has_no_older_form() -> None:
    assert in_older_syntax("class A(B[T]): x[0] = 't'\ntype = 1\ntype(x)\nexcept_ = a, b\n") is None


def test_lines_and_names_of_newer_syntax() -> None:
    text = NEW["several lines"]
    record = by_ast(text)
    (box,) = record.classes
    assert (box.bases, box.line, box.assigned) == (("Base",), 1, ("x",))
    assert text[box.start : box.end].endswith("x = 1")
    assert record.functions[0].line == 6
    assert by_ast(NEW["type alias"]).aliases == {"Alias": "base.Actor"}
    assert [c.name for c in by_ast(NEW["type alias"]).constants] == ["Alias"]


def test_real_syntax_errors_are_named_where_they_are() -> None:
    with pytest.raises(Unparsable) as caught:
        by_ast("x = 1\ndef f(:\n    pass\n")
    assert (caught.value.line, caught.value.column) == (2, 7)
    assert str(caught.value).startswith("2:7: ")


def test_a_syntax_error_behind_newer_syntax_is_named_where_it_is() -> None:
    with pytest.raises(Unparsable) as caught:
        by_ast("x = f'{a['b']}'\nclass A[T]: pass\n\ny = = 2\n")
    assert caught.value.line == 4


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x = (1,\ny = 2\n", 1),
        ("if a:\n        b\n   c\n", 3),
        ("def f():\npass\n", 2),
        ("x = 'abc\n", 1),
        ("print 'two'\n", 1),
        ("x = \ud800\n", 1),
        ("x = 1\0\n", 1),
    ],
)
def test_what_cannot_be_read_is_refused(text: str, line: int) -> None:
    with pytest.raises(Unparsable) as caught:
        by_ast(text)
    assert caught.value.line == line


DEEP = {
    "parentheses": "x = " + "(" * 1500 + "1" + ")" * 1500,
    "parentheses in newer syntax": "type X = " + "(" * 3000 + "1" + ")" * 3000,
    "parentheses in an f-string": "type X = f'{" + "(" * 3000 + "1" + ")" * 3000 + "}'",
    "a sum": "type X = " + " + ".join(["1"] * 20_000),
    "calls": "lazy import a\nx = a" + "()" * 20_000,
    "attributes": "lazy import a\nx = a" + ".a" * 20_000,
    "lambdas": "lazy import a\nx = " + "lambda: " * 20_000 + "1",
    "signs": "lazy import a\nx = " + "- " * 20_000 + "1",
    "branches": "lazy import a\nif x: pass\n" + "elif y: pass\n" * 20_000,
    "a sum of lists": "__all__ = " + " + ".join(["['a']"] * 1500),
    "a choice of bases": "class A(" + "B if c else " * 1500 + "D): pass",
    "a pattern": "lazy import a\nmatch x:\n    case " + "{1: " * 40 + "y" + "}" * 40 + ": pass",
    "mixed": "lazy import a\nx = " + "(1 + a[-b + " * 190 + "c" + "])" * 190 + "".join("(-x)" for _ in range(9000)),
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP.keys())
def test_deep_nesting_never_kills_the_process(text: str) -> None:
    # In a process of its own: an overflow of the native stack would take the test run with it.
    program = dedent("""\
        import sys
        from otplint.facts.index.entries import Unparsable
        from otplint.facts.index.by_ast import index_module
        try:
            index_module(sys.stdin.read(), "m.py", "m", False)
        except Unparsable as error:
            print("refused", error.line)
        else:
            print("indexed")
        """)
    done = subprocess.run([sys.executable, "-c", program], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split()[0] in ("refused", "indexed")


@pytest.mark.parametrize(
    "text",
    [
        "x = " + " + ".join(["1"] * 900),
        "x = " + "(" * 190 + "1" + ")" * 190,
        "x = [" + "1, " * 5_000 + "]",
        "x = {" + "'a': f(-b.c[0]),\n" * 1_000 + "}",
        "x = '" + "(" * 5_000 + "'  # " + "[" * 5_000,
        "x = '''" + "(\n" * 5_000 + "'''\n" + 'y = "\\"' + "(" * 500 + '"\n',
        "f(a).b\n" * 3_000,
        "match x:\n    case {'a': [C(b=(1 | 2))]}:\n        y = " + "(" * 100 + "1" + ")" * 100,
        "case = " + "(" * 100 + "1" + ")" * 100,
        "x = f'{{" + "(" * 500 + "{a:>{w}}" + "[" * 500 + "'\n",
    ],
)
def test_long_is_not_deep(text: str) -> None:
    assert too_deep_at(text) is None
    by_ast(text)


def test_where_it_is_too_deep() -> None:
    assert too_deep_at("x = " + "(" * 500) == 4 + MAX_BRACKETS
    assert too_deep_at("x = '('\ny = f'{" + "[" * 500) == 15 + MAX_BRACKETS - 1
    assert too_deep_at("x = 1" + "+1" * 5000) == 5 + 2 * (MAX_CHAIN - 1)


@given(st.text(alphabet="()[]{}'\"ft\\\n#x:, +.", max_size=80))
def test_any_text_can_be_asked_for_its_depth(text: str) -> None:
    assert too_deep_at(text) is None


@given(st.text(alphabet="()[]{}'\"ftype class=\\\n\r\f#:,*ä", max_size=60))
def test_any_text_is_indexed_or_refused(text: str) -> None:
    refused: Unparsable | None = None
    record: ModuleIndex | None = None
    try:
        record = by_ast(text)
    except Unparsable as error:
        refused = error
    if refused is not None:
        assert min(refused.line, refused.column) >= 1
    assert pickle.loads(pickle.dumps(record)) == record
