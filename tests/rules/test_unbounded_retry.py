"""OTP204: tempting negatives first, then ways to try again, limits, pauses and breakers."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

HEAD = """
import asyncio, itertools, queue, random, time
from otplint.runtime import CallError, CircuitBreaker, CircuitOpen, Server
"""


def server(body: str, more: str = "") -> str:
    """A server with one handler of these statements, and further functions."""
    handler = "class S(Server):\n    async def handle_cast(self, msg):\n"
    return (
        HEAD
        + handler
        + textwrap.indent(textwrap.dedent(body).strip(), "        ")
        + "\n"
        + textwrap.indent(textwrap.dedent(more), "    ")
    )


def loop(arm: str, head: str = "while True", tried: str = "return await self.link.fetch(msg)", end: str = "") -> str:
    """A retry loop with this arm, after whose ``try`` comes ``end``."""
    lines = ["tries = 0", f"{head}:", "    try:", textwrap.indent(tried, " " * 8), "    except OSError as error:"]
    return server("\n".join([*lines, textwrap.indent(arm, " " * 8), *([textwrap.indent(end, "    ")] if end else [])]))


FINE = {
    "limit and pause": loop("tries += 1\nif tries > 5:\n    raise\nawait asyncio.sleep(2 ** tries)"),
    "limit in the head": loop("tries += 1\nawait asyncio.sleep(tries)", "while tries < 5"),
    "counts down": loop("left -= 1\nawait asyncio.sleep(1)", "while left").replace("tries = 0", "left = 5"),
    "deadline": loop("await asyncio.sleep(1)", "while time.monotonic() < self.end"),
    "range": loop("await asyncio.sleep(tries)", "for tries in range(5)"),
    "raises": loop("raise"),
    "gives up at once": loop("break"),
    "helper says when": server(
        """
        while True:
            try:
                return await self.link.fetch(msg)
            except OSError:
                if self.enough():
                    raise
                await self.pause()
        """,
        "def enough(self):\n    return True\nasync def pause(self):\n    await asyncio.sleep(1)\n",
    ),
    "receives": server(
        """
        while True:
            try:
                self.step(await self.inbox.get())
            except OSError:
                continue
        """
    ),
    "serves until told": server(
        """
        while not self.stopping:
            try:
                self.step(await self.link.fetch(msg))
            except OSError:
                pass
        """
    ),
    "polls": loop("pass", tried="return self.box.get_nowait()").replace("OSError", "queue.Empty"),
    "optimistic": loop("continue", tried="return self.db.swap(msg)").replace("OSError", "redis.WatchError"),
    "other items": loop("continue", "for place in msg.places", tried="return await place.fetch()"),
    "reads input": loop("pass", tried="return await self.reader.readline()"),
    "no actor": loop("pass").replace("(Server)", ""),
    "recursion counts": server(
        "await self.f()",
        """
        async def f(self, n=3):
            try:
                return await self.g()
            except OSError:
                if n == 0:
                    raise
                await asyncio.sleep(1)
                return await self.f(n - 1)
        """,
    ),
    "recursion over a tree": server(
        "self.walk(msg)", "def walk(self, node):\n    for child in node:\n        self.walk(child)\n"
    ),
    "recursion with what to fall back on": server(
        "await self.f(msg, default=msg)",
        """
        async def f(self, msg, *, default=None):
            try:
                return await self.g(msg)
            except OSError:
                if default is not None:
                    return await self.f(default)
                raise
        """,
    ),
    "recursion for something else": server(
        "await self.f(msg)",
        """
        async def f(self, msg):
            try:
                return await self.g(msg)
            except OSError as error:
                return await self.f(Failed(error))
        """,
    ),
    "one condition goes round": loop(
        "if error.errno == 4:\n    continue\nelif error.errno == 5:\n    break\nelse:\n    raise"
    ),
    "told another": loop("self.system.cast(self.boss, msg)\nreturn"),
    "told itself later": loop("self.system.send_after(5.0, self.pid, msg)\nreturn"),
}


@pytest.mark.parametrize("name", FINE)
def test_tempting_but_fine(name: str, scan: Scan) -> None:
    assert not scan(FINE[name], "OTP204")


UNBOUNDED = {
    "continue": loop("continue"),
    "logs": loop("print(error)"),
    "break at the end": loop("continue", tried="self.v = await self.link.fetch(msg)", end="break"),
    "else": server(
        """
        while True:
            try:
                self.v = await self.link.fetch(msg)
            except Exception:
                pass
            else:
                break
        """
    ),
    "until it is there": server(
        """
        while self.link is None:
            try:
                self.link = await self.open()
            except OSError:
                pass
        """
    ),
    "stop flag": loop("pass", "while not self.stopping"),
    "count": loop("pass", "for n in itertools.count()"),
    "pause of nothing": loop("await asyncio.sleep(0)"),
    "in a context": server(
        """
        while True:
            try:
                async with self.pool() as link:
                    return await link.fetch(msg)
            except (OSError, CallError):
                continue
        """
    ),
    "recursion": server(
        "await self.f(msg)",
        "async def f(self, msg):\n    try:\n        return await self.g(msg)\n    except OSError:\n"
        "        return await self.f(msg)\n",
    ),
    "message": server("try:\n    self.link.write(msg)\nexcept OSError:\n    self.system.cast(self.pid, msg)"),
    "timer at once": server(
        "try:\n    self.link.write(msg)\nexcept OSError:\n    self.system.send_after(0, self.pid, msg)"
    ),
}


@pytest.mark.parametrize("name", UNBOUNDED)
def test_without_limit_and_pause(name: str, scan: Scan) -> None:
    (found,) = scan(UNBOUNDED[name], "OTP204")
    assert found.confidence is Confidence.HIGH


def test_services_reconnect_for_ever_with_pauses(scan: Scan) -> None:
    (found,) = scan(loop("await asyncio.sleep(min(60, 2 ** tries))\ntries += 1"), "OTP204")
    assert found.confidence is Confidence.LOW


@pytest.mark.parametrize(("tried", "wanted"), [("self.link.fetch(msg)", "low"), ("self.system.call(1, msg)", "medium")])
def test_a_limit_without_pause_hurts_whoever_is_asked(tried: str, wanted: str, scan: Scan) -> None:
    (found,) = scan(loop("pass", "for n in range(5)", tried=f"return await {tried}"), "OTP204")
    assert found.confidence is Confidence(wanted)


BREAKER = """
class S(Server):
    def __init__(self, breaker: CircuitBreaker):
        self.breaker = breaker
    async def handle_cast(self, msg):
        for n in range(5):
            try:
                return await self.breaker.call(lambda: self.link.fetch(msg))
            EARLIER
            except ERROR:
                await asyncio.sleep(1)
