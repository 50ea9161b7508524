"""OTP106: what is taken on and never given back; the tempting negatives first."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from otplint.findings import Finding

Scan = Callable[..., list[Finding]]

HEAD = """\
import asyncio, atexit, functools, weakref
from threading import Timer
import pykka
from tornado.ioloop import IOLoop, PeriodicCallback

class Bus:
    def __init__(self):
        self.takers = {}
        self.weak = weakref.WeakSet()
        self.refs = []
    def want(self, topic, taker):
        self.takers.setdefault(topic, []).append(taker)
    def spurn(self, topic, taker):
        self.takers[topic].remove(taker)
    def follow(self, taker):
        self.weak.add(taker)
    def unfollow(self, taker):
        self.weak.discard(taker)
    def subscribe(self, taker):
        self.weak.add(taker)
    def unsubscribe(self, taker):
        self.weak.discard(taker)
    def attach(self, taker):
        self.refs.append(weakref.WeakMethod(taker))
    def detach(self, taker):
        self.refs = [r for r in self.refs if r() not in (None, taker)]
    def configure(self, key, value):
        self.takers[key] = value

class A(pykka.ThreadingActor):
    def __init__(self, hub, bus: Bus, loop: asyncio.AbstractEventLoop):
        super().__init__()
        self.hub, self.loop = hub, loop
        self.bus = bus
        self.timers = {}
        self.counts = {}
        self.timer = None
    def f(self, *args): pass
    def g(self, *args): pass
"""

FINE = {
    "released-when-it-stops": """\
    def on_start(self): self.hub.add_listener("a", self.f)
    def on_stop(self): self.hub.remove_listener("a", self.f)
""",
    "released-without-arguments": """\
    def on_start(self): self.hub.subscribe(self.f)
    def on_stop(self): self.hub.unsubscribe()
""",
    "released-in-a-loop": """\
    def on_start(self): self.hub.add_listener("a", self.f); self.hub.add_listener("b", self.g)
    def on_stop(self):
        for name, taker in (("a", self.f), ("b", self.g)):
            self.hub.remove_listener(name, taker)
""",
    "all-of-them": """\
    def on_start(self): self.hub.addListener(self.f)
    def on_stop(self): self.hub.removeAllListeners()
""",
    "in-finally": """\
    def work(self):
        self.hub.add_listener("a", self.f)
        try:
            self.hub.run()
        finally:
            self.hub.remove_listener("a", self.f)
""",
    "passed-on": """\
    def on_start(self):
        self.hub.add_listener("a", self.f)
        self.stack.callback(self.hub.remove_listener, "a", self.f)
""",
    "in-a-lambda": """\
    def on_start(self):
        self.hub.subscribe(self.f)
        self.cleanup = lambda: self.hub.unsubscribe(self.f)
""",
    "the-result-undoes-it": """\
    def on_start(self): self.undo = self.hub.subscribe(self.f)
    def on_stop(self): self.undo()
""",
    "the-result-goes-on": """\
    def on_start(self): self.undos.append(self.hub.subscribe(self.f))
    def on_stop(self):
        for undo in self.undos: undo()
""",
    "with": """\
    def work(self):
        with self.hub.subscribe(self.f):
            pass
""",
    "weak": """\
    def on_start(self): self.hub.subscribe(weakref.WeakMethod(self.f))
""",
    "weak-by-its-class's-reference": """\
    def on_start(self): self.bus.attach(self.f)
""",
    "weak-table-behind-a-pair-of-names": """\
    def on_start(self): self.bus.subscribe(self.f)
""",
    "weak-by-its-class": """\
    def on_start(self): self.bus.follow(self.f)
""",
    "its-own-object": """\
    def on_start(self):
        self.own = Bus()
        self.own.want("a", self.f)
""",
    "an-object-that-it-ends": """\
    def on_start(self):
        self.link = self.hub.open()
        self.link.add_listener("a", self.f)
    def on_stop(self): self.link.close()
""",
    "its-own-event-loop": """\
    def on_start(self):
        self.mine = asyncio.new_event_loop()
        self.mine.add_reader(0, self.f)
""",
    "one-shot": """\
    def work(self, task):
        task.add_done_callback(self.f)
        self.hub.add_callback(self.f)
        self.hub.listen_once("a", self.f)
        self.hub.call_soon(self.f)
""",
    "no-subscription": """\
    def on_start(self):
        self.hub.add_route("/", self.f)
        self.hub.register_plugin(self)
        self.sock.connect(("localhost", 1))
        self.hub.add_listener("a", "b")
        self.bus.configure("a", 1)
""",
    "finalizer": """\
    def on_start(self): weakref.finalize(self, print, 1)
""",
    "timer-that-fires-and-is-gone": """\
    def work(self): self.loop.call_later(1, self.f)
""",
    "timer-cancelled": """\
    def work(self):
        if self.timer is not None:
            self.timer.cancel()
        self.timer = self.loop.call_later(1, self.f)
