"""OTP410: mutable objects that two actors hold at once."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from otplint.findings import Finding

Scan = Callable[..., list[Finding]]

HEAD = """
import copy, queue, threading
from collections import defaultdict, deque
import pykka
from otplint.runtime import Server
"""

NEGATIVE = {
    "copied": """
        class A(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self.all = []
            def put(self, m): self.all.append(m)
            def get(self): return list(self.all), self.all[:], copy.copy(self.all), self.all[0], len(self.all)
    """,
    "never changed": """
        class A(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self.all = ["a"]
            def get(self): return self.all
    """,
    "replaced": """
        class A(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self.all = []
            def put(self, m): self.all = [*self.all, m]
            def get(self): return self.all
    """,
    "filled while it starts": """
        class A(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self.all = []
            def on_start(self): self.all.append(1)
            def get(self): return self.all
    """,
    "handed over": """
        class A(Server):
            async def init(self): self.all = []
            async def handle_cast(self, msg): self.all.append(msg)
            async def handle_call(self, req, frm):
                batch, self.all = self.all, []
                return batch
    """,
    "its own helper": """
        class A(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self.all = []
            def put(self, m): self._mine().append(m); self.all.append(m)
            def _mine(self): return self.all
    """,
    "pickled on the way": """
        import ray
        @ray.remote
        class A:
            def __init__(self): self.all = []
            def put(self, m): self.all.append(m)
            def get(self): return self.all
    """,
    "changed before": """
        class A(Server):
            async def handle_cast(self, msg):
                batch = []
                batch.append(msg)
                self.system.cast(self.next, batch)
    """,
    "a new one by then": """
        class A(Server):
            async def handle_cast(self, msg):
                batch = [msg]
                self.system.cast(self.next, batch)
                batch = []
                batch.append(1)
    """,
    "the answer has come": """
        class A(Server):
            async def handle_cast(self, msg):
                batch = [msg]
                await self.system.call(self.next, batch)
                batch.append(1)
    """,
}


@pytest.mark.parametrize("body", NEGATIVE.values(), ids=NEGATIVE)
def test_no_finding(scan: Scan, body: str) -> None:
    assert scan(HEAD + textwrap.dedent(body), select="OTP410") == []


POSITIVE = {
    "returned among others": """
        class A(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self.all, self.n = defaultdict(list), 0
            def put(self, m): self.all[m] = 1
            def get(self):
                return {"n": self.n, "all": self.all}  # here
    """,
    "changed by a helper of another handler": """
        class A(Server):
            async def init(self): self.all = deque()
            async def handle_cast(self, msg): self._keep(msg)
            def _keep(self, msg): self.all.append(msg)
            async def handle_call(self, req, frm):
                return self.all if req else None  # here
    """,
    "inherited state": """
        class Base(Server):
            def __init__(self): self.all = set()
            async def handle_cast(self, msg): self.all.add(msg)
        class A(Base):
            async def handle_call(self, req, frm):
                return self.all  # here
    """,
    "sent by reference to another": """
        class A(pykka.ThreadingActor):
            def __init__(self, other: pykka.ActorRef):
                super().__init__()
                self.all, self.other = [], other
            def put(self, m):
                self.all.append(m)
                self.other.tell(("all", self.all))  # here
    """,
    "changed in the next round": """
        class A(Server):
            async def handle_cast(self, msg):
                found = {}
                for line in msg:
                    found[line] = 1
                    self.system.cast(self.next, found)  # here
    """,
    "added to": """
        class A(Server):
            async def handle_cast(self, msg):
                found = [1]
                self.system.cast(self.next, found)  # here
                found += [2]
    """,
}


@pytest.mark.parametrize("body", POSITIVE.values(), ids=POSITIVE)
def test_finding(scan: Scan, body: str) -> None:
    text = HEAD + textwrap.dedent(body)
    expected = [i for i, line in enumerate(text.splitlines(), 1) if line.endswith("# here")]
    found = scan(text, select="OTP410")
    assert [f.span.line for f in found] == expected
    assert all(f.related for f in found)
