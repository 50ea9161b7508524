"""From what the rules say to what is reported: doubles, comments, confidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from otplint.api import Rule
from otplint.engine import suppress
from otplint.engine.collect import Files, Looked
from otplint.engine.judge import Judged
from otplint.engine.packs import load_rules
from otplint.engine.units import Headed
from otplint.findings import Confidence, Finding


def keep(
    judged: Judged,
    found: Looked,
    files: Files,
    rules: Sequence[Rule],
    listed: frozenset[str],
    min_confidence: Confidence,
    left_out: Callable[[str], frozenset[str]],
    *,
    suppressions: bool,
) -> tuple[list[Finding], int]:
    """The findings to report, sorted, and how many comments hid; ``left_out`` as for :func:`judge`.

    Comments are applied before the confidence counts: one that silences a finding nobody asked for is not unused.
    """
    by_path: dict[str, list[Headed]] = {}
    for finding, header in distinct(judged.findings):
        if finding.span.path in listed:
            by_path.setdefault(finding.span.path, []).append((finding, header))
    kept: list[Finding] = []
    hidden = 0
    commented = set(found.commented) if suppressions else set()
    for path in sorted({*by_path, *commented} - {failure.path for failure in found.failures}):
        if path in commented:
            ran = [rule for rule in rules if rule.code not in left_out(path)]
            more, silenced = _uncommented(path, by_path.get(path, []), files, ran, min_confidence)
            kept += more
            hidden += silenced
        else:
            kept += [finding for finding, _ in by_path[path]]
    kept = [finding for finding in kept if finding.confidence.rank >= min_confidence.rank]
    return sorted(kept, key=lambda finding: finding.sort_key), hidden


def _uncommented(
    path: str, pairs: Sequence[Headed], files: Files, rules: Sequence[Rule], min_confidence: Confidence
) -> tuple[list[Finding], int]:
    """The findings of one file that no comment hides, those about its comments, and how many were hidden."""
    comments = suppress.Suppressions.of(files.text(path))
    headers = {id(finding): range(first, last + 1) for finding, (first, last) in pairs}
    applied = suppress.apply([finding for finding, _ in pairs], comments, lambda finding: headers[id(finding)])
    known = {rule.code: rule.name for rule in load_rules()}
    running = {rule.code: rule for rule in rules}
    about = suppress.housekeeping(comments, path, used=applied.used, known=known, ran=running)
    told = [replace(f, severity=running[f.code].info().severity) for f in about if f.code in running]
    hidden = sum(s.finding.confidence.rank >= min_confidence.rank for s in applied.suppressed)
    return [*applied.kept, *told], hidden


def distinct(findings: Iterable[Headed]) -> list[Headed]:
    """One of each: a mixin's method is seen again in each actor that uses it."""
    seen: set[tuple[str, object]] = set()
    found: list[Headed] = []
    for finding, header in sorted(findings, key=lambda p: (p[0].sort_key, -p[0].confidence.rank, p[0].actor)):
        if (key := (finding.code, finding.span)) not in seen:
            seen.add(key)
            found.append((finding, header))
    return found
