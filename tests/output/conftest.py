from __future__ import annotations

import pytest

from otplint.findings import (
    Confidence,
    Edit,
    Failure,
    Finding,
    Fix,
    Option,
    Related,
    Report,
    RuleInfo,
    Severity,
    Span,
)

MANAGER = """\
import logging

LOG = logging.getLogger(__name__)


class Manager(Server):
    def handle_cast(self, message):
        ref = self.monitor(message.pid)
        self.table[message.pid] = ref

    def unwatch(self, pid):
\tdel self.table[pid]  # 名前
"""
WORKER = """\
class Wörker:
    def run(self):
        try: 名前 = self.queue.get(); self.work(名前)
        except Exception:
            LOG.debug('lost')
""".replace("\n", "\r\n")


@pytest.fixture
def rules() -> tuple[RuleInfo, ...]:
    return (
        RuleInfo(
            code="OTP101",
            name="monitor-never-released",
            severity=Severity.CRITICAL,
            confidence=Confidence.HIGH,
            summary="An actor monitors others and never releases the monitors.",
            sections={
                "Why": "A monitor lives until it is released or its target dies.\n\nLong-lived targets collect them.",
                "Harm": "After N messages the target has N monitors.",
                "Bad": "def handle_cast(self, message):\n    self.monitor(message.pid)",
                "Good": "def handle_cast(self, message):\n    with self.monitor(message.pid):\n        self.work()",
                "Limits": "Says nothing where ``demonitor`` is called in a base class.",
                "Report": "Flaw 13: the monitor table.",
            },
            options=(Option("exempt", ("Pool",), "Actors that are left alone."), Option("depth", 2, "Helpers seen.")),
            report="Flaw 13",
            proof="same construct",
        ),
        RuleInfo(
            code="OTP201",
            name="broad-except-in-handler",
            severity=Severity.HIGH,
            confidence=Confidence.MEDIUM,
            summary="A handler swallows every exception.",
            sections={
                "Why": "The supervisor never sees the crash.",
                "Bad": "try:\n    x()\nexcept Exception:\n    pass",
            },
        ),
        RuleInfo(
            code="OTP301",
            name="magic-threshold",
            severity=Severity.MEDIUM,
            confidence=Confidence.MEDIUM,
            summary="A literal decides behaviour.",
            preview=True,
        ),
        RuleInfo(
            code="ACME001",
            name="print-in-handler",
            severity=Severity.LOW,
            confidence=Confidence.LOW,
            summary="A handler prints.",
            pack="acme-rules",
        ),
    )


@pytest.fixture
def report(rules: tuple[RuleInfo, ...]) -> Report:
    manager = "app/my manager.py"
    worker = "app/wörker.py"
    return Report(
        version="0.1.0",
        findings=(
            Finding(
                code="OTP101",
                name="monitor-never-released",
                severity=Severity.CRITICAL,
                confidence=Confidence.HIGH,
                span=Span(manager, 8, 15, 8, 40),
                problem="Manager monitors `message.pid` and never releases it.",
                consequence="Each message adds a monitor that lives as long as its target, and when the target goes "
                "down every one of them sends its own DOWN.",
                remedy="Call demonitor where the entry is dropped.",
                actor="Manager",
                handler="handle_cast",
                framework="otplint.runtime",
                related=(Related(Span(manager, 12, 2, 12, 21), "The entry table[pid] is dropped here"),),
                fix=Fix(
                    "Release the monitor", (Edit(Span(manager, 12, 2, 12, 2), "self.demonitor(ref)\n\t"),), safe=False
                ),
                fingerprint="5f0c0ffee",
            ),
            Finding(
                code="OTP201",
                name="broad-except-in-handler",
                severity=Severity.HIGH,
                confidence=Confidence.MEDIUM,
                span=Span(worker, 3, 19, 3, 35),
                problem="run catches every exception, 100% of them",
                actor="Wörker",
                handler="run",
            ),
            Finding(
                code="ACME001",
                name="print-in-handler",
                severity=Severity.LOW,
                confidence=Confidence.LOW,
                span=Span(worker, 3, 1, 5, 31),
                problem="run spans lines.",
            ),
        ),
        failures=(Failure("app/broken.py", 3, "line 3: '(' was never closed"), Failure("app/null.py", 0, "NUL byte")),
        rules=rules,
        sources={manager: MANAGER, worker: WORKER},
        files=120,
        analysed=8,
        actors=1,
        suppressed=2,
    )
