"""OTP504: which budgets never run out, and which children share one."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

HEAD = """
import math, os, sys
from multiprocessing import Process
from threading import Thread
from otplint.runtime import *
class W(Server): pass
"""

NEGATIVE = {
    "default": "def t(): return Supervisor([])",
    "small": "def t(): return Supervisor([], max_restarts=100, max_seconds=10)",
    "none_is_the_default": "def t(): return Supervisor([], max_restarts=None)",
    "setting": "def t(): return Supervisor([], max_restarts=int(os.environ.get('N', '1000000')))",
    "parameter": "def t(n=10**6): return Supervisor([], max_restarts=n)",
    "chosen_by_a_test": "def t(e): return Supervisor([], max_restarts=10**6 if e else 3)",
    "long_window": "def t(): return Supervisor([], max_restarts=5, max_seconds=86400)",
    "counted": """
        class K(Thread):
            def run(self):
                n = 0
                while True:
                    p = Process(target=print)
                    p.start()
                    p.join()
                    n += 1
                    if n > self.most:
                        break
    """,
    "counted_by_a_helper": """
        class K(Thread):
            def run(self):
                while True:
                    if not self.p.is_alive():
                        self.again()
            def again(self):
                self.n += 1
                if self.n > self.most:
                    raise SystemExit
                self.p = Process(target=print)
                self.p.start()
    """,
    "one_for_each_job": """
        class K(Thread):
            def run(self):
                while True:
                    job = self.q.get()
                    p = Process(target=print, args=(job,))
                    p.start()
                    p.join()
                    self.q.task_done()
    """,
    "another_one_is_waited_for": """
        class K(Thread):
            def run(self):
                while True:
                    p = Process(target=print)
                    p.start()
                    self.other.join()
    """,
    "temporary": """
        class D(Server):
            async def handle_call(self, req, frm):
                await DynamicSupervisor.start_child(self.system, "s", ChildSpec(req, W, restart=TEMPORARY))
        t = Supervisor([ChildSpec("s", DynamicSupervisor(), name="s")])
    """,
    "one_child_only": """
        class D(Server):
            async def handle_call(self, req, frm):
                await DynamicSupervisor.start_child(self.system, "s", ChildSpec("only", W))
        t = Supervisor([ChildSpec("s", DynamicSupervisor(), name="s")])
    """,
    "a_budget_of_that_size": """
        class D(Server):
            async def handle_call(self, req, frm):
                await DynamicSupervisor.start_child(self.system, "s", ChildSpec(req, W))
        def t(n): return Supervisor([ChildSpec("s", DynamicSupervisor(max_restarts=n), name="s")])
    """,
    "its_own_supervisor": """
        class D(Server):
            async def handle_call(self, req, frm):
                own = Supervisor([ChildSpec("w", W)])
                await DynamicSupervisor.start_child(self.system, "s", ChildSpec(req, own))
        t = Supervisor([ChildSpec("s", DynamicSupervisor(), name="s")])
    """,
    "the_same_pool_at_the_start": """
        class D(Server):
            async def init(self):
                for n in range(self.n):
                    await DynamicSupervisor.start_child(self.system, "s", ChildSpec(n, W))
        t = Supervisor([ChildSpec("s", DynamicSupervisor(), name="s")])
    """,
}

POSITIVE = {
    "power": "def t(): return Supervisor([], max_restarts=10**6)  # here",
    "constant": """
        MANY = 1_000_000  # here
        def t(): return Supervisor([], max_restarts=MANY)
    """,
    "helper": """
        def many(): return 50_000  # here
        def t(): return Supervisor([], max_restarts=many())
    """,
    "maxsize": "def t(): return Supervisor([], max_restarts=sys.maxsize)  # here",
    "window_of_nothing": "def t(): return DynamicSupervisor(max_restarts=30, max_seconds=0.01)  # here",
    "another_supervisor": """
        from house import Keeper
        class K(Server):
            async def init(self):
                self.k = Keeper(W, max_restarts=-1)  # here
                self.l = Keeper(W, max_restarts=float("inf"))  # here
                self.m = Keeper(W, max_restarts=math.inf)  # here
    """,
    "subclass": """
        class T(Supervisor):
            def __init__(self):
                super().__init__([], max_restarts=99999)  # here
    """,
    "loop": """
        class K(Thread):
            def run(self):
                while True:
                    try:
                        p = Process(target=print)  # here
                        p.start()
                        p.join()
                    except OSError:
                        pass
    """,
    "transient": """
        class D(Server):
            async def handle_call(self, req, frm):
                spec = ChildSpec(req, W, restart=TRANSIENT)  # here
                await DynamicSupervisor.start_child(self.system, "s", spec)
        t = Supervisor([ChildSpec("s", DynamicSupervisor(), name="s")])
    """,
}


def found(scan: Scan, text: str) -> list[Finding]:
    return scan(HEAD + textwrap.dedent(text), "OTP504")


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in NEGATIVE.items()])
def test_silent(scan: Scan, text: str) -> None:
    assert not found(scan, text)


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in POSITIVE.items()])
def test_reported(scan: Scan, text: str) -> None:
    lines = (HEAD + textwrap.dedent(text)).split("\n")
    assert [f.span.line for f in found(scan, text)] == [n for n, line in enumerate(lines, 1) if "# here" in line]


def test_a_keyword_alone_is_medium(scan: Scan) -> None:
    assert {finding.confidence for finding in found(scan, POSITIVE["another_supervisor"])} == {Confidence.MEDIUM}
    assert {finding.confidence for finding in found(scan, POSITIVE["power"])} == {Confidence.HIGH}


RAY = """
import os, ray, sys
class Guard:
    def apply(self, function):
        try:
            return function(self)
        except Exception:
            END
