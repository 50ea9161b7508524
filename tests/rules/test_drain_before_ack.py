"""OTP405: what is forgotten before it is delivered, and what is not."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

HEAD = """
import asyncio, logging, pykka, threading
from collections import deque
from otplint.runtime import Server, CallError, Down, From
logger = logging.getLogger()
"""

INTO = """
    def __init__(self):
        self.held = []
        self.dead = []
    async def handle_cast(self, msg): self.held.append(msg)
"""

NEGATIVE = {
    "acknowledged, then popped": """
        async def handle_info(self, msg):
            while self.held:
                await self.system.call(self.peer, self.held[0])
                self.held.pop(0)
    """,
    "cleared when all went well": """
        async def handle_info(self, msg):
            for m in self.held:
                await self.system.call(self.peer, m)
            self.held.clear()
    """,
    "the rest is kept": """
        async def handle_info(self, msg):
            done = 0
            for m in self.held:
                if not await self.deliver(m): break
                done += 1
            self.held = self.held[done:]
        async def deliver(self, m):
            try:
                await self.system.call(self.peer, m)
                return True
            except CallError:
                return False
    """,
    "put back after a failure": """
        async def handle_info(self, msg):
            batch, self.held = self.held, []
            try:
                await self.system.call(self.peer, batch)
            except CallError:
                self.held = batch + self.held
    """,
    "put back in the end": """
        async def handle_info(self, msg):
            batch, self.held = self.held, []
            try:
                while batch:
                    await self.system.call(self.peer, batch[0])
                    batch.pop(0)
            finally:
                self.held[:0] = batch
    """,
    "failed ones are collected": """
        async def handle_info(self, msg):
            failed = []
            batch = list(self.held)
            self.held.clear()
            for m in batch:
                try: await self.system.call(self.peer, m)
                except CallError: failed.append(m)
            self.held.extend(failed)
    """,
    "a box for the dead": """
        async def handle_info(self, msg):
            batch, self.held = self.held, []
            for m in batch:
                try: await self.system.call(self.peer, m)
                except CallError: self.bury(m)
        def bury(self, m): self.dead.append(m)
    """,
    "casts": """
        async def handle_info(self, msg):
            for m in self.held: self.system.cast(self.peer, m)
            self.held = []
    """,
    "waiting callbacks": """
        async def handle_info(self, msg):
            waiting, self.held = self.held, []
            for w in waiting: w.set_result(None)
    """,
    "while it stops": """
        async def terminate(self, reason):
            batch, self.held = self.held, []
            for m in batch: await self.system.call(self.peer, m)
    """,
    "popped, put back": """
        async def handle_info(self, msg):
            while self.held:
                m = self.held.pop(0)
                try: await self.system.call(self.peer, m)
                except CallError:
                    self.held.insert(0, m)
                    break
    """,
    "popped, and the failure ends the actor": """
        async def handle_info(self, msg):
            while self.held:
                m = self.held.pop(0)
                await self.system.call(self.peer, m)
    """,
    "a log of what was delivered": """
        async def handle_info(self, msg):
            if len(self.held) > 3: logger.info("many")
    """,
}

POSITIVE = {
    "swap": """
        async def handle_info(self, msg):
            batch, self.held = self.held, []
            for m in batch:
                await self.system.call(self.peer, m)
    """,
    "copy and clear": """
        async def handle_info(self, msg):
            batch = list(self.held)
            self.held.clear()
            for m in batch:
                try: await self.system.call(self.peer, m)
                except CallError as error: logger.warning("%r %r", m, error)
    """,
    "swap in two steps": """
        async def handle_info(self, msg):
            batch = self.held
            self.held = []
            await self.flush(batch)
        async def flush(self, batch):
            for m in batch: await self.system.call(self.peer, m)
    """,
    "cleared after a loop that logs": """
        async def handle_info(self, msg):
            for m in self.held:
                try: await self.system.call(self.peer, m)
                except CallError: logger.exception("lost")
            self.held.clear()
    """,
    "cleared in the end": """
        async def handle_info(self, msg):
            try:
                for m in self.held: await self.system.call(self.peer, m)
            finally:
                self.held = []
    """,
    "the answer is ignored": """
        async def handle_info(self, msg):
            for m in self.held: await self.deliver(m)
            self.held = []
        async def deliver(self, m):
            try:
                await self.system.call(self.peer, m)
            except CallError:
                return False
            return True
    """,
    "gathered": """
        async def handle_info(self, msg):
            batch, self.held = self.held, []
            await asyncio.gather(*(self.system.call(self.peer, m) for m in batch))
    """,
    "popped, failure logged": """
        async def handle_info(self, msg):
            while self.held:
                m = self.held.pop(0)
                try: await self.system.call(self.peer, m)
                except CallError: logger.warning("lost")
    """,
}


def actor(text: str) -> str:
    return HEAD + "class M(Server):" + INTO + textwrap.indent(textwrap.dedent(text), "    ")


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in NEGATIVE.items()])
def test_silent(scan: Scan, text: str) -> None:
    assert not scan(actor(text), "OTP405")


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in POSITIVE.items()])
def test_reported_once(scan: Scan, text: str) -> None:
    found = scan(actor(text), "OTP405")
    assert [(f.code, f.confidence) for f in found] == [("OTP405", Confidence.HIGH)]


FILLED = """
class M(Server):
    def __init__(self):
        self.kept = {}
    async def handle_call(self, req, frm):
        if req.to in self.open:
            self.keep(req.to, req.body)
            return "buffered"
        return await self.system.call(req.to, req.body)
    def keep(self, to, body):
        held = self.kept.get(to, [])
        self.kept[to] = [body, *held[:99]]
    async def handle_info(self, msg):
        logger.info("%d", len(self.kept))
"""


def test_filled_and_never_drained(scan: Scan) -> None:
    found = scan(HEAD + FILLED, "OTP405")
    assert [f.handler for f in found] == ["keep"]


def test_filled_and_drained_by_somebody_else(scan: Scan) -> None:
    other = "class Other(Server):\n    async def handle_cast(self, msg):\n        return msg.kept.popitem()\n"
    assert not scan({"app.py": HEAD + FILLED, "other.py": "from otplint.runtime import Server\n" + other}, "OTP405")


def test_pykka_and_a_client(scan: Scan) -> None:
    text = """
    class A(pykka.ThreadingActor):
        def __init__(self, client):
            super().__init__()
            self._client = client
            self._rows = []
        def add(self, row): self._rows.append(row)
        def flush(self):
            rows, self._rows = self._rows, []
            self._client.post("/rows", rows)
    """
    found = scan(HEAD + textwrap.dedent(text), "OTP405")
    assert [(f.handler, f.confidence) for f in found] == [("flush", Confidence.MEDIUM)]
