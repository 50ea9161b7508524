"""``--fix``, ``--unsafe-fixes`` and ``--diff``: what they write, print and answer."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from otplint.engine import fix
from otplint.findings import Failure

IDLE = "x = 1\ny = 2  # otplint: ignore[OTP201] it was here once\nz = 3\n"
MENDED = "x = 1\ny = 2\nz = 3\n"
DIFF = """\
--- src/a.py
+++ src/a.py
@@ -1,3 +1,3 @@
 x = 1
-y = 2  # otplint: ignore[OTP201] it was here once
+y = 2
 z = 3
"""
BAD = """\
import pykka


class Till(pykka.ThreadingActor):
    def on_receive(self, message):
        try:
            return self.count(message)
        except Exception:  # otplint: ignore[OTP201] plug-ins may do anything
            pass
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "otplint.toml").write_text("")
    (folder / "src" / "a.py").write_text(IDLE)
    return folder


def standard_input(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    class Stdin:
        buffer = io.BytesIO(data)

    monkeypatch.setattr(sys, "stdin", Stdin())


def test_a_scan_says_what_could_be_fixed(otplint: Any, project: Path) -> None:
    answer = otplint(["check"], project)
    assert answer.status == 1
    assert answer.err.rstrip().endswith("; 1 can be fixed with --fix")
    [found] = json.loads(otplint(["check", "--format", "json"], project).out)["findings"]
    assert found["fix"]["safe"] is True
    assert found["fix"]["message"] == "Remove the comment"
    edit = {"path": "src/a.py", "line": 2, "column": 6, "end_line": 2, "end_column": 50, "replacement": ""}
    assert found["fix"]["edits"] == [edit]
    assert (project / "src" / "a.py").read_text() == IDLE


def test_fix_writes_and_reports_what_is_left(otplint: Any, project: Path) -> None:
    (project / "src" / "b.py").write_text("x = 1  # otplint: ignore[OTP201]\ny = 1  # otplint: ignore[OTP999] why\n")
    answer = otplint(["check", "--fix"], project)
    assert answer.status == 1
    assert (project / "src" / "a.py").read_text() == MENDED
    assert (project / "src" / "b.py").read_text() == "x = 1\ny = 1  # otplint: ignore[OTP999] why\n"
    assert [line.split()[:2] for line in answer.out.splitlines()] == [["src/b.py:2:8:", "OTP903"]]
    assert answer.err.startswith("Fixed 2\n1 finding (1 low) in 1 file")


def test_when_all_is_fixed_the_status_is_0(otplint: Any, project: Path) -> None:
    assert otplint(["check", "--fix"], project).status == 0
    again = otplint(["check", "--fix"], project)
    assert (again.status, again.out) == (0, "")
    assert again.err.startswith("Fixed 0\nno findings")
    assert otplint(["check", "--fix", "-q"], project).err == ""


def test_diff_prints_and_changes_nothing(otplint: Any, project: Path) -> None:
    for flags in (["--diff"], ["--diff", "--fix"]):
        answer = otplint(["check", *flags], project)
        assert (answer.status, answer.out, answer.err) == (1, DIFF, "Would fix 1\n")
        assert (project / "src" / "a.py").read_text() == IDLE
    assert otplint(["check", "--diff", "--exit-zero"], project).status == 0
    otplint(["check", "--fix"], project)
    answer = otplint(["check", "--diff"], project)
    assert (answer.status, answer.out, answer.err) == (0, "", "Would fix 0\n")


@pytest.mark.parametrize(
    "text", [IDLE, IDLE.replace("\n", "\r\n"), IDLE.rstrip("\n"), IDLE.replace("\nz = 3\n", ""), "\ufeff" + IDLE]
)
def test_git_makes_of_the_diff_what_fix_writes(otplint: Any, project: Path, text: str) -> None:
    path = project / "src" / "a.py"
    path.write_bytes(text.encode())
    diff = otplint(["check", "--diff"], project).out
    copy = project.parent / "copy"
    shutil.copytree(project, copy)
    subprocess.run(["git", "apply", "-p0", "-"], cwd=copy, input=diff.encode(), check=True, capture_output=True)
    otplint(["check", "--fix"], project)
    assert (copy / "src" / "a.py").read_bytes() == path.read_bytes() != text.encode()


def test_what_a_comment_suppresses_is_not_fixed_and_its_comment_stays(otplint: Any, project: Path) -> None:
    (project / "src" / "a.py").write_text(BAD)
    answer = otplint(["check", "--fix", "--unsafe-fixes"], project)
    assert (answer.status, answer.out) == (0, "")
    assert (project / "src" / "a.py").read_text() == BAD


def test_what_is_not_reported_is_not_fixed(otplint: Any, project: Path) -> None:
    assert otplint(["check", "--fix", "--ignore", "OTP901"], project).status == 0
    assert otplint(["check", "--fix", "--config", "per-file-ignores.'src/'=['OTP901']"], project).status == 0
    assert otplint(["check", "--fix", "--config", "exclude=['src/']"], project).status == 0
    assert (project / "src" / "a.py").read_text() == IDLE


def test_standard_input_comes_out_fixed_and_the_report_beside_it(
    otplint: Any, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = IDLE + "a = 1  # otplint: ignore[OTP999] why\n"
    standard_input(monkeypatch, text.replace("\n", "\r\n").encode())
    answer = otplint(["check", "-", "--stdin-filename", "src/b.py", "--fix"], project)
    assert answer.status == 1
    assert answer.out == text.replace(IDLE, MENDED).replace("\n", "\r\n")
    assert answer.err.startswith("src/b.py:4:8: OTP903")
    assert not (project / "src" / "b.py").exists()


@pytest.mark.parametrize("source", ["x = 1\n", "", "def (:  # otplint: ignore[OTP201] why\n", "class X(Actor: pykka\n"])
def test_standard_input_without_anything_to_fix_comes_out_as_it_is(
    otplint: Any, project: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    standard_input(monkeypatch, source.encode())
    answer = otplint(["check", "-", "--fix"], project)
    assert answer.out == source
    assert answer.status == (2 if "(" in source else 0)


def test_standard_input_as_a_diff(otplint: Any, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    standard_input(monkeypatch, IDLE.encode())
    answer = otplint(["check", "-", "--stdin-filename", "src/a.py", "--diff"], project)
    assert (answer.status, answer.out) == (1, DIFF)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--unsafe-fixes"], "--fix or --diff"),
        (["--diff", "--format", "json"], "leave --format out"),
        (["--fix", "--no-suppressions"], "leave --no-suppressions out"),
    ],
)
def test_flags_that_do_not_go_together(otplint: Any, project: Path, flags: list[str], says: str) -> None:
    answer = otplint(["check", *flags], project)
    assert answer.status == 2
    assert says in answer.err
    assert answer.err.count("\n") == 1
    assert (project / "src" / "a.py").read_text() == IDLE


def test_a_file_that_cannot_be_fixed_is_named_and_its_findings_stay(otplint: Any, project: Path) -> None:
    """The comment is ours, the syntax error is not: as long as it is there, nothing is written."""
    (project / "src" / "b.py").write_text("def (:  # otplint: ignore[OTP201] why\n")
    answer = otplint(["check", "--fix"], project)
    assert answer.status == 2
    assert "src/b.py:1: not fixed: the fix of OTP901 leaves a syntax error: invalid syntax (line 1)" in answer.err
    assert "src/b.py:1:9: OTP901" in answer.out
    assert (project / "src" / "a.py").read_text() == MENDED
    assert otplint(["check", "--diff"], project).status == 2


def test_what_could_not_be_written_is_reported_still(
    otplint: Any, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = Failure("src/a.py", 0, "not fixed: cannot be written: No space left on device")
    monkeypatch.setattr(fix, "write", lambda changes, root: (refused,))
    answer = otplint(["check", "--fix"], project)
    assert answer.status == 2
    assert "src/a.py:2:8: OTP901" in answer.out
    assert "src/a.py: not fixed: cannot be written: No space left on device\nFixed 0\n" in answer.err
