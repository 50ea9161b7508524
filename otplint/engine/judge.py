"""Ask the rules about the actors of some files."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from otplint.api import Actor, ProjectRule, Rule
from otplint.facts.facts import Facts
from otplint.facts.index.entries import ModuleIndex, Unparsable
from otplint.findings import Failure, Finding

_STACK = 12_000
"""Python frames: expressions that LibCST reads may nest far deeper than Python's default limit of 1,000."""


@dataclass
class Judged:
    """Findings of some files before suppressions, each with the lines of its statement's header."""

    findings: list[tuple[Finding, tuple[int, int]]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    actors: int = 0
    notes: dict[str, list[object]] = field(default_factory=dict)
    """What actors contribute to the rules over the whole project, by code."""

    def keep(self, findings: Iterable[Finding], facts: Facts, left_out: Callable[[str], frozenset[str]]) -> None:
        """Add the findings of one rule, but for those that do not run on their path."""
        for finding in findings:
            if finding.code not in left_out(finding.span.path):
                self.findings.append((finding, facts.header_lines(finding.span)))

    def add(self, other: Judged) -> None:
        """Join the results of other files."""
        self.findings += other.findings
        self.failures += other.failures
        self.actors += other.actors
        for rule, notes in other.notes.items():
            self.notes.setdefault(rule, []).extend(notes)


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
        facts.let_go()  # what one file leads to is worked out for itself, so that memory stays bounded
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
            with _blamed(rule, index.path, found):
                found.keep(rule.check_file(index, facts), facts, left_out)
            for actor in actors:
                if concerns(rule, actor):
                    with _blamed(rule, index.path, found, actor.name):
                        found.keep(rule.check(actor), facts, left_out)
                        if isinstance(rule, ProjectRule):
                            found.notes.setdefault(rule.code, []).extend(rule.notes(actor))
    return found


def judge_together(
    notes: Mapping[str, Sequence[object]],
    facts: Facts,
    rules: Iterable[Rule],
    left_out: Callable[[str], frozenset[str]],
) -> Judged:
    """Let the rules over the whole project say what the notes of all files amount to."""
    found = Judged()
    for rule in rules:
        if isinstance(rule, ProjectRule):
            _announce(rule, facts)
            with _blamed(rule, "", found):
                found.keep(rule.check_project(notes.get(rule.code, ()), facts), facts, left_out)
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


@contextlib.contextmanager
def _blamed(rule: Rule, path: str, found: Judged, actor: str = "") -> Iterator[None]:
    """Turn what a rule raises into a failure that names it."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a rule is a plug-in: its bug must not hide the others' findings
        where = f"{type(error).__name__}: {error}".splitlines()[0]
        found.failures.append(Failure(path, 0, f"rule {rule.code} failed{f' on {actor}' if actor else ''}: {where}"))
