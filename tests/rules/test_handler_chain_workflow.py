"""OTP604: workflows as chains of handlers, and what is none."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

HEAD = """
import pykka, queue, threading
from otplint.runtime import *
class Pay:
    def __init__(self, key): self.key = key
class Ship(Pay): pass
class Begin(Pay): pass
"""

NEGATIVE: Mapping[str, str] = {
    "a tick": """
        class A(Server):
            def __init__(self): self.jobs = {}
            async def handle_info(self, msg):
                match msg:
                    case ("add", key): self.jobs[key] = 1; self.system.cast(self.pid, ("tick", key))
                    case ("tick", key):
                        self.jobs.pop(key, None)
                        self.system.send_after(1.0, self.pid, ("tick", key))
    """,
    "two take turns": """
        class A(Server):
            def __init__(self): self.jobs = {}
            async def handle_info(self, msg):
                match msg:
                    case ("ping", key): self.jobs[key] = 1; self.system.cast(self.pid, ("pong", key))
                    case ("pong", key): self.jobs[key] = 2; self.system.cast(self.pid, ("ping", key))
    """,
    "one workflow": """
        class A(Server):
            def __init__(self): self.step = "new"
            async def handle_info(self, msg):
                match msg:
                    case ("begin",): self.step = "begun"; self.system.cast(self.pid, ("pay",))
                    case ("pay",): self.step = "paid"; self.system.cast(self.pid, ("ship",))
                    case ("ship",): self.step = "shipped"
    """,
    "saved": """
        class A(PersistentServer):
            def __init__(self, store):
                super().__init__(store, "a")
                self.jobs = {}
            def snapshot(self): return self.jobs
            def restore(self, state, version): self.jobs = state
            async def handle_info(self, msg):
                match msg:
                    case ("begin", key): self.jobs[key] = 0; self.system.cast(self.pid, ("pay", key))
                    case ("pay", key): self.jobs[key] = 1; self.system.cast(self.pid, ("ship", key))
                    case ("ship", key): self.jobs[key] = 2
    """,
    "to others": """
        class A(Server):
            def __init__(self, next): self.jobs = {}; self.next = next
            async def handle_info(self, msg):
                match msg:
                    case ("begin", key): self.jobs[key] = 0; self.system.cast(self.next, ("pay", key))
                    case ("pay", key): self.jobs[key] = 1; self.system.cast(self.next, ("ship", key))
                    case ("ship", key): self.jobs[key] = 2
    """,
}

POSITIVE: Mapping[str, str] = {
    "casts": """
        class Chain(Server):
            def __init__(self): self.jobs = {}
            async def handle_call(self, req, frm):
                if isinstance(req, Begin):
                    self.jobs[req.key] = 0
                    self.system.cast(self.pid, Pay(req.key))
                elif isinstance(req, str):
                    return self.jobs.get(req)
            async def handle_cast(self, msg):
                if isinstance(msg, Pay): self.pay(msg.key)
                elif isinstance(msg, Ship): self.ship(msg.key)
            def pay(self, key):
                self.jobs[key] = 1
                self.later(Ship(key))
            def ship(self, key): self.jobs.pop(key)
            def later(self, what): self.system.send_after(1.0, self.pid, what)
    """,
    "casts by a wrapper": """
        class Chain(Server):
            def __init__(self): self.jobs = {}
            async def handle_info(self, msg):
                match msg:
                    case ("begin", key): self.jobs[key] = 0; self.again(("pay", key))
                    case ("pay", key): self.jobs[key] = 1; self.again(("ship", key))
                    case ("ship", key): self.jobs[key] = 2
            def again(self, what): self.system.cast(self.pid, what)
    """,
    "pykka": """
        class Chain(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self.jobs = {}
                self.me = self.actor_ref.proxy()
            def begin(self, key):
                self.jobs[key] = 0
                self.me.pay(key)
            def pay(self, key):
                self.jobs[key] = 1
                self.actor_ref.proxy().ship(key)
            def ship(self, key): self.jobs.pop(key)
    """,
    "pykka messages": """
        class Chain(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self.jobs = {}
            def on_receive(self, message):
                what, key = message["what"], message["key"]
                if what == "begin":
                    self.jobs[key] = 0
                    self.actor_ref.tell({"what": "pay", "key": key})
                elif what == "pay":
                    self.jobs[key] = 1
                    self.actor_ref.tell({"what": "ship", "key": key})
                elif what == "ship":
                    self.jobs.pop(key)
    """,
    "thread": """
        class Chain(threading.Thread):
            def __init__(self):
                super().__init__()
                self.inbox = queue.Queue()
                self.jobs = {}
            def run(self):
                while True:
                    what, key = self.inbox.get()
                    if what == "begin":
                        self.jobs[key] = 0
                        self.inbox.put(("pay", key))
                    elif what == "pay":
                        self.jobs[key] = 1
                        self.inbox.put(("ship", key))
                    elif what == "ship":
                        self.jobs.pop(key)
    """,
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in NEGATIVE.items()])
def test_silent(scan: Scan, text: str) -> None:
    assert scan(HEAD + textwrap.dedent(text), "OTP604") == []


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in POSITIVE.items()])
def test_reported(scan: Scan, text: str) -> None:
    whole = HEAD + textwrap.dedent(text)
    (found,) = scan(whole, "OTP604")
    assert found.confidence is Confidence.MEDIUM
    assert "class Chain" in whole.split("\n")[found.span.line - 1]
    assert len(found.related) == 2
    assert "jobs" in found.consequence
