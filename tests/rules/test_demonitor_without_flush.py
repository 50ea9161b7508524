"""OTP104: releases that leave a DOWN behind; the tempting negatives first."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from otplint.findings import Finding

Scan = Callable[..., list[Finding]]

HEAD = """\
from contextlib import suppress
from otplint.runtime import Down, Server, Stop

class A(Server):
    async def init(self):
        self._refs = {}
        self._deaths = 0
        self.owner = None
        self.ref = None
"""
JOIN = """\
    async def handle_call(self, req, frm):
        if req.pid not in self._refs:
            self._refs[req.pid] = self.system.monitor(req.pid)
"""
LEAVE = """\
    async def handle_cast(self, msg):
        ref = self._refs.pop(msg.pid, None)
        if ref is not None:
            self.system.demonitor(ref)
"""
COUNTS = """\
    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
            self._deaths += 1
"""

FINE = {
    "flushed": JOIN + LEAVE.replace("(ref)", "(ref, flush=True)") + COUNTS,
    "flush-decided-elsewhere": JOIN + LEAVE.replace("(ref)", "(ref, flush=self.flush)") + COUNTS,
    "flush-in-keywords": JOIN + LEAVE.replace("(ref)", "(ref, **self.how)") + COUNTS,
    "no-down-handler": JOIN + LEAVE,
    "removal-that-changes-nothing": JOIN
    + LEAVE
    + """\
    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self._refs.pop(msg.pid, None)
            self._names.discard(msg.pid)
            print("gone", msg.pid)
""",
    "asks-membership": JOIN
    + LEAVE
    + """\
    async def handle_info(self, msg):
        if isinstance(msg, Down) and msg.pid in self._refs:
            del self._refs[msg.pid]
            self._deaths += 1
""",
    "asks-by-pop": JOIN
    + LEAVE
    + """\
    async def handle_info(self, msg):
        match msg:
            case Down(pid=pid):
                if self._refs.pop(pid, None) is None:
                    return
                self._deaths += 1
""",
    "asks-the-reference": JOIN
    + LEAVE
    + """\
    async def handle_info(self, msg):
        if isinstance(msg, Down):
            known = self._refs.get(msg.pid)
            if known == msg.ref:
                self.system.cast(self.parent, "lost")
""",
    "asks-in-a-guard": JOIN
    + LEAVE
    + """\
    async def handle_info(self, msg):
        match msg:
            case Down(pid=pid) if pid in self._refs:
                self._deaths += 1
""",
    "asks-in-a-helper": JOIN
    + LEAVE
    + """\
    def _stale(self, msg):
        return msg.pid not in self._refs

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            if self._stale(msg):
                return
            self._bury(msg)

    def _bury(self, msg):
        self._deaths += 1
""",
    "key-error-caught": JOIN
    + LEAVE
    + """\
    async def handle_info(self, msg):
        if isinstance(msg, Down):
            try:
                del self._refs[msg.pid]
            except KeyError:
                return
            self._deaths += 1
""",
    "key-error-suppressed": JOIN
    + LEAVE
    + """\
    async def handle_info(self, msg):
        if isinstance(msg, Down):
            with suppress(KeyError):
                self._refs.pop(msg.pid)
                self._deaths += 1
""",
    "released-at-the-end": JOIN
    + """\
    async def terminate(self, reason):
        for ref in self._refs.values():
            self.system.demonitor(ref)
"""
    + COUNTS,
    "the-report's-own-repair": JOIN
    + """\
    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self.system.demonitor(self._refs.pop(msg.pid))
            self._deaths += 1
""",
    "answer-looked-at": JOIN
    + """\
    async def handle_cast(self, msg):
        if not self.system.demonitor(self._refs.pop(msg.pid)):
            self._late.add(msg.pid)
"""
    + COUNTS,
}

FLAWED = {
    "counts": JOIN + LEAVE + COUNTS,
    "flush-false": JOIN + LEAVE.replace("(ref)", "(ref, flush=False)") + COUNTS,
    "through-a-helper": JOIN
    + """\
    async def handle_cast(self, msg):
        self._leave(msg.pid)

    def _leave(self, pid):
        demonitor = self.system.demonitor
        demonitor(self._refs.pop(pid))
"""
    + COUNTS,
    "key-error": JOIN
    + LEAVE
    + """\
    async def handle_info(self, msg):
        if isinstance(msg, Down):
            del self._refs[msg.pid]
""",
    "tells-another": JOIN
    + LEAVE
    + """\
    async def handle_info(self, msg):
        match msg:
            case Down(pid=pid):
                self._bury(pid)

    def _bury(self, pid):
        self.system.cast(self.parent, ("lost", pid))
""",
    "one-owner": """\
    async def handle_call(self, req, frm):
        if self.ref is not None:
            self.system.demonitor(self.ref)
        self.owner = req.pid
        self.ref = self.system.monitor(req.pid)

    async def handle_info(self, msg):
        if isinstance(msg, Down):
            self.owner = None
            self.ref = None
""",
    "asks-something-else": JOIN
    + LEAVE
    + """\
    async def handle_info(self, msg):
        if isinstance(msg, Down):
            if self.verbose:
                self._deaths += 1
""",
    "stops": JOIN
    + LEAVE
    + """\
    async def handle_info(self, msg):
        if isinstance(msg, Down):
            raise Stop("a guest died")
""",
}


def program(name: str, cases: dict[str, str]) -> str:
    return HEAD + textwrap.indent(textwrap.dedent(cases[name]), "    ")


@pytest.mark.parametrize("name", FINE)
def test_silent(name: str, scan: Scan) -> None:
    assert scan(program(name, FINE), "OTP104") == []


@pytest.mark.parametrize("name", FLAWED)
def test_reported_at_the_release(name: str, scan: Scan) -> None:
    text = program(name, FLAWED)
    found = scan(text, "OTP104")
    assert len(found) == 1
    assert "demonitor(" in text.split("\n")[found[0].span.line - 1]


def test_a_base_in_another_file(scan: Scan) -> None:
    base = program("counts", {"counts": COUNTS}).replace("class A", "class Watching")
    derived = "from base import Watching\n\nclass A(Watching):\n" + textwrap.indent(
        textwrap.dedent(JOIN + LEAVE), "    "
    )
    found = scan({"base.py": base, "app.py": derived}, "OTP104")
    assert [(f.span.path, f.related[0].span.path) for f in found] == [("app.py", "base.py")]
