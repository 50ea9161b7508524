"""OTP605: state outside of the actor, and what is none."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

HEAD = """
import asyncio, collections, contextvars, functools, itertools, logging, threading, weakref
import pykka
from otplint.runtime import *
log = logging.getLogger(__name__)
lock = threading.Lock()
table = {}
total = 0
"""

NEGATIVE: Mapping[str, str] = {
    "read": "class A(Server):\n async def handle_cast(self, msg): return table[msg], total",
    "filled at import": "table['x'] = 1\nclass A(Server):\n async def handle_cast(self, msg): self.y = table[msg]",
    "own state": """
        class A(Server):
            def __init__(self): self.table = {}; self.total = 0
            async def handle_cast(self, msg):
                self.table[msg] = 1
                self.total += 1
    """,
    "a local of that name": """
        class A(Server):
            async def handle_cast(self, msg):
                table = {}
                table[msg] = 1
                total = 5
                total += 1
    """,
    "a copy": """
        class A(Server):
            async def handle_cast(self, msg):
                mine = dict(table)
                mine[msg] = 1
                other = table.copy()
                other.pop(msg)
    """,
    "replaced in the instance": """
        class A(Server):
            items = []
            def __init__(self): self.items = []
            async def handle_cast(self, msg): self.items.append(msg)
    """,
    "a default of the class": """
        class A(Server):
            limit = 5
            names = ("a", "b")
            async def handle_cast(self, msg):
                self.limit = msg
                self.limit += 1
    """,
    "under a lock": """
        class A(pykka.ThreadingActor):
            guard = threading.RLock()
            seen = {}
            def put(self, key):
                with lock:
                    table[key] = 1
                with self.guard:
                    self.seen[key] = 1
    """,
    "made once": """
        connection = None
        class A(Server):
            async def handle_cast(self, msg):
                global connection
                if connection is None:
                    connection = open(msg)
                return connection
    """,
    "made once, early return": """
        connection = None
        def connect():
            global connection
            if connection:
                return connection
            connection = object()
            return connection
        class A(Server):
            async def handle_cast(self, msg): connect()
    """,
    "context variable and cache of functools": """
        trace = contextvars.ContextVar("trace")
        @functools.lru_cache
        def cost(x): return x
        class A(Server):
            async def handle_cast(self, msg):
                trace.set(msg)
                log.setLevel(cost(msg))
    """,
    "counter for names": """
        class A(pykka.ThreadingActor):
            ids = itertools.count()
            made = 0
            def __init__(self):
                super().__init__()
                self.id = next(self.ids)
                A.made += 1
            def put(self, key): return self.id
    """,
    "weak registry": """
        alive = weakref.WeakValueDictionary()
        class A(Server):
            async def handle_cast(self, msg): alive[msg] = self
    """,
    "weak registry of the class": """
        class A(Server):
            alive = weakref.WeakSet()
            async def handle_cast(self, msg): A.alive.discard(msg)
    """,
    "several made once": """
        first, second = None, None
        class A(Server):
            async def handle_cast(self, msg):
                global first, second
                if first is None:
                    first = 1
                    second = 2
    """,
    "a thread's own": """
        mine = threading.local()
        class A(threading.Thread):
            def run(self):
                while True:
                    mine.proceed = True
    """,
    "another object": """
        class A(Server):
            async def handle_cast(self, msg):
                msg.table.append(1)
                msg.total = 5
                self.peer.total += 1
    """,
    "no actor": "class A:\n    seen = []\n    def handle_cast(self, msg): table[msg] = 1; self.seen.append(msg)",
    "beside the loop": """
        class A(threading.Thread):
            def run(self): pass
            def register(self): table[self.name] = self
    """,
    "when it starts": """
        class A(Server):
            async def init(self): table[self.pid] = self
            async def handle_cast(self, msg): pass
    """,
    "nonlocal": """
        class A(Server):
            async def handle_cast(self, msg):
                total = 0
                def add():
                    nonlocal total
                    total += 1
                add()
    """,
    "queue": """
        import queue
        results = queue.Queue()
        class A(pykka.ThreadingActor):
            def put(self, key): results.put(key)
    """,
}  # fmt: skip

POSITIVE: Mapping[str, tuple[str, str]] = {
    "global": (
        """
        class A(Server):
            async def handle_cast(self, msg):
                global total
                total += msg
        """,
        "total += msg",
    ),
    "container": ("class A(Server):\n    async def handle_cast(self, msg): table[msg] = 1", "table[msg] = 1"),
    "method": ("class A(pykka.ThreadingActor):\n    def put(self, k): table.update({k: 1})", "table.update({k: 1})"),
    "default dictionary": (
        """
        calls = collections.defaultdict(int)
        class A(pykka.ThreadingActor):
            def put(self, k): calls[k] += 1
        """,
        "calls[k] += 1",
    ),
    "removal": ("class A(pykka.ThreadingActor):\n    def drop(self, k): del table[k]", "del table[k]"),
    "alias": (
        """
        class A(pykka.ThreadingActor):
            def put(self, k):
                mine = table
                mine[k] = 1
        """,
        "mine[k] = 1",
    ),
    "an entry of it": (
        """
        class A(pykka.ThreadingActor):
            def put(self, k):
                one = table.get(k)
                one.count += 1
        """,
        "one.count += 1",
    ),
    "own helper and callback": (
        """
        class A(Server):
            async def handle_cast(self, msg):
                asyncio.get_running_loop().call_soon(self._note)
            def _note(self):
                self._really(1)
            def _really(self, x):
                table[x] = 1
        """,
        "table[x] = 1",
    ),
    "function of the module": (
        """
        def note(x):
            global total
            total = x
        class A(Server):
            async def handle_cast(self, msg):
                note(msg)
                return total
        """,
        "total = x",
    ),
    "nested function": (
        """
        class A(Server):
            async def handle_cast(self, msg):
                def note():
                    global total
                    total = msg
                note()
                return total
        """,
        "total = msg",
    ),
    "thread-local": (
        """
        current = threading.local()
        class A(pykka.ThreadingActor):
            def put(self, k): current.request = k
        """,
        "current.request = k",
    ),
    "object of a module": (
        """
        class State:
            def __init__(self): self.items = []
        state = State()
        class A(pykka.ThreadingActor):
            def put(self, k): state.items.append(k)
        """,
        "state.items.append(k)",
    ),
    "class attribute": (
        """
        class A(Server):
            orders = {}
            async def handle_cast(self, msg): self.orders[msg] = 1
        """,
        "orders = {}",
    ),
    "class attribute by the class": (
        """
        class A(Server):
            handled: int = 0
            async def handle_cast(self, msg): A.handled += 1
        """,
        "handled: int = 0",
    ),
    "class attribute by type(self)": (
        """
        class A(Server):
            last = None
            async def handle_cast(self, msg): type(self).last = msg
        """,
        "last = None",
    ),
    "class attribute by classmethod": (
        """
        class A(Server):
            last = None
            @classmethod
            def note(cls, msg): cls.last = msg
            async def handle_cast(self, msg): self.note(msg)
        """,
        "last = None",
    ),
    "class attribute of a mixin": (
        """
        class Mixin:
            seen = set()
            def note(self, msg): self.seen.add(msg)
        class A(Mixin, Server):
            async def handle_cast(self, msg): self.note(msg)
        """,
        "seen = set()",
    ),
    "loop": (
        """
        import queue
        class A(threading.Thread):
            def __init__(self):
                super().__init__()
                self.inbox = queue.Queue()
            def run(self):
                while True:
                    table[self.inbox.get()] = 1
        """,
        "table[self.inbox.get()] = 1",
    ),
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in NEGATIVE.items()])
def test_silent(scan: Scan, text: str) -> None:
    assert scan(HEAD + textwrap.dedent(text), "OTP605") == []


@pytest.mark.parametrize(("text", "where"), [pytest.param(*case, id=name) for name, case in POSITIVE.items()])
def test_reported(scan: Scan, text: str, where: str) -> None:
    whole = HEAD + textwrap.dedent(text)
    (found,) = scan(whole, "OTP605")
    assert found.confidence is Confidence.MEDIUM
    assert where in whole.split("\n")[found.span.line - 1]


def test_other_file_and_who_else_writes(scan: Scan) -> None:
    files = {
        "app/__init__.py": "",
        "app/shared.py": "current = {}\nlimit = 0\n",
        "app/desks.py": """
            from otplint.runtime import Server
            from . import shared
            from .shared import current as now
            class Desk(Server):
                async def handle_cast(self, msg): now[msg] = 1
            class Till(Server):
                async def handle_cast(self, msg): shared.current.pop(msg)
        """,
    }
    first, second = scan(files, "OTP605")
    assert "Till writes to it as well" in first.consequence
    assert "Desk writes to it as well" in second.consequence
    assert [r.span.path for r in first.related] == ["app/shared.py"]


def test_one_finding_for_a_function_that_several_actors_call(scan: Scan) -> None:
    text = """
    table = {}
    def note(x): table[x] = 1
    class A(Server):
        async def handle_cast(self, msg): note(msg)
    class B(Server):
        async def handle_cast(self, msg): note(msg)
    """
    assert len(scan(HEAD + textwrap.dedent(text), "OTP605")) == 1


def test_what_helpers_note_and_nobody_reads(scan: Scan) -> None:
    helpers = """
