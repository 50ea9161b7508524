"""One program a framework, for the real package: it runs, and otplint says what its comments say.

``fixtures/frameworks/NAME/program.py`` asserts what the framework does, above all what a failure means; whatever
otplint reports by default stands behind a comment ``# flaw: OTP201`` in that line, and nothing else is reported;
``# good: OTP201`` is the neighbour that stays silent. ``# flaw(low): OTP302`` is seen with ``--min-confidence low``.
``rules.toml`` beside it says of each rule without a flaw there why it has none.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from otplint.config import Config
from otplint.engine.packs import load_rules
from otplint.engine.run import scan
from otplint.engine.select import build
from otplint.facts.frameworks import shipped
from otplint.findings import Confidence

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PROGRAMS = Path(__file__).resolve().parents[2] / "fixtures" / "frameworks"
NAMES = sorted(path.parent.name for path in PROGRAMS.glob("*/program.py"))
PATIENCE = 180
"""Seconds for one program."""

WITHOUT_ACTORS = {"blocking", "glib", "retrying", "storage", "tornado"}
"""Data about calls only, or about loops whose programs are asyncio's."""

_MARK = re.compile(r"(flaw\(low\)|flaw|good): (OTP\d{3}(?:, OTP\d{3})*)(?=\s*(?:;|$))")


class Mark(NamedTuple):
    """What a comment says about its line."""

    path: str
    line: int
    code: str


def marks(folder: Path, kind: str) -> Iterator[Mark]:
    for path in sorted(folder.rglob("*.py")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for found in _MARK.finditer(line.partition("#")[2]):
                if found[1] == kind:
                    for code in found[2].split(", "):
                        yield Mark(path.relative_to(folder).as_posix(), number, code)


@cache
def rules() -> tuple[str, ...]:
    return tuple(rule.code for rule in load_rules() if re.fullmatch(r"OTP[1-8]\d\d", rule.code))


def reported(folder: Path) -> Iterator[tuple[Mark, Confidence, str]]:
    """Everything that is found at any confidence, with the framework it is about."""
    report = scan([folder], Config(min_confidence=Confidence.LOW), build(load_rules()), root=folder, jobs=1)
    assert not report.failures
    for finding in report.findings:
        place = Mark(finding.span.path, finding.span.line, finding.code)
        yield place, finding.confidence, finding.framework


def test_the_program_runs(program: str) -> None:
    path = PROGRAMS / program / "program.py"
    done = subprocess.run(
        [sys.executable, path.name], cwd=path.parent, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"[-6000:]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_reported_is_what_is_marked(name: str) -> None:
    folder = PROGRAMS / name
    found = list(reported(folder))
    assert sorted(m for m, c, _ in found if c is not Confidence.LOW) == sorted(marks(folder, "flaw"))
    assert sorted(set(marks(folder, "flaw(low)")) - {m for m, c, _ in found if c is Confidence.LOW}) == []
    assert {framework for _, _, framework in found} <= {name, "", "python"}  # what only sets up is anybody's


@pytest.mark.parametrize("name", NAMES)
def test_each_rule_has_a_flaw_and_a_good_neighbour_or_a_reason(name: str) -> None:
    folder = PROGRAMS / name
    reasons = tomllib.loads((folder / "rules.toml").read_text(encoding="utf-8"))
    flaws = {mark.code for kind in ("flaw", "flaw(low)") for mark in marks(folder, kind)}
    assert {mark.code for mark in marks(folder, "good")} == flaws
    excused = {code for code in rules() if any(code.startswith(start) for start in reasons)}
    assert sorted(set(rules()) - flaws - excused) == []
    assert sorted(flaws & set(reasons)) == []
    assert all(any(code.startswith(start) for code in rules()) for start in reasons)
    assert all(isinstance(reason, str) and reason.endswith(".") for reason in reasons.values())


def test_every_framework_with_actors_has_a_program() -> None:
    assert {framework.name for framework in shipped()} - WITHOUT_ACTORS <= set(NAMES)
