"""OTP302: limits that nothing can set, and all the ways in which one can be set."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

HEAD = """
import asyncio, os, queue, threading, time
from collections import deque
from datetime import timedelta
from otplint.runtime import ChildSpec, CircuitBreaker, DynamicSupervisor, Outbox, Retry, Server, Supervisor
"""


def agent(init: str = "", handle: str = "", *, top: str = "", attributes: str = "", signature: str = "self") -> str:
    def body(text: str) -> str:
        return textwrap.indent(textwrap.dedent(text).strip("\n") or "pass", " " * 8)

    return (
        f"{HEAD}{top}\nclass Agent(Server):\n{textwrap.indent(attributes, '    ')}\n    def __init__({signature}):\n"
        f"        self.errors = 0\n        self.buffer = []\n{body(init)}\n\n    async def handle_cast(self, msg):\n"
        f"        self.errors += 1\n        self.buffer.append(msg)\n{body(handle)}\n"
    )


@pytest.mark.parametrize(
    "source",
    [
        agent("self.q = queue.Queue()"),
        agent("self.q = queue.Queue(maxsize=0)", "time.sleep(1)\nself.system.call(msg.pid, 1, timeout=None)"),
        agent("self.q = queue.Queue(maxsize=size)", signature="self, size=100"),
        agent("self.q = queue.Queue(size or 100)", signature="self, size=None"),
        agent("self.pause = 5", "time.sleep(self.pause)"),
        agent("self.q = queue.Queue(maxsize=int(os.environ.get('SIZE', 100)))"),
        agent("self.q = queue.Queue(maxsize=cfg.get('size', 100))", signature="self, cfg"),
        agent("self.q = queue.Queue(maxsize=cfg['size'] if cfg else 100)", signature="self, cfg"),
        agent("self.q = queue.Queue(maxsize=SIZE)", top="SIZE = int(os.environ.get('SIZE', '100'))"),
        agent("self.b = CircuitBreaker(failure_threshold=n)", signature="self, n=LIMIT", top="LIMIT = 5"),
        agent(handle="if len(self.buffer) > LIMIT: pass", signature="self, n=LIMIT", top="LIMIT = 5"),
        agent(handle="if self.errors > self.LIMIT: pass", attributes="LIMIT = 5", init="self.LIMIT = 7"),
        agent(handle="if self.errors > self.LIMIT: pass", attributes="LIMIT = 5")
        + "class More(Agent):\n    LIMIT = 9\n",
        agent(handle="if self.errors > self.LIMIT: pass", attributes="LIMIT = 5") + "Agent.LIMIT = 9\n",
        agent(handle="if self.errors > self.limit: pass", attributes="limit = 5", init="setattr(self, 'limit', 3)"),
        agent(handle="if self.errors > LIMIT: pass", top="LIMIT = 5\ndef tune(n):\n    global LIMIT\n    LIMIT = n\n"),
        agent("self.pause = p", "time.sleep(max(5, self.pause))", signature="self, p"),
        agent(handle="recent = self.buffer[-50:]\nself.system.cast(msg.pid, recent)"),
        agent(handle="data = msg.sock.recv(4096)\nfor n in range(10): self.errors += n"),
        agent(handle="while len(self.buffer) > 1: self.buffer.pop()"),
        HEAD + "def build(children, n=17):\n    return Supervisor(children, max_restarts=n)\n",
        HEAD + "def build(children, cfg):\n    return Supervisor(children, max_restarts=100 if cfg.test else 3)\n",
        HEAD + "def build(children):\n    time.sleep(5)\n    return Supervisor(children)\n",
        HEAD + "def wait():\n    time.sleep(5)\n",
    ],
)
def test_configurable_or_no_limit(scan: Scan, source: str) -> None:
    assert scan(source, "OTP302") == []


def places(source: str, found: list[Finding]) -> list[str]:
    lines = source.split("\n")
    return [lines[f.span.line - 1][f.span.column - 1 : f.span.end_column - 1] for f in found]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (agent("self.q = queue.Queue(maxsize=100)"), ["100"]),
        (agent("self.q = queue.Queue(10 * 10)"), ["10 * 10"]),
        (agent("self.b = CircuitBreaker(failure_threshold=5, reset_timeout=30.0)"), ["5", "30.0"]),
        (agent("self.q = Outbox(maxsize=50)\nself.r = Retry(attempts=4)"), ["50", "4"]),
        (agent("self.recent = deque(maxlen=20)"), ["20"]),
        (agent(handle="time.sleep(5)"), ["5"]),
        (agent(handle="pause = 5\ntime.sleep(pause)"), ["5"]),
        (agent(handle="await self.system.call(msg.pid, 1, timeout=30)"), ["30"]),
        (agent(handle="self.system.send_after(15, self.pid, 'tick')"), ["15"]),
        (agent(handle="msg.client.fetch(msg.url, connect_timeout=7)"), ["7"]),
        (agent("self.ttl = ttl", "time.sleep(max(1, self.ttl - 15))", signature="self, ttl"), ["self.ttl - 15"]),
        (agent("self.p = p", "self.p = min(self.p * 2, 60)\ntime.sleep(self.p)", signature="self, p"), ["60"]),
        (agent(handle="end = time.monotonic() + 300\nreturn end"), ["time.monotonic() + 300"]),
        (agent(handle="self.buffer = self.buffer[-50:]"), ["-50"]),
        (agent(handle="del self.buffer[50:]"), ["50"]),
        (agent(handle="for _ in range(5):\n    try:\n        return go()\n    except OSError:\n        pass"), ["5"]),
        (HEAD + "def build(kids):\n    return Supervisor(kids, max_restarts=17, max_seconds=9)\n", ["17", "9"]),
        (HEAD + "tree = DynamicSupervisor(max_children=40)\n", ["40"]),
        (HEAD + "def kid(start):\n    return ChildSpec('a', start, shutdown=8)\n", ["8"]),
    ],
)
def test_a_literal_limit(scan: Scan, source: str, expected: list[str]) -> None:
    found = scan(source, "OTP302")
    assert places(source, found) == expected
    assert all(f.confidence.rank >= Confidence.MEDIUM.rank for f in found)


@pytest.mark.parametrize(
    ("source", "confidence"),
    [
        (agent(handle="if self.errors > LIMIT: pass", top="LIMIT = 5"), Confidence.MEDIUM),
        (agent(handle="if len(self.buffer) > LIMIT - 1: pass", top="LIMIT = 5"), Confidence.MEDIUM),
        (agent(handle="self.buffer = self.buffer[-LIMIT:]", top="LIMIT = 5"), Confidence.MEDIUM),
        (agent("self.q = queue.Queue(LIMIT)", top="LIMIT: int = 5"), Confidence.MEDIUM),
        (agent("self.b = CircuitBreaker(failure_threshold=self.LIMIT)", attributes="LIMIT = 5"), Confidence.MEDIUM),
        (agent("self.b = CircuitBreaker(failure_threshold=Agent.LIMIT)", attributes="LIMIT = 5"), Confidence.MEDIUM),
        (agent(handle="time.sleep(LIMIT)", top="LIMIT = 5"), Confidence.LOW),
        (agent(handle="time.sleep(LIMIT * 2)", top="LIMIT = 5"), Confidence.LOW),
        (agent("self.at = time.time()", "if time.time() - self.at > LIMIT: pass", top="LIMIT = 5"), Confidence.LOW),
    ],
)
def test_a_constant_once_where_it_is_defined(scan: Scan, source: str, confidence: Confidence) -> None:
    [finding] = scan(source, "OTP302")
    assert places(source, [finding]) == ["LIMIT"]
    assert "= 5" in source.split("\n")[finding.span.line - 1]
    assert finding.confidence is confidence
    assert "named, but not configurable" in finding.problem
    assert finding.related


LOOPING = (
    HEAD
    + """
