"""Mechanical repairs: the edits that findings carry, applied in memory to a fixpoint, then written.

Each round applies what does not overlap, the first of a file first, and scans again: a repair may make another one
possible, or needless. What a comment or a threshold keeps out of the report is not repaired. A file whose repaired
text would not parse, could not be encoded or never comes to rest is left as it is and named.
"""

from __future__ import annotations

import itertools
import os
import re
import stat
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from otplint.facts.index.by_ast import index_module
from otplint.facts.index.entries import Unparsable
from otplint.findings import Failure, Finding, Fix, Report
from otplint.sources.decode import Undecodable, decode
from otplint.sources.positions import LineTable

ROUNDS = 20
"""Scans after which a file is taken to be one that repairs never finish."""
GROWTH = 20_000
"""Characters that repairs may add to a file, beside twice what it has: one that doubles it each time has no end."""
_LINE_END = re.compile(r"\r\n|\r|\n")

Look = Callable[[Mapping[str, bytes]], Report]
"""Scans, with these contents (by path) in the place of the files' own."""
Read = Callable[[str], bytes]
"""The bytes of a file by its path.

:raises OSError: where it cannot be read."""


@dataclass(frozen=True, slots=True)
class Change:
    """What the repairs make of one file."""

    path: str
    """Relative to the project root, POSIX separators."""
    before: bytes
    after: bytes
    fixed: int = 1
    """Findings that were repaired in it."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """What is left to say after the repairs."""

    report: Report
    """Of the repaired texts; its failures name the files that could not be repaired as well."""
    changes: tuple[Change, ...] = ()
    """By path. Nothing is written yet."""

    @property
    def fixed(self) -> int:
        """Findings that were repaired."""
        return sum(change.fixed for change in self.changes)

    @property
    def withheld(self) -> int:
        """Repairs that were not made because they are not safe."""
        return sum(f.fix is not None and not f.fix.safe for f in self.report.findings)


def repair(look: Look, read: Read, *, unsafe: bool) -> Repaired:
    """Apply the fixes of all findings, scan again, and so on until there are none.

    Args:
        look: makes the report; called once for each round.
        read: gives the bytes that the first report is about.
        unsafe: whether fixes that may change behaviour are applied as well.
    """
    work = _Work(read)
    report = look({})
    for _ in range(ROUNDS):
        if not work.round(report, unsafe=unsafe):
            break
        report = look(work.contents())
    else:
        if work.give_up(report, unsafe=unsafe):
            report = look(work.contents())
    failures = tuple(sorted({*report.failures, *work.failures}))
    return Repaired(replace(report, failures=failures), work.changes())


def write(changes: Iterable[Change], root: Path) -> tuple[Failure, ...]:
    """Put repaired texts in the place of the files.

    A file is replaced at once or not at all; its mode stays, and a symbolic link goes on pointing at it.

    Args:
        changes: of files below ``root``.
        root: the project root, absolute.

    Returns:
        A failure for each file that is as it was, because it cannot be written or is not what was scanned any more.
    """
    failures = []
    for change in changes:
        try:
            _replace(root / change.path, change)
        except OSError as error:
            failures.append(Failure(change.path, 0, f"not fixed: cannot be written: {error.strerror or error}"))
        except _Stale:
            failures.append(Failure(change.path, 0, "not fixed: it has changed meanwhile; run otplint again"))
    return tuple(failures)


class _Stale(Exception):  # noqa: N818 - the name says what is wrong
    """A file is not what was scanned."""


@dataclass
class _File:
    """One file between two scans."""

    path: str
    before: bytes
    text: str
    encoding: str
    encode: Callable[[str], bytes]
    seen: set[str] = field(default_factory=set)
    fixed: int = 0
    stuck: bool = False
    """Whether no more is done to it."""

    @classmethod
    def of(cls, path: str, data: bytes) -> _File:
        """The file as it was scanned.

        :raises Undecodable: as :func:`decode`.
        """
        decoded = decode(data)
        return cls(path, data, decoded.text, decoded.encoding, decoded.encode, {decoded.text})


@dataclass
class _Work:
    """All files that have something to repair."""

    read: Read
    files: dict[str, _File] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)

    def round(self, report: Report, *, unsafe: bool) -> bool:
        """Apply a report's fixes once; whether any text is another one now."""
        changed = False
        for path, findings in _by_path(report, unsafe=unsafe):
            file = self.files.get(path) or self._opened(path, report)
            if file is not None and not file.stuck:
                changed |= self._advance(file, findings)
        return changed

    def give_up(self, report: Report, *, unsafe: bool) -> bool:
        """Take back what was done to files that still have something to repair; whether there are any."""
        pending = [(self.files.get(path), findings) for path, findings in _by_path(report, unsafe=unsafe)]
        endless = [(file, findings) for file, findings in pending if file is not None and not file.stuck]
        for file, findings in endless:
            self._take_back(file, findings)
        return bool(endless)

    def contents(self) -> dict[str, bytes]:
        """The bytes of the files that are not what they were."""
        return {change.path: change.after for change in self.changes()}

    def changes(self) -> tuple[Change, ...]:
        """What is different, by path."""
        made = (Change(f.path, f.before, f.encode(f.text), f.fixed) for _, f in sorted(self.files.items()))
        return tuple(change for change in made if change.before != change.after)

    def _opened(self, path: str, report: Report) -> _File | None:
        """The file, if its bytes can be put together again from its text."""
        try:
            file = _File.of(path, self.read(path))
            same = file.text == report.sources[path]
            exact = file.encode(file.text) == file.before
        except (OSError, Undecodable, UnicodeEncodeError):
            same = exact = False
        if not same:
            self._fail(path, 0, "it has changed meanwhile; run otplint again")
            return None
        if not exact:
            self._fail(path, 0, f"its encoding {file.encoding} has more than one way to write it; save it as UTF-8")
            return None
        self.files[path] = file
        return file

    def _advance(self, file: _File, findings: Sequence[Finding]) -> bool:
        """Apply what can be applied at once. Where the outcome is no program, only what leaves one."""
        chosen = list(_compatible(file.text, findings))
        text = _edited(file.text, chosen)
        if _complaint(file, text):
            text = file.text
            kept: list[tuple[Finding, list[_Replacement]]] = []
            for one in chosen:
                attempt = _edited(file.text, [*kept, one])
                if complaint := _complaint(file, attempt):
                    self._fail(file.path, one[0].span.line, f"the fix of {one[0].code} leaves {complaint}")
                    file.stuck = True
                else:
                    kept.append(one)
                    text = attempt
            chosen = kept
        if text == file.text:
            return False
        if text in file.seen or len(text) > 3 * len(file.before) + GROWTH:
            self._take_back(file, findings)
            return True
        file.seen.add(text)
        file.text = text
        file.fixed += len(chosen)
        return True

    def _take_back(self, file: _File, findings: Sequence[Finding]) -> None:
        codes = ", ".join(sorted({finding.code for finding in findings}))
        self._fail(file.path, findings[0].span.line, f"the fixes of {codes} do not come to an end")
        file.text = decode(file.before).text
        file.fixed = 0
        file.stuck = True

    def _fail(self, path: str, line: int, why: str) -> None:
        failure = Failure(path, line, f"not fixed: {why}")
        if failure not in self.failures:
            self.failures.append(failure)


