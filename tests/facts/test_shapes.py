"""Actors by shape: objects that live by a loop of their own or by an event loop's callbacks, and what only looks so."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from otplint.config import Config
from otplint.engine import run
from otplint.facts.actors import Actor
from otplint.facts.facts import Facts
from otplint.facts.index.entries import ModuleIndex

Found = dict[str, set[str]]
"""Actors by name, each with the functions that it lives by."""

Living = Callable[["dict[str, str] | str"], Found]


@pytest.fixture
def living(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Living:
    """The actors of a few files, found through the whole way of a scan."""

    def find(files: dict[str, str] | str) -> Found:
        found: Found = {}
        seen = Facts.actors

        def note(facts: Facts, index: ModuleIndex) -> list[Actor]:
            actors = seen(facts, index)
            for actor in actors:
                if actor.is_actor:
                    found[actor.name] = {m.name for m in actor.everything if m.role.value in ("loop", "handler")}
            return actors

        for name, text in ({"app.py": files} if isinstance(files, str) else files).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        monkeypatch.setattr(Facts, "actors", note)
        assert not run.scan([tmp_path], Config(), [], root=tmp_path, jobs=1).failures
        return found

    return find


@pytest.mark.parametrize(
    ("what", "loop"),
    [
        ("a flag in the test", "while not self.stopping: self.step(); time.sleep(1)"),
        ("an event in the test", "while not self.stopping.is_set(): self.step(); time.sleep(1)"),
        ("a flag that breaks", "while True:\n                time.sleep(1)\n                if self.stopping: break"),
        ("a flag in a helper", "while self.wanted(): time.sleep(1)"),
        ("a flag in a property", "while self.going: time.sleep(1)"),
        (
            "a flag, and then a choice",
            (
                "while True:\n                time.sleep(1)\n                if self.stopping:\n"
                "                    if self.step(): break\n                    else: self.rest()"
            ),
        ),
        ("the wait in a helper", "while not self.stopping: self.rest()"),
    ],
)
def test_a_loop_that_goes_on_until_told(living: Living, what: str, loop: str) -> None:
    program = f"""
    import time

    class Beat:
        def __init__(self): self.stopping = False
        def work(self):
            {loop}
        def wanted(self): return not self.stopping
        @property
        def going(self): return not self.stopping
        def rest(self): time.sleep(1)
        def step(self): print("beat")
        def stop(self): self.stopping = True
    """
    if "is_set" in loop:
        program = program.replace("self.stopping = True", "self.stopping.set()")
    assert living(program) == {"Beat": {"work"}}


@pytest.mark.parametrize(
    ("what", "program"),
    [
        ("a parser ends by what it reads", """
            class Parser:
                def parse(self):
                    while not self.done: self.token(); time.sleep(0)
                def token(self): self.done = True
            """),
        ("a retry ends by its success", """
            class Client:
                def fetch(self):
                    while True:
                        try: return self.get()
                        except OSError: time.sleep(1)
                def close(self): self.closed = True
            """),
        ("a wait for one answer gives it back", """
            class Box:
                def answer(self):
                    while not self.closed:
                        if self.items: return self.items.pop()
                        time.sleep(1)
                def close(self): self.closed = True
            """),
        ("a loop that waits for nothing", """
            class Drawer:
                def empty(self):
                    while not self.closed: self.items.pop()
                def close(self): self.closed = True; time.sleep(1)
            """),
        ("a callback of somebody else", """
            class Setup:
                def wire(self, loop, other):
                    loop.add_reader(3, other.on_readable)
            """),
    ],
)  # fmt: skip
def test_what_only_looks_like_a_life(living: Living, what: str, program: str) -> None:
    assert living("import time\n" + textwrap.dedent(program)) == {}


def test_a_loop_that_the_object_starts_as_a_task(living: Living) -> None:
    assert living("""
        import asyncio

        class Poller:
            def start(self): self.task = asyncio.create_task(self.poll())
            async def poll(self):
                while True:
                    await self.once()
    """) == {"Poller": {"poll"}}


def test_functions_that_an_event_loop_calls_back(living: Living) -> None:
    assert living("""
        import functools
        from tornado.ioloop import IOLoop, PeriodicCallback

        class Discovery:
            def __init__(self, loop=None):
                self.loop = loop or IOLoop.current()
            def start(self, sock):
                self.loop.add_handler(sock.fileno(), self.on_packet, IOLoop.READ)
                self.tick = PeriodicCallback(functools.partial(self.announce, 1), 1000)
            def on_packet(self, fd, events): ...
            def announce(self, n): ...
            def helper(self): ...
    """) == {"Discovery": {"on_packet", "announce"}}


def test_what_derives_from_such_a_class_is_an_actor_too(living: Living) -> None:
    base = """
        import time

        class Service:
            running = True
            def serve(self):
                while self.running:
                    self.once()
                    time.sleep(1)
            def close(self): self.running = False
    """
    files = {
        "app/__init__.py": "from .base import Service as Base\n",
        "app/base.py": base,
        "app/mail.py": "from app import Base\n\nclass Mail(Base):\n    def once(self): ...\n",
        "app/post.py": "from app.mail import Mail as Root\n\nclass Post(Root):\n    def once(self): ...\n",
        "app/other.py": "class Service2: ...\n\nclass Other(Service2): ...\n",
    }
    assert set(living(files)) == {"Service", "Mail", "Post"}


def test_a_decorator_that_an_object_of_another_file_gives(living: Living) -> None:
    files = {
        "shop/__init__.py": "",
        "shop/queue.py": "from celery import Celery\n\nqueue = Celery('shop')\n",
        "shop/jobs.py": "from .queue import queue\n\n@queue.task(bind=True)\ndef pack(self, order): ...\n",
        "shop/other.py": "from .views import queue\n\n@queue.route('/')\ndef index(): ...\n",
    }
    assert living(files) == {"pack": {"pack"}}


def test_a_loop_in_a_class_without_functions(living: Living) -> None:
    assert not living("""
    import time

    class Once:
        while not time.monotonic(): time.sleep(1)
    """)


@pytest.mark.parametrize(
    ("lines", "called"),
    [
        ("add = loop.add_reader\n        add(3, self.on_readable)", ["on_readable"]),
        ("ready = self.on_readable\n        add = loop.add_reader\n        add(3, ready)", ["on_readable"]),
        ("watch_all(self.fds, loop.add_reader, self.on_readable)", ["on_readable"]),
        ("add = self.table.append\n        add(self.on_readable)", []),
        ("add = loop.add_reader\n        add(3, self.fds)", []),
        ("add = loop.add_reader\n        note(self.on_readable)", []),
    ],
)
def test_the_function_of_the_loop_by_another_name(living: Living, lines: str, called: list[str]) -> None:
    found = living(f"""
class Link:
    def wire(self, loop):
        loop.add_reader(0, print)
        {lines}
    def on_readable(self):
        pass
    def note(self, x):
        pass
""")
    assert [name for names in found.values() for name in names] == called


def test_a_common_name_hands_to_an_event_loop_only_beside_its_package(living: Living) -> None:
    """``add_handler`` of a device is no event loop's, and triage would not look at the file either."""
    text = """
        import threading
        from {package} import Device

        class Coordinator:
            def __init__(self, device):
                self.device = device
                self.device.add_handler(3, self.on_update)
            def on_update(self):
                self.errors = 0
    """
    assert living(text.replace("{package}", "tornado.device")) == {"Coordinator": {"on_update"}}
    assert living(text.replace("{package}", "greenhouse.device")) == {}
