"""Triage leaves files out, never findings: a scan that looks into every file finds nothing more."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from otplint.config import Config
from otplint.engine.packs import load_rules
from otplint.engine.run import scan
from otplint.engine.select import build
from otplint.findings import Confidence, Report

RULES = build(load_rules())
FIXTURES = Path(__file__).parents[2] / "fixtures"
LOOSE = replace(Config(), min_confidence=Confidence.LOW, test_files=())


def look(root: Path) -> Report:
    return scan([root], LOOSE, RULES, root=root, jobs=1)


def compare(root: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Report, Report]:
    tight = look(root)
    monkeypatch.setattr("otplint.sources.triage.Triage.selects", lambda _self, _data: True)
    whole = look(root)
    assert tight.findings == whole.findings
    assert tight.failures == tuple(f for f in whole.failures if f in tight.failures)
    return tight, whole


@pytest.mark.parametrize("name", sorted(path.name for path in FIXTURES.iterdir() if path.is_dir()))
def test_of_the_fixtures(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tight, _ = compare(FIXTURES / name, monkeypatch)
    assert tight.findings or not name.startswith("OTP")


@pytest.mark.parametrize("package", ["pykka", "rq", "dramatiq", "xoscar"])
def test_of_real_packages(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    tight, whole = compare(Path(spec.origin).parent, monkeypatch)
    assert tight.findings
    assert tight.analysed < whole.analysed
