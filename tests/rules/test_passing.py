"""OTP409 and OTP401 beside their near twins: what blocks nobody or is no mailbox, and what is but for one thing."""

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


@pytest.mark.parametrize(("silent", "loud"), BLOCKING.values(), ids=BLOCKING)
def test_what_blocks_and_its_twins(scan: Scan, silent: str, loud: str) -> None:
    _check(scan, "OTP409", silent, loud)


NAMES = ("runner", "over", "rows", "box", "path", "work", "slowly", "pause")


@pytest.mark.parametrize(("silent", "loud"), BLOCKING.values(), ids=BLOCKING)
def test_names_of_the_users_own_do_not_matter(scan: Scan, silent: str, loud: str) -> None:
    for body in (silent, loud):
        renamed = re.sub(rf"\b({'|'.join(NAMES)})\b", r"my_\1_", HEAD + textwrap.dedent(body))
        assert _seen(scan(renamed, select="OTP409")) == _lines(renamed), renamed


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
