"""OTP201-203: failures that somebody learns of, and steps that lose little: each with a near twin that is reported."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import indent

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

HEAD = """
import asyncio, logging, subprocess, threading, time
import ray
import xoscar as xo
log = logging.getLogger("x")

class Book(xo.StatelessActor):
"""


def scanned(scan: Scan, body: str, code: str = "OTP201") -> list[Finding]:
    """The findings of more than low confidence in an actor of which ``body`` is the class."""
    return [f for f in scan(HEAD + indent(body, "    "), code) if f.confidence is not Confidence.LOW]


RESULT = """
async def check(self, plan):
    try:
        answer = await self.peer.check(plan)
    except Exception as error:
        ARM
    USE
"""


@pytest.mark.parametrize(
    ("arm", "use", "told"),
    [
        ("answer = {'ok': False, 'errors': [str(error)]}", "return {**plan, **answer}", True),
        ("answer = f'no: {error}'", "self.found.extend(answer)", True),
        ("answer = {'ok': False}", "return {**plan, **answer}", False),
        ("answer = {'ok': False, 'errors': [str(error)]}", "log.info(answer)", False),
    ],
)
def test_the_text_of_the_error_in_a_result(scan: Scan, arm: str, use: str, told: bool) -> None:
    found = scanned(scan, RESULT.replace("ARM", arm).replace("USE", use))
    assert bool(found) is not told


JOB = """
async def run(self, job):
    try:
        await self.peer.work(job.id)
    except Exception as error:
        log.warning("failed")
        job.READ = str(error)
    await self.peer.more(job.id)
    self.last = job

async def ask(self, key):
    return self.jobs[key].trouble
"""


@pytest.mark.parametrize(("attribute", "told"), [("trouble", True), ("other", False)])
def test_the_text_of_the_error_in_a_job_that_is_read(scan: Scan, attribute: str, told: bool) -> None:
    text = JOB.replace("READ", attribute).replace("    await self.peer.more(job.id)\n    self.last = job\n", "")
    assert bool(scanned(scan, text)) is not told


VERDICT = """
async def serve(self, plan):
    CALLER

async def _move(self, plan):
    try:
        await self.peer.move(plan)
        self.moved = plan
    except Exception:
        LOG
        return (False, plan)
    else:
        return (True, plan)

async def _through(self, plan):
    return await self._move(plan)
"""
TESTED = "done, rest = await self._through(plan)\n    if not done:\n        raise RuntimeError(rest)"


@pytest.mark.parametrize(
    ("caller", "said", "told"),
    [
        (TESTED, "log.error('no')", True),
        (TESTED, "pass", False),
        ("await self._through(plan)", "log.error('no')", False),
        ("self.all = self.all and await self._through(plan)", "log.error('no')", False),
    ],
)
def test_a_verdict_that_every_caller_looks_at(scan: Scan, caller: str, said: str, told: bool) -> None:
    found = scanned(scan, VERDICT.replace("CALLER", caller).replace("LOG", said))
    assert bool(found) is not told


def test_one_caller_that_does_not_look(scan: Scan) -> None:
    text = VERDICT.replace("CALLER", TESTED).replace("LOG", "log.error('no')")
    assert scanned(scan, text + "\nasync def other(self, plan):\n    await self._move(plan)\n")


NONE = """
def serve(self, plan):
    rows = self._rows(plan)
    return plan if rows is None else rows

def _rows(self, plan):
    FIRST
    try:
        return self.split(plan)
    except Exception as error:
        log.debug("%s", error)
        return None
"""


@pytest.mark.parametrize(("first", "told"), [("pass", True), ("if not plan:\n        return None", False)])
def test_none_that_is_only_given_for_a_failure(scan: Scan, first: str, told: bool) -> None:
    assert bool(scanned(scan, NONE.replace("FIRST", first))) is not told


SECOND = """
async def serve(self, plan):
    try:
        await self.peer.start(plan)
    except Exception:
        log.error("failed")
        await self._undo(plan)
        LAST

async def _undo(self, plan):
    try:
        await self.peer.undo(plan)
    except Exception:
        log.error("not undone")
"""


def test_all_callers_raise_a_first_failure(scan: Scan) -> None:
    assert not scanned(scan, SECOND.replace("LAST", "raise"))
    assert scanned(scan, SECOND.replace("LAST", "self.failed = plan"))


THREAD = """
def __init__(self):
    threading.Thread(target=self._run, daemon=True).start()

def _run(self):
    while True:
        self._step()
        NEXT

def _step(self):
    try:
        self.table = self.peer.table()
    except Exception:
        LOG
"""


@pytest.mark.parametrize(
    ("following", "said", "told"),
    [
        ("time.sleep(1)", "log.warning('x')", True),
        ("time.sleep(1)", "log.debug('x')", False),
        ("break", "log.warning('x')", False),
    ],
)
def test_a_step_of_a_plain_thread(scan: Scan, following: str, said: str, told: bool) -> None:
    found = scanned(scan, THREAD.replace("NEXT", following).replace("LOG", said))
    assert bool(found) is not told


PERIODIC = """
def __init__(self):
    threading.Thread(target=self._run, daemon=True).start()

