"""Rule packs: modules of rules that distributions offer under the entry point group ``otplint.rules``."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import GenericAlias, ModuleType
from typing import TYPE_CHECKING

from otplint.api import API_VERSION, Rule, RuleDefinitionError
from otplint.engine.discovery import BUILT_IN, GROUP, is_alone
from otplint.engine.housekeeping import RULES

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class PackError(Exception):
    """A rule pack that cannot be used; the message names the pack, and the file where there is one."""


@dataclass(frozen=True, slots=True)
class Pack:
    """One distribution's rules, by code."""

    name: str
    rules: tuple[type[Rule], ...]
    module: str = ""
    """What the entry point names."""

    def fixtures(self) -> Path | None:
        """The folder of the rules' programs: that of the package which the pack's module names as ``FIXTURES``, else
        the folder ``fixtures`` beside it; none where there is none.

        Raises:
            PackError: what ``FIXTURES`` names is no package.
        """
        if not self.module:
            return None
        from importlib import resources

        module = importlib.import_module(self.module)
        named = getattr(module, "FIXTURES", None)
        try:
            if named is not None:
                return Path(str(resources.files(named)))
        except (ImportError, TypeError) as error:
            raise PackError(f"rule pack {self.name!r}: FIXTURES is {named!r}, which is no package") from error
        places = [Path(place) / "fixtures" for place in getattr(module, "__path__", ())]
        return next((place for place in places if place.is_dir()), None)


def load_packs() -> tuple[Pack, ...]:
    """All installed packs, the built-in one first, the others by name.

    Raises:
        PackError: a pack cannot be imported, was written for another version of the API, holds no rule, or uses a
            code or name that another rule has.
    """
    if is_alone():
        packs: tuple[Pack, ...] = (load_pack(GROUP, BUILT_IN),)
    else:
        packs = tuple(_load(point) for point in _offered())
    _refuse_collisions([Pack(BUILT_IN, RULES), *packs])
    return packs


def _offered() -> list[EntryPoint]:
    """The entry points of the group, the built-in one first, the others by name.

    Raises:
        PackError: the built-in one is missing.
    """
    from importlib.metadata import entry_points

    found = entry_points(group=GROUP)
    built_in = [point for point in found if point.value == GROUP]
    if not built_in:
        raise PackError("the built-in rules are not installed; use pip (in a checkout: pip install -e .)")
    others = sorted((point for point in found if point.value != GROUP), key=lambda point: (point.name, point.value))
    return [built_in[0], *_distinct(others)]


def load_rules() -> tuple[type[Rule], ...]:
    """The rules of all packs and the housekeeping ones (OTP9), by code; errors as :func:`load_packs`."""
    found = [*RULES, *(rule for pack in load_packs() for rule in pack.rules)]
    return tuple(sorted(found, key=lambda rule: rule.code))


def fixtures_of(rule: type[Rule]) -> Path | None:
    """Where the programs of a rule's pack are; none where it has none."""
    return next((pack.fixtures() for pack in load_packs() if pack.name == rule.pack), None)


def rules_in(module: ModuleType) -> Iterator[type[Rule]]:
    """The concrete rules that a module or, for a package, its submodules define, in the order of their modules."""
    yield from _defined(module)
    if hasattr(module, "__path__"):
        for entry in pkgutil.walk_packages(module.__path__, f"{module.__name__}."):
            yield from _defined(importlib.import_module(entry.name))


def _distinct(points: Sequence[EntryPoint]) -> Iterator[EntryPoint]:
    """Each entry point once: a distribution on two folders of sys.path offers its own twice."""
    return iter({(point.name, point.value): point for point in points}.values())


def _load(point: EntryPoint) -> Pack:
    return load_pack(point.value, BUILT_IN if point.value == GROUP else (point.dist.name if point.dist else point.name))


def load_pack(target: str, name: str) -> Pack:
    """Import one pack; whatever its code raises while it is imported is the pack's error, in one line.

    Args:
        target: the module, dotted.
        name: of the distribution that offers it.

    Raises:
        PackError: as :func:`load_packs`.
    """
    try:
        module = importlib.import_module(target)
        version = getattr(module, "API_VERSION", None)
        if version != API_VERSION:
            raise PackError(
                f"rule pack {name!r} ({target}) states API_VERSION = {version!r}, "
                f"this otplint needs {API_VERSION}: update the pack or otplint"
            )
        rules = tuple(sorted(rules_in(module), key=lambda rule: rule.code))
    except RuleDefinitionError as error:
        raise PackError(f"rule pack {name!r}: {error}") from error
    except PackError:
        raise
    except (Exception, SystemExit) as error:  # foreign code: anything may happen, and the user must learn where
        raise PackError(
            f"rule pack {name!r} ({target}) cannot be imported: {type(error).__name__}: {_one_line(error)}"
        ) from error
    if not rules and name != BUILT_IN:
        raise PackError(f"rule pack {name!r} ({target}) holds no rule: rules are subclasses of otplint.api.Rule")
    for rule in rules:
        rule.pack = name
    return Pack(name, rules, target)


def _defined(module: ModuleType) -> Iterator[type[Rule]]:
    """Concrete rules whose class statement stands in ``module``."""
    for value in vars(module).values():
        # On Python 3.10 `tuple[str, int]`, an alias in a rule's file, passes for a type and fails as one.
        if isinstance(value, GenericAlias) or not isinstance(value, type):
            continue
        if not issubclass(value, Rule) or value.abstract:
            continue
        if value.__module__ == module.__name__:
            yield value


def _refuse_collisions(packs: Iterable[Pack]) -> None:
    """Raise where two rules share a code or a name; the pack that comes later is at fault."""
    taken: dict[str, tuple[str, type[Rule]]] = {}
    for pack in packs:
        for rule in pack.rules:
            for key in (rule.code, rule.name):
                if key in taken:
                    other, first = taken[key]
                    raise PackError(
                        f"rule pack {pack.name!r}: {rule.__module__}.{rule.__qualname__} uses {key}, "
                        f"which is {first.__module__}.{first.__qualname__} of pack {other!r}"
                    )
                taken[key] = (pack.name, rule)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
