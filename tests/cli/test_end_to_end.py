"""The whole way, from paths to exit status, with the engine and the rules that ship."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BAD = """\
import pykka


class Till(pykka.ThreadingActor):
    def on_receive(self, message):
        try:
            return self.count(message)
        except Exception:
            pass
"""
LINE = "bad.py:8:9: OTP201 broad-except-in-handler "
FULL_DISK = [
    (f"check > {device}", 2, "otplint: error: cannot write to standard output: No space left on device\n")
    for device in ("/dev/full",)
    if Path(device).exists()
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "otplint.toml").write_text("")
    (folder / "src" / "bad.py").write_text(BAD)
    (folder / "src" / "good.py").write_text(BAD.replace("Exception", "KeyError"))
    return folder


def test_findings_in_every_format(otplint: Any, project: Path) -> None:
    answer = otplint(["check"], project)
    assert answer.status == 1
    assert answer.out.startswith(f"src/{LINE}")
    assert answer.err.startswith("1 finding (1 high) in 1 file")
    report = json.loads(otplint(["check", "--format", "json"], project).out)
    assert [(found["path"], found["line"], found["column"]) for found in report["findings"]] == [("src/bad.py", 8, 9)]
    assert report["errors"] == []
    sarif = json.loads(otplint(["check", "--format", "sarif"], project).out)
    [result] = sarif["runs"][0]["results"]
    assert result["ruleId"] == "OTP201"
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "src/bad.py"
    assert "on_receive" in otplint(["check", "--format", "text"], project).out


def test_neither_the_directory_nor_the_jobs_nor_the_order_changes_a_word(otplint: Any, project: Path) -> None:
    for number in range(3):
        (project / "src" / f"more_{number}.py").write_text(BAD)
    first = otplint(["check", "--format", "json"], project).out
    assert first.count('"OTP201"') == 4
    files = sorted(path.relative_to(project).as_posix() for path in project.rglob("*.py"))
    assert otplint(["check", "--format", "json", *files], project).out == first
    assert otplint(["check", "--format", "json", *reversed(files)], project).out == first
    assert otplint(["check", "--format", "json", "--jobs", "2"], project).out == first
    assert otplint(["check", "--format", "json", str(project)], project.parent).out == first
    assert otplint(["check", "--format", "json", "..", "."], project / "src").out == first


def test_nor_does_the_order_of_sets(repository: Path) -> None:
    """Python gives strings another hash in each process, and objects another address."""
    said = set()
    for seed in ("1", "3", "5"):
        done = subprocess.run(
            [sys.executable, "-m", "otplint", "check", "--isolated", "--select", "ALL", "--min-confidence", "low",
             "--format", "json", "fixtures/flaws_report3/before"],
            cwd=repository, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=False,
        )  # fmt: skip
        said.add(done.stdout)
    assert len(said) == 1


@pytest.mark.parametrize("name", ["src/bad.py", "src/new.py", None])
def test_standard_input_is_a_file_of_the_project(
    otplint: Any, project: Path, name: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stdin:
        buffer = io.BytesIO(BAD.replace("\n", "\r\n").encode())

    monkeypatch.setattr(sys, "stdin", Stdin())
    named = [] if name is None else ["--stdin-filename", name]
    answer = otplint(["check", "-", *named], project)
    assert answer.status == 1
    assert answer.out.startswith(f"{name or 'stdin.py'}:8:9: OTP201 ")


def test_a_broken_file_is_named_and_the_others_are_scanned(otplint: Any, project: Path) -> None:
    (project / "src" / "broken.py").write_text("import pykka\nclass A(pykka.ThreadingActor):\n    def f(:\n")
    answer = otplint(["check", "--exit-zero"], project)
    assert answer.status == 2
    assert answer.out.startswith(f"src/{LINE}")
    assert "src/broken.py:3: " in answer.err


def test_a_missing_path_is_one_line(otplint: Any, project: Path) -> None:
    answer = otplint(["check", "src", "nosuch"], project)
    assert (answer.status, answer.out) == (2, "")
    assert answer.err.count("\n") == 1
    assert "'nosuch'" in answer.err


def test_the_configuration_rules(otplint: Any, project: Path) -> None:
    (project / "otplint.toml").write_text('severity = { OTP201 = "low" }\nfail-on = "medium"\n')
    answer = otplint(["check", "--format", "json"], project)
    assert answer.status == 0
    assert json.loads(answer.out)["findings"][0]["severity"] == "low"
    for setting in (
        'ignore = ["OTP2"]',
        'severity = { broad-except-in-handler = "off" }',
        'per-file-ignores = { "bad.py" = ["OTP201"] }',
        'exclude = ["bad.py"]',
    ):
        (project / "otplint.toml").write_text(setting)
        assert otplint(["check"], project).status == 0, setting
        assert otplint(["check", "src/bad.py"], project).status == 0, setting
    (project / "otplint.toml").write_text('ignore = ["OTP2"]')
    assert otplint(["check", "--select", "OTP201"], project).status == 1
    assert otplint(["check", "--extend-select", "OTP201"], project).status == 1
    assert otplint(["check", "--isolated"], project).status == 1


def test_a_comment_with_a_reason_silences_one_without_is_a_finding(otplint: Any, project: Path) -> None:
    bad = project / "src" / "bad.py"
    bad.write_text(BAD.replace("Exception:", "Exception:  # otplint: ignore[OTP201] the till may be gone"))
    assert otplint(["check"], project).status == 0
    assert otplint(["check", "--no-suppressions"], project).out.startswith(f"src/{LINE}")
    bad.write_text(BAD.replace("Exception:", "Exception:  # otplint: ignore[OTP201]"))
    assert " OTP902 " in otplint(["check"], project).out
    assert otplint(["check", "--ignore", "OTP902"], project).status == 0
    assert otplint(["check", "--select", "OTP201"], project).status == 0
    bad.write_text(BAD.replace("Exception:", "KeyError:  # otplint: ignore[OTP201] not needed"))
    assert " OTP901 " in otplint(["check"], project).out


def test_a_finding_is_explained_where_it_is(otplint: Any, project: Path) -> None:
    answer = otplint(["explain", "src/bad.py:8"], project)
    assert answer.status == 0
    assert "src/bad.py:8:9" in answer.out
    assert "To accept one place:" in answer.out
    assert otplint(["explain", "src/bad.py:7"], project).err.rstrip().endswith("findings of this file are at line 8")


def test_the_program_as_users_start_it(project: Path) -> None:
    env = {**os.environ, "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, "-m", "otplint", "check", "--jobs", "2"],
        cwd=project,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout[: len(LINE) + 4]) == (1, f"src/{LINE}")
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("redirection", "status", "says"),
    [
        ("check >&-", 1, "1 finding"),
        ("check 2>&-", 1, ""),
        ("check - <&-", 2, "otplint: error: standard input is closed\n"),
        ("check --format json | head -c 1", 1, "1 finding"),
        *FULL_DISK,
    ],
)
def test_broken_streams_are_no_tracebacks(project: Path, redirection: str, status: int, says: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f'set -o pipefail; "$0" -m otplint {redirection}', sys.executable],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status
    assert done.stderr.startswith(says)
    assert "Traceback" not in done.stderr
