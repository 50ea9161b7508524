"""From paths to Python files: ignore files, excludes, one sorted list.

What is walked: ``.py`` files (no ``.pyi``) below the directories given, and the files given, whatever their suffix.
What is left out: ``exclude`` (patterns relative to the project root; ``!build/`` takes a default back), the directories
of :data:`DEFAULT_EXCLUDES`, virtual environments, and in directories what ``.gitignore`` files and
``.git/info/exclude`` name. A user's global git excludes do not count: the result must be the same on every machine.

* A file given by name honours the excludes (a pre-commit hook names files), but not ``.gitignore``: git may track it.
* A directory given by name is walked even where a default exclude or ``.gitignore`` would skip it
  (``otplint check .venv/lib/python3.12/site-packages/pykka``); ``exclude`` still counts.
* Symbolic links to directories are not followed, as in git, so loops cannot happen; a link to a file is read unless
  the file itself is in the walk.
"""

# Plain strings are several times faster here, and Path.resolve would follow links.
# ruff: noqa: PTH100, PTH110, PTH112, PTH113, PTH114, PTH116, PTH118, PTH120, PTH123, PTH206

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from otplint.sources.patterns import BadPattern, Patterns

DEFAULT_EXCLUDES = frozenset({
    ".bzr", ".direnv", ".eggs", ".git", ".hg", ".hypothesis", ".ipynb_checkpoints", ".mypy_cache", ".nox",
    ".otplint_cache", ".pyenv", ".pytest_cache", ".ruff_cache", ".svn", ".tox", ".venv", ".vscode", "__pycache__",
    "__pypackages__", "_build", "_vendor", "_vendored", "build", "buck-out", "dist", "node_modules", "site-packages",
    "third-party", "third_party", "thirdparty", "thirdparty_files", "vendored", "venv",
})  # fmt: skip
"""Names of directories that hold no source of the project's own: what tools made, and copies of other projects."""

OnError = Callable[[str, str], None]
"""Called with the relative path of a directory that cannot be read and a one-line reason."""

_Ignores = tuple[tuple[int, Patterns], ...]
"""Patterns in force, innermost last, each with the length of the absolute prefix that its paths leave out."""


class WalkError(Exception):
    """The walk cannot be done as asked; the message is one clear line."""


class MissingPath(WalkError):  # noqa: N818  (the name says what is wrong)
    """A path that was asked for does not exist."""


class UnreadablePath(WalkError):  # noqa: N818  (as above)
    """A directory that cannot be listed."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file to look at."""

    absolute: str
    relative: str
    """POSIX path relative to the project root: the path of every report. Outside the root it starts with ``../``, or is
    absolute where the two share nothing. Always valid Unicode, even where the file's name is not."""

    @property
    def path(self) -> Path:
        """The absolute path."""
        return Path(self.absolute)


def walk(
    paths: Sequence[Path],
    root: Path,
    *,
    exclude: Sequence[str] = (),
    respect_gitignore: bool = True,
    on_error: OnError | None = None,
) -> Iterator[SourceFile]:
    """Find the files of *paths*, each once, sorted by relative path.

    Args:
        paths: files and directories; relative ones start at the current directory.
        root: the project root.
        exclude: gitignore patterns relative to *root*, on top of :data:`DEFAULT_EXCLUDES`.
        respect_gitignore: leave out what git ignores.
        on_error: takes a directory that cannot be listed; without it that is an :class:`UnreadablePath`.

    Raises:
        MissingPath: a path does not exist. Raised by the call, before the first file is given.
        WalkError: *exclude* holds a bad pattern.
    """
    try:
        patterns = Patterns(exclude)
    except BadPattern as error:
        raise WalkError(f"exclude: {error}") from error
    walker = _Walker(os.path.abspath(root), patterns, respect_gitignore, on_error or _raise)
    for path in paths:
        walker.add(path)
    return iter(walker.files())


def relative_to(path: str | Path, root: str | Path) -> str:
    """The path that reports name: POSIX, relative to *root*, see :attr:`SourceFile.relative`."""
    return _readable(_relative(os.path.abspath(path), os.path.abspath(root)) or ".")


