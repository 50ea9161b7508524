"""Comments that silence findings, and the findings about such comments (family OTP9).

``# otplint: ignore[OTP201] reason`` on any line of the reported statement's header, or alone on the line above it;
``# otplint: ignore-file[magic-threshold] reason`` on a line of its own; ``# noqa: OTP201 reason``. Codes and names
count in any case, several with commas between them. Between a comment of its own line and the code it speaks of there
may be further comments and blank lines.

A comment that names no rule silences nothing: ``# otplint: ignore`` is reported (OTP903), and a bare ``# noqa`` belongs
to other linters. The rules of family OTP9 are switched off in the configuration, not by comments.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from otplint.engine.comments import comments
from otplint.findings import Confidence, Edit, Finding, Fix, RuleInfo, Severity, Span
from otplint.sources.positions import LineTable

_OTHER_PRAGMA = r"#\s*(?:otplint:|noqa\b|type:|mypy:|pyright:|ruff:|pylint:|pragma:|fmt:|isort:|nosec\b|nosemgrep\b)"
_DIRECTIVE = re.compile(
    rf"#\s*otplint:\s*(?P<verb>[\w-]*)\s*(?P<list>\[(?P<rules>[^\]#]*)\]?)?(?P<reason>(?:(?!{_OTHER_PRAGMA}).)*)"
)
_NOQA = re.compile(
    r"#\s*(?:noqa|NOQA|NoQA):\s*(?P<rules>[A-Z]+[0-9]+(?:(?:\s*,\s*|\s+)[A-Z]+[0-9]+)*)(?![\w-])"
    rf"(?P<reason>(?:(?!{_OTHER_PRAGMA}).)*)"
)
_OWN_NOQA = re.compile(r"OTP[0-9]+", re.IGNORECASE)
_SIGNS = ("otplint:", "noqa:", "NOQA:", "NoQA:")
"""A text without any of these is not scanned (ignoring case would take longer than the scan)."""
_AROUND_REASON = " \t\f-\N{EN DASH}\N{EM DASH}:"

HOUSEKEEPING = (
    RuleInfo(
        "OTP901",
        "unused-suppression",
        Severity.LOW,
        Confidence.HIGH,
        "A comment silences a rule that reports nothing here.",
        {
            "Why": "The flaw is gone or has moved; the next one on this line would be hidden unseen.",
            "Limits": "Says nothing of rules that did not run.",
        },
        fix="safe",
    ),
    RuleInfo(
        "OTP902",
        "suppression-without-reason",
        Severity.LOW,
        Confidence.HIGH,
        "A comment silences a rule and does not say why.",
        {"Why": "Whoever reads it next cannot tell a decision from an oversight."},
    ),
    RuleInfo(
        "OTP903",
        "unknown-code-in-suppression",
        Severity.LOW,
        Confidence.HIGH,
        "A comment for otplint names no rule that there is, or is not understood, and silences nothing.",
        {"Why": "Its author believes that something is silenced."},
    ),
)
"""The family OTP9, for the catalogue."""
_UNUSED, _UNEXPLAINED, _UNKNOWN = HOUSEKEEPING


@dataclass(frozen=True, slots=True)
class Suppression:
    """One directive in one comment."""

    kind: Literal["ignore", "ignore-file", "noqa"]
    rules: tuple[str, ...]
    """Codes or names as written; empty where the directive is malformed."""
    reason: str
    line: int
    column: int
    """Of the ``#``, from 1, in characters."""
    end_column: int
    """Exclusive; without trailing blanks."""
    covers: frozenset[int] = frozenset()
    """The lines it speaks of; empty for ``ignore-file``."""
    cut: tuple[int, int] = (0, 0)
    """Columns of what a removal takes away, blanks included; with ``whole_line`` the line goes."""
    names: tuple[int, int] = (0, 0)
    """Columns of the list of codes and names."""
    whole_line: bool = False
    problem: str = ""
    """What is wrong with a directive that was not understood; such a one silences nothing."""

    def silences(self, finding: Finding, lines: Collection[int]) -> str | None:
        """The code or name, as written, by which this silences a finding whose statement's header is on *lines*."""
        if self.kind != "ignore-file" and self.covers.isdisjoint(lines):
            return None
        wanted = (finding.code.lower(), finding.name.lower())
        return next((rule for rule in self.rules if rule.lower() in wanted), None)


