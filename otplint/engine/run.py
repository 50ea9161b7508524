"""A scan: files, facts, rules, filters, report."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from otplint import __version__
from otplint.api import Rule
from otplint.config import Config
from otplint.engine import fingerprint, select, suppress
from otplint.engine.collect import Files, Looked, grow, look
from otplint.engine.judge import Judged, distinct, judge
from otplint.engine.packs import load_rules
from otplint.engine.pool import Pool, spread
from otplint.facts.entries import ModuleIndex
from otplint.facts.facts import Facts
from otplint.facts.frameworks import FrameworkError, Vocabulary, with_users
from otplint.facts.kinship import Kinship
from otplint.facts.project import Project
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
    suppressions: bool = True,
    progress: Progress | None = None,
) -> Report:
    """Scan files and directories.

    :param paths: what to scan; not used where ``stdin`` is given.
    :param rules: ready to run, by code.
    :param root: the project root, absolute.
    :param jobs: processes; none for as many as pay.
    :param stdin: name and contents of the one file to scan.
    :param suppressions: whether comments hide findings.
    :param progress: called with files done and files in all.
    :raises WalkError: a path does not exist or cannot be listed.
    :raises FrameworkError: the configuration's frameworks are wrong.
    """
    vocabulary = Vocabulary(with_users(config.frameworks))
    files, listed = _listed(paths, config, root, stdin)
    report = progress or _silent
    with _no_collection(), Pool(jobs, len(listed)) as pool:
        report(0, len(listed))
        found = _collect(listed, files, vocabulary, pool, report)
        kinship = _related(found, files, vocabulary, frozenset(listed))
        judged = _judge(found, kinship, files, vocabulary, config, rules, pool, report, len(listed))
    return _finish(found, judged, files, rules, len(listed), frozenset(listed), config, suppressions=suppressions)


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


def _related(found: Looked, files: Files, vocabulary: Vocabulary, listed: frozenset[str]) -> Kinship:
    """Descent is settled by the files that triage selects: the others say nothing about actors."""

    def load(path: str) -> ModuleIndex | None:
        return None if path in listed else files.load(path)

    return grow(found, vocabulary, load, lambda rest, triage: look(rest, files, triage))


def _judge(
    found: Looked,
    kinship: Kinship,
    files: Files,
    vocabulary: Vocabulary,
    config: Config,
    rules: Sequence[Rule],
    pool: Pool,
    report: Progress,
    total: int,
) -> Judged:
    patterns = DEFAULT_TEST_FILES if config.test_files is None else config.test_files
    left_out = select.per_file(config.per_file_ignores, load_rules()) if config.per_file_ignores else _nothing
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
    return judged


def _silent(_done: int, _total: int) -> None:
    return None


def _nothing(_: str) -> frozenset[str]:
    return frozenset()


def _finish(
    found: Looked,
    judged: Judged,
    files: Files,
    rules: Sequence[Rule],
    total: int,
    listed: frozenset[str],
    config: Config,
    *,
    suppressions: bool,
) -> Report:
    by_path: dict[str, list[tuple[Finding, tuple[int, int]]]] = {}
    for finding, header in distinct(judged.findings):
        if finding.confidence.rank >= config.min_confidence.rank and finding.span.path in listed:
            by_path.setdefault(finding.span.path, []).append((finding, header))
    kept: list[Finding] = []
    hidden = 0
    housekeeping = {info.code for info in suppress.HOUSEKEEPING} - _not_wanted(config)
    known = {rule.code: rule.name for rule in load_rules()} if found.commented and suppressions else {}
    failed = {failure.path for failure in judged.failures} | {failure.path for failure in found.failures}
    for path in sorted({*by_path, *(found.commented if suppressions else ())}):
        pairs = by_path.get(path, [])
        if not suppressions or path not in found.commented or path in failed:
            kept += [finding for finding, _ in pairs]
            continue
        comments = suppress.Suppressions.of(files.text(path))
        headers = {id(finding): range(first, last + 1) for finding, (first, last) in pairs}
        applied = suppress.apply([finding for finding, _ in pairs], comments, _by_identity(headers))
        kept += applied.kept
        hidden += len(applied.suppressed)
        ran = [rule.code for rule in rules]
        kept += [
            f
            for f in suppress.housekeeping(comments, path, used=applied.used, known=known, ran=ran)
            if f.code in housekeeping
        ]
    kept.sort(key=lambda finding: finding.sort_key)
    texts = {path: files.text(path) for path in sorted({f.span.path for f in kept})}
    related = {r.span.path for f in kept for r in f.related} - set(texts)
    texts |= {path: files.text(path) for path in sorted(related)}
    return Report(
        version=__version__,
        findings=fingerprint.assign(kept, texts),
        failures=tuple(sorted({*found.failures, *judged.failures})),
        rules=tuple(rule.info() for rule in rules),
        sources=texts,
        files=total,
        analysed=len(found.indexes),
        actors=judged.actors,
        suppressed=hidden,
    )


def _by_identity(headers: dict[int, range]) -> Callable[[Finding], range]:
    return lambda finding: headers[id(finding)]


def _not_wanted(config: Config) -> set[str]:
    """Codes of the family OTP9 that the configuration switches off."""
    codes = [info.code for info in suppress.HOUSEKEEPING]
    refused = {code for code in codes for word in (*config.ignore, *config.off) if code.startswith(word.upper())}
    if config.select is not None:
        chosen = [word.upper() for word in (*config.select, *config.extend_select)]
        refused |= {code for code in codes if not any(word == "ALL" or code.startswith(word) for word in chosen)}
    return refused


@contextmanager
def _no_collection() -> Iterator[None]:
    """The collector walks all live trees again and again and finds no garbage: four times slower with it."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
