"""OTP407: waits that may go on for ever, and those that do not."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

HEAD = """
import asyncio, concurrent.futures, queue, threading
import pykka
from otplint.runtime import Server
"""

NEGATIVE = {
    "a timeout": """
        class A(pykka.ThreadingActor):
            def on_receive(self, m):
                return self.other.ping().get(timeout=self.patience)
    """,
    "a timeout by position": """
        class A(pykka.ThreadingActor):
            def on_receive(self, m):
                return self.ref.ask(m, True, 5)
    """,
    "an answer that is taken later": """
        class A(pykka.ThreadingActor):
            def __init__(self, ref: pykka.ActorRef):
                super().__init__()
                self.ref = ref
            def on_receive(self, m):
                self.later = self.ref.ask(m, block=False)
    """,
    "a table's get": """
        class A(pykka.ThreadingActor):
            def on_receive(self, m):
                return self.table.get(m), m.get("x"), self.names.get(m, None)
    """,
    "the constructor": """
        class A(pykka.ThreadingActor):
            def __init__(self, other):
                super().__init__()
                self.name = other.name().get()
    """,
    "main": """
        class A(pykka.ThreadingActor):
            def on_receive(self, m): return m
        def main():
            A.start().proxy().ping().get()
    """,
    "another thread": """
        class A(pykka.ThreadingActor):
            def on_start(self):
                threading.Thread(target=self._watch, daemon=True).start()
                self.pool.submit(self.work, 1)
            def _watch(self):
                self.other.ping().get()
            def work(self, n):
                return self.other.ping().get()
    """,
    "a lambda for somebody else": """
        class A(pykka.ThreadingActor):
            def on_receive(self, m):
                self.later(lambda: self.other.ping().get())
    """,
    "a thread without an inbox": """
        class A(threading.Thread):
            def run(self):
                while True:
                    self.proxy.ping().get()
                    self.wake.wait()
    """,
    "its own inbox": """
        class A(threading.Thread):
            def __init__(self):
                super().__init__()
                self.inbox = queue.Queue()
            def run(self):
                while True:
                    self.handle(self.inbox.get())
            def handle(self, m): ...
    """,
    "asked before": """
        class A(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self.jobs = queue.Queue()
            def on_receive(self, m):
                if self.jobs.empty():
                    return
                return self.jobs.get()
    """,
    "put by itself": """
        class A(pykka.ThreadingActor):
            def on_receive(self, m):
                jobs = queue.Queue()
                for job in m:
                    jobs.put(job)
                return jobs.get()
    """,
    "done": """
        class A(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self.pool = concurrent.futures.ThreadPoolExecutor()
            def on_receive(self, m):
                job = self.pool.submit(m)
                done, late = concurrent.futures.wait([job], timeout=m.limit)
                return [j.result() for j in done]
    """,
    "the default is finite": """
        class A(Server):
            async def handle_call(self, req, frm):
                return await self.system.call(self.bank, req)
    """,
    "a scope around the helper's only call": """
        class A(Server):
            async def handle_call(self, req, frm):
                async with asyncio.timeout(self.patience):
                    return await self.ask(req)
            async def ask(self, req):
                return await self.system.call(self.bank, req, timeout=None)
    """,
    "a task of its own": """
        class A(Server):
            async def handle_call(self, req, frm):
                self.task = asyncio.create_task(self.system.call(self.bank, req, timeout=None))
    """,
    "handlers of an event loop that others go on with": """
        class Service:
            def __init__(self):
                self.inbox = asyncio.Queue()
            async def run(self):
                while True:
                    item = await self.inbox.get()
                    await self.ready.wait()
    """,
    "handed through": """
        class A(pykka.ThreadingActor):
            def __init__(self, ref: pykka.ActorRef):
                super().__init__()
                self.ref = ref
            def on_receive(self, m):
                return self.ref.ask(m, **self.options)
            def ask(self, m, timeout=None):
                return self.ref.ask(m, timeout=timeout)
    """,
}


@pytest.mark.parametrize("body", NEGATIVE.values(), ids=NEGATIVE)
def test_no_finding(scan: Scan, body: str) -> None:
    assert scan(HEAD + textwrap.dedent(body), select="OTP407") == []


POSITIVE = {
    "an untyped future": (
        """
        class A(pykka.ThreadingActor):
            def on_receive(self, m):
                return self.other.ping().get()  # here
        """,
        Confidence.MEDIUM,
    ),
    "a typed reference": (
        """
        class A(pykka.ThreadingActor):
            def __init__(self, ref: pykka.ActorRef):
                super().__init__()
                self.ref = ref
            def on_receive(self, m):
                answer = self.ref.ask(m)  # here
                return answer
        """,
        Confidence.HIGH,
    ),
    "none is no timeout": (
        """
        FOR_EVER = None
        class A(Server):
            async def handle_call(self, req, frm):
                return await self.system.call(self.bank, req, timeout=FOR_EVER)  # here
        """,
        Confidence.HIGH,
    ),
    "a scope without an end": (
        """
        class A(Server):
            async def handle_call(self, req, frm):
                return await asyncio.wait_for(self.system.call(self.bank, req, timeout=None), None)  # here
        """,
        Confidence.HIGH,
    ),
    "one caller has no scope": (
        """
        class A(Server):
            async def handle_call(self, req, frm):
                async with asyncio.timeout(self.patience):
                    return await self.ask(req)
            async def handle_cast(self, msg):
                await self.ask(msg)
            async def ask(self, req):
                return await self.system.call(self.bank, req, timeout=None)  # here
        """,
        Confidence.HIGH,
    ),
    "an event": (
        """
        class A(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self.ready = threading.Event()
            def on_start(self):
                self.ready.wait()  # here
        """,
        Confidence.HIGH,
    ),
    "a queue that others fill": (
        """
        class A(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self.results = queue.Queue()
            def on_receive(self, m):
                return self.results.get()  # here
        """,
        Confidence.HIGH,
    ),
    "jobs kept in a table": (
        """
        class A(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self.pool = concurrent.futures.ThreadPoolExecutor()
                self.jobs = {}
            def on_receive(self, m):
                self.jobs[m] = self.pool.submit(m)
            def collect(self):
                return [job.result() for name, job in self.jobs.items()]  # here
        """,
        Confidence.HIGH,
    ),
    "an alias of the package and a base": (
        """
        from pykka import ThreadingActor as Base
        class Common(Base):
            def helper(self, proxy):
                return proxy.name().get()  # here
        class A(Common):
            def on_receive(self, m):
                return self.helper(m)
        """,
        Confidence.MEDIUM,
    ),
    "a property that proxies read": (
        """
        class A(pykka.ThreadingActor):
            @property
            def session(self):
                return self.other.session.get()  # here
        """,
        Confidence.MEDIUM,
    ),
    "a thread with an inbox that asks somebody": (
        """
        class A(threading.Thread):
            def __init__(self, ref: pykka.ActorRef):
                super().__init__()
                self.inbox = queue.Queue()
                self.ref = ref
            def run(self):
                while True:
                    m = self.inbox.get()
                    self.ref.ask(m)  # here
        """,
        Confidence.HIGH,
    ),
}


@pytest.mark.parametrize(("body", "confidence"), POSITIVE.values(), ids=POSITIVE)
def test_finding(scan: Scan, body: str, confidence: Confidence) -> None:
    text = HEAD + textwrap.dedent(body)
    expected = [i for i, line in enumerate(text.splitlines(), 1) if line.endswith("# here")]
    found = scan(text, select="OTP407")
    assert [f.span.line for f in found] == expected
    assert {f.confidence for f in found} == {confidence}


def test_helper_in_another_file(scan: Scan) -> None:
    found = scan(
        {
            "app/waiting.py": """
                import queue
                def take(box: queue.Queue):
                    return box.get()
                def unused(box: queue.Queue):
                    return box.get()
            """,
            "app/till.py": """
                import pykka
                from app.waiting import take as fetch
                class Till(pykka.ThreadingActor):
                    def on_receive(self, m):
                        return fetch(self.box)
            """,
        },
        select="OTP407",
    )
    assert [(f.span.path, f.span.line, f.confidence) for f in found] == [("app/waiting.py", 4, Confidence.MEDIUM)]
    assert [(r.span.path, r.span.line) for r in found[0].related] == [("app/till.py", 6)]


def test_helper_object_that_the_actor_keeps(scan: Scan) -> None:
    found = scan(
        HEAD
        + textwrap.dedent("""
            class Printer:
                def __init__(self, proxy):
                    self.proxy = proxy
                def flush(self):
                    self.proxy.flush().get()
                def unused(self):
                    self.proxy.flush().get()
            class A(pykka.ThreadingActor):
                def __init__(self, proxy):
                    super().__init__()
                    self._printer = Printer(proxy)
                def on_stop(self):
                    self._printer.flush()
        """),
        select="OTP407",
    )
    assert [f.handler for f in found] == ["flush"]


@pytest.mark.parametrize("name", ["ask", "zzz", "get_all"])
def test_names_of_the_users_own_do_not_matter(scan: Scan, name: str) -> None:
    text = """
        class A(pykka.ThreadingActor):
            def on_receive(self, m):
                return self.NAME(m)
            def NAME(self, m):
                return self.other.ping().get()
    """.replace("NAME", name)
    assert [f.span.line for f in scan(HEAD + textwrap.dedent(text), select="OTP407")] == [10]


def test_a_result_that_is_there_by_a_class_of_its_own(scan: Scan) -> None:
    results = """
        class AsyncResult:
            def get(self, timeout=None): ...
        class EagerResult(AsyncResult):
            pass
    """
    signatures = """
        from celery.result import AsyncResult, EagerResult
        class Signature:
            def apply(self) -> EagerResult: ...
            def apply_async(self) -> AsyncResult: ...
    """
    task = """
        import celery
        from celery.canvas import Signature
        class Job(celery.Task):
            def run(self, other: Signature):
                return other.{ask}().get()
    """
    library = {"celery/result.py": results, "celery/canvas.py": signatures}
    assert scan({**library, "app.py": task.format(ask="apply")}, select="OTP407") == []
    found = scan({**library, "app.py": task.format(ask="apply_async")}, select="OTP407")
    assert [(f.span.path, f.span.line) for f in found] == [("app.py", 6)]