"""


@pytest.mark.parametrize(
    ("error", "earlier", "wanted"),
    [
        ("Exception", "", 1),
        ("(OSError, CircuitOpen)", "", 1),
        ("OSError", "", 0),
        ("Exception", "except CircuitOpen:\n                raise", 0),
    ],
)
def test_an_open_breaker_is_left_alone(error: str, earlier: str, wanted: int, scan: Scan) -> None:
    text = HEAD + BREAKER.replace("ERROR", error).replace("EARLIER", earlier)
    found = scan(text, "OTP204")
    assert len(found) == wanted
    assert all("breaker is open" in f.problem for f in found)


@pytest.mark.parametrize(
    ("decorator", "wanted"),
    [
        ("tenacity.retry", "high"),
        ("tenacity.retry()", "high"),
        ("tenacity.retry(reraise=True)", "high"),
        ("tenacity.retry(stop=tenacity.stop_never)", "high"),
        ("tenacity.retry(wait=tenacity.wait_fixed(1))", "low"),
        ("tenacity.retry(stop=tenacity.stop_after_attempt(3))", "low"),
        ("tenacity.retry(stop=tenacity.stop_after_attempt(3), wait=tenacity.wait_fixed(1))", ""),
        ("tenacity.retry(**options)", ""),
        ("stamina.retry(on=OSError)", ""),
        ("stamina.retry(on=OSError, attempts=None, timeout=None)", "low"),
        ("backoff.on_exception(backoff.expo, OSError)", "low"),
        ("backoff.on_exception(backoff.expo, OSError, max_tries=8)", ""),
        ("retrying.retry", "high"),
    ],
)
def test_libraries(decorator: str, wanted: str, scan: Scan) -> None:
    text = f"import backoff, retrying, stamina, tenacity\n{HEAD}class S(Server):\n    @{decorator}\n"
    found = scan(text + "    async def handle_cast(self, msg):\n        self.link.write(msg)\n", "OTP204")
    assert [f.confidence.value for f in found] == ([wanted] if wanted else [])


def test_a_helper_of_another_file_is_reported_once(scan: Scan) -> None:
    files = {
        "app/__init__.py": "",
        "app/tools.py": "async def insist(step):\n    while True:\n        try:\n            return await step()\n"
        "        except Exception:\n            continue\n",
        "app/one.py": "from .tools import insist\n" + server("await insist(lambda: self.f(msg))"),
        "app/two.py": "from . import tools\n" + server("await tools.insist(lambda: self.f(msg))"),
    }
    (found,) = scan(files, "OTP204")
    assert (found.span.path, found.span.line) == ("app/tools.py", 2)