@dataclass(frozen=True, slots=True, order=True)
class _Replacement:
    """An edit in offsets of the text."""

    start: int
    end: int
    text: str


def _by_path(report: Report, *, unsafe: bool) -> Iterator[tuple[str, list[Finding]]]:
    """The findings to repair, file by file, in the order of the report. A fix stays inside of its finding's file."""
    found: dict[str, list[Finding]] = {}
    for finding in report.findings:
        fix, path = finding.fix, finding.span.path
        if _wanted(fix, path, unsafe=unsafe):
            found.setdefault(path, []).append(finding)
    return iter(found.items())


def _wanted(fix: Fix | None, path: str, *, unsafe: bool) -> bool:
    if fix is None or not fix.edits or not (fix.safe or unsafe):
        return False
    return all(edit.span.path == path for edit in fix.edits)


def _compatible(text: str, findings: Iterable[Finding]) -> Iterator[tuple[Finding, list[_Replacement]]]:
    """The findings whose edits do not touch those of an earlier one, with their edits; no edit that changes nothing."""
    table = LineTable(text)
    taken: list[_Replacement] = []
    for finding in findings:
        edits = sorted(_replacements(table, finding))
        wrong = any(edit.end < edit.start for edit in edits)
        wrong |= any(_touch(first, second) for first, second in itertools.pairwise(edits))
        if not edits or wrong or any(_is_taken(edit, taken) for edit in edits):
            continue
        for edit in edits:
            taken.insert(bisect_left(taken, edit), edit)
        yield finding, edits


