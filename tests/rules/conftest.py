"""A scan of a few inline files, for the edge cases of rules."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from otplint.config import Config
from otplint.engine.packs import load_rules
from otplint.engine.run import scan as run_scan
from otplint.engine.select import build
from otplint.findings import Confidence, Finding

Scan = Callable[..., list[Finding]]


@pytest.fixture
def scan(tmp_path: Path) -> Scan:
    """The findings in one program (``app.py``) or several files, at every confidence.

    ``select`` names the codes of the rules that run; all of them by default.
    """

    def scan_files(files: Mapping[str, str] | str, select: Sequence[str] | str | None = None) -> list[Finding]:
        given = {"app.py": files} if isinstance(files, str) else files
        for name, text in given.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        wanted = (select,) if isinstance(select, str) else select
        rules = [rule for rule in build(load_rules()) if wanted is None or rule.code in wanted]
        report = run_scan([tmp_path], Config(min_confidence=Confidence.LOW), rules, root=tmp_path, jobs=1)
        assert not report.failures
        return list(report.findings)

    return scan_files
