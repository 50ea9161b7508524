"""OTP402: second requests after a failed call, and what is none."""

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
    "key": """
        class M(Server):
            async def handle_call(self, req, frm):
                key = uuid.uuid4().hex
                try:
                    return await self.system.call(self.worker, ("go", key, req))
                except CallTimeout:
                    return await self.system.call(self.worker, ("go", key, req))
    """,
    "key that the request is given": """
        class M(Server):
            async def handle_call(self, req, frm):
                req["request_id"] = self.count
                try:
                    return await self.system.call(self.worker, req)
                except CallTimeout:
                    return await self.system.call(self.worker, req)
    """,
    "key that the request gets if it has none": """
        class M(Server):
            async def handle_call(self, req, frm):
                req.setdefault("idempotency_key", self.count)
                try:
                    return await self.system.call(self.worker, req)
                except CallTimeout:
                    return await self.system.call(self.worker, req)
    """,
    "report": """
        class M(Server):
            async def handle_call(self, req, frm):
                try:
                    return await self.system.call(self.worker, req)
                except CallTimeout as e:
                    self.system.cast(self.monitor, ("failed", req, e))
                    return ("error", e)
    """,
    "cancel": """
        class M(Server):
            @dataclass
            class Cancel: n: int
            async def handle_call(self, req, frm):
                try:
                    return await self.system.call(self.worker, req)
                except CallTimeout as e:
                    self.system.cast(self.worker, Cancel(req.n))
                    raise
    """,
    "loop": """
        class M(Server):
            async def handle_call(self, req, frm):
                for _ in range(3):
                    try:
                        return await self.system.call(self.worker, req)
                    except CallTimeout:
                        await asyncio.sleep(1)
    """,
    "seq": """
        class M(Server):
            async def handle_call(self, req, frm):
                try:
                    a = await self.system.call(self.worker, req)
                    b = await self.system.call(self.worker, req)
                except ValueError:
                    self.system.cast(self.worker, req)
                return a, b
    """,
    "noproc": """
        class M(Server):
            async def handle_call(self, req, frm):
                try:
                    return await self.system.call(self.a, req)
                except NoProc:
                    return await self.system.call(self.b, req)
    """,
    "fin": """
        class M(Server):
            async def handle_call(self, req, frm):
                try:
                    return await self.system.call(self.a, req)
                finally:
                    self.system.cast(self.a, req)
    """,
}

POSITIVE = {
    "fb": """
        class M(Server):
            async def handle_call(self, req, frm):
                try:
                    return await self.system.call(self.worker, req)
                except CallTimeout:
                    self.system.send(self.worker, req)
                    return "ok"
    """,
    "fbrepack": """
        class M(Server):
            async def handle_call(self, req, frm):
                try:
                    return await self.system.call(self.worker, ("go", req))
                except Exception:
                    self.system.send(self.worker, ("msg", self.pid, req))
                    return "ok"
    """,
    "fbcall": """
        class M(Server):
            async def handle_call(self, req, frm):
                try:
                    return await self.system.call(self.a, req)
                except (CallTimeout, NoProc):
                    return await self.system.call(self.b, req)
    """,
    "fbhelper": """
        class M(Server):
            async def handle_call(self, req, frm):
                try:
                    return await self._ask(self.a, req)
                except CallTimeout:
                    return self._fall(self.a, req)
            async def _ask(self, to, what):
                return await self.system.call(to, what)
            def _fall(self, to, what):
                self.system.send(to, what)
    """,
    "fbbreaker": """
        class M(Server):
            async def handle_call(self, req, frm):
                try:
                    return await self.breaker.call(lambda: self.system.call(self.a, req))
                except CallTimeout:
                    self.system.cast(self.a, req)
                    return "ok"
    """,
    "fbnested": """
        class M(Server):
            async def handle_call(self, req, frm):
                async def attempt():
                    return await self.system.call(self.a, req)
                try:
                    return await self.breaker.call(attempt)
                except CallTimeout:
                    self.system.cast(self.a, req)
                    return "ok"
    """,
    "fbwait": """
        class M(Server):
            async def handle_call(self, req, frm):
                worker = self.a
                try:
                    return await asyncio.wait_for(self.system.call(worker, req, timeout=None), 1)
                except asyncio.TimeoutError:
                    self.system.send(self.a, req)
    """,
    "fbpykka": """
        import pykka
        class A(pykka.ThreadingActor):
            def __init__(self, ref: pykka.ActorRef):
                self.ref = ref
            def on_receive(self, m):
                try:
                    return self.ref.ask(m, timeout=1)
                except pykka.Timeout:
                    self.ref.tell(m)
    """,
    "fbafter": """
        class M(Server):
            async def handle_call(self, req, frm):
                try:
                    return await self.system.call(self.worker, req)
                except CallTimeout:
                    pass
                self.system.send(self.worker, req)
                return "ok"
    """,
    "fbjob": """
        class M(Server):
            async def handle_call(self, req, frm):
                job = Job(req.n)
                try:
                    return await self.system.call(self.worker, job)
                except CallTimeout:
                    self.system.send(self.worker, job)
    """,
}


def found(scan: Scan, text: str) -> list[Finding]:
    return scan(HEAD + textwrap.dedent(text), ("OTP401", "OTP402"))


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in NEGATIVE.items()])
def test_silent(scan: Scan, text: str) -> None:
    assert not found(scan, text)


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in POSITIVE.items()])
def test_reported_once_and_by_one_rule(scan: Scan, text: str) -> None:
    assert [finding.code for finding in found(scan, text)] == ["OTP402"]


@pytest.mark.parametrize(("name", "confidence"), [("fb", Confidence.HIGH), ("fbrepack", Confidence.MEDIUM)])
def test_confidence(scan: Scan, name: str, confidence: Confidence) -> None:
    assert [finding.confidence for finding in found(scan, POSITIVE[name])] == [confidence]