def _replacements(table: LineTable, finding: Finding) -> Iterator[_Replacement]:
    assert finding.fix is not None
    for edit in finding.fix.edits:
        span = edit.span
        start, end = table.offset(span.line, span.column), table.offset(span.end_line, span.end_column)
        new = _LINE_END.sub(_line_end(table.text, start), edit.replacement)
        if table.text[start:end] != new:
            yield _Replacement(start, end, new)


def _line_end(text: str, near: int) -> str:
    """The line end that the file uses at an offset: that of the line, else of the one before."""
    following = _LINE_END.search(text, near)
    if following is None:
        before = _LINE_END.findall(text, 0, near)
        return before[-1] if before else "\n"
    return following[0]


def _is_taken(edit: _Replacement, taken: Sequence[_Replacement]) -> bool:
    at = bisect_left(taken, edit)
    return any(_touch(edit, other) for other in taken[max(at - 1, 0) : at + 1])


def _touch(one: _Replacement, other: _Replacement) -> bool:
    """Whether two edits overlap; next to an insertion the order would decide, so that counts as well."""
    first, second = sorted((one, other))
    if first.end == second.start:
        return first.start == first.end or second.start == second.end
    return first.end > second.start


def _edited(text: str, chosen: Iterable[tuple[Finding, Sequence[_Replacement]]]) -> str:
    parts = []
    at = 0
    for edit in sorted(edit for _, edits in chosen for edit in edits):
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])


def _complaint(file: _File, text: str) -> str:
    """Why a text cannot take the place of the file's, as the end of a sentence; empty where it can."""
    try:
        data = file.encode(text)
        if decode(data).text != text:
            return f"a file that is no longer {file.encoding}"
        index_module(text, file.path, "", is_package=False)
    except UnicodeEncodeError:
        return f"a character that {file.encoding} does not have"
    except Undecodable as error:
        return f"a file that cannot be read: {error.message}"
    except Unparsable as error:
        return f"a syntax error: {error.message} (line {error.line})"
    return ""


def _replace(path: Path, change: Change) -> None:
    """Write a new file beside the old one, then rename it.

    :raises OSError: it cannot be written; the old one is untouched.
    :raises _Stale: somebody else has written it.
    """
    target = Path(os.path.realpath(path))
    found = target.read_bytes()
    if found == change.after:
        return  # under another name: a link to it was scanned as well
    if found != change.before:
        raise _Stale
    if not os.access(target, os.W_OK):  # a rename would not ask
        raise PermissionError(13, "the file is read-only")
    before = target.stat()
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(change.after)
            file.flush()
            os.fsync(file.fileno())
        if hasattr(os, "chown"):
            with suppress(PermissionError):
                os.chown(name, before.st_uid, before.st_gid)
        os.chmod(name, stat.S_IMODE(before.st_mode))  # noqa: PTH101 - a name, as mkstemp gives it
        os.replace(name, target)  # noqa: PTH105
    except BaseException:
        with suppress(OSError):
            os.unlink(name)  # noqa: PTH108
        raise