""",
    "timer-cancelled-in-a-helper": """\
    def work(self):
        self._quiet(self.timer)
        self.timer = self.loop.call_later(1, self.f)
    def _quiet(self, timer):
        if timer: timer.cancel()
""",
    "timer-cancelled-afterwards": """\
    def work(self):
        old, self.timer = self.timer, self.loop.call_later(1, self.f)
        if old: old.cancel()
""",
    "timer-asked-for": """\
    def work(self):
        if self.timer is None:
            self.timer = self.loop.call_later(1, self.f)
    def stop_it(self): self.timer.cancel()
""",
    "timer-by-flag": """\
    def work(self):
        if not self.armed:
            self.armed = True
            self.timer = self.loop.call_later(1, self.f)
    def stop_it(self): self.timer.cancel()
""",
    "timer-that-arms-itself-again": """\
    def on_start(self): self.tick()
    def tick(self): self._tick()
    def _tick(self):
        self.timer = self.loop.call_later(1, self._tick)
    def on_stop(self): self.timer.cancel()
""",
    "timers-by-key-looked-up": """\
    def work(self, name):
        self.counts[name] += 1
        if name not in self.timers:
            self.timers[name] = self.loop.call_later(1, self.f)
    def stop_it(self, name): self.timers.pop(name).cancel()
""",
    "tornado": """\
    def on_start(self):
        self.periodic = PeriodicCallback(self.f, 100)
        self.periodic.start()
        self.due = self.ioloop().call_later(1, self.f)
    def ioloop(self) -> IOLoop: return IOLoop.current()
    def on_stop(self):
        self.periodic.stop()
        self.ioloop().remove_timeout(self.due)
""",
    "kept-by-another": """\
    def on_start(self):
        self.hub.periodic["a"] = callback = PeriodicCallback(self.f, 100)
        callback.start()
""",
    "noun-first": """\
    def on_start(self): self.hub.message_callback_add("a", self.f)
    def on_stop(self): self.hub.message_callback_remove("a")
""",
    "a-topic-is-no-callback": """\
    def on_start(self): self.hub.subscribe(self.config.topic)
""",
    "by-a-function-elsewhere": """\
    def on_start(self): self.hub.add_listener("a", self.f)
    def on_stop(self): part(self.hub, self.f)

def part(hub, taker): hub.remove_listener("a", taker)
""",
}

FLAWED = {
    "name": """\
    def on_start(self): self.hub.add_listener("a", self.f)  # here
""",
    "class-of-the-project": """\
    def on_start(self): self.bus.want("a", self.f)  # here
""",
    "partial": """\
    def on_start(self): self.bus.want("a", functools.partial(self.f, 1))  # here
""",
    "nested-function": """\
    def on_start(self):
        def taken(x): self.f(x)
        self.hub.subscribe(taken)  # here
""",
    "itself": """\
    def on_start(self): self.bus.want("a", self)  # here
""",
    "noun-first": """\
    def on_start(self): self.hub.message_callback_add("a", self.f)  # here
""",
    "its-inbox": """\
    def on_start(self): self.hub.add_observer(self.inbox.put)  # here
""",
    "another-one-is-released": """\
    def on_start(self):
        self.hub.add_listener("a", self.f)
        self.hub.add_listener("b", self.g)  # here
    def on_stop(self): self.hub.remove_listener("a", self.f)
""",
    "on-another-object": """\
    def on_start(self):
        self.hub.add_listener("a", self.f)
        self.bus.add_listener("a", self.f)  # here
    def on_stop(self): self.hub.remove_listener("a", self.f)
""",
    "other-descriptor": """\
    def on_start(self):
        self.loop.add_reader(self.one, self.f)
        self.loop.add_reader(self.two, self.g)  # here
    def on_stop(self): self.loop.remove_reader(self.one)
""",
    "writer": """\
    def on_start(self): self.loop.add_writer(self.one, self.f)  # here
    def on_stop(self): self.loop.remove_reader(self.one)
""",
    "alias": """\
    def on_start(self):
        watch = self.loop.add_reader
        watch(self.one, self.f)  # here
""",
    "in-a-handler": """\
    def work(self, request): request.source.add_observer(self.f)  # here
""",
    "strong-signal": """\
    def on_start(self): self.hub.changed.connect(self.f, weak=False)  # here
""",
    "periodic-dropped": """\
    def on_start(self): PeriodicCallback(self.f, 100).start()  # here
""",
    "periodic-kept": """\
    def on_start(self):
        self.periodic = PeriodicCallback(self.f, 100)  # here
        self.periodic.start()
""",
    "closed-first": """\
    def on_start(self): self.loop.add_reader(self.sock.fileno(), self.f)  # here
    def on_stop(self): self.sock.close()
""",
    "timer-never-cancelled": """\
    def on_start(self): self.timer = self.loop.call_later(60, self.f)  # here
""",
    "timer-lost": """\
    def work(self): self.timer = self.loop.call_later(60, self.f)  # here
    def on_stop(self): self.timer.cancel()
