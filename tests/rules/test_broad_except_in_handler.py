"""OTP201: tempting negatives first, then spellings, places and what a failure means to each framework."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otplint.config import Config
from otplint.engine.packs import load_rules
from otplint.engine.run import scan as scan_all
from otplint.engine.select import build
from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

RUNTIME = "import asyncio, logging, os, sys\nfrom otplint.runtime import Server, Stop\nlog = logging.getLogger('x')\n"


def handler(*lines: str, base: str = "Server", method: str = "async def handle_cast(self, msg):") -> str:
    """A server with one handler of these statements."""
    return RUNTIME + f"class S({base}):\n    {method}\n" + textwrap.indent("\n".join(lines), "        ")


def around(arm: str, tried: str = "self.step(msg)") -> str:
    """A handler whose one statement is guarded by ``except Exception as error``."""
    return handler("try:", textwrap.indent(tried, "    "), "except Exception as error:", textwrap.indent(arm, "    "))


FINE = {
    "raises": around("log.error('x')\nraise"),
    "raises another": around("raise RuntimeError('x') from error"),
    "raises on both branches": around("if msg:\n    raise\nelse:\n    raise ValueError"),
    "tells errors apart": around("if error.args:\n    raise\nself.n = 1"),
    "stops itself": around("log.error('x')\nraise Stop('broken')"),
    "ends the process": around("os._exit(1)"),
    "ends the process later": handler("try:", "    self.step()", "except Exception:", "    pass", "sys.exit(1)"),
    "future": around("msg.future.set_exception(error)"),
    "future on the loop": around("self.loop.call_soon_threadsafe(msg.future.set_exception, error)"),
    "another takes it": around("self.observer.failed(error)"),
    "kept and raised later": handler(
        "last = None",
        "try:",
        "    self.step()",
        "except Exception as error:",
        "    last = error",
        "if last:",
        "    raise last",
    ),
    "tries run out": handler(
        "for _ in range(self.tries):",
        "    try:",
        "        return self.step()",
        "    except Exception:",
        "        log.warning('again')",
        "raise RuntimeError('gave up')",
    ),
    "items": handler(
        "for plugin in self.plugins:", "    try:", "        plugin.go()", "    except Exception:", "        pass"
    ),
    "narrow": handler("try:", "    self.step()", "except (OSError, ValueError):", "    pass"),
    "import": handler("try:", "    import fast", "except Exception:", "    fast = None"),
    "second failure": handler(
        "try:",
        "    self.step()",
        "except OSError:",
        "    try:",
        "        self.undo()",
        "    except Exception:",
        "        pass",
        "    raise",
    ),
    "finally": handler(
        "try:", "    self.step()", "finally:", "    try:", "        self.x.y()", "    except Exception:", "        pass"
    ),
    "job in the message": handler(
        "try:", "    msg.function(*msg.arguments)", "except Exception:", "    log.error('job')"
    ),
    "terminate": handler(
        "try:", "    self.step()", "except Exception:", "    pass", method="async def terminate(self, reason):"
    ),
    "no actor": around("pass").replace("(Server)", ""),
}


@pytest.mark.parametrize("name", FINE)
def test_tempting_but_fine(name: str, scan: Scan) -> None:
    assert not scan(FINE[name], "OTP201")


HIDDEN = {
    "silent": around("pass"),
    "logs": around("log.exception('x')"),
    "error value": around("return ('error', str(error))"),
    "error reply": handler(
        "try:",
        "    self.step()",
        "except Exception as error:",
        "    frm.reply(('error', error))",
        method="async def handle_call(self, req, frm):",
    ),
    "counts": around("self.errors += 1"),
    "one branch": handler("try:", "    self.step()", "except Exception as error:", "    self.note(error)")
    + "\n    def note(self, error):\n        log.error('%s', error)",
    "tuple": handler("try:", "    self.step()", "except (OSError, Exception):", "    pass"),
    "name": "ALL = (Exception,)\n" + handler("try:", "    self.step()", "except ALL:", "    pass"),
    "alias": "Any = Exception\n" + handler("try:", "    self.step()", "except Any:", "    pass"),
    "star": handler("try:", "    self.step()", "except* Exception:", "    pass"),
    "suppress": "from contextlib import suppress as quiet\n" + handler("with quiet(Exception):", "    self.step()"),
    "after stopping was let through": handler(
        "try:",
        "    await self.step()",
        "except asyncio.CancelledError:",
        "    raise",
        "except BaseException:",
        "    pass",
    ),
    "receiving": handler(
        "async for item in msg:", "    try:", "        self.step(item)", "    except Exception:", "        pass"
    ),
    "retrying for ever": handler(
        "while True:", "    try:", "        return self.step()", "    except Exception:", "        pass"
    ),
    "own table": handler("try:", "    self.steps.get(msg.kind)(msg)", "except Exception:", "    pass"),
}


def test_a_question_that_the_failure_answers(scan: Scan) -> None:
    asks = "try:\n    await self.link.ping()\n    return True\nexcept Exception:\n    return False"
    (probe,) = scan(handler(*asks.split("\n")), "OTP201")
    (does,) = scan(handler(*asks.replace("await self.link", "self.state = await self.link").split("\n")), "OTP201")
    (logs,) = scan(handler(*asks.replace("    return F", "    log.info('x')\n    return F").split("\n")), "OTP201")
    assert [f.confidence.value for f in (probe, does, logs)] == ["low", "high", "high"]


def test_a_loop_that_the_failure_ends(scan: Scan) -> None:
    text = THREAD.replace("ARM", "log.error('x')\n                break")
    assert not [f for f in scan(text, "OTP201") if f.handler == "run"]
    (silent,) = [f for f in scan(text.replace("log.error('x')", "pass"), "OTP201") if f.handler == "run"]
    assert silent.confidence is Confidence.MEDIUM


def test_one_of_many_is_kept_from_stopping_the_others(scan: Scan) -> None:
    text = around("raise").replace("self.step(msg)", "CALL") + (
        "\n    def one(self, peer):\n        try:\n            peer.tell()\n        except Exception:\n"
        "            log.error('x')\n"
    )
    calls = ("[self.one(peer) for peer in self.peers]", "self.one(self.peer)")
    assert [len(scan(text.replace("CALL", call), "OTP201")) for call in calls] == [0, 1]


def test_what_leaves_the_loop_keeps_no_items_apart(scan: Scan) -> None:
    text = handler(
        "for peer in self.peers:", "    try:", "        peer.tell()", "    except Exception as error:", "        ARM"
    )
    arms = ("log.error('x')", "return False", "break")
    assert [len(scan(text.replace("ARM", arm), "OTP201")) for arm in arms] == [0, 1, 1]


def test_arguments_that_came_with_the_message(scan: Scan) -> None:
    text = """
        import pykka
        class A(pykka.ThreadingActor):
            def run(self, name, *arguments):
                function = getattr(self.plugin, name)
                try:
                    return function(GIVEN)
                except Exception as error:
                    return {"error": str(error)}
    """
    assert not scan(text.replace("GIVEN", "*arguments"), "OTP201")
    assert scan(text.replace("GIVEN", "self.table"), "OTP201")


def test_an_answer_to_the_sender_is_no_report(scan: Scan) -> None:
    text = around("self.system.cast(msg.sender, ('failed', error))")
    assert [f.code for f in scan(text, "OTP201")] == ["OTP201"]
    assert not scan(text.replace("msg.sender", "self.boss"), "OTP201")


def test_a_logger_by_another_name(scan: Scan) -> None:
    text = PYKKA.replace("log = logging.getLogger(__name__)", "log = logging.getLogger(__name__)\nerror = log.error")
    found = scan(text.replace("ARM", "error('x')"), "OTP201")
    assert {f.confidence for f in found} == {Confidence.MEDIUM}


def test_a_variable_that_the_function_around_raises(scan: Scan) -> None:
    text = handler(
        "error = None",
        "def work():",
        "    nonlocal error",
        "    try:",
        "        self.step(msg)",
        "    except Exception as failure:",
        "        error = failure",
        "self.pool.run(work)",
        "RAISED",
    )
    assert not scan(text.replace("RAISED", "if error is not None:\n            raise error"), "OTP201")
    assert scan(text.replace("RAISED", "pass"), "OTP201")


@pytest.mark.parametrize("name", HIDDEN)
def test_hides_failures(name: str, scan: Scan) -> None:
    assert [f.code for f in scan(HIDDEN[name], ("OTP201", "OTP202", "OTP203"))] == ["OTP201"]


def test_the_place_is_the_header(scan: Scan) -> None:
    (found,) = scan(around("pass"), "OTP201")
    assert (found.span.line, found.span.column, found.span.end_column) == (8, 9, 34)
    assert found.handler == "handle_cast"


def test_base_in_another_file_and_mixin(scan: Scan) -> None:
    files = {
        "app/__init__.py": "",
        "app/base.py": "from otplint import runtime\nclass Base(runtime.Server):\n    pass\n",
        "app/mixin.py": "class Steps:\n    def step(self):\n        try:\n            self.x.y()\n"
        "        except Exception:\n            return None\n",
        "app/main.py": "from .base import Base\nfrom .mixin import Steps\nclass Main(Steps, Base):\n"
        "    async def handle_cast(self, msg):\n        self.step()\n",
    }
    (found,) = scan(files, "OTP201")
    assert found.span.path == "app/mixin.py"


def test_a_helper_that_only_stopping_calls_cleans_up(scan: Scan) -> None:
    text = around("raise") + textwrap.indent(
        textwrap.dedent("""
        async def terminate(self, reason):
            self.flush()

        def flush(self):
            try:
                self.x.y()
            except Exception:
                pass
        """),
        "    ",
    )
    assert not scan(text, "OTP201")
    assert scan(text.replace("self.step(msg)", "self.flush()"), "OTP201")


THREAD = """
import logging, queue, threading
log = logging.getLogger(__name__)
class W(threading.Thread):
    def __init__(self):
        super().__init__()
        self.q = queue.Queue()
    def run(self):
        while True:
            item = self.q.get()
            try:
                self.last = self.convert(item)
            except Exception:
                ARM
    def convert(self, item):
        return item.value
    def status(self):
        try:
            return self.last.state
        except Exception:
            return None
