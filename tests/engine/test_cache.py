"""The cache: it saves time, and never changes what a scan says."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otplint.config import Config
from otplint.engine.cache.memory import Disk, Memory, Stamp
from otplint.engine.cache.recall import Cache
from otplint.engine.cache.store import Store
from otplint.engine.packs import load_rules
from otplint.engine.run import scan
from otplint.engine.select import build
from otplint.facts.index.entries import ModuleIndex
from otplint.findings import Report

RULES = build(load_rules())

FILES = {
    "app/__init__.py": "",
    "app/base.py": """\
import pykka
from app.tools import careful


class Base(pykka.ThreadingActor):
    def on_receive(self, message):
        return careful(self.work, message)
    def work(self, message):
        return 1 / message
""",
    "app/tools.py": """\
def careful(step, *given):
    try:
        return step(*given)
    except ZeroDivisionError:
        return None
""",
    "app/bank.py": """\
from app.base import Base
from app.limits import MOST


class Bank(Base):
    def __init__(self):
        super().__init__()
        self.seen = {}
    def work(self, message):
        self.seen[message] = 1
        if len(self.seen) > MOST:
            self.seen.clear()
""",
    "app/limits.py": "MOST = 100\n",
    "app/other.py": """\
class Other:
    def fetch(self, bank):
        return bank.ask(1)
""",
    "app/nothing.py": "x = 1\n",
}
"""A project whose findings hang on several files."""

EDITS: dict[str, list[str]] = {
    "app/tools.py": [
        """\
def careful(step, *given):
    try:
        return step(*given)
    except Exception:
        return None
""",
        """\
def careful(step, *given):
    return step(*given)
""",
        """\
# moved down

def careful(step, *given):
    try:
        return step(*given)
    except Exception:
        return 0
""",
        "def careful(step:\n",
    ],
    "app/base.py": [
        """\
class Base:
    def on_receive(self, message):
        pass
""",
        """\
import pykka


class Base(pykka.ThreadingActor):
    def on_receive(self, message):
        try:
            self.work(message)
        except Exception:
            pass
""",
        "from app.other import Other as Base\n",
    ],
    "app/bank.py": [
        """\
from app.base import Base


class Bank(Base):
    def work(self, message):
        try:
            return self.x
        except Exception:  # otplint: ignore[OTP201] kept apart
            return None
""",
        """\
from app.base import Base


class Bank(Base):
    def work(self, message):
        import time
        time.sleep(5)
""",
        "from .tools import careful\n",
    ],
    "app/limits.py": [
        """\
import os
MOST = int(os.environ['MOST'])
""",
        """\
MOST = 7
LEAST = 3
""",
        "",
    ],
    "app/other.py": [
        """\
import pykka


class Other(pykka.ThreadingActor):
    def on_receive(self, message):
        return self.bank.ask(1)
""",
        """\
from app.bank import Bank


def start():
    return Bank.start()
""",
        """\
from app.base import *


class Third(Base):
    def work(self, message):
        while True:
            pass
""",
    ],
    "app/nothing.py": [
        """\
from app.bank import Bank


class Heir(Bank):
    def work(self, message):
        try:
            pass
        except BaseException:
            return 1
""",
        """\
import threading


def go():
    threading.Thread(target=print).start()
""",
    ],
    "app/fresh.py": [
        """\
class Unrelated:
    pass
""",
        """\
from app.bank import Bank as Base


class Late(Base):
    pass
""",
    ],
    "pykka.py": [
        """\
class ThreadingActor:
    pass
