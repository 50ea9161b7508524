from __future__ import annotations

from pathlib import Path

import pytest
from pytest_snapshot.plugin import Snapshot  # type: ignore[import-untyped]

from otplint.findings import Report, RuleInfo
from otplint.output import FORMATS, render
from otplint.output.pages import rule_page, rule_text

SNAPSHOTS = Path(__file__).parent / "snapshots"
ENDINGS = {"json": "json", "jsonl": "jsonl", "sarif": "json", "gitlab": "json", "junit": "xml"}


@pytest.mark.parametrize("name", FORMATS)
def test_the_sample_report_looks_as_it_did(name: str, report: Report, snapshot: Snapshot) -> None:
    snapshot.snapshot_dir = SNAPSHOTS
    snapshot.assert_match(render(name, report), f"{name}.{ENDINGS.get(name, 'txt')}")


def test_text_in_colour(report: Report, snapshot: Snapshot) -> None:
    snapshot.snapshot_dir = SNAPSHOTS
    shown = render("text", report, colour=True, width=60).replace("\x1b", "<ESC>")
    snapshot.assert_match(shown, "text-colour.txt")


def test_a_rule_page_looks_as_it_did(rules: tuple[RuleInfo, ...], snapshot: Snapshot) -> None:
    snapshot.snapshot_dir = SNAPSHOTS
    snapshot.assert_match(rule_page(rules[0]), "page-markdown.txt")
    snapshot.assert_match(rule_text(rules[0]), "page-plain.txt")
