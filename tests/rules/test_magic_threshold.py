"""OTP301: what is a threshold, and the numbers in comparisons that are none."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

ACTOR = """
import sys, time, psutil
from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from otplint.runtime import Server

@dataclass
class Stats:
    errors: int = 0
    def fail(self):
        self.errors += 1

class Peer:
    failures = 0

class Agent(Server):
    def __init__(self, limit=10, config=None):
        self.limit = limit
        self.interval = config["interval"]
        self.window = config["window"] * 2
        self.errors = 0
        self.stats = Stats()
        self.state = Stats()
        self.buffer = deque()
        self.args = tuple(config["args"])
        self.received = bytearray()
        self.peers = {}
        self.counts = {}
        self.mode = 3
        self.memory = 0.0
        self.since = time.monotonic()
        self.last = datetime.now()

    def failed(self, peer):
        self.errors += 1
        self.stats.fail()
        self.state = replace(self.state, errors=self.state.errors + 1)
        self.buffer.append(peer)
        self.received += peer.data
        self.peers[peer.id] = peer
        self.counts[peer.id] = self.counts.get(peer.id, 0) + 1
        self.peers[peer.id].failures += 1
        self.mode = 4 if peer else 30
        self.memory = psutil.Process().memory_info().rss

    @property
    def backlog(self):
        return len(self.buffer)

    def read(self):
        return psutil.virtual_memory().percent

    async def handle_cast(self, msg):
