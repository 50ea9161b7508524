"""Markdown for a merge request's comment or a job's summary, worst findings first."""

from __future__ import annotations

import re

from otplint.findings import Failure, Finding, Related, Report
from otplint.output.pages import fenced
from otplint.output.plain import one_line, python_lines, visible
from otplint.output.summary import summary

_MOST_LINES = 8
"""Lines of a span that are quoted."""


def render(report: Report) -> str:
    """A heading with the summary, a table, a section per finding, and what could not be analysed."""
    findings = sorted(report.findings, key=lambda finding: -finding.severity.rank)
    blocks = ["## otplint", f"Scanned: {_escaped(summary(report))}."]
    if findings:
        rows = ["| Severity | Rule | Place | Problem |", "|---|---|---|---|", *map(_row, findings)]
        blocks.append("\n".join(rows))
    sources = {path: python_lines(text) for path, text in report.sources.items()}
    for finding in findings:
        blocks += _section(finding, sources.get(finding.span.path, []))
    if report.failures:
        blocks += ["### Not analysed", "\n".join(map(_failure, report.failures))]
    return "\n\n".join(blocks) + "\n"


def _row(finding: Finding) -> str:
    place = _code(f"{finding.span.path}:{finding.span.line}")
    cells = (finding.severity.value, f"{_escaped(finding.code)} {_escaped(finding.name)}", place)
    return f"| {' | '.join(_cell(cell) for cell in (*cells, _escaped(finding.problem)))} |"


def _section(finding: Finding, lines: list[str]) -> list[str]:
    span = finding.span
    rule = f"{_escaped(finding.code)} {_escaped(finding.name)}"
    blocks = [
        f"### {rule} at {_code(f'{span.path}:{span.line}')}",
        f"**{finding.severity.value.capitalize()}**, {finding.confidence.value} confidence.",
        _escaped(finding.problem),
    ]
    if 0 < span.line <= len(lines):
        quoted = lines[span.line - 1 : min(span.end_line, span.line + _MOST_LINES - 1)]
        blocks.append(fenced("\n".join(visible(line.replace("\t", "    ")) for line in quoted), "python"))
    if finding.consequence:
        blocks.append(f"**At run time:** {_escaped(finding.consequence)}")
    if finding.remedy:
        blocks.append(f"**What to do:** {_escaped(finding.remedy)}")
    if finding.related:
        blocks.append("\n".join(map(_related, finding.related)))
    return blocks


def _related(related: Related) -> str:
    return f"- {_code(f'{related.span.path}:{related.span.line}')} {_escaped(related.message)}"


def _failure(failure: Failure) -> str:
    place = f"{failure.path}:{failure.line}" if failure.line else failure.path
    return f"- {_code(place)} {_escaped(failure.message)}"


def _escaped(text: str) -> str:
    """``text`` on one line with Markdown's marks escaped, except in its own `code`."""
    pieces = re.split(r"(`[^`]+`)", one_line(text))
    return "".join(
        piece if index % 2 else re.sub(r"[\\`*_{}\[\]<>#|~&]", r"\\\g<0>", piece) for index, piece in enumerate(pieces)
    )


def _code(text: str) -> str:
    shown = one_line(text)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def _cell(text: str) -> str:
    """A bar ends a table's cell even inside code, unless it is escaped."""
    return re.sub(r"(?<!\\)\|", r"\\|", text)
