"""The half of a SARIF log that does not depend on findings: the tool, its rules and its notifications."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from otplint.findings import Finding, Report, RuleInfo, Severity
from otplint.output.pages import HOMEPAGE, page_url, rule_page, rule_text, summary_of
from otplint.output.plain import one_line, sentence

Json = dict[str, object]

MAX_TEXT = 1024
"""Characters that GitHub takes of a short or full description."""
MAX_NAME = 255
"""Characters that GitHub takes of a rule's name."""

_PROBLEM_SEVERITY = {"error": "error", "warning": "warning", "note": "recommendation"}
_TOPICS = {
    "1": "resources",
    "2": "failure-handling",
    "3": "configuration",
    "4": "messaging",
    "5": "supervision",
    "6": "state",
    "9": "suppression",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """Something otplint says about its own run."""

    id: str
    name: str
    summary: str
    detail: str
    level: str

    @property
    def descriptor(self) -> Json:
        """Its entry in ``tool.driver.notifications``; GitHub wants descriptions and help as it does of rules."""
        help_text = f"{self.summary} {self.detail}"
        return {
            "id": self.id,
            "name": self.name,
            "shortDescription": {"text": self.summary},
            "fullDescription": {"text": help_text},
            "help": {"text": help_text, "markdown": help_text},
            "helpUri": HOMEPAGE,
            "defaultConfiguration": {"level": self.level},
        }


NOT_ANALYSED = Notice(
    id="OTP000",
    name="FileNotAnalysed",
    summary="A file with actor code could not be analysed.",
    detail="Its findings, if it has any, are missing from this log. The exit status is 2.",
    level="error",
)
LEFT_OUT = Notice(
    id="OTP001",
    name="ResultsLeftOut",
    summary="Some results were left out of this log.",
    detail="Code scanning rejects a file with more than 25,000 results, so only the worst ones are in it.",
    level="warning",
)
NOTICES = (NOT_ANALYSED, LEFT_OUT)


class Catalogue:
    """All rules of a log, and where each one stands: the driver's own, and one extension per further pack."""

    def __init__(self, report: Report) -> None:
        self._version = report.version
        known: dict[str, RuleInfo] = {}
        for info in (*report.rules, *_unlisted(report.findings)):
            known.setdefault(info.code, info)
        self._packs: dict[str, list[RuleInfo]] = {"otplint": []}
        for info in sorted(known.values(), key=lambda info: (info.pack != "otplint", info.pack, info.code)):
            self._packs.setdefault(info.pack, []).append(info)
        self._places = {
            info.code: (pack, index)
            for pack, (_, infos) in enumerate(self._packs.items(), start=-1)
            for index, info in enumerate(infos)
        }

    @property
    def tool(self) -> Json:
        """The run's ``tool``."""
        (_, own), *others = self._packs.items()
        driver: Json = {
            "name": "otplint",
            "fullName": f"otplint {self._version}".strip(),
            "organization": "otplint",
            "version": self._version,
        }
        if semantic := semantic_version(self._version):
            driver["semanticVersion"] = semantic
        driver |= {
            "informationUri": HOMEPAGE,
            "rules": self._descriptors(own),
            "notifications": [notice.descriptor for notice in NOTICES],
        }
        tool: Json = {"driver": driver}
        if others:
            tool["extensions"] = [{"name": name, "rules": self._descriptors(infos)} for name, infos in others]
        return tool

    def reference(self, code: str) -> Json:
        """The members of a result that say which rule it breaks."""
        pack, index = self._places[code]
        if pack < 0:
            return {"ruleId": code, "ruleIndex": index}
        return {"ruleId": code, "rule": {"id": code, "index": index, "toolComponent": {"index": pack}}}

    def _descriptors(self, infos: list[RuleInfo]) -> list[Json]:
        return [descriptor(info, self._version) for info in infos]


def descriptor(info: RuleInfo, version: str) -> Json:
    """A ``reportingDescriptor`` with everything that GitHub requires or reads."""
    level = info.severity.sarif_level
    summary = summary_of(info)
    rule: Json = {
        "id": info.code,
        "name": "".join(part[:1].upper() + part[1:] for part in info.name.split("-"))[:MAX_NAME],
        "shortDescription": {"text": cut(summary)},
        "fullDescription": {"text": cut(" ".join(_opening(summary, info.sections.get("Why", ""))))},
        "help": {"text": rule_text(info), "markdown": rule_page(info)},
    }
    if url := page_url(info, version):
        rule["helpUri"] = url
    rule["defaultConfiguration"] = {"level": level}
    rule["properties"] = {
        "tags": _tags(info),
        "precision": info.confidence.value,
        "problem.severity": _PROBLEM_SEVERITY[level],
        "severity": info.severity.value,
    }
    return rule


def cut(text: str) -> str:
    """``text``, or as many of its whole sentences as fit :data:`MAX_TEXT`, or a hard cut."""
    if len(text) <= MAX_TEXT:
        return text
    end = max(text.rfind(mark, 0, MAX_TEXT) for mark in (". ", "! ", "? "))
    return text[: end + 1] if end > 0 else text[: MAX_TEXT - 2] + "…."


def semantic_version(version: str) -> str:
    """A PEP 440 version as Semantic Versioning 2.0 has it, e.g. ``1.0.0-rc.1`` for ``1.0rc1``; empty if it has none."""
    match = re.fullmatch(
        r"(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:(a|b|rc)(\d+))?(?:\.(post\d+))?(?:\.dev(\d+))?(?:\+([A-Za-z0-9.]+))?", version
    )
    if match is None:
        return ""
    major, minor, patch, phase, number, post, dev, local = match.groups()
    before = []
    if phase:
        before += [{"a": "alpha", "b": "beta", "rc": "rc"}[phase], str(int(number))]
    if dev:
        before += ["dev", str(int(dev))]
    after = ".".join(part for part in (post, local) if part)
    core = ".".join(str(int(part or 0)) for part in (major, minor, patch))
    return core + (f"-{'.'.join(before)}" if before else "") + (f"+{after}" if after else "")


def _opening(summary: str, why: str) -> list[str]:
    """The summary and the first paragraph of the reasons, as plain text."""
    paragraph = sentence(why.strip().split("\n\n")[0].replace("`", ""))
    return [summary, paragraph] if paragraph else [summary]


def _tags(info: RuleInfo) -> list[str]:
    tags = ["actor", "concurrency", "reliability"]
    match = re.fullmatch(r"OTP(\d)\d+", info.code)
    if match and info.pack == "otplint" and match[1] in _TOPICS:
        tags.append(_TOPICS[match[1]])
    if info.preview:
        tags.append("preview")
    return tags


def _unlisted(findings: Iterable[Finding]) -> Iterable[RuleInfo]:
    """Stand-ins for rules that found something and are not in the report's list: a result must have a rule."""
    worst: dict[str, Severity] = {}
    first: dict[str, Finding] = {}
    for finding in findings:
        known = worst.get(finding.code, finding.severity)
        worst[finding.code] = max(known, finding.severity, key=lambda severity: severity.rank)
        first.setdefault(finding.code, finding)
    for code, finding in sorted(first.items()):
        name = one_line(finding.name) or code
        yield RuleInfo(code, name, worst[code], finding.confidence, summary="")
