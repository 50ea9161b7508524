"""Why rules say nothing about a line: who looked, and what silenced each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from otplint.api import Actor, Facts, ProjectRule, Rule
from otplint.config import Config
from otplint.engine import suppress
from otplint.engine.filter import distinct
from otplint.engine.judge import Judged, concerns, judge, judge_together
from otplint.engine.pool import Pool, spread
from otplint.engine.run import Survey, listed_files, survey
from otplint.engine.whereabouts import Owner, lines_of, no_actor, owners, unknown_calls
from otplint.facts.exemptions import Exemption, Exemptions
from otplint.facts.index.by_ast import no_collection
from otplint.facts.index.entries import ModuleIndex
from otplint.findings import Finding, RuleInfo

Verdict = Literal["reports", "hidden", "elsewhere", "silent", "other", "nothing"]


@dataclass(frozen=True, slots=True)
class Told:
    """What one rule says about a line."""

    rule: RuleInfo
    verdict: Verdict
    """``reports``; ``hidden``: it would, but for a setting or a comment; ``elsewhere``: it reports another place, and
    this line is part of the story; ``silent``: it looked and has a reason; ``other``: it is not about such code;
    ``nothing``: nothing of its kind stands here."""
    reasons: tuple[str, ...] = ()
    finding: Finding | None = None


@dataclass(frozen=True)
class WhyNot:
    """The answer to one question."""

    path: str
    line: int
    text: str
    """The line, stripped."""
    owners: tuple[Owner, ...] = ()
    outside: str = ""
    """Why no rule about actors looks at this line, as a sentence; empty where they do."""
    told: tuple[Told, ...] = ()
    """By code; empty where the file is not read at all."""
    unknown: tuple[str, ...] = ()
    """Calls on the line that no framework's data know."""
    nearby: tuple[tuple[int, tuple[str, ...]], ...] = ()
    """Other lines of the same function that rules looked at, with their codes."""
    failures: tuple[str, ...] = field(default=())
    """What went wrong meanwhile: rules that raised."""


class PlaceError(ValueError):
    """The file or the line is not there; the message says which."""


def why_not(
    path: Path, line: int, config: Config, rules: Sequence[Rule], unselected: Sequence[tuple[Rule, str]], *, root: Path
) -> WhyNot:
    """Ask each rule about one line, in a scan of the whole project.

    Args:
        path: the file.
        line: counts from 1.
        config: the settings in force.
        rules: those that run in a scan.
        unselected: the others, each with why it does not run: "it is a preview".
        root: the project root, absolute.

    Raises:
        PlaceError: the file or line is not there, or is outside of the root.
        WalkError: the project cannot be listed.
        FrameworkError: the configuration's frameworks are wrong.
    """
    relative = _relative(path, root)
    files, listed = listed_files([root], config, root)
    text = _line(files.text(relative), path, line)
    if relative not in listed:
        return WhyNot(
            relative, line, text, outside="The file is excluded (configuration or .gitignore): no scan reads it."
        )
    with no_collection(), Pool(None, len(listed)) as pool:
        known = survey(listed, files, config, pool, whole=True)
        failed = [f.message for f in known.found.failures if f.path == relative]
        index = next((i for i in known.indexes if i.path == relative), None)
        if failed or index is None:
            outside = f"The file cannot be analysed: {failed[0]}." if failed else _UNSELECTED
            return WhyNot(relative, line, text, outside=outside)
        return _answer(index, line, text, known, config, rules, unselected, pool)


_UNSELECTED = (
    "The file does not look like actor code, so nothing in it was looked at for its own sake: it names no framework, "
    "thread, task, queue or supervisor that otplint knows, and no class of the project that is an actor. "
    "What actors in other files inherit from it, or call in it, is looked at with them."
)


def _relative(path: Path, root: Path) -> str:
    if not path.is_file():
        raise PlaceError(f"no such file: {path}")
    whole = path.resolve()
    if not whole.is_relative_to(root.resolve()):
        raise PlaceError(f"{path} is outside of the project root {root}")
    return whole.relative_to(root.resolve()).as_posix()


