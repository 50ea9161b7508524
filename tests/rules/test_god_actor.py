"""OTP603: jobs that share no state, and what only looks like them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

JOBS = """
            case ("start", name): self.flows[name] = 0
            case ("finish", name): return self.flows.pop(name)
            case ("join", agent): self.agents[agent] = 1
            case ("leave", agent): self.agents.pop(agent)
            case ("count", metric): self.counts[metric] = 1
            case ("total", metric): return self.counts[metric]
"""


def server(branches: str = JOBS, *, before: str = "", init: str = "", more: str = "", bases: str = "Server") -> str:
    """A server whose calls are these branches; ``before`` runs for each of them."""
    return (
        "import asyncio, logging, threading, time\nfrom otplint.runtime import *\n"
        f"class God({bases}):\n    def __init__(self, store=None, peer=None):\n"
        "        self.flows, self.agents, self.counts = {}, {}, {}\n"
        f"        self.store, self.peer = store, peer\n{textwrap.indent(textwrap.dedent(init), ' ' * 8)}\n"
        f"    async def handle_call(self, req, frm):\n{textwrap.indent(textwrap.dedent(before), ' ' * 8)}\n"
        f"        match req:{branches}\n{textwrap.indent(textwrap.dedent(more), ' ' * 4)}\n"
    )


NEGATIVE: Mapping[str, str] = {
    "two jobs": server(JOBS.rsplit("case", 2)[0]),
    "one handler each": server(
        """
            case ("start", name): self.flows[name] = 0
            case ("join", agent): self.agents[agent] = 1
            case ("count", metric): self.counts[metric] = 1
        """
    ),
    "a job that uses the state of two others": server(
        JOBS
        + """            case ("assign", agent, name): self.flows[name] = self.agents[agent] + self.counts[name]\n"""
    ),
    "entries of one table changed by another": server(
        JOBS
        + """            case ("blame", name):
                flow = self.flows[name]
                flow.agent = self.agents[name]
            case ("mark", name):
                agent = self.agents.get(name)
                agent.counted(self.counts)
        """
    ),
    "a death concerns all": server(
        more="""
        async def handle_info(self, msg):
            if isinstance(msg, Down):
                for flow in self.agents.pop(msg.pid): self.flows.pop(flow); self.counts.pop(flow)
    """
    ),
    "configuration": server(
        """
            case ("a",): return self.x[0]
            case ("b",): return self.x[1]
            case ("c",): return self.y[0]
            case ("d",): return self.y[1]
            case ("e",): return self.z[0]
            case ("f",): return self.z[1]
        """,
        init="self.x, self.y, self.z = [1, 2], [3, 4], [5, 6]",
    ),
    "tasks and other actors": server(
        """
            case ("a", pid): self.left = pid
            case ("b",): return await self.system.call(self.left, 1)
            case ("c", pid): self.right = pid
            case ("d",): return await self.system.call(self.right, 1)
            case ("e",): self.task = asyncio.create_task(self.work())
            case ("f",): self.task.cancel()
        """,
        more="async def work(self): pass",
    ),
    "no actor": server(bases="object"),
    "a helper holds it together": server(
        """
            case ("start", name): self.flows[name] = 0; self.save(name)
            case ("finish", name): return self.flows.pop(name)
            case ("join", agent): self.agents[agent] = 1; self.save(agent)
            case ("leave", agent): self.agents.pop(agent)
            case ("count", metric): self.counts[metric] = 1; self.save(metric)
            case ("total", metric): return self.counts[metric]
        """,
        init="self.dirty = set()",
        more="""
            def save(self, name):
                if name not in self.dirty: self.dirty.add(name)
        """,
    ),
    "a nested function holds it together": server(
        JOBS
        + """            case ("move", name):
                def move(): self.flows[name] = self.agents.pop(name), self.counts.pop(name)
                asyncio.get_running_loop().call_soon(move)
        """
    ),
}

POSITIVE: Mapping[str, str] = {
    "branches": server(),
    "if isinstance": server("""
            case _: pass
        if isinstance(req, Start): self.flows[req.name] = 0
        elif isinstance(req, Finish): return self.flows.pop(req.name)
        if isinstance(req, (Join, Rejoin)): self.agents[req.name] = 0
        elif isinstance(req, Leave) and req.name in self.agents: return self.agents.pop(req.name)
        if req.kind == "count":
            self.counts[req.name] = 0
            return None
        if req.kind == "total": return self.counts[req.name]
    """),
    "helpers": server(
        """
            case ("flow", part): return self.flow(part)
            case ("agent", part): return self.agent(part)
            case ("metric", part): return self.metric(part)
        """,
        more="""
            def flow(self, part):
                match part:
                    case ("start", name): self.flows[name] = 0
                    case ("finish", name): return self.flows.pop(name)
            def agent(self, part):
                if part[0] == "join": self.agents[part[1]] = 1
                elif part[0] == "leave": self.agents.pop(part[1])
            def metric(self, part):
                if part[0] == "count": self.counts[part[1]] = 1
                elif part[0] == "total": return self.counts[part[1]]
        """,
    ),
    "a prelude that counts and checks": server(before="""
        self.requests += 1
        self.latest = time.monotonic()
        if self.closed: return "closed"
    """, init="self.requests, self.latest, self.closed = 0, 0.0, False"),
    "a summary": server(
        JOBS + '            case ("all",): return len(self.flows), len(self.agents), len(self.counts)\n'
    ),
    "a reset": server(
        JOBS + '            case ("reset",): self.flows.clear(); self.agents = {}; self.counts.clear()\n'
    ),
    "a tick": server(more="""
        async def handle_info(self, msg):
            self.expire()
            self.look()
            self.write()
            self.system.send_after(1.0, self.pid, "tick")
        def expire(self):
            for name in list(self.flows): self.flows.pop(name)
        def look(self):
            for name in list(self.agents): self.agents.pop(name)
        def write(self):
            for name in list(self.counts): self.counts.pop(name)
    """),
    "saving everything": server(
        """
            case ("start", name): self.flows[name] = 0; self.save()
            case ("finish", name): self.flows.pop(name); self.save()
            case ("join", agent): self.agents[agent] = 1; self.save()
            case ("leave", agent): self.agents.pop(agent); self.save()
            case ("count", metric): self.counts[metric] = 1; self.save()
            case ("total", metric): return self.counts[metric]
        """,
        more="def save(self): self.store.put('state', [self.flows, self.agents, self.counts])",
    ),
    "fields of one object": server().replace("self.flows, self.agents, self.counts = {}, {}, {}", "self.state = make()")
    .replace("self.flows", "self.state.flows").replace("self.agents", "self.state.agents")
    .replace("self.counts", "self.state.counts"),
    "counters and the time in each branch": server(
        JOBS.replace("): ", "): self.requests += 1; self.latest = time.monotonic(); "),
        init="self.requests, self.latest = 0, 0.0",
    ),
    "a switch in each branch": server(
        """
            case ("start", name):
                if self.open: self.flows[name] = 0
            case ("finish", name):
                return self.flows.pop(name) if self.open else None
            case ("join", agent):
                if self.open: self.agents[agent] = 1
            case ("leave", agent): self.agents.pop(agent)
            case ("count", metric):
                if self.open: self.counts[metric] = 1
            case ("total", metric): return self.counts[metric]
            case ("close",): self.open = False
        """,
        init="self.open = True",
    ),
    "a mode": server(
        JOBS + """            case ("pause",): self.mode = "paused"
            case ("go",): self.mode = "on"
        """,
        before="if self.mode == 'paused': return None",
        init="self.mode = 'on'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in NEGATIVE.items()])
def test_silent(scan: Scan, text: str) -> None:
    assert scan(text, "OTP603") == []


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in POSITIVE.items()])
def test_reported(scan: Scan, text: str) -> None:
    (found,) = scan(text, "OTP603")
    assert found.confidence is Confidence.HIGH
    line = text.split("\n")[found.span.line - 1]
    assert line[found.span.column - 1 : found.span.end_column - 1] == "God"
    assert "3 jobs" in found.problem


def test_the_jobs_are_named_with_their_handlers(scan: Scan) -> None:
    (found,) = scan(server(), "OTP603")
    assert "flows (2 handlers); agents (2 handlers); counts (2 handlers)" in found.problem
    assert [r.message for r in found.related] == [
        "start and finish: only flows",
        "join and leave: only agents",
        "count and total: only counts",
    ]


def test_a_base_in_another_file_and_the_last_class_is_reported(scan: Scan) -> None:
    files = {
        "desk/__init__.py": "",
        "desk/base.py": """
            import pykka
            class Base(pykka.ThreadingActor):
                def __init__(self):
                    super().__init__()
                    self.a, self.b = {}, []
                def put_a(self, k): self.a[k] = 1
                def drop_a(self, k): self.a.pop(k)
                def put_b(self, k): self.b.append(k)
                def drop_b(self, k): self.b.remove(k)
        """,
        "desk/last.py": """
            from .base import Base as Desk
            class Last(Desk):
                def __init__(self):
                    super().__init__()
                    self.c = set()
                def put_c(self, k): self.c.add(k)
                def drop_c(self, k): self.c.discard(k)
            class Below(Last):
                def hello(self): return 1
        """,
    }
    (found,) = scan(files, "OTP603")
    assert (found.actor, found.span.path) == ("Last", "desk/last.py")


def test_a_method_that_looks_at_the_types_of_its_arguments_is_one_handler(scan: Scan) -> None:
    text = """
    import pykka
    class Shelf(pykka.ThreadingActor):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = {}, {}, {}
        def put(self, key):
            if isinstance(key, int): self.a[key] = 1
            elif isinstance(key, str): self.b[key] = 1
            elif key == "c": self.c[key] = 1
        def drop(self, key):
            if isinstance(key, int): self.a.pop(key)
            elif isinstance(key, str): self.b.pop(key)
            elif key == "c": self.c.pop(key)
    """
    assert scan(text, "OTP603") == []


def large(handlers: int, fields: int) -> str:
    lines = [
        "import pykka",
        "class Large(pykka.ThreadingActor):",
        "    def __init__(self):",
        "        super().__init__()",
    ]
    lines += [f"        self.f{i} = {{}}" for i in range(fields)]
    for i in range(handlers):
        one, other = i % fields, (i + 1) % fields
        lines += [f"    def h{i}(self, key):", f"        self.f{one}[key] = self.f{other}.pop(key)"]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(("handlers", "fields", "reported"), [(20, 20, 0), (21, 12, 0), (21, 13, 1), (40, 12, 0)])
def test_size(scan: Scan, handlers: int, fields: int, reported: int) -> None:
    found = scan(large(handlers, fields), "OTP603")
    assert len(found) == reported
    for finding in found:
        assert finding.confidence is Confidence.MEDIUM
        assert f"{handlers} handlers over {fields} fields" in finding.problem


def test_handlers_that_only_hold_a_lump_together_are_named(scan: Scan) -> None:
    text = large(0, 13)
    for i in range(13):
        text += f"    def put{i}(self, key): self.f{i}[key] = 1\n    def drop{i}(self, key): self.f{i}.pop(key)\n"
    text += "    def everything(self):\n" + "".join(f"        self.f{i}[0] = self.f{i + 1}.pop(0)\n" for i in range(12))
    (found,) = scan(text, "OTP603")
    assert "27 handlers over 13 fields" in found.problem
    assert "without everything" in found.remedy
    assert found.confidence is Confidence.MEDIUM


@pytest.mark.parametrize(("beside", "sure"), [(2, Confidence.LOW), (3, Confidence.MEDIUM)])
def test_one_lump_with_pairs_beside_it(scan: Scan, beside: int, sure: Confidence) -> None:
    text = large(30, 13) + "        self.g = self.k = 1\n"
    text = text.replace("        super().__init__()\n", "        super().__init__()\n        self.g, self.k = {}, {}\n")
    for field in "gk":
        for i in range(beside if field == "g" else 2):
            text += f"    def {field}{i}(self, key): self.{field}[key] = self.{field}.pop({i})\n"
    text = text.replace("        self.g = self.k = 1\n", "        self.g[0] = self.k[0] = 1\n")
    (found,) = scan(text, "OTP603")
    assert found.confidence is sure


def test_the_table_of_all_attributes_is_no_field(scan: Scan) -> None:
    text = large(21, 12) + "    def close(self): self.__dict__.pop('g')\n    def open(self): self.__dict__['g'] = 1\n"
    assert scan(text, "OTP603") == []
    assert len(scan(large(21, 13), "OTP603")) == 1


def test_who_depends_on_it(scan: Scan) -> None:
    text = server("""
            case Start(): self.flows[req.name] = 0
            case Finish(): return self.flows.pop(req.name)
            case Join(): self.agents[req.name] = 1
            case Leave(): self.agents.pop(req.name)
            case Count(): self.counts[req.name] = 1
            case Total(): return self.counts[req.name]
