"""Projects of any size, the same ones each time: plain code as most repositories have it, and actors among it.

What is written has the shapes that cost a linter of actor code its time: classes of several frameworks, bases and
settings in other files, handlers that branch, call their own helpers and other actors, watch, retry and buffer. It need
not make sense, but it is valid Python, and some of it is worth a finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

_PLAIN_LINES = 400
"""About as long is a file of plain code."""
_WORDS = """
account address batch budget channel client column cursor device document entry event filter format group
header index item job label ledger limit list location lookup market message metric model name node number
option order owner packet page parser payment period person place plan price product profile query quota range
rate record region report request result role route sample schema score segment session setting shape signal
source stage state status step stock stream subject table tag target task term text ticket token topic total
track unit user value vendor version view volume weight window worker zone
""".split()  # noqa: SIM905 - a list of eighty strings is eighty lines

_FUNCTION = '''
def {verb}_{name}({a}: dict[str, int], {b}: list[str], {c}: int = {number}) -> list[str]:
    """The {b} of {a} that count."""
    found = []
    for position, entry in enumerate({b}):
        if entry in {a} and {a}[entry] > {c}:
            found.append(f"{{position}}: {{entry}} {{{a}[entry]:.{small}f}}")
        elif entry.startswith("{name}"):
            found.extend(sorted({a})[:{small}])
    try:
        found.sort(key=lambda text: (len(text), text))
    except TypeError as error:
        raise ValueError(f"{name}: {{error}}") from error
    return [text.strip() for text in found if text]
'''
_CLASS = '''
@dataclass
class {Name}:
    """One {a} of a {b}."""

    {a}: str
    {b}: int = {number}
    {c}: dict[str, float] = field(default_factory=dict)

    @property
    def {name}(self) -> float:
        """The sum of its parts."""
        return sum(self.{c}.values()) / max(len(self.{c}), 1)

    def add(self, key: str, value: float) -> None:
        """Take in one more."""
        if key in self.{c}:
            self.{c}[key] += value
        else:
            self.{c}[key] = value
        if len(self.{c}) > self.{b}:
            del self.{c}[min(self.{c}, key=self.{c}.__getitem__)]

    def describe(self) -> str:
        """It in words."""
        parts = [f"{{key}}={{value}}" for key, value in self.{c}.items()]
        return f"{{self.{a}}}: " + ", ".join(parts)
'''
_TABLE = """
{NAME} = {{
    "{a}": ({number}, "{b}", [{small}, {number}]),
    "{b}": (-{small}, "{c}", []),
    "{c}": ({number}, "{a}", [{small}]),
}}
"""
_PLAIN = (_FUNCTION, _FUNCTION, _CLASS, _TABLE)

_SHARED = '''"""What the services of this package have in common."""

from __future__ import annotations

import logging

import pykka

logger = logging.getLogger(__name__)
CALL_TIMEOUT = 5.0
MAX_ERRORS = 10


class Service(pykka.ThreadingActor):
    """The base of all services."""

    def __init__(self, settings):
        super().__init__()
        self.settings = settings
        self.errors = 0

    def on_failure(self, exception_type, exception_value, traceback):
        logger.error("%s failed: %s", self, exception_value)

    def failed(self, error):
        self.errors += 1
        if self.errors > MAX_ERRORS:
            self.stop()
        logger.warning("error %s", error)
'''

_HEAD = {
    "pykka": "import logging\n\nimport pykka\n\nfrom {package}.shared import CALL_TIMEOUT, Service\n",
    "ray": "import logging\nimport time\n\nimport ray\n\nfrom {package}.shared import CALL_TIMEOUT\n",
    "asyncio": "import asyncio\nimport logging\nfrom collections import deque\n",
    "thread": "import logging\nimport queue\nimport threading\n\nfrom {package}.shared import MAX_ERRORS\n",
}
_OPEN = {
    "pykka": '''
class {Name}(Service):
    """Keeps {a}s."""

    def __init__(self, settings, {b}):
        super().__init__(settings)
        self.{b} = {b}
        self.table = {{}}
        self.pending = []

    def on_start(self):
        self.{b}.tell({{"cmd": "subscribe", "who": self.actor_ref}})

    def on_receive(self, message):
        handler = getattr(self, "do_" + message["cmd"], None)
        if handler is None:
            return None
        try:
            return handler(message)
        except Exception as error:
            self.failed(error)
            return None
''',
    "ray": '''
@ray.remote(max_restarts={small})
class {Name}:
    """Keeps {a}s."""

    def __init__(self, {b}):
        self.{b} = {b}
        self.table = {{}}
        self.pending = []
        self.errors = 0

    def flush(self):
        while self.pending:
            ray.get(self.{b}.do_{name}0.remote(self.pending.pop()))
            time.sleep(0.{small})

    def failed(self, error):
        self.errors += 1
        logger.warning("error %s", error)
''',
    "asyncio": '''
class {Name}:
    """Keeps {a}s."""

    def __init__(self, {b}):
        self.{b} = {b}
        self.inbox = asyncio.Queue()
        self.table = {{}}
        self.pending = deque()
        self.errors = 0

    def start(self):
        self.task = asyncio.create_task(self.run())

    async def run(self):
        while True:
            message = await self.inbox.get()
            try:
                getattr(self, "do_" + message["cmd"])(message)
            except Exception as error:
                self.failed(error)

    def failed(self, error):
        self.errors += 1
        logger.warning("error %s", error)
''',
    "thread": '''
class {Name}(threading.Thread):
    """Keeps {a}s."""

    def __init__(self, {b}):
        super().__init__(daemon=True)
        self.{b} = {b}
        self.inbox = queue.Queue()
        self.table = {{}}
        self.pending = []
        self.errors = 0

    def run(self):
        while self.errors < MAX_ERRORS:
            message = self.inbox.get(timeout={small})
            try:
                getattr(self, "do_" + message["cmd"])(message)
            except (KeyError, ValueError) as error:
                self.failed(error)
            finally:
                self.inbox.task_done()

    def failed(self, error):
        self.errors += 1
        logger.warning("error %s", error)
''',
}
_HANDLERS = (
    """
    def do_{name}{i}(self, message):
        key = message["{a}"]
        if key in self.table:
            self.table[key] += 1
        elif len(self.table) < {number}:
            self.table[key] = self._weigh{i}(message)
        else:
            logger.info("{a} %s is too many", key)
            return False
        return True

    def _weigh{i}(self, message):
        total = 0
        for part in message.get("parts", ()):
            if part > {small}:
                total += part * self.errors
        return total or len(self.pending)
