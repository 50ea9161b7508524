"""OTP407, OTP409 and OTP401 beside their near twins: what holds nobody up, and what does but for one thing."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

HEAD = """
import asyncio, concurrent.futures, os, queue, socket, sys, threading, time
import celery, pykka, ray
"""

TWINS = {
    "data that came with the message, and the answer to a request": (
        """
        @ray.remote
        class Store:
            def load(self, rows):
                return {name: ray.get(row) for name, row in rows.items()}
        """,
        """
        @ray.remote
        class Store:
            def load(self, rows):
                rows = {name: self.source.read.remote(name) for name in rows}
                return {name: ray.get(row) for name, row in rows.items()}  # here
        """,
    ),
    "a helper that is given data, and one that is given an answer to come": (
        """
        def fetch(ref):
            return ray.get(ref)
        @ray.remote
        class Store:
            def load(self, row):
                return fetch(row)
        """,
        """
        def fetch(ref):
            return ray.get(ref)  # here
        @ray.remote
        class Store:
            def load(self, row):
                return fetch(self.source.read.remote(row))
        """,
    ),
    "data, and futures, which stand for answers only": (
        """
        @ray.remote
        class Store:
            def load(self, rows):
                return ray.get(rows)
        """,
        """
        class Store(pykka.ThreadingActor):
            def load(self, rows):
                return pykka.get_all(rows)  # here
        """,
    ),
    "a table that data is put into, and one of answers to come": (
        """
        @ray.remote
        class Store:
            def __init__(self):
                self.rows = {}
            def put(self, client, name, row):
                ref = ray.put(row)
                self.rows[client][name] = ref
            def get(self, client, name):
                found = self.rows[client][name]
                return ray.get(found)
        """,
        """
        @ray.remote
        class Store:
            def __init__(self, source):
                self.rows = {}
                self.source = source
            def put(self, client, name, row):
                ref = self.source.read.remote(row)
                self.rows[client][name] = ref
            def get(self, client, name):
                found = self.rows[client][name]
                return ray.get(found)  # here
        """,
    ),
    "the ready ones, and the others": (
        """
        @ray.remote
        class Pool:
            def step(self):
                ready, late = ray.wait([w.step.remote() for w in self.workers], timeout=self.pause)
                first = None
                if len(ready) > 0:
                    first = ready[0]
                return ray.get(first)
        """,
        """
        @ray.remote
        class Pool:
            def step(self):
                ready, late = ray.wait([w.step.remote() for w in self.workers], timeout=self.pause)
                first = None
                if len(late) > 0:
                    first = late[0]
                return ray.get(first)  # here
        """,
    ),
    "work of its own that is shared out, and work that asks somebody": (
        """
        class A(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self.pool = concurrent.futures.ThreadPoolExecutor(8)
            def on_receive(self, m):
                jobs = [self.pool.submit(self._read, path) for path in m]
                for job in concurrent.futures.as_completed(jobs):
                    job.result()
            def _read(self, path):
                return len(path), self.sizes.get(path)
        """,
        """
        class A(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self.pool = concurrent.futures.ThreadPoolExecutor(8)
            def on_receive(self, m):
                jobs = [self.pool.submit(self._read, path) for path in m]
                for job in concurrent.futures.as_completed(jobs):  # here
                    job.result()
            def _read(self, path):
                return self.reader.size(path).get()
        """,
    ),
    "on a thread of its own, and on an event loop": (
        """
        @ray.remote
        class A:
            def __init__(self):
                self.pool = concurrent.futures.ThreadPoolExecutor(8)
            def work(self, m):
                return self.pool.submit(self._read, m).result()
            def _read(self, path):
                return len(path)
        """,
        """
        @ray.remote
        class A:
            def __init__(self):
                self.pool = concurrent.futures.ThreadPoolExecutor(8)
            async def work(self, m):
                return self.pool.submit(self._read, m).result()  # here
            def _read(self, path):
                return len(path)
        """,
    ),
    "jobs of this message, and those that came with it": (
        """
        class A(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self.pool = concurrent.futures.ThreadPoolExecutor(8)
            def on_receive(self, m):
                jobs = []
                for path in m:
                    jobs.append(self.pool.submit(self._read, path))
                concurrent.futures.wait(jobs)
            def _read(self, path):
                return len(path)
        """,
        """
        class A(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self.pool = concurrent.futures.ThreadPoolExecutor(8)
            def on_receive(self, jobs):
                for path in self.paths:
                    jobs.append(self.pool.submit(self._read, path))
                concurrent.futures.wait(jobs)  # here
            def _read(self, path):
                return len(path)
        """,
    ),
    "itself elsewhere, and another function": (
        """
        def train(steps, remote=None):
            if remote:
                there = ray.remote(num_cpus=0)(train)
                result = there.remote(steps, remote=False)
                return ray.get(result)
            return steps
        @ray.remote
        class Tuner:
            def fit(self, steps):
                return train(steps)
        """,
        """
        def work(steps, remote=None):
            return steps
        def train(steps, remote=None):
            if remote:
                there = ray.remote(num_cpus=0)(work)
                result = there.remote(steps, remote=False)
                return ray.get(result)  # here
            return steps
        @ray.remote
        class Tuner:
            def fit(self, steps):
                return train(steps)
        """,
    ),
    "what ran here and now, and what runs somewhere": (
        """
        class Job(celery.Task):
            def run(self, other: celery.canvas.Signature):
                return other.apply().get()
        """,
        """
        class Job(celery.Task):
            def run(self, other: celery.canvas.Signature):
                return other.apply_async().get()  # here
        """,
    ),
}

BLOCKING = {
    "a thread that waits for the event that was set, and one that waits for something else too": (
        """
        @ray.remote
        class A:
            def __init__(self):
                self.over = threading.Event()
                self.runner = threading.Thread(target=self._run)
            def stop(self):
                self.over.set()
                self.runner.join()
            def _run(self):
                while not self.over.is_set():
                    if self.over.wait(self.pause):
                        break
                    self.rows.get(1)
        """,
        """
        @ray.remote
        class A:
            def __init__(self):
                self.over = threading.Event()
                self.runner = threading.Thread(target=self._run)
                self.box = queue.Queue()
            def stop(self):
                self.over.set()
                self.runner.join()  # here
            def _run(self):
                while not self.over.is_set():
                    self.rows.append(self.box.get())
        """,
    ),
    "told before, and told after": (
        """
        @ray.remote
        class A:
            def __init__(self):
                self.over = threading.Event()
                self.runner = threading.Thread(target=self._run)
            def stop(self):
                self.over.set()
                self.runner.join()
            def _run(self):
                self.over.wait()
        """,
        """
        @ray.remote
        class A:
            def __init__(self):
                self.over = threading.Event()
                self.runner = threading.Thread(target=self._run)
            def stop(self):
                self.runner.join()  # here
                self.over.set()
            def _run(self):
                self.over.wait()
        """,
    ),
    "on the way out, and before another try": (
        """
        @ray.remote
        class A:
            def do(self, work):
                try:
                    return work(self)
                except Exception:
                    if self.slowly:
                        time.sleep(self.pause)
                    sys.exit(1)
        """,
        """
        @ray.remote
        class A:
            def do(self, work):
                try:
                    return work(self)
                except Exception:
                    if self.slowly:
                        time.sleep(self.pause)  # here
                    if self.broken:
                        sys.exit(1)
        """,
    ),
    "on the way out after a failure, and without one": (
        """
        @ray.remote
        class A:
            def do(self, work):
                try:
                    work(self)
                except OSError:
                    time.sleep(self.pause)
                    os._exit(1)
        """,
        """
        @ray.remote
        class A:
            def do(self, work):
                time.sleep(self.pause)  # here
                os._exit(1)
        """,
    ),
    "a socket of this machine with a limit, and one of another machine": (
        """
        @ray.remote
        class A:
            def probe(self, path):
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
                    s.settimeout(2)
                    s.connect(path)
            async def other(self): ...
        """,
        """
        @ray.remote
        class A:
            def probe(self, path):
                with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
                    s.settimeout(2)
                    s.connect(path)  # here
            async def other(self): ...
        """,
    ),
    "with a limit, and without": (
        """
        @ray.remote
        class A:
            def probe(self, path):
                with socket.socket(socket.AF_UNIX) as s:
                    s.settimeout(2)
                    s.connect(path)
            async def other(self): ...
        """,
        """
        @ray.remote
        class A:
            def probe(self, path):
                with socket.socket(socket.AF_UNIX) as s:
                    s.connect(path)  # here
            async def other(self): ...
        """,
    ),
}


def _lines(text: str) -> list[int]:
    return [i for i, line in enumerate(text.splitlines(), 1) if line.endswith("# here")]


def _seen(found: list[Finding]) -> list[int]:
    return sorted(f.span.line for f in found if f.confidence is not Confidence.LOW)


def _check(scan: Scan, rule: str, silent: str, loud: str) -> None:
    for body in (silent, loud):
        text = HEAD + textwrap.dedent(body)
        assert _seen(scan(text, select=rule)) == _lines(text), text


@pytest.mark.parametrize(("silent", "loud"), TWINS.values(), ids=TWINS)
def test_waits_and_their_twins(scan: Scan, silent: str, loud: str) -> None:
    _check(scan, "OTP407", silent, loud)


@pytest.mark.parametrize(("silent", "loud"), BLOCKING.values(), ids=BLOCKING)
def test_what_blocks_and_its_twins(scan: Scan, silent: str, loud: str) -> None:
    _check(scan, "OTP409", silent, loud)


NAMES = ("rows", "ready", "late", "first", "runner", "over", "jobs", "train", "there", "ref")


@pytest.mark.parametrize(("silent", "loud"), [*TWINS.values(), *BLOCKING.values()], ids=[*TWINS, *BLOCKING])
def test_names_of_the_users_own_do_not_matter(scan: Scan, silent: str, loud: str) -> None:
    for body in (silent, loud):
        renamed = re.sub(rf"\b({'|'.join(NAMES)})\b", r"my_\1_", HEAD + textwrap.dedent(body))
        assert _seen(scan(renamed, select=["OTP407", "OTP409"])) == _lines(renamed), renamed


def test_a_short_wait_at_the_start_and_the_same_in_a_handler(scan: Scan) -> None:
    text = """
        import queue, threading
        import xoscar as xo
        def port_of(box: queue.Queue, runner):
            while True:
                try:
                    return box.get(timeout=0.1)
                except queue.Empty:
                    if not runner.is_alive():
                        raise RuntimeError("gone")
        class Worker(xo.StatelessActor):
            async def {name}(self):
                self._serve()
            def _serve(self):
                box: queue.Queue = queue.Queue()
                runner = threading.Thread(target=print, args=(box,))
                runner.start()
                self.port = port_of(box, runner)
    """
    assert scan(text.format(name="__post_create__"), select="OTP409") == []
    assert [f.span.line for f in scan(text.format(name="restart"), select="OTP409")] == [7]


def test_a_queue_that_the_writer_empties_and_one_that_its_owner_serves(scan: Scan) -> None:
    slot = """
        import queue, threading
        class Slot{base}:
            def __init__(self):
                {init}
                self.box = queue.Queue()
            def {run}(self):
                while True:
                    print(self.box.get())
    """
    writer = """
        import pykka
        from slots import Slot
        class Shuffle(pykka.ThreadingActor):
            def __init__(self, slots: dict[str, Slot]):
                super().__init__()
                self.slots = slots
            def on_receive(self, m):
                slot = self.slots[m.key]
                slot.box.put(m.row)
    """
    drains = """
            def finish(self, key):
                slot = self.slots[key]
                return slot.box.get_nowait()
    """
    thread = slot.format(base="(threading.Thread)", init="super().__init__()", run="run")
    writer = textwrap.dedent(writer)
    assert [f.span.line for f in scan({"slots.py": thread, "app.py": writer}, select="OTP401")] == [10]
    emptied = writer + textwrap.indent(textwrap.dedent(drains), "    ")
    assert scan({"slots.py": thread, "app.py": emptied}, select="OTP401") == []


def test_a_loop_that_only_empties_a_queue_is_no_mailbox(scan: Scan) -> None:
    text = """
        import queue
        import pykka
        class Slot:
            def __init__(self):
                self.box = queue.Queue()
            def drain(self):
                rows = []
                try:
                    while True:
                        rows.append(self.box.{take})
                except queue.Empty:
                    pass
                return rows
        class Shuffle(pykka.ThreadingActor):
            def __init__(self, slots: dict[str, Slot]):
                super().__init__()
                self.slots = slots
            def on_receive(self, m):
                slot = self.slots[m.key]
                slot.box.put(m.row)
    """
    assert scan(text.format(take="get_nowait()"), select="OTP401") == []
    assert [f.span.line for f in scan(text.format(take="get()"), select="OTP401")] == [21]


def test_a_librarys_queue_is_looked_at_as_a_queue_and_an_own_one_as_what_it_does(scan: Scan) -> None:
    library = """
        import ray
        class Queue:
            def get(self, block=True, timeout=None):
                return ray.get(self.actor.get.remote(timeout))
    """
    log = """
        from ray.util.queue import Queue
        import threading
        class Log:
            def __init__(self, box: Queue):
                self.box = box
            def run(self):
                while True:
                    line = self.box.get()
                    if line is None:
                        break
                    self.write(line)
        def main(box):
            threading.Thread(target=Log(box).run).start()
    """
    known = {"ray/util/queue.py": library, "app.py": log}
    assert _seen(scan(known, select="OTP407")) == []
    actor = """
        from boxes import Queue
        import pykka
        class Log(pykka.ThreadingActor):
            def __init__(self, box: Queue):
                super().__init__()
                self.box = box
            def on_receive(self, message):
                return self.box.get()
    """
    own = {"boxes.py": library, "app.py": actor}
    assert [(f.span.path, f.span.line) for f in scan(own, select="OTP407")] == [("boxes.py", 5)]


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
