"""The closing line of a scan, and its numbers."""

from __future__ import annotations

from otplint.findings import Report, Severity
from otplint.output.plain import one_line, plural, visible

SEVERITIES = tuple(sorted(Severity, key=lambda severity: severity.rank, reverse=True))
"""Worst first."""


def severity_counts(report: Report) -> dict[str, int]:
    """Number of findings per severity, worst first, zeros included."""
    counts = {severity.value: 0 for severity in SEVERITIES}
    for finding in report.findings:
        counts[finding.severity.value] += 1
    return counts


def summary(report: Report) -> str:
    """One line for standard error: what was found, where, and what could not be analysed. No line end."""
    if report.findings:
        files = len({finding.span.path for finding in report.findings})
        worst = ", ".join(f"{count} {name}" for name, count in severity_counts(report).items() if count)
        found = f"{plural(len(report.findings), 'finding')} ({worst}) in {plural(files, 'file')}"
    else:
        found = "no findings"
    seen = f"{plural(report.files, 'file')} seen, {report.analysed} with actor code, {plural(report.actors, 'actor')}"
    parts = [found, seen]
    if report.suppressed:
        parts.append(f"{plural(report.suppressed, 'finding')} suppressed")
    if report.failures:
        parts.append(f"{len({failure.path for failure in report.failures})} not analysed")
    return "; ".join(parts)


def fixable(report: Report) -> str:
    """What ``--fix`` would do about the findings, as the end of the closing line; empty where it would do nothing."""
    safe = sum(finding.fix is not None and finding.fix.safe for finding in report.findings)
    unsafe = sum(finding.fix is not None for finding in report.findings) - safe
    if safe and unsafe:
        return f"{safe} can be fixed with --fix ({unsafe} more with --unsafe-fixes)"
    if unsafe:
        return f"{unsafe} can be fixed with --fix --unsafe-fixes"
    return f"{safe} can be fixed with --fix" if safe else ""


def failure_lines(report: Report) -> list[str]:
    """One line per file that could not be analysed, for standard error: ``path:line: message``."""
    return [
        f"{visible(failure.path)}{f':{failure.line}' if failure.line else ''}: {one_line(failure.message)}"
        for failure in report.failures
    ]