"""


@pytest.mark.parametrize(
    ("arm", "wanted"), [("pass", "medium"), ("log.debug('x')", "medium"), ("log.error('x')", "low")]
)
def test_in_a_thread_silence_is_worse(arm: str, wanted: str, scan: Scan) -> None:
    (found,) = scan(THREAD.replace("ARM", arm), "OTP201")
    assert (found.handler, found.confidence) == ("run", Confidence(wanted))


PYKKA = """
import logging, pykka
log = logging.getLogger(__name__)
class A(pykka.ThreadingActor):
    def on_receive(self, message):
        try:
            self.step(message)
        except Exception:
            ARM
    def ask(self):
        try:
            return self.backend.state
        except Exception:
            ARM
    def step(self, message):
        self.state = message
"""


def test_pykka_tells_or_asks(scan: Scan) -> None:
    told, asked = scan(PYKKA.replace("ARM", "log.error('x')"), "OTP201")
    assert (told.confidence, asked.confidence) == (Confidence.MEDIUM, Confidence.MEDIUM)
    assert "does not stop" in told.consequence
    assert "the caller" in asked.consequence
    assert {f.confidence for f in scan(PYKKA.replace("ARM", "pass"), "OTP201")} == {Confidence.HIGH}


_LEAF = st.sampled_from(["raise", "raise ValueError", "raise OSError from error"])


@st.composite
def _raising(draw: st.DrawFn, depth: int = 0) -> str:
    """Statements of which every path raises."""
    log = draw(st.sampled_from(["", "log.error('x')\n", "self.n += 1\n"]))
    shape = draw(st.integers(0, 4)) if depth < 3 else 0
    inner = [textwrap.indent(draw(_raising(depth + 1)), "    ") for _ in range(2)] if shape else []
    match shape:
        case 1:
            return f"{log}if self.n:\n{inner[0]}\nelse:\n{inner[1]}"
        case 2:
            return f"{log}try:\n    self.undo()\nfinally:\n    self.n = 0\n" + textwrap.dedent(inner[0])
        case 3:
            return f"{log}with self.lock:\n{inner[0]}"
        case 4:
            first, second = (textwrap.indent(part, "    ") for part in inner)
            return f"{log}match self.n:\n    case 1:\n{first}\n    case _:\n{second}"
    return log + draw(_LEAF)


@given(arm=_raising(), types=st.sampled_from(["Exception", "BaseException", "(OSError, BaseException)"]))
def test_what_raises_on_every_path_is_never_reported(
    arm: str, types: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("raising")
    guarded = around(arm).replace("except Exception", f"except {types}").replace("self.step", "await self.step")
    (folder / "app.py").write_text(guarded, encoding="utf-8")
    rules = [rule for rule in build(load_rules()) if rule.code in ("OTP201", "OTP202")]
    report = scan_all([folder], Config(min_confidence=Confidence.LOW), rules, root=folder, jobs=1)
    assert not report.failures
    assert not report.findings, guarded


def test_raised_to_an_outer_clause_is_reported_there_alone(scan: Scan) -> None:
    text = handler(
        "try:",
        "    try:",
        "        self.step()",
        "    except Exception:",
        "        raise",
        "except Exception:",
        "    pass",
    )
    (found,) = scan(text, "OTP201")
    assert found.span.column == 9


def test_what_stopping_does_is_fine_also_where_a_handler_starts_it(scan: Scan) -> None:
    text = handler("await self.terminate(msg)") + (
        "\n    async def terminate(self, reason):\n        try:\n            self.x.y()\n        except Exception:\n"
        "            pass\n"
    )
    assert not scan(text, "OTP201")
