"""The settings: ``[tool.otplint]`` of a ``pyproject.toml``, or an ``otplint.toml``, as one frozen :class:`Config`.

The closest file wins; files are not merged unless one says ``extend = "../base.toml"``. Then, as with ``--config
KEY=VALUE``, what comes later replaces what comes earlier, with two exceptions: tables (``severity``,
``per-file-ignores``, ``options``, ``frameworks``) are joined key by key, and ``extend-select`` adds up. Patterns of
paths are those of ``.gitignore`` and start at the project root, also in a file that is extended.

Rule codes and names, options of rules and frameworks are looked at where rules and frameworks are known, not here.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from otplint.findings import Confidence, Severity

FILE_NAME = "otplint.toml"
DEFAULT = "default"
"""Origin of a setting that nobody made."""
STRICT = "strict"
"""Origin of a setting that comes with ``strict = true``."""

OptionValue = bool | int | float | str | tuple[str, ...]


class ConfigError(Exception):
    """A configuration that cannot be used; the message is one line that names file and key."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting in force, for ``otplint config``."""

    key: str
    """As in the file; dotted inside tables: ``options.OTP301.limit``."""
    value: object
    """Strings, numbers, truth values and lists of strings, as in the file."""
    origin: str
    """A file, a command-line flag, :data:`STRICT` or :data:`DEFAULT`."""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be set in a file. Plain data: picklable, and the same wherever it is read."""

    file: Path | None = None
    """The configuration file in force (absolute); its directory is the project root."""
    select: tuple[str, ...] | None = None
    """Codes, names, families (``OTP2``) or ``ALL``; None for the default set, all rules but previews."""
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Rules that do not run on files that match a pattern."""
    severity: Mapping[str, Severity | None] = field(default_factory=dict)
    """By rule code or name; None for ``off``."""
    options: Mapping[str, Mapping[str, OptionValue]] = field(default_factory=dict)
    """Options by rule code or name."""
    frameworks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The tables of in-house frameworks, unchecked."""
    exclude: tuple[str, ...] = ()
    """Patterns of files and directories, on top of the built-in ones."""
    respect_gitignore: bool = True
    search_paths: tuple[str, ...] = ()
    """Directories with the source of installed packages, or virtual environments, from the project root."""
    test_files: tuple[str, ...] | None = None
    """Patterns of test files; None for the built-in ones."""
    min_confidence: Confidence = Confidence.MEDIUM
    fail_on: Severity | None = Severity.LOW
    """The exit status is 1 for a finding of at least this severity; None for ``never``."""
    strict: bool = False
    origins: Mapping[str, str] = field(default_factory=dict)
    """Where each setting that is no default comes from, by the key of :class:`Setting`."""

    @property
    def severities(self) -> dict[str, Severity]:
        """The severities that are not ``off``."""
        return {rule: severity for rule, severity in self.severity.items() if severity is not None}

    @property
    def off(self) -> tuple[str, ...]:
        """Codes or names of the rules that are switched off by their severity."""
        return tuple(rule for rule, severity in self.severity.items() if severity is None)

    def override(self, origin: str, **changes: Any) -> Config:
        """A copy with some fields changed; *origin* is the flag that changes them, e.g. ``--select``."""
        keys = tuple(name.replace("_", "-") for name in changes)
        origins = {key: where for key, where in self.origins.items() if key.partition(".")[0] not in keys}
        origins |= dict.fromkeys(keys, origin)
        return replace(self, origins=origins, **changes)

    def settings(self) -> tuple[Setting, ...]:
        """Every setting in force, in the order of the documentation; of a table, its entries."""
        found = []
        for key in KEYS:
            value = _plain(getattr(self, _field(key)), key)
            for name, leaf in _leaves(key, value):
                found.append(Setting(name, leaf, self.origins.get(name) or self.origins.get(key, DEFAULT)))
        return tuple(found)


def load(start: Path, *, overrides: Sequence[str] = (), isolated: bool = False) -> Config:
    """Read the configuration in force.

    Args:
        start: directory where the search begins; it goes on in its parents.
        overrides: the values of ``--config``, each ``FILE`` or ``KEY=VALUE``. A file takes the place of the search.
        isolated: read no file.

    Raises:
        ConfigError: a file or setting that cannot be used.
    """
    file: Path | None = None
    settings: list[str] = []
    for override in overrides:
        if _is_file(override):
            if file is not None:
                raise ConfigError(f"--config: two files, {_shown(file)} and {override}; give one")
            file = _absolute(override)
        elif "=" in override:
            settings.append(override)
        else:
            raise ConfigError(f"--config: {override!r} is neither a file nor KEY=VALUE")
    if isolated and file is not None:
        raise ConfigError("--isolated reads no configuration file; leave it out, or --config FILE")
    if file is None and not isolated:
        file = find(start)
    merged = _Merged()
    if file is not None:
        for path, table in _chain(file):
            merged.add(table, _shown(path))
    for setting in settings:
        merged.add(_from_command_line(setting), "--config")
    return merged.config(file)


def find(start: Path) -> Path | None:
    """The closest ``otplint.toml``, or ``pyproject.toml`` with a table ``[tool.otplint]``, in *start* or above it.

    Raises:
        ConfigError: a ``pyproject.toml`` on the way speaks of otplint and cannot be read.
    """
    absolute = _absolute(start)
    for directory in (absolute, *absolute.parents):
        own = directory / FILE_NAME
        if own.is_file():
            return own
        shared = directory / "pyproject.toml"
        # A broken file that does not even name otplint is somebody else's business.
        if shared.is_file() and b"otplint" in _bytes(shared) and _own_table(shared, read_toml(shared)) is not None:
            return shared
    return None


@dataclass(frozen=True, slots=True)
class Key:
    """What a key of the configuration may hold."""

    kind: str
    """An entry of ``_EXPECTED``, or ``choice``."""
    help: str
    choices: tuple[str, ...] = ()


_SEVERITIES = tuple(severity.value for severity in Severity)
_CONFIDENCES = tuple(confidence.value for confidence in Confidence)
KEYS = {
    "select": Key("strings", "Rules that run: codes, names, families (OTP2) or ALL."),
    "extend-select": Key("strings", "Rules that run in addition."),
    "ignore": Key("strings", "Rules that do not run."),
    "per-file-ignores": Key("lists", "Rules that do not run on files that match a pattern."),
    "severity": Key("choices", "Severity of single rules; off switches a rule off.", (*_SEVERITIES, "off")),
    "options": Key("options", "Options of single rules, see 'otplint explain RULE'."),
    "frameworks": Key("tables", "In-house actor frameworks, with the keys of the built-in ones."),
    "exclude": Key("strings", "Files and directories left out, as in .gitignore; !NAME takes a built-in one back."),
    "respect-gitignore": Key("flag", "Leave out what git ignores."),
    "search-paths": Key("strings", "Directories, or virtual environments, with the source of base classes' packages."),
    "test-files": Key("strings", "Patterns of test files, as in .gitignore."),
    "min-confidence": Key("choice", "The least confidence that is reported.", _CONFIDENCES),
    "fail-on": Key("choice", "The least severity that makes the exit status 1.", (*_SEVERITIES, "never")),
    "strict": Key("flag", "All rules, previews included, at every confidence, unless set otherwise."),
}
EXTEND = Key("string", "A configuration file to start from, relative to this one.")
_STRICT_SETTINGS = {"select": ("ALL",), "min-confidence": Confidence.LOW}
_EXPECTED = {
    "strings": "a list of strings",
    "string": "a string",
    "flag": "true or false",
    "lists": "a table of lists of strings",
    "choices": "a table of strings",
    "options": "a table of tables",
    "tables": "a table of tables",
    "option": "true, false, a number, a string or a list of strings",
}
_FOUND = {
    bool: "a truth value",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "a table",
}


class _Merged:
    """Settings of several places, the later over the earlier."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._origins: dict[str, str] = {}

    def add(self, table: Mapping[str, Any], where: str) -> None:
        for key, raw in table.items():
            if key == "extend":
                continue
            if key not in KEYS:
                raise ConfigError(f"{where}: unknown key {key!r}{_nearest(key, (*KEYS, 'extend'))}")
            value = _checked(raw, KEYS[key].kind, KEYS[key].choices, key, where)
            for name, _ in _leaves(key, value):
                self._origins[name] = where
            self._values[key] = _joined(key, self._values.get(key), value)

    def config(self, file: Path | None) -> Config:
        values = dict(self._values)
        origins = dict(self._origins)
        if values.get("strict"):
            for key, value in _STRICT_SETTINGS.items():
                if key not in values:
                    values[key], origins[key] = value, STRICT
        return Config(file=file, origins=origins, **{_field(key): value for key, value in values.items()})


