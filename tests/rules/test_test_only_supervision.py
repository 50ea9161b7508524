"""OTP501: what counts as a test for a test environment, and what as supervision."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

HEAD = """
import os, sys
from otplint.runtime import *
class A(Server): pass
class B(Server): pass
"""

NEGATIVE = {
    "envnum": """
        def t(): return Supervisor([], max_restarts=int(os.environ.get("TEST_MAX", 3)))
    """,
    "envnum2": """
        def t(): return Supervisor([], max_restarts=int(os.environ.get("TEST_MAX") or 3))
    """,
    "debug": """
        def t(): return Supervisor([], max_restarts=100 if os.environ.get("DEBUG") else 3)
    """,
    "region": """
        def t(region): return Supervisor([], max_restarts=100 if region == "eu" else 3)
    """,
    "log": """
        import logging
        T = os.environ.get("CI")
        def t():
            logging.basicConfig(level=logging.DEBUG if T else logging.INFO)
            port = 0 if T else 80
            return Supervisor([ChildSpec("a", lambda: A(port))], max_restarts=3)
    """,
    "fake": """
        class FakeA(A): pass
        def t():
            a = FakeA if os.environ.get("CI") else A
            return Supervisor([ChildSpec("a", a)], max_restarts=3)
    """,
    "fake2": """
        class FakeA(A): pass
        def t():
            kids = [ChildSpec("a", FakeA)] if os.environ.get("CI") else [ChildSpec("a", A)]
            return Supervisor(kids, max_restarts=3)
    """,
    "fake3": """
        class FakeA(A): pass
        def t():
            if os.environ.get("CI"):
                child = ChildSpec("a", FakeA)
            else:
                child = ChildSpec("a", A)
            return Supervisor([child, ChildSpec("b", B)], max_restarts=3)
    """,
    "interval": """
        def t(test_interval=5): return Supervisor([], max_seconds=test_interval)
        class M(Server):
            async def handle_call(self, req, frm):
                if self.test_connection:
                    return await self.system.call(self.w, req, timeout=1)
                if req.testing:
                    return await self.system.call(self.w, req, timeout=req.t if req.testing else 2)
    """,
    "amount": """
        class M(Server):
            def __init__(self, data):
                self.left = len(data["test"].rows())
            async def handle_cast(self, msg):
                if self.left > 0:
                    self.system.send_after(self.pause, self.pid, msg)
                    await self.system.call(self.w, msg, timeout=1 if self.left > 5 else 2)
    """,
    "prod": """
        def t(): return Supervisor([], max_restarts=5 if os.environ.get("STAGE") == "prod" else 3)
    """,
    "other": """
        def t():
            if os.environ.get("CI"):
                print("hello")
            n = settings_from_env()
            return Supervisor([], max_restarts=n)
        def settings_from_env():
            return int(os.environ.get("MAX", "3"))
    """,
    "twodef": """
        def t(n=3, s=5.0): return Supervisor([], max_restarts=n, max_seconds=s)
    """,
}

POSITIVE = {
    "ternary": """
        def t(): return Supervisor([], max_restarts=100 if os.environ.get("CI") else 3)
    """,
    "ifelse": """
        def t():
            if os.getenv("APP_ENV") == "test":
                n, s = 100, 10
            else:
                n, s = 3, 5
            return Supervisor([], max_restarts=n, max_seconds=s)
    """,
    "modconst": """
        QUICK = "PYTEST_CURRENT_TEST" in os.environ
        if QUICK:
            N = 100
        else:
            N = 3
        def t(): return Supervisor([], max_restarts=N)
    """,
    "sysmod": """
        def helper(): return "pytest" in sys.modules
        def t():
            if helper():
                return Supervisor([], max_restarts=100)
            return Supervisor([], max_restarts=3)
    """,
    "helperret": """
        def mode():
            if os.environ.get("X_ENV") == "test":
                return True
            return False
        def opts():
            return {"max_restarts": 100} if mode() else {"max_restarts": 3}
        def t(): return Supervisor([], **opts())
    """,
    "match": """
        def t():
            match os.environ.get("X"):
                case "test" | "ci":
                    n = 100
                case _:
                    n = 3
            return Supervisor([], max_restarts=n)
    """,
    "dictlookup": """
        LIM = {"test": 100, "prod": 3}
        def t(): return Supervisor([], max_restarts=LIM[os.environ["APP"]])
    """,
    "dictlookup2": """
        LIM = {"test": {"n": 100, "s": 10}, "prod": {"n": 3, "s": 5}}
        ENV = os.environ.get("APP", "prod")
        cfg = LIM.get(ENV, LIM["prod"])
        def t(): return Supervisor([], max_restarts=cfg["n"], max_seconds=cfg["s"])
    """,
    "tuplehelper": """
        def intensity():
            if hasattr(sys, "_called_from_test"):
                return 100, 10
            return 3, 5
        def t():
            a, b = intensity()
            return Supervisor([], max_restarts=a, max_seconds=b)
    """,
    "param": """
        def t(testing=False): return Supervisor([], max_restarts=100 if testing else 3)
    """,
    "paramcall": """
        def t(quick=False): return Supervisor([], max_restarts=100 if quick else 3)
        def main(): t(quick=bool(os.environ.get("CI")))
    """,
    "paramvalue": """
        def t(n): return Supervisor([], max_restarts=n)
        def main(): t(100 if os.environ.get("CI") else 3)
    """,
    "children": """
        def t():
            kids = [ChildSpec("a", A)]
            if not os.environ.get("TESTING"):
                kids.append(ChildSpec("b", B))
            return Supervisor(kids)
    """,
    "childrencond": """
        def t():
            return Supervisor([ChildSpec("a", A), *([] if "pytest" in sys.modules else [ChildSpec("b", B)])])
    """,
    "childrencomp": """
        ALL = [ChildSpec("a", A), ChildSpec("b", B)]
        SKIP = os.environ.get("UNITTEST")
        def t():
            return Supervisor([c for c in ALL if not (SKIP and c.id == "b")])
    """,
    "settings": """
        from django.conf import settings
        def t(): return Supervisor([], max_restarts=100 if settings.TESTING else 3)
    """,
    "cls": """
        class App:
            def __init__(self, testing):
                self.quick = testing
            def start(self):
                return Supervisor([], max_restarts=100 if self.quick else 3)
    """,
    "clsattr": """
        class Cfg:
            MAX = 100 if os.environ.get("CI") else 3
        def t(): return Supervisor([], max_restarts=Cfg.MAX)
    """,
    "clsinst": """
        from dataclasses import dataclass
        @dataclass
        class Cfg:
            n: int = 3
            @property
            def s(self):
                return 10 if os.environ.get("CI") else 5
        def t():
            cfg = Cfg(n=100 if os.environ.get("CI") else 3)
            return Supervisor([], max_restarts=cfg.n, max_seconds=cfg.s)
    """,
    "clssub": """
        class Cfg:
            N = 3
        class TestCfg(Cfg):
            N = 100
        cfg = TestCfg if os.environ.get("CI") else Cfg
        def t(): return Supervisor([], max_restarts=cfg.N)
    """,
    "restart": """
        def t():
            return Supervisor([ChildSpec("a", A, restart=TEMPORARY if os.environ.get("CI") else PERMANENT)])
    """,
    "breaker": """
        class M(Server):
            async def init(self):
                self.b = CircuitBreaker(failure_threshold=1000 if os.environ.get("CI") else 5)
    """,
    "calltimeout": """
        class M(Server):
            async def handle_call(self, req, frm):
                return await self.system.call(self.w, req, timeout=60 if os.environ.get("CI") else 5)
    """,
    "whole": """
        def t():
            sup = Supervisor([], max_restarts=100) if os.environ.get("CI") else Supervisor([], max_restarts=3)
            return sup
    """,
    "andor": """
        T = os.environ.get("CI")
        def t(): return Supervisor([], max_restarts=T and 100 or 3)
    """,
    "index": """
        def t(): return Supervisor([], max_restarts=(3, 100)[bool(os.environ.get("CI"))])
    """,
    "kwmut": """
        def t():
            kw = {"max_restarts": 3}
            if os.environ.get("CI"):
                kw["max_restarts"] = 100
            return Supervisor([], **kw)
    """,
    "kwupd": """
        def t():
            kw = dict(max_restarts=3)
            if os.environ.get("CI"):
                kw.update(max_restarts=100)
            return Supervisor([], **kw)
    """,
    "cfgget": """
        def t(config):
            quick = config.opts("driver", "test.mode.enabled", mandatory=False)
            return Supervisor([], max_restarts=100 if quick else 3)
    """,
    "default": """
        def t(n=100 if os.environ.get("CI") else 3): return Supervisor([], max_restarts=n)
    """,
    "envalias": """
        from os import environ as e
        def t(): return Supervisor([], max_restarts=100 if e.get("MODE", "").lower() in ("test", "ci") else 3)
    """,
    "envparam": """
        def t(env): return Supervisor([], max_restarts=100 if env == "test" else 3)
    """,
    "any": """
        def t():
            quick = any(k in os.environ for k in ("CI", "PYTEST_VERSION"))
            return Supervisor([], max_restarts=100 if quick else 3)
    """,
    "subclass": """
        class Tree(Supervisor):
            def __init__(self):
                super().__init__([], max_restarts=100 if os.environ.get("CI") else 3)
    """,
    "module": """
        sup = Supervisor([], max_restarts=100 if os.environ.get("CI") else 3)
    """,
    "walrus": """
        def t():
            return Supervisor([], max_restarts=100 if (q := os.environ.get("CI")) else 3)
    """,
    "getattr": """
        import settings
        def t(): return Supervisor([], max_restarts=100 if getattr(settings, "TESTING", False) else 3)
    """,
    "startchild": """
        async def t(system, sup):
            await DynamicSupervisor.start_child(system, sup, ChildSpec("a", A))
            if not os.environ.get("CI"):
                await DynamicSupervisor.start_child(system, sup, ChildSpec("b", B))
    """,
    "earlyret": """
        def t(system):
            if os.environ.get("CI"):
                return None
            return system.spawn(Supervisor([]))
    """,
    "max": """
        def t():
            n = 3
            if os.environ.get("CI"):
                n *= 30
            return Supervisor([], max_restarts=n)
    """,
}


def found(scan: Scan, text: str) -> list[Finding]:
    return scan(HEAD + textwrap.dedent(text), "OTP501")


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in NEGATIVE.items()])
def test_silent(scan: Scan, text: str) -> None:
    assert not found(scan, text)


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in POSITIVE.items()])
def test_reported(scan: Scan, text: str) -> None:
    assert found(scan, text)


def test_the_place_is_the_test_and_the_decision_is_related(scan: Scan) -> None:
    (finding,) = found(scan, POSITIVE["ifelse"])
    assert (finding.span.line, finding.span.column) == (8, 8)
    assert [related.span.line for related in finding.related] == [12]


def test_one_flag_that_decides_twice_is_one_finding(scan: Scan) -> None:
    (finding,) = found(scan, POSITIVE["tuplehelper"])
    assert "max_restarts" in finding.problem
    assert "max_seconds" in finding.problem


@pytest.mark.parametrize("name", ["param", "settings", "cls", "cfgget"])
def test_a_name_alone_is_medium(scan: Scan, name: str) -> None:
    assert {finding.confidence for finding in found(scan, POSITIVE[name])} == {Confidence.MEDIUM}


def test_flag_limit_and_tree_in_three_files(scan: Scan) -> None:
    files: dict[str, Any] = {
        "app/__init__.py": "",
        "app/env.py": 'import os\nQUICK = os.environ.get("CI")\n',
        "app/limits.py": "from .env import QUICK\nMAX = 100 if QUICK else 3\n",
        "app/tree.py": """
            from otplint.runtime import Supervisor as S
            from app import limits
            def tree():
                return S([], max_restarts=limits.MAX)
        """,
    }
    (finding,) = scan(files, "OTP501")
    assert (finding.span.path, finding.span.line) == ("app/limits.py", 2)
    assert [related.span.path for related in finding.related] == ["app/tree.py"]


def test_a_test_file_may_start_its_own_supervisor(scan: Scan) -> None:
    assert not scan({"tests/test_a.py": HEAD + textwrap.dedent(POSITIVE["module"])}, "OTP501")


def test_a_word_in_an_unrelated_argument_is_no_comparison(scan: Scan) -> None:
    text = """
        class M(Server):
            async def handle_cast(self, msg):
                started = self.clock(mode="test")
                if started is not None:
                    self.system.spawn(B)
    """
    assert not found(scan, text)


def test_a_refusal_decides_no_value(scan: Scan) -> None:
    text = """
        class M(Server):
            async def handle_cast(self, msg):
                started = None
                if os.environ.get("TEST_FAULT"):
                    raise RuntimeError("injected")
                started = self.clock()
                if started is not None:
                    self.system.spawn(B)
    """
    assert not found(scan, text)


TREE = "from otplint.runtime import Supervisor\n"
OVER_FILES = {
    "the_caller_chooses": {
        "app/tree.py": TREE + "def tree(n): return Supervisor([], max_restarts=n)\n",
        "app/main.py": """
            import os
            from app.tree import tree
            def main(): return tree(100 if os.environ.get("CI") else 3)  # here
        """,
    },
    "a_helper_asks": {
        "app/env.py": """
            import os
            def quick(): return os.getenv("APP_ENV") == "test"
        """,
        "app/limits.py": """
            from app.env import quick
            def budget():
                if quick():  # here
                    return 100
                return 3
        """,
        "app/tree.py": TREE + "from .limits import budget\ndef tree(): return Supervisor([], max_restarts=budget())\n",
    },
    "match_in_a_helper": {
        "app/conf.py": """
            import os
            def limits():
                match os.environ.get("STAGE"):
                    case "test" | "ci":  # here
                        return 100, 10
                    case _:
                        return 3, 5
        """,
        "app/tree.py": """
            from otplint.runtime import Supervisor
            from app.conf import limits
            def tree():
                n, s = limits()
                return Supervisor([], max_restarts=n, max_seconds=s)
        """,
    },
    "a_class_method_makes_the_settings": {
        "app/settings.py": """
            import os
            from dataclasses import dataclass
            @dataclass
            class Settings:
                n: int = 3
                @classmethod
                def load(cls):
                    return cls(n=100 if os.environ.get("CI") else 3)  # here
        """,
        "app/tree.py": """
            from otplint.runtime import Supervisor
            from app.settings import Settings
            def tree():
                settings = Settings.load()
                return Supervisor([], max_restarts=settings.n)
        """,
    },
    "settings_are_given": {
        "app/settings.py": """
            import os
            class Settings:
                n = 100 if os.environ.get("CI") else 3  # here
        """,
        "app/tree.py": """
            from otplint.runtime import Supervisor
            from app.settings import Settings
            def tree(settings: Settings): return Supervisor([], max_restarts=settings.n)
        """,
    },
    "a_subclass_says_it_to_its_base": {
        "app/base.py": """
            from otplint.runtime import Supervisor
            class Base(Supervisor):
                def __init__(self, children, restarts):
                    super().__init__(children, max_restarts=restarts)
        """,
        "app/tree.py": """
            import os
            from app.base import Base
            class Tree(Base):
                def __init__(self):
                    super().__init__([], 100 if os.environ.get("CI") else 3)  # here
        """,
    },
}


@pytest.mark.parametrize("files", [pytest.param(files, id=name) for name, files in OVER_FILES.items()])
def test_the_flag_is_followed_over_files(scan: Scan, files: dict[str, str]) -> None:
    marked = [
        (path, number)
        for path, text in files.items()
        for number, line in enumerate(text.split("\n"), 1)
        if "# here" in line
    ]
    found_there = scan({"app/__init__.py": "", **files}, "OTP501")
    assert [(finding.span.path, finding.span.line) for finding in found_there] == marked


def test_a_flag_that_chooses_how_often_a_thespian_actor_wakes(scan: Scan) -> None:
    text = """
        import datetime
        from thespian.actors import ActorTypeDispatcher
        class Worker(ActorTypeDispatcher):
            def __init__(self):
                super().__init__()
                self.pause = 5
            def receiveMsg_Start(self, msg, sender):
                if self.config.opts("track", "test.mode.enabled"):
                    self.pause = 0.5
            def receiveMsg_WakeupMessage(self, msg, sender):
                self.wakeupAfter(datetime.timedelta(seconds=self.pause))
    """
    (finding,) = scan(text, "OTP501")
    assert (finding.span.line, finding.confidence) == (9, Confidence.MEDIUM)