"""


def judged(scan: Scan, body: str) -> list[Finding]:
    return scan(ACTOR + textwrap.indent(textwrap.dedent(body).strip("\n"), " " * 8) + "\n", "OTP301")


@pytest.mark.parametrize(
    "body",
    [
        "if len(msg.body) > 1000: self.stop()",
        "parts = msg.text.split()\nif len(parts) < 3: self.stop()",
        "if self.errors > 0 or self.errors >= 1 or self.errors > -1: self.stop()",
        "if len(self.buffer) >= 2: self.stop()",
        "if self.errors >= self.limit: self.stop()",
        "if self.interval > 60 or self.window < 30: self.stop()",
        "if len(self.args) > 3: self.stop()",
        "if len(self.received) < 12: return",
        "if sys.version_info >= (3, 12) or sys.version_info[0] > 7: self.stop()",
        "if msg.status >= 400: self.stop()",
        "if msg['status_code'] > 399: self.stop()",
        "if 200 <= msg.answer < 300: self.stop()",
        "if msg.volume < 0 or msg.volume > 100: return",
        "if msg.size > 5000:\n    raise ValueError(msg.size)",
        "volume = msg.volume\nif volume > 150:\n    volume = 150\nself.set(volume)",
        "assert msg.size < 5000",
        "if abs(msg.position - 1.0) > 1e-6: self.stop()",
        "if msg.kind >= 3 or msg.byte > 127 or msg.length >= 65536: self.stop()",
        "if msg.percent >= 100: self.stop()",
        "if self.mode > 10: self.stop()",
        "if self.errors & 7 > 4 or self.errors % 100 > 50: self.stop()",
        "if msg.text.find('x') > 8: self.stop()",
        "if self.errors == 10: self.stop()",
        "for n in range(100):\n    if n > 5:\n        self.stop()",
        "limit = msg.limit or 10\nif self.errors > limit: self.stop()",
        "limit = 10 if msg.strict else 20\nif self.errors > limit: self.stop()",
        "if time.monotonic() > self.since: self.stop()",
    ],
)
def test_no_threshold(scan: Scan, body: str) -> None:
    assert judged(scan, body) == []


@pytest.mark.parametrize(
    "body",
    [
        "if self.errors >= 10: self.stop()",
        "if 10 <= self.errors: self.stop()",
        "while self.errors < 10: self.step()",
        "self.paused = self.errors > 10",
        "return 'bad' if self.errors > 10 else 'good'",
        "match msg:\n    case int() if self.errors > 10:\n        self.stop()",
        "if not self.errors < 10: self.stop()",
        "if len(self.buffer) > 100 * 1024: self.stop()",
        "if self.backlog > 100: self.stop()",
        "pending = self.buffer\nif len(pending) > 100: self.stop()",
        "if len([p for p in self.peers.values() if p]) > 5: self.stop()",
        "if self.stats.errors > 3: self.stop()",
        "state = self.state\nif state.errors > 3: self.stop()",
        "if self.counts[msg.id] > 3: self.stop()",
        "if self.counts.get(msg.id, 0) >= 3: self.stop()",
        "peer = self.peers[msg.id]\nif peer.failures > 3: self.stop()",
        "if any(p.failures > 3 for p in self.peers.values()): self.stop()",
        "if time.monotonic() - self.since > 60: self.stop()",
        "now = time.monotonic()\nif now - self.since > 60: self.stop()",
        "if self.since + 60 < time.monotonic(): self.stop()",
        "if datetime.now() - self.last > timedelta(minutes=5): self.stop()",
        "if (datetime.now() - self.last).total_seconds() > 300: self.stop()",
        "if self.memory > 100: self.stop()",
        "memory = self.read()\nif memory > 90: self.stop()",
        "if psutil.Process().memory_info().rss / 1024 / 1024 > 100: self.stop()",
        "tries = 0\nwhile True:\n    tries += 1\n    if tries > 5: break",
        "if self.errors / (len(self.buffer) or 1) > 0.5: self.stop()",
    ],
)
def test_state_against_a_literal(scan: Scan, body: str) -> None:
    [finding] = judged(scan, body)
    assert finding.confidence is Confidence.HIGH


@pytest.mark.parametrize(
    "body",
    [
        "if msg.memory_mb > 100: self.stop()",
        "if msg['memory'] > 100: self.stop()",
        "memory = measure()\nif memory > 100: self.stop()",
        "limit = 10\nif self.errors > limit: self.stop()",
    ],
)
def test_a_given_value_or_a_number_elsewhere_is_less_sure(scan: Scan, body: str) -> None:
    [finding] = judged(scan, body)
    assert finding.confidence is Confidence.MEDIUM


LATE = "if time.monotonic() - self.since > 60:\n    text = f'{msg}'\n    print(text)"
ROUNDS = "tries = 0\nwhile True:\n    tries += 1\n    "


@pytest.mark.parametrize(
    ("body", "hangs"),
    [
        (f"{ROUNDS}if tries >= 50 and tries % 50 == 0: logging.warning('still trying')", False),
        (f"{ROUNDS}if tries > 50:\n        text = f'{{tries}}'\n        logging.warning(text)", False),
        (f"{ROUNDS}if tries > 50:\n        text = f'{{tries}}'\n        logging.warning(text)\n    go(text)", True),
        (f"if msg:\n    text = f'{{msg}}'\n    go(text)\n{LATE}", False),
        (f"text = ''\n{LATE}\ngo(text)", True),
        (f"{ROUNDS}if tries > 50:\n        logging.warning('gave up')\n        break", True),
        (f"{ROUNDS}if tries < 50: logging.info('again')\n    else: self.stop()", True),
        ("if time.monotonic() - self.since > 60 and not self.told:\n    self.told = True\n    print('late')", False),
        ("if time.monotonic() - self.since > 60:\n    self.state = None\n    print('late')", True),  # others ask it
        ("if time.monotonic() - self.since > 60:\n    logging.info(await self.step())", True),
        ("if len(self.peers) > 100: logging.warning('many')", True),  # an alarm on state is one that people set
    ],
)
def test_what_only_decides_about_a_log_line(scan: Scan, body: str, *, hangs: bool) -> None:
    [finding] = judged(scan, body)
    assert (finding.confidence.rank >= Confidence.MEDIUM.rank) is hangs


MEMO = "had = self.{0}.{1}(msg.key, None)\nself.{0}[msg.key] = had or work(msg)\n{2} len(self.{0}) > 256: {3}"


@pytest.mark.parametrize(
    ("body", "hangs"),
    [
        (MEMO.format("known", "get", "if", "self.known.popitem(last=False)"), False),
        (MEMO.format("known", "pop", "while", "self.known.pop(next(iter(self.known)))"), False),
        (MEMO.format("known", "get", "if", "send(self.known.popitem())"), True),
        (MEMO.format("known", "get", "if", "self.stop()"), True),
        (MEMO.format("counts", "get", "if", "self.counts.popitem()"), True),  # other functions look into it
        ("self.known[msg.key] = msg\nif len(self.known) > 256: self.known.popitem()", True),  # nobody asks it here
    ],
)
def test_the_size_of_a_memo(scan: Scan, body: str, *, hangs: bool) -> None:
    assert any(f.confidence.rank >= Confidence.MEDIUM.rank for f in judged(scan, body)) is hangs


FIGURE = "left = None\nif self.errors >= 3: left = {0}\n{1}"


@pytest.mark.parametrize(
    ("body", "hangs"),
    [
        (FIGURE.format("self.limit / self.errors", "return {'left': left}"), False),
        (FIGURE.format("self.limit / self.errors", "return left"), False),
        (FIGURE.format("self.limit / self.errors", "if left: self.stop()"), True),
        (FIGURE.format("self.limit / self.errors", "time.sleep(left)"), True),
        (FIGURE.format("self.step()", "return left"), True),
        (FIGURE.format("True", "return left"), True),
    ],
)
def test_what_only_decides_about_a_figure(scan: Scan, body: str, *, hangs: bool) -> None:
    [finding] = judged(scan, body)
    assert (finding.confidence.rank >= Confidence.MEDIUM.rank) is hangs


def test_the_place_is_the_comparison_and_the_message_quotes_it(scan: Scan) -> None:
    source = ACTOR + "        if msg and self.errors >= 10: self.stop()\n"
    [finding] = scan(source, "OTP301")
    line = source.split("\n")[finding.span.line - 1]
    assert line[finding.span.column - 1 : finding.span.end_column - 1] == "self.errors >= 10"
    assert "`self.errors`" in finding.problem
    assert "`10`" in finding.problem


def test_silent_outside_actors_and_in_tests(scan: Scan) -> None:
    actor = ACTOR + "        if self.errors >= 10: self.stop()\n"
    assert scan({"tests/test_agent.py": actor}, "OTP301") == []
    assert scan(actor.replace("(Server)", ""), "OTP301") == []


def test_a_counter_that_a_base_in_another_file_counts(scan: Scan) -> None:
    found = scan(
        {
            "pkg/__init__.py": "",
            "pkg/base.py": """
                class Counting:
                    def __init__(self):
                        self.seen = 0
                    def saw(self):
                        self.seen += 1
            """,
            "pkg/agent.py": """
                from otplint.runtime import Server as Process
                from .base import Counting
                class Agent(Counting, Process):
                    async def handle_info(self, note):
                        self.saw()
                        if self.seen > 40:
                            raise RuntimeError(note)
            """,
        },
        "OTP301",
    )
    assert [(f.span.path, f.span.line) for f in found] == [("pkg/agent.py", 7)]


def test_a_clock_behind_a_function_of_the_project(scan: Scan) -> None:
    files = {
        "pkg/__init__.py": "",
        "pkg/clock.py": "import time\ndef now(): return time.time()\ndef day(): return 3\n",
        "pkg/app.py": """
            from otplint.runtime import Server
            from .clock import day, now
            class Agent(Server):
                async def handle_cast(self, msg):
                    if now() - msg.at > msg.ttl + 60: print("late")
                    if day() - msg.at > msg.ttl + 60: print("no time")
            """,
    }
    assert [(f.span.path, f.span.line) for f in scan(files, "OTP301")] == [("pkg/app.py", 6)]
