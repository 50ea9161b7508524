"""OTP503: what looks after a thread, task, process or actor, and what does not."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

HEAD = """
import asyncio, functools, os, threading
from concurrent.futures import ThreadPoolExecutor, Executor
from multiprocessing import Process
from otplint.runtime import *
class Other(Server): pass
"""

NEGATIVE = {
    "awaited": """
        class A(Server):
            async def handle_cast(self, msg):
                await asyncio.create_task(self.work())
            async def work(self): pass
    """,
    "awaited_later": """
        class A(Server):
            async def handle_cast(self, msg):
                t = asyncio.create_task(self.work())
                self.n += 1
                if self.n:
                    await asyncio.shield(t)
            async def work(self): pass
    """,
    "gathered": """
        class A(Server):
            async def handle_cast(self, msg):
                tasks = []
                for i in msg:
                    tasks.append(asyncio.create_task(self.work(i)))
                await asyncio.gather(*tasks)
            async def work(self, i): pass
    """,
    "gathered_comprehension": """
        class A(Server):
            async def handle_cast(self, msg):
                await asyncio.gather(*[asyncio.create_task(self.work(i)) for i in msg])
            async def work(self, i): pass
    """,
    "dict_of_tasks": """
        class A(Server):
            async def handle_cast(self, msg):
                self.running[msg] = asyncio.create_task(self.work())
            async def handle_call(self, req, frm):
                task = self.running.get(req)
                if task is not None:
                    task.cancel()
            async def work(self): pass
    """,
    "base_cancels": """
        class Base(Server):
            async def terminate(self, reason):
                if self.ticker:
                    self.ticker.cancel()
        class A(Base):
            async def init(self):
                self.ticker = asyncio.create_task(self.work())
            async def work(self): pass
    """,
    "subclass_cancels": """
        class A(Server):
            async def init(self):
                self.ticker = asyncio.create_task(self.work())
            async def work(self): pass
        class B(A):
            async def terminate(self, reason):
                self.ticker.cancel()
    """,
    "by_getattr": """
        class A(Server):
            async def init(self):
                self.ticker = asyncio.create_task(self.work())
            async def terminate(self, reason):
                for name in ("ticker", "clock"):
                    getattr(self, name).cancel()
            async def work(self): pass
    """,
    "alias": """
        class A(Server):
            async def init(self):
                self.ticker = asyncio.create_task(self.work())
            async def terminate(self, reason):
                t, self.ticker = self.ticker, None
                t.cancel()
            async def work(self): pass
    """,
    "outside": """
        class A(Server):
            async def init(self):
                self.ticker = asyncio.create_task(self.work())
            async def work(self): pass
        def stop(node):
            node.ticker.cancel()
    """,
    "callback": """
        class A(Server):
            async def handle_cast(self, msg):
                asyncio.create_task(self.work()).add_done_callback(self.done)
            async def work(self): pass
            def done(self, task): task.result()
    """,
    "passed_on": """
        class A(Server):
            async def handle_cast(self, msg):
                self.registry.keep(asyncio.create_task(self.work()))
                msg.put(asyncio.create_task(self.work()))
            async def work(self): pass
    """,
    "stored_on_another": """
        class A(Server):
            async def handle_cast(self, msg):
                msg.task = asyncio.create_task(self.work())
            async def work(self): pass
    """,
    "task_group": """
        class A(Server):
            async def handle_cast(self, msg):
                async with asyncio.TaskGroup() as group:
                    group.create_task(self.work())
            async def work(self): pass
    """,
    "returned": """
        class A(Server):
            async def handle_call(self, req, frm):
                return asyncio.create_task(self.work())
            async def work(self): pass
    """,
    "helper_returns_and_caller_keeps": """
        class A(Server):
            async def handle_cast(self, msg):
                await self.go()
            def go(self): return asyncio.create_task(self.work())
            async def work(self): pass
    """,
    "result": """
        class A(Server):
            def handle(self):
                asyncio.run_coroutine_threadsafe(self.work(), self.loop).result(timeout=self.t)
            async def work(self): pass
    """,
    "threads_joined": """
        class A(Server):
            async def handle_cast(self, msg):
                ts = [threading.Thread(target=self.work) for _ in msg]
                [t.start() for t in ts]
                for t in ts: t.join(self.t)
            def work(self): pass
    """,
    "thread_not_started": """
        class A(Server):
            async def init(self):
                self.t = threading.Thread(target=self.work)
            def work(self): pass
    """,
    "thread_told_to_stop": """
        class A(Server):
            async def init(self):
                self.on = True
                self.t = threading.Thread(target=self.work)
                self.t.start()
            def work(self):
                while self.on:
                    self.step()
            def step(self): pass
            async def terminate(self, reason):
                self.on = False
    """,
    "pool_in_with": """
        class A(Server):
            async def handle_cast(self, msg):
                with ThreadPoolExecutor() as pool:
                    for m in msg:
                        pool.submit(self.work, m)
            def work(self, m): pass
    """,
    "pool_shut_down": """
        class A(Server):
            async def init(self):
                self.pool = ThreadPoolExecutor()
            async def handle_cast(self, msg):
                f = self.pool.submit(self.work)
                f.result(timeout=self.t)
            async def terminate(self, reason):
                self.pool.shutdown(wait=False)
            def work(self): pass
    """,
    "leaves": """
        class A(Server):
            async def handle_cast(self, msg):
                async def leave():
                    await asyncio.sleep(self.t)
                    os._exit(0)
                asyncio.create_task(leave())
    """,
    "supervised": """
        class A(Server):
            async def handle_cast(self, msg):
                await DynamicSupervisor.start_child(self.system, "kids", ChildSpec(msg, Other, restart=TEMPORARY))
    """,
    "monitored": """
        class A(Server):
            async def handle_cast(self, msg):
                pid = self.system.spawn(Other)
                self.refs[self.system.monitor(pid)] = pid
            async def handle_info(self, msg):
                if isinstance(msg, Down):
                    self.refs.pop(msg.ref)
    """,
    "linked": """
        class A(Server):
            async def handle_cast(self, msg):
                self.system.spawn(Other, link=self.pid)
    """,
    "no_actor": """
        def main():
            threading.Thread(target=print).start()
            asyncio.create_task(other())
        async def other(): pass
    """,
    "timer_cancelled": """
        class A(Server):
            async def init(self):
                self.timer = threading.Timer(self.t, self.work)
                self.timer.start()
            def work(self): pass
            async def terminate(self, reason):
                self.timer.cancel()
    """,
    "somebody_elses_create_task": """
        class A(Server):
            async def handle_cast(self, msg):
                self.nursery.create_task(self.work())
                msg.hass.create_task(self.work())
            async def work(self): pass
    """,
}

POSITIVE = {
    "dropped": """
        class A(Server):
            async def handle_cast(self, msg):
                asyncio.create_task(self.work())  # here
            async def work(self): pass
    """,
    "underscore": """
        class A(Server):
            async def handle_cast(self, msg):
                _ = asyncio.ensure_future(self.work())  # here
            async def work(self): pass
    """,
    "alias_of_module": """
        import asyncio as aio
        class A(Server):
            async def handle_cast(self, msg):
                go = aio.create_task
                aio.create_task(self.work(), name="w")  # here
            async def work(self): pass
    """,
    "loop": """
        class A(Server):
            async def handle_cast(self, msg):
                loop = asyncio.get_event_loop()
                loop.create_task(self.work())  # here
            async def work(self): pass
    """,
    "chosen": """
        class A(Server):
            async def handle_cast(self, msg):
                asyncio.create_task(self.work()) if msg else None  # here
            async def work(self): pass
    """,
    "only_named_and_logged": """
        import logging
        log = logging.getLogger(__name__)
        class A(Server):
            async def handle_cast(self, msg):
                t = asyncio.create_task(self.work())  # here
                t.set_name("worker")
                log.info("started %s", t)
            async def work(self): pass
    """,
    "guard_only": """
        class A(Server):
            async def init(self):
                self.ticker = None
            async def handle_cast(self, msg):
                if self.ticker is None:
                    self.ticker = asyncio.create_task(self.work())  # here
            async def terminate(self, reason):
                self.ticker = None
            async def work(self): pass
    """,
    "list_never_read": """
        class A(Server):
            async def init(self):
                self.tasks = []
            async def handle_cast(self, msg):
                self.tasks.append(asyncio.create_task(self.work()))  # here
            async def work(self): pass
    """,
    "list_of_threads_started": """
        class A(Server):
            async def handle_cast(self, msg):
                ts = [threading.Thread(target=self.work) for _ in msg]  # here
                for t in ts:
                    t.daemon = True
                    t.start()
            def work(self): pass
    """,
    "wrapper_drops": """
        class A(Server):
            async def handle_cast(self, msg):
                self.go(self.work())  # here
            def go(self, coro):
                task = asyncio.create_task(coro)
                return task
            async def work(self): pass
    """,
    "mixin": """
        class Beats:
            def beat(self):
                asyncio.create_task(self.work())  # here
        class A(Beats, Server):
            async def init(self):
                self.beat()
            async def work(self): pass
    """,
    "process": """
        class A(Server):
            async def handle_cast(self, msg):
                p = Process(target=print, daemon=True)  # here
                p.start()
    """,
    "executor": """
        class A(Server):
            def __init__(self, pool: Executor):
                self.pool = pool
            async def handle_cast(self, msg):
                self.pool.submit(print, msg)  # here
    """,
    "pool": """
        class A(Server):
            async def init(self):
                self.pool = ThreadPoolExecutor()  # here
            async def handle_cast(self, msg):
                await asyncio.get_running_loop().run_in_executor(self.pool, print)
    """,
    "actor_dropped": """
        class A(Server):
            async def handle_cast(self, msg):
                self.system.spawn(Other)  # here
    """,
    "address_used_once": """
        class A(Server):
            async def handle_cast(self, msg):
                self.system.cast(self.system.spawn(Other), msg)  # here
    """,
    "nested_function": """
        class A(Server):
            async def handle_cast(self, msg):
                def later():
                    asyncio.create_task(self.work())  # here
                later()
            async def work(self): pass
    """,
    "signal_only": """
        class A(Server):
            async def init(self):
                self.on = True
                threading.Thread(target=self.work).start()  # here
            def work(self):
                while self.on:
                    print("on")
            async def terminate(self, reason):
                self.on = False
    """,
}


def found(scan: Scan, text: str) -> list[Finding]:
    return scan(HEAD + textwrap.dedent(text), "OTP503")


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in NEGATIVE.items()])
def test_silent(scan: Scan, text: str) -> None:
    assert not found(scan, text)


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in POSITIVE.items()])
def test_reported(scan: Scan, text: str) -> None:
    lines = (HEAD + textwrap.dedent(text)).split("\n")
    assert [f.span.line for f in found(scan, text)] == [lines.index(line) + 1 for line in lines if "# here" in line]


@pytest.mark.parametrize(
    ("name", "confidence"),
    [
        ("dropped", Confidence.HIGH),
        ("guard_only", Confidence.MEDIUM),
        ("executor", Confidence.HIGH),
        ("signal_only", Confidence.LOW),
    ],
)
def test_confidence(scan: Scan, name: str, confidence: Confidence) -> None:
    assert {finding.confidence for finding in found(scan, POSITIVE[name])} == {confidence}


def test_a_helper_in_another_file_is_reported_once_there(scan: Scan) -> None:
    files = {
        "app/__init__.py": "",
        "app/background.py": """
            import asyncio
            def go(coro):
                asyncio.create_task(coro)
        """,
        "app/one.py": """
            from otplint.runtime import Server
            from .background import go
            class One(Server):
                async def handle_cast(self, msg): go(self.work())
                async def work(self): pass
        """,
        "app/two.py": """
            from otplint.runtime import Server
            from app import background
            class Two(Server):
                async def handle_cast(self, msg): background.go(self.work())
                async def work(self): pass
        """,
    }
    (finding,) = scan(files, "OTP503")
    assert (finding.span.path, finding.span.line, finding.confidence) == ("app/background.py", 4, Confidence.MEDIUM)


def test_a_wrapper_by_which_a_handler_is_decorated(scan: Scan) -> None:
    text = """
        def tells(function):
            @functools.wraps(function)
            async def wrapper(self, msg):
                try:
                    return await function(self, msg)
                except OSError as error:
                    asyncio.run_coroutine_threadsafe(self.told(error), self.loop)  # here
            return wrapper
        class A(Server):
            @tells
            async def handle_cast(self, msg): pass
            async def told(self, error): pass
    """
    assert len(found(scan, text)) == 1


def test_the_helper_that_passes_a_task_on_is_told_in_the_story(scan: Scan) -> None:
    (finding,) = found(scan, POSITIVE["wrapper_drops"])
    assert [related.message for related in finding.related][:1] == ["where it is started"]


def test_test_files_may_forget_what_they_start(scan: Scan) -> None:
    assert not scan({"tests/test_a.py": HEAD + textwrap.dedent(POSITIVE["dropped"])}, "OTP503")


def test_a_call_over_several_lines_is_told_by_its_name(scan: Scan) -> None:
    text = """
        class A(Server):
            async def handle_cast(self, msg):
                asyncio.create_task(
                    self.work(),
                )
            async def work(self): pass
    """
    (finding,) = found(scan, text)
    assert finding.span.line == finding.span.end_line


def test_a_thread_that_fills_a_queue_which_is_read_next_has_low_confidence(scan: Scan) -> None:
    text = """
        import queue
        class A(Server):
            async def handle_cast(self, msg):
                q = queue.Queue(maxsize=self.n)
                options = dict(target=q)
                t = threading.Thread(target=print, kwargs=options)
                t.start()
                return q.get(timeout=self.t)
    """
    assert {finding.confidence for finding in found(scan, text)} == {Confidence.LOW}


def test_a_name_is_no_supervisor_where_there_are_supervisors(scan: Scan) -> None:
    text = """
        class A(Server):
            async def handle_cast(self, msg):
                self.system.spawn(Other, name="other")
    """
    assert {finding.confidence for finding in found(scan, text)} == {Confidence.MEDIUM}


def test_what_a_helper_keeps_and_returns_is_kept_by_the_helper(scan: Scan) -> None:
    text = """
        class A(Server):
            async def init(self):
                await self._start()
            async def _start(self):
                self.task = asyncio.create_task(self.work())
                return self.task
            async def terminate(self, reason):
                self.task.cancel()
            async def work(self): pass
    """
    assert not found(scan, text)


def test_one_of_two_callers_drops_what_a_helper_makes(scan: Scan) -> None:
    text = """
        class A(Server):
            async def init(self):
                self.pool = self.make()
            async def handle_cast(self, msg):
                fresh = self.make()
                self.pool, old = fresh, self.pool
                old.shutdown()
            def make(self): return ThreadPoolExecutor()
            async def terminate(self, reason):
                pool = self.pool
                await asyncio.to_thread(pool.shutdown)
    """
    assert not found(scan, text)


@pytest.mark.parametrize(
    "loop",
    [
        "while not stop(): print(self.n)",
        "while stop.is_set() is False: print(self.n)",
    ],
)
def test_a_thread_that_asks_what_it_was_given_has_low_confidence(scan: Scan, loop: str) -> None:
    text = f"""
