"""``otplint check``: scan, print, and say with the exit status whether anything was found."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from otplint.cli import FAILED, FINDINGS, OK
from otplint.cli.fixing import Wish, outcome, repaired, show_diff, wish
from otplint.cli.flags import Flags, listed, selection_flags
from otplint.cli.remembered import Remembered, Setting, remembered
from otplint.cli.statistics import statistics, timing_table
from otplint.cli.terminal import is_terminal, progress, put, put_aside, read_all, say, wants_colour, width
from otplint.findings import Report, Severity
from otplint.output import FORMATS, render
from otplint.output.summary import failure_lines, fixable, summary

if TYPE_CHECKING:
    from otplint.cli.settings import Settings
    from otplint.engine.cache.recall import Cache
    from otplint.engine.clock import Clock
    from otplint.engine.executors import Executor
    from otplint.engine.fix import Repaired

STDIN_NAME = "stdin.py"
"""The path that findings in standard input have when no name is given."""

_TIMING_HELP = (
    "Say what each stage and rule took, without the cache. What several rules ask counts for the first of them."
)
_FORMAT_HELP = f"Print as {', '.join(FORMATS)}; with :FILE into a file. Repeatable."


@dataclass(frozen=True, slots=True)
class Target:
    """One ``--format FORMAT[:FILE]``."""

    style: str
    file: Path | None


@dataclass(frozen=True, slots=True)
class Shown:
    """What of a report is printed, and where."""

    targets: Sequence[Target]
    asked: Wish
    stdin: bool
    """It was standard input that was scanned."""
    exit_zero: bool
    counts: bool
    quiet: bool


@click.command(name="check")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--format", "formats", multiple=True, metavar="FORMAT[:FILE]", help=_FORMAT_HELP)
@selection_flags
@click.option("--min-confidence", type=click.Choice(["high", "medium", "low"]), help="Report this and above.")
@click.option(
    "--fail-on",
    type=click.Choice(["critical", "high", "medium", "low", "never"]),
    help="Exit with 1 for a finding of this severity or worse.",
)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 where it would be 1.")
@click.option("--fix", is_flag=True, help="Repair what can be repaired safely.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix or --diff: repair also what may change behaviour.")
@click.option("--diff", is_flag=True, help="Print what --fix would change, and change nothing.")
@click.option("--no-suppressions", is_flag=True, help="Report also what comments suppress.")
@click.option("--stdin-filename", metavar="PATH", help="The path that standard input (-) stands for.")
@click.option("--statistics", "counts", is_flag=True, help="Count the findings of each rule.")
@click.option("--timing", is_flag=True, help=_TIMING_HELP)
@click.option("--show-files", is_flag=True, help="List the files that would be read, and stop.")
@click.option("--no-cache", is_flag=True, help="Read nothing from the cache, and keep nothing in it.")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Number of processes.")
@click.option("--executor", metavar="local|dask=ADDRESS", default="local", help="Where the rules are asked.")
@click.option(
    "--executor-timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    metavar="SECONDS",
    help="How long a scheduler may take to answer and to get a worker (default: 10).",
)
@click.option("-v", "--verbose", is_flag=True, help="Say what is in force.")
@click.option("-q", "--quiet", is_flag=True, help="Only findings and errors.")
def command(
    paths: tuple[str, ...],
    formats: tuple[str, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    extend_select: tuple[str, ...],
    config: tuple[str, ...],
    min_confidence: str | None,
    fail_on: str | None,
    stdin_filename: str | None,
    jobs: int | None,
    executor: str,
    executor_timeout: float,
    *,
    isolated: bool,
    exit_zero: bool,
    fix: bool,
    unsafe_fixes: bool,
    diff: bool,
    no_suppressions: bool,
    counts: bool,
    timing: bool,
    show_files: bool,
    no_cache: bool,
    verbose: bool,
    quiet: bool,
) -> int:
    """Scan files and folders (default: the current one) for actor code that defeats its own supervision.

    A PATH of - reads standard input. Exit status: 0 nothing found, 1 findings, 2 otplint could not do what was asked.
    """
    targets = [_target(text) for text in formats] or [_default_target()]
    _check_targets(targets)
    asked = wish(fix=fix, unsafe=unsafe_fixes, diff=diff, formats=bool(formats), suppressions=not no_suppressions)
    workers = _executor(executor, executor_timeout)
    places, stdin = _sources(paths, stdin_filename)
    flags = Flags(config, isolated, listed(select), listed(ignore), listed(extend_select), min_confidence, fail_on)
    plain = not (no_cache or stdin or asked or timing or show_files or verbose)
    shown = Shown(targets, asked, stdin=stdin is not None, exit_zero=exit_zero, counts=counts, quiet=quiet)
    before = remembered(places, flags, suppressions=not no_suppressions) if plain else Remembered()
    if before.report is not None:
        return _tell(before.report, before.setting, shown)
    from otplint.cli.settings import settings_for

    settings = settings_for([Path(stdin[0])] if stdin else places, flags)
    if show_files:
        put("".join(f"{name}\n" for name in _files(places, settings)))
        return OK
    if verbose:
        _say_settings(settings)
    from otplint.engine.clock import OFF, Clock

    clock = Clock() if timing else OFF
    start = time.perf_counter()

    def look(contents: Mapping[str, bytes]) -> Report:
        return analyse(
            places,
            settings,
            jobs=jobs,
            executor=workers,
            stdin=stdin,
            contents=contents,
            suppressions=not no_suppressions,
            quiet=quiet,
            cache=before.cache,
            clock=clock,
        )

    done = repaired(look, settings.root, stdin, asked) if asked else None
    report = look({}) if done is None else done.report
    with clock.stage("output"):
        status = _tell(report, Setting(settings.config, settings.root), shown, done)
    if timing:
        rules = [(rule.code, rule.name) for rule in settings.rules]
        say(timing_table(clock.timing(rules), time.perf_counter() - start))
    return status


def _tell(report: Report, setting: Setting, shown: Shown, done: Repaired | None = None) -> int:
    """Print a report in all formats, and the summary; the exit status."""
    if shown.asked.diff and done is not None:
        show_diff(done.changes)
    else:
        for target in shown.targets:
            _deliver(target, report, setting.root, aside=shown.stdin and shown.asked.fix)
    for line in failure_lines(report):
        say(line)
    if shown.counts:
        say(statistics(report))
    if not shown.quiet and done is not None:
        say(outcome(done, shown.asked))
    if not shown.quiet and not shown.asked.diff:
        say("; ".join(part for part in (summary(report), "" if shown.asked else fixable(report)) if part))
    if shown.asked.diff and done is not None:
        return _status_of_diff(report, changes=bool(done.changes), exit_zero=shown.exit_zero)
    return _status(report, setting.config.fail_on, exit_zero=shown.exit_zero)


def analyse(
    paths: Sequence[Path],
    settings: Settings,
    *,
    jobs: int | None = None,
    executor: Executor | None = None,
    stdin: tuple[str, bytes] | None = None,
    contents: Mapping[str, bytes] | None = None,
    suppressions: bool = True,
    quiet: bool = False,
    cache: Cache | None = None,
    clock: Clock | None = None,
) -> Report:
    """Run the scan behind a progress bar; what users can get wrong becomes one line."""
    from otplint.cli.settings import one_line_errors
    from otplint.engine.clock import OFF
    from otplint.engine.pool import Pool
    from otplint.engine.run import scan

    # The choice is made: what a scan gets says which rules run, whoever chose them.
    codes = tuple(rule.code for rule in settings.rules)
    config = settings.config.override("rules", select=codes, ignore=(), extend_select=())
    with one_line_errors(), progress(quiet=quiet) as advance:
        return scan(
            paths,
            config,
            settings.rules,
            root=settings.root,
            jobs=jobs,
            executor=executor or Pool,
            stdin=stdin,
            contents=contents,
            suppressions=suppressions,
            progress=advance,
            cache=cache,
            clock=clock or OFF,
        )


def _executor(text: str, seconds: float) -> Executor | None:
    """Who does the work; none for this machine, where nothing has to be imported for it."""
    if text == "local":
        return None
    from otplint.cli.settings import one_line_errors
    from otplint.engine.executors import chosen

    with one_line_errors():
        return chosen(text, seconds)


def _target(text: str) -> Target:
    """``sarif:out.sarif`` as a target; formats without a file go to standard output."""
    style, _, file = text.partition(":")
    if style not in FORMATS:
        import difflib

        near = difflib.get_close_matches(style, FORMATS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(FORMATS)}"
        raise click.UsageError(f"--format: unknown format {style!r}; {hint}")
    if ":" in text and not file:
        raise click.UsageError(f"--format: {text!r} names no file; write {style}:FILE")
    return Target(style, Path(file) if file else None)


def _default_target() -> Target:
    return Target("text" if is_terminal(sys.stdout) else "concise", None)


def _check_targets(targets: Sequence[Target]) -> None:
    """Refuse two reports in one place, before the scan and not after it."""
    places = [target.file for target in targets]
    for place in places:
        if places.count(place) > 1:
            name = "standard output" if place is None else str(place)
            raise click.UsageError(f"--format: two formats go to {name}; write one of them into a file: FORMAT:FILE")
        if place is not None and not place.parent.is_dir():
            raise click.UsageError(f"--format: no such folder: {place.parent}")


def _sources(paths: Sequence[str], stdin_filename: str | None) -> tuple[list[Path], tuple[str, bytes] | None]:
    """The paths to scan, or standard input with its name."""
    if "" in paths:
        raise click.UsageError("an empty path; give files or folders, or nothing for the current one")
    if "-" in paths:
        if len(paths) > 1:
            raise click.UsageError("standard input (-) is scanned alone; leave the other paths out")
        return [], (stdin_filename or STDIN_NAME, read_all())
    if stdin_filename is not None:
        raise click.UsageError("--stdin-filename says what standard input is; give - as the path")
    return [Path(path) for path in paths] or [Path()], None


def _files(paths: Sequence[Path], settings: Settings) -> Iterator[str]:
    from otplint.cli.settings import one_line_errors
    from otplint.sources.walk import walk

    config = settings.config
    with one_line_errors():
        for file in walk(paths, settings.root, exclude=config.exclude, respect_gitignore=config.respect_gitignore):
            yield file.relative


def _say_settings(settings: Settings) -> None:
    say(f"configuration: {settings.config.file or 'none'}")
    say(f"project root: {settings.root}")
    say(f"rules: {' '.join(rule.code for rule in settings.rules) or 'none'}")


def _deliver(target: Target, report: Report, root: Path, *, aside: bool = False) -> None:
    """Write the report in one format to its place; ``aside`` is standard error, where the other holds a source."""
    on_screen = target.file is None
    if target.style == "text":
        text = render("text", report, colour=on_screen and wants_colour(sys.stdout), width=width())
    elif target.style == "sarif":
        text = render("sarif", report, root=str(root))
    else:
        text = render(target.style, report)
    if target.file is None:
        (put_aside if aside else put)(text)
        return
    try:
        target.file.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as error:
        raise click.ClickException(f"cannot write {target.file}: {error.strerror}") from error


def _status_of_diff(report: Report, *, changes: bool, exit_zero: bool) -> int:
    if report.failures:
        return FAILED
    return FINDINGS if changes and not exit_zero else OK


def _status(report: Report, fail_on: Severity | None, *, exit_zero: bool) -> int:
    if report.failures:
        return FAILED
    if exit_zero or fail_on is None:
        return OK
    return FINDINGS if any(finding.severity.rank >= fail_on.rank for finding in report.findings) else OK
