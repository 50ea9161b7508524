"""Writes the pages, and the parts of pages, that say what the code, a scan and the recorded proofs say.

``make docs`` runs the proofs and then this; tests/test_docs.py fails where a page is stale. Nothing is written twice by
hand: rules' pages are their docstrings, the figures are those of ``measured.json`` beside each rule's programs.
"""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from otplint.api import Rule
from otplint.cli.explain import markdown_page
from otplint.cli.proofs import page, proof_of, value, verdict
from otplint.cli.rules import markdown_table
from otplint.config import Config
from otplint.engine.packs import load_rules
from otplint.engine.run import scan
from otplint.engine.select import build, choose
from otplint.findings import Confidence, Finding, Report, RuleInfo
from otplint.output import render
from otplint.output.pages import fenced, index_page, page_name
from otplint.output.summary import summary
from otplint.proof.record import recorded
from otplint.proof.results import ItemShown, Proof

ROOT = Path(__file__).resolve().parent.parent
SYSTEM = ROOT / "fixtures" / "flaws_report3"

INDEX_HEAD = """\
# The rules

Each page is the rule's docstring: why it matters, what happens at run time, a bad and a good example, what the rule
leaves alone, where the report that it comes from is wrong, and what its programs showed on the
[reference runtime](../runtime.md). `otplint explain RULE` prints the same. [What a proof says](../proofs.md);
[where the report is wrong](../report.md).

*Proof*: *proved* where all schedules of both programs were tried, *shown* where fewer were, *exempt* where the runtime
cannot show it. *Fix*: what `--fix` (safe) or `--fix --unsafe-fixes` (unsafe) can repair. *From*: the item of the
report. Rules marked *preview* are off unless they are selected.

"""
FOOT = "\n[All rules](README.md)\n"

ITEMS = {
    "Flaw 13": (
        "monitors that are never released (critical)",
        (
            "The coordination manager watches every agent it has to do with and never lets go of one. The report "
            "blames the DOWN handler, where a monitor is gone already; what adds up is the agents that live on."
        ),
    ),
    "Smell 6": (
        "a handler that catches everything (high)",
        (
            "The task agent runs its whole action inside one clause for every exception, so that a bug looks like a "
            "task that failed, and the supervisor never hears of it."
        ),
    ),
    "Smell 7": (
        "numbers nobody can tune (medium)",
        (
            "An error limit of 10, a breaker that opens after 5 failures, a buffer of 100 messages, an alarm at 100 "
            "MB: each decides how the system behaves, and none can be set where it runs."
        ),
    ),
    "Bug 4": (
        "the order of the buffer (taken back)",
        (
            "The report suspects that the buffer gives back its messages in the wrong order, reads the code once more "
            "and takes it back: they are put in front, and reversed when they are drained. otplint says nothing here "
            "either."
        ),
    ),
    "Recommendation 1": (
        "state that outlives a crash (highest priority)",
        "Tasks that were acknowledged live in the memory of one process, and go when it does.",
    ),
    "Recommendation 2": (
        "one process, one job",
        (
            "One coordinator holds all workflows: what ends one of them ends them all. And a process for each is not "
            "enough while they share one restart budget."
        ),
    ),
    "Recommendation 3": (
        "communication that tells when it fails",
        (
            "When a call fails the manager falls back to a raw send. The report calls that unreliable; after a "
            "timeout it is worse, for the request is then carried out twice."
        ),
    ),
    "Recommendation 4": (
        "the same supervision under test and in production",
        (
            "The application asks whether it is being tested and then allows 100 restarts in 10 seconds in the place "
            "of 3 in 5: what the tests see survive is dead in production."
        ),
    ),
}
"""What the report says, in other words; in its own order."""

_LONGEST_CHANGE = 40
"""Lines of a diff that are shown."""
_FOLDER = "../fixtures/flaws_report3"


def documents() -> dict[str, str]:
    """What each page should hold, by its path from the repository's top."""
    rules = [rule for rule in load_rules() if rule.pack == "otplint"]
    before = report_of("before")
    found = {f"docs/rules/{name}": text for name, text in rule_pages(rules)}
    found["README.md"] = with_parts("README.md", rules=rule_table(rules), example=example(before))
    found["docs/proofs.md"] = with_parts("docs/proofs.md", proofs=page(proofs(rules)))
    found["docs/frameworks.md"] = with_parts("docs/frameworks.md", programs=programs())
    items = walk(before, [rule().info() for rule in rules])
    found["docs/before-and-after.md"] = with_parts("docs/before-and-after.md", items=items)
    return found


