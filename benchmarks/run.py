"""Compare otplint with other linters on real projects: whole processes, alternating, in an environment for each.

    python -m benchmarks.run                                    everything; takes hours, most of it the slow peers'
    python -m benchmarks.run --projects mopidy --peers ruff     less
    python -m benchmarks.run --render                           only write the page again

Wheels and environments are made once with pip, in a folder outside of the repository. What was measured is kept in
``docs/benchmarks.json``; projects that are not measured this time keep their figures.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import tools as registry
from benchmarks.page import page
from benchmarks.projects import (
    COMPARED,
    VERSIONS,
    BenchmarkError,
    default_cache,
    edited,
    extent,
    sources,
    staged,
    unpacked,
)
from benchmarks.results import MODES, START, Results, Run, in_turn
from benchmarks.tools import OTPLINT, PEERS, Tool, binary, environment, otplint_itself

DOCS = registry.ROOT / "docs"
_LONG = 60.0
"""Seconds: what takes longer is not repeated, its noise is small beside it."""
_STARTS = 4
"""Starting is short and noisy: it is repeated this many times as often as the rest."""


@dataclass
class Bench:
    """The tools in their environments, and what they have shown so far."""

    cache: Path
    limit: float
    rounds: int
    measuring: Path
    results: Results
    folders: dict[str, Path] = field(default_factory=dict)
    caching: bool = True
    """Whether otplint has a cache to do without."""

    def measure(
        self, project: str, mode: str, name: str, command: Sequence[str], cwd: Path, fine: frozenset[int]
    ) -> Run:
        """Run a command once and keep what it cost.

        Raises:
            BenchmarkError: it did not do its work.
        """
        done = measured(self.measuring, command, cwd, self.limit)
        if not done["over"] and done["status"] not in fine:
            said = str(done["said"]).strip().splitlines()[-1:] or ["it says nothing"]
            raise BenchmarkError(f"{name} failed on {project} with status {done['status']}: {said[0]}")
        sizes = done["largest"], done["together"], done["findings"]
        return Run(project, mode, name, done["wall"], done["cpu"], *sizes, over=done["over"])

    def scan(self, project: str, mode: str, chosen: Sequence[Tool], folder: Path, files: Sequence[str]) -> None:
        """All rounds of one mode; where caches count, a first one of those that have one fills them."""
        by_name = {tool.name: tool for tool in chosen}
        place = folder / COMPARED[project]
        original = place.read_text(encoding="utf-8")

        def once(name: str) -> Run:
            command = by_name[name].run(self.folders[name], mode, files)
            if name == OTPLINT.name and not self.caching:
                command = [part for part in command if part not in OTPLINT.uncached]
            return self.measure(project, mode, name, command, folder, by_name[name].fine)

        if mode != "cold":
            for tool in chosen:
                if tool.cached:
                    once(tool.name)
        finished: set[str] = set()
        for number, name in in_turn(by_name, self.rounds):
            if name in finished:
                continue
            if mode == "changed":
                place.write_text(edited(original, number), encoding="utf-8")
            run = once(name)
            self.results.runs.append(run)
            if run.over or run.wall > _LONG:
                finished.add(name)
            say(f"{project} {mode} {name}: {'> ' if run.over else ''}{run.wall:.2f} s, {run.cpu:.2f} s of processors")
        if mode == "changed":
            place.write_text(original, encoding="utf-8")


def main() -> int:
    """Measure and write the page; the exit status is 0 unless something could not be done."""
    options = _options()
    try:
        if not options.render:
            _measure(options)
        results = Results.load(options.results)
        measuring = environment("measuring", registry.MEASURING, options.cache)
        write(results, options.results.parent, measuring)
    except BenchmarkError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return _fail("interrupted; the projects that were done are kept")
    except (OSError, ValueError, KeyError, TypeError) as error:
        return _fail(f"{options.results.name}: {type(error).__name__}: {error}")
    return 0


def write(results: Results, folder: Path, measuring: Path) -> None:
    """Write the page and its picture beside the results."""
    (folder / "benchmarks.md").write_text(page(results), encoding="utf-8")
    draw("bars", panels(results), folder / "benchmarks.svg", measuring)


def panels(results: Results) -> list[dict[str, object]]:
    """What the picture shows: the wall time of a cold scan."""
    found: list[dict[str, object]] = []
    for project in results.projects:
        bars = []
        for tool in results.tools:
            wall = results.median(project, "cold", tool)
            if wall is not None:
                over = results.is_over(project, "cold", tool)
                bars.append({"name": tool, "value": wall, "label": f"{'> ' if over else ''}{wall:.2g}"})
        if bars and project != START:
            lines = int(results.projects[project]["lines"]) // 1000
            found.append({"title": f"{project}, {lines:,}k lines", "bars": bars})
    return found


def draw(kind: str, data: object, out: Path, measuring: Path) -> None:
    """Have ``draw.py`` draw a picture.

    Raises:
        BenchmarkError: it could not.
    """
    command = [str(binary(measuring, "python")), str(registry.HERE / "draw.py"), kind, str(out)]
    done = subprocess.run(command, input=json.dumps(data), capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"cannot draw {out.name}: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")


def measured(measuring: Path, command: Sequence[str], cwd: Path, limit: float) -> dict[str, Any]:
    """What ``measure.py`` says of one run of a command.

    Raises:
        BenchmarkError: it could not be started.
    """
    watch = [str(binary(measuring, "python")), str(registry.HERE / "measure.py"), "--limit", str(limit), *command]
    env = {**os.environ, **registry.ENVIRONMENT, "SEMGREP_SETTINGS_FILE": str(measuring / "semgrep.yml")}
    env["SEMGREP_LOG_FILE"] = str(measuring / "semgrep.log")
    done = subprocess.run(watch, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"cannot run {Path(command[0]).name}: {(done.stderr.strip().splitlines() or [''])[-1]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _measure(options: argparse.Namespace) -> None:
    results = Results.load(options.results) if options.results.exists() else Results()
    here = machine()
    if results.machine != here:
        results = Results(here)
    say("making the environments")
    bench = Bench(
        options.cache,
        options.limit,
        options.runs,
        environment("measuring", registry.MEASURING, options.cache),
        results,
        {"otplint": otplint_itself(options.cache)},
    )
    bench.caching = registry.knows(bench.folders["otplint"], "--no-cache")
    chosen = [OTPLINT, *(peer for peer in PEERS if peer.name in options.peers)]
    for peer in chosen[1:]:
        bench.folders[peer.name] = environment(peer.name, peer.packages, options.cache)
    results.tools = {
        tool.name: {"version": (*tool.packages, "==this checkout")[0].partition("==")[2], "asked": tool.asked}
        for tool in [OTPLINT, *PEERS]
        if tool in chosen or tool.name in results.tools
    }
    _starts(bench)
    for project in options.projects:
        pristine = unpacked(project, options.cache)
        registry.place_settings(pristine.parent)
        size = extent(pristine)
        results.forget(project)
        results.projects[project] = {
            "version": VERSIONS[project],
            "files": size.files,
            "lines": size.lines,
            "edited": COMPARED[project],
        }
        _modes(bench, project, pristine, chosen, options.modes)
        results.projects = {name: results.projects[name] for name in (*COMPARED, START) if name in results.projects}
        results.save(options.results)


def _modes(bench: Bench, project: str, pristine: Path, chosen: Sequence[Tool], modes: Sequence[str]) -> None:
    """Cold scans read the project as it was unpacked; the others have a copy, where caches lie and a file is edited."""
    files = staged(sources(pristine))
    if "cold" in modes:
        bench.scan(project, "cold", chosen, pristine, files)
    if set(modes) == {"cold"}:
        return
    copy = pristine.with_name(f"{pristine.name}-copy")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(pristine, copy)
    try:
        for mode in modes:
            if mode != "cold":
                bench.scan(project, mode, [t for t in chosen if t.cached or mode == "staged"], copy, files)
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def _starts(bench: Bench) -> None:
    """What it costs to start: nothing at all, the version, a scan of an empty folder."""
    folder = bench.folders["otplint"]
    empty = bench.cache / "empty"
    empty.mkdir(exist_ok=True)
    commands = {
        "python -c pass": [str(binary(folder, "python")), "-c", "pass"],
        "otplint --version": [str(binary(folder, "otplint")), "--version"],
        "otplint check, nothing there": [str(binary(folder, "otplint")), "check", "--isolated", "--quiet"],
    }
    bench.results.forget(START)
    bench.results.projects[START] = {"version": "", "files": 0, "lines": 0, "edited": ""}
    for _, name in in_turn(commands, _STARTS * bench.rounds):
        bench.results.runs.append(bench.measure(START, "cold", name, commands[name], empty, frozenset({0})))
    say("start: measured")


def machine() -> dict[str, str]:
    """What matters of this machine; nothing that tells which one it is."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {
        "Processors": str(cores),
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
    }