class Agent(Server):
    def __init__(self):
        self.done = False
        self.stop = threading.Event()
        self.q = queue.Queue()

    @property
    def halted(self):
        return self.done

    def halt(self):
        self.done = True
        self.stop.set()

    async def handle_cast(self, msg):
"""
)


def looping(text: str) -> str:
    return LOOPING + textwrap.indent(textwrap.dedent(text), " " * 8)


@pytest.mark.parametrize(
    "handle",
    [
        "while msg.pid in self.kids: time.sleep(0.2)",
        "while not self.done: time.sleep(0.2)",  # only waits
        "while not self.done:\n    log.debug('waiting')\n    if self.kid.is_alive(): time.sleep(0.2)",
        "while True:\n    if go(): break\n    time.sleep(0.2)",
        "for _ in range(50):\n    if go(): break\n    time.sleep(0.2)",
        "while not self.done:\n    try:\n        go(self.q.get(timeout=0.2))\n    except queue.Empty:\n        pass",
        "while True:\n    go()\n    time.sleep(0.001)",  # lets others run
        "for kid in msg.kids: time.sleep(0.001)",
        "while True:\n    if not go():\n        time.sleep(0.2)\n        continue\n    work()",
        "while not self.done:\n    try:\n        go()\n        break\n    except OSError:\n        time.sleep(0.2)",
        "while not self.done:\n    if late(): raise TimeoutError\n    go()\n    time.sleep(0.2)",
        "while True:\n    try:\n        go()\n    except OSError:\n        log.error('again')\n        time.sleep(0.2)",
        "while not self.done and time.monotonic() < msg.end:\n    go()\n    time.sleep(0.2)",
        "while not self.done:\n    go()\n    if not self.done: time.sleep(0.2)",
        "while not self.done:\n    go()\n    self.due = time.monotonic() + 0.2",
    ],
)
def test_a_poll_below_a_second_is_for_those_who_ask(scan: Scan, handle: str) -> None:
    [finding] = scan(looping(handle), "OTP302")
    assert finding.confidence is Confidence.LOW


@pytest.mark.parametrize(
    "handle",
    [
        "time.sleep(0.2)",
        "while True:\n    go()\n    time.sleep(0.2)",
        "while not self.done:\n    go()\n    time.sleep(0.2)",
        "while not self.halted:\n    go()\n    time.sleep(0.2)",
        "while not self.stop.is_set():\n    go()\n    self.stop.wait(0.2)",
        "while not self.stop.wait(0.2):\n    go()",
        "for kid in msg.kids: threading.Thread(target=kid).join(0.2)",
        "try:\n    go()\nexcept OSError:\n    time.sleep(0.2)",  # no loop
        "while not self.done:\n    go()\n    if msg.busy: time.sleep(0.2)",
        "self.due = time.monotonic() + 0.2",
    ],
)
def test_a_period_or_a_pause_below_a_second_decides_something(scan: Scan, handle: str) -> None:
    [finding] = scan(looping(handle), "OTP302")
    assert finding.confidence.rank >= Confidence.MEDIUM.rank


@pytest.mark.parametrize(
    ("caller", "is_poll"),
    [
        ("while not self.done:\n    try: go()\n    except OSError: self.breathe()", True),
        ("while not self.done:\n    go()\n    self.breathe()", False),
        ("try: go()\nexcept OSError: self.breathe()", False),
        ("self.breathe()\nwhile not self.done:\n    try: go()\n    except OSError: self.breathe()", False),
        ("pass", False),  # others call it
    ],
)
def test_a_pause_in_a_function_for_failures(scan: Scan, caller: str, *, is_poll: bool) -> None:
    source = looping(caller) + "\n    def breathe(self):\n        time.sleep(0.5)\n"
    found = scan(source, "OTP302")
    assert [f.confidence is Confidence.LOW for f in found] == [is_poll]


GIVEN = """
def patience(value=None):
    value = float(value if value is not None else os.environ.get('PATIENCE', 600))
    if value < 0: raise ValueError(value)
    return value
