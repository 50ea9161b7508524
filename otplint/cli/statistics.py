"""``--statistics`` and ``--timing``: small tables for standard error."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from otplint.findings import Finding, Report

if TYPE_CHECKING:
    from otplint.api import Rule


def statistics(report: Report) -> str:
    """The number of findings of each rule, most first."""
    counts = Counter((finding.code, finding.name) for finding in report.findings)
    rows = [
        f"{count:>6}  {code} {name}"
        for (code, name), count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    return "\n".join(rows) or "     0  findings"


class Stopwatch:
    """Seconds that each rule takes, by wrapping its checks; for rules that run in this process.

    Args:
        rules: the rules to watch; their ``check`` (and ``check_project``) is replaced on the instance.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._start = time.perf_counter()
        self._cpu = time.process_time()
        self._seconds = {f"{rule.code} {rule.name}": 0.0 for rule in rules}
        for rule in rules:
            for method in ("check", "check_project"):
                if hasattr(rule, method):
                    setattr(rule, method, self._timed(f"{rule.code} {rule.name}", getattr(rule, method)))

    def table(self) -> str:
        """A line for each rule, the slowest first, then the whole."""
        wall, cpu = time.perf_counter() - self._start, time.process_time() - self._cpu
        in_rules = sum(self._seconds.values())
        rows = sorted(self._seconds.items(), key=lambda item: (-item[1], item[0]))
        rows += [("files and facts", wall - in_rules), ("all", wall), ("all, of the processor", cpu)]
        return "\n".join(f"{seconds:>9.3f} s  {name}" for name, seconds in rows)

    def _timed(self, key: str, check: Callable[..., Iterator[Finding]]) -> Callable[..., list[Finding]]:
        def timed(subject: object) -> list[Finding]:
            start = time.perf_counter()
            try:
                return list(check(subject))
            finally:
                self._seconds[key] += time.perf_counter() - start

        return timed
