"""JUnit XML: a test suite per file, a failed test per finding, an error per file that could not be analysed."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from otplint.findings import Failure, Finding, Report
from otplint.output.plain import one_line, visible


def render(report: Report) -> str:
    """The document; a clean scan is one suite with one passed test, as empty ones upset some readers."""
    findings: dict[str, list[Finding]] = {}
    failures: dict[str, list[Failure]] = {}
    for finding in report.findings:
        findings.setdefault(finding.span.path, []).append(finding)
    for failure in report.failures:
        failures.setdefault(failure.path, []).append(failure)

    root = ET.Element(
        "testsuites",
        name="otplint",
        tests=str(len(report.findings) + len(report.failures) or 1),
        failures=str(len(report.findings)),
        errors=str(len(report.failures)),
    )
    for path in sorted({*findings, *failures}):
        _suite(root, path, findings.get(path, []), failures.get(path, []))
    if not len(root):
        suite = ET.SubElement(root, "testsuite", name="otplint", tests="1", failures="0", errors="0")
        ET.SubElement(suite, "testcase", classname="otplint", name="no findings")
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(root: ET.Element, path: str, findings: list[Finding], failures: list[Failure]) -> None:
    shown = visible(path)
    suite = ET.SubElement(
        root,
        "testsuite",
        name=shown,
        tests=str(len(findings) + len(failures)),
        failures=str(len(findings)),
        errors=str(len(failures)),
    )
    for finding in findings:
        span = finding.span
        case = ET.SubElement(
            suite,
            "testcase",
            classname=shown,
            name=visible(f"{finding.code} {finding.name} at {span.line}:{span.column}"),
            file=shown,
            line=str(span.line),
        )
        failed = ET.SubElement(
            case, "failure", type=visible(f"{finding.code} {finding.severity.value}"), message=one_line(finding.problem)
        )
        failed.text = "\n".join(
            [f"{shown}:{span.line}:{span.column}: {one_line(finding.message)}"]
            + [f"{visible(place.span.path)}:{place.span.line}: {one_line(place.message)}" for place in finding.related]
        )
    for failure in failures:
        case = ET.SubElement(suite, "testcase", classname=shown, name="analysis", file=shown)
        if failure.line:
            case.set("line", str(failure.line))
        ET.SubElement(case, "error", type="not analysed", message=one_line(failure.message))