def _line(text: str, path: Path, line: int) -> str:
    from otplint.sources.positions import LineTable

    table = LineTable(text)
    if not 1 <= line <= table.line_count:
        raise PlaceError(f"{path} has {table.line_count} lines; there is no line {line}")
    return table.line_text(line).strip()


# -- asking


@dataclass
class _Heard:
    """What the rules say of one file: findings with the lines of their headers, reasons for silence likewise."""

    judged: Judged = field(default_factory=Judged)
    exemptions: dict[Exemption, tuple[int, int]] = field(default_factory=dict)

    def add(self, judged: Judged, exemptions: Iterable[tuple[Exemption, tuple[int, int]]]) -> None:
        self.judged.add(judged)
        self.exemptions.update(exemptions)


def _nothing(_path: str) -> frozenset[str]:
    return frozenset()


def _ask(
    indexes: Sequence[ModuleIndex], wanted: Sequence[Rule], facts: Facts, path: str
) -> tuple[Judged, list[tuple[Exemption, tuple[int, int]]]]:
    """Judge some files, and keep what is said of one of them."""
    listener = Exemptions(path)
    listening = facts.listening(listener)
    judged = judge(indexes, listening, wanted, _nothing)
    judged.findings = [pair for pair in judged.findings if _concerns_file(pair[0], path)]
    return judged, [(e, listening.header_lines(e.span)) for e in listener.told]


def _concerns_file(finding: Finding, path: str) -> bool:
    return finding.span.path == path or any(related.span.path == path for related in finding.related)


def _hear(index: ModuleIndex, known: Survey, wanted: Sequence[Rule], pool: Pool) -> tuple[_Heard, list[ModuleIndex]]:
    """What all rules say of one file, and the other files whose actors run code of it."""
    facts, path = known.facts, index.path
    heard = _Heard()
    others: list[ModuleIndex] = []
    chunks = [[index], *([reader] for reader in _readers(index, known.indexes))]
    for chunk, (judged, told) in pool.each(chunks, _ask, wanted, facts, path):
        if chunk[0] is index or judged.findings or told:
            heard.add(judged, told)
            others += [i for i in chunk if i is not index]
    together = [rule for rule in wanted if isinstance(rule, ProjectRule)]
    everybody = Judged()
    for _, part in pool.each(spread(known.indexes if together else (), 40), judge, facts, together, _nothing):
        everybody.add(part)
    listener = Exemptions(path)
    listening = facts.listening(listener)
    heard.add(
        judge_together(everybody.notes, listening, together, _nothing),
        [(e, listening.header_lines(e.span)) for e in listener.told],
    )
    return heard, others


def _readers(index: ModuleIndex, every: Sequence[ModuleIndex]) -> Iterator[ModuleIndex]:
    """The files that import a file, directly or through others."""
    reached, fresh = {index.module}, [index.module]
    imported = {
        other.path: {*other.imports.values(), *other.shadowed.values(), *other.stars}
        for other in every
        if other.path != index.path
    }
    by_path = {other.path: other for other in every}
    while fresh:
        module = fresh.pop()
        for path, targets in [*imported.items()]:
            if any(target == module or target.startswith(f"{module}.") for target in targets):
                del imported[path]
                yield by_path[path]
                if by_path[path].module not in reached:
                    reached.add(by_path[path].module)
                    fresh.append(by_path[path].module)


# -- answering


def _answer(
    index: ModuleIndex,
    line: int,
    text: str,
    known: Survey,
    config: Config,
    rules: Sequence[Rule],
    unselected: Sequence[tuple[Rule, str]],
    pool: Pool,
) -> WhyNot:
    about_comments = {info.code for info in suppress.HOUSEKEEPING}
    every = [*rules, *(rule for rule, _ in unselected)]
    wanted = sorted((rule for rule in every if rule.code not in about_comments), key=lambda rule: rule.code)
    heard, others = _hear(index, known, wanted, pool)
    around = owners(index, others, line, known.facts)
    hidden = _hidden(index.path, known, config, unselected)
    names = {owner.name for _, owner in around}
    told = []
    for rule in wanted:
        said = _said(rule, index.path, line, heard, hidden, names)
        if said.verdict == "nothing" and around and not any(concerns(rule, actor) for actor, _ in around):
            said = replace(said, verdict="other", reasons=(_not_concerned(rule, around[0][1]),))
        told.append(said)
    return WhyNot(
        index.path,
        line,
        text,
        tuple(owner for _, owner in around),
        "" if around else no_actor(index, line, known.facts),
        tuple(told),
        unknown_calls(around, index, line),
        tuple(_nearby(index.path, line, heard, _functions(around, index, line))),
        tuple(sorted({f.message for f in heard.judged.failures})),
    )


