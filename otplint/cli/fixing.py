"""``otplint check --fix`` and ``--diff``: what becomes of the repairs, and what is said about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from otplint.cli.terminal import put, put_bytes

if TYPE_CHECKING:
    from otplint.engine.fix import Change, Look, Repaired


@dataclass(frozen=True, slots=True)
class Wish:
    """What the flags ask for."""

    fix: bool = False
    unsafe: bool = False
    diff: bool = False

    def __bool__(self) -> bool:
        return self.fix or self.diff


def wish(*, fix: bool, unsafe: bool, diff: bool, formats: bool, suppressions: bool) -> Wish:
    """The flags, if they go together."""
    if unsafe and not (fix or diff):
        raise click.UsageError("--unsafe-fixes says how far --fix or --diff goes; give one of them as well")
    if diff and formats:
        raise click.UsageError("--diff prints a diff and no report; leave --format out")
    if (fix or diff) and not suppressions:
        raise click.UsageError("what comments suppress is not fixed; leave --no-suppressions out")
    return Wish(fix, unsafe, diff)


def repaired(look: Look, root: Path, stdin: tuple[str, bytes] | None, asked: Wish) -> Repaired:
    """Scan and repair, in memory; with ``--fix`` the files are written then.

    Args:
        look: the scan.
        root: the project root.
        stdin: name and contents of standard input, where that is what is scanned.
        asked: the flags.
    """
    from otplint.engine.fix import repair, write

    def read(path: str) -> bytes:
        return stdin[1] if stdin is not None else (root / path).read_bytes()

    done = repair(look, read, unsafe=asked.unsafe)
    if asked.diff:
        return done
    if stdin is not None:
        put_bytes(done.changes[0].after if done.changes else stdin[1])
        return done
    failures = write(done.changes, root)
    if failures:
        done = _partly(done, {failure.path for failure in failures}, look)
        report = replace(done.report, failures=tuple(sorted({*done.report.failures, *failures})))
        done = replace(done, report=report)
    return done


def show_diff(changes: tuple[Change, ...]) -> None:
    """Print what would change."""
    from otplint.output.diff import unified
    from otplint.sources.decode import decode

    for change in changes:
        before, after = decode(change.before), decode(change.after)
        mark = "\ufeff" if before.bom else ""
        put(unified(change.path, mark + before.text, mark + after.text))


def outcome(done: Repaired, asked: Wish) -> str:
    """``Fixed 3 (1 more with --unsafe-fixes)``."""
    did = "Would fix" if asked.diff else "Fixed"
    more = f" ({done.withheld} more with --unsafe-fixes)" if done.withheld and not asked.unsafe else ""
    return f"{did} {done.fixed}{more}"


def _partly(done: Repaired, unwritten: set[str], look: Look) -> Repaired:
    """What is left to say where some files could not be written."""
    written = tuple(change for change in done.changes if change.path not in unwritten)
    contents: Mapping[str, bytes] = {change.path: change.after for change in written}
    return replace(done, report=look(contents), changes=written)
