"""OTP401: sends of requests against sends that are right."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

HEAD = """
import queue, threading, uuid, asyncio
from dataclasses import dataclass
from otplint.runtime import *
@dataclass
class Job(Call[str]):
    n: int = 0
@dataclass
class Note:
    n: int = 0
@dataclass
class Tick:
    n: int = 0
class Worker(Server):
    async def handle_call(self, req, frm):
        if isinstance(req, Job): return 1
    async def handle_cast(self, msg):
        match msg:
            case Note(n=n): pass
    async def handle_info(self, msg):
        if isinstance(msg, Tick): pass
class Th(threading.Thread):
    def __init__(self):
        super().__init__()
        self.inbox = queue.Queue()
        self.out = queue.Queue()
    def run(self):
        while True:
            m = self.inbox.get()
            if m is None: break
    def submit(self, m):
        self.inbox.put(m)
"""

NEGATIVE = {
    "self": """
        class M(Server):
            async def handle_cast(self, msg):
                self.system.send(self.pid, ("tick",))
                me = self.pid
                self.system.send(me, ("tick",))
    """,
    "reply": """
        class M(Server):
            async def handle_info(self, msg):
                sender, body = msg
                self.system.send(sender, ("done", body))
                self.system.send(msg.reply_to, Note(1))
                match msg:
                    case Tick(n=who): self.system.send(who, ("x",))
                self._answer(msg.sender, 3)
            def _answer(self, to, v):
                self.system.send(to, ("ans", v))
    """,
    "fan": """
        class M(Server):
            async def handle_cast(self, msg):
                for s in list(self.subs): self.system.send(s, Note(2))
                for name, pid in self.t.items(): self.system.send(pid, ("x", msg))
                [self.system.send(p, msg) for p in self.subs]
    """,
    "info": """
        class M(Server):
            async def handle_cast(self, msg):
                self.system.send(self.worker, Tick(1))
                self.system.send_after(1, self.pid, Job(1))
                self.system.exit(self.worker, SHUTDOWN)
    """,
    "own": """
        class T(threading.Thread):
            def __init__(self, out):
                self.q = queue.Queue(); self.out = out; self.w = Th()
            def run(self):
                while True:
                    x = self.q.get()
                    self.out.put(x); self.q.put(x); x.reply.put(3); x.sender.inbox.put(4)
                    self.w.inbox.put(None); self.w.submit(x); self.w.out.put(x)
                    for t in self.pool: t.inbox.put(x)
    """,
    "noactor": """
        class Pool:
            def __init__(self): self.w = Th()
            def go(self, x): self.w.inbox.put(x)
    """,
    "pykkaself": """
        import pykka
        class A(pykka.ThreadingActor):
            def on_receive(self, m):
                self.actor_inbox.put(m); self.actor_ref.tell(m); self.actor_ref.actor_inbox.put(m)
                self.other.tell(m)
    """,
}

POSITIVE = {
    "job": """
        class M(Server):
            async def handle_call(self, req, frm):
                self.system.send(self.worker, Job(1))
                return "ok"
    """,
    "note": """
        class M(Server):
            async def handle_cast(self, msg):
                self.system.send(self.worker, Note(1))
    """,
    "tuple": """
        class M(Server):
            async def handle_cast(self, msg):
                self.system.send(self.worker, ("work", msg))
    """,
    "alias": """
        class M(Server):
            async def handle_cast(self, msg):
                send = self.system.send
                send(self.worker, Job(2))
    """,
    "wrap": """
        class M(Server):
            def _send(self, to, m):
                self.system.send(to, m)
            async def handle_cast(self, msg):
                self._send(self.worker, Job(2))
    """,
    "jobvar": """
        class M(Server):
            async def handle_cast(self, msg):
                j = Job(3)
                self.system.send("worker", j)
    """,
    "route": """
        class M(Server):
            async def handle_call(self, req, frm):
                self.system.send(req.target, Job(req.n))
                return "ok"
    """,
    "thread": """
        class T(threading.Thread):
            def __init__(self, peer: Th):
                self.peer = peer
                self.q = queue.Queue()
            def run(self):
                while True:
                    x = self.q.get()
                    self.peer.inbox.put(x)
    """,
    "threadduck": """
        class T(threading.Thread):
            def run(self):
                while True:
                    x = self.q.get()
                    p = self.pick(x)
                    p.inbox.put_nowait(x)
    """,
    "threadalias": """
        class T(threading.Thread):
            def __init__(self, peer: Th):
                self.peer = peer
            def run(self):
                box = self.peer.inbox
                while True:
                    box.put(1 + self.n())
    """,
    "pykka": """
        import pykka
        class A(pykka.ThreadingActor):
            def on_receive(self, m):
                self.other.actor_inbox.put(m)
    """,
}


def found(scan: Scan, text: str) -> list[Finding]:
    return scan(HEAD + textwrap.dedent(text), ("OTP401", "OTP402"))


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in NEGATIVE.items()])
def test_silent(scan: Scan, text: str) -> None:
    assert not found(scan, text)


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in POSITIVE.items()])
def test_reported_once_and_by_one_rule(scan: Scan, text: str) -> None:
    assert [finding.code for finding in found(scan, text)] == ["OTP401"]


@pytest.mark.parametrize(
    ("name", "confidence"),
    [
        ("job", Confidence.HIGH),
        ("tuple", Confidence.MEDIUM),
        ("thread", Confidence.HIGH),
        ("threadduck", Confidence.MEDIUM),
    ],
)
def test_confidence(scan: Scan, name: str, confidence: Confidence) -> None:
    assert [finding.confidence for finding in found(scan, POSITIVE[name])] == [confidence]