def say(text: str) -> None:
    """Progress, on standard error."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def _fail(why: str) -> int:
    sys.stderr.write(f"benchmark: {why}\n")
    return 2


def names(text: str, known: Sequence[str]) -> list[str]:
    """``a,b`` as a list of known names; ``none`` is the empty one.

    Raises:
        argparse.ArgumentTypeError: there is no such name.
    """
    chosen = [name for name in text.split(",") if name and name != "none"]
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown name {unknown[0]!r}; choose from {', '.join(known)}")
    return chosen


def _options() -> argparse.Namespace:
    peers, projects, modes = [peer.name for peer in PEERS], list(COMPARED), list(MODES)
    parser = argparse.ArgumentParser(prog="benchmarks.run", description="Compare otplint with other linters.")
    for flag, known in (("--peers", peers), ("--projects", projects), ("--modes", modes)):
        kind = partial(names, known=known)
        parser.add_argument(flag, type=kind, default=known, metavar="A,B", help=f"from {', '.join(known)}, or none")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="of each tool and mode (5)")
    parser.add_argument("--limit", type=float, default=1800.0, metavar="SECONDS", help="a run may take (1800)")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="for wheels and environments")
    parser.add_argument("--results", type=Path, default=DOCS / "benchmarks.json", help="pages go beside it")
    parser.add_argument("--render", action="store_true", help="measure nothing, write the page again")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
