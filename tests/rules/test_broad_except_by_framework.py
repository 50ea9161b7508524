"""OTP201 where the framework answers the caller with the failure: what is false success, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import indent

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

HEADS = {
    "xoscar": "import xoscar as xo\nclass A(xo.StatelessActor):\n    async def go(self, x):\n",
    "ray": "import ray\n@ray.remote\nclass A:\n    async def go(self, x):\n",
    "autogen": "from autogen_core import RoutedAgent as R, rpc\nclass A(R):\n    @rpc\n    async def go(self, x, c):\n",
}


def program(framework: str, body: str) -> str:
    return (
        "import logging\nlog = logging.getLogger('a')\n" + HEADS[framework] + indent(body.strip("\n"), " " * 8) + "\n"
    )


HIDES = {
    "nothing is said": """
try:
    await self.step(x)
except Exception:
    pass
self.more(x)
""",
    "a default": """
try:
    return await self.step(x)
except Exception:
    return {}
""",
    "the work itself is only logged": """
path = self.path(x)
if not path:
    return
try:
    await self.step(path)
    await self.step(x)
except Exception:
    log.warning("not done")
""",
    "the rest of the work is left out": """
try:
    entries = await self.load(x)
except Exception:
    log.exception("not loaded")
    return
for entry in entries:
    self.start(entry)
""",
    "the item goes on without a step": """
for item in x:
    name = "unknown"
    try:
        name = await self.name(item)
    except Exception:
        log.debug("no name")
    self.known.append((item, name))
""",
    "the actor's own work on each item": """
for item in x:
    try:
        await self.status.update(item)
    except Exception:
        pass
""",
}


@pytest.mark.parametrize("name", HIDES)
@pytest.mark.parametrize("framework", HEADS)
def test_the_caller_is_told_that_all_is_well(framework: str, name: str, scan: Scan) -> None:
    (finding,) = scan(program(framework, HIDES[name]), "OTP201")
    assert finding.confidence is not Confidence.LOW
    assert finding.framework == framework
    gets = {"a default": "gets {}", "the rest of the work is left out": "gets nothing"}
    told = gets.get(name, "is not told")
    assert f"the caller {told}" in finding.message


FINE = {
    "a report on the side": """
self.apply(x)
try:
    await self.events.report(x)
except Exception:
    log.warning("not reported")
self.apply_more(x)
""",
    "an optional package": """
try:
    from telemetry import feed
    feed(x)
except Exception:
    pass
self.apply(x)
""",
    "children are kept apart": """
for child in self.children:
    try:
        await child.stop()
    except Exception:
        pass
""",
    "bad items are kept apart": """
for item in x:
    try:
        await self.step(item)
    except Exception:
        log.exception("left out")
""",
    "raised again": """
try:
    await self.step(x)
except Exception:
    self.undo(x)
    raise
""",
}


@pytest.mark.parametrize("name", FINE)
@pytest.mark.parametrize("framework", HEADS)
def test_tempting_but_fine(framework: str, name: str, scan: Scan) -> None:
    assert [f for f in scan(program(framework, FINE[name]), "OTP201") if f.confidence is not Confidence.LOW] == []


def test_an_exception_that_its_receiver_finds_in_a_queue(scan: Scan) -> None:
    text = """
        import xoscar as xo

        class A(xo.StatelessActor):
            async def _serve(self):
                while True:
                    source, out = await self._pending.get()

                    async def step(of):
                        try:
                            return await of.__anext__()
                        except Exception as error:
                            return error

                    out.put_nowait(await step(source))
    """
    assert scan(text, "OTP201") == []
    (finding,) = scan(text.replace("out.put_nowait(await step(source))", "await step(source)"), "OTP201")
    assert finding.confidence is not Confidence.LOW


def test_a_handler_without_an_answer(scan: Scan) -> None:
    text = """
        from autogen_core import RoutedAgent, event

        class A(RoutedAgent):
            @event
            async def on_note(self, message, ctx):
                try:
                    self.apply(message)
                except Exception:
                    pass
    """
    (finding,) = scan(text, "OTP201")
    assert "the caller" not in finding.message


RUNTIMES = {
    "runtime": "from otplint.runtime import Server\nclass A(Server):\n    async def handle_call(self, x, frm):\n",
    "pykka": "import pykka\nclass A(pykka.ThreadingActor):\n    def on_receive(self, x):\n",
    "pykka, a proxy": "import pykka\nclass A(pykka.ThreadingActor):\n    def go(self, x):\n",
    "thespian": "from thespian.actors import ActorTypeDispatcher as D\nclass A(D):\n"
    "    def receiveMsg_X(self, x, sender):\n",
    "autogen, an event": "from autogen_core import RoutedAgent, event\nclass A(RoutedAgent):\n    @event\n"
    "    async def go(self, x, ctx):\n",
    "distributed": "from distributed.core import Server\nclass A(Server):\n    def __init__(self):\n"
    "        super().__init__(handlers={'go': self.go})\n    async def go(self, x):\n",
    "distributed, a plug-in": "from distributed import SchedulerPlugin\nclass A(SchedulerPlugin):\n"
    "    def transition(self, x, *args):\n",
    **HEADS,
}
RESTARTED = ("nothing restarts the actor", "high", "high", "high")
REPLIED = ("the caller is not told", "high", "medium", "high")
ISOLATED = ("the framework counts the job as done", "medium", None, None)
FATES = {
    "runtime": RESTARTED,
    "pykka": ("the actor does not stop", "high", "medium", "high"),
    "autogen, an event": ISOLATED,
    "distributed, a plug-in": ISOLATED,
}
"""What is lost; how sure a finding is where the clause is silent, only logs, gives a default. The others: replied."""
CLAUSES = ("pass", "log.exception('no')", "return 0")


@pytest.mark.parametrize("name", RUNTIMES)
def test_what_a_failure_means_decides(name: str, scan: Scan) -> None:
    harm, *sure = FATES.get(name, REPLIED)
    for clause, wanted in zip(CLAUSES, sure, strict=True):
        body = f"try:\n    return self.step(x)\nexcept Exception:\n    {clause}\n"
        found = scan(
            "import logging\nlog = logging.getLogger('a')\n" + RUNTIMES[name] + indent(body, " " * 8), "OTP201"
        )
        assert [f.confidence.value for f in found] == [wanted] * (wanted is not None), clause
        told = "the caller gets 0" if (harm, clause) == (REPLIED[0], "return 0") else harm
        assert all(told in f.message and f.severity.value == "high" for f in found)