class A(Server):
    async def handle_cast(self, msg):
        threading.Thread(target=self.work, args=(msg.stop,)).start()
    def work(self, stop):
        {loop}
"""
    assert {finding.confidence for finding in scan(HEAD + text, "OTP503")} == {Confidence.LOW}


def test_a_flag_that_the_owner_sets_has_low_confidence(scan: Scan) -> None:
    text = """
        class A(Server):
            async def init(self):
                self.stopped = threading.Event()
                threading.Thread(target=self.work).start()
            def work(self):
                while not self.stopped.is_set(): print(self.n)
        def stop(monitor):
            monitor.stopped.set()
    """
    assert {finding.confidence for finding in found(scan, text)} == {Confidence.LOW}


GLANCED = """
import queue, threading, pykka
from app.waiting import came_up, ends
class Exporter(pykka.ThreadingActor):
    def on_start(self):
        BEFORE
        self._server = threading.Thread(target=self.serve_all, daemon=True)
        self._server.start()
        AFTER
    def serve_all(self):
        while True:
            self.serve()
    def on_receive(self, message):
        LATER
"""
WAITING = """
import time
def came_up(thread, answers):
    while True:
        if answers:
            return answers.pop()
        if not thread.is_alive():
            raise RuntimeError("did not come up")
def ends(thread, answers):
    while thread.is_alive():
        time.sleep(1)
