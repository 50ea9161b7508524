"""``path:line:col: CODE name problem``: one line per finding, for pipes and editors."""

from __future__ import annotations

from otplint.findings import Finding, Report
from otplint.output.plain import one_line, visible


def render(report: Report) -> str:
    """A line per finding; empty when there is none."""
    return "".join(f"{_line(finding)}\n" for finding in report.findings)


def _line(finding: Finding) -> str:
    span = finding.span
    place = f"{visible(span.path)}:{span.line}:{span.column}"
    return f"{place}: {finding.code} {finding.name} {one_line(finding.problem)}".rstrip()
