"""Which rules run, with which settings: codes, names, families and ``ALL`` resolved against the loaded packs."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from otplint.api import Rule, Severity

if TYPE_CHECKING:
    from otplint.sources.patterns import Patterns

_Setting = TypeVar("_Setting")

ALL = "ALL"
"""Selects every rule, preview ones included."""


class SelectionError(ValueError):
    """A selector, or a rule's name in the configuration, that no rule has; the message says where and what is near."""


def matches(selector: str, rule: type[Rule]) -> bool:
    """Whether a selector means this rule: its code, its name, the start of its code (``OTP2``, ``OTP``) or ``ALL``."""
    wanted = selector.upper()
    return wanted in (ALL, rule.code, rule.name.upper()) or _is_family(wanted, rule.code)


def resolve(selectors: Iterable[str], rules: Sequence[type[Rule]], *, where: str) -> list[type[Rule]]:
    """The rules that any of the selectors means, in the order of ``rules``.

    Args:
        selectors: codes, names, families or ``ALL``, in any case.
        rules: the rules there are.
        where: what the user wrote them in, e.g. ``--select``; begins the error.

    Raises:
        SelectionError: a selector means no rule.
    """
    chosen: set[str] = set()
    for selector in selectors:
        found = {rule.code for rule in rules if matches(selector, rule)}
        if not found and selector.upper() != ALL:
            raise _unknown(selector, rules, where)
        chosen |= found
    return [rule for rule in rules if rule.code in chosen]


def choose(
    rules: Sequence[type[Rule]],
    *,
    select: Iterable[str] | None = None,
    ignore: Iterable[str] = (),
    extend_select: Iterable[str] = (),
    base: Iterable[type[Rule]] | None = None,
    where: str = "",
) -> list[type[Rule]]:
    """The rules of one layer (a configuration file, then the command line) of choices.

    The longer a selector, the more it counts: ``select OTP2, ignore OTP201`` and ``ignore OTP2, extend-select
    OTP201`` both do what they say; between equals ``ignore`` wins.

    Args:
        rules: the rules there are.
        select: selectors; none for ``base``.
        ignore: selectors of rules that do not run.
        extend_select: selectors added to the first.
        base: what the layer below chose; by default all rules but previews.
        where: put before the setting's name in errors: ``--`` makes ``--select``.

    Raises:
        SelectionError: a selector means no rule.
    """
    wanted, refused, added = [*(select or ())], [*ignore], [*extend_select]
    for name, selectors in (("select", wanted), ("ignore", refused), ("extend-select", added)):
        resolve(selectors, rules, where=f"{where}{name}")
    start = {rule.code for rule in rules if not rule.preview} if base is None else {rule.code for rule in base}
    chosen = []
    for rule in rules:
        for_it = _weight([*wanted, *added], rule)
        if select is None and rule.code in start:
            for_it = max(for_it, 1)
        if for_it and for_it > _weight(refused, rule):
            chosen.append(rule)
    return chosen


def build(
    rules: Iterable[type[Rule]],
    *,
    severities: Mapping[str, Severity] | None = None,
    options: Mapping[str, Mapping[str, object]] | None = None,
    off: Iterable[str] = (),
) -> tuple[Rule, ...]:
    """Rules ready to run, by code.

    Args:
        rules: the chosen classes.
        severities: the user's severity by rule code or name.
        options: the user's option values by rule code or name.
        off: codes or names of rules that the configuration switches off.

    Raises:
        OptionError: an option that a rule does not have, or a value of the wrong type.
    """
    dropped = [*off]
    ready = [
        rule(_of(rule, options or {}), severity=_of(rule, severities or {}))
        for rule in rules
        if not any(_names(key, rule) for key in dropped)
    ]
    return tuple(sorted(ready, key=lambda rule: rule.code))


def known(key: str, rules: Sequence[type[Rule]], *, where: str) -> type[Rule]:
    """The one rule with this code or name, in any case.

    Raises:
        SelectionError: there is none.
    """
    for rule in rules:
        if key.upper() in (rule.code, rule.name.upper()):
            return rule
    raise _unknown(key, rules, where)


def _is_family(selector: str, code: str) -> bool:
    """``OTP`` and ``OTP2`` are families of ``OTP201``; ``O`` is not: a family begins with the whole prefix."""
    prefix = code.rstrip("0123456789")
    return selector.startswith(prefix) and code.startswith(selector)


def _names(selector: str, rule: type[Rule]) -> bool:
    """Whether the selector is the rule's own code or name."""
    return selector.upper() in (rule.code, rule.name.upper())


def _weight(selectors: Iterable[str], rule: type[Rule]) -> int:
    """How much the best matching selector counts: 0 for none, ``ALL`` 2, a family its length, a code or name most."""

    def weight(selector: str) -> int:
        if selector.upper() == ALL:
            return 2
        return 100 if _names(selector, rule) else len(selector)

    return max((weight(selector) for selector in selectors if matches(selector, rule)), default=0)


def _of(rule: type[Rule], table: Mapping[str, _Setting]) -> _Setting | None:
    """The setting under the rule's code or name, in any case."""
    return next((value for key, value in table.items() if _names(key, rule)), None)


def _unknown(selector: str, rules: Sequence[type[Rule]], where: str) -> SelectionError:
    """The error for a selector without a rule, with the nearest code or name."""
    names = [key for rule in rules for key in (rule.code, rule.name)]
    near = difflib.get_close_matches(selector.lower(), [name.lower() for name in names], n=1, cutoff=0.5)
    spelled = {name.lower(): name for name in names}
    hint = f"; did you mean {spelled[near[0]]}?" if near else "; 'otplint rules' lists them all"
    return SelectionError(f"{where}: unknown rule {selector!r}{hint}")


def per_file(ignores: Mapping[str, Sequence[str]], rules: Sequence[type[Rule]]) -> Callable[[str], frozenset[str]]:
    """Which codes ``per-file-ignores`` leaves out of a file, as a function of its path from the project root.

    Args:
        ignores: selectors by a pattern as in ``.gitignore``.
        rules: the rules there are.

    Raises:
        SelectionError: a selector means no rule, or a pattern is none.
    """
    from otplint.sources.patterns import BadPattern, Patterns

    table: list[tuple[Patterns, frozenset[str]]] = []
    for pattern, selectors in ignores.items():
        codes = frozenset(rule.code for rule in resolve(selectors, rules, where="per-file-ignores"))
        try:
            table.append((Patterns([pattern]), codes))
        except BadPattern as error:
            raise SelectionError(f"per-file-ignores: {error}") from error
    return LeftOut(tuple(table))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The codes that ``per-file-ignores`` leaves out of a file; plain data, so that it can be sent elsewhere."""

    table: tuple[tuple[Patterns, frozenset[str]], ...]

    def __call__(self, path: str) -> frozenset[str]:
        """The codes for a path from the project root."""
        return frozenset().union(*(codes for patterns, codes in self.table if patterns.matches(path)))
