"""What the rules find in pinned releases of real projects, to be read and judged. What it costs: ``benchmarks.run``.

    python -m benchmarks.real_projects                      all projects, a table of findings by rule
    python -m benchmarks.real_projects mopidy circus        these only
    python -m benchmarks.real_projects --findings mopidy    every finding
    python -m benchmarks.real_projects --sample 50 celery   fifty findings at random, to be judged; --seed N for others

Each project is one run of the program, as a user would start it.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.projects import VERSIONS, BenchmarkError, default_cache, unpacked

PROJECTS = ("mopidy", "pykka", "xinference", "celery", "circus", "homeassistant")
"""Those with actors, of many kinds; any other one is scanned when it is named."""


@dataclass(frozen=True)
class Scan:
    """One project scanned."""

    project: str
    report: dict[str, Any]
    """What ``--format json`` printed."""

    @property
    def rules(self) -> Counter[str]:
        """Findings by rule."""
        return Counter(f"{finding['code']} {finding['name']}" for finding in self.report["findings"])


def main() -> int:
    """Download what is missing, scan, print; the exit status is 0 unless a scan could not be done."""
    options = _options()
    chosen = options.projects or list(PROJECTS)
    unknown = sorted(set(chosen) - set(VERSIONS))
    if unknown:
        sys.stderr.write(f"unknown project {unknown[0]!r}; choose from {', '.join(VERSIONS)}\n")
        return 2
    scans = []
    for project in chosen:
        try:
            folder = unpacked(project, options.cache)
            scans.append(scan(project, folder, options.flags))
        except (BenchmarkError, OSError, ValueError) as error:
            sys.stderr.write(f"{project}: {error}\n")
            return 2
        _print_scan(scans[-1], options)
    _print_table(scans)
    return 0


def scan(project: str, folder: Path, flags: Sequence[str] = ()) -> Scan:
    """Run the program on one project.

    Raises:
        ValueError: it printed no report.
    """
    command = [sys.executable, "-m", "otplint", "check", "--isolated", "--quiet", "--format", "json", *flags, "."]
    done = subprocess.run(command, stdout=subprocess.PIPE, cwd=folder, check=False)
    if not done.stdout:
        raise ValueError(f"no report; exit status {done.returncode}")
    return Scan(project, json.loads(done.stdout))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Scan pinned releases of real projects.")
    parser.add_argument("projects", nargs="*", metavar="PROJECT", help=f"from {', '.join(VERSIONS)}")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="where they are kept")
    parser.add_argument("--findings", action="store_true", help="print every finding")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="print N findings of each project at random")
    parser.add_argument("--seed", type=int, default=0, help="which ones")
    parser.add_argument("--flags", type=str.split, default=[], help="more flags for 'otplint check', in one string")
    return parser.parse_args()


def _print_scan(done: Scan, options: argparse.Namespace) -> None:
    findings = done.report["findings"]
    if options.sample and len(findings) > options.sample:
        chosen = random.Random(options.seed).sample(range(len(findings)), options.sample)
        findings = [findings[index] for index in sorted(chosen)]
    if options.findings or options.sample:
        for finding in findings:
            place = f"{done.project}/{finding['path']}:{finding['line']}:{finding['column']}"
            print(f"{place}: {finding['code']} ({finding['confidence']}) {finding['problem']}")
    for error in done.report["errors"]:
        print(f"{done.project}/{error['path']}:{error['line'] or 0}: not analysed: {error['message']}")


def _print_table(scans: Sequence[Scan]) -> None:
    """A row for each rule and a column for each project, then what was scanned."""
    rules = sorted({rule for done in scans for rule in done.rules})
    print(_row("", (done.project for done in scans)))
    for rule in rules:
        print(_row(rule, (str(done.rules[rule]) for done in scans)))
    summaries = [done.report["summary"] for done in scans]
    for key in ("findings", "errors", "files", "analysed", "actors"):
        print(_row(key, (str(summary[key]) for summary in summaries)))


def _row(head: str, cells: Iterable[str]) -> str:
    return f"{head:<36}" + "".join(f"{cell:>15}" for cell in cells)


if __name__ == "__main__":
    sys.exit(main())
