"""OTP101: Watches that nothing releases, and paths that forget one; the tempting negatives first."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otplint.findings import Confidence, Finding

WATCHES = ("OTP101", "OTP102", "OTP103")
Scan = Callable[..., list[Finding]]
Program = str | dict[str, str]

FINE: dict[str, Program] = {
    "terminate": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def terminate(self, reason):
        for ref in self._refs.values():
            self.system.demonitor(ref)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "repair": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def handle_info(self, msg):
        match msg:
            case Down(ref, pid, _):
                self.system.demonitor(ref, flush=True)
                self._refs.pop(pid, None)
""",
    "down-pop-only-live-released": """\
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
    "release-in-caller": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._forget(msg.pid)
    def _forget(self, pid):
        self._refs.pop(pid, None)
    async def handle_call(self, req, frm):
        self.system.demonitor(self._refs[req.pid])
        self._forget(req.pid)
""",
    "release-after-in-helper": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)

    async def handle_call(self, req, frm):
        ref = self._refs.pop(req.pid)
        self._let_go(ref)
    def _let_go(self, ref):
        self.system.demonitor(ref)
""",
    "popped-released": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)

    async def handle_call(self, req, frm):
        self.system.demonitor(self._refs.pop(req.pid))
""",
    "take-helper": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)

    def _take(self, pid):
        return self._refs.pop(pid)
    async def handle_call(self, req, frm):
        self.system.demonitor(self._take(req.pid))
""",
    "moved": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def terminate(self, reason):
        for ref in self._refs.values():
            self.system.demonitor(ref)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)

    async def handle_call(self, req, frm):
        self._paused[req.pid] = self._refs.pop(req.pid)
    async def resume(self, pid):
        self.system.demonitor(self._paused.pop(pid))
""",
    "kill": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def terminate(self, reason):
        for ref in self._refs.values():
            self.system.demonitor(ref)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)

    async def handle_call(self, req, frm):
        del self._refs[req.pid]
        self.system.exit(req.pid, "retired")
""",
    "exitstack": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_call(self, req, frm):
        with contextlib.ExitStack() as stack:
            ref = self.system.monitor(req.pid)
            stack.callback(self.system.demonitor, ref)
            return await self.system.call(req.pid, req)
""",
    "deferred-wait": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_call(self, req, frm):
        self._waiting[self.system.monitor(req.pid)] = frm
        return NO_REPLY
    async def handle_info(self, msg):
        if isinstance(msg, Down):
            frm = self._waiting.pop(msg.ref, None)
            if frm is not None:
                frm.reply(msg.reason)
""",
    "collaborator": {
        "app.py": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System


from book import Book, drop_all
class A(Server):
    async def init(self):
        self._refs = {}
    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)
    async def handle_call(self, req, frm):
        drop_all(self.system, self._refs)
        self._refs.clear()
""",
        "book.py": """\
class Book: pass
def drop_all(system, refs):
    for ref in refs.values():
        system.demonitor(ref)
""",
    },
    "base-in-file": {
        "pkg/__init__.py": """\

""",
        "pkg/base.py": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System


class Base(Server):
    def _drop(self, pid):
        self.system.demonitor(self._refs.pop(pid))
""",
        "pkg/app.py": """\
from .base import Base
class A(Base):
    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)
""",
    },
    "abstract-base": {
        "pkg/__init__.py": """\

""",
        "pkg/base.py": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System


class Base(Server):
    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)
""",
        "pkg/app.py": """\
from .base import Base
class A(Base):
    async def handle_call(self, req, frm):
        self.system.demonitor(self._refs.pop(req.pid))
""",
    },
    "mixin-release": {
        "mix.py": """\
class Releases:
    def let_go(self, pid):
        self.system.demonitor(self._refs.pop(pid))
""",
        "app.py": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System


from mix import Releases
class A(Releases, Server):
    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)
