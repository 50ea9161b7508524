"""What a scan says: plain frozen data, the same in one process or many.

Nothing here knows how a finding was made or how it is shown.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field


class Severity(enum.Enum):
    """How bad the harm is; the scale of the report that the rules come from."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for low up to 3 for critical."""
        return _SEVERITIES.index(self)

    @property
    def sarif_level(self) -> str:
        """The SARIF level: ``error``, ``warning`` or ``note``."""
        return {"critical": "error", "high": "error", "medium": "warning", "low": "note"}[self.value]


class Confidence(enum.Enum):
    """How sure the facts are: all resolved, heuristic, or worth a look."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for low up to 2 for high."""
        return _CONFIDENCES.index(self)


_SEVERITIES = [Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL]
_CONFIDENCES = [Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A region of one file: lines and columns count from 1, in characters; the end column is exclusive."""

    path: str
    """Relative to the project root, POSIX separators."""
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that tells part of the story."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the text of one span."""

    span: Span
    replacement: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A mechanical repair. A safe one keeps every other behaviour."""

    message: str
    edits: tuple[Edit, ...]
    safe: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """One setting of a rule: its name, default (whose type is the option's type) and a line of help."""

    name: str
    default: bool | int | float | str | tuple[str, ...]
    help: str


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """What readers of a report need to know about a rule, without the rule's code."""

    code: str
    """``OTP201``."""
    name: str
    """``broad-except-in-handler``."""
    severity: Severity
    confidence: Confidence
    summary: str
    """One sentence, ending with a period."""
    sections: Mapping[str, str] = field(default_factory=dict)
    """Docstring sections by heading (``Why``, ``Harm``, ``Bad``, ``Good``, ``Limits``, ``Report``), dedented."""
    options: tuple[Option, ...] = ()
    preview: bool = False
    report: str = ""
    """The item of the report that the rule comes from, e.g. ``Smell 6``."""
    proof: str = ""
    """``same construct``, ``analogue`` or ``exempt``; empty where there is no fixture yet."""
    pack: str = "otplint"
    """The distribution that ships the rule."""
    fix: str = ""
    """``safe`` or ``unsafe`` where some of the rule's findings can be repaired mechanically."""
    frameworks: tuple[str, ...] = ()
    """Frameworks that the rule is about; empty for all."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where actor code defeats its own supervision."""

    code: str
    name: str
    severity: Severity
    confidence: Confidence
    span: Span
    problem: str
    """What is wrong here, with names from the code: one sentence, ending with a period."""
    consequence: str = ""
    """What happens at run time."""
    remedy: str = ""
    """What to do."""
    actor: str = ""
    """Qualified name of the actor inside its module, e.g. ``Manager``."""
    handler: str = ""
    """The function that holds the finding, e.g. ``handle_call``."""
    framework: str = ""
    related: tuple[Related, ...] = ()
    fix: Fix | None = None
    fingerprint: str = ""
    """Set by the engine: stable under moves of lines."""
    pack: str = "otplint"
    """The distribution that ships the rule."""

    @property
    def message(self) -> str:
        """Problem, consequence and remedy as one text."""
        return " ".join(part for part in (self.problem, self.consequence, self.remedy) if part)

    @property
    def sort_key(self) -> tuple[Span, str, str]:
        """Order of a report: place, then code."""
        return (self.span, self.code, self.problem)


@dataclass(frozen=True, slots=True, order=True)
class Failure:
    """A file (or a rule on a file) that otplint could not analyse; makes the exit status 2."""

    path: str
    line: int
    """0 where no line is known."""
    message: str


@dataclass(frozen=True, slots=True)
class RuleTime:
    """What one rule took."""

    code: str
    name: str
    seconds: float
    """Of the processor, over all processes; with the facts that it was the first to ask for."""
    calls: int
    """Questions: actors, files, and the project."""
    findings: int
    """Before comments, confidence and doubles are looked at."""


@dataclass(frozen=True, slots=True)
class Timing:
    """What a scan took, where somebody asked."""

    stages: tuple[tuple[str, float], ...]
    """Names and seconds of the processor, over all processes, in the order of the way of the data."""
    rules: tuple[RuleTime, ...]
    """All rules that ran, in the order of the report's."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything one scan has to say; the only argument of every output format."""

    version: str
    findings: tuple[Finding, ...]
    """Sorted by :attr:`Finding.sort_key`."""
    failures: tuple[Failure, ...] = ()
    rules: tuple[RuleInfo, ...] = ()
    """All enabled rules, by code, whether they found something or not."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Decoded text of each file that has a finding, by path; line ends as in the file."""
    files: int = 0
    """Files walked."""
    analysed: int = 0
    """Files that triage selected."""
    actors: int = 0
    """Actors found."""
    suppressed: int = 0
    """Findings hidden by comments."""
    timing: Timing | None = None

    @property
    def mentioned(self) -> tuple[str, ...]:
        """The files that the report shows, sorted."""
        spans = [span for f in self.findings for span in (f.span, *(r.span for r in f.related))]
        return tuple(sorted({span.path for span in spans}))
