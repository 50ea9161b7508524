"""Why a rule is silent about a place that it looked at, for whoever asks (``otplint why-not``).

Queries and rules tell it with :meth:`otplint.facts.methods.Method.exempt`, which costs one test of an attribute where
nobody listens: :attr:`otplint.facts.facts.Facts.exemptions` is none in a scan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from otplint.findings import Span

if TYPE_CHECKING:
    from otplint.facts.actors import Actor
    from otplint.facts.methods import Method
    from otplint.facts.syntax import code


@dataclass(frozen=True, slots=True)
class Exemption:
    """One place, or one whole actor, that one rule looked at and does not report."""

    rule: str
    """Code of the rule that looked."""
    span: Span
    """The place; for a whole actor its name."""
    reason: str
    """In plain words, as in "silent because REASON": "the handler raises the exception again"."""
    actor: str
    """Qualified name of the actor inside its module; empty for code outside of actors."""
    handler: str = ""
    """The function that holds the place; empty for what is said of a whole actor."""

    @property
    def whole(self) -> bool:
        """True for what is said of a whole actor."""
        return not self.handler


@dataclass(slots=True)
class Exemptions:
    """What is told while one rule after another is asked, about the places of one file."""

    path: str
    """The file that somebody asked about; nothing else is kept."""
    rule: str = ""
    """The rule that is being asked."""
    told: list[Exemption] = field(default_factory=list)

    def of_place(self, method: Method, node: code.Node, reason: str) -> None:
        """Keep a reason for silence about one place."""
        if method.source.path == self.path:
            name = method.actor.name if method.actor.is_actor else ""
            self._keep(Exemption(self.rule, method.span(node), reason, name, method.name or "<class>"))

    def of_actor(self, actor: Actor, reason: str) -> None:
        """Keep a reason for silence about a whole actor."""
        if actor.path == self.path and actor.node is not None:
            self._keep(Exemption(self.rule, actor.source.span(actor.node), reason, actor.name))

    def _keep(self, exemption: Exemption) -> None:
        if exemption not in self.told:
            self.told.append(exemption)
