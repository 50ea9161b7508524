"""A scan: files, facts, rules, filters, report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from otplint import __version__
from otplint.api import Rule
from otplint.config import Config
from otplint.engine import fingerprint, select
from otplint.engine.cache.details import Details
from otplint.engine.cache.recall import Cache
from otplint.engine.clock import OFF, Clock
from otplint.engine.collect import Files, Looked, grow, look, look_outside
from otplint.engine.executors import Executor, Workers
from otplint.engine.filter import keep
from otplint.engine.installed import Installed
from otplint.engine.judge import Judged, judge, judge_together
from otplint.engine.packs import load_rules
from otplint.engine.pool import Pool, spread
from otplint.facts.facts import Facts
from otplint.facts.frameworks import FrameworkError, Vocabulary, with_users
from otplint.facts.index.by_ast import no_collection
from otplint.facts.index.entries import ModuleIndex
from otplint.facts.index.project import Project
from otplint.facts.kinship import Far, Kinship
from otplint.findings import Report
from otplint.sources.installed import search_roots
from otplint.sources.root import DEFAULT_TEST_FILES, is_test_file
from otplint.sources.triage import Triage
from otplint.sources.walk import walk

Progress = Callable[[int, int], None]

__all__ = ["FrameworkError", "Survey", "listed_files", "scan", "survey", "survey_of"]


def scan(
    paths: Sequence[Path],
    config: Config,
    rules: Sequence[Rule],
    *,
    root: Path,
    jobs: int | None = None,
    executor: Executor = Pool,
    stdin: tuple[str, bytes] | None = None,
    contents: Mapping[str, bytes] | None = None,
    suppressions: bool = True,
    progress: Progress | None = None,
    cache: Cache | None = None,
    clock: Clock = OFF,
) -> Report:
    """Scan files and directories.

    :param paths: what to scan; not used where ``stdin`` is given.
    :param rules: ready to run, by code.
    :param root: the project root, absolute.
    :param jobs: processes; none for as many as pay.
    :param executor: where the rules are asked.
    :param stdin: name and contents of the one file to scan.
    :param contents: what counts instead of the bytes on the disk, by path from the root.
    :param suppressions: whether comments hide findings.
    :param progress: called with files done and files in all.
    :param cache: what an earlier scan left; kept up to date.
    :param clock: measures the stages and the rules; their times are the report's, but for what comes after it.
    :raises WalkError: a path does not exist or cannot be listed.
    :raises FrameworkError: the configuration's frameworks are wrong.
    """
    if cache is not None:
        files, listed = Files(root, earlier=cache), cache.listed
    else:
        with clock.stage("walk"):
            files, listed = listed_files(paths, config, root, stdin)
    files.given.update(contents or {})
    report = progress or _silent
    with no_collection(), executor(jobs, len(listed)) as pool:
        report(0, len(listed))
        known = survey(
            listed,
            files,
            config,
            pool,
            whole=_covers(paths, root, stdin),
            progress=lambda done, all_: report(done // 2, all_),
            clock=clock,
        )
        judged = _judge(known, rules, pool, report, len(listed), cache, clock)
    found = known.found
    with clock.stage("filter"):
        kept, hidden = keep(
            judged, found, files, rules, known.members, config.min_confidence, known.left_out, suppressions=suppressions
        )
    told = Report(
        version=__version__,
        findings=tuple(kept),
        failures=tuple(sorted({*found.failures, *judged.failures})),
        rules=tuple(rule.info() for rule in rules),
        files=len(listed),
        analysed=len(found.indexes),
        actors=judged.actors,
        suppressed=hidden,
    )
    with clock.stage("filter"):
        texts = {path: files.text(path) for path in told.mentioned}
        told = replace(told, findings=fingerprint.assign(kept, texts))
    if clock.running:
        told = replace(told, timing=clock.timing((rule.code, rule.name) for rule in rules))
    if cache is not None:
        _remember(cache, told, known, judged, listed)
    return replace(told, sources=texts)


def _remember(cache: Cache, told: Report, known: Survey, judged: Judged, listed: Sequence[str]) -> None:
    found, loaded = known.found, known.files.loaded
    details = Details(
        indexes={index.path: index for index in (*loaded.values(), *found.indexes) if index is not None},
        rest=frozenset(found.rest),
        commented=frozenset(found.commented),
        triages=frozenset(found.triages),
    )
    pulled = {path: index is not None for path, index in loaded.items()} | judged.pulled
    cache.disk.adopt(found.stamps)
    cache.keep(told, listed, known.facts, judged.units, pulled, details)


@dataclass(frozen=True)
class Survey:
    """What is known of the files of a scan before any rule is asked."""

    files: Files
    found: Looked
    facts: Facts
    indexes: Sequence[ModuleIndex]
    """Of the files that triage selected, by path."""
    members: frozenset[str]
    """The files that were listed; what else is known of was looked up for them."""
    left_out: Callable[[str], frozenset[str]]
    """The codes that ``per-file-ignores`` leaves out of a file."""


def listed_files(
    paths: Sequence[Path], config: Config, root: Path, stdin: tuple[str, bytes] | None = None
) -> tuple[Files, list[str]]:
    """The files of a scan, by their paths from the root.

    :raises WalkError: a path does not exist or cannot be listed.
    """
    if stdin is not None:
        name = Path(stdin[0])
        relative = (
            name.resolve().relative_to(root).as_posix() if name.resolve().is_relative_to(root) else name.as_posix()
        )
        return Files(root, {relative: stdin[1]}), [relative]
    walked = walk(paths, root, exclude=config.exclude, respect_gitignore=config.respect_gitignore)
    return Files(root), [file.relative for file in walked]


def survey_of(paths: Sequence[Path], config: Config, root: Path, *, jobs: int | None = None) -> Survey:
    """The first half of :func:`scan` alone; arguments and errors as there."""
    files, listed = listed_files(paths, config, root)
    with no_collection(), Pool(jobs, len(listed)) as pool:
        return survey(listed, files, config, pool, whole=_covers(paths, root, None))


def survey(
    listed: Sequence[str],
    files: Files,
    config: Config,
    pool: Workers,
    *,
    whole: bool,
    progress: Progress | None = None,
    clock: Clock = OFF,
) -> Survey:
    """Read, sort out and index the files, and settle who descends from whom.

    :param whole: whether the listed files are all code of the project.
    :param progress: called with files done and files in all.
    :raises FrameworkError: the configuration's frameworks are wrong.
    :raises NoSearchPath: so are its search paths.
    """
    vocabulary = Vocabulary(with_users(config.frameworks))
    members = frozenset(listed)
    found = _collect(listed, files, vocabulary, pool, progress or _silent, clock)
    with clock.stage("kinship"):
        if not whole:
            look_outside(found, files, members)
        installed = Installed(search_roots(config.search_paths, files.root), vocabulary, files)
        far = Far(installed.bases, installed.look(found, files))
        kinship = _related(found, files, vocabulary, members, far, clock)
    left_out = select.per_file(config.per_file_ignores, load_rules()) if config.per_file_ignores else _nothing
    patterns = DEFAULT_TEST_FILES if config.test_files is None else config.test_files
    project = Project(found.indexes, files.load, far=far.bases)
    regions = files.earlier.regions if files.earlier is not None else None
    facts = Facts(project, vocabulary, kinship, files.text, partial(is_test_file, patterns=patterns), regions)
    found.indexes.sort(key=lambda index: index.path)
    named = {index.path: index for index in project.modules}  # two files may claim one name: the project settles it
    return Survey(files, found, facts, [named[index.path] for index in found.indexes], members, left_out)


def _collect(
    listed: Sequence[str], files: Files, vocabulary: Vocabulary, pool: Workers, report: Progress, clock: Clock
) -> Looked:
    tokens, pairs = vocabulary.tokens()
    triage = Triage(tokens, (), pairs)
    found = Looked()
    done = 0
    for chunk, part in pool.each(spread(listed, 200), look, files, triage, clock.fresh()):
        found.add(part)
        clock.add(part.clock)
        done += len(chunk)
        report(done, len(listed))
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


@dataclass(frozen=True, slots=True)
class Outside:
    """Loads what is not listed: what is, was looked at or is not wanted. Plain data, where a closure is none."""

    files: Files
    listed: frozenset[str]

    def __call__(self, path: str) -> ModuleIndex | None:
        """The index of such a file, if there is one."""
        return None if path in self.listed else self.files.load(path)


def _related(
    found: Looked, files: Files, vocabulary: Vocabulary, listed: frozenset[str], far: Far, clock: Clock
) -> Kinship:
    """Descent is settled by the files that triage selects: the others say nothing about actors."""

    def look_again(rest: Sequence[str], triage: Triage) -> Looked:
        with clock.stage(""):
            more = look(rest, files, triage, clock)
        clock.add(more.clock)
        return more

    return grow(found, vocabulary, Outside(files, listed), files.text, look_again, files.load, far)


def _judge(
    known: Survey,
    rules: Sequence[Rule],
    pool: Workers,
    report: Progress,
    total: int,
    cache: Cache | None,
    clock: Clock,
) -> Judged:
    known.facts.recorded = cache is not None
    units = {} if cache is None else cache.units(known.facts, known.indexes)
    pulled: dict[str, bool] = {}
    fresh = [index for index in known.indexes if index.path not in units]
    done = 0
    for chunk, part in pool.each(spread(fresh, 8), judge, known.facts, rules, known.left_out, clock.fresh()):
        clock.add(part.clock)
        units |= {unit.path: unit for unit in part.units}
        pulled |= part.pulled
        done += len(chunk)
        report(total // 2 + done * (total - total // 2) // max(len(fresh), 1), total)
    judged = Judged.of(units[index.path] for index in known.indexes)
    judged.pulled = pulled
    together = judge_together(judged.notes, known.facts, rules, known.left_out, clock)
    judged.findings += together.findings
    judged.failures += together.failures
    return judged


def _silent(_done: int, _total: int) -> None:
    return None


def _nothing(_: str) -> frozenset[str]:
    return frozenset()
