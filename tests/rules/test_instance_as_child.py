"""OTP506: which child specs hold an instance."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from otplint.findings import Finding

Scan = Callable[..., list[Finding]]

HEAD = """
import functools
from functools import partial
from otplint.runtime import *
class W(Server):
    def __init__(self, *args): pass
class Box: pass
"""

NEGATIVE = {
    "the_class": "def t(): return Supervisor([ChildSpec('w', W)])",
    "a_call_in_a_lambda": "def t(db): return Supervisor([ChildSpec('w', lambda: W(db))])",
    "a_shared_store": """
        def t():
            box = Box()
            return Supervisor([ChildSpec("w", lambda: W(box))])
    """,
    "a_choice_of_classes": """
        class V(W): pass
        def t(quick):
            kind = V if quick else W
            return Supervisor([ChildSpec("w", kind), ChildSpec("v", lambda: kind())])
    """,
    "a_class_given": """
        def t(kind: type[W]): return Supervisor([ChildSpec("w", kind)])
    """,
    "made_in_the_factory": """
        def make():
            w = W()
            w.ready = True
            return w
        def t(): return Supervisor([ChildSpec("w", make)])
    """,
    "a_method_that_makes": """
        class House:
            def make(self): return W(self)
            def t(self): return Supervisor([ChildSpec("w", self.make)])
    """,
    "a_plan_held_by_a_name": """
        def t():
            inner = Supervisor([ChildSpec("w", W)])
            return Supervisor([ChildSpec("inner", inner)])
    """,
    "unknown": "def t(factory): return Supervisor([ChildSpec('w', factory)])",
    "no_spec": """
        def t(system):
            w = W()
            return system.spawn(lambda: w)
    """,
}

POSITIVE = {
    "itself": "def t(): return Supervisor([ChildSpec('w', W())])",
    "by_name": """
        def t():
            w = W()
            return Supervisor([ChildSpec("w", w)])
    """,
    "by_keyword": """
        W1 = W()
        def t(): return Supervisor([ChildSpec(id="w", start=lambda: W1, restart=TRANSIENT)])
    """,
    "alias_of_the_lambda": """
        def t():
            w = W()
            start = lambda: w
            return Supervisor([ChildSpec("w", start)])
    """,
    "annotated": "def t(w: W): return Supervisor([ChildSpec('w', lambda: w)])",
    "optional": "def t(w: 'W | None' = None): return Supervisor([ChildSpec('w', lambda: w)])",
    "partial": """
        def same(x): return x
        def t():
            w = W()
            return Supervisor([ChildSpec("w", partial(same, w))])
    """,
    "self": """
        class S(W):
            def spec(self): return ChildSpec("s", lambda: self)
    """,
    "attribute_of_the_tree": """
        class Tree(Supervisor):
            def __init__(self):
                self.w = W()
                super().__init__([ChildSpec("w", lambda: self.w)])
    """,
    "cached": """
        @functools.lru_cache(maxsize=None)
        def make(): return W()
        def t(): return Supervisor([ChildSpec("w", make)])
    """,
    "list": """
        def t():
            ws = [W() for _ in range(3)]
            return Supervisor([ChildSpec(i, lambda w=w: w) for i, w in enumerate(ws)])
    """,
    "start_child": """
        class A(Server):
            async def init(self): self.w = W()
            async def handle_cast(self, msg):
                await DynamicSupervisor.start_child(self.system, "s", ChildSpec(msg, lambda: self.w, TEMPORARY))
    """,
}


def found(scan: Scan, text: str) -> list[Finding]:
    return scan(HEAD + textwrap.dedent(text), "OTP506")


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in NEGATIVE.items()])
def test_silent(scan: Scan, text: str) -> None:
    assert not found(scan, text)


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in POSITIVE.items()])
def test_reported(scan: Scan, text: str) -> None:
    assert len(found(scan, text)) == 1


def test_the_instance_of_another_file_is_told(scan: Scan) -> None:
    files = {
        "app/__init__.py": "",
        "app/worker.py": """
            from otplint.runtime import Server
            class Worker(Server): pass
            the_worker = Worker()
        """,
        "app/tree.py": """
            from otplint import runtime as rt
            from . import worker
            def tree(): return rt.Supervisor([rt.ChildSpec("w", lambda: worker.the_worker)])
        """,
    }
    (finding,) = scan(files, "OTP506")
    assert finding.span.path == "app/tree.py"
    assert [related.span.path for related in finding.related] == ["app/worker.py"]


def test_test_files_may_look_into_their_servers(scan: Scan) -> None:
    text = "def test_a(): return Supervisor([ChildSpec('w', W())])"
    assert not scan({"tests/test_a.py": HEAD + text}, "OTP506")
