"""OTP203: tempting negatives first, then forms of helpers, ways to them and who uses them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

FAMILY = ("OTP201", "OTP202", "OTP203")
HEAD = "import asyncio, contextlib, logging\nfrom otplint.runtime import Server, Stop\nlog = logging.getLogger('x')\n"
SAFE = "def safe(fn, *args):\n    try:\n        return fn(*args)\n    except Exception:\n        return None\n"


def server(body: str, helper: str = SAFE) -> str:
    """A server with one handler of these statements, and a helper."""
    handler = "class S(Server):\n    async def handle_cast(self, msg):\n" + textwrap.indent(body, "        ")
    return HEAD + helper + handler + "\n    def step(self, msg):\n        self.n = msg\n"


FINE = {
    "narrow": server("safe(self.step, msg)", SAFE.replace("Exception", "(OSError, KeyError)")),
    "raises": server("safe(self.step, msg)", SAFE.replace("return None", "log.error('x')\n        raise")),
    "tells apart": server("safe(self.step, msg)", SAFE.replace("return None", "if fn:\n            raise")),
    "not used": server("self.step(msg)"),
    "no actor": SAFE + "class S:\n    def handle_cast(self, msg):\n        safe(self.step, msg)\n",
    "items": server("for peer in self.peers:\n    safe(peer.tell, msg)"),
    "finally": server("try:\n    self.step(msg)\nfinally:\n    safe(self.conn.close)"),
    "user raises": server("if safe(self.step, msg) is None:\n    raise RuntimeError('step')"),
    "user stops": server("done = safe(self.step, msg)\nif not done:\n    raise Stop('x')"),
    "only terminate": HEAD
    + SAFE
    + "class S(Server):\n    async def terminate(self, reason):\n        safe(self.flush)\n",
    "context manager raises": server(
        "with guard():\n    self.step(msg)",
        "@contextlib.contextmanager\ndef guard():\n    try:\n        yield\n    except Exception:\n        raise\n",
    ),
    "manager catches before": server(
        "with guard():\n    self.step(msg)",
        "@contextlib.contextmanager\ndef guard():\n    try:\n"
        "        x = open('f')\n    except Exception:\n        x = None\n"
        "    yield x\n",
    ),
    "exit looks at the type": server(
        "with Guard():\n    self.step(msg)",
        "class Guard:\n    def __enter__(self): return self\n    def __exit__(self, kind, error, trace):\n"
        "        if issubclass(kind, OSError):\n            return True\n",
    ),
    "exit keeps the error": server(
        "with Guard() as g:\n    self.step(msg)",
        "class Guard:\n    def __enter__(self): return self\n    def __exit__(self, kind, error, trace):\n"
        "        self.error = error\n        return True\n",
    ),
    "exit says false": server(
        "with Guard():\n    self.step(msg)",
        "class Guard:\n    def __enter__(self): return self\n    def __exit__(self, kind, error, trace):\n"
        "        return False\n",
    ),
    "decorator's own set-up": HEAD
    + "def register(fn):\n    try:\n        TABLE[fn.__name__] = fn\n"
    + "    except Exception:\n        pass\n    return fn\n"
    + "class S(Server):\n    @register\n    async def handle_cast(self, msg):\n        self.n = msg\n",
    "future": server(
        "relay(self.step, msg)",
        "def relay(fn, msg):\n    try:\n        fn(msg)\n    except Exception as error:\n"
        "        msg.future.set_exception(error)\n",
    ),
    "part is an actor": server(
        "self.other = Other()\nself.other.run(msg)",
        "class Other(Server):\n    def run(self, msg):\n        try:\n"
        "            self.n = msg\n        except OSError:\n"
        "            pass\n",
    ),
}


@pytest.mark.parametrize("name", FINE)
def test_tempting_but_fine(name: str, scan: Scan) -> None:
    assert not [f for f in scan(FINE[name], FAMILY) if f.confidence is not Confidence.LOW]


HIDDEN = {
    "wrapper": server("safe(self.step, msg)"),
    "awaited": server(
        "await safe(self.step(msg))",
        "async def safe(coro):\n    try:\n        return await coro\n"
        "    except Exception:\n        log.exception('x')\n",
    ),
    "in another thread": server("await asyncio.to_thread(safe, self.step, msg)"),
    "bare": server("safe(self.step, msg)", SAFE.replace(" Exception", "")),
    "error value that nobody looks at": server(
        "fine, why = attempt(self.step, msg)\nlog.info(why)",
        "def attempt(fn, msg):\n    try:\n        return True, fn(msg)\n    except Exception as error:\n"
        "        return False, error\n",
    ),
    "own wrapper": HEAD
    + "class S(Server):\n    async def handle_cast(self, msg):\n        self._safe(lambda: self.step(msg))\n"
    + textwrap.indent(SAFE.replace("def safe(fn", "def _safe(self, fn"), "    ")
    + "    def step(self, msg):\n        self.n = msg\n",
    "decorator": HEAD
    + "def guarded(fn):\n    async def inner(*args):\n        try:\n            return await fn(*args)\n"
    + "        except Exception:\n            log.error('x')\n    return inner\n"
    + "class S(Server):\n    @guarded\n    async def handle_cast(self, msg):\n        self.n = msg\n",
    "decorator with arguments": HEAD
    + "def guarded(name):\n    def outer(fn):\n        async def inner(*args):\n            try:\n"
    + "                return await fn(*args)\n            except Exception:\n                log.error(name)\n"
    + "        return inner\n    return outer\n"
    + "class S(Server):\n    @guarded('s')\n    async def handle_cast(self, msg):\n        self.n = msg\n",
    "decorator by a constant": HEAD
    + "def guarded(name):\n    def outer(fn):\n        async def inner(*args):\n            try:\n"
    + "                return await fn(*args)\n            except Exception:\n                log.error(name)\n"
    + "        return inner\n    return outer\nquietly = guarded('s')\n"
    + "class S(Server):\n    @quietly\n    async def handle_cast(self, msg):\n        self.n = msg\n",
    "context manager": server(
        "with guard():\n    self.step(msg)",
        "@contextlib.contextmanager\ndef guard():\n    try:\n        yield\n"
        "    except Exception:\n        log.error('x')\n",
    ),
    "raises only what is asked for": server(
        "with guard():\n    self.step(msg)",
        "@contextlib.contextmanager\ndef guard(reraise=None):\n    try:\n        yield\n    except Exception as e:\n"
        "        if reraise and isinstance(e, reraise):\n            raise\n        log.error('x')\n",
    ),
    "exit": server(
        "with Guard():\n    self.step(msg)",
        "class Guard:\n    def __enter__(self): return self\n    def __exit__(self, kind, error, trace):\n"
        "        if kind is None:\n            return False\n        log.error('x')\n        return True\n",
    ),
    "part": server(
        "self.part = Part()\nself.part.run(msg)",
        "class Part:\n    def run(self, msg):\n        try:\n"
        "            self.state.apply(msg)\n        except Exception:\n"
        "            log.error('x')\n",
    ),
    "local object": server(
        "part = Part()\npart.run(msg)",
        "class Part:\n    def run(self, msg):\n        try:\n"
        "            self.state.apply(msg)\n        except Exception:\n"
        "            log.error('x')\n",
    ),
    "helper that is given the actor's state": server(
        "apply(self.table, msg)",
        "def apply(table, msg):\n    try:\n        table.apply(msg)\n    except Exception:\n        log.error('x')\n",
    ),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_hides_failures(name: str, scan: Scan) -> None:
    (found,) = scan(HIDDEN[name], FAMILY)
    assert (found.code, found.confidence is Confidence.LOW) == ("OTP203", False)


def test_it_is_reported_once_with_its_users_wherever_they_are(scan: Scan) -> None:
    files = {
        "app/__init__.py": "",
        "app/tools.py": "from .more import *\n",
        "app/more.py": SAFE,
        "app/one.py": server("safe(self.step, msg)", "from .tools import safe\n"),
        "app/two.py": server("tools.safe(self.step, msg)", "from app import tools\n"),
    }
    (found,) = scan(files, FAMILY)
    assert (found.span.path, found.span.line) == ("app/more.py", 4)
    assert sorted(place.span.path for place in found.related) == ["app/one.py", "app/two.py"]


@pytest.mark.parametrize(("tried", "wanted"), [("float(text.strip())", "low"), ("text.ask()", "medium")])
def test_a_parser_is_none_of_our_business(tried: str, wanted: str, scan: Scan) -> None:
    helper = f"def number(text):\n    try:\n        return {tried}\n    except Exception:\n        return 0\n"
    (found,) = scan(server("self.rate = number(self.text)", helper), FAMILY)
    assert found.confidence is Confidence(wanted)


PROXIED = """
import logging, pykka
log = logging.getLogger(__name__)
class Library:
    def __init__(self, backend=None):
        self.backend = backend
    def search(self, query):
        try:
            return self.backend.find(query)
        except Exception:
            log.exception("search")
class Backend(pykka.ThreadingActor):
    def __init__(self):
        super().__init__()
        self.NAME = MADE
"""


@pytest.mark.parametrize(
    ("name", "made", "wanted"),
    [
        ("library", "pykka.traversable(Library())", 1),
        ("library", "Library(backend=self)", 1),
        ("library", "Library()", 0),
        ("_library", "Library(backend=self)", 0),
    ],
)
def test_a_proxy_calls_what_is_exposed(name: str, made: str, wanted: int, scan: Scan) -> None:
    assert len(scan(PROXIED.replace("NAME", name).replace("MADE", made), FAMILY)) == wanted