""",
    },
    "record-released": {
        "app.py": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System


from dataclasses import dataclass
@dataclass
class Peer:
    pid: object
    ref: object
class A(Server):
    async def handle_cast(self, msg):
        if msg.pid not in self._peers:
            self._peers[msg.pid] = Peer(msg.pid, self.system.monitor(msg.pid))
    async def handle_call(self, req, frm):
        peer = self._peers.pop(req.pid)
        self.system.demonitor(peer.ref)
    async def handle_info(self, msg):
        match msg:
            case Down(pid=pid):
                self._peers.pop(pid, None)
""",
    },
    "untested-handle-info": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def handle_call(self, req, frm):
        ref = self._refs.pop(req.pid, None)
        if ref is not None:
            self.system.demonitor(ref, flush=True)

    async def handle_info(self, down):
        self._refs.pop(down.pid, None)
""",
    "reversed": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._pids.values():
            self._pids[self.system.monitor(msg.pid)] = msg.pid
    async def handle_call(self, req, frm):
        for ref, pid in list(self._pids.items()):
            if pid == req.pid:
                self.system.demonitor(ref)
                del self._pids[ref]
""",
    "swap": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)

    async def handle_call(self, req, frm):
        old, self._refs = self._refs, {}
        for ref in old.values():
            self.system.demonitor(ref)
""",
    "walrus-release": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)

    async def handle_call(self, req, frm):
        if (ref := self._refs.pop(req.pid, None)) is not None:
            self.system.demonitor(ref, flush=True)
""",
    "get-then-del": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)

    async def handle_call(self, req, frm):
        ref = self._refs.get(req.pid)
        if ref is None:
            return False
        self.system.demonitor(ref)
        del self._refs[req.pid]
        return True
""",
    "lazy-loop-timer": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)

    async def handle_call(self, req, frm):
        gone = [p for p in self._refs if not self.system.alive(p)]
        for pid in gone:
            self.system.demonitor(self._refs.pop(pid))
""",
    "alive-prune": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def terminate(self, reason):
        for ref in self._refs.values():
            self.system.demonitor(ref)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)

    async def handle_call(self, req, frm):
        for pid in list(self._refs):
            if not self.system.alive(pid):
                del self._refs[pid]
""",
    "bound-release": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    def __init__(self, system):
        self.release = self.system.demonitor

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)

    async def handle_call(self, req, frm):
        self.release(self._refs.pop(req.pid))
""",
    "map-release": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)

    async def handle_call(self, req, frm):
        list(map(self.system.demonitor, self._refs.values()))
        self._refs.clear()
""",
    "singledispatch-down": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def terminate(self, reason):
        for ref in self._refs.values():
            self.system.demonitor(ref)

    @functools.singledispatchmethod
    def on(self, msg): ...
    @on.register
    def _(self, msg: Down):
        self._refs.pop(msg.pid, None)
    async def handle_info(self, msg):
        self.on(msg)
""",
    "dict-dispatch-down": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def terminate(self, reason):
        for ref in self._refs.values():
            self.system.demonitor(ref)

    async def handle_info(self, msg):
        {Down: self._gone}[type(msg)](msg)
    def _gone(self, msg):
        self._refs.pop(msg.pid, None)
""",
    "early-return-not-down": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def terminate(self, reason):
        for ref in self._refs.values():
            self.system.demonitor(ref)

    async def handle_info(self, msg):
        if not isinstance(msg, Down):
            return await super().handle_info(msg)
        self._refs.pop(msg.pid, None)
""",
    "is-down-var": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def terminate(self, reason):
        for ref in self._refs.values():
            self.system.demonitor(ref)

    async def handle_info(self, msg):
        gone = isinstance(msg, Down)
        if gone:
            self._refs.pop(msg.pid, None)
