"""The recipe for many repositories: each gets its report, what is there is kept, what fails hinders nobody."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import LocalCluster

SCRIPT = Path(__file__).resolve().parent.parent / "docs" / "scan_many.py"
PLAYER = """
import pykka
class Player(pykka.ThreadingActor):
    def on_receive(self, message):
        try:
            self.x = message.y
        except Exception:
            pass
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as made:
        yield made


def run(cluster: LocalCluster, into: Path, *repositories: Path | str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), "--into", str(into), "--scheduler", cluster.scheduler_address]
    return subprocess.run([*command, *map(str, repositories)], capture_output=True, text=True, check=False)


def test_each_repository_gets_its_report(cluster: LocalCluster, tmp_path: Path) -> None:
    bad, good, into = tmp_path / "bad", tmp_path / "good", tmp_path / "reports"
    (bad / "src/pkg").mkdir(parents=True)
    (bad / "src/pkg/player.py").write_text(PLAYER)
    (bad / "src/pkg/__init__.py").write_text("")
    good.mkdir()
    (good / "player.py").write_text(PLAYER)
    (good / "otplint.toml").write_text('ignore = ["OTP201"]\n')
    done = run(cluster, into, bad, good, tmp_path / "missing")
    assert done.returncode == 2
    assert [line.rpartition("/")[2] for line in sorted(done.stdout.splitlines())] == [
        "bad: status 1",
        "good: status 0",
    ]
    assert "missing: CalledProcessError" in done.stderr
    reports = {path.name.rpartition("_")[2]: path for path in into.iterdir()}
    assert reports.keys() == {"bad.jsonl", "good.jsonl"}
    finding, _summary = map(json.loads, reports["bad.jsonl"].read_text().splitlines())
    assert (finding["path"], finding["line"], finding["code"]) == ("src/pkg/player.py", 7, "OTP201")

    again = run(cluster, into, bad, good)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    reports["bad.jsonl"].unlink()
    assert run(cluster, into, bad, good).stdout.endswith("bad: status 1\n")