"""


def glanced(before: str = "pass", after: str = "pass", later: str = "pass") -> dict[str, str]:
    text = GLANCED.replace("BEFORE", before).replace("AFTER", after).replace("LATER", later)
    return {"app/__init__.py": "", "app/waiting.py": WAITING, "app/node.py": text}


@pytest.mark.parametrize(
    "given",
    [
        {"before": "if self._server.is_alive(): return"},
        {"after": "self._server.join(5)"},
        {"after": "ends(self._server, self.answers)"},
        {"after": "unknown(self._server)"},
        {"later": "return self._server.is_alive()"},
        {"after": "came_up(self._server, self.answers)", "later": "self._server.join()"},
    ],
)
def test_a_thread_that_somebody_looks_at_later(scan: Scan, given: dict[str, str]) -> None:
    assert not [f for f in scan(glanced(**given), "OTP503") if f.span.path == "app/node.py"]


@pytest.mark.parametrize(
    "after", ["came_up(self._server, self.answers)", "if not self._server.is_alive(): raise RuntimeError('x')"]
)
def test_a_thread_that_is_looked_at_only_while_it_starts(scan: Scan, after: str) -> None:
    (found,) = scan(glanced(after=after), "OTP503")
    assert found.confidence is Confidence.MEDIUM
    assert "only while it starts" in found.message


@pytest.mark.parametrize(("framework", "reported"), [("ray", False), ("pykka", True)])
def test_a_loop_that_survives_its_failures(framework: str, reported: bool, scan: Scan) -> None:
    """It ends with an actor that is a process of its own; beside others it goes on."""
    base = {"ray": "import ray\n@ray.remote\nclass A:\n", "pykka": "import pykka\nclass A(pykka.ThreadingActor):\n"}
    text = (
        "import logging, threading, time\n"
        + base[framework]
        + "    def watch(self):\n        threading.Thread(target=self.poll).start()\n"
        "    def poll(self):\n        while True:\n            time.sleep(5)\n"
        "            try:\n                self.look()\n"
        "            except Exception:\n                logging.exception('again')\n"
        "    def look(self):\n        self.seen = 1\n"
    )
    found = scan(text, "OTP503")
    assert bool(found) is reported
    assert all("survives its failures" in finding.consequence for finding in found)


@pytest.mark.parametrize(
    ("loop", "said"),
    [
        ("while True: await self.step()", True),
        ("await self.step()", True),
        ("while not self.closed: await self.step()", False),
        ("while True:\n                    await self.step()\n                    if self.closed: return", False),
    ],
)
def test_that_nothing_ends_it_is_said_where_no_way_out_is_written(loop: str, said: bool, scan: Scan) -> None:
    (finding,) = found(
        scan,
        f"""
        class A(Server):
            async def handle_cast(self, msg):
                asyncio.create_task(self.work())
            async def work(self):
                {loop}
        """,
    )
    assert ("nothing ends it" in finding.message) is said