def grown(n):
    return 2 ** n
LATE = float(os.getenv('LATE', '5'))
"""


@pytest.mark.parametrize(
    ("cap", "is_only_a_cap"),
    [
        ("self.p", True),
        ("self.p * 2", True),
        ("self.cfg.pause", True),
        ("self.cfg['pause'] + 1", True),
        ("self.cfg.get('pause')", True),
        ("patience() / 3", True),
        ("LATE", True),
        ("float(os.environ['X'])", True),
        ("max(3, self.p)", True),
        ("msg.pause", True),
        ("self.errors", False),
        ("2 ** self.errors", False),
        ("grown(self.errors)", False),
        ("time.monotonic() - self.p", False),
        ("self.step", False),  # grows while the actor works
        ("unknown()", False),
    ],
)
@pytest.mark.parametrize("form", ["time.sleep(min(60, {}))", "pause = min({}, 60)\ntime.sleep(pause)"])
def test_a_cap_on_what_somebody_else_decides(scan: Scan, form: str, cap: str, *, is_only_a_cap: bool) -> None:
    start = "self.p = p\nself.cfg = cfg\nself.step = p"
    handle = f"{form.format(cap)}\nself.step = self.step * 2"
    source = agent(start, handle, top=GIVEN, signature="self, p, cfg")
    found = scan(source, "OTP302")
    assert places(source, found) == ([] if is_only_a_cap else ["60"])


@pytest.mark.parametrize(
    ("handle", "expected"),
    [
        ("if 'tidy' not in msg.jobs: new['tidy'] = {'options': {'timeout': 30}}", []),
        ("if msg and 'tidy' not in msg.jobs: new['tidy'] = {'timeout': 30}", []),
        ("msg.jobs.setdefault('tidy', {'timeout': 30})", []),
        ("if 'tidy' in msg.jobs: new['tidy'] = {'timeout': 30}", ["30"]),
        ("if 'tidy' not in msg.jobs: new['other'] = {'timeout': 30}", ["30"]),
        ("if 'tidy' not in msg.jobs: pass\nelse: new['tidy'] = {'timeout': 30}", ["30"]),
        ("new['tidy'] = {'timeout': 30}", ["30"]),
    ],
)
def test_an_entry_that_one_may_replace(scan: Scan, handle: str, expected: list[str]) -> None:
    source = agent(handle=f"new = {{}}\n{handle}")
    assert places(source, scan(source, "OTP302")) == expected


def test_a_formula_over_what_is_given_is_no_limit_and_one_over_the_own_state_is_one(scan: Scan) -> None:
    formula = "queue.Queue(maxsize=min(32, max(1, int({})) + 4))"
    given = agent(
        "self.o = o or {}\nn = self.o.get('n')\n" + f"self.q = {formula.format('n')}", signature="self, o=None"
    )
    assert places(given, scan(given, "OTP302")) == []
    own = agent("self.n = 0", f"self.n += 1\nself.q = {formula.format('self.n')}")
    assert places(own, scan(own, "OTP302")) == ["32"]


TRIES = """
    for i in range({}):
        try:
            go()
            break
        except OSError:
            if i < LIMIT: time.sleep(self.pause)