def _functions(around: Sequence[tuple[Actor, Owner]], index: ModuleIndex, line: int) -> list[range]:
    """The lines of the functions around a line."""
    methods = [m for actor, _ in around for m in actor.everything if m.source.path == index.path]
    return [lines for m in methods if line in (lines := lines_of(m))]


def _said(
    rule: Rule,
    path: str,
    line: int,
    heard: _Heard,
    hidden: Callable[[Finding, tuple[int, int]], str],
    names: set[str],
) -> Told:
    """The first of: it reports, it would report, it reports elsewhere, it is silent for reasons, it says nothing."""
    info = rule.info()
    own = [(f, lines) for f, lines in distinct(heard.judged.findings) if f.code == rule.code]
    here = [(f, lines) for f, lines in own if f.span.path == path and lines[0] <= line <= lines[1]]
    reasons = [
        exemption.reason
        for exemption, (first, last) in heard.exemptions.items()
        if exemption.rule == rule.code and first <= line <= last
    ]
    reasons = list(dict.fromkeys(reasons))
    for finding, lines in sorted(here, key=lambda pair: bool(hidden(*pair))):
        why = hidden(finding, lines)
        return Told(info, "hidden" if why else "reports", (why, *reasons) if why else (), finding)
    if reasons:
        return Told(info, "silent", tuple(reasons))
    for finding, lines in own:
        for related in finding.related:
            if related.span.path == path and related.span.line <= line <= related.span.end_line:
                why = hidden(finding, lines)
                more = (f"hidden: {why}",) if why else ()
                return Told(info, "elsewhere", (related.message, *more), finding)
    whole = [e.reason for e in heard.exemptions if e.rule == rule.code and e.whole and e.actor in names]
    return Told(info, "nothing", tuple(whole))


def _hidden(
    path: str, known: Survey, config: Config, unselected: Sequence[tuple[Rule, str]]
) -> Callable[[Finding, tuple[int, int]], str]:
    """What keeps a finding out of a report, in words; empty for one that is reported."""
    off = {rule.code: why for rule, why in unselected}
    left_out = known.left_out(path)
    comments = suppress.Suppressions.of(known.files.text(path))

    def why(finding: Finding, lines: tuple[int, int]) -> str:
        if finding.code in off:
            return off[finding.code]
        if finding.code in left_out:
            return "per-file-ignores leaves the rule out of this file"
        for entry in comments.entries if finding.span.path == path else ():
            if entry.silences(finding, range(lines[0], lines[1] + 1)):
                reason = f": {entry.reason}" if entry.reason else ""
                return f"a comment on line {entry.line} suppresses it{reason}"
        if finding.confidence.rank < config.min_confidence.rank:
            return (
                f"its confidence is {finding.confidence.value}, and {config.min_confidence.value} is asked for "
                "(--min-confidence)"
            )
        return ""

    return why


def _not_concerned(rule: Rule, owner: Owner) -> str:
    if owner.in_test_file and not rule.about_tests:
        return "it looks at no code in test files"
    return f"it is only about {', '.join(rule.frameworks)}"


def _nearby(path: str, line: int, heard: _Heard, around: Sequence[range]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The other lines of the innermost function that rules looked at."""
    inside = max(around, key=lambda lines: lines.start, default=range(0))
    codes: dict[int, set[str]] = {}
    for exemption in heard.exemptions:
        if not exemption.whole and exemption.span.line != line and exemption.span.line in inside:
            codes.setdefault(exemption.span.line, set()).add(exemption.rule)
    for finding, _ in heard.judged.findings:
        if finding.span.path == path and finding.span.line != line and finding.span.line in inside:
            codes.setdefault(finding.span.line, set()).add(finding.code)
    for at in sorted(codes):
        yield at, tuple(sorted(codes[at]))