@dataclass(frozen=True, slots=True)
class Silenced:
    """A finding that a comment hides, for reports that show such."""

    finding: Finding
    by: Suppression


@dataclass(frozen=True, slots=True)
class Applied:
    """Findings of one file, parted by its suppressions."""

    kept: tuple[Finding, ...]
    suppressed: tuple[Silenced, ...]
    used: frozenset[tuple[Suppression, str]]
    """Suppressions that silenced something, each with the code or name (as written) that did."""


@dataclass(frozen=True, slots=True)
class Suppressions:
    """The suppressions of one file, in order."""

    entries: tuple[Suppression, ...] = ()

    @classmethod
    def of(cls, text: str) -> Suppressions:
        """Find the suppressions of a text (decoded, line ends as in the file). Code in strings does not count."""
        if not any(sign in text for sign in _SIGNS):
            return cls()
        table = LineTable(text)
        entries: list[Suppression] = []
        places = [(*table.position(start), text[start:end]) for start, end in comments(text)]
        own_lines = {line for line, column, _ in places if not table.line_text(line)[: column - 1].strip()}
        for line, column, comment in places:
            covers = frozenset({line, _next_code(table, line, own_lines)} if line in own_lines else {line})
            entries.extend(_directives(table.line_text(line), comment, line, column, covers))
        return cls(tuple(entries))

    def __bool__(self) -> bool:
        return bool(self.entries)


def apply(
    findings: Iterable[Finding],
    suppressions: Suppressions,
    header_lines: Callable[[Finding], Collection[int]],
) -> Applied:
    """Part the findings of one file into kept and silenced ones.

    Args:
        findings: all of the file that *suppressions* were read from.
        suppressions: the file's.
        header_lines: the lines of the header of the statement that a finding reports: of a compound statement up to its
            colon, of a simple one all its lines.
    """
    kept: list[Finding] = []
    silenced: list[Silenced] = []
    used: set[tuple[Suppression, str]] = set()
    for finding in findings:
        lines = header_lines(finding) if suppressions else ()
        hits = [(entry, rule) for entry in suppressions.entries if (rule := entry.silences(finding, lines))]
        if hits:
            silenced.append(Silenced(finding, hits[0][0]))
            used.update(hits)
        else:
            kept.append(finding)
    return Applied(tuple(kept), tuple(silenced), frozenset(used))


def housekeeping(
    suppressions: Suppressions,
    path: str,
    *,
    used: Collection[tuple[Suppression, str]],
    known: Mapping[str, str],
    ran: Collection[str],
) -> tuple[Finding, ...]:
    """Findings about the suppressions of one file: OTP901, OTP902 and OTP903.

    The caller drops those of rules that are not selected. They cannot be silenced by comments.

    Args:
        suppressions: of the file.
        path: relative POSIX path of the file.
        used: what :func:`apply` says was used.
        known: names by code of all rules of the loaded packs, whether they ran or not.
        ran: codes of the rules that ran on this file; others may well find something another day.
    """
    codes = {code.lower(): code for code in known} | {name.lower(): code for code, name in known.items()}
    own = {name.lower() for rule in HOUSEKEEPING for name in (rule.code, rule.name)}
    found: list[Finding] = []
    for entry in suppressions.entries:
        if entry.problem:
            found.append(_finding(_UNKNOWN, entry, path, entry.problem, "It silences nothing."))
            continue
        ours = [rule for rule in entry.rules if rule.lower() in codes and rule.lower() not in own]
        strange = [rule for rule in entry.rules if rule not in ours]
        if entry.kind == "noqa":
            strange = [rule for rule in strange if _OWN_NOQA.fullmatch(rule)]
        found.extend(_unknown(entry, rule, path, known, own) for rule in strange)
        if ours and not entry.reason:
            problem = f"{', '.join(ours)} is silenced without a reason."
            remedy = "Say why after the brackets." if entry.kind != "noqa" else "Say why after the code."
            found.append(_finding(_UNEXPLAINED, entry, path, problem, remedy))
        idle = [rule for rule in ours if codes[rule.lower()] in ran and (entry, rule) not in used]
        if idle:
            where = "in this file" if entry.kind == "ignore-file" else "here"
            problem = f"{', '.join(idle)} reports nothing {where}."
            fix = _removal(entry, idle, path)
            found.append(_finding(_UNUSED, entry, path, problem, f"{fix.message}.", fix))
    return tuple(sorted(found, key=lambda finding: finding.sort_key))


