"""Scan pinned releases of real projects: findings by rule and project, with time and memory of each scan.

    python benchmarks/real_projects.py                      all projects, a table
    python benchmarks/real_projects.py mopidy circus        these only
    python benchmarks/real_projects.py --findings mopidy    every finding
    python benchmarks/real_projects.py --sample 50 celery   fifty findings at random, to be judged; --seed N for others

The wheels are downloaded once with pip, without dependencies, and unpacked outside the repository. Nothing of them is
installed, imported or run. Each project is one run of the program, as a user would start it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECTS = {
    "mopidy": "4.0.5",
    "pykka": "4.5.0",
    "xinference": "4.1.0",
    "celery": "5.7.0",
    "circus": "0.19.0",
    "homeassistant": "2025.4.4",
}
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Scan:
    """One project scanned."""

    project: str
    report: dict[str, Any]
    """What ``--format json`` printed."""
    wall: float
    """Seconds."""
    cpu: float
    """Seconds of all its processes."""
    memory: int
    """Bytes at the peak, of the largest process."""

    @property
    def rules(self) -> Counter[str]:
        """Findings by rule."""
        return Counter(f"{finding['code']} {finding['name']}" for finding in self.report["findings"])


def main() -> int:
    """Download what is missing, scan, print; the exit status is 0 unless a scan could not be done."""
    options = _options()
    chosen = options.projects or list(PROJECTS)
    unknown = sorted(set(chosen) - set(PROJECTS))
    if unknown:
        sys.stderr.write(f"unknown project {unknown[0]!r}; choose from {', '.join(PROJECTS)}\n")
        return 2
    scans = []
    for project in chosen:
        try:
            folder = unpacked(project, options.cache)
            scans.append(scan(project, folder, options.flags))
        except (subprocess.CalledProcessError, OSError, ValueError, zipfile.BadZipFile) as error:
            sys.stderr.write(f"{project}: {error}\n")
            return 2
        _print_scan(scans[-1], options)
    _print_table(scans)
    return 0


def unpacked(project: str, cache: Path) -> Path:
    """The folder with the project's pinned release, downloaded and unpacked on first use."""
    name = f"{project}-{PROJECTS[project]}"
    folder = cache / name
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch]
        # Some of them need a newer Python than this one; their source is all that counts.
        subprocess.run(
            [*pip, "--only-binary=:all:", "--python-version=3.13", f"{project}=={PROJECTS[project]}"], check=True
        )
        [wheel] = Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(Path(scratch) / "site")
        (Path(scratch) / "site").rename(folder)
    return folder


def scan(project: str, folder: Path, flags: Sequence[str] = ()) -> Scan:
    """Run the program on one project.

    Raises:
        ValueError: it printed no report.
    """
    command = [sys.executable, "-m", "otplint", "check", "--isolated", "--quiet", "--format", "json", *flags, "."]
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, cwd=folder)
        # The only way to the numbers of this very run: those of all children are a maximum over the runs before.
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read()
    if not text:
        raise ValueError(f"no report; exit status {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Scan(project, json.loads(text), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)


def _options() -> argparse.Namespace:
    places = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    parser = argparse.ArgumentParser(description="Scan pinned releases of real projects.")
    parser.add_argument("projects", nargs="*", metavar="PROJECT", help=f"from {', '.join(PROJECTS)}; default: all")
    parser.add_argument(
        "--cache", type=Path, default=Path(places) / "otplint" / "benchmarks", help="where they are kept"
    )
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
    """A row for each rule and a column for each project, then the cost."""
    rules = sorted({rule for done in scans for rule in done.rules})
    print(_row("", (done.project for done in scans)))
    for rule in rules:
        print(_row(rule, (str(done.rules[rule]) for done in scans)))
    summaries = [done.report["summary"] for done in scans]
    for key in ("findings", "errors", "files", "analysed", "actors"):
        print(_row(key, (str(summary[key]) for summary in summaries)))
    print(_row("wall, s", (f"{done.wall:.2f}" for done in scans)))
    print(_row("processor, s", (f"{done.cpu:.2f}" for done in scans)))
    print(_row("memory, MB", (f"{done.memory / _MEGABYTE:.0f}" for done in scans)))


def _row(head: str, cells: Iterable[str]) -> str:
    return f"{head:<36}" + "".join(f"{cell:>15}" for cell in cells)


if __name__ == "__main__":
    sys.exit(main())
