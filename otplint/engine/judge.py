"""Ask the rules about the actors of some files."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from otplint.api import Actor, ProjectRule, Rule
from otplint.engine.clock import OFF, Clock
from otplint.engine.units import Headed, Unit
from otplint.facts.facts import Facts
from otplint.facts.index.entries import ModuleIndex, Unparsable
from otplint.findings import Failure, Finding

_STACK = 12_000
"""Python frames: expressions that LibCST reads may nest far deeper than Python's default limit of 1,000."""


@dataclass
class Judged:
    """What is found in some files before suppressions."""

    findings: list[Headed] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    actors: int = 0
    notes: dict[str, list[object]] = field(default_factory=dict)
    """What actors contribute to the rules over the whole project, by code."""
    units: list[Unit] = field(default_factory=list)
    pulled: dict[str, bool] = field(default_factory=dict)
    """The files that were not selected and asked for, each with whether it is there; only where somebody records."""
    clock: Clock = field(default=OFF, compare=False)

    @classmethod
    def of(cls, units: Iterable[Unit]) -> Judged:
        """What some units give together."""
        found = cls()
        for unit in units:
            found.take(unit)
        return found

    def take(self, unit: Unit) -> None:
        """Join one unit."""
        self.units.append(unit)
        self.findings += unit.findings
        self.failures += unit.failures
        self.actors += unit.actors
        for rule, notes in unit.notes.items():
            self.notes.setdefault(rule, []).extend(notes)

    def add(self, other: Judged) -> None:
        """Join the results of other files."""
        self.findings += other.findings
        self.failures += other.failures
        self.actors += other.actors
        self.units += other.units
        self.pulled |= other.pulled
        for rule, notes in other.notes.items():
            self.notes.setdefault(rule, []).extend(notes)


def judge(
    indexes: Iterable[ModuleIndex],
    facts: Facts,
    rules: Sequence[Rule],
    left_out: Callable[[str], frozenset[str]],
    clock: Clock = OFF,
) -> Judged:
    """Run ``rules`` on the actors of these files; ``left_out`` gives the codes that do not run on a path."""
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _STACK))
    found = Judged(clock=clock.fresh())
    for index in indexes:
        with found.clock.stage("facts"):
            facts.let_go()  # what one file leads to is worked out for itself, so that memory stays bounded
        unit = Unit(index.path)
        with facts.recording(unit.asked), found.clock.stage("facts"):
            facts.source(index)
            facts.project.note("module", index.path, answer=index.module)
            _judge_file(index, facts, rules, left_out, unit, found.clock)
        found.take(unit)
    facts.regions.keep()
    if facts.recorded:
        found.pulled = facts.project.pulled()
    return found


def _judge_file(
    index: ModuleIndex,
    facts: Facts,
    rules: Sequence[Rule],
    left_out: Callable[[str], frozenset[str]],
    unit: Unit,
    clock: Clock,
) -> None:
    try:
        actors = facts.actors(index)
    except Unparsable as error:
        unit.failures.append(Failure(index.path, error.line, f"syntax error: {error.message}"))
        return
    except RecursionError:
        unit.failures.append(Failure(index.path, 1, "an expression nests too deeply to be analysed"))
        return
    unit.actors = sum(actor.is_actor for actor in actors)
    for rule in rules:
        _announce(rule, facts)
        with clock.rule(rule.code, unit.findings), _blamed(rule, unit):
            _keep(rule.check_file(index, facts), facts, left_out, unit)
        for actor in actors:
            if concerns(rule, actor):
                with clock.rule(rule.code, unit.findings), _blamed(rule, unit, actor.name):
                    _keep(rule.check(actor), facts, left_out, unit)
                    if isinstance(rule, ProjectRule):
                        unit.notes.setdefault(rule.code, []).extend(rule.notes(actor))


def judge_together(
    notes: Mapping[str, Sequence[object]],
    facts: Facts,
    rules: Iterable[Rule],
    left_out: Callable[[str], frozenset[str]],
    clock: Clock = OFF,
) -> Judged:
    """Let the rules over the whole project say what the notes of all files amount to."""
    found = Judged()
    for rule in rules:
        if isinstance(rule, ProjectRule):
            _announce(rule, facts)
            unit = Unit("")
            with clock.rule(rule.code, unit.findings), _blamed(rule, unit):
                _keep(rule.check_project(notes.get(rule.code, ()), facts), facts, left_out, unit)
            found.take(unit)
    return found


def _keep(findings: Iterable[Finding], facts: Facts, left_out: Callable[[str], frozenset[str]], unit: Unit) -> None:
    for finding in findings:
        if finding.code not in left_out(finding.span.path):
            unit.findings.append((finding, facts.header_lines(finding.span)))


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
def _blamed(rule: Rule, unit: Unit, actor: str = "") -> Iterator[None]:
    """Turn what a rule raises into a failure that names it."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - a rule is a plug-in: its bug must not hide the others' findings
        where = f"{type(error).__name__}: {error}".splitlines()[0]
        unit.failures.append(
            Failure(unit.path, 0, f"rule {rule.code} failed{f' on {actor}' if actor else ''}: {where}")
        )
