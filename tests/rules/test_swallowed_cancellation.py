"""OTP202: tempting negatives first, then spellings, who is told to stop, and how bad and how sure it is."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from otplint.findings import Confidence, Finding, Severity

Scan = Callable[..., list[Finding]]

RUNTIME = """
import asyncio, anyio, contextlib, logging, os, sys, trio
import concurrent.futures
from otplint.runtime import Server
log = logging.getLogger('x')
class S(Server):
    async def handle_cast(self, msg):
"""


def handler(*lines: str) -> str:
    """A server with one handler of these statements."""
    return RUNTIME + textwrap.indent("\n".join(lines), "        ")


def clause(type_: str, *arm: str, tried: str = "await self.step(msg)") -> str:
    """A handler whose one statement is guarded by this clause."""
    return handler("try:", f"    {tried}", f"except{' ' if type_ else ''}{type_}:", *[f"    {a}" for a in arm])


def task(*lines: str) -> str:
    """A class with a queue and a task that runs these statements."""
    return (
        "import asyncio, contextlib, logging\nlog = logging.getLogger('x')\nclass T:\n    def __init__(self):\n"
        "        self.q = asyncio.Queue()\n        self.on = True\n        self.t = asyncio.create_task(self.run())\n"
        "    async def run(self):\n" + textwrap.indent("\n".join(lines), "        ")
    )


FINE = {
    "raised": clause("BaseException", "self.n = 1", "raise"),
    "raised on each branch": clause(
        "BaseException as e", "if msg:", "    raise", "elif self.n:", "    raise e", "else:", "    raise OSError from e"
    ),
    "let through before": handler(
        "try:",
        "    await self.step()",
        "except asyncio.CancelledError:",
        "    raise",
        "except BaseException:",
        "    raise OSError",
    ),
    "future": clause("BaseException as e", "msg.future.set_exception(e)"),
    "exit": clause("", "os._exit(1)"),
    "leaves": clause("", "sys.exit(1)"),
    "asks itself": clause("asyncio.CancelledError", "if asyncio.current_task().cancelling():", "    raise"),
    "another future was cancelled": clause("concurrent.futures.CancelledError", "pass"),
    "nothing waits": clause("asyncio.CancelledError", "pass", tried="self.future.result()"),
    "own task": handler(
        "self.t.cancel()", "try:", "    await self.t", "except asyncio.CancelledError:", "    pass", "await self.next()"
    ),
    "own task with a deadline": handler(
        "self.t.cancel()",
        "with contextlib.suppress(asyncio.CancelledError):",
        "    await asyncio.wait_for(self.t, self.patience)",
    ),
    "alias of the task": handler(
        "t, self.t = self.t, None",
        "if t:",
        "    t.cancel()",
        "    try:",
        "        await t",
        "    except asyncio.CancelledError:",
        "        pass",
    ),
    "own tasks": handler(
        "for t in self.ts.values():",
        "    t.cancel()",
        "for t in self.ts.values():",
        "    try:",
        "        await t",
        "    except asyncio.CancelledError:",
        "        pass",
    ),
    "gathered": handler(
        "ts = [t for t in self.ts]",
        "for t in ts:",
        "    t.cancel()",
        "try:",
        "    await asyncio.gather(*ts)",
        "except asyncio.CancelledError:",
        "    pass",
    ),
    "helper cancels": handler("self.end()", "try:", "    await self.t", "except asyncio.CancelledError:", "    pass")
    + "\n    def end(self):\n        self.t.cancel()",
    "terminate": clause("BaseException", "pass").replace("handle_cast(self, msg)", "terminate(self, msg)"),
    "loop inside": task(
        "try:",
        "    while True:",
        "        (await self.q.get()).do()",
        "except asyncio.CancelledError:",
        "    log.info('x')",
        "await self.bye()",
    ),
    "break": task(
        "while True:",
        "    try:",
        "        (await self.q.get()).do()",
        "    except asyncio.CancelledError:",
        "        break",
        "await self.link.close()",
    ),
    "flag": task(
        "while self.on:",
        "    try:",
        "        (await self.q.get()).do()",
        "    except asyncio.CancelledError:",
        "        self.on = False",
    ),
    "a task of its own": handler("asyncio.create_task(self.wait())", "await self.step()")
    + "\n    async def wait(self):\n        try:\n            await self.x()\n        except asyncio.CancelledError:\n"
    "            pass",
    "setup": "import asyncio\nasync def main():\n    while True:\n        try:\n            await go()\n"
    "        except:\n            pass",
    "import": clause("", "self.fast = None", tried="import fast"),
}


@pytest.mark.parametrize("name", FINE)
def test_tempting_but_fine(name: str, scan: Scan) -> None:
    assert not scan(FINE[name], "OTP202")


LOST = {
    "bare": clause("", "pass"),
    "base": clause("BaseException as e", "self.errors.append(str(e))"),
    "cancelled": clause("asyncio.CancelledError", "log.info('x')"),
    "trio": clause("trio.Cancelled", "return"),
    "anyio": clause("anyio.get_cancelled_exc_class()", "return"),
    "tuple": clause("(OSError, asyncio.CancelledError)", "pass"),
    "name": "import asyncio\nALL = (OSError, asyncio.CancelledError)\n" + clause("ALL", "pass"),
    "star": clause("* BaseException", "pass"),
    "suppress": handler("with contextlib.suppress(OSError, asyncio.CancelledError):", "    await self.step()"),
    "one path": clause("asyncio.CancelledError", "if msg:", "    raise"),
    "another task": handler("self.t.cancel()", "try:", "    await self.u", "except BaseException:", "    pass"),
    "handed to a log": clause("BaseException as e", "self.note(e)") + "\n    def note(self, e):\n        log.error(e)",
    "helper": handler("while msg:", "    await self.one(msg)")
    + "\n    async def one(self, m):\n        try:\n            await m.go()\n        except BaseException:\n"
    "            pass",
    "round again": task(
        "while True:",
        "    try:",
        "        (await self.q.get()).do()",
        "    except asyncio.CancelledError:",
        "        continue",
    ),
    "next wait": task(
        "try:",
        "    await self.hello()",
        "except asyncio.CancelledError:",
        "    pass",
        "while True:",
        "    (await self.q.get()).do()",
    ),
}


@pytest.mark.parametrize("name", LOST)
def test_swallows(name: str, scan: Scan) -> None:
    (found,) = scan(LOST[name], ("OTP201", "OTP202", "OTP203"))
    assert (found.code, found.severity) == ("OTP202", Severity.CRITICAL)


def test_a_flag_that_stops_the_loop_lowers_confidence(scan: Scan) -> None:
    text = task(
        "while self.on:",
        "    try:",
        "        (await self.q.get()).do()",
        "    except asyncio.CancelledError:",
        "        pass",
    )
    (found,) = scan(text, "OTP202")
    assert found.confidence is Confidence.MEDIUM
    (found,) = scan(text + "\n    def end(self):\n        self.on = False\n        self.t.cancel()", "OTP202")
    assert found.confidence is Confidence.LOW


THREAD = """
import logging, multiprocessing, os, queue, threading
log = logging.getLogger('x')
class W(threading.Thread):
    def run(self):
        q = queue.Queue()
        while True:
            item = q.get()
            try:
                self.convert(item)
            except BaseException:
                ARM
    def convert(self, item):
        self.last = item.value
    def elsewhere(self):
        while True:
            try:
                self.last()
            except:
                pass
