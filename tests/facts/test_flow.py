"""Paths against real runs: whatever a program did in some run must be a path, and every path must be some run."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import libcst as cst
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otplint.facts.flow import Exit, Flow, Point
from otplint.facts.syntax import code
from otplint.facts.syntax.build import build


class Oops(Exception):  # noqa: N818 - a name for programs to raise
    pass


class _Out(Exception):  # noqa: N818
    """The choices are used up."""


def flow_of(body: str) -> Flow:
    text = "def f():\n" + "".join(f"    {line}\n" for line in body.splitlines())
    function = build(cst.parse_module(text), text)[0]
    assert isinstance(function, code.Function)
    return Flow(function)


def call(flow: Flow, name: str) -> code.Call:
    for found in code.calls(flow.function.body):
        if code.dotted(found.func) == name:
            return found
    raise LookupError(name)


def named(*names: str) -> Callable[[Point], bool]:
    def wanted(point: Point) -> bool:
        return isinstance(point.node, code.Call) and code.dotted(point.node.func) in names

    return wanted


def runs(body: str, bound: int = 9) -> Iterator[tuple[list[str], str]]:
    """Every run of at most ``bound`` choices: the names called in order, ``!`` for a failure, and how it ended."""
    text = "def f(c, t):\n" + "".join(f"    {line}\n" for line in body.splitlines())
    for name in {n for n in text.replace("(", " ").split() if n[:1] == "c" and n[1:].isdigit()}:
        text = text.replace(f"{name}()", f"c('{name}')")
    text = text.replace("t()", "t('t')")
    space: dict[str, object] = {"Oops": Oops}
    exec(text, space)
    for choices in itertools.product((False, True), repeat=bound):
        trace: list[str] = []
        given_out = iter(choices)

        def c(name: str) -> None:
            trace.append(name)  # noqa: B023 - used up within the round
            if _next(given_out):  # noqa: B023
                trace.append("!")  # noqa: B023
                raise Oops

        def t(_: str) -> bool:
            return _next(given_out)  # noqa: B023

        try:
            space["f"](c, t)  # type: ignore[operator]
            yield trace, "return"
        except Oops:
            yield trace, "raise"
        except _Out:
            continue


def _next(choices: Iterator[bool]) -> bool:
    try:
        return next(choices)
    except StopIteration:
        raise _Out from None


@st.composite
def programs(draw: st.DrawFn) -> str:
    numbers = itertools.count()

    def block(depth: int, loop: bool) -> list[str]:
        lines: list[str] = []
        for _ in range(draw(st.integers(1, 2))):
            lines += statement(depth, loop)
        return lines

    def inner(lines: list[str]) -> list[str]:
        return [f"    {line}" for line in lines]

    def statement(depth: int, loop: bool) -> list[str]:
        kinds = ["call", "call"]
        if depth:
            kinds += ["if", "try", "finally", "while", "return", "raise"] + (["break", "continue"] if loop else [])
        kind = draw(st.sampled_from(kinds))
        if kind == "call":
            return [f"c{next(numbers)}()"]
        if kind == "if":
            lines = ["if t():", *inner(block(depth - 1, loop))]
            return lines + (["else:", *inner(block(depth - 1, loop))] if draw(st.booleans()) else [])
        if kind == "try":
            return ["try:", *inner(block(depth - 1, loop)), "except Exception:", *inner(block(depth - 1, loop))]
        if kind == "finally":
            return ["try:", *inner(block(depth - 1, loop)), "finally:", *inner([f"c{next(numbers)}()"])]
        if kind == "while":
            return ["while t():", *inner(block(depth - 1, True))]
        return {"return": ["return"], "raise": ["raise Oops"], "break": ["break"], "continue": ["continue"]}[kind]

    return "\n".join(block(2, False))


@settings(max_examples=150, deadline=None)
@given(programs(), st.data())
def test_questions_of_order_agree_with_all_runs(body: str, data: st.DataObject) -> None:
    flow = flow_of(body)
    names = sorted({code.dotted(c.func) for c in code.calls(flow.function.body)} - {"t"})
    if len(names) < 2:
        return
    first, second = data.draw(st.permutations(names))[:2]
    done = list(runs(body))
    if not done:
        return
    before = flow.always_before(named(first), call(flow, second))
    after = flow.on_every_exit(call(flow, second), named(first), exits=(Exit.RETURN,))
    for trace, end in done:
        for i, name in enumerate(trace):
            if name != second:
                continue
            if before:
                assert first in trace[:i], body
            if after and end == "return" and trace[i + 1 : i + 2] != ["!"]:
                assert first in trace[i + 1 :], body


@settings(max_examples=100, deadline=None)
@given(programs())
def test_what_some_run_does_is_a_path(body: str) -> None:
    flow = flow_of(body)
    for trace, _ in runs(body, 7):
        names = [name for name in trace if name != "!"]
        assert all(flow.reachable(call(flow, name)) for name in names)
        for earlier, later in itertools.pairwise(trace):
            if "!" not in (earlier, later):
                assert flow.reaches(call(flow, earlier), named(later)), body


@settings(max_examples=100, deadline=None)
@given(programs(), st.data())
def test_what_is_denied_some_run_shows(body: str, data: st.DataObject) -> None:
    flow = flow_of(body)
    names = sorted({code.dotted(c.func) for c in code.calls(flow.function.body)} - {"t"})
    if "while" in body or not 2 <= len(names) <= 7:
        return
    first, second = data.draw(st.permutations(names))[:2]
    if not flow.always_before(named(first), call(flow, second)):
        traces = [trace for trace, _ in runs(body, 12)]
        assert any(second in t and first not in t[: t.index(second)] for t in traces), body


def _handlers(flow: Flow) -> Iterator[tuple[code.Try, code.Handler]]:
    for stmt in code.statements(flow.function.body):
        if isinstance(stmt, code.Try):
            for handler in stmt.handlers:
                yield stmt, handler


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("c1()\nc2()", True),
        ("if t():\n    c1()\nc2()", False),
        ("if t():\n    c1()\nelse:\n    c1()\nc2()", True),
        ("try:\n    c1()\nexcept Exception:\n    pass\nc2()", True),
        ("try:\n    c0()\n    c1()\nexcept Exception:\n    pass\nc2()", False),
        ("try:\n    c0()\nfinally:\n    c1()\nc2()", True),
        ("while t():\n    c1()\nc2()", False),
        ("while True:\n    c1()\n    if t():\n        break\nc2()", True),
        ("t() and c1()\nc2()", False),
    ],
)
def test_always_before(body: str, expected: bool) -> None:
    flow = flow_of(body)
    assert flow.always_before(named("c1"), call(flow, "c2")) is expected


@pytest.mark.parametrize(
    ("arm", "carries_on"),
    [
        ("raise", False),
        ("c1()\nraise", False),
        ("if t():\n    raise", True),
        ("if t():\n    raise\nelse:\n    raise Oops", False),
        ("return", True),
        ("pass", True),
        ("while True:\n    c1()", False),
        ("try:\n    c1()\nfinally:\n    raise", False),
        ("with c1():\n    raise", False),
    ],
)
@pytest.mark.parametrize("frame", ["{}", "while True:\n{}"])
def test_whether_an_arm_is_left(arm: str, carries_on: bool, frame: str) -> None:
    lines = ["try:", "    c0()", "except Exception:", *[f"    {line}" for line in arm.splitlines()]]
    depth = "    " if frame != "{}" else ""
    flow = flow_of(frame.format("\n".join(depth + line for line in lines)))
    ((_, handler),) = [pair for pair in _handlers(flow) if pair[0].handlers]
    assert flow.leaves(handler) is carries_on


def test_only_after_failure() -> None:
    flow = flow_of("try:\n    c1()\n    c2()\nexcept Oops:\n    c3()\nc4()")
    after = [
        code.dotted(p.node.func) for p in flow.only_after_failure(call(flow, "c1")) if isinstance(p.node, code.Call)
    ]
    assert after == ["c3"]
    flow = flow_of("try:\n    c1()\nfinally:\n    c3()\nc4()")
    assert not [p for p in flow.only_after_failure(call(flow, "c1")) if isinstance(p.node, code.Call)]
    flow = flow_of("try:\n    c1()\nexcept Oops:\n    c3()\nc4()")
    after = [
        code.dotted(p.node.func) for p in flow.only_after_failure(call(flow, "c1")) if isinstance(p.node, code.Call)
    ]
    assert after == ["c3"]


def test_guards_are_seen_through_and_or_and_not() -> None:
    flow = flow_of("if not t() and (a or b):\n    c1()")
    wanted = call(flow, "c1")
    assert flow.guarded_by(wanted, lambda test, outcome: isinstance(test, code.Call) and not outcome)
    assert not flow.guarded_by(wanted, lambda test, outcome: code.dotted(test) == "a" and outcome)


def test_match_arms_are_tests() -> None:
    flow = flow_of("match m:\n    case Down(pid=p):\n        c1()\n    case _:\n        c2()")
    assert flow.guarded_by(call(flow, "c1"), lambda test, taken: isinstance(test, code.Compare) and taken)
    assert flow.guarded_by(call(flow, "c2"), lambda test, taken: isinstance(test, code.Compare) and not taken)
