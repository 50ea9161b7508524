"""The frameworks' data: the names in it exist, and small programs of each are understood."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from collections.abc import Iterator
from importlib import resources
from textwrap import dedent

import pytest

from otplint.facts import frameworks
from otplint.facts.actors import Actor
from otplint.facts.facts import Facts
from otplint.facts.frameworks import Framework, Vocabulary, matches, shipped
from otplint.facts.index.by_ast import index_module
from otplint.facts.index.project import Project
from otplint.facts.kinship import Kinship
from otplint.facts.makers import Makers
from otplint.facts.methods import Role
from otplint.facts.queries.failure.judgement import outcome

PACKAGES = {"anyio": "anyio", "autogen": "autogen_core", "celery": "celery", "distributed": "distributed",
            "dramatiq": "dramatiq", "otpylib": "otpylib", "pykka": "pykka", "ray": "ray", "rq": "rq",
            "thespian": "thespian", "trio": "trio", "triotp": "triotp", "xoscar": "xoscar"}  # fmt: skip
"""The package of each framework. Those that are big are looked at by `make test-frameworks` only."""
SMALL = ("anyio", "autogen", "celery", "dramatiq", "otpylib", "pykka", "rq", "thespian", "trio", "xoscar")
SOURCED = ("anyio", "asyncio", "autogen", "celery", "distributed", "dramatiq", "otpylib", "pykka", "ray", "rq",
           "runtime", "thespian", "threads", "trio", "triotp", "xoscar")  # fmt: skip
"""The others, of which most are of the standard library, name their documentation once."""
NOT_ON_THE_CLASS = {
    "distributed.core.Server.rpc",  # made by __init__
    "ray.remote_function.RemoteFunction.remote",  # made by __init__
    "pykka.gevent.GeventActor", "pykka.eventlet.EventletActor",  # until 4.0
    "pykka.ActorInbox", "pykka.ActorInbox.put",  # for type checkers only
    "celery.task", "celery.decorators.task", "celery.task.Task",  # until Celery 4
    "rq.job.Job.execute_success_callback", "rq.job.Job.execute_failure_callback",  # until RQ 2
    "rq.job.Job.execute_stopped_callback",
}  # fmt: skip


def installed() -> Iterator[str]:
    for name, package in PACKAGES.items():
        if name in SMALL or importlib.util.find_spec(package) is not None:
            yield name


def exists(name: str) -> bool:
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        for part in parts[length:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


def names(framework: Framework) -> Iterator[str]:
    for kind in framework.actors:
        yield from (*kind.bases, *kind.decorators, *kind.handler_decorators, *kind.unanswered)
        yield from (n for n in (kind.gives, kind.gives_function, *kind.attributes.values()) if "." in n)
    for operation in framework.operations:
        yield from (name.partition(".*")[0] for name in operation.names)
        yield from filter(None, [operation.returns])
    yield from (*framework.down, *framework.call_failures, *framework.undelivered)
    yield from (name.partition("(")[0] for name in framework.down_made)


@pytest.mark.parametrize("name", [*installed()])
def test_the_names_in_the_data_exist(name: str) -> None:
    framework = next(f for f in shipped() if f.name == name)
    package = PACKAGES[name]
    wanted = [n for n in dict.fromkeys(names(framework)) if n.startswith(f"{package}.") and n not in NOT_ON_THE_CLASS]
    assert len(wanted) > 5
    assert [n for n in wanted if not exists(n)] == []


FACTORIES = {"multiprocessing.Queue": "multiprocessing.queues.Queue",
             "multiprocessing.JoinableQueue": "multiprocessing.queues.JoinableQueue",
             "multiprocessing.SimpleQueue": "multiprocessing.queues.SimpleQueue",
             "multiprocessing.Event": "multiprocessing.synchronize.Event",
             "multiprocessing.Barrier": "multiprocessing.synchronize.Barrier",
             "multiprocessing.context.BaseContext.Process": "multiprocessing.context.SpawnContext.Process"}  # fmt: skip
"""What these functions make, by which the methods are looked up."""


@pytest.mark.parametrize("name", ["asyncio", "threads"])
def test_the_names_of_the_standard_library_exist(name: str) -> None:
    framework = next(f for f in shipped() if f.name == name)
    later = {"asyncio.TaskGroup", "asyncio.timeout", "asyncio.timeout_at", "asyncio.Barrier"}  # since 3.11
    for fact in dict.fromkeys(names(framework)):
        owner = next((made for made in FACTORIES if fact.startswith(f"{made}.") or fact == made), "")
        known = fact.replace(owner, FACTORIES[owner], 1) if owner else fact
        old = sys.version_info < (3, 11) and any(fact == n or fact.startswith(f"{n}.") for n in later)
        assert exists(known) or old or fact == "TimeoutError" or fact.startswith("anyio."), fact


@pytest.mark.parametrize("name", SOURCED)
def test_each_fact_says_where_it_comes_from(name: str) -> None:
    """Each table has a comment, in it or right above it."""
    text = resources.files(frameworks).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    tables = [block for block in text.split("\n\n") if re.search(r"^\[\[", block, re.MULTILINE)]
    assert tables
    assert [block for block in tables if "#" not in block] == []


def test_every_handler_decorator_without_an_answer_is_a_handler_s() -> None:
    for framework in shipped():
        for kind in framework.actors:
            assert set(kind.unanswered) <= set(kind.handler_decorators), framework.name


def test_patterns_of_names() -> None:
    assert matches("receiveMsg_Start", ("receiveMsg_*",))
    assert not matches("receiveMsg_", ("receiveMsg_*",))
    assert not matches("receive", ("receiveMsg_*", "receiveMessage"))
    assert matches("run", ("run",))


# -- small programs


def actors(text: str) -> dict[str, Actor]:
    """The actors of a program of one file, ``app.py``, by name."""
    text = dedent(text)
    index = index_module(text, "app.py", "app", False)
    vocabulary = Vocabulary(shipped())
    project = Project([index])
    makers = Makers(vocabulary)
    makers.read(index, text)
    facts = Facts(project, vocabulary, Kinship(project, vocabulary, makers=makers), lambda _path: text)
    return {actor.name: actor for actor in facts.actors(project.modules[0])}


def handlers(actor: Actor) -> list[str]:
    return [m.name for m in actor.methods if m.role is Role.HANDLER]


def events(actor: Actor, method: str) -> list[tuple[str, str, bool]]:
    """Role, target as written, and whether it is certain, of each call that means something, in source order."""
    found = actor.method(method)
    assert found is not None
    ordered = sorted(found.events, key=lambda e: e.call.start)
    return [(e.role, found.text(e.target) if e.target is not None else "", e.certain) for e in ordered]


def fate(actor: Actor, method: str) -> str:
    found = actor.method(method)
    assert found is not None
    return outcome(found)


RAY = """
    import ray
    from ray import remote as far

    @ray.remote(max_restarts=3)
    class Counter:
        def __init__(self, other):
            self.other = other
        def add(self, n):
            ref = self.other.work.remote(n)
            return ray.get(ref, timeout=3)
        async def slow(self): ...
        def _help(self): ...

    @far
    class Driver:
        def go(self):
            one = Counter.remote(None)
            two = Counter.options(name="x").remote(None)
            ray.get(one.add.remote(1))
            two.add.remote(2)
            work.remote(1)
            ray.kill(one)

    @ray.remote(num_cpus=1)
    def work(x):
        found = Away.remote()
        return found.run.remote()

    class Local:
        def run(self): ...

    Away = ray.remote(Local)

    class Once:
        def run(self): ...

    def main():
        ray.remote(num_cpus=0)(Once).options(max_restarts=0).remote()

    class Never:
        def run(self): ...
