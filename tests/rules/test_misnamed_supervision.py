"""OTP505: which names promise what the body does not do."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from otplint.findings import Finding

Scan = Callable[..., list[Finding]]

HEAD = """
import asyncio, threading
from multiprocessing import Process
from otplint.runtime import *
"""

NEGATIVE = {
    "honest_name": "def start(job): threading.Thread(target=job).start()",
    "a_child": """
        async def start_supervised(system, spec):
            return await DynamicSupervisor.start_child(system, "kids", spec)
    """,
    "a_supervisor": "def supervised(spec): return Supervisor([spec])",
    "linked": "def supervised_spawn(self, factory): return self.system.spawn(factory, link=self.pid)",
    "joined": """
        def run_supervised(job):
            t = threading.Thread(target=job)
            t.start()
            t.join()
    """,
    "awaited": "async def atomic_write(job): await asyncio.create_task(job())",
    "looked_after_by_somebody": "def spawn_supervised(keeper, job): keeper.keep(asyncio.create_task(job()))",
    "starts_nothing": "def atomic_add(table, key): table[key] = table.get(key, 0) + 1",
    "a_word_inside_another": "def unsupervised(job): threading.Thread(target=job).start()",
    "a_test": "def test_supervised_start(): threading.Thread(target=print).start()",
}

POSITIVE = {
    "task": "def start_supervised(job): asyncio.create_task(job())",
    "returned": "def spawn_supervised(job): return asyncio.ensure_future(job())",
    "process": """
        def restarting_process(job):
            p = Process(target=job)
            p.start()
            return p
    """,
    "camel_case": "def superviseWorker(job): threading.Thread(target=job).start()",
    "atomic": "def atomic_transfer(a, b): threading.Thread(target=a.move, args=(b,)).start()",
    "method_of_an_actor": """
        class A(Server):
            async def handle_cast(self, msg): self.start_monitored(self.work())
            def start_monitored(self, coro): self.task = asyncio.create_task(coro)
            async def work(self): pass
            async def terminate(self, reason): pass
    """,
    "runtime": """
        class A(Server):
            def supervised_spawn(self, factory): return self.system.spawn(factory)
    """,
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in NEGATIVE.items()])
def test_silent(scan: Scan, text: str) -> None:
    assert not scan(HEAD + textwrap.dedent(text), "OTP505")


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in POSITIVE.items()])
def test_reported(scan: Scan, text: str) -> None:
    (finding,) = scan(HEAD + textwrap.dedent(text), "OTP505")
    assert finding.related


def test_test_files_may_call_things_what_they_like(scan: Scan) -> None:
    assert not scan({"tests/helpers.py": HEAD + POSITIVE["task"]}, "OTP505")
