"""OTP403: sends to those who were alive just now, and what is none."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

HEAD = """
import asyncio, queue, threading, multiprocessing
import pykka
from otplint.runtime import *
def living(system, pid):
    return pid is not None and system.alive(pid)
class Worker(threading.Thread):
    def __init__(self):
        super().__init__()
        self.inbox = queue.Queue()
    def run(self):
        while True:
            if self.inbox.get() is None: break
    def submit(self, m):
        self.inbox.put(m)
    def size(self):
        return self.inbox.qsize()
"""

NEGATIVE: Mapping[str, str] = {
    "call": """
        class A(Server):
            async def handle_cast(self, msg):
                if self.system.alive(self.peer):
                    await self.system.call(self.peer, msg)
    """,
    "asked with ask": """
        class A(pykka.ThreadingActor):
            def go(self, ref: pykka.ActorRef):
                if ref.is_alive():
                    return ref.ask("x")
    """,
    "told to end": """
        class A(Server):
            def renew(self, worker: Worker):
                if worker.is_alive():
                    worker.inbox.put(None)
                    worker.join()
    """,
    "only shown": """
        class A(Server):
            async def handle_call(self, req, frm):
                up = self.system.alive(self.peer)
                self.system.cast(self.peer, req)
                return up
    """,
    "another one": """
        class A(Server):
            async def handle_call(self, req, frm):
                if self.system.alive(self.first):
                    self.system.cast(self.second, req)
    """,
    "the dead one is replaced": """
        class A(Server):
            async def handle_call(self, req, frm):
                if not self.system.alive(self.peer):
                    self.peer = self.system.spawn(Peer)
                self.system.cast(self.peer, req)
    """,
    "told about the dead": """
        class A(Server):
            async def handle_call(self, req, frm):
                if not self.system.alive(self.peer):
                    self.system.cast(self.boss, req)
                    self.system.cast(self.peer, req)
    """,
    "failure is caught": """
        class A(pykka.ThreadingActor):
            def go(self, ref: pykka.ActorRef):
                try:
                    if ref.is_alive(): ref.tell("x")
                except pykka.ActorDeadError:
                    self.lost += 1
    """,
    "watched": """
        class A(Server):
            async def handle_cast(self, msg):
                if self.system.alive(msg.pid):
                    self.watches[msg.pid] = self.system.monitor(msg.pid)
                    self.system.cast(msg.pid, "hello")
            async def terminate(self, reason):
                for ref in self.watches.values(): self.system.demonitor(ref)
    """,
    "stopped or joined": """
        class A(pykka.ThreadingActor):
            def go(self, ref: pykka.ActorRef, thread: threading.Thread, process: multiprocessing.Process):
                if ref.is_alive(): ref.stop()
                if thread.is_alive(): thread.join(5)
                if process.is_alive(): process.terminate()
    """,
    "on the way out": """
        class A(Server):
            async def terminate(self, reason):
                if self.system.alive(self.peer): self.system.cast(self.peer, "bye")
    """,
    "a table by number": """
        class A(Server):
            async def handle_cast(self, msg):
                if msg.number in self.peers:
                    self.system.cast(self.peers[msg.number], msg)
    """,
    "a list of people": """
        class A(Server):
            async def handle_cast(self, msg):
                for peer in [p for p in self.peers if p != msg.sender]:
                    self.system.cast(peer, msg)
    """,
    "another loop": """
        class A(Server):
            async def handle_cast(self, msg):
                for peer in [p for p in self.peers if self.system.alive(p)]:
                    self.count += 1
                for peer in self.peers:
                    self.system.cast(peer, msg)
    """,
    "a thread of its own": """
        class A(pykka.ThreadingActor):
            def go(self, thread: threading.Thread):
                if thread.is_alive(): return thread
                if thread.is_alive(): self.log.append(thread)
    """,
    "a question to a worker": """
        class A(pykka.ThreadingActor):
            def go(self, worker: Worker):
                if worker.is_alive(): return worker.size()
    """,
    "somebody else's answer": """
        class A(Server):
            async def handle_cast(self, msg):
                alive = msg.alive
                if alive: self.system.cast(msg.pid, "x")
    """,
    "no actor": """
        class A:
            def go(self, ref: pykka.ActorRef):
                if ref.is_alive(): ref.tell("x")
    """,
}

POSITIVE: Mapping[str, tuple[str, str]] = {
    "if": (
        """
        class A(Server):
            async def handle_call(self, req, frm):
                if self.system.alive(self.peer):
                    self.system.cast(self.peer, req)
        """,
        "if self.system.alive(self.peer):",
    ),
    "by an own helper that looks the name up": (
        """
        class A(Server):
            def up(self, to):
                pid = self.system.whereis(to) if isinstance(to, str) else to
                return pid is not None and self.system.alive(pid)
            async def handle_call(self, req, frm):
                if self.up(self.peer):
                    self.system.cast(self.peer, req)
        """,
        "if self.up(self.peer):",
    ),
    "raw send": (
        """
        class A(Server):
            async def handle_call(self, req, frm):
                if req and self.system.alive(req.pid): self.system.send(req.pid, req)
        """,
        "if req and",
    ),
    "early return": (
        """
        class A(pykka.ThreadingActor):
            def go(self, ref: pykka.ActorRef):
                if not ref.is_alive():
                    return None
                ref.tell("x")
        """,
        "if not ref.is_alive():",
    ),
    "local": (
        """
        class A(Server):
            async def handle_call(self, req, frm):
                there = self.system.alive(self.peer)
                if there is True:
                    self.system.cast(self.peer, req)
        """,
        "if there is True:",
    ),
    "else": (
        """
        class A(Server):
            async def handle_call(self, req, frm):
                if not self.system.alive(self.peer): return "gone"
                else:
                    self.system.cast(self.peer, req)
        """,
        "if not self.system.alive",
    ),
    "own helper": (
        """
        class A(Server):
            def usable(self, pid): return bool(pid) and self.system.alive(pid)
            async def handle_call(self, req, frm):
                if self.usable(req.pid): self.system.cast(req.pid, req)
        """,
        "if self.usable(req.pid)",
    ),
    "own helper about a field": (
        """
        class A(Server):
            def connected(self): return self.system.alive(self.peer)
            async def handle_call(self, req, frm):
                if not self.connected(): return "gone"
                self.system.cast(self.peer, req)
        """,
        "if not self.connected()",
    ),
    "function of a module": (
        """
        class A(Server):
            async def handle_call(self, req, frm):
                if living(self.system, self.peer): self.system.cast(self.peer, req)
        """,
        "if living(",
    ),
    "sent by a helper": (
        """
        class A(Server):
            def tell(self, pid, what): self.system.cast(pid, what)
            async def handle_call(self, req, frm):
                if self.system.alive(self.peer): self.tell(self.peer, req)
        """,
        "if self.system.alive(self.peer)",
    ),
    "conditional expression": (
        """
        class A(Server):
            async def handle_call(self, req, frm):
                return self.system.cast(self.peer, req) if self.system.alive(self.peer) else None
        """,
        "return self.system.cast",
    ),
    "and": (
        """
        class A(Server):
            async def handle_call(self, req, frm):
                self.system.alive(self.peer) and self.system.cast(self.peer, req)
        """,
        "self.system.alive(self.peer) and",
    ),
    "filter": (
        """
        class A(Server):
            async def handle_call(self, req, frm):
                for pid in [p for p in self.peers if self.system.alive(p)]:
                    self.system.cast(pid, req)
        """,
        "for pid in [",
    ),
    "comprehension": (
        """
        class A(pykka.ThreadingActor):
            def go(self, refs):
                [ref.tell("x") for ref in refs if ref.is_alive()]
        """,
        "[ref.tell",
    ),
    "list of the living": (
        """
        class A(Server):
            async def handle_call(self, req, frm):
                alive = {p for p in self.peers if self.system.alive(p)}
                if req.pid in alive:
                    self.system.cast(req.pid, req)
        """,
        "if req.pid in alive",
    ),
    "those who are watched": (
        """
        class A(Server):
            def __init__(self): self.up = {}
            async def handle_cast(self, msg):
                self.up[msg.pid] = self.system.monitor(msg.pid)
            async def handle_call(self, req, frm):
                if req.pid in self.up:
                    self.system.cast(req.pid, req)
            async def handle_info(self, msg):
                if isinstance(msg, Down): self.up.pop(msg.pid, None)
        """,
        "if req.pid in self.up",
    ),
    "mailbox of a thread": (
        """
        class A(pykka.ThreadingActor):
            def go(self, worker: Worker):
                if worker.is_alive(): worker.inbox.put(1)
        """,
        "if worker.is_alive()",
    ),
    "door of a thread": (
        """
        class A(pykka.ThreadingActor):
            def go(self, worker: Worker):
                if worker.is_alive(): worker.submit(1)
        """,
        "if worker.is_alive()",
    ),
    "its own mailbox": (
        """
        class A(threading.Thread):
            def __init__(self):
                super().__init__()
                self.inbox = queue.Queue()
            def run(self):
                while True:
                    if self.inbox.get() is None: break
            def submit(self, m):
                if self.is_alive(): self.inbox.put(m)
        """,
        "if self.is_alive()",
    ),
    "proxy handed out": (
        """
        class Keeper:
            def __init__(self, kind):
                self.kind = kind
                self.held: "pykka.ActorProxy | None" = None
            def start(self):
                self.held = self.kind.start().proxy()
                self.thread = threading.Thread(target=self.watch)
            def watch(self):
                while True:
                    self.look()
            def get(self):
                if self.held.actor_ref.is_alive():
                    return self.held
                return None
        """,
        "if self.held.actor_ref",
    ),
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in NEGATIVE.items()])
def test_silent(scan: Scan, text: str) -> None:
    assert scan(HEAD + textwrap.dedent(text), "OTP403") == []


@pytest.mark.parametrize(("text", "where"), [pytest.param(*case, id=name) for name, case in POSITIVE.items()])
def test_reported(scan: Scan, text: str, where: str) -> None:
    whole = HEAD + textwrap.dedent(text)
    (found,) = scan(whole, "OTP403")
    assert found.confidence.rank >= Confidence.MEDIUM.rank
    assert where in whole.split("\n")[found.span.line - 1]


def test_one_finding_for_a_check_with_several_sends(scan: Scan) -> None:
    text = """
    class A(Server):
        async def handle_cast(self, msg):
            if self.system.alive(self.peer):
                self.system.cast(self.peer, 1)
                self.system.cast(self.peer, 2)
    """
    (found,) = scan(HEAD + textwrap.dedent(text), "OTP403")
    assert found.confidence is Confidence.HIGH
    assert len(found.related) == 2


def test_silent_in_tests(scan: Scan) -> None:
    text = POSITIVE["if"][0]
    assert scan({"tests/test_a.py": HEAD + textwrap.dedent(text)}, "OTP403") == []
