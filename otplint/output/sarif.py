"""SARIF 2.1.0 (OASIS, errata 01), with what GitHub code scanning requires or recommends.

One run; the list of rules is that of all enabled rules, so it changes with the configuration and not with the code; no
times and no machine names, so that equal scans give equal logs. Suppressed findings are left out, as GitHub would
open them as alerts.
"""

from __future__ import annotations

import json
import re
from urllib.parse import quote

from otplint.findings import Failure, Finding, Fix, Report, Span
from otplint.output.fingerprints import line_hashes
from otplint.output.plain import one_line, plural, python_lines, sentence, visible
from otplint.output.sarif_tool import LEFT_OUT, NOT_ANALYSED, NOTICES, Catalogue, Json, Notice

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
ROOT = "%SRCROOT%"
"""The name that relative addresses are relative to: the project root."""
MAX_RESULTS = 25_000
"""Results that GitHub takes in one run; it rejects a file with more."""
MAX_RELATED = 100
"""Locations per result that GitHub keeps."""
_CONTEXT = 2
"""Lines round a place that viewers without the sources get to see."""


def render(report: Report, *, category: str = "", root: str = "", repository: str = "", revision: str = "") -> str:
    """The log as indented JSON.

    Args:
        report: what the scan says.
        category: tells several scans of one commit apart, e.g. ``backend``; never a commit id.
        root: absolute path of the project root, for viewers outside a checkout; left out, the log has no
            machine's path in it.
        repository: address of the repository (with ``revision``), for viewers that fetch sources.
        revision: commit id of the scanned tree.
    """
    document = log(report, category=category, root=root, repository=repository, revision=revision)
    return json.dumps(document, indent=2) + "\n"


def log(report: Report, *, category: str = "", root: str = "", repository: str = "", revision: str = "") -> Json:
    """The log as JSON values; arguments as for :func:`render`."""
    catalogue = Catalogue(report)
    findings = _worst(report.findings)
    hashes = {path: line_hashes(report.sources[path]) for path in _paths(findings) if path in report.sources}
    lines = {path: python_lines(report.sources[path]) for path in hashes}
    notifications = [_failure(failure) for failure in report.failures]
    if len(findings) < len(report.findings):
        left_out = plural(len(report.findings) - len(findings), "result")
        notifications.append(_notification(LEFT_OUT, f"{left_out} of lower severity left out."))

    base: Json = {"description": {"text": "The root of the scanned project."}}
    invocation: Json = {"executionSuccessful": True}
    if root:
        base = {"uri": _file_uri(root.rstrip("/") + "/"), **base}
        invocation["workingDirectory"] = {"uri": base["uri"]}
    if notifications:
        invocation["toolExecutionNotifications"] = notifications
    run: Json = {
        "tool": catalogue.tool,
        "invocations": [invocation],
        "automationDetails": {"id": f"otplint/{category.strip('/')}/" if category.strip("/") else "otplint/"},
        "originalUriBaseIds": {ROOT: base},
        "columnKind": "unicodeCodePoints",
    }
    if repository and revision:
        run["versionControlProvenance"] = [
            {"repositoryUri": repository, "revisionId": revision, "mappedTo": {"uriBaseId": ROOT}}
        ]
    run["results"] = [
        _result(
            finding,
            catalogue,
            lines.get(finding.span.path, []),
            hashes.get(finding.span.path, []),
        )
        for finding in findings
    ]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(finding: Finding, catalogue: Catalogue, lines: list[str], hashes: list[str]) -> Json:
    span = finding.span
    related = finding.related[:MAX_RELATED]
    location: Json = {"physicalLocation": _physical(span, lines)}
    owner = ".".join(part for part in (finding.actor, finding.handler) if part)
    if owner:
        location["logicalLocations"] = [
            {"fullyQualifiedName": one_line(owner), "kind": "function" if finding.handler else "type"}
        ]
    result: Json = {
        **catalogue.reference(finding.code),
        "level": finding.severity.sarif_level,
        "message": {"text": _message(finding)},
        "locations": [location],
    }
    if related:
        result["relatedLocations"] = [
            {
                "id": number,
                "physicalLocation": _physical(place.span, []),
                "message": {"text": sentence(place.message) or "Related place."},
            }
            for number, place in enumerate(related, start=1)
        ]
    fingerprints = {}
    if 0 < span.line <= len(hashes):
        fingerprints["primaryLocationLineHash"] = hashes[span.line - 1]
    if finding.fingerprint:
        fingerprints["otplint/v1"] = finding.fingerprint
    if fingerprints:
        result["partialFingerprints"] = fingerprints
    if finding.fix is not None and finding.fix.edits:
        result["fixes"] = [_fix(finding.fix)]
    details = {
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "actor": finding.actor,
        "handler": finding.handler,
        "framework": finding.framework,
    }
    result["properties"] = {key: visible(value) for key, value in details.items() if value}
    return result