def _run(self):
    while True:
        try:
            self._poll()
        except Exception:
            LOG
        PAUSE

def _poll(self):
    self.table = self.peer.table()
"""


@pytest.mark.parametrize(
    ("said", "pause", "told"),
    [
        ("log.debug('x', exc_info=True)", "time.sleep(1)", True),
        ("log.debug('x', exc_info=False)", "time.sleep(1)", False),
        ("log.debug('x')", "time.sleep(1)", False),
        ("log.debug('x', exc_info=True)", "self.rounds += 1", False),
        ("pass", "time.sleep(1)", False),
    ],
)
def test_a_loop_that_keeps_the_traceback_and_tries_again(scan: Scan, said: str, pause: str, told: bool) -> None:
    found = scanned(scan, PERIODIC.replace("LOG", said).replace("PAUSE", pause))
    assert bool(found) is not told


APART = """
async def serve(self, plan):
    START

async def _report(self, plan):
    try:
        await self.peer.report(plan)
    except Exception:
        log.warning("not reported")
"""


def test_a_task_that_nobody_waits_for(scan: Scan) -> None:
    assert not scanned(scan, APART.replace("START", "asyncio.create_task(self._report(plan))"))
    assert scanned(scan, APART.replace("START", "await self._report(plan)"))


ITSELF = """
async def serve(self, plan):
    BEFORE
    try:
        FIRST
        writer = self.open(plan)
    except Exception:
        writer.exception("not opened")
    self.writer = writer
"""


@pytest.mark.parametrize(
    ("before", "first", "fails"),
    [
        ("writer = None", "pass", True),
        ("pass", "pass", True),
        ("writer = log", "pass", False),
        ("writer = None", "writer = log", False),
    ],
)
def test_a_clause_that_fails_itself(scan: Scan, before: str, first: str, fails: bool) -> None:
    assert bool(scanned(scan, ITSELF.replace("BEFORE", before).replace("FIRST", first))) is not fails


STEP = """
async def serve(self, plan):
    PREPARED
    try:
        TRIED
    except Exception:
        LOG
    AFTER
"""


@pytest.mark.parametrize(
    ("mild", "twin"),
    [
        (("thing = self.table.pop(plan)", "thing.close()", ""), ("thing = self.table[plan]", "thing.close()", "")),
        (
            ("plan.sort()", "await xo.wait_for(self.task, 5)", "await xo.kill_actor(plan)"),
            ("plan.sort()", "await self.peer.ready(plan)", "await xo.kill_actor(plan)"),
        ),
        (
            ("shown = None", "shown = self.show(plan)", "if shown is not None:\n        shown.stop()"),
            ("shown = None", "shown = self.show(plan)", "self.shown = shown"),
        ),
        (
            ("plan.sort()", "free = look(plan)\n        log.info('%s', free)", "plan.clear()"),
            ("plan.sort()", "free = look(plan)\n        log.info('%s', free)", "self.free = free"),
        ),
        (
            ("plan.sort()", "free = look(plan)\n        log.info('%s', free)", "plan.clear()"),
            ("plan.sort()", "free = await self.peer.look(plan)\n        log.info('%s', free)", "plan.clear()"),
        ),
    ],
    ids=["given up", "ended by force", "an extra", "only a log", "only a log of what a peer did"],
)
def test_steps_that_lose_little(scan: Scan, mild: tuple[str, str, str], twin: tuple[str, str, str]) -> None:
    def program(before: str, tried: str, after: str) -> str:
        return STEP.replace("PREPARED", before).replace("TRIED", tried).replace("AFTER", after).replace("LOG", "pass")

    assert not scanned(scan, program(*mild))
    assert scanned(scan, program(*twin))


PROGRAM = """
async def serve(self, plan):
    try:
        subprocess.run([plan, "-y"], check=CHECK)
    except Exception:
        log.warning("not run")
"""


def test_a_program_whose_failure_raises_nothing(scan: Scan) -> None:
    assert not scanned(scan, PROGRAM.replace("CHECK", "False"))
    assert scanned(scan, PROGRAM.replace("CHECK", "True"))


ITEMS = """
async def serve(self, plan):
    kept = set()
    for item in plan:
        try:
            TRIED
        except Exception:
            continue
    self.kept = kept
"""


def test_conversions_of_one_item(scan: Scan) -> None:
    assert not scanned(scan, ITEMS.replace("TRIED", "kept.add(int(item))"))
    assert scanned(scan, ITEMS.replace("TRIED", "kept.add(await self.peer.find(item))"))


AGAIN = """
async def serve(self, plan):
    try:
        found = await self.fetch(plan)
    except Exception:
        found = {}
        for part in plan:
            found[part] = await self.CALL(part)
    return found

async def fetch(self, plan):
    return await self.peer.get(plan)
