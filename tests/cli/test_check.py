"""The contract of ``otplint check``: exit statuses, streams, formats, and what reaches the scan."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from otplint.findings import Confidence, Failure, Severity

BROKEN = (Failure("b.py", 3, "it does not parse"),)


@pytest.mark.parametrize(
    ("found", "flags", "status"),
    [
        ([], [], 0),
        ([Severity.LOW], [], 1),
        ([Severity.CRITICAL], ["--exit-zero"], 0),
        ([Severity.MEDIUM], ["--fail-on", "high"], 0),
        ([Severity.HIGH], ["--fail-on", "high"], 1),
        ([Severity.MEDIUM, Severity.CRITICAL], ["--fail-on", "high"], 1),
        ([Severity.CRITICAL], ["--fail-on", "never"], 0),
        ([Severity.CRITICAL], ["--config", "fail-on=never"], 0),
        ([Severity.CRITICAL], ["--config", "fail-on=never", "--fail-on", "critical"], 1),
    ],
)
def test_exit_status(otplint: Any, engine: Any, found: list[Severity], flags: list[str], status: int) -> None:
    engine.finds(*found)
    assert otplint(["check", *flags]).status == status


@pytest.mark.parametrize("flags", [[], ["--exit-zero"], ["--fail-on", "never"], ["-q"]])
def test_a_file_that_was_not_analysed_is_2_and_named_whatever_else(otplint: Any, engine: Any, flags: list[str]) -> None:
    engine.finds(Severity.HIGH, failures=BROKEN)
    answer = otplint(["check", *flags])
    assert answer.status == 2
    assert "b.py:3: it does not parse" in answer.err
    assert "ABC201" in answer.out


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["nosuch"], None),
        (["--select", "OTP999"], "--select: unknown rule 'OTP999'"),
        (["--config", "selct=['ALL']"], "unknown key 'selct'; did you mean select?"),
        (["--config", "nosuch.toml"], "neither a file nor KEY=VALUE"),
        (["--config", "severity.OTP999='off'"], "severity: unknown rule 'OTP999'"),
        (["--config", "per-file-ignores.'a.py'=['OTP999']"], "per-file-ignores: unknown rule 'OTP999'"),
        (["--config", "options.OTP999.limit=3"], "options: unknown rule 'OTP999'"),
        (["--format", "sarf"], "unknown format 'sarf'; did you mean sarif?"),
        (["--format", "sarif:"], "names no file"),
        (["--format", "sarif:nowhere/out.sarif"], "no such folder: nowhere"),
        (["--format", "json", "--format", "sarif"], "two formats go to standard output"),
        (["--format", "json:x", "--format", "sarif:x"], "two formats go to x"),
        (["--stdin-filename", "a.py"], "give - as the path"),
        (["-", "a.py"], "scanned alone"),
        ([""], "an empty path"),
        (["--fail-on", "hgh"], "hgh"),
        (["--jobs", "0"], "--jobs"),
        (["--bogus"], "--bogus"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_2(otplint: Any, engine: Any, flags: list[str], says: str | None) -> None:
    if says is None:
        pytest.importorskip("otplint.sources.walk")
        from otplint.sources.walk import MissingPath

        def missing(*_args: Any, **_options: Any) -> None:
            raise MissingPath("'nosuch': no such file or directory")

        engine.scan, says = missing, "nosuch"
        sys.modules["otplint.engine.run"].scan = missing  # type: ignore[attr-defined]
    answer = otplint(["check", *flags])
    assert answer.status == 2
    assert answer.out == ""
    assert answer.err.startswith("otplint: error: ")
    assert answer.err.count("\n") == 1
    assert says in answer.err


def test_findings_go_to_one_stream_and_the_rest_to_the_other(otplint: Any, engine: Any) -> None:
    engine.finds(Severity.HIGH)
    answer = otplint(["check"])
    assert answer.out == "a.py:2:1: ABC201 broad-except-in-handler Everything is caught.\n"
    assert answer.err.startswith("1 finding")
    assert otplint(["check", "-q"]).err == ""


def test_several_formats_at_once(otplint: Any, engine: Any, tmp_path: Path) -> None:
    engine.finds(Severity.HIGH)
    answer = otplint(["check", "--format", "json:out.json", "--format", "concise", "--format", "sarif:out.sarif"])
    assert answer.out.startswith("a.py:2:1: ABC201")
    assert json.loads((tmp_path / "out.json").read_text())["findings"][0]["code"] == "ABC201"
    assert json.loads((tmp_path / "out.sarif").read_text())["version"] == "2.1.0"


def test_a_report_that_cannot_be_written_is_2(otplint: Any, engine: Any, tmp_path: Path) -> None:
    (tmp_path / "out.json").mkdir()
    answer = otplint(["check", "--format", "json:out.json"])
    assert answer.status == 2
    assert answer.err.splitlines()[0].startswith("otplint: error: cannot write out.json: ")


def test_the_flags_reach_the_scan(otplint: Any, engine: Any, tmp_path: Path) -> None:
    flags = ["--jobs", "3", "--no-suppressions", "--min-confidence", "low", "a.py", "b"]
    assert otplint(["check", *flags]).status == 0
    [call] = engine.calls
    assert [str(path) for path in call["paths"]] == ["a.py", "b"]
    assert call["config"].min_confidence is Confidence.LOW
    assert (call["jobs"], call["suppressions"], call["stdin"]) == (3, False, None)
    assert call["root"] == tmp_path


def test_without_paths_the_current_directory_is_scanned(otplint: Any, engine: Any) -> None:
    otplint(["check"])
    assert engine.calls[0]["paths"] == [Path()]


def test_standard_input(otplint: Any, engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(b"x = 1\r\n\xff")

    monkeypatch.setattr(sys, "stdin", Stdin())
    otplint(["check", "-", "--stdin-filename", "src/a.py"])
    assert engine.calls[0]["stdin"] == ("src/a.py", b"x = 1\r\n\xff")
    assert engine.calls[0]["paths"] == []


def test_the_configuration_is_looked_for_where_the_paths_are(otplint: Any, engine: Any, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "otplint.toml").write_text('fail-on = "never"\n')
    engine.finds(Severity.HIGH)
    assert otplint(["check", "project"]).status == 0
    assert engine.calls[0]["root"] == tmp_path / "project"
    assert otplint(["check", "--isolated", "project"]).status == 1


def test_show_files_lists_and_stops(otplint: Any, engine: Any, tmp_path: Path) -> None:
    for name in ("b.py", "a.py", "c.txt"):
        (tmp_path / name).write_text("")
    answer = otplint(["check", "--show-files", "--config", "exclude=['b.py']"])
    assert (answer.status, answer.out) == (0, "a.py\n")
    assert engine.calls == []


def test_tables_go_to_standard_error(otplint: Any, engine: Any) -> None:
    engine.finds(Severity.HIGH, Severity.LOW)
    answer = otplint(["check", "--statistics", "--timing", "-v"])
    assert "     2  ABC201 broad-except-in-handler" in answer.err
    assert "  all, in " in answer.err
    assert "project root: " in answer.err
    assert answer.out.count("\n") == 2
    assert engine.calls[0]["clock"].running