""",
    """
    def do_{name}{i}(self, message):
        self.pending.append(message)
        if len(self.pending) > {number}:
            first = self.pending.pop()
            self._hand_on{i}(first)

    def _hand_on{i}(self, message):
        for attempt in range({small}):
            try:
                {send}
                return
            except ConnectionError as error:
                self.failed(error)
        logger.error("{b} gave up on %s", message)
""",
    """
    def do_{name}{i}(self, message):
        sender = message.get("sender")
        if sender is None or self.errors > {small}:
            raise ValueError("{a}: no sender")
        reply = {{"cmd": "{b}", "value": self.table.get(message["{a}"], {number})}}
        if message.get("wait"):
            {send}
        sender.tell(reply)
""",
)
_SEND = {
    "pykka": 'self.{b}.ask({{"cmd": "{name}0", "{a}": message}}, timeout=CALL_TIMEOUT)',
    "ray": "ray.get(self.{b}.do_{name}0.remote(message), timeout=CALL_TIMEOUT)",
    "asyncio": "self.{b}.inbox.put_nowait(message)",
    "thread": "self.{b}.inbox.put(message, timeout={small})",
}
_START = {
    "pykka": "    {lower} = {Name}.start(settings, other)\n",
    "ray": "    {lower} = {Name}.remote(other)\n",
    "asyncio": "    {lower} = {Name}(other)\n    {lower}.start()\n",
    "thread": "    {lower} = {Name}(other)\n    {lower}.start()\n",
}


@dataclass(frozen=True)
class Size:
    """What a project is to hold."""

    lines: int
    """Of all files together, about."""
    actors: int
    handlers: int = 5
    """Of each actor; one is some ten to fifteen lines."""


def write_project(folder: Path, size: Size, *, seed: int = 0) -> int:
    """Write a project and return the number of its lines.

    Actors come first, whatever number of lines they take; plain files fill up the rest.

    Args:
        folder: where to; made if it is missing.
        size: of the project.
        seed: for another project of the same size.
    """
    written = 0
    for path, text in files(size, seed):
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        written += text.count("\n")
    return written


def files(size: Size, seed: int = 0) -> Iterator[tuple[str, str]]:
    """The paths and texts of a project, one after the other."""
    random = Random(seed)
    lines = 0
    for path, text in _actor_files(size, random):
        lines += text.count("\n")
        yield path, text
    number = 0
    while lines < size.lines:
        text = _plain_file(random, number, min(_PLAIN_LINES, size.lines - lines))
        lines += text.count("\n")
        yield f"plain{number // 50}/part{number}.py", text
        number += 1


def one_class(lines: int, seed: int = 0) -> str:
    """A file with one actor whose class has about ``lines`` lines."""
    return _actor(Random(seed), "pykka", 0, _handlers_of(lines))[0]


def one_class_project(folder: Path, lines: int, *, seed: int = 0) -> int:
    """Write a package with :func:`one_class` and what it imports, and return the number of its lines."""
    package = folder / "services0"
    package.mkdir(parents=True, exist_ok=True)
    text = one_class(lines, seed)
    (package / "shared.py").write_text(_SHARED, encoding="utf-8")
    (package / "one.py").write_text(text, encoding="utf-8")
    return text.count("\n") + _SHARED.count("\n")


def _handlers_of(lines: int) -> int:
    each = sum(handler.count("\n") for handler in _HANDLERS) / len(_HANDLERS)
    return max(1, round(lines / each))


def _actor_files(size: Size, random: Random) -> Iterator[tuple[str, str]]:
    """Each actor in a file of its own, twenty to a package, with what they share."""
    starts: list[str] = []
    package = ""
    for number in range(size.actors):
        if number % 20 == 0:
            yield from _wiring(package, starts)
            starts, package = [], f"services{number // 20}"
            yield f"{package}/shared.py", _SHARED
        framework = random.choice(list(_HEAD))
        text, name = _actor(random, framework, number, size.handlers)
        yield f"{package}/actor{number}.py", text
        starts.append(f"from {package}.actor{number} import {name}|{framework}")
    yield from _wiring(package, starts)


def _wiring(package: str, starts: list[str]) -> Iterator[tuple[str, str]]:
    """The file that starts the actors of a package."""
    if not starts:
        return
    pairs = [start.split("|") for start in starts]
    body = ["\n\ndef launch(settings, other):\n"]
    for line, framework in pairs:
        name = line.rpartition(" ")[2]
        body.append(_START[framework].format(Name=name, lower=name.lower()))
    body.append("    return locals()\n")
    yield f"{package}/wiring.py", "\n".join(line for line, _ in pairs) + "".join(body)


def _actor(random: Random, framework: str, number: int, handlers: int) -> tuple[str, str]:
    """A file with one actor, and the actor's name."""
    names = _names(random, number)
    parts = [_HEAD[framework].format(package=f"services{number // 20}"), "\nlogger = logging.getLogger(__name__)\n"]
    parts += ["\n", _OPEN[framework].format(**names)]
    for i in range(handlers):
        send = _SEND[framework].format(**names)
        other = {**names, "number": str(random.randrange(2, 5000)), "small": str(random.randrange(2, 10))}
        parts.append(random.choice(_HANDLERS).format(**other, i=i, send=send))
    return "".join(parts), names["Name"]


def _plain_file(random: Random, number: int, lines: int) -> str:
    parts = ['"""Plain code."""\n\nfrom dataclasses import dataclass, field\n']
    written = 3
    block = 0
    while written < lines:
        text = "\n" + random.choice(_PLAIN).format(**_names(random, number * 100 + block))
        parts.append(text)
        written += text.count("\n")
        block += 1
    return "".join(parts)


def _names(random: Random, number: int) -> dict[str, str]:
    a, b, c = random.sample(_WORDS, 3)
    return {
        "a": a,
        "b": b,
        "c": c,
        "name": f"{a}_{b}",
        "Name": f"{a.title()}{b.title()}{number}",
        "NAME": f"{a.upper()}_{c.upper()}_{number}",
        "verb": random.choice(("find", "make", "read", "sort", "load", "check")),
        "number": str(random.randrange(2, 5000)),
        "small": str(random.randrange(2, 10)),
    }
