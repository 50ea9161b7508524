"""Ask the rules about the actors of some files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from otplint.api import Rule
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
            for actor in actors:
                if rule.frameworks and actor.framework.name not in rule.frameworks:
                    continue
                try:
                    for finding in rule.check(actor):
                        if finding.code not in left_out(finding.span.path):
                            found.findings.append((finding, facts.header_lines(finding.span)))
                except Exception as error:  # noqa: BLE001 - a rule is a plug-in: its bug must not hide the others' findings
                    where = f"{type(error).__name__}: {error}".splitlines()[0]
                    found.failures.append(Failure(index.path, 0, f"rule {rule.code} failed on {actor.name}: {where}"))
    return found
