"""OTP409: what blocks an actor while it should handle messages, and what does not."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

HEAD = """
import asyncio, concurrent.futures, os, queue, socket, subprocess, threading, time
import pykka, requests
from otplint.runtime import Server
"""

NEGATIVE = {
    "bounded on a thread of its own": """
        class A(pykka.ThreadingActor):
            def on_receive(self, m):
                subprocess.run(m, timeout=self.limit)
                return requests.get(m, timeout=self.limit)
    """,
    "a dedicated thread": """
        class A(threading.Thread):
            def run(self):
                while True:
                    time.sleep(self.pause)
                    subprocess.run(["x"])
    """,
    "a thread that an actor starts": """
        class A(pykka.ThreadingActor):
            def on_start(self):
                threading.Thread(target=self._watch, daemon=True).start()
                def beat():
                    time.sleep(self.pause)
                threading.Thread(target=beat, daemon=True).start()
            def _watch(self):
                while True:
                    time.sleep(self.pause)
    """,
    "handed on": """
        class A(Server):
            async def handle_call(self, req, frm):
                await asyncio.to_thread(requests.get, req)
                await asyncio.get_running_loop().run_in_executor(None, self._load, req)
                await asyncio.to_thread(lambda: requests.get(req))
            def _load(self, req):
                return requests.get(req)
    """,
    "awaited": """
        class A(Server):
            async def handle_call(self, req, frm):
                await asyncio.sleep(req.pause)
    """,
    "main and tests": """
        class A(pykka.ThreadingActor):
            def on_receive(self, m): return m
        def main():
            A.start()
            time.sleep(1)
            subprocess.run(["x"])
    """,
    "the constructor": """
        class A(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                time.sleep(1)
    """,
    "it does not wait": """
        class A(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self.pool = concurrent.futures.ThreadPoolExecutor()
            def on_receive(self, m):
                self.process = subprocess.Popen(m)
                os.waitpid(m, os.WNOHANG)
                time.sleep(0)
            def on_stop(self):
                self.pool.shutdown(wait=False)
    """,
    "a socket with a timeout": """
        class A(pykka.ThreadingActor):
            def on_start(self):
                self.sock = socket.socket()
                self.sock.settimeout(self.limit)
            def on_receive(self, m):
                return self.sock.recv(10)
    """,
    "a lock for a change of state": """
        class A(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self.lock = threading.Lock()
            def on_receive(self, m):
                with self.lock:
                    self.table[m] = 1
                return requests.get(m, timeout=self.limit)
    """,
    "an asyncio lock": """
        class A(Server):
            def __init__(self):
                self.lock = asyncio.Lock()
            async def handle_call(self, req, frm):
                async with self.lock:
                    await asyncio.sleep(req.pause)
    """,
    "a method of the user's own": """
        class A(pykka.ThreadingActor):
            def on_receive(self, m):
                self.player.sleep(5)
                return self.session.get(m), self.path.join(m)
    """,
}


@pytest.mark.parametrize("body", NEGATIVE.values(), ids=NEGATIVE)
def test_no_finding(scan: Scan, body: str) -> None:
    assert scan(HEAD + textwrap.dedent(body), select="OTP409") == []


POSITIVE = {
    "a sleep": (
        """
        class A(pykka.ThreadingActor):
            def on_receive(self, m):
                self._pause()
            def _pause(self):
                time.sleep(self.pause)  # here
        """,
        Confidence.HIGH,
    ),
    "a sleep under another name": (
        """
        from time import sleep as nap
        class Common(pykka.ThreadingActor): ...
        class A(Common):
            def on_receive(self, m):
                nap(1)  # here
        """,
        Confidence.HIGH,
    ),
    "a command": (
        """
        class A(pykka.ThreadingActor):
            def on_receive(self, m):
                process = subprocess.Popen(m)
                process.wait()  # here
        """,
        Confidence.HIGH,
    ),
    "a deadline is no help on an event loop": (
        """
        class A(Server):
            async def handle_call(self, req, frm):
                return requests.get(req, timeout=5)  # here
        """,
        Confidence.HIGH,
    ),
    "nor is it for an answer": (
        """
        class A(Server):
            async def handle_call(self, req, frm):
                return self._load(req)
            def _load(self, req):
                work = asyncio.run_coroutine_threadsafe(self.other(req), self.loop)
                return work.result(timeout=5)  # here
        """,
        Confidence.HIGH,
    ),
    "the end of a thread": (
        """
        class A(pykka.ThreadingActor):
            def on_start(self):
                self.helper = threading.Thread(target=print)
            def on_stop(self):
                self.helper.join()  # here
        """,
        Confidence.MEDIUM,
    ),
    "a pool that waits for its jobs": (
        """
        class A(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self.pool = concurrent.futures.ThreadPoolExecutor()
            def on_receive(self, m):
                self.pool.shutdown(wait=True)  # here
        """,
        Confidence.HIGH,
    ),
    "a socket": (
        """
        class A(pykka.ThreadingActor):
            def on_start(self):
                self.sock = socket.socket()
            def on_receive(self, m):
                return self.sock.recv(10)  # here
        """,
        Confidence.HIGH,
    ),
    "a lock held across a download": (
        """
        class A(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self.lock = threading.Lock()
            def on_receive(self, m):
                with self.lock:  # here
                    return requests.get(m, timeout=self.limit)
        """,
        Confidence.MEDIUM,
    ),
    "a thread's lock held across an await": (
        """
        class A(Server):
            def __init__(self):
                self.lock = threading.Lock()
            async def handle_call(self, req, frm):
                with self.lock:  # here
                    return await self.load(req)
        """,
        Confidence.MEDIUM,
    ),
    "a thread that serves a queue": (
        """
        class A(threading.Thread):
            def __init__(self):
                super().__init__()
                self.inbox = queue.Queue()
            def run(self):
                while True:
                    m = self.inbox.get()
                    time.sleep(m)  # here
        """,
        Confidence.LOW,
    ),
}


@pytest.mark.parametrize(("body", "confidence"), POSITIVE.values(), ids=POSITIVE)
def test_finding(scan: Scan, body: str, confidence: Confidence) -> None:
    text = HEAD + textwrap.dedent(body)
    expected = [i for i, line in enumerate(text.splitlines(), 1) if line.endswith("# here")]
    found = scan(text, select="OTP409")
    assert [f.span.line for f in found] == expected
    assert {f.confidence for f in found} == {confidence}


def test_helper_in_another_file(scan: Scan) -> None:
    found = scan(
        {
            "app/web.py": """
                import time
                class Client:
                    def fetch(self, url):
                        for pause in range(5):
                            time.sleep(pause)
                    def unused(self):
                        time.sleep(5)
            """,
            "app/player.py": """
                import pykka
                from app import web
                class Player(pykka.ThreadingActor):
                    def __init__(self):
                        super().__init__()
                        self._client, self.volume = web.Client(), 0
                    def on_receive(self, m):
                        return self._client.fetch(m)
            """,
        },
        select="OTP409",
    )
    assert [(f.span.path, f.span.line, f.confidence) for f in found] == [("app/web.py", 6, Confidence.MEDIUM)]
    assert [(r.span.path, r.span.line) for r in found[0].related] == [("app/player.py", 9)]


def test_one_async_function_puts_a_ray_actor_on_an_event_loop(scan: Scan) -> None:
    text = """
        import ray, requests
        @ray.remote
        class Plain:
            def load(self, url):
                return requests.get(url, timeout=5)
        @ray.remote
        class Mixed:
            async def ping(self):
                return 1
            def load(self, url):
                return requests.get(url, timeout=5)
    """
    assert [f.actor for f in scan(text, select="OTP409")] == ["Mixed"]


def test_short_sleeps_are_an_option(scan: Scan) -> None:
    text = HEAD + textwrap.dedent("""
        class A(pykka.ThreadingActor):
            def on_receive(self, m):
                time.sleep(0.01)
                time.sleep(0.02)
    """)
    assert [f.span.line for f in scan(text, select="OTP409")] == [9]


TRACKS = """
    import subprocess, time
    def load(name, install=False, *, again=True):
        prepare(name)
        return read(name, install)
    def read(name, install):
        if install:
            install_all(name)
        if not install:
            return name
    def install_all(name):
        subprocess.check_call(["pip", "install", name])
        time.sleep(3)
    def prepare(name, wait=False):
        if wait:
            time.sleep(5)
"""


@pytest.mark.parametrize(
    ("call", "line"),
    [
        ("tracks.load(m, True)", 6),
        ("tracks.load(m, install=True)", 6),
        ("tracks.load(m, m.install)", 6),  # who knows
        ("tracks.load(m, *m)", 6),
        ("tracks.load(m)", 0),
        ("tracks.load(m, False)", 0),
        ("tracks.load(m, install=False)", 0),
        ("tracks.prepare(m)", 0),
    ],
)
def test_far_away_the_actors_own_call_is_the_place(scan: Scan, call: str, line: int) -> None:
    actor = f"""
        import pykka
        from app import tracks
        class Loader(pykka.ThreadingActor):
            def on_receive(self, m):
                return {call}
    """
    found = scan({"app/tracks.py": TRACKS, "app/loader.py": actor}, select="OTP409")
    assert [(f.span.path, f.span.line) for f in found] == ([("app/loader.py", line)] if line else [])
    for finding in found:  # one, although two calls block there
        assert [(r.span.path, r.span.line) for r in finding.related][-1] == ("app/tracks.py", 12)


def test_the_same_helper_with_and_without_its_flag(scan: Scan) -> None:
    actor = """
        import pykka
        from app import tracks
        class Loader(pykka.ThreadingActor):
            def on_receive(self, m):
                tracks.load(m)
                tracks.load(m, install=True)
                tracks.prepare(m)
                tracks.prepare(m, wait=True)
    """
    found = scan({"app/tracks.py": TRACKS, "app/loader.py": actor}, select="OTP409")
    assert sorted((f.span.path, f.span.line) for f in found) == [("app/loader.py", 7), ("app/tracks.py", 16)]


LIBRARIES = """
import signal, http.client
import boto3, confluent_kafka, git, grpc, huggingface_hub, paramiko, pexpect, psutil, psycopg2, pykka, pymysql
from otplint.runtime import Server
class OnThread(pykka.ThreadingActor):
    def on_receive(self, m):
        {0}
class OnLoop(Server):
    async def handle_cast(self, m):
        {0}
"""


@pytest.mark.parametrize(
    ("call", "blocked"),
    [
        ("signal.pause()", {"OnThread", "OnLoop"}),
        ("huggingface_hub.snapshot_download(m)", {"OnThread", "OnLoop"}),
        ("git.Repo.clone_from(m, 'here')", {"OnThread", "OnLoop"}),
        ("psycopg2.connect(m)", {"OnThread", "OnLoop"}),
        ("psycopg2.connect(m, connect_timeout=3)", {"OnLoop"}),
        ("psutil.wait_procs(m.kids)", {"OnThread", "OnLoop"}),
        ("psutil.wait_procs(m.kids, 3)", {"OnLoop"}),
        ("pymysql.connect(host=m)", {"OnLoop"}),
        ("boto3.client('s3').download_file('a', 'b', 'c')", {"OnLoop"}),
        ("boto3.client('ec2').get_waiter('instance_running').wait()", {"OnLoop"}),
        ("http.client.HTTPConnection(m).request('GET', '/')", {"OnLoop"}),
        ("pexpect.spawn('ssh').expect('>')", {"OnLoop"}),
        ("boto3.client('s3').unknown('a')", set()),
    ],
)
def test_known_libraries(scan: Scan, call: str, blocked: set[str]) -> None:
    assert {f.actor for f in scan(LIBRARIES.format(call), select="OTP409")} == blocked


def test_a_plain_helper_of_a_coroutine_blocks_its_event_loop(scan: Scan) -> None:
    """What the coroutine calls runs on its loop; what it hands to a thread does not."""
    text = """
import asyncio, subprocess
class Spool:
    def __init__(self, inbox: asyncio.Queue):
        self.inbox = inbox
    async def run(self):
        while True:
            message = await self.inbox.get()
            self.pack(message)
            await asyncio.to_thread(self.apart, message)
    def pack(self, message):
        subprocess.run(["gzip", message], check=False)
    def apart(self, message):
        subprocess.run(["gzip", message], check=False)
"""
    found = scan(text, "OTP409")
    assert [f.span.line for f in found if f.confidence is not Confidence.LOW] == [12]


DECORATED = """
import asyncio, functools, threading, time
import pykka
def in_background(method):
    @functools.wraps(method)
    def start(*args):
        threading.Thread(target=method, args=args, daemon=True).start()
    return start
def threaded(fn):
    async def inner(*args):
        return await asyncio.to_thread(fn, *args)
    return inner
def timed(fn):
    def inner(*args):
        threading.Thread(target=print).start()
        return fn(*args)
    return inner
class Importer(pykka.ThreadingActor):
    def on_receive(self, message):
        self.warm()
    @DECORATOR
    def warm(self):
        time.sleep(9)
"""


@pytest.mark.parametrize(("decorator", "blocks"), [("in_background", False), ("threaded", False), ("timed", True)])
def test_a_decorator_that_runs_the_function_elsewhere(scan: Scan, decorator: str, blocks: bool) -> None:
    found = scan(DECORATED.replace("DECORATOR", decorator), "OTP409")
    assert bool(found) is blocks
