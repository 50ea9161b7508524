"""What a scan took: every stage and rule is there, sums agree, and nothing is measured unless somebody asks."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from otplint.cli.statistics import timing_table
from otplint.config import Config
from otplint.engine.clock import OFF, STAGES, Clock
from otplint.engine.packs import load_rules
from otplint.engine.run import scan
from otplint.findings import Report, RuleTime, Timing
from otplint.output import render

PLAYER = """
import pykka
class Player(pykka.ThreadingActor):
    def on_receive(self, message):
        try:
            self.x = message.y
        except Exception:
            pass
"""
DEVICE = "from player_0 import Player\nclass Device(Player): pass\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for n in range(24):
        (tmp_path / f"player_{n}.py").write_text(PLAYER)
    (tmp_path / "device.py").write_text(DEVICE)
    return tmp_path


def report(root: Path, jobs: int, clock: Clock = OFF) -> Report:
    return scan([root], Config(), [rule() for rule in load_rules()], root=root, jobs=jobs, clock=clock)


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_stage_and_every_rule_is_there(jobs: int, project: Path) -> None:
    clock = Clock()
    timing = report(project, jobs, clock).timing
    assert timing is not None
    assert [name for name, _ in timing.stages] == list(STAGES)
    stages = dict(timing.stages)
    assert all(stages[name] > 0 for name in STAGES if name != "output")
    assert [rule.code for rule in timing.rules] == [rule.code for rule in load_rules()]
    by_code = {rule.code: rule for rule in timing.rules}
    # Each file, each actor in it: the same number of questions whoever asks them.
    assert (by_code["OTP201"].calls, by_code["OTP201"].findings) == (25 + 25, 24)
    assert by_code["OTP605"].calls == 25 + 25 + 1  # a rule over the project is asked once more


@pytest.mark.parametrize("jobs", [1, 2])
def test_sums_agree(jobs: int, project: Path) -> None:
    before = time.process_time()
    timing = report(project, jobs, Clock()).timing
    spent = time.process_time() - before
    assert timing is not None
    assert sum(rule.seconds for rule in timing.rules) == pytest.approx(dict(timing.stages)["rules"], rel=0.5, abs=0.01)
    if jobs == 1:  # nothing is counted twice
        assert sum(seconds for _, seconds in timing.stages) <= spent


def test_nothing_is_measured_unless_asked(project: Path) -> None:
    silent = report(project, 1)
    assert silent.timing is None
    assert "timing" not in json.loads(render("json", silent))
    assert (OFF.stages, OFF.rules) == ({}, {})
    assert OFF.fresh() is OFF


def test_what_is_inside_is_not_counted_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 1.0, 3.0, 3.5, 4.5, 10.0])
    monkeypatch.setattr(time, "thread_time", lambda: next(now))
    clock = Clock()
    with clock.stage("kinship"):
        with clock.stage("triage"):
            pass
        with clock.stage(""):
            pass
    assert clock.stages == {"triage": 2.0, "kinship": 7.0}


def test_clocks_add_up() -> None:
    one = Clock(stages={"walk": 1.0}, rules={"OTP201": [1.0, 2, 3]})
    one.add(Clock(stages={"walk": 0.5, "index": 2.0}, rules={"OTP201": [1.0, 1, 1], "OTP202": [0.5, 1, 0]}))
    assert one.stages == {"walk": 1.5, "index": 2.0}
    assert one.timing([("OTP202", "b"), ("OTP201", "a"), ("OTP203", "c")]).rules == (
        RuleTime("OTP202", "b", 0.5, 1, 0),
        RuleTime("OTP201", "a", 2.0, 3, 4),
        RuleTime("OTP203", "c", 0.0, 0, 0),
    )


def test_the_table(snapshot: Any) -> None:
    stages = tuple((name, 0.25 * (n + 1)) for n, name in enumerate(STAGES))
    rules = (
        RuleTime("OTP201", "broad", 0.5, 10, 2),
        RuleTime("OTP202", "lost", 1.0, 12, 0),
        RuleTime("X1", "n", 0, 0, 0),
    )
    snapshot.snapshot_dir = Path(__file__).parent / "snapshots"
    snapshot.assert_match(timing_table(Timing(stages, rules), 3.0) + "\n", "timing.txt")


def test_the_command_line_prints_it_last(project: Path, otplint: Any) -> None:
    answer = otplint(["check", "--timing", "--format", "json", "--exit-zero"], cwd=project)
    lines = [re.sub(r"\d+\.\d+| +\d+ %", "N", line) for line in answer.err.splitlines()]
    start = next(n for n, line in enumerate(lines) if line.endswith("stage"))
    assert [line.split()[-1] for line in lines[start + 1 : start + 9]] == list(STAGES)
    assert lines[start + 9].endswith("all, in N s")
    assert len(lines) == start + 12 + len([rule for rule in load_rules() if not rule.preview])
    timing = json.loads(answer.out)["timing"]
    assert [stage["name"] for stage in timing["stages"]] == list(STAGES)
    assert {"code", "name", "seconds", "calls", "findings"} == timing["rules"][0].keys()
