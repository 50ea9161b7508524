"""OTP201 in clean-up: silent where an orphan may stay behind; tempting negatives first."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]

HEAD = (
    "import asyncio, logging, threading, pykka\nfrom app.parts import Beat\nfrom otplint.runtime import Server\n"
    "log = logging.getLogger('x')\n"
)
PARTS = """
import threading

class Beat:
    def __init__(self):
        self._thread = threading.Thread(target=self._run)
        self._file = open("beats")

    def _run(self):
        pass

    def finish(self):
        self._thread.join()

    def give_back(self):
        self._file.close()
"""
STOPPING = (
    HEAD
    + """
class Node(pykka.ThreadingActor):
    def __init__(self, child, path):
        super().__init__()
        self.child = Child.start()
        self.beat = Beat()
        self.stream = open(path)
        self.tasks = {}

    def on_receive(self, message):
        return message

    def on_stop(self):
        try:
            TRIED
        except Exception:
            ARM

    def end_tasks(self):
        for task in self.tasks.values():
            task.cancel()

class Child(pykka.ThreadingActor):
    pass
"""
)


def files(tried: str, arm: str) -> dict[str, str]:
    return {
        "app/__init__.py": "",
        "app/parts.py": PARTS,
        "app/node.py": STOPPING.replace("TRIED", tried).replace("ARM", arm),
    }


@pytest.mark.parametrize(
    ("tried", "arm"),
    [
        ("self.stream.close()", "pass"),
        ("self.stream.flush()", "log.debug('x')"),
        ("self.beat.give_back()", "pass"),
        ("self.tasks.clear()", "pass"),
        ("self.child.stop()", "log.warning('x')"),
        ("self.beat.finish()", "raise"),
        ("self.end_tasks()", "log.exception('x')"),
        ("unknown.finish(self)", "pass"),
    ],
)
def test_clean_up_that_leaves_nothing_alive_or_says_so(scan: Scan, tried: str, arm: str) -> None:
    assert not [f for f in scan(files(tried, arm), "OTP201") if f.handler == "on_stop"]


@pytest.mark.parametrize(
    "tried", ["self.child.stop()", "self.beat.finish()", "self.end_tasks()", "self.beat._thread.join(1)"]
)
@pytest.mark.parametrize("arm", ["pass", "log.debug('x')"])
def test_an_end_that_fails_without_a_word(scan: Scan, tried: str, arm: str) -> None:
    (found,) = scan(files(tried, arm), "OTP201")
    assert (found.handler, found.confidence) == ("on_stop", Confidence.MEDIUM)
    assert "lives on" in found.consequence


def test_the_same_behind_another_failure(scan: Scan) -> None:
    text = HEAD.replace("from app.parts import Beat\n", "") + (
        "class Node(Server):\n    async def handle_cast(self, msg):\n        try:\n            self.begin(msg)\n"
        "        except OSError:\n            try:\n                WHAT\n            except Exception:\n"
        "                pass\n            raise\n"
    )
    whats = ("self.stream.close()", "self.undo(msg)", "self.process.kill()")
    assert [len(scan(text.replace("WHAT", what), "OTP201")) for what in whats] == [0, 0, 1]


def test_a_bare_clause_of_what_stops_is_told_once(scan: Scan) -> None:
    text = files("self.child.stop()", "pass")
    text["app/node.py"] = text["app/node.py"].replace("except Exception:", "except:")
    (found,) = scan(text, ["OTP201", "OTP202"])
    assert found.code == "OTP201"