"""
LOOP = """
class Worker(threading.Thread):
    def run(self):
        failed = 0
        while True:
            try:
                go()
            except OSError:
                failed += 1
            if failed > LIMIT: return
"""


@pytest.mark.parametrize(
    ("source", "sure"),
    [
        (agent(handle=textwrap.dedent(TRIES.format("LIMIT")), top="LIMIT = 5\n"), Confidence.LOW),
        (agent(handle=textwrap.dedent(TRIES.format("LIMIT + 1")), top="LIMIT = 5\n"), Confidence.LOW),
        (agent(handle="n = 0\nwhile n < LIMIT:\n    n += 1\n    go()", top="LIMIT = 5\n"), Confidence.LOW),
        (HEAD + "LIMIT = 5\n" + LOOP, Confidence.MEDIUM),
        (agent(handle="if self.errors > LIMIT: self.stop()", top="LIMIT = 5\n"), Confidence.MEDIUM),
    ],
)
def test_a_named_number_of_tries_bounds_no_state(scan: Scan, source: str, sure: Confidence) -> None:
    """A local of a handler comes and goes with the message; one of the actor's loop lives as long as the actor."""
    [finding] = scan(source, "OTP302")
    assert finding.confidence is sure


def test_a_cap_on_a_local_that_grows(scan: Scan) -> None:
    handle = "pause = self.p\nwhile True:\n    time.sleep(pause)\n    pause = min(pause * 2, 60)"
    source = agent("self.p = p", handle, signature="self, p")
    assert places(source, scan(source, "OTP302")) == ["60"]