""",
    "state-object": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self.state.refs:
            self.state.refs[msg.pid] = self.system.monitor(msg.pid)
    async def handle_call(self, req, frm):
        self.system.demonitor(self.state.refs.pop(req.pid))
""",
    "tuple-entry": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = (self.system.monitor(msg.pid), msg.at)
    async def handle_call(self, req, frm):
        ref, at = self._refs.pop(req.pid)
        self.system.demonitor(ref)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "copied-over": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def terminate(self, reason):
        for ref in self._refs.values():
            self.system.demonitor(ref)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)

    async def handle_call(self, req, frm):
        self._old[req.pid] = self._refs[req.pid]
        del self._refs[req.pid]
""",
    "two-level-finally": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_call(self, req, frm):
        ref = self._begin(req.pid)
        try:
            return await self.system.call(req.pid, req)
        finally:
            self._end(ref)
    def _begin(self, pid):
        return self.system.monitor(pid)
    def _end(self, ref):
        self.system.demonitor(ref, flush=True)
""",
    "reset-with-helper": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)

    async def handle_call(self, req, frm):
        self._release_all()
        self._refs = {}
    def _release_all(self):
        for pid in list(self._refs):
            self.system.demonitor(self._refs[pid], flush=True)
""",
    "dead-letter-prune-on-failed-call": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def terminate(self, reason):
        for ref in self._refs.values():
            self.system.demonitor(ref)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)

    async def handle_call(self, req, frm):
        try:
            return await self.system.call(req.pid, req)
        except Exited:
            self._refs.pop(req.pid, None)
            return None
""",
    "set-of-refs": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_call(self, req, frm):
        ref = self.system.monitor(req.pid)
        self._live.add(ref)
        try:
            return await self.system.call(req.pid, req)
        finally:
            self._live.discard(ref)
            self.system.demonitor(ref)
""",
    "callback-nested-release": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_call(self, req, frm):
        ref = self.system.monitor(req.pid)
        def done():
            self.system.demonitor(ref)
        req.future.add_done_callback(done)
""",
    "property-table": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    @property
    def table(self):
        return self._state["refs"]
    async def handle_cast(self, msg):
        if msg.pid not in self.table:
            self.table[msg.pid] = self.system.monitor(msg.pid)
    async def handle_call(self, req, frm):
        self.system.demonitor(self._state["refs"].pop(req.pid))
""",
}

FLAWED: dict[str, Program] = {
    "never": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "drop": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def terminate(self, reason):
        for ref in self._refs.values():
            self.system.demonitor(ref)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)

    async def handle_call(self, req, frm):
        del self._refs[req.pid]
        return "ok"
""",
    "drop-pop": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def terminate(self, reason):
        for ref in self._refs.values():
            self.system.demonitor(ref)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)

    async def handle_call(self, req, frm):
        return self._refs.pop(req.pid, None) is not None
""",
    "drop-clear": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def terminate(self, reason):
        for ref in self._refs.values():
            self.system.demonitor(ref)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)

    async def handle_call(self, req, frm):
        self._refs.clear()
""",
    "drop-reassign": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def terminate(self, reason):
        for ref in self._refs.values():
            self.system.demonitor(ref)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)

    async def handle_call(self, req, frm):
        self._refs = {}
""",
    "drop-helper": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def terminate(self, reason):
        for ref in self._refs.values():
            self.system.demonitor(ref)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._forget(msg.pid)
    def _forget(self, pid):
        self._refs.pop(pid, None)
    async def handle_call(self, req, frm):
        self._forget(req.pid)
""",
    "leaky-exit": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_call(self, req, frm):
        ref = self.system.monitor(req.pid)
        try:
            answer = await self.system.call(req.pid, req)
        except TimeoutError:
            return None
        self.system.demonitor(ref, flush=True)
        return answer
""",
    "two-tables": """\
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

    async def handle_info(self, msg):
        if isinstance(msg, Register):
            if msg.pid not in self._others:
                self._others[msg.pid] = self.system.monitor(msg.pid)