def _joined(key: str, old: Any, new: Any) -> Any:
    if old is None:
        return new
    if key == "extend-select":
        return tuple(dict.fromkeys((*old, *new)))
    if not isinstance(new, dict):
        return new
    both = {**old, **new}
    for name, value in new.items():
        if isinstance(value, dict) and isinstance(old.get(name), dict):
            both[name] = {**old[name], **value}
    return both


def _checked(raw: Any, kind: str, choices: tuple[str, ...], key: str, where: str) -> Any:
    """The value of a key as the :class:`Config` holds it."""
    if kind == "flag" and isinstance(raw, bool):
        return raw
    if kind == "strings" and isinstance(raw, list) and all(isinstance(item, str) for item in raw):
        return tuple(raw)
    if kind == "choice":
        return _chosen(raw, choices, key, where)
    if isinstance(raw, dict):
        entries = [(name, f"{key}.{name}", value) for name, value in raw.items()]
        if kind == "lists":
            return {name: _checked(value, "strings", (), path, where) for name, path, value in entries}
        if kind == "choices":
            return {name: _chosen(value, choices, path, where) for name, path, value in entries}
        if kind in ("options", "tables"):
            for _, path, value in entries:
                if not isinstance(value, dict):
                    raise _wrong_type(value, "a table", path, where)
            if kind == "tables":
                return raw
            return {name: _option_values(value, path, where) for name, path, value in entries}
    raise _wrong_type(raw, _EXPECTED[kind], key, where)