seen = {}
def note(x):
    seen[x] = 1
def over(x):
    seen.pop(x)
"""
    actor = "class A(Server):\n    async def handle_cast(self, msg): note(msg); over(msg)\n"
    assert scan(HEAD + helpers + actor, "OTP605") == []
    assert len(scan(HEAD + helpers + "def known(x): return x in seen\n" + actor, "OTP605")) == 1
    reader = "from otplint.runtime import Server\nfrom app import seen\ndef known(x): return x in seen\n"
    reader += "class B(Server): ...\n"
    assert len(scan({"app.py": HEAD + helpers + actor, "reader.py": reader}, "OTP605")) == 1
    assert len(scan(HEAD + "seen = {}\nclass A(Server):\n    async def handle_cast(self, m): seen[m] = 1\n")) == 1


KEEPS = """
    running = set()
    class A(Server):
        async def handle_cast(self, msg):
            task = asyncio.create_task(self.work(msg))
            running.add(task)
            task.add_done_callback(running.discard)
        async def work(self, msg): ...
"""


@pytest.mark.parametrize(
    ("more", "reported"),
    [("", 0), ("        async def handle_info(self, msg): return len(running)\n", 1), ("    latest = running\n", 1)],
)
def test_tasks_that_are_only_held(scan: Scan, more: str, reported: int) -> None:
    assert len(scan(HEAD + textwrap.dedent(KEEPS.lstrip("\n") + more), "OTP605")) == reported
    other = KEEPS.replace("asyncio.create_task(self.work(msg))", "self.work(msg)")
    assert len(scan(HEAD + textwrap.dedent(other), "OTP605")) == 1


def test_a_cache_by_key_has_low_confidence(scan: Scan) -> None:
    text = """
    class A(pykka.ThreadingActor):
        def cost(self, key):
            if key not in table:
                table[key] = len(key)
            return table[key]
    """
    (found,) = scan(HEAD + textwrap.dedent(text), "OTP605")
    assert found.confidence is Confidence.LOW


def test_silent_in_tests(scan: Scan) -> None:
    text = HEAD + "class A(Server):\n    async def handle_cast(self, msg): table[msg] = 1\n"
    assert scan({"tests/test_a.py": text}, "OTP605") == []
