"""``--statistics`` and ``--timing``: small tables for standard error."""

from __future__ import annotations

from collections import Counter

from otplint.findings import Report, Timing


def statistics(report: Report) -> str:
    """The number of findings of each rule, most first."""
    counts = Counter((finding.code, finding.name) for finding in report.findings)
    rows = [
        f"{count:>6}  {code} {name}"
        for (code, name), count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    return "\n".join(rows) or "     0  findings"


def timing_table(timing: Timing, wall: float) -> str:
    """What each stage and each rule took.

    Args:
        timing: seconds of the processor, over all processes.
        wall: seconds by the clock on the wall, for all of it.
    """
    whole = sum(seconds for _, seconds in timing.stages)
    lines = ["   CPU s  share  stage"]
    lines += [f"{seconds:>8.3f}  {_share(seconds, whole)}  {stage}" for stage, seconds in timing.stages]
    lines += [f"{whole:>8.3f}  {_share(whole, whole)}  all, in {wall:.3f} s", ""]
    lines += ["   CPU s  share   calls  findings  rule"]
    for rule in sorted(timing.rules, key=lambda rule: (-rule.seconds, rule.code)):
        took = f"{rule.seconds:>8.3f}  {_share(rule.seconds, whole)}"
        lines.append(f"{took}  {rule.calls:>6}  {rule.findings:>8}  {rule.code} {rule.name}")
    return "\n".join(lines)


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole if whole else 0:>3.0f} %"
