"""Names for findings that outlive moves of lines: what baselines, caches and code scanning compare.

A fingerprint is made of the rule, the path, the actor and handler, the reported text (blanks do not count), and, for
findings that are equal in all of this, their number in the file. Renaming the file or the actor makes a new one.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from otplint.findings import Finding
from otplint.sources.positions import LineTable


def fingerprint(finding: Finding, text: str | LineTable, occurrence: int = 1) -> str:
    """32 hexadecimal digits that stand for a finding.

    Args:
        finding: its ``fingerprint`` field does not count.
        text: of the file that it is in, decoded, or the file's lines where they are known already.
        occurrence: 1 for the first of several findings that differ in nothing but their place, 2 for the second, ...
    """
    table = text if isinstance(text, LineTable) else LineTable(text)
    return _digest([*_identity(finding, table), str(occurrence)])


def assign(findings: Iterable[Finding], sources: Mapping[str, str]) -> tuple[Finding, ...]:
    """The findings in the order of a report, each with its fingerprint.

    Args:
        findings: of any number of files.
        sources: decoded text by path.

    Raises:
        KeyError: a finding is in a file that *sources* does not have.
    """
    tables: dict[str, LineTable] = {}
    seen: Counter[tuple[str, ...]] = Counter()
    named = []
    for finding in sorted(findings, key=lambda finding: finding.sort_key):
        path = finding.span.path
        if path not in tables:
            tables[path] = LineTable(sources[path])
        identity = _identity(finding, tables[path])
        seen[identity] += 1
        named.append(replace(finding, fingerprint=_digest([*identity, str(seen[identity])])))
    return tuple(named)


def _identity(finding: Finding, table: LineTable) -> tuple[str, ...]:
    span = finding.span
    snippet = table.slice(span.line, span.column, span.end_line, span.end_column)
    return finding.code, span.path, f"{finding.actor}.{finding.handler}", " ".join(snippet.split())


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
