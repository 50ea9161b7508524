"""OTP107: tables that keep the dead; the tempting negatives first."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from otplint.findings import Finding

Scan = Callable[..., list[Finding]]

HEAD = """\
import weakref
from collections import OrderedDict, defaultdict, deque
from otplint.runtime import Down, NoProc, Server, Stop

class A(Server):
    async def init(self):
        self._refs = {}
        self._marks = {}
"""
JOIN = """\
    async def handle_call(self, req, frm):
        if req.pid not in self._refs:
            self._refs[req.pid] = self.system.monitor(req.pid)
            self._marks[req.pid] = "new"

    async def handle_cast(self, msg):
        self.system.demonitor(self._refs.pop(msg.pid), flush=True)
"""
DOWN = """\
    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
"""

FINE = {
    "cleaned": JOIN + DOWN + "            self._marks.pop(msg.pid, None)\n",
    "cleaned-in-a-helper": JOIN
    + """\
    async def handle_info(self, msg):
        match msg:
            case Down(pid=pid):
                self._forget(pid)

    def _forget(self, pid):
        for table in (self._refs, self._marks):
            table.pop(pid, None)
""",
    "handed-to-a-helper-elsewhere": JOIN + DOWN + "            purge(self._marks, msg.pid)\n",
    "rebuilt": JOIN + DOWN + "            self._marks = {k: v for k, v in self._marks.items() if k != msg.pid}\n",
    "marked-dead": JOIN + DOWN + "            self._marks[msg.pid] = 'dead'\n",
    "cleaned-where-any-message-may-come": JOIN
    + """\
    async def handle_info(self, msg):
        self._refs.pop(msg.pid, None)
        self._marks.pop(msg.pid, None)
""",
    "swept": JOIN
    + DOWN
    + """\
        elif msg == "tick":
            for pid in list(self._marks):
                if not self.system.alive(pid):
                    del self._marks[pid]
""",
    "oldest-goes": JOIN.replace(
        '= "new"', '= "new"\n            while len(self._marks) > 9:\n                self._marks.popitem()'
    )
    + DOWN,
    "removed-when-a-call-fails": JOIN
    + DOWN
    + """\
        else:
            try:
                await self.system.call(msg.pid, "ping")
            except NoProc:
                self._marks.pop(msg.pid, None)
""",
    "weak": JOIN + DOWN + "\n    def __init__(self):\n        self._marks = weakref.WeakKeyDictionary()\n",
    "bounded": (JOIN + DOWN).replace('self._marks[req.pid] = "new"', "self._recent.append(req.pid)")
    + "\n    def __init__(self):\n        self._recent = deque(maxlen=5)\n",
    "another-key": (JOIN + DOWN).replace("_marks[req.pid]", "_marks[req.room]"),
    "not-the-watched-one": (JOIN + DOWN).replace("_marks[req.pid]", "_marks[req.other]"),
    "stops-with-it": JOIN
    + """\
    async def handle_info(self, msg):
        if isinstance(msg, Down):
            raise Stop("a guest died")
""",
    "once-at-the-start": """\
    async def init(self):
        self._refs = {}
        self._refs[self.parent] = self.system.monitor(self.parent)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self.lost = True
""",
}

FLAWED = {
    "beside-the-references": (JOIN + DOWN, "_marks"),
    "the-references": (
        JOIN.replace('            self._marks[req.pid] = "new"\n', "")
        + """\
    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self.deaths = 1
""",
        "_refs",
    ),
    "cleaned-when-it-leaves-alone": (
        JOIN + "        self._marks.pop(msg.pid, None)\n" + DOWN,
        "_marks",
    ),
    "nothing-handles-the-down": (JOIN.replace('            self._marks[req.pid] = "new"\n', ""), "_refs"),
    "by-reference": (
        """\
    async def handle_call(self, req, frm):
        ref = self.system.monitor(req.pid)
        self._refs[ref] = req.pid
        return ref

    async def handle_cast(self, msg):
        self.system.demonitor(msg.ref, flush=True)
        del self._refs[msg.ref]

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            print(msg)
""",
        "_refs",
    ),
    "through-helpers-with-other-names": (
        """\
    async def handle_call(self, req, frm):
        self._ensure(req.sender)
        self._ensure(req.receiver)
        return self._send(req.receiver, req.body)

    def _ensure(self, agent):
        if agent not in self._refs:
            self._refs[agent] = self.system.monitor(agent)

    def _send(self, peer, body):
        circuit = self._marks.setdefault(peer, 0)
        return circuit

    async def handle_cast(self, msg):
        self.system.demonitor(self._refs.pop(msg.pid), flush=True)
"""
        + DOWN,
        "_marks",
    ),
    "counted": ((JOIN + DOWN).replace('_marks[req.pid] = "new"', "_counts[req.pid] += 1")
                + "\n    def __init__(self):\n        self._counts = defaultdict(int)\n", "_counts"),
    "a-set": ((JOIN + DOWN).replace('self._marks[req.pid] = "new"', "self._known.add(req.pid)")
              + "\n    def __init__(self):\n        self._known = set()\n", "_known"),
    "workers-started-anew": (
        """\
    async def init(self):
        self._refs = {}
        self._start()

    def _start(self):
        pid = self.system.spawn(self.make)
        self._refs[pid] = self.system.monitor(pid)

    async def handle_call(self, req, frm):
        return len(self._refs)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._start()
""",
        "_refs",
    ),
}  # fmt: skip


def program(body: str) -> str:
    return HEAD + textwrap.indent(textwrap.dedent(body), "    ")


@pytest.mark.parametrize("name", FINE)
def test_silent(name: str, scan: Scan) -> None:
    assert scan(program(FINE[name]), "OTP107") == []


@pytest.mark.parametrize("name", FLAWED)
def test_reported_once_at_the_insertion(name: str, scan: Scan) -> None:
    body, table = FLAWED[name]
    text = program(body)
    found = scan(text, "OTP107")
    assert len(found) == 1
    assert f"self.{table}" in text.split("\n")[found[0].span.line - 1]
    assert f" {table} " in found[0].problem


def test_sure_where_a_down_handler_stands_and_less_where_none_does(scan: Scan) -> None:
    handled = scan(program(FLAWED["beside-the-references"][0]), "OTP107")
    alone = scan(program(FLAWED["nothing-handles-the-down"][0]), "OTP107")
    assert [f.confidence.value for f in (*handled, *alone)] == ["high", "medium"]


def test_the_cleaning_may_stand_in_a_subclass(scan: Scan) -> None:
    base = program(JOIN + DOWN)
    derived = """\
from base import A

class B(A):
    async def handle_info(self, msg):
        await super().handle_info(msg)
        self._marks.pop(msg.pid, None)
"""
    assert scan({"base.py": base, "app.py": derived}, "OTP107") == []