"""


def test_ray_actors_and_what_restarts_them() -> None:
    found = actors(RAY)
    assert set(found) == {"Counter", "Driver", "Local", "Once", "work"}
    assert {a.framework.name for a in found.values()} == {"ray"}
    assert handlers(found["Counter"]) == ["add", "slow"]
    assert handlers(found["work"]) == ["work"]
    assert found["Counter"].kind.on_failure == ("reply", "restart")
    assert found["Once"].kind.on_failure == found["Driver"].kind.on_failure == ("reply",)
    assert fate(found["Counter"], "add") == "reply"


def test_one_async_method_moves_a_ray_actor_to_an_event_loop() -> None:
    found = actors(RAY)
    assert found["Counter"].kind.scheduler == "event-loop"
    assert {found[n].kind.scheduler for n in ("Driver", "Local", "work")} == {"thread"}


def test_ray_calls() -> None:
    found = actors(RAY)
    assert events(found["Counter"], "add") == [("cast", "self.other", False), ("call", "", True)]
    assert events(found["Driver"], "go") == [
        ("spawn", "", True),
        ("spawn", "", True),
        ("make", "", True),
        ("call", "", True),
        ("cast", "one", True),
        ("cast", "two", True),
        ("spawn", "", True),
        ("kill", "one", True),
    ]
    assert events(found["work"], "work") == [("spawn", "", True), ("cast", "found", True)]


@pytest.mark.parametrize(
    ("given", "restarted"),
    [("max_restarts=-1", True), ("max_restarts=0", False), ("num_cpus=1", False), ("max_restarts=limit()", True)],
)
def test_options_that_restart_a_ray_actor(given: str, restarted: bool) -> None:
    decorated = actors(f"import ray\n@ray.remote({given})\nclass A:\n    def go(self): ...\n")
    chosen = actors(f"import ray\n@ray.remote\nclass A:\n    def go(self): ...\na = A.options({given}).remote()\n")
    assert ("restart" in decorated["A"].kind.on_failure) is restarted
    assert ("restart" in chosen["A"].kind.on_failure) is restarted


XOSCAR = """
    import xoscar as xo
    from typing import Optional

    class A(xo.StatelessActor):
        _peer: Optional[xo.ActorRefType["B"]] = None
        async def __post_create__(self):
            self._own = await xo.create_actor(B, address=self.address, uid="b")
        async def __pre_destroy__(self):
            await xo.destroy_actor(self._own)
        async def work(self, x):
            await self._peer.add(1)
            await self._own.add.tell(2)
            ref = await xo.actor_ref(address="x", uid="b")
            await xo.wait_for(ref.add(3), 5)
            await ref.destroy()
            await self.helped(ref)
            x.add(1)
        async def helped(self, ref: xo.ActorRefType["B"]):
            await ref.add.send(4)
            ref._private(5)
        @classmethod
        def default_uid(cls): ...
        async def _beat(self): ...

    class B(xo.Actor):
        async def add(self, n): ...
        async def __on_receive__(self, message): ...
