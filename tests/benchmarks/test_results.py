from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.results import START, Results, Run, figure, in_turn, slope, targets


def run(project: str, tool: str, wall: float, *, mode: str = "cold", over: bool = False, size: int = 10**8) -> Run:
    return Run(project, mode, tool, wall, wall / 2, size, size * 2, 3, over)


def held(results: Results) -> dict[str, bool | None]:
    return {target.said: target.holds for target in targets(results)}


def test_medians_and_ratios_are_of_one_project_and_mode() -> None:
    walls = [("otplint", 1.0), ("ruff", 4.0), ("otplint", 9.0), ("ruff", 4.0), ("otplint", 2.0), ("ruff", 1.0)]
    results = Results(runs=[run("a", tool, wall) for tool, wall in walls])
    results.runs += [run("b", "otplint", 100.0), run("a", "otplint", 100.0, mode="warm")]
    assert results.median("a", "cold", "otplint") == 2.0
    assert results.median("a", "cold", "otplint", "cpu") == 1.0
    assert results.ratio("a", "cold", "otplint", "ruff") == 0.5
    assert results.ratio("b", "cold", "otplint", "ruff") is None
    assert results.median("a", "staged", "otplint") is None


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    runs = [run("a", "otplint", 1.0), run("a", "fixit", 60.0, over=True)]
    results = Results({"Python": "3"}, {"fixit": {"version": "2"}}, {"a": {"lines": 5}}, runs)
    results.save(tmp_path / "saved.json")
    assert Results.load(tmp_path / "saved.json") == results
    results.runs.clear()
    results.save(tmp_path / "saved.json")
    assert Results.load(tmp_path / "saved.json") == results


def test_a_project_measured_again_loses_its_old_runs() -> None:
    results = Results(projects={"a": {}, "b": {}}, runs=[run("a", "otplint", 1.0), run("b", "otplint", 1.0)])
    results.forget("a")
    assert list(results.projects) == ["b"]
    assert {r.project for r in results.runs} == {"b"}


def test_targets_compare_medians() -> None:
    slow = {"bandit": 4.0, "semgrep": 3.9, "pylint": 24.0, "fixit": 49.0, "flake8-async": 50.0}
    results = Results(projects={"distributed": {}, START: {}}, runs=[run("distributed", "otplint", 2.0)])
    results.runs += [run("distributed", tool, wall) for tool, wall in slow.items()]
    results.runs += [run(START, "python -c pass", 0.02), run(START, "otplint --version", 0.09)]
    results.runs += [run("distributed", "otplint", 0.6, mode="changed")]
    said = held(results)
    assert said["distributed cold: otplint / bandit"] is True
    assert said["distributed cold: otplint / semgrep"] is False
    assert said["distributed cold: pylint / otplint"] is True
    assert said["distributed cold: fixit / otplint"] is False
    assert said["distributed cold: flake8-async / otplint"] is True
    assert said["distributed: one file changed, processor time"] is True
    assert said["`otplint --version` / `python -c pass`"] is False
    assert said["homeassistant cold: otplint / ruff"] is None


@pytest.mark.parametrize(("size", "largest", "together"), [(200, True, True), (201, False, False), (190, True, True)])
def test_memory_is_that_of_the_worst_mode(size: int, largest: bool, together: bool) -> None:
    results = Results(runs=[run("homeassistant", "otplint", 1.0, size=10**6)])
    results.runs.append(run("homeassistant", "otplint", 1.0, mode="warm", size=size * 10**6))
    said = held(results)
    assert said["homeassistant: memory, largest process"] is largest
    assert said["homeassistant: memory, all processes together"] is together


@pytest.mark.parametrize(("limit", "holds"), [(24.0, None), (25.0, True)])
def test_a_peer_that_was_ended_is_only_a_bound(limit: float, holds: bool | None) -> None:
    results = Results(runs=[run("distributed", "otplint", 1.0), run("distributed", "fixit", limit, over=True)])
    assert held(results)["distributed cold: fixit / otplint"] is holds


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (0.031, "0.03"), (1.256, "1.26"), (12.34, "12.3"), (1234.5, "1,234")]
)
def test_figures_are_short(value: float | None, text: str) -> None:
    assert figure(value) == text


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_exponent_of_growth(power: float) -> None:
    assert slope([(x, 3 * x**power) for x in (10.0, 200.0, 5000.0)]) == pytest.approx(power)


@pytest.mark.parametrize("points", [[], [(1.0, 1.0)], [(1.0, 0.0), (2.0, 1.0)]])
def test_no_exponent_of_too_little(points: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match="two positive points"):
        slope(points)


def test_tools_take_turns() -> None:
    assert in_turn(["a", "b"], 2) == [(0, "a"), (0, "b"), (1, "a"), (1, "b")]
