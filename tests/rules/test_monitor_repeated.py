"""OTP103: Watches with each message; the ways to ask first come first."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from otplint.findings import Finding

WATCHES = ("OTP101", "OTP102", "OTP103")
Scan = Callable[..., list[Finding]]
Program = str | dict[str, str]

FINE: dict[str, Program] = {
    "guarded-and-released": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def handle_call(self, req, frm):
        ref = self._refs.pop(req.pid, None)
        if ref is not None:
            self.system.demonitor(ref, flush=True)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "fresh": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_call(self, req, frm):
        pid = self.system.spawn(req.factory)
        self._refs[pid] = self.system.monitor(pid)
        return pid

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "finally": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_call(self, req, frm):
        ref = self.system.monitor(req.pid)
        try:
            return await self.system.call(req.pid, req)
        finally:
            self.system.demonitor(ref, flush=True)
""",
    "guard-get-none": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):
    async def handle_cast(self, msg):
        if self._refs.get(msg.pid) is None:
            self._refs[msg.pid] = self.system.monitor(msg.pid)
    def _ensure(self, pid):
        if pid not in self._refs:
            self._refs[pid] = self.system.monitor(pid)
    def _knows(self, pid):
        return pid in self._refs
    def _get(self, pid):
        if pid in self._refs:
            return self._refs[pid]
        return self.system.monitor(pid)

    async def handle_call(self, req, frm):
        ref = self._refs.pop(req.pid, None)
        if ref is not None:
            self.system.demonitor(ref, flush=True)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "guard-early": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):
    async def handle_cast(self, msg):
        if msg.pid in self._refs:
            return
        self._refs[msg.pid] = self.system.monitor(msg.pid)
    def _ensure(self, pid):
        if pid not in self._refs:
            self._refs[pid] = self.system.monitor(pid)
    def _knows(self, pid):
        return pid in self._refs
    def _get(self, pid):
        if pid in self._refs:
            return self._refs[pid]
        return self.system.monitor(pid)

    async def handle_call(self, req, frm):
        ref = self._refs.pop(req.pid, None)
        if ref is not None:
            self.system.demonitor(ref, flush=True)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "guard-flag": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):
    async def handle_cast(self, msg):
        if not self._on:
            self._on = True
            self._refs[msg.pid] = self.system.monitor(msg.pid)
    def _ensure(self, pid):
        if pid not in self._refs:
            self._refs[pid] = self.system.monitor(pid)
    def _knows(self, pid):
        return pid in self._refs
    def _get(self, pid):
        if pid in self._refs:
            return self._refs[pid]
        return self.system.monitor(pid)

    async def handle_call(self, req, frm):
        ref = self._refs.pop(req.pid, None)
        if ref is not None:
            self.system.demonitor(ref, flush=True)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "guard-local": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):
    async def handle_cast(self, msg):
        known = msg.pid in self._refs
        if known:
            return
        self._refs[msg.pid] = self.system.monitor(msg.pid)
    def _ensure(self, pid):
        if pid not in self._refs:
            self._refs[pid] = self.system.monitor(pid)
    def _knows(self, pid):
        return pid in self._refs
    def _get(self, pid):
        if pid in self._refs:
            return self._refs[pid]
        return self.system.monitor(pid)

    async def handle_call(self, req, frm):
        ref = self._refs.pop(req.pid, None)
        if ref is not None:
            self.system.demonitor(ref, flush=True)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "guard-walrus": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):
    async def handle_cast(self, msg):
        if (r := self._refs.get(msg.pid)) is None:
            self._refs[msg.pid] = self.system.monitor(msg.pid)
    def _ensure(self, pid):
        if pid not in self._refs:
            self._refs[pid] = self.system.monitor(pid)
    def _knows(self, pid):
        return pid in self._refs
    def _get(self, pid):
        if pid in self._refs:
            return self._refs[pid]
        return self.system.monitor(pid)

    async def handle_call(self, req, frm):
        ref = self._refs.pop(req.pid, None)
        if ref is not None:
            self.system.demonitor(ref, flush=True)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "guard-eafp": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):
    async def handle_cast(self, msg):
        try:
            self._refs[msg.pid]
        except KeyError:
            self._refs[msg.pid] = self.system.monitor(msg.pid)
    def _ensure(self, pid):
        if pid not in self._refs:
            self._refs[pid] = self.system.monitor(pid)
    def _knows(self, pid):
        return pid in self._refs
    def _get(self, pid):
        if pid in self._refs:
            return self._refs[pid]
        return self.system.monitor(pid)

    async def handle_call(self, req, frm):
        ref = self._refs.pop(req.pid, None)
        if ref is not None:
            self.system.demonitor(ref, flush=True)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "guard-helper": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):
    async def handle_cast(self, msg):
        self._ensure(msg.pid)
    def _ensure(self, pid):
        if pid not in self._refs:
            self._refs[pid] = self.system.monitor(pid)
    def _knows(self, pid):
        return pid in self._refs
    def _get(self, pid):
        if pid in self._refs:
            return self._refs[pid]
        return self.system.monitor(pid)

    async def handle_call(self, req, frm):
        ref = self._refs.pop(req.pid, None)
        if ref is not None:
            self.system.demonitor(ref, flush=True)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "guard-predicate": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):
    async def handle_cast(self, msg):
        if not self._knows(msg.pid):
            self._refs[msg.pid] = self.system.monitor(msg.pid)
    def _ensure(self, pid):
        if pid not in self._refs:
            self._refs[pid] = self.system.monitor(pid)
    def _knows(self, pid):
        return pid in self._refs
    def _get(self, pid):
        if pid in self._refs:
            return self._refs[pid]
        return self.system.monitor(pid)

    async def handle_call(self, req, frm):
        ref = self._refs.pop(req.pid, None)
        if ref is not None:
            self.system.demonitor(ref, flush=True)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "guard-replace": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):
    async def handle_cast(self, msg):
        old = self._refs.pop(msg.pid, None)
        if old is not None:
            self.system.demonitor(old)
        self._refs[msg.pid] = self.system.monitor(msg.pid)
    def _ensure(self, pid):
        if pid not in self._refs:
            self._refs[pid] = self.system.monitor(pid)
    def _knows(self, pid):
        return pid in self._refs
    def _get(self, pid):
        if pid in self._refs:
            return self._refs[pid]
        return self.system.monitor(pid)

    async def handle_call(self, req, frm):
        ref = self._refs.pop(req.pid, None)
        if ref is not None:
            self.system.demonitor(ref, flush=True)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "guard-diff": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):
    async def handle_cast(self, msg):
        for pid in set(msg.pids) - set(self._refs):
            self._refs[pid] = self.system.monitor(pid)
    def _ensure(self, pid):
        if pid not in self._refs:
            self._refs[pid] = self.system.monitor(pid)
    def _knows(self, pid):
        return pid in self._refs
    def _get(self, pid):
        if pid in self._refs:
            return self._refs[pid]
        return self.system.monitor(pid)

    async def handle_call(self, req, frm):
        ref = self._refs.pop(req.pid, None)
        if ref is not None:
            self.system.demonitor(ref, flush=True)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "guard-comp": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):
    async def handle_cast(self, msg):
        self._refs.update({p: self.system.monitor(p) for p in msg.pids if p not in self._refs})
    def _ensure(self, pid):
        if pid not in self._refs:
            self._refs[pid] = self.system.monitor(pid)
    def _knows(self, pid):
        return pid in self._refs
    def _get(self, pid):
        if pid in self._refs:
            return self._refs[pid]
        return self.system.monitor(pid)

    async def handle_call(self, req, frm):
        ref = self._refs.pop(req.pid, None)
        if ref is not None:
            self.system.demonitor(ref, flush=True)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "guard-returned": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):
    async def handle_cast(self, msg):
        self._refs[msg.pid] = self._get(msg.pid)
    def _ensure(self, pid):
        if pid not in self._refs:
            self._refs[pid] = self.system.monitor(pid)
    def _knows(self, pid):
        return pid in self._refs
    def _get(self, pid):
        if pid in self._refs:
            return self._refs[pid]
        return self.system.monitor(pid)

    async def handle_call(self, req, frm):
        ref = self._refs.pop(req.pid, None)
        if ref is not None:
            self.system.demonitor(ref, flush=True)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "guard-alias": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):
    async def handle_cast(self, msg):
        refs, monitor = self._refs, self.system.monitor
        if msg.pid not in refs:
            refs[msg.pid] = monitor(msg.pid)
    def _ensure(self, pid):
        if pid not in self._refs:
            self._refs[pid] = self.system.monitor(pid)
    def _knows(self, pid):
        return pid in self._refs
    def _get(self, pid):
        if pid in self._refs:
            return self._refs[pid]
        return self.system.monitor(pid)

    async def handle_call(self, req, frm):
        ref = self._refs.pop(req.pid, None)
        if ref is not None:
            self.system.demonitor(ref, flush=True)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "guard-cond": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):
    async def handle_cast(self, msg):
        self._refs[msg.pid] = self._refs[msg.pid] if msg.pid in self._refs else self.system.monitor(msg.pid)
    def _ensure(self, pid):
        if pid not in self._refs:
            self._refs[pid] = self.system.monitor(pid)
    def _knows(self, pid):
        return pid in self._refs
    def _get(self, pid):
        if pid in self._refs:
            return self._refs[pid]
        return self.system.monitor(pid)

    async def handle_call(self, req, frm):
        ref = self._refs.pop(req.pid, None)
        if ref is not None:
            self.system.demonitor(ref, flush=True)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "guard-or": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):
    async def handle_cast(self, msg):
        self._refs[msg.pid] = self._refs.get(msg.pid) or self.system.monitor(msg.pid)
    def _ensure(self, pid):
        if pid not in self._refs:
            self._refs[pid] = self.system.monitor(pid)
    def _knows(self, pid):
        return pid in self._refs
    def _get(self, pid):
        if pid in self._refs:
            return self._refs[pid]
        return self.system.monitor(pid)

    async def handle_call(self, req, frm):
        ref = self._refs.pop(req.pid, None)
        if ref is not None:
            self.system.demonitor(ref, flush=True)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "guard-and": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):
    async def handle_cast(self, msg):
        if msg.pid is not None and msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)
    def _ensure(self, pid):
        if pid not in self._refs:
            self._refs[pid] = self.system.monitor(pid)
    def _knows(self, pid):
        return pid in self._refs
    def _get(self, pid):
        if pid in self._refs:
            return self._refs[pid]
        return self.system.monitor(pid)

    async def handle_call(self, req, frm):
        ref = self._refs.pop(req.pid, None)
        if ref is not None:
            self.system.demonitor(ref, flush=True)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "single": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if self._ref is None:
            self._ref = self.system.monitor(self.peer)
    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._ref = None
