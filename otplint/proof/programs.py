"""The programs of a rule: ``bad.py``, ``good.py`` and ``proof.py``, which says what they must show."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import ModuleType
from typing import Any

from otplint.runtime import System

Observed = dict[str, Any]
Scenario = Callable[[System], Awaitable[Observed]]

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
    harm: Callable[[Observed], bool]
    """Whether what a scenario observed is the harm."""
    crash: str
    """The process to kill at each of its steps; empty where schedules are what counts."""
    every_schedule: bool
    """Whether all schedules are tried, not the plain order alone."""
    repair: str | None
    """Text that, in the place of the reported span of ``bad.py``, makes the harm vanish."""

    @property
    def bad(self) -> Path:
        """The program that does the harm."""
        return self.folder / "bad.py"

    @property
    def good(self) -> Path:
        """Its repaired twin."""
        return self.folder / "good.py"


def fixtures() -> Path:
    """The folder of all programs, in the tree or in the installed package."""
    return Path(str(resources.files("otplint.fixtures")))


def all_programs(folder: Path | None = None) -> Iterator[Programs]:
    """The programs of every rule that has a proof, by code.

    :raises BrokenProof: naming the file and what is missing.
    """
    for path in sorted((folder or fixtures()).glob("*-*/proof.py")):
        yield _programs(path)


def scenario_of(path: Path, text: str | None = None) -> Scenario:
    """The ``scenario`` of a program; ``text`` counts instead of the file's own.

    :raises BrokenProof: where there is none.
    """
    module = _loaded(path, text)
    found = getattr(module, "scenario", None)
    if found is None:
        raise BrokenProof(f"{path.parent.name}/{path.name}: no 'async def scenario(system)'")
    return found  # type: ignore[no-any-return]


def _programs(path: Path) -> Programs:
    module = _loaded(path, None)
    code, _, name = path.parent.name.partition("-")
    where = f"{path.parent.name}/{path.name}"
    harm = getattr(module, "harm", None)
    claim = getattr(module, "CLAIM", "")
    if harm is None or not claim:
        raise BrokenProof(f"{where}: needs CLAIM, a sentence, and harm(observed)")
    for program in ("bad.py", "good.py"):
        if not (path.parent / program).is_file():
            raise BrokenProof(f"{path.parent.name}: {program} is missing")
    return Programs(
        code,
        name,
        path.parent,
        claim,
        harm,
        getattr(module, "CRASH", ""),
        getattr(module, "EVERY_SCHEDULE", False),
        getattr(module, "REPAIR", None),
    )


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
    finally:
        del sys.modules[name]
    return module