""",
    "record": {
        "app.py": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System


from dataclasses import dataclass
@dataclass
class Peer:
    pid: object
    ref: object
class A(Server):
    async def handle_cast(self, msg):
        if msg.pid not in self._peers:
            self._peers[msg.pid] = Peer(msg.pid, self.system.monitor(msg.pid))
    async def handle_info(self, msg):
        match msg:
            case Down(pid=pid):
                self._peers.pop(pid, None)
""",
    },
    "guard-table-dropped": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._members:
            self._members.add(msg.pid)
            self._refs[msg.pid] = self.system.monitor(msg.pid)
    async def handle_call(self, req, frm):
        self._members.discard(req.pid)

    async def terminate(self, reason):
        for ref in self._refs.values():
            self.system.demonitor(ref)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "sequential-ifs": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if isinstance(msg, Watch):
            if msg.pid not in self._refs:
                self._refs[msg.pid] = self.system.monitor(msg.pid)
        if isinstance(msg, Leave):
            self._refs.pop(msg.pid, None)
        if isinstance(msg, Evict):
            self.system.demonitor(self._refs.pop(msg.pid))

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
""",
    "attr-none": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if self._ref is None:
            self._ref = self.system.monitor(msg.pid)
    async def handle_call(self, req, frm):
        if req == "detach":
            self._ref = None
        else:
            self.system.demonitor(self._ref)
            self._ref = None
""",
    "plain-unwatch-method": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def terminate(self, reason):
        for ref in self._refs.values():
            self.system.demonitor(ref)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)

    def unwatch(self, pid):
        del self._refs[pid]
""",
    "unpack-not-alias": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        a, b = self.pair
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)
""",
    "append-never": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        self.refs.append(self.system.monitor(msg.pid))
""",
    "aliased-import": {
        "app.py": """\
import otplint.runtime as rt
class Base(rt.Server):
    def track(this, who):
        node = this.system
        this.table[who] = node.monitor(who)
class B(Base):
    async def handle_call(self, q, f):
        self.track(q.who)
""",
    },
    "subclass-drops": {
        "base.py": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System


class Base(Server):
    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)
    async def handle_call(self, req, frm):
        self.system.demonitor(self._refs.pop(req.pid))
""",
        "app.py": """\
from base import Base
class A(Base):
    async def handle_info(self, msg):
        if msg == "flush":
            self._refs.clear()
""",
    },
    "prune-idle": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def terminate(self, reason):
        for ref in self._refs.values():
            self.system.demonitor(ref)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)

    async def handle_call(self, req, frm):
        for pid in list(self._refs):
            if self.idle(pid):
                del self._refs[pid]
""",
    "session-by-base-class-hook": {
        "base.py": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System


class Hooks(Server):
    async def handle_call(self, req, frm):
        return await self.on_request(req)
    async def on_request(self, req):
        raise NotImplementedError
""",
        "app.py": """\
from base import Hooks
class A(Hooks):
    async def on_request(self, req):
        self.live[req.pid] = self.system.monitor(req.pid)
""",
    },
    "match-cast": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        match msg:
            case ("watch", pid):
                self._refs[pid] = self.system.monitor(pid)
            case ("unwatch", pid):
                self._refs.pop(pid, None)
    async def terminate(self, reason):
        for ref in self._refs.values():
            self.system.demonitor(ref)
""",
    "interest-ends-elsewhere": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)

    async def handle_call(self, req, frm):
        if isinstance(req, Quiet):
            self._refs = dict()
        elif isinstance(req, Off):
            ref = self._refs.pop(req.pid)
            self.system.demonitor(ref)
""",
    "prune-on-timeout": """\
from otplint.runtime import CallError, CallTimeout, Down, Exited, NoProc, Pid, Server, Stop, System

class A(Server):

    async def handle_cast(self, msg):
        if msg.pid not in self._refs:
            self._refs[msg.pid] = self.system.monitor(msg.pid)

    async def terminate(self, reason):
        for ref in self._refs.values():
            self.system.demonitor(ref)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)

    async def handle_call(self, req, frm):
        try:
            return await self.system.call(req.pid, req)
        except CallTimeout:
            self._refs.pop(req.pid, None)
            return None
""",
}


