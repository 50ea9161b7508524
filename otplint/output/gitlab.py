"""A GitLab code quality report (the subset of Code Climate's format that GitLab documents)."""

from __future__ import annotations

import hashlib
import json

from otplint.findings import Failure, Finding, Report, Severity
from otplint.output.plain import one_line

_SEVERITIES = {
    Severity.CRITICAL: "blocker",
    Severity.HIGH: "critical",
    Severity.MEDIUM: "major",
    Severity.LOW: "minor",
}


def render(report: Report) -> str:
    """A JSON array; files that could not be analysed are entries of their own, so that a merge request shows them."""
    entries = [_finding(finding) for finding in report.findings]
    entries += [_failure(failure) for failure in report.failures]
    seen: dict[str, int] = {}
    for entry in entries:
        # GitLab drops entries that share a fingerprint.
        fingerprint = str(entry["fingerprint"])
        seen[fingerprint] = seen.get(fingerprint, 0) + 1
        if seen[fingerprint] > 1:
            entry["fingerprint"] = _digest(fingerprint, str(seen[fingerprint]))
    return json.dumps(entries, indent=2) + "\n"


def _finding(finding: Finding) -> dict[str, object]:
    span = finding.span
    return {
        "type": "issue",
        "description": one_line(finding.message),
        "check_name": f"{finding.code} {finding.name}",
        "fingerprint": finding.fingerprint or _digest(span.path, finding.code, finding.problem),
        "severity": _SEVERITIES[finding.severity],
        "location": {"path": span.path, "lines": {"begin": span.line, "end": span.end_line}},
    }


def _failure(failure: Failure) -> dict[str, object]:
    return {
        "type": "issue",
        "description": f"otplint could not analyse this file: {one_line(failure.message)}",
        "check_name": "file-not-analysed",
        "fingerprint": _digest(failure.path, "file-not-analysed", failure.message),
        "severity": "critical",
        "location": {"path": failure.path, "lines": {"begin": max(failure.line, 1)}},
    }


def _digest(*parts: str) -> str:
    joined = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(joined).hexdigest()[:32]
