"""What judging one file gave: plain data, to be joined, sent between processes and kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from otplint.facts.index.project import Answer, Question
from otplint.findings import Failure, Finding

Headed = tuple[Finding, tuple[int, int]]
"""A finding with the first and last line of its statement's header."""


@dataclass(slots=True)
class Unit:
    """The findings of one file (or of one rule over all files), and what they hang on."""

    path: str
    """Relative; for a rule over all files its code."""
    findings: list[Headed] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    notes: dict[str, list[object]] = field(default_factory=dict)
    """What the actors contribute to the rules over the whole project, by code."""
    actors: int = 0
    asked: dict[Question, Answer] = field(default_factory=dict)
    """The questions to other files that were asked, with their answers; empty where nobody records."""
