"""What every rule owes: a docstring that is true, programs, snapshots, a line in the changelog.

Three layers: the docstring's own snippets, the fixture programs with their rendered findings, and (elsewhere) edge
cases of engine and facts. An expectation stands in one place only. Most of it any pack owes: it is in the test kit.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import otplint.rules
from otplint.api import Rule
from otplint.engine.packs import rules_in
from otplint.testkit import Check, checks

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "fixtures"
RULES = sorted(rules_in(otplint.rules), key=lambda rule: rule.code)
SYSTEMS = ("flaws_report3", "frameworks")
"""Fixtures that belong to no single rule."""


@pytest.mark.parametrize("check", checks("otplint.rules", proofs=False), ids=str)
def test_rule(check: Check, request: pytest.FixtureRequest) -> None:
    """``pytest --snapshot-update`` writes snapshots anew; that the proofs hold is in tests/proof."""
    check(update=request.config.getoption("--snapshot-update"))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.code}-{rule.name}")
def test_the_changelog_names_it(rule: type[Rule]) -> None:
    assert re.search(rf"\b{rule.code}\b", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))


def test_rules_are_named_after_their_files() -> None:
    files = {path.stem for path in (ROOT / "rules").glob("*.py")} - {"__init__"}
    assert {rule.name.replace("-", "_") for rule in RULES} == files


def test_every_fixture_folder_is_a_rule() -> None:
    found = {path.name for path in FIXTURES.iterdir() if path.is_dir() and not path.name.startswith("__")}
    assert found - set(SYSTEMS) == {f"{rule.code}-{rule.name}" for rule in RULES}


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
