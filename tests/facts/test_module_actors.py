"""Modules that are actors, states that callbacks pass on, and the two ends of a channel."""

from __future__ import annotations

from textwrap import dedent

import pytest

from otplint.facts.actors import Actor
from otplint.facts.facts import Facts
from otplint.facts.frameworks import Vocabulary, shipped
from otplint.facts.index.by_ast import index_module
from otplint.facts.index.project import Project
from otplint.facts.kinship import Kinship
from otplint.facts.methods import Role
from otplint.facts.module_actors import registered


def facts_of(**files: str) -> Facts:
    texts = {f"{name}.py": dedent(text) for name, text in files.items()}
    project = Project([index_module(text, path, path[:-3], False) for path, text in texts.items()])
    vocabulary = Vocabulary(shipped())
    return Facts(project, vocabulary, Kinship(project, vocabulary), texts.__getitem__)


def actors(facts: Facts, name: str) -> dict[str, Actor]:
    index = facts.project.module(name)
    assert index is not None
    return {actor.name: actor for actor in facts.actors(index)}


def roles(actor: Actor) -> dict[str, Role]:
    return {method.name: method.role for method in actor.methods}


def uses(actor: Actor) -> list[tuple[str, str]]:
    return [(use.attribute, use.kind) for use in actor.uses]


SERVER = """
    from triotp import gen_server
    from triotp.helpers import current_module

    __module__ = current_module()
    NAME = "shop"

    async def start():
        await gen_server.start(__module__, name=NAME)

    async def get(key):
        return await gen_server.call(NAME, key)

    async def init(_arg):
        return {"jobs": [], "sold": 0}

    async def handle_call(message, caller, state):
        step(message, state)
        return (gen_server.Reply(state["sold"]), state)

    async def handle_cast(message, state):
        state["jobs"].append(message)
        nursery.start_soon(later, 1)
        return (gen_server.NoReply(), state)

    def step(message, books):
        books["sold"] += 1

    async def later(n): ...

    async def terminate(reason, state): ...
"""


def test_a_module_with_the_callbacks_of_a_gen_server_is_an_actor() -> None:
    shop = actors(facts_of(shop=SERVER), "shop")["shop"]
    assert (shop.form, shop.framework.name, shop.kind.on_failure) == ("module", "triotp", ("restart",))
    assert roles(shop) == {
        "handle_call": Role.HANDLER,
        "handle_cast": Role.HANDLER,
        "init": Role.START,
        "terminate": Role.STOP,
        "step": Role.HELPER,
        "later": Role.HELPER,
    }


def test_what_others_call_is_not_the_actor_s() -> None:
    shop = actors(facts_of(shop=SERVER), "shop")["shop"]
    assert not {"start", "get"} & {m.name for m in shop.everything}
    assert [e.role for m in shop.methods for e in m.events if e.role == "call"] == []


def test_the_state_is_what_the_callbacks_pass_on() -> None:
    shop = actors(facts_of(shop=SERVER), "shop")["shop"]
    assert {m.name: m.state_name for m in shop.methods if m.state_name} == {
        "handle_call": "state",
        "handle_cast": "state",
        "terminate": "state",
        "step": "books",
    }
    assert uses(shop) == [("sold", "read"), ("jobs", "append"), ("sold", "update")]
    made = [(name, *[type(value).__name__ for _, value, _ in shop.assignments(name)]) for name in ("jobs", "sold")]
    assert made == [("jobs", "Seq"), ("sold", "Const")]


def test_own_functions_run_where_they_are_called() -> None:
    shop = actors(facts_of(shop=SERVER), "shop")["shop"]
    handler = shop.method("handle_call")
    assert handler is not None
    assert [m.name for m in shop.reached(handler)] == ["handle_call", "step"]


@pytest.mark.parametrize(
    ("imported", "named"),
    [
        ("from triotp import gen_server", "gen_server"),
        ("from triotp import gen_server as gs", "gs"),
        ("import triotp.gen_server", "triotp.gen_server"),
        ("import triotp.gen_server as gs", "gs"),
        ("from triotp.gen_server import Reply", "x"),
    ],
)
def test_forms_of_the_import(imported: str, named: str) -> None:
    handler = f"async def handle_info(m, state): return ({named}.NoReply(), state)"
    text = f"{imported}\nasync def init(a): return 1\n{handler}"
    assert actors(facts_of(a=text), "a")["a"].form == "module"