@pytest.mark.parametrize("name", FINE)
def test_silent(name: str, scan: Scan) -> None:
    assert scan(FINE[name], WATCHES) == []


@pytest.mark.parametrize("name", FLAWED)
def test_one_flaw_is_one_finding(name: str, scan: Scan) -> None:
    assert [finding.code for finding in scan(FLAWED[name], WATCHES)] == ["OTP101"]


def test_a_class_that_never_releases_is_less_sure_than_a_path_that_forgets(scan: Scan) -> None:
    assert scan(FLAWED["never"], "OTP101")[0].confidence is Confidence.MEDIUM
    assert scan(FLAWED["drop"], "OTP101")[0].confidence is Confidence.HIGH
    assert scan(FLAWED["plain-unwatch-method"], "OTP101")[0].confidence is Confidence.MEDIUM


def test_the_call_is_the_place_and_the_rest_of_the_story_is_related(scan: Scan) -> None:
    text = FLAWED["drop"]
    assert isinstance(text, str)
    lines = text.splitlines()
    (found,) = scan(text, "OTP101")
    assert (
        lines[found.span.line - 1][found.span.column - 1 : found.span.end_column - 1] == "self.system.monitor(msg.pid)"
    )
    assert [lines[r.span.line - 1].strip() for r in found.related] == [
        "del self._refs[req.pid]",
        "if isinstance(msg, Down):",
    ]


def test_no_name_of_the_users_own_decides(scan: Scan) -> None:
    own = {"_refs": "_kq", "req": "w", "ref": "v", "_forget": "_h", "A": "Zed", "_known": "_u", "_members": "_n"}
    for name, text in {**FINE, **FLAWED}.items():
        if isinstance(text, str):
            renamed = re.sub(r"(?<![\w.])(\w+)|(?<=self\.)(\w+)", lambda m: own.get(m[0], m[0]), text)
            assert renamed != text
            assert [f.code for f in scan(renamed, WATCHES)] == [f.code for f in scan(text, WATCHES)], name


class TestUserFramework:
    """What the configuration says about an in-house framework is all that the rules know of it."""

    RELEASE_BY_TAG = '{role = "release", names = ["acme.Node.let_go"], parameters = ["tag"], reference = "tag"}'
    RELEASE_BY_TARGET = '{role = "release", names = ["acme.Node.let_go"], parameters = ["who"], target = "who"}'
    CONFIG = """
        [tool.otplint.frameworks.acme]
        tokens = ["acme"]
        down = ["acme.Gone"]
        actor = [{{bases = ["acme.Actor"], handlers = ["receive"], attributes = {{node = "acme.Node"}}}}]
        operation = [
            {{role = "watch", names = ["acme.Node.tie"], parameters = ["who"], target = "who"}},
            {release},
        ]
    """
    PROGRAM = """\
from acme import Actor, Gone


class Desk(Actor):
    def __init__(self):
        self.ties = {}

    def receive(self, m):
        if isinstance(m, Gone):
            self.ties.pop(m.who, None)
        elif m.who not in self.ties:
            KEEP
"""
    KEEPS = PROGRAM.replace("KEEP", "self.ties[m.who] = self.node.tie(m.who)")
    DROPS = PROGRAM.replace("KEEP", "self.ties[m.who] = True\n            self.node.tie(m.who)")

    def check(self, otplint: Callable[..., Any], folder: Path, program: str, release: str) -> list[str]:
        (folder / "pyproject.toml").write_text(textwrap.dedent(self.CONFIG.format(release=release)), encoding="utf-8")
        (folder / "app.py").write_text(program, encoding="utf-8")
        answer = otplint(["check", "app.py", "--format", "json", "--select", ",".join(WATCHES)])
        assert not json.loads(answer.out)["errors"]
        return [finding["code"] for finding in json.loads(answer.out)["findings"]]

    def test_by_reference(self, otplint: Callable[..., Any], tmp_path: Path) -> None:
        off = "\n    def off(self, who):\n        self.node.let_go(self.ties.pop(who))\n"
        assert self.check(otplint, tmp_path, self.KEEPS, self.RELEASE_BY_TAG) == ["OTP101"]
        assert self.check(otplint, tmp_path, self.KEEPS + off, self.RELEASE_BY_TAG) == []
        assert self.check(otplint, tmp_path, self.DROPS, self.RELEASE_BY_TAG) == ["OTP102"]

    def test_by_target(self, otplint: Callable[..., Any], tmp_path: Path) -> None:
        off = "\n    def off(self, who):\n        del self.ties[who]\n"
        close = "\n    def close(self):\n        for who in self.ties:\n            self.node.let_go(who)\n"
        assert self.check(otplint, tmp_path, self.DROPS, self.RELEASE_BY_TARGET) == ["OTP101"]
        assert self.check(otplint, tmp_path, self.DROPS + close, self.RELEASE_BY_TARGET) == []
        assert self.check(otplint, tmp_path, self.DROPS + close + off, self.RELEASE_BY_TARGET) == ["OTP101"]