""",
    "timers-lost-by-key": """\
    def work(self, name):
        self.counts[name] += 1
        self.timers[name] = Timer(60, self.f)  # here
    def on_stop(self):
        for timer in self.timers.values(): timer.cancel()
""",
    "test-never-true": """\
    def work(self, name):
        if name not in self.timers:
            self.timers[name] = Timer(60, self.f)
    def reset(self, name):
        if name is self.timers:  # here
            self.timers.pop(name).cancel()
""",
    "for-the-program's-life": """\
    def on_start(self): atexit.register(self.f)  # here
""",
}


@pytest.mark.parametrize("name", FINE)
def test_silent(name: str, scan: Scan) -> None:
    assert scan(HEAD + FINE[name], "OTP106") == []


@pytest.mark.parametrize("name", FLAWED)
def test_reported(name: str, scan: Scan) -> None:
    text = HEAD + FLAWED[name]
    lines = [number for number, line in enumerate(text.split("\n"), 1) if line.endswith("# here")]
    assert [finding.span.line for finding in scan(text, "OTP106")] == lines


def sureness(scan: Scan, body: str, head: str = HEAD) -> list[str]:
    return [finding.confidence.value for finding in scan(head + body, "OTP106")]


def test_how_sure(scan: Scan) -> None:
    assert sureness(scan, FLAWED["class-of-the-project"]) == ["high"]
    assert sureness(scan, FLAWED["name"]) == ["medium"]
    assert sureness(scan, FLAWED["for-the-program's-life"]) == ["low"]
    assert sureness(scan, FLAWED["name"].replace("self.hub", "self.unknown()")) == ["low"]
    assert sureness(scan, FLAWED["timers-lost-by-key"]) == ["medium"]
    assert sureness(scan, FLAWED["timers-lost-by-key"].replace("self.counts[name] += 1", "pass")) == ["low"]


def test_names_of_the_project_do_not_matter(scan: Scan) -> None:
    renamed = HEAD.replace("want", "zq1").replace("spurn", "zq2")
    assert sureness(scan, FLAWED["class-of-the-project"].replace("want", "zq1"), renamed) == ["high"]
    assert sureness(scan, FLAWED["class-of-the-project"] + "    def on_stop(self): self.bus.spurn('a', self.f)\n") == []


SERVICE = """\
class Receiver:
    def __init__(self, loop, sock):
        self.loop, self.sock = loop, sock
        self.done = False
    def begin(self):
        self.loop.add_handler(self.sock, self.on_data, 1)
    def serve(self):
        while not self.done:
            self.sock.recv(10)
    def on_data(self, fd, events): pass
    def finish_up(self):
        self.done = True
        END
"""


def test_a_service_that_ends_is_surer_than_one_that_does_not_whatever_its_names(scan: Scan) -> None:
    assert [f.confidence.value for f in scan(SERVICE.replace("END", "self.thread.join()"), "OTP106")] == ["low"]
    assert [f.confidence.value for f in scan(SERVICE.replace("END", "self.stream.close()"), "OTP106")] == ["medium"]
    assert scan(SERVICE.replace("END", "self.loop.remove_handler(self.sock)"), "OTP106") == []


def test_actors_that_are_functions(scan: Scan) -> None:
    worker = """\
import asyncio

async def follow(hub, inbox: asyncio.Queue):
    hub.add_listener("a", inbox.put_nowait)
    while True:
        item = await inbox.get()
        if item is None:
            break
"""
    assert [(f.span.line, f.confidence.value) for f in scan(worker, "OTP106")] == [(4, "medium")]
    assert scan(worker + '    hub.remove_listener("a", inbox.put_nowait)\n', "OTP106") == []


def test_the_release_may_stand_in_a_base_a_mixin_or_a_subclass(scan: Scan) -> None:
    base = HEAD + FLAWED["name"]
    derived = """\
from base import A

class Leaves:
    def on_stop(self): self.hub.remove_listener("a", self.f)

class B(Leaves, A): pass
"""
    assert scan({"base.py": base, "app.py": derived}, "OTP106") == []


def test_tests_are_left_alone(scan: Scan) -> None:
    assert scan({"tests/test_a.py": HEAD + FLAWED["name"]}, "OTP106") == []


def test_a_hub_that_another_module_holds(scan: Scan) -> None:
    """What ``hub.BUS`` is says what undoes ``listen``; no pair of names would."""
    hub = """\
class Bus:
    def __init__(self):
        self.takers = {}
    def listen(self, topic, taker):
        self.takers.setdefault(topic, []).append(taker)
    def mute(self, topic, taker):
        self.takers[topic].remove(taker)
BUS = Bus()
"""
    actor = """\
import pykka
from app import hub
class A(pykka.ThreadingActor):
    def on_start(self):
        hub.BUS.listen("a", self.f)
    def on_stop(self):
        END
    def f(self): pass
"""
    for end, found in (("pass", ["OTP106"]), ("hub.BUS.mute('a', self.f)", [])):
        files = {"app/__init__.py": "", "app/hub.py": hub, "app/actor.py": actor.replace("END", end)}
        assert [f.code for f in scan(files, "OTP106")] == found
