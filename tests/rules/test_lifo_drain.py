"""OTP404: stacks that are meant, queues, and buffers that are turned round."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

HEAD = """
import pykka, threading
from collections import deque
from otplint.runtime import Server, CallError, Down, From
"""

NEGATIVE = {
    "prepended and reversed": """
        class M(Server):
            def __init__(self): self.held = {}
            async def handle_call(self, req, frm):
                old = self.held.get(req.to, [])
                self.held[req.to] = [req, *old[:99]]
            async def handle_info(self, msg):
                waiting = self.held.get(msg.to, [])
                for m in reversed(waiting):
                    await self.system.call(msg.to, m)
                self.held[msg.to] = []
    """,
    "put in order by a function": """
        def in_order(held):
            return held[::-1]
        class M(Server):
            def __init__(self): self.held = []
            async def handle_cast(self, msg): self.held.insert(0, msg)
            async def handle_info(self, msg):
                for m in in_order(self.held): self.system.cast(self.peer, m)
                self.held.clear()
    """,
    "put back where it was": """
        class Spooling:
            def put_back(self, rows): self.spool.extendleft(reversed(rows))
        class M(Spooling, Server):
            def __init__(self): self.spool = deque()
            async def handle_cast(self, msg):
                self.spool.append(msg)
                rows = list(self.spool)
                self.spool.clear()
                try: await self.system.call(self.peer, rows)
                except CallError: self.put_back(rows)
    """,
    "reversed in place": """
        class M(Server):
            def __init__(self): self.held = []
            async def handle_cast(self, msg): self.held.insert(0, msg)
            async def handle_info(self, msg):
                self.held.reverse()
                for m in self.held: self.system.cast(self.peer, m)
                self.held.clear()
    """,
    "reversed by a slice in a helper": """
        class M(Server):
            def __init__(self): self.held = []
            async def handle_cast(self, msg): self.held = [msg] + self.held
            async def handle_info(self, msg):
                self._flush(self.held[::-1])
                self.held = []
            def _flush(self, items):
                for m in items: self.system.cast(self.peer, m)
    """,
    "a queue": """
        class M(Server):
            def __init__(self):
                self.held = deque()
                self.other = []
            async def handle_cast(self, msg):
                self.held.append(msg)
                self.other.insert(0, msg)
            async def handle_info(self, msg):
                while self.held: self.system.cast(self.peer, self.held.popleft())
                while self.other: self.system.cast(self.peer, self.other.pop())
    """,
    "put back at the head after a failure": """
        class M(Server):
            def __init__(self): self.held = deque()
            async def handle_cast(self, msg): self.held.append(msg)
            async def handle_info(self, msg):
                while self.held:
                    m = self.held.popleft()
                    try: await self.system.call(self.peer, m)
                    except CallError:
                        self.held.appendleft(m)
                        return
    """,
    "a walk over a graph": """
        class M(Server):
            def __init__(self): self.todo = []
            async def handle_cast(self, msg):
                self.todo.append(msg.root)
                while self.todo:
                    node = self.todo.pop()
                    self.visit(node)
                    for child in node.children: self.todo.append(child)
            def visit(self, node): self.system.cast(self.peer, node)
    """,
    "undo": """
        class M(Server):
            def __init__(self): self.done = []
            async def handle_call(self, req, frm):
                if req.undo:
                    self.apply(self.done.pop().inverse())
                    return
                self.apply(req.command)
                self.done.append(req.command)
            def apply(self, command): command.run()
    """,
    "undo and redo": """
        class M(Server):
            def __init__(self):
                self.past = []
                self.future = []
            async def handle_call(self, req, frm):
                if req.undo: self.future.append(self.past.pop())
                elif req.redo: self.past.append(self.future.pop())
                else: self.past.append(req.command)
    """,
    "a pool": """
        class M(Server):
            def __init__(self): self.free = [1, 2, 3]
            async def handle_cast(self, msg):
                conn = self.free.pop()
                try: await conn.run(msg)
                finally: self.free.append(conn)
    """,
    "idle workers": """
        class M(Server):
            def __init__(self):
                self.idle = []
                self.jobs = deque()
            async def handle_cast(self, msg):
                if msg.ready: self.idle.append(msg.worker)
                else: self.jobs.append(msg.job)
                while self.idle and self.jobs:
                    self.system.cast(self.idle.pop(), self.jobs.popleft())
    """,
    "contexts": """
        class M(Server):
            def __init__(self): self.stack = []
            async def handle_cast(self, msg):
                self.stack.append(msg)
                await self.work()
                self.leave(self.stack.pop())
            def leave(self, m): print(m)
    """,
    "clean-up at the end": """
        class M(Server):
            def __init__(self): self.cleanups = []
            async def handle_cast(self, msg): self.cleanups.append(msg.callback)
            async def terminate(self, reason):
                while self.cleanups: self.cleanups.pop()()
    """,
    "history is shown newest first": """
        class M(Server):
            def __init__(self): self.log = []
            async def handle_cast(self, msg): self.log.append(msg)
            async def handle_call(self, req, frm):
                for m in reversed(self.log): self.system.send(req.sender, m)
    """,
    "two stacks are a queue": """
        class M(Server):
            def __init__(self):
                self.back = []
                self.front = []
            async def handle_cast(self, msg): self.back.append(msg)
            async def handle_info(self, msg):
                if not self.front:
                    while self.back: self.front.append(self.back.pop())
                if self.front: self.system.cast(self.peer, self.front.pop())
    """,
    "the worst first": """
        class M(Server):
            def __init__(self): self.jobs = []
            async def handle_cast(self, msg): self.jobs = sorted(msg.jobs)
            async def handle_info(self, msg): self.system.cast(self.peer, self.jobs.pop())
    """,
    "numbers of its own": """
        class M(Server):
            def __init__(self): self.free = list(range(10))
            async def handle_call(self, req, frm): return self.system.cast(self.peer, self.free.pop())
    """,
}

POSITIVE = {
    "same end": """
        class M(Server):
            def __init__(self): self.held = []
            async def handle_cast(self, msg): self.held.append(msg)
            async def handle_info(self, msg):
                while self.held: await self.system.call(self.peer, self.held.pop())
    """,
    "both at the head": """
        class M(Server):
            def __init__(self): self.held = deque()
            async def handle_cast(self, msg): self.held.appendleft(msg)
            async def handle_info(self, msg):
                while self.held:
                    m = self.held.popleft()
                    self.system.cast(self.peer, m)
    """,
    "prepended in a table, not reversed": """
        class M(Server):
            def __init__(self): self.held = {}
            async def handle_call(self, req, frm):
                old = self.held.get(req.to, [])
                self.held[req.to] = [req, *old[:99]]
            async def handle_info(self, msg): await self.drain(msg.to)
            async def drain(self, to):
                waiting = self.held.get(to, [])
                for m in waiting: await self.system.call(to, m)
                self.held[to] = []
    """,
    "appended and reversed": """
        class M(Server):
            def __init__(self): self.held = []
            async def handle_cast(self, msg): self.held += [msg]
            async def handle_info(self, msg):
                for m in reversed(self.held): self.system.cast(self.peer, m)
                self.held.clear()
    """,
    "through an alias and a helper": """
        class M(Server):
            def __init__(self): self.held = []
            async def handle_cast(self, msg):
                box = self.held
                box.append(msg)
                self.flush()
            def flush(self):
                box = self.held
                while box: self.deliver(box.pop())
            def deliver(self, m): self.system.cast(self.peer, m)
    """,
    "callbacks of others": """
        class T(threading.Thread):
            def __init__(self):
                super().__init__()
                self.pending = []
            def soon(self, fn): self.pending.append(fn)
            def run(self):
                while True:
                    while self.pending: self.pending.pop()()
    """,
    "run at once where there is a hub, else later": """
        class T(threading.Thread):
            def __init__(self, hub):
                super().__init__()
                self.hub, self.pending = hub, []
            def soon(self, fn, *args):
                fn = partial(fn, *args)
                if self.hub: return self.hub.call_soon(fn)
                self.pending.append(fn)
                return fn
            def run(self):
                while True:
                    while self.pending:
                        try: self.pending.pop()()
                        except ValueError: pass
    """,
    "tasks that were seeded in order": """
        class M(Server):
            def __init__(self): self.tasks = []
            async def handle_cast(self, msg): self.tasks = list(msg.tasks)
            async def handle_info(self, msg):
                if self.tasks: task = self.tasks.pop()
                else: task = None
                new = (task, 1)
                self.system.send(msg.worker, new)
    """,
    "work, one at a time": """
        class M(Server):
            def __init__(self): self.jobs = deque()
            async def handle_call(self, req, frm):
                self.jobs.append(req.job)
                return "accepted"
            async def handle_info(self, msg):
                job = self.jobs.pop()
                await self.work(job)
            async def work(self, job): ...
    """,
    "pykka": """
        class A(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self._held = []
            def push(self, event): self._held.append(event)
            def flush(self):
                while self._held: self.peer.tell(self._held.pop(-1))
    """,
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in NEGATIVE.items()])
def test_silent(scan: Scan, text: str) -> None:
    assert not scan(HEAD + textwrap.dedent(text), "OTP404")


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in POSITIVE.items()])
def test_reported_once(scan: Scan, text: str) -> None:
    found = scan(HEAD + textwrap.dedent(text), "OTP404")
    assert [f.code for f in found] == ["OTP404"]
    assert found[0].confidence is not Confidence.LOW


def test_what_is_only_returned_may_be_anything(scan: Scan) -> None:
    text = """
    class M(Server):
        def __init__(self): self.items = []
        async def handle_cast(self, msg): self.items.append(msg)
        async def handle_call(self, req, frm): return self.items.pop()
    """
    assert [f.confidence for f in scan(HEAD + textwrap.dedent(text), "OTP404")] == [Confidence.LOW]


def test_it_is_reported_where_it_is_drained(scan: Scan) -> None:
    found = scan(HEAD + textwrap.dedent(POSITIVE["same end"]), "OTP404")
    assert found[0].handler == "handle_info"
    assert [r.span.line for r in found[0].related] == [found[0].span.line - 2]


def test_undoing_in_the_reverse_order_outside_of_the_loop_is_only_worth_a_look(scan: Scan) -> None:
    found = scan(
        """
        import asyncio

        class Client:
            def __init__(self):
                self.undo = []

            def start(self, topics):
                self.task = asyncio.create_task(self.keep_up())
                for topic in topics:
                    self.undo.append(topic)

            async def keep_up(self):
                while True:
                    await asyncio.sleep(1)

            def end(self):
                while self.undo:
                    self.undo.pop()()
        """,
        "OTP404",
    )
    assert [f.confidence for f in found] == [Confidence.LOW]


def test_what_an_asynchronous_loop_goes_through_are_messages(scan: Scan) -> None:
    """A channel gives them one by one, whatever its type; a plain loop over a list gives data at hand."""
    board = """
import trio
class Board:
    def __init__(self, receive: trio.MemoryReceiveChannel, out):
        self.receive, self.out, self.held = receive, out, []
    async def run(self):
        LOOP
            await self.on_message(message)
    async def on_message(self, message):
        self.held.append(message)
        if message.last:
            while self.held:
                await self.out.send(self.held.pop())
"""
    found = scan(board.replace("LOOP", "async for message in self.receive:"), "OTP404")
    assert [f.span.line for f in found] == [13]
