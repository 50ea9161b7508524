"""Scan many repositories on a cluster of dask.distributed: one task a repository, one report a repository.

    python docs/scan_many.py --into reports --scheduler tcp://10.0.0.1:8786 DIRECTORY|URL...
    python docs/scan_many.py --into reports - < list-of-repositories

Directories of this machine are sent as they are (Python files and settings); what a URL names is cloned by the worker.
Without a scheduler, the processes of this machine do the work. A report that is there already is not made again, so a
run that was stopped goes on where it was. docs/scale-out.md tells more.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from distributed import Client, Future, as_completed

SETTINGS = ("pyproject.toml", "otplint.toml", ".gitignore")


class Scanned(NamedTuple):
    """What came of one repository."""

    status: int
    """As ``otplint check``: 0 or 1 for a report, 2 for one with files that could not be analysed."""
    findings: str
    """JSON lines."""
    said: str
    """Standard error."""


def main() -> int:
    """Scan what the command line names; 2 where a repository could not be scanned, else 0."""
    options = _options()
    options.into.mkdir(parents=True, exist_ok=True)
    names = options.repositories
    if names == ["-"]:
        names = [line.strip() for line in sys.stdin if line.strip()]
    waiting = iter([name for name in names if not _report(options.into, name).exists()])
    failed = 0
    with _client(options.scheduler) as client:
        running = as_completed([])
        for name in _first(waiting, 2 * max(sum(client.nthreads().values()), 1)):
            running.add(_submitted(client, name, options.seconds))
        for future in running:
            failed += not _written(options.into, future)
            for name in _first(waiting, 1):
                running.add(_submitted(client, name, options.seconds))
    return 2 if failed else 0


def scan(name: str, packed: bytes, seconds: float) -> Scanned:
    """Scan one repository where nothing but this is known; runs on a worker.

    Args:
        name: a URL to clone, where ``packed`` is empty.
        packed: a tar archive of the files.
        seconds: after which it is given up.
    """
    with tempfile.TemporaryDirectory() as folder:
        if packed:
            with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
                archive.extractall(folder)  # made by archived(): files only, below the folder
        else:
            clone = ["git", "clone", "--quiet", "--depth", "1", "--", name, folder]
            subprocess.run(clone, check=True, capture_output=True, timeout=seconds)
        check = [sys.executable, "-m", "otplint", "check", ".", "--jobs", "1", "--no-cache", "--format", "jsonl", "-q"]
        done = subprocess.run(check, cwd=folder, capture_output=True, text=True, check=False, timeout=seconds)
        return Scanned(done.returncode, done.stdout, done.stderr)


def archived(folder: Path) -> bytes:
    """The Python files and settings of a directory, as a tar archive; what links lead to is left out."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for top, folders, files in os.walk(folder):
            folders[:] = sorted(name for name in folders if name not in (".git", ".hg", ".venv", "node_modules"))
            for name in sorted(files):
                path = Path(top, name)
                if (name.endswith(".py") or name in SETTINGS) and path.is_file() and not path.is_symlink():
                    archive.add(path, path.relative_to(folder).as_posix())
    return buffer.getvalue()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Scan many repositories on a cluster.")
    parser.add_argument("repositories", nargs="+", metavar="DIRECTORY|URL", help="or - for a list on standard input")
    parser.add_argument("--into", type=Path, required=True, metavar="DIRECTORY", help="where the reports go")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="as in tcp://10.0.0.1:8786; none for this machine")
    parser.add_argument("--seconds", type=float, default=600, help="for one repository (default: 600)")
    return parser.parse_args()


def _client(scheduler: str | None) -> Client:
    if scheduler is not None:
        return Client(scheduler, timeout=10)
    return Client(threads_per_worker=1, n_workers=os.cpu_count(), processes=True, dashboard_address=":0")


def _submitted(client: Client, name: str, seconds: float) -> Future:
    """One task; tried twice more where it fails, as the network does."""
    packed = archived(Path(name)) if Path(name).is_dir() else b""
    return client.submit(scan, name, packed, seconds, key=f"scan {name}", retries=2, pure=False)


def _written(into: Path, future: Future) -> bool:
    """Write a report; whether there is one."""
    name = future.key.removeprefix("scan ")
    error = future.exception()
    if error is not None:
        print(f"{name}: {type(error).__name__}: {error}", file=sys.stderr)
        return False
    done: Scanned = future.result()
    report = _report(into, name)
    half = report.with_suffix(".part")
    half.write_text(done.findings, encoding="utf-8")
    half.rename(report)  # what is there is whole
    print(f"{name}: status {done.status}")
    for line in done.said.splitlines():
        print(f"{name}: {line}", file=sys.stderr)
    return True


def _report(into: Path, name: str) -> Path:
    return into / f"{re.sub(r'[^A-Za-z0-9._-]+', '_', name).strip('_')}.jsonl"


def _first(names: Iterator[str], count: int) -> Sequence[str]:
    return [name for _, name in zip(range(count), names, strict=False)]


if __name__ == "__main__":
    sys.exit(main())
