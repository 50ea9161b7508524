"""What was measured, and what it says: medians, ratios, and the targets."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

MEGABYTE = 1_000_000
MODES = {
    "cold": "no cache",
    "warm": "a second run, with a cache",
    "changed": "one file edited since the run before",
    "staged": "ten files given by name, as a hook does",
}
"""How a project is scanned."""
OURS = "otplint"
START = "start"
"""The project that stands for starting and doing nothing."""


@dataclass(frozen=True)
class Run:
    """One run of one tool."""

    project: str
    mode: str
    tool: str
    wall: float
    """Seconds."""
    cpu: float
    """Seconds of all its processes."""
    largest: int
    """Bytes of the largest process at its peak."""
    together: int
    """Bytes of all processes together at their peak; shared pages count once."""
    findings: int
    over: bool = False
    """Ended because it took longer than the limit: ``wall`` is the limit."""


@dataclass
class Results:
    """Everything the page shows."""

    machine: dict[str, str] = field(default_factory=dict)
    tools: dict[str, dict[str, str]] = field(default_factory=dict)
    """By name: ``version``, ``asked``."""
    projects: dict[str, dict[str, int | str]] = field(default_factory=dict)
    """By name: ``version``, ``files``, ``lines``, ``edited``."""
    runs: list[Run] = field(default_factory=list)

    def save(self, path: Path) -> None:
        """Write them, a run a line."""
        head = {"machine": self.machine, "tools": self.tools, "projects": self.projects}
        runs = ",\n".join(json.dumps(asdict(run)) for run in self.runs)
        path.write_text(f'{json.dumps(head, indent=1)[:-2]},\n "runs": [\n{runs}\n]}}\n', encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Results:
        """Read what :meth:`save` wrote.

        Raises:
            OSError, ValueError, KeyError, TypeError: it cannot be read, or something else wrote it.
        """
        data = json.loads(path.read_text(encoding="utf-8"))
        return cls(data["machine"], data["tools"], data["projects"], [Run(**run) for run in data["runs"]])

    def of(self, project: str, mode: str, tool: str) -> list[Run]:
        """The runs of one tool in one mode."""
        return [r for r in self.runs if (r.project, r.mode, r.tool) == (project, mode, tool)]

    def median(self, project: str, mode: str, tool: str, measure: str = "wall") -> float | None:
        """The median of ``wall``, ``cpu``, ``largest``, ``together`` or ``findings``; none where it never ran."""
        runs = self.of(project, mode, tool)
        return statistics.median(getattr(run, measure) for run in runs) if runs else None

    def is_over(self, project: str, mode: str, tool: str) -> bool:
        """Whether the tool did not come to an end."""
        return any(run.over for run in self.of(project, mode, tool))

    def ratio(self, project: str, mode: str, tool: str, other: str, measure: str = "wall") -> float | None:
        """The tool's median by the other's; none where either is missing. Where one is over, it is a bound."""
        mine = self.median(project, mode, tool, measure)
        its = self.median(project, mode, other, measure)
        return mine / its if mine is not None and its else None

    def forget(self, project: str) -> None:
        """Ratios are of one run only: a project that is measured again loses all of its old runs."""
        self.runs = [run for run in self.runs if run.project != project]
        self.projects.pop(project, None)


@dataclass(frozen=True)
class Target:
    """One thing that was promised, and what came out."""

    said: str
    limit: str
    measured: str
    holds: bool | None
    """None where it was not measured."""


def targets(results: Results) -> list[Target]:
    """The promises of the project, each with its measure."""
    found = [
        _at_most(results, "homeassistant", "cold", "ruff", 2),
        _at_most(results, "homeassistant", "warm", "ruff", 1),
        _at_most(results, "distributed", "cold", "bandit", 0.5),
        _at_most(results, "distributed", "cold", "semgrep", 0.5),
        _faster(results, "distributed", "pylint", 12),
        _faster(results, "distributed", "fixit", 25),
        _faster(results, "distributed", "flake8-async", 25),
    ]
    for project in results.projects:
        if project != START:
            spent = results.median(project, "changed", OURS, "cpu")
            found.append(_below(f"{project}: one file changed, processor time", spent, 0.3))
    found.append(_start(results))
    for measure, said, limit in (("largest", "largest process", 200), ("together", "all processes together", 400)):
        sizes = [results.median("homeassistant", mode, OURS, measure) for mode in MODES]
        known = [size for size in sizes if size is not None]
        found.append(_below_memory(f"homeassistant: memory, {said}", max(known, default=None), limit))
    return found


def _at_most(results: Results, project: str, mode: str, other: str, most: float) -> Target:
    ratio = results.ratio(project, mode, OURS, other)
    said = f"{project} {mode}: otplint / {other}"
    holds = None if ratio is None else ratio <= most
    bound = results.is_over(project, mode, other) and not holds  # the other took longer than what it is counted with
    return Target(said, f"≤ {most:g}", figure(ratio), None if bound else holds)


def _faster(results: Results, project: str, other: str, least: float) -> Target:
    ratio = results.ratio(project, "cold", other, OURS)
    over = results.is_over(project, "cold", other)
    holds = None if ratio is None or (over and ratio < least) else ratio >= least
    return Target(f"{project} cold: {other} / otplint", f"≥ {least:g}", ("> " if over else "") + figure(ratio), holds)


def _below(said: str, seconds: float | None, most: float) -> Target:
    holds = None if seconds is None else seconds <= most
    return Target(said, f"≤ {most:g} s", "" if seconds is None else f"{figure(seconds)} s", holds)


def _below_memory(said: str, size: float | None, most: int) -> Target:
    holds = None if size is None else size <= most * MEGABYTE
    return Target(said, f"≤ {most} MB", "" if size is None else f"{size / MEGABYTE:.0f} MB", holds)


def _start(results: Results) -> Target:
    ratio = results.ratio(START, "cold", "otplint --version", "python -c pass")
    holds = None if ratio is None else ratio <= 4
    return Target("`otplint --version` / `python -c pass`", "≤ 4", figure(ratio), holds)


def figure(value: float | None) -> str:
    """A number with two figures that count, three above ten; empty for none."""
    if value is None:
        return ""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def slope(points: Sequence[tuple[float, float]]) -> float:
    """The exponent of growth: the slope of a straight line through the points, both axes in logarithms.

    Raises:
        ValueError: fewer than two points, or one that is not positive.
    """
    from math import log

    if len(points) < 2 or any(x <= 0 or y <= 0 for x, y in points):
        raise ValueError("an exponent needs two positive points")
    return statistics.linear_regression([log(x) for x, _ in points], [log(y) for _, y in points]).slope


def in_turn(tools: Iterable[str], rounds: int) -> list[tuple[int, str]]:
    """A B C A B C ...: noise of the machine meets all of them."""
    names = list(tools)
    return [(number, name) for number in range(rounds) for name in names]
