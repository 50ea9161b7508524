"""OTP407 beside its near twins: what is no wait for somebody's answer, and what is one but for one thing."""

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
    "what came with the message, and a list of answers to come": (
        """
        @ray.remote
        class Store:
            def load(self, rows):
                some = []
                for row in rows:
                    some.append(row)
                return ray.get(some)
        """,
        """
        @ray.remote
        class Store:
            def load(self, rows):
                some = []
                for row in rows:
                    some.append(self.source.read.remote(row))
                return ray.get(some)  # here
        """,
    ),
    "what came with the message, and a list that is made longer by requests": (
        """
        @ray.remote
        class Store:
            def load(self, rows):
                return ray.get(list(rows))
        """,
        """
        @ray.remote
        class Store:
            def load(self, rows):
                some = []
                for source in self.sources:
                    some.extend([source.read.remote(row) for row in rows])
                ray.get(some)  # here
        """,
    ),
    "an own helper that passes on, and one that asks": (
        """
        @ray.remote
        class Store:
            def load(self, rows):
                return ray.get(self._some(rows))
            def _some(self, rows):
                return rows
        """,
        """
        @ray.remote
        class Store:
            def load(self, rows):
                return ray.get(self._some(rows))  # here
            def _some(self, rows):
                some = {}
                for row in rows:
                    some[row] = self.source.read.remote(row)
                return list(some.values())
        """,
    ),
    "what came with the message, and what somebody unknown makes of it": (
        """
        @ray.remote
        class Store:
            def load(self, rows):
                return ray.get(rows)
        """,
        """
        @ray.remote
        class Store:
            def load(self, rows):
                return ray.get(self.group.dispatch(rows))  # here
        """,
    ),
    "a table of data, and one of lists of answers to come": (
        """
        @ray.remote
        class Store:
            def __init__(self):
                self.rows = {}
            def put(self, name, row):
                self.rows[name] = ray.put(row)
            def get(self, name):
                return ray.get(self.rows[name])
        """,
        """
        @ray.remote
        class Store:
            def __init__(self):
                self.rows = {}
            def put(self, name, row):
                self.rows.setdefault(name, []).append(self.source.read.remote(row))
            def get(self, name):
                return ray.get(self.rows[name])  # here
        """,
    ),
    "own work, and a list that others make longer": (
        """
        class A(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self.pool = concurrent.futures.ThreadPoolExecutor(8)
            def on_receive(self, m):
                jobs = [self.pool.submit(self._read, path) for path in m]
                jobs.extend(self.pool.submit(self._read, path) for path in self.paths)
                concurrent.futures.wait(jobs)
            def _read(self, path):
                return len(path)
        """,
        """
        class A(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self.pool = concurrent.futures.ThreadPoolExecutor(8)
            def on_receive(self, m):
                jobs = [self.pool.submit(self._read, path) for path in m]
                jobs.extend(self.later)
                concurrent.futures.wait(jobs)  # here
            def _read(self, path):
                return len(path)
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


NAMES = ("rows", "ready", "late", "first", "some", "jobs", "train", "there", "ref")


@pytest.mark.parametrize(("silent", "loud"), TWINS.values(), ids=TWINS)
def test_names_of_the_users_own_do_not_matter(scan: Scan, silent: str, loud: str) -> None:
    for body in (silent, loud):
        renamed = re.sub(rf"\b({'|'.join(NAMES)})\b", r"my_\1_", HEAD + textwrap.dedent(body))
        assert _seen(scan(renamed, select="OTP407")) == _lines(renamed), renamed


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
