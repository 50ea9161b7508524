"""A scan: files, facts, rules, filters, report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from otplint import __version__
from otplint.api import Rule
from otplint.config import Config
from otplint.engine import fingerprint, select
from otplint.engine.collect import Files, Looked, grow, look, look_outside
from otplint.engine.filter import keep
from otplint.engine.judge import Judged, judge, judge_together
from otplint.engine.packs import load_rules
from otplint.engine.pool import Pool, spread
from otplint.facts.facts import Facts
from otplint.facts.frameworks import FrameworkError, Vocabulary, with_users
from otplint.facts.index.by_ast import no_collection
from otplint.facts.index.entries import ModuleIndex
from otplint.facts.index.project import Project
from otplint.facts.kinship import Kinship
from otplint.findings import Finding, Report
from otplint.sources.root import DEFAULT_TEST_FILES, is_test_file
from otplint.sources.triage import Triage
from otplint.sources.walk import walk

Progress = Callable[[int, int], None]

__all__ = ["FrameworkError", "scan"]


def scan(
    paths: Sequence[Path],
    config: Config,
    rules: Sequence[Rule],
    *,
    root: Path,
    jobs: int | None = None,
    stdin: tuple[str, bytes] | None = None,
    contents: Mapping[str, bytes] | None = None,
    suppressions: bool = True,
    progress: Progress | None = None,
) -> Report:
    """Scan files and directories.

    :param paths: what to scan; not used where ``stdin`` is given.
    :param rules: ready to run, by code.
    :param root: the project root, absolute.
    :param jobs: processes; none for as many as pay.
    :param stdin: name and contents of the one file to scan.
    :param contents: what counts instead of the bytes on the disk, by path from the root.
    :param suppressions: whether comments hide findings.
    :param progress: called with files done and files in all.
    :raises WalkError: a path does not exist or cannot be listed.
    :raises FrameworkError: the configuration's frameworks are wrong.
    """
    vocabulary = Vocabulary(with_users(config.frameworks))
    files, listed = _listed(paths, config, root, stdin)
    files.given.update(contents or {})
    members = frozenset(listed)
    report = progress or _silent
    with no_collection(), Pool(jobs, len(listed)) as pool:
        report(0, len(listed))
        found = _collect(listed, files, vocabulary, pool, report)
        if not _covers(paths, root, stdin):
            look_outside(found, files, members)
        kinship = _related(found, files, vocabulary, members)
        left_out = select.per_file(config.per_file_ignores, load_rules()) if config.per_file_ignores else _nothing
        judged = _judge(found, kinship, files, vocabulary, config, rules, left_out, pool, report, len(listed))
    kept, hidden = keep(
        judged, found, files, rules, members, config.min_confidence, left_out, suppressions=suppressions
    )
    texts = {path: files.text(path) for path in sorted(_mentioned(kept))}
    return Report(
        version=__version__,
        findings=fingerprint.assign(kept, texts),
        failures=tuple(sorted({*found.failures, *judged.failures})),
        rules=tuple(rule.info() for rule in rules),
        sources=texts,
        files=len(listed),
        analysed=len(found.indexes),
        actors=judged.actors,
        suppressed=hidden,
    )


def _listed(
    paths: Sequence[Path], config: Config, root: Path, stdin: tuple[str, bytes] | None
) -> tuple[Files, list[str]]:
    if stdin is not None:
        name = Path(stdin[0])
        relative = (
            name.resolve().relative_to(root).as_posix() if name.resolve().is_relative_to(root) else name.as_posix()
        )
        return Files(root, {relative: stdin[1]}), [relative]
    walked = walk(paths, root, exclude=config.exclude, respect_gitignore=config.respect_gitignore)
    return Files(root), [file.relative for file in walked]


def _collect(listed: list[str], files: Files, vocabulary: Vocabulary, pool: Pool, report: Progress) -> Looked:
    tokens, pairs = vocabulary.tokens()
    triage = Triage(tokens, (), pairs)
    found = Looked()
    done = 0
    for chunk, part in pool.each(spread(listed, 200), look, files, triage):
        found.add(part)
        done += len(chunk)
        report(done // 2, len(listed))
    found.indexes.sort(key=lambda index: index.path)
    return found


def _covers(paths: Sequence[Path], root: Path, stdin: tuple[str, bytes] | None) -> bool:
    """Whether the scan sees all code of the project: the root is among the paths, or nothing lies beside them."""
    if stdin is not None:
        return False
    whole = {path.absolute() for path in paths}
    if any(path == root or path in root.parents for path in whole):
        return True
    above = {parent for path in whole for parent in path.parents if parent == root or root in parent.parents}
    return bool(above) and not any(
        _beside(entry, whole | above) for directory in above for entry in directory.iterdir()
    )


def _beside(entry: Path, known: set[Path]) -> bool:
    """Whether a directory's entry is code that the scan does not see."""
    if entry in known or entry.name.startswith("."):
        return False
    return entry.suffix == ".py" if entry.is_file() else entry.name.isidentifier() and any(entry.glob("*.py"))


def _related(found: Looked, files: Files, vocabulary: Vocabulary, listed: frozenset[str]) -> Kinship:
    """Descent is settled by the files that triage selects: the others say nothing about actors."""

    def load(path: str) -> ModuleIndex | None:
        return None if path in listed else files.load(path)

    return grow(found, vocabulary, load, files.text, lambda rest, triage: look(rest, files, triage))


def _judge(
    found: Looked,
    kinship: Kinship,
    files: Files,
    vocabulary: Vocabulary,
    config: Config,
    rules: Sequence[Rule],
    left_out: Callable[[str], frozenset[str]],
    pool: Pool,
    report: Progress,
    total: int,
) -> Judged:
    patterns = DEFAULT_TEST_FILES if config.test_files is None else config.test_files
    project = Project(found.indexes, files.load)
    facts = Facts(project, vocabulary, kinship, files.text, lambda path: is_test_file(path, patterns))
    judged = Judged()
    done = 0
    found.indexes.sort(key=lambda index: index.path)
    named = {index.path: index for index in project.modules}  # two files may claim one name: the project settles it
    indexes = [named[index.path] for index in found.indexes]
    for chunk, part in pool.each(spread(indexes, 40), judge, facts, rules, left_out):
        judged.add(part)
        done += len(chunk)
        report(total // 2 + done * (total - total // 2) // max(len(indexes), 1), total)
    judged.add(judge_together(indexes, facts, rules, left_out))
    return judged


def _mentioned(findings: Sequence[Finding]) -> set[str]:
    """The files that a report shows."""
    return {f.span.path for f in findings} | {r.span.path for f in findings for r in f.related}


def _silent(_done: int, _total: int) -> None:
    return None


def _nothing(_: str) -> frozenset[str]:
    return frozenset()
