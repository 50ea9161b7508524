"""One JSON object: the contract for scripts. Within a major version fields are only added."""

from __future__ import annotations

import json

from otplint.findings import Failure, Finding, Fix, Report, Span, Timing
from otplint.output.summary import severity_counts


def render(report: Report) -> str:
    """The report as one indented object; ASCII only, so that no pipe can spoil it."""
    return json.dumps(document(report), indent=2) + "\n"


def document(report: Report) -> dict[str, object]:
    """The object that ``--format json`` prints: ``version``, ``findings``, ``errors`` and ``summary``."""
    return {
        "version": report.version,
        "findings": [finding_object(finding) for finding in report.findings],
        "errors": [error_object(failure) for failure in report.failures],
        "summary": summary_object(report),
        **({} if report.timing is None else {"timing": _timing(report.timing)}),
    }


def finding_object(finding: Finding) -> dict[str, object]:
    """One finding; lines and columns count from 1 in characters, the end column is exclusive."""
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "path": finding.span.path,
        **_region(finding.span),
        "message": finding.message,
        "problem": finding.problem,
        "consequence": finding.consequence,
        "remedy": finding.remedy,
        "actor": finding.actor,
        "handler": finding.handler,
        "framework": finding.framework,
        "related": [
            {
                "path": related.span.path,
                **_region(related.span),
                "message": related.message,
            }
            for related in finding.related
        ],
        "fingerprint": finding.fingerprint,
        "fix": _fix(finding.fix),
        "pack": finding.pack,
    }


def error_object(failure: Failure) -> dict[str, object]:
    """A file that could not be analysed; ``line`` is null where none is known."""
    return {"path": failure.path, "line": failure.line or None, "message": failure.message}


def summary_object(report: Report) -> dict[str, object]:
    """The numbers of the scan."""
    return {
        "findings": len(report.findings),
        "severities": severity_counts(report),
        "errors": len(report.failures),
        "suppressed": report.suppressed,
        "files": report.files,
        "analysed": report.analysed,
        "actors": report.actors,
    }


def _timing(timing: Timing) -> dict[str, object]:
    return {
        "stages": [{"name": name, "seconds": seconds} for name, seconds in timing.stages],
        "rules": [
            {
                "code": rule.code,
                "name": rule.name,
                "seconds": rule.seconds,
                "calls": rule.calls,
                "findings": rule.findings,
            }
            for rule in timing.rules
        ],
    }


def _region(span: Span) -> dict[str, int]:
    return {"line": span.line, "column": span.column, "end_line": span.end_line, "end_column": span.end_column}


def _fix(fix: Fix | None) -> dict[str, object] | None:
    if fix is None:
        return None
    return {
        "message": fix.message,
        "safe": fix.safe,
        "edits": [
            {"path": edit.span.path, **_region(edit.span), "replacement": edit.replacement} for edit in fix.edits
        ],
    }