ASKED = "while not self.done:\n    try:\n        go(await asyncio.wait_for(msg.ask(), 7))\n    {}"


@pytest.mark.parametrize(
    ("handle", "hangs"),
    [
        (ASKED.format("except Exception:\n        pass"), False),
        (ASKED.format("except asyncio.TimeoutError:\n        logging.warning('late')"), False),
        (ASKED.format("except ValueError:\n        return\n    except TimeoutError:\n        continue"), False),
        (ASKED.format("except (OSError, ValueError):\n        return\n    except Exception:\n        pass"), True),
        (ASKED.format("except TimeoutError:\n        self.late += 1"), True),
        (ASKED.format("except TimeoutError:\n        raise"), True),
        (ASKED.format("except TimeoutError:\n        self.restart(msg)"), True),
        (ASKED.format("except ValueError:\n        pass"), True),
        (ASKED.replace("while not self.done", "for _ in msg").format("except Exception:\n        pass"), True),
        ("try:\n    await asyncio.wait_for(msg.ask(), 7)\nexcept Exception:\n    pass", True),
        ("while not self.done:\n    self.stop.wait(7)", True),  # a period
    ],
)
def test_a_wait_whose_end_decides_nothing(scan: Scan, handle: str, *, hangs: bool) -> None:
    [finding] = scan(looping(handle).replace("import asyncio", "import logging, asyncio"), "OTP302")
    assert (finding.confidence.rank >= Confidence.MEDIUM.rank) is hangs


JOINED = """
class Agent(Server):
    def __init__(self):
        self.over = threading.Event()
        self.jobs = queue.Queue()
        self.worker = threading.Thread(target=self.work, daemon={daemon})
        self.worker.start()

    def work(self):
        pass

    async def terminate(self, reason):
{body}
"""


@pytest.mark.parametrize(
    ("daemon", "body", "hangs"),
    [
        (True, "self.over.set()\nself.worker.join(7)", False),
        (True, "self.over.set()\nthread = getattr(self, 'worker', None)\nif thread: thread.join(timeout=7)", False),
        (True, "self.jobs.put(None)\nself.worker.join(7)\nif self.worker.is_alive(): print('late')", False),
        (True, "self.jobs.put(1)\nself.worker.join(7)", True),
        (False, "self.over.set()\nself.worker.join(7)", True),
        (True, "self.worker.join(7)", True),
        (True, "self.over.set()\nself.worker.join(7)\nif self.worker.is_alive(): raise RuntimeError", True),
    ],
)
def test_the_end_of_a_daemon_thread(scan: Scan, body: str, *, daemon: bool, hangs: bool) -> None:
    [finding] = scan(HEAD + JOINED.format(daemon=daemon, body=textwrap.indent(body, " " * 8)), "OTP302")
    assert (finding.confidence.rank >= Confidence.MEDIUM.rank) is hangs


MARKED = "self.n = 0\nself.late = set()"