def _directives(whole: str, comment: str, line: int, column: int, covers: frozenset[int]) -> Iterator[Suppression]:
    """The directives of one comment, which starts at *column* of the line *whole* and goes on to its end."""
    for match in sorted([*_DIRECTIVE.finditer(comment), *_NOQA.finditer(comment)], key=re.Match.start):
        start = column + match.start()
        before = whole[: start - 1].rstrip()
        is_last = match.end() == len(comment)
        kind: Literal["ignore", "ignore-file", "noqa"] = "noqa"
        problem = ""
        rules = tuple(rule for rule in re.split(r"[\s,]+", match["rules"] or "") if rule)
        if match.re is _DIRECTIVE:
            kind = "ignore-file" if match["verb"] == "ignore-file" else "ignore"
            problem = _problem(match["verb"], match["list"], rules, alone=not whole[: column - 1].strip())
        yield Suppression(
            kind=kind,
            rules=() if problem else rules,
            reason=match["reason"].strip(_AROUND_REASON),
            line=line,
            column=start,
            end_column=start + len(match[0].rstrip()),
            covers={"ignore": covers, "ignore-file": frozenset[int](), "noqa": frozenset({line})}[kind],
            cut=(len(before) + 1, len(whole) + 1) if is_last else (start, column + match.end()),
            names=(column + match.start("rules"), column + match.end("rules")),
            whole_line=is_last and not before,
            problem=problem,
        )


def _problem(verb: str, brackets: str | None, rules: Sequence[str], alone: bool) -> str:
    """What is wrong with a directive, as a sentence; empty for a good one."""
    if verb not in ("ignore", "ignore-file"):
        return f"'otplint: {verb}' is not understood: write '# otplint: ignore[OTP201] reason'."
    if brackets is not None and not brackets.endswith("]"):
        return f"'otplint: {verb}' has no closing bracket: write '# otplint: {verb}[OTP201] reason'."
    if not rules:
        return f"'otplint: {verb}' names no rule: write '# otplint: {verb}[OTP201] reason'."
    if verb == "ignore-file" and not alone:
        return "'otplint: ignore-file' counts only on a line of its own."
    return ""


def _next_code(table: LineTable, line: int, own_lines: Collection[int]) -> int:
    """The next line that is neither blank nor a comment; the line itself where none follows."""
    following = line + 1
    while following <= table.line_count:
        if following not in own_lines and table.line_text(following).strip():
            return following
        following += 1
    return line


def _unknown(entry: Suppression, rule: str, path: str, known: Mapping[str, str], own: Collection[str]) -> Finding:
    if rule.lower() in own:
        problem, remedy = f"{rule} cannot be silenced by a comment.", "Ignore it in the configuration."
    else:
        by_lower = {name.lower(): name for pair in known.items() for name in pair}
        near = difflib.get_close_matches(rule.lower(), by_lower, n=1, cutoff=0.6)
        problem = f"There is no rule {rule}."
        remedy = f"Did you mean {by_lower[near[0]]}?" if near else "'otplint rules' lists them all."
    return _finding(_UNKNOWN, entry, path, problem, remedy)


def _removal(entry: Suppression, idle: Sequence[str], path: str) -> Fix:
    """Take out what silences nothing: the whole directive, or some of its codes."""
    needed = [rule for rule in entry.rules if rule not in idle]
    if needed:
        start, end = entry.names
        span = Span(path, entry.line, start, entry.line, end)
        return Fix(f"Remove {', '.join(idle)} from the comment", (Edit(span, ", ".join(needed)),), safe=True)
    start, end = entry.cut
    span = Span(path, entry.line, start, entry.line, end)
    if entry.whole_line:
        span = Span(path, entry.line, 1, entry.line + 1, 1)
    return Fix("Remove the comment", (Edit(span, ""),), safe=True)


def _finding(
    rule: RuleInfo, entry: Suppression, path: str, problem: str, remedy: str, fix: Fix | None = None
) -> Finding:
    span = Span(path, entry.line, entry.column, entry.line, entry.end_column)
    return Finding(rule.code, rule.name, rule.severity, rule.confidence, span, problem, remedy=remedy, fix=fix)
