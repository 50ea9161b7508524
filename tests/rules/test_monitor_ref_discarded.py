"""OTP102: References that nobody keeps; the tempting negatives first."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from otplint.findings import Finding

WATCHES = ("OTP101", "OTP102", "OTP103")
Scan = Callable[..., list[Finding]]
Program = str | dict[str, str]

FINE: dict[str, Program] = {
    "fresh-discard": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_call(self, req, frm):
        pid = self.system.spawn(req.factory)
        self.system.monitor(pid)
        return pid
""",
    "init-life": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def init(self):
        self.system.monitor(self.owner)
    async def handle_info(self, msg):
        if isinstance(msg, Down):
            raise Stop("owner")
""",
    "awaited": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_call(self, req, frm):
        ref = self.system.monitor(req.pid)
        return await asyncio.wait_for(ref, 5)
""",
    "returned-passed": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    def watch(self, pid):
        return self.system.monitor(pid)
""",
    "unrelated-monitor-method": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    def __init__(self, gauge):
        self.gauge = gauge
    async def handle_cast(self, msg):
        pass
""",
    "ref-by-message": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_call(self, req, frm):
        if req.op == "watch" and req.pid not in self._known:
            self._known.add(req.pid)
            return self.system.monitor(req.pid)
        self.system.demonitor(req.ref)
""",
    "test-plain-class": {
        "app.py": """\
class Gauge:
    def __init__(self, bus): self.bus = bus
    def handle(self, m): self.bus.monitor(m)
""",
    },
    "pool-restart": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def init(self):
        for _ in range(3):
            self._start()
    def _start(self):
        pid = self.system.spawn(self.make)
        self._workers[self.system.monitor(pid)] = pid
    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._workers.pop(msg.ref, None)
            self._start()
""",
}

FLAWED: dict[str, Program] = {
    "bare": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        self.system.monitor(msg.pid)
""",
    "bare-pid-kept": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._known:
            self._known.add(msg.pid)
            self.system.monitor(msg.pid)

    async def terminate(self, reason):
        for ref in self._refs.values():
            self.system.demonitor(ref)
""",
    "local-unread": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        ref = self.system.monitor(msg.pid)
        self._known.add(msg.pid)
        print(f"watching {ref}")
""",
    "underscore": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        _ = self.system.monitor(msg.pid)
""",
    "attr-unread": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        self._last = self.system.monitor(msg.pid)
""",
    "branch-shares-name": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.on:
            ref = self.system.monitor(msg.pid)
            self._known.add(msg.pid)
        else:
            ref = self._refs.pop(msg.pid)
            self.system.demonitor(ref)
""",
    "async-task": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        async def go():
            self.system.monitor(msg.pid)
        await go()
""",
    "peer-each-tick": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_info(self, msg):
        if msg == "tick":
            self.system.monitor(self.peer)
""",
}


@pytest.mark.parametrize("name", FINE)
def test_silent(name: str, scan: Scan) -> None:
    assert scan(FINE[name], WATCHES) == []


@pytest.mark.parametrize("name", FLAWED)
def test_one_flaw_is_one_finding(name: str, scan: Scan) -> None:
    assert [finding.code for finding in scan(FLAWED[name], WATCHES)] == ["OTP102"]
