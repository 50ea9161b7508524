"""OTP605 ambient-state."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from otplint.api import (
    Actor,
    Ambient,
    Confidence,
    Facts,
    Finding,
    Method,
    ProjectRule,
    Severity,
    Span,
    ambient,
    code,
)

_WHERE = {
    "global": "the module global {name}",
    "thread-local": "the thread-local {name}",
    "class": "{name}, which all instances of the class share",
}
_RELATED = 4


class AmbientState(ProjectRule[tuple[str, Finding]]):
    """A handler keeps state outside of its actor: in a module global, a thread-local or an attribute of the class.

    Why:
        An actor's state is safe because nobody else touches it and because a restart begins it anew. What is kept in a
        module or a class is neither: all actors of the process see and change it, without a message and without an
        order, and a restarted actor finds what the crashed one left. Two tests, or two tenants, share it as well.

    Harm:
        Two actors see each other's state, and a restart does not clear it.

    Bad:
        from otplint.runtime import Server

        open_orders = {}


        class Desk(Server):
            async def handle_cast(self, msg):
                open_orders[msg.number] = msg

    Good:
        from otplint.runtime import Server


        class Desk(Server):
            async def init(self):
                self.open_orders = {}

            async def handle_cast(self, msg):
                self.open_orders[msg.number] = msg

    Limits:
        Only writes that a handler or loop reaches count, in the class or in functions of modules that it calls; what
        is filled at import or when the actor starts does not. Silent under a lock, for what is made once when it is
        first needed, for ContextVars, weak registries and in tests. A table that only keeps what was computed for a
        key is a cache: low confidence. So is what another file keeps for whoever calls it.

    Report:
        Flaw 5. There it is the process dictionary, which at least belongs to one process.
    """

    code = "OTP605"
    severity = Severity.MEDIUM
    confidence = Confidence.MEDIUM
    proof = "same construct"

    def notes(self, actor: Actor) -> Iterator[tuple[str, Finding]]:
        """The state that the actor keeps outside of itself, by qualified name, each with the finding it makes."""
        if actor.is_actor:
            yield from ((state.name, self._report(actor, state)) for state in ambient(actor))

    def check_project(self, notes: Sequence[tuple[str, Finding]], facts: Facts) -> Iterator[Finding]:  # noqa: ARG002
        """Report each name once for the actors that write to it at the same place, and tell who else does."""
        writers: dict[str, list[str]] = {}
        found: dict[Span, tuple[str, Finding]] = {}
        for name, finding in notes:
            writers.setdefault(name, []).append(finding.actor)
            found.setdefault(finding.span, (name, finding))
        for name, finding in found.values():
            other = next((actor for actor in writers[name] if actor != finding.actor), "")
            shared = f"{other} writes to it as well. " if other else ""
            yield replace(finding, consequence=shared + finding.consequence)

    def _report(self, actor: Actor, state: Ambient) -> Finding:
        method, node = _place(state)
        writer = state.writes[0][0]
        name = state.name.rpartition(".")[2]
        related = [(m, n, f"{name} is written here") for m, n in state.writes if n is not node][:_RELATED]
        if state.definition is not None and state.definition[1] is not node:
            related.append((*state.definition, f"{name} is made here, once for the whole process"))
        return self.finding(
            actor,
            method,
            node,
            problem=f"{writer.title} keeps state in {_WHERE[state.kind].format(name=name)}.",
            consequence="Actors see each other's state, and a restart goes on with what the crash left.",
            remedy=f"Make {name} an attribute that the actor sets when it starts, or an actor that the others ask.",
            related=related,
            confidence=min(actor.confidence, self._trust(actor, state), key=lambda c: c.rank),
        )

    def _trust(self, actor: Actor, state: Ambient) -> Confidence:
        """How sure it is that the state is the actor's own."""
        writer, stmt = state.writes[0]
        why = "the table only keeps what was computed for a key: a cache" if state.remembers else ""
        if all(m.source.path != actor.path and m not in actor.everything for m, _ in state.writes):
            why = "functions of another file keep it for whoever calls them, which may be what they are for"
        elif state.definition is not None and state.definition[0].source.path not in {
            m.source.path for m, _ in state.writes
        }:
            why = "another file keeps it for the whole process, which may be what it is for"
        return Confidence.LOW if writer.exempt(stmt, why) else self.confidence


def _place(state: Ambient) -> tuple[Method, code.Node]:
    """The definition of a class attribute, the first write of anything else."""
    return state.definition if state.kind == "class" and state.definition is not None else state.writes[0]
