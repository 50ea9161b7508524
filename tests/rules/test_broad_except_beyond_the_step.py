"""OTP201: failures that reach further than the step: a peer asked for all items, state brought back, process ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

EACH = """
import logging
import xoscar as xo
log = logging.getLogger("x")

class Book(xo.StatelessActor):
    async def __post_create__(self):
        self._index = await xo.actor_ref(address="a", uid="b")
        self._workers = {}

    async def close_all(self, names):
        for name in names:
            worker = self._workers[name]
            try:
                TRIED
            except Exception:
                log.warning("x")
"""


@pytest.mark.parametrize(
    "tried",
    ["await worker.close()", "await self._workers[name].close()", "self.drop(name)", "open(name).close()"],
)
def test_what_may_be_wrong_with_one_item_alone(scan: Scan, tried: str) -> None:
    assert not scan(EACH.replace("TRIED", tried), "OTP201")


def test_the_same_other_actor_for_all_items(scan: Scan) -> None:
    (found,) = scan(EACH.replace("TRIED", "await self._index.remove(name)"), "OTP201")
    assert found.confidence is Confidence.MEDIUM


START = """
import logging
import xoscar as xo
from metrics import serve
log = logging.getLogger("x")

class Book(xo.StatelessActor):
    def __init__(self):
        self._pages = {}
        self._peer = None

    async def __post_create__(self):
        try:
            TRIED
        except Exception:
            log.error("x", exc_info=True)
        self.open_the_desk()

    async def bring_back(self):
        for key, page in self.saved():
            self.put(key, page)

    def put(self, key, page):
        self._pages[key] = page

    async def connect(self):
        self._peer = await xo.actor_ref(address="a", uid="b")
        self._pages.clear()

    async def _beat(self):
        await self.connect()

    async def look(self, key):
        return self._pages.get(key)
"""


@pytest.mark.parametrize("tried", ["serve(self)", "await self.connect()", "self._meter = serve()", "self.saved()"])
def test_what_is_started_beside_the_work(scan: Scan, tried: str) -> None:
    assert all(f.confidence is Confidence.LOW for f in scan(START.replace("TRIED", tried), "OTP201"))


def test_state_that_is_not_brought_back(scan: Scan) -> None:
    text = START.replace("TRIED", "await self._bring_back()").replace("def bring_back", "def _bring_back")
    (found,) = scan(text, "OTP201")
    assert found.confidence is Confidence.MEDIUM
    again = text.replace("await self.connect()", "await self._bring_back()")
    assert all(f.confidence is Confidence.LOW for f in scan(again, "OTP201"))


THREAD = """
import logging, os, threading
log = logging.getLogger("x")

class Background(threading.Thread):
    def run(self):
        body = self.body
        while not self.stopped.is_set():
            try:
                body()
            except Exception:
                log.critical("x")
                END

class Scaler(Background):
    def body(self):
        self.shrink()

    def shrink(self):
        try:
            self.pool.shrink(1)
        except Exception:
            log.error("x")
"""


def test_a_thread_whose_loop_ends_the_process(scan: Scan) -> None:
    told = [[f.confidence for f in scan(THREAD.replace("END", end), "OTP201") if f.handler == "shrink"]
            for end in ("pass", "os._exit(1)")]  # fmt: skip
    assert told == [[Confidence.LOW], [Confidence.MEDIUM]]
