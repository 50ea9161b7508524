"""The programs of a rule: ``bad.py``, ``good.py`` and ``proof.py``, which says what they must show.

A system with a ``before`` and an ``after`` has one ``proof.py`` as well: what must be seen of it, item by item.
"""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from otplint.proof.results import Observed

if TYPE_CHECKING:
    from otplint.runtime import System

Scenario = Callable[["System"], Awaitable[Observed]]
Judge = Callable[[Observed], bool]

PACKAGE = "otplint.fixtures"
_numbers = itertools.count(1)


class BrokenProof(Exception):  # noqa: N818 - the name says what is wrong
    """A fixture folder does not hold what a proof needs; the text is one line."""


@dataclass(frozen=True)
class Programs:
    """The files of one rule, loaded."""

    code: str
    name: str
    folder: Path
    claim: str
    """The harm in one sentence."""
    harm: Judge
    """Whether what a scenario observed is the harm."""
    works: Judge = lambda _observed: True
    """Whether the mechanism was at work in the good program: no harm where nothing happens would prove nothing."""
    crash: str = ""
    """The process to kill at each of its steps; empty where schedules are what counts."""
    every_schedule: bool = False
    """Whether all schedules are tried, not the plain order alone."""
    sample: int | None = None
    """How many schedules of the bad program are tried where it has too many; none: as many as of the good one."""
    repair: str | None = None
    """Text that, in the place of the reported span of ``bad.py``, makes the harm vanish."""

    @property
    def bad(self) -> Path:
        """The program that does the harm."""
        return self.folder / "bad.py"

    @property
    def good(self) -> Path:
        """Its repaired twin."""
        return self.folder / "good.py"


@dataclass(frozen=True)
class Item:
    """One thing that is seen of a whole system."""

    code: str
    """The rule that reports it; empty where none does."""
    name: str
    value: Callable[[Observed], object]
    """The observable."""
    harmful: Callable[[Any], bool]
    """Whether such a value is harm."""


@dataclass(frozen=True)
class ReportedSystem:
    """A system in two versions with one crash script."""

    name: str
    folder: Path
    claim: str
    items: tuple[Item, ...]

    def scenario(self, version: str) -> Scenario:
        """The crash script of ``before`` or ``after``.

        :raises BrokenProof: where there is none.
        """
        module = f"{PACKAGE}.{self.folder.name}.{version}.scenario"
        try:
            return importlib.import_module(module).scenario  # type: ignore[no-any-return]
        except (ImportError, AttributeError) as error:
            raise BrokenProof(f"{self.folder.name}/{version}: no 'async def scenario(system)': {error}") from error


def fixtures() -> Path:
    """The folder of all programs, in the tree or in the installed package."""
    return Path(str(resources.files(PACKAGE)))


def all_programs(folder: Path | None = None) -> Iterator[Programs]:
    """The programs of every rule that has a proof, by code.

    :raises BrokenProof: naming the file and what is missing.
    """
    for path in sorted((folder or fixtures()).glob("*-*/proof.py")):
        yield _programs(path)


def programs_of(code: str, folder: Path | None = None) -> Programs | None:
    """The programs of one rule; none where it has no proof.

    :raises BrokenProof: naming the file and what is missing.
    """
    found = sorted((folder or fixtures()).glob(f"{code}-*/proof.py"))
    return _programs(found[0]) if found else None


def all_systems(folder: Path | None = None) -> Iterator[ReportedSystem]:
    """The systems that have a proof, by name.

    :raises BrokenProof: naming the file and what is missing.
    """
    for path in sorted((folder or fixtures()).glob("*/proof.py")):
        if "-" not in path.parent.name:
            claim, items = _needed(_loaded(path, None), path, "CLAIM", "ITEMS")
            yield ReportedSystem(path.parent.name, path.parent, claim, tuple(Item(*item) for item in items))


def scenario_of(path: Path, text: str | None = None) -> Scenario:
    """The ``scenario`` of a program; ``text`` counts instead of the file's own.

    :raises BrokenProof: where there is none.
    """
    found = getattr(_loaded(path, text), "scenario", None)
    if found is None:
        raise BrokenProof(f"{_short(path)}: no 'async def scenario(system)'")
    return found  # type: ignore[no-any-return]


def _programs(path: Path) -> Programs:
    module = _loaded(path, None)
    code, _, name = path.parent.name.partition("-")
    claim, harm = _needed(module, path, "CLAIM", "harm")
    for program in ("bad.py", "good.py"):
        if not (path.parent / program).is_file():
            raise BrokenProof(f"{path.parent.name}: {program} is missing")
    optional = {
        "works": getattr(module, "works", None),
        "crash": getattr(module, "CRASH", None),
        "every_schedule": getattr(module, "EVERY_SCHEDULE", None),
        "sample": getattr(module, "SAMPLE", None),
        "repair": getattr(module, "REPAIR", None),
    }
    said = {key: value for key, value in optional.items() if value is not None}
    return Programs(code, name, path.parent, claim, harm, **said)


def _needed(module: ModuleType, path: Path, *names: str) -> list[Any]:
    missing = [name for name in names if not getattr(module, name, None)]
    if missing:
        raise BrokenProof(f"{_short(path)}: needs {' and '.join(names)}; {', '.join(missing)} is not there")
    return [getattr(module, name) for name in names]


def _short(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _loaded(path: Path, text: str | None) -> ModuleType:
    """The module of a file under a name of its own: ``bad`` and ``good`` exist once for each rule."""
    name = f"otplint_proof_{next(_numbers)}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise BrokenProof(f"{path}: cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        if text is None:
            spec.loader.exec_module(module)
        else:
            exec(compile(text, str(path), "exec"), module.__dict__)
    except Exception as error:
        raise BrokenProof(f"{_short(path)}: {type(error).__name__}: {error}") from error
    finally:
        del sys.modules[name]
    return module