def _message(finding: Finding) -> str:
    """The problem as first sentence, which stands alone where space is tight; links to the related places last."""
    parts = [_literal(sentence(part)) for part in (finding.problem, finding.consequence, finding.remedy)]
    links = [
        f"[{_link_text(place.message or 'related place')}]({number})"
        for number, place in enumerate(finding.related[:MAX_RELATED], start=1)
    ]
    if links:
        parts.append(f"See {', '.join(links)}.")
    return " ".join(part for part in parts if part) or f"{finding.name}."


def _literal(text: str) -> str:
    """``text`` without anything that reads as a link (SARIF 3.11.6)."""
    return re.sub(r"[\\\[\]]", r"\\\g<0>", text) if re.search(r"\]\(", text) else text


def _link_text(text: str) -> str:
    return re.sub(r"[\\\[\]]", r"\\\g<0>", one_line(text).rstrip(".")) or "related place"


def _physical(span: Span, lines: list[str]) -> Json:
    region = _region(span)
    physical: Json = {"artifactLocation": _artifact(span.path), "region": region}
    if not 0 < span.line <= span.end_line <= len(lines):
        return physical
    # The end is cut first, as both may be on one line.
    inside = lines[span.line - 1 : span.end_line]
    inside[-1] = inside[-1][: span.end_column - 1]
    inside[0] = inside[0][span.column - 1 :]
    region["snippet"] = {"text": "\n".join(inside)}
    first, last = max(span.line - _CONTEXT, 1), min(span.end_line + _CONTEXT, len(lines))
    if (first, last) != (span.line, span.end_line):
        snippet = {"text": "\n".join(lines[first - 1 : last])}
        physical["contextRegion"] = {"startLine": first, "endLine": last, "snippet": snippet}
    return physical


def _region(span: Span) -> Json:
    line, column = max(span.line, 1), max(span.column, 1)
    end_line, end_column = max(span.end_line, line), max(span.end_column, 1)
    if end_line == line:
        end_column = max(end_column, column)
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def _artifact(path: str) -> Json:
    """A file's address: relative to the project root, absolute only for a file outside it."""
    if path.startswith("/") or re.match(r"[A-Za-z]:[\\/]", path):
        return {"uri": _file_uri(path)}
    return {"uri": _quoted(path), "uriBaseId": ROOT}


def _file_uri(path: str) -> str:
    drive = re.match(r"([A-Za-z]:)[\\/]", path)
    if drive:
        return f"file:///{drive[1]}{_quoted(path[2:].replace(chr(92), '/'))}"
    return f"file://{_quoted(path)}"


def _quoted(path: str) -> str:
    """``path`` percent-encoded; the bytes of names that are no UTF-8 as they are on the disk."""
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = path.encode("utf-8", "surrogatepass")
    return quote(raw, safe="/")


def _fix(fix: Fix) -> Json:
    files: dict[str, list[Json]] = {}
    for edit in fix.edits:
        files.setdefault(edit.span.path, []).append(
            {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.replacement}}
        )
    return {
        "description": {"text": sentence(fix.message) or "Repair."},
        "artifactChanges": [
            {"artifactLocation": _artifact(path), "replacements": replacements} for path, replacements in files.items()
        ],
        "properties": {"safe": fix.safe},
    }


def _failure(failure: Failure) -> Json:
    notification = _notification(NOT_ANALYSED, sentence(failure.message) or NOT_ANALYSED.summary)
    physical: Json = {"artifactLocation": _artifact(failure.path)}
    if failure.line > 0:
        physical["region"] = {"startLine": failure.line}
    return {**notification, "locations": [{"physicalLocation": physical}]}


def _notification(notice: Notice, text: str) -> Json:
    return {
        "descriptor": {"id": notice.id, "index": NOTICES.index(notice)},
        "level": notice.level,
        "message": {"text": text},
    }


def _worst(findings: tuple[Finding, ...]) -> list[Finding]:
    """At most :data:`MAX_RESULTS` findings, the worst ones, in the report's order."""
    if len(findings) <= MAX_RESULTS:
        return list(findings)
    order = sorted(range(len(findings)), key=lambda index: -findings[index].severity.rank)
    return [findings[index] for index in sorted(order[:MAX_RESULTS])]


def _paths(findings: list[Finding]) -> list[str]:
    return sorted({finding.span.path for finding in findings})