class _Walker:
    def __init__(self, root: str, exclude: Patterns, respect_gitignore: bool, on_error: OnError) -> None:
        self._root = root
        self._exclude = exclude
        self._respect_gitignore = respect_gitignore
        self._on_error = on_error
        self._found: dict[str, tuple[str, str]] = {}  # real path -> (relative, absolute)
        self._links: dict[str, tuple[str, str]] = {}

    def files(self) -> list[SourceFile]:
        found = {**self._links, **self._found}
        return [SourceFile(path, _readable(relative)) for relative, path in sorted(found.values())]

    def add(self, path: Path) -> None:
        absolute = os.path.abspath(path)
        try:
            is_directory = os.path.isdir(absolute)
            os.stat(absolute)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            reason = "permission denied" if isinstance(error, PermissionError) else "no such file or directory"
            raise MissingPath(f"{_readable(str(path))!r}: {reason}; give files or directories that exist") from error
        relative = _relative(absolute, self._root)
        if self._excluded_from_root(relative, is_directory):
            return
        if is_directory:
            self._add_directory(absolute, relative)
        else:
            table = self._links if os.path.islink(absolute) else self._found
            _keep(table, os.path.realpath(absolute), relative, absolute)

    def _excluded_from_root(self, relative: str, is_directory: bool) -> bool:
        """Whether the excludes skip a path that was given by name, or a directory above it."""
        parts = relative.split("/")
        inside = parts[0] not in ("", "..")
        for end in range(1, len(parts) + 1):
            last = end == len(parts)
            if parts[end - 1] in ("", ".."):
                continue
            verdict = self._exclude.decide("/".join(parts[:end]) + ("" if last and not is_directory else "/"))
            if verdict:
                return True
            if verdict is None and inside and not is_directory and not last and parts[end - 1] in DEFAULT_EXCLUDES:
                return True
        return False

    def _add_directory(self, start: str, start_relative: str) -> None:
        real_start = os.path.realpath(start)
        ignores = self._inherited_ignores(start) if self._respect_gitignore else ()
        pending = [(start, start_relative, ignores)]
        while pending:
            directory, relative, ignores = pending.pop()
            try:
                with os.scandir(directory) as scan:
                    entries = list(scan)
            except OSError as error:
                self._on_error(_readable(relative or "."), f"directory cannot be read: {error.strerror}")
                continue
            names = {entry.name for entry in entries}
            if directory is not start and "pyvenv.cfg" in names:
                continue
            if self._respect_gitignore:
                if ".git" in names and directory is not start:
                    ignores = _repository_excludes(directory)  # a repository of its own: the outer rules end here
                if ".gitignore" in names:
                    ignores = (*ignores, *_gitignore(directory))
            prefix = relative + "/" if relative and relative != "/" else relative
            for entry in entries:
                name = entry.name
                if entry.is_dir(follow_symlinks=False):
                    if not self._skips(prefix + name + "/", entry.path + "/", name, ignores):
                        pending.append((entry.path, prefix + name, ignores))
                elif name.endswith(".py") and not self._skips(prefix + name, entry.path, "", ignores):
                    self._add_file(entry, prefix + name, real_start + entry.path[len(start) :])

    def _add_file(self, entry: os.DirEntry[str], relative: str, real: str) -> None:
        try:
            is_file = entry.is_file()
        except OSError as error:  # a link into a place that cannot be read
            self._on_error(_readable(relative), f"cannot be read: {error.strerror}")
            return
        if is_file and entry.is_symlink():
            _keep(self._links, os.path.realpath(entry.path), relative, entry.path)
        elif is_file:
            _keep(self._found, real, relative, entry.path)

    def _skips(self, relative: str, absolute: str, directory_name: str, ignores: _Ignores) -> bool:
        verdict = self._exclude.decide(relative) if self._exclude else None
        if verdict is None:
            verdict = directory_name in DEFAULT_EXCLUDES or _ignored(absolute, ignores)
        return verdict

    def _inherited_ignores(self, start: str) -> _Ignores:
        """The rules of the directories above *start*, from the top of its repository (or the root) on."""
        top = git_top(start)
        if top is None:
            top = self._root if f"{start}/".startswith(f"{self._root}/") else start
        ignores = _repository_excludes(top)
        directory = top
        for name in start[len(top) :].split(os.sep):
            if not name:
                continue
            ignores = (*ignores, *_gitignore(directory))
            directory = os.path.join(directory, name)
            if _ignored(directory + "/", ignores):
                return ()  # asked for by name
        return ignores


def git_top(start: str) -> str | None:
    """The top of the git work tree that holds the directory *start*, without running git; None outside of one."""
    directory = start
    while True:
        if os.path.exists(os.path.join(directory, ".git")):
            return directory
        parent = os.path.dirname(directory)
        if parent == directory:
            return None
        directory = parent


def _ignored(absolute: str, ignores: _Ignores) -> bool:
    for prefix, patterns in reversed(ignores):
        verdict = patterns.decide(absolute[prefix:])
        if verdict is not None:
            return verdict
    return False


def _gitignore(directory: str) -> _Ignores:
    return _ignore_file(os.path.join(directory, ".gitignore"), directory)


def _repository_excludes(top: str) -> _Ignores:
    """``.git/info/exclude``, also where ``.git`` is the pointer file of a linked work tree."""
    repository = os.path.join(top, ".git")
    if os.path.isfile(repository):
        pointer = _read(repository).partition("gitdir:")[2].strip()
        repository = os.path.join(top, pointer)
        common = _read(os.path.join(repository, "commondir")).strip()
        repository = os.path.join(repository, common)
    return _ignore_file(os.path.join(repository, "info", "exclude"), top)


def _ignore_file(path: str, directory: str) -> _Ignores:
    patterns = Patterns(_read(path).split("\n"), forgiving=True)
    return ((len(directory.rstrip("/")) + 1, patterns),) if patterns else ()


def _read(path: str) -> str:
    """The text of a file of git's, as file names are decoded; empty where it cannot be read, as git takes it."""
    try:
        with open(path, "rb") as file:
            return os.fsdecode(file.read().removeprefix(b"\xef\xbb\xbf")).replace("\r\n", "\n")
    except OSError:
        return ""


def _relative(absolute: str, root: str) -> str:
    """POSIX path of *absolute* from *root*; empty for the root itself."""
    base = root.rstrip(os.sep) + os.sep
    if absolute.startswith(base):
        return absolute[len(base) :].replace(os.sep, "/")
    if absolute == root:
        return ""
    try:
        nothing_shared = os.path.dirname(os.path.commonpath([absolute, root])) == os.path.commonpath([absolute, root])
    except ValueError:  # two drives
        nothing_shared = True
    path = absolute if nothing_shared else os.path.relpath(absolute, root)
    return path.replace(os.sep, "/")


def _readable(path: str) -> str:
    r"""*path* as valid Unicode: bytes of a file name that are not UTF-8 become ``\xNN``."""
    if path.isascii():
        return path
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _keep(table: dict[str, tuple[str, str]], real: str, relative: str, absolute: str) -> None:
    """Keep one name for each real file, whatever the order of the paths given."""
    known = table.get(real)
    if known is None or (relative, absolute) < known:
        table[real] = (relative, absolute)


def _raise(path: str, message: str) -> None:
    raise UnreadablePath(f"{path}: {message}")
