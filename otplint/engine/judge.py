"""Ask the rules about the actors of some files."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from otplint.api import Actor, ProjectRule, Rule
from otplint.facts.facts import Facts
from otplint.facts.index.entries import ModuleIndex, Unparsable
from otplint.findings import Failure, Finding

_Subject = TypeVar("_Subject")
_STACK = 12_000
"""Python frames: expressions that LibCST reads may nest far deeper than Python's default limit of 1,000."""


@dataclass
class Judged:
    """Findings of some files before suppressions, each with the lines of its statement's header."""

    findings: list[tuple[Finding, tuple[int, int]]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    actors: int = 0

    def add(self, other: Judged) -> None:
        """Join the results of other files."""
        self.findings += other.findings
        self.failures += other.failures
        self.actors += other.actors


def judge(
    indexes: Iterable[ModuleIndex],
    facts: Facts,
    rules: Sequence[Rule],
    left_out: Callable[[str], frozenset[str]],
) -> Judged:
    """Run ``rules`` on the actors of these files; ``left_out`` gives the codes that do not run on a path."""
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _STACK))
    found = Judged()
    for index in indexes:
        try:
            actors = facts.actors(index)
        except Unparsable as error:
            found.failures.append(Failure(index.path, error.line, f"syntax error: {error.message}"))
            continue
        except RecursionError:
            found.failures.append(Failure(index.path, 1, "an expression nests too deeply to be analysed"))
            continue
        found.actors += sum(actor.is_actor for actor in actors)
        for rule in rules:
            _announce(rule, facts)
            for actor in actors:
                if concerns(rule, actor):
                    _ask(rule.check, actor, f"{rule.code} failed on {actor.name}", index.path, facts, left_out, found)
    return found


def judge_together(
    indexes: Sequence[ModuleIndex], facts: Facts, rules: Iterable[Rule], left_out: Callable[[str], frozenset[str]]
) -> Judged:
    """Run the rules that look at all actors at once; without such rules nothing is parsed."""
    found = Judged()
    together = [rule for rule in rules if isinstance(rule, ProjectRule)]
    actors: list[Actor] = []
    for index in indexes if together else ():
        with contextlib.suppress(Unparsable, RecursionError):  # already told by judge()
            actors += facts.actors(index)
    for rule in together:
        _announce(rule, facts)
        chosen = [actor for actor in actors if concerns(rule, actor)]
        _ask(rule.check_project, chosen, f"{rule.code} failed", "", facts, left_out, found)
        _ask(rule.check_functions, facts, f"{rule.code} failed", "", facts, left_out, found)
    return found


def concerns(rule: Rule, actor: Actor) -> bool:
    """Whether a rule is asked about an actor at all."""
    if actor.in_test_file and not rule.about_tests:
        return False
    return not rule.frameworks or actor.framework.name in rule.frameworks


def _announce(rule: Rule, facts: Facts) -> None:
    """Tell who listens to the reasons for silence whose they are."""
    if facts.exemptions is not None:
        facts.exemptions.rule = rule.code


def _ask(
    check: Callable[[_Subject], Iterable[Finding]],
    subject: _Subject,
    trouble: str,
    path: str,
    facts: Facts,
    left_out: Callable[[str], frozenset[str]],
    found: Judged,
) -> None:
    try:
        for finding in check(subject):
            if finding.code not in left_out(finding.span.path):
                found.findings.append((finding, facts.header_lines(finding.span)))
    except Exception as error:  # noqa: BLE001 - a rule is a plug-in: its bug must not hide the others' findings
        where = f"{type(error).__name__}: {error}".splitlines()[0]
        found.failures.append(Failure(path, 0, f"rule {trouble}: {where}"))