def programs() -> str:
    """What is reported in the program of each framework: a table of rules and frameworks."""
    rules = build([rule for rule in load_rules() if rule.pack == "otplint" and rule.code < "OTP9"])
    folders = sorted(path.parent for path in (ROOT / "fixtures" / "frameworks").glob("*/program.py"))
    sure: dict[tuple[str, str], Confidence] = {}
    for folder in folders:
        for finding in scan([folder], Config(min_confidence=Confidence.LOW), rules, root=folder, jobs=1).findings:
            key = folder.name, finding.code
            sure[key] = max(sure.get(key, Confidence.LOW), finding.confidence, key=lambda c: c.rank)
    lines = [f"| | {' | '.join(folder.name for folder in folders)} |", "| --- |" + " :-: |" * len(folders)]
    for rule in rules:
        known = [sure.get((folder.name, rule.code)) for folder in folders]
        cells = ["-" if c is None else "low" if c is Confidence.LOW else "yes" for c in known]
        lines.append(f"| {rule.code} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def leftovers() -> list[str]:
    """Pages of rules that there are no more."""
    names = {page_name(rule().info()) for rule in load_rules()} | {"README.md"}
    return sorted(f"docs/rules/{path.name}" for path in (ROOT / "docs" / "rules").glob("*") if path.name not in names)


def stale() -> list[str]:
    """The paths of pages that do not say what they should, or should not be there."""
    wrong = [path for path, text in documents().items() if not (ROOT / path).is_file() or current(path) != text]
    return sorted([*wrong, *leftovers()])


def write() -> list[str]:
    """Bring all pages up to date, and return the paths of those that were not."""
    changed = leftovers()
    for path in changed:
        (ROOT / path).unlink()
    for path, text in documents().items():
        if not (ROOT / path).is_file() or current(path) != text:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(text, encoding="utf-8", newline="\n")
            changed.append(path)
    return sorted(changed)


def current(path: str) -> str:
    """A page as it is."""
    return (ROOT / path).read_text(encoding="utf-8")


def rule_pages(rules: list[type[Rule]]) -> Iterator[tuple[str, str]]:
    """The name and text of each rule's page, and of the index."""
    for rule in rules:
        yield page_name(rule().info()), markdown_page(rule) + FOOT
    found = {rule.code: proof for rule in rules if (proof := proof_of(rule)) is not None}
    verdicts = {code: verdict(proof) for code, proof in found.items()}
    yield "README.md", INDEX_HEAD + index_page([rule().info() for rule in rules], verdicts)


def rule_table(rules: list[type[Rule]]) -> str:
    """The README's table."""
    return markdown_table([rule().info() for rule in rules])


def example(before: Report) -> str:
    """The first findings of the shipped example that are about one place, as a scan prints them."""
    first = replace(before, findings=tuple(f for f in before.findings if not f.related)[:2])
    return f"```text\n{render('text', first, width=100)}...\n{summary(before)}\n```\n"


def proofs(rules: list[type[Rule]]) -> list[Proof]:
    """What was recorded of each rule that has a proof, and of the report's system."""
    found = [proof for rule in rules if (proof := proof_of(rule)) is not None]
    return [*found, proof_of_system()]


def proof_of_system() -> Proof:
    """What was recorded of the report's system.

    Raises:
        ValueError: it has changed since.
    """
    found = recorded(SYSTEM)
    if found is None:
        raise ValueError("fixtures/flaws_report3 has changed: 'otplint prove flaws_report3 --save' measures it anew")
    return found


def report_of(version: str) -> Report:
    """What a scan with the default rules says about one version of the report's system."""
    return scan([SYSTEM / version], Config(), build(choose(load_rules())), root=ROOT, jobs=1)


def walk(before: Report, infos: Sequence[RuleInfo]) -> str:
    """A section for each item of the report, and one for each other item that a rule reports here."""
    proof = proof_of_system()
    others = sorted({info.report for info in infos if info.report and info.report not in ITEMS}, key=_by_number)
    sections = [_section(item, before, infos, proof) for item in [*ITEMS, *others]]
    unreported = [shown for shown in proof.items if not shown.code]
    if unreported:
        text = "Harms that the crash script sees and that no rule reports yet.\n\n" + _table(unreported)
        sections.append(f"## Without a rule\n\n{text}\n")
    return "\n".join(section for section in sections if section)


def _section(item: str, before: Report, infos: Sequence[RuleInfo], proof: Proof) -> str:
    """One item; empty for one of another report that nothing here is about."""
    rules = {info.code: info for info in infos if info.report == item}
    findings = [finding for finding in before.findings if finding.code in rules]
    shown = [one for one in proof.items if one.code in rules]
    if item not in ITEMS and not findings and not shown:
        return ""
    seen = {finding.code for finding in findings} | {one.code for one in shown}
    title, said = ITEMS.get(item, (", ".join(info.name for info in rules.values() if info.code in seen), ""))
    blocks = [f"## {item}: {title}", *([said] if said else [])]
    blocks += [block for finding in findings for block in _found(finding, rules[finding.code], before)]
    if not findings:
        blocks.append("Nothing is reported here.")
    if shown:
        blocks.append(_table(shown))
    return "\n\n".join(blocks) + "\n"


def _found(finding: Finding, info: RuleInfo, before: Report) -> Iterator[str]:
    """Where it is found, what is said, and what became of the place."""
    span = finding.span
    file = span.path.partition("/before/")[2]
    yield (
        f"[before/{file}:{span.line}]({_FOLDER}/before/{file}#L{span.line}), "
        f"[{info.code} {info.name}](rules/{page_name(info)}):"
    )
    yield fenced(render("text", replace(before, findings=(finding,)), width=100).rstrip("\n"), "text")
    change = _change(file, range(span.line, span.end_line + 1))
    if change:
        yield f"In [after/{file}]({_FOLDER}/after/{file}):"
        yield fenced(change, "diff")
    elif (SYSTEM / "after" / file).is_file():
        yield f"Repaired in [after/{file}]({_FOLDER}/after/{file})."
    else:
        yield f"There is no {file} after the repairs; what it did is elsewhere in [after]({_FOLDER}/after)."


def _change(file: str, lines: range) -> str:
    """The part of the file's diff that has these lines of the old version; empty where there is none, or a long one."""
    old, new = (SYSTEM / version / file for version in ("before", "after"))
    if not new.is_file():
        return ""
    diff = difflib.unified_diff(_lines(old), _lines(new), n=1, lineterm="")
    hunk: list[str] = []
    taken = False
    at = 0
    for line in diff:
        if line.startswith("@@"):
            if taken:
                break
            hunk, at = [], int(re.split(r"[-,+ ]+", line)[1])
        elif line.startswith(("---", "+++")):
            continue
        else:
            hunk.append(line.rstrip())
            taken = taken or (line[0] == "-" and at in lines)
            at += line[0] != "+"
    return "\n".join(hunk) if taken and len(hunk) <= _LONGEST_CHANGE else ""


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split("\n")


def _table(shown: Iterable[ItemShown]) -> str:
    rows = ["| the crash script sees | before | after |", "|---|---|---|"]
    rows += [f"| {one.name} | {value(one.before)} | {value(one.after)} |" for one in shown]
    return "\n".join(rows)


def _by_number(item: str) -> tuple[str, int]:
    word, _, number = item.partition(" ")
    return word, int(number) if number.isdigit() else 0


def with_parts(path: str, **parts: str) -> str:
    """A page with the text between ``<!-- mark -->`` and ``<!-- /mark -->`` replaced.

    Raises:
        ValueError: the page has no such marks.
    """
    text = current(path)
    for mark, wanted in parts.items():
        before, start, rest = text.partition(f"<!-- {mark} -->\n")
        _, end, after = rest.partition(f"<!-- /{mark} -->")
        if not (start and end):
            raise ValueError(f"{path}: no part <!-- {mark} --> ... <!-- /{mark} -->")
        text = f"{before}{start}{wanted}{end}{after}"
    return text


if __name__ == "__main__":
    for changed in write():
        sys.stdout.write(f"{changed}\n")
