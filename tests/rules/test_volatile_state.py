"""OTP601: accepted work that only memory holds, and what is no work, or is safe."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

HEAD = """
import asyncio, json, pickle, queue, sqlite3, threading, time, pykka, logging
from collections import deque, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from otplint.runtime import *
logger = logging.getLogger()
class Work(Call[str]): ...
"""

NEGATIVE = {
    "persistent": """
        class M(PersistentServer):
            def __init__(self, store):
                super().__init__(store, "m")
                self.jobs = deque()
            def snapshot(self): return list(self.jobs)
            def restore(self, state, version): self.jobs = deque(state)
            async def handle_call(self, req, frm):
                self.jobs.append(req.job)
                return "accepted"
            async def handle_info(self, msg): await self.work(self.jobs.popleft())
            async def work(self, job): ...
    """,
    "restored by a helper of init": """
        class M(Server):
            def __init__(self, path): self.path, self.jobs = path, []
            async def init(self): self.load()
            def load(self): self.jobs.extend(json.loads(self.path.read_text()))
            async def handle_call(self, req, frm):
                self.jobs.append(req.job)
                return "accepted"
            async def handle_info(self, msg): await self.work(self.jobs.pop(0))
            async def work(self, job): ...
    """,
    "saved as a whole": """
        class M(Server):
            def __init__(self, path): self.path, self.jobs = path, []
            async def handle_call(self, req, frm):
                self.jobs.append(req.job)
                self.save()
                return "accepted"
            def save(self):
                with open(self.path, "w") as out: json.dump(self.state(), out)
            def state(self): return {"jobs": self.jobs}
            async def handle_info(self, msg): await self.work(self.jobs.pop(0))
            async def work(self, job): ...
    """,
    "written ahead": """
        class M(Server):
            def __init__(self, db: sqlite3.Connection): self.db, self.jobs = db, deque()
            async def handle_call(self, req, frm):
                self.db.execute("INSERT INTO jobs VALUES (?)", (req.job,))
                self.jobs.append(req.job)
                return "accepted"
            async def handle_info(self, msg): await self.work(self.jobs.popleft())
            async def work(self, job): ...
    """,
    "kept by an object that may be a store": """
        class M(Server):
            def __init__(self, repository): self.repository, self.jobs = repository, deque()
            async def handle_call(self, req, frm):
                await self.repository.add(req.job)
                self.jobs.append(req.job)
                return "accepted"
            async def handle_info(self, msg): await self.work(self.jobs.popleft())
            async def work(self, job): ...
    """,
    "handed in": """
        class M(Server):
            def __init__(self, jobs=None): self.jobs = jobs or deque()
            async def handle_call(self, req, frm):
                self.jobs.append(req.job)
                return "accepted"
            async def handle_info(self, msg): await self.work(self.jobs.popleft())
            async def work(self, job): ...
    """,
    "acknowledged to the source when done": """
        class M(Server):
            def __init__(self): self.deliveries = deque()
            async def handle_cast(self, msg): self.deliveries.append(msg)
            async def handle_info(self, msg):
                delivery = self.deliveries.popleft()
                await self.work(delivery)
                delivery.ack()
            async def work(self, job): ...
    """,
    "callers that wait": """
        class M(Server):
            def __init__(self): self.waiting = deque()
            async def handle_call(self, req, frm: From):
                self.waiting.append((frm, req))
                return NO_REPLY
            async def handle_info(self, msg):
                frm, req = self.waiting.popleft()
                frm.reply(await self.work(req))
            async def work(self, job): ...
    """,
    "a caller that awaits its future": """
        class M(Server):
            def __init__(self): self.batch = asyncio.Queue()
            async def ask(self, req):
                done = asyncio.get_running_loop().create_future()
                self.batch.put_nowait((req, done))
                return await done
            async def handle_info(self, msg):
                req, done = self.batch.get_nowait()
                done.set_result(await self.work(req))
            async def work(self, job): ...
    """,
    "a directory": """
        class M(Server):
            def __init__(self):
                self.agents: dict[str, Pid] = {}
                self.skills = {}
            async def handle_call(self, req, frm):
                if req.leave:
                    self.skills.pop(req.agent, None)
                    return self.agents.pop(req.agent, None) is not None
                self.agents[req.agent] = req.address
                self.skills[req.agent] = req.skills
    """,
    "health and options": """
        class M(Server):
            def __init__(self): self.beats, self.ill, self.options = {}, {}, {}
            async def handle_cast(self, msg):
                self.beats[msg.agent] = msg.beat
                self.ill.pop(msg.agent, None)
                if msg.bad: self.ill[msg.agent] = msg.reason
                self.options[msg.key] = msg.value
            async def handle_call(self, req, frm): return self.options[req.key], self.beats
    """,
    "leases": """
        class M(Server):
            def __init__(self): self.leases = {}
            async def handle_call(self, req, frm):
                self.leases[req.id] = {"owner": req.owner, "until": time.monotonic() + 3}
            async def handle_info(self, msg):
                for key, lease in list(self.leases.items()):
                    lease["seen"] = msg
                    if lease["until"] < time.monotonic(): del self.leases[key]
    """,
    "a history": """
        class M(Server):
            def __init__(self, n): self.events = deque(maxlen=n)
            async def handle_cast(self, msg): self.events.append(msg)
            async def handle_call(self, req, frm): return [e for e in self.events]
    """,
    "a cache": """
        class M(Server):
            def __init__(self): self.cache = {}
            async def handle_call(self, req, frm):
                if req.key not in self.cache: self.cache[req.key] = await self.fetch(req.key)
                return self.cache[req.key]
            async def handle_info(self, msg): self.cache.pop(msg.key, None)
            async def fetch(self, key): ...
    """,
    "subscribers and idle workers": """
        class M(Server):
            def __init__(self): self.subscribers, self.idle = [], []
            async def handle_cast(self, msg):
                self.subscribers.append(msg.pid)
                self.idle.append(msg.worker)
                for s in self.subscribers: self.system.send(s, 1)
                self.system.cast(self.idle.pop(0), self.make())
            async def handle_info(self, msg): self.subscribers.remove(msg.pid)
            def make(self): return 1
    """,
    "messages for peers that may die": """
        class M(Server):
            def __init__(self): self.held = {}
            async def handle_call(self, req, frm):
                self.held.setdefault(req.to, []).append(req.body)
                return "buffered"
            async def handle_info(self, msg):
                if isinstance(msg, Down): self.held.pop(msg.pid, None)
                else:
                    for m in self.held.get(msg.to, []): await self.system.call(msg.to, m)
                    self.held[msg.to] = []
    """,
    "its own work, derived at the start": """
        class M(Server):
            def __init__(self, n): self.todo = deque(range(n))
            async def handle_info(self, msg): await self.work(self.todo.popleft())
            async def work(self, job): ...
    """,
    "messages that nobody was told anything about": """
        class M(Server):
            def __init__(self): self.held = []
            async def handle_cast(self, msg): self.held.append(msg)
            async def handle_info(self, msg):
                for m in self.held: self.system.cast(self.peer, m)
                self.held.clear()
    """,
    "the mailbox of a thread": """
        class T(threading.Thread):
            def __init__(self):
                super().__init__()
                self.q = queue.Queue()
            def run(self):
                while True: print(self.q.get())
    """,
    "a caller that awaits the future of what it brings": """
        class M(Server):
            def __init__(self): self.waiting, self.known = deque(), {}
            async def handle_call(self, req, frm): return await self.choose(req)
            async def choose(self, req):
                self.waiting.append(req)
                self.note(req)
                try: return await req.future
                except asyncio.CancelledError: req.future.cancel(); raise
            def note(self, req): self.known.setdefault(req.kind, deque()).append(req)
            async def handle_info(self, msg):
                for queue in self.known.values():
                    while queue: self.work(queue.popleft())
                self.work(self.waiting.popleft())
            def work(self, req): req.future.set_result(1)
    """,
    "callers that wait for one another and share the outcome": """
        class M(Server):
            def __init__(self, n): self.n, self.turn, self.parts = n, asyncio.Condition(), defaultdict(list)
            async def handle_call(self, req, frm):
                async with self.turn:
                    self.parts[req.round].append(req.part)
                    if len(self.parts[req.round]) == self.n:
                        self.parts[req.round] = self.together(self.parts[req.round])
                        self.turn.notify_all()
                    else:
                        await self.turn.wait_for(lambda: req.round in self.parts)
                    outcome = self.parts[req.round]
                    del self.parts[req.round]
                    return outcome
            def together(self, parts): return sorted(parts)
    """,
    "what those who use a thread's object fill and empty": """
        class T(threading.Thread):
            def __init__(self):
                super().__init__()
                self.q, self.held = queue.Queue(), []
            def note(self, item):
                self.held.append(item)
                return len(self.held)
            def submit(self):
                batch = self.held
                self.held = []
                for item in batch: self.begin(item)
            def begin(self, item): self.q.put(item.key)
            def run(self):
                while True: print(self.q.get())
    """,
    "a queue that only hands out": """
        class M(pykka.ThreadingActor):
            def __init__(self, n): self.waiting = asyncio.Queue(n)
            async def put(self, item, limit): await asyncio.wait_for(self.waiting.put(item), limit)
            async def get(self, limit):
                try: return await asyncio.wait_for(self.waiting.get(), limit)
                except asyncio.TimeoutError: raise LookupError
    """,
    "only the latest counts": """
        class M(pykka.ThreadingActor):
            def __init__(self): self.inbox = queue.Queue()
            def register(self, plan): self.inbox.put(plan)
            def watch(self):
                current = None
                while True:
                    try:
                        new = self.inbox.get(timeout=1)
                        current = new
                        logger.debug("%s", new.id)
                    except queue.Empty: pass
                    if self.over():
                        self.clean(current)
                        return
            def over(self): return False
            def clean(self, plan): ...
    """,
}

POSITIVE = {
    "queue": """
        class M(Server):
            def __init__(self): self.jobs = deque()
            async def handle_call(self, req, frm):
                self.jobs.append(req.job)
                return "accepted"
            async def handle_info(self, msg): await self.work(self.jobs.popleft())
            async def work(self, job): ...
    """,
    "in a base class and a helper": """
        class Base(Server):
            def __init__(self): self._jobs: "list[object]" = []
            def accept(self, job): self._jobs += [job]
            async def run_next(self):
                job = self._jobs.pop(0)
                await self.work(job)
            async def work(self, job): ...
        class M(Base):
            async def handle_call(self, req, frm):
                self.accept(req.job)
                return True
            async def handle_info(self, msg): await self.run_next()
    """,
    "a state object": """
        @dataclass
        class State:
            jobs: list = field(default_factory=list)
        class M(Server):
            def __init__(self): self.state = State()
            async def handle_call(self, req, frm): self.state.jobs.append(req)
            async def handle_info(self, msg):
                for job in self.state.jobs: self.system.cast(self.worker, job)
                self.state.jobs.clear()
    """,
    "work that was cast": """
        class M(Server):
            def __init__(self, tool): self.jobs, self.tool = [], tool
            async def handle_cast(self, msg): self.jobs.append(msg)
            async def handle_info(self, msg):
                job = self.jobs.pop(0)
                self.tool.run(job)
    """,
    "workflows": """
        class M(Server):
            def __init__(self): self.flows = {}
            async def handle_call(self, req, frm):
                if req.new:
                    self.flows[req.id] = {"steps": req.steps, "at": 0}
                    return "started"
                flow = self.flows[req.id]
                flow["at"] += 1
                if flow["at"] == len(flow["steps"]): del self.flows[req.id]
    """,
    "pending acknowledgements": """
        class M(Server):
            def __init__(self): self.unacked = {}
            async def handle_call(self, req, frm):
                self.unacked[req.id] = req
                self.system.send(self.peer, req)
                return "on its way"
            async def handle_info(self, msg): self.unacked.pop(msg.id, None)
    """,
    "waiting, then assigned": """
        class M(Server):
            def __init__(self): self.waiting, self.taken = deque(), {}
            async def handle_call(self, req, frm):
                if req.put:
                    self.waiting.append(req.job)
                    return "accepted"
                if req.take:
                    self.taken[req.who] = self.waiting.popleft()
                    return self.taken[req.who]
                return self.taken.pop(req.who, None) is None
    """,
    "pykka": """
        class A(pykka.ThreadingActor):
            def __init__(self):
                super().__init__()
                self._jobs = []
            def submit(self, job):
                self._jobs.append(job)
                return len(self._jobs)
            def step(self): self.run(self._jobs.pop(0))
            def run(self, job): ...
    """,
    "the caller waits for room, not for the end": """
        class M(Server):
            def __init__(self): self.room, self.jobs = asyncio.Event(), deque()
            async def handle_call(self, req, frm):
                self.jobs.append(req.job)
                if len(self.jobs) > 9: await self.room.wait()
                return "accepted"
            async def handle_info(self, msg): await self.work(self.jobs.popleft())
            async def work(self, job): ...
    """,
    "a word of the request is no future of it": """
        class M(Server):
            def __init__(self): self.jobs = deque()
            async def handle_call(self, req, frm):
                self.jobs.append(req)
                return req.headers.get("id")
            async def handle_info(self, msg): await self.work(self.jobs.popleft())
            async def work(self, job): ...
    """,
    "taken with a time limit and worked on": """
        class M(pykka.ThreadingActor):
            def __init__(self, n): self.waiting = asyncio.Queue(n)
            async def put(self, item): await asyncio.wait_for(self.waiting.put(item), 1)
            async def step(self):
                item = await asyncio.wait_for(self.waiting.get(), 1)
                self.work(item)
            def work(self, item): ...
    """,
    "what a thread takes over from those who use its object": """
        class T(threading.Thread):
            def __init__(self):
                super().__init__()
                self.q, self.held = queue.Queue(), []
            def note(self, item):
                self.held.append(item)
                return len(self.held)
            def run(self):
                while True:
                    print(self.q.get())
                    for item in self.held: self.work(item)
                    self.held = []
            def work(self, item): ...
    """,
    "each counts, the last is remembered": """
        class M(pykka.ThreadingActor):
            def __init__(self): self.inbox = queue.Queue()
            def register(self, plan): self.inbox.put(plan)
            def watch(self):
                current = None
                while True:
                    new = self.inbox.get(timeout=1)
                    self.work(new)
                    current = new
            def work(self, plan): ...
    """,
    "a thread that acknowledges": """
        class T(threading.Thread):
            def __init__(self):
                super().__init__()
                self.q = queue.Queue()
            def submit(self, job):
                self.q.put(job)
                return "accepted"
            def run(self):
                while True: self.work(self.q.get())
            def work(self, job): ...
    """,
}
LESS_SURE = {
    "pykka",
    "taken with a time limit and worked on",
    "each counts, the last is remembered",
    "what a thread takes over from those who use its object",
    "a thread that acknowledges",
    "in a base class and a helper",
    "work that was cast",
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in NEGATIVE.items()])
def test_silent(scan: Scan, text: str) -> None:
    found = scan(HEAD + textwrap.dedent(text), "OTP601")
    assert not [f for f in found if f.confidence is not Confidence.LOW]


@pytest.mark.parametrize("name", POSITIVE)
def test_reported_once(scan: Scan, name: str) -> None:
    found = scan(HEAD + textwrap.dedent(POSITIVE[name]), "OTP601")
    wanted = Confidence.MEDIUM if name in LESS_SURE else Confidence.HIGH
    assert [(f.severity.value, f.confidence) for f in found] == [("critical", wanted)]


def test_it_is_reported_where_the_attribute_is_made(scan: Scan) -> None:
    found = scan(HEAD + textwrap.dedent(POSITIVE["queue"]), "OTP601")
    assert [f.handler for f in found] == ["__init__"]
    assert [r.message for r in found[0].related] == ["work is accepted here", "and done here"]


def test_what_a_snapshot_forgets_is_lost(scan: Scan) -> None:
    text = """
    class M(PersistentServer):
        def __init__(self, store):
            super().__init__(store, "m")
            self.jobs, self.done = deque(), 0
        def snapshot(self): return self.done
        def restore(self, state, version): self.done = state
        async def handle_call(self, req, frm):
            self.jobs.append(req.job)
            return "accepted"
        async def handle_info(self, msg): await self.work(self.jobs.popleft())
        async def work(self, job): ...
    """
    assert [f.code for f in scan(HEAD + textwrap.dedent(text), "OTP601")] == ["OTP601"]