"""


@pytest.mark.parametrize(
    ("arm", "wanted"),
    [
        ("pass", ["medium"]),
        ("log.error('x')", ["low"]),
        ("raise", []),
        ("break", []),
        ("return", []),
        ("os._exit(1)", []),
    ],
)
def test_a_thread_only_where_its_loop_goes_round(arm: str, wanted: list[str], scan: Scan) -> None:
    found = scan(THREAD.replace("ARM", arm), "OTP202")
    assert [(f.confidence.value, f.severity) for f in found] == [(w, Severity.HIGH) for w in wanted]
    assert {f.handler for f in found} <= {"run"}


def test_jobs_of_others_may_raise_what_they_like_in_a_thread(scan: Scan) -> None:
    text = THREAD.replace("item = q.get()", "job, arguments = q.get()").replace("self.convert(item)", "job(*arguments)")
    assert not scan(text.replace("ARM", "pass"), "OTP202")


def test_pykka_handlers_and_the_exit_exceptions(scan: Scan) -> None:
    text = (
        "import pykka\nclass A(pykka.ThreadingActor):\n    def on_receive(self, message):\n        try:\n"
        "            self.x = message['x']\n        except TYPE:\n            self.x = None\n"
    )
    for type_ in ("BaseException", "SystemExit", "(KeyError, KeyboardInterrupt)"):
        (found,) = scan(text.replace("TYPE", type_))
        assert (found.code, found.severity, found.confidence) == ("OTP202", Severity.HIGH, Confidence.HIGH)
    assert not scan(text.replace("TYPE", "KeyError"), ("OTP201", "OTP202"))


def test_the_users_own_severity_counts_more(scan: Scan) -> None:
    from otplint.rules.swallowed_cancellation import SwallowedCancellation

    assert SwallowedCancellation(severity=Severity.LOW).info().severity is Severity.LOW


def test_raised_to_an_outer_clause_is_reported_there_alone(scan: Scan) -> None:
    inner = ["try:", "    await self.step()", "except BaseException:", "    raise"]
    text = handler("try:", *[f"    {line}" for line in inner], "except BaseException:", "    pass")
    (found,) = scan(text, "OTP202")
    assert found.span.column == 9


LOOP = """
import logging, sys, asyncio
log = logging.getLogger("x")
class Desk:
    def __init__(self, loop, fd):
        loop.add_reader(fd, self.on_input)
    def on_input(self):
        self.dispatch(self.read())
    def dispatch(self, line):
        try:
            self.table[line]()
        except TYPE:
            ARM
    def later(self):
        try:
            self.flush()
        except:
            log.error("x")
"""


@pytest.mark.parametrize(
    ("type_", "arm"),
    [
        ("Exception", "log.error('x')"),
        ("BaseException", "log.error('x'); raise"),
        ("BaseException", "sys.exit(1)"),
        ("(KeyError, OSError)", "pass"),
    ],
)
def test_callbacks_of_an_event_loop_that_let_requests_through(type_: str, arm: str, scan: Scan) -> None:
    assert not scan(LOOP.replace("TYPE", type_).replace("ARM", arm), "OTP202")


@pytest.mark.parametrize("arm", ["log.error('x')", "self.answer(line, 'failed')", "pass"])
@pytest.mark.parametrize("type_", ["BaseException", "KeyboardInterrupt"])
def test_callbacks_of_an_event_loop_run_where_ctrl_c_arrives(type_: str, arm: str, scan: Scan) -> None:
    (found,) = scan(LOOP.replace("TYPE", type_).replace("ARM", arm), "OTP202")
    assert (found.handler, found.confidence) == ("dispatch", Confidence.MEDIUM)