@pytest.mark.parametrize(
    "text",
    [
        "async def init(a): ...\nasync def handle_call(m, c, s): ...",
        "from triotp import supervisor\nasync def init(a): ...\nasync def handle_call(m, c, s): ...",
        "from triotp import gen_server\nasync def init(a): ...",
        "from triotp import gen_server\nasync def handle_call(m, c, s): ...",
        "import triotp.gen_server\nclass A:\n    async def init(self, a): ...\n    async def handle_call(s, m): ...",
    ],
)
def test_modules_that_are_no_actors(text: str) -> None:
    assert [a for a in actors(facts_of(a=text), "a").values() if a.is_actor] == []


@pytest.mark.parametrize(
    "start",
    [
        "await gen_server.start(shop, None, 'shop')",
        "await gen_server.start(module=shop)",
        "nursery.start_soon(gen_server.start, shop)",
        "supervisor.child_spec('shop', task=gen_server.start, args=[shop, None, 'shop'])",
    ],
)
def test_a_module_that_another_one_starts(start: str) -> None:
    shop = "from house import answers\nasync def init(a): ...\nasync def handle_call(m, c, state): return answers(1)"
    main = f"import shop\nfrom triotp import gen_server, supervisor\nasync def main(nursery):\n    {start}\n"
    found = actors(facts_of(shop=shop, main=main), "shop")
    assert found["shop"].evidence == "is given to triotp.gen_server.start"
    assert "shop" not in actors(facts_of(shop=shop, main="import shop\nrun(shop)"), "shop")


def test_servers_by_the_names_that_they_are_given() -> None:
    plain = SERVER.replace("name=NAME", "name=__name__")
    positional = SERVER.replace("name=NAME", "None, 'third'")
    found = registered(facts_of(first=SERVER, second=plain, third=positional))
    assert {name: actor.name for name, actor in found.items()} == {
        "shop": "first",
        "second": "second",
        "third": "third",
    }


def test_the_state_of_a_class_with_the_metaclass() -> None:
    text = """
        from otpylib.module import GEN_SERVER, OTPModule

        class Shop(metaclass=OTPModule, behavior=GEN_SERVER, version="1"):
            async def init(self, args):
                state = {"jobs": []}
                return state
            async def handle_cast(self, message, st):
                st["jobs"].append(message)
                self.other = st[message]
    """
    shop = actors(facts_of(a=text), "a")["Shop"]
    assert uses(shop) == [("other", "write"), ("jobs", "append")]
    assert [name for name in ("jobs",) if any(shop.assignments(name))] == ["jobs"]


def test_state_that_is_an_object_has_its_types() -> None:
    text = """
        import queue
        from triotp import gen_server

        class Books:
            def __init__(self):
                self.orders = queue.Queue()

        async def init(_arg):
            return Books()

        async def handle_cast(message, state):
            state.orders.put(message)
    """
    (event,) = actors(facts_of(a=text), "a")["a"].events("put")
    assert event.certain


CHANNELS = """
    import {package}
    from {package} import {opens} as opened

    class Service:
        def __init__(self):
            self.given, self.taken = opened{typed}(3)
        async def run(self):
            async for job in self.taken:
                await self.given.send(job)

    async def worker(jobs: {package}.{receive}[int]):
        async for job in jobs: ...

    async def worker_by_hand(jobs: "{package}.{receive}[int]"):
        while True:
            await jobs.receive()

    async def not_one():
        send, receive = opened(1)
        async for answer in receive: ...

    async def nor_this(lines):
        async for line in lines: ...
"""


@pytest.mark.parametrize("typed", ["", "[int]"])
@pytest.mark.parametrize(
    ("package", "opens", "receive"),
    [
        ("trio", "open_memory_channel", "MemoryReceiveChannel"),
        ("anyio", "create_memory_object_stream", "streams.memory.MemoryObjectReceiveStream"),
    ],
)
def test_loops_that_go_through_a_channel(package: str, opens: str, receive: str, typed: str) -> None:
    text = dedent(CHANNELS).format(package=package, opens=opens, receive=receive, typed=typed)
    found = actors(facts_of(a=text), "a")
    assert set(found) == {"Service", "worker", "worker_by_hand"}
    assert {actor.framework.name for actor in found.values()} == {package}
    assert [(e.role, e.certain) for e in found["Service"].events("put", "take")] == [("put", True)]


def test_a_coroutine_belongs_to_the_framework_that_runs_it() -> None:
    text = """
        import {package}
        class Service:
            async def run(self):
                while not self.closed:
                    await self.changed.wait()
            def close(self):
                self.closed = True
    """
    for package in ("asyncio", "trio", "anyio", "tornado"):
        found = actors(facts_of(a=dedent(text).format(package=package)), "a")
        assert found["Service"].framework.name == package
    threaded = "import asyncio, threading\nclass A(threading.Thread):\n    def run(self): ..."
    assert actors(facts_of(a=threaded), "a")["A"].framework.name == "threads"
