"""One JSON object per line, for streams: findings, then errors, then the summary; ``kind`` tells them apart."""

from __future__ import annotations

import json
from collections.abc import Iterator

from otplint.findings import Report
from otplint.output.json_object import error_object, finding_object, summary_object


def render(report: Report) -> str:
    """A line per finding and error, and one for the summary; fields as in ``--format json``."""
    return "".join(json.dumps(record) + "\n" for record in _records(report))


def _records(report: Report) -> Iterator[dict[str, object]]:
    for finding in report.findings:
        yield {"kind": "finding", **finding_object(finding)}
    for failure in report.failures:
        yield {"kind": "error", **error_object(failure)}
    yield {"kind": "summary", "version": report.version, **summary_object(report)}