""",
    ],
}


def look(root: Path, store: Store | None, jobs: int = 1) -> Report:
    if store is None:
        return scan([root], Config(), RULES, root=root, jobs=jobs)
    cache = Cache(store, "key", root)
    known = cache.report_of([root], Config())
    return known if known is not None else scan([root], Config(), RULES, root=root, jobs=jobs, cache=cache)


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    sys.setrecursionlimit(12_000)  # as a scan does: hypothesis watches the limit

    def fresh() -> Path:
        root = tmp_path_factory.mktemp("project")
        for name, text in FILES.items():
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text(text)
        return root

    return fresh


_edit = st.sampled_from(sorted(EDITS)).flatmap(
    lambda name: st.tuples(st.just(name), st.sampled_from([*EDITS[name], FILES.get(name), None]))
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edits=st.lists(st.lists(_edit, min_size=1, max_size=2), min_size=1, max_size=3))
def test_a_warm_scan_says_what_a_cold_one_says_after_any_edit(
    edits: list[list[tuple[str, str | None]]], roots: Callable[[], Path]
) -> None:
    root = roots()
    store = Store(root / "cache")
    assert look(root, store) == look(root, None)
    for group in edits:
        for name, text in group:
            if text is None:
                (root / name).unlink(missing_ok=True)
            else:
                (root / name).write_text(text)
        cold = look(root, None)
        assert look(root, store) == cold  # from the details
        assert look(root, store) == cold  # from the report


def test_an_edit_of_a_helper_far_away_is_seen(roots: Callable[[], Path]) -> None:
    """The finding is the helper's, the actor that uses it is in a file that did not change."""
    root = roots()
    store = Store(root / "cache")
    assert not [f for f in look(root, store).findings if f.code == "OTP203"]
    (root / "app/tools.py").write_text(EDITS["app/tools.py"][0])
    assert [f.span.path for f in look(root, store).findings if f.code == "OTP203"] == ["app/tools.py"]


