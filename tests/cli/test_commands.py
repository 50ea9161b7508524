"""The other commands, and what the whole program owes its callers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from otplint import __version__
from otplint.api import Confidence, Finding, Option, Rule, Severity
from otplint.cli import rules as rules_command
from otplint.findings import Report


class Broad(Rule):
    """A handler | catches everything.

    Why: the supervisor never hears of it.
    Harm: wrong answers.
    Bad:
        x = 1
    Good:
        x = 2
    Limits: none.
    Report: Smell 6; its first half.
    """

    code = "ABC201"
    name = "broad-except-in-handler"
    severity = Severity.HIGH
    confidence = Confidence.MEDIUM
    options = (Option("limit", 3, "How many."),)

    def check(self, actor: Any) -> Iterator[Finding]:
        return iter(())


@pytest.fixture
def one_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    import otplint.cli.settings

    monkeypatch.setattr(otplint.cli.settings, "load_rules", lambda: (Broad,))


@pytest.mark.usefixtures("one_rule")
class TestRules:
    def test_json_is_the_contract(self, otplint: Any) -> None:
        [rule] = json.loads(otplint(["rules", "--format", "json"]).out)
        assert rule == {
            "code": "ABC201",
            "name": "broad-except-in-handler",
            "severity": "high",
            "confidence": "medium",
            "preview": False,
            "summary": "A handler | catches everything.",
            "report": "Smell 6",
            "options": [{"name": "limit", "default": 3, "help": "How many."}],
            "proof": "",
            "pack": "otplint",
            "fix": None,
            "frameworks": [],
        }

    def test_text_is_a_line_for_each(self, otplint: Any) -> None:
        assert otplint(["rules"]).out.split() == [
            "ABC201",
            "broad-except-in-handler",
            "high",
            "A",
            "handler",
            "|",
            "catches",
            "everything.",
        ]

    def test_markdown_is_a_table(self, otplint: Any) -> None:
        lines = otplint(["rules", "--format", "markdown"]).out.splitlines()
        assert lines[-1] == "| ABC201 | broad-except-in-handler | high | A handler \\| catches everything. |"

    def test_a_terminal_gets_colours(self, otplint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(rules_command, "wants_colour", lambda _stream: True)
        out = otplint(["rules"]).out
        assert "\x1b[" in out
        assert "catches everything." in out


@pytest.mark.usefixtures("one_rule")
class TestExplain:
    @pytest.mark.parametrize("rule", ["ABC201", "abc201", "broad-except-in-handler"])
    def test_a_rule_by_code_or_name(self, otplint: Any, rule: str) -> None:
        answer = otplint(["explain", rule])
        assert answer.status == 0
        assert "the supervisor never hears of it." in answer.out

    def test_markdown_and_json(self, otplint: Any) -> None:
        assert "```python\nx = 1\n```" in otplint(["explain", "ABC201", "--format", "markdown"]).out
        page = json.loads(otplint(["explain", "ABC201", "--format", "json"]).out)
        assert page["sections"]["Bad"] == "x = 1"
        assert page["code"] == "ABC201"

    def test_an_unknown_rule_is_2_with_the_nearest_name(self, otplint: Any) -> None:
        answer = otplint(["explain", "ABC210"])
        assert (answer.status, answer.out) == (2, "")
        assert answer.err == "otplint: error: explain: unknown rule 'ABC210'; did you mean ABC201?\n"

    @pytest.mark.parametrize("place", ["a.py:2", "a.py:2:1", "a.py:2:6"])
    def test_the_findings_at_a_place(self, otplint: Any, engine: Any, place: str) -> None:
        engine.finds(Severity.HIGH)
        answer = otplint(["explain", place])
        assert answer.status == 0
        assert "a.py:2:1" in answer.out
        document = json.loads(otplint(["explain", place, "--format", "json"]).out)
        assert [finding["code"] for finding in document["findings"]] == ["ABC201"]
        assert [rule["code"] for rule in document["rules"]] == ["ABC201"]

    @pytest.mark.parametrize("place", ["a.py:1", "a.py:2:7"])
    def test_nothing_at_a_place_names_the_lines_that_have_something(
        self, otplint: Any, engine: Any, place: str
    ) -> None:
        engine.finds(Severity.HIGH)
        answer = otplint(["explain", place])
        assert answer.status == 2
        assert answer.err == (f"otplint: error: nothing is found at {place}; findings of this file are at line 2\n")

    def test_a_rule_is_explained_once(self, otplint: Any, engine: Any) -> None:
        engine.finds(Severity.HIGH, Severity.LOW)
        info = Broad().info()
        engine.report = replace(engine.report, rules=(info,))
        assert otplint(["explain", "a.py:2"]).out.count("the supervisor never hears of it.") == 1


class TestConfig:
    def test_every_setting_names_its_origin(self, otplint: Any, tmp_path: Path) -> None:
        (tmp_path / "otplint.toml").write_text('exclude = ["gen/"]\n')
        lines = otplint(["config", "--config", "strict=true"]).out.splitlines()
        assert 'exclude = ["gen/"]  # otplint.toml' in lines
        assert "strict = true  # --config" in lines
        assert 'select = ["ALL"]  # strict' in lines
        assert "respect-gitignore = true  # default" in lines

    def test_json(self, otplint: Any, tmp_path: Path) -> None:
        document = json.loads(otplint(["config", "--format", "json", "--isolated"]).out)
        assert (document["file"], document["root"]) == (None, str(tmp_path))
        assert {"key": "strict", "value": False, "origin": "default"} in document["settings"]

    def test_the_schema_is_one(self, otplint: Any) -> None:
        import jsonschema

        schema = json.loads(otplint(["config", "--schema"]).out)
        jsonschema.Draft7Validator.check_schema(schema)
        assert "per-file-ignores" in schema["properties"]


class TestProgram:
    def test_the_version_comes_before_anything_heavy(self) -> None:
        program = (
            "import sys; sys.argv = ['otplint', '--version']; from otplint.__main__ import main; main();"
            "heavy = {'click', 'libcst', 'rich', 'asyncio', 'pathspec', 'importlib.metadata'} & set(sys.modules);"
            "assert not heavy, heavy"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"otplint {__version__}\n", "")

    def test_the_version_is_also_a_flag_of_the_group(self, otplint: Any) -> None:
        assert otplint(["--version"]).out == f"otplint {__version__}\n"

    def test_help_lists_the_commands(self, otplint: Any) -> None:
        for arguments in ([], ["--help"]):
            answer = otplint(arguments)
            assert answer.status == 0
            assert all(f"  {name} " in answer.out for name in ("check", "explain", "rules", "config"))

    def test_an_unknown_command_is_2_with_the_nearest(self, otplint: Any) -> None:
        answer = otplint(["chekc"])
        assert answer.status == 2
        assert answer.err == "otplint: error: no such command 'chekc'; did you mean check? (see 'otplint --help')\n"

    @pytest.mark.parametrize("command", ["check", "explain", "rules", "config"])
    def test_every_command_has_help(self, otplint: Any, command: str) -> None:
        answer = otplint([command, "--help"])
        assert answer.status == 0
        assert answer.out.startswith(f"Usage: otplint {command}")

    def test_a_reader_that_leaves_early_is_no_error(self) -> None:
        program = (
            "import sys; from otplint.cli.terminal import put\n"
            "for _ in range(2000): put('x' * 1000 + '\\n')\n"
            "sys.exit(1)"
        )
        pipe = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert pipe.stdout is not None
        assert pipe.stderr is not None
        pipe.stdout.read(10)
        pipe.stdout.close()
        errors = pipe.stderr.read()
        pipe.stderr.close()
        assert (pipe.wait(), errors) == (1, b"")

    def test_odd_characters_get_through_an_ascii_terminal(self) -> None:
        program = (
            "from otplint.cli.terminal import be_robust, put, say; be_robust();"
            "put('caf\\u00e9 \\udcff\\n'); say('\\u2028')"
        )
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            check=False,
            env={"PYTHONIOENCODING": "ascii", "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        )
        assert (done.returncode, done.stdout) == (0, b"caf\\xe9 \\udcff\n")

    def test_a_keyboard_interrupt_is_one_line(self, otplint: Any, engine: Any) -> None:
        def interrupted(*_args: Any, **_options: Any) -> Report:
            raise KeyboardInterrupt

        sys.modules["otplint.engine.run"].scan = interrupted  # type: ignore[attr-defined]
        answer = otplint(["check"])
        assert answer.status == 2
        assert answer.err.strip() == "otplint: error: interrupted"


def test_the_bar_is_drawn_for_long_scans_on_terminals_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from otplint.cli import terminal

    with terminal.progress(quiet=False) as advance:
        assert advance is None
    monkeypatch.setattr(terminal, "is_terminal", lambda _stream: True)
    with terminal.progress(quiet=True) as advance:
        assert advance is None
    with terminal.progress(quiet=False) as advance:
        assert advance is not None
        advance(1, 2)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(terminal, "PATIENCE", -1.0)
    with terminal.progress(quiet=False) as advance:
        assert advance is not None
        advance(1, 2)
        advance(2, 2)
    captured = capsys.readouterr()
    assert "files" in captured.err
    assert captured.out == ""