"""


def test_xoscar_actors() -> None:
    found = actors(XOSCAR)
    assert handlers(found["A"]) == ["work", "helped"]
    assert handlers(found["B"]) == ["add", "__on_receive__"]
    assert [found[n].kind.one_at_a_time for n in "AB"] == [False, True]
    assert [(m.name, m.role) for m in found["A"].methods if m.role in (Role.START, Role.STOP)] == [
        ("__post_create__", Role.START),
        ("__pre_destroy__", Role.STOP),
    ]
    assert fate(found["A"], "work") == fate(found["A"], "_beat") == "reply"
    assert "__on_receive__" in [m.name for m in found["B"].working]


def test_xoscar_calls() -> None:
    found = actors(XOSCAR)["A"]
    assert events(found, "__post_create__") == [("spawn", "", True)]
    assert events(found, "__pre_destroy__") == [("kill", "self._own", True)]
    assert events(found, "work") == [
        ("call", "self._peer", True),
        ("cast", "self._own", True),
        ("make", "", True),
        ("wait", "", True),
        ("call", "ref", True),
        ("kill", "ref", True),
    ]
    assert events(found, "helped") == [("call", "ref", True)]


THESPIAN = """
    import thespian.actors
    from thespian.actors import ActorTypeDispatcher

    class Boss(ActorTypeDispatcher):
        def receiveMsg_Start(self, msg, sender):
            self.child = self.createActor(Worker)
            self.send(self.child, msg)
            self.wakeupAfter(5, payload="x")
        def receiveMsg_ChildActorExited(self, msg, sender): ...
        def receiveMsg_ActorExitRequest(self, msg, sender): ...
        def receiveMsgLike(self): ...

    class Worker(thespian.actors.Actor):
        def receiveMessage(self, msg, sender):
            self.send(sender, 1)

    class Outside(Boss):
        def receiveUnrecognizedMessage(self, msg, sender):
            system = thespian.actors.ActorSystem("simpleSystemBase")
            system.tell(sender, 1)
            system.ask(sender, 1, 3)
