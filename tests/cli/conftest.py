"""A scan that says what a test wants: the command line's contract does not depend on rules."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from otplint import __version__
from otplint.findings import Confidence, Failure, Finding, Report, RuleInfo, Severity, Span

FINDING = Finding(
    code="ABC201",
    name="broad-except-in-handler",
    severity=Severity.HIGH,
    confidence=Confidence.HIGH,
    span=Span("a.py", 2, 1, 2, 7),
    problem="Everything is caught.",
    actor="Manager",
    handler="handle_call",
)
INFO = RuleInfo("ABC201", "broad-except-in-handler", Severity.HIGH, Confidence.HIGH, "Everything is caught.")


@dataclass
class FakeEngine:
    """Stands in for ``otplint.engine.run``."""

    report: Report
    calls: list[dict[str, Any]] = field(default_factory=list)

    def finds(self, *severities: Severity, failures: tuple[Failure, ...] = ()) -> None:
        findings = tuple(replace(FINDING, severity=severity) for severity in severities)
        self.report = replace(self.report, findings=findings, failures=failures)

    def scan(self, paths: list[Path], config: Any, rules: Any, **options: Any) -> Report:
        self.calls.append({"paths": paths, "config": config, "rules": rules, **options})
        return self.report


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine(Report(__version__, (), rules=(INFO,), sources={"a.py": "try:\nexcept\n"}, files=1))
    module = ModuleType("otplint.engine.run")
    module.scan = fake.scan  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "otplint.engine.run", module)
    return fake
