"""OTP408: calls that wait for somebody who waits for the caller."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

HEAD = """
import asyncio, threading
from functools import partial
import pykka
from otplint.runtime import ChildSpec, NO_REPLY, Pid, Server, Supervisor
"""

BANK = """
class Bank(Server):
    def __init__(self, till=None):
        self.till = till
    async def handle_call(self, req, frm):
        return await self.system.call(self.till, "audit")  # here
"""
TILL = """
class Till(Server):
    def __init__(self, bank):
        self.bank = bank
    async def handle_call(self, req, frm):
        return await self.ask(req)
    async def ask(self, req):
        return await self.system.call(self.bank, req)  # here
"""
BOTH = BANK + TILL

NEGATIVE = {
    "one direction": BOTH.replace("  # here", "")
    + """
def main(system):
    ledger = system.spawn(Server)
    bank = system.spawn(lambda: Bank(ledger))
    till = system.spawn(lambda: Till(bank))
    """,
    "a cast back": BANK.replace("await self.system.call", "self.system.cast").replace("  # here", "")
    + TILL.replace("  # here", "")
    + """
def main(system):
    till = system.spawn(lambda: Till("bank"), name="till")
    bank = system.spawn(lambda: Bank(till), name="bank")
    """,
    "a task of its own asks back": BOTH.replace("  # here", "").replace(
        'return await self.system.call(self.till, "audit")',
        'self.job = asyncio.create_task(self.system.call(self.till, "audit"))',
    )
    + """
def main(system):
    till = system.spawn(lambda: Till("bank"), name="till")
    bank = system.spawn(lambda: Bank(till), name="bank")
    """,
    "a chain": """
class A(pykka.ThreadingActor):
    def __init__(self):
        super().__init__()
        self.other = B.start().proxy()
    def on_receive(self, m):
        return self.other.work(m).get(timeout=self.limit)
class B(pykka.ThreadingActor):
    def work(self, m):
        return self.helper(m)
    def helper(self, m): return m
    """,
    "others of the same class are strangers": """
class Node(Server):
    def __init__(self, next_one):
        self.next_one = next_one
    async def handle_call(self, req, frm):
        return await self.system.call(self.next_one, req)
def main(system, first):
    system.spawn(lambda: Node(first))
    """,
    "another thread asks": """
class A(pykka.ThreadingActor):
    def on_start(self):
        threading.Thread(target=self._poll, daemon=True).start()
    def _poll(self):
        self.actor_ref.proxy().state().get(timeout=self.limit)
    def state(self): return 1
    """,
    "a message to oneself": """
class A(pykka.ThreadingActor):
    def on_receive(self, m):
        self.actor_ref.tell(m)
        self.actor_ref.proxy().state()
    """,
}


@pytest.mark.parametrize("body", NEGATIVE.values(), ids=NEGATIVE)
def test_no_finding(scan: Scan, body: str) -> None:
    assert scan(HEAD + body, select="OTP408") == []


POSITIVE = {
    "handed in after a spawn": BOTH
    + """
def main(system):
    bank = system.spawn(lambda: Bank("till"), name="bank")
    till = system.spawn(partial(Till, bank), name="till")
    """,
    "names of child specifications": BOTH
    + """
def main():
    bank = ChildSpec("a", lambda: Bank("counter"), name="safe")
    return Supervisor([bank, ChildSpec("b", start=partial(Till, "safe"), name="counter")])
    """,
    "a name that is a constant": BOTH.replace("self.system.call(self.till,", "self.system.call(COUNTER,")
    + """
COUNTER = "counter"
def main():
    return Supervisor([ChildSpec("a", Bank, name="safe"), ChildSpec("b", lambda: Till("safe"), name="counter")])
    """,
    "an annotation": """
class Bank(pykka.ThreadingActor):
    def __init__(self, till: "pykka.ActorProxy[Till]"):
        super().__init__()
        self.till = till
    def charge(self):
        return self.till.audit().get(timeout=self.limit)  # here
class Till(pykka.ThreadingActor):
    bank: pykka.ActorProxy["Bank"]
    def audit(self): return 1
    def pay(self):
        answer = self.bank.charge()
        return answer.get(timeout=self.limit)  # here
    """,
    "its own address under another name": """
class A(Server):
    async def init(self):
        self.me = self.pid
    async def handle_call(self, req, frm):
        return await self.ask(req)
    async def ask(self, req):
        return await self.system.call(self.me, req)  # here
    """,
    "three of them": """
class A(pykka.ThreadingActor):
    def on_start(self):
        self.b = B.start(self.actor_ref).proxy()
    def work(self):
        return self.b.work().get(timeout=self.limit)  # here
class B(pykka.ThreadingActor):
    def __init__(self, a):
        super().__init__()
        self.c = C.start(a).proxy()
    def work(self):
        return self.c.work().get(timeout=self.limit)  # here
class C(pykka.ThreadingActor):
    def __init__(self, a):
        super().__init__()
        self.a = a.proxy()
    def work(self):
        return self.a.work().get(timeout=self.limit)  # here
    """,
}


@pytest.mark.parametrize("body", POSITIVE.values(), ids=POSITIVE)
def test_finding(scan: Scan, body: str) -> None:
    text = HEAD + textwrap.dedent(body)
    expected = [i for i, line in enumerate(text.splitlines(), 1) if line.endswith("# here")]
    found = scan(text, select="OTP408")
    assert [f.span.line for f in found] == expected
    assert {f.confidence for f in found} == {Confidence.HIGH}


def test_across_files(scan: Scan) -> None:
    head = "from otplint.runtime import Server\n"
    found = scan(
        {
            "shop/bank.py": head + BANK,
            "shop/till.py": head + TILL,
            "shop/__init__.py": "from .bank import Bank\nfrom .till import Till\n",
            "main.py": """
                from shop import Bank, Till as Counter
                def main(system):
                    bank = system.spawn(lambda: Bank("till"))
                    system.spawn(lambda: Counter(bank), name="till")
            """,
        },
        select="OTP408",
    )
    assert [(f.span.path, [r.span.path for r in f.related]) for f in found] == [
        ("shop/bank.py", ["shop/till.py"]),
        ("shop/till.py", ["shop/bank.py"]),
    ]


def test_ray_handles(scan: Scan) -> None:
    text = """
        import ray
        @ray.remote
        class Bank:
            def __init__(self, till):
                self.till = till
            def charge(self):
                return ray.get(self.till.audit.remote(), timeout=5)
        @ray.remote
        class Till:
            def __init__(self):
                self.bank = Bank.remote(ray.get_runtime_context().current_actor)
            def audit(self): return 1
            def pay(self, other: "Till"):
                return ray.get(self.bank.charge.remote(), timeout=5)
        def main():
            Bank.remote(Till.remote())
    """
    assert [f.actor for f in scan(text, select="OTP408")] == ["Bank", "Till"]


def test_a_call_to_oneself_is_not_told_twice(scan: Scan) -> None:
    text = HEAD + textwrap.dedent("""
        class A(pykka.ThreadingActor):
            def on_receive(self, m):
                return self.actor_ref.proxy().state().get()
            def state(self): return 1
    """)
    assert [f.code for f in scan(text, select=("OTP407", "OTP408"))] == ["OTP408"]


def test_what_is_awaited_at_the_start_is_a_guess(scan: Scan) -> None:
    text = HEAD + textwrap.dedent("""
        class A(Server):
            async def init(self):
                await self.system.call(self.pid, "hello")
            async def handle_call(self, req, frm): return 1
    """)
    assert [f.confidence for f in scan(text, select="OTP408")] == [Confidence.LOW]
