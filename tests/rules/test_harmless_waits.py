"""OTP407, OTP409: waits that hold no actor up, each beside one that does."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from otplint.findings import Finding

Scan = Callable[..., list[Finding]]

UDP = """
    import pykka, socket
    class A(pykka.ThreadingActor):
        def on_receive(self, m):
            sock = socket.socket(socket.AF_INET, KIND)
            sock.connect(m)
"""
EAGER = """
    from celery import Celery, Task
    app = Celery("a")
    class Report(Task):
        def run(self, part):
            return part.HOW().get()
"""
STOPPING = """
    import threading
    class Clock(threading.Thread):
        def __init__(self):
            super().__init__()
            self.ended = threading.Event()
        def run(self):
            while not self.asked:
                self.tick()
            self.finish()
        def finish(self):
            SETS
        def stop(self):
            self.asked = True
            self.ended.wait()
        def tick(self):
            self.later()
"""
SYNC = """
    import threading
    def sync(loop, work):
        done = threading.Event()
        def run():
            work()
            done.set()
        def wait():
            return done.wait(5)
        GIVES
        return wait()
"""
USER = """
    import xoscar as xo
    from app.sync import sync
    class A(xo.Actor):
        async def go(self, x):
            return sync(self.loop, x)
"""


@pytest.mark.parametrize(("kind", "reported"), [("socket.SOCK_DGRAM", 0), ("socket.SOCK_STREAM", 1)])
def test_datagrams_connect_at_once(scan: Scan, kind: str, reported: int) -> None:
    assert len(scan(UDP.replace("KIND", kind), "OTP409")) == reported


@pytest.mark.parametrize(("how", "reported"), [("apply", 0), ("delay", 1)])
def test_an_eager_result_is_there_already(scan: Scan, how: str, reported: int) -> None:
    assert len(scan(EAGER.replace("HOW", how), "OTP407")) == reported


@pytest.mark.parametrize(("sets", "reported"), [("self.ended.set()", 0), ("self.store()", 1)])
def test_who_stops_a_loop_waits_for_its_end(scan: Scan, sets: str, reported: int) -> None:
    text = STOPPING.replace("SETS", sets).replace("threading.Thread", "Timer").replace("super().__init__()", "pass")
    text = text.replace("class Clock", "from celery.beat import Service as Timer\n    class Clock").replace(
        "run(", "start("
    )
    assert len(scan(text, "OTP407")) == reported


@pytest.mark.parametrize(("gives", "reported"), [("loop.call_soon_threadsafe(run)", 0), ("work(run)", 1)])
def test_what_waits_for_a_loop_is_there_for_other_threads(scan: Scan, gives: str, reported: int) -> None:
    files = {"app/__init__.py": "", "app/sync.py": textwrap.dedent(SYNC.replace("GIVES", gives)), "app/user.py": USER}
    assert len(scan(files, "OTP409")) == reported
