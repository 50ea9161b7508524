"""Edits keep everything else as it is written, whatever the layout."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otplint.facts.edits import replaced, with_keyword, with_last, with_method, wrapped
from otplint.facts.facts import Facts
from otplint.facts.frameworks import Vocabulary, shipped
from otplint.facts.index.by_ast import index_module
from otplint.facts.index.project import Project
from otplint.facts.kinship import Kinship
from otplint.facts.methods import Method
from otplint.facts.syntax import code
from otplint.findings import Edit
from otplint.sources.positions import LineTable

HEAD = "from otplint.runtime import Server\n\n\nclass Till(Server):\n"
VOCABULARY = Vocabulary(shipped())


def method_of(text: str) -> Method:
    """The first method of the first actor."""
    index = index_module(text, "app.py", "app", is_package=False)
    project = Project([index])
    facts = Facts(project, VOCABULARY, Kinship(project, VOCABULARY), lambda _: text)
    return facts.actors(index)[0].methods[0]


def applied(text: str, *edits: Edit | None) -> str:
    table = LineTable(text)
    places = []
    for edit in edits:
        assert edit is not None
        span = edit.span
        start, end = table.offset(span.line, span.column), table.offset(span.end_line, span.end_column)
        places.append((start, end, edit.replacement))
    for start, end, new in sorted(places, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def edited(line: str, edit: Callable[[Method, code.Call], Edit | None]) -> str | None:
    """A line of a handler after an edit at its first call."""
    text = f"{HEAD}    async def handle_call(self, req, frm):\n        {line}\n"
    method = method_of(text)
    found = edit(method, method.calls[0])
    return None if found is None else applied(text, found).splitlines()[-line.count("\n") - 1].strip()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("f(a)", "f(a, flush=True)"),
        ("f()", "f(flush=True)"),
        ("f( )", "f(flush=True )"),
        ("f(a, )", "f(a, flush=True )"),
        ("f(a,)", "f(a, flush=True)"),
        ("f((a))", "f((a), flush=True)"),
        ("x = (f(a))", "x = (f(a, flush=True))"),
        ("f(a, flush=False)", "f(a, flush=True)"),
        ("f(flush = None, b=b)", "f(flush = True, b=b)"),
        ("'é'; f('ü', a)", "'é'; f('ü', a, flush=True)"),
        ("await f(a)", "await f(a, flush=True)"),
        ("f(*a)", None),
        ("f(**a)", None),
        ("f(a,  # why\n  )", None),
    ],
)
def test_a_keyword(line: str, expected: str | None) -> None:
    assert edited(line, lambda method, call: with_keyword(method, call, "flush", "True")) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("self.held.pop()", "self.held.pop(0)"),
        ("x = (self.held[1]).pop( -1 ).y", "x = (self.held[1]).pop(0).y"),
        ("self . held . popleft ()", "self . held . pop(0)"),
        ("pop()", None),
    ],
)
def test_a_method(line: str, expected: str | None) -> None:
    assert edited(line, lambda method, call: with_method(method, call, "pop(0)")) == expected


def test_a_node() -> None:
    text = f"{HEAD}    async def handle_call(self, req, frm):\n        for m in (self.held['a  b']):\n            m()\n"
    method = method_of(text)
    loop = method.body[0]
    assert isinstance(loop, code.For)
    around = applied(text, *wrapped(method, loop.iter, "reversed(", ")"))
    assert "for m in (reversed(self.held['a  b'])):\n" in around
    assert "for m in (y):\n" in applied(text, replaced(method, loop.iter, "y"))


LAST = {
    "plain": "self.n += 1",
    "comment": "self.n += 1  # why",
    "two": "self.n = 1; self.m = 2",
    "semicolon": "self.n = 1;",
    "parentheses": "self.n = (\n    1\n)",
    "call": "f(\n    1,\n)  # why",
    "string": "self.n = '''\nx\n'''",
    "backslash": "self.n = \\\n    1",
    "if": "if req:\n    self.n = 1\nelse:\n    self.n = 2  # why",
    "loop": "for x in req:\n    f(x)\nelse:\n    g()",
    "inline if": "if req: self.n = 1",
    "with": "with f():\n    self.n = [\n        1,\n    ]",
    "try": "try:\n    f()\nexcept OSError:\n    g()\nfinally:\n    h()",
    "function": "def inner():\n    return 1",
    "class": "class Inner:\n    x = 1",
    "match": "match req:\n    case 1:\n        f()\n    case _:\n        g()",
    "lambda": "self.f = lambda: (1,\n    2)",
    "deleted": "del self.n",
    "nonlocal": "global n",
    "assert": "assert req, 'no'",
    "import": "from os import (\n    path,\n)",
    "pass": "pass",
    "continue": "continue",
    "return": "return (\n    1\n)",
}


def block(text: str, indent: str) -> str:
    return "".join(f"{indent}{line}\n" for line in text.split("\n"))


def with_raise(text: str) -> ast.Module:
    """The program whose first ``except`` clause ends with a ``raise``."""
    method = method_of(text)
    _, handler = method.handlers[0]
    return ast.parse(applied(text, with_last(method, handler, "raise")))


def clause(tree: ast.Module) -> ast.ExceptHandler:
    return next(node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler))


@given(
    st.lists(st.sampled_from(sorted(LAST)), min_size=1, max_size=3),
    st.sampled_from(["    ", "  ", "\t"]),
    st.booleans(),
    st.booleans(),
)
def test_a_last_statement(names: list[str], indent: str, comment: bool, more: bool) -> None:
    """As many statements as before and one more, which is last; nothing else in the program is another."""
    body = "".join(block(LAST[name], indent * 4) for name in names)
    text = (
        f"from otplint.runtime import Server\nclass Till(Server):\n{indent}async def handle_call(self, req, frm):\n"
        f"{indent * 2}while True:\n{indent * 3}try:\n{indent * 4}f()\n{indent * 3}except BaseException:\n{body}"
    )
    if comment:
        text += f"{indent * 4}# the end\n"
    if more:
        text += f"{indent * 3}g()\n"
    if "string" in names and indent == "\t":
        return  # what a string holds is not indented
    before, after = ast.parse(text), with_raise(text)
    old, new = clause(before), clause(after)
    assert ast.dump(new.body[-1]) == ast.dump(ast.Raise())
    leaves = names[-1] in ("pass", "continue", "return")
    kept = old.body[:-1] if leaves else old.body
    assert [ast.dump(stmt) for stmt in new.body[:-1]] == [ast.dump(stmt) for stmt in kept]
    old.body = new.body = []
    assert ast.dump(before) == ast.dump(after)


@pytest.mark.parametrize(
    ("inline", "expected"),
    [
        ("self.n += 1", "self.n += 1; raise"),
        ("self.n += 1  # why", "self.n += 1; raise  # why"),
        ("self.n = 1; f()", "self.n = 1; f(); raise"),
        ("pass", "raise"),
        ("f(); continue", "f(); raise"),
    ],
)
def test_a_last_statement_on_the_line_of_its_header(inline: str, expected: str) -> None:
    text = (
        f"{HEAD}    async def handle_call(self, req, frm):\n        while True:\n            try: f()\n"
        f"            except BaseException: {inline}\n"
    )
    method = method_of(text)
    _, handler = method.handlers[0]
    assert applied(text, with_last(method, handler, "raise")) == text.replace(inline, expected)