@pytest.mark.parametrize(
    ("init", "handle", "hangs"),
    [
        ("self.last = deque(maxlen=MOST)", "self.last.append(msg)\nreturn list(self.last)", False),
        ("self.last = deque(maxlen=MOST)", "self.last.append(msg)\nself.last.popleft()", False),
        ("self.last = deque(maxlen=MOST)", "self.last.append(msg)\nsend(self.last.popleft())", True),
        ("self.last = defaultdict(lambda: deque(maxlen=MOST))", "self.last[msg.key].append(msg)", False),
        ("self.last = defaultdict(lambda: deque(maxlen=MOST))", "work = self.last[1]\nsend(work.pop())", True),
        ("self.q = queue.Queue(maxsize=MOST)", "self.q.put(msg)", True),
        ("self.last = deque(maxlen=100)", "self.last.append(msg)", True),  # it has no name
        ("self.n = 0", "self.n += 1\nif self.n >= MOST:\n    self.n = 0\n    tidy()", False),
        ("self.n = 0", "try: go()\nexcept OSError: self.n += 1\nif self.n >= MOST:\n    self.n = 0\n    tidy()", True),
        ("self.n = 0", "self.n += 1\nif go(): self.n = 0\nif self.n >= MOST:\n    self.n = 0\n    tidy()", True),
        ("self.n = 0", "self.n += 1\nif self.n >= MOST: tidy()", True),
        ("self.n = 0", "self.n += 1\nif self.n > MOST: logging.error('many: %d', self.n)", False),
        ("self.n = 0", "self.n += 1\nif self.n > MOST:\n    logging.error('many')\nmsg.go(msg[:MOST])", True),
        ("self.n = 0", "self.n += 1\nif self.n > MOST:\n    logging.error('many')\n    return", True),
        (
            "self.at = deque(maxlen=MOST + 1)",
            "self.at.append(now())\nif len(self.at) > MOST:\n    logging.error('often')",
            False,
        ),
        (MARKED, "self.n += 1\nif self.n > MOST: self.late.discard(msg)\nelse: self.late.add(msg)", False),
        (MARKED, "self.n += 1\nif self.n > MOST: self.late.discard(msg)\nelse: go()", True),
        (MARKED, "self.n += 1\nif self.n > MOST: self.late.add(msg)", True),  # a circuit that opens
    ],
)
def test_a_constant_on_which_hardly_anything_hangs(scan: Scan, init: str, handle: str, *, hangs: bool) -> None:
    top = "import logging\nfrom collections import defaultdict\nMOST = 100"
    [finding] = scan(agent(init, handle, top=top), "OTP302")
    assert (finding.confidence.rank >= Confidence.MEDIUM.rank) is hangs


def test_one_constant_of_two_actors_in_another_file_is_one_finding(scan: Scan) -> None:
    actor = """
        from otplint.runtime import Server
        from {base} import limits
        class {name}(Server):
            count = 0
            async def handle_cast(self, msg):
                self.count += 1
                if self.count > limits.MOST:
                    raise RuntimeError
    """
    files = {
        "pkg/__init__.py": "",
        "pkg/limits.py": "MOST = 12\n",
        "pkg/one.py": actor.format(base=".", name="One"),
        "pkg/two.py": actor.format(base="pkg", name="Two"),
    }
    assert [(f.span.path, f.span.line) for f in scan(files, "OTP302")] == [("pkg/limits.py", 1)]


def test_silent_in_tests(scan: Scan) -> None:
    assert scan({"tests/test_a.py": agent(handle="time.sleep(5)")}, "OTP302") == []


def test_a_literal_in_a_comparison_is_the_other_rules(scan: Scan) -> None:
    assert [f.code for f in scan(agent(handle="if self.errors > 10: pass"), ["OTP301", "OTP302"])] == ["OTP301"]
    found = scan(agent(handle="if self.errors > LIMIT: pass", top="LIMIT = 10"), ["OTP301", "OTP302"])
    assert [f.code for f in found] == ["OTP302"]


PAUSE = """
class Pause:
    def __init__(self, name, wait=1):
        self.name = name
        self.wait = wait
    def run(self):
        time.sleep(min(self.wait, 60))
def later(jobs, n, seconds):
    for job in jobs[:n]:
        again(job, seconds)
def again(job, s):
    time.sleep(s)
def now():
    return time.time()
"""


