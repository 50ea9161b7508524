"""Where a project starts, and which of its files are tests."""

# Path.resolve would follow links: reported paths are the ones that were given.
# ruff: noqa: PTH100, PTH112, PTH120

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from otplint.sources.patterns import Patterns
from otplint.sources.walk import git_top

_TEST_DIRECTORIES = ("tests", "test", "benchmarks", "benchmark")
_TEST_ENDINGS = ("_test.py", "_test_utils.py", "benchmark.py", "_perf.py")
DEFAULT_TEST_FILES = (
    *(f"{name}/" for name in _TEST_DIRECTORIES),
    "test_*.py",
    *(f"*{ending}" for ending in _TEST_ENDINGS),
    "conftest.py",
)
"""Gitignore patterns, relative to the project root: tests, what helps them, and what only measures."""


def project_root(start: Path, config_file: Path | None = None, cwd: Path | None = None) -> Path:
    """The directory that reported paths, the cache and import resolution start from.

    Args:
        start: where the search begins: see :func:`common_start`.
        config_file: the configuration file in force, if there is one.
        cwd: the current directory, where the process's own does not count.

    Returns:
        The configuration file's directory, else the top of the git work tree around *start*, else *cwd*; absolute.
    """
    if config_file is not None:
        return Path(os.path.abspath(config_file)).parent
    top = git_top(os.path.abspath(start))
    return Path(top) if top is not None else Path(os.path.abspath(cwd or "."))


def common_start(paths: Sequence[Path], cwd: Path | None = None) -> Path:
    """The closest directory that holds all *paths*: where the search for settings and the project's top begins.

    It depends on what is scanned, not on the working directory; without paths it is *cwd*. Paths on several drives
    (Windows) start at the first one's directory.
    """
    if not paths:
        return Path(os.path.abspath(cwd or "."))
    directories = []
    for path in paths:
        absolute = os.path.abspath(path if cwd is None else cwd / path)
        directories.append(absolute if os.path.isdir(absolute) else os.path.dirname(absolute))
    try:
        return Path(os.path.commonpath(directories))
    except ValueError:
        return Path(directories[0])


def is_test_file(relative: str, patterns: Sequence[str] = DEFAULT_TEST_FILES) -> bool:
    """Whether a file belongs to the tests.

    Args:
        relative: POSIX path from the project root.
        patterns: gitignore patterns, the setting ``test-files``.

    Raises:
        BadPattern: one of *patterns* is not a path pattern.
    """
    key = tuple(patterns)
    if key == DEFAULT_TEST_FILES:  # the usual case does without pathspec
        *directories, name = relative.split("/")
        return (
            name == "conftest.py"
            or (name.startswith("test_") and name.endswith(".py"))
            or name.endswith(_TEST_ENDINGS)
            or not set(_TEST_DIRECTORIES).isdisjoint(directories)
        )
    return _compiled(key).matches(relative)


@lru_cache(maxsize=16)
def _compiled(patterns: tuple[str, ...]) -> Patterns:
    return Patterns(patterns)