""",
    "rewatch": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def init(self):
        self._ref = self.system.monitor("worker")
    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._ref = self.system.monitor("worker")
""",
    "cm": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    @contextlib.contextmanager
    def watching(self, pid):
        ref = self.system.monitor(pid)
        try:
            yield ref
        finally:
            self.system.demonitor(ref)
    async def handle_call(self, req, frm):
        with self.watching(req.pid):
            return await self.system.call(req.pid, req)
""",
    "timer-release": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_call(self, req, frm):
        ref = self.system.monitor(req.pid)
        self.system.send_after(5, self.pid, Expire(ref))
    async def handle_info(self, msg):
        if isinstance(msg, Expire):
            self.system.demonitor(msg.ref, flush=True)
""",
}

FLAWED: dict[str, Program] = {
    "repeat": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def handle_call(self, req, frm):
        ref = self._refs.pop(req.pid, None)
        if ref is not None:
            self.system.demonitor(ref, flush=True)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "repeat-setdefault": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        self._refs.setdefault(msg.pid, self.system.monitor(msg.pid))

    async def handle_call(self, req, frm):
        ref = self._refs.pop(req.pid, None)
        if ref is not None:
            self.system.demonitor(ref, flush=True)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "repeat-helper": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        self._watch(msg.pid)
    def _watch(self, pid):
        self._refs[pid] = self.system.monitor(pid)

    async def handle_call(self, req, frm):
        ref = self._refs.pop(req.pid, None)
        if ref is not None:
            self.system.demonitor(ref, flush=True)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "repeat-irrelevant-guard": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if self.enabled:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def handle_call(self, req, frm):
        ref = self._refs.pop(req.pid, None)
        if ref is not None:
            self.system.demonitor(ref, flush=True)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
}


@pytest.mark.parametrize("name", FINE)
def test_silent(name: str, scan: Scan) -> None:
    assert scan(FINE[name], WATCHES) == []


@pytest.mark.parametrize("name", FLAWED)
def test_one_flaw_is_one_finding(name: str, scan: Scan) -> None:
    assert [finding.code for finding in scan(FLAWED[name], WATCHES)] == ["OTP103"]
