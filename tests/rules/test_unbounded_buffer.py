"""OTP406: bounds in all their forms, and none."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from otplint.findings import Finding

Scan = Callable[..., list[Finding]]

HEAD = """
import asyncio, queue, threading, pykka
from collections import deque
from otplint.runtime import Server
"""

NEGATIVE = {
    "maxsize": """
        class T(threading.Thread):
            def __init__(self, n): self.q = queue.Queue(n)
            def put(self, x): self.q.put(x)
            def run(self):
                while True: self.q.get()
    """,
    "maxlen": """
        class M(Server):
            def __init__(self): self.q = deque(maxlen=100)
            async def handle_cast(self, msg): self.q.append(msg)
    """,
    "asked for its length": """
        class M(Server):
            def __init__(self): self.held = deque()
            async def handle_cast(self, msg):
                if self.room(): self.held.append(msg)
            def room(self): return len(self.held) < self.limit
    """,
    "cut when it grows": """
        class M(Server):
            def __init__(self): self.held, self.seen = [], deque()
            async def handle_cast(self, msg):
                self.held = [msg, *self.held[:99]]
                self.seen.append(msg)
                while len(self.seen) > 10: self.seen.popleft()
            async def handle_info(self, msg): self.held.clear()
    """,
    "a record": """
        class M(Server):
            def __init__(self): self.names = []
            async def handle_cast(self, msg): self.names.append(msg.name)
    """,
    "moved from one to the other": """
        class M(Server):
            def __init__(self, n): self.waiting, self.running = deque(maxlen=n), deque()
            async def handle_cast(self, msg): self.waiting.append(msg)
            async def handle_info(self, msg): self.running.append(self.waiting.popleft())
    """,
    "a hand-off that is used once": """
        class M(Server):
            async def handle_call(self, req, frm):
                q = queue.Queue()
                threading.Thread(target=print, args=(q,)).start()
                return q.get()
    """,
    "free slots that come back": """
        class M(Server):
            def __init__(self, n):
                self.free = queue.Queue()
                for i in range(n): self.free.put(i)
            async def handle_call(self, req, frm): return self.free.get_nowait()
            async def handle_cast(self, msg): self.free.put(msg.slot)
    """,
    "free slots at once": """
        class M(Server):
            def __init__(self, n): self.free = deque(range(n))
            async def handle_call(self, req, frm): return self.free.popleft()
            async def handle_cast(self, msg): self.free.append(msg.slot)
    """,
}

POSITIVE = {
    "a mailbox that begins with old work": (7, """
        class M(Server):
            def __init__(self, saved):
                self.jobs = deque()
                for job in saved: self.jobs.append(job)
            async def handle_cast(self, msg): self.jobs.append(msg)
            async def handle_info(self, msg):
                while self.jobs: self.jobs.popleft()
    """),
    "the mailbox of a thread": (6, """
        class T(threading.Thread):
            def __init__(self): self.q = queue.Queue()
            def put(self, x): self.q.put(x)
            def run(self):
                while True: self.q.get()
    """),
    "a deque": (6, """
        class M(Server):
            def __init__(self): self.held = deque()
            async def handle_cast(self, msg): self.held.append(msg)
            async def handle_info(self, msg):
                while self.held: self.held.popleft()
    """),
    "a list grows here": (7, """
        class M(Server):
            def __init__(self): self.held = []
            async def handle_cast(self, msg): self.held.append(msg)
            async def handle_info(self, msg):
                for m in self.held: self.system.cast(self.peer, m)
                self.held.clear()
    """),
    "bytes": (9, """
        class A(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self.data = b""
            def on_receive(self, message): self.data += message["received"]
            def take(self):
                line, self.data = self.data.split(b"-", 1)
                return line
    """),
    "a queue for each request": (8, """
        class M(Server):
            def __init__(self): self.todo = asyncio.Queue(10)
            async def handle_call(self, req, frm):
                out = asyncio.Queue()
                self.todo.put_nowait((req, out))
                async def results():
                    while True: yield await out.get()
                return results()
    """),
}  # fmt: skip


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in NEGATIVE.items()])
def test_silent(scan: Scan, text: str) -> None:
    assert not scan(HEAD + textwrap.dedent(text), "OTP406")


@pytest.mark.parametrize(("line", "text"), [pytest.param(*pair, id=name) for name, pair in POSITIVE.items()])
def test_reported_where_the_bound_is_missing(scan: Scan, line: int, text: str) -> None:
    found = scan(HEAD + textwrap.dedent(text), "OTP406")
    assert [f.span.line for f in found] == [line + 1]
