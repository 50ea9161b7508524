"""Reasons for silence: every rule tells them of its own good program, and listening changes no finding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import pytest

from otplint.api import ProjectRule, Rule
from otplint.config import Config
from otplint.engine import suppress
from otplint.engine.judge import Judged, judge, judge_together
from otplint.engine.packs import load_rules
from otplint.engine.pool import Pool
from otplint.engine.run import Survey, listed_files, survey
from otplint.engine.select import build
from otplint.facts.exemptions import Exemption, Exemptions
from otplint.facts.facts import Facts

FIXTURES = Path(__file__).resolve().parent.parent.parent / "fixtures"
FOLDERS = sorted(path for path in FIXTURES.glob("OTP*") if path.is_dir())
HOUSEKEEPING = {info.code for info in suppress.HOUSEKEEPING}

ABSENT = {
    "OTP201": "catches nothing",
    "OTP403": "asks nobody whether somebody is alive",
    "OTP409": "has no call that could block",
    "OTP502": "its tests change nothing of the application",
    "OTP605": "writes to the attributes of its own instance only",
}
"""Good programs in which there is nothing left that the rule could look at."""


@cache
def ready() -> dict[str, Rule]:
    """Every rule that looks at code, by its code."""
    return {rule.code: rule for rule in build(load_rules()) if rule.code not in HOUSEKEEPING}


@cache
def surveyed(folder: Path) -> Survey:
    """Its two programs as a project of their own."""
    programs = [folder / "good.py", folder / "bad.py"]
    files, listed = listed_files(programs, Config(respect_gitignore=False), folder)
    with Pool(1, 1) as pool:
        return survey(listed, files, Config(), pool, whole=True)


def asked(known: Survey, rules: Sequence[Rule], facts: Facts) -> Judged:
    """All that rules say of some files."""
    found = judge(known.indexes, facts, rules, lambda _path: frozenset())
    notes = judge(known.indexes, facts, [r for r in rules if isinstance(r, ProjectRule)], lambda _path: frozenset())
    found.add(judge_together(notes.notes, facts, rules, lambda _path: frozenset()))
    return found


def told(known: Survey, path: str, rules: Iterable[Rule]) -> list[Exemption]:
    """The reasons for silence about one file, of rules that are asked together."""
    listener = Exemptions(path)
    asked(known, [*rules], known.facts.listening(listener))
    return listener.told


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name[:6])
def test_the_rule_says_why_the_good_program_is_good(folder: Path) -> None:
    code = folder.name[:6]
    reasons = told(surveyed(folder), "good.py", [ready()[code]])
    assert bool(reasons) == (code not in ABSENT), [exemption.reason for exemption in reasons]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name[:6])
def test_listening_changes_no_finding(folder: Path) -> None:
    known, rules = surveyed(folder), [*ready().values()]
    silent = asked(known, rules, known.facts.afresh())
    heard = asked(known, rules, known.facts.listening(Exemptions("good.py")))
    assert heard.findings == silent.findings
    assert heard.failures == silent.failures == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name[:6])
def test_no_rule_is_told_less_because_another_one_has_asked(folder: Path) -> None:
    """What is worked out once and remembered must not be what tells."""
    known = surveyed(folder)
    alone = [exemption for rule in ready().values() for exemption in told(known, "good.py", [rule])]
    together = told(known, "good.py", ready().values())
    assert {*together} == {*alone}
    for exemption in together:  # and each fits "silent because REASON"
        assert exemption.reason == exemption.reason.strip()
        assert not exemption.reason.endswith("."), exemption.reason
        assert "\n" not in exemption.reason


def test_only_the_file_that_somebody_asked_about_is_kept() -> None:
    known = surveyed(FIXTURES / "OTP101-monitor-never-released")
    spans = {exemption.span.path for exemption in told(known, "good.py", ready().values())}
    assert spans == {"good.py"}