""")
    text += textwrap.dedent("""
    class Start(Call): pass
    class Finish(Call): pass
    class Join(Call): pass
    class Leave(Call): pass
    class Count(Call): pass
    class Total(Call): pass
    class User(Server):
        async def handle_info(self, msg):
            await self.system.call("god", Start())
    class Stranger(Server):
        async def handle_info(self, msg):
            await self.system.call("other", "start")
    """)
    (found,) = scan(text, "OTP603")
    assert [r.message for r in found.related if "depends" in r.message] == ["User depends on it"]


def test_silent_in_tests(scan: Scan) -> None:
    assert scan({"tests/test_god.py": server()}, "OTP603") == []


@pytest.mark.parametrize(("steps", "is_job"), [(("add", "discard"), True), (("check", "show"), False)])
def test_a_table_whose_entries_are_filled_is_state(scan: Scan, steps: tuple[str, str], is_job: bool) -> None:
    """It is filled through its entries alone; an object that is told something need not be state of the actor's."""
    first, second = (f"self.slots[name].{step}(agent)" for step in steps)
    branches = JOBS.replace("self.counts[metric] = 1", first).replace("return self.counts[metric]", second)
    found = scan(server(branches, init="self.slots = defaultdict(set)"), "OTP603")
    assert bool(found) is is_job
    assert all("slots" in f.problem for f in found)
