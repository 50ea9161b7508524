from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from otplint.findings import Confidence, Failure, Finding, Related, Report, Severity, Span
from otplint.output import FORMATS, render
from otplint.output.summary import failure_lines, summary

CLEAN = Report(version="1.0", findings=(), files=3)


def finding(**changes: Any) -> Finding:
    made = Finding("OTP101", "some-name", Severity.LOW, Confidence.LOW, Span("a.py", 1, 1, 1, 2), "It is wrong.")
    return dataclasses.replace(made, **changes)


def report_of(*findings: Finding, **changes: Any) -> Report:
    return dataclasses.replace(Report(version="1.0", findings=findings), **changes)


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown format 'xml'; choose one of text, concise, json") as caught:
        render("xml", CLEAN)
    assert "\n" not in str(caught.value)


def test_formats_for_pipes_import_neither_rich_nor_each_other() -> None:
    program = """
import sys
from otplint.findings import Report
from otplint.output import FORMATS, render
assert not [name for name in sys.modules if name.startswith("otplint.output.")]
for name in FORMATS:
    if name != "text":
        render(name, Report(version="1", findings=()))
from otplint.output.text import summary
assert "rich" not in sys.modules and "click" not in sys.modules and "libcst" not in sys.modules
assert "otplint.output.text" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)


# --- json ---------------------------------------------------------------------------------------------------------


def test_json_has_the_agreed_fields(report: Report) -> None:
    document = json.loads(render("json", report))
    assert {"version", "findings", "errors", "summary"} <= set(document)
    agreed = (
        "code name severity confidence path line column end_line end_column message actor handler framework related"
    )
    for item in document["findings"]:
        assert {*agreed.split(), "fingerprint", "fix"} <= set(item)
    first = document["findings"][0]
    assert (first["line"], first["column"], first["end_line"], first["end_column"]) == (8, 15, 8, 40)
    assert first["message"] == report.findings[0].message
    assert {"path", "line", "end_line", "message"} <= set(first["related"][0])
    assert first["fix"]["edits"][0]["replacement"] == "self.demonitor(ref)\n\t"
    assert document["findings"][1]["fix"] is None
    assert document["errors"] == [
        {"path": "app/broken.py", "line": 3, "message": "line 3: '(' was never closed"},
        {"path": "app/null.py", "line": None, "message": "NUL byte"},
    ]
    assert document["summary"]["severities"] == {"critical": 1, "high": 1, "medium": 0, "low": 1}


def test_jsonl_says_the_same_as_json(report: Report) -> None:
    document = json.loads(render("json", report))
    records = [json.loads(line) for line in render("jsonl", report).splitlines()]
    by_kind: dict[str, list[Any]] = {"finding": [], "error": [], "summary": []}
    for record in records:
        by_kind[record.pop("kind")].append(record)
    assert by_kind["finding"] == document["findings"]
    assert by_kind["error"] == document["errors"]
    assert by_kind["summary"] == [{"version": report.version, **document["summary"]}]


# --- concise ------------------------------------------------------------------------------------------------------


def test_concise_is_one_line_whatever_the_text() -> None:
    odd = finding(span=Span("a\nb.py", 3, 4, 3, 5), problem="one\n  two\u2028three \x1b[31m")
    assert render("concise", report_of(odd)) == "a\\nb.py:3:4: OTP101 some-name one two three \\x1b[31m\n"
    assert render("concise", CLEAN) == ""


# --- github -------------------------------------------------------------------------------------------------------


def test_github_escapes_messages_and_properties() -> None:
    odd = finding(
        span=Span("a,b:c%.py", 3, 4, 3, 5),
        severity=Severity.MEDIUM,
        problem="50% of it: a, b.",
        related=(Related(Span("d.py", 7, 1, 7, 2), "see"),),
    )
    assert render("github", report_of(odd)) == (
        "::warning file=a%2Cb%3Ac%25.py,line=3,endLine=3,col=4,endColumn=5,title=OTP101 some-name"
        "::50%25 of it: a, b.%0Ad.py:7: see\n"
    )


def test_github_gives_no_columns_for_several_lines() -> None:
    line = render("github", report_of(finding(span=Span("a.py", 3, 4, 5, 6))))
    assert line.startswith("::notice file=a.py,line=3,endLine=5,title=")


# --- gitlab -------------------------------------------------------------------------------------------------------


def test_gitlab_fingerprints_are_unique_and_stable() -> None:
    same = finding(fingerprint="abc")
    report = report_of(same, same, finding(), finding(), failures=(Failure("a.py", 0, "no"), Failure("a.py", 0, "no")))
    fingerprints = [entry["fingerprint"] for entry in json.loads(render("gitlab", report))]
    assert len(set(fingerprints)) == 6
    assert fingerprints[0] == "abc"
    assert fingerprints == [entry["fingerprint"] for entry in json.loads(render("gitlab", report))]


def test_gitlab_entries_have_what_it_requires(report: Report) -> None:
    entries = json.loads(render("gitlab", report))
    assert [entry["severity"] for entry in entries] == ["blocker", "critical", "minor", "critical", "critical"]
    for entry in entries:
        assert entry["description"]
        assert entry["check_name"]
        assert entry["location"]["lines"]["begin"] >= 1
    assert json.loads(render("gitlab", CLEAN)) == []


# --- junit --------------------------------------------------------------------------------------------------------


def test_junit_counts_what_it_holds(report: Report) -> None:
    root = ET.fromstring(render("junit", report))
    assert root.attrib == {"name": "otplint", "tests": "5", "failures": "3", "errors": "2"}
    assert len(root.findall(".//failure")) == 3
    assert len(root.findall(".//error")) == 2
    for suite in root:
        assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))


def test_a_clean_junit_report_is_one_passed_test() -> None:
    root = ET.fromstring(render("junit", CLEAN))
    assert root.attrib["tests"] == "1"
    (case,) = root.findall(".//testcase")
    assert not len(case)


# --- markdown -----------------------------------------------------------------------------------------------------


def test_markdown_escapes_marks_outside_code() -> None:
    shown = render(
        "markdown", report_of(finding(problem="__init__ of `a|b` <img> | x.", span=Span("a`|b.py", 1, 1, 1, 2)))
    )
    row = next(line for line in shown.splitlines() if line.startswith("| low"))
    assert row == "| low | OTP101 some-name | ``a`\\|b.py:1`` | \\_\\_init\\_\\_ of `a\\|b` \\<img\\> \\| x. |"


def test_markdown_puts_the_worst_first(report: Report) -> None:
    reverse = dataclasses.replace(report, findings=report.findings[::-1])
    headings = [line for line in render("markdown", reverse).splitlines() if line.startswith("### ")]
    assert [heading.split()[1] for heading in headings] == ["OTP101", "OTP201", "ACME001", "Not"]


def test_a_code_block_in_markdown_cannot_be_closed_from_inside() -> None:
    shown = render("markdown", report_of(finding(), sources={"a.py": "x = '''\n```\n````\n'''"}))
    assert shown.count("```python\n") == 1
    span = Span("a.py", 1, 1, 4, 4)
    shown = render("markdown", report_of(finding(span=span), sources={"a.py": "x = '''\n```\n````\n'''"}))
    assert "`````python\nx = '''\n```\n````\n'''\n`````\n" in shown


# --- summary ------------------------------------------------------------------------------------------------------


def test_summary_in_one_line(report: Report) -> None:
    assert summary(report) == (
        "3 findings (1 critical, 1 high, 1 low) in 2 files; 120 files seen, 8 with actor code, 1 actor; "
        "2 findings suppressed; 2 not analysed"
    )
    assert summary(CLEAN) == "no findings; 3 files seen, 0 with actor code, 0 actors"


def test_failure_lines_leave_out_an_unknown_line(report: Report) -> None:
    assert failure_lines(report) == ["app/broken.py:3: line 3: '(' was never closed", "app/null.py: NUL byte"]


def test_every_format_is_listed_with_help() -> None:
    assert list(FORMATS) == ["text", "concise", "json", "jsonl", "sarif", "github", "gitlab", "junit", "markdown"]
    assert all(chosen.help for chosen in FORMATS.values())
