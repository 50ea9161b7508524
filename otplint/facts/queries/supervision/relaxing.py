"""Tests that change the supervision of the application, instead of starting a supervisor of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otplint.facts.origins import origins
from otplint.facts.queries.callers import functions_naming
from otplint.facts.queries.supervision.switches import FIXTURES, POLICY, Switches, is_test
from otplint.facts.syntax import code
from otplint.findings import Span

if TYPE_CHECKING:
    from otplint.facts.facts import Facts
    from otplint.facts.methods import Method

_ENVIRONMENT = ("os.environ", "os.environb")
_PATCH = ("unittest.mock.patch", "mock.patch")
_SPEAKS = re.compile(r"\bpytest\b|\bunittest\b|\bdef test_")


@dataclass(frozen=True, slots=True)
class Relaxation:
    """One statement of a test that changes how the application is supervised, or ends a part of it."""

    node: code.Expr
    place: Method
    deed: str
    """``sets``, ``replaces`` or ``ends``."""
    name: str
    """What is set or replaced."""
    decides: Span | None
    """What it decides about, in the application."""


def relaxations(found: Switches, facts: Facts) -> Iterator[Relaxation]:
    """The places in test files that change what the application's supervision hangs on."""
    words = [*found.variables, *(n.rpartition(".")[2] for n in (*found.names, *found.limits)), *_policy_names(facts)]
    word = re.compile(rf"\b(?:{'|'.join(sorted(set(map(re.escape, words)), key=lambda w: (-len(w), w)))})\b")
    judge = _Judge(facts, found)
    for method in _tests(facts, words, word):
        yield from judge.relaxed(method)
    yield from _ended(facts)


def _tests(facts: Facts, words: Iterable[str], word: re.Pattern[str]) -> Iterator[Method]:
    """The test functions of the project that hold one of some words, as the pattern says it."""
    for index in facts.holding(*words):
        if word.search(text := facts.source(index).text) and (facts.is_test(index.path) or _SPEAKS.search(text)):
            yield from (m for m in functions_naming(index, facts, word) if is_test(m))


def _policy_names(facts: Facts) -> set[str]:
    return {n.rpartition(".")[2] for n, (_, op) in facts.vocabulary.exact.items() if op.role in POLICY}


