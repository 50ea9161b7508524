"""The code model's positions against those of ``ast``, on real packages and on odd texts."""

from __future__ import annotations

import ast
import warnings
from pathlib import Path
from typing import Any

import click
import hypothesis
import libcst as cst
import pytest
import rich
from hypothesis import given, settings
from hypothesis import strategies as st

from otplint.facts.syntax import code
from otplint.facts.syntax.build import build
from otplint.sources.positions import LineTable

_EXPRESSIONS: dict[str, Any] = {
    "Call": ast.Call, "Attr": ast.Attribute, "Compare": ast.Compare, "Cond": ast.IfExp, "Await": ast.Await,
    "Dict": ast.Dict, "Binary": ast.BinOp, "Sub": ast.Subscript, "Lambda": ast.Lambda,
}  # fmt: skip
_STATEMENTS: dict[str, Any] = {
    "Return": ast.Return, "Raise": ast.Raise, "Do": ast.Expr, "Augment": ast.AugAssign, "Delete": ast.Delete,
    "If": ast.If, "While": ast.While, "For": (ast.For, ast.AsyncFor), "With": (ast.With, ast.AsyncWith),
    "Try": ast.Try, "Assert": ast.Assert,
}  # fmt: skip
_FILES = [
    path
    for package in (click, rich, hypothesis)
    for path in sorted(Path(package.__file__ or "").parent.glob("*.py"))[:9]
]


def said_by_ast(text: str) -> set[tuple[str, int, int]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(text)
    lines = LineTable(text)
    found = set()
    for node in ast.walk(tree):
        for kind, types in (_EXPRESSIONS | _STATEMENTS).items():
            if isinstance(node, types) and isinstance(node, (ast.expr, ast.stmt)):
                start = lines.offset_of_ast(node.lineno, node.col_offset)
                found.add((kind, start, lines.offset_of_ast(node.end_lineno or 0, node.end_col_offset or 0)))
    return found


def said_by_us(block: code.Block) -> set[tuple[str, int, int]]:
    found = set()
    for stmt in code.statements(block, nested=True):
        if type(stmt).__name__ in _STATEMENTS:
            found.add((type(stmt).__name__, stmt.start, stmt.end))
        heads = [*code.expressions(stmt)]
        if isinstance(stmt, code.Match):
            heads += [c.guard for c in stmt.cases if c.guard is not None]
        for head in heads:
            for expr in code.walk(head, lambdas=True):
                if type(expr).__name__ in _EXPRESSIONS:
                    found.add((type(expr).__name__, expr.start, expr.end))
    return found


def model(text: str) -> code.Block:
    return build(cst.parse_module(text), text)


@pytest.mark.parametrize("path", _FILES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_positions_are_those_of_ast(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    ours = said_by_us(model(text))
    assert ours <= said_by_ast(text)


@pytest.mark.parametrize(
    "text",
    [
        "x = (a  # if b\n  .c)(d)\n",
        "x = '#' + f(\"a#b\")  # f(1)\n",
        "f(é, 'à', \"\U0001f600\")[0].b(c)\n",
        "x = 'a\u2028b'; f(x)\n",
        "x = 'a\x0cb'\n\x0c\nf(x)\n",
        "if a:\r\n    f(x)\r\nelse:\r\n    g(y)\r\n",
        "with (open(a) as b, open(c) as d):\n    f(b)\n",
        "x = yield (await f(a))\n",
        "f(*a, *e, c=d, **b)\n",
        "x = a if b else (c if d else e)\n",
        "x = [a(b) for b in c if d(b)]; y = {k: f(v) for k, v in z}; f(x for x in y)\n",
        "x = not - a ** -b\n",
        "x = a < b <= c is not d not in e\n",
        "f(a)[1:2, ::3](b)\n",
        "x = f(\n    a, # one\n    b,\n).c \\\n  .d()\n",
        "lambda a, *b, c=f(1), **d: g(a)\n",
        "match x:\n    case A(b=[1, *_], c={'k': v, **r}) | None if f(x): g(x)\n    case (1 | 2) as n: h(n)\n",
        "def f(a, /, b: int = g(1), *c: str, d=h(2), **e) -> i(3): return j(4)\n",
        "@dec(1)\nasync def f():\n    async with a(b) as c, d:\n        async for x in y(z): await w(x)\n",
        "class A(B[C], metaclass=M(1)):\n    x: int = f(1)\n    y: str\n",
        "try:\n    f(a)\nexcept (A, B) as e:\n    g(e)\nelse:\n    h()\nfinally:\n    i()\n",
        "global_ = 1\nif_x = f(in_y)\norder = not_z(or_w)\n",
        "x = 0x_ff + 1_000 + 1e3 + 1j + .5 + f(...)\n",
        "del a[f(b)], c.d\nassert f(a), g(b)\nraise f(a) from g(b)\n",
        "(f)((a), ((b)))\n",
        "x = f(a)if f(b)else f(c)\n",
    ],
)
def test_positions_in_odd_texts(text: str) -> None:
    assert said_by_us(model(text)) <= said_by_ast(text)
    assert said_by_us(model(text))


@pytest.mark.parametrize(
    "text",
    [
        "class A[T: (int, str)]:\n    def f[U](self, x: U) -> T:\n        return f(x)\n",
        "type X[T] = dict[str, T]\nf(x)\n",
        'x = f"{a["k"]} {f(b)!r:>{g(w)}} {c=}"\n',
        "try:\n    f(a)\nexcept* (A, B):\n    g(b)\n",
    ],
)
def test_newer_syntax_is_read_on_every_interpreter(text: str) -> None:
    calls = [text[c.start : c.end] for c in code.calls(model(text), nested=True)]
    assert calls
    assert all(found[:2] in ("f(", "g(") and found.endswith(")") for found in calls)


def test_a_region_is_placed_by_its_offset() -> None:
    text = "if True:\n    f(a)\n"
    (outer,) = build(cst.parse_module(text), text, 100 - len("if True:\n"))
    assert isinstance(outer, code.If)
    (inner,) = code.calls(outer.body)
    assert (inner.start, inner.end) == (104, 108)


def test_long_chains_need_no_deep_stack() -> None:
    text = "x = " + " + ".join(["f(a)"] * 800) + "\n"
    assert len(list(code.calls(model(text)))) == 800
    text = "x = a" + ".b()" * 700 + "\n"
    assert len(list(code.calls(model(text)))) == 700


_atoms = st.sampled_from(["a", "f(b)", "'s#'", "1", "(c)", "d[0]", "e.g", "[h]", "{i: j}", "not k", "-l", "lambda: m"])
_exprs = st.recursive(
    _atoms,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" + ", " and ", "\\\n or ", " is not ", "<", " if n else "]), inner).map(
            "".join
        ),
        inner.map("({})".format),
        inner.map("f( {} , # c\n)".format),
        inner.map("({}).o".format),
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(_exprs)
def test_positions_in_any_expression(expression: str) -> None:
    text = f"x = ({expression})\n"
    try:
        wanted = said_by_ast(text)
    except SyntaxError:
        return
    assert said_by_us(model(text)) <= wanted