def _option_values(table: dict[str, Any], path: str, where: str) -> dict[str, OptionValue]:
    values: dict[str, OptionValue] = {}
    for name, value in table.items():
        if isinstance(value, (bool, int, float, str)):
            values[name] = value
        elif isinstance(value, list) and all(isinstance(item, str) for item in value):
            values[name] = tuple(value)
        else:
            raise _wrong_type(value, _EXPECTED["option"], f"{path}.{name}", where)
    return values


def _chosen(raw: Any, choices: tuple[str, ...], key: str, where: str) -> Severity | Confidence | None:
    listed = ", ".join(choices[:-1]) + " or " + choices[-1]
    if not isinstance(raw, str):
        raise _wrong_type(raw, listed, key, where)
    if raw not in choices:
        raise ConfigError(f"{where}: {key}: {raw!r} is not {listed}{_nearest(raw, choices)}")
    if raw in ("off", "never"):
        return None
    return Confidence(raw) if choices is _CONFIDENCES else Severity(raw)


def _wrong_type(raw: Any, expected: str, key: str, where: str) -> ConfigError:
    found = _FOUND.get(type(raw), f"a {type(raw).__name__}")
    return ConfigError(f"{where}: {key}: expected {expected}, found {found}")


def _nearest(word: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(word.lower(), list(names), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""


def _chain(file: Path) -> list[tuple[Path, Mapping[str, Any]]]:
    """The tables of a file and of those it extends, the base first."""
    chain: list[tuple[Path, Mapping[str, Any]]] = []
    seen: dict[str, Path] = {}
    current: Path | None = file
    while current is not None:
        real = os.path.realpath(current)
        if real in seen:
            circle = " -> ".join(_shown(path) for path in (*seen.values(), current))
            raise ConfigError(f"{_shown(file)}: extend: goes round in a circle: {circle}")
        seen[real] = current
        document = read_toml(current)
        table = _own_table(current, document) if current.name == "pyproject.toml" else document
        if table is None:
            raise ConfigError(f"{_shown(current)}: has no table [tool.otplint]")
        chain.append((current, table))
        base = table.get("extend")
        if base is not None and not isinstance(base, str):
            raise _wrong_type(base, "a string", "extend", _shown(current))
        if base is not None and not _is_file(current.parent / base):
            raise ConfigError(f"{_shown(current)}: extend: no such file: {base}")
        current = _absolute(current.parent / base) if base is not None else None
    return chain[::-1]


def _own_table(path: Path, document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The table ``[tool.otplint]`` of a ``pyproject.toml``; None where it has none."""
    tools = document.get("tool")
    table = tools.get("otplint") if isinstance(tools, dict) else None
    if table is None or isinstance(table, dict):
        return table
    raise _wrong_type(table, "a table", "tool.otplint", _shown(path))


def _from_command_line(setting: str) -> Mapping[str, Any]:
    """``KEY=VALUE`` as a table; a value that is no TOML is a string, so ``fail-on=high`` needs no quotes."""
    key, _, value = setting.partition("=")
    for text in (f"{key}={value}", f"{key}={json.dumps(value, ensure_ascii=False)}"):
        try:
            table = _parse(text)
        except (ValueError, RecursionError) as error:
            problem = error
            continue
        if "extend" in table:
            raise ConfigError("--config: extend counts only in a file; give that file, --config FILE")
        return table
    raise ConfigError(f"--config: {setting!r}: not KEY=VALUE as in TOML: {problem}")


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file.

    Raises:
        ConfigError: it cannot be read, or is no TOML; one line with the place.
    """
    where = _shown(path)
    data = _bytes(path)
    try:
        return _parse(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{where}:{data.count(10, 0, error.start) + 1}: not valid TOML: not UTF-8") from error
    except RecursionError as error:
        raise ConfigError(f"{where}: not valid TOML: nested too deeply") from error
    except ValueError as error:  # TOMLDecodeError of tomllib and of tomli
        found = re.search(r" \(at line (\d+), column \d+\)", str(error))
        line = int(found[1]) if found else data.rstrip().count(b"\n") + 1
        message = str(error).partition(" (at ")[0]
        raise ConfigError(f"{where}:{line}: not valid TOML: {message}") from error


def _parse(text: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(text)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{_shown(path)}: cannot be read: {error.strerror}") from error


def _is_file(path: str | Path) -> bool:
    try:
        return os.path.isfile(path)  # noqa: PTH113  (Path.is_file raises for a name that is too long)
    except ValueError:  # a NUL in the path
        return False


def _absolute(path: str | Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100  (resolve() would follow links: the name given is the name shown)


def _shown(path: Path) -> str:
    """A path as messages name it: from the current directory where it is below, else absolute."""
    absolute = _absolute(path)
    cwd = Path.cwd()
    return str(absolute.relative_to(cwd)) if absolute.is_relative_to(cwd) else str(absolute)


def _field(key: str) -> str:
    return key.replace("-", "_")


def _leaves(key: str, value: Any) -> list[tuple[str, Any]]:
    """A setting as (dotted key, value) pairs: tables of tables and tables by entry, all else as one."""
    if not isinstance(value, dict):
        return [(key, value)]
    depth = 2 if KEYS[key].kind in ("options", "tables") else 1
    pairs = [(f"{key}.{_quoted(name)}", entry) for name, entry in value.items()]
    if depth == 2:
        pairs = [(f"{name}.{_quoted(sub)}", leaf) for name, table in pairs for sub, leaf in table.items()]
    return pairs


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def _plain(value: Any, key: str) -> Any:
    if value is None:
        return "never" if key == "fail-on" else "off" if key == "severity" else DEFAULT
    if isinstance(value, (Severity, Confidence)):
        return value.value
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, dict):
        return {name: _plain(entry, key) for name, entry in value.items()}
    return value