class _Judge:
    def __init__(self, facts: Facts, found: Switches) -> None:
        self.facts = facts
        self.found = found
        known = found.names | found.limits
        self.known = {facts.project.canonical(name): place for name, place in known.items()} | known

    def relaxed(self, method: Method) -> Iterator[Relaxation]:
        """What one function of a test file changes, by its statements or its decorators."""
        for stmt in method.statements:
            for target in stmt.targets if isinstance(stmt, code.Assign) else ():
                if isinstance(target, code.Sub) and method.qualname(target.base) in _ENVIRONMENT:
                    yield from self._variable(target.key, target, method)
                elif isinstance(target, code.Attr) and (name := method.qualname(target)):
                    yield from self._name(name, target, method)
        calls = [*method.calls, *(d for d in method.code.decorators if isinstance(d, code.Call))]
        for call in calls:
            yield from self._called(call, method)

    def _called(self, call: code.Call, method: Method) -> Iterator[Relaxation]:
        args = [a.value for a in call.args if not a.name and not a.star]
        name = method.qualname(call.func)
        last = call.func.name if isinstance(call.func, code.Attr) else ""
        table = method.qualname(call.func.base) if isinstance(call.func, code.Attr) else ""
        patched = name if name.startswith(_PATCH) else ""
        if last == "setenv" or name == "os.putenv" or (table in _ENVIRONMENT and last in ("setdefault", "__setitem__")):
            yield from self._variable(args[0] if args else None, call, method)
        elif table in _ENVIRONMENT and last == "update":
            yield from self._variables(call, args[:1], method)
        elif last == "setitem" and args and method.qualname(args[0]) in _ENVIRONMENT:
            yield from self._variable(args[1] if len(args) > 1 else None, call, method)
        elif patched.endswith(".dict") and args:
            if method.qualname(args[0]) in _ENVIRONMENT or _text(args[0], method) in _ENVIRONMENT:
                yield from self._variables(call, args[1:2], method)
        elif last == "setattr" or patched.endswith(".object"):
            if len(args) > 1 and (attribute := _text(args[1], method)) and (owner := method.qualname(args[0])):
                yield from self._name(f"{owner}.{attribute}", call, method)
            elif last == "setattr" and args and (dotted := _text(args[0], method)):
                yield from self._name(dotted, call, method)
        elif patched and args and (dotted := _text(args[0], method)):
            yield from self._name(dotted, call, method)
        elif name.rpartition(".")[2] in ("override_settings", "modify_settings"):
            for arg in call.args:
                yield from self._setting(arg.name, call, method)

    def _variables(self, call: code.Call, tables: list[code.Expr], method: Method) -> Iterator[Relaxation]:
        for arg in call.args:
            if arg.name in self.found.variables:
                yield Relaxation(call, method, "sets", arg.name, self.found.variables[arg.name])
        for table in tables:
            for key, _ in table.items if isinstance(table, code.Dict) else ():
                yield from self._variable(key, call, method)

    def _variable(self, key: code.Expr | None, node: code.Expr, method: Method) -> Iterator[Relaxation]:
        text = _text(key, method) if key is not None else ""
        if text in self.found.variables:
            yield Relaxation(node, method, "sets", text, self.found.variables[text])
        elif text:
            method.exempt(node, f"no supervision of the application hangs on {text}")

    def _setting(self, name: str, node: code.Expr, method: Method) -> Iterator[Relaxation]:
        for known, place in self.found.names.items():
            owner, _, last = known.rpartition(".")
            if name and last == name and owner.rpartition(".")[2] == "settings":
                yield Relaxation(node, method, "sets", name, place)

    def _name(self, dotted: str, node: code.Expr, method: Method) -> Iterator[Relaxation]:
        """A constant, function or class of the application is given another value."""
        meant = {dotted, self.facts.project.resolve("", dotted)}
        hit = next((n for n in sorted(meant) if n in self.known), "")
        exact = next((self.facts.vocabulary.exact[n] for n in sorted(meant) if n in self.facts.vocabulary.exact), None)
        if hit:
            yield Relaxation(node, method, "replaces", dotted, self.known[hit])
        elif exact is not None and exact[1].role in POLICY:
            yield Relaxation(node, method, "replaces", dotted, None)
        else:
            method.exempt(node, f"no supervision of the application hangs on {dotted}")


def _text(expr: code.Expr, method: Method) -> str:
    """The string that is written, here or as a constant."""
    for origin in origins(expr, method):
        if isinstance(origin.expr, code.Const) and isinstance(origin.expr.value, str):
            return origin.expr.value
    return ""


def _ended(facts: Facts) -> Iterator[Relaxation]:
    """Actors of a system that other tests use as well, ended by a test."""
    last = {n.rpartition(".")[2] for n, (_, op) in facts.vocabulary.exact.items() if op.role == "kill"}
    word = re.compile(rf"\.(?:{'|'.join(sorted(map(re.escape, last)))})\(")
    for method in _tests(facts, last, word):
        for event in method.events:
            owner = event.call.func.base if isinstance(event.call.func, code.Attr) else None
            if event.role == "kill" and owner is not None:
                if _is_shared(owner, method):
                    yield Relaxation(event.call, method, "ends", code.dotted(owner), None)
                else:
                    method.exempt(event.call, "it ends an actor of the test's own system")


def _is_shared(owner: code.Expr, method: Method) -> bool:
    """A system of the application's own module, or of a fixture that many tests share."""
    project = method.actor.facts.project
    located = project.find_constant(method.qualname(owner)) if method.qualname(owner) else None
    if located is not None:
        return not method.actor.facts.is_test(located[0].path)
    if not isinstance(owner, code.Name) or not any(p.name == owner.id for p in method.code.params):
        return False
    for index in project.modules:
        if index is method.source.index or index.path.rpartition("/")[2] == "conftest.py":
            fixture = method.actor.facts.function(f"{index.module}.{owner.id}")
            for decorator in fixture.code.decorators if fixture is not None else ():
                if isinstance(decorator, code.Call) and fixture is not None:
                    scope = decorator.keyword("scope")
                    wide = isinstance(scope, code.Const) and scope.value in ("session", "package", "module")
                    if wide and fixture.qualname(decorator.func) in FIXTURES:
                        return True
    return False