def test_an_unchanged_project_is_not_analysed_again(roots: Callable[[], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    root = roots()
    store = Store(root / "cache")
    before = look(root, store)
    monkeypatch.setattr("otplint.engine.run.survey", None)
    assert look(root, store) == before


def test_only_what_a_change_concerns_is_judged_again(
    roots: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = roots()
    (root / "app/alone.py").write_text("import pykka\n\n\nclass Alone(pykka.ThreadingActor):\n    pass\n")
    store = Store(root / "cache")
    look(root, store)
    asked: list[str] = []
    from otplint.engine import judge

    inner = judge._judge_file

    def noted(index: ModuleIndex, *rest: Any) -> None:
        asked.append(index.path)
        inner(index, *rest)

    monkeypatch.setattr(judge, "_judge_file", noted)
    (root / "app/bank.py").write_text(FILES["app/bank.py"] + "\n# a comment\n")
    look(root, store)
    assert sorted(asked) == ["app/bank.py", "app/base.py"]  # a base looks at what derives from it


def test_a_touched_file_is_told_by_its_contents(roots: Callable[[], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    root = roots()
    store = Store(root / "cache")
    before = look(root, store)
    os.utime(root / "app/bank.py", (1, 1))
    monkeypatch.setattr("otplint.engine.run.survey", None)
    assert look(root, store) == before


def test_a_change_that_keeps_size_and_time_of_a_fresh_file_is_seen(roots: Callable[[], Path]) -> None:
    """Two writes within one tick of the clock: the time of change says nothing about files that were just written."""
    root = roots()
    store = Store(root / "cache")
    look(root, store)
    file = root / "app/limits.py"
    times = file.stat()
    file.write_text("MOST = 999\n"[: times.st_size].ljust(times.st_size))
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert look(root, store) == look(root, None)


def _spoil(store: Store, change: Callable[[bytes], bytes]) -> None:
    for file in store.directory.glob("*.bin"):
        file.write_bytes(change(file.read_bytes()))


class Trap:
    """A record that runs something when it is read."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.mkdir, ("sprung",))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"",
        lambda data: data[:100],
        lambda data: data[:-1],
        lambda data: data[:-3] + b"xyz",
        lambda data: b"otplint cache 9\n" + data[16:],
        lambda data: pickle.dumps({"stamps": {}}),
    ],
)
def test_a_corrupt_cache_costs_time_only(change: Callable[[bytes], bytes], roots: Callable[[], Path]) -> None:
    root = roots()
    store = Store(root / "cache")
    before = look(root, store)
    _spoil(store, change)
    assert look(root, store) == before
    assert look(root, store) == before


def test_a_foreign_cache_runs_nothing(roots: Callable[[], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    root = roots()
    monkeypatch.chdir(root)
    store = Store(root / "cache")
    for name in ("key-report.bin", "key-details.bin"):
        store.write(name, Trap())
        assert store.read(name) is None
    assert look(root, store) == look(root, None)
    assert not (root / "sprung").exists()


def test_records_of_other_modules_are_not_made(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache")
    store.write("x.bin", subprocess.CompletedProcess([], 0))
    assert store.read("x.bin") is None
    store.write("x.bin", Path("here"))
    assert store.read("x.bin") is None
    store.write("x.bin", {"a": (1, "b", b"c", frozenset({2}))})
    assert store.read("x.bin") == {"a": (1, "b", b"c", frozenset({2}))}


def test_a_place_that_cannot_be_written_is_no_error(roots: Callable[[], Path]) -> None:
    root = roots()
    (root / "cache").write_text("a file is in the way")
    assert look(root, Store(root / "cache")) == look(root, None)


def test_the_number_of_files_is_bounded(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache")
    for i in range(40):
        store.write(f"{i}.bin", i)
    assert len([*store.directory.glob("*.bin")]) <= 12
    assert store.read("39.bin") == 39


def test_scans_at_the_same_time_do_not_disturb_each_other(roots: Callable[[], Path]) -> None:
    root = roots()
    command = [sys.executable, "-m", "otplint", "check", ".", "--format", "json", "--exit-zero", "-q", "--isolated"]
    running = [subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE) for _ in range(4)]
    outputs = {process.communicate()[0] for process in running}
    outputs.add(subprocess.run(command, cwd=root, stdout=subprocess.PIPE, check=True).stdout)
    outputs.add(subprocess.run([*command, "--no-cache"], cwd=root, stdout=subprocess.PIPE, check=True).stdout)
    assert len(outputs) == 1
    assert not [*(root / ".otplint_cache").glob("new-*")]


@pytest.mark.parametrize("jobs", [1, 2])
def test_processes_leave_the_same_cache(jobs: int, tmp_path: Path) -> None:
    for i in range(45):
        (tmp_path / f"m{i:02}.py").write_text(FILES["app/base.py"].replace("from app.tools", f"from tools{i % 3}"))
    for i in range(3):
        (tmp_path / f"tools{i}.py").write_text(EDITS["app/tools.py"][0])
    store = Store(tmp_path / ".cache")
    cold = look(tmp_path, store, jobs)
    assert cold.findings
    (tmp_path / "tools1.py").write_text(EDITS["app/tools.py"][1])
    warm = look(tmp_path, store, jobs)
    assert warm == look(tmp_path, None)
    assert warm != cold


def test_what_was_new_when_it_was_kept_is_read_once_more_only(
    roots: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time of change of a new file says nothing yet; a later scan, from far enough away, takes it at its word."""
    root = roots()
    store = Store(root / ".otplint_cache")
    look(root, store)
    now = time.time_ns()
    monkeypatch.setattr("otplint.engine.cache.recall.time.time_ns", lambda: now + 60_000_000_000)
    read: list[str] = []
    whole = Disk.read

    def counted(disk: Disk, path: str) -> tuple[Stamp, bytes]:
        read.append(path)
        return whole(disk, path)

    monkeypatch.setattr(Disk, "read", counted)
    before = look(root, store)
    assert set(read) >= FILES.keys()
    read.clear()
    assert look(root, store) == before
    assert read == []


def test_a_name_that_was_looked_for_in_vain_is_seen_when_it_comes(tmp_path: Path) -> None:
    """Whether or not its folder was there, and whatever the folder's time of change says."""
    (tmp_path / "old").mkdir()
    os.utime(tmp_path / "old", ns=(10**9, 10**9))
    names = ["old/a.py", "none/a.py"]
    now = time.time_ns()
    kept = Memory(absent=Disk(str(tmp_path), Memory(), now).absent(names))
    assert Disk(str(tmp_path), kept, now).still_absent()
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
        assert not Disk(str(tmp_path), kept, now).still_absent()
        (tmp_path / name).unlink()
        assert Disk(str(tmp_path), kept, now).still_absent()
