"""OTP503: what is known of what a spawned function does, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]
LOW, MEDIUM, HIGH = Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH

LOOP = """
import asyncio, logging, queue, random, threading, time
import ray, pykka, requests
from concurrent.futures import ThreadPoolExecutor
log = logging.getLogger(__name__)
BASE
    def __init__(self):
        self.table = {}
        self.freed = []
        self.lock = threading.Lock()
        self.beside = threading.Thread(target=self.sweep, daemon=True)
        self.beside.start()
    def sweep(self):
        while True:
            time.sleep(5)
            with self.lock:
                for key, process in list(self.table.items()):
                    WORK
    def free(self, key):
        self.freed.append(key)
    def forget(self, key):
        FORGET
"""
BASES = {
    "ray": "@ray.remote\nclass A:",
    "pykka": "class A(pykka.ThreadingActor):",
    "shape": "class A:",
}


def sweeping(base: str, work: str, forget: str = "pass") -> str:
    return LOOP.replace("BASE", BASES[base]).replace("WORK", work).replace("FORGET", forget)


@pytest.mark.parametrize(
    "work",
    [
        "if process.poll() is not None: log.info('gone: %s', key); del self.table[key]; self.free(key)",
        "self.table.setdefault(key, max(1, len(self.freed)))",
        "self.freed.append(random.choice([key, time.time()]))",
        "process.result.set_result(key)",
        "self.table.pop(key, None)",
    ],
)
def test_a_loop_that_only_keeps_books_has_nothing_to_fail(scan: Scan, work: str) -> None:
    """It ends with a process, stays beside an actor that is started again, and else is for a look on request."""
    assert not scan(sweeping("ray", work), "OTP503")
    (beside,) = scan(sweeping("pykka", work), "OTP503")
    assert (beside.confidence, "comes beside it" in beside.consequence) == (MEDIUM, True)
    (alone,) = scan(sweeping("shape", work), "OTP503")
    assert (alone.confidence, "comes beside it" in alone.consequence) == (LOW, False)


@pytest.mark.parametrize(
    ("work", "forget"),
    [
        ("process.poll(1000)", ""),
        ("requests.get(key)", ""),
        ("self.session.get(key)", ""),
        ("process.kill()", ""),
        ("assert key", ""),
        ("self.forget(key)", "raise KeyError(key)"),
        ("self.forget(key)", "self.client.send(key)"),
    ],
)
def test_a_loop_that_also_works_may_fail_unseen(scan: Scan, work: str, forget: str) -> None:
    for base in BASES:
        (finding,) = scan(sweeping(base, work, forget or "pass"), "OTP503")
        assert finding.confidence is MEDIUM
        assert finding.consequence.startswith("If it fails nobody learns of it")


@pytest.mark.parametrize("base", BASES)
def test_a_loop_that_only_sleeps_is_not_known_for_what_it_does(scan: Scan, base: str) -> None:
    text = sweeping(base, "pass").replace("in list(self.table.items())", "in ()")
    assert [f.confidence for f in scan(text, "OTP503")] == [MEDIUM]


def test_the_orphan_is_claimed_only_where_somebody_starts_the_actor_again(scan: Scan) -> None:
    said = {base: scan(sweeping(base, "process.kill()"), "OTP503")[0].consequence for base in BASES}
    assert said["pykka"].endswith("it outlives the actor as an orphan.")
    assert said["shape"].endswith("nothing ends it with the actor.")
    assert said["ray"] == "If it fails nobody learns of it or starts it again."


GUARDED = """
import asyncio, logging
BASE
    async def on_start(self):
        self.reporter = asyncio.create_task(self.report())
    async def report(self):
        while True:
            try:
                await self.send()
            except Exception:
                HANDLED
            await asyncio.sleep(self.pause)
    async def send(self):
        await self.peer.tell(1)
"""


@pytest.mark.parametrize(
    ("base", "handled", "confidence"),
    [
        ("class A:", "logging.exception('again')", LOW),
        ("class A:", "raise", MEDIUM),
        ("import xoscar as xo\nclass A(xo.Actor):", "logging.exception('again')", MEDIUM),
    ],
)
def test_a_guarded_loop_of_an_object(scan: Scan, base: str, handled: str, confidence: Confidence) -> None:
    (finding,) = scan(GUARDED.replace("BASE", base).replace("HANDLED", handled), "OTP503")
    assert finding.confidence is confidence


THREAD = """
import asyncio, pykka, queue
class A(pykka.ThreadingActor):
    def on_receive(self, message):
        async def work(items, results):
            while items:
                try:
                    results.put(await items.pop())
                finally:
                    results.put(None)
        def together(items):
            results = queue.Queue(maxsize=self.size)
            asyncio.run_coroutine_threadsafe(work(items, GIVEN), self.loop)
            while True:
                one = results.get()
                if one is None:
                    break
                yield one
        return together