"""


def test_thespian() -> None:
    found = actors(THESPIAN)
    assert handlers(found["Boss"]) == ["receiveMsg_Start", "receiveMsg_ChildActorExited"]
    assert [m.name for m in found["Boss"].methods if m.stops] == ["receiveMsg_ActorExitRequest"]
    assert handlers(found["Worker"]) == ["receiveMessage"]
    assert handlers(found["Outside"]) == ["receiveUnrecognizedMessage"]
    assert events(found["Boss"], "receiveMsg_Start") == [
        ("spawn", "", True),
        ("cast", "self.child", True),
        ("timer", "", True),
    ]
    assert events(found["Worker"], "receiveMessage") == [("cast", "sender", True)]
    assert [e[0] for e in events(found["Outside"], "receiveUnrecognizedMessage")] == ["cast", "call"]
    assert "restart" not in found["Boss"].kind.on_failure


AUTOGEN = """
    from autogen_core import BaseAgent, RoutedAgent, TopicId, event, message_handler, rpc

    class Planner(RoutedAgent):
        @message_handler
        async def on_task(self, message, ctx):
            answer = await self.send_message(message, self.peer)
            await self.publish_message(answer, TopicId("a", "b"))
        @event(match=lambda m, c: True)
        async def on_note(self, message, ctx): ...
        @rpc
        async def on_ask(self, message, ctx): ...
        def helper(self): ...

    class Raw(BaseAgent):
        async def on_message_impl(self, message, ctx):
            await self.runtime.send_message(message, self.id)
"""


def test_autogen() -> None:
    found = actors(AUTOGEN)
    assert handlers(found["Planner"]) == ["on_task", "on_note", "on_ask"]
    assert handlers(found["Raw"]) == ["on_message_impl"]
    assert events(found["Planner"], "on_task") == [("call", "self.peer", True), ("cast", 'TopicId("a", "b")', True)]
    assert events(found["Raw"], "on_message_impl") == [("call", "self.id", True)]
    assert [fate(found["Planner"], m) for m in ("on_task", "on_note", "on_ask")] == ["reply", "isolated", "reply"]


DISTRIBUTED = """
    from functools import partial
    from distributed.core import Server, rpc
    from distributed.diagnostics.plugin import SchedulerPlugin
    from distributed.node import ServerNode

    class Node(ServerNode):
        def __init__(self):
            handlers = {"ping": self.ping, "add": partial(self.add, 1)}
            self.stream_handlers["late"] = self.late
            self.handlers.update({"more": self.more})
            super().__init__(handlers=handlers, stream_handlers={"note": self.note})
            self.peer = self.rpc("tcp://x")
        async def ping(self, comm=None):
            return await self.peer.pong(x=1)
        def add(self, n): ...
        def more(self): ...
        def late(self): ...
        def note(self, x):
            self.batched_stream.send({"op": "x"})
        async def other(self):
            async with rpc("tcp://y") as there:
                await there.work()

    class Watcher(SchedulerPlugin):
        def remove_worker(self, scheduler, worker): ...
        def other(self): ...
"""


def test_distributed_servers_take_messages_by_their_tables() -> None:
    found = actors(DISTRIBUTED)
    assert handlers(found["Node"]) == ["ping", "add", "more", "late", "note"]
    assert events(found["Node"], "ping") == [("call", "self.peer", True)]
    assert events(found["Node"], "note") == [("cast", "self.batched_stream", True)]
    assert ("call", "there", True) in events(found["Node"], "other")
    assert handlers(found["Watcher"]) == ["remove_worker"]
    assert fate(found["Watcher"], "remove_worker") == "isolated"


NURSERIES = """
    import trio
    from anyio import create_task_group

    class Service:
        async def run(self):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.loop)
        async def loop(self):
            while True:
                await trio.sleep(1)

    class Other:
        async def run(self):
            async with create_task_group() as group:
                group.start_soon(self.loop)
        async def loop(self):
            while True:
                await self.step()
"""


def test_nurseries_look_after_what_they_start() -> None:
    found = actors(NURSERIES)
    for actor in (found["Service"], found["Other"]):
        assert [m.name for m in actor.methods if m.role is Role.LOOP] == ["loop"]
        (spawn,) = actor.events("spawn")
        assert spawn.certain
        assert spawn.operation.tied == "receiver"


def test_a_name_alone_makes_no_actor() -> None:
    text = """
        from house import Actor, remote

        @remote
        class A:
            def go(self): ...

        class B(Actor):
            def go(self):
                self.peer.work.remote()
    """
    assert actors(text) == {}
