"""How the cost of a scan grows: with the lines of a project, with its actors, with the length of one class.

    python -m benchmarks.growth                           all axes; some minutes
    python -m benchmarks.growth --axes class --most 5000  less
    python -m benchmarks.growth --render                  only write the page again

The projects are generated, the same ones each time. The scans are whole processes, without a cache and with one job.
What does not grow in a straight line is explained by ``python -m benchmarks.blame``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import tools as registry
from benchmarks.generate import Size, one_class_project, write_project
from benchmarks.page import table
from benchmarks.projects import BenchmarkError, default_cache
from benchmarks.results import MEGABYTE, figure, slope
from benchmarks.run import DOCS, draw, machine, measured, names, say
from benchmarks.tools import binary, environment, otplint_itself

_SCARCE = 2000
"""Lines for each actor where the lines grow: as in an application with some actors."""
_NOISE = 0.1
"""Seconds: points that cost no more than this above the least say nothing about growth."""


@dataclass(frozen=True)
class Axis:
    """One way for a project to grow."""

    title: str
    across: str
    """What is counted."""
    sizes: tuple[int, ...]
    write: Callable[[Path, int], int]
    """Writes a project of one size into a folder, and says how many lines it has."""


AXES = {
    "lines": Axis(
        f"a project of N lines, one actor for {_SCARCE:,} lines",
        "lines",
        (1_000, 10_000, 100_000, 1_000_000, 3_000_000),
        lambda folder, size: write_project(folder, Size(size, max(1, size // _SCARCE))),
    ),
    "actors": Axis(
        "a project of N actors, about 100 lines each, and nothing else",
        "actors",
        (1, 10, 100, 1_000, 10_000),
        lambda folder, size: write_project(folder, Size(0, size)),
    ),
    "class": Axis(
        "one actor of N lines",
        "lines of the class",
        (1_000, 2_000, 5_000, 10_000, 20_000),
        one_class_project,
    ),
}
_HEAD = """\
# How its cost grows

