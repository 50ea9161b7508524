"""Where rules report in the programs of a proof, by scans of those files alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from otplint.api import Rule
from otplint.config import Config
from otplint.engine.run import scan
from otplint.findings import Confidence, Report
from otplint.sources.decode import decode
from otplint.sources.positions import LineTable


def locator(rule: type[Rule]) -> Callable[[Path, str], tuple[int, int] | None]:
    """A function of a file and a code: the character offsets of the first finding, none where there is none."""

    def locate(path: Path, code: str) -> tuple[int, int] | None:
        found = next((f for f in alone(path, [rule()]).findings if f.code == code), None)
        if found is None:
            return None
        lines = LineTable(decode(path.read_bytes()).text)
        span = found.span
        return lines.offset(span.line, span.column), lines.offset(span.end_line, span.end_column)

    return locate


def reporter(rules: Sequence[type[Rule]]) -> Callable[[Path], frozenset[str]]:
    """A function of a folder: the codes that the rules report in it."""

    def reported(folder: Path) -> frozenset[str]:
        return frozenset(f.code for f in alone(folder, [rule() for rule in rules]).findings)

    return reported


def alone(path: Path, rules: Sequence[Rule], *, lowest: Confidence = Confidence.MEDIUM) -> Report:
    """A scan of one file, or of one folder as a project of its own; in this process, and whatever comments say."""
    root = path if path.is_dir() else path.parent
    config = Config(min_confidence=lowest, respect_gitignore=False)
    return scan([path], config, rules, root=root, jobs=1, suppressions=False)