def test_a_release_in_the_overridden_base_method_counts(scan: Scan) -> None:
    files = {
        "base.py": """
            from otplint.runtime import Server

            class Base(Server):
                async def init(self):
                    self.refs = {}

                async def terminate(self, reason):
                    for ref in self.refs.values():
                        self.system.demonitor(ref, flush=True)
        """,
        "app.py": """
            from base import Base

            class Desk(Base):
                async def handle_call(self, req, frm):
                    if req.pid not in self.refs:
                        self.refs[req.pid] = self.system.monitor(req.pid)

                async def terminate(self, reason):
                    self.log("bye")
                    await super().terminate(reason)
        """,
    }
    assert scan(files, "OTP101") == []
    files["app.py"] = files["app.py"].replace("await super().terminate(reason)", "return None")
    assert [f.code for f in scan(files, "OTP101")] == ["OTP101"]


ATOMS = {
    "atoms.py": "from otpylib import atom\nDOWN = atom.ensure('DOWN')\nUP = atom.ensure('UP')\n",
    "marks.py": """\
from atoms import DOWN, UP
from otpylib import atom, process
from otpylib.gen_server import NoReply
from otpylib.module import GEN_SERVER, OTPModule

class Marks(metaclass=OTPModule, behavior=GEN_SERVER, version="1.0.0"):
    async def init(self, room):
        return {"watch": {}}

    async def handle_cast(self, message, state):
        match message:
            case ("read", pid):
                if pid not in state["watch"]:
                    state["watch"][pid] = await process.monitor(pid)
            case ("close", pid):
                ref = state["watch"].pop(pid, None)
                if ref:
                    await process.demonitor(ref, flush=True)
        return (NoReply(), state)

    async def handle_info(self, message, state):
        match message:
            case (tag, _ref, _kind, pid, _reason) if TEST:
                state["watch"].pop(pid, None)
        return (NoReply(), state)
""",
}


@pytest.mark.parametrize(
    ("test", "is_down"), [("tag == DOWN", True), ("tag is atom.ensure('DOWN')", True), ("tag == UP", False)]
)
def test_an_atom_of_the_same_name_is_the_mark_of_an_end(scan: Scan, test: str, is_down: bool) -> None:
    """otpylib's atoms are made by name: its own DOWN is the one that anybody makes."""
    found = scan(ATOMS | {"marks.py": ATOMS["marks.py"].replace("TEST", test)}, "OTP101")
    assert [f.code for f in found] == ([] if is_down else ["OTP101"])