@ray.remote(max_restarts=-1, max_task_retries=-1)
class Agent(Guard):
    pass
"""


@pytest.mark.parametrize(
    ("end", "confidence"),
    [
        ("sys.exit(1)", Confidence.MEDIUM),
        ("os._exit(3)", Confidence.MEDIUM),
        ("raise SystemExit('broken')", Confidence.MEDIUM),
        ("leave()", Confidence.MEDIUM),
        ("os.kill(os.getpid(), 9)", Confidence.MEDIUM),
        ("sys.exit(0)", Confidence.LOW),
        ("ray.actor.exit_actor()", Confidence.LOW),
        ("os.kill(self.other, 9)", Confidence.LOW),
        ("raise", Confidence.LOW),
    ],
)
def test_a_restart_that_follows_only_the_exit_of_a_process(scan: Scan, end: str, confidence: Confidence) -> None:
    """Only what ends its own process comes back again and again; retries of calls restart nothing."""
    text = RAY.replace("END", end) + "def leave():\n    os.abort()\n"
    (finding,) = scan(text, "OTP504")
    assert finding.confidence is confidence
    assert [r.message for r in finding.related] == ["where it ends its own process"] * (confidence is Confidence.MEDIUM)


@pytest.mark.parametrize(
    "made",
    [
        "ray.remote(max_restarts=-1)(CLASS)",
        "ray.remote(CLASS).options(max_restarts=-1)",
        "ray.remote(num_cpus=1)(CLASS).options(num_cpus=2, max_restarts=-1)",
    ],
)
@pytest.mark.parametrize(("name", "confidence"), [("Exits", Confidence.MEDIUM), ("Plain", Confidence.LOW)])
def test_the_class_that_an_option_bounds(scan: Scan, made: str, name: str, confidence: Confidence) -> None:
    text = f"""
import ray, sys
class Exits:
    def work(self):
        sys.exit(1)
class Plain:
    def work(self):
        raise ValueError
@ray.remote
class Driver:
    def start(self):
        made = {made.replace("CLASS", name)}
        self.agent = made.remote()
"""
    (finding,) = scan(text, "OTP504")
    assert (finding.span.line, finding.confidence) == (12, confidence)


@pytest.mark.parametrize(("number", "lines"), [("-1", [3]), ("100000", [3, 10])])
def test_an_option_that_says_what_the_class_says(scan: Scan, number: str, lines: list[int]) -> None:
    text = f"""import ray, sys

@ray.remote(max_restarts=-1)
class Counter:
    def add(self):
        sys.exit(1)
@ray.remote(max_restarts=3)
class Other:
    def start(self):
        self.c = Counter.options(max_restarts={number}).remote()
"""
    assert [finding.span.line for finding in scan(text, "OTP504")] == lines


def test_a_constant_of_another_file(scan: Scan) -> None:
    files = {
        "app/__init__.py": "",
        "app/limits.py": "RESTARTS = 10**9\n",
        "app/tree.py": """
            from otplint.runtime import Supervisor
            from app import limits
            def tree(): return Supervisor([], max_restarts=limits.RESTARTS)
        """,
    }
    (finding,) = scan(files, "OTP504")
    assert (finding.span.path, finding.span.line) == ("app/limits.py", 1)
    assert [related.span.path for related in finding.related] == ["app/tree.py"]
