"""GitHub Actions annotations: workflow commands that the runner reads from the log.

Escapes as in the runner's toolkit (``command.ts``): ``%``, CR and LF in the message; ``:`` and ``,`` as well in a
property. Columns are only given where the span is on one line, as annotations know no others.
"""

from __future__ import annotations

from otplint.findings import Failure, Finding, Report
from otplint.output.plain import one_line, visible

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def render(report: Report) -> str:
    """A workflow command per finding and per file that could not be analysed."""
    lines = [_finding(finding) for finding in report.findings]
    lines += [_failure(failure) for failure in report.failures]
    return "".join(f"{line}\n" for line in lines)


def _finding(finding: Finding) -> str:
    span = finding.span
    properties: dict[str, str | int] = {"file": visible(span.path), "line": span.line, "endLine": span.end_line}
    if span.line == span.end_line:
        properties |= {"col": span.column, "endColumn": span.end_column}
    properties["title"] = f"{finding.code} {finding.name}"
    text = [one_line(finding.problem)]
    if finding.consequence:
        text.append(f"At run time: {one_line(finding.consequence)}")
    if finding.remedy:
        text.append(f"What to do: {one_line(finding.remedy)}")
    text += [f"{visible(place.span.path)}:{place.span.line}: {one_line(place.message)}" for place in finding.related]
    return _command(_COMMANDS[finding.severity.sarif_level], properties, "\n".join(text))


def _failure(failure: Failure) -> str:
    properties: dict[str, str | int] = {"file": visible(failure.path)}
    if failure.line:
        properties["line"] = failure.line
    properties["title"] = "otplint could not analyse this file"
    return _command("error", properties, one_line(failure.message))


def _command(name: str, properties: dict[str, str | int], message: str) -> str:
    listed = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"::{name} {listed}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
