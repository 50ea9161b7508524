"""Run one command and say what it cost, its children included; prints one JSON object.

    python measure.py [--limit SECONDS] COMMAND...

It runs in an environment of its own that has psutil, one process for each measurement: the operating system keeps the
sum of processor time and the largest memory of all children that a process ever had, and here that is one command.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any

import psutil  # type: ignore[import-untyped, import-not-found, unused-ignore]  # lives in an environment of its own

_SHORTEST = 0.01
"""Seconds between two looks at the memory, at least."""
_SHARE = 25
"""A look may cost this part of the time between two: looking must not slow down what is looked at."""
_FINDING = re.compile(rb"^[^\s:@][^:@\n]*[:@]\d+:\d+", re.MULTILINE)
"""What all tools print in front of a finding."""


def main() -> None:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(description="Measure one command.")
    parser.add_argument("--limit", type=float, default=3600.0, help="seconds until it is ended")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    json.dump(measure(options.command, options.limit), sys.stdout)


def measure(command: list[str], limit: float) -> dict[str, Any]:
    """Wall and processor time in seconds, memory in bytes, exit status, number of findings, end of standard error."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=errors, start_new_session=True)
        over = threading.Event()

        def end() -> None:
            over.set()
            os.killpg(process.pid, signal.SIGKILL)

        timer = threading.Timer(limit, end)
        timer.daemon = True
        timer.start()
        peak = _Peak(process.pid)
        peak.start()
        try:
            _, status, _ = os.wait4(process.pid, 0)  # returns at once; Popen.wait() with a timeout sleeps in between
        except KeyboardInterrupt:  # the command has a session of its own and has not heard of it
            end()
            raise
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        timer.cancel()
        peak.stop()
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        out.seek(0)
        errors.seek(0)
        largest = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return {
            "wall": round(wall, 4),
            "cpu": round(used.ru_utime + used.ru_stime, 4),
            "largest": largest,
            "together": max(peak.bytes, largest) if peak.most == 1 else peak.bytes,
            "processes": peak.most,
            "over": over.is_set(),
            "status": process.returncode,
            "findings": len(_FINDING.findall(out.read())),
            "said": errors.read()[-2000:].decode(errors="replace"),
        }


class _Peak(threading.Thread):
    """Looks again and again at the memory of a process and all its children; pages they share count once."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.bytes = 0
        self.most = 1
        self._process = process
        self._done = threading.Event()

    def run(self) -> None:
        wait = 0.0
        while not self._done.wait(wait):
            start = time.perf_counter()
            self._look()
            wait = max(_SHORTEST, _SHARE * (time.perf_counter() - start))

    def stop(self) -> None:
        """No more looks."""
        self._done.set()
        self.join()

    def _look(self) -> None:
        found = []
        with contextlib.suppress(psutil.Error):
            root = psutil.Process(self._process)
            for process in [root, *root.children(recursive=True)]:
                with contextlib.suppress(psutil.Error):
                    memory = process.memory_full_info()
                    found.append(getattr(memory, "pss", memory.uss))
        self.bytes = max(self.bytes, sum(found))
        self.most = max(self.most, len(found))


if __name__ == "__main__":
    main()
