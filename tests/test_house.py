"""What every rule owes: a docstring that is true, fixtures, snapshots, a line in the changelog.

Three layers: the docstring's own snippets, the fixture programs with their rendered findings, and (elsewhere) edge
cases of engine and facts. An expectation stands in one place only.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import otplint.rules
from otplint.api import Rule
from otplint.config import Config
from otplint.engine.packs import load_rules, rules_in
from otplint.engine.run import scan
from otplint.engine.select import build
from otplint.findings import Confidence, Finding, Report
from otplint.output import render

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "fixtures"
RULES = sorted(rules_in(otplint.rules), key=lambda rule: rule.code)
SYSTEMS = ("flaws_report3",)
"""Fixtures that belong to no single rule."""
CASES = sorted(path for path in FIXTURES.glob("[A-Z]*/*.py") if path.name not in ("__init__.py", "proof.py"))
EXEMPT = frozenset(rule.code for rule in RULES if rule.proof == "exempt")


def folder(rule: type[Rule]) -> Path:
    return FIXTURES / f"{rule.code}-{rule.name}"


def all_rules() -> tuple[Rule, ...]:
    """Every rule, previews included: a good example is good for all of them."""
    return build(load_rules())


def scanned(path: Path, *, root: Path, rules: Sequence[Rule] | None = None) -> Report:
    """A scan of one file in this process, at every confidence."""
    config = Config(min_confidence=Confidence.LOW)
    return scan([path], config, all_rules() if rules is None else rules, root=root, jobs=1)


def of(rule: type[Rule]) -> Any:
    return pytest.param(rule, id=f"{rule.code}-{rule.name}")


def case(path: Path) -> Any:
    return pytest.param(path, id=f"{path.parent.name}/{path.stem}")


def snippet(tmp_path: Path, rule: type[Rule], section: str) -> list[Finding]:
    path = tmp_path / "snippet.py"
    path.write_text(rule.sections[section] + "\n", encoding="utf-8")
    report = scanned(path, root=tmp_path)
    assert not report.failures
    return list(report.findings)


@pytest.mark.parametrize("rule", [of(rule) for rule in RULES])
class TestDocstring:
    def test_bad_fires_this_rule_and_no_other(self, rule: type[Rule], tmp_path: Path) -> None:
        found = snippet(tmp_path, rule, "Bad")
        assert {finding.code for finding in found} == {rule.code}, found

    def test_good_fires_nothing(self, rule: type[Rule], tmp_path: Path) -> None:
        assert not snippet(tmp_path, rule, "Good")

    def test_the_file_is_short_and_holds_one_rule(self, rule: type[Rule]) -> None:
        path = ROOT / "rules" / f"{rule.name.replace('-', '_')}.py"
        text = path.read_text(encoding="utf-8")
        classes = [node.name for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]
        assert rule.__name__ in classes
        assert sum(1 for other in RULES if other.__module__ == rule.__module__) == 1
        assert text.count("\n") <= 200


@pytest.mark.parametrize("rule", [of(rule) for rule in RULES])
class TestHousehold:
    def test_a_bad_and_a_good_program_are_there(self, rule: type[Rule]) -> None:
        assert (folder(rule) / "bad.py").is_file()
        assert (folder(rule) / "good.py").is_file()

    def test_the_changelog_names_it(self, rule: type[Rule]) -> None:
        assert re.search(rf"\b{rule.code}\b", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", [case(path) for path in CASES if path.stem.startswith("bad")])
def test_a_bad_program_shows_its_rule(path: Path, snapshot: Any) -> None:
    """Rendered findings of all rules; ``pytest --snapshot-update`` writes them anew."""
    report = scanned(path, root=path.parent)
    assert not report.failures
    assert path.parent.name.split("-")[0] in {finding.code for finding in report.findings}
    snapshot.snapshot_dir = path.parent
    snapshot.assert_match(render("text", report, width=100), f"{path.stem}.txt")


@pytest.mark.parametrize("path", [case(path) for path in CASES if path.stem.startswith("good")])
def test_a_good_program_is_clean_of_all_rules(path: Path) -> None:
    report = scanned(path, root=path.parent)
    assert not report.failures
    assert render("concise", report) == ""


@pytest.mark.parametrize("path", [case(path) for path in CASES])
def test_a_fixture_says_which_it_is(path: Path) -> None:
    assert re.fullmatch(r"(bad|good)(_[a-z0-9_]+)?", path.stem)


def test_every_fixture_folder_is_a_rule() -> None:
    found = {path.name for path in FIXTURES.iterdir() if path.is_dir() and not path.name.startswith("__")}
    assert found - set(SYSTEMS) == {folder(rule).name for rule in RULES}


def test_no_snapshot_outlives_its_program() -> None:
    """Rendered findings of a bad program; ``.out`` is what a program prints when it runs."""
    for suffix in (".txt", ".out"):
        left = {path for path in FIXTURES.glob(f"[A-Z]*/*{suffix}") if not path.with_suffix(".py").is_file()}
        assert not left


def test_codes_and_names_are_shaped_and_unique() -> None:
    assert len({rule.code for rule in RULES}) == len({rule.name for rule in RULES}) == len(RULES)
    assert all(re.fullmatch(r"OTP\d{3}", rule.code) for rule in RULES)


def test_otplint_is_clean_of_its_own_rules() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "otplint", "check", "--select", "ALL", "otplint", "rules"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
