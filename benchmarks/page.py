"""The pages that show what was measured, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.results import MEGABYTE, MODES, START, Results, figure, targets

COMMAND = "python -m benchmarks.run"
_HEAD = f"""\
# How fast it is

Whole processes, as a user starts them, on pinned releases of real projects. `make bench` makes this page
(`{COMMAND} --render` only draws it again from `benchmarks.json`). Tools take turns (A B C A B C ...), figures are
medians, and only the ratios of one run mean anything: machines differ, and this one is no fast one. A run that
takes over a minute is not repeated.
"""
_ASKED = """\
Every tool is in an environment of its own, has its default number of processes, reads no configuration but ours, and is
asked for what comes nearest to otplint's rules. None of the others knows what an actor is.
"""
_WALL = "Wall time in seconds"
_COLUMNS = {"wall": _WALL, "cpu": "Processor time of all processes, in seconds"}


def page(results: Results) -> str:
    """``docs/benchmarks.md``."""
    tools = list(results.tools)
    projects = [name for name in results.projects if name != START]
    parts = [_HEAD, _machine(results), "![Wall time of a cold scan](benchmarks.svg)\n"]
    parts += ["## Targets\n", _targets(results)]
    for mode, meaning in MODES.items():
        shown = [tool for tool in tools if any(results.of(project, mode, tool) for project in projects)]
        if not shown:
            continue
        parts.append(f"## {mode.capitalize()}: {meaning}\n")
        if mode in ("warm", "changed"):
            parts.append("Only tools with a cache; for the others every run is a cold one.\n")
        for measure, title in _COLUMNS.items():
            parts += [f"{title}, and how many times otplint's:\n", _times(results, projects, mode, shown, measure)]
        parts += ["Memory in MB, largest process / all together:\n", _memory(results, projects, mode, shown)]
    if results.of(START, "cold", "python -c pass"):
        parts += ["## Starting\n", _start(results)]
    parts += ["## What was run\n", _ASKED, _tools(results), _projects(results, projects)]
    return "\n".join(parts)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are numbers."""
    lines = [_row(head), _row(["---", *["--:"] * (len(head) - 1)])]
    return "\n".join([*lines, *(_row(row) for row in rows)]) + "\n"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _machine(results: Results) -> str:
    return "; ".join(f"{key}: {value}" for key, value in results.machine.items()) + ".\n"


def _targets(results: Results) -> str:
    answers = {True: "yes", False: "**no**", None: "not measured"}
    rows = [[t.said, t.limit, t.measured, answers[t.holds]] for t in targets(results)]
    return table(["what", "target", "measured", "holds"], rows)


def _times(results: Results, projects: Sequence[str], mode: str, tools: Sequence[str], measure: str) -> str:
    rows = []
    for project in projects:
        cells = [project]
        for tool in tools:
            over = "> " if results.is_over(project, mode, tool) else ""
            if over and measure == "cpu":
                cells.append("")  # what is ended does not tell what its children have used
                continue
            value = over + figure(results.median(project, mode, tool, measure))
            times = figure(results.ratio(project, mode, tool, "otplint", measure)) if tool != "otplint" else ""
            cells.append(f"{value} ({over}{times}x)" if times else value)
        rows.append(cells)
    return table(["", *tools], rows)


def _memory(results: Results, projects: Sequence[str], mode: str, tools: Sequence[str]) -> str:
    rows = []
    for project in projects:
        cells = [project]
        for tool in tools:
            sizes = [results.median(project, mode, tool, measure) for measure in ("largest", "together")]
            cells.append(" / ".join(f"{size / MEGABYTE:.0f}" for size in sizes if size is not None))
        rows.append(cells)
    return table(["", *tools], rows)


def _start(results: Results) -> str:
    rows = []
    for tool in dict.fromkeys(run.tool for run in results.runs if run.project == START):
        wall = results.median(START, "cold", tool)
        ratio = results.ratio(START, "cold", tool, "python -c pass")
        rows.append([f"`{tool}`", "" if wall is None else f"{wall * 1000:.0f} ms", f"{figure(ratio)}x"])
    return table(["", "wall", "times `python -c pass`"], rows)


def _tools(results: Results) -> str:
    rows = [[name, tool["version"], tool["asked"]] for name, tool in results.tools.items()]
    lines = [_row(["tool", "version", "asked for"]), _row(["---"] * 3)]
    return "\n".join([*lines, *(_row(row) for row in rows)]) + "\n"


def _projects(results: Results, projects: Sequence[str]) -> str:
    tools = list(results.tools)
    rows = []
    for name in projects:
        about = results.projects[name]
        found = [results.median(name, "cold", tool, "findings") for tool in tools]
        rows.append(
            [
                f"{name} {about['version']}",
                f"{about['files']:,}",
                f"{about['lines']:,}",
                f"`{about['edited']}`",
                *("" if count is None else f"{count:.0f}" for count in found),
            ]
        )
    intro = "The projects, the file that is edited in each, and how much each tool found (cold):\n\n"
    return intro + table(["project", "files", "lines", "edited", *tools], rows)