@pytest.mark.parametrize(
    "source",
    [
        agent("self.p = p", "Pause('a', self.p)", top=PAUSE, signature="self, p"),
        agent(handle="Pause('a')\nPause(7)\nPause('a', 1)", top=PAUSE),
        agent(handle="later(msg.jobs, 5, msg.seconds)", top=PAUSE),
        agent(handle="later(*msg.jobs, 5, 9)", top=PAUSE),
        agent(handle="unknown(9)\nmsg.client.later(1, 2, 9)", top=PAUSE),
        agent(handle="self.system.cast(msg.pid, {'size': 30, 'timeout': self.errors, 'delay': 1})"),
        agent("self.pause = 5", "time.sleep(self.pause)\nself.pause = 5"),  # back to what it started with
        agent("self.reset()", "time.sleep(self.pause)") + "    def reset(self):\n        self.pause = 5\n",
        agent("self.at = msg.at", "if len(msg) > 100 and now(): pass", top=PAUSE, signature="self, msg"),
    ],
)
def test_a_number_that_becomes_no_limit(scan: Scan, source: str) -> None:
    assert scan(source, "OTP302") == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (agent(handle="Pause('a', 5)", top=PAUSE), ["5"]),
        (agent(handle="Pause('a', wait=5)", top=PAUSE), ["5"]),
        (agent(handle="later(msg.jobs, 5, 9)", top=PAUSE), ["9"]),
        (agent(handle="self.after(9)") + "    def after(self, s):\n        self.system.send_after(s, 1, 2)\n", ["9"]),
        (agent(handle="msg.db.set('k', 'v', ex=msg.ttl + 60)"), ["msg.ttl + 60"]),
        (agent(handle="msg.pool.update({'socket_timeout': 30})"), ["30"]),
        (agent("self.pause = 5", "time.sleep(self.pause)\nself.pause = 9"), ["9"]),
        (agent("self.pause = 5", "go(timeout=timedelta(seconds=self.pause))\nif msg: self.pause = 9"), ["9"]),
        (agent(handle="time.sleep(self.late)", init="self.ttl = ttl", signature="self, ttl")
         + "    @property\n    def late(self):\n        return max(1, self.ttl - 15)\n", ["self.ttl - 15"]),
    ],
)  # fmt: skip
def test_a_number_that_becomes_a_limit_further_on(scan: Scan, source: str, expected: list[str]) -> None:
    found = scan(source, "OTP302")
    assert places(source, found) == expected
    assert all(f.confidence is Confidence.MEDIUM for f in found)


def test_a_framework_starts_an_actor_with_a_number(scan: Scan) -> None:
    source = """
import time, pykka
class Debouncer(pykka.ThreadingActor):
    def __init__(self, name, pause):
        super().__init__()
        self.pause = pause
    def on_start(self):
        time.sleep(self.pause)
class Front(pykka.ThreadingActor):
    def played(self, track):
        Debouncer.start(track, 5)
"""
    assert places(source, scan(source, "OTP302")) == ["5"]


DRIVER = """
import time
import ray
import ray.exceptions
from ray.exceptions import RayActorError, RayTaskError as Failed
@ray.remote
class Trainer:
    def fit(self): return 1
"""


@pytest.mark.parametrize(
    "function",
    [
        "def main():\n    time.sleep(5)\n    return ray.get(Trainer.remote().fit.remote(), timeout=30)",
        "def main(pause=5):\n    while True:\n        try: go()\n        except RayActorError: time.sleep(pause)",
        "def main():\n    try: go()\n    except RayActorError: time.sleep(5)",  # no second try
        "def main():\n    while True:\n        try: go()\n        except ValueError: time.sleep(5)",
        "def main(a):\n    ray.kill(a)\n    go(timeout=5)",  # not known to wait
        "def main(a):\n    a.kill()\n    time.sleep(5)",
        "class Plain:\n    def a(self, a): ray.kill(a)\n    def b(self): time.sleep(5)",
    ],
)
def test_around_actors_only_what_looks_after_them(scan: Scan, function: str) -> None:
    assert scan(f"{DRIVER}{function}\n", "OTP302") == []


@pytest.mark.parametrize(
    "function",
    [
        "def main():\n    while True:\n        try: return go()\n        except RayActorError: time.sleep(5)",
        "def main():\n    for _ in kids:\n        try: return go()\n        except (OSError, Failed): time.sleep(5)",
        "def main():\n    while True:\n        try: go()\n        except ray.exceptions.RayError: time.sleep(5)",
        "def main(refs, actors):\n    ray.wait(refs, timeout=5)\n    for actor in actors: ray.kill(actor)",
        "class Plain:\n    def main(self, refs, actor):\n        ray.wait(refs, timeout=5)\n        ray.kill(actor)",
    ],
)
def test_what_looks_after_actors_waits_by_a_number(scan: Scan, function: str) -> None:
    source = f"{DRIVER}{function}\n"
    found = scan(source, "OTP302")
    assert places(source, found) == ["5"]
    assert found[0].confidence is Confidence.MEDIUM
