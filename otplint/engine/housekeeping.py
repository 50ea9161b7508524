"""The family OTP9 as rules: chosen, explained and given a severity like any other; what they find is in suppressions.

They look at comments, not at actors: :mod:`otplint.engine.suppress` makes their findings once all other rules ran.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from otplint.api import Finding, Rule
from otplint.engine.suppress import HOUSEKEEPING
from otplint.findings import RuleInfo

if TYPE_CHECKING:
    from otplint.facts.actors import Actor


class Housekeeping(Rule, abstract=True):
    """A rule about comments, described by its :class:`~otplint.findings.RuleInfo`."""

    described: ClassVar[RuleInfo]

    def __init_subclass__(cls, **kwargs: object) -> None:
        """Take everything from the description."""
        super().__init_subclass__(abstract=True, **kwargs)
        info = cls.described
        cls.code, cls.name, cls.severity, cls.confidence = info.code, info.name, info.severity, info.confidence
        cls.summary, cls.sections, cls.fix = info.summary, MappingProxyType(dict(info.sections)), info.fix
        cls.abstract = False

    def check(self, actor: Actor) -> Iterator[Finding]:  # noqa: ARG002  (the contract of all rules)
        """Nothing: comments are no part of an actor's facts."""
        return iter(())


class UnusedSuppression(Housekeeping):
    """A comment silences a rule that reports nothing there."""

    described = HOUSEKEEPING[0]


class SuppressionWithoutReason(Housekeeping):
    """A comment silences a rule and does not say why."""

    described = HOUSEKEEPING[1]


class UnknownCodeInSuppression(Housekeeping):
    """A comment names no rule that there is."""

    described = HOUSEKEEPING[2]


RULES: tuple[type[Rule], ...] = (UnusedSuppression, SuppressionWithoutReason, UnknownCodeInSuppression)
"""By code."""