"""


READ = """
import asyncio, pykka, queue
class A(pykka.ThreadingActor):
    def on_receive(self, message):
        async def work(items, results):
            while items:
                try:
                    results.put(await items.pop())
                finally:
                    results.put(None)
        def together(items):
            results = queue.Queue(maxsize=self.size)
            asyncio.run_coroutine_threadsafe(work(items, GIVEN), self.loop)
            while True:
                one = results.get()
                if one is None:
                    break
                yield one
        return together
"""


@pytest.mark.parametrize(("given", "confidence"), [("results", LOW), ("queue.Queue()", HIGH)])
def test_a_call_whose_queue_is_read_to_the_end(scan: Scan, given: str, confidence: Confidence) -> None:
    (finding,) = scan(READ.replace("GIVEN", given), "OTP503")
    assert finding.confidence is confidence
    assert [related.message for related in finding.related] == ["what it runs"]


ENDING = """
import asyncio
class A:
    async def main(self):
        while self.on:
            await asyncio.sleep(self.pause)
            await self.look()
    def FUNCTION(self):
        LINE
    def set_up(self):
        self.task = asyncio.ensure_future(self.main())
    def look_after(self):
        self.task.cancel()
    async def stop_all(self):
        await self.peers.close()
"""


@pytest.mark.parametrize(
    ("function", "line", "confidence"),
    [
        ("stop", "self.future = asyncio.run_coroutine_threadsafe(self.stop_all(), self.loop)", LOW),
        ("stop", "asyncio.run_coroutine_threadsafe(self.stop_all(), self.loop)", MEDIUM),
        ("begin", "self.future = asyncio.run_coroutine_threadsafe(self.stop_all(), self.loop)", MEDIUM),
        ("begin", "future = asyncio.run_coroutine_threadsafe(self.main(), self.loop); self.loop.run_forever()", LOW),
        ("begin", "asyncio.run_coroutine_threadsafe(self.main(), self.loop); self.loop.run_forever()", MEDIUM),
        ("begin", "future = asyncio.run_coroutine_threadsafe(self.main(), self.loop)", MEDIUM),
    ],
)
def test_the_first_and_the_last_thing_on_a_loop(scan: Scan, function: str, line: str, confidence: Confidence) -> None:
    (finding,) = scan(ENDING.replace("FUNCTION", function).replace("LINE", line), "OTP503")
    assert finding.confidence is confidence


NAMED = """
import ray
@ray.remote
class Files:
    def get(self, path): pass
@ray.remote
class A:
    def begin(self, key):
        LINE
"""


@pytest.mark.parametrize(
    ("line", "confidence"),
    [
        ("Files.options(name=key, get_if_exists=True).remote()", LOW),
        ("made = Files.options(name=key); made.remote()", LOW),
        ("Files.options(num_cpus=1).remote()", HIGH),
        ("Files.remote()", HIGH),
    ],
)
def test_an_actor_that_others_find_by_the_name_of_its_options(scan: Scan, line: str, confidence: Confidence) -> None:
    (finding,) = scan(NAMED.replace("LINE", line), "OTP503")
    assert finding.confidence is confidence


ISOLATED = """
import asyncio, logging
from app.isolation import Isolation
import xoscar as xo
class A(xo.Actor):
    async def __post_create__(self):
        self.apart = Isolation(asyncio.new_event_loop())
        asyncio.run_coroutine_threadsafe(self.beat(), loop=self.apart.loop)
    async def __pre_destroy__(self):
        ENDS
    async def beat(self):
        while True:
            await self.peer.tell(1)
"""


@pytest.mark.parametrize(
    ("ends", "ended"),
    [
        ("self.apart.stop()", True),
        ("apart = getattr(self, 'apart', None); await asyncio.to_thread(apart.stop)", True),
        ("self.other.stop()", False),
        ("self.apart = None", False),
    ],
)
def test_what_runs_on_a_loop_that_the_actor_stops_ends_with_it(scan: Scan, ends: str, ended: bool) -> None:
    (finding,) = scan(ISOLATED.replace("ENDS", ends), "OTP503")
    assert finding.confidence is HIGH
    assert ("nothing ends it with the actor" in finding.consequence) is not ended
