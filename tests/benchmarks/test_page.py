from __future__ import annotations

import re

from benchmarks.page import page, table
from benchmarks.results import START, Results, Run
from benchmarks.run import panels


def results() -> Results:
    def run(tool: str, wall: float, mode: str = "cold", *, over: bool = False, project: str = "mopidy") -> Run:
        return Run(project, mode, tool, wall, wall, 50_000_000, 60_000_000, 7, over)

    names = ["otplint", "ruff", "fixit"]
    return Results(
        {"Processors": "2", "Python": "3.13.0"},
        {name: {"version": f"{name} 1.0", "asked": "its rules"} for name in names},
        {
            "mopidy": {"version": "4.0.5", "files": 82, "lines": 11896, "edited": "a.py"},
            START: {"version": "", "files": 0, "lines": 0, "edited": ""},
        },
        [
            *[run("otplint", 2.0), run("ruff", 0.5), run("fixit", 30.0, over=True)],
            *[run("otplint", 0.5, "warm"), run("ruff", 0.25, "warm")],
            *[run("python -c pass", 0.02, project=START), run("otplint --version", 0.03, project=START)],
        ],
    )


def test_a_table_is_as_wide_as_its_head() -> None:
    assert table(["", "a"], [["x", "1"]]) == "|  | a |\n| --- | --: |\n| x | 1 |\n"


def test_times_are_told_with_their_ratio_to_ours() -> None:
    text = page(results())
    assert "| mopidy | 2.00 | 0.50 (0.25x) | > 30.0 (> 15.0x) |" in text
    assert "| mopidy | 2.00 | 0.50 (0.25x) |  |" in text
    assert "| mopidy | 0.50 | 0.25 (0.50x) |" in text


def test_a_mode_shows_the_tools_that_ran_in_it() -> None:
    warm = page(results()).split("## Warm")[1].split("## ")[0]
    assert "| otplint | ruff |" in warm
    assert "fixit" not in warm
    assert "## Staged" not in page(results())


def test_starting_is_compared_with_python() -> None:
    assert "| `otplint --version` | 30 ms | 1.50x |" in page(results())


def test_what_was_not_measured_is_called_so() -> None:
    assert "| homeassistant cold: otplint / ruff | ≤ 2 |  | not measured |" in page(results())


def test_every_table_has_as_many_cells_in_each_row() -> None:
    for block in re.findall(r"(?:^\|.*\n)+", page(results()), re.MULTILINE):
        assert len({line.count("|") for line in block.splitlines()}) == 1, block


def test_the_picture_has_a_bar_for_each_tool_of_each_project() -> None:
    [panel] = panels(results())
    assert panel["title"] == "mopidy, 11k lines"
    assert panel["bars"] == [
        {"name": "otplint", "value": 2.0, "label": "2"},
        {"name": "ruff", "value": 0.5, "label": "0.5"},
        {"name": "fixit", "value": 30.0, "label": "> 30"},
    ]