"""


def test_the_same_again_one_by_one(scan: Scan) -> None:
    assert not scanned(scan, AGAIN.replace("CALL", "fetch"))


ANSWERED = """
async def serve(self, plan):
    FIRST
    try:
        ASSIGNself.write(plan)
    except Exception:
        log.exception("not written")
    return added == 1
"""


def test_an_answer_that_the_step_adds_nothing_to(scan: Scan) -> None:
    before = ANSWERED.replace("FIRST", "added = await self.peer.put(plan)")
    assert not scanned(scan, before.replace("ASSIGN", ""))
    assert scanned(scan, ANSWERED.replace("FIRST", "added = 0").replace("ASSIGN", "added = await "))


DONE = """
def serve(self, keys):
    found = {}
    for key in keys:
        task = self.tasks[key]
        if TEST:
            try:
                found[key] = task.result()
            except BaseException as error:
                found[key] = repr(error)
    return found
"""


def test_the_result_of_what_is_done_takes_no_request_to_stop(scan: Scan) -> None:
    assert not scanned(scan, DONE.replace("TEST", "task.done()"), "OTP202")
    assert scanned(scan, DONE.replace("TEST", "task"), "OTP202")


POLLED = {
    "app.py": """
import asyncio
import xoscar as xo
from door import Door

class Book(xo.StatelessActor):
    def __init__(self, path):
        self._door = Door(self, path)

    async def serving(self):
        while True:
            if not await self._door.is_open():
                WAIT
                continue
            return
""",
    "door.py": """
class Door:
    def __init__(self, book, path):
        self.book = book
        self.path = path

    async def is_open(self):
        try:
            found = parse(await self.book.ask(self.path))
        except Exception:
            return False
        return any(one.up for one in found)
""",
}


def test_a_question_that_is_polled(scan: Scan) -> None:
    def program(wait: str) -> list[Finding]:
        files = {**POLLED, "app.py": POLLED["app.py"].replace("WAIT", wait)}
        return [f for f in scan(files, "OTP203") if f.confidence is not Confidence.LOW]

    assert not program("await asyncio.sleep(1)")
    assert program("self.tries = 1")


def test_what_follows_is_said_as_far_as_it_is_known(scan: Scan) -> None:
    (found,) = scanned(
        scan,
        STEP.replace("PREPARED", "pass")
        .replace("TRIED", "await self.go(plan)")
        .replace("LOG", "return {}")
        .replace("AFTER", "return plan")
        + "\nasync def go(self, plan):\n    self.x = plan\n",
    )
    assert "the caller gets {}, and cannot tell a bug" in found.consequence


@pytest.mark.parametrize(
    ("said", "deed"), [("pass", "says nothing"), ("log.debug('x')", "tells nobody but a debug log")]
)
def test_what_the_clause_does_is_said(scan: Scan, said: str, deed: str) -> None:
    text = STEP.replace("PREPARED", "pass").replace("TRIED", "await self.peer.go(plan)").replace("LOG", said)
    (found,) = scanned(scan, text.replace("AFTER", "self.plan = plan"))
    assert found.problem.endswith(f"catches Exception and {deed}.")


CLEANUP = """
async def launch(self, spec):
    try:
        await self.peer.start(spec)
    except TimeoutError:
        try:
            await self.peer.stop(spec)
        except Exception:
            pass
        END
"""


@pytest.mark.parametrize(
    ("end", "told"),
    [("raise", True), ("raise RuntimeError(spec) from None", True), ("log.warning('late')", False), ("return", False)],
)
def test_clean_up_before_another_error_is_raised(scan: Scan, end: str, told: bool) -> None:
    found = scanned(scan, CLEANUP.replace("END", end))
    assert bool(found) is not told


SENT = """
@ray.remote
class Keeper:
    def stop_all(self):
        try:
            self.pool.stop()
        except Exception:
            ARM

class User:
    def __init__(self):
        self.keeper = Keeper.remote()

    def over(self):
        USE
"""


@pytest.mark.parametrize(
    ("arm", "use", "told"),
    [
        ("log.exception('not stopped')", "self.keeper.stop_all.remote()", True),
        ("log.exception('not stopped')", "self.other.stop_all(); self.keeper.stop_all.remote()", True),
        ("log.info('not stopped')", "self.keeper.stop_all.remote()", False),
        ("log.exception('not stopped')", "return self.keeper.stop_all.remote()", False),
        ("log.exception('not stopped')", "ray.get(self.keeper.stop_all.remote())", False),
        ("log.exception('not stopped')", "self.other.stop_all()", False),
        ("log.exception('not stopped')", "pass", False),
    ],
)
def test_a_request_whose_answer_everybody_drops(scan: Scan, arm: str, use: str, told: bool) -> None:
    found = scan(HEAD + "    pass\n" + SENT.replace("ARM", arm).replace("USE", use), "OTP201")
    assert bool([f for f in found if f.confidence is not Confidence.LOW]) is not told