Generated projects, scanned by whole processes without a cache, with one job; medians of processor time. The
exponent is the slope in the picture, less what a scan of one small actor costs: 1 is linear, 2 means that twice the
size costs four times as much. `python -m benchmarks.growth` makes this page, `python -m benchmarks.blame AXIS SMALL
BIG` says which functions are to blame.
"""


@dataclass(frozen=True)
class Point:
    """One generated project, scanned."""

    size: int
    lines: int
    cpu: float
    """Seconds of processor time, the median."""
    memory: int
    """Bytes at the peak."""


def exponent(points: Sequence[Point], least: float) -> float | None:
    """How cost grows along the points that cost more than noise; none where fewer than two do.

    Args:
        points: of one axis.
        least: seconds that a scan of one small actor costs, which no size changes.
    """
    known = [(float(p.size), p.cpu - least) for p in points if p.cpu - least >= _NOISE]
    return slope(known) if len(known) > 1 else None


def page(data: dict[str, object], axes: dict[str, list[Point]], least: float) -> str:
    """``docs/growth.md``."""
    parts = [_HEAD, "; ".join(f"{key}: {value}" for key, value in data.items()) + ".\n"]
    parts.append("![Processor time by size](growth.svg)\n")
    rows = []
    for name, points in axes.items():
        whole, end = exponent(points, least), exponent(points[-2:], least)
        rows.append([AXES[name].title, figure(whole), figure(end)])
    parts.append(table(["axis", "exponent", "between the two largest"], rows))
    for name, points in axes.items():
        parts.append(f"## {AXES[name].title[0].upper()}{AXES[name].title[1:]}\n")
        cells = [
            [f"{p.size:,}", f"{p.lines:,}", figure(p.cpu), figure(p.cpu / p.lines * 1000), f"{p.memory / MEGABYTE:.0f}"]
            for p in points
        ]
        parts.append(table([AXES[name].across, "lines in all", "processor s", "s per 1,000 lines", "memory MB"], cells))
    parts.append(f"A scan of one small actor costs {figure(least)} s.\n")
    return "\n".join(parts)


def main() -> int:
    """Measure and write the page; the exit status is 0 unless something could not be done."""
    options = _options()
    try:
        measuring = environment("measuring", registry.MEASURING, options.cache)
        if not options.render:
            _measure(options, measuring)
        data = json.loads(options.results.read_text(encoding="utf-8"))
        axes = {name: [Point(**point) for point in points] for name, points in data["axes"].items()}
        text = page(data["machine"], axes, data["least"])
        options.results.with_suffix(".md").write_text(text, encoding="utf-8")
        panels = [
            {"title": name, "across": AXES[name].across, "points": [(p.size, p.cpu) for p in points]}
            for name, points in axes.items()
        ]
        draw("curves", panels, options.results.with_suffix(".svg"), measuring)
    except (BenchmarkError, OSError, ValueError, KeyError, TypeError) as error:
        sys.stderr.write(f"benchmark: {error}\n")
        return 2
    return 0


def _measure(options: argparse.Namespace, measuring: Path) -> None:
    folder = otplint_itself(options.cache)
    flags = ["--no-cache"] if registry.knows(folder, "--no-cache") else []
    command = [str(binary(folder, "otplint")), "check", "--isolated", "--quiet", "--jobs", "1", *flags]
    with tempfile.TemporaryDirectory(dir=options.cache) as scratch:
        write_project(Path(scratch), Size(0, 1, handlers=1))
        least = _scan(measuring, command, Path(scratch), options)
    if least is None:
        raise BenchmarkError(f"a scan of one small actor takes more than {options.limit:g} s")
    axes: dict[str, list[dict[str, float]]] = {}
    for name in options.axes:
        axes[name] = []
        for size in AXES[name].sizes:
            if size > options.most:
                break
            with tempfile.TemporaryDirectory(dir=options.cache) as scratch:
                lines = AXES[name].write(Path(scratch), size)
                cost = _scan(measuring, command, Path(scratch), options)
            if cost is None:
                say(f"{name} {size:,}: more than {options.limit:g} s")
                break
            say(f"{name} {size:,}: {cost[0]:.2f} s")
            axes[name].append({"size": size, "lines": lines, "cpu": cost[0], "memory": cost[1]})
    data = {"machine": machine(), "least": least[0], "axes": axes}
    options.results.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def _scan(
    measuring: Path, command: Sequence[str], folder: Path, options: argparse.Namespace
) -> tuple[float, int] | None:
    """Seconds and bytes of a scan, medians; none where it takes too long. What is long is not repeated."""
    costs = []
    for _ in range(options.runs):
        done = measured(measuring, command, folder, options.limit)
        if done["over"]:
            return None
        if done["status"] not in (0, 1):
            raise BenchmarkError(f"otplint failed: {str(done['said']).strip()}")
        costs.append((done["cpu"], done["largest"]))
        if done["wall"] > 20:
            break
    return statistics.median(cpu for cpu, _ in costs), round(statistics.median(size for _, size in costs))


def _options() -> argparse.Namespace:
    known = list(AXES)
    parser = argparse.ArgumentParser(prog="benchmarks.growth", description="How the cost of a scan grows.")
    kind = partial(names, known=known)
    parser.add_argument("--axes", type=kind, default=known, metavar="A,B", help=f"from {', '.join(known)}")
    parser.add_argument("--most", type=int, default=3_000_000, metavar="N", help="the largest size")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="of each size (3); long ones have one")
    parser.add_argument("--limit", type=float, default=1800.0, metavar="SECONDS", help="a scan may take (1800)")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="for environments and projects")
    parser.add_argument("--results", type=Path, default=DOCS / "growth.json", help="the page goes beside it")
    parser.add_argument("--render", action="store_true", help="measure nothing, write the page again")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
