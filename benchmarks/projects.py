"""Real projects to measure and to try rules on: pinned releases, downloaded once and unpacked outside the repository.

Nothing of them is installed, imported or run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

VERSIONS = {
    "celery": "5.7.0",
    "circus": "0.19.0",
    "distributed": "2026.8.0",
    "django": "6.1.3",
    "homeassistant": "2025.4.4",
    "mopidy": "4.0.5",
    "pykka": "4.5.0",
    "ray": "2.60.0",
    "xinference": "4.1.0",
}
COMPARED = {
    "homeassistant": "homeassistant/components/recorder/core.py",
    "ray": "ray/serve/_private/controller.py",
    "distributed": "distributed/worker.py",
    "django": "django/db/models/query.py",
    "celery": "celery/worker/consumer/consumer.py",
    "mopidy": "mopidy/core/_actor.py",
}
"""The projects of the comparison, each with the file that is edited there: one with an actor, where there is one."""


class BenchmarkError(Exception):
    """Something could not be downloaded or installed; the message names it and says why."""


@dataclass(frozen=True)
class Extent:
    """How much Python code a project has."""

    files: int
    lines: int


def default_cache() -> Path:
    """Where downloads, environments and copies are kept unless the user says otherwise."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "otplint" / "benchmarks"


def unpacked(project: str, cache: Path) -> Path:
    """The folder with the project's pinned release, downloaded and unpacked on first use.

    Raises:
        BenchmarkError: it cannot be downloaded or unpacked.
    """
    release = f"{project}-{VERSIONS[project]}"
    folder = cache / "projects" / release
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        # Some of them need a newer Python than this one; their source is all that counts.
        pip(
            Path(sys.executable),
            ["download", "--no-deps", "--dest", scratch, "--only-binary=:all:", "--python-version=3.13"],
            [f"{project}=={VERSIONS[project]}"],
        )
        try:
            [wheel] = Path(scratch).glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(Path(scratch) / "site")
            (Path(scratch) / "site").rename(folder)
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise BenchmarkError(f"{release}: the download cannot be unpacked: {error}") from error
    return folder


def pip(python: Path, command: Sequence[str], packages: Sequence[str]) -> None:
    """Run pip in an environment.

    Raises:
        BenchmarkError: with the line of pip's that says why.
    """
    done = subprocess.run(
        [python, "-m", "pip", command[0], "--quiet", "--disable-pip-version-check", *command[1:], *packages],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        why = ([line for line in said if line.startswith("ERROR")] or said or ["no reason given"])[-1]
        raise BenchmarkError(f"pip cannot get {' '.join(packages)}: {why.removeprefix('ERROR: ')}")


def sources(folder: Path) -> list[str]:
    """The Python files under a folder, sorted, as relative POSIX paths."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.py") if path.is_file())


def extent(folder: Path) -> Extent:
    """Count files and lines; every file is read, so that no tool is the first to wait for the disk."""
    paths = sources(folder)
    return Extent(len(paths), sum((folder / path).read_bytes().count(b"\n") for path in paths))


def staged(paths: Sequence[str], count: int = 10) -> list[str]:
    """``count`` files as a commit might touch them, spread evenly over the project; package markers and tests aside."""
    chosen = [path for path in paths if not path.endswith("__init__.py") and "/tests/" not in f"/{path}"]
    step = max(len(chosen) / count, 1)
    return [chosen[int(position * step)] for position in range(min(count, len(chosen)))]


def edited(text: str, number: int) -> str:
    """A text with one more statement in the longest of its methods that has a fitting place.

    It goes by indentation and not by a parser, which may be older than the text.

    Args:
        text: Python code with four columns for a level of indentation.
        number: stands in the new statement, so that no two edits are alike.

    Raises:
        ValueError: there is no method with a ``return``, ``raise`` or ``try`` of its own.
    """
    methods = [match for match in _METHOD.finditer(text) if _STATEMENT.search(match[0])]
    if not methods:
        raise ValueError("no method with a statement to edit")
    longest = max(methods, key=lambda match: match.end() - match.start())
    *_, last = _STATEMENT.finditer(longest[0])
    place = longest.start() + last.start()
    return f"{text[:place]}        edit_of_the_benchmark = {number}\n{text[place:]}"


_METHOD = re.compile(r"^    (?:async )?def .*\n(?:(?:     .*|    \).*)?\n)*", re.MULTILINE)
"""A method by its indentation: its first line, and all that are empty, deeper or close its parameters."""
_STATEMENT = re.compile(r"^        (?:return\b|raise\b|try:)", re.MULTILINE)
